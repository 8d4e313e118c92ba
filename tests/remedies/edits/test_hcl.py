# Long: one table of configurations, each whole beside its edit
"""Edits of Terraform configuration."""

import copy
import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.remedies.edits.records import CannotWrite, Wish
from irsa_doctor.remedies.edits.splicing import spliced
from irsa_doctor.remedies.edits.writing import edits_for
from tests.remedies.edits.configurations import read_roles

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
WEB = "sts:AssumeRoleWithWebIdentity"
CART, WEBSHOP = "system:serviceaccount:shop:cart", "system:serviceaccount:shop:web"
Texts = Mapping[str, str]


def policy(condition: Any, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": WEB, "Principal": {"Federated": PROVIDER}, "Condition": condition, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def edited(texts: Texts, after: Any, address: str = "aws_iam_role.cart") -> dict[str, str]:
    """The texts so that a role has another policy, which is read back from them."""
    roles, sources = read_roles(texts)
    trust = roles[address].policy
    assert isinstance(trust, TrustPolicy)
    edits = edits_for(sources, [Wish(trust.place, trust.document, after)])
    made = dict(texts)
    for document in {edit.document for edit in edits}:
        content = texts[document].encode()
        assert all(content[e.start : e.end].decode() == e.old for e in edits if e.document == document)
        made[document] = spliced(content, [edit for edit in edits if edit.document == document]).decode()
    if after is not trust.document:
        now = read_roles(made)[0][address].policy
        assert isinstance(now, TrustPolicy)
        assert now.document == after
    return made


def document_of(texts: Texts, address: str = "aws_iam_role.cart") -> Any:
    trust = read_roles(texts)[0][address].policy
    assert isinstance(trust, TrustPolicy)
    return copy.deepcopy(trust.document)


def with_condition(texts: Texts, condition: Any) -> Any:
    after = document_of(texts)
    after["Statement"][0]["Condition"] = condition
    return after


def changed_lines(before: str, after: str) -> list[str]:
    """The lines that are new."""
    return [line for line in after.splitlines() if line not in before.splitlines()]


DOCUMENT = f"""# trust of the cart
locals {{
  issuer = "{ISSUER}"
}}

data "aws_iam_policy_document" "cart" {{
  statement {{
    effect  = "Allow"
    actions = ["{WEB}"] # the call

    principals {{
      type        = "Federated"
      identifiers = ["arn:aws:iam::111122223333:oidc-provider/${{local.issuer}}"]
    }}

    condition {{
      test     = "ForAllValues:StringLike"
      variable = "https://${{local.issuer}}:sub"
      values   = ["{CART}"] // only the cart
    }}
  }}
}}

resource "aws_iam_role" "cart" {{
  name               = "cart"
  assume_role_policy = data.aws_iam_policy_document.cart.json
}}
"""


def test_the_operator_and_the_key_of_a_condition_block_are_its_only_changes() -> None:
    texts = {"main.tf": DOCUMENT}
    after = with_condition(texts, {"StringEquals": {f"{ISSUER}:sub": CART}})
    new = edited(texts, after)["main.tf"]
    assert new == DOCUMENT.replace("ForAllValues:StringLike", "StringEquals").replace("https://${", "${")


def test_a_condition_is_added_as_a_block_with_the_reference_of_its_neighbour() -> None:
    texts = {"main.tf": DOCUMENT}
    old = document_of(texts)["Statement"][0]["Condition"]
    new = edited(texts, with_condition(texts, {**old, "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}))["main.tf"]
    assert changed_lines(DOCUMENT, new) == [
        '      test     = "StringEquals"',
        '      variable = "${local.issuer}:aud"',
        '      values   = ["sts.amazonaws.com"]',
    ]
    assert "// only the cart\n    }\n\n    condition {\n" in new


def test_a_condition_that_goes_takes_its_block_with_it() -> None:
    texts = {"main.tf": DOCUMENT}
    after = document_of(texts)
    after["Statement"][0].pop("Condition")
    new = edited(texts, after)["main.tf"]
    assert "condition" not in new
    assert "]\n    }\n  }\n}\n" in new


def test_a_statement_is_added_and_taken_away_whole() -> None:
    texts = {"main.tf": DOCUMENT}
    after = document_of(texts)
    after["Statement"].append(policy({"StringEquals": {f"{ISSUER}:sub": WEBSHOP}})["Statement"][0])
    more = edited(texts, after)
    assert '"${local.issuer}:sub"' in changed_lines(DOCUMENT, more["main.tf"])[-2]
    assert edited(more, document_of(texts)) == texts


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_members_of_jsonencode_keep_their_layout_and_comments(newline: str) -> None:
    text = f"""resource "aws_iam_role" "cart" {{
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "{WEB}"
      Principal = {{ Federated = "{PROVIDER}" }} # who
      Condition = {{
        StringEquals = {{
          "{ISSUER}:sub" = "{CART}" // only the cart
        }}
      }}
    }}]
  }})
}}
""".replace("\n", newline)
    texts = {"roles.tf": text}
    after = with_condition(texts, {"StringEquals": {f"{ISSUER}:sub": CART, f"{ISSUER}:aud": "sts.amazonaws.com"}})
    line = f'          "{ISSUER}:aud" = "sts.amazonaws.com"{newline}'
    assert edited(texts, after)["roles.tf"] == text.replace(f"// only the cart{newline}", f"// only the cart{newline}{line}")
    after = with_condition(texts, {"StringLike": {f"{ISSUER}:sub": [CART, WEBSHOP]}})
    new = text.replace("StringEquals", "StringLike").replace(f'"{CART}"', f'["{CART}", "{WEBSHOP}"]')
    assert edited(texts, after)["roles.tf"] == new


HEREDOC = f"""variable "issuer" {{
  default = "https://{ISSUER}"
}}

resource "aws_iam_role" "cart" {{
  assume_role_policy = <<-JSON
    {{
      "Version": "2012-10-17",
      "Statement": [{{
        "Effect": "Allow",
        "Action": "{WEB}",
        "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/${{replace(var.issuer, "https://", "")}}"}},
        "Condition": {{"StringEquals": {{
          "${{var.issuer}}:sub": "{CART}"
        }}}}
      }}]
    }}
  JSON
}}
"""


def test_what_is_put_in_between_in_a_heredoc_loses_its_scheme_where_it_is_used() -> None:
    texts = {"main.tf": HEREDOC}
    new = edited(texts, with_condition(texts, {"StringEquals": {f"{ISSUER}:sub": CART}}))["main.tf"]
    assert new == HEREDOC.replace('"${var.issuer}:sub"', '"${replace(var.issuer, "https://", "")}:sub"')


def test_a_member_is_added_to_a_heredoc_with_the_indentation_of_its_neighbour() -> None:
    texts = {"main.tf": HEREDOC}
    claims = {f"https://{ISSUER}:sub": CART, f"{ISSUER}:aud": "sts.amazonaws.com"}
    new = edited(texts, with_condition(texts, {"StringEquals": claims}))["main.tf"]
    added = '          "${replace(var.issuer, "https://", "")}:aud": "sts.amazonaws.com"'
    assert changed_lines(HEREDOC, new) == [f'          "${{var.issuer}}:sub": "{CART}",', added]


@pytest.mark.parametrize(
    ("declared", "use"),
    [
        ('locals {\n  operator = "ForAllValues:StringEquals"\n}\n', "local.operator"),
        ('variable "operator" {\n  default = "ForAllValues:StringEquals" # odd\n}\n', "var.operator"),
    ],
)
def test_a_text_that_is_read_once_is_edited_where_it_is_written(declared: str, use: str) -> None:
    main = DOCUMENT.replace('"ForAllValues:StringLike"', use).replace("https://", "")
    texts = {"main.tf": main, "names.tf": declared}
    new = edited(texts, with_condition(texts, {"StringEquals": {f"{ISSUER}:sub": CART}}))
    assert new == {"main.tf": main, "names.tf": declared.replace("ForAllValues:", "")}


def test_a_file_of_variables_is_edited_where_it_gives_the_value() -> None:
    main = DOCUMENT.replace('"ForAllValues:StringLike"', "var.operator").replace("https://", "")
    texts = {
        "main.tf": main,
        "v.tf": 'variable "operator" {}\n',
        "terraform.tfvars": 'operator = "ForAllValues:StringEquals"\n',
    }
    new = edited(texts, with_condition(texts, {"StringEquals": {f"{ISSUER}:sub": CART}}))
    assert new == {**texts, "terraform.tfvars": 'operator = "StringEquals"\n'}


def test_a_text_that_is_read_elsewhere_too_stays_and_its_use_is_edited() -> None:
    main = DOCUMENT.replace('"ForAllValues:StringLike"', "local.operator").replace("https://", "")
    declared = 'locals {\n  operator = "ForAllValues:StringEquals"\n  other    = local.operator\n}\n'
    texts = {"main.tf": main, "names.tf": declared}
    new = edited(texts, with_condition(texts, {"StringEquals": {f"{ISSUER}:sub": CART}}))
    assert new == {"main.tf": main.replace("= local.operator", '= "StringEquals"'), "names.tf": declared}


TESTS = {"cart": "StringEqualsIfExists", "web": "StringEquals"}


def test_the_argument_of_a_module_is_edited_and_not_the_module() -> None:
    inner = f"""variable "test" {{}}
resource "aws_iam_role" "this" {{
  assume_role_policy = jsonencode({{
    Statement = [{{
      Effect    = "Allow", Action = "{WEB}", Principal = {{ Federated = "{PROVIDER}" }},
      Condition = {{ (var.test) = {{ "{ISSUER}:sub" = "{CART}" }} }}
    }}]
  }})
}}
"""
    calls = [f'module "{name}" {{\n  source = "./role"\n  test   = "{test}"\n}}\n' for name, test in TESTS.items()]
    outer = "\n".join(calls)
    texts = {"main.tf": outer, "role/main.tf": inner}
    address = "module.cart.aws_iam_role.this"
    after = document_of(texts, address)
    after["Statement"][0]["Condition"] = {"StringEquals": {f"{ISSUER}:sub": CART}}
    assert edited(texts, after, address) == {**texts, "main.tf": outer.replace("IfExists", "")}


def test_a_document_with_an_error_elsewhere_is_not_edited() -> None:
    texts = {"main.tf": DOCUMENT + "\nlocals {\n  broken = \n}\n"}
    after = with_condition(texts, {"StringEquals": {f"{ISSUER}:sub": CART}})
    with pytest.raises(CannotWrite, match="no valid"):
        edited(texts, after)


# ---- random policies in random texts

KEYS = [f"{ISSUER}:sub", f"{ISSUER}:aud", f"https://{ISSUER}:sub", f"{ISSUER}/:aud", "aws:SourceIp"]
OPERATORS = ["StringEquals", "StringLike", "ForAllValues:StringEquals", "StringEqualsIfExists"]
VALUES = [CART, WEBSHOP, "system:serviceaccount:shop:*", "sts.amazonaws.com", 'a"b\\c', "é"]


def some_condition(chance: random.Random) -> dict[str, Any]:
    operators = chance.sample(OPERATORS, chance.randint(1, 2))
    return {o: {key: some_values(chance) for key in chance.sample(KEYS, chance.randint(1, 3))} for o in operators}


def some_values(chance: random.Random) -> Any:
    values = chance.sample(VALUES, chance.randint(1, 3))
    return values[0] if len(values) == 1 else values


def some_statement(chance: random.Random) -> dict[str, Any]:
    action = chance.choice([WEB, "sts:AssumeRole", [WEB, "sts:TagSession"]])
    return {"Effect": "Allow", "Action": action, "Principal": {"Federated": PROVIDER}, "Condition": some_condition(chance)}


def some_policy(chance: random.Random) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [some_statement(chance) for _ in range(chance.randint(1, 3))]}


def changed(chance: random.Random, document: Any) -> Any:
    """A policy with a change or several, of the kinds that fixes make."""
    after = copy.deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        statement = chance.choice(after["Statement"])
        condition = statement["Condition"]
        operator = chance.choice(list(condition))
        key = chance.choice(list(condition[operator]))
        match chance.randint(0, 6):
            case 0:
                condition[operator][key] = some_values(chance)
            case 1 if len(condition[operator]) > 1:
                del condition[operator][key]
            case 2:
                condition[operator].setdefault(chance.choice(KEYS), some_values(chance))
            case 3:
                statement["Action"] = some_statement(chance)["Action"]
            case 4 if (new := chance.choice(OPERATORS)) not in condition:
                statement["Condition"] = {new if name == operator else name: keys for name, keys in condition.items()}
            case 5:
                after["Statement"].append(some_statement(chance))
            case 6 if (new := chance.choice(KEYS)) not in condition[operator]:
                condition[operator] = {new if name == key else name: v for name, v in condition[operator].items()}
    return after


def quoted(chance: random.Random, value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text.replace(ISSUER, "${local.issuer}") if chance.random() < 0.5 else text


def as_hcl(chance: random.Random, value: Any, indent: str = "    ") -> str:
    if isinstance(value, str):
        return quoted(chance, value)
    inline, comma = chance.random() < 0.2, chance.choice(["", ","])
    inner = indent + "  "
    note = chance.choice(["", "", " # note", " // note"])
    if isinstance(value, list):
        items = [as_hcl(chance, item, inner) for item in value]
        plain = inline or all("\n" not in item and "{" not in item for item in items)
        return f"[{', '.join(items)}]" if plain else f"[\n{inner}" + f",{note}\n{inner}".join(items) + f"{comma}\n{indent}]"
    items = [f"{name if name.isalpha() else quoted(chance, name)} = {as_hcl(chance, v, inner)}" for name, v in value.items()]
    if inline and not any("\n" in item for item in items):
        return "{ " + ", ".join(items) + " }"
    return f"{{\n{inner}" + f"{comma}{note}\n{inner}".join(items) + f"{comma}{note}\n{indent}}}"


def as_blocks(chance: random.Random, document: Any) -> str:
    def listed(value: Any) -> str:
        return "[" + ", ".join(quoted(chance, item) for item in (value if isinstance(value, list) else [value])) + "]"

    blocks = []
    for statement in document["Statement"]:
        conditions = "".join(
            f'\n    condition {{\n      test     = "{operator}"\n      variable = {quoted(chance, key)}\n'
            f"      values   = {listed(values)} # {operator}\n    }}\n"
            for operator, keys in statement["Condition"].items()
            for key, values in keys.items()
        )
        identifiers = listed(statement["Principal"]["Federated"])
        principals = f'    principals {{\n      type        = "Federated"\n      identifiers = {identifiers}\n    }}\n'
        blocks.append(f"  statement {{\n    actions = {listed(statement['Action'])}\n\n{principals}{conditions}  }}\n")
    data = 'data "aws_iam_policy_document" "cart" {\n' + "\n".join(blocks) + "}\n"
    return data + '\nresource "aws_iam_role" "cart" {\n  assume_role_policy = data.aws_iam_policy_document.cart.json\n}\n'


def as_heredoc(chance: random.Random, document: Any) -> str:
    style = chance.choice([{"indent": 2}, {"indent": 4}, {"separators": (",", ":")}, {}])
    text = json.dumps(document, ensure_ascii=False, **style)
    if chance.random() < 0.6:
        text = text.replace(ISSUER, "${local.issuer}")
    sign, indent = chance.choice([("<<", ""), ("<<-", "    ")])
    body = "".join(f"{indent}{line}\n" for line in text.split("\n"))
    return f'resource "aws_iam_role" "cart" {{\n  assume_role_policy = {sign}EOF\n{body}EOF\n}}\n'


def as_object(chance: random.Random, document: Any) -> str:
    return f'resource "aws_iam_role" "cart" {{\n  assume_role_policy = jsonencode({as_hcl(chance, document, "  ")})\n}}\n'


FORMS = {"blocks": as_blocks, "heredoc": as_heredoc, "object": as_object}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(6))
def test_the_reader_reads_the_wished_policy_from_the_edited_text(form: str, seed: int) -> None:
    chance = random.Random(f"{form}{seed}")  # noqa: S311 - no secret
    for _ in range(8):
        text = f'locals {{\n  issuer = "{ISSUER}"\n}}\n\n' + FORMS[form](chance, some_policy(chance))
        text = text.replace("\n", "\r\n") if chance.random() < 0.2 else text
        texts = {"main.tf": text}
        before = document_of(texts)
        after = changed(chance, before)
        new = edited(texts, after)["main.tf"]
        assert new.count("\r\n") in (0, new.count("\n"))
        assert edited({"main.tf": new}, document_of({"main.tf": new}))["main.tf"] == new
        assert new.startswith(text.partition("resource")[0].partition("data")[0])


ALIGNED = f"""locals {{
  trust = {{
    Statement = [
      {{
        Effect    = "Allow"
        Action    = "{WEB}"
        Principal = {{ Federated = "{PROVIDER}" }}
        Condition = {{
          StringEquals = {{
            "https://{ISSUER}:sub" = "{CART}"
            "{ISSUER}:aud"         = "sts.amazonaws.com"
          }}
        }}
      }}
    ]
  }}
}}

resource "aws_iam_role" "cart" {{
  assume_role_policy = jsonencode(local.trust)
}}
"""


def test_lines_that_are_aligned_stay_aligned() -> None:
    texts = {"main.tf": ALIGNED}
    claims = {f"{ISSUER}:sub": CART, f"{ISSUER}:aud": "sts.amazonaws.com"}
    new = edited(texts, with_condition(texts, {"StringEquals": claims}))
    assert new == {"main.tf": ALIGNED.replace("https://", "").replace("         =", " =")}
    more = edited(new, with_condition(new, {"StringEquals": {**claims, "aws:SourceIp": "10.0.0.0/8"}}))["main.tf"]
    name = '"aws:SourceIp"'
    line = f'            {name:<{len(ISSUER) + 6}} = "10.0.0.0/8"'
    assert changed_lines(new["main.tf"], more) == [line]


def test_a_text_whose_readers_all_want_another_one_is_edited_where_it_is_written() -> None:
    main = DOCUMENT.replace("https://${", "${").replace(f'issuer = "{ISSUER}"', f'issuer = "https://{ISSUER}"')
    main = main.replace("oidc-provider/${local.issuer}", f"oidc-provider/{ISSUER}")
    main = main.replace("}\n}\n\nresource", "}\n}\n\nresource")
    texts = {"main.tf": main}
    after = with_condition(texts, {"ForAllValues:StringLike": {f"{ISSUER}:sub": CART}})
    assert edited(texts, after) == {"main.tf": main.replace("https://", "")}


def test_a_policy_in_a_file_that_the_configuration_reads_is_edited_there() -> None:
    text = json.dumps(policy({"StringEquals": {"${issuer}:sub": "system:serviceaccount:shop:${app}"}}), indent=2)
    text = text.replace(f"oidc-provider/{ISSUER}", "oidc-provider/${issuer}")
    call = f'templatefile("trust.tpl", {{ issuer = "{ISSUER}", app = "cart" }})'
    texts = {"main.tf": f'resource "aws_iam_role" "cart" {{\n  assume_role_policy = {call}\n}}\n', "trust.tpl": text}
    new = edited(texts, with_condition(texts, {"StringLike": {f"{ISSUER}:sub": CART, f"{ISSUER}:aud": "sts.amazonaws.com"}}))
    added = '"system:serviceaccount:shop:${app}",\n          "${issuer}:aud": "sts.amazonaws.com"'
    expected = text.replace("StringEquals", "StringLike").replace('"system:serviceaccount:shop:${app}"', added)
    assert new == {**texts, "trust.tpl": expected}


def test_members_that_are_written_twice_in_a_heredoc_become_one() -> None:
    two = f'"Condition": {{"StringEquals": {{"a": "b"}}, "StringEquals": {{"${{local.issuer}}:sub": "{CART}"}}}}'
    statement = f'"Effect": "Allow", "Action": "{WEB}", "Principal": {{"Federated": "{PROVIDER}"}}, {two}'
    head = f'locals {{\n  issuer = "{ISSUER}"\n}}\nresource "aws_iam_role" "cart" {{\n  assume_role_policy = <<EOF\n'
    texts = {"main.tf": head + f'{{"Statement": [{{{statement}}}]}}\nEOF\n}}\n'}
    roles, sources = read_roles(texts)
    trust = roles["aws_iam_role.cart"].policy
    assert isinstance(trust, TrustPolicy)
    merge = ("/Statement/0/Condition/StringEquals",)
    edits = edits_for(sources, [Wish(trust.place, trust.document, trust.document, merge)])
    made = spliced(texts["main.tf"].encode(), edits).decode()
    one = f'"Condition": {{"StringEquals": {{"a": "b", "${{local.issuer}}:sub": "{CART}"}}}}'
    assert made == texts["main.tf"].replace(two, one)


@pytest.mark.parametrize("kind", ["kubernetes_service_account", "kubernetes_service_account_v1"])
def test_the_annotations_of_a_service_account_are_edited_as_they_are_written(kind: str) -> None:
    text = f"""resource "{kind}" "cart" {{
  metadata {{
    name = "cart"
    annotations = {{
      "eks.amazonaws.com/role_arn" = "arn:aws:iam::111122223333:role/cart" # the role
    }}
  }}
}}
"""
    _, sources = read_roles({"main.tf": text})
    place = Place("main.tf", f"/{kind}.cart/metadata/annotations")
    wish = Wish(place, None, None, transform=lambda members: {"eks.amazonaws.com/role-arn": next(iter(members.values()))})
    edits = edits_for(sources, [wish])
    assert spliced(text.encode(), edits).decode() == text.replace("role_arn", "role-arn")
