import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty", reason="Windows has no such terminals")

SLOW = """
import time
from irsa_doctor.cli.progress import progress
with progress() as on_stage:
    on_stage("reading documents" + {more!r})
    time.sleep({seconds})
    on_stage("asking rules")
    time.sleep({seconds})
print("done")
"""


def on_a_terminal(seconds: float, more: str = "") -> str:
    """What a process writes to standard error that is a terminal of 40 columns."""
    leader, follower = pty.openpty()
    call = [sys.executable, "-c", SLOW.format(seconds=seconds, more=more)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "40"}
    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=follower, env=environment) as started:
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
        assert started.wait(timeout=60) == 0
    os.close(leader)
    return shown.decode(errors="replace")


def test_a_run_of_more_than_a_second_shows_where_it_is():
    shown = on_a_terminal(1.5)
    assert "reading documents" in shown
    assert "asking rules" in shown


def test_a_long_stage_is_cut_and_the_time_is_not():
    shown = on_a_terminal(1.5, " of an account with a long name" * 3)
    assert "0:00:0" in shown
    assert "reading documents of an acc" in shown
    assert "name of" not in shown


def test_a_short_run_shows_nothing():
    assert on_a_terminal(0) == ""


def test_nothing_is_shown_where_nobody_looks():
    done = subprocess.run([sys.executable, "-c", SLOW.format(seconds=0.6, more="")], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("done\n", "")
