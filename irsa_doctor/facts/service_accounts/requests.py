"""What manifests ask for a service account that no annotation of it does: a role, and an audience of its tokens."""

from collections.abc import Iterable, Mapping

import msgspec

from irsa_doctor.facts.service_accounts.service_account import own_roles
from irsa_doctor.facts.workloads.token_paths import audiences_by_hand
from irsa_doctor.model import ServiceAccount, Workload, text_of
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN


def requesting(account: ServiceAccount, role: str, audience: str = "") -> ServiceAccount:
    """The service account as if its annotations asked for a role and, where one is given, for tokens with an audience."""
    own = {ROLE_ARN: role, AUDIENCE_ANNOTATION: audience} if audience else {ROLE_ARN: role}
    return msgspec.structs.replace(account, annotations={**account.annotations, **own})


def audiences_by_role(workloads: Iterable[Workload]) -> Mapping[str, set[str]]:
    """The roles that manifests set themselves, with the audiences of the tokens that they mount, "" for none."""
    table: dict[str, set[str]] = {role: set() for workload in workloads for role in own_roles(workload)}
    for workload in workloads:
        for role, audience in audiences_by_hand(workload):
            if text_of(role) in table:
                table[text_of(role)].add(audience)
    return table
