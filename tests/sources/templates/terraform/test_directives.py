"""Directives of templates, regular expressions, and members by keys that are not known: what they make in each case."""

import time

import pytest

from irsa_doctor.model import Unknown
from tests.facts.situations import found
from tests.sources.templates.made import ISSUER, PROVIDER, conditions, roles_of

KNOWN = 'variable "on" {}\nvariable "who" {}\nlocals {\n  spaces = ["shop", "pay"]\n  names = { dev = "*", prod = "cart" }\n}\n'
ONE, ALL = "system:serviceaccount:shop:cart", "system:serviceaccount:*:*"


def trust(subjects: str, more: str = "") -> str:
    """The JSON of a policy; `subjects` and `more` are parts of a template."""
    return (
        f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"{PROVIDER}"}},'
        f'"Action":"sts:AssumeRoleWithWebIdentity","Condition":{{"StringLike":{{"{ISSUER}:sub":{subjects}}}{more}}}}}]}}'
    )


def role(expression: str) -> str:
    return f'{KNOWN}resource "aws_iam_role" "app" {{\n  assume_role_policy = {expression}\n}}\n'


def heredoc(template: str) -> dict[str, str]:
    return {"main.tf": role(f"<<-EOT\n    {template}\n  EOT")}


def quoted(template: str) -> dict[str, str]:
    marked = template.replace("\\", "\\\\").replace('"', '\\"')
    for inner in ('if s == \\"pay\\"', 'if var.on == \\"x\\"'):
        marked = marked.replace(inner, inner.replace('\\"', '"'))
    return {"main.tf": role(f'"{marked}"')}


def in_file(template: str) -> dict[str, str]:
    given = "{ spaces = local.spaces, on = var.on, who = var.who }"
    text = template.replace("local.spaces", "spaces").replace("var.", "")
    return {"main.tf": role(f'templatefile("${{path.module}}/t.tpl", {given})'), "t.tpl": text}


def subjects_by_case(files: dict[str, str]) -> dict[str, object]:
    return {
        made.case: None if isinstance(made.policy, Unknown) else conditions(made)["StringLike"][f"{ISSUER}:sub"]
        for made in roles_of(files).values()
    }


FORMS = pytest.mark.parametrize("form", [heredoc, quoted, in_file])
LISTED = ["system:serviceaccount:shop:x", "system:serviceaccount:pay:x"]


@FORMS
@pytest.mark.parametrize(
    ("template", "made"),
    [
        ('[%{ for s in local.spaces }"system:serviceaccount:${s}:x",%{ endfor }"a"]', [*LISTED, "a"]),
        ('[%{ for i, s in local.spaces ~}  "system:serviceaccount:${s}:x"%{ if i < 1 },%{ endif }%{ endfor ~} ]', LISTED),
        ('[%{ for s in local.spaces }%{ if s == "pay" }"system:serviceaccount:${s}:x"%{ endif }%{ endfor }]', LISTED[1:]),
        (f'%{{ if true }}"{ONE}"%{{ else }}"{ALL}"%{{ endif }}', ONE),
        (f'%{{ if false }}"{ALL}",%{{ endif }}"{ONE}"', ONE),
        (f'"%{{ for s in [] }}${{s}}%{{ endfor }}{ONE}"', ONE),
        ('"a %{~ if true ~} b %{~ endif ~} c"', "abc"),
    ],
)
def test_directives_of_known_values_make_the_very_text(form, template, made):
    assert subjects_by_case(form(trust(template))) == {"": made}


@FORMS
def test_a_directive_on_an_unknown_condition_is_judged_in_each_case(form):
    files = form(trust(f'%{{ if var.on }}"{ALL}"%{{ else }}"{ONE}"%{{ endif }}'))
    assert subjects_by_case(files) == {"(var.on)": ALL, "(not var.on)": ONE}
    assert "open-sub-star" in dict(found(files))


def test_a_template_in_a_text_is_judged_in_each_case():
    texts = 'locals {\n  text = "%%{ if on }a%%{ else }b%%{ endif }"\n}\n'
    files = quoted(trust('"${templatestring(local.text, { on = var.on })}"'))
    assert subjects_by_case({"main.tf": texts + files["main.tf"]}) == {"(var.on)": "a", "(not var.on)": "b"}


@FORMS
def test_a_directive_without_else_makes_nothing_in_the_other_case(form):
    files = form(trust(f'"{ONE}"', f'%{{ if var.on }},"StringEquals":{{"{ISSUER}:aud":"sts.amazonaws.com"}}%{{ endif }}'))
    made = roles_of(files).values()
    assert {each.case: "StringEquals" in conditions(each) for each in made} == {"(var.on)": True, "(not var.on)": False}


@FORMS
def test_a_loop_over_unknown_items_leaves_the_policy_unknown(form):
    files = form(trust('[%{ for s in var.who }"system:serviceaccount:${s}:x",%{ endfor }"a"]'))
    assert subjects_by_case(files) == {"": None}
    assert not dict(found(files))


def value_of(expression: str) -> object:
    """What an expression gives, by case, None for what is not known."""
    text = 'jsonencode(jsondecode(replace(local.policy, "SUBJECT", local.made)))'
    policy = trust('"SUBJECT"').replace('"', '\\"')
    made = f'locals {{\n  policy = "{policy}"\n  made = {expression}\n}}\n'
    cases = subjects_by_case({"main.tf": made + role(text)})
    return cases[""] if cases.keys() == {""} else cases


@pytest.mark.parametrize(
    ("expression", "made"),
    [
        (f'regex("provider/(.*)$", "{PROVIDER}")[0]', ISSUER),
        (f'replace("{PROVIDER}", "/^arn:[^:]+:iam::[0-9]+:oidc-provider\\\\//", "")', ISSUER),
        ('regex("(?P<space>[a-z]+):(?P<name>.*)", "shop:cart").name', "cart"),
        ('regexall("[a-z]+", "a-b")[1]', "b"),
        ('length(regexall("z", "a-b")) > 0 ? "yes" : "no"', "no"),
        ('replace("shop:cart", "/([a-z]+):([a-z]+)/", "$2:$${2}$$")', "cart:cart$"),
        ('replace("a-a", "/^a/", "b")', "b-a"),
        ('replace("a-b", "/a/", "$0$0")', "aa-b"),
        ('replace("a-b", "/a/", "$01$9")', "-b"),
        ('replace("axb.c", "/a.b\\\\.c/", "d")', "d"),
        ('regex("iam::([0-9]+):oidc-provider/(.*)", "arn:aws:iam::111122223333:oidc-provider/x")[0]', "111122223333"),
        ('"a ${~ "b" ~} \\n\\t c"', "abc"),
        ('join(",", split("\\n", "a\\n%{ if true ~}\\n  b%{ endif }"))', "a,b"),
        ('can(regex("^a", "ab")) ? "yes" : "no"', "yes"),
        ('can(regex("^b", "ab")) ? "yes" : "no"', "no"),
        ('try(regex("^b", "ab"), "other")', "other"),
        ('jsondecode(base64decode(base64encode("{\\"a\\": \\"b\\"}"))).a', "b"),
        ("local.names.prod", "cart"),
        ('lookup(local.names, "none", "other")', "other"),
    ],
)
def test_what_is_known_is_evaluated(expression, made):
    assert value_of(expression) == made


@pytest.mark.parametrize("issuer", ["aws_eks_cluster.main.identity[0].oidc[0].issuer", "var.who"])
@pytest.mark.parametrize(
    "taken", ['replace({}, "/^https?:\\\\/\\\\//", "")', 'regex("https://(.*)", {})[0]', 'replace({}, "https://", "")']
)
def test_the_issuer_of_a_url_is_the_same_however_it_is_taken(taken, issuer):
    key = taken.format(issuer)
    condition = f'"${{{key}}}:sub" = "{ONE}"'
    principal = f'"arn:aws:iam::111122223333:oidc-provider/${{replace({issuer}, "https://", "")}}"'
    statement = f'{{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = {{ Federated = {principal} }}, '
    statement += f"Condition = {{ StringEquals = {{ {condition} }} }} }}"
    text = role(f'jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})')
    assert {rule for rule, severity in found({"main.tf": text}) if severity in ("high", "critical")} == set()


@pytest.mark.parametrize(
    ("taken", "is_issuer"),
    [
        ('replace({}, "/^(.*provider/)/", "")', True),
        ('replace({}, "/^(.*):oidc-provider\\\\//", "")', True),
        ('replace({}, "/^.*(oidc-)?provider\\\\//", "")', True),
        ('replace({}, "/^(.*provider/[^/]+)/", "")', False),
        ('regex("^arn:(?:aws|aws-cn):iam::[0-9]+:oidc-provider/(.+)$", {})[0]', True),
        ('regex("arn:aws:iam::([0-9]+):oidc-provider/(.*)", {})[0]', False),
    ],
)
def test_only_what_leaves_the_issuer_of_an_arn_is_the_issuer(taken, is_issuer):
    condition = f'"${{{taken.format("var.arn")}}}:sub" = "{ONE}"'
    statement = '{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = var.arn }, '
    statement += f"Condition = {{ StringEquals = {{ {condition} }} }} }}"
    text = role(f'jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})')
    (made,) = roles_of({"main.tf": 'variable "arn" {}\n' + text}).values()
    (key,) = conditions(made)["StringEquals"]
    assert key.startswith("${issuer") == is_issuer, key


@pytest.mark.parametrize("expression", ["local.names[var.who]", "lookup(local.names, var.who)", 'local.names["${var.who}"]'])
def test_a_member_by_an_unknown_key_is_judged_in_each_case(expression):
    files = {"main.tf": role(f'jsonencode(jsondecode("{trust("%").replace(chr(34), chr(92) + chr(34))}"))')}
    files["main.tf"] = files["main.tf"].replace("%", f'\\"system:serviceaccount:shop:${{{expression}}}\\"')
    named = {'(var.who == "dev")': "*", '(not var.who == "dev")': "cart"}
    assert subjects_by_case(files) == {case: f"system:serviceaccount:shop:{name}" for case, name in named.items()}


def test_a_key_that_a_map_does_not_have_is_a_case_of_its_own_where_something_stands_for_it():
    cases = value_of('lookup({ dev = "a" }, var.who, "b")')
    assert cases == {'(var.who == "dev")': "a", '(not var.who == "dev")': "b"}


@pytest.mark.parametrize(
    ("expression", "fallback"),
    [
        ('try({ dev = "a" }[var.who], "b")', '(not var.who == "dev")'),
        ('try({ dev = "a", prod = "a" }[var.who], "b")', '(not var.who == "dev", not var.who == "prod")'),
        ('try(lookup({ dev = "a" }, var.who), "b")', '(not var.who == "dev")'),
        ('try(var.on ? { dev = "a" }[var.who] : "a", "b")', '(var.on, not var.who == "dev")'),
        ('try(var.on ? local.names.none : "a", "b")', "(var.on)"),
        ('try([{ dev = "a" }[var.who]], ["b"])[0]', '(not var.who == "dev")'),
        ('try({ x = [{ dev = "a" }[var.who]] }, { x = ["b"] }).x[0]', '(not var.who == "dev")'),
    ],
)
def test_what_try_falls_back_to_is_a_case_of_its_own(expression, fallback):
    cases = value_of(expression)
    assert isinstance(cases, dict)
    assert {case for case, value in cases.items() if value == "b"} == {fallback}
    assert set(cases.values()) == {"a", "b"}


@pytest.mark.parametrize(
    ("expression", "fallback"),
    [
        ('try(var.all.app, "*")', "(not can(var.all.app))"),
        ('try(var.all["app"].name, "*")', '(not can(var.all["app"].name))'),
        ('lookup(var.all, "app", "*")', '(not contains(keys(var.all), "app"))'),
    ],
)
def test_what_stands_for_a_member_that_a_caller_may_leave_out_is_a_case(expression, fallback):
    cases = value_of(expression)
    assert isinstance(cases, dict)
    assert {case for case, value in cases.items() if value == "*"} == {fallback}


@pytest.mark.parametrize("expression", ['try(var.all, "*")', 'try(var.all.app, "")', 'lookup(var.all, "app", null)'])
def test_what_surely_exists_and_what_opens_nothing_are_no_cases(expression):
    assert not isinstance(value_of(expression), dict)


@pytest.mark.parametrize("member", ['{ dev = "a" }[var.who]', '[{ dev = "a" }[var.who]]', '{ x = { dev = "a" }[var.who] }'])
def test_a_key_that_is_not_known_may_be_none_that_a_map_has(member):
    cases = value_of(f'can({member}) ? "a" : "b"')
    assert isinstance(cases, dict)
    assert set(cases.values()) == {"a", "b"}


@pytest.mark.parametrize("mark", ["%{ if true ~}", "${~ 1 ~}"])
def test_a_mark_takes_the_white_space_of_its_line_only_in_files(mark):
    end = "%{ endif }" if "if" in mark else ""
    text = f"a:\n%{{ if true ~}}\n  b:\n%{{ endif ~}}\n    c: {ONE} # {mark}\n{end}"
    files = {"t.tpl": text, "main.tf": 'locals {\n  made = yamldecode(templatefile("t.tpl", {})).a.b.c\n}\n'}
    files["main.tf"] += quoted(trust('"${local.made}"'))["main.tf"]
    assert subjects_by_case(files) == {"": ONE}


def test_an_argument_that_a_function_refuses_leaves_the_policy_unknown():
    assert isinstance(next(iter(roles_of({"main.tf": role('tobool("maybe")')}).values())).policy, Unknown)


@pytest.mark.parametrize(
    "pattern",
    [
        "a*a*" + "a?" * 9 + "b",
        "^|a*a*a*b",
        "(?P<a>a)(a)",
        "a*+",
        "[a&&b]",
        "(a+)+$",
        "(a*)*b",
        "a?" * 30 + "a" * 30,
        "(a|a)*b",
        ".*.*.*.*=",
        "(?<=a)b",
        "[[:alpha:]]",
        "(",
        "a{1000}",
        "\\\\1",
    ],
)
def test_a_pattern_that_may_take_for_ever_is_not_evaluated(pattern):
    start = time.perf_counter()
    text = role(f'regex("{pattern}", "{"a" * 200}")')
    assert isinstance(next(iter(roles_of({"main.tf": text}).values())).policy, Unknown)
    assert time.perf_counter() - start < 2
