import json
import re
import subprocess
from pathlib import Path

import pytest

from irsa_doctor.reports import Style
from irsa_doctor.reports.sarif import render_sarif
from tests.reports.saying import REPORTS, hostile, world

TOOLS = Path(__file__).parent.parent.parent / ".cache" / "sarif" / "node_modules" / "@microsoft"


def sarif(name):
    return json.loads(render_sarif(REPORTS[name](), Style()))


def find(name: str) -> Path:
    found = sorted(TOOLS.rglob(name)) if TOOLS.is_dir() else []
    if not found:
        pytest.skip("the SARIF validators are not there: make tools")
    return found[0]


@pytest.mark.parametrize("name", REPORTS)
def test_the_schema_of_sarif_accepts_it(name):
    from jsonschema import Draft4Validator

    schema = json.loads(find("sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    errors = [error.message for error in Draft4Validator(schema).iter_errors(sarif(name))]
    assert errors == []


@pytest.mark.parametrize("name", REPORTS)
def test_the_multitool_finds_nothing_wrong(name, tmp_path):
    binary = find("Sarif.Multitool")
    (tmp_path / "in.sarif").write_text(render_sarif(REPORTS[name](), Style()), encoding="utf-8")
    subprocess.run(
        [binary, "validate", "in.sarif", "--rule-kind", "Sarif;Gh", "--output", "out.sarif", "--log", "ForceOverwrite"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=120,
    )
    answer = json.loads((tmp_path / "out.sarif").read_text(encoding="utf-8-sig"))
    wrong = [
        (result["ruleId"], result["message"], result.get("locations"))
        for run in answer["runs"]
        for result in run.get("results", ())
        if result.get("level", "warning") == "error"
    ]
    assert wrong == []


def test_every_finding_is_a_result_with_its_fingerprint_and_line():
    report = world("shop")
    results = sarif("shop")["runs"][0]["results"]
    assert [r["partialFingerprints"]["irsaDoctor/v1"] for r in results] == [f.fingerprint for f in report.findings]
    for result, finding in zip(results, report.findings, strict=True):
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] == finding.locations[0].line


def test_rules_carry_their_help_and_their_weight():
    run = sarif("shop")["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [result["ruleId"] for result in run["results"]]
    for rule in rules:
        assert rule["help"]["markdown"]
        assert 0 < float(rule["properties"]["security-severity"]) <= 10


def test_what_is_waived_is_suppressed_and_what_could_not_be_seen_is_a_notification():
    run = json.loads(render_sarif(hostile(), Style()))["runs"][0]
    assert sum("suppressions" in result for result in run["results"]) == len(hostile().waived)
    levels = [note["level"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert levels.count("error") == len(hostile().documents)
    assert levels.count("warning") == len(hostile().unknown)


def test_paths_are_uri_references_whatever_is_in_them():
    run = json.loads(render_sarif(hostile(), Style()))["runs"][0]
    for result in run["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"(?:file://)?(?:[A-Za-z0-9/\-_.~]|%[0-9A-F]{2})+", uri)
