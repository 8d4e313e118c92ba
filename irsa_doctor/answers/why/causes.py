"""Names the causes of links that fail, and those that fit the messages, in the order of their certainty."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.answers.check.fetching import fetched
from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.circumstances import is_possible
from irsa_doctor.answers.why.fixes import fix_of, remedy_of
from irsa_doctor.answers.why.links import LINKS
from irsa_doctor.answers.why.links.state import LinkState, Sign, signs_of
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.answers.why.ranking import is_proof, ranked, shown_by_message
from irsa_doctor.answers.why.records import CERTAINTIES, DiagnosedCause, LinkVerdict, quoted_places
from irsa_doctor.answers.why.sessions import is_of_other_role
from irsa_doctor.answers.why.symptoms import Symptom
from irsa_doctor.rulebook.cause_block import Certainty
from irsa_doctor.rulebook.causes import Cause

_MOST_FITTING = 8
"""causes that fit the messages and are named"""
_OF_PODS = frozenset(link.id for link in LINKS if link.of_pods)


class Suspect(msgspec.Struct, frozen=True):
    """A cause with the sign that speaks for it, and how sure it is of it."""

    cause: Cause
    certainty: Certainty
    sign: Sign


def suspects(case: Case, sign: Sign) -> Iterator[Suspect]:
    """The causes that a sign speaks for: the one whose id it is, or all that list it."""
    causes = case.rulebook.causes
    if cause := causes.by_id.get(sign.id):
        yield Suspect(cause, _weaker(cause.certainty or "certain", sign.at_most), sign)
        return
    listed = sorted(causes.by_sign.get(sign.id, ()), key=lambda cause: CERTAINTIES.index(cause.signs[sign.id]))
    for number, cause in enumerate(listed):
        # the sentence of a sign is about the cause that it speaks for first
        own = sign if number == 0 else Sign(sign.id)
        yield Suspect(cause, _weaker(cause.signs[sign.id], sign.at_most), own)


def _weaker(*certainties: Certainty) -> Certainty:
    return max(certainties, key=CERTAINTIES.index)


def causes_of(
    case: Case, states: Mapping[str, LinkState], symptoms: Sequence[Symptom], proved: Mapping[str, LinkVerdict]
) -> tuple[DiagnosedCause, ...]:
    """The causes of a case: certain ones first, then those of a link that a message reports, of links that fail, of links that
    may fail, in the order of the links. `proved` are the verdicts of the files alone."""
    causes = [cause for link, state in states.items() for cause in _of_link(case, link, state)]
    for symptom in symptoms:
        causes = _with_proof(causes, tuple(_of_message(case, symptom)))
    causes += _fitting(case, causes, symptoms, proved)
    causes = causes or list(_despite_files(case, symptoms, proved))
    if _is_explained(causes, symptoms):
        causes = [cause for cause in causes if cause.certainty != "possible"]
    reported = {link for symptom in symptoms if not symptom.weak for link in symptom.links}
    failing = {link for link, state in states.items() if state.verdict == "fail"}

    def rank(cause: DiagnosedCause) -> tuple[int, bool, bool]:
        return CERTAINTIES.index(cause.certainty), cause.link not in reported, cause.link not in failing

    return tuple(sorted(causes, key=rank))


def _with_proof(causes: list[DiagnosedCause], proved: Sequence[DiagnosedCause]) -> list[DiagnosedCause]:
    """The causes with what a message proves, in the place of what is less certain of the same."""
    sure = {cause.id for cause in causes if cause.certainty == "certain"}
    added = [cause for cause in proved if cause.id not in sure]
    names = {cause.id for cause in added}
    return [*(cause for cause in causes if cause.id not in names), *added]


def _is_explained(causes: Sequence[DiagnosedCause], symptoms: Sequence[Symptom]) -> bool:
    """Whether proved causes explain every message; where there is none, whether something is proved."""
    links = {cause.link for cause in causes if cause.certainty == "certain"}
    known = {cause.id for cause in causes if cause.certainty == "certain"}
    return bool(known) and all(symptom.proves in known or links & set(symptom.links) for symptom in symptoms)


def _of_link(case: Case, link: str, state: LinkState) -> Iterator[DiagnosedCause]:
    """The causes of a link that fails, or that may; each once."""
    if state.verdict not in ("fail", "unknown"):
        return
    known: set[str] = set()
    for suspect in (suspect for sign in state.signs for suspect in suspects(case, sign)):
        if suspect.cause.id not in known:
            known.add(suspect.cause.id)
            yield _diagnosed(case, _as_pasted(suspect) if case.evidence.pasted else suspect, link)


def _as_pasted(suspect: Suspect) -> Suspect:
    """What documents in a message show: people shorten them and hide names in them, so that they prove nothing."""
    return Suspect(suspect.cause, _weaker(suspect.certainty, "likely"), suspect.sign)


def _of_message(case: Case, symptom: Symptom) -> Iterator[DiagnosedCause]:
    """The cause that a message names itself; of the session of another role its candidates are ranked."""
    other = is_of_other_role(case, symptom)
    if other and len(symptom.candidates) > 1:
        return
    if is_proof(symptom, case) and (cause := case.rulebook.causes.by_id.get(symptom.proves)):
        sign = Sign(symptom.proves, f"the message names it: {symptom.says}")
        yield _diagnosed(case, Suspect(cause, "likely" if other else "certain", sign), cause.link)


def _diagnosed(case: Case, suspect: Suspect, link: str) -> DiagnosedCause:
    cause, sign, finding = _in_words_of(case, suspect.cause), suspect.sign, suspect.sign.finding
    places = (*sign.places, *(finding.locations if finding else ()))
    fix = fix_of(case, cause, link, finding, suspect.certainty)
    return DiagnosedCause(
        id=cause.id,
        certainty=suspect.certainty,
        because=sign.because or cause.title,
        remedy=remedy_of(case, cause, finding),
        settle="" if suspect.certainty == "certain" else fetched(fill_command(cause.settle, case))[0],
        url=(finding.url if finding else "") or cause.url,
        commands=fix.commands if fix else (),
        title=cause.title,
        link=link,
        evidence=tuple(dict.fromkeys(quoted_places(places))),
        fix=fix,
    )


def _in_words_of(case: Case, cause: Cause) -> Cause:
    return cause if case.is_of_cluster else cause.for_runs


# ---- causes that fit the messages


def _fitting(
    case: Case, causes: Sequence[DiagnosedCause], symptoms: Sequence[Symptom], proved: Mapping[str, LinkVerdict]
) -> Iterator[DiagnosedCause]:
    """Causes that fit a message and that nothing in the input rules out; none where what is proved explains it."""
    known = {cause.id for cause in causes}
    explained = {cause.link for cause in causes if cause.certainty == "certain"}
    likely = any(cause.certainty != "possible" for cause in causes)
    number, known_causes = 0, case.rulebook.causes.by_id
    for symptom in symptoms:
        if explained & set(symptom.links) or (len(symptom.candidates) == 1 and symptom.proves and is_proof(symptom, case)):
            continue
        found = _of_unexamined(case, symptom, proved)
        for cause in (known_causes[ident] for ident in (*found, *ranked(symptom, case, proved)) if ident in known_causes):
            shown = cause.id in found or cause.id in shown_by_message(symptom)
            if cause.id in known or number >= _MOST_FITTING or (not shown and _is_ruled_out(case, cause, proved)):
                continue
            known.add(cause.id)
            sign = found.get(cause.id, Sign(cause.id))
            yield _diagnosed(case, Suspect(cause, "possible" if likely or number else "likely", sign), cause.link)
            number += 1


def _of_unexamined(case: Case, symptom: Symptom, proved: Mapping[str, LinkVerdict]) -> Mapping[str, Sign]:
    """What is wrong by the rules on the links of a message that cannot be examined: the issuer or the subject is not known."""
    links = (link for link in symptom.links if proved.get(link) in ("unknown", "skipped"))
    return {sign.id: sign for link in links for sign in signs_of(case.findings.on_link(link))}


def _despite_files(case: Case, symptoms: Sequence[Symptom], proved: Mapping[str, LinkVerdict]) -> Iterator[DiagnosedCause]:
    """The likeliest cause of a message where the files rule out each that fits: the files may be of another time."""
    for symptom in symptoms:
        ident = next(iter(ranked(symptom, case, proved)), "")
        if symptom.effect == "broken" and (cause := case.rulebook.causes.by_id.get(ident)) and is_possible(cause, case):
            yield _diagnosed(case, Suspect(cause, "possible", Sign(cause.id)), cause.link)
            return


def _is_ruled_out(case: Case, cause: Cause, proved: Mapping[str, LinkVerdict]) -> bool:
    """By its link, which the files show to hold or a run does not pass, by its rule, or by what is known of the case."""
    holds = proved.get(cause.link) == "pass" and not cause.transient
    is_of_pods = not case.is_of_cluster and cause.link in _OF_PODS
    return holds or is_of_pods or cause.id in case.findings.ruled_out or not is_possible(cause, case)
