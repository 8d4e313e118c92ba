"""Weighs evidence against the links: an answer of STS shows which of them held, and which did not."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence.events import StsCall, symptoms_of
from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.answers.why.links.state import LinkState, at_most, passed, undecided
from irsa_doctor.answers.why.sessions import is_of_other_role
from irsa_doctor.answers.why.symptoms import Symptom
from irsa_doctor.rulebook.cause_block import Certainty

_IDS = tuple(link.id for link in LINKS)
_OF_SESSION = _IDS[_IDS.index("sdk") : _IDS.index("session") + 1]
"""the links that a request has passed which was answered with a session"""
_OF_POD = ("webhook", "token-volume", "token-file")
"""the links in the pod that a token has passed which came to STS"""
_ANSWERED = "sts-endpoint"


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
        _hold(result, _held_by(case, symptom), symptom.says, "possible")
        _hold_pod(result, case, symptom)
        if symptom.effect == "broken" and not symptom.weak:
            _break(result, symptom)
    return result


def _held_by(case: Case, symptom: Symptom) -> tuple[str, ...]:
    """The links that a message shows to have held: none where its session is of another role than that of the case."""
    return () if is_of_other_role(case, symptom) else symptom.passed


def _hold_pod(states: dict[str, LinkState], case: Case, symptom: Symptom) -> None:
    """An answer of STS or of the agent shows that a pod has an identity: whatever its manifests are now, it got a token, and
    a role with it, from the webhook, by hand, or from EKS Pod Identity. Which service account it was of is not known."""
    if case.absent or not case.is_of_cluster or not (_ANSWERED in symptom.passed or "pod-identity" in symptom.links):
        return
    state = states["service-account"]
    if state.verdict == "fail" and case.account is not None and not case.role:
        because = f"{state.because}; but the evidence shows that a pod has a role: {symptom.says}"
        states["service-account"] = undecided(because, settle=state.settle)
    if "session" not in symptom.details and _ANSWERED in symptom.passed:
        _hold(states, _OF_POD, symptom.says, "possible")


def _hold(states: dict[str, LinkState], links: Iterable[str], says: str, at: Certainty = "likely") -> None:
    """Links that held by an answer of STS. What the files prove to be broken stays broken, but is not certain any more."""
    for ident in links:
        state = states[ident]
        if state.verdict in ("unknown", "skipped"):
            states[ident] = passed("the evidence shows that it held")
        elif state.verdict == "fail":
            because = f"{state.because}; but the evidence shows that it held at that time: {says}"
            signs = tuple(at_most(at, sign) for sign in state.signs)
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
