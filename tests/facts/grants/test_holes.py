# Long: every place of a statement in which a template can leave something open
"""What nobody knows before a template is filled in decides nothing; what is open whatever it holds is a finding."""

import json

import pytest

from irsa_doctor.answers.check.engine import Evaluation, evaluate
from irsa_doctor.facts import View, derive
from irsa_doctor.model import Hole, Text
from irsa_doctor.rulebook.rules import shipped_rules
from irsa_doctor.trust.association import seen_for
from tests.sources.templates.holes import ARN, ISSUER, bare, blocks, condition_block, encoded, heredoc, stack
from tests.sources.worlds import inventory
from tests.trust.asking import policy, statement

SUB, AUD = '"${var.issuer}:sub"', '"${var.issuer}:aud"'
ONE = '"system:serviceaccount:billing:invoices"'
OPEN = {"open-no-sub", "open-aud-only", "open-sub-star", "open-not-equals", "open-key-typo-ifexists-or-null"}


def judged(text: str, path: str) -> Evaluation:
    """What the rules say of one file."""
    return evaluate(shipped_rules(), derive(View(inventory({path: text}))), lambda place, name: (1, 1, 1, 1, place.pointer, 0))


def fired(text: str, path: str = "main.tf") -> dict[str, str]:
    """Rule -> severity of every finding."""
    return {finding.rule: finding.severity for finding in judged(text, path).findings}


def unknown_rules(text: str, path: str = "main.tf") -> set[str]:
    """The rules that could not decide for want of the template's values."""
    return {rule for missing in judged(text, path).unknown for rule in missing.rules if "placeholder" in missing.missing}


UNKNOWN_CONDITIONS = [
    (encoded("var.condition"), "main.tf"),
    (encoded(f"merge({{ StringEquals = {{ {SUB} = {ONE} }} }}, var.more)"), "main.tf"),
    (encoded(f'{{ StringEquals = merge({{ {AUD} = "sts.amazonaws.com" }}, var.more) }}'), "main.tf"),
    (encoded(f"{{ (var.operator) = {{ {SUB} = {ONE} }} }}"), "main.tf"),
    (encoded("{ StringEquals = { (var.key) = var.value } }"), "main.tf"),
    (encoded("{ StringEquals = { for s in var.subjects : s.key => s.value } }"), "main.tf"),
    (heredoc("${jsonencode(var.condition)}"), "main.tf"),
    (heredoc('{"${var.operator}": {"${var.issuer}:sub": "system:serviceaccount:billing:invoices"}}'), "main.tf"),
    (heredoc('{"StringEquals": {"${var.key}": "${var.value}"}}'), "main.tf"),
    (blocks(condition_block("var.test", SUB, f"[{ONE}]")), "main.tf"),
    (blocks(condition_block('"StringEquals"', "var.key", f"[{ONE}]")), "main.tf"),
    (blocks('dynamic "condition" {\n for_each = var.limits\n content {\n test = condition.value.test\n }\n }'), "main.tf"),
    (bare({"StringEquals": {"${subject_key}": "${subject}"}}), "trust.json.tpl"),
    (bare({"{{ .Operator }}": {"{{ .Issuer }}:sub": "x"}}, "{{ .Arn }}"), "trust.json"),
    (bare({"StringEquals": {"$KEY": "$SUBJECT"}}, "$ARN"), "trust.json"),
    (bare({"StringEquals": {"<condition key>": "<subject>"}}, "<provider arn>"), "trust.json"),
    (bare({"StringEquals": {"%s": "%s"}}, "arn:aws:iam::%s:oidc-provider/%s"), "trust.json"),
    (stack("!GetAtt Keys.Condition"), "stack.yaml"),
    (stack("{StringEquals: !GetAtt Keys.Equals}"), "stack.yaml"),
    (stack("{StringEquals: !ImportValue condition}"), "stack.yaml"),
    (stack("!FindInMap [Trust, !Ref Kind, Condition]"), "stack.yaml"),
]


@pytest.mark.parametrize(("text", "path"), UNKNOWN_CONDITIONS)
def test_a_condition_of_unknown_content_is_no_missing_condition(text, path):
    assert not fired(text, path).keys() & (OPEN | {"open-aud-missing"})
    assert {"open-no-sub", "open-aud-only", "open-sub-star"} <= unknown_rules(text, path)


@pytest.mark.parametrize("path", ["main.tf"])
def test_without_any_condition_a_role_is_open_whatever_its_provider_is(path):
    assert fired(encoded("{}"), path)["open-no-sub"] == "critical"


def test_a_condition_of_unknown_content_beside_an_exact_subject_leaves_it_named():
    text = blocks(condition_block('"StringEquals"', SUB, f"[{ONE}]") + condition_block('"StringEquals"', "var.key", '["x"]'))
    assert not fired(text)
    assert "open-sub-star" not in unknown_rules(text)


def test_a_condition_of_unknown_content_may_narrow_an_open_pattern():
    text = blocks(condition_block('"StringLike"', SUB, '["*"]') + condition_block("var.test", "var.key", '["x"]'))
    assert not fired(text).keys() & OPEN
    assert "open-sub-star" in unknown_rules(text)


OPEN_WHATEVER_HOLDS = [
    ('"system:serviceaccount:${var.ns}:*"', "medium"),
    ('"system:serviceaccount:*:${var.name}"', "high"),
    ('"system:serviceaccount:${var.prefix}*:*"', "high"),
    ('"*"', "critical"),
    ('"${var.subject_prefix}*"', "medium"),
    ('["system:serviceaccount:${var.ns}:${var.name}", "system:serviceaccount:*"]', "critical"),
    ('[var.subject, "*"]', "critical"),
]


@pytest.mark.parametrize(("values", "severity"), OPEN_WHATEVER_HOLDS)
@pytest.mark.parametrize("audience", ['"sts.amazonaws.com"', "var.audience"])
def test_what_is_open_whatever_a_hole_holds_is_a_finding(values, severity, audience):
    text = encoded(f"{{ StringLike = {{ {SUB} = {values} }}, StringEquals = {{ {AUD} = {audience} }} }}")
    assert fired(text)["open-sub-star"] == severity


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"${issuer}:sub": "system:serviceaccount:${ns}:*", "${issuer}:aud": "sts.amazonaws.com"}},
        {"StringLike": {"${issuer}:sub": "system:serviceaccount:$NAMESPACE:*", "${issuer}:aud": "sts.amazonaws.com"}},
        {"StringLike": {"${issuer}:sub": "system:serviceaccount:{{ ns }}:*", "${issuer}:aud": "sts.amazonaws.com"}},
        {"StringLike": {"${issuer}:sub": "system:serviceaccount:<namespace>:*", "${issuer}:aud": "sts.amazonaws.com"}},
        {"StringLike": {"${issuer}:sub": "system:serviceaccount:%s:*", "${issuer}:aud": "sts.amazonaws.com"}},
    ],
)
def test_every_form_of_placeholder_is_a_hole(condition):
    assert fired(bare(condition), "trust.json.tpl") == {"open-sub-star": "medium"}


def test_messages_name_the_hole_and_not_what_stands_for_it():
    text = encoded(f'{{ StringLike = {{ {SUB} = "system:serviceaccount:${{var.ns}}:*", {AUD} = "sts.amazonaws.com" }} }}')
    message = next(f.message for f in judged(text, "main.tf").findings if f.rule == "open-sub-star")
    assert "system:serviceaccount:${var.ns}:*" in message
    assert "hole" not in message


def test_exact_subjects_with_holes_are_named_and_patterns_with_holes_are_not_known():
    value = '"system:serviceaccount:${var.ns}:${var.name}"'
    exact = encoded(f'{{ StringEquals = {{ {SUB} = {value}, {AUD} = "sts.amazonaws.com" }} }}')
    assert not fired(exact)
    assert "open-sub-star" not in unknown_rules(exact)
    pattern = encoded(f'{{ StringLike = {{ {SUB} = {value}, {AUD} = "sts.amazonaws.com" }} }}')
    assert not fired(pattern)
    assert "open-sub-star" in unknown_rules(pattern)


def test_the_default_account_of_an_unknown_namespace_is_a_default_account():
    value = '"system:serviceaccount:${var.ns}:default"'
    assert set(fired(encoded(f'{{ StringEquals = {{ {SUB} = {value}, {AUD} = "sts.amazonaws.com" }} }}'))) == {
        "open-default-sa"
    }


def test_an_audience_spelt_wrong_is_wrong_whatever_the_issuer_and_the_subject_are():
    assert fired(encoded(f'{{ StringEquals = {{ {SUB} = var.subject, {AUD} = "sts.amazon.com" }} }}')) == {
        "trust-aud-mismatch": "high"
    }


TOGETHER = [
    ("var.oidc_arn", "var.oidc_issuer"),
    ("module.cluster.oidc_provider_arn", "module.cluster.oidc_provider"),
    ("data.aws_iam_openid_connect_provider.this.arn", "local.issuer"),
    ('"arn:aws:iam::${var.account}:oidc-provider/${var.host}"', "var.issuer"),
    (f'"{ARN}"', "var.issuer"),
    ("var.oidc_arn", 'trimprefix(var.issuer_url, "https://")'),
    ('var.clusters["blue"].arn', 'var.clusters["blue"].issuer'),
]


@pytest.mark.parametrize(("principal", "issuer"), TOGETHER)
def test_a_provider_and_an_issuer_from_two_references_belong_together(principal, issuer):
    text = encoded(f'{{ StringLike = {{ "${{{issuer}}}:sub" = "*", "${{{issuer}}}:aud" = "sts.amazonaws.com" }} }}', principal)
    assert fired(text) == {"open-sub-star": "critical"}


@pytest.mark.parametrize(
    ("principal", "issuer"),
    [
        ("module.blue.oidc_provider_arn", "module.green.oidc_provider"),
        ('var.clusters["blue"].arn', 'var.clusters["green"].issuer'),
        ("aws_iam_openid_connect_provider.blue.arn", "aws_iam_openid_connect_provider.green.url"),
    ],
)
def test_references_that_are_visibly_of_two_things_are_not_taken_for_one(principal, issuer):
    text = encoded(f'{{ StringLike = {{ "${{{issuer}}}:sub" = "*", "${{{issuer}}}:aud" = "sts.amazonaws.com" }} }}', principal)
    assert not fired(text)
    assert "open-sub-star" in unknown_rules(text)


OTHER_ISSUERS = [
    ("token.actions.githubusercontent.com", "repo:acme/billing:*", "sts.amazonaws.com"),
    ("gitlab.com", "project_path:acme/billing:ref_type:branch:ref:main", "https://gitlab.com"),
    ("app.terraform.io", "organization:acme:project:p:workspace:w:run_phase:apply", "aws.workload.identity"),
]


@pytest.mark.parametrize(("issuer", "subject", "audience"), OTHER_ISSUERS)
def test_the_keys_say_who_the_issuer_of_an_unknown_provider_is(issuer, subject, audience):
    condition = {"StringLike": {f"{issuer}:sub": subject}, "StringEquals": {f"{issuer}:aud": audience}}
    assert not of_clusters(fired(bare(condition), "trust.json.tpl"))
    hcl = f'{{ StringLike = {{ "{issuer}:sub" = "{subject}", "{issuer}:aud" = "{audience}" }} }}'
    for principal in ("var.provider_arn", "data.aws_iam_openid_connect_provider.ci.arn", "module.ci.arn"):
        assert not of_clusters(fired(encoded(hcl, principal)))


def of_clusters(found):
    """The rules that speak of clusters, or of a policy that admits nobody."""
    return [rule for rule in found if rule.startswith(("open-", "trust-"))]


def test_the_keys_may_name_a_cluster_of_an_unknown_provider():
    assert fired(bare({"StringLike": {f"{ISSUER}:sub": "*", f"{ISSUER}:aud": "sts.amazonaws.com"}}), "trust.json.tpl") == {
        "open-sub-star": "critical"
    }


@pytest.mark.parametrize("subject", ["repo:acme/billing:*", "project_path:acme/*"])
def test_subjects_of_another_kind_make_a_hole_no_cluster(subject):
    assert not of_clusters(fired(encoded(f'{{ StringLike = {{ {SUB} = "{subject}", {AUD} = "sts.amazonaws.com" }} }}')))


@pytest.mark.parametrize("left", ["$OIDC_PROVIDER", "{{ issuer }}", "<oidc provider>", "%s", "${OIDC_PROVIDER}"])
def test_a_key_that_was_not_filled_in_beside_a_principal_that_was_is_a_finding(left):
    condition = {"StringEquals": {f"{left}:aud": "sts.amazonaws.com", f"{left}:sub": "system:serviceaccount:billing:invoices"}}
    assert any(rule.startswith("trust-") for rule in fired(bare(condition, ARN), "trust.json"))


def test_the_name_of_a_hole_is_not_read_as_its_value():
    text = encoded(
        f'{{ StringEquals = {{ "${{local.host}}:sub" = {ONE}, "${{local.host}}:aud" = "sts.amazonaws.com", '
        '"${local.host}:amr" = "pwd" } }',
        '"arn:aws:iam::111122223333:oidc-provider/${local.host}"',
    )
    local = 'locals {\n host = replace(var.url, "https://", "")\n}\n'
    assert set(fired(local + text)) == {"trust-unavailable-key"}


def test_what_is_only_presumed_is_said_to_be():
    condition = {"StringEquals": {Text((Hole("${var.issuer}"), ":sub")): ONE}}
    presumed = policy(statement(condition, Principal={"Federated": ARN})).statements[0]
    seen = seen_for(presumed, ARN)
    assert not seen.certain
    assert seen.statement.conditions[0].key == f"{ISSUER}:sub".lower()


@pytest.mark.parametrize("provider", ["var.oidc_provider_arn", "var.oidcProviderArn", "var.provider", "local.arns[0]"])
def test_a_key_that_begins_with_the_hole_of_the_principal_begins_with_an_arn(provider):
    keys = f'"${{{provider}}}:sub" = {ONE}, "${{{provider}}}:aud" = "sts.amazonaws.com"'
    assert "trust-key-is-arn" in fired(encoded(f"{{ StringEquals = {{ {keys} }} }}", provider))


def test_a_key_that_begins_with_the_hole_of_a_built_in_principal_may_be_right():
    keys = '"${var.provider}:sub" = "110169484474386276334", "${var.provider}:aud" = "client"'
    assert "trust-key-is-arn" not in fired(encoded(f"{{ StringEquals = {{ {keys} }} }}", "var.provider"))


LISTS = (
    '[for n in var.names : "system:serviceaccount:*:${n}*"]',
    'sort(distinct(flatten([for k, v in var.names : ["system:serviceaccount:*:${v.app}*"]])))',
    'formatlist("system:serviceaccount:*:%s*", [for n in var.names : "a-${n}"])',
)


@pytest.mark.parametrize("values", LISTS)
def test_what_is_open_for_each_item_of_an_unknown_list_is_open(values):
    text = 'variable "names" {}\n' + encoded(f'{{ StringLike = {{ {SUB} = {values}, {AUD} = "sts.amazonaws.com" }} }}')
    assert fired(text) == {"open-sub-star": "high"}


def test_how_many_items_an_unknown_list_has_is_not_known():
    counted = 'length([for n in var.names : "a-${n}"]) == 1'
    text = 'variable "names" {}\n' + encoded(f"{counted} ? {{ StringEquals = {{ {SUB} = {ONE} }} }} : {{}}")
    assert "open-no-sub" in fired(text)


def test_a_pattern_of_a_pipeline_that_a_template_leaves_open_is_unknown():
    host = "token.actions.githubusercontent.com"
    condition = f'{{ StringLike = {{ "{host}:sub" = var.subjects, "{host}:aud" = "sts.amazonaws.com" }} }}'
    text = encoded(condition, f'"arn:aws:iam::111122223333:oidc-provider/{host}"')
    assert {"reach-world", "reach-organisation"} <= unknown_rules(text)
    assert "reach-world" not in unknown_rules(text.replace("StringLike", "StringEquals"))


def findings_of(text: str, path: str = "main.tf") -> dict[str, str]:
    """Rule -> message of every finding; a rule that fires twice fails."""
    listed = judged(text, path).findings
    assert len({finding.rule for finding in listed}) == len(listed)
    return {finding.rule: finding.message for finding in listed}


NARROW = f'{{ StringEquals = {{ {SUB} = {ONE}, {AUD} = "sts.amazonaws.com" }} }}'
WIDE = f'{{ StringLike = {{ {SUB} = "system:serviceaccount:*" }}, StringEquals = {{ {AUD} = "sts.amazonaws.com" }} }}'
ALLOW = (
    '{{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = {{ Federated = var.arn }}, Condition = {} }}'
)


def whole(expression: str) -> str:
    """A role whose policy is an expression."""
    return f'resource "aws_iam_role" "app" {{\n  name = "app"\n  assume_role_policy = {expression}\n}}\n'


def policy_text(condition: str) -> str:
    return f'jsonencode({{ Version = "2012-10-17", Statement = [{ALLOW.format(condition)}] }})'


CHOICES = [
    encoded(f"var.wide ? {WIDE} : {NARROW}"),
    encoded(f"var.wide ? {WIDE} : (var.other ? {NARROW} : {NARROW})"),
    encoded(f"!var.wide ? {NARROW} : {WIDE}"),
    encoded(f'{{ StringLike = {{ {SUB} = var.wide ? "system:serviceaccount:*" : {ONE}, {AUD} = "sts.amazonaws.com" }} }}'),
    encoded(
        f'{{ StringEquals = {{ {AUD} = "sts.amazonaws.com" }}, StringLike = merge({{ {SUB} = {ONE} }}, '
        f'var.wide ? {{ {SUB} = "system:serviceaccount:*" }} : {{}}) }}'
    ),
    whole(f"var.wide ? {policy_text(WIDE)} : {policy_text(NARROW)}"),
    whole(policy_text("local.condition")) + f"locals {{\n condition = var.wide ? {WIDE} : {NARROW}\n}}\n",
    whole(
        f'jsonencode({{ Version = "2012-10-17", Statement = concat([{ALLOW.format(NARROW)}], '
        f"var.wide ? [{ALLOW.format(WIDE)}] : []) }})"
    ),
    blocks(
        condition_block('"StringLike"', SUB, f'var.wide ? ["system:serviceaccount:*"] : [{ONE}]')
        + condition_block('"StringEquals"', AUD, '["sts.amazonaws.com"]')
    ),
    blocks(
        condition_block('"StringLike"', SUB, f'[var.wide ? "system:serviceaccount:*" : {ONE}]')
        + condition_block('"StringEquals"', AUD, '["sts.amazonaws.com"]')
    ),
    # inside a text, as a value and in a heredoc
    encoded(
        f'{{ StringEquals = {{ {AUD} = "sts.amazonaws.com" }}, '
        f'StringLike = {{ {SUB} = "system:serviceaccount:${{var.wide ? "*" : "billing:invoices"}}" }} }}'
    ),
    heredoc(
        '{"StringLike": {"${var.issuer}:sub": "system:serviceaccount:${var.wide ? "*" : "billing"}:${var.wide ? "*" : "b"}"},'
        ' "StringEquals": {"${var.issuer}:aud": "sts.amazonaws.com"}}'
    ),
    # one of several blocks, each in one case
    blocks(
        condition_block('"StringEquals"', AUD, '["sts.amazonaws.com"]')
        + f'\ndynamic "condition" {{\n for_each = var.wide ? ["system:serviceaccount:*"] : [{ONE}]\n'
        + f' content {{\n test = "StringLike"\n variable = {SUB}\n values = [condition.value]\n }}\n }}'
    ),
]


@pytest.mark.parametrize("text", CHOICES)
def test_every_branch_that_is_known_is_judged_once_and_named(text):
    messages = findings_of(text)
    assert set(messages) == {"open-sub-star"}
    assert "This holds where: var.wide" in messages["open-sub-star"]


def test_a_block_that_is_there_in_one_case_is_missing_in_the_other():
    text = blocks(
        condition_block('"StringEquals"', AUD, '["sts.amazonaws.com"]')
        + '\ndynamic "condition" {\n for_each = var.narrow ? [1] : []\n'
        + f' content {{\n test = "StringEquals"\n variable = {SUB}\n values = [{ONE}]\n }}\n }}'
    )
    messages = findings_of(text)
    assert set(messages) == {"open-aud-only"}
    assert "This holds where: not var.narrow" in messages["open-aud-only"]


def test_a_condition_key_may_be_a_choice():
    key = '"${var.bare ? "oidc.example" : "https://oidc.example"}/id/A:sub"'
    text = encoded(f"{{ StringEquals = {{ {key} = {ONE} }} }}", '"arn:aws:iam::111122223333:oidc-provider/oidc.example/id/A"')
    messages = findings_of(text)
    assert "This holds where: not var.bare" in messages["trust-key-has-scheme"]


def test_a_loop_over_a_choice_is_a_choice():
    values = '[for s in (var.wide ? ["*"] : ["a:b"]) : "system:serviceaccount:${s}"]'
    text = encoded(f'{{ StringLike = {{ {SUB} = {values} }}, StringEquals = {{ {AUD} = "sts.amazonaws.com" }} }}')
    assert "This holds where: var.wide" in findings_of(text)["open-sub-star"]


COUNTED = """
locals {{
  on      = var.on
  account = local.on ? data.aws_caller_identity.this.account_id : ""
  issuer  = {condition} ? var.issuer : ""
}}
resource "aws_iam_role" "app" {{
  count              = {condition} ? 1 : 0
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "arn:aws:iam::${{local.account}}:oidc-provider/${{local.issuer}}" }}
      Condition = {{ StringEquals = {{
        "${{local.issuer}}:sub" = "system:serviceaccount:a:b"
        "${{local.issuer}}:aud" = "sts.amazonaws.com"
      }} }}
    }}]
  }})
}}
"""


@pytest.mark.parametrize("condition", ["local.on", "local.on && var.also"])
def test_a_role_that_is_made_in_one_case_is_judged_in_that_case_alone(condition):
    text = COUNTED.format(condition=condition)
    assert findings_of(text) == {}
    assert [role.case for role in inventory({"main.tf": text}).roles] == [""]


@pytest.mark.parametrize("repeat", ["count = var.on ? 1 : 0", 'for_each = var.on ? toset(["x"]) : toset([])'])
def test_what_a_module_makes_where_it_is_called_is_judged_in_that_case_alone(repeat):
    child = 'variable "key" {}\n' + encoded(
        f'{{ StringEquals = {{ (var.key) = {ONE}, "oidc.example:aud" = "sts.amazonaws.com" }} }}',
        '"arn:aws:iam::111122223333:oidc-provider/oidc.example"',
    )
    call = f'module "app" {{\n source = "./app"\n {repeat}\n key = var.on ? "oidc.example:sub" : "nothing"\n}}\n'
    made = evaluate(
        shipped_rules(),
        derive(View(inventory({"main.tf": call, "app/main.tf": child}))),
        lambda place, name: (1, 1, 1, 1, place.pointer, 0),
    )
    assert [finding.rule for finding in made.findings] == []


WHOLE_WRONG = [
    '"arn:aws:iam::111122223333:oidc-provider/oidc.eks.${var.region}.amazonaws.com/id/https://${var.issuer}"',
    '"arn:aws:iam::111122223333:oidc-provider/${aws_eks_cluster.shop.identity[0].oidc[0].issuer}"',
]


@pytest.mark.parametrize("principal", WHOLE_WRONG)
def test_what_is_wrong_with_a_principal_whatever_its_holes_are_is_found(principal):
    cluster = 'resource "aws_eks_cluster" "shop" {\n name = "shop"\n}\n'
    text = cluster + encoded(f"{{ StringEquals = {{ {SUB} = {ONE} }} }}", principal)
    assert "trust-principal-wrong-arn" in findings_of(text)


def test_the_url_of_an_issuer_is_no_principal():
    cluster = 'resource "aws_eks_cluster" "shop" {\n name = "shop"\n}\n'
    text = cluster + encoded(f"{{ StringEquals = {{ {SUB} = {ONE} }} }}", "aws_eks_cluster.shop.identity[0].oidc[0].issuer")
    assert "trust-principal-url-not-arn" in findings_of(text)


def test_the_issuer_of_a_cluster_that_is_made_is_one_of_eks():
    cluster = 'resource "aws_eks_cluster" "shop" {\n name = "shop"\n}\n'
    issuer = 'replace(aws_eks_cluster.shop.identity[0].oidc[0].issuer, "https://", "")'
    keys = f'"${{{issuer}}}:sub" = "billing:invoices", "${{{issuer}}}:aud" = "sts.amazonaws.com"'
    principal = f'"arn:aws:iam::111122223333:oidc-provider/${{{issuer}}}"'
    assert set(findings_of(cluster + encoded(f"{{ StringEquals = {{ {keys} }} }}", principal))) == {"trust-sub-prefix-missing"}


def test_what_holds_in_every_branch_names_none():
    both = f"{{ StringEquals = {{ {SUB} = {ONE} }} }}"
    messages = findings_of(encoded(f"var.strict ? {both} : {both}"))
    assert set(messages) == {"open-aud-missing"}
    assert "holds where" not in messages["open-aud-missing"]


def test_the_worst_of_two_branches_counts():
    one_namespace = f'{{ StringLike = {{ {SUB} = "system:serviceaccount:a:*", {AUD} = "sts.amazonaws.com" }} }}'
    assert fired(encoded(f"var.wide ? {one_namespace} : {WIDE}")) == {"open-sub-star": "critical"}


def test_the_inputs_of_a_known_module_may_be_a_choice():
    text = """module "app" {
  source       = "terraform-aws-modules/iam/aws//modules/iam-assumable-role-with-oidc"
  create_role  = true
  role_name    = "app"
  provider_url = var.issuer
  oidc_fully_qualified_audiences = ["sts.amazonaws.com"]
  oidc_subjects_with_wildcards = var.wide ? ["system:serviceaccount:*:*"] : ["system:serviceaccount:billing:invoices"]
}
"""
    assert "This holds where: var.wide" in findings_of(text)["open-sub-star"]


def test_too_many_conditions_leave_the_policy_unknown():
    text = encoded("{ " + ", ".join(f'(var.a{n} ? "x" : "y") = {{}}' for n in range(5)) + " }")
    assert not fired(text).keys() & OPEN


def test_branches_of_cloudformation_are_judged_once_and_named():
    narrow = f'{{StringEquals: {{"{ISSUER}:sub": "system:serviceaccount:a:b", "{ISSUER}:aud": sts.amazonaws.com}}}}'
    wide = f'{{StringLike: {{"{ISSUER}:sub": "system:serviceaccount:*", "{ISSUER}:aud": sts.amazonaws.com}}}}'
    messages = findings_of(stack(f"!If [Narrow, {narrow}, {wide}]"), "stack.yaml")
    assert "This holds where: not Narrow" in messages["open-sub-star"]


KEYS = '{StringEquals: {"%s:sub": "system:serviceaccount:a:b", "%s:aud": sts.amazonaws.com}}'


def test_a_key_that_nothing_expands_beside_a_principal_that_is_expanded_is_found():
    assert set(findings_of(stack(KEYS % ("${Issuer}", "${Issuer}")), "stack.yaml")) == {"trust-unavailable-key"}


def test_a_principal_that_nothing_expands_is_no_provider_whatever_the_keys():
    text = stack(KEYS % ("${Issuer}", "${Issuer}"), '"arn:aws:iam::111122223333:oidc-provider/${Issuer}"')
    messages = findings_of(text, "stack.yaml")
    assert set(messages) == {"trust-principal-wrong-arn"}
    assert "no function of the template expands it" in messages["trust-principal-wrong-arn"]


def test_a_placeholder_of_another_program_in_a_key_is_unknown():
    assert findings_of(stack(KEYS % ("${OIDC}", "${OIDC}")), "stack.yaml") == {}
    assert findings_of(stack(KEYS % ("{{ issuer }}", "{{ issuer }}")), "stack.yaml") == {}


@pytest.mark.parametrize(
    ("account", "issuer"),
    [
        ("$(accountId)", "$(oidc)"),
        ("${ACCOUNT}", "${OIDC_URL#https://}"),
        ("#{Account}", "#{Oidc.Url}"),
        ("@ACCOUNT@", "@@OIDC@@"),
        ("%%ACCOUNT%%", "%OIDC%"),
        ("[ACCOUNT_ID]", "[[oidc]]"),
        ("{account_id}", "{oidc_provider}"),
    ],
)
def test_a_policy_that_some_program_fills_in_is_right_and_an_open_one_is_open(account, issuer):
    principal = {"Federated": f"arn:aws:iam::{account}:oidc-provider/{issuer}"}
    right = {"StringEquals": {f"{issuer}:sub": "system:serviceaccount:prod:app"}}
    allow = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": principal, "Condition": right}
    trust = {"Version": "2012-10-17", "Statement": [allow]}
    assert set(findings_of(json.dumps(trust), "trust.json")) <= {"open-aud-missing"}
    allow["Condition"] = {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}}
    assert set(findings_of(json.dumps(trust), "trust.json")) & {"open-aud-only", "open-no-sub"}


@pytest.mark.parametrize(
    "policy",
    [
        f'jsonencode({{ Version = "2012-10-17", Statement = length(var.subs) > 0 ? [{ALLOW.format(NARROW)}] : [] }})',
        (
            'jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", '
            f"Principal = {{ Federated = length(var.subs) > 0 ? [var.arn] : [] }}, Condition = {NARROW} }}] }})"
        ),
    ],
)
def test_that_nobody_is_in_a_policy_in_one_case_is_unknown(policy):
    assert "policy-refused" not in fired(whole(policy))
    assert "policy-refused" in unknown_rules(whole(policy))
    assert "policy-refused" in fired(whole('jsonencode({ Version = "2012-10-17", Statement = [] })'))


def test_a_role_with_branches_is_one_role():
    roles = inventory({"main.tf": CHOICES[0]}).roles
    assert {role.id for role in roles} == {"main.tf: aws_iam_role.app"}
    assert {role.case for role in roles} == {"(var.wide)", "(not var.wide)"}


def test_an_open_statement_beside_unknown_ones_is_found_and_they_are_unknown():
    text = whole(f'jsonencode({{ Version = "2012-10-17", Statement = concat([{ALLOW.format(WIDE)}], var.statements) }})')
    assert [(finding.rule, finding.confidence) for finding in judged(text, "main.tf").findings] == [("open-sub-star", "medium")]
    assert any(
        "aws_iam_role.app" in missing.missing and "placeholder" in missing.missing
        for missing in judged(text, "main.tf").unknown
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (whole('jsonencode({ Version = "2012-10-17", Statement = var.statements })'), "main.tf"),
        (whole('jsonencode({ Version = "2012-10-17", Statement = [for s in var.all : s] })'), "main.tf"),
        (whole('jsonencode({ Version = "2012-10-17", Statement = [var.statement] })'), "main.tf"),
    ],
)
def test_an_unresolved_statement_is_unknown(text, path):
    outcome = judged(text, path)
    assert not outcome.findings
    assert any("placeholder" in missing.missing and "open-no-sub" in missing.rules for missing in outcome.unknown)


def assumable_by(principal: str, action: str) -> str:
    """A role that an Allow statement with one action names a principal for; both are expressions."""
    statement = f'{{ Effect = "Allow", Action = {action}, Principal = {principal} }}'
    return whole(f'jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})')


@pytest.mark.parametrize(
    "principal", ["var.who", "{ (var.type) = var.who }", 'merge({ Service = "x.amazonaws.com" }, var.who)']
)
def test_a_principal_of_unknown_type_is_no_web_identity_where_the_action_is_another(principal):
    assert fired(assumable_by(principal, '"sts:AssumeRole"')) == {}
    assert "open-no-sub" in fired(assumable_by(principal, '"sts:AssumeRoleWithWebIdentity"'))
    assert fired(assumable_by("{ Federated = var.who }", '"sts:AssumeRole"')) == {"trust-action-assumerole": "high"}


@pytest.mark.parametrize(
    "subject",
    [
        "repo:${var.repository}:ref:${var.ref}",
        "repo:${var.owner}/${var.repository}:ref:${var.ref}",
        "repo:${var.owner}/${var.repository}:environment:${var.environment}",
        "repo:acme/${var.repository}:ref:${var.ref}",
        "repo:acme/billing:ref:${var.ref}",
    ],
)
@pytest.mark.parametrize("operator", ["StringEquals", "StringLike"])
def test_a_placeholder_in_each_part_of_a_subject_leaves_none_of_them_open(subject, operator):
    issuer = "token.actions.githubusercontent.com"
    conditions = condition_block(f'"{operator}"', f'"{issuer}:sub"', f'["{subject}"]')
    conditions += condition_block('"StringEquals"', f'"{issuer}:aud"', '["sts.amazonaws.com"]')
    arn = f'"arn:aws:iam::111122223333:oidc-provider/{issuer}"'
    assert not {"high", "critical"} & set(fired(blocks(conditions, arn)).values())


def test_how_much_a_wildcard_behind_a_placeholder_opens_is_unknown():
    issuer = "token.actions.githubusercontent.com"
    conditions = condition_block('"StringLike"', f'"{issuer}:sub"', '["repo:${var.repository}*"]')
    conditions += condition_block('"StringEquals"', f'"{issuer}:aud"', '["sts.amazonaws.com"]')
    text = blocks(conditions, f'"arn:aws:iam::111122223333:oidc-provider/{issuer}"')
    assert {"reach-crossing", "reach-organisation", "reach-repository"} <= unknown_rules(text)
    assert fired(text) == {}


@pytest.mark.parametrize(
    ("provider", "key", "rules"),
    [
        ("${var.host}/id/${var.id}", "oidc.eks.${var.host}/id/${var.id}", {"trust-key-wrong-cluster"}),
        ("eks.blue.example/${var.id}", "eks.green.example/${var.id}", {"trust-key-wrong-cluster"}),
        ('eks.blue.example/${var.ids["a b"]}', 'eks.green.example/${var.ids["a b"]}', {"trust-key-wrong-cluster"}),
        ("${var.a}x", "${var.b}y", {"trust-key-wrong-cluster"}),
        ("${var.a}", "${var.a}/", {"trust-key-trailing-slash"}),
        ("${var.host}/id/${var.id}", "${var.other}/id/${var.id}", set()),
        ("${var.a}${var.b}", "${var.b}${var.a}", set()),
        ("${var.a}x", "${var.a}${var.b}x", set()),
    ],
)
def test_issuers_that_differ_whatever_their_placeholders_hold_are_two(provider, key, rules):
    principal = f'"arn:aws:iam::111122223333:oidc-provider/{provider}"'
    claims = f'"{key}:sub" = "system:serviceaccount:shop:checkout", "{key}:aud" = "sts.amazonaws.com"'
    assert set(fired(encoded(f"{{ StringEquals = {{ {claims} }} }}", principal))) == rules


@pytest.mark.parametrize("value", ["system:serviceaccount:${var.ns}:*", "system:serviceaccount:${var.ns}-?:app"])
def test_a_wildcard_is_compared_literally_whatever_is_beside_it(value):
    wildcard = "trust-stringequals-wildcard"
    assert wildcard in fired(encoded(f'{{ StringEquals = {{ {AUD} = "sts.amazonaws.com", {SUB} = "{value}" }} }}'))
    named = encoded(f'{{ StringEquals = {{ {AUD} = "sts.amazonaws.com", {SUB} = "system:serviceaccount:${{var.ns}}:app" }} }}')
    assert wildcard not in fired(named)
