"""Terraform's configuration in JSON."""

import json

import pytest

from tests.sources.templates.made import ISSUER, PROVIDER, conditions, federated, policy_text, roles_of, row_of, statement
from tests.sources.worlds import inventory, loaded, policy

SUB = f"{ISSUER}:sub"


def resource(role, **more):
    return json.dumps({"resource": {"aws_iam_role": {"app": role}}, **more}, indent=1)


def app(text, name="main.tf.json", **files):
    return roles_of({name: text, **files})["aws_iam_role.app"]


def test_a_policy_in_a_string_has_its_places():
    given = loaded({"main.tf.json": resource({"assume_role_policy": json.dumps(policy(), ensure_ascii=False)})})
    (role,) = given.inventory.roles
    assert federated(role) == PROVIDER
    at = ("Statement", 0, "Condition", "StringEquals", SUB)
    assert policy_text(given, role, *at) == '\\"system:serviceaccount:prod:app\\"'
    assert policy_text(given, role, *at, key=True) == f'\\"{SUB}\\"'


def test_interpolations_in_a_policy_are_put_in_and_places_behind_them_are_exact():
    text = json.dumps(policy()).replace(PROVIDER, "${var.arn}")
    given = loaded({"main.tf.json": resource({"assume_role_policy": text}, variable={"arn": {"default": PROVIDER}})})
    (role,) = given.inventory.roles
    assert federated(role) == PROVIDER
    at = ("Statement", 0, "Condition", "StringEquals", SUB)
    assert policy_text(given, role, *at) == '\\"system:serviceaccount:prod:app\\"'


def test_escapes_of_templates_in_a_policy_are_what_they_stand_for():
    subject = "system:serviceaccount:${sts:RoleSessionName}:%{app}"
    text = json.dumps(policy(subject)).replace("${", "$${").replace("%{", "%%{")
    given = loaded({"main.tf.json": resource({"assume_role_policy": text})})
    (role,) = given.inventory.roles
    assert statement(role)["Condition"]["StringEquals"][SUB] == subject
    at = ("Statement", 0, "Condition", "StringEquals", SUB)
    assert policy_text(given, role, *at) == '\\"' + subject.replace("${", "$${").replace("%{", "%%{") + '\\"'


def test_jsonencode_in_an_interpolation_gives_the_policy():
    call = '${jsonencode({Statement = [{Effect = "Allow", Action = "sts:AssumeRole", Principal = {AWS = "*"}}]})}'
    assert statement(app(resource({"assume_role_policy": call})))["Principal"] == {"AWS": "*"}


DOCUMENT = {
    "statement": {
        "actions": ["sts:AssumeRoleWithWebIdentity"],
        "principals": [{"type": "Federated", "identifiers": [PROVIDER]}],
        "condition": [
            {"test": "StringEquals", "variable": SUB, "values": ["system:serviceaccount:prod:${var.name}"]},
            {"test": "StringEquals", "variable": f"{ISSUER}:aud", "values": ["sts.amazonaws.com"]},
        ],
    }
}


def with_document(document):
    data = {"aws_iam_policy_document": {"trust": document}}
    more = {"data": data, "variable": {"name": {"default": "web"}}}
    return resource({"assume_role_policy": "${data.aws_iam_policy_document.trust.json}"}, **more)


@pytest.mark.parametrize("listed", [False, True])
def test_blocks_are_an_object_or_a_list_of_them(listed):
    document = {"statement": [DOCUMENT["statement"]]} if listed else DOCUMENT
    given = loaded({"main.tf.json": with_document(document)})
    (role,) = given.inventory.roles
    assert conditions(role)["StringEquals"][SUB] == "system:serviceaccount:prod:web"
    at = ("Statement", 0, "Condition", "StringEquals", SUB)
    assert policy_text(given, role, *at) == '"system:serviceaccount:prod:${var.name}"'
    assert policy_text(given, role, *at, key=True) == f'"{SUB}"'


def test_resources_may_be_lists_of_objects_and_so_may_the_whole_file():
    role = {"assume_role_policy": json.dumps(policy())}
    assert app(json.dumps({"resource": [{"aws_iam_role": [{"app": [role]}]}]}))
    assert app(json.dumps({"//": "by a program", "resource": {"aws_iam_role": {"app": role}}}))


def test_a_dynamic_block_is_expanded():
    dynamic = {
        "statement": {
            "actions": ["sts:AssumeRoleWithWebIdentity"],
            "principals": {"type": "Federated", "identifiers": [PROVIDER]},
            "dynamic": {
                "condition": {
                    "for_each": {"sub": "system:serviceaccount:prod:web", "aud": "sts.amazonaws.com"},
                    "iterator": "claim",
                    "content": {
                        "test": "StringEquals",
                        "variable": ISSUER + ":${claim.key}",
                        "values": ["${claim.value}"],
                    },
                }
            },
        }
    }
    found = conditions(app(with_document(dynamic)))["StringEquals"]
    assert found == {SUB: "system:serviceaccount:prod:web", f"{ISSUER}:aud": "sts.amazonaws.com"}


def test_count_for_each_and_modules_work_as_in_the_other_language():
    role = {"assume_role_policy": json.dumps(policy()), "for_each": '${toset(["a", "b"])}', "name": "${each.key}"}
    assert set(roles_of({"main.tf.json": resource(role)})) == {'aws_iam_role.app["a"]', 'aws_iam_role.app["b"]'}
    call = json.dumps({"module": {"one": {"source": "./inner", "subject": "system:serviceaccount:a:b"}}})
    inner = resource({"assume_role_policy": json.dumps(policy()).replace("system:serviceaccount:prod:app", "${var.subject}")})
    (found,) = roles_of({"main.tf.json": call, "inner/main.tf.json": inner}).values()
    assert conditions(found)["StringEquals"][SUB] == "system:serviceaccount:a:b"


def test_both_languages_make_one_module():
    hcl = 'locals {\n  subject = "system:serviceaccount:prod:web"\n}\n'
    text = json.dumps(policy()).replace("system:serviceaccount:prod:app", "${local.subject}")
    found = app(resource({"assume_role_policy": text}), **{"locals.tf": hcl})
    assert conditions(found)["StringEquals"][SUB] == "system:serviceaccount:prod:web"


def test_a_file_of_another_name_is_recognised_by_its_blocks():
    assert app(resource({"assume_role_policy": json.dumps(policy())}), name="synthesised.json")


@pytest.mark.parametrize(
    "text",
    ['{"data": {"key": "value"}}', '{"module": "esnext"}', '{"variable": {"a": 1}}', '{"resource": {"name": {"a": 1}}}'],
)
def test_other_json_is_not_taken_for_terraform(text):
    assert row_of(inventory({"x.json": text}), "x.json").kind != "terraform"


@pytest.mark.parametrize("text", ["[]", "{}", '{"resource": 5}', '{"resource": {"aws_iam_role": {"app": 5}}}'])
def test_a_file_without_blocks_is_read_without_anything_in_it(text):
    assert row_of(inventory({"main.tf.json": text}), "main.tf.json").status == "ignored"


def test_a_file_that_is_not_valid_json_is_unreadable_with_its_place():
    row = row_of(inventory({"main.tf.json": '{"resource": {\n"aws_iam_role": }}'}), "main.tf.json")
    assert (row.status, row.line) == ("unreadable", 2)


@pytest.mark.parametrize("name", ["${", "${var.", "%{if}", "${\\u0000}", "a${var.b}\\ud83d\\ude00\\n"])
def test_a_broken_template_is_a_hole_or_itself(name):
    text = '{"resource": {"aws_iam_role": {"app": {"name": "NAME", "assume_role_policy": "NAME"}}}}'.replace("NAME", name)
    assert set(roles_of({"main.tf.json": text})) == {"aws_iam_role.app"}


@pytest.mark.parametrize("count", [10**400, -(10**400), 10**18])
def test_a_number_that_nobody_counts_to_costs_no_other_resource(count):
    role = {"name": "r", "assume_role_policy": json.dumps(policy())}
    text = json.dumps({"resource": {"aws_iam_role": {"many": {"count": count, **role}, "one": role}}})
    given = inventory({"main.tf.json": text})
    assert "aws_iam_role.one" in {found.address for found in given.roles}
    assert not any("an error of irsa-doctor" in (row.why or "") for row in given.documents)
