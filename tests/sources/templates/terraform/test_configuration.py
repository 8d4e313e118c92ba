# Long: whole configurations, each beside what is read of it
import gc
import json
from unittest.mock import Mock

import pytest

from irsa_doctor.model import TrustPolicy, Unknown, text_of
from irsa_doctor.sources.templates.terraform import modules
from irsa_doctor.sources.templates.terraform.instances import depends_on_default
from irsa_doctor.sources.templates.terraform.syntax import Block
from tests.facts.situations import found as found_in
from tests.sources.templates.made import (
    ISSUER,
    PROVIDER,
    conditions,
    federated,
    policy_text,
    roles_of,
    row_of,
    statement,
    written_at,
)
from tests.sources.worlds import inventory, loaded, policy

SUB = f"{ISSUER}:sub"
CLUSTER = 'data "aws_eks_cluster" "shop" {\n  name = "shop"\n}\n'
ISSUER_OF_CLUSTER = "${issuer of shop}"
EKS = """\
resource "aws_iam_openid_connect_provider" "eks" {
  url            = data.aws_eks_cluster.shop.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}
"""


def role(policy_text_, name="app", more=""):
    return f'resource "aws_iam_role" "{name}" {{\n{more}  assume_role_policy = {policy_text_}\n}}\n'


def trusting(federated_="var.arn", key=f'"{SUB}"', value='"system:serviceaccount:prod:app"', operator="StringEquals"):
    return f"""jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = {federated_} }}
      Condition = {{ {operator} = {{ {key} = {value} }} }}
    }}]
  }})"""


def document(inside, name="trust", more=""):
    return f"""\
data "aws_iam_policy_document" "{name}" {{
{more}  statement {{
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {{
      type        = "Federated"
      identifiers = ["{PROVIDER}"]
    }}
{inside}
  }}
}}
"""


def condition(values, variable=SUB, test="StringEquals"):
    return f'    condition {{\n      test = "{test}"\n      variable = "{variable}"\n      values = {values}\n    }}'


def app(text, **files):
    return roles_of({"main.tf": text, **files})["aws_iam_role.app"]


def subject(text, **files):
    return conditions(app(text, **files))["StringEquals"][SUB]


def test_jsonencode_gives_the_policy_and_the_places_of_its_parts():
    given = loaded({"main.tf": role(trusting(f'"{PROVIDER}"'))})
    (found,) = given.inventory.roles
    assert federated(found) == PROVIDER
    at = ("Statement", 0, "Condition", "StringEquals", SUB)
    assert policy_text(given, found, *at) == '"system:serviceaccount:prod:app"'
    assert policy_text(given, found, *at, key=True) == f'"{SUB}"'
    assert policy_text(given, found, "Statement", 0, "Effect", key=True) == "Effect"
    assert policy_text(given, found, "Statement", 0, "Principal", "Federated") == f'"{PROVIDER}"'


@pytest.mark.parametrize("opening", ["<<EOT", "<<-EOT"])
def test_a_heredoc_gives_the_policy_and_the_places_of_its_parts(opening):
    text = role(f"{opening}\n    {json.dumps(policy(), indent=2, ensure_ascii=False)}\n    EOT", more="  # ümläut\n")
    given = loaded({"main.tf": text.replace("    EOT", "EOT") if opening == "<<EOT" else text})
    (found,) = given.inventory.roles
    assert federated(found) == PROVIDER
    at = ("Statement", 0, "Condition", "StringEquals", SUB)
    assert policy_text(given, found, *at) == '"system:serviceaccount:prod:app"'
    assert policy_text(given, found, *at, key=True) == f'"{SUB}"'


def test_places_behind_what_is_put_into_a_heredoc_are_exact():
    text = json.dumps(policy()).replace(PROVIDER, "${var.arn}")
    given = loaded({"main.tf": role(f"<<EOT\n{text}\nEOT") + f'variable "arn" {{\n  default = "{PROVIDER}"\n}}\n'})
    (found,) = given.inventory.roles
    assert federated(found) == PROVIDER
    at = ("Statement", 0, "Condition", "StringEquals", SUB)
    assert policy_text(given, found, *at) == '"system:serviceaccount:prod:app"'


@pytest.mark.parametrize("form", ["<<EOT\nTEXT\nEOT", "<<-EOT\n    TEXT\n    EOT"])
def test_marks_of_what_has_interpolations_end_behind_the_closing_quote(form):
    text = json.dumps(policy()).replace(ISSUER + ":sub", "${var.host}:sub").replace("prod:app", "${var.ns}:\u00fcapp")
    given = loaded({"main.tf": role(form.replace("TEXT", text.replace("\\u00fc", "\u00fc")))})
    (found,) = given.inventory.roles
    at = ("Statement", 0, "Condition", "StringEquals", "${var.host}:sub")
    assert policy_text(given, found, *at) == '"system:serviceaccount:${var.ns}:\u00fcapp"'
    assert policy_text(given, found, *at, key=True) == '"${var.host}:sub"'


def test_marks_in_a_quoted_policy_end_behind_the_escaped_quote():
    quoted = json.dumps(json.dumps(policy()).replace(ISSUER + ":sub", "${var.host}:sub"))
    given = loaded({"main.tf": role(quoted)})
    (found,) = given.inventory.roles
    at = ("Statement", 0, "Condition", "StringEquals", "${var.host}:sub")
    assert policy_text(given, found, *at) == '\\"system:serviceaccount:prod:app\\"'
    assert policy_text(given, found, *at, key=True) == '\\"${var.host}:sub\\"'


def test_the_key_of_a_condition_block_is_its_variable_and_the_operator_its_test():
    files = {"main.tf": role("data.aws_iam_policy_document.trust.json"), "data.tf": document(condition('["a"]'))}
    given = loaded(files)
    (found,) = given.inventory.roles
    assert policy_text(given, found, "Statement", 0, "Condition", "StringEquals", SUB, key=True) == f'"{SUB}"'
    assert policy_text(given, found, "Statement", 0, "Condition", "StringEquals", key=True) == '"StringEquals"'


def test_a_quoted_policy_with_escapes_is_read_with_its_places():
    quoted = json.dumps(json.dumps(policy()))
    given = loaded({"main.tf": role(quoted)})
    (found,) = given.inventory.roles
    assert federated(found) == PROVIDER
    assert policy_text(given, found, "Statement", 0, "Effect").startswith('\\"Allow\\')


def test_a_policy_document_is_made_of_its_blocks_with_their_places():
    conditions_ = condition('["system:serviceaccount:prod:app"]') + "\n" + condition('["sts.amazonaws.com"]', f"{ISSUER}:aud")
    files = {"main.tf": role("data.aws_iam_policy_document.trust.json"), "data.tf": document(conditions_)}
    given = loaded(files)
    (found,) = given.inventory.roles
    assert statement(found)["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert conditions(found) == {"StringEquals": {SUB: "system:serviceaccount:prod:app", f"{ISSUER}:aud": "sts.amazonaws.com"}}
    assert found.place.document == "main.tf"
    assert isinstance(found.policy, TrustPolicy)
    assert found.policy.place.document == "data.tf"
    at = ("Statement", 0, "Condition", "StringEquals", SUB)
    assert policy_text(given, found, *at) == '"system:serviceaccount:prod:app"'
    assert policy_text(given, found, "Statement", 0).startswith("statement {")


def test_dynamic_blocks_are_worked_out():
    dynamic = f"""\
    dynamic "condition" {{
      for_each = {{ a = "x", b = "y" }}
      iterator = one
      content {{
        test = "StringLike"
        variable = "{ISSUER}:${{one.key}}"
        values = [one.value]
      }}
    }}"""
    assert conditions(app(role("data.aws_iam_policy_document.trust.json") + document(dynamic))) == {
        "StringLike": {f"{ISSUER}:a": "x", f"{ISSUER}:b": "y"}
    }


def test_a_dynamic_block_of_which_nobody_knows_how_often_it_is_there_is_a_hole():
    dynamic = f"""\
    dynamic "condition" {{
      for_each = var.conditions
      content {{
        test = "StringLike"
        variable = "{SUB}"
        values = [condition.value]
      }}
    }}"""
    found = app(role("data.aws_iam_policy_document.trust.json") + document(dynamic))
    assert list(conditions(found)) == ["${dynamic condition}"]


def test_documents_are_merged():
    merged = (
        'data "aws_iam_policy_document" "all" {\n  source_policy_documents = [data.aws_iam_policy_document.trust.json]\n}\n'
    )
    found = app(role("data.aws_iam_policy_document.all.json") + merged + document(condition('["a"]')))
    assert federated(found) == PROVIDER


def test_variables_have_their_defaults_and_then_the_values_of_files():
    text = role(trusting(value='"system:serviceaccount:${var.space}:app"')) + 'variable "space" {\n  default = "dev"\n}\n'
    assert subject(text) == "system:serviceaccount:dev:app"
    assert subject(text, **{"terraform.tfvars": 'space = "prod"\n'}) == "system:serviceaccount:prod:app"
    files = {"terraform.tfvars": 'space = "prod"\n', "x.auto.tfvars.json": '{"space": "more"}'}
    assert subject(text, **files) == "system:serviceaccount:more:app"


def test_variables_of_another_folder_do_not_count():
    text = role(trusting(value="var.space"))
    assert subject(text, **{"other/terraform.tfvars": 'space = "prod"\n'}) == "${var.space}"


def test_a_file_of_variables_that_terraform_does_not_load_gives_what_has_no_default():
    text = role(trusting(value="var.space"))
    given = inventory({"main.tf": 'variable "space" {}\n' + text, "prod.tfvars": 'space = "prod"\n'})
    (found,) = given.roles
    assert conditions(found)["StringEquals"][SUB] == "prod"
    assert row_of(given, "prod.tfvars").status == "read"


ENVIRONMENTS = {"main.tf": 'variable "space" {\n  default = "dev"\n}\n' + role(trusting(value="var.space"))}


@pytest.mark.parametrize("path", ["prod.tfvars", "env/prod.tfvars", "env/prod.tfvars.json"])
@pytest.mark.parametrize("is_named", [True, False])
def test_it_is_one_more_deployment_beside_that_of_the_defaults_named_or_not(tmp_path, path, is_named):
    from irsa_doctor.sources import load

    text = '{"space": "prod"}' if path.endswith(".json") else 'space = "prod"\n'
    for name, content in {**ENVIRONMENTS, path: text}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    found = load([str(tmp_path), *([str(tmp_path / path)] if is_named else [])]).inventory.roles
    values = {one.case: conditions(one)["StringEquals"][SUB] for one in found}
    assert values == {"": "dev", f"(with {path.rpartition('/')[2]})": "prod"}


def test_a_file_that_the_user_names_for_the_folder_takes_the_place_of_the_defaults(tmp_path):
    from irsa_doctor.sources import load

    for name, content in {**ENVIRONMENTS, "prod.tfvars": 'space = "prod"\n', "x.tfvars": 'space = "x"\n'}.items():
        (tmp_path / name).write_text(content)
    stated = {str(tmp_path): str(tmp_path / "prod.tfvars")}
    found = load([str(tmp_path)], parameters=stated).inventory.roles
    values = {one.case: conditions(one)["StringEquals"][SUB] for one in found}
    assert values == {"": "prod", "(with x.tfvars)": "x"}


def test_the_places_in_the_policy_of_a_deployment_are_its_own():
    given = loaded({**ENVIRONMENTS, "prod.tfvars": 'space = "prod"\n'})
    found = next(one for one in given.inventory.roles if one.case)
    assert given.documents.locate(found.policy.place.at("Statement")).line > 1


def test_variables_of_nothing_in_the_input_are_passed_over():
    given = inventory({**ENVIRONMENTS, "else/a.tfvars": 'region = "x"\n'})
    assert row_of(given, "else/a.tfvars").status == "ignored"
    assert len(given.roles) == 1


def test_an_empty_default_is_one_to_be_filled_in():
    assert subject(role(trusting(value="var.space")) + 'variable "space" {\n  default = ""\n}\n') == "${var.space}"


def test_nothing_that_was_read_keeps_the_trees_of_its_files(request):
    gc.collect()
    request.addfinalizer(gc.enable)
    gc.disable()  # as it is while files are read; a tree takes a hundred times the memory of its text
    given = loaded({f"module-{number}/main.tf": role(trusting(), more="  count = 2\n") for number in range(3)})
    assert len(given.inventory.roles) == 6
    assert not [item for item in gc.get_objects() if isinstance(item, Block)]


def test_locals_are_followed_and_circles_are_holes():
    text = 'locals {\n  a = "system:${local.b}"\n  b = "x"\n  c = local.d\n  d = local.c\n}\n'
    assert subject(role(trusting(value="local.a")) + text) == "system:x"
    assert subject(role(trusting(value="local.c")) + text).startswith("${")


def test_the_same_provider_is_the_same_in_principal_and_key():
    key = '"${replace(aws_iam_openid_connect_provider.eks.url, "https://", "")}:sub"'
    found = app(role(trusting("aws_iam_openid_connect_provider.eks.arn", key)) + EKS + CLUSTER)
    assert federated(found).endswith(f":oidc-provider/{ISSUER_OF_CLUSTER}")
    assert list(conditions(found)["StringEquals"]) == [f"{ISSUER_OF_CLUSTER}:sub"]


@pytest.mark.parametrize(
    "issuer",
    [
        'replace(data.aws_eks_cluster.shop.identity[0].oidc[0].issuer, "https://", "")',
        'trimprefix(data.aws_eks_cluster.shop.identity.0.oidc.0.issuer, "https://")',
        'element(split("//", data.aws_eks_cluster.shop.identity[0].oidc[0].issuer), 1)',
        'split("oidc-provider/", aws_iam_openid_connect_provider.eks.arn)[1]',
        'replace(aws_iam_openid_connect_provider.eks.arn, "/^(.*provider/)/", "")',
        "aws_iam_openid_connect_provider.eks.url",
        "one(aws_iam_openid_connect_provider.eks[*].url)",
        'join("", aws_iam_openid_connect_provider.eks.*.url)',
        'try(aws_iam_openid_connect_provider.eks.url, "")',
        "local.issuer",
    ],
)
def test_every_way_to_write_the_issuer_comes_to_the_same(issuer):
    locals_ = 'locals {\n  issuer = replace(data.aws_eks_cluster.shop.identity[0].oidc[0].issuer, "https://", "")\n}\n'
    found = app(role(trusting("aws_iam_openid_connect_provider.eks.arn", f'"${{{issuer}}}:sub"')) + EKS + CLUSTER + locals_)
    assert list(conditions(found)["StringEquals"]) == [f"{ISSUER_OF_CLUSTER}:sub"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('format("%s:%s", "a", "b")', "a:b"),
        ('join("-", ["a", "b"])', "a-b"),
        ('"${upper("a")}${lower("B")}"', "Ab"),
        ('true ? "a" : "b"', "a"),
        ('1 + 2 * 3 == 7 && !false ? "a" : "b"', "a"),
        ('[for k, v in { x = "a", y = "b" } : "${k}${v}" if k != "x"]', ["yb"]),
        ('{ for s in ["a"] : s => upper(s) }["a"]', "A"),
        ('lookup({ a = "x" }, "b", "z")', "z"),
        ('merge({ a = "x" }, { a = "y" }).a', "y"),
        ('flatten([["a"], ["b"]])', ["a", "b"]),
        ('concat(["a"], ["b"])', ["a", "b"]),
        ('element(["a", "b"], 1)', "b"),
        ('coalesce("", "x")', "x"),
        ('try({ a = "x" }.b, "z")', "z"),
        ('tolist(toset(["b", "a", "b"]))', ["a", "b"]),
        ('"$${aws:username}"', "${aws:username}"),
        ('"a\\"b"', 'a"b'),
        ('jsondecode("{\\"a\\": \\"x\\"}").a', "x"),
        ('compact(["", "a"])', ["a"]),
        ('values({ b = "y", a = "x" })', ["x", "y"]),
        ('replace("a.b", "/\\\\./", "-")', "a-b"),
        ('[{ a = "x" }, { a = "y" }][*].a', ["x", "y"]),
        ('trimsuffix("a/", "/")', "a"),
        ('substr("abcd", 1, 2)', "bc"),
        ('contains(["a"], "a") ? "y" : "n"', "y"),
        ('length(["a", "b"]) > 1 ? "y" : "n"', "y"),
        ('zipmap(["a"], ["x"]).a', "x"),
        ('(["a"])[0]', "a"),
        ('range(2)[1] == 1 ? "y" : "n"', "y"),
        ('concat([["a"]]...)', ["a"]),
        ('formatlist("%s:%s", "x", ["a", "b"])', ["x:a", "x:b"]),
        ('[for p in setproduct(["a"], ["x", "y"]) : "${p[0]}:${p[1]}"]', ["a:x", "a:y"]),
        ('tolist(setintersection(["a", "b"], ["b"]))', ["b"]),
        ('tolist(setsubtract(["a", "b"], ["b"]))', ["a"]),
        ('alltrue([true, false]) || anytrue([true, false]) ? "y" : "n"', "y"),
        ('["a", "b"][index(["x", "y"], "y")]', "b"),
        ('slice(["a", "b", "c"], 1, 3)', ["b", "c"]),
        ('provider::aws::arn_build("aws", "iam", "", "1", "x")', "arn:aws:iam::1:x"),
        ('provider::aws::arn_parse("arn:aws:iam::1:x/y:z").resource', "x/y:z"),
        ('ephemeralasnull("x")', "x"),
        ('templatestring("a$${b}", { b = "c" })', "ac"),
        ('endswith("${var.x}:sub", ":sub") ? "y" : "n"', "y"),
        ('endswith("${var.x}:aud", ":sub") ? "y" : "n"', "n"),
        ('endswith("a:sub", ":sub") && !endswith("b", "ab") ? "y" : "n"', "y"),
        ('startswith("https://${var.x}", "https://") ? "y" : "n"', "y"),
        ('startswith("oidc.${var.x}", "https://") ? "y" : "n"', "n"),
        ('[for k in ["x"] : {\n a = k\n (k) = "b"\n }][0].x', "b"),
        ('[for k in ["x"] : {\n a = k # c\n\n  (k) : "b"\n }][0].x', "b"),
    ],
)
def test_what_can_be_worked_out_is(expression, expected):
    assert subject(role(trusting(value=expression))) == expected


@pytest.mark.parametrize(
    "expression",
    [
        'file("x.json")',
        "nosuch(1)",
        "provider::aws::arn_parse(1)",
        'regex("(a+)+$", var.x)',
        "var.a.b[0].c",
        "data.terraform_remote_state.x.outputs.arn",
        "module.nowhere.x",
        "each.key",
        "self.x",
        "lower(var.x)",
        'format("%05d", 3)',
        "1 / 0",
        "[1][5]",
        "{ a = 1 }.b",
        "join(1, 2, 3)",
        "replace(1)",
        "lookup()",
        'index(["a"], "b")',
        'slice(["a"], 1, 4)',
        'provider::aws::arn_parse("x")',
        'formatlist("%s", ["a"], ["b", "c"])',
        "coalescelist([], [])",
        "element([], 0)",
        "one([1, 2])",
        "zipmap([1], [])",
        "[for x in var.y : x]",
        'endswith("${var.x}b", "ab")',
        'startswith(var.x, "a")',
    ],
)
def test_what_cannot_be_worked_out_is_a_hole(expression):
    assert "${" in str(subject(role(trusting(value=expression))))


def test_count_and_for_each_give_an_instance_each():
    text = role(trusting(value='"s:${each.value}"'), more='  for_each = toset(["a", "b"])\n') + role(
        trusting(value='"n:${count.index}"'), "many", "  count = 2\n"
    )
    found = roles_of({"main.tf": text})
    assert {name: conditions(one)["StringEquals"][SUB] for name, one in found.items()} == {
        'aws_iam_role.app["a"]': "s:a",
        'aws_iam_role.app["b"]': "s:b",
        "aws_iam_role.many[0]": "n:0",
        "aws_iam_role.many[1]": "n:1",
    }


def test_a_role_that_is_repeated_nobody_knows_how_often_is_read_once():
    text = role(trusting(value="each.value"), more="  for_each = var.roles\n") + role(trusting(), "other", "  count = var.n\n")
    found = roles_of({"main.tf": text})
    assert set(found) == {"aws_iam_role.app", "aws_iam_role.other[0]"}
    assert conditions(found["aws_iam_role.app"])["StringEquals"][SUB].startswith("${each.value of")


def test_none_is_none():
    assert roles_of({"main.tf": role(trusting(), more="  count = 0\n")}) == {}


def test_a_role_that_a_default_switches_off_is_read_where_nothing_else_decides():
    text = role(trusting(), more="  count = var.on ? 1 : 0\n") + 'variable "on" {\n  default = false\n}\n'
    assert set(roles_of({"main.tf": text})) == {"aws_iam_role.app[0]"}
    counted = role("data.aws_iam_policy_document.trust[0].json", more="  count = var.on ? 1 : 0\n")
    counted += document(condition('["x"]'), more="  count = var.on ? 1 : 0\n")
    (found,) = roles_of({"main.tf": counted}).values()
    assert federated(found) == PROVIDER
    assert roles_of({"main.tf": text, "terraform.tfvars": "on = false\n"}) == {}
    assert roles_of({"a/main.tf": text, "b/main.tf": 'module "a" {\n  source = "../a"\n}\n'}) == {}


OFF = 'variable "on" {\n  default = false\n}\n'
SWITCHED = {
    "modules/a/main.tf": role(trusting(), more="  count = var.on ? 1 : 0\n") + 'variable "on" {}\n',
    "modules/b/main.tf": 'module "a" {\n  source = "../a"\n  on     = local.on\n}\nlocals {\n  on = var.on && true\n}\n' + OFF,
}


@pytest.mark.parametrize(
    ("folder", "on", "more", "is_read"),
    [
        ("a", "var.on", {}, True),
        ("b", "var.on", {}, True),
        ("b", "local.on", {}, True),
        ("b", "false", {}, False),
        ("b", "var.on", {"live/terraform.tfvars": "on = false\n"}, False),
    ],
)
def test_a_default_of_the_root_may_be_changed_in_the_modules_that_get_it_too(folder, on, more, is_read):
    call = f'module "m" {{\n  source = "../modules/{folder}"\n  on     = {on}\n}}\nlocals {{\n  on = var.on\n}}\n'
    found = roles_of({**SWITCHED, "live/main.tf": call + OFF, **more})
    assert bool(found) is is_read


def test_whether_a_default_decides_is_found_once_for_each_input_of_a_call(monkeypatch):
    counted = Mock(side_effect=depends_on_default)
    monkeypatch.setattr(modules, "depends_on_default", counted)
    both = "  on  = var.on || var.too\n  too = var.on && var.too\n"
    inputs = 'variable "on" {}\nvariable "too" {}\n'
    chain: dict[str, object] = {
        f"modules/{level}/main.tf": f'{inputs}module "m" {{\n  source = "../{level + 1}"\n{both}}}\n' for level in range(12)
    }
    last = {"modules/12/main.tf": inputs + role(trusting(), more="  count = var.on ? 1 : 0\n")}
    root = {"live/main.tf": f'{inputs}module "m" {{\n  source = "../modules/0"\n{both}}}\n'}
    assert roles_of({**chain, **last, **root, "live/terraform.tfvars": "on  = false\ntoo = false\n"}) == {}
    assert counted.call_count < 100


MODULE = {
    "modules/irsa/main.tf": role(trusting("var.provider", value='"system:serviceaccount:${var.space}:app"')),
    "modules/irsa/variables.tf": 'variable "provider" {}\nvariable "space" {\n  default = "dev"\n}\n',
    "modules/irsa/outputs.tf": 'output "arn" {\n  value = aws_iam_role.app.arn\n}\n',
}


def test_a_module_is_read_as_often_as_it_is_called_with_what_it_is_given():
    call = f'module "one" {{\n  source = "../modules/irsa"\n  provider = "{PROVIDER}"\n}}\n'
    more = f'module "two" {{\n  for_each = toset(["x"])\n  source = "../modules/irsa"\n  provider = "{PROVIDER}"\n'
    more += "  space = each.key\n}\n"
    found = roles_of({**MODULE, "live/main.tf": call + more})
    assert {name: conditions(one)["StringEquals"][SUB] for name, one in found.items()} == {
        "module.one.aws_iam_role.app": "system:serviceaccount:dev:app",
        'module.two["x"].aws_iam_role.app': "system:serviceaccount:x:app",
    }
    assert {one.place.document for one in found.values()} == {"live/main.tf"}
    assert {federated(one) for one in found.values()} == {PROVIDER}


def test_a_module_that_nobody_calls_is_read_by_itself():
    assert set(roles_of(MODULE)) == {"aws_iam_role.app"}


def test_modules_that_call_each_other_end():
    call = 'module "m" {{\n  source = "../{}"\n}}\n'
    found = roles_of({"a/main.tf": call.format("b") + role(trusting()), "b/main.tf": call.format("a")})
    assert "aws_iam_role.app" in found


def test_outputs_of_modules_are_followed():
    account = """\
resource "kubernetes_service_account_v1" "app" {
  metadata {
    name = "app"
    namespace = "prod"
    annotations = {
      "eks.amazonaws.com/role-arn" = module.one.arn
    }
  }
}
"""
    call = 'module "one" {\n  source = "../modules/irsa"\n}\n'
    given = loaded({**MODULE, "live/main.tf": call + account})
    (found,) = given.inventory.service_accounts
    assert text_of(found.annotations["eks.amazonaws.com/role-arn"]) == "${module.one.aws_iam_role.app.arn}"
    assert written_at(given, found.place.at("metadata", "annotations", "eks.amazonaws.com/role-arn")) == "module.one.arn"
    assert written_at(given, found.place.at("metadata", "name")) == '"app"'


def test_a_module_that_is_not_there_is_unknown_with_its_source():
    call = (
        'module "irsa" {\n  source = "git::https://example.org/irsa.git"\n}\nmodule "vpc" {\n  source = "example/vpc/aws"\n}\n'
    )
    given = inventory({"main.tf": call + role(trusting())})
    (gap,) = given.gaps
    assert "module.irsa" in gap.missing
    assert "git::https://example.org/irsa.git" in gap.missing
    assert "git::https://example.org/irsa.git" in row_of(given, "main.tf").why


def test_providers_clusters_and_associations_are_read():
    text = f"""\
resource "aws_eks_cluster" "this" {{
  name = "prod"
}}
resource "aws_iam_openid_connect_provider" "eks" {{
  url             = "https://{ISSUER}"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = []
}}
resource "aws_eks_pod_identity_association" "app" {{
  cluster_name    = aws_eks_cluster.this.name
  namespace       = "prod"
  service_account = "app"
  role_arn        = aws_iam_role.app.arn
}}
"""
    given = inventory({"main.tf": text}, account="111122223333")
    assert [one.name for one in given.clusters] == ["prod"]
    assert [(one.arn, one.client_ids, one.thumbprints) for one in given.providers] == [(PROVIDER, ("sts.amazonaws.com",), ())]
    assert [(one.cluster, one.service_account, text_of(one.role_arn)) for one in given.associations] == [
        ("prod", "app", "${aws_iam_role.app.arn}")
    ]


PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.9.5",
    "planned_values": {
        "root_module": {
            "resources": [
                {
                    "address": "aws_iam_role.app",
                    "type": "aws_iam_role",
                    "name": "app",
                    "values": {"assume_role_policy": json.dumps(policy())},
                }
            ]
        }
    },
    "resource_changes": [],
}


@pytest.mark.parametrize("path", ["infra/plan.json", "elsewhere/plan.json"])
def test_a_plan_that_is_named_goes_before_the_configuration_that_it_was_made_of(path):
    given = inventory({path: PLAN, "infra/main.tf": role(trusting())})
    (found,) = given.roles
    assert found.place.document == path
    assert path in row_of(given, "infra/main.tf").why


def test_a_plan_of_something_else_does_not_hide_configuration():
    given = inventory({"elsewhere/plan.json": PLAN, "infra/main.tf": role(trusting(), "other")})
    assert {one.address for one in given.roles} == {"aws_iam_role.app", "aws_iam_role.other"}


def test_a_role_that_a_named_plan_lacks_is_judged_as_configured():
    given = inventory({"infra/plan.json": PLAN, "infra/main.tf": role(trusting()) + role(trusting(), "other")})
    assert {(one.address, one.place.document) for one in given.roles} == {
        ("aws_iam_role.app", "infra/plan.json"),
        ("aws_iam_role.other", "infra/main.tf"),
    }


def test_a_role_of_which_a_named_plan_makes_none_is_not_judged():
    repeated = {"resources": [{"address": "aws_iam_role.other", "count_expression": {"references": ["var.on"]}}]}
    plan = {**PLAN, "configuration": {"root_module": repeated}}
    given = inventory({"infra/plan.json": plan, "infra/main.tf": role(trusting()) + role(trusting(), "other")})
    assert [one.address for one in given.roles] == ["aws_iam_role.app"]


def test_a_plan_that_may_be_of_two_root_modules_takes_the_place_of_neither():
    given = inventory({"plan.json": PLAN, "a/main.tf": role(trusting()), "b/main.tf": role(trusting())})
    assert {one.place.document for one in given.roles} == {"a/main.tf", "b/main.tf", "plan.json"}


def loaded_from(folder, files, **stated):
    from irsa_doctor.sources import load

    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return load([str(folder)], **stated).inventory


def test_a_plan_that_only_lies_there_is_one_more_case_of_the_role_where_it_differs(tmp_path):
    given = loaded_from(tmp_path, {"plan.json": PLAN, "main.tf": role(trusting())})
    assert len({one.id for one in given.roles}) == 1
    assert [bool(one.case) for one in given.roles] == [False, True]


def test_a_plan_that_only_lies_there_and_says_the_same_is_told_once(tmp_path):
    written = role(f"jsonencode({json.dumps(policy())})")
    given = loaded_from(tmp_path, {"plan.json": PLAN, "main.tf": written})
    (found,) = given.roles
    assert found.place.document.endswith("main.tf")
    assert row_of(given, str(tmp_path / "plan.json")).status == "read"


def test_an_arn_of_a_plan_that_only_lies_there_does_not_name_the_role_of_the_configuration(tmp_path):
    values = {"assume_role_policy": json.dumps(policy()), "arn": "arn:aws:iam::111122223333:role/waived"}
    made_up = {"address": "aws_iam_role.app", "type": "aws_iam_role", "values": values}
    plan = {**PLAN, "planned_values": {"root_module": {"resources": [made_up]}}}
    given = loaded_from(tmp_path, {"plan.json": plan, "main.tf": role(trusting())})
    assert {one.arn for one in given.roles} == {"", "arn:aws:iam::111122223333:role/waived"}


def test_a_plan_that_the_settings_name_takes_the_place_of_the_configuration_of_its_folder(tmp_path):
    files = {"out.json": PLAN, "infra/main.tf": role(trusting()), "other/main.tf": role(trusting())}
    stated = {str(tmp_path / "infra"): str(tmp_path / "out.json")}
    given = loaded_from(tmp_path, files, plans=stated)
    places = {one.place.document.removeprefix(f"{tmp_path}/") for one in given.roles}
    assert places == {"out.json", "other/main.tf"}


def test_a_broken_block_is_told_with_its_line_and_loses_no_other():
    text = role(trusting()) + 'resource "aws_iam_role" "broken" {\n  name = = "x"\n}\n' + role(trusting(), "last")
    given = inventory({"main.tf": text, "other.tf": role(trusting(), "there")})
    assert {one.address for one in given.roles} == {"aws_iam_role.app", "aws_iam_role.last", "aws_iam_role.there"}
    row = next(row for row in given.documents if row.status == "unreadable")
    assert (row.path, row.line, row.column) == ("main.tf", text[: text.index("= =")].count("\n") + 1, 10)
    assert "`=` is not expected" in row.why


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('resource "aws_iam_role" "a" {\n  name = "x\n}\n', "the closing quote is missing"),
        ('resource "aws_iam_role" "a" {\n  name = [1\n', "is missing"),
        ('resource "aws_iam_role" "a" {\n  name = <<EOT\n x\n', "the end of the heredoc is missing"),
    ],
)
def test_a_broken_file_says_what_is_wrong(text, cause):
    (row,) = inventory({"main.tf": text}).documents
    assert row.status == "unreadable"
    assert row.line
    assert cause in row.why


def test_what_stands_behind_an_open_bracket_is_read():
    text = role(trusting()) + 'resource "aws_iam_role" "broken" {\n  x = [[[{\n}\n' + role(trusting(f'"{PROVIDER}"'), "last")
    given = loaded({"main.tf": text})
    found = {one.address: one for one in given.inventory.roles}
    assert set(found) == {"aws_iam_role.app", "aws_iam_role.last"}
    assert policy_text(given, found["aws_iam_role.last"], "Statement", 0, "Effect") == '"Allow"'


DEEP = 100_000


@pytest.mark.parametrize(
    "value",
    [
        "[" * DEEP + "]" * DEEP,
        "(" * DEEP + "1" + ")" * DEEP,
        "{a=" * DEEP + "1" + "}" * DEEP,
        '"${' * DEEP + "1" + '}"' * DEEP,
        "lower(" * DEEP + "1" + ")" * DEEP,
        "!" * DEEP + "true",
        "1" + " + 1" * DEEP,
        "a ? " * DEEP + "1" + " : 1" * DEEP,
        "a" + ".b" * DEEP,
        "a" + "[0]" * DEEP,
        "[" * DEEP,
    ],
    ids=["lists", "parentheses", "objects", "texts", "calls", "nots", "sums", "choices", "names", "indices", "open"],
)
def test_no_depth_harms_what_stands_beside_it(value):
    given = inventory(
        {"main.tf": role(trusting()) + f'resource "aws_iam_role" "deep" {{\n  assume_role_policy = {value}\n}}\n'}
    )
    assert "aws_iam_role.app" in {one.address for one in given.roles}


def test_blocks_inside_blocks_end():
    text = "a {\n" * DEEP + "}\n" * DEEP
    assert "aws_iam_role.app" in roles_of({"main.tf": role(trusting()) + text})


def test_texts_that_double_without_end_are_told():
    doubling = (
        'locals {\n  a0 = "xxxx xxxx "\n'
        + "".join(f'  a{n + 1} = "${{local.a{n}}}${{local.a{n}}}"\n' for n in range(60))
        + "}\n"
    )
    listed = "locals {\n  b0 = [1, 2]\n" + "".join(f"  b{n + 1} = concat(local.b{n}, local.b{n})\n" for n in range(60)) + "}\n"
    text = role(trusting(value="local.a60"), "first") + role(trusting(value="local.b60"), "second") + role(trusting())
    given = inventory({"main.tf": text + doubling + listed})
    assert "aws_iam_role.app" in {one.address for one in given.roles}


def test_lists_that_double_without_end_are_told():
    lists = "locals {\n  a0 = [1]\n" + "".join(f"  a{n + 1} = [local.a{n}, local.a{n}]\n" for n in range(20)) + "}\n"
    text = role(trusting(value="local.a20"), "big") + role(trusting()) + lists
    given = inventory({"main.tf": text})
    assert [one.address for one in given.roles] == ["aws_iam_role.app"]
    assert any("too many of them" in (row.why or "") and row.line == 1 for row in given.documents)


def test_work_without_end_is_told():
    loops = "locals {\n  r = range(1000)\n  x = [for a in local.r : [for b in local.r : [for c in local.r : a]]]\n}\n"
    given = inventory({"main.tf": role(trusting(value="local.x"), "slow") + loops, "other/main.tf": "locals {\n a = 1\n}\n"})
    assert any("steps" in (row.why or "") for row in given.documents)


@pytest.mark.parametrize(
    "text",
    [
        "resource {\n}\n",
        'resource "aws_iam_role" {\n}\n',
        'resource "aws_iam_role" "a" "b" {\n}\n',
        "module {\n}\n",
        'module "x" {\n}\n',
        'resource "aws_iam_role" "a" {\n}\n',
        'resource "kubernetes_service_account" "a" {\n}\n',
        'resource "kubernetes_service_account" "a" {\n  metadata = 5\n}\n',
        'resource "aws_iam_role" "a" {\n  assume_role_policy = 5\n}\n',
        'resource "aws_iam_role" "a" {\n  assume_role_policy = null\n}\n',
        'resource "aws_iam_role" "a" {\n  for_each = 5\n  assume_role_policy = "x"\n}\n',
        'resource "aws_iam_role" "a" {\n  count = -1\n  assume_role_policy = "x"\n}\n',
        'resource "aws_iam_openid_connect_provider" "a" {\n  url = []\n}\n',
        'resource "aws_eks_pod_identity_association" "a" {\n}\n',
        'variable {\n}\nvariable "x" {\n  default = var.x\n}\n' + role(trusting(value="var.x")),
        'data "aws_iam_policy_document" "x" {\n  statement = 5\n}\n' + role("data.aws_iam_policy_document.x.json"),
        'data "aws_iam_policy_document" "x" {\n  dynamic "statement" {\n  }\n}\n' + role("data.aws_iam_policy_document.x.json"),
        'data "aws_iam_policy_document" "x" {\n  source_policy_documents = [data.aws_iam_policy_document.x.json]\n}\n'
        + role("data.aws_iam_policy_document.x.json"),
        role("aws_iam_role.app.assume_role_policy"),
        role("aws_iam_role.app"),
        role("jsonencode(aws_iam_role.app)"),
        role("module.x") + 'module "x" {\n  source = "./x"\n}\n',
    ],
)
def test_odd_configuration_is_no_crash(text):
    given = inventory({"main.tf": text})
    assert {row.path for row in given.documents} == {"main.tf"}


def test_a_wrong_file_of_variables_is_told():
    given = inventory({"main.tf": role(trusting()), "terraform.tfvars.json": "[1]", "x.auto.tfvars": "a = = 1\n"})
    wrong = {row.path: row.why for row in given.documents if row.status == "unreadable"}
    assert set(wrong) == {"terraform.tfvars.json", "x.auto.tfvars"}
    assert [one.address for one in given.roles] == ["aws_iam_role.app"]


def test_configuration_without_roles_is_passed_over():
    row = row_of(inventory({"main.tf": 'resource "aws_vpc" "x" {\n  cidr_block = "10.0.0.0/8"\n}\n'}), "main.tf")
    assert (row.status, row.kind) == ("ignored", "terraform")


def test_files_of_a_module_that_gives_a_role_have_nothing_to_say_for_themselves():
    given = inventory(
        {"app/main.tf": role(trusting()), "app/variables.tf": 'variable "arn" {}\n', "b/x.tf": 'variable "y" {}\n'}
    )
    assert {row.path: (row.status, row.why) for row in given.documents} == {
        "app/main.tf": ("read", None),
        "app/variables.tf": ("read", None),
        "b/x.tf": ("ignored", "a module without role, OIDC provider, cluster or service account"),
    }


PAGE = "# Roles\n\nA module for roles.\n\n```hcl\n" + role(trusting()) + "```\n"


@pytest.mark.parametrize(
    ("path", "text", "is_read"),
    [
        ("README.md", PAGE, False),
        ("main.tf", "# Roles\n\n// of\n/* an\n\n app */\n" + role(trusting()), True),
        ("roles.txt", role(trusting()), True),
        ("main.tf", "= what is this?\n" + role(trusting()), True),
        ("note.txt", "what is this\n" + role(trusting()), False),
    ],
)
def test_a_page_that_quotes_configuration_is_none(path, text, is_read):
    given = inventory({path: text})
    assert [one.address for one in given.roles] == (["aws_iam_role.app"] if is_read else [])
    # what nobody called data is passed over; in memory every path counts as named
    assert any(row.kind == "terraform" for row in given.documents) is is_read


def test_attributes_that_may_be_left_out_are_null_or_their_defaults():
    text = """\
variable "trust" {
  type = list(object({
    subject   = string
    effect    = optional(string, "Allow")
    resources = optional(list(string))
    more      = optional(map(object({ claim = optional(string, "sub") })), {})
  }))
  default = [{ subject = "system:serviceaccount:prod:app", more = { a = {} } }]
}
data "aws_iam_policy_document" "trust" {
  dynamic "statement" {
    for_each = var.trust
    content {
      effect    = statement.value.effect
      actions   = ["sts:AssumeRoleWithWebIdentity"]
      resources = statement.value.resources
      principals {
        type        = "Federated"
        identifiers = ["PROVIDER"]
      }
      condition {
        test     = "StringEquals"
        variable = "x:${statement.value.more["a"].claim}"
        values   = [statement.value.subject]
      }
    }
  }
}
""".replace("PROVIDER", PROVIDER)
    found = statement(app(text + role("data.aws_iam_policy_document.trust.json")))
    assert "Resource" not in found
    assert found["Effect"] == "Allow"
    assert found["Condition"] == {"StringEquals": {"x:sub": "system:serviceaccount:prod:app"}}


@pytest.mark.parametrize(
    ("variable", "names"),
    [
        ('type = set(string)\n  default = ["b", "a", "b"]', "var.given"),
        ('type = object({ names = set(string) })\n  default = { names = ["a", "b"] }', "var.given.names"),
        ('type = object({ names = optional(set(string), []) })\n  default = { names = ["a", "b"] }', "var.given.names"),
        ('type = object({ names = optional(set(string), ["b", "a"]) })\n  default = {}', "var.given.names"),
        ('type = map(set(string))\n  default = { x = ["a", "b"] }', 'var.given["x"]'),
    ],
)
def test_a_list_becomes_a_set_where_the_type_says_so(variable, names):
    text = f'variable "given" {{\n  {variable}\n}}\n' + role(trusting(), more=f"  for_each = {names}\n  name = each.key\n")
    given = inventory({"main.tf": text})
    assert [(one.address, one.planned) for one in given.roles] == [
        ('aws_iam_role.app["a"]', "a"),
        ('aws_iam_role.app["b"]', "b"),
    ]


@pytest.mark.parametrize("value", ['toset(["a", "b"])', '["b", "a"]', 'var.x ? ["a", "b"] : ["b", "a"]'])
def test_a_module_gets_a_set_of_whatever_it_is_given(value):
    text = 'variable "names" {\n  type = set(string)\n}\n' + role(
        trusting(), more="  for_each = var.names\n  name = each.key\n"
    )
    call = f'module "m" {{\n  source = "./m"\n  names = {value}\n}}\n'
    given = inventory({"main.tf": call, "m/main.tf": text})
    assert {one.planned for one in given.roles} == {"a", "b"}


@pytest.mark.parametrize("condition", ['local.url != "" ? {} : ""', 'local.url == "" ? "" : {}', 'local.url == null ? "" : {}'])
def test_a_text_of_which_a_part_is_known_is_not_empty(condition):
    arn = '"arn:aws:iam::111122223333:oidc-provider/${replace(local.url, "https://", "")}"'
    text = f"""\
data "aws_eks_cluster" "shop" {{
  name = "shop"
}}
locals {{
  url = try(data.aws_eks_cluster.shop.identity[0].oidc[0].issuer, "")
  arn = {condition.replace("{}", arn)}
}}
"""
    given = inventory({"main.tf": text + role(trusting("local.arn"))})
    assert [federated(one) for one in given.roles] == ["arn:aws:iam::111122223333:oidc-provider/${issuer of shop}"]


def test_an_argument_that_may_be_null_is_an_element_that_may_not_be_there():
    text = document(condition('["a"]')).replace("    actions", "    resources = var.resources\n    actions")
    found = statement(app(text + role("data.aws_iam_policy_document.trust.json")))
    assert "Resource" not in found
    assert "${var.resources}" in found.values()


def test_a_policy_that_is_no_json_is_a_flaw():
    (found,) = inventory({"main.tf": role('"{"')}).roles
    assert isinstance(found.policy, TrustPolicy)
    assert found.policy.flaws


def test_a_policy_that_nobody_can_tell_is_unknown():
    (found,) = inventory({"main.tf": role("var.policy")}).roles
    assert isinstance(found.policy, Unknown)


def test_roles_know_the_names_that_they_will_have():
    more = '  name = "app-${var.stage}"\n  path = "/team/"\n'
    text = role(trusting(), more=more) + role(trusting(), "other", '  name_prefix = "x"\n')
    found = roles_of({"main.tf": text, "terraform.tfvars": 'stage = "prod"\n'})
    assert {name: one.planned for name, one in found.items()} == {
        "aws_iam_role.app": "team/app-prod",
        "aws_iam_role.other": "",
    }


BASE = role(trusting(f'"{PROVIDER}"'), more='  name = "app"\n')


@pytest.mark.parametrize("name", ["override.tf", "zz_override.tf", "a_override.tf"])
def test_an_override_file_replaces_arguments_and_makes_no_second_role(name):
    override = 'resource "aws_iam_role" "app" {\n  assume_role_policy = ' + trusting('"x"') + "\n}\n"
    (found,) = loaded({"main.tf": BASE, name: override}).inventory.roles
    assert federated(found) == "x"
    assert found.planned == "app"


def test_an_override_file_in_json_replaces_arguments():
    override = json.dumps({"resource": {"aws_iam_role": {"app": {"assume_role_policy": json.dumps(policy())}}}})
    (found,) = loaded({"main.tf": role(trusting('"x"')), "override.tf.json": override}).inventory.roles
    assert federated(found) == PROVIDER


def test_the_last_override_file_by_name_counts():
    def override(value):
        return f'locals {{\n  subject = "{value}"\n}}\n'

    files = {"a_override.tf": override("a"), "b_override.tf": override("b"), "z.tf": override("z")}
    assert subject(role(trusting(f'"{PROVIDER}"', value="local.subject")), **files) == "b"


def test_nested_blocks_of_a_kind_are_replaced_as_a_whole():
    files = {"main.tf": role("data.aws_iam_policy_document.trust.json")}
    files["data.tf"] = document(condition('["a"]') + "\n" + condition('["b"]', "k"))
    files["override.tf"] = document(condition('["c"]'), more='  version = "2008-10-17"\n')
    (found,) = loaded(files).inventory.roles
    assert conditions(found) == {"StringEquals": {SUB: "c"}}
    assert len(found.policy.document["Statement"]) == 1


def test_a_file_whose_name_only_ends_in_override_is_none():
    files = {"main.tf": BASE, "nooverride.tf": role(trusting('"x"'), name="other")}
    assert set(roles_of(files)) == {"aws_iam_role.app", "aws_iam_role.other"}


@pytest.mark.parametrize(
    "text",
    [
        '  resource "aws_iam_role" "app" {\n    assume_role_policy = ' + trusting('"x"') + "\n  }\n",
        "\tresource aws_iam_role app {\n assume_role_policy = " + trusting('"x"') + "\n}\n",
        '/* a */ resource /* b */ "aws_iam_role" /* c */ "app" /* d */ { // e\n assume_role_policy = /* f */ '
        + trusting('"x"')
        + "\n}",
        (
            'resource "aws_iam_role" "app" { assume_role_policy = '
            '"{\\"Statement\\": [{\\"Principal\\": {\\"Federated\\": \\"x\\"}}]}" }'
        ),
        "# only\n// comments\n/* before\n it */\n" + role(trusting('"x"')),
        '\ufeffresource "aws_iam_role" "app" {\r\n  assume_role_policy = '
        + trusting('"x"').replace("\n", "\r\n")
        + "\r\n}\r\n",
    ],
)
def test_every_form_of_a_block_is_taken(text):
    assert federated(app(text)) == "x"


@pytest.mark.parametrize(
    "text",
    [
        'resource "aws_iam_role" "t" { description = "hunter2", assume_role_policy = 1 }\n',
        'x = "hunter2\ny = 1\n',
        "a = <<EOT\nhunter2 ${\nEOT\n",
        'a = [ "hunter2" "x" ]\n',
        'a = "hunter2 \\" more" "x"\n',
        'resource "a" "b" {\n password = \'hunter2\'\n}\n',
    ],
)
def test_an_error_of_syntax_does_not_quote_what_texts_hold(text):
    row = row_of(inventory({"main.tf": text}), "main.tf")
    assert row.status == "unreadable"
    assert "hunter2" not in row.why


def _document(name, subject, more=""):
    principal = f'principals {{\n type = "Federated"\n identifiers = ["{PROVIDER}"]\n}}'
    condition = f'condition {{\n test = "StringEquals"\n variable = "{ISSUER}:sub"\n values = ["{subject}"]\n}}'
    content = f'sid = "{name[0]}"\n actions = ["sts:AssumeRoleWithWebIdentity"]\n {principal}\n {condition}'
    return f'data "aws_iam_policy_document" "{name}" {{\n{more} statement {{\n {content}\n }}\n}}\n'


@pytest.mark.parametrize(
    ("argument", "other", "subjects"),
    [
        ("override_policy_documents", "a2", ["of-a2"]),
        ("source_policy_documents", "a2", ["of-a1"]),
        ("override_policy_documents", "b2", ["of-a1", "of-b2"]),
        ("source_policy_documents", "b2", ["of-a1", "of-b2"]),
    ],
)
def test_of_two_statements_with_one_sid_that_of_the_later_document_is_left(argument, other, subjects):
    merged = f" {argument} = [data.aws_iam_policy_document.{other}.json]\n"
    used = 'resource "aws_iam_role" "r" {\n assume_role_policy = data.aws_iam_policy_document.a1.json\n}\n'
    (role,) = roles_of({"main.tf": _document("a1", "of-a1", merged) + _document(other, f"of-{other}") + used}).values()
    found = [item["Condition"]["StringEquals"][f"{ISSUER}:sub"] for item in role.policy.document["Statement"]]
    assert found == subjects


WRITTEN = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": PROVIDER}}]})


@pytest.mark.parametrize("written", ['file("${path.module}/more.txt")', f"<<EOT\n{WRITTEN}\nEOT\n", json.dumps(WRITTEN)])
@pytest.mark.parametrize("argument", ["source_policy_documents", "override_policy_documents"])
def test_a_document_is_merged_that_is_written_as_json(argument, written):
    data = f'data "aws_iam_policy_document" "all" {{\n {argument} = [{written}]\n}}\n'
    used = 'resource "aws_iam_role" "r" {\n assume_role_policy = data.aws_iam_policy_document.all.json\n}\n'
    beside = {"more.txt": WRITTEN} if "more.txt" in written else {}
    (role,) = roles_of({"main.tf": data + used, **beside}).values()
    assert role.policy.document["Statement"] == [{"Effect": "Allow", "Principal": {"Federated": PROVIDER}}]


DOCUMENT = "data.aws_iam_policy_document.trust"


@pytest.mark.parametrize(
    "expression",
    [
        f"coalesce(try({DOCUMENT}[0].json))",
        f'coalesce("", null, {DOCUMENT}[0].json, "x")',
        f'join("", {DOCUMENT}[*].json)',
        f'join("", {DOCUMENT}.*.json)',
        f'join(",", [{DOCUMENT}[0].json])',
        f'join("", ["", {DOCUMENT}[0].json])',
        f"flatten([{DOCUMENT}[*].json])[0]",
        f"tostring({DOCUMENT}[0].json)",
        f"trimspace({DOCUMENT}[0].json)",
        f"chomp({DOCUMENT}[0].json)",
        f'format("%s", {DOCUMENT}[0].json)',
        f'trimspace(join("", compact(["", coalesce({DOCUMENT}[0].json)])))',
        f"flatten([{DOCUMENT}[*].json, {DOCUMENT}[*].json])[0]",
        f"element(flatten([{DOCUMENT}[*].json, {DOCUMENT}[*].json]), 0)",
        f'coalesce(join("", {DOCUMENT}[*].json), join("", {DOCUMENT}[*].json))',
        f"coalesce(one({DOCUMENT}[*].json), one({DOCUMENT}[*].json))",
        f"coalescelist({DOCUMENT}[*].json, {DOCUMENT}[*].json)[0]",
    ],
)
def test_a_document_that_goes_through_functions_stays_what_it_is(expression):
    condition = f"""\
    condition {{
      test     = "StringEquals"
      variable = "{SUB}"
      values   = ["system:serviceaccount:prod:app"]
    }}"""
    (made,) = roles_of({"main.tf": document(condition, more="  count = 1\n") + role(expression)}).values()
    assert conditions(made) == {"StringEquals": {SUB: "system:serviceaccount:prod:app"}}


@pytest.mark.parametrize(
    "expression",
    [
        f'join("", [{DOCUMENT}[0].json, "x"])',
        f'join(",", ["", {DOCUMENT}[0].json])',
        f'join("", [{DOCUMENT}[0].json, {DOCUMENT}[0].json])',
        f'join("", [var.before, {DOCUMENT}[0].json])',
        f'format("%s%s", {DOCUMENT}[0].json, "x")',
        f"flatten([var.others, {DOCUMENT}[*].json])[0]",
        f'replace({DOCUMENT}[0].json, "a", "b")',
        f"upper({DOCUMENT}[0].json)",
    ],
)
def test_a_document_that_functions_may_change_or_replace_is_not_known(expression):
    (made,) = roles_of({"main.tf": document("", more="  count = 1\n") + role(expression)}).values()
    assert isinstance(made.policy, Unknown)


@pytest.mark.parametrize("default", ['"{}"', '"{ }"', '""', "null"])
def test_a_policy_that_is_left_for_the_caller_to_give_is_not_known(default):
    variable = f'variable "trust" {{\n  type    = string\n  default = {default}\n}}\n'
    (made,) = roles_of({"main.tf": variable + role("var.trust")}).values()
    assert isinstance(made.policy, Unknown)


@pytest.mark.parametrize("policy_", ['"{}"', "jsonencode({})"])
def test_an_empty_policy_that_a_role_has_itself_is_one(policy_):
    (made,) = roles_of({"main.tf": role(policy_)}).values()
    assert made.policy.document == {}


EMPTY = {
    "a local": {"main.tf": 'locals {\n  trust = "{}"\n}\n' + role("local.trust")},
    "values": {
        "main.tf": 'variable "trust" {\n  default = "{}"\n}\n' + role("var.trust"),
        "terraform.tfvars": 'trust = "{}"\n',
    },
    "a call": {
        "main.tf": 'module "m" {\n  source = "./m"\n  trust  = "{}"\n}\n',
        "m/main.tf": 'variable "trust" {}\n' + role("var.trust"),
    },
    "a default that a call leaves": {
        "main.tf": 'module "m" {\n  source = "./m"\n}\n',
        "m/main.tf": 'variable "trust" {\n  default = "{}"\n}\n' + role("var.trust"),
    },
    "an output": {
        "main.tf": 'module "m" {\n  source = "./m"\n}\n' + role("module.m.trust"),
        "m/main.tf": 'output "trust" {\n  value = "{}"\n}\n',
    },
    "a file": {"main.tf": role('file("${path.module}/x.json")'), "x.json": "{}"},
}


@pytest.mark.parametrize("form", EMPTY)
def test_an_empty_policy_that_is_given_elsewhere_is_one(form):
    (made,) = roles_of(EMPTY[form]).values()
    assert not isinstance(made.policy, Unknown)
    assert made.policy.document == {}
    assert "policy-refused" in [rule for rule, _ in found_in(EMPTY[form])]
