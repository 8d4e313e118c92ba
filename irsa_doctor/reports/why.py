"""The answer of `why`: the verdict and its cause first, then the links in the order of the credential."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.answers.why import (
    ContainerIdentity,
    DiagnosedCause,
    DiagnosedLink,
    Diagnosis,
    MistakenRemedy,
    PredictedError,
    WorkloadIdentity,
)
from irsa_doctor.answers.why.records import QuotedPlace, RoleChain, TokenLeak
from irsa_doctor.model.findings import Fix, Location, Snippet
from irsa_doctor.reports.addresses import page_address, page_of
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, on_one_line, without_middle, wrapped
from irsa_doctor.reports.fixes import managing, pasted, snippets_of
from irsa_doctor.reports.json import ToolRecord, json_text, tool
from irsa_doctor.reports.quoting import pointed, quoted, sentence_of
from irsa_doctor.reports.style import Style
from irsa_doctor.rulebook.cause_block import Certainty

_MARKS = {"pass": ("ok", "32"), "fail": ("FAIL", "1;31"), "unknown": ("?", "35"), "skipped": ("-", "2")}
_VERDICTS = {"works": ("works", "32"), "broken": ("broken", "1;31"), "unknown": ("undetermined", "35")}
_COMMANDS = ("kubectl ", "aws ", "curl ", "nslookup ", "irsa-doctor ")
_STRONG, _FAINT, _GOOD, _OPEN = "1", "2", "32", "35"
_HANG = " " * 5
"""the indent below the mark of a link"""
_FILE, _FILES = "that file too", "those files too"
_UNSEEN = "not in the input: "
"""how the reason of a link begins for which an input is missing"""
_RESTARTS = ("kubectl rollout restart ", "kubectl delete pod ")
_RESTARTING = ("Restart", "Recreate")
"""the first words of a remedy that is only a restart"""
_LEAK_PAGE = "-".join(("leaked", "token"))
"""the page about it; no cause is named in Python"""
_PLACES = 4
"""places of a failing link that are shown"""


class CauseRecord(msgspec.Struct, frozen=True):
    """A cause as it is written to JSON. `commands` and `snippets` repeat what `fix` holds; `page` is as in `check`."""

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
    page: str


class ChainRecord(msgspec.Struct, frozen=True):
    """The links of one credential on its way to one role, or to one identity of another cloud."""

    role: str
    verdict: str
    links: Sequence[DiagnosedLink]
    causes: Sequence[CauseRecord]
    predicted_error: PredictedError | None
    cloud: str


class WhyDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor why -f json`."""

    schema: str
    tool: ToolRecord
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
    identities: Sequence[ContainerIdentity]
    cloud: str
    leak: TokenLeak | None
    chains: Sequence[ChainRecord]


class WhyAllDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor why --all -f json`."""

    schema: str
    tool: ToolRecord
    subjects: Sequence[WhyDocument]


def render_why_json(diagnosis: Diagnosis) -> str:
    """Returns the document `irsa-doctor.why/1`."""
    return json_text(_document(diagnosis))


def _document(diagnosis: Diagnosis) -> WhyDocument:
    fields = {name: getattr(diagnosis, name) for name in WhyDocument.__struct_fields__ if name not in ("schema", "tool")}
    fields["causes"] = list(map(_cause_record, diagnosis.causes))
    fields["chains"] = list(map(_chain_record, diagnosis.chains))
    return WhyDocument("irsa-doctor.why/1", tool(), **fields)


def _chain_record(chain: RoleChain) -> ChainRecord:
    causes = list(map(_cause_record, chain.causes))
    return ChainRecord(chain.role, chain.verdict, chain.links, causes, chain.predicted_error, chain.cloud)


def _cause_record(cause: DiagnosedCause) -> CauseRecord:
    policy = tuple(snippet for snippet in snippets_of(cause.fix) if snippet.language == "json")
    fields = {name: getattr(cause, name) for name in CauseRecord.__struct_fields__ if name not in ("snippets", "page")}
    return CauseRecord(**fields, snippets=policy, page=page_of(cause.id))


def render_all_json(diagnoses: Sequence[Diagnosis]) -> str:
    """Returns the document of `--all`."""
    return json_text(WhyAllDocument("irsa-doctor.why-all/1", tool(), list(map(_document, diagnoses))))


def render_why_text(diagnosis: Diagnosis, style: Style) -> str:
    """Returns the verdict with its cause and fix, the links, other causes, and the claims of the token."""
    lines = [*_answer(diagnosis, style), ""]
    alike = _alike(diagnosis.links)
    for link in diagnosis.links:
        lines += _link(link, diagnosis.quotes.get(link.id, ()), style) if link not in alike else ()
    if alike:
        lines += _not_checked(alike, style)
    lines += _more(diagnosis.causes, style)
    lines += _wrong_fixes(diagnosis.wrong_fixes, style)
    if written := _writes_files(diagnosis):
        lines += ["", *_prose(written, style)]
    for chain in diagnosis.chains:
        lines += ["", *_chain(chain, style)]
    if diagnosis.roles and not diagnosis.chains:
        lines += ["", "No role is named. Roles that admit this service account:"]
        lines += [f"  {for_terminal(role)}" for role in diagnosis.roles]
    if diagnosis.claims:
        lines += ["", *_claims(diagnosis.claims, style)]
    if diagnosis.leak:
        lines += ["", *_leak(diagnosis.leak, style)]
    for note in diagnosis.notes:
        lines += ["", *_prose(note, style)]
    return "\n".join(lines) + "\n"


def _chain(chain: RoleChain, style: Style) -> Iterator[str]:
    """A role that trusts the issuer of a token, with the links that are not fine."""
    word, colour = _VERDICTS[chain.verdict]
    cause = f": {chain.causes[0].title or chain.causes[0].id} ({chain.causes[0].id})" if chain.causes else ""
    yield from (style.paint(line, colour) for line in wrapped(_clean(f"{chain.role} {word}{cause}"), style.width))
    for link in chain.links:
        yield from (f"  {line}" for line in _link(link, (), style)) if link.verdict in ("fail", "unknown") else ()


def _leak(leak: TokenLeak, style: Style) -> Iterator[str]:
    """What a copy of the token buys whoever has it, and what to do about it."""
    yield style.paint("If this token has leaked", _STRONG)
    pod = f", also after pod {leak.bound_to} is deleted" if leak.bound_to else ""
    taken = "STS has not taken it since" if leak.ended else "STS takes it from anywhere until"
    yield from _prose(f"{taken} {leak.taken_until or 'a time that is not known'}{'' if leak.ended else pod}.", style)
    if not leak.roles:
        yield from _prose("No role of the input admits it. Roles of other accounts may.", style)
        return
    yield from _prose(f"Sessions that it has bought last until {leak.sessions_until} at the latest. It opens:", style)
    for role in leak.roles:
        hours = f"sessions of up to {role.longest_session / 3600:g} h" if role.longest_session else "sessions of up to 12 h"
        yield f"  {for_terminal(role.role)} ({hours}{'' if role.certain else '; not certain'})"
    yield from _prose("Roles of accounts that are not in the input may admit it too. Do this, in this order:", style)
    for number, step in enumerate(leak.steps, 1):
        yield from _prose(f"{number}. {step}", style)
    yield from _prose(f"More: irsa-doctor explain {_LEAK_PAGE}", style)


def _writes_files(diagnosis: Diagnosis) -> str:
    """What to do with the files of the commands that are shown, "" where none of them writes one."""
    shown = [link.settle for link in diagnosis.links if link.verdict == "unknown"] + [c.settle for c in diagnosis.causes]
    files = list(dict.fromkeys(command.rpartition(" > ")[2] for command in shown if " > " in command))
    if not files:
        return ""
    return f"Commands that end with > FILE write an input. Then run this again with {_FILE if len(files) == 1 else _FILES}."


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
        head += _inputs_missing(diagnosis) if diagnosis.verdict == "unknown" else ""
        yield from (style.paint(line, colour) for line in wrapped(head, style.width))
    else:
        yield from _headline(head, first, colour, style)
        yield from () if _is_afterwards(first) else _runs(first, style, "  ")
        yield from _prose(first.because, style, "  ") if first.because != first.title else ()
        yield from _fixing(first, style, "  ")
        yield from _runs(first, style, "  ", "then run") if _is_afterwards(first) else ()
    if error := diagnosis.predicted_error:
        message = f": {error.message}" if error.message else ""
        older = f' (before 2026: "{error.older_message}")' if error.older_message else ""
        yield from _prose(f"STS answers HTTP {error.http_status} {error.code}{message}{older}", style, "  ")


def _inputs_missing(diagnosis: Diagnosis) -> str:
    """How many inputs would settle it, "" where none is known to."""
    unseen = {link.because for link in diagnosis.links if link.verdict == "unknown" and link.because.startswith(_UNSEEN)}
    return f", {counted(len(unseen), 'input')} missing" if unseen else ""


def _headline(head: str, cause: DiagnosedCause, colour: str, style: Style) -> Iterator[str]:
    """The verdict and its cause, in words and with its id."""
    painted, *more = wrapped(_clean(f"{head}: {cause.title or cause.id} ({cause.id}, {cause.certainty})"), style.width)
    shown = for_terminal(head)
    yield style.paint(shown, colour) + painted[len(shown) :] if painted.startswith(shown) else painted
    yield from (f"  {line}" for line in more)


def _is_afterwards(cause: DiagnosedCause) -> bool:
    """Whether its commands only recreate pods, after a fix that is not a command."""
    return all(command.startswith(_RESTARTS) for command in cause.commands) and not cause.remedy.startswith(_RESTARTING)


def _runs(cause: DiagnosedCause, style: Style, indent: str, label: str = "run") -> Iterator[str]:
    """The commands of the fix, not broken, so that they can be copied."""
    saves = 1 if cause.fix and cause.fix.policy is not None and cause.fix.commands else 0
    for command in cause.commands[saves:] if cause.certainty != "possible" else ():
        yield f"{indent}{style.paint(label, _GOOD)} {for_terminal(command)}"


def _settling(command: str, style: Style, indent: str) -> Iterator[str]:
    """How to find out; a command is not broken, so that it can be copied."""
    if command.startswith(_COMMANDS):
        yield f"{indent}{style.paint('to find out:', _OPEN)} {for_terminal(command)}"
    else:
        yield from _prose(command, style, indent, "to find out:", _OPEN)


def _fixing(cause: DiagnosedCause, style: Style, indent: str, shown: Fix | None = None) -> Iterator[str]:
    """How to fix a cause, or how to find out whether it applies; the fix `shown` is shown above."""
    if cause.certainty != "possible":
        if cause.remedy:
            yield from _prose(cause.remedy, style, indent, "fix", _GOOD)
        if note := managing(cause.fix):
            yield from _prose(note, style, indent)
        if cause.fix and cause.fix.policy is not None and cause.fix != shown:
            snippet = pasted(cause.fix)[0]
            yield from _prose(f"{snippet.title}:", style, indent)
            yield from (f"{indent}    {for_terminal(line)}" for line in snippet.text.splitlines())
    if cause.settle:
        yield from _settling(cause.settle, style, indent)


def _alike(links: Sequence[DiagnosedLink]) -> list[DiagnosedLink]:
    """The skipped links with the same reason, where they are more than half of all links: one line shows them."""
    reason, number = (
        Counter(link.because for link in links if link.verdict == "skipped").most_common(1)[0] if links else ("", 0)
    )
    return [link for link in links if link.verdict == "skipped" and link.because == reason] if number > len(links) // 2 else []


def _not_checked(links: Sequence[DiagnosedLink], style: Style) -> Iterator[str]:
    text = _clean(f"{len(links)} more links not checked: {links[0].because}")
    first, *more = wrapped(text, style.width - len(_HANG))
    yield style.paint(f"-    {first}", _FAINT)
    yield from (style.paint(f"{_HANG}{line}", _FAINT) for line in more)


def _link(link: DiagnosedLink, places: Sequence[Location], style: Style) -> Iterator[str]:
    mark, colour = _MARKS[link.verdict]
    text = _clean(f"{link.title}: {link.because}" if link.because else link.title)
    first, *more = wrapped(text, style.width - len(_HANG))
    if link.verdict == "skipped":
        yield style.paint(f"{mark:<4} {first}", _FAINT)
        yield from (style.paint(f"{_HANG}{line}", _FAINT) for line in more)
        return
    yield f"{style.paint(f'{mark:<4}', colour)} {first}"
    yield from (f"{_HANG}{line}" for line in more)
    for place in _pointed_at(places, link.because)[:_PLACES] if link.verdict == "fail" else ():
        show = quoted if place.source else pointed
        yield from show(place, style, _HANG, "" if place.says == link.because else sentence_of(place))
    if link.settle and link.verdict == "unknown":
        yield from _settling(link.settle, style, _HANG)


def _pointed_at(places: Sequence[Location], because: str) -> list[Location]:
    """Each place once, with a sentence of its own where it has one."""
    once: dict[tuple[str, int, int, int, int], Location] = {}
    for place in places:
        span = (place.file, place.line, place.column, place.end_line, place.end_column)
        if span not in once or once[span].says == because:
            once[span] = place
    return list(once.values())


def _more(causes: Sequence[DiagnosedCause], style: Style) -> Iterator[str]:
    """The other causes: the certain ones, then the possible ones."""
    proved = [cause for cause in causes[1:] if cause.certainty == "certain"]
    possible = [cause for cause in causes[1:] if cause.certainty != "certain"]
    for title, group in (("Other certain causes:", proved), ("Other possible causes:", possible)):
        if group:
            yield from ("", title)
        for cause in group:
            yield f"  {style.link(style.paint(for_terminal(cause.id), _STRONG), page_address(cause.id))}, {cause.certainty}"
            yield from _prose(cause.because, style, "    ")
            yield from _fixing(cause, style, "    ", causes[0].fix)
            yield from _runs(cause, style, "    ", "then run" if _is_afterwards(cause) else "run")


def _wrong_fixes(fixes: Sequence[MistakenRemedy], style: Style) -> Iterator[str]:
    if fixes:
        yield from ("", "Changes that do not fix it:")
    for wrong in fixes:
        yield f"  {style.paint(for_terminal(wrong.id), _STRONG)}"
        yield from _prose(wrong.says, style, "    ")
        yield from _prose(wrong.instead, style, "    ", "instead", _GOOD)


def _claims(claims: Mapping[str, Any], style: Style) -> Iterator[str]:
    """The claims of the token, without the token itself."""
    yield "Claims of the token:"
    for name, value in claims.items():
        text = msgspec.json.encode(value).decode(errors="replace") if not isinstance(value, str) else value
        yield from _prose(text, style, "  ", name)


def _clean(text: str) -> str:
    return on_one_line(text, for_terminal)


def _prose(text: str, style: Style, indent: str = "", label: str = "", colour: str = "") -> Iterator[str]:
    """Escaped text in the width of the terminal, indented behind a short label."""
    label = for_terminal(label)
    if columns(label) > style.width // 3:
        text, label = f"{label} {text}", ""
    hang = columns(label) + 1 if label else 0
    first, *more = wrapped(_clean(text), max(style.width - len(indent) - hang, 20)) or [""]
    yield f"{indent}{style.paint(label, colour)}{' ' if label else ''}{first}".rstrip()
    yield from (f"{indent}{' ' * hang}{line}" for line in more)


def render_all(diagnoses: Sequence[Diagnosis], style: Style) -> str:
    """Returns a line for each service account and workload, the broken first, and a line of totals."""
    rows = [(*_VERDICTS[d.verdict], f"{for_terminal(d.subject.cluster)}/{_who(d.subject)}", _first(d)) for d in diagnoses]
    widest = min(max((columns(who) for _, _, who, _ in rows), default=0), max(style.width - 16 - 24, 20))
    lines = []
    for word, colour, who, cause in rows:
        shown = without_middle(who, widest, style.ellipsis)
        lines.append(f"{style.paint(f'{word:<14}', colour)}  {shown}{' ' * (widest - columns(shown))}  {cause}".rstrip())
    totals = {word: sum(d.verdict == verdict for d in diagnoses) for verdict, (word, _) in _VERDICTS.items()}
    summary = ", ".join(f"{number} {word}" for word, number in totals.items() if number)
    return "\n".join([*lines, "", summary or "no service account with a role in the input"]) + "\n"


def _first(diagnosis: Diagnosis) -> str:
    if not diagnosis.links:
        return "not judged"
    cause = diagnosis.causes[0] if diagnosis.causes else None
    return "" if cause is None else for_terminal(cause.id) + ("" if cause.certainty == "certain" else f", {cause.certainty}")
