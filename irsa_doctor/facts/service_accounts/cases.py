"""What holds of a service account and a role that its template makes in one of several cases."""

from collections.abc import Sequence
from typing import TypeVar

from irsa_doctor.facts.roles.role import AnalysedRole
from irsa_doctor.model import ServiceAccount, Unknown

_LETS_IN, _EXPLAINED = "admits", "explained"
Answer = TypeVar("Answer")
"""how a role is related to an account in one case"""


def fails(answer: object) -> bool:
    """Whether a relation is known, and keeps the account from the role."""
    return not (answer is None or isinstance(answer, Unknown) or answer in (_LETS_IN, _EXPLAINED))


def over_cases(
    account: ServiceAccount, answers: Sequence[tuple[Answer | Unknown, AnalysedRole]]
) -> tuple[Answer | Unknown | None, AnalysedRole | None]:
    """Return how a role is related to an account in all cases of its template, and one case that shows it; nothing without a
    role. Where only some cases deny the account the relation is unknown, and what is missing names those."""
    if len(answers) == 1:
        return answers[0]
    failing = [(answer, case) for answer, case in answers if fails(answer)]
    others = [(answer, case) for answer, case in answers if isinstance(answer, Unknown) or answer == _LETS_IN]
    if not failing:
        return next(iter([pair for pair in others if isinstance(pair[0], Unknown)] or answers), (None, None))
    if not others:
        return failing[0]
    where = "; or ".join(case.role.case.removeprefix("(").removesuffix(")") for _, case in failing)
    first = failing[0][1]
    who = f"{account.namespace}/{account.name}"
    return Unknown(f"which case of {first.role.name} holds: it does not admit {who} where {where}"), first
