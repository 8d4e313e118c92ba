"""Expressions in graphs of kro: none of their signs belongs to the text of the policy around them."""

import json

import pytest

from irsa_doctor.model import TrustPolicy, text_of
from irsa_doctor.sources.templates.controllers.expressions import with_plain_expressions
from tests.facts.situations import found
from tests.sources.worlds import inventory

HOSTS = {
    "quotes of JSON": '${cluster.status.issuer.replace("https://", "")}',
    "single quotes": "${cluster.status.issuer.replace('https://', '')}",
    "a choice": '${has(schema.spec.issuer) ? schema.spec.issuer : "oidc.example.com/}"}',
    "a map": '${{"a": schema.spec.issuer}["a"]}',
}
ACCOUNT = '${schema.spec.name == "" ? "app" : schema.spec.name}'


def graph(host: str, subject: str, *, escaped: bool) -> str:
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", '
        f'"Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/{host}"}}, "Condition": '
        f'{{"StringLike": {{"{host}:sub": "system:serviceaccount:{subject}", "{host}:aud": "sts.amazonaws.com"}}}}}}]}}'
    )
    written = json.dumps(policy) if escaped else f"|\n          {policy}"
    return f"""apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {{name: roles}}
spec:
  schema: {{apiVersion: v1alpha1, kind: PodRole, spec: {{name: string}}}}
  resources:
  - id: role
    template:
      apiVersion: iam.services.k8s.aws/v1alpha1
      kind: Role
      metadata: {{name: app}}
      spec:
        name: app
        assumeRolePolicyDocument: {written}
"""


@pytest.mark.parametrize("escaped", [False, True], ids=["block", "escaped"])
@pytest.mark.parametrize("host", HOSTS)
def test_a_policy_with_expressions_is_whole_and_right(host, escaped):
    documents = {"graph.yaml": graph(HOSTS[host], f"shop:{ACCOUNT}", escaped=escaped)}
    (role,) = inventory(documents).roles
    assert isinstance(role.policy, TrustPolicy)
    assert not role.policy.flaws
    assert not found(documents)


@pytest.mark.parametrize("escaped", [False, True], ids=["block", "escaped"])
def test_what_is_open_beside_an_expression_is_found(escaped):
    documents = {"graph.yaml": graph(HOSTS["quotes of JSON"], "*:*", escaped=escaped)}
    assert {rule for rule, _ in found(documents)} == {"open-sub-star"}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("${schema.spec.name}-x", "${schema.spec.name}-x"),
        ("a ${b.c('}')} ${d}", "a ${b.c(')')} ${d}"),
        ("a ${b.c('it\\'s')}", "a ${b.c('it/'s')}"),
        ("${never", "${never"),
        ("${a[{'b': 1}]}", "${a[('b'; 1)]}"),
        (["${a ? b : c}", {"${a:b}": 1}], ["${a ? b ; c}", {"${a;b}": 1}]),
    ],
)
def test_signs_of_an_expression_become_such_that_mean_nothing(text, plain):
    assert with_plain_expressions(text) == plain


def test_an_expression_keeps_its_length():
    text = HOSTS["a choice"]
    assert len(text_of(with_plain_expressions(text))) == len(text)
