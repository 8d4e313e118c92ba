"""The IAM principals that EKS maps to users of a cluster: by access entries and by the ConfigMap aws-auth."""

import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from irsa_doctor.model import Cluster, Place, parse_arn
from irsa_doctor.model.access import AccessEntry, AssociatedAccess, AssociatedPolicy, AuthMap, AuthRow

MappedBy = Literal["access-entry", "aws-auth", "creator"]
MASTERS = "system:masters"
NODE_USER = "system:node:"
_PATTERN = "{{"
_RESERVED = ("system:", "eks:", "aws:", "amazon:", "iam:")
"""how user names of access entries must not begin (https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html)"""
_DIGITS = 12


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
    def plain_groups(self) -> tuple[str, ...]:
        """The groups, without those that are patterns: aws-auth fills in placeholders in groups too
        (pkg/server/server.go of the AWS IAM Authenticator)."""
        return tuple(group for group in self.groups if _PATTERN not in group)

    @property
    def patterns(self) -> tuple[tuple[Literal["User", "Group"], str], ...]:
        """The user name and the groups that are patterns."""
        groups: list[tuple[Literal["User", "Group"], str]] = [("Group", group) for group in self.groups if _PATTERN in group]
        return (("User", self.user), *groups) if _PATTERN in self.user else tuple(groups)

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
    if has_placeholder(arn):
        return False
    if parts is None or parts.service != "iam" or len(parts.account) != _DIGITS or any(mark in arn for mark in "*?"):
        return True
    if parts.kind in ("role", "user") and not parts.name:
        return True
    return has_path(arn) or parts.kind not in ("role", "user", "root")


def is_undecided(row: AuthRow) -> bool:
    """Whether it is not documented if a row of aws-auth counts on EKS: newer authenticators know permission sets and wildcards
    (https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/README.md)."""
    return (row.is_sso and not row.arn) or any(mark in row.arn for mark in "*?")


def rows_without_effect(auth_map: AuthMap) -> Iterator[tuple[str, str, Place]]:
    """(row, why it counts for nobody, its place), but for rows whose role ARN has a path, and those that are undecided."""
    last = {row.arn.lower(): row for row in auth_map.rows}
    for row in auth_map.rows:
        why = "" if is_undecided(row) or has_path(row.arn) else _why_unmatched(row)
        if not why and row.arn and (winner := last[row.arn.lower()]) is not row:
            why = f"{winner.list}[{winner.index}] has the same ARN, and the last row of an ARN wins"
        if why:
            yield f"{row.list}[{row.index}]", why, row.place
    for number, account in enumerate(auth_map.accounts):
        if not (len(account) == _DIGITS and account.isdecimal()) and not has_placeholder(account):
            why = f"{account} is not an account number of 12 digits; a number without quotes loses its leading zeros"
            yield f"mapAccounts[{number}]", why, auth_map.place


def _why_unmatched(row: AuthRow) -> str:
    """Why no caller has the ARN of a row, "" where one may have it."""
    if not row.arn:
        return "it has no ARN"
    if not is_unmatched(row.arn):
        return ""
    parts = parse_arn(row.arn)
    if parts is not None and parts.kind == "group":
        return f"{row.arn} is an IAM group, which no caller is"
    if parts is not None and parts.service == "sts":
        return f"{row.arn} is a session, and the authenticator compares the ARN of its role"
    return f"{row.arn} is not the ARN of a role or user"


def has_placeholder(text: str) -> bool:
    """Whether a part of a text is known only when a template is applied."""
    return "${" in text


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
        for auth_map in maps:
            mapped.update((identity_of(item.arn), item) for item in _of_map(auth_map, known))
        if cluster and cluster.creator and mode == "CONFIG_MAP":
            # a row of the map takes nothing from the creator (https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html)
            mapped[identity_of(cluster.creator)] = MappedPrincipal(
                cluster.creator, "creator", "kubernetes-admin", (MASTERS,), cluster.place
            )
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
    # EKS refuses an entry with a name or group of the system, which a template may have all the same
    is_refused = entry.username.startswith(_RESERVED)
    user = _default_user(entry.principal) if is_refused or not entry.username else entry.username
    policies = associated.policies if associated else ()
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


def fits_pattern(pattern: str, name: str) -> bool:
    """Whether some session of a principal with a user or group name that is a pattern has this name; `@` becomes `-` in all but
    the raw name of the session.

    The places at which the parts read so far may end are followed all at once: hostile patterns cost no more than others.
    """
    if len(pattern) > _LONGEST or len(name) > _LONGEST:
        return False
    ends = {0}
    for number, part in enumerate(_PLACEHOLDER.split(pattern)):
        if number % 2 == 0:
            ends = {end + len(part) for end in ends if name.startswith(part, end)}
        else:
            letters, least, most = _PLACEHOLDERS.get(part, _ANY)
            ends = set(_after(name, ends, letters, least, most))
    return len(name) in ends


def _after(name: str, starts: Iterable[int], letters: frozenset[str], least: int, most: int) -> Iterator[int]:
    """Where a placeholder may end that begins at one of some places."""
    for start in starts:
        end = start
        while end < len(name) and end - start < most and name[end] in letters:
            end += 1
            if end - start >= least:
                yield end


_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_PLAIN = string.ascii_letters + string.digits + "_+=,.-"
_ANY = (frozenset(_PLAIN + "@"), 1, 64)
_PLACEHOLDERS: Mapping[str, tuple[frozenset[str], int, int]] = {
    "SessionName": (frozenset(_PLAIN), 2, 64),
    "SessionNameRaw": (frozenset(_PLAIN + "@"), 2, 64),
    "AccountID": (frozenset(string.digits), 12, 12),
    "EC2PrivateDNSName": (frozenset(string.ascii_lowercase + string.digits + ".-"), 1, 64),
}
"""what a placeholder of a user name stands for (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html)"""
_LONGEST = 1_000
