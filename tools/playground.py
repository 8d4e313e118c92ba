"""Assembles the playground: the page, the wheel of the project, what it imports in the browser, and Pyodide.

Everything is locked: the wheels by requirements/run.txt, Pyodide by playground/package-lock.json. The folder is served as it is
by any web server for files.
"""

import argparse
import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "playground"
PAGE = ("index.html", "app.js", "answer.js", "examples.js", "worker.js", "style.css", "icon.svg")
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json")
LIBRARY = "python_stdlib.zip"
PYTHON = "3.14"
SITE_PACKAGES = "/lib/python3.14/site-packages"
WHEELS = {"msgspec": "pyemscripten_2026_0_wasm32", "pyyaml": "manylinux2014_x86_64"}
"""package -> the platform of its wheel: PyYAML has none for the browser, and of another one the part in Python is taken"""
_LEFT_OUT = re.compile(r"^_yaml/|^yaml/.*\.so$|^irsa_doctor/_(?:rules|causes|requirements)/|\.pyi$|/RECORD$|/py\.typed$")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""the time of every file of an archive, so that the same sources are the same bytes"""


def locked(lock: str, package: str) -> str:
    """The lines of a lock that pin one package."""
    match = re.search(rf"^{re.escape(package)}==.*(?:\n[ \t]+--hash.*)+", lock, re.MULTILINE)
    if match is None:
        raise ValueError(f"the lock does not name {package}")
    return match[0] + "\n"


def fetch(package: str, cache: Path) -> None:
    """Fetch the locked wheel of a package into the folder `wheels` of a cache, and check its hash."""
    requirement = cache / f"{package}.txt"
    requirement.write_text(locked((ROOT / "requirements" / "run.txt").read_text(encoding="utf-8"), package), encoding="utf-8")
    target = cache / "wheels" / package
    shutil.rmtree(target, ignore_errors=True)
    call = [
        *(sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "--quiet", "download"),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--implementation", "cp", "--abi", "cp314"),
        *("--python-version", PYTHON, "--platform", WHEELS[package], "--requirement", str(requirement), "--dest", str(target)),
    ]
    subprocess.run(call, check=True)  # noqa: S603 - our own call


def fetched(package: str, cache: Path) -> Path:
    """The wheel of a package in a cache. Raises FileNotFoundError."""
    wheel = next((cache / "wheels" / package).glob("*.whl"), None)
    if wheel is None:
        raise FileNotFoundError(f"no wheel of {package} in {cache}: make playground")
    return wheel


def pack(target: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write an archive of files by name, sorted and without times."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)


def files_of(wheel: Path) -> list[tuple[str, bytes]]:
    """The files of a wheel that the browser needs, with its licences: no sources of the rulebook, which has an index."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not _LEFT_OUT.search(name)]
        return [(name, archive.read(name)) for name in names]


def own_files() -> list[tuple[str, bytes]]:
    """The Python of the page itself."""
    return [(f"playground/{name}", (SOURCE / name).read_bytes()) for name in ("__init__.py", "answers.py")]


def compiled(pyodide: Path, sources: Path, folder: str, target: Path) -> None:
    """Write an archive again with bytecode in place of its modules, which is loaded much faster than these are compiled."""
    call = ["node", str(SOURCE / "compile.mjs"), str(pyodide), str(sources), folder, str(target)]
    subprocess.run(call, check=True)  # noqa: S603 - our own call


def entry(path: Path) -> dict[str, str]:
    """What the worker has to know of an archive: its address beside the page, and its hash (subresource integrity)."""
    digest = base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()
    return {"path": path.name, "integrity": f"sha256-{digest}"}


def prepare(cache: Path) -> None:
    """Fetch the wheels into a cache, and compile Python's library there: Pyodide ships its sources."""
    for package in WHEELS:
        fetch(package, cache)
    pyodide = cache / "node_modules" / "pyodide"
    compiled(pyodide, pyodide / LIBRARY, "/lib/python314.zip", cache / LIBRARY)


def assemble(target: Path, wheel: Path, cache: Path) -> None:
    """Write the playground into a folder, from the wheel of the project and a cache that is prepared."""
    shutil.rmtree(target, ignore_errors=True)
    pyodide = target / "pyodide"
    pyodide.mkdir(parents=True)
    for name in PAGE:
        shutil.copyfile(SOURCE / name, target / name)
    for name in PYODIDE:
        shutil.copyfile(cache / "node_modules" / "pyodide" / name, pyodide / name)
    shutil.copyfile(cache / LIBRARY, pyodide / LIBRARY)
    sources, packages = cache / "packages.zip", target / "packages.zip"
    wheels = (wheel, *(fetched(package, cache) for package in WHEELS))
    pack(sources, [*own_files(), *(file for each in wheels for file in files_of(each))])
    compiled(pyodide, sources, SITE_PACKAGES, packages)
    manifest = {"version": wheel.name.split("-")[1], "packages": entry(packages)}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("cache", type=Path, help="the folder with node_modules and wheels")
    options.add_argument("--fetch", action="store_true", help="prepare the cache, and do no more")
    options.add_argument("--wheel", type=Path, help="the wheel of the project")
    options.add_argument("--into", type=Path, default=ROOT / "dist" / "playground", help="the folder to write")
    call = options.parse_args()
    if call.fetch:
        prepare(call.cache)
    else:
        assemble(call.into, call.wheel, call.cache)
