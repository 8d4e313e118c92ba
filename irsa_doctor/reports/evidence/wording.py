"""How reports of evidence name things: counts, results, the statement about a population and its sample."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from irsa_doctor.answers.audit.evidence import AuditEvidence, ControlEvidence, FrameworkEvidence
from irsa_doctor.answers.audit.items import ITEM_RESULTS, EvidenceItem
from irsa_doctor.model.audited import FindingNote
from irsa_doctor.model.findings import SEVERITIES
from irsa_doctor.reports.counting import counted
from irsa_doctor.rulebook.rules import Rule, shipped_rules

RESULT_WORDS: Mapping[str, str] = {
    "failed": "failed",
    "waived": "waived",
    "unknown": "unknown",
    "passed": "passed",
    "not-tested": "not tested",
}


@cache
def rules_by_id() -> Mapping[str, Rule]:
    """Returns every rule by its id."""
    return {rule.id: rule for rule in shipped_rules()}


def rule_title(rule: str) -> str:
    """Returns the title of a rule; of a private one its id."""
    known = rules_by_id().get(rule)
    return known.title if known else rule


def counts_line(control: ControlEvidence) -> str:
    """Returns the items of a control by result, those of no item left out."""
    parts = [
        f"{control.counts.get(result, 0):,} {RESULT_WORDS[result]}" for result in ITEM_RESULTS if control.counts.get(result)
    ]
    return ", ".join(parts) or "no items"


def lacking_statement(control: ControlEvidence) -> str:
    """Returns that a control may have more items than were seen, "" where it has not."""
    return "Accounts or clusters that could not be read may have more items." if control.may_lack_items else ""


def open_now(evidence: AuditEvidence) -> list[FindingNote]:
    """Returns the findings that are open in the last run."""
    last = evidence.period.last
    return [note for notes in evidence.notes.values() for note in notes if note.status == "open" and note.last_seen == last]


def by_severity_words(numbers: Mapping[str, int]) -> str:
    """Returns numbers by severity, the worst first."""
    return ", ".join(f"{numbers[severity]:,} {severity}" for severity in SEVERITIES if numbers.get(severity)) or "none"


def verdict_sentence(evidence: AuditEvidence) -> str:
    """Returns what a manager reads first: what is open, and how much of the organisation was seen."""
    severities = Counter(note.severity for note in open_now(evidence))
    total = severities.total()
    what = f"{counted(total, 'open finding')} ({by_severity_words(severities)})" if total else "No open findings"
    accounts, unread = len(evidence.scope.accounts), len(evidence.scope.unread_accounts)
    unseen = evidence.trend[-1].unseen if evidence.trend and evidence.trend[-1].run == evidence.period.last else 0
    if unseen and not evidence.account:
        what += f". {unseen:,} more {'was' if unseen == 1 else 'were'} open before and could not be checked in this run"
    read = accounts - unread
    return f"{what}. {read} of {counted(accounts, 'account')} {'was' if read == 1 else 'were'} read in full."


def verdict_words(framework: FrameworkEvidence) -> str:
    """Returns the number of controls by verdict."""
    verdicts: Counter[str] = Counter(control.verdict for control in framework.controls)
    order = ("fail", "unknown", "waived", "pass", "not examined", "not covered")
    return ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in order if verdicts[verdict])


def first_run(item: EvidenceItem) -> int | None:
    """Returns the run in which a finding of the item was seen first, None where it has none."""
    return min((note.first_seen for note in item.notes), default=None)


def last_run_seen(item: EvidenceItem) -> int | None:
    """Returns the last run that saw a finding of the item, None where it has none."""
    return max((note.last_seen for note in item.notes), default=None)


def acceptance_of(item: EvidenceItem) -> FindingNote | None:
    """Returns a finding of the item that somebody has accepted."""
    return next((note for note in item.notes if note.status == "waived"), None)


def worst_severity(item: EvidenceItem) -> str:
    """Returns the worst severity among the findings of the item, "" where it has none."""
    return next((severity for severity in SEVERITIES if any(note.severity == severity for note in item.notes)), "")


def population_statement(evidence: AuditEvidence) -> str:
    """Returns what the population of a control is, so that an auditor can judge whether it is complete."""
    scope = evidence.scope
    unread = len(scope.unread_accounts)
    return (
        "The population of a control is every subject (role, statement, service account, workload, provider, cluster) for which"
        " at least one of its rules was evaluated, and every subject seen in an earlier run whose account or cluster could not"
        f" be read in this one (not tested). It was taken from {counted(len(scope.accounts), 'account')}"
        f"{f' of organisation {scope.organization}' if scope.organization else ''}, of which {unread} could not be read in"
        " full; subjects there that no run has ever seen are in no population."
        " No subject is left out by a threshold or a baseline."
    )


def sampling_statement(evidence: AuditEvidence) -> str:
    """Returns how the samples were drawn, "" without samples."""
    if evidence.sampling is None:
        return ""
    size, seed = evidence.sampling
    return (
        f"Samples: up to {size} items of each control, without replacement, drawn by Python's"
        f' random.Random("{seed}/CONTROL/{evidence.head}").sample over the items in the order of the JSON and CSV reports.'
        " Whoever has the store draws the same items. The auditor chooses the size."
    )


def period_words(evidence: AuditEvidence) -> str:
    """Returns the run, or the period with its runs."""
    period = evidence.period
    if not period.is_asked:
        return f"Run {period.last} as of {evidence.run['as_of']}"
    return f"{period.start} to {period.end}: {counted(len(period.runs), 'run')} ({_numbers(period.runs)})"


def pruned_statement(evidence: AuditEvidence) -> str:
    """Returns which runs were made and are not in the report, "" where all are."""
    runs = evidence.period.pruned
    if not runs:
        return ""
    return (
        f"The details of run {_numbers(runs)} were pruned: the store has their hashes, and this report none of their findings."
    )


def _numbers(runs: Sequence[int]) -> str:
    return str(runs[0]) if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"


def ending_waivers(evidence: AuditEvidence, days: int = 30) -> list[Mapping[str, Any]]:
    """Returns the waivers that end within some days of the last run, and those that have ended, the earliest first."""
    from datetime import timedelta

    from irsa_doctor.model.moments import moment_of

    moment = moment_of(str(evidence.run["as_of"]))
    if moment is None:
        return []
    limit = (moment + timedelta(days=days)).date().isoformat()
    return sorted((w for w in evidence.waivers if w["expires"] <= limit), key=lambda waiver: waiver["expires"])
