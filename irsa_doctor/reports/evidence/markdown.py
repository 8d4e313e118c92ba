"""Evidence as Markdown, for a pull request or a wiki: a summary that is cut by whole rows."""

from collections.abc import Iterator

from irsa_doctor.answers.audit.evidence import NOT_AN_OPINION, AuditEvidence, FrameworkEvidence
from irsa_doctor.model.findings import SEVERITIES
from irsa_doctor.reports.escape import for_markdown
from irsa_doctor.reports.evidence.wording import (
    ending_waivers,
    period_words,
    population_statement,
    pruned_statement,
    sampling_statement,
    verdict_sentence,
    verdict_words,
)

_LONGEST = 60_000
"""characters; GitHub takes 65,536 in a comment"""
_MAY_LACK = (
    "A control is unknown although all items that were seen passed, where accounts or clusters that could not be read may have"
    " more items."
)
_ROWS_LEFT = 200
"""characters kept for the line that says how many rows are left out"""


def markdown_pieces(evidence: AuditEvidence) -> Iterator[str]:
    """Returns summary, controls, changes, waivers and what was out of scope, in at most 60,000 characters."""
    length, left_out = 0, 0
    for line in _lines(evidence):
        text = f"{line}\n"
        if length + len(text) > _LONGEST - _ROWS_LEFT:
            left_out += 1
            continue
        length += len(text)
        yield text
    if left_out:
        yield f"\n{left_out} lines are left out; the other formats have them all.\n"


def _lines(evidence: AuditEvidence) -> Iterator[str]:
    yield f"**irsa-doctor audit**: {verdict_sentence(evidence)}"
    yield ""
    yield f"{period_words(evidence)}. Head: `{evidence.head}`. {NOT_AN_OPINION}"
    yield ""
    for framework in evidence.frameworks:
        yield from _framework(framework)
    yield from _out_of_scope(evidence)
    yield from _waivers(evidence)
    yield from ("### Method", "", for_markdown(population_statement(evidence)), "")
    for statement in filter(None, (pruned_statement(evidence), sampling_statement(evidence))):
        yield from (for_markdown(statement), "")
    yield from _changes(evidence)


def _framework(framework: FrameworkEvidence) -> Iterator[str]:
    yield f"### {for_markdown(framework.title)} ({for_markdown(framework.version)})"
    yield ""
    yield f"{verdict_words(framework)}."
    yield ""
    yield "| control | verdict | population | failed | waived | unknown | passed | not tested |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for control in framework.controls:
        counts = [control.counts.get(result, 0) for result in ("failed", "waived", "unknown", "passed", "not-tested")]
        name = for_markdown(f"{control.title or ''}")
        yield f"| {control.id} {name} | {control.verdict} | {' | '.join(map(str, (control.population, *counts)))} |"
    if any(control.may_lack_items and control.counts.get("passed") == control.population > 0 for control in framework.controls):
        yield from ("", _MAY_LACK)
    if framework.uncontrolled:
        yield from ("", f"No control names this: {len(framework.uncontrolled)} open findings.")
    yield ""


def _changes(evidence: AuditEvidence) -> Iterator[str]:
    yield from ("### What changed", "")
    if not evidence.events:
        yield from ("Nothing has changed.", "")
        return
    yield from ("| change | run | severity | rule | subject |", "| --- | --- | --- | --- | --- |")
    order = (*SEVERITIES, "")
    for event in sorted(evidence.events, key=lambda each: (order.index(each.severity), each.run)):
        cells = (event.change, str(event.run), event.severity, event.rule, event.subject)
        yield f"| {' | '.join(map(for_markdown, cells))} |"
    yield ""


def _waivers(evidence: AuditEvidence) -> Iterator[str]:
    if ending := ending_waivers(evidence):
        yield from ("### Waivers that have ended, or end within 30 days", "")
        for waiver in ending:
            says = f"{waiver['expires']}: {waiver['rule']} {waiver['subject']}, {waiver['owner']}: {waiver['reason']}"
            yield f"- {for_markdown(says)}"
        yield ""


def _out_of_scope(evidence: AuditEvidence) -> Iterator[str]:
    yield from ("### What was not checked", "")
    scope = evidence.scope
    for account in scope.unread_accounts:
        yield f"- account {account.id} {for_markdown(f'({account.name}) {account.state}: {account.why}')}"
    for cluster in scope.unread_clusters:
        yield f"- cluster {for_markdown(f'{cluster.arn} {cluster.state}: {cluster.why}')}"
    for region in scope.unread_regions:
        yield f"- region {for_markdown(f'{region.name} of account {region.account}: {region.why}')}"
    for missing in scope.missing:
        yield f"- {for_markdown(str(missing['missing']))}"
    if not (scope.unread_accounts or scope.unread_clusters or scope.unread_regions or scope.missing):
        yield "Nothing."
    yield ""
