"""Every command keeps to the limits of its run, and names what it has not judged."""

import json

import pytest

from tests.cli.running import run

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:a:b", f"{ISSUER}:aud": "sts.amazonaws.com"}},
        }
    ],
}


@pytest.fixture
def folder(tmp_path):
    for name in ("app", "other"):
        arn = f"arn:aws:iam::111122223333:role/{name}"
        role = {"RoleName": name, "Arn": arn, "RoleId": "A", "AssumeRolePolicyDocument": POLICY}
        (tmp_path / f"{name}.json").write_text(json.dumps({"Role": role}))
        annotations = {"eks.amazonaws.com/role-arn": arn}
        metadata = {"name": name, "namespace": "a", "annotations": annotations}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        (tmp_path / f"{name}.yaml").write_text(json.dumps(account))
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    return tmp_path


def calls(folder):
    here, policy = str(folder), str(folder / "policy.json")
    simulated = ["--trust-policy", policy, "--issuer", f"https://{ISSUER}", "--account", "111122223333", "--sub", "x"]
    return {
        "check": ["check", here],
        "why": ["why", "a/app", here],
        "why --all": ["why", "--all", here],
        "who-can": ["who-can", "app", here],
        "diff": ["diff", here, here],
        "simulate": ["simulate", *simulated],
    }


@pytest.mark.parametrize("name", ["check", "why", "why --all", "who-can", "diff", "simulate"])
def test_a_run_without_time_is_a_wrong_call_and_not_an_answer(folder, name):
    done = run(*calls(folder)[name], "--max-seconds", "0", cwd=folder)
    assert done.returncode == 2
    assert "limit of 0 seconds" in done.stderr


@pytest.mark.parametrize("name", ["why", "who-can", "diff", "simulate"])
def test_limits_that_are_not_reached_change_nothing(folder, name):
    given = calls(folder)[name]
    limited = run(*given, "--max-seconds", "100", "--max-memory", "1G", cwd=folder)
    assert run(*given, cwd=folder).stdout == limited.stdout
