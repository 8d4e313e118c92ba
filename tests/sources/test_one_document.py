"""What is wrong with one document costs that document, and the others are judged."""

import json
import time

import pytest

from irsa_doctor import api
from irsa_doctor.model import Document, Place
from irsa_doctor.sources.documents.reading import DocumentReading, guarded
from irsa_doctor.sources.files.weight import speaks_of_roles
from irsa_doctor.sources.rows import final_rows
from irsa_doctor.text.positions import Documents
from tests.sources.templates.made import ISSUER, PROVIDER

OPEN = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": {f"{ISSUER}:sub": "*", f"{ISSUER}:aud": "sts.amazonaws.com"}},
        }
    ],
}
ROLE = {"Role": {"RoleName": "z", "Arn": "arn:aws:iam::111122223333:role/z", "AssumeRolePolicyDocument": OPEN}}
BLOCK = 'resource "aws_iam_role" "r" {\n  assume_role_policy = jsonencode(%s)\n%s}\n'


def checked(tmp_path, documents):
    for name, text in documents.items():
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return api.check([str(tmp_path)])


def findings(report, rule):
    return [(finding.severity, finding.message) for finding in report.findings if finding.rule.startswith(rule)]


PLAN = {"format_version": "1.2", "terraform_version": "1.9", "planned_values": {"root_module": {}}}
BROKEN = {
    "hex.tf": BLOCK % ("{}", "  max_session_duration = 0x1\n"),
    "octal.tf": BLOCK % ("{}", "  max_session_duration = 0o17\n"),
    "large.tf": BLOCK % ("{}", "  max_session_duration = 1.0e400\n"),
    "count.tf": BLOCK % ("{}", "  count = 1e999\n"),
    "each.tf": BLOCK % ("{}", "  for_each = range(1e999)\n"),
    "deep.tf": 'resource "aws_iam_role" "r" {\n' + "a {\n" * 1000 + "}\n" * 1000 + "}\n",
    "lists.tf": BLOCK % ("[" * 1000 + "]" * 1000, ""),
    "brackets.tf": BLOCK % ("(" * 1000 + "1" + ")" * 1000, ""),
    "plan.json": json.dumps(PLAN | {"resource_changes": 1}),
    "plan-true.json": json.dumps(PLAN | {"resource_changes": True}),
    "cut-role.json": json.dumps(ROLE)[:-5],
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_document_takes_no_finding_from_another(name, tmp_path):
    report = checked(tmp_path, {name: BROKEN[name], "z.json": json.dumps(ROLE)})
    assert findings(report, "open-sub-star")
    ((severity, message),) = findings(report, "input-unreadable")
    assert severity == "high"
    assert name in message


@pytest.mark.parametrize(
    "argument", ["max_session_duration = 7200", 'name = "0x1"', "# 0x1\n", "max_session_duration = 3.6e3", 'tags = {a = "0b1"}']
)
def test_numbers_of_the_grammar_and_words_like_others_are_read(argument, tmp_path):
    report = checked(tmp_path, {"main.tf": BLOCK % (json.dumps(OPEN), f"  {argument}\n")})
    assert not findings(report, "input-unreadable")


def test_a_number_that_is_none_is_an_error_with_its_line(tmp_path):
    report = checked(tmp_path, {"hex.tf": BROKEN["hex.tf"]})
    (finding,) = [finding for finding in report.findings if finding.rule == "input-unreadable"]
    assert (finding.locations[0].line, finding.locations[0].column) == (3, 26)


def row_of(reading):
    rows = list(final_rows([Document("x.json", "", "ignored", None, "0")], {"x.json": reading}, Documents({})))
    return rows[-1]


def test_an_unexpected_error_makes_the_document_unreadable_and_the_next_item_is_read():
    def fails_at_two(item, place):
        reading.versions.append(str(1 / (item - 2)))

    reading = DocumentReading("x.json")
    reading.each([1, 2, 3], Place("x.json"), fails_at_two)
    assert reading.versions == ["-1.0", "1.0"]
    row = row_of(reading)
    assert (row.status, row.why, row.matters) == (
        "unreadable",
        "could not be judged: an error of irsa-doctor, please report",
        True,
    )


def test_an_unexpected_error_about_several_documents_is_noted_at_each():
    readings = [DocumentReading("x.json"), DocumentReading("y.json")]
    guarded(readings, lambda: {}["missing"])
    assert [bool(reading.faults) for reading in readings] == [True, True]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a/irsa.yaml", b"{"),
        ("trust_policy.txt", b"{"),
        ("main.tf", b"{"),
        ("x.tf.json", b"["),
        ("x.json", b'{"Action": "sts:AssumeRoleWithWebIdentity'),
        ("x.json", rb'{"Action": "sts:\u0041ssumeRoleWithWebIdentity'),
        ("x.yaml", rb'a: "\x65ks.amazonaws.com/role-\x61rn'),
        ("x.json", b"%7B%22Federated%22"),
        ("x.json", '{"Federated": '.encode("utf-16")),
        ("x.json", b'{"Role": {'),
        ("x.yaml", b"Resources:\n  R:\n    Type: AWS::IAM::Role\n  : ["),
        ("x.yaml", b"kind: ServiceAccount\n- a"),
        ("x.yaml", b"url: https://oidc.eks.eu-west-1.amazonaws.com/id/A: ["),
    ],
)
def test_what_speaks_of_roles_matters(path, content):
    assert speaks_of_roles(path, content)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("package.json", b'{"name": "x", "scripts": {'),
        ("roles/web/tasks/main.yml", b"- name: install\n  apt: ["),
        ("values.yaml", b"image: {{ .Values.image"),
        ("x.json", b'{"a": '),
        ("controller.json", b'{"enroll": "scroller'),
    ],
)
def test_what_does_not_speak_of_roles_matters_less(path, content):
    assert not speaks_of_roles(path, content)


LOOP = 'join("", [for i in range(1000): join("", [for j in range(1000): "x"])])'
NEST = 'dynamic "x" {\n for_each = range(1000)\n content {\n %s}\n}\n'
ROLE_BLOCK = f'resource "aws_iam_role" "prod" {{\n  assume_role_policy = jsonencode({json.dumps(OPEN)})\n}}\n'
BOMBS = {
    "loop": f'resource "aws_iam_role" "a" {{\n  name = {LOOP}\n  assume_role_policy = "{{}}"\n}}\n',
    "local": f"locals {{\n  b = {LOOP}\n}}\n" + BLOCK % ("{}", "  name = local.b\n"),
    "blocks": 'resource "aws_iam_role" "a" {\n' + NEST % (NEST % (NEST % "")) + 'assume_role_policy = "{}"\n}\n',
    "instances": 'resource "aws_iam_role" "a" {\n  count = 1000000\n  assume_role_policy = "{}"\n}\n',
    "each": BLOCK % ("{}", '  for_each = toset([for i in range(1001): "n${i}"])\n'),
    "itself": 'module "m" {\n  source = "./"\n}\nresource "aws_iam_role" "a" {\n  assume_role_policy = "{}"\n}\n',
    "doubling": "locals {\n  l0 = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    + "".join(f"  l{n + 1} = [{', '.join([f'local.l{n}'] * 10)}]\n" for n in range(9))
    + '}\nresource "aws_iam_role" "a" {\n  assume_role_policy = jsonencode(local.l9)\n}\n',
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_blinds_nothing_else(name, tmp_path):
    started = time.monotonic()
    report = checked(tmp_path, {"a.tf": BOMBS[name] + ROLE_BLOCK, "z.json": json.dumps(ROLE)})
    admitting = {finding.subject.id.split(" ")[-1] for finding in report.findings if finding.rule == "open-sub-star"}
    assert admitting >= {"arn:aws:iam::111122223333:role/z#0", "aws_iam_role.prod#0"}
    assert findings(report, "input-unreadable")[0][0] == "high"
    assert time.monotonic() - started < 60


def test_a_loop_of_honest_size_is_read(tmp_path):
    text = 'locals {\n  names = [for i in range(500): format("n%d", i)]\n}\n' + ROLE_BLOCK
    assert not findings(checked(tmp_path, {"a.tf": text}), "input-unreadable")


def test_modules_that_call_each_other_are_an_error_of_the_call(tmp_path):
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        calls = "".join(f'module "x{n}" {{\n  source = "../{other}"\n}}\n' for n in range(3))
        (tmp_path / name / "main.tf").write_text(calls + ROLE_BLOCK)
    report = checked(tmp_path, {})
    assert any("calls itself" in message for _, message in findings(report, "input-unreadable"))
    assert len(findings(report, "open-sub-star")) >= 2


def test_conditions_that_double_are_decided_once(tmp_path):
    conditions: dict[str, object] = {f"K{n}": {"Fn::And": [{"Condition": f"K{n + 1}"}] * 10} for n in range(9)}
    conditions["K9"] = {"Fn::Equals": ["a", "a"]}
    resources = {
        "A": {"Type": "AWS::EKS::Cluster", "Condition": "K0", "Properties": {"Name": "x"}},
        "R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": OPEN}},
    }
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Conditions": conditions, "Resources": resources}
    report = checked(tmp_path, {"t.json": json.dumps(template)})
    assert findings(report, "open-sub-star")
    assert not findings(report, "input-unreadable")


def test_a_plan_in_a_folder_takes_no_finding_from_the_configuration(tmp_path):
    safe = json.loads(json.dumps(OPEN).replace('"*"', '"system:serviceaccount:x:a"').replace("StringLike", "StringEquals"))
    values = {"name": "prod", "assume_role_policy": json.dumps(safe)}
    address = {"address": "aws_iam_role.prod", "mode": "managed", "type": "aws_iam_role", "name": "prod"}
    plan = PLAN | {"planned_values": {"root_module": {"resources": [address | {"values": values}]}}}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "main.tf").write_text(ROLE_BLOCK)
    assert findings(api.check([str(tmp_path)]), "open-sub-star")
    assert not findings(api.check([str(tmp_path / "main.tf"), str(tmp_path / "plan.json")]), "open-sub-star")


def parametrized(default, file_value, tmp_path, operator="StringLike"):
    document = json.loads(json.dumps(OPEN).replace("StringLike", operator))
    document["Statement"][0]["Condition"][operator][f"{ISSUER}:sub"] = {"Ref": "S"}
    parameter = {"Type": "String"} | ({} if default is None else {"Default": default})
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": document}}
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": {"S": parameter}, "Resources": {"R": role}}
    values = [{"ParameterKey": "S", "ParameterValue": file_value}]
    return checked(tmp_path, {"t.json": json.dumps(template), "params.json": json.dumps(values)})


ONE = "system:serviceaccount:x:a"


def test_parameters_beside_a_template_take_no_finding_of_its_defaults(tmp_path):
    assert findings(parametrized("*", ONE, tmp_path), "open-sub-star")


def test_parameters_beside_a_template_add_findings(tmp_path):
    assert findings(parametrized(ONE, "*", tmp_path), "open-sub-star")


def test_parameters_that_have_no_default_are_those_of_the_file(tmp_path):
    report = parametrized(None, ONE, tmp_path, "StringEquals")
    assert not [finding for finding in report.findings if finding.severity in ("critical", "high")]


def test_parameters_that_are_named_take_the_place_of_the_defaults(tmp_path):
    parametrized("*", ONE, tmp_path)
    template, stated = str(tmp_path / "t.json"), str(tmp_path / "params.json")
    settings = api.Settings(parameters={template: stated})
    assert not findings(api.check([template], settings=settings), "open-sub-star")
    # a path alone names a file of the change, and no deployment
    assert findings(api.check([template, stated]), "open-sub-star")


VALUES = "serviceAccount:\n  annotations:\n    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/app\n"


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (VALUES + "cpu:\n  limit: 1\ncpu:\n  limit: 2\n", "medium"),
        ("serviceAccount:\n  annotations:\n    eks.amazonaws.com/role-arn: first\n" + VALUES, "high"),
    ],
)
def test_a_duplicate_member_weighs_what_it_hides(text, severity, tmp_path):
    ((found, message),) = findings(checked(tmp_path, {"values.yaml": text}), "input-unreadable")
    assert found == severity
    assert message.endswith("the last one is read. The rest of it was checked.")


def test_what_no_part_of_is_read_is_said_to_be_unchecked(tmp_path):
    ((_, message),) = findings(checked(tmp_path, {"cut-role.json": json.dumps(ROLE)[:-5]}), "input-unreadable")
    assert message.endswith("Its content was not checked.")


@pytest.mark.parametrize("name", ["irsa.libsonnet", "role.jsonnet", "role.nix", "role.cue"])
def test_a_program_that_begins_like_json_is_ignored_in_a_folder(name, tmp_path):
    text = (
        "{\n  local role = 'x',\n  AssumeRolePolicyDocument: { Statement: [{ Action: 'sts:AssumeRoleWithWebIdentity' }] }\n}\n"
    )
    report = checked(tmp_path, {name: text, "z.json": json.dumps(ROLE)})
    (row,) = [row for row in report.documents if row.path.endswith(name)]
    assert (row.status, row.kind) == ("ignored", "program")
    assert not findings(report, "input-unreadable")
