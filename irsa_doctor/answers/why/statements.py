"""Which check of which statement keeps one token out, and the cause that this is."""

import msgspec

from irsa_doctor.facts import View
from irsa_doctor.facts.grants.exclusion import Exclusion, Presented, exclusions
from irsa_doctor.rulebook.causes import causes_of_sign
from irsa_doctor.trust import Policy
from irsa_doctor.trust.defects import DefectKind
from irsa_doctor.trust.keys import request_kind
from irsa_doctor.trust.refusals import Steps

__all__ = ["Miss", "Presented", "cause_of_key", "misses"]


class Miss(msgspec.Struct, frozen=True):
    """One check that fails: the cause, what is compared with what, where in the policy (statement by index)."""

    id: str
    says: str
    statement: int
    steps: Steps


def misses(policy: Policy, token: Presented, view: View) -> tuple[Miss, ...]:
    """Why a policy does not admit a token: the failing checks of the nearest Allow statement, and the Deny that matches."""
    return tuple(map(_miss, exclusions(policy, token, view)))


def _miss(exclusion: Exclusion) -> Miss:
    return Miss(_cause(exclusion.kind), exclusion.says, exclusion.statement, exclusion.defect.places[0])


def _cause(kind: DefectKind) -> str:
    return causes_of_sign(kind)[0].id


def cause_of_key(key: str) -> str:
    """The cause to think of where a verdict depends on a key of the request, "" where there is none."""
    kind = request_kind(key.lower())
    return "" if kind == "request-other" else _cause(kind)
