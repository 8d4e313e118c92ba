"""Why a credential fails: the answer first, then the way that it travels, link by link."""

import textwrap
from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.diagnosis import Cause, Diagnosis, Link, PredictedError, Subject
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.json import Tool, tool, written
from irsa_doctor.reports.style import Style

_MARKS = {"pass": ("ok", "32"), "fail": ("FAIL", "1;31"), "unknown": ("?", "35"), "skipped": ("-", "2")}
_VERDICTS = {"works": ("works", "32"), "broken": ("broken", "1;31"), "unknown": ("cannot be told", "35")}


class WhyDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor why -f json`."""

    schema: str
    tool: Tool
    subject: Subject
    role: str
    verdict: str
    links: Sequence[Link]
    causes: Sequence[Cause]
    predicted_error: PredictedError | None
    notes: Sequence[str]
    roles: Sequence[str]


class WhyAllDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor why --all -f json`."""

    schema: str
    tool: Tool
    subjects: Sequence[Diagnosis]


def render_why_json(diagnosis: Diagnosis) -> str:
    """The document `irsa-doctor.why/1`."""
    fields = {name: getattr(diagnosis, name) for name in diagnosis.__struct_fields__}
    return written(WhyDocument("irsa-doctor.why/1", tool(), **fields))


def render_all_json(found: Sequence[Diagnosis]) -> str:
    """The document of `--all`."""
    return written(WhyAllDocument("irsa-doctor.why-all/1", tool(), found))


def render_why(diagnosis: Diagnosis, style: Style) -> str:
    """One line with the cause, the command that mends it, the links, and what else fits."""
    lines = [*_answer(diagnosis, style), ""]
    for link in diagnosis.links:
        lines += _link(link, style)
    lines += _causes(diagnosis, style)
    if diagnosis.roles:
        lines += ["", "No role is named. These admit this service account:"]
        lines += [f"  {for_terminal(role)}" for role in diagnosis.roles]
    for note in diagnosis.notes:
        lines += ["", *_wrapped(note, style, "")]
    return "\n".join(lines) + "\n"


def _who(subject: Subject) -> str:
    name = f"{subject.namespace}/{subject.service_account}" if subject.namespace else "this"
    return for_terminal(f"{subject.workload} of {name}" if subject.workload else name)


def _answer(diagnosis: Diagnosis, style: Style) -> Iterator[str]:
    word, colour = _VERDICTS[diagnosis.verdict]
    first = diagnosis.causes[0] if diagnosis.causes else None
    because = f": {first.id}, {first.certainty}" if first else ""
    yield f"{style.paint(f'{_who(diagnosis.subject)} {word}', colour)}{because}"
    if first:
        yield from _wrapped(first.because, style, "  ")
        for command in first.commands:
            yield f"  {style.paint('run', '32')} {for_terminal(command)}"
        if not first.commands and first.remedy:
            yield from _wrapped("fix " + first.remedy, style, "  ")
        if first.certainty != "certain" and first.settle:
            yield f"  {style.paint('tell by', '35')} {for_terminal(first.settle)}"
    if diagnosis.predicted_error:
        error = diagnosis.predicted_error
        yield from _wrapped(f"STS answers {error.http_status} {error.code}: {error.message}", style, "  ")


def _link(link: Link, style: Style) -> Iterator[str]:
    mark, colour = _MARKS[link.verdict]
    head = f"{style.paint(f'{mark:<4}', colour)} {link.title}"
    if link.verdict == "skipped":
        yield style.paint(f"{mark:<4} {link.title}", "2")
        return
    yield head
    yield from _wrapped(link.because, style, "       ")
    for sight in link.evidence if link.verdict == "fail" else ():
        where = f"{sight.file}:{sight.line}" if sight.line else sight.file
        yield f"       {style.paint('-->', '34')} {for_terminal(where)} {for_terminal(sight.says)}".rstrip()
    if link.settle and link.verdict == "unknown":
        yield f"       {style.paint('get it', '35')} {for_terminal(link.settle)}"


def _causes(diagnosis: Diagnosis, style: Style) -> Iterator[str]:
    more = diagnosis.causes[1:]
    if more:
        yield ""
        yield "Also:" if more[0].certainty == "certain" else "It could be as well:"
    for cause in more:
        yield f"  {cause.certainty} {style.paint(cause.id, '1')}"
        if cause.because:
            yield from _wrapped(cause.because, style, "    ")
        if cause.certainty == "certain" and cause.remedy:
            yield from _wrapped("fix " + cause.remedy, style, "    ")
        for command in cause.commands if cause.certainty == "certain" else ():
            yield f"    {style.paint('run', '32')} {for_terminal(command)}"
        if cause.settle:
            yield f"    {style.paint('tell by', '35')} {for_terminal(cause.settle)}"


def _wrapped(text: str, style: Style, indent: str) -> list[str]:
    width = max(style.width, len(indent) + 20)
    return textwrap.wrap(for_terminal(text), width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def render_all(found: Sequence[Diagnosis], style: Style) -> str:
    """A line for each service account, the broken first, and one that counts."""
    lines = []
    for diagnosis in found:
        word, colour = _VERDICTS[diagnosis.verdict]
        first = diagnosis.causes[0].id if diagnosis.causes else ""
        who = f"{diagnosis.subject.cluster}/{_who(diagnosis.subject)}"
        lines.append(f"{style.paint(f'{word:<14}', colour)} {for_terminal(who)}  {first}".rstrip())
    counted = {word: sum(d.verdict == verdict for d in found) for verdict, (word, _) in _VERDICTS.items()}
    lines += ["", ", ".join(f"{number} {word}" for word, number in counted.items())]
    return "\n".join(lines) + "\n"
