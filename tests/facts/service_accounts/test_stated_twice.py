"""A role that an account has and a template makes: what is wrong by either of them is found, whichever the other admits."""

import itertools
import json

import pytest

from irsa_doctor import api
from tests.cli.running import ACCOUNT, ISSUER, ROLE, put, role, trust

OWN, OTHER = "system:serviceaccount:payments:checkout", "system:serviceaccount:payments:web"
CLUSTER = {
    "name": "shop",
    "arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/shop",
    "version": "1.33",
    "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
}
ANNOTATED = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "checkout", "namespace": "payments", "annotations": {"eks.amazonaws.com/role-arn": ROLE}},
}


def template(subject):
    made = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "checkout", "AssumeRolePolicyDocument": trust(subject)}}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"R": made}}


def terraform(subject):
    policy = json.dumps(trust(subject))
    return f'resource "aws_iam_role" "checkout" {{\n  name = "checkout"\n  assume_role_policy = jsonencode({policy})\n}}\n'


def rules_about_the_account(folder, documents):
    for name, content in documents.items():
        put(folder / name, content)
    put(folder / "cluster.json", {"cluster": CLUSTER})
    put(folder / "account.json", ANNOTATED)
    report = api.check([str(folder)])
    return {finding.rule for finding in report.findings if finding.subject.kind == "binding"}


@pytest.mark.parametrize(("exported", "made"), [*itertools.product([OWN, OTHER], repeat=2)])
@pytest.mark.parametrize("form", ["stack.json", "main.tf"])
def test_neither_document_of_a_role_takes_a_finding_from_the_other(tmp_path, form, exported, made):
    text = template(made) if form == "stack.json" else terraform(made)
    documents = {"role.json": role(trust(exported)), form: text}
    alone = [rules_about_the_account(tmp_path / name, {name: content}) for name, content in documents.items()]
    together = rules_about_the_account(tmp_path / "both", documents)
    assert together == alone[0] | alone[1]
    assert bool(together) == (OTHER in (exported, made))
