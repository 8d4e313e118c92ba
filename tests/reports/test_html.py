import json
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser

import pytest

from irsa_doctor import api
from irsa_doctor.governance.settings import Settings
from irsa_doctor.reports import FORMATS, Style
from irsa_doctor.reports.presentation import Presentation
from tests.reports.saying import HOSTILE, REPORTS, WORLDS, hostile, world
from tests.servers.programs import skipped_without

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def page(name: str) -> str:
    return FORMATS["html"](REPORTS[name](), Style())


@pytest.mark.parametrize("name", REPORTS)
def test_it_is_one_page_without_scripts_or_anything_to_fetch(name):
    read = Reader(page(name))
    assert read.open == []
    ids = {attributes.get("id") for _, attributes in read.tags}
    for tag, attributes in read.tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "form", "base")
        assert not any(attribute.startswith("on") or attribute in ("src", "srcset") for attribute in attributes)
        if tag == "a":
            assert str(attributes["href"]).removeprefix("#") in ids


def test_every_finding_is_there_with_its_place_and_remedy():
    report = world("shop")
    text = re.sub(r"\s+", " ", Reader(page("shop")).text)
    for finding in report.findings:
        assert finding.rule in text
        assert re.sub(r"\s+", " ", finding.message.strip().replace("`", "")) in text


def test_hostile_names_are_text():
    text = Reader(page("hostile")).text
    assert "<script>alert(1)</script>" in text
    assert len(hostile().findings) == len(HOSTILE)


@pytest.mark.parametrize("name", ["shop", "hostile"])
@skipped_without("browser", bool(CHROMIUM), "no Chromium here")
def test_a_browser_shows_it_without_an_error(name, tmp_path):
    assert CHROMIUM is not None
    file = tmp_path / "report.html"
    file.write_text(page(name), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    done = subprocess.run(
        [CHROMIUM, *flags, f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    assert "CONSOLE" not in done.stderr
    assert Reader(done.stdout).text.count("Findings by subject") == 1


# what the page says of the run


def made(name="shop", framework=None, **settings):
    choice = Settings(complete=("serviceaccounts",), framework=framework, **settings)
    report = api.check([str(WORLDS / name)], settings=choice)
    shown = Presentation(command="irsa-doctor check shop", date="2999-01-02")
    return api.render_report(report, "html", framework=api.controls(report, choice), presentation=shown)


def test_the_page_has_the_day_and_the_command_line():
    text = Reader(made()).text
    assert "On 2999-01-02, irsa-doctor" in text
    assert "irsa-doctor check shop" in text


def test_a_secret_on_the_command_line_is_masked():
    report = api.check([str(WORLDS / "shop")])
    command = Presentation(command="irsa-doctor check x --password=hunter22")
    assert "hunter22" not in api.render_report(report, "html", presentation=command)


def test_no_framework_is_shown_that_was_not_requested():
    text = Reader(made()).text
    assert "soc2" not in text
    assert "SOC 2" not in text
    text = Reader(made(framework="soc2")).text
    assert text.count("Controls of SOC 2") == 1
    assert "ISO" not in text
    assert "iso27001" not in text


def test_the_controls_are_counted_as_in_the_text_report():
    choice = Settings(complete=("serviceaccounts",), framework="soc2")
    report = api.check([str(WORLDS / "shop")], settings=choice)
    evidence = api.controls(report, choice)
    text = Reader(made(framework="soc2")).text
    for verdict, number in Counter(control.verdict for control in evidence.controls).items():
        assert f"{number} {verdict}" in text


def test_a_step_of_which_nothing_was_examined_is_not_called_good(tmp_path):
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    (tmp_path / "trust.json").write_text(json.dumps(policy))
    page = api.render_report(api.check([str(tmp_path)]), "html")
    assert '<li class="open"><b>Pod</b> workload<span>not examined</span>' in page
    assert '<li class="open"><b>OIDC provider</b> in the account<span>not examined</span>' in page
    assert '<li class="good"><b>Pod</b>' not in page


def test_every_cell_of_a_table_repeats_its_heading_for_narrow_pages():
    read = Reader(made("kiosk"))
    cells = [attributes for tag, attributes in read.tags if tag == "td"]
    assert cells
    assert all(attributes["data-of"] for attributes in cells)


def test_the_first_finding_of_a_rule_names_its_page_and_the_change_of_the_policy_is_shown():
    text = Reader(made()).text
    rules = {finding.rule for finding in world("shop").findings}
    for rule in rules:
        assert text.count(f"irsa-doctor explain {rule}") == 1
    assert '+    "oidc.eks' in text


def test_what_folders_left_out_is_counted(tmp_path):
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text("{}")
    assert "1 folder passed over" in Reader(api.render_report(api.check([str(tmp_path)]), "html")).text


def test_a_finding_about_a_role_names_the_service_accounts_that_it_keeps_out():
    page = Reader(FORMATS["html"](world("shop"), Style()))
    assert "Service accounts that cannot assume the role: shop/billing/invoices" in page.text
