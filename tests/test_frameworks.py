import pytest

from irsa_doctor.frameworks import by_control, frameworks
from irsa_doctor.reports import Style
from irsa_doctor.reports.controls import render_controls_text
from irsa_doctor.rulebook import shipped_rules
from tests.cli.running import run
from tests.reports.saying import WORLDS, empty, world


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
    assert "for an auditor to say" in text


def test_the_flag_limits_the_rules_to_those_that_bear_on_the_framework():
    done = run("check", "shop", "--framework", "cis-eks", "--exit-zero", cwd=WORLDS)
    assert done.returncode == 0
    assert "CIS Amazon EKS Benchmark" in done.stdout
    assert run("check", "shop", "--framework", "soc3", cwd=WORLDS).returncode == 2
