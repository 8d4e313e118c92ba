"""Programs that sign in leave no child behind when they are ended, in whatever session it is."""

import os
import sys
import time

import pytest

from irsa_doctor.sources.live.programs import AwsProgram, end_programs, run_to_end

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children outside of the group are found on Linux")
_CHILDREN = {
    "a session of its own": "setsid sleep 60 &",
    "a daemon": "setsid sh -c 'sleep 60 & exit' &",
    "its group": "sleep 60 &",
    "one that ignores the request": "setsid sh -c 'trap \"\" TERM; sleep 60; sleep 60' &",
}


def program(folder, child):
    """A program that starts a child and waits for something that never comes."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{child}\nexec sleep 60\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def left(folder):
    """The processes that have the folder of a test in their environment."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                found += [pid] if f"OF_TEST={folder}".encode() in environment.read() else []
        except OSError:
            continue
    return found


def gone(folder):
    """Whether all of them end; what was ended may take a moment to go."""
    until = time.monotonic() + 5
    while left(folder) and time.monotonic() < until:
        time.sleep(0.05)
    return not left(folder)


@pytest.mark.parametrize("child", _CHILDREN)
def test_what_a_program_of_a_kubeconfig_started_ends_with_it(tmp_path, child):
    environment = {**os.environ, "OF_TEST": str(tmp_path)}
    with pytest.raises(TimeoutError):
        run_to_end([program(tmp_path, _CHILDREN[child])], environment, 0.5)
    assert gone(tmp_path)


@pytest.mark.parametrize("has_terminal", [False, True])
@pytest.mark.parametrize("child", _CHILDREN)
def test_what_a_credential_process_started_ends_with_the_run(tmp_path, monkeypatch, child, has_terminal):
    monkeypatch.setattr("irsa_doctor.sources.live.programs._has_terminal", lambda: has_terminal)
    monkeypatch.setenv("OF_TEST", str(tmp_path))
    started = AwsProgram([program(tmp_path, _CHILDREN[child])])
    monkeypatch.delenv("OF_TEST")
    time.sleep(0.3)
    end_programs()
    started.wait()
    assert gone(tmp_path)


def test_what_ends_by_itself_leaves_its_agent(tmp_path):
    """An agent that keeps a key for the next call was started to stay."""
    environment = {**os.environ, "OF_TEST": str(tmp_path)}
    ended = f"{program(tmp_path, 'setsid sleep 3 > /dev/null 2>&1 &')}"
    (tmp_path / "program").write_text((tmp_path / "program").read_text().replace("exec sleep 60", "echo done"))
    assert run_to_end([ended], environment, 5)[:2] == (0, b"done\n")
    assert left(tmp_path)
