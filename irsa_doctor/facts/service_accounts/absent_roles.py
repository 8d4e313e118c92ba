"""Why no role of the input has the ARN that a service account names."""

from typing import Literal

from irsa_doctor.facts.lookups.names import is_one_letter_off
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.model import Arn, Issuer, ServiceAccount, Unknown, parse_arn

NamedRole = Literal["there", "missing", "other-path", "other-account", "other-partition"]


def absence_of(view: View, account: ServiceAccount, named: str) -> NamedRole | Unknown:
    """What is wrong with the ARN of a role that is not in the input; unknown where not all roles are."""
    arn = parse_arn(named)
    if arn is None:
        return "missing"
    name = arn.name.rpartition("/")[2]
    if same := view.roles_by_name.get((arn.account, name.lower())):
        known = parse_arn(same[0].arn)
        if _is_of_another_partition(view, account, arn) or (known and known.partition != arn.partition):
            return "other-partition"
        return "other-path" if same[0].name == name else "missing"
    elsewhere = _namesakes_elsewhere(view, account, arn)
    if view.inventory.closed.has_role(arn.account, name):
        return "other-account" if elsewhere else "missing"
    if any(is_one_letter_off(arn.account, other.role.account) for other in elsewhere):
        return "other-account"
    how = "aws iam get-account-authorization-details --filter Role"
    return view.inventory.unknown("roles", arn.account, name.lower(), f"roles of account {arn.account}", how)


def _is_of_another_partition(view: View, account: ServiceAccount, arn: Arn) -> bool:
    """Whether the partition of the annotation cannot be that of the cluster: then that is what is wrong with it."""
    issuer = view.issuer_of(account.cluster)
    return bool(issuer) and Issuer.of(issuer).partition not in ("", arn.partition)


def _namesakes_elsewhere(view: View, account: ServiceAccount, arn: Arn) -> list[AnalysedRole]:
    """Roles of the name that trust this very service account, where the named account has no provider for its issuer."""
    issuer = view.issuer_of(account.cluster)
    if not issuer or arn.account in view.accounts_of_issuer(issuer):
        return []
    name = arn.name.rpartition("/")[2].lower()
    return [other for other in view.trusted_by_name.get((issuer, account.subject), ()) if other.role.name.lower() == name]
