import json
import re
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from irsa_doctor.model.findings import Finding, Location, Report
from irsa_doctor.reports import Style
from irsa_doctor.reports.sarif import render_sarif
from irsa_doctor.rulebook.rules import shipped_rules
from tests.reports.saying import REPORTS, empty, finding, hostile, of_every_rule, world
from tests.servers.programs import required

TOOLS = Path(__file__).parent.parent.parent / ".cache" / "sarif" / "node_modules" / "@microsoft"


def sarif(name):
    return json.loads(render_sarif(REPORTS[name](), Style()))


def run_of(*findings: Finding, **more) -> dict:
    """The run of a report of these findings."""
    report: Report = replace(empty(), findings=findings, **more)
    return json.loads(render_sarif(report, Style()))["runs"][0]


def find(name: str) -> Path:
    found = sorted(TOOLS.rglob(name)) if TOOLS.is_dir() else []
    if not found and not required("sarif"):
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
    for result, found in zip(results, report.findings, strict=True):
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] == found.locations[0].line


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


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("./a b/50%.json", "a%20b/50%25.json"),
        ("c:roles.json", "c%3Aroles.json"),
        ("../up?#.json", "../up%3F%23.json"),
        ("/not/here/a.json", "file:///not/here/a.json"),
        ("-", "stdin"),
        ("\udcff.json", "%FF.json"),
        ("\U0001d482é.json", "%F0%9D%92%82%C3%A9.json"),
    ],
)
def test_a_path_is_quoted_byte_by_byte(file, uri):
    place = Location(file, 1, 1, "", "", True)
    result = run_of(replace(finding("x", 0), locations=(place,)))["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_a_path_below_the_current_folder_is_relative_to_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = Location(str(tmp_path / "k8s" / "sa.yaml"), 1, 1, "", "", True)
    result = run_of(replace(finding("x", 0), locations=(place,)))["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "k8s/sa.yaml"}


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ((3, 2, 3, 9), {"startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 9}),
        ((3, 2, 5, 1), {"startLine": 3, "startColumn": 2, "endLine": 5, "endColumn": 1}),
        ((3, 2, 0, 0), {"startLine": 3, "startColumn": 2}),
        ((3, 2, 3, 2), {"startLine": 3, "startColumn": 2}),
        ((3, 2, 4, 0), {"startLine": 3, "startColumn": 2}),
        ((3, 0, 3, 9), {"startLine": 3}),
        ((0, 0, 0, 0), None),
    ],
)
def test_a_region_says_what_is_known_of_a_place(place, region):
    line, column, end_line, end_column = place
    where = Location("f", line, column, "", "", True, end_line, end_column)
    result = run_of(replace(finding("x", 0), locations=(where,)))["results"][0]
    assert result["locations"][0]["physicalLocation"].get("region") == region


def test_findings_on_one_line_stay_apart_for_github_which_reads_one_fingerprint():
    first, second = run_of(finding("a", 1), finding("b", 2))["results"]
    assert first["locations"][0]["physicalLocation"]["region"] == second["locations"][0]["physicalLocation"]["region"]
    marks = [result["partialFingerprints"]["primaryLocationLineHash"] for result in (first, second)]
    assert marks == [f"{1:032x}:1", f"{2:032x}:1"]


def test_every_other_place_is_linked_from_the_message():
    results = [result for result in sarif("shop")["runs"][0]["results"] if "relatedLocations" in result]
    assert results
    for result in results:
        for place in result["relatedLocations"]:
            assert f"[{place['message']['text']}]({place['id']})" in result["message"]["text"]


@pytest.mark.parametrize("text", ["[click](https://evil.example/)", "[a\\](1)", "x](0)", "{0} and {12}"])
def test_names_make_neither_links_nor_placeholders(text):
    [result] = run_of(finding(text, 0))["results"]
    message = result["message"]["text"]
    assert re.findall(r"\]\(([^)]*)\)", message) == ["1"]
    assert not re.search(r"(?<!\{)\{\d+\}(?!\})", message)


def test_a_rule_is_as_grave_as_its_worst_finding_and_as_sure_as_its_least_sure():
    worst = replace(finding("x", 0), severity="critical", confidence="high")
    least = replace(finding("y", 1), severity="low", confidence="low")
    for findings in ((worst, least), (least, worst)):
        [rule] = run_of(*findings)["tool"]["driver"]["rules"]
        assert rule["defaultConfiguration"]["level"] == "error"
        assert float(rule["properties"]["security-severity"]) > 9
        assert rule["properties"]["precision"] == "low"


def test_rules_keep_to_the_limits_of_github():
    rules = json.loads(render_sarif(of_every_rule(), Style()))["runs"][0]["tool"]["driver"]["rules"]
    assert len(rules) == len(shipped_rules())
    for rule in [*rules, *run_of(*hostile().findings)["tool"]["driver"]["rules"]]:
        assert len(rule["name"]) <= 255
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule["properties"]["tags"][0] == "security"
        assert len(rule["properties"]["tags"]) <= 20


def test_controls_that_a_rule_supports_come_before_those_that_it_is_related_to():
    rule = next(r for r in shipped_rules() if {c.relation for cs in r.controls.values() for c in cs} == {"supports", "related"})
    rules = json.loads(render_sarif(of_every_rule(), Style()))["runs"][0]["tool"]["driver"]["rules"]
    tags = next(described["properties"]["tags"] for described in rules if described["id"] == rule.id)
    supported = {f"{name}/{c.id}" for name, listed in rule.controls.items() for c in listed if c.relation == "supports"}
    assert set(tags[1 : 1 + len(supported)]) == supported


def test_what_a_rule_of_somebody_else_says_is_no_markup():
    bad = replace(finding("x", 0), title="<img src=x> [a](https://evil.example/)", remedy="**do** ![](https://evil.example/)\n")
    [rule] = run_of(bad)["tool"]["driver"]["rules"]
    assert not re.search(r"[<\[]|://", rule["help"]["markdown"])
    assert "\\x0a" not in rule["help"]["text"]


def test_a_waiver_is_external_and_a_comment_is_in_the_source():
    waivers = [
        replace(waived, expires=expires) for waived, expires in zip(hostile().waived[:2], ("2999-01-01", ""), strict=True)
    ]
    results = run_of(waived=tuple(waivers))["results"]
    assert [result["suppressions"][0]["kind"] for result in results] == ["external", "inSource"]
    assert all(result["suppressions"][0]["status"] == "accepted" for result in results)


def test_a_run_that_read_nothing_did_not_succeed():
    assert run_of(documents=hostile().documents)["invocations"][0]["executionSuccessful"] is False
    assert sarif("shop")["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_the_command_that_fetches_an_input_can_be_copied():
    notes = sarif("shop")["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    wanted = world("shop").unknown
    assert wanted
    for missing, note in zip(wanted, notes, strict=True):
        assert note["message"]["text"].endswith(f"To get it: `{missing.how}`, then run check with `{missing.addition}`")
