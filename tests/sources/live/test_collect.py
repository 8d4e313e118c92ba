import json
import stat

import pytest

from irsa_doctor.sources.snapshot.snapshot import read_snapshot
from tests.cli.running import run
from tests.servers.aws import Problem, denied
from tests.servers.world import account_of, cluster_of
from tests.sources.live.test_snapshot import WORLDS


@pytest.fixture
def shop(tmp_path):
    """The shop behind servers, and the environment and flags that lead there."""
    folder = WORLDS / "shop"
    with account_of(folder) as aws, cluster_of(folder) as kubernetes:
        yield aws, kubernetes, {**aws.environment, "HOME": str(tmp_path)}, ("--kubeconfig", kubernetes.kubeconfig(tmp_path))


def test_both_sources_are_collected_into_one_private_file(shop, tmp_path):
    _, _, environment, flags = shop
    done = run("collect", "-o", "snapshot.json", *flags, cwd=tmp_path, **environment)
    assert (done.returncode, done.stdout) == (0, "")
    path = tmp_path / "snapshot.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    documents = read_snapshot(path.read_bytes()).documents
    assert done.stderr == f"irsa-doctor: {len(documents)} documents in snapshot.json\n"
    assert {one.path.partition(":")[0] for one in documents} == {"aws", "kube"}


def test_check_reads_what_was_collected(shop, tmp_path):
    _, _, environment, flags = shop
    run("collect", "-o", "snapshot.json", *flags, cwd=tmp_path, **environment)
    done = run("check", "-f", "json", "snapshot.json", cwd=tmp_path)
    assert done.returncode == 1
    rules = {one["rule"] for one in json.loads(done.stdout)["findings"]}
    assert {"open-aud-only", "trust-aud-mismatch", "role-missing"} <= rules
    found = run("who-can", "shop-checkout", "snapshot.json", cwd=tmp_path)
    assert "system:serviceaccount:storefront:checkout" in found.stdout


def test_one_source_alone_can_be_collected(shop, tmp_path):
    aws, kubernetes, environment, flags = shop
    run("collect", "-o", "aws.json", "--aws", cwd=tmp_path, **environment)
    assert kubernetes.calls == []
    aws.calls.clear()
    run("collect", "-o", "kube.json", "--kube", *flags, cwd=tmp_path, **environment)
    assert aws.calls == []
    both = json.loads(run("check", "-f", "json", "--exit-zero", "aws.json", "kube.json", cwd=tmp_path).stdout)
    run("collect", "-o", "live.json", *flags, cwd=tmp_path, **environment)
    live = json.loads(run("check", "-f", "json", "--exit-zero", "live.json", cwd=tmp_path).stdout)
    assert both["findings"] == live["findings"]


def test_a_snapshot_can_go_to_standard_output(shop, tmp_path):
    _, _, environment, flags = shop
    done = run("collect", "-o", "-", "--redact", *flags, cwd=tmp_path, **environment)
    snapshot = read_snapshot(done.stdout.encode())
    assert snapshot.redacted
    assert "111122223333" not in done.stdout
    assert done.stderr == ""


def test_what_could_not_be_read_is_told_and_strict_fails(shop, tmp_path):
    aws, _, environment, flags = shop
    aws.faults["ListRoles"] = denied("iam:ListRoles")
    done = run("collect", "-o", "snapshot.json", *flags, cwd=tmp_path, **environment)
    assert done.returncode == 0
    assert "irsa-doctor: not in it: roles of account 111122223333: iam:ListRoles is denied to" in done.stderr
    assert run("collect", "--strict", "-o", "snapshot.json", *flags, cwd=tmp_path, **environment).returncode == 3


def test_a_source_that_cannot_be_asked_is_one_line(shop, tmp_path):
    aws, _, environment, _ = shop
    aws.faults["GetCallerIdentity"] = Problem("ExpiredToken", "The security token included in the request is expired", 403)
    done = run("collect", "--aws", "-o", "snapshot.json", cwd=tmp_path, **environment)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "sign in again" in done.stderr
    assert not (tmp_path / "snapshot.json").exists()


def test_a_place_that_cannot_be_written_is_one_line(shop, tmp_path):
    _, _, environment, flags = shop
    done = run("collect", "-o", "gone/snapshot.json", *flags, cwd=tmp_path, **environment)
    assert (done.returncode, done.stderr) == (2, "irsa-doctor: gone/snapshot.json: no such file or folder\n")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--aws", "--kubeconfig", "x"), "--kubeconfig does nothing without --kube or --live"),
        (("--kube", "--profile", "x"), "--profile does nothing without --aws or --live"),
        (("--org", "--aws", "-o", "-"), "--org writes a folder: name it with -o"),
        (("--timeout", "0"), "--timeout 0: seconds are expected"),
        (("--timeout", "-1"), "--timeout -1: seconds are expected"),
    ],
)
def test_flags_that_do_nothing_are_a_wrong_call(tmp_path, flags, says):
    done = run("collect", "-o", "snapshot.json", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
