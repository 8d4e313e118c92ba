"""Why a credential fails: the answer first, then the way that it travels, link by link."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.answers.why import DiagnosedCause, DiagnosedLink, Diagnosis, MistakenRemedy, PredictedError, WorkloadIdentity
from irsa_doctor.answers.why.records import Certainty, QuotedPlace
from irsa_doctor.model.findings import Fix, Location, Snippet
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, on_one_line, without_middle, wrapped
from irsa_doctor.reports.fixes import pasted, snippets_of
from irsa_doctor.reports.json import Tool, tool, written
from irsa_doctor.reports.quoting import pointed, quoted, said_of
from irsa_doctor.reports.style import Style

_MARKS = {"pass": ("ok", "32"), "fail": ("FAIL", "1;31"), "unknown": ("?", "35"), "skipped": ("-", "2")}
_VERDICTS = {"works": ("works", "32"), "broken": ("broken", "1;31"), "unknown": ("cannot be told", "35")}
_COMMANDS = ("kubectl ", "aws ", "curl ", "nslookup ", "irsa-doctor ")
_STRONG, _FAINT, _GOOD, _OPEN = "1", "2", "32", "35"
_HANG = " " * 5
"""under the mark of a link"""
_RESTARTS = ("kubectl rollout restart ", "kubectl delete pod ")
_ANEW = ("Restart", "Recreate")
"""how a remedy begins that is just that"""
_PLACES = 4
"""places of a failing link that are quoted"""


class CauseRecord(msgspec.Struct, frozen=True):
    """A cause as it is written. `commands` and `snippets` repeat what `fix` holds."""

    id: str
    certainty: Certainty
    because: str
    remedy: str
    settle: str
    url: str
    commands: tuple[str, ...]
    title: str
    link: str
    evidence: tuple[QuotedPlace, ...]
    snippets: tuple[Snippet, ...]
    fix: Fix | None


class WhyDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor why -f json`."""

    schema: str
    tool: Tool
    subject: WorkloadIdentity
    role: str
    verdict: str
    links: Sequence[DiagnosedLink]
    causes: Sequence[CauseRecord]
    predicted_error: PredictedError | None
    notes: Sequence[str]
    roles: Sequence[str]
    wrong_fixes: Sequence[MistakenRemedy]
    claims: Mapping[str, Any]


class WhyAllDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor why --all -f json`."""

    schema: str
    tool: Tool
    subjects: Sequence[WhyDocument]


def render_why_json(diagnosis: Diagnosis) -> str:
    """The document `irsa-doctor.why/1`."""
    return written(_document(diagnosis))


def _document(diagnosis: Diagnosis) -> WhyDocument:
    said = {name: getattr(diagnosis, name) for name in WhyDocument.__struct_fields__ if name not in ("schema", "tool")}
    said["causes"] = list(map(_cause_record, diagnosis.causes))
    return WhyDocument("irsa-doctor.why/1", tool(), **said)


def _cause_record(cause: DiagnosedCause) -> CauseRecord:
    policy = tuple(snippet for snippet in snippets_of(cause.fix) if snippet.language == "json")
    said = {name: getattr(cause, name) for name in CauseRecord.__struct_fields__ if name != "snippets"}
    return CauseRecord(**said, snippets=policy)


def render_all_json(found: Sequence[Diagnosis]) -> str:
    """The document of `--all`."""
    return written(WhyAllDocument("irsa-doctor.why-all/1", tool(), list(map(_document, found))))


def render_why(diagnosis: Diagnosis, style: Style) -> str:
    """The verdict with its cause, the command that mends it, the links, and what else there is to say."""
    lines = [*_answer(diagnosis, style), ""]
    alike = _alike(diagnosis.links)
    for link in diagnosis.links:
        lines += _link(link, diagnosis.quotes.get(link.id, ()), style) if link not in alike else ()
    if alike:
        lines += _unlooked(alike, style)
    lines += _more(diagnosis.causes, style)
    lines += _wrong_fixes(diagnosis.wrong_fixes, style)
    if diagnosis.roles:
        lines += ["", "No role is named. These admit this service account:"]
        lines += [f"  {for_terminal(role)}" for role in diagnosis.roles]
    if diagnosis.claims:
        lines += ["", *_claims(diagnosis.claims, style)]
    for note in diagnosis.notes:
        lines += ["", *_prose(note, style)]
    return "\n".join(lines) + "\n"


def _who(subject: WorkloadIdentity) -> str:
    name = (
        f"{subject.namespace}/{subject.service_account}" if subject.service_account else subject.namespace or "the credential"
    )
    return for_terminal(f"{subject.workload} of {name}" if subject.workload else name)


def _answer(diagnosis: Diagnosis, style: Style) -> Iterator[str]:
    word, colour = _VERDICTS[diagnosis.verdict]
    first = diagnosis.causes[0] if diagnosis.causes else None
    head = f"{_who(diagnosis.subject)} {'is ' if diagnosis.verdict == 'broken' else ''}{word}"
    if first is None:
        yield from (style.paint(line, colour) for line in wrapped(head, style.width))
    else:
        yield from _headline(head, first, colour, style)
        yield from () if _is_afterwards(first) else _runs(first, style, "  ")
        yield from _prose(first.because, style, "  ") if first.because != first.title else ()
        yield from _mending(first, style, "  ")
        yield from _runs(first, style, "  ", "then run") if _is_afterwards(first) else ()
    if error := diagnosis.predicted_error:
        says = f": {error.message}" if error.message else ""
        yield from _prose(f"STS answers {error.http_status} {error.code}{says}", style, "  ")


def _headline(head: str, cause: DiagnosedCause, colour: str, style: Style) -> Iterator[str]:
    """The verdict and its cause in words, then by name."""
    painted, *more = wrapped(_said(f"{head}: {cause.title or cause.id} ({cause.id}, {cause.certainty})"), style.width)
    shown = for_terminal(head)
    yield style.paint(shown, colour) + painted[len(shown) :] if painted.startswith(shown) else painted
    yield from (f"  {line}" for line in more)


def _is_afterwards(cause: DiagnosedCause) -> bool:
    """Whether its commands only make pods anew, and something else has to be mended before."""
    return all(command.startswith(_RESTARTS) for command in cause.commands) and not cause.remedy.startswith(_ANEW)


def _runs(cause: DiagnosedCause, style: Style, indent: str, label: str = "run") -> Iterator[str]:
    """The commands that mend it, to be copied whole."""
    saves = 1 if cause.fix and cause.fix.policy is not None and cause.fix.commands else 0
    for command in cause.commands[saves:] if cause.certainty != "possible" else ():
        yield f"{indent}{style.paint(label, _GOOD)} {for_terminal(command)}"


def _settling(command: str, style: Style, indent: str) -> Iterator[str]:
    """What would tell; a command is not broken, so that it can be copied."""
    if command.startswith(_COMMANDS):
        yield f"{indent}{style.paint('to tell:', _OPEN)} {for_terminal(command)}"
    else:
        yield from _prose(command, style, indent, "to tell:", _OPEN)


def _mending(cause: DiagnosedCause, style: Style, indent: str, shown: Fix | None = None) -> Iterator[str]:
    """How a cause is mended, or settled; `shown` was shown already."""
    if cause.certainty != "possible":
        if cause.remedy:
            yield from _prose(cause.remedy, style, indent, "fix", _GOOD)
        if cause.fix and cause.fix.policy is not None and cause.fix != shown:
            snippet = pasted(cause.fix)[0]
            yield from _prose(f"{snippet.title}:", style, indent)
            yield from (f"{indent}    {for_terminal(line)}" for line in snippet.text.splitlines())
    if cause.settle:
        yield from _settling(cause.settle, style, indent)


def _alike(links: Sequence[DiagnosedLink]) -> list[DiagnosedLink]:
    """Links that nobody could look at, all for one reason: where they are most of them, they are told in one line."""
    reason, number = (
        Counter(link.because for link in links if link.verdict == "skipped").most_common(1)[0] if links else ("", 0)
    )
    return [link for link in links if link.verdict == "skipped" and link.because == reason] if number > len(links) // 2 else []


def _unlooked(links: Sequence[DiagnosedLink], style: Style) -> Iterator[str]:
    said = _said(f"the other {len(links)} links are not looked at: {links[0].because}")
    first, *more = wrapped(said, style.width - len(_HANG))
    yield style.paint(f"-    {first}", _FAINT)
    yield from (style.paint(f"{_HANG}{line}", _FAINT) for line in more)


def _link(link: DiagnosedLink, places: Sequence[Location], style: Style) -> Iterator[str]:
    mark, colour = _MARKS[link.verdict]
    said = _said(f"{link.title}: {link.because}" if link.because else link.title)
    first, *more = wrapped(said, style.width - len(_HANG))
    if link.verdict == "skipped":
        yield style.paint(f"{mark:<4} {first}", _FAINT)
        yield from (style.paint(f"{_HANG}{line}", _FAINT) for line in more)
        return
    yield f"{style.paint(f'{mark:<4}', colour)} {first}"
    yield from (f"{_HANG}{line}" for line in more)
    for place in _pointed_at(places, link.because)[:_PLACES] if link.verdict == "fail" else ():
        show = quoted if place.source else pointed
        yield from show(place, style, _HANG, "" if place.says == link.because else said_of(place))
    if link.settle and link.verdict == "unknown":
        yield from _settling(link.settle, style, _HANG)


def _pointed_at(places: Sequence[Location], because: str) -> list[Location]:
    """Each place once, with words of its own where it has any."""
    once: dict[tuple[str, int, int, int, int], Location] = {}
    for place in places:
        span = (place.file, place.line, place.column, place.end_line, place.end_column)
        if span not in once or once[span].says == because:
            once[span] = place
    return list(once.values())


def _more(causes: Sequence[DiagnosedCause], style: Style) -> Iterator[str]:
    """The other causes: those that are proved as well, then what it could be."""
    proved = [cause for cause in causes[1:] if cause.certainty == "certain"]
    fitting = [cause for cause in causes[1:] if cause.certainty != "certain"]
    for title, some in (("Wrong as well:", proved), ("It could be as well:", fitting)):
        if some:
            yield from ("", title)
        for cause in some:
            yield f"  {style.paint(for_terminal(cause.id), _STRONG)}, {cause.certainty}"
            yield from _prose(cause.because, style, "    ")
            yield from _mending(cause, style, "    ", causes[0].fix)
            yield from _runs(cause, style, "    ", "then run" if _is_afterwards(cause) else "run")


def _wrong_fixes(found: Sequence[MistakenRemedy], style: Style) -> Iterator[str]:
    if found:
        yield from ("", "No remedy, though it may look like one:")
    for wrong in found:
        yield f"  {style.paint(for_terminal(wrong.id), _STRONG)}"
        yield from _prose(wrong.says, style, "    ")
        yield from _prose(wrong.instead, style, "    ", "instead", _GOOD)


def _claims(claims: Mapping[str, Any], style: Style) -> Iterator[str]:
    """What the token says, without the token."""
    yield "The token says:"
    for name, value in claims.items():
        said = msgspec.json.encode(value).decode(errors="replace") if not isinstance(value, str) else value
        yield from _prose(said, style, "  ", name)


def _said(text: str) -> str:
    return on_one_line(text, for_terminal)


def _prose(text: str, style: Style, indent: str = "", label: str = "", colour: str = "") -> Iterator[str]:
    """Escaped text in the width of the terminal, hanging under itself where a short label stands before it."""
    label = for_terminal(label)
    if columns(label) > style.width // 3:
        text, label = f"{label} {text}", ""
    hang = columns(label) + 1 if label else 0
    first, *more = wrapped(_said(text), max(style.width - len(indent) - hang, 20)) or [""]
    yield f"{indent}{style.paint(label, colour)}{' ' if label else ''}{first}".rstrip()
    yield from (f"{indent}{' ' * hang}{line}" for line in more)


def render_all(found: Sequence[Diagnosis], style: Style) -> str:
    """A line for each service account and workload, the broken first, and one that counts."""
    rows = [(*_VERDICTS[d.verdict], f"{for_terminal(d.subject.cluster)}/{_who(d.subject)}", _first(d)) for d in found]
    widest = min(max((columns(who) for _, _, who, _ in rows), default=0), max(style.width - 16 - 24, 20))
    lines = []
    for word, colour, who, cause in rows:
        shown = without_middle(who, widest, style.ellipsis)
        lines.append(f"{style.paint(f'{word:<14}', colour)}  {shown}{' ' * (widest - columns(shown))}  {cause}".rstrip())
    counted = {word: sum(d.verdict == verdict for d in found) for verdict, (word, _) in _VERDICTS.items()}
    said = ", ".join(f"{number} {word}" for word, number in counted.items() if number)
    return "\n".join([*lines, "", said or "no service account has to do with a role"]) + "\n"


def _first(diagnosis: Diagnosis) -> str:
    cause = diagnosis.causes[0] if diagnosis.causes else None
    return "" if cause is None else for_terminal(cause.id) + ("" if cause.certainty == "certain" else f", {cause.certainty}")
