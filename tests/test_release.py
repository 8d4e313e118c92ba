"""What a release publishes: the same bytes each time, and a krew plugin that runs the version of its own."""

import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools.krew import archive, manifest  # noqa: E402


def wheel(folder, **environment):
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path.read_bytes()


def test_a_wheel_has_the_same_bytes_whenever_and_by_whomever_it_is_built(tmp_path):
    first = wheel(tmp_path / "a", TZ="UTC")
    before = os.umask(0o077)
    try:
        assert wheel(tmp_path / "b", TZ="Asia/Tokyo", LANG="C") == first
    finally:
        os.umask(before)


def test_the_manifest_of_krew_names_the_archive_by_its_hash():
    content = archive("1.2.3")
    assert content == archive("1.2.3")
    document = yaml.safe_load(manifest("1.2.3", content))
    (platform,) = document["spec"]["platforms"]
    assert platform["sha256"] == hashlib.sha256(content).hexdigest()
    assert document["spec"]["version"] == "v1.2.3"
    assert platform["uri"].endswith("/releases/download/v1.2.3/kubectl-irsa_doctor.tar.gz")
    # https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/: at most 50 characters
    assert len(document["spec"]["shortDescription"]) <= 50
    with tarfile.open(fileobj=io.BytesIO(content)) as members:
        assert sorted(members.getnames()) == sorted(entry["from"] for entry in platform["files"])
        assert members.getmember(platform["bin"]).mode & stat.S_IXUSR


@pytest.mark.parametrize(
    ("program", "called"),
    [
        ("uvx", "uvx --from irsa-doctor==1.2.3 irsa-doctor check a b"),
        ("pipx", "pipx run --spec irsa-doctor==1.2.3 irsa-doctor check a b"),
    ],
)
def test_the_plugin_runs_its_own_version_by_what_is_installed(tmp_path, program, called):
    with tarfile.open(fileobj=io.BytesIO(archive("1.2.3"))) as members:
        members.extractall(tmp_path, filter="data")
    programs = tmp_path / "bin"
    programs.mkdir()
    # another version on the path is passed over
    for name, words in ((program, f'echo "{program} $*"'), ("irsa-doctor", 'echo "irsa-doctor 0.0.1"')):
        (programs / name).write_text(f"#!/bin/sh\n{words}\n")
        (programs / name).chmod(0o755)
    done = subprocess.run(
        [tmp_path / "kubectl-irsa_doctor", "check", "a", "b"],
        env={"PATH": f"{programs}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == called


def test_the_plugin_says_what_it_lacks(tmp_path):
    with tarfile.open(fileobj=io.BytesIO(archive("1.2.3"))) as members:
        members.extractall(tmp_path, filter="data")
    done = subprocess.run(
        [tmp_path / "kubectl-irsa_doctor"], env={"PATH": str(tmp_path / "none")}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "install uv or pipx" in done.stderr) == (127, True)
