"""Work is divided among copies of this process; nothing of it gets lost, and nothing of them stays."""

import os
import subprocess
import sys
import time

import pytest

from irsa_doctor.model.processes import in_processes, processors
from tests.cli.running import OPEN, RIGHT, put, role

needs_copies = pytest.mark.skipif(not hasattr(os, "fork"), reason="copies of a process need fork")


@needs_copies
def test_each_task_returns_its_answer_in_order_and_all_but_the_first_from_another_process():
    answers = in_processes([lambda number=number: (number, os.getpid()) for number in range(3)])
    assert [number for number, _ in answers] == [0, 1, 2]
    assert len({process for _, process in answers}) == 3
    assert answers[0][1] == os.getpid()


@needs_copies
def test_an_error_of_another_process_is_raised_here():
    def failing() -> None:
        raise ValueError("the third")

    with pytest.raises(ValueError, match="the third"):
        in_processes([int, int, failing])


@needs_copies
def test_what_a_process_that_was_killed_had_to_do_is_done_here():
    here = os.getpid()

    def killed() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), 9)
        return 5

    assert in_processes([int, killed]) == [0, 5]


@needs_copies
def test_an_answer_that_cannot_be_sent_is_worked_out_here():
    assert in_processes([int, lambda: lambda: 5])[1]() == 5


@needs_copies
def test_no_process_goes_on_when_the_first_task_fails():
    def slow() -> None:
        time.sleep(600)

    def failing() -> None:
        raise KeyError("x")

    begun = time.monotonic()
    with pytest.raises(KeyError):
        in_processes([failing, slow])
    assert time.monotonic() - begun < 60
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@needs_copies
def test_a_process_with_other_threads_is_not_copied():
    code = (
        "import threading, time\n"
        "from irsa_doctor.model.processes import processors\n"
        "threading.Thread(target=time.sleep, args=(1,)).start()\n"
        "print(processors())\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True).stdout == "1\n"
    assert processors() >= 1


COUNT = """
import multiprocessing, sys
import irsa_doctor

def count(path):
    return len(irsa_doctor.check([path]).findings)

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    with multiprocessing.Pool(2) as pool:
        print(pool.map(count, sys.argv[1:]))
"""


def test_the_api_answers_in_processes_that_are_begun_anew_as_on_windows_and_macos(tmp_path):
    (tmp_path / "count.py").write_text(COUNT, encoding="utf-8")
    put(tmp_path / "open.json", role(OPEN))
    put(tmp_path / "right.json", role(RIGHT))
    call = [sys.executable, "count.py", "open.json", "right.json"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[1, 0]\n"
