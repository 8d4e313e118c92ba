"""Writes requirements/*.txt: what is installed to run, to build, to test and in CI, each version with its hashes.

A version counts once it is a week old: most packages that were published to do harm are gone by then.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
COOLDOWN = "7 days"
COMMON = (
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
)
DEV = ("--constraint", "requirements/dev.txt")
HASHES = "--generate-hashes"
HEAD = "# {what}. Written by make lock.\n"

CONTENTS = {
    "dev.txt": ("What make test, lint and types install, with hashes", (HASHES, "--extra=dev", "pyproject.toml")),
    "run.txt": ("What irsa-doctor needs to run, with hashes", (HASHES, *DEV, "pyproject.toml")),
    "build.txt": ("What builds the wheel, with hashes", (HASHES, *DEV, "--group=build")),
    "ci.txt": ("What make lock, workflows and audit install, with hashes", (HASHES, "--group=ci")),
    "docs.txt": ("What make docs installs, with hashes", (HASHES, "--group=docs")),
    "validators.txt": ("What make validators installs, with hashes", (HASHES, "--group=validators")),
    # pip takes no hash for a folder, and pre-commit installs a hook from its folder
    "hook.txt": ("Versions that the pre-commit hook is held to", (*DEV, "pyproject.toml")),
}
"""file -> what it says of itself, and how uv is called; dev.txt stands first, because the next are held to its versions"""


def write(uv: str, name: str) -> None:
    """Resolve one lock anew."""
    what, flags = CONTENTS[name]
    age = (f"--exclude-newer={COOLDOWN}", "--upgrade")
    call = [uv, "pip", "compile", *COMMON, *age, *flags]
    done = subprocess.run(call, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - what make names
    (LOCKS / name).write_text(HEAD.format(what=what) + done.stdout, encoding="utf-8")


if __name__ == "__main__":
    for lock in CONTENTS:
        write(sys.argv[1], lock)
