"""The pages as `make docs` builds them: they load nothing from elsewhere, need no script, and answer what newcomers search."""

import html
import http.server
import json
import re
import shutil
import subprocess
import threading
from functools import partial
from pathlib import Path

import pytest

from tests.servers.programs import skipped_without
from tools.site.links import broken_links, read_html

BUILT = Path(__file__).parent.parent.parent / "dist" / "docs"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = skipped_without("pages", (BUILT / "searchindex.js").is_file(), "the pages are not built: make docs")

QUESTIONS = {
    # what is searched for: pages that answer it, one of which is among the first results; and the answer
    "Not authorized to perform sts:AssumeRoleWithWebIdentity": ("errors/denied", "trust-sub-mismatch"),
    "No OpenIDConnect provider found in your account": ("errors/no-provider", "aws iam list-open-id-connect-providers"),
    "how to install": ("installation", "pip install"),
    "exit codes": ("output", "Exit codes"),
    "baseline of existing findings": ("settings", "--write-baseline"),
    "github pull request workflow": ("ci", "pull_request"),
    "permissions for live reads": ("live", "irsa-doctor permissions"),
    "which service accounts can assume a role": ("open-role", "irsa-doctor who-can"),
    "trust policy for GitHub Actions": ("issuers/github", "token.actions.githubusercontent.com"),
    "comparison with Checkov": ("comparison", "parliament"),
    "Incorrect token audience": ("errors/audience", "aud-not-in-clientids"),
    "token file permission denied": ("errors/token-denied", "token-file-perm-denied"),
    "Unable to locate credentials": ("errors/no-credentials", "sdk-"),
    "ExpiredTokenException": ("errors/expired", "clock-skew"),
    "AI agents": ("agents", "irsa-doctor mcp"),
    "data sent anywhere": ("certainty", "No data is sent anywhere"),
    "waive a finding": ("settings", "expires"),
    "diff of two revisions": ("diff", "--git"),
    "leaked token": ("causes/leaked-token", "What to do"),
    "private rules": ("private-rules", "--rules"),
}
FIRST = 5
"""results that somebody looks at"""

ASK = """<!doctype html><pre id="answers"></pre><script>
const questions = QUESTIONS, answers = {};
const sleep = ms => new Promise(done => setTimeout(done, ms));
async function ask(question) {
  const frame = document.createElement("iframe");
  frame.src = "/search.html?q=" + encodeURIComponent(question);
  document.body.append(frame);
  let links = [];
  for (let n = 0; n < 300 && links.length < FIRST; n++) {
    await sleep(50);
    links = [...frame.contentDocument.querySelectorAll("ul.search > li > a")].map(link => link.getAttribute("href"));
  }
  frame.remove();
  answers[question] = links;
}
(async () => {
  for (const question of questions) await ask(question);
  document.getElementById("answers").textContent = JSON.stringify(answers);
})();
</script>"""


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A browser that has seen enough closes the connection."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/ask":
            super().do_GET()
            return
        page = ASK.replace("QUESTIONS", json.dumps(list(QUESTIONS))).replace("FIRST", str(FIRST)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    server = Server(("127.0.0.1", 0), partial(Quiet, directory=str(BUILT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def shown(path):
    """What a reader sees of a page without a script."""
    text = (BUILT / f"{path}.html").read_text(encoding="utf-8")
    article = re.search(r"<article.*?</article>", text, re.DOTALL)[0]
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<script.*?</script>", "", article, flags=re.DOTALL)))


def test_every_link_and_anchor_of_the_site_holds():
    assert list(broken_links(BUILT)) == []


def test_no_page_loads_anything_from_elsewhere():
    for path in BUILT.rglob("*.html"):
        if "playground" not in path.parts:
            loaded = re.findall(
                r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=\"([^\"]+)\"", path.read_text(encoding="utf-8")
            )
            assert [target for target in loaded if "//" in target] == [], path


def test_what_a_page_says_is_in_it_without_a_script():
    paths = [
        path.relative_to(BUILT).with_suffix("").as_posix() for path in BUILT.rglob("*.html") if "playground" not in path.parts
    ]
    assert len(paths) > 500
    assert [path for path in paths if path not in ("search", "genindex") and len(shown(path).split()) < 15] == []
    assert "hidden" not in {
        attribute for path in ("index", "errors") for attribute in re.findall(r"<article[^>]*>", shown(path))
    }


def test_the_menu_and_the_dark_theme_need_no_script():
    style = "".join(path.read_text(encoding="utf-8") for path in (BUILT / "_static").rglob("*.css"))
    # dark where the system is, unless a script has chosen light
    assert re.search(r"@media\s*\(prefers-color-scheme:\s*dark\)\s*\{\s*body:not\(\[data-theme=\"?light\"?\]\)", style)
    targets = read_html(BUILT / "index.html").targets
    assert {"installation.html", "refused-workload.html", "errors.html", "rules.html", "comparison.html"} <= set(targets)


@skipped_without("browser", bool(CHROMIUM), "no Chromium here")
def test_a_search_for_what_newcomers_ask_leads_to_the_page_with_the_answer(address, tmp_path):
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=600000", f"{address}/ask"], capture_output=True, text=True, check=True, timeout=240
    )
    answers = json.loads(html.unescape(re.search(r'<pre id="answers">(.*?)</pre>', done.stdout, re.DOTALL)[1]))
    for question, (page, answer) in QUESTIONS.items():
        results = [target.partition("?")[0].partition("#")[0].removesuffix(".html") for target in answers[question]]
        assert page in results, (question, results)
        assert answer in shown(page), question
