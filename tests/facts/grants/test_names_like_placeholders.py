"""Names that look like placeholders: where something shows that somebody has the name, nothing was left to fill in."""

import pytest

from irsa_doctor import api
from tests.cli.running import put

HOST = "token.actions.githubusercontent.com"
PLACEHOLDER = "issuer-subject-placeholder"


def found(folder, subject, keys=(), owner=(), version="2012-10-17"):
    conditions = {f"{HOST}:aud": "sts.amazonaws.com", f"{HOST}:sub": subject, **{f"{HOST}:{key}": "4410001" for key in keys}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{HOST}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": conditions},
    }
    role = {"RoleName": "deploy", "Arn": "arn:aws:iam::111122223333:role/deploy", "Path": "/"}
    policy = {"Version": version, "Statement": [statement]}
    put(folder / "role.json", {"Role": {**role, "AssumeRolePolicyDocument": policy}})
    findings = api.check([str(folder)], settings=api.Settings(owner={"github": tuple(owner)})).findings
    return next((each.message.partition(". ")[0].rpartition(": ")[2] for each in findings if each.rule == PLACEHOLDER), "")


@pytest.mark.parametrize(
    "subject",
    [
        "repo:ORG@4410001/REPO@88120001:ref:refs/heads/main",
        "repo:your-project@4410001/app@88120001:ref:refs/heads/main",
        "repo:acme@4410001/CHANGE-MANAGEMENT@88120001:ref:refs/heads/main",
        "repo:acme/REPLACE-TOKENS:ref:refs/heads/main",
        "repo:acme/shop:ref:refs/heads/CHANGE-1234",
        "repo:acme/shop:environment:[PROD]",
        "repo:my-org/my-repo:ref:refs/heads/main",
        "repo:acme/shop:environment:{EU_WEST}",
        "repo:acme/shop:environment:%PROD%",
        "repo:acme/shop:ref:refs/heads/@DEV@",
        "repo:acme/THE-PROJECT:ref:refs/heads/main",
    ],
)
def test_a_name_with_an_id_and_what_people_call_things_is_no_placeholder(tmp_path, subject):
    assert found(tmp_path, subject) == ""


@pytest.mark.parametrize(
    ("subject", "placeholders"),
    [
        ("repo:CHANGE_ME/REPLACE_WITH_REPO:ref:refs/heads/main", "CHANGE_ME, REPLACE_WITH_REPO"),
        ("repo:acme/CHANGEME:ref:refs/heads/main", "CHANGEME"),
        ("repo:acme/app:environment:[[environment]]", "[[environment]]"),
        ("repo:__REPLACE_ORG__/app:environment:prod", "__REPLACE_ORG__"),
        ("repo:YOUR_ORG/app:ref:refs/heads/main", "YOUR_ORG"),
        ("repo:{MY_ORG}/app:environment:prod", "{MY_ORG}"),
        ("repo:acme/%REPO%:environment:%REPO%", "%REPO%"),
        ("repo:${ORG}/app:environment:${ENV:-prod}", "${ORG}, ${ENV:-prod}"),
        ("repo:acme/${AWS::StackName}:ref:refs/heads/main", "${AWS::StackName}"),
        ("repo:<org>@4410001/app@<id>:ref:refs/heads/main", "<org>, <id>"),
    ],
)
def test_what_asks_for_a_name_is_one(tmp_path, subject, placeholders):
    assert found(tmp_path, subject) == placeholders


@pytest.mark.parametrize("version", ["2012-10-17", "2008-10-17"])
def test_what_looks_like_a_variable_of_iam_and_has_no_prefix_is_one_in_either_version(tmp_path, version):
    assert found(tmp_path, "repo:${ORG}/app:ref:refs/heads/main", version=version) == "${ORG}"


@pytest.mark.parametrize("variable", ["${aws:username}", "${org, 'acme'}"])
def test_a_variable_of_iam_is_none(tmp_path, variable):
    assert found(tmp_path, f"repo:{variable}/app:ref:refs/heads/main") == ""


@pytest.mark.parametrize(
    ("keys", "left"),
    [((), "ORG, REPO"), (("repository_owner_id",), "REPO"), (("repository_id",), ""), (("ref",), "ORG, REPO")],
)
def test_a_key_with_an_id_shows_whose_name_it_is(tmp_path, keys, left):
    assert found(tmp_path, "repo:ORG/REPO:ref:refs/heads/main", keys) == left


@pytest.mark.parametrize(("owner", "left"), [(["ORG"], ""), (["org@4410001"], ""), (["acme"], "ORG")])
def test_a_tenant_that_settings_declare_is_no_placeholder(tmp_path, owner, left):
    assert found(tmp_path, "repo:ORG/app:ref:refs/heads/main", owner=owner) == left
