import os

import pytest

from irsa_doctor.model import Unknown
from irsa_doctor.sources import load
from tests.sources.templates.made import conditions, federated, policy_text, row_of
from tests.sources.worlds import inventory, loaded, policy

TRUST = """{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "${arn}"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringEquals": {"${issuer}:sub": "system:serviceaccount:${namespace}:api"}}
  }]
}
"""


def role(expression, name="app"):
    return f'resource "aws_iam_role" "{name}" {{\n  assume_role_policy = {expression}\n}}\n'


FILLED = '{ arn = "arn:aws:iam::111122223333:oidc-provider/oidc.example", issuer = "oidc.example" }'


@pytest.mark.parametrize(
    "path",
    [
        '"trust.json.tpl"',
        '"./trust.json.tpl"',
        '"${path.module}/trust.json.tpl"',
        '"${path.root}/trust.json.tpl"',
        '"${path.module}/policies/../trust.json.tpl"',
        'format("%s/%s", path.module, "trust.json.tpl")',
        '"${abspath(path.module)}/trust.json.tpl"',
    ],
)
def test_a_template_beside_the_configuration_is_filled_in(path):
    files = {"app/main.tf": role(f"templatefile({path}, {FILLED})"), "app/trust.json.tpl": TRUST}
    (app,) = loaded(files).inventory.roles
    assert app.address == "aws_iam_role.app"
    assert federated(app) == "arn:aws:iam::111122223333:oidc-provider/oidc.example"
    assert conditions(app) == {"StringEquals": {"oidc.example:sub": "system:serviceaccount:${namespace}:api"}}


def test_a_file_is_the_policy_of_its_role_and_no_other():
    given = loaded({"main.tf": role('file("trust.json")'), "trust.json": policy()})
    (app,) = given.inventory.roles
    assert (app.address, app.policy.place.document) == ("aws_iam_role.app", "trust.json")
    row = row_of(given.inventory, "trust.json")
    assert (row.status, row.why) == ("read", "a file that Terraform configuration reads, judged where it is used")


def test_parts_of_a_template_are_found_in_its_own_file():
    given = loaded({"main.tf": role(f'templatefile("trust.json.tpl", {FILLED})'), "trust.json.tpl": TRUST})
    (app,) = given.inventory.roles
    assert policy_text(given, app, "Statement", 0, "Principal", "Federated") == '"${arn}"'
    assert policy_text(given, app, "Statement", 0, "Action") == '"sts:AssumeRoleWithWebIdentity"'


@pytest.mark.parametrize("directive", ["%{ if true ~}\n%{ endif ~}\n", "%{ for x in [1] ~}\n%{ endfor ~}\n"])
def test_parts_of_a_template_that_is_no_json_are_found_in_it_too(directive):
    text = TRUST.replace("{", f"{{\n{directive}", 1)
    given = loaded({"main.tf": role(f'templatefile("trust.json.tpl", {FILLED})'), "trust.json.tpl": text})
    (app,) = given.inventory.roles
    place = app.policy.place.at("Statement", 0, "Action")
    assert given.documents.locate(place).line == text[: text.index('"sts:')].count("\n") + 1


def test_a_template_that_is_one_expression_is_its_value():
    text = """${jsonencode({
  Statement = [{ Effect = "Allow", Principal = { Federated = arn }, Action = "sts:AssumeRoleWithWebIdentity" }]
})}
"""
    files = {"main.tf": role(f'templatefile("trust.tftpl", {FILLED})'), "trust.tftpl": text}
    given = loaded(files)
    (app,) = given.inventory.roles
    assert federated(app) == "arn:aws:iam::111122223333:oidc-provider/oidc.example"
    assert row_of(given.inventory, "trust.tftpl").status == "read"
    assert row_of(inventory({"trust.tftpl": text}), "trust.tftpl").why.startswith("a template, which is judged where")


def test_a_module_reads_its_own_files_wherever_it_is_called():
    files = {
        "live/main.tf": 'module "app" {\n  source = "../modules/app"\n  namespace = "shop"\n}\n',
        "modules/app/main.tf": 'variable "namespace" {}\n'
        + role('templatefile("${path.module}/trust.json.tpl", { namespace = var.namespace })'),
        "modules/app/trust.json.tpl": TRUST,
        "live/trust.json.tpl": TRUST.replace("api", "other"),
    }
    (app,) = [made for made in loaded(files).inventory.roles if made.address]
    assert conditions(app) == {"StringEquals": {"${issuer}:sub": "system:serviceaccount:shop:api"}}


def test_a_choice_of_files_is_a_choice():
    files = {"main.tf": role('file(var.wide ? "a.json" : "b.json")'), "a.json": policy("x"), "b.json": policy("y")}
    assert {made.case for made in loaded(files).inventory.roles} == {"(var.wide)", "(not var.wide)"}


@pytest.mark.parametrize(
    "path",
    ['"${path.module}/../../../../../../../etc/hostname"', '"/etc/hostname"', '"nothing.json"', '"a\\u0000b"', '"~/x"', '""'],
)
def test_a_file_that_was_not_passed_is_unknown(path, tmp_path):
    (tmp_path / "main.tf").write_text(role(f"file({path})"))
    (app,) = load([str(tmp_path)]).inventory.roles
    assert isinstance(app.policy, Unknown)


def test_a_missing_file_is_named():
    row = row_of(inventory({"app/main.tf": role('file("${path.module}/../../x/trust.json")')}), "app/main.tf")
    assert row.why == "not in the input, though the configuration reads it: ../../x/trust.json"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    outside = tmp_path / "secret.json"
    outside.write_text('{"Version": "2012-10-17", "Statement": []}')
    inside = tmp_path / "stack"
    inside.mkdir()
    os.symlink(outside, inside / "trust.json")
    (inside / "main.tf").write_text(role('file("trust.json")'))
    (app,) = load([str(inside)]).inventory.roles
    assert isinstance(app.policy, Unknown)


def test_values_of_a_release_may_be_a_template():
    release = (
        'resource "helm_release" "dns" {\n  name = "dns"\n  namespace = "dns"\n'
        '  values = [templatefile("${path.module}/values.yaml", { role = aws_iam_role.app.arn })]\n}\n'
    )
    values = "serviceAccount:\n  name: external-dns\n  annotations:\n    eks.amazonaws.com/role-arn: ${role}\n"
    given = inventory({"main.tf": role("var.policy") + release, "values.yaml": values})
    (account,) = given.service_accounts
    assert (account.namespace, account.name) == ("dns", "external-dns")
    assert str(account.annotations["eks.amazonaws.com/role-arn"]) == "${aws_iam_role.app.arn}"


def test_a_template_cannot_take_for_ever():
    text = '{"a": "' + "${x}" * 2_000 + '"}'
    files = {"main.tf": role('templatefile("t.json", { x = templatefile("t.json", {}) })'), "t.json": text}
    rows = [row for row in inventory(files).documents if row.status == "unreadable"]
    assert [row.path for row in rows] == ["main.tf"]


OF_TEMPLATE = """data "template_file" "trust" {
  template = TEMPLATE
  VARS
}
"""
ESCAPED = "<<EOT\n" + TRUST.replace("${", "$${") + "EOT\n"
VARIABLES = (
    'arn = "arn:aws:iam::111122223333:oidc-provider/oidc.example"\n    issuer = "oidc.example"\n    namespace = var.space\n'
)


@pytest.mark.parametrize(
    ("template", "variables"),
    [
        ('file("trust.json.tpl")', f"vars = {{\n    {VARIABLES}  }}"),
        ('"${file("${path.module}/trust.json.tpl")}"', f"vars = {{\n    {VARIABLES}  }}"),
        ('file("trust.json.tpl")', f"vars {{\n    {VARIABLES}  }}"),
        (ESCAPED, f"vars = {{\n    {VARIABLES}  }}"),
    ],
)
def test_the_data_source_of_a_template_is_read_like_templatefile(template, variables):
    text = OF_TEMPLATE.replace("TEMPLATE", template).replace("VARS", variables) + role("data.template_file.trust.rendered")
    documents = {"main.tf": text, "trust.json.tpl": TRUST}
    (made,) = [role for role in inventory(documents).roles if role.address]
    assert federated(made) == "arn:aws:iam::111122223333:oidc-provider/oidc.example"
    assert conditions(made) == {"StringEquals": {"oidc.example:sub": "system:serviceaccount:${var.space}:api"}}


def test_a_place_in_the_template_of_a_data_source_is_in_its_file():
    text = OF_TEMPLATE.replace("TEMPLATE", 'file("trust.json.tpl")').replace("VARS", f"vars = {{\n    {VARIABLES}  }}")
    given = loaded({"main.tf": text + role("data.template_file.trust.rendered"), "trust.json.tpl": TRUST})
    (made,) = [role for role in given.inventory.roles if role.address]
    assert policy_text(given, made, "Statement", 0, "Principal", "Federated") == '"${arn}"'
    assert row_of(given.inventory, "trust.json.tpl").why == "a file that Terraform configuration reads, judged where it is used"


@pytest.mark.parametrize("template", ["var.template", 'file("elsewhere.tpl")', '"%{ if"'])
def test_a_data_source_of_a_template_that_is_not_known_is_a_hole(template):
    text = OF_TEMPLATE.replace("TEMPLATE", template).replace("VARS", "") + role("data.template_file.trust.rendered")
    (made,) = inventory({"main.tf": text}).roles
    assert isinstance(made.policy, Unknown)


def test_a_template_of_configuration_is_no_document_that_cannot_be_read(tmp_path):
    (tmp_path / "main.tf").write_text(
        'resource "helm_release" "r" {\n  values = [templatefile("${path.module}/values.yaml", { on = true })]\n}\n'
    )
    (tmp_path / "values.yaml").write_text('kind: a\n%{ if on }\narn: "arn:aws:iam::111122223333:role/x"\n%{ endif }\n')
    (tmp_path / "other.yaml").write_text('kind: a\n%{ if on }\narn: "arn:aws:iam::111122223333:role/x"\n%{ endif }\n')
    rows = {row.path.rpartition("/")[2]: row.status for row in load([str(tmp_path)]).inventory.documents}
    assert (rows["values.yaml"], rows["other.yaml"]) == ("ignored", "unreadable")
