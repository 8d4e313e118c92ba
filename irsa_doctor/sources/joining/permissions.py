"""Gives roles the permission policies that were answered under the name of a role alone."""

from collections.abc import Iterable, Iterator

import msgspec

from irsa_doctor.model import Role, RolePermissions, TrustPolicy
from irsa_doctor.sources.documents.reading import DocumentReading

OTHERS = "its other policies"
_NOTHING_READ = RolePermissions(policies=(), unread=(OTHERS,))


def with_role_policies(roles: Iterable[Role], readings: Iterable[DocumentReading]) -> Iterator[Role]:
    """The roles with the answers of GetRolePolicy, which name neither the account nor the other policies of a role: they belong
    to the only role of their name, and leave it open what else it has."""
    listed = list(roles)
    policies: dict[str, list[TrustPolicy]] = {}
    for reading in readings:
        for answer in reading.role_policies:
            policies.setdefault(answer.role, []).append(answer.policy)
    if not policies:
        yield from listed
        return
    named: dict[str, set[str]] = {}
    for role in listed:
        named.setdefault(role.name, set()).add(role.id)
    for role in listed:
        more = policies.get(role.name, ())
        yield _with(role, more) if more and len(named[role.name]) == 1 else role


def _with(role: Role, more: Iterable[TrustPolicy]) -> Role:
    known = role.permissions or _NOTHING_READ
    permissions = msgspec.structs.replace(known, policies=(*known.policies, *more))
    return msgspec.structs.replace(role, permissions=permissions)
