import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from irsa_doctor.reports import FORMATS, Style
from tests.reports.saying import HOSTILE, REPORTS, hostile, world

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "br", "rect", "path"}


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
def test_a_browser_shows_it_without_an_error(name, tmp_path):
    if not CHROMIUM:
        pytest.skip("no Chromium here")
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
