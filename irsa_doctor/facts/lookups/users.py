"""Which service accounts use a role: those that name it by annotation, and those whose pods set it by hand."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from irsa_doctor.facts.lookups.lookups import ROLE_ARN, Lookups
from irsa_doctor.model import ServiceAccount, Workload, only_hole

_AUDIENCE = "eks.amazonaws.com/audience"


class RoleUser(msgspec.Struct, frozen=True, order=True):
    """A service account that uses a role: its subject, its cluster's issuer without scheme ("" where that is not known).

    `audience` is that of its tokens, "" where it is not known. With `pod_identity` an association gives it its credentials,
    so that it does not depend on the trust of the role. `id` is cluster/namespace/name, as findings write it.
    """

    subject: str
    issuer: str
    audience: str
    pod_identity: bool = False
    id: str = ""


def role_users(
    view: Lookups, accounts: Iterable[ServiceAccount], workloads: Iterable[Workload]
) -> Mapping[str, tuple[RoleUser, ...]]:
    """Role ARN -> those of some service accounts that use it, sorted."""
    table: dict[str, set[RoleUser]] = {}
    for account in accounts:
        role = account.annotations.get(ROLE_ARN)
        if isinstance(role, str) and role:
            table.setdefault(role, set()).add(_annotated(view, account))
    for role, user in _by_hand(view, workloads):
        known = table.setdefault(role, set())
        if not any((user.subject, user.issuer) == (other.subject, other.issuer) for other in known):
            known.add(user)
    return {role: tuple(sorted(users)) for role, users in table.items()}


def users_by_reference(view: Lookups, accounts: Iterable[ServiceAccount]) -> Mapping[tuple[str, str], tuple[RoleUser, ...]]:
    """(folder of Terraform configuration, reference to the ARN of a role) -> the service accounts there that name the role so.

    Those whose names are known only once they are made are left out.
    """
    table: dict[tuple[str, str], set[RoleUser]] = {}
    for account in accounts:
        role = only_hole(account.annotations.get(ROLE_ARN))
        if account.template and not account.planned and role is not None:
            key = posixpath.dirname(account.place.document), role.name
            table.setdefault(key, set()).add(_annotated(view, account))
    return {key: tuple(sorted(users)) for key, users in table.items()}


def _annotated(view: Lookups, account: ServiceAccount) -> RoleUser:
    issuer = view.issuer_of(account.cluster)
    associated = (account.cluster, account.namespace, account.name) in view.inventory.association_by_key
    ident = _id(view, account.cluster, account.namespace, account.name)
    return RoleUser(account.subject, issuer, _audience(view, account, issuer), associated, ident)


def _id(view: Lookups, cluster: str, namespace: str, name: str) -> str:
    return f"{view.label_of(cluster)}/{namespace}/{name}"


def _by_hand(view: Lookups, workloads: Iterable[Workload]) -> Iterator[tuple[str, RoleUser]]:
    """Roles that the environment of containers sets; the webhook sets those of annotations, which are known already."""
    for workload in workloads:
        roles = {container.env.get("AWS_ROLE_ARN") for container in workload.containers}
        for role in roles:
            if isinstance(role, str) and role and workload.service_account:
                ident = _id(view, workload.cluster, workload.namespace, workload.service_account)
                yield role, RoleUser(_subject(workload), view.issuer_of(workload.cluster), "", id=ident)


def _subject(workload: Workload) -> str:
    return f"system:serviceaccount:{workload.namespace}:{workload.service_account}"


def _audience(view: Lookups, account: ServiceAccount, issuer: str) -> str:
    """What the webhook puts into the tokens: as annotated, else its default, where that is known."""
    audience = account.annotations.get(_AUDIENCE)
    if audience is not None:
        return audience if isinstance(audience, str) else ""
    usual = view.default_audiences(issuer)
    return next(iter(usual)) if len(usual) == 1 else ""
