"""Writes where the project is published into every file that names it: once, when that is decided.

Until then each of them says PROJECT_URL.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER = "PROJECT_URL"
ABOUT_IT = frozenset({"Makefile", "CONTRIBUTING.md", "tools/project_url.py", "tests/test_project_url.py"})
"""files that speak of the placeholder itself"""

_URL = re.compile(r"https://[a-z0-9.-]+/(?P<path>[\w.-]+(?:/[\w.-]+)+?)(?:\.git)?/?", re.ASCII)
# where a host takes the path of a repository, and not its address
_PATH = re.compile(rf"((?:uses|project): |--repo ){PLACEHOLDER}\b")


def filled(text: str, url: str) -> str:
    """A text with the address of the project in it; raises ValueError for what is no address of a repository."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError(f"{url}: not an address such as https://host/owner/name")
    return _PATH.sub(rf"\g<1>{match['path']}", text).replace(PLACEHOLDER, url.removesuffix("/").removesuffix(".git"))


def files(root: Path) -> list[Path]:
    """The files under version control that name the project's address."""
    call = ["git", "-C", str(root), "grep", "--files-with-matches", "--fixed-strings", PLACEHOLDER]
    listed = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False).stdout  # noqa: S603 - our own call
    return [root / name for name in listed.splitlines() if name not in ABOUT_IT]


def fill(root: Path, url: str) -> None:
    """Write the address into the files of a work tree."""
    for path in files(root):
        path.write_text(filled(path.read_text(encoding="utf-8"), url), encoding="utf-8")


if __name__ == "__main__":
    fill(ROOT, sys.argv[1])
