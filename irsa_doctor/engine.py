"""Asks every rule about every subject: pass, fail or unknown; failures become findings.

Hundreds of thousands of subjects share a few hundred distinct fact records, so the answers are remembered by record.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.facts import Evidence, Judged
from irsa_doctor.findings import SEVERITIES, Finding, Location, Missing, Subject, Tally
from irsa_doctor.model import Place, Unknown, Verdict
from irsa_doctor.rulebook import SUBJECTS, Rule


class Answer(msgspec.Struct, frozen=True):
    """What one rule says of one fact record."""

    verdict: Verdict
    clause: str = ""
    missing: tuple[Unknown, ...] = ()


class Outcome(msgspec.Struct):
    """What came of all rules and subjects."""

    findings: list[Finding]
    unknown: list[Missing]
    tallies: list[Tally]


def meets(schema: Mapping[str, Any], value: object) -> bool:
    """Whether a known fact meets a schema of the small vocabulary (JSON Schema: const, enum, not, minimum, maximum)."""
    for keyword, wanted in schema.items():
        if keyword == "const":
            good = type(value) is type(wanted) and value == wanted
        elif keyword == "enum":
            good = value in wanted
        elif keyword == "not":
            good = not meets(wanted, value)
        elif keyword == "minimum":
            good = not isinstance(value, int) or value >= wanted
        else:
            good = not isinstance(value, int) or value <= wanted
        if not good:
            return False
    return True


def ask(rule: Rule, facts: msgspec.Struct) -> Answer | None:
    """What a rule says of a subject; None where it does not apply."""
    missing: list[Unknown] = []
    for fact, schema in rule.when.items():
        value = getattr(facts, fact)
        if isinstance(value, Unknown):
            missing.append(value)
        elif not meets(schema, value):
            return None
    if missing:
        return Answer(Verdict.UNKNOWN, "", tuple(missing))
    for clause in rule.require:
        values = {fact: getattr(facts, fact) for fact in clause.facts}
        unseen = [value for value in values.values() if isinstance(value, Unknown)]
        if unseen:
            missing += unseen
        elif not all(meets(schema, values[fact]) for fact, schema in clause.facts.items()):
            return Answer(Verdict.FAIL, clause.name)
    return Answer(Verdict.UNKNOWN, "", tuple(missing)) if missing else Answer(Verdict.PASS)


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


Locate = Callable[[Place], tuple[int, int, int, int, str]]


def _finding(rule: Rule, judged: Judged, evidence: Evidence, locate: Locate) -> Finding:
    names = _Names(evidence.names)
    severity: Any = rule.severity
    if not isinstance(severity, str):
        severity = severity.values.get(str(getattr(judged.facts, severity.fact, "")), severity.otherwise)
    locations = []
    for n, (name, says) in enumerate(rule.places.items()):
        place = evidence.places.get(name) or next(iter(evidence.places.values()))
        line, column, end_line, end_column, source = locate(place)
        locations.append(
            Location(place.document, line, column, place.pointer, says.format_map(names), n == 0, end_line, end_column, source)
        )
    mark = hashlib.sha256("\0".join((rule.id, judged.kind, judged.id)).encode(errors="replace")).hexdigest()[:32]
    return Finding(
        rule.id,
        severity,
        rule.confidence,  # type: ignore[arg-type]
        rule.title,
        rule.message.format_map(names),
        Subject(judged.kind, judged.id),
        tuple(locations),
        rule.remedy,
        {framework: tuple(c.id for c in controls) for framework, controls in rule.controls.items()},
        rule.url,
        mark,
        evidence.snippets if rule.snippet else (),
        judged.group,
    )


def evaluate(rules: Sequence[Rule], subjects: Iterable[Judged], locate: Locate) -> Outcome:
    """Every rule about every subject. Findings come sorted: worst first, then by group, rule and subject."""
    by_type: dict[type, list[Rule]] = {}
    for rule in rules:
        for subject in rule.subject:
            by_type.setdefault(SUBJECTS[subject], []).append(rule)
    memo: dict[msgspec.Struct, list[tuple[Rule, Answer]]] = {}
    tally: Counter[tuple[str, Verdict]] = Counter()
    times: Counter[msgspec.Struct] = Counter()
    missing: dict[Unknown, tuple[set[str], set[str]]] = {}
    findings: dict[tuple[str, str, str], Finding] = {}
    for judged in subjects:
        answers = memo.get(judged.facts)
        if answers is None:
            asked = [(rule, ask(rule, judged.facts)) for rule in by_type.get(type(judged.facts), ())]
            answers = memo[judged.facts] = [(rule, answer) for rule, answer in asked if answer is not None]
        times[judged.facts] += 1
        for rule, answer in answers:
            if answer.verdict is Verdict.FAIL and (rule.id, judged.kind, judged.id) not in findings:
                findings[(rule.id, judged.kind, judged.id)] = _finding(rule, judged, judged.evidence(), locate)
            elif answer.verdict is Verdict.UNKNOWN:
                for unknown in answer.missing:
                    ids, whom = missing.setdefault(unknown, (set(), set()))
                    ids.add(rule.id)
                    whom.add(judged.id)
    for facts, count in times.items():
        for rule, answer in memo[facts]:
            tally[(rule.id, answer.verdict)] += count
    return Outcome(
        sorted(findings.values(), key=lambda f: (SEVERITIES.index(f.severity), f.group, f.rule, f.subject.id)),
        [
            Missing(u.missing, u.how, tuple(sorted(i)), len(w))
            for u, (i, w) in sorted(missing.items(), key=lambda x: x[0].missing)
        ],
        [_tally(rule.id, tally) for rule in sorted(rules, key=lambda r: r.id)],
    )


def _tally(rule: str, counts: Counter[tuple[str, Verdict]]) -> Tally:
    passed, failed, unknown = (counts[(rule, verdict)] for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN))
    return Tally(rule, passed + failed + unknown, passed, failed, unknown)
