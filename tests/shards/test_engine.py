"""Processes that do the tasks of an audit: each does one after the other, and goes when its tasks have left much behind."""

import os
import subprocess
import sys
import time

from irsa_doctor.shards.engine import Failed, LocalEngine

LEFT = []


def process_of(number):
    return os.getpid()


def leaving_much(number):
    LEFT.append(bytearray(20 << 20))
    return os.getpid()


def wrong(number):
    if number == 3:
        raise ValueError("no such number")
    return b"x" * (number << 20)


def test_a_process_does_one_task_after_the_other():
    processes = {process for _, process in LocalEngine(1).done(process_of, range(9))}
    assert len(processes) == 1
    assert os.getpid() not in processes


def test_a_process_whose_tasks_leave_much_behind_is_replaced():
    came = dict(LocalEngine(1).done(leaving_much, range(9)))
    assert sorted(came) == list(range(9))
    assert 2 <= len(set(came.values())) <= 5


def test_an_error_of_ours_costs_one_task():
    came = dict(LocalEngine(2).done(wrong, range(6)))
    assert came.pop(3) == Failed("ValueError: no such number")
    assert {number: len(content) >> 20 for number, content in came.items()} == {0: 0, 1: 1, 2: 2, 4: 4, 5: 5}


DIES = """
import os, signal, sys
from irsa_doctor.shards.engine import LocalEngine
for _, process in LocalEngine(2).done(lambda number: os.getpid(), range(2)):
    print(process, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_end_with_the_one_that_they_are_copies_of():
    done = subprocess.run([sys.executable, "-c", DIES], stdout=subprocess.PIPE, text=True, check=False)
    process, until = int(done.stdout), time.monotonic() + 20
    while os.path.exists(f"/proc/{process}") and time.monotonic() < until:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{process}")


ORPHANS = """
import os, sys, time
from irsa_doctor.shards.engine import LocalEngine
def work(number):
    os.write(1, b"%d\\n" % os.getpid())  # at once, or the lines of both would mix
    time.sleep(120)
list(LocalEngine(2).done(work, range(2)))
"""


def test_processes_end_in_the_middle_of_a_task_with_the_one_that_they_are_copies_of():
    process = subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True)
    copies = [int(process.stdout.readline()) for _ in range(2)]
    process.kill()
    process.communicate()
    until = time.monotonic() + 30
    while time.monotonic() < until and any(os.path.exists(f"/proc/{copy}") for copy in copies):
        time.sleep(0.05)
    assert not any(os.path.exists(f"/proc/{copy}") for copy in copies)
