"""Facts of resource control policies: whether they stop web identities, all of them or those of one provider."""

from collections.abc import Iterable
from functools import cached_property
from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.model import Issuer, OidcProvider, ResourceControlPolicy, Role, Unknown
from irsa_doctor.trust.guardrails import Denial, Guardrail, denial, guardrails, united

Stopped = Literal["none", "all"]
Listed = Literal["not-asked", "listed", "not-listed"]


class Guards(msgspec.Struct, frozen=True, dict=True):
    """The resource control policies of one inventory. Which accounts they are attached to is not in them: where nothing else
    says it (`ResourceControlPolicy.account`), they are taken to apply to every account that was given."""

    lookups: Lookups

    @cached_property
    def _rails(self) -> tuple[tuple[ResourceControlPolicy, Guardrail], ...]:
        return tuple((rcp, rail) for rcp in self.lookups.inventory.rcps for rail in guardrails(rcp.document))

    def _of_document(self, path: str) -> Iterable[Guardrail]:
        return [rail for rcp, rail in self._rails if rcp.place.document == path and not rail.by_provider]

    def _speaks(self, rail: Guardrail, account: str = "") -> bool:
        """Whether it concerns a role of the input; any role where it concerns all, or the input has none."""
        if rail.every_role:
            return True
        return self._covers_any(rail, account)

    def _covers_any(self, rail: Guardrail, account: str) -> bool:
        """Whether it concerns a role of an account, "" for any of the input."""
        roles: list[Role] = [r for r in self.lookups.inventory.roles if r.arn and (not account or r.account == account)]
        return any(rail.covers_role(role.arn) for role in roles)

    def _denials(self, rails: Iterable[Guardrail], provider: OidcProvider | None) -> list[Denial]:
        account, arn = (provider.account, provider.arn) if provider else ("", "")
        return [denial(rail, arn) for rail in rails if self._speaks(rail, account)]

    def denial_of(self, path: str) -> Denial | None:
        """What the policies of a document do to all web identities, of any issuer."""
        return united(self._denials(self._of_document(path), None))

    def stopped(self, path: str) -> Stopped | Unknown:
        """Whether a document stops every web identity."""
        return _verdict(self.denial_of(path))

    def denial_for(self, provider: OidcProvider) -> Denial | None:
        """What statements that ask where a token comes from do to those of a provider."""
        return united(self._denials([rail for rail in self._over(provider) if rail.by_provider], provider))

    def _over(self, provider: OidcProvider) -> list[Guardrail]:
        """What stands over the account of a provider."""
        return [rail for rcp, rail in self._rails if rcp.account in ("", provider.account)]

    def listed(self, provider: OidcProvider) -> Listed | Unknown:
        """Whether the list of trusted issuers of some policy has the issuer of a cluster's provider."""
        if not self._is_of_cluster(provider):
            return "not-asked"
        refused = self.lookups.inventory.refused("rcps", provider.account)
        if not self._over(provider):
            return "not-asked" if refused is None else refused
        verdict = _verdict(self.denial_for(provider))
        if verdict == "all":
            return "not-listed"
        return verdict if isinstance(verdict, Unknown) else "listed" if refused is None else refused

    def _is_of_cluster(self, provider: OidcProvider) -> bool:
        return Issuer.of(provider.issuer).form == "eks" or provider.issuer in self.lookups.inventory.clusters_by_issuer


def _verdict(denial: Denial | None) -> Stopped | Unknown:
    if denial is None or denial.stops == "some":
        return "none"
    if denial.stops == "all":
        return "all"
    return Unknown(f"values of {', '.join(denial.depends)} in the requests of the pods, which a resource control policy checks")
