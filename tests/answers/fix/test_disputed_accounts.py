"""A service account of which two folders say something else is given no other role: which of them is of the cluster is open."""

import json

import pytest

from irsa_doctor import api
from tests.cli.running import put
from tests.facts.situations import KEY, account, aws
from tests.sources.worlds import policy, role, role_arn


def fixing(folder, roles):
    """The answer of fix for folders that have the service account prod/app, each with one of the roles."""
    others = [role("former", AssumeRolePolicyDocument=policy("system:serviceaccount:prod:former"))]
    documents = {**aws(), "roles.json": {"RoleDetailList": [role(), *others], "UserDetailList": []}}
    for name, document in documents.items():
        put(folder / "aws" / name, document)
    for number, named in enumerate(roles):
        written = account()
        written["metadata"]["annotations"] = {KEY: role_arn(named)}
        put(folder / f"env{number}" / "account.json", json.dumps(written, indent=2))
    return api.fix([str(folder)], unsafe=True).fixing


@pytest.mark.parametrize("roles", [("app", "former"), ("former", "app")])
def test_where_folders_differ_on_the_role_of_an_account_neither_is_edited(tmp_path, roles):
    answer = fixing(tmp_path, roles)
    assert not answer.files
    assert [unfixed.reason for unfixed in answer.unfixed if unfixed.rule == "two-sas-one-annotation"] == ["ambiguous"]


def test_the_account_of_one_folder_gets_the_role_that_admits_it(tmp_path):
    fix = next(fix for fix in fixing(tmp_path, ("former",)).fixes if fix.rule == "two-sas-one-annotation")
    assert fix.edits
