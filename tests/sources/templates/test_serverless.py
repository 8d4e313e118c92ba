"""Configurations of the Serverless Framework."""

import json

import pytest
import yaml

from irsa_doctor.model import text_of
from tests.facts.situations import found
from tests.sources.templates.made import conditions, federated, roles_of, row_of
from tests.sources.worlds import ISSUER, inventory, policy

HEAD = {
    "service": "shop",
    "provider": {"name": "aws", "stage": "${opt:stage, 'dev'}"},
    "custom": {"issuer": ISSUER, "n": {"a": 1}},
}


def service(resources: object, **more: object) -> dict:
    return {"serverless.yml": yaml.safe_dump({**HEAD, "resources": resources, **more})}


def role(written: object) -> dict:
    properties = {"RoleName": "app", "AssumeRolePolicyDocument": written}
    return {"Resources": {"App": {"Type": "AWS::IAM::Role", "Properties": properties}}}


@pytest.mark.parametrize("listed", [False, True])
def test_the_resources_are_a_template(listed):
    documents = service([role(policy()), "${file(more.yml)}"] if listed else role(policy()))
    (made,) = roles_of(documents).values()
    assert made.planned == "app"
    assert conditions(made)["StringEquals"][f"{ISSUER}:sub"] == "system:serviceaccount:prod:app"
    row = row_of(inventory(documents), "serverless.yml")
    assert (row.kind, row.status, "${file(more.yml)}" in str(row.why)) == ("serverless", "read", listed)


@pytest.mark.parametrize("text", [False, True])
def test_a_variable_is_what_the_document_holds_for_it_and_else_a_hole(text):
    written = json.dumps(policy()).replace(ISSUER, "${self:custom.issuer}").replace("prod", "${self:provider.stage}")
    (made,) = roles_of(service(role({"Fn::Sub": written} if text else json.loads(written)))).values()
    assert federated(made).endswith(f"/{ISSUER}")
    assert conditions(made)["StringEquals"][f"{ISSUER}:sub"] == "system:serviceaccount:{{opt:stage, 'dev'}}:app"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${env:X}", "{{env:X}}"),
        ("${self:custom.n}", "{{self:custom.n}}"),
        ("${self:custom.n.a}", "1"),
        ("${self:custom.${opt:x}}", "{{self:custom.opt:x}}"),
        ("${file(./a.yml):b.c}", "{{file(./a.yml):b.c}}"),
        ("${AWS::Region}", "${AWS::Region}"),
    ],
)
def test_variables_of_cloudformation_stay_and_those_within_others_are_part_of_their_names(written, meant):
    document = policy()
    document["Statement"][0]["Action"] = written
    (made,) = roles_of(service(role(document))).values()
    assert text_of(made.policy.document["Statement"][0]["Action"]) == meant


def test_a_variable_that_refers_to_itself_ends():
    custom = {"a": "${self:custom.b}", "b": "x${self:custom.a}"}
    assert len(roles_of(service(role(policy()), custom=custom, functions={"f": "${self:custom.a}"}))) == 1
    document = policy()
    document["Statement"][0]["Action"] = "${self:custom.a}"
    assert len(roles_of(service(role(document), custom=custom))) == 1


def test_an_open_role_is_found_and_a_service_without_roles_is_passed_over():
    document = policy()
    del document["Statement"][0]["Condition"]["StringEquals"][f"{ISSUER}:sub"]
    assert any(rule.startswith("open-") for rule, _ in found(service(role(document))))
    for resources in (None, {}, "${file(r.yml)}", {"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}):
        row = row_of(inventory(service(resources)), "serverless.yml")
        assert (row.kind, row.status) == ("serverless", "ignored")


def test_variables_that_grow_or_go_in_a_circle_are_filled_in_up_to_a_limit():
    custom = {f"a{n}": f"${{self:custom.a{n + 1}}}" * 10 for n in range(9)} | {"a9": "x" * 10, "b": "${self:custom.b}" * 3}
    document = policy()
    document["Statement"][0]["Sid"] = "${self:custom.a0}${self:custom.b}"
    (made,) = roles_of(service(role(document), custom=custom)).values()
    assert conditions(made)["StringEquals"][f"{ISSUER}:sub"] == "system:serviceaccount:prod:app"
