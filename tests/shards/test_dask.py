"""An audit on Dask has the answers of one check, also where a worker dies."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from irsa_doctor import api
from irsa_doctor.shards.tasks import Limits, extract
from irsa_doctor.shards.units import input_units
from irsa_doctor.sources.loading import Declared
from tests.shards.organisations import write_organisation
from tests.shards.test_same_answers import assert_same

pytest.importorskip("distributed", reason="the extra dask is not installed")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The address of a scheduler with two workers, and the workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, folder = f"tcp://127.0.0.1:{port}", tmp_path_factory.mktemp("dask")
    python = [sys.executable, "-W", "ignore", "-m"]
    head = [*python, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = [*python, "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen(command, cwd=folder, **quiet) for command in (head, worker, worker)]
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


@pytest.mark.filterwarnings("ignore")
def test_two_workers_have_the_answers_of_one_check(scheduler, tmp_path):
    assert_same(write_organisation(tmp_path, 21), dask=scheduler[0])


def test_workers_read_paths_relative_to_the_folder_of_the_call(scheduler, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_same(write_organisation(tmp_path, 23), dask=scheduler[0])


@pytest.mark.filterwarnings("ignore")
def test_workers_that_see_no_folder_get_what_is_in_it(scheduler, tmp_path):
    assert_same(write_organisation(tmp_path, 24), dask=scheduler[0], dask_ship=True)


def test_a_shipped_unit_needs_no_file(tmp_path):
    folder = write_organisation(tmp_path / "in", 25)
    units = input_units([str(folder)], (), Declared())
    limits = Limits(60, 1 << 30)
    shipped, before = [unit.shipped() for unit in units], [extract(unit, limits) for unit in units]
    shutil.rmtree(folder)
    assert [extract(unit, limits) for unit in shipped] == before
    assert [unit.digest for unit in shipped] == [unit.digest for unit in units]


def test_a_shard_that_changes_under_an_audit_ends_it(tmp_path):
    folder = write_organisation(tmp_path / "in", 26)
    unit, *_ = input_units([str(folder)], (), Declared())
    with open(unit.files[0].path, "a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(api.AuditError, match="another than when the audit began"):
        unit.loaded()


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_dies_costs_a_retry(scheduler, tmp_path):
    address, workers = scheduler
    os.kill(workers[0].pid, signal.SIGKILL)
    assert_same(write_organisation(tmp_path, 22), dask=address)
