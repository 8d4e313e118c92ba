"""The controls of each framework, and what a report shows of them: evidence, and no opinion on compliance."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from irsa_doctor.model.findings import Finding, Report, Tally
from irsa_doctor.rulebook.rules import Relation, Rule, RuleError
from irsa_doctor.rulebook.yaml_files import Invalid, converted, read_yaml_file, refused
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json

ControlVerdict = Literal["fail", "unknown", "waived", "pass", "not examined", "not covered"]


_NIST = "nist-800-53"


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A framework, its version, and those of its controls that concern credentials of workloads; a title may be unknown.

    `nist` are the controls of NIST SP 800-53 that the framework itself lists for each of its own, where it does: a rule that
    bears on one of them is related to the control (https://github.com/FedRAMP/docs, FRMR.documentation.json).
    """

    id: str
    title: str
    version: str
    controls: dict[str, str | None]
    nist: dict[str, list[str]] = {}

    def relation(self, rule: Rule, control: str) -> Relation | None:
        """How a rule bears on a control of the framework, None where it does not."""
        for known in rule.controls.get(self.id, ()):
            if known.id == control:
                return known.relation
        listed = self.nist.get(control, ())
        return "related" if any(known.id in listed for known in rule.controls.get(_NIST, ())) else None

    def concerns(self, rule: Rule) -> bool:
        """Whether a rule bears on a control of the framework."""
        return self.id in rule.controls or any(self.relation(rule, control) for control in self.nist)


class Bearing(msgspec.Struct, frozen=True):
    """A rule that bears on a control: it supports it, or is merely related; with what it said.

    `asked` is false where a flag or setting turned the rule off. `passed`, `failed` and `unknown` count subjects; `waived` and
    `unshown` count findings that somebody answers for, and findings that a baseline or a threshold keeps out of the report.
    """

    rule: str
    relation: str
    asked: bool
    passed: int
    failed: int
    unknown: int
    waived: int
    unshown: int


class ControlResult(msgspec.Struct, frozen=True):
    """What the rules say of one control, and the fingerprints of the findings that they say it by.

    `fail` counts findings that are not shown as well. `waived`: every finding is waived.
    `not examined`: no rule found a subject. `not covered`: no rule bears on it.
    """

    id: str
    title: str | None
    verdict: ControlVerdict
    rules: tuple[Bearing, ...]
    findings: tuple[str, ...]


class FrameworkReport(msgspec.Struct, frozen=True):
    """A framework, control by control."""

    id: str
    title: str
    version: str
    controls: tuple[ControlResult, ...]


@cache
def frameworks() -> Mapping[str, Framework]:
    """Every framework by id, in the order of their ids: each is one file beside this module."""
    known = [read_framework(file) for file in sorted(Path(__file__).parent.glob("*.json"))]
    return {framework.id: framework for framework in known}


def read_framework(path: Path) -> Framework:
    """The framework of a file, checked; raises RuleError."""
    scan = read_json(path.read_bytes())
    if isinstance(scan, TextError):
        raise RuleError(f"{path}:{scan.line or 1}: {scan.why}")
    if scan.duplicates:
        read_yaml_file(path)  # raises RuleError with both lines
    try:
        framework = converted(scan.value, Framework)
        if framework.id != path.stem:
            raise Invalid(f"id is {framework.id}, the file name says {path.stem}", ("id",))
        if not framework.controls:
            raise Invalid("no controls", ("controls",))
    except Invalid as invalid:
        # JSON is YAML, whose reader knows the lines
        raise refused(path, read_yaml_file(path)[1], invalid) from invalid
    return framework


def rules_of(framework: str, rules: Sequence[Rule]) -> list[Rule]:
    """The rules that bear on a control of the framework, and those that speak of the input itself."""
    known = frameworks().get(framework) or Framework(framework, framework, "", {})
    return [rule for rule in rules if known.concerns(rule) or {"document", "waiver", "settings"} & set(rule.subject)]


def by_control(framework: str, report: Report, rules: Sequence[Rule]) -> FrameworkReport:
    """The report, seen through the controls of a framework."""
    known = frameworks()[framework]
    tallies = {tally.id: tally for tally in report.tallies}
    controls = tuple(_control(ident, title, known, report, rules, tallies) for ident, title in known.controls.items())
    return FrameworkReport(framework, known.title, known.version, controls)


def _control(
    ident: str, title: str | None, framework: Framework, report: Report, rules: Sequence[Rule], tallies: Mapping[str, Tally]
) -> ControlResult:
    bearings: list[Bearing] = []
    for rule in rules:
        relation = framework.relation(rule, ident)
        if relation:
            bearings.append(_bearing(rule.id, relation, tallies.get(rule.id), report.unshown.get(rule.id, 0)))
    bearings.sort(key=lambda bearing: (bearing.relation != "supports", bearing.rule))
    ids = {bearing.rule for bearing in bearings}
    failing: list[Finding] = [finding for finding in report.findings if finding.rule in ids]
    return ControlResult(ident, title, _verdict(bearings, failing), tuple(bearings), tuple(f.fingerprint for f in failing))


def _bearing(rule: str, relation: str, tally: Tally | None, unshown: int) -> Bearing:
    if tally is None:
        return Bearing(rule, relation, False, 0, 0, 0, 0, unshown)
    return Bearing(rule, relation, True, tally.passed, tally.failed, tally.unknown, tally.waived, unshown)


def _verdict(bearings: Sequence[Bearing], failing: Sequence[Finding]) -> ControlVerdict:
    if not bearings:
        return "not covered"
    # a threshold or a baseline changes what is shown, never what is so
    if failing or any(bearing.unshown for bearing in bearings):
        return "fail"
    if any(bearing.unknown for bearing in bearings):
        return "unknown"
    if any(bearing.waived for bearing in bearings):
        return "waived"
    return "pass" if any(bearing.passed for bearing in bearings) else "not examined"
