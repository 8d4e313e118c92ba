"""Weighs evidence against the links: an answer of STS shows which of them held, and which did not."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence.events import StsCall, symptoms_of
from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.answers.why.links.state import LinkState, at_most_likely, passed
from irsa_doctor.answers.why.symptoms import Symptom

_IDS = tuple(link.id for link in LINKS)
_OF_SESSION = _IDS[_IDS.index("sdk") : _IDS.index("session") + 1]
"""the links that a request has passed which was answered with a session"""


def symptoms_of_case(case: Case) -> tuple[Symptom, ...]:
    """The messages of the input, and that of the last call in CloudTrail, where it failed."""
    last = next(iter(_calls(case)), None)
    return (*case.evidence.symptoms, *(symptoms_of(last) if last and last.error else ()))


def _calls(case: Case) -> Sequence[StsCall]:
    """The calls for the role of the case, the last one first; those that name no role may be for it."""
    return [call for call in case.calls if not case.role or call.role in ("", case.role)]


def weighed(case: Case, states: Mapping[str, LinkState]) -> dict[str, LinkState]:
    """The states of the links with the evidence taken into account."""
    result = dict(states)
    last = next(iter(_calls(case)), None)
    if last and not last.error:
        _hold(result, _OF_SESSION, f"CloudTrail has a call that succeeded, at {last.time or 'an unknown time'}")
    for symptom in symptoms_of_case(case):
        _hold(result, symptom.passed, symptom.says)
        if symptom.effect == "broken" and not symptom.weak:
            _break(result, symptom)
    return result


def _hold(states: dict[str, LinkState], links: Iterable[str], says: str) -> None:
    """Links that held by an answer of STS. What the files prove to be broken stays broken, but is not certain any more."""
    for ident in links:
        state = states[ident]
        if state.verdict in ("unknown", "skipped"):
            states[ident] = passed("the evidence shows that it held")
        elif state.verdict == "fail":
            because = f"{state.because}; but the evidence shows that it held at that time: {says}"
            signs = tuple(map(at_most_likely, state.signs))
            states[ident] = msgspec.structs.replace(state, because=because, signs=signs)


def _break(states: dict[str, LinkState], symptom: Symptom) -> None:
    """The link that a message reports as broken; where it may be several, only if the files do not show which."""
    if any(states[ident].verdict == "fail" for ident in symptom.links):
        return
    ident = symptom.links[0]
    state = states[ident]
    if state.verdict != "pass":
        states[ident] = msgspec.structs.replace(state, verdict="fail", because=f"the message reports it: {symptom.says}")
        return
    because = f"by the files it holds ({state.because}), by the message it does not: {symptom.says}"
    states[ident] = msgspec.structs.replace(state, verdict="unknown", because=because)
