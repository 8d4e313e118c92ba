"""Files of a folder that are not what their program reads: configuration that is set aside, pages, and templates of it."""

import pytest

from irsa_doctor.sources import load
from tests.sources.templates.made import ISSUER, PROVIDER

TRUST = f"""{{
  "Version": "2012-10-17",
  "Statement": [{{
    "Effect": "Allow",
    "Principal": {{"Federated": "{PROVIDER}"}},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {{"StringLike": {{"{ISSUER}:sub": "SUBJECT", "{ISSUER}:aud": "sts.amazonaws.com"}}}}
  }}]
}}"""
CONFIGURATION = """\
locals {
  subject = "SUBJECT"
}
resource "aws_iam_role" "app" {
  assume_role_policy = templatefile("${path.module}/trust.json.tpl", { subject = local.subject })
}
"""
NARROW, WIDE = "system:serviceaccount:prod:app", "system:serviceaccount:*:*"


@pytest.fixture
def read(tmp_path):
    def reading(*named, **files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return load([str(tmp_path / name) for name in named] or [str(tmp_path)]).inventory

    return reading


def subjects(inventory):
    return [
        value
        for role in inventory.roles
        for statement in role.policy.document["Statement"]
        for key, value in statement["Condition"]["StringLike"].items()
        if str(key).endswith(":sub")
    ]


def row(inventory, name):
    (found,) = [document for document in inventory.documents if document.path.endswith(f"/{name}")]
    return found


@pytest.mark.parametrize(
    "name",
    [
        "main.tf.bak",
        "main.tf-orig",
        "main.tf_old",
        "main.tf~",
        "main.tf.disabled",
        "main.tofu.bak",
        "main.tf.fargate",
        "main.tf.dist",
        "main.tf.example",
        "x.TF.old",
    ],
)
def test_terraform_does_not_read_what_is_set_aside_beside_its_files(name, read):
    files = {"trust.json.tpl": TRUST.replace("SUBJECT", "${subject}"), "main.tf": CONFIGURATION.replace("SUBJECT", NARROW)}
    given = read(**files, **{name: CONFIGURATION.replace("SUBJECT", WIDE)})
    assert subjects(given) == [NARROW]
    assert (row(given, name).status, row(given, name).why) == (
        "ignored",
        "configuration that is set aside: Terraform reads no file of this name",
    )


@pytest.mark.parametrize("name", ["main.tf.bak", "main.tf-orig"])
def test_a_file_that_the_user_names_is_read_whatever_it_is_called(name, read):
    given = read(name, **{name: CONFIGURATION})
    assert [role.address for role in given.roles] == ["aws_iam_role.app"]


@pytest.mark.parametrize(
    "name",
    [
        "main.tf.j2",
        "main.tf.tmpl",
        "main.tf.tpl",
        "main.tf.in",
        "main.tf.ejs",
        "main.tf.erb",
        "main.tf.njk",
        "main.tf.liquid",
        "roles.hcl",
        "configuration",
    ],
)
def test_configuration_that_is_made_of_a_template_or_has_another_name_is_read(name, read):
    given = read(**{name: CONFIGURATION})
    assert [role.address for role in given.roles] == ["aws_iam_role.app"]


@pytest.mark.parametrize("name", ["README.md", "README.rst", "docs/usage.adoc", "page.MDX"])
@pytest.mark.parametrize(
    "start", ["[![build](https://example.com/x.svg)](https://example.com)\n", "{{< note >}}\n", "{% raw %}\n"]
)
def test_a_page_is_no_document_that_cannot_be_read(name, start, read):
    given = read(
        **{name: f"{start}\n# Roles\n\n```json\n{TRUST}\n```\nUse `${{{{ secrets.ROLE }}}}` with sts.amazonaws.com.\n"}
    )
    assert (row(given, name).status, row(given, name).kind) == ("ignored", "text")


def test_a_page_that_the_user_names_is_one(read):
    given = read("trust.md", **{"trust.md": "{{ note }}\n" + TRUST})
    assert row(given, "trust.md").status == "unreadable"


DIRECTIVES = {
    "a list of statements": TRUST.replace('"Statement": [', '"Statement": [\n%{ if irsa }\n').replace("}]", "}\n%{ endif }\n]"),
    "one line": TRUST.replace("[{", "[%{ if irsa }{").replace("}]", "}%{ endif }]"),
    "a value": TRUST.replace('"SUBJECT"', "${jsonencode(subjects)}"),
    "a loop": TRUST.replace('"SUBJECT"', '[%{ for s in subjects ~}"${s}",%{ endfor ~}"x"]'),
}


@pytest.mark.parametrize("text", DIRECTIVES.values(), ids=DIRECTIVES.keys())
@pytest.mark.parametrize("name", ["trust.tpl", "trust.json", "trust.json.tftpl"])
def test_a_template_of_terraform_that_nothing_reads_leaves_its_policy_unknown(text, name, read):
    given = read(**{name: text})
    assert row(given, name).status == "ignored"
    assert row(given, name).why == "a template, which is judged where Terraform configuration of the input reads it"
    assert [gap.name for gap in given.gaps if "writes" in gap.missing] == [row(given, name).path]


@pytest.mark.parametrize("text", DIRECTIVES.values(), ids=DIRECTIVES.keys())
def test_a_template_of_terraform_is_judged_where_it_is_read(text, read):
    configuration = """\
resource "aws_iam_role" "app" {
  assume_role_policy = templatefile("${path.module}/trust.tpl", { irsa = true, subjects = ["system:serviceaccount:a:b"] })
}
"""
    given = read(**{"trust.tpl": text, "main.tf": configuration})
    assert row(given, "trust.tpl").why == "a file that Terraform configuration reads, judged where it is used"
    assert [role.address for role in given.roles] == ["aws_iam_role.app"]
    assert not [gap for gap in given.gaps if "writes" in gap.missing]


@pytest.mark.parametrize("directive", ["%{ if on }", "%{~ if on ~}", "%{ for x in y ~}"])
def test_values_that_terraform_fills_in_are_no_broken_yaml(directive, read):
    end = "%{ endfor ~}" if "for" in directive else "%{ endif }"
    given = read(**{"values.yaml": f"image: x\n{directive}\nserviceAccount:\n  name: app\n{end}\n"})
    assert row(given, "values.yaml").status == "ignored"


BROKEN = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: app
  annotations:
    note: |
      %{ if x } lines
    eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/app
"""


def test_a_broken_object_of_kubernetes_is_no_template_for_a_line_in_it(read):
    given = read(**{"sa.yaml": BROKEN})
    assert (row(given, "sa.yaml").status, row(given, "sa.yaml").matters) == ("unreadable", True)


def test_a_broken_file_that_the_user_names_is_no_template_for_a_line_in_it(read):
    given = read("values.yaml", **{"values.yaml": "image: x\n%{ if on }\nserviceAccount: {\n"})
    assert row(given, "values.yaml").status == "unreadable"


@pytest.mark.parametrize("text", [TRUST.replace('"Allow",', '"Allow"'), TRUST.replace("SUBJECT", "${subject}")[:-3]])
def test_a_policy_that_is_broken_stays_so_whatever_is_filled_in_elsewhere(text, read):
    given = read(**{"trust.json": text})
    assert (row(given, "trust.json").status, row(given, "trust.json").matters) == ("unreadable", True)


@pytest.mark.parametrize("text", ["{{- if .Values.role }}\n" + TRUST, "{% if role %}\n" + TRUST])
@pytest.mark.parametrize("name", ["role.yaml.gotmpl", "role.yaml", "role.json"])
def test_a_template_that_begins_with_an_action_is_not_said_to_be_json(text, name, read):
    given = row(read(**{name: text}), name)
    assert (given.status, given.matters) == ("unreadable", not name.endswith(".gotmpl"))
    assert given.why == "a template (Helm, Jinja or the like), which is not read before it is rendered"


@pytest.mark.parametrize(("name", "written"), [("role.json", "<%= @sub.to_json %>"), ("role.json.erb", '"a" <% end %>')])
def test_a_policy_that_ruby_fills_in_is_said_to_be_a_template(name, written, read):
    given = row(read(**{name: TRUST.replace('"Allow"', written)}), name)
    assert given.why.startswith("a template (Helm, Jinja or the like) that is not valid JSON before it is rendered")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "values.yaml",
            "serviceAccount:\n  {{- if .Values.role }}\n  annotations: {eks.amazonaws.com/role-arn: x}\n  {{- end }}\n",
        ),
        ("releases.yaml", "iam_role: {{ .x }}\nserviceAccount:\n  name: {{ .y }}: z\n"),
        ("values.yaml.gotmpl", "serviceAccount:\n{{ range .roles }}\n  {{ .name }}: x\n{{ end }}\n"),
        ("terraform.tfvars", "cluster_name = {{ .Cluster | quote }}\nrole_arn = 1\n"),
    ],
)
def test_a_template_of_another_program_is_no_role_that_is_lost(name, text, read):
    for given in read(**{name: text}).documents:
        assert not given.matters, given


def test_a_broken_text_that_has_an_action_elsewhere_may_lose_a_role(read):
    given = row(read(**{"sa.yaml": "serviceAccount: [\n  a\n  b: c\n\n\nx: '{{ y }}'\n"}), "sa.yaml")
    assert (given.status, given.matters) == ("unreadable", True)


@pytest.mark.parametrize(
    "named",
    [
        'file("./templates/values.yaml")',
        'templatefile("${path.module}/templates/values.yaml", {})',
        'templatefile("${path.module}/${var.kind}/values.yaml", {})',
        'templatefile(var.file == "" ? "${path.module}/templates/values.yaml" : var.file, {})',
    ],
)
def test_a_template_that_configuration_names_is_none_that_cannot_be_read(named, read):
    text = "serviceAccount:\n  name: ${name}\n  values: [\n  {{ x }}: {\n"
    unused = f'data "template_file" "values" {{\n  template = {named}\n}}\n'
    given = read(**{"main.tf": unused, "templates/values.yaml": text})
    assert row(given, "values.yaml").status == "ignored"
    assert row(read(**{"other.tf": "", "main.tf": "", "templates/values.yaml": text}), "values.yaml").status == "unreadable"


def test_json_with_comments_in_a_file_of_yaml_is_yaml(read):
    text = '{\n  "kind": "FeatureGate",\n  # a comment\n  "oidc": [\n    # another\n    {"name": "ExternalOIDC"}]\n}\n'
    assert row(read(**{"gate.yaml": text}), "gate.yaml").status == "ignored"
    assert row(read(**{"gate.json": text}), "gate.json").status == "unreadable"


VARIABLES = 'region = "{{ region }}"\nvolumes = {\n{% for hub in hubs -%}\n  "{{ hub }}" = { size = 10 }\n{% endfor %}\n}\n'


def test_variables_that_are_still_to_be_rendered_are_none(read):
    given = row(read(**{"template.tfvars": VARIABLES}), "template.tfvars")
    assert given.status == "ignored"
    assert given.why.startswith("a template (Helm, Jinja or the like) that is not valid Terraform configuration before it is")


def test_configuration_that_a_program_renders_first_is_said_to_be_a_template(read):
    text = 'locals {\n{{- if .Name }}\n  name = "{{ .Name }}"\n{{- end }}\n}\nresource "aws_iam_role" "a" {}\n'
    given = row(read(**{"terragrunt.stack.hcl": text}), "terragrunt.stack.hcl")
    assert given.why.startswith("a template (Helm, Jinja or the like) that is not valid Terraform configuration before it is")
    assert "rendered: not valid" not in given.why


@pytest.mark.parametrize("name", ["terraform.tfvars", "prod.auto.tfvars"])
def test_variables_that_terraform_loads_itself_cannot_be_read_then(name, read):
    given = read(**{name: VARIABLES, "main.tf": CONFIGURATION})
    assert [document.status for document in given.documents if document.path.endswith(name)][-1] == "unreadable"


def test_variables_that_the_user_names_cannot_be_read_either(read):
    assert row(read("template.tfvars", **{"template.tfvars": VARIABLES}), "template.tfvars").status == "unreadable"


def test_a_statement_within_a_text_is_no_template(read):
    text = 'subject = "system:serviceaccount:*:*"\nnote = <<EOT\n{% if x %}\nEOT\n'
    configuration = 'variable "subject" {}\nvariable "note" {}\n' + CONFIGURATION.replace('"SUBJECT"', "var.subject")
    template = TRUST.replace("SUBJECT", "${subject}")
    assert subjects(read(**{"terraform.tfvars": text, "main.tf": configuration, "trust.json.tpl": template})) == [WIDE]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stack.yaml", 'AWSTemplateFormatVersion: "2010-09-09"\nResources:\n  R:\n    Value: "{{resolve:ssm:x}}"\n  a: b: c\n'),
        ("stack.json", '{"AWSTemplateFormatVersion": "2010-09-09", "Value": "{{resolve:ssm:x}}", "Resources": {"R": }}'),
    ],
)
def test_a_dynamic_reference_of_cloudformation_makes_no_template_of_helm(name, text, read):
    given = row(read(**{name: text}), name)
    assert given.status == "unreadable"
    assert "Helm" not in given.why
    assert "Helm" in row(read(**{name: text.replace("resolve:ssm:x", " .Values.x ")}), name).why


@pytest.mark.parametrize("name", ["values.tpl", "values.j2", "values.tmpl"])
def test_values_that_a_template_annotates_are_said_to_need_rendering(name, read):
    text = "serviceAccount:\n  annotations:\n    eks.amazonaws.com/role-arn: ${role_arn}\n"
    given = row(read(**{name: text}), name)
    assert (given.status, given.why) == ("ignored", "a template, which is not read before it is rendered")


@pytest.mark.parametrize(("name", "is_open"), [("sa.yaml.tmpl", True), ("sa.yaml.j2", True), ("sa.yaml", False)])
def test_a_placeholder_in_a_template_is_still_to_be_filled_in(name, is_open, read):
    text = (
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: app\n  namespace: prod\n"
        "  annotations: {eks.amazonaws.com/role-arn: REPLACE_WITH_ROLE_ARN}\n"
    )
    (account,) = read(**{name: text}).service_accounts
    assert account.template is is_open
