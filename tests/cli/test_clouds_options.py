"""Flags that say whose a bare answer of Azure or Google Cloud is."""

import json

from tests.cli.running import run

MEMBER = "serviceAccount:acme.svc.id.goog[web/front]"
POLICY = {"etag": "x", "bindings": [{"role": "roles/iam.workloadIdentityUser", "members": [MEMBER]}]}
APP = {"id": "9b0c1d2e-1111-4aaa-8bbb-000000000009", "appId": "3e9a6b17-2c84-4f0d-b5a8-6d1c7e4f9023", "displayName": "api"}


def account(name):
    return {"email": f"{name}@acme.iam.gserviceaccount.com", "projectId": "acme", "uniqueId": "1"}


def app(number):
    return {"id": f"app-{number}", "appId": f"client-{number}", "displayName": f"app {number}"}


CREDENTIALS = [
    {
        "id": "11111111-aaaa-4bbb-8ccc-000000000001",
        "name": "ci",
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:acme@7/shop@8:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
    }
]


def put(folder, **files):
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")


def test_a_policy_is_of_the_resource_that_is_named(tmp_path):
    put(tmp_path, accounts=[account("front"), account("back")], policy=POLICY)
    email = "front@acme.iam.gserviceaccount.com"
    bare = json.loads(run("who-can", email, ".", "--format", "json", cwd=tmp_path).stdout)
    assert bare["grants"] == []
    named = run("who-can", email, ".", "--iam-policy", f"{email}=policy.json", "--format", "json", cwd=tmp_path)
    assert [grant["subjects"]["patterns"] for grant in json.loads(named.stdout)["grants"]] == [
        ["system:serviceaccount:web:front"]
    ]


def test_credentials_are_of_the_app_that_is_named(tmp_path):
    put(tmp_path, apps=[app(1), app(2)], credentials=CREDENTIALS)
    flag = ("--azure-app", "client-2=credentials.json")
    answer = json.loads(run("who-can", "client-2", ".", *flag, "--format", "json", cwd=tmp_path).stdout)
    assert [grant["subjects"]["patterns"] for grant in answer["grants"]] == [["repo:acme@7/shop@8:ref:refs/heads/main"]]


def test_a_flag_for_a_file_that_is_not_there_is_a_wrong_call(tmp_path):
    done = run("check", ".", "--iam-policy", "x=nowhere.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "there is no such file" in done.stderr
