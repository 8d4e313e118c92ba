"""Asks every rule about every subject: pass, fail or unknown; failures become findings.

Hundreds of thousands of subjects share a few hundred distinct fact records, so the answers are remembered by record.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from operator import attrgetter
from typing import Any

import msgspec

from irsa_doctor.answers.check.asking import RuleAnswer, ask, is_failed_by
from irsa_doctor.answers.check.cases import Cases, FindingKey
from irsa_doctor.answers.check.fetching import missing_input
from irsa_doctor.answers.check.order import sort_findings
from irsa_doctor.facts import Evidence, Judged
from irsa_doctor.model import Place, Unknown, Verdict
from irsa_doctor.model.edits import EditKind, Safety
from irsa_doctor.model.findings import (
    NO_ACCOUNTS,
    NO_OFFER,
    SEVERITIES,
    Finding,
    JudgedSubject,
    Location,
    Missing,
    Offer,
    RoleAccounts,
    Subject,
    Tally,
)
from irsa_doctor.model.limits import reached
from irsa_doctor.remedies import RuleQuestion
from irsa_doctor.rulebook.rules import NAME, SUBJECTS, Rule
from irsa_doctor.trust.work import Work


class Evaluation(msgspec.Struct):
    """What came of all rules and subjects."""

    findings: tuple[Finding, ...]
    unknown: list[Missing]
    tallies: list[Tally]
    limit: str = ""
    """the limit that the run reached before every subject was judged, in words"""


class _Question:
    """A rule with what it said before: records that agree in the facts that it reads get the same answer."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        names = dict.fromkeys((*rule.when, *(name for clause in rule.require for name in clause.facts)))
        self._read = attrgetter(*names) if names else _nothing
        self._answers: dict[object, RuleAnswer | None] = {}

    def ask(self, facts: msgspec.Struct) -> RuleAnswer | None:
        """Returns what `ask` does."""
        values = self._read(facts)
        if values not in self._answers:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            self._answers[values] = ask(self.rule, facts)
        return self._answers[values]


_MOST_ANSWERS = 4_096
"""answers that are remembered of one rule"""


def _questions(rules: Sequence[Rule]) -> Mapping[type, Sequence[_Question]]:
    """The questions of rules by the type of the facts that they are about. Those of the last lists are remembered, with what
    they said: an audit judges one account after the other by the same."""
    for place, (known, by_type) in enumerate(_last):
        if known is rules:
            _last.append(_last.pop(place))
            return by_type
    of_rules: dict[type, list[_Question]] = {}
    for rule in rules:
        for subject in rule.subject:
            of_rules.setdefault(SUBJECTS[subject], []).append(_Question(rule))
    _last.append((rules, of_rules))
    del _last[:-_REMEMBERED]
    return of_rules


_last: list[tuple[Sequence[Rule], Mapping[type, Sequence[_Question]]]] = []
_REMEMBERED = 4
"""lists of rules: those of subjects, of waivers, of a change, and one more"""


def _nothing(facts: msgspec.Struct) -> object:
    return None


def filled(sentence: str, evidence: Evidence) -> str:
    """A sentence of a rule with the names in braces put in. Rules are data: nothing but a name is looked up."""
    said = []
    for n, part in enumerate(_parts(sentence)):
        found = evidence.names.get(part, f"{{{part}}}") if n % 2 else part
        said.append(found if isinstance(found, str) else found())
    return "".join(said)


@cache
def _parts(sentence: str) -> tuple[str, ...]:
    """What stands between names in braces, and the names, in turn."""
    return tuple(NAME.split(sentence))


Offering = Callable[[Sequence[EditKind], Safety, Judged, RuleQuestion], Offer]
"""(the ways to fix a finding, how safe they are at most, its subject, its rule) -> what is offered for it"""
AccountsOf = Callable[[Rule, Judged], RoleAccounts]
"""(a rule, the subject of its finding) -> the service accounts that the finding concerns"""
Locate = Callable[[Place, bool], tuple[int, int, int, int, str, int]]
"""(place, whether the member's name is meant) -> line, column, end line, end column, the line itself, where in it that is"""


def _finding(
    rule: Rule,
    judged: Judged,
    evidence: Evidence,
    locate: Locate,
    offering: Offering | None,
    accounts_of: AccountsOf | None,
) -> Finding:
    severity: Any = rule.severity
    if not isinstance(severity, str):
        fact = getattr(judged.facts, severity.fact, "")
        severity = severity.values.get(str(fact).lower() if isinstance(fact, bool) else str(fact), severity.otherwise)
    locations = []
    for n, (name, says) in enumerate(rule.places.items()):
        place = evidence.place(name)
        spot = locate(place, name.endswith("_key"))
        locations.append(Location(place.document, spot[0], spot[1], place.pointer, filled(says, evidence), n == 0, *spot[2:]))
    mark = hashlib.sha256("\0".join((rule.id, judged.kind, judged.id)).encode(errors="replace")).hexdigest()[:32]
    return Finding(
        rule.id,
        severity,
        rule.confidence if judged.certain or rule.confidence == "low" else "medium",
        rule.title,
        filled(rule.message, evidence),
        Subject(judged.kind, judged.id),
        tuple(locations),
        rule.remedy,
        rule.control_ids,
        rule.url,
        mark,
        judged.group,
        offering(rule.ways, rule.edit.at_most, judged, RuleQuestion(rule.id, partial(is_failed_by, rule)))
        if offering
        else NO_OFFER,
        accounts_of(rule, judged) if accounts_of else NO_ACCOUNTS,
        judged.extent,
    )


class _Seen(msgspec.Struct):
    """What the rules said of one fact record, and how many subjects have it."""

    passed: list[Rule]
    failed: list[Rule]
    unknown: list[tuple[Rule, RuleAnswer]]
    subjects: int = 0


def _seen(questions: Iterable[_Question], facts: msgspec.Struct) -> _Seen:
    seen = _Seen([], [], [])
    for question in questions:
        rule, answer = question.rule, question.ask(facts)
        if answer is None:
            continue
        if answer.verdict is Verdict.UNKNOWN:
            seen.unknown.append((rule, answer))
        else:
            (seen.failed if answer.verdict is Verdict.FAIL else seen.passed).append(rule)
    return seen


class JudgedSubjects:
    """Every subject with what each rule said of it, for those who keep a record of that."""

    def __init__(self) -> None:
        self._subjects: dict[tuple[str, str], JudgedSubject] = {}
        self._verdicts: dict[int, tuple[tuple[str, str], ...]] = {}

    def add(self, judged: Judged, seen: _Seen) -> None:
        """Add a subject; of one that is judged several times the worse verdict of each rule counts."""
        verdicts = self._verdicts.get(id(seen))
        if verdicts is None:
            verdicts = self._verdicts[id(seen)] = _verdicts(seen)
        known = self._subjects.get((judged.kind, judged.id))
        if known and known.verdicts != verdicts:
            verdicts = tuple(
                sorted({**dict(verdicts), **{rule: worse for rule, worse in known.verdicts if worse == "fail"}}.items())
            )
        self._subjects[judged.kind, judged.id] = JudgedSubject(judged.kind, judged.id, judged.group, verdicts)

    def listed(self) -> tuple[JudgedSubject, ...]:
        """All of them, in the order in which they were judged."""
        return tuple(self._subjects.values())


def _verdicts(seen: _Seen) -> tuple[tuple[str, str], ...]:
    said = [(rule.id, "pass") for rule in seen.passed] + [(rule.id, "fail") for rule in seen.failed]
    return tuple(sorted([*said, *((rule.id, "unknown") for rule, _ in seen.unknown)]))


class RuleAnswers(msgspec.Struct):
    """What the rules say of some subjects: of all subjects of an inventory, or of a share."""

    findings: dict[FindingKey, Finding]
    cases: Cases
    unknown: dict[Unknown, tuple[set[str], int]]
    """what was not given -> the rules that want it, and the number of subjects that they could not judge"""
    passed: Counter[str]
    failed: Counter[str]
    undecided: Counter[str]
    limit: str = ""

    def add(self, others: "RuleAnswers") -> None:
        """Add what the rules say of the subjects that come after these."""
        for key, finding in others.findings.items():
            known = self.findings.setdefault(key, finding)
            if key[1] == "policy" and SEVERITIES.index(finding.severity) < SEVERITIES.index(known.severity):
                self.findings[key] = finding
        self.cases.add_all(others.cases)
        for unknown, (rules, subjects) in others.unknown.items():
            mine, number = self.unknown.get(unknown, (set[str](), 0))
            self.unknown[unknown] = mine | rules, number + subjects
        self.passed += others.passed
        self.failed += others.failed
        self.undecided += others.undecided
        self.limit = self.limit or others.limit

    def evaluation(self, rules: Iterable[Rule]) -> Evaluation:
        """What came of all rules and subjects. Findings are sorted, see `order`."""
        passed, failed, unknown = self.passed, self.failed, self.undecided
        tallies = [
            Tally(i, passed[i] + failed[i] + unknown[i], passed[i], failed[i], unknown[i])
            for i in sorted(rule.id for rule in rules)
        ]
        return Evaluation(sort_findings(self.cases.named(self.findings)), _missing(self.unknown), tallies, self.limit)


def evaluate(
    rules: Sequence[Rule],
    subjects: Iterable[Judged],
    locate: Locate,
    offering: Offering | None = None,
    accounts_of: AccountsOf | None = None,
    work: Work | None = None,
) -> Evaluation:
    """Every rule about every subject, see `answers`."""
    return answers(rules, subjects, locate, offering, accounts_of, work).evaluation(rules)


def answers(
    rules: Sequence[Rule],
    subjects: Iterable[Judged],
    locate: Locate,
    offering: Offering | None = None,
    accounts_of: AccountsOf | None = None,
    work: Work | None = None,
    record: JudgedSubjects | None = None,
) -> RuleAnswers:
    """What every rule says of every subject. `offering` says what mends a finding, `accounts_of` which service accounts it
    concerns; what that costs is charged to the policy, of the `work` of the run. Every subject is added to the `record`."""
    work = work or Work()
    by_type = _questions(rules)
    memo: dict[msgspec.Struct, _Seen] = {}
    # most subjects share the very record, and to look up a number is faster than to compare thirty facts
    same: dict[int, _Seen] = {}
    findings: dict[FindingKey, Finding] = {}
    cases = Cases()
    limit = ""
    for number, judged in enumerate(subjects):
        if number % _BETWEEN_LOOKS == 0 and (limit := reached()):
            break
        cases.add(judged)
        seen = same.get(id(judged.facts)) or memo.get(judged.facts)
        if seen is None:
            seen = memo[judged.facts] = _seen(by_type.get(type(judged.facts), ()), judged.facts)
            same[id(judged.facts)] = seen  # `memo` keeps the record, so that no other gets its number
        seen.subjects += 1
        if record is not None:
            record.add(judged, seen)
        if seen.failed:
            with work.on(judged.group):
                _say(seen.failed, judged, findings, cases, locate, offering, accounts_of)
    return _answers(findings, cases, memo.values(), limit)


_BETWEEN_LOOKS = 8
"""subjects that are judged between two looks at the limits of the run"""


def _say(
    failed: Iterable[Rule],
    judged: Judged,
    findings: dict[FindingKey, Finding],
    cases: Cases,
    locate: Locate,
    offering: Offering | None,
    accounts_of: AccountsOf | None,
) -> None:
    """Findings of one subject, each rule once: several grants of one bare policy are one subject, and the worst counts."""
    evidence = judged.evidence()
    for rule in failed:
        key = (rule.id, judged.kind, judged.id)
        if key not in findings or judged.case or judged.kind == "policy":
            finding = _finding(rule, judged, evidence, locate, offering, accounts_of)
            findings[key] = cases.merged(key, judged, findings.get(key), finding)


def _answers(findings: dict[FindingKey, Finding], cases: Cases, memo: Iterable[_Seen], limit: str) -> RuleAnswers:
    """The findings, and what the rules said of each fact record, counted by subjects."""
    unknown: dict[Unknown, tuple[set[str], int]] = {}
    passed, failed, undecided = Counter[str](), Counter[str](), Counter[str]()
    for seen in memo:
        by: dict[Unknown, set[str]] = {}
        for rule, answer in seen.unknown:
            for missing in answer.missing:
                by.setdefault(missing, set()).add(rule.id)
        for missing, ids in by.items():
            rules, subjects = unknown.get(missing, (set[str](), 0))
            unknown[missing] = rules | ids, subjects + seen.subjects
        passed.update({rule.id: seen.subjects for rule in seen.passed})
        failed.update({rule.id: seen.subjects for rule in seen.failed})
        undecided.update({rule.id: seen.subjects for rule, _ in seen.unknown})
    return RuleAnswers(
        findings=findings, cases=cases, unknown=unknown, passed=passed, failed=failed, undecided=undecided, limit=limit
    )


def _missing(unknown: Mapping[Unknown, tuple[set[str], int]]) -> list[Missing]:
    """What was not given, each with the rules that wanted it and the number of subjects that they could not judge."""
    rows: dict[tuple[str, str, str, str], tuple[set[str], int]] = {}
    for missing, (rules, subjects) in unknown.items():
        row = missing_input(missing, (), 0)
        key = row.missing, row.how, row.then, row.file
        known, number = rows.get(key, (set[str](), 0))
        rows[key] = known | rules, number + subjects
    return [
        Missing(missing, how, tuple(sorted(rules)), subjects, then, file)
        for (missing, how, then, file), (rules, subjects) in sorted(rows.items(), key=lambda item: item[0])
    ]
