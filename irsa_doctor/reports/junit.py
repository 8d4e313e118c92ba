"""The report as JUnit XML for CI servers: a suite for each rule, a case for each finding."""

from collections.abc import Iterator, Sequence

from irsa_doctor.model.findings import Finding, Report, Tally
from irsa_doctor.reports.escape import for_xml
from irsa_doctor.reports.layout import accounts_in_short
from irsa_doctor.reports.places import from_here
from irsa_doctor.reports.style import Style


def render_junit(report: Report, style: Style) -> str:
    """Returns findings as failures, unreadable documents as errors, and subjects with missing inputs as skipped cases."""
    bad = [row for row in report.documents if row.status == "unreadable"]
    by_rule: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    suites = [line for tally in report.tallies if tally.evaluated for line in _suite(tally, by_rule.get(tally.id, []))]
    if bad:
        suites.append(f'  <testsuite name="documents" tests="{len(bad)}" failures="0" errors="{len(bad)}" skipped="0">')
        for row in bad:
            suites.append(f'    <testcase classname="documents" name={_attribute(row.path)}>')
            suites.append(f"      <error message={_attribute(row.why or 'not readable')}/>")
            suites.append("    </testcase>")
        suites.append("  </testsuite>")
    head = f'<testsuites name="irsa-doctor" failures="{len(report.findings)}" errors="{len(bad)}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>"]) + "\n"


def _suite(tally: Tally, findings: Sequence[Finding]) -> Iterator[str]:
    rule = tally.id
    skipped = int(bool(tally.unknown))
    tests = max(len(findings) + skipped, 1)
    counts = f'tests="{tests}" failures="{len(findings)}" errors="0" skipped="{skipped}"'
    yield f"  <testsuite name={_attribute(rule)} {counts}>"
    for finding in findings:
        yield from _case(finding)
    if skipped:
        yield f"    <testcase classname={_attribute(rule)} name={_attribute(f'{tally.unknown} subjects')}>"
        yield '      <skipped message="not checked: an input is missing"/>'
        yield "    </testcase>"
    if not findings and not skipped:
        yield f"    <testcase classname={_attribute(rule)} name={_attribute(f'{tally.passed} subjects')}/>"
    yield "  </testsuite>"


def _case(finding: Finding) -> Iterator[str]:
    place = finding.locations[0]
    where = f"{from_here(place.file)}:{place.line}:{place.column}" if place.line else from_here(place.file)
    at = f" file={_attribute(from_here(place.file))}{f' line={_attribute(str(place.line))}' if place.line else ''}"
    yield f"    <testcase classname={_attribute(finding.rule)} name={_attribute(finding.subject.id)}{at}>"
    yield f"      <failure type={_attribute(finding.severity)} message={_attribute(finding.message)}>"
    concerned = accounts_in_short(finding.role_accounts.accounts).strip()
    yield "\n".join(for_xml(line) for line in (where, concerned, finding.remedy) if line)
    yield "      </failure>"
    yield "    </testcase>"


def _attribute(text: str) -> str:
    return f'"{for_xml(text)}"'
