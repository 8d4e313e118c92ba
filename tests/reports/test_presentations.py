"""What `-q`, `--statistics` and `--show-unknown` change, format by format, and where role findings name service accounts."""

import json
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from irsa_doctor import api
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.findings import AccountList, Missing, RoleAccounts
from irsa_doctor.reports import FORMATS, Style
from irsa_doctor.reports.presentation import Presentation
from tests.cli.running import run
from tests.reports.saying import WORLDS, empty, finding, world

STATISTICS, QUIET, WHOLE = Presentation(statistics=True), Presentation(quiet=True), Presentation(unknown=True)
MISSING = tuple(Missing(f"pods of cluster-{n}", f"kubectl get pods > {n}.yaml", ("some-rule",), 1) for n in range(4))
BROKEN = tuple(f"prod/shop/app-{n}" for n in range(2))


def report(kept_out=True, names=BROKEN):
    accounts = AccountList(names, len(names), kept_out)
    shown = replace(finding("x", 0), role_accounts=RoleAccounts(lambda: accounts))
    tallies = tuple(replace(tally, id="some-rule") for tally in world("shop").tallies[:1])
    return replace(empty(), findings=(shown, finding("x", 1)), unknown=MISSING, tallies=tallies)


@pytest.mark.parametrize("name", ["text", "concise", "markdown", "html", "sarif", "junit", "gitlab", "github", "json"])
def test_a_finding_about_a_role_names_the_service_accounts_that_it_breaks_in_every_format(name):
    shown = FORMATS[name](report(), Style())
    assert all(account in shown for account in BROKEN)


@pytest.mark.parametrize("name", ["text", "markdown", "html", "sarif", "junit", "gitlab", "github", "json"])
def test_a_finding_about_an_open_role_names_those_that_use_it(name):
    assert BROKEN[0] in FORMATS[name](report(kept_out=False), Style())
    assert "ervice accounts that" not in FORMATS[name](report(names=()), Style())


def test_sarif_has_the_service_accounts_as_logical_locations():
    result = json.loads(FORMATS["sarif"](report(), Style()))["runs"][0]["results"][0]
    names = [place["fullyQualifiedName"] for place in result["locations"][0]["logicalLocations"]]
    assert names == ["x", *BROKEN]
    assert "Service accounts that cannot assume the role: prod/shop/app-0, prod/shop/app-1." in result["message"]["text"]


def test_junit_has_them_in_the_text_of_the_failure():
    root = ET.fromstring(FORMATS["junit"](report(), Style()))  # noqa: S314 - written a line above
    assert "cannot assume the role: prod/shop/app-0" in (root.findall(".//failure")[0].text or "")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("text", "  1  critical  some-rule  x"),
        ("concise", "1 critical some-rule x"),
        ("markdown", "| 1 | critical | x &#40;some-rule&#41; |"),
    ],
)
def test_statistics_are_counts_in_place_of_findings(name, line):
    shown = FORMATS[name](report(), Style(), STATISTICS)
    assert line in shown.splitlines()
    assert "prod/shop" not in shown


@pytest.mark.parametrize("name", ["text", "markdown", "github"])
def test_a_quiet_report_has_no_missing_inputs(name):
    assert "pods of cluster-1" not in FORMATS[name](report(), Style(), QUIET)
    assert "prod/shop/app-0" in FORMATS[name](report(), Style(), QUIET)


@pytest.mark.parametrize("presentation", [STATISTICS, QUIET])
@pytest.mark.parametrize("name", ["json", "sarif", "junit", "gitlab", "html"])
def test_documents_for_programs_are_whole_whatever_is_requested(name, presentation):
    assert FORMATS[name](report(), Style(), presentation) == FORMATS[name](report(), Style())


def by_control(presentation, name="shop"):
    settings = Settings(framework="soc2")
    checked = api.check([str(WORLDS / name)], settings=settings)
    return api.render_report(checked, framework=api.controls(checked, settings), presentation=presentation)


def test_the_report_by_control_is_quiet_too():
    lines = by_control(QUIET).splitlines()
    assert lines
    assert all(line.startswith((" ", "fail")) or not line for line in lines)


def test_the_report_by_control_has_statistics_in_place_of_findings():
    plain, counted = by_control(Presentation()), by_control(STATISTICS)
    assert "arn:aws:iam::" in plain
    assert "arn:aws:iam::" not in counted.partition("Not covered")[0]
    assert "By rule" in counted


def test_the_report_by_control_names_missing_inputs_in_short_or_whole():
    assert "--show-unknown lists them" in by_control(Presentation(), "kiosk")
    assert "kubectl get serviceaccounts -A" in by_control(WHOLE, "kiosk")


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "gitlab", "github", "html"])
def test_statistics_of_a_format_that_has_none_are_a_wrong_call(form, tmp_path):
    done = run("check", str(WORLDS / "shop"), "--statistics", "-f", form, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--statistics is for text, concise and markdown" in done.stderr


def test_statistics_are_for_the_format_that_has_them(tmp_path):
    call = ("check", str(WORLDS / "shop"), "--statistics", "-f", "json:a.json", "-f", "concise", "--exit-zero")
    done = run(*call, cwd=tmp_path)
    assert done.returncode == 0
    assert all(line.split()[0].isdigit() for line in done.stdout.splitlines())
