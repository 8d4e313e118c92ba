"""Documents in what people paste with a message: those that can be read, whatever stands around them."""

import json

import pytest

from irsa_doctor.text.pasted_documents import pasted_documents

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
        }
    ],
}
ROLE = {"Role": {"RoleName": "checkout", "AssumeRolePolicyDocument": POLICY}}
ACCOUNT = """apiVersion: v1
kind: ServiceAccount
metadata:
  name: checkout
  annotations:
    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/checkout
"""
PERMISSIONS = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def documents(text):
    return {name: content.decode() for name, content in pasted_documents(text).items()}


@pytest.mark.parametrize(
    "around",
    ["{}", "Error: denied\n\n{}\nplease help", "my policy:\n```json\n{}\n```\n", "```\n{}\n```", "$ aws iam get-role\n{}\n$ "],
)
@pytest.mark.parametrize("value", [POLICY, ROLE, {"OpenIDConnectProviderList": []}])
@pytest.mark.parametrize("indent", [None, 2, 4])
def test_json_is_found_whatever_stands_around_it(around, value, indent):
    found = documents(around.replace("{}", json.dumps(value, indent=indent)))
    assert [json.loads(text) for text in found.values()] == [value]


def test_a_policy_is_found_in_a_part_of_an_answer():
    found = documents('        "AssumeRolePolicyDocument": ' + json.dumps(POLICY, indent=4) + ",")
    assert [json.loads(text) for text in found.values()] == [POLICY]


@pytest.mark.parametrize("around", ["{}", "```yaml\n{}```\n", "the account:\n{}---\nand more", "{}\nand more"])
@pytest.mark.parametrize("indent", ["", "  "])
def test_a_service_account_is_found_whatever_stands_around_it(around, indent):
    pasted = "".join(indent + line for line in ACCOUNT.splitlines(keepends=True))
    assert list(documents(around.replace("{}", pasted)).values()) == [ACCOUNT]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(PERMISSIONS),
        json.dumps(POLICY)[:-1],
        '{"level": "error", "msg": "AccessDenied"}',
        ACCOUNT.replace("ServiceAccount", "Pod"),
        "kind: ServiceAccount",
        "{" * 100_000,
        "{\n" * 5_000,
    ],
)
def test_what_is_no_policy_no_answer_and_no_account_is_left_in_the_text(text):
    assert documents(text) == {}


def test_of_several_policies_none_is_taken_and_of_equal_ones_one():
    other = json.loads(json.dumps(POLICY).replace("111122223333", "444455556666"))
    assert documents(f"before:\n{json.dumps(POLICY)}\nafter:\n{json.dumps(other)}\n") == {}
    assert len(documents(f"{json.dumps(POLICY)}\n{json.dumps(POLICY, indent=2)}\n")) == 1


@pytest.mark.parametrize("over", ["************", "########", "...", "[account]", "{account}", "REDACTED", "****1234", ""])
def test_what_is_written_over_an_account_is_a_placeholder(over):
    (content,) = documents(json.dumps(POLICY).replace("111122223333", over)).values()
    hidden = json.loads(content)["Statement"][0]["Principal"]["Federated"].split(":")[4]
    assert hidden.startswith("<hidden>")


@pytest.mark.parametrize("kept", ["${ACCOUNT}", "<account>", "{{ account }}", "11112222333"])
def test_what_is_a_placeholder_or_a_mistake_stays(kept):
    policy = json.dumps(POLICY).replace("111122223333", kept)
    assert list(documents(policy).values()) == [policy]


def test_a_policy_of_a_key_or_a_bucket_is_none_of_a_role():
    of_key = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}
    text = f"{json.dumps({'Statement': [of_key]})}\n{json.dumps(POLICY)}"
    assert [json.loads(content) for content in documents(text).values()] == [POLICY]


def test_a_log_has_no_documents():
    assert documents("line of a log\n" * 10_000 + json.dumps(POLICY)) == {}
