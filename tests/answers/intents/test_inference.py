"""The intent that an estate follows, and the questions that it leaves."""

import json

import pytest

from irsa_doctor.answers.intents.inference import inferred
from irsa_doctor.facts import View
from irsa_doctor.sources import load
from irsa_doctor.sources.intents import intent_of
from tests.answers.intents.drawing import arn, issuer
from tests.answers.intents.test_verification import (
    GITHUB,
    GITHUB_STATEMENT,
    ROLE,
    account_of,
    allow,
    cart,
    named,
    policy,
    service_accounts,
)

HOSTILE = 'x\n  evil: a/b #"\x1b[31m'


def told(roles, accounts, name="shop"):
    cluster = {"cluster": {"name": name, "arn": arn("shop"), "identity": {"oidc": {"issuer": issuer(0)}}}}
    documents = {"shop/cluster.json": cluster, "roles.json": roles, "shop/accounts.json": accounts}
    memory = {path: json.dumps(document).encode() for path, document in documents.items()}
    return inferred(View(load((), memory=memory, complete=("serviceaccounts",)).inventory))


def questions(*arguments):
    return [(question.code, question.role.removeprefix(ROLE)) for question in told(*arguments).questions]


@pytest.mark.parametrize(
    ("statements", "accounts", "expected"),
    [
        ([allow(cart())], {"cart": named()}, []),
        ([allow(cart("web"))], {"cart": named()}, ["broken"]),
        ([allow(cart(), aud="x")], {"cart": named()}, ["broken"]),
        ([allow(cart())], {"cart": named(), "web": named()}, ["broken"]),
        ([allow("system:serviceaccount:shop:*", operator="StringLike")], {"cart": named(), "web": {}}, ["wildcard"]),
        ([allow()], {"cart": named()}, ["wildcard"]),
        ([allow([cart(), cart("gone")])], {"cart": named()}, ["unused-subject"]),
        ([allow([cart(), cart("web")])], {"cart": named(), "web": {}}, ["unused-subject"]),
        ([allow(cart())], {"cart": {}}, ["no-service-account"]),
        ([allow(cart()), GITHUB_STATEMENT], {"cart": named()}, ["other-principal"]),
        ([allow(cart(), IpAddress={"aws:SourceIp": "10.0.0.0/8"})], {"cart": named()}, ["conditions"]),
    ],
)
def test_what_a_person_has_to_decide(statements, accounts, expected):
    roles = account_of(cart=policy(*statements))
    assert questions(roles, service_accounts(**accounts)) == [(code, "cart") for code in expected]


def test_another_issuer_is_named_as_who_else_may_be_the_role():
    (question,) = told(account_of(cart=policy(allow(cart()), GITHUB_STATEMENT)), service_accounts(cart=named())).questions
    assert GITHUB in question.says


def test_names_that_anybody_may_have_written_stay_on_their_comment_line():
    answer = told(account_of(cart=policy(allow(cart()))), service_accounts(**{"cart": named(), HOSTILE: named()}), HOSTILE)
    read = intent_of("intent.yaml", answer.text.encode())
    assert [(role.name, [s.account for s in role.subjects]) for role in read.roles] == [("cart", ["shop/cart"])]
    lines = answer.text.splitlines()
    assert all(lines[question.line - 1].lstrip().startswith(f"# {question.code}") for question in answer.questions)
    assert "\x1b" not in answer.text


TEMPLATE = """resource "aws_iam_role" "%s" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole%s", Principal = { %s } }]
  })
}
"""


@pytest.mark.parametrize(
    ("action", "principal", "unnamed"),
    [
        ("WithWebIdentity", "Federated = var.provider", ["main.tf: aws_iam_role.app"]),
        ("", 'Service = "pods.eks.amazonaws.com"', ["main.tf: aws_iam_role.app"]),
        ("", 'Service = "lambda.amazonaws.com"', []),
    ],
)
def test_roles_of_templates_are_left_out_by_name(action, principal, unnamed):
    written = (TEMPLATE % ("app", action, principal) + 'variable "provider" {}\n').encode()
    answer = inferred(View(load([], memory={"main.tf": written}).inventory))
    assert list(answer.unnamed) == unnamed
    assert ("left out" in answer.text) == bool(unnamed)
