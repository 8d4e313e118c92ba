"""Joins what a Terraform plan has with the configuration beside it: equal roles are one, differing ones are cases of one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from irsa_doctor.model import Role
from irsa_doctor.sources.documents.reading import DocumentReading, NamelessProvider
from irsa_doctor.sources.files.folders import folder_of

_Record = TypeVar("_Record", Role, NamelessProvider)


def join_plans(readings: Sequence[DocumentReading]) -> None:
    """Let every role and provider of a plan that its configuration has as well be reported once.

    A plan that nobody named for a configuration may be of another revision, or made up, so both are judged. A role that has an
    ARN stays by itself: the configuration does not know it, and must not get it from a plan.
    """
    plans = [reading for reading in readings if reading.plans is not None and not reading.replaces]
    written = [reading for reading in readings if reading.syntax]
    if not plans or not written:
        return
    roles = _by_address(role for reading in written for role in reading.roles)
    providers = _by_address(provider for reading in written for provider in reading.nameless_providers)
    for plan in plans:
        kept = [_as_case(role, plan, roles) for role in plan.roles]
        others = [provider for provider in plan.nameless_providers if not _is_known(provider, plan, providers)]
        plan.empty = plan.empty or None in kept or len(others) < len(plan.nameless_providers)
        plan.roles[:] = [role for role in kept if role is not None]
        plan.nameless_providers[:] = others


def _as_case(role: Role, plan: DocumentReading, roles: Mapping[str, Sequence[Role]]) -> Role | None:
    """The role as a case of that of the configuration, None where that says the same."""
    same = _of_one_module(roles.get(role.address, ()), plan) if not role.arn and not role.case else ()
    if not same:
        return role
    if any(other.policy_words and other.policy_words == role.policy_words for other in same):
        return None
    return msgspec.structs.replace(role, place=same[0].place, case=f"(as planned in {plan.path})")


def _is_known(provider: NamelessProvider, plan: DocumentReading, providers: Mapping[str, Sequence[NamelessProvider]]) -> bool:
    same = _of_one_module(providers.get(provider.address, ()), plan)
    return any(
        (other.url, other.client_ids, other.thumbprints) == (provider.url, provider.client_ids, provider.thumbprints)
        for other in same
    )


def _by_address(records: Iterable[_Record]) -> Mapping[str, Sequence[_Record]]:
    table: dict[str, list[_Record]] = {}
    for record in records:
        if record.address:
            table.setdefault(record.address, []).append(record)
    return table


def _of_one_module(records: Sequence[_Record], plan: DocumentReading) -> Sequence[_Record]:
    """Those of the folder of the plan, else all, where they are of one folder."""
    own = [record for record in records if folder_of(record.place.document) == folder_of(plan.path)]
    is_one = len({folder_of(record.place.document) for record in records}) == 1
    return own or (records if is_one else ())
