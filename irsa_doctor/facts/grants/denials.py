"""What Deny statements leave of a grant."""

from typing import TypeVar

import msgspec

from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.model import Unknown
from irsa_doctor.trust.languages import Finite

Facts = TypeVar("Facts", bound=msgspec.Struct)


def without_reach(facts: Facts, unseen: Unknown) -> Facts:
    """The facts of a grant, unknown whatever says how far it is open."""
    opening = (name for name in ("for_all_values", "if_exists", "outsider") if getattr(facts, name) is True)
    names = ("reach_by", "ring", "width", "reach", "reach_inside", *opening)
    return msgspec.structs.replace(facts, **dict.fromkeys(names, unseen))


def names_each(read: GrantReading, scope: str | None) -> bool:
    """Whether a scope is that of subjects which the policy names one by one."""
    return scope in ("nobody", "one") or (scope == "several" and isinstance(read.subjects, Finite))


def is_held_by_deny(read: GrantReading) -> bool:
    """Whether a statement is wider than named subjects, and only a Deny statement of its policy leaves no more of it."""
    if read.share is None or read.share.too_complex:
        return False
    return names_each(read, read.reach.scope) and read.reach_before_deny.scope not in ("nobody", "one", "several")
