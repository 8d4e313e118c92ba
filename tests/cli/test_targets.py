"""Where reports go: no link is followed, all targets are tried before anything is read, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.running import is_gone, run
from tests.systems import needs_unix

POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.mark.parametrize(
    "flags",
    [
        ["-f", "sarif:out"],
        ["-o", "out"],
        ["--write-baseline", "out"],
        ["-f", "text", "-f", "json:fine.json", "-f", "junit:out"],
    ],
)
def test_a_report_in_the_place_of_a_link_is_refused_and_nothing_is_written(tmp_path, flags):
    (tmp_path / "p.json").write_text(POLICY)
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "out").symlink_to("precious")
    result = run("check", "p.json", *flags, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "irsa-doctor: out: a link, and nothing is written through links\n"
    assert (tmp_path / "precious").read_text() == "keep"
    assert not (tmp_path / "fine.json").exists()


def test_standard_output_may_be_named_by_its_path(tmp_path):
    (tmp_path / "p.json").write_text(POLICY)
    assert json.loads(run("check", "p.json", "-f", "json:/dev/stdout", cwd=tmp_path).stdout)["documents"]


@needs_unix
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129)])
def test_a_run_that_is_ended_removes_what_it_has_begun(tmp_path, name, code):
    number = getattr(signal, name)
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    plugin.chmod(0o755)
    sign_in = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "u", "user": {"exec": sign_in}}],
    }
    (tmp_path / "k.json").write_text(json.dumps(config))
    command = [sys.executable, "-P", "-m", "irsa_doctor", "collect", "--kube", "--kubeconfig", "k.json", "-o", "out.json"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as doctor:
        pid = pid_in(tmp_path / "pid")
        doctor.send_signal(number)
        assert doctor.wait(20) == code
    assert is_gone(pid)
    assert sorted(os.listdir(tmp_path)) == ["k.json", "pid", "plugin"]


def pid_in(path: Path) -> int:
    """The number that a program writes, once it has."""
    for _ in range(600):
        if path.exists() and (text := path.read_text().strip()):
            return int(text)
        time.sleep(0.05)
    raise AssertionError("the program was not started")
