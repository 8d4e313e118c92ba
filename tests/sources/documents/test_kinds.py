import json

import pytest

from irsa_doctor.model import Hole, Text
from tests.sources.worlds import ACCOUNT, inventory, loaded, only_row, policy, role_arn


def test_a_bare_trust_policy_is_a_role_named_by_its_path():
    (found,) = inventory({"a/trust.json": policy()}).roles
    assert (found.arn, found.name, found.account, found.id) == ("", "a/trust.json", "", "a/trust.json")
    assert found.policy.document == policy()
    assert found.policy.template
    assert found.policy.place == found.place
    assert found.policy.size == len(json.dumps(policy()).replace(" ", ""))


def test_the_user_can_say_whose_policy_it_is():
    (found,) = inventory({"a/trust.json": policy()}, roles={"./a/trust.json": role_arn("team/app")}).roles
    assert (found.arn, found.name, found.account) == (role_arn("team/app"), "app", ACCOUNT)


def test_policies_on_standard_input_are_told_apart_by_their_number():
    read = loaded({"-": json.dumps(policy()) + "\n" + json.dumps(policy())}).inventory
    assert [found.id for found in read.roles] == ["-#0", "-#1"]


def test_placeholders_of_a_bare_policy_are_holes_in_names_of_members_too():
    text = json.dumps(policy(sub="system:serviceaccount:${ns}:app")).replace(ACCOUNT, "$account")
    (found,) = inventory({"trust.json.tpl": text}).roles
    (statement,) = found.policy.document["Statement"]
    assert statement["Principal"]["Federated"].parts[:2] == ("arn:aws:iam::", Hole("$account"))
    assert Text(("system:serviceaccount:", Hole("${ns}"), ":app")) in statement["Condition"]["StringEquals"].values()


@pytest.mark.parametrize("members", [{"Effect": "Allow"}, {"Sid": "x"}, {"NotPrincipal": "*"}])
@pytest.mark.parametrize("action", ["sts:AssumeRoleWithWebIdentity", "AssumeRoleWithWebIdentity", "sts:*"])
def test_half_written_trust_policies_are_trust_policies(members, action):
    assert only_row({"Statement": {"Action": action, **members}}).kind == "trust-policy"
    assert only_row({"Statement": [{"Action": [action], **members}]}).status == "read"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, "permission policy"),
        ({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::1:role/x"}, "permission policy"),
        ({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}, "other than a role"),
    ],
)
def test_policies_that_are_no_trust_policies_are_passed_over_with_the_reason(statement, words):
    row = only_row({"Version": "2012-10-17", "Statement": [statement]})
    assert row.status == "ignored"
    assert words in row.why


def test_a_policy_without_statement_is_reported_but_not_any_object_with_such_a_member():
    assert only_row({"Version": "2012-10-17", "Statement": []}).status == "unreadable"
    assert only_row({"Statement": "of account"}).status == "ignored"


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("a.json", {"terraform_version": "1.9", "resources": []}, "terraform"),
        ("a.json", {"planned_values": {}, "resource_changes": []}, "terraform"),
        ("main.tf", 'resource "aws_vpc" "x" {\n}\n', "terraform"),
        ("a.yaml", "AWSTemplateFormatVersion: 2010-09-09\nResources: {}\n", "cloudformation"),
        ("a.yaml", "apiVersion: iam.aws.crossplane.io/v1beta1\nkind: Policy\n", "crossplane"),
        ("a.yaml", "apiVersion: iam.aws.upbound.io/v1beta1\nkind: Policy\n", "crossplane"),
        ("a.yaml", "apiVersion: iam.services.k8s.aws/v1alpha1\nkind: Policy\n", "ack"),
        ("a.json", {"eventName": "AssumeRoleWithWebIdentity", "userIdentity": {}}, "cloudtrail"),
        ("a.json", {"Records": [{"eventName": "x"}]}, "cloudtrail"),
        ("a.json", {"Events": [{"EventName": "x", "CloudTrailEvent": "{}"}]}, "cloudtrail"),
        ("token", "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln", "token"),
        ("a.json", {"iss": "x", "sub": "y", "aud": ["z"]}, "token"),
        ("a.json", {"header": {}, "payload": {"iss": "x", "sub": "y", "exp": 1}}, "token"),
        ("a.json", {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "status": {"token": "x"}}, "token"),
        ("config", "apiVersion: v1\nkind: Config\nclusters: []\nusers: []\n", "kubeconfig"),
        ("credentials", "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n", "aws-config"),
        ("config", "# mine\n[profile a]\nregion = eu-west-1\n", "aws-config"),
        ("a.json", {"kind": "Status", "apiVersion": "v1", "status": "Failure"}, "kubernetes-status"),
        ("alloy.hcl", 'discovery.relabel "pods" {\n  output {\n    logs = [loki.x.y.z]\n  }\n}\n', "other"),
        ("values.yaml", "serviceAccount:\n  name: x\n", "other"),
        ("a.json", {"a": 1}, "other"),
        ("a.json", "[1, 2]", "other"),
        ("a.txt", "hello", "other"),
    ],
)
def test_documents_that_are_known_but_not_read_say_what_they_are(path, content, kind):
    read = inventory({path: content})
    (row,) = read.documents
    assert (row.kind, row.status) == (kind, "ignored")
    assert row.why
    assert read.roles == read.service_accounts == read.clusters == ()


@pytest.mark.parametrize(
    "inside",
    [
        "data: {password: x}\n",
        "data:\n  c: |\n    [default]\n    aws_access_key_id = x\n",
        'data:\n  c: |\n    resource "a" {\n    }\n',
    ],
)
def test_other_languages_inside_an_object_do_not_hide_it(inside):
    row = only_row("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n" + inside, "x.yaml")
    assert (row.kind, row.status) == ("kubernetes", "read")


@pytest.mark.parametrize(
    ("principal", "actions", "is_trust"),
    [
        ("*", ["ecr:BatchGetImage", "ecr:ListImages"], False),
        ({"AWS": "111122223333"}, "lambda:InvokeFunction", False),
        ({"Service": "s3.amazonaws.com"}, "sns:Publish", False),
        ({"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example"}, "ecr:ListImages", True),
        ({"AWS": "111122223333"}, "sts:AssumeRole", True),
        ({"AWS": "111122223333"}, ["ecr:ListImages", "sts:TagSession"], True),
        ({"AWS": "111122223333"}, "*", True),
    ],
)
def test_a_policy_on_something_else_than_a_role_is_not_a_trust_policy(principal, actions, is_trust):
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions}
    given = inventory({"policy.json": {"Version": "2012-10-17", "Statement": [statement]}})
    assert bool(given.roles) is is_trust
    if not is_trust:
        assert given.documents[0].why == "a policy on a resource other than a role"
