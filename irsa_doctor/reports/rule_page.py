"""The pages of rules and causes, and the list of rules, as text and as JSON."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.json import ToolRecord, json_text, tool
from irsa_doctor.reports.style import Style
from irsa_doctor.rulebook.causes import Cause
from irsa_doctor.rulebook.files import Illustration
from irsa_doctor.rulebook.rules import NAME, Reference, Rule

_COLOURS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36"}


def severity_of(rule: Rule) -> str:
    """Returns the severity, or the possible severities where a fact decides, the worst first."""
    if isinstance(rule.severity, str):
        return rule.severity
    words = {*rule.severity.values.values(), rule.severity.otherwise}
    return " or ".join(sorted(words, key=list(_COLOURS).index))


def render_rules_text(rules: Sequence[Rule], style: Style) -> str:
    """Returns a line for each rule, under its family."""
    lines: list[str] = []
    family = ""
    width = max((len(rule.id) for rule in rules), default=0)
    for rule in rules:
        if rule.family != family:
            family = rule.family
            lines += ["", style.paint(for_terminal(family), "1")]
        lines.append(f"  {for_terminal(rule.id):<{width}}  {for_terminal(rule.title)}")
    return "\n".join([*lines[1:], "", f"{len(rules)} rules; irsa-doctor explain ID explains a rule"]) + "\n"


def render_rule_text(rule: Rule, style: Style, shown: Illustration | None = None) -> str:
    """Returns the page of a rule, with an example where it has a short one."""
    return "\n".join(_page(rule, style, shown)) + "\n"


def _page(rule: Rule, style: Style, shown: Illustration | None) -> Iterator[str]:
    severity = severity_of(rule)
    yield f"{style.paint(for_terminal(rule.id), '1')}: {for_terminal(rule.title)}"
    painted = style.paint(severity, _COLOURS[severity.split()[0]])
    yield f"{painted}, confidence {rule.confidence}; subject: {' or '.join(rule.subject)}"
    yield ""
    yield from _wrapped(rule.why, style)
    yield from _sections(rule.remedy, rule.cause.settle if rule.cause else "", style)
    if shown:
        yield ""
        yield from _example(shown, style)
    yield from _references(rule.references, style)
    if rule.controls:
        yield ""
        yield style.paint("Controls", "1")
        for framework, controls in rule.controls.items():
            ids = ", ".join(f"{control.id} ({control.relation})" for control in controls)
            yield f"  {for_terminal(framework)}: {for_terminal(ids)}"


def _example(shown: Illustration, style: Style) -> Iterator[str]:
    yield f"{style.paint('Example', '1')}: {for_terminal(shown.name)}"
    yield f"  {for_terminal(shown.where)}"
    for word, colour, text in (("wrong", "31", shown.wrong), ("right", "32", shown.right)):
        if text:
            yield f"  {style.paint(word, colour)}:"
            yield from (f"    {for_terminal(line)}" for line in text.split("\n"))


def _wrapped(text: str, style: Style, indent: str = "") -> Iterable[str]:
    return textwrap.wrap(
        for_terminal(text), style.width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def render_cause_text(cause: Cause, style: Style) -> str:
    """Returns the page of a cause that no rule reports."""
    return "\n".join(_cause_page(cause, style)) + "\n"


def _cause_page(cause: Cause, style: Style) -> Iterator[str]:
    yield f"{style.paint(for_terminal(cause.id), '1')}: {for_terminal(cause.title)}"
    if cause.link:
        yield f"breaks the link {for_terminal(cause.link)}"
    yield ""
    yield from _wrapped(cause.why, style)
    yield from _sections(cause.remedy, cause.settle, style)
    yield from _references(cause.references, style)


def _sections(remedy: str, settle: str, style: Style) -> Iterator[str]:
    """What corrects it, and the command that settles whether it is the cause."""
    yield from ("", style.paint("What to do", "1"), *_wrapped(remedy, style, "  "))
    if settle:
        shown = NAME.sub(lambda name: name[1].upper(), settle)
        yield from ("", style.paint("How to find out", "1"), f"  {for_terminal(shown)}")


def _references(references: Iterable[Reference], style: Style) -> Iterator[str]:
    listed = tuple(references)
    if listed:
        yield from ("", style.paint("References", "1"))
    for reference in listed:
        yield f"  {for_terminal(reference.title)}"
        yield f"  {style.paint(for_terminal(reference.url), '34')}"


class RulesDocument(msgspec.Struct, frozen=True):
    """The answer of `irsa-doctor rules list -f json`."""

    schema: str
    tool: ToolRecord
    rules: Sequence[Rule]


def render_rules_json(rules: Sequence[Rule]) -> str:
    """Returns the document."""
    return json_text(RulesDocument("irsa-doctor.rules/1", tool(), rules))
