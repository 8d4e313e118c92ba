"""Ranks the causes that a message fits."""

from collections.abc import Callable, Iterator, Mapping

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.circumstances import CIRCUMSTANCES
from irsa_doctor.answers.why.sessions import is_of_other_role
from irsa_doctor.answers.why.symptoms import Symptom
from irsa_doctor.model import text_of
from irsa_doctor.rulebook.messages import Candidate, MessageCondition


def _name_of_association(case: Case) -> str:
    """The role that the workload gets by its association: the target role, where it has one."""
    association = case.association
    return text_of(association.target_role_arn or association.role_arn).rpartition("/")[2] if association else ""


DETAILS: Mapping[str, Callable[[Case], str]] = {
    "issuer": lambda case: case.token.issuer if case.token else case.cluster_issuer,
    "role": lambda case: case.role_name or _name_of_association(case),
}
"""what a case has for a detail of a message"""


def ranked(symptom: Symptom, case: Case, verdicts: Mapping[str, str]) -> tuple[str, ...]:
    """The causes that a message fits, the likeliest in this case first; `verdicts` are those of the links by the files."""
    left = [c for c in symptom.candidates if not (c.unless and _holds(c.unless, symptom, case, verdicts))]
    first = [c for c in left if c.first and _holds(c.first, symptom, case, verdicts)]
    return _ids(first, left)


def ranked_alone(symptom: Symptom) -> tuple[str, ...]:
    """The causes that a message fits, the likeliest first, by what stands in the message itself."""
    left = [c for c in symptom.candidates if not (c.unless and symptom.meets(c.unless))]
    return _ids([c for c in left if c.first and symptom.meets(c.first)], left)


def shown_by_message(symptom: Symptom) -> frozenset[str]:
    """The causes that come first by what stands in the message itself: what it shows, no manifest rules out."""
    first = (c for c in symptom.candidates if c.first and c.first.details and symptom.meets(c.first))
    return frozenset(candidate.id for candidate in first)


def is_proof(symptom: Symptom, case: Case) -> bool:
    """Whether a message proves the cause that it names in this case; some do only where the case is known."""
    return symptom.proves_where is None or _holds(symptom.proves_where, symptom, case, {})


def _ids(first: list[Candidate], left: list[Candidate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(candidate.id for candidate in (*first, *left)))


def _holds(condition: MessageCondition, symptom: Symptom, case: Case, verdicts: Mapping[str, str]) -> bool:
    return all(_parts(condition, symptom, case, verdicts))


def _parts(condition: MessageCondition, symptom: Symptom, case: Case, verdicts: Mapping[str, str]) -> Iterator[bool]:
    yield from (symptom.matches(name, pattern) for name, pattern in condition.details.items())
    if condition.differs:
        seen, known = _details(condition.differs, symptom, case)
        yield bool(seen and known and seen != known)
    if condition.same:
        seen, known = _details(condition.same, symptom, case)
        yield bool(seen) and seen == known
        yield condition.same != "role" or not is_of_other_role(case, symptom)
    if condition.holds:
        yield verdicts.get(condition.holds) == "pass"
    if condition.circumstance:
        yield CIRCUMSTANCES[condition.circumstance](case)


def _details(name: str, symptom: Symptom, case: Case) -> tuple[str, str]:
    """What a message and a case have under a name."""
    return symptom.details.get(name, ""), DETAILS[name](case)
