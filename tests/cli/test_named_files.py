"""What an option says of a file is of no use where the file is not read: it is, wherever it lies."""

import json

import pytest

from tests.cli.running import OPEN, RIGHT, ROLE, put, run
from tests.cli.test_config_from import git

ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "app", "namespace": "shop", "annotations": {"eks.amazonaws.com/role-arn": ROLE}},
}


def documents(done):
    return sorted(row["path"] for row in json.loads(done.stdout)["documents"])


def test_the_policy_of_a_role_is_read(tmp_path):
    put(tmp_path / "account.json", ACCOUNT)
    put(tmp_path / "trust.json", RIGHT)
    done = run("check", "account.json", "--role", f"{ROLE}=trust.json", "-f", "json", cwd=tmp_path)
    assert documents(done) == ["account.json", "trust.json"]
    assert "roles of account" not in done.stdout


@pytest.mark.parametrize("paths", [("trust.json",), ("trust.json", "account.json"), (".",)])
def test_it_is_read_once(tmp_path, paths):
    put(tmp_path / "account.json", ACCOUNT)
    put(tmp_path / "trust.json", OPEN)
    done = run("check", *paths, "--role", f"{ROLE}=trust.json", "-f", "json", cwd=tmp_path)
    assert sum(path.endswith("trust.json") for path in documents(done)) == 1


def test_the_documents_of_a_cluster_are_read(tmp_path):
    put(tmp_path / "k8s" / "account.json", ACCOUNT)
    put(tmp_path / "trust.json", RIGHT)
    done = run("check", "trust.json", "--cluster", "prod=k8s", "-f", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["summary"]["service_accounts"] == 1


def test_what_settings_name_is_read_where_it_lies_in_the_paths_alone(tmp_path):
    put(tmp_path / "account.json", ACCOUNT)
    put(tmp_path / "trust.json", RIGHT)
    put(tmp_path / "irsa-doctor.toml", f'[roles]\n"{ROLE}" = "trust.json"\n')
    assert documents(run("check", "account.json", "-f", "json", cwd=tmp_path)) == ["account.json"]


def test_a_side_of_a_comparison_is_what_its_own_paths_hold(tmp_path):
    for side, policy in (("old", RIGHT), ("new", OPEN)):
        put(tmp_path / side / "trust.json", policy)
    done = run("diff", "old", "new", "--role", f"{ROLE}=new/trust.json", "-f", "json", cwd=tmp_path)
    assert [(change["role"], change["change"]) for change in json.loads(done.stdout)["roles"]] == [
        (ROLE, "added"),
        ("trust.json", "removed"),
    ]


def test_before_a_change_it_is_read_as_it_was(tmp_path):
    put(tmp_path / "account.json", ACCOUNT)
    put(tmp_path / "trust.json", OPEN)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "before")
    asked = ("check", "account.json", "--role", f"{ROLE}=trust.json", "--gate-unknown", "fail", "--config-from", "HEAD")
    assert run(*asked, cwd=tmp_path).returncode in (0, 1)
