# ruff: noqa: E501 - configurations are easier to read in one piece
"""Service accounts that a Terraform configuration makes, and the roles that they name."""

import json

import pytest

from irsa_doctor.facts import BindingFacts, View, derive
from irsa_doctor.model import text_of
from tests.facts.situations import found
from tests.sources.templates.made import ISSUER, PROVIDER, row_of, written_at
from tests.sources.worlds import inventory, loaded

ROLE_ARN = "eks.amazonaws.com/role-arn"
ROLE = f"""resource "aws_iam_role" "app" {{
  name = "app"
  assume_role_policy = jsonencode({{
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "{PROVIDER}" }}
      Condition = {{ StringEquals = {{
        "{ISSUER}:sub" = "system:serviceaccount:prod:app", "{ISSUER}:aud" = "sts.amazonaws.com"
      }} }}
    }}]
  }})
}}
"""
NAMESPACE = 'resource "kubernetes_namespace" "prod" {\n  metadata {\n    name = "prod"\n  }\n}\n'


def accounts(text, **files):
    return inventory({"main.tf": ROLE + text, **files}).service_accounts


def account(text, **files):
    (found,) = accounts(text, **files)
    return found


def identity(found):
    return f"{found.namespace}/{found.name}", text_of(found.annotations.get(ROLE_ARN, ""))


def trust(text, **files):
    """How the role stands to the one service account."""
    subjects = derive(View(inventory({"main.tf": ROLE + text, **files})))
    (binding,) = [judged.facts for judged in subjects if isinstance(judged.facts, BindingFacts)]
    return binding.trust


def resource(kind, inside):
    return f'resource "{kind}" "app" {{\n{inside}\n}}\n'


def manifest(name="app", namespace='"prod"', role="aws_iam_role.app.arn"):
    annotations = f'annotations = {{ "{ROLE_ARN}" = {role} }}'
    return f'{{ apiVersion = "v1", kind = "ServiceAccount", metadata = {{ name = "{name}", namespace = {namespace}, {annotations} }} }}'


def yaml(name="app", namespace="prod", role="${aws_iam_role.app.arn}"):
    return f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  annotations:\n    {ROLE_ARN}: {role}\n"


FORMS = {
    "manifest": resource("kubernetes_manifest", f"  manifest = {manifest()}"),
    "decoded": resource("kubernetes_manifest", f"  manifest = yamldecode(<<EOT\n{yaml()}EOT\n  )"),
    "yaml": resource("kubectl_manifest", f"  yaml_body = <<EOT\n{yaml()}EOT"),
    "quoted yaml": resource("kubectl_manifest", f"  yaml_body = {json.dumps(yaml())}"),
    "yaml of two": resource("kubectl_manifest", f"  yaml_body = <<EOT\nkind: ConfigMap\n---\n{yaml()}EOT"),
    "list": resource("kubectl_manifest", f'  yaml_body = yamlencode({{ kind = "List", items = [{manifest()}] }})'),
    "yamlencode": resource("kubectl_manifest", f"  yaml_body = yamlencode({manifest()})"),
    "jsonencode": resource("kubectl_manifest", f"  yaml_body = jsonencode({manifest()})"),
    "local": f"locals {{\n  body = {manifest()}\n}}\n" + resource("kubectl_manifest", "  yaml_body = yamlencode(local.body)"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_manifest_makes_a_service_account_that_names_the_role(form):
    assert identity(account(FORMS[form])) == ("prod/app", "${aws_iam_role.app.arn}")


@pytest.mark.parametrize("form", FORMS)
def test_a_manifest_of_another_name_is_not_admitted(form):
    assert trust(FORMS[form].replace('name = "app"', 'name = "web"').replace("name: app", "name: web")) == "other-subject"


def test_the_annotation_of_a_manifest_is_found_where_it_is_written():
    for form in ("manifest", "yaml", "quoted yaml", "yamlencode"):
        given = loaded({"main.tf": ROLE + FORMS[form]})
        (found,) = given.inventory.service_accounts
        place = found.place.at("metadata", "annotations", ROLE_ARN)
        assert written_at(given, place).strip('"') in ("${aws_iam_role.app.arn}", "aws_iam_role.app.arn")
        assert written_at(given, place, key=True).strip('"') == ROLE_ARN


@pytest.mark.parametrize(
    "namespace",
    [
        "kubernetes_namespace.prod.metadata[0].name",
        "kubernetes_namespace.prod.metadata.0.name",
        "kubernetes_namespace.prod.id",
        "one(kubernetes_namespace.prod.metadata[*].name)",
        "local.ns",
        'lower("PROD")',
    ],
)
def test_namespaces_are_followed(namespace):
    text = NAMESPACE + "locals {\n  ns = kubernetes_namespace.prod.metadata[0].name\n}\n"
    inside = f'  metadata {{\n    name = "web"\n    namespace = {namespace}\n    annotations = {{ "{ROLE_ARN}" = aws_iam_role.app.arn }}\n  }}'
    assert identity(account(text + resource("kubernetes_service_account_v1", inside)))[0] == "prod/web"
    assert (
        identity(account(text + resource("kubernetes_manifest", f"  manifest = {manifest(namespace=namespace)}")))[0]
        == "prod/app"
    )


def test_a_namespace_of_a_manifest_is_followed_too():
    text = resource("kubernetes_manifest", '  manifest = { kind = "Namespace", metadata = { name = "prod" } }')
    inside = 'resource "kubernetes_service_account" "a" {\n  metadata {\n    name = "a"\n    namespace = kubernetes_manifest.app.manifest.metadata.name\n  }\n}\n'
    assert identity(account(text + inside))[0] == "prod/a"


@pytest.mark.parametrize(
    "role",
    [
        "arn:aws:iam::111122223333:role/app",
        "arn:aws:iam::${data.aws_caller_identity.me.account_id}:role/app",
        "${aws_iam_role.app.arn}",
    ],
)
def test_a_role_is_named_by_reference_or_by_its_literal_name(role):
    inside = f'  metadata {{\n    name = "web"\n    namespace = "prod"\n    annotations = {{ "{ROLE_ARN}" = "{role}" }}\n  }}'
    assert trust(resource("kubernetes_service_account", inside)) == "other-subject"


SET = 'name = "serviceAccount.annotations.eks\\\\.amazonaws\\\\.com/role-arn", value = aws_iam_role.app.arn'
RELEASES = {
    "set blocks": '  set {\n    name = "serviceAccount.name"\n    value = "app"\n  }\n'
    f"  set {{\n    {SET.replace(', value', chr(10) + '    value')}\n  }}",
    "set list": f'  set = [{{ name = "serviceAccount.name", value = "app" }}, {{ {SET} }}]',
    "nested": f'  set = [{{ name = "controller.serviceAccount.name", value = "app" }}, {{ {SET.replace("service", "controller.service")} }}]',
    "values": f'  values = [yamlencode({{ serviceAccount = {{ create = true, name = "app", annotations = {{ "{ROLE_ARN}" = aws_iam_role.app.arn }} }} }})]',
    "heredoc": f"  values = [<<-EOT\n    serviceAccount:\n      name: app\n      annotations:\n        {ROLE_ARN}: ${{aws_iam_role.app.arn}}\n    EOT\n  ]",
    "both": f'  values = [yamlencode({{ serviceAccount = {{ name = "other", annotations = {{ "{ROLE_ARN}" = aws_iam_role.app.arn }} }} }})]\n'
    '  set {\n    name = "serviceAccount.name"\n    value = "app"\n  }',
    "components": f'  values = [yamlencode({{ serviceAccount = {{ server = {{ name = "app", annotations = {{ "{ROLE_ARN}" = aws_iam_role.app.arn }} }} }} }})]',
}


@pytest.mark.parametrize("form", RELEASES)
def test_a_helm_release_makes_the_service_account_of_its_values(form):
    text = resource("helm_release", f'  name = "x"\n  namespace = "bills"\n{RELEASES[form]}')
    assert identity(account(text)) == ("bills/app", "${aws_iam_role.app.arn}")
    assert trust(text) == "other-namespace"


def test_a_chart_that_puts_its_objects_into_another_namespace_than_that_of_the_release_leaves_it_open():
    account_ = f'serviceAccount = {{ name = "app", annotations = {{ "{ROLE_ARN}" = "x" }} }}'
    text = f'  namespace = "bills"\n  values = [yamlencode({{ dns = {{ namespaceOverride = "dns", {account_} }} }})]'
    assert accounts(resource("helm_release", text)) == ()
    assert len(accounts(resource("helm_release", text.replace('"dns"', '""')))) == 1
    assert len(accounts(resource("helm_release", text.replace('"dns"', '"bills"')))) == 1


@pytest.mark.parametrize(
    "written",
    [
        "enabled = false",
        'namespace = "dns"',
        "jobNamespaces = [var.x]",
        "values = { %s }",
        'global = { namespaceOverride = "x" }',
    ],
)
def test_values_of_what_is_off_or_goes_elsewhere_leave_an_account_open(written):
    named = f'serviceAccount = {{ name = "app", annotations = {{ "{ROLE_ARN}" = "x" }} }}'
    values = written.replace("%s", named) if "%s" in written else f"{written}, {named}"
    assert accounts(resource("helm_release", f'  namespace = "bills"\n  values = [yamlencode({{ {values} }})]')) == ()


def test_the_namespace_of_a_release_is_followed_and_default_where_there_is_none():
    text = NAMESPACE + resource(
        "helm_release", f"  namespace = kubernetes_namespace.prod.metadata[0].name\n{RELEASES['set list']}"
    )
    assert identity(account(text))[0] == "prod/app"
    assert identity(account(resource("helm_release", RELEASES["set list"])))[0] == "default/app"


@pytest.mark.parametrize(
    "inside",
    [
        '  values = [yamlencode({ serviceAccount = { create = false, name = "app", annotations = { "%s" = "x" } } })]'.replace(
            "%s", ROLE_ARN
        ),
        '  values = [yamlencode({ serviceAccount = { name = "app" } })]',
        "  values = var.values",
        '  values = [var.values, file("x"), 5]',
        "  set = var.settings",
        '  set {\n    name = var.name\n    value = "x"\n  }',
        '  values = ["{", "[", "*a", "&a [*a, *a]"]',
    ],
)
def test_a_release_that_makes_none_or_is_not_known_gives_none(inside):
    assert accounts(resource("helm_release", inside)) == ()


def test_what_is_not_known_is_said_of_the_file():
    text = resource("helm_release", f"  set = [{{ {SET} }}]") + resource("kubectl_manifest", "  yaml_body = var.body")
    why = row_of(inventory({"main.tf": ROLE + text}), "main.tf").why
    assert "helm_release.app names a role for a service account whose name is that of its chart" in why
    assert "kubectl_manifest.app has a manifest that is not known before it is applied" in why


def test_a_bomb_of_aliases_is_an_error_of_its_block_alone():
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
    )
    given = inventory({"main.tf": ROLE + resource("kubectl_manifest", f"  yaml_body = <<EOT\n{bomb}EOT")})
    assert len(given.roles) == 1


ACCOUNT_WITH = """
variable "on" {{
  default = false
}}
locals {{
  arn = var.on ? "arn:aws:iam::111122223333:role/app" : ""
}}
resource "kubernetes_service_account" "app" {{
  {count}
  metadata {{
    name        = "app"
    namespace   = "prod"
    annotations = {{ "eks.amazonaws.com/role-arn" = {value} }}
  }}
}}
"""


@pytest.mark.parametrize("count", ["", "count = var.on ? 1 : 0"])
@pytest.mark.parametrize("value", ["local.arn", 'var.on ? "x" : ""', 'try(var.none.arn, "")', '""'])
def test_an_empty_role_of_a_configuration_is_none(count, value):
    text = ACCOUNT_WITH.format(count=count, value=value)
    assert {rule for rule, _ in found({"main.tf": text})} == set()


def test_an_empty_role_in_the_values_of_a_release_is_none():
    text = """
resource "helm_release" "app" {
  name      = "app"
  chart     = "app"
  namespace = "prod"
  values = [yamlencode({ serviceAccount = { name = "app", annotations = { "eks.amazonaws.com/role-arn" = "" } } })]
}
"""
    assert found({"main.tf": text}) == set()
