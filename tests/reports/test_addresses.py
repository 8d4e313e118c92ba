"""The addresses that reports name: paths until the project has one, and pages that are there."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from irsa_doctor.reports.addresses import page_address, page_path, project_address, site_address
from irsa_doctor.rulebook.causes import shipped_causes
from irsa_doctor.rulebook.rules import shipped_rules
from tests.cli.running import OPEN, put, role, run
from tools.project_url import filled
from tools.site.__main__ import pages

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "https://github.com/Owner/irsa-doctor"
SITE = "https://owner.github.io/irsa-doctor"
PAGE = f"{SITE}/rules/open-aud-only.html"


def test_until_it_is_published_there_is_no_address():
    assert project_address("PROJECT_URL") == ""
    assert page_address("open-aud-only", "PROJECT_URL") == ""


@pytest.mark.parametrize(
    ("project", "site"),
    [
        (PROJECT, SITE),
        ("https://gitlab.com/owner/irsa-doctor", "https://owner.gitlab.io/irsa-doctor"),
        ("https://git.example.org/owner/irsa-doctor", ""),
    ],
)
def test_the_site_is_where_the_host_publishes_it(project, site):
    assert project_address(project) == project
    assert site_address(project) == site


def test_every_rule_and_cause_has_the_page_that_findings_point_to():
    written = {page.path for page in pages()}
    for ident in {rule.id for rule in shipped_rules()} | set(shipped_causes().by_id):
        assert page_path(ident).replace(".html", ".md") in written
        assert page_address(ident, PROJECT) == f"{SITE}/{page_path(ident)}"


def test_a_rule_of_somebody_else_has_no_page():
    assert page_path("our-own-rule") == ""
    assert page_address("our-own-rule", PROJECT) == ""


def test_findings_and_causes_name_the_paths_of_pages_that_are_not_published(tmp_path):
    put(tmp_path / "role.json", role(OPEN))
    report = json.loads(run("check", "role.json", "-f", "json", cwd=tmp_path).stdout)
    assert {finding["page"] for finding in report["findings"]} == {
        f"rules/{finding['rule']}.html" for finding in report["findings"]
    }
    diagnosis = json.loads(run("why", "--error", "Unable to locate credentials", "-f", "json", cwd=tmp_path).stdout)
    assert all(cause["page"] == page_path(cause["id"]) != "" for cause in diagnosis["causes"])
    assert "html" not in run("check", "role.json", cwd=tmp_path).stdout


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A copy of the package, with the address of the project in it."""
    folder = tmp_path_factory.mktemp("published")
    for name in ("irsa_doctor", "rules", "causes"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "irsa_doctor" / "reports" / "addresses.py"
    file.write_text(filled(file.read_text(encoding="utf-8"), PROJECT), encoding="utf-8")
    put(folder / "role.json", role(OPEN))
    return folder


@pytest.mark.parametrize(
    ("output_format", "has"),
    [
        ("text", "more: irsa-doctor explain open-aud-only or\n  {page}\n"),
        ("html", 'irsa-doctor explain open-aud-only</code> or <a href="{page}" rel="noreferrer">its page</a>'),
        ("markdown", "([more]({page}))"),
        ("json", '"page": "{page}"'),
        ("sarif", '"helpUri": "{page}"'),
    ],
)
def test_reports_link_the_page_once_it_is_published(published, output_format, has):
    call = [sys.executable, "-m", "irsa_doctor", "check", "role.json", "--select", "open-aud-only", "-f", output_format]
    environment = {**os.environ, "PYTHONPATH": str(published), "COLUMNS": "80"}
    done = subprocess.run(call, cwd=published, env=environment, capture_output=True, text=True, check=False)
    assert has.format(page=PAGE) in done.stdout
    assert done.stdout.count(PAGE) == 1
