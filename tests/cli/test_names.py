"""Names of roles, service accounts and workloads that do not exist are answered with the nearest that do."""

import pytest

from tests.cli.running import ISSUER, RIGHT, ROLE, put, role, run

ACCOUNTS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: checkout, namespace: payments}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: returns, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: payments}
spec: {template: {metadata: {}, spec: {serviceAccountName: checkout, containers: [{name: a, image: b}]}}}
"""


@pytest.fixture
def world(tmp_path):
    put(tmp_path / "role.json", role(RIGHT))
    put(tmp_path / "accounts.yaml", ACCOUNTS)
    return tmp_path


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("payments/chekcout", 'Did you mean "payments/checkout"?'),
        ("payment/checkout", 'Did you mean "payments/checkout"?'),
        ("system:serviceaccount:payments:chekout", 'Did you mean "payments/checkout"?'),
        ("deplyoment/payments/checkout", "no Kubernetes kind deplyoment."),
        ("deplyoment/payments/checkout", 'Did you mean "payments/checkout" or "deployment/payments/checkout"?'),
    ],
)
def test_a_misspelt_target_is_one_line_with_the_nearest(world, target, says):
    done = run("why", target, ".", cwd=world)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("elsewhere/checkout", 'elsewhere/checkout is not in the input. Did you mean "payments/checkout"?'),
        ("pod/payments/checkout", '"payments/checkout" or "deployment/payments/checkout"?'),
        ("deployment/payment/chekout", 'Did you mean "deployment/payments/checkout"?'),
    ],
)
def test_a_target_that_may_exist_elsewhere_is_undetermined_and_names_the_nearest(world, target, says):
    done = run("why", target, ".", cwd=world)
    assert done.returncode == 3
    assert says in " ".join(done.stdout.split())


def test_a_misspelt_target_of_a_complete_input_is_broken_and_names_the_nearest(world):
    done = run("why", "payments/chekout", ".", "--complete", "serviceaccounts", cwd=world)
    assert done.returncode == 1
    assert 'Did you mean "payments/checkout"?' in done.stdout


def test_a_target_that_a_role_trusts_is_examined_though_its_name_is_near_another(world):
    put(world / "role.json", role(RIGHT | {"Statement": [_with_subject("system:serviceaccount:payments:checkouts")]}))
    assert run("why", "payments/checkouts", ".", cwd=world).returncode != 2


def _with_subject(subject):
    statement = RIGHT["Statement"][0]
    return statement | {"Condition": {"StringEquals": {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}}}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("chekcout", f"Did you mean {ROLE}?"),
        (ROLE.replace("1111", "3333"), f"Did you mean {ROLE}?"),
        (ROLE.replace("role/", "role/team/"), f"Did you mean {ROLE}?"),
        ("payments/checkout", "It is a service account; for its role run: irsa-doctor why payments/checkout"),
        ("system:serviceaccount:payments:checkout", "It is a service account"),
    ],
)
def test_a_role_that_does_not_exist_is_one_line_with_what_may_be_meant(world, name, says):
    done = run("who-can", name, ".", cwd=world)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr


@pytest.mark.parametrize("path", ["policy.json", "./policy.json", "in/../policy.json", "{folder}/policy.json"])
def test_a_bare_policy_is_asked_for_by_its_path_however_that_is_written(path, tmp_path):
    put(tmp_path / "policy.json", RIGHT)
    (tmp_path / "in").mkdir()
    name = path.format(folder=tmp_path)
    done = run("who-can", name, str(tmp_path), cwd=tmp_path)
    assert (done.returncode, "no such role" in done.stderr) == (0, False)
    assert run("who-can", name, name, cwd=tmp_path).returncode == 0
