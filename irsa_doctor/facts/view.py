"""An inventory with its trust policies analysed, and the look-ups that facts share."""

from collections.abc import Mapping
from functools import cached_property

import msgspec

from irsa_doctor.facts.grants import AnalysedRole, analyse
from irsa_doctor.model import Inventory, parse_arn
from irsa_doctor.trust.languages import Finite


class View(msgspec.Struct, frozen=True, dict=True):
    """One inventory, seen through `trust`. Every table is made once, when first asked for."""

    inventory: Inventory

    @cached_property
    def audiences(self) -> frozenset[str]:
        """Audiences that service accounts ask for by annotation."""
        asked = (sa.annotations.get("eks.amazonaws.com/audience") for sa in self.inventory.service_accounts)
        return frozenset(value for value in asked if isinstance(value, str))

    @cached_property
    def roles(self) -> tuple[AnalysedRole, ...]:
        """Every role, analysed."""
        return tuple(analyse(role, self.inventory, self.audiences) for role in self.inventory.roles)

    @cached_property
    def role_by_arn(self) -> Mapping[str, AnalysedRole]:
        """Analysed roles by ARN."""
        return {analysed.role.arn: analysed for analysed in self.roles if analysed.role.arn}

    @cached_property
    def roles_by_name(self) -> Mapping[tuple[str, str], tuple[AnalysedRole, ...]]:
        """By (account, name in lower case): names are unique in an account whatever their case and path."""
        table: dict[tuple[str, str], tuple[AnalysedRole, ...]] = {}
        for analysed in self.roles:
            key = (analysed.role.account, analysed.role.name.lower())
            table[key] = (*table.get(key, ()), analysed)
        return table

    @cached_property
    def role_names(self) -> Mapping[str, list[str]]:
        """Role ARNs by account."""
        table: dict[str, list[str]] = {}
        for analysed in self.roles:
            if analysed.role.arn:
                table.setdefault(analysed.role.account, []).append(analysed.role.arn)
        return table

    @cached_property
    def trusted_by_name(self) -> Mapping[tuple[str, str], tuple[AnalysedRole, ...]]:
        """(issuer, subject) -> roles that admit exactly this subject by name."""
        table: dict[tuple[str, str], list[AnalysedRole]] = {}
        for analysed in self.roles:
            for provider, found in analysed.by_provider.items():
                arn = parse_arn(provider)
                if arn and isinstance(found.subjects, Finite):
                    for subject in found.subjects.values:
                        table.setdefault((arn.name, subject), []).append(analysed)
        return {key: tuple(roles) for key, roles in table.items()}

    def issuer_of(self, cluster: str) -> str:
        """Issuer of a cluster without scheme, "" where it is not known."""
        found = self.inventory.cluster_by_id.get(cluster)
        return found.issuer if found and isinstance(found.issuer, str) else ""

    def name_of(self, cluster: str) -> str:
        """The name by which findings call a cluster."""
        found = self.inventory.cluster_by_id.get(cluster)
        return found.name if found else cluster or "unknown-cluster"
