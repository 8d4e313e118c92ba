"""The page in headless Chromium, with the project's own wheel in Pyodide."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from playground.answers import MOST
from tests.playground.command_line import calls_for, printed
from tests.playground.documents import DOCUMENTS
from tests.servers.browser import CHROMIUM, Browser, browser, served
from tests.servers.programs import skipped_without
from tools.playground import LIBRARY, ROOT, assemble

CACHE = ROOT / ".cache" / "playground"
_READY = "document.documentElement?.dataset.ready"
_ANSWERED = "document.documentElement.dataset.answered ?? ''"
# keeps the text of each answer for the comparison
_KEEP = """
globalThis.kept = {};
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message) {
  if (!this.watched) {
    this.watched = true;
    this.addEventListener("message", ({ data }) => { if (data.kind === "answer") globalThis.kept[data.number] = data.text; });
  }
  return post.call(this, message);
};
"""

pytestmark = [
    skipped_without("browser", bool(CHROMIUM), "no Chromium here"),
    skipped_without("playground", (CACHE / ".installed").exists(), "no Pyodide here: make playground"),
    pytest.mark.xdist_group("playground"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("playground")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "wheel"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    assemble(folder / "site", next((folder / "wheel").glob("*.whl")), CACHE)
    return folder / "site"


def names_in(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        return set(opened.namelist())


def test_every_module_of_the_wheel_and_of_python_is_there_as_bytecode(site):
    wheel = next((site.parent / "wheel").glob("*.whl"))
    modules = {name for name in names_in(wheel) if name.endswith(".py")}
    packages = names_in(site / "packages.zip")
    assert {f"{name}c" for name in modules} <= packages
    assert [name for name in packages | names_in(site / "pyodide" / LIBRARY) if name.endswith(".py")] == []


@pytest.fixture(scope="module")
def opened(site, tmp_path_factory):
    with served(site) as (address, requests), browser(tmp_path_factory.mktemp("profile")) as page:
        page.open(address, before=_KEEP)
        page.wait(_READY, 300)
        page.address, page.served = address, requests
        yield page


def ask(page: Browser, documents: str, role: str = "", error: str = "") -> str:
    """Fill in the form and send it off; the answer of the worker as text."""
    before = page.value(_ANSWERED)
    for field, text in (("documents", documents), ("role", role), ("error", error)):
        page.value(f"document.getElementById('{field}').value = {json.dumps(text)}")
    page.value("document.getElementById('form').requestSubmit()")
    number = page.wait(f"({_ANSWERED}) !== {json.dumps(before)} && ({_ANSWERED})", 120)
    return page.value(f"kept[{number}]")


def text_of(page: Browser, selector: str = "#shown") -> str:
    return page.value(f"document.querySelector({json.dumps(selector)}).textContent")


def test_the_page_answers_as_the_command_line_does(opened, tmp_path):
    answers, calls = {}, []
    for number, (name, pasted) in enumerate(DOCUMENTS.items()):
        answers[name] = json.loads(ask(opened, *pasted))
        folder = tmp_path / str(number)
        folder.mkdir()
        for file in answers[name]["files"]:
            (folder / file["path"]).write_bytes(file["text"].encode())
        calls += [(name, part, folder, call) for part, call in calls_for(answers[name], answers[name]["error"]).items()]
    outputs = printed([(folder, call) for *_, folder, call in calls])
    of_command_line = {(name, part): output for (name, part, _, _), output in zip(calls, outputs, strict=True)}
    assert len(answers) >= 50
    for name, answer in answers.items():
        for part in ("check", "fix"):
            assert answer[part] == of_command_line.get((name, part)), (name, part)
        for row in answer["who_can"]:
            assert row == of_command_line[name, f"who_can {row['role']}"], name
        several = (of_command_line.get((name, "why_all")) or {"subjects": []})["subjects"]
        assert answer["why"] in ([of_command_line.get((name, "why"))], several), name


def test_nothing_was_asked_for_but_what_the_site_has(opened, site):
    ask(opened, *DOCUMENTS["every-account"])
    own = {"/" + path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()} | {"/"}
    assert set(opened.served) <= own
    assert opened.requests
    assert {url for url in opened.requests if not url.startswith((opened.address, f"blob:{opened.address}"))} == set()
    assert opened.console == []


def test_neither_the_page_nor_its_worker_can_send_anything_elsewhere(opened, tmp_path):
    with served(tmp_path) as (elsewhere, requests):
        send = f"fetch('{elsewhere}', {{mode: 'no-cors'}}).then(() => 'sent', () => 'refused')"
        image = f"Object.assign(new Image(), {{onload: done, onerror: done, src: '{elsewhere}x.png'}})"
        assert opened.value(send) == "refused"
        assert opened.workers
        assert {opened.value(send, worker) for worker in opened.workers} == {"refused"}
        opened.value(f"new Promise((resolve) => {{ const done = () => resolve(1); {image}; }})")
        assert requests == []
        opened.console.clear()  # what the policy refused


def test_markup_in_a_document_is_shown_as_text(opened):
    ask(opened, *DOCUMENTS["markup"])
    assert "<script>alert(1)</script>" in text_of(opened)
    assert opened.value("document.querySelectorAll('#shown script, #shown img').length") == 0
    assert opened.console == []


def test_addresses_in_documents_become_no_links(opened):
    ask(opened, "", "", "InvalidIdentityToken: No OpenIDConnect provider found in your account for javascript:alert(1)")
    links = opened.value("[...document.querySelectorAll('#shown a')].map((link) => link.protocol)")
    assert set(links) <= {"https:"}


def test_a_huge_text_is_refused_beside_its_field(opened):
    before = opened.value(_ANSWERED)
    opened.value(f"document.getElementById('documents').value = 'x'.repeat({MOST + 1})")
    opened.value("document.getElementById('documents').dispatchEvent(new Event('input', {bubbles: true}))")
    opened.value("document.getElementById('form').requestSubmit()")
    assert f"this page takes {MOST:,}" in text_of(opened, "#size")
    assert opened.value("document.getElementById('check').disabled")
    assert opened.value(_ANSWERED) == before
    opened.value("document.getElementById('documents').value = ''")
    opened.value("document.getElementById('documents').dispatchEvent(new Event('input', {bubbles: true}))")
    assert not opened.value("document.getElementById('check').disabled")


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_window(opened, width):
    opened.call("Emulation.setDeviceMetricsOverride", opened.page, width=width, height=900, deviceScaleFactor=1, mobile=False)
    for name in ("every-account", "policy-account-message", "kiosk/plan/plan.json"):
        ask(opened, *DOCUMENTS[name])
        opened.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        assert opened.value("document.documentElement.scrollWidth") <= width, name


def test_every_field_and_button_has_a_name_and_every_part_a_heading(opened):
    ask(opened, *DOCUMENTS["policy-and-account"])
    nodes = opened.call("Accessibility.getFullAXTree", opened.page)["nodes"]
    shown = [node for node in nodes if not node["ignored"]]
    fields = [node for node in shown if node["role"]["value"] in ("textbox", "button", "link", "heading", "region")]
    assert len(fields) > 10
    assert [node for node in fields if not node["name"]["value"].strip()] == []


def test_the_keyboard_reaches_the_check_and_ctrl_enter_sends_it_off(opened):
    before = opened.value(_ANSWERED)
    opened.value('document.getElementById(\'documents\').value = \'{"Version": "2012-10-17", "Statement": []}\'')
    opened.value("document.getElementById('documents').focus()")
    opened.call(
        "Input.dispatchKeyEvent", opened.page, type="keyDown", key="Enter", code="Enter", modifiers=2, windowsVirtualKeyCode=13
    )
    assert opened.wait(f"({_ANSWERED}) !== {json.dumps(before)}")
