"""Which service accounts use a role: those that name it by annotation, and those whose pods set it by hand."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.model import ServiceAccount, Workload, only_hole
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN


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


class RoleUsers(Mapping[str, tuple[RoleUser, ...]]):
    """Role ARN -> those of some service accounts that use it, sorted; worked out for a role when somebody asks."""

    def __init__(self, view: Lookups, accounts: Iterable[ServiceAccount], workloads: Iterable[Workload]) -> None:
        self._view = view
        self._naming: dict[str, list[ServiceAccount]] = {}
        for account in accounts:
            role = account.annotations.get(ROLE_ARN)
            if isinstance(role, str) and role:
                self._naming.setdefault(role, []).append(account)
        self._by_hand: dict[str, list[RoleUser]] = {}
        for role, user in _by_hand(view, workloads):
            self._by_hand.setdefault(role, []).append(user)
        self._known: dict[str, tuple[RoleUser, ...]] = {}

    def __getitem__(self, role: str) -> tuple[RoleUser, ...]:
        if role not in self._known:
            self._known[role] = self._users(role)
        return self._known[role]

    def _users(self, role: str) -> tuple[RoleUser, ...]:
        if role not in self:
            raise KeyError(role)
        users = {_annotated(self._view, account) for account in self._naming.get(role, ())}
        for user in self._by_hand.get(role, ()):
            if not any((user.subject, user.issuer) == (other.subject, other.issuer) for other in users):
                users.add(user)
        return tuple(sorted(users))

    def __contains__(self, role: object) -> bool:
        return role in self._naming or role in self._by_hand

    def __iter__(self) -> Iterator[str]:
        return iter({**self._naming, **self._by_hand})

    def __len__(self) -> int:
        return len({**self._naming, **self._by_hand})


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
    audience = account.annotations.get(AUDIENCE_ANNOTATION)
    if audience is not None:
        return audience if isinstance(audience, str) else ""
    usual = view.default_audiences(issuer)
    return next(iter(usual)) if len(usual) == 1 else ""
