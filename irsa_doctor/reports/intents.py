"""The answers of `verify` and `infer`, as text, as JSON, and as findings for the formats that show lines of a change."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from irsa_doctor.answers.intents.inference import Inference, Question
from irsa_doctor.answers.intents.verification import MISSING, IntentDifference, Verification
from irsa_doctor.model.findings import Counts, Finding, Location, Missing, Report
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import wrapped
from irsa_doctor.reports.json import ToolRecord, json_text, tool
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style
from irsa_doctor.reports.ways import way_lines
from irsa_doctor.version import __version__

_COLOURS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36"}
_FAINT, _UNKNOWN, _GOOD = "2", "1;35", "32"
_TITLES = {
    "wider": "A role admits more than is meant",
    "narrower": "A role does not admit everybody who is meant",
    f"role-{MISSING}": "A role is missing",
    "audience": "A role admits tokens for other audiences",
    "role-extra": "A role that is not in the intent",
    "provider-missing": "An OIDC provider is missing",
    "provider-audience": "An OIDC provider lacks an audience",
    "annotation-missing": "A service account names no role",
    "annotation-wrong": "A service account names another role",
    "annotation-extra": "A service account names a role that is not meant for it",
    f"service-account-{MISSING}": "A service account is missing",
    "association-missing": "A Pod Identity association is missing",
    "association-wrong": "A Pod Identity association hands out another role",
    "association-extra": "A Pod Identity association that is not in the intent",
}


class VerifySummary(msgspec.Struct, frozen=True):
    """How many roles are meant, how many admit exactly whom they should, and the differences by kind."""

    roles: int
    same: int
    differences: Mapping[str, int]


class VerifyDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor verify -f json`."""

    schema: str
    tool: ToolRecord
    summary: VerifySummary
    differences: Sequence[IntentDifference]
    unknown: Sequence[Missing]


class InferDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor infer -f json`."""

    schema: str
    tool: ToolRecord
    intent: Mapping[str, Any]
    questions: Sequence[Question]
    unnamed: Annotated[tuple[str, ...], Meta(description="roles that are left out because the input does not say their ARN")]


def render_verification_json(answer: Verification, style: Style) -> str:
    """Returns the document; it does not depend on the style."""
    kinds = Counter(difference.kind for difference in answer.differences)
    summary = VerifySummary(answer.roles, answer.same, dict(sorted(kinds.items())))
    return json_text(VerifyDocument("irsa-doctor.verify/1", tool(), summary, answer.differences, answer.unknown))


def render_verification_text(answer: Verification, style: Style) -> str:
    """Returns every difference with its place and what to do, then what is not known, then the totals."""
    lines: list[str] = []
    for difference in answer.differences:
        mark = style.paint(difference.severity, _COLOURS[difference.severity])
        lines.append(f"{mark} {style.paint(difference.kind, _FAINT)}")
        lines += [f"  {line}" for line in wrapped(for_terminal(difference.says), style.width - 2)]
        places = [f"  {for_terminal(from_here(place.file))}{_line(place)}" for place in difference.locations]
        lines += [style.paint(place, _FAINT) for place in places]
        lines += [*[f"  {line}" for line in wrapped(for_terminal(difference.remedy), style.width - 2)], ""]
    for missing in answer.unknown:
        first, *more = wrapped(for_terminal(missing.missing), style.width - len("unknown  "))
        lines += [f"{style.paint('unknown', _UNKNOWN)} {first}", *[f"  {line}" for line in more]]
        lines += [*way_lines(missing.how, missing.addition, style, "verify"), ""]
    lines += wrapped(_totals(answer), style.width)
    if not answer.differences and not answer.unknown:
        lines = [style.paint(line, _GOOD) for line in lines]
    return "\n".join(lines) + "\n"


def _line(place: Location) -> str:
    return f":{place.line}" if place.line else ""


def _totals(answer: Verification) -> str:
    same = f"{answer.same} of {counted(answer.roles, 'role')} admit exactly whom the intent means"
    if not answer.differences and not answer.unknown:
        return f"The estate is what the intent says: {same}."
    rest = f"{counted(len(answer.differences), 'difference')}, {counted(len(answer.unknown), 'input')} missing"
    return f"{same}; {rest}."


def findings_of(answer: Verification) -> Report:
    """Returns the differences as findings, for code scanning and workflow commands."""
    return Report(
        version=__version__,
        rules_digest="",
        counts=Counts(0, 0, 0, 0, 0, 0, 0),
        findings=tuple([_finding(difference) for difference in answer.differences]),
        unknown=answer.unknown,
        tallies=(),
        waived=(),
        documents=(),
    )


def _finding(difference: IntentDifference) -> Finding:
    ident = f"intent-{difference.kind}"
    mark = hashlib.sha256("\0".join((ident, difference.subject.kind, difference.subject.id)).encode(errors="replace"))
    return Finding(
        rule=ident,
        severity=difference.severity,
        confidence="high",
        title=_TITLES[difference.kind],
        message=difference.says,
        subject=difference.subject,
        locations=difference.locations or (Location("-", 0, 0, "", "not in the input", True),),
        remedy=difference.remedy,
        controls={},
        url="",
        fingerprint=mark.hexdigest()[:32],
        group=difference.subject.id,
    )


def render_inference_json(answer: Inference) -> str:
    """Returns the document."""
    return json_text(InferDocument("irsa-doctor.infer/1", tool(), answer.intent, answer.questions, answer.unnamed))


def render_inference_text(answer: Inference) -> str:
    """Returns the text of the intent file."""
    return answer.text
