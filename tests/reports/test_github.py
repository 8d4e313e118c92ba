import re

import pytest

from irsa_doctor.reports import Style
from irsa_doctor.reports.github import render_github
from tests.reports.saying import REPORTS, WORLDS, hostile, world


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
    assert lines[-1].endswith(f"{len(report.waived)} waived, 2 known, 3 hidden; {len(report.unknown)} inputs missing")


def test_a_finding_stands_at_its_line_and_column(monkeypatch):
    monkeypatch.chdir(WORLDS.parent.parent)
    report = world("shop")
    first = render_github(report, Style()).splitlines()[0]
    place = report.findings[0].locations[0]
    assert f",line={place.line}," in first
    assert f",col={place.column}," in first
    assert first.startswith("::error file=fixtures/worlds/shop/")
