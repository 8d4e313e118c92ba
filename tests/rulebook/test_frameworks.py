import shutil
from datetime import date

import pytest

from irsa_doctor import api
from irsa_doctor.governance.settings import Settings, Waiver
from irsa_doctor.model.findings import Report
from irsa_doctor.reports import Style
from irsa_doctor.reports.controls import render_controls_text
from irsa_doctor.rulebook.frameworks import ControlResult, by_control, frameworks, read_framework
from irsa_doctor.rulebook.rules import RuleError, shipped_rules
from tests.cli.running import run
from tests.reports.saying import WORLDS, empty, world


def checked(**settings) -> tuple[Report, dict[str, ControlResult]]:
    """The broken world judged by these settings, and its controls of SOC 2."""
    said = Settings(complete=("serviceaccounts",), framework="soc2", **settings)
    report = api.check([str(WORLDS / "shop")], settings=said)
    found = api.controls(report, said)
    assert found is not None
    return report, {control.id: control for control in found.controls}


@pytest.mark.parametrize("name", frameworks())
def test_every_control_that_is_shipped_has_a_title(name):
    assert [control for control, title in frameworks()[name].controls.items() if not title] == []


@pytest.mark.parametrize("name", frameworks())
def test_every_control_has_a_verdict_and_its_rules(name):
    found = by_control(name, world("shop"), shipped_rules())
    assert [control.id for control in found.controls] == list(frameworks()[name].controls)
    for control in found.controls:
        assert (control.verdict == "not covered") == (not control.rules)
        assert (control.verdict == "fail") == bool(control.findings)


def test_a_control_fails_by_its_findings_and_passes_without():
    verdicts = {c.id: c.verdict for c in by_control("soc2", world("shop"), shipped_rules()).controls}
    assert verdicts["CC6.3"] == "fail"
    assert verdicts["CC6.8"] == "not covered"


def test_what_was_not_looked_at_does_not_pass():
    verdicts = {control.verdict for control in by_control("soc2", empty(), shipped_rules()).controls}
    assert verdicts == {"not examined", "not covered"}


def test_the_page_names_what_nothing_covers_and_gives_no_opinion():
    report = world("shop")
    text = render_controls_text(report, by_control("soc2", report, shipped_rules()), Style())
    assert "Not covered by any rule" in text
    assert "an auditor decides" in text


def test_the_flag_limits_the_rules_to_those_that_bear_on_the_framework():
    done = run("check", "shop", "--framework", "cis-eks", "--exit-zero", cwd=WORLDS)
    assert done.returncode == 0
    assert "CIS Amazon EKS Benchmark" in done.stdout
    assert run("check", "shop", "--framework", "soc3", cwd=WORLDS).returncode == 2


def test_every_control_that_a_rule_names_is_in_the_data():
    named = {(name, control.id) for rule in shipped_rules() for name, listed in rule.controls.items() for control in listed}
    assert named <= {(name, ident) for name, framework in frameworks().items() for ident in framework.controls}


def test_rules_support_a_control_or_are_related_to_it():
    relations = {control.relation for rule in shipped_rules() for listed in rule.controls.values() for control in listed}
    assert relations == {"supports", "related"}


@pytest.mark.parametrize("threshold", [{"min_severity": "critical"}, {"min_confidence": "high"}])
def test_a_threshold_changes_no_verdict(threshold):
    _, before = checked()
    _, after = checked(**threshold)
    assert {ident: control.verdict for ident, control in after.items()} == {i: control.verdict for i, control in before.items()}


def test_what_a_baseline_hides_still_fails(tmp_path):
    file = tmp_path / "baseline.json"
    run("check", "shop", "--complete", "serviceaccounts", "--write-baseline", str(file), cwd=WORLDS)
    _, before = checked()
    report, after = checked(baseline=str(file))
    assert not [finding for finding in report.findings if finding.controls.get("soc2")]
    assert after["CC6.3"].verdict == before["CC6.3"].verdict == "fail"
    assert sum(bearing.unshown for bearing in after["CC6.3"].rules) == len(before["CC6.3"].findings)


def test_what_is_waived_is_no_pass():
    _, before = checked()
    rules = [bearing.rule for bearing in before["CC6.3"].rules if bearing.failed]
    _, after = checked(waivers=tuple(Waiver(rule, "*", "me", "because", date.max, severity="critical") for rule in rules))
    assert before["CC6.3"].verdict == "fail"
    assert after["CC6.3"].verdict == "waived"


def test_a_rule_that_is_off_is_named_as_not_asked():
    _, before = checked()
    only = before["CC6.6"].rules[0].rule
    report, after = checked(ignore=(only,))
    assert after["CC6.6"].verdict == "not examined"
    assert [bearing.asked for bearing in after["CC6.6"].rules] == [False]
    text = render_controls_text(report, by_control("soc2", report, shipped_rules()), Style())
    assert "0 unknown, 1 off" in text


def test_documents_that_could_not_be_read_and_inputs_not_given_are_on_the_page(tmp_path):
    shutil.copytree(WORLDS / "shop", tmp_path / "shop")
    (tmp_path / "shop" / "broken.json").write_text('{"Version": ', encoding="utf-8")
    done = run("check", "shop", "--complete", "serviceaccounts", "--framework", "cis-eks", "--exit-zero", cwd=tmp_path)
    assert "input-unreadable: shop/broken.json" in done.stdout
    assert "aws eks list-pod-identity-associations" in done.stdout


FRAMEWORK = """{
 "id": "ours",
 "title": "Our handbook",
 "version": "3",
 "controls": {
  "A1": "Roles are narrow",
  "A2": null
 }
}
"""


def test_a_framework_is_one_file(tmp_path):
    (tmp_path / "ours.json").write_text(FRAMEWORK)
    framework = read_framework(tmp_path / "ours.json")
    assert (framework.id, framework.controls) == ("ours", {"A1": "Roles are narrow", "A2": None})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"3",', '"3"', "5: a comma or `}` (for `{` of 1:1) was expected"),
        ("null\n", "null,\n", "7: a comma before `}`"),
        ('"title": "Our handbook"', '"name": "Our handbook"', "3: unknown key name."),
        (' "title": "Our handbook",\n', "", "1: title is missing"),
        ('"3"', "3", "4: expected text, found a number: quote it (version)"),
        ('"Roles are narrow"', "5", "expected text, found a number"),
        ('"ours"', '"theirs"', "2: id is theirs, the file name says ours"),
        ('"A2"', '"A1"', "7: A1 is given twice, first at line 6"),
        ('{\n  "A1": "Roles are narrow",\n  "A2": null\n }', "{}", "5: no controls"),
        (FRAMEWORK, "[]", "1: expected a mapping, found a list"),
        (FRAMEWORK, "", "1: "),
        (FRAMEWORK, "[" * 100_000, "1: more than"),
    ],
)
def test_a_framework_that_could_not_work_is_refused_with_its_line_and_why(tmp_path, old, new, says):
    assert FRAMEWORK.count(old) == 1
    (tmp_path / "ours.json").write_text(FRAMEWORK.replace(old, new))
    with pytest.raises(RuleError) as refusal:
        read_framework(tmp_path / "ours.json")
    assert str(refusal.value).startswith(f"{tmp_path}/ours.json:")
    assert says in str(refusal.value)


def test_indicators_of_fedramp_are_reached_by_the_controls_of_nist_that_they_list():
    framework = frameworks()["fedramp-20x"]
    rules = {rule.id: rule for rule in shipped_rules()}
    assert "AC-6" in framework.nist["KSI-IAM-ELP"]
    assert framework.relation(rules["open-aud-only"], "KSI-IAM-ELP") == "related"
    assert framework.relation(rules["open-aud-only"], "KSI-PIY-GIV") is None
    assert set(framework.nist) == set(framework.controls)
    assert all("fedramp-20x" not in rule.controls for rule in rules.values())
