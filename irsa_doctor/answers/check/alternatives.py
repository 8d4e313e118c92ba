"""Unites what the rules say of an inventory with what they say where documents that differ about an object count alone."""

from collections import Counter

import msgspec

from irsa_doctor.answers.check.engine import Evaluation
from irsa_doctor.answers.check.order import sort_findings
from irsa_doctor.model.findings import SEVERITIES, Tally


def joined_with(outcome: Evaluation, alone: Evaluation) -> Evaluation:
    """Return an outcome with the findings of another one: of one rule about one subject the worse counts.

    What is unknown stays so: which of the documents is the current one decides it.
    """
    findings = {(finding.rule, finding.subject): finding for finding in outcome.findings}
    more: Counter[str] = Counter()
    for finding in alone.findings:
        key = finding.rule, finding.subject
        known = findings.get(key)
        if known is None:
            more[finding.rule] += 1
        if known is None or SEVERITIES.index(finding.severity) < SEVERITIES.index(known.severity):
            findings[key] = finding
    return msgspec.structs.replace(
        outcome,
        findings=sort_findings(findings.values()),
        tallies=[_with_failures(tally, more[tally.id]) for tally in outcome.tallies],
        limit=outcome.limit or alone.limit,
    )


def _with_failures(tally: Tally, more: int) -> Tally:
    """A tally with failures of subjects that were unknown, or that only one of the documents has."""
    known = min(more, tally.unknown)
    return msgspec.structs.replace(
        tally, evaluated=tally.evaluated + more - known, unknown=tally.unknown - known, failed=tally.failed + more
    )
