"""The IAM principals that EKS maps to users of a cluster: by access entries and by the ConfigMap aws-auth."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from irsa_doctor.model import Cluster, Place, parse_arn
from irsa_doctor.model.access import AccessEntry, AssociatedAccess, AssociatedPolicy, AuthMap, AuthRow

MappedBy = Literal["access-entry", "aws-auth", "creator"]
MASTERS = "system:masters"
NODE_USER = "system:node:"
_PATTERN = "{{"


class MappedPrincipal(msgspec.Struct, frozen=True):
    """An IAM principal and who it is in the cluster; `user` may be a pattern (`{{SessionName}}`)."""

    arn: str
    mapped_by: MappedBy
    user: str
    groups: tuple[str, ...]
    place: Place
    policies: tuple[AssociatedPolicy, ...] = ()
    unknown: str = ""
    """what of it is not in the input, "" where all is"""

    @property
    def plain_user(self) -> str:
        """The user name, "" where it is a pattern, which equals no user of a binding."""
        return "" if _PATTERN in self.user else self.user


def identity_of(arn: str) -> str:
    """What identifies a principal whatever path its ARN has: aws-auth has role ARNs without path
    (https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html)."""
    parts = parse_arn(arn)
    if parts is None or parts.kind != "role":
        return arn.lower()
    return f"arn:{parts.partition}:iam::{parts.account}:role/{parts.name.rpartition('/')[2]}".lower()


def is_unmatched(arn: str) -> bool:
    """Whether no caller ever has the ARN of a row of aws-auth: a role with a path, a session, an IAM group."""
    parts = parse_arn(arn)
    if parts is None or parts.service != "iam" or len(parts.account) != 12:
        return True
    if parts.kind in ("role", "user") and not parts.name:
        return True
    return has_path(arn) or parts.kind not in ("role", "user", "root")


def has_path(arn: str) -> bool:
    """Whether it is the ARN of a role with a path."""
    parts = parse_arn(arn)
    return parts is not None and parts.kind == "role" and "/" in parts.name


def mapped_principals(
    cluster: Cluster | None,
    entries: Iterable[AccessEntry],
    associated: Iterable[AssociatedAccess],
    maps: Sequence[AuthMap],
    known: Iterable[str],
) -> tuple[MappedPrincipal, ...]:
    """Every principal of one cluster, `known` being the ARNs of the input that mapAccounts may map. Nodes are left out.

    Of one principal the access entry overrides the map
    (https://docs.aws.amazon.com/eks/latest/userguide/migrating-access-entries.html).
    """
    mode = cluster.mode if cluster else ""
    mapped: dict[str, MappedPrincipal] = {}
    if mode != "API":
        if cluster and cluster.creator and mode == "CONFIG_MAP":
            mapped[identity_of(cluster.creator)] = MappedPrincipal(
                cluster.creator, "creator", "kubernetes-admin", (MASTERS,), cluster.place
            )
        for auth_map in maps:
            mapped.update((identity_of(item.arn), item) for item in _of_map(auth_map, known))
    if mode != "CONFIG_MAP":
        policies = {item.principal: item for item in associated}
        for entry in entries:
            mapped.pop(identity_of(entry.principal), None)
            if entry.type in ("STANDARD", ""):
                mapped[identity_of(entry.principal)] = _of_entry(entry, policies.get(entry.principal))
    return tuple(mapped.values())


def _of_entry(entry: AccessEntry, associated: AssociatedAccess | None) -> MappedPrincipal:
    unknown = "" if entry.type else f"access entry of {entry.principal}"
    if associated is None and not unknown:
        unknown = f"access policies of {entry.principal}"
    user = entry.username or _default_user(entry.principal)
    policies = associated.policies if associated else ()
    # EKS refuses an entry with a group of the system, which a template may have all the same
    groups = tuple(group for group in entry.groups if not group.startswith("system:"))
    return MappedPrincipal(entry.principal, "access-entry", user, groups, entry.place, policies, unknown)


def _default_user(arn: str) -> str:
    """The user name of an entry that has none of its own (https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html)."""
    parts = parse_arn(arn)
    if parts is None or parts.kind != "role":
        return arn
    return f"arn:{parts.partition}:sts::{parts.account}:assumed-role/{parts.name.rpartition('/')[2]}/{{{{SessionName}}}}"


def _of_map(auth_map: AuthMap, known: Iterable[str]) -> Iterator[MappedPrincipal]:
    """Later rows of one ARN win, so they come later; mapAccounts is for principals that no row names."""
    for arn in known if auth_map.accounts else ():
        parts = parse_arn(arn)
        if parts and parts.account in auth_map.accounts:
            plain = f"arn:{parts.partition}:iam::{parts.account}:{parts.kind}/{parts.name.rpartition('/')[2]}"
            yield MappedPrincipal(arn, "aws-auth", plain if parts.kind == "role" else arn, (), auth_map.place)
    for row in auth_map.rows:
        if row.arn and not is_unmatched(row.arn) and not is_for_nodes(row):
            yield MappedPrincipal(row.arn, "aws-auth", row.username, row.groups, row.place)


def is_for_nodes(row: AuthRow) -> bool:
    """Whether a row of aws-auth is for nodes."""
    return row.username.startswith(NODE_USER)


def fits_pattern(user: str, name: str) -> bool:
    """Whether some session of a principal with a user name that is a pattern has this name; `@` becomes `-` in all but the raw
    name of the session."""
    parts = re.split(r"\{\{(\w+)\}\}", user)
    pieces = (re.escape(part) if n % 2 == 0 else _HOLES.get(part, _ANY) for n, part in enumerate(parts))
    return len(name) <= _LONGEST and re.fullmatch("".join(pieces), name) is not None


_ANY = r"[A-Za-z0-9_+=,.@-]{1,64}"
_HOLES = {
    "SessionName": r"[A-Za-z0-9_+=,.-]{2,64}",
    "SessionNameRaw": r"[A-Za-z0-9_+=,.@-]{2,64}",
    "AccountID": r"\d{12}",
    "EC2PrivateDNSName": r"[a-z0-9.-]{1,64}",
}
"""what a placeholder of a user name stands for (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html)"""
_LONGEST = 1_000
