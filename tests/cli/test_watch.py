"""`check --watch` checks again when files change, until it is interrupted."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.cli.running import OPEN, RIGHT, put, role, run

SECONDS = 60
pytestmark = pytest.mark.skipif(os.name == "nt", reason="ends by a signal")


class Watched:
    """A run with --watch: what it prints up to each time that it waits."""

    def __init__(self, folder, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "irsa_doctor", "check", "--watch", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def report(self, seconds=SECONDS):
        """What is printed until the files are watched; "" where nothing is within the time."""
        text, until = "", time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                text += self.lines.get(timeout=0.1)
                if "Ctrl-C ends" in text:
                    return text
        return ""

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@pytest.fixture
def watched(tmp_path):
    runs = []

    def start(*arguments):
        runs.append(Watched(tmp_path, *arguments))
        return runs[-1]

    yield start
    for each in runs:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait()
        each.reader.join(SECONDS)
        each.process.stdout.close()


def test_a_change_is_checked_and_an_interrupt_is_130(tmp_path, watched):
    put(tmp_path / "roles" / "role.json", role(RIGHT))
    run_ = watched("roles")
    first = run_.report()
    assert "open-aud-only" not in first
    assert "\x1b" not in first
    put(tmp_path / "roles" / "role.json", role(OPEN))
    assert "open-aud-only" in run_.report()
    (tmp_path / "roles" / "role.json").unlink()
    put(tmp_path / "roles" / "new.json", role(RIGHT))
    assert "open-aud-only" not in run_.report()
    assert run_.end() == 130


def test_a_half_written_file_and_an_empty_folder_are_reported_and_watched_on(tmp_path, watched):
    file = put(tmp_path / "roles" / "role.json", '{"Role": {"Arn')
    run_ = watched("roles")
    assert "nothing could be read" in run_.report()
    file.unlink()
    assert "an empty folder" in run_.report()
    put(file, role(OPEN))
    assert "open-aud-only" in run_.report()
    assert run_.end(signal.SIGTERM) == 143


def test_a_report_in_the_folder_is_no_change_of_it_and_settings_are(tmp_path, watched):
    put(tmp_path / "role.json", role(OPEN))
    settings = put(tmp_path / "irsa-doctor.toml", "")
    run_ = watched("role.json", "-f", "text", "-f", "json:out.json", ".")
    assert "open-aud-only" in run_.report()
    assert run_.report(3) == ""
    settings.write_text('ignore = ["open-aud-only"]')
    assert "open-aud-only" not in run_.report()
    assert run_.end() == 130


@pytest.mark.parametrize("arguments", [("-",), ("--aws",)])
def test_what_cannot_be_watched_is_a_wrong_call(tmp_path, arguments):
    done = run("check", "--watch", *arguments, cwd=tmp_path)
    assert (done.returncode, "--watch is for files" in done.stderr) == (2, True)
