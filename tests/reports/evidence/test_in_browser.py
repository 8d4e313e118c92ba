"""The page of evidence in Chromium: what a reader sees of names that nobody would choose."""

import pytest

from irsa_doctor import api
from tests.cli.running import RIGHT, put
from tests.reports.evidence.stores import HOSTILE
from tests.servers.browser import CHROMIUM, browser
from tests.servers.programs import skipped_without
from tests.store.runs import audited, named

LINES = """(() => {
  const lines = [];
  for (const cell of document.querySelectorAll('td[data-of="account"]')) {
    if (/^[0-9]{12}$/.test(cell.textContent)) {
      const range = document.createRange();
      range.selectNodeContents(cell);
      lines.push(range.getClientRects().length);
    }
  }
  return lines;
})()"""


@pytest.mark.parametrize("width", [1280, 400])
@skipped_without("browser", bool(CHROMIUM), "no Chromium here")
def test_long_names_break_no_account_id_and_make_no_page_wider(tmp_path, width):
    names = ["a" * 300, HOSTILE, "\u202egnp.exe", "</style><script>document.title = 'run'</script>"]
    accounts = [
        {"id": f"{10**11 + n}", "name": name, "ou": ["r-1", f"ou-{name}"], "state": "unknown", "why": name, "taken": ""}
        for n, name in enumerate(names)
    ]
    manifest = {"schema": "irsa-doctor.manifest/1", "organization": "o-example", "accounts": accounts, "shards": []}
    put(tmp_path / "input" / "manifest.json", manifest)
    audited(tmp_path, named("a" * 64, RIGHT))
    evidence = api.audit_report(store=str(tmp_path / "audit.db"), frameworks=["soc2"])
    page = tmp_path / "page.html"
    page.write_text("".join(api.render_evidence(evidence, "html")), encoding="utf-8")
    with browser(tmp_path / "profile") as chromium:
        chromium.open(page.as_uri())
        chromium.call(
            "Emulation.setDeviceMetricsOverride",
            chromium.page,
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        chromium.wait("document.readyState == 'complete'")
        lines = chromium.value(LINES)
        assert len(lines) >= len(names)
        assert set(lines) == {1}
        assert chromium.value("document.documentElement.scrollWidth") <= width
        assert chromium.value("document.title") != "run"
        assert chromium.requests == [page.as_uri()]
