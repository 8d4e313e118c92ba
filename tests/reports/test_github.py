import re

import pytest
from msgspec.structs import replace

from irsa_doctor.model.findings import Location, Missing
from irsa_doctor.reports import Style
from irsa_doctor.reports.github import render_github
from tests.reports.saying import REPORTS, WORLDS, empty, finding, hostile, world


@pytest.mark.parametrize("name", REPORTS)
def test_every_line_is_one_command_that_nothing_breaks_out_of(name):
    text = render_github(REPORTS[name](), Style())
    for line in text.splitlines():
        match = re.fullmatch(r"::(error|warning|notice) ((?:[a-zA-Z]+=[^:,]*)(?:,[a-zA-Z]+=[^:,]*)*)::([^\r\n]*)", line)
        assert match, line
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)
        assert not re.search(r"%(?!25|0A|3A|2C)", line)


def test_there_is_a_command_for_every_finding_and_every_missing_input():
    report = hostile()
    lines = render_github(report, Style()).splitlines()
    assert len(lines) == len(report.findings) + len(report.unknown) + 1
    assert lines[-1].endswith(f"{len(report.waived)} waived, 2 in the baseline, 3 hidden; {len(report.unknown)} inputs missing")


def test_a_finding_stands_at_its_line_and_column(monkeypatch):
    monkeypatch.chdir(WORLDS.parent.parent)
    report = world("shop")
    first = render_github(report, Style()).splitlines()[0]
    place = report.findings[0].locations[0]
    assert f",line={place.line}," in first
    assert f",col={place.column}," in first
    assert first.startswith("::error file=fixtures/worlds/shop/")


def test_standard_input_is_no_file_to_annotate():
    place = Location("-", 3, 2, "", "", True)
    line = render_github(replace(empty(), findings=(replace(finding("x", 0), locations=(place,)),)), Style()).splitlines()[0]
    assert line.startswith("::error title=")


@pytest.mark.parametrize("name", ["a\n::error::b", "a%0A::error::b", "a,line=1::b", "a\r\n##[error]b", "a\u2028::error::b"])
def test_a_name_stays_inside_its_property_and_message(name):
    text = render_github(replace(empty(), findings=(finding(name, 0),)), Style())
    command, summary = text.splitlines()
    properties = dict(part.split("=", 1) for part in command.split("::")[1].partition(" ")[2].split(","))
    assert list(properties) == ["file", "line", "col", "endColumn", "title"]
    assert summary.startswith("::notice title=irsa-doctor::")


def test_what_nobody_asked_for_by_a_rule_is_said_without_rules():
    missing = Missing("the subnets", "aws ec2 describe-subnets", (), 0)
    first = render_github(replace(empty(), unknown=(missing,)), Style()).splitlines()[0]
    assert first == "::warning title=input missing::Not in the input: the subnets.%0ATo get it: aws ec2 describe-subnets"
