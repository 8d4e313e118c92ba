"""`Fn::ForEach`: what a loop makes is read, once for each item, at the place where it is written."""

import json
from textwrap import indent

import pytest

from tests.facts.situations import found
from tests.sources.templates.made import conditions, roles_of, row_of
from tests.sources.worlds import inventory

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
HEAD = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::LanguageExtensions\n"
LIST = "Parameters:\n  Names: {Type: CommaDelimitedList, Default: 'web, api'}\n"
OPEN = "Parameters:\n  Names: {Type: CommaDelimitedList}\n"


def role(condition, name="Role${Name}"):
    lines = [
        f"{name}:",
        "  Type: AWS::IAM::Role",
        "  Properties:",
        "    AssumeRolePolicyDocument:",
        "      Version: '2012-10-17'",
        "      Statement:",
        "      - Effect: Allow",
        f"        Principal: {{Federated: '{PROVIDER}'}}",
        "        Action: sts:AssumeRoleWithWebIdentity",
        f"        Condition: {condition}",
    ]
    return "\n".join(lines) + "\n"


def of(subject, audience=f"'{ISSUER}:aud': sts.amazonaws.com"):
    return f"{{StringLike: {{'{ISSUER}:sub': {subject}, {audience}}}}}"


def template(collection, body, before="", name="Roles"):
    loop = f"  Fn::ForEach::{name}:\n  - Name\n  - {collection}\n  -\n"
    return {"stack.yaml": HEAD + before + "Resources:\n" + loop + indent(body, "    ")}


ALL = "!Sub 'system:serviceaccount:*:${Name}'"


@pytest.mark.parametrize(
    ("collection", "before"),
    [
        ("[web, api]", ""),
        ("!Ref Names", LIST),
        ("[web, !Ref Names]", LIST.replace("web, api", "api")),
        ("{Ref: Names}", LIST),
    ],
)
def test_a_role_of_a_loop_is_read_for_each_item(collection, before):
    files = template(collection, role(of(ALL)), before)
    assert [item.address for item in inventory(files).roles] == ["Roleweb", "Roleapi"]
    assert {subject for rule, subject in found(files) if rule == "open-sub-star"} == {
        "stack.yaml: Roleapi#0",
        "stack.yaml: Roleweb#0",
    }


@pytest.mark.parametrize(
    "subject",
    ["'system:serviceaccount:*:${Name}'", ALL, "!Join [':', [system, serviceaccount, '*', !Ref Name]]"],
)
def test_the_item_is_put_in_wherever_the_loop_names_it(subject):
    made = roles_of(template("[web]", role(of(subject))))["Roleweb"]
    assert conditions(made)["StringLike"][f"{ISSUER}:sub"] == "system:serviceaccount:*:web"


def test_an_ampersand_leaves_letters_and_digits_of_the_item():
    world = inventory(template("[web-1, 10.0.0.1]", role(of("a"), "Role&{Name}")))
    assert [item.address for item in world.roles] == ["Roleweb1", "Role10001"]


def test_loops_may_stand_in_loops():
    inner = {"Fn::ForEach::Inner": ["Team", ["x", "y"], {"R${Name}${Team}": EMPTY}]}
    made = {"Resources": {"Fn::ForEach::Outer": ["Name", ["a", "b"], inner]}}
    world = inventory({"stack.json": json.dumps({"AWSTemplateFormatVersion": "2010-09-09", **made})})
    assert [item.address for item in world.roles] == ["Rax", "Ray", "Rbx", "Rby"]


EMPTY = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}}


def test_a_loop_over_what_is_not_known_is_read_once():
    files = template("!Ref Names", role(of("!Sub 'system:serviceaccount:${Name}:*'")), OPEN)
    world = inventory(files)
    assert [item.address for item in world.roles] == ["Role${Name}"]
    assert "is read once" in row_of(world, "stack.yaml").why
    assert ("open-sub-star", "stack.yaml: Role${Name}#0") in found(template("!Ref Names", role(of("'*'")), OPEN))


@pytest.mark.parametrize(("collection", "is_open"), [("[aud]", True), ("[aud, sub]", False), ("!Ref Keys", False)])
def test_a_loop_in_a_condition_is_a_part_of_it(collection, is_open):
    key = f"'{ISSUER}:${{K}}': sts.amazonaws.com"
    condition = f"{{StringEquals: {{'Fn::ForEach::Keys': [K, {collection}, {{{key}}}]}}}}"
    assert (("open-aud-only", "stack.yaml: Roleweb#0") in found(template("[web]", role(condition)))) is is_open


def test_what_a_loop_makes_stands_where_it_is_written():
    (made,) = inventory(template("[web]", role(of(ALL)))).roles
    assert made.place.pointer == "/Resources/Fn::ForEach::Roles/2/Role${Name}"


def test_a_loop_that_would_make_too_much_is_not_expanded():
    body = {"B${L0}": {"Type": "AWS::IAM::Role"}}
    for number in range(12):
        body = {f"Fn::ForEach::L{number}": [f"L{number}", ["a", "b", "c"], body]}
    world = inventory({"stack.json": json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": body})})
    assert "not read" in row_of(world, "stack.json").why
