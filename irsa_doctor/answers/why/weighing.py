"""What somebody saw, weighed against the links: an answer of STS shows which of them held, and which did not."""

from collections.abc import Iterable, Sequence

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence.events import Event, symptoms_of
from irsa_doctor.answers.why.step import Named, Step
from irsa_doctor.answers.why.symptoms import ASSUMED, Symptom


def symptoms_of_case(case: Case) -> tuple[Symptom, ...]:
    """Everything that was seen of it: the messages that were given, and the last call in the log, where it failed."""
    last = next(iter(_relevant(case)), None)
    return (*case.evidence.symptoms, *(symptoms_of(last) if last and last.error else ()))


def _relevant(case: Case) -> Sequence[Event]:
    """The calls for the role that is asked about, the last one first; those that name none may be for it."""
    return [event for event in case.events if not case.role or event.role in ("", case.role)]


def weighed(case: Case, steps: Iterable[Step]) -> list[Step]:
    """The links with what was seen taken into account."""
    found = {step.id: step for step in steps}
    last = next(iter(_relevant(case)), None)
    if last and not last.error:
        _hold(found, ASSUMED, f"CloudTrail has a call that succeeded, at {last.time or 'an unknown time'}")
    for symptom in symptoms_of_case(case):
        _hold(found, symptom.passed, symptom.says)
        if symptom.effect == "broken" and not symptom.weak:
            _fails(found, symptom)
    return list(found.values())


def _hold(found: dict[str, Step], links: Iterable[str], says: str) -> None:
    """Links that an answer shows to have held. What the files prove to be broken stays broken, but is no certain cause any more
    of what was seen."""
    for ident in links:
        step = found[ident]
        if step.verdict in ("unknown", "skipped"):
            found[ident] = Step(ident, "pass", "what was seen shows that it held")
        elif step.verdict == "fail":
            causes = tuple(_doubted(cause) for cause in step.causes)
            because = f"{step.because}; yet what was seen shows that it held then: {says}"
            found[ident] = msgspec.structs.replace(step, because=because, causes=causes)


def _doubted(cause: Named) -> Named:
    return msgspec.structs.replace(cause, certainty="likely") if cause.certainty == "certain" else cause


def _fails(found: dict[str, Step], symptom: Symptom) -> None:
    """The link that a message says has failed; where it points at several, only if the files do not tell which."""
    if any(found[ident].verdict == "fail" for ident in symptom.links):
        return
    ident = symptom.links[0]
    step = found[ident]
    if step.verdict != "pass":
        found[ident] = msgspec.structs.replace(step, verdict="fail", because=f"the message says so: {symptom.says}")
        return
    because = f"what was given says that it holds ({step.because}), and the message that it does not: {symptom.says}"
    found[ident] = msgspec.structs.replace(step, verdict="unknown", because=because)
