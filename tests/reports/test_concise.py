import re

import pytest
from msgspec.structs import replace

from irsa_doctor.model.findings import Location
from irsa_doctor.reports import FORMATS, Style
from irsa_doctor.reports.concise import render_concise
from tests.cli.running import run
from tests.reports.saying import HOSTILE, REPORTS, WORLDS, empty, finding, world

# what a problem matcher of an editor or of GitHub reads: file, line, column, severity, code, message
MATCHER = re.compile(r"^(.+?):(\d+):(\d+) (critical|high|medium|low) (\S+) (.*)$")


@pytest.mark.parametrize("name", REPORTS)
def test_there_is_one_line_for_each_finding_and_nothing_else(name):
    report = REPORTS[name]()
    lines = render_concise(report, Style()).splitlines()
    assert len(lines) == len(report.findings)
    for line, shown in zip(lines, report.findings, strict=True):
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", line)
        assert f" {shown.severity} {shown.rule} " in line


def test_a_problem_matcher_finds_file_line_column_severity_and_rule(monkeypatch):
    monkeypatch.chdir(WORLDS)
    report = world("shop")
    for line, shown in zip(render_concise(report, Style()).splitlines(), report.findings, strict=True):
        file, row, column, severity, rule, message = MATCHER.match(line).groups()
        place = shown.locations[0]
        assert (WORLDS / file).samefile(place.file)
        assert (int(row), int(column), severity, rule) == (place.line, place.column, shown.severity, shown.rule)
        assert message.startswith(" ".join(shown.message.split()))
        accounts = shown.role_accounts.accounts
        assert not accounts.kept_out or all(account in message for account in accounts.ids)


def test_a_place_without_a_line_can_still_be_opened():
    shown = replace(finding("x", 0), locations=(Location("a.json", 0, 0, "", "", True),))
    assert render_concise(replace(empty(), findings=(shown,)), Style()) == "a.json:1:1 critical some-rule x\n"


def test_a_message_that_begins_with_its_file_does_not_repeat_it():
    shown = replace(finding("x", 0), message="a.json: not valid JSON", locations=(Location("a.json", 3, 4, "", "", True),))
    assert render_concise(replace(empty(), findings=(shown,)), Style()) == "a.json:3:4 critical some-rule not valid JSON\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_message_of_many_lines_is_one_line(text):
    shown = replace(finding("x", 0), message=text)
    assert render_concise(replace(empty(), findings=(shown,)), Style()).count("\n") == 1


def test_a_report_without_findings_is_empty():
    assert FORMATS["concise"](empty(), Style()) == ""


def test_the_command_line_has_it():
    done = run("check", "shop", "--no-config", "--complete", "serviceaccounts", "-f", "concise", cwd=WORLDS)
    assert done.returncode == 1
    assert all(MATCHER.match(line) for line in done.stdout.splitlines())
    assert done.stderr == ""
