"""One process at a time writes to a store; one that was killed keeps nobody out."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from irsa_doctor.text import locking
from irsa_doctor.text.locking import FileHeld, locked

pytest.importorskip("fcntl", reason="on Windows SQLite alone keeps others out")
HOLDER = """
import os, sys, time
from irsa_doctor.text.locking import locked
with locked(sys.argv[1]):
    if sys.argv[2:]:
        if os.fork() == 0:
            time.sleep(60)
        os.close(1)
    print("held", file=sys.stderr, flush=True)
    time.sleep(60)
"""


def holder(path, *options):
    """A process that has a lock; with options it has a copy of itself."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, path, *options], stderr=subprocess.PIPE, start_new_session=True)
    process.stderr.readline()
    return process


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "_PATIENCE", 0.2)
    return str(tmp_path / "store.lock")


def test_whoever_has_a_lock_is_named(path):
    process = holder(path)
    try:
        with pytest.raises(FileHeld, match=f"process {process.pid}"), locked(path):
            pass
    finally:
        process.kill()
        process.communicate()


def test_a_copy_of_a_process_that_was_killed_keeps_nobody_out(path):
    process = holder(path, "copy")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    try:
        with locked(path):
            assert os.path.exists(path)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.stderr.close()
    assert not os.path.exists(path)


def test_a_lock_that_becomes_free_in_time_is_taken(path, monkeypatch):
    monkeypatch.setattr(locking, "_PATIENCE", 30)
    process = holder(path)
    end = threading.Timer(0.5, process.kill)
    end.start()
    with locked(path):
        assert process.wait() == -signal.SIGKILL
    end.join()
    process.communicate()


def test_the_file_of_a_lock_that_another_has_removed_is_no_lock(path, monkeypatch):
    """Else two processes would write: one with the file that was removed, one with the new one."""
    free = locking._is_free

    def removed_meanwhile(lock):
        if os.path.exists(path) and not os.path.exists(f"{path}.seen"):
            os.unlink(path)
            open(f"{path}.seen", "w").close()
        return free(lock)

    monkeypatch.setattr(locking, "_is_free", removed_meanwhile)
    with locked(path), pytest.raises(FileHeld), locked(path):
        pass
