"""Where the project is published stands in one word until it is decided, and nothing points to what is not there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools.project_url import ABOUT_IT, files, fill, filled  # noqa: E402

URL = "https://git.example.org/platform/tools/irsa-doctor"
LISTED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split("\0")
TEXTS = [
    ROOT / name
    for name in LISTED
    if name.endswith((".md", ".yml", ".yaml", ".toml")) and not name.startswith(("tests/", "fixtures/"))
]

pytestmark = pytest.mark.skipif(not TEXTS, reason="not a clone")


def test_every_file_that_names_the_place_gets_it_at_once(tmp_path):
    copies = []
    for path in files(ROOT):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        copies.append(copy)
    assert {"README.md", "pyproject.toml", "ci.md", "plugin.yaml"} <= {copy.name for copy in copies}
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    fill(tmp_path, URL)
    texts = "\n".join(copy.read_text(encoding="utf-8") for copy in copies)
    assert "PROJECT_URL" not in texts
    assert "uses: platform/tools/irsa-doctor@COMMIT" in texts
    assert "project: platform/tools/irsa-doctor" in texts
    assert f"git clone {URL} irsa-doctor" in texts
    assert all(yaml.safe_load(copy.read_text(encoding="utf-8")) for copy in copies if copy.suffix in (".yml", ".yaml"))


@pytest.mark.parametrize(
    "url", ["irsa-doctor", "http://host/owner/name", "https://host", "https://host/name", "PROJECT_URL", "https://h/a/b c"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="not an address"):
        filled("PROJECT_URL", url)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_has_a_placeholder_of_its_own_or_a_tag_that_is_not_there(path):
    text = path.read_text(encoding="utf-8")
    if path.relative_to(ROOT).as_posix() not in ABOUT_IT:
        assert not re.search(
            r"\b(PLACE|REPOSITORY|OWNER)\b(?!=)", re.sub(r"\$\{?GITHUB_REPOSITORY|GITHUB_REPOSITORY", "", text)
        )
    # a version of an action of others stands beside its commit
    assert not re.search(r"irsa-doctor[^\n]*@v?\d+\.\d|\bv0\.1\.0\b", text)
    for address in re.findall(r"https://(?:github|gitlab)\.com/[\w.-]*/irsa-doctor\b", text):
        pytest.fail(address)
