"""Reports that pipelines read: JUnit, GitLab's code quality, Markdown."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from irsa_doctor.reports import FORMATS, Style
from tests.reports.saying import REPORTS, hostile, world


@pytest.mark.parametrize("name", REPORTS)
def test_junit_is_xml_with_a_failure_for_every_finding(name):
    report = REPORTS[name]()
    root = ET.fromstring(FORMATS["junit"](report, Style()))  # noqa: S314 - written a line above
    if name != "hostile":  # whose findings have no tallies
        assert len(root.findall(".//failure")) == len(report.findings)
    assert len(root.findall(".//error")) == sum(row.status == "unreadable" for row in report.documents)
    for suite in root:
        assert len(suite) == int(suite.get("tests", "0"))
        assert len(suite.findall(".//failure")) == int(suite.get("failures", "0"))


def test_junit_is_read_by_the_library_that_pipelines_use():
    from junitparser import JUnitXml

    read = JUnitXml.fromstring(FORMATS["junit"](world("shop"), Style()).encode())
    assert sum(suite.failures for suite in read) == len(world("shop").findings)


@pytest.mark.parametrize("name", REPORTS)
def test_gitlab_gets_what_its_schema_asks_for(name):
    report = REPORTS[name]()
    issues = json.loads(FORMATS["gitlab"](report, Style()))
    assert len(issues) == len(report.findings)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith("./")
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_markdown_folds_every_finding_and_says_what_is_missing():
    report = world("shop")
    text = FORMATS["markdown"](report, Style())
    assert text.count("<details>") == text.count("</details>") == len(report.findings)
    assert f"{len(report.unknown)} input missing" in text


def test_no_name_becomes_markup():
    text = FORMATS["markdown"](hostile(), Style())
    outside = re.sub(r"(`{3,})(?:sh|diff)\n.*?\n\1", "", text, flags=re.DOTALL)
    outside = re.sub(r"(`+) .*? \1(?=\n|$)", "", outside)
    for tag in re.findall(r"<[^>]*>", outside):
        assert tag in ("<details>", "</details>", "<summary>", "</summary>")
    assert "](" not in outside
    assert "@everyone" not in outside


def test_markdown_shows_the_change_of_a_policy_before_the_whole():
    text = FORMATS["markdown"](world("shop"), Style())
    change = text.index("```diff")
    assert change < text.index("```sh")
    assert re.search(r'^\+ +"oidc', text[change:], re.MULTILINE)
