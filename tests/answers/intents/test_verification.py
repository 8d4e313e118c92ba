"""What of an estate differs from an intent, kind by kind."""

import json
from types import MappingProxyType
from typing import Any

import pytest

from irsa_doctor.answers.intents.estate import Estate
from irsa_doctor.answers.intents.verification import verified
from irsa_doctor.facts import View
from irsa_doctor.sources import load
from tests.answers.intents.drawing import ACCOUNTS, arn, issuer, plan
from tests.answers.intents.test_round_trips import nowhere

ISSUER, LAB = issuer(0).removeprefix("https://"), issuer(1).removeprefix("https://")
ROLE = f"arn:aws:iam::{ACCOUNTS[0]}:role/"
STS = "sts.amazonaws.com"
GITHUB = "token.actions.githubusercontent.com"


def allow(sub=None, *, of=ISSUER, aud=STS, operator="StringEquals", account=ACCOUNTS[0], effect="Allow", **more):
    condition: dict[str, Any] = {"StringEquals": {f"{of}:aud": aud}} if aud else {}
    if sub:
        condition.setdefault(operator, {})[f"{of}:sub"] = sub
    principal = {"Federated": f"arn:aws:iam::{account}:oidc-provider/{of}"}
    action = "sts:AssumeRoleWithWebIdentity"
    return {"Effect": effect, "Principal": principal, "Action": action, "Condition": {**condition, **more}}


def cart(name="cart"):
    return f"system:serviceaccount:shop:{name}"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


INTENT = {
    "intent": 1,
    "account": ACCOUNTS[0],
    "clusters": {"shop": {"arn": arn("shop"), "issuer": issuer(0)}},
    "roles": {"cart": "shop/cart"},
}


def service_accounts(**annotations):
    """ServiceAccounts of namespace shop by name, with their annotations."""
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": n, "namespace": "shop", "annotations": a}}
            for n, a in annotations.items()
        ],
    }


def named(role="cart", **more):
    return {"eks.amazonaws.com/role-arn": f"{ROLE}{role}", **more}


def account_of(**roles):
    listed = [
        {"Arn": f"{ROLE}{name}", "RoleName": name, "AssumeRolePolicyDocument": p, "CreateDate": "2025-01-01T00:00:00Z"}
        for name, p in roles.items()
    ]
    return {"RoleDetailList": listed, "UserDetailList": [], "IsTruncated": False}


def answer(documents, intent=None, complete=("serviceaccounts",), clusters=MappingProxyType({})):
    cluster = {"cluster": {"name": "shop", "arn": arn("shop"), "identity": {"oidc": {"issuer": issuer(0)}}}}
    files = {"shop/cluster.json": cluster, "shop/accounts.json": service_accounts(cart=named()), **documents}
    memory = {path: (d if isinstance(d, str) else json.dumps(d)).encode() for path, d in files.items() if d is not None}
    inventory = load((), memory=memory, complete=complete, clusters=clusters).inventory
    made = plan({**INTENT, **(intent or {})}, inventory)
    assert made.problems == ()
    return verified(made, Estate(View(inventory), made), nowhere)


def kinds(*arguments, **options):
    return [(d.kind, d.subject.id.removeprefix(ROLE)) for d in answer(*arguments, **options).differences]


GITHUB_STATEMENT = allow("repo:org/app:ref:refs/heads/main", of=GITHUB)
POLICIES = {
    "the policy itself": (policy(allow(cart())), []),
    "written with StringLike": (policy(allow(cart(), operator="StringLike")), []),
    "in two statements": (policy(allow(cart()), allow(cart(), aud=[STS])), []),
    "a Deny that leaves the one": (
        policy(
            allow("system:serviceaccount:shop:*", operator="StringLike"),
            allow(effect="Deny", aud=None, StringNotEquals={f"{ISSUER}:sub": cart()}),
        ),
        [],
    ),
    "a service beside": (
        policy(allow(cart()), {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}),
        [],
    ),
    "a condition on the address": (policy(allow(cart(), IpAddress={"aws:SourceIp": "10.0.0.0/8"})), []),
    "one more": (policy(allow([cart(), cart("web")])), ["wider"]),
    "the namespace": (policy(allow("system:serviceaccount:shop:*", operator="StringLike")), ["wider"]),
    "everybody": (policy(allow()), ["wider"]),
    "another issuer too": (policy(allow(cart()), allow(cart(), of=LAB)), ["wider"]),
    "GitHub too": (policy(allow(cart()), GITHUB_STATEMENT), ["wider"]),
    "a Deny of the one": (policy(allow(cart()), allow(cart(), aud=None, effect="Deny")), ["narrower"]),
    "another one": (policy(allow(cart("web"))), ["narrower", "wider"]),
    "the provider of another account": (policy(allow(cart(), account=ACCOUNTS[1])), ["narrower", "wider"]),
    "a key that is never there": (policy(allow(cart(), StringEquals={"aws:PrincipalTag/a": "b"})), ["narrower"]),
    "refused": (policy({**allow(cart()), "Effect": "Permit"}), ["narrower"]),
    "another audience too": (policy(allow(cart(), aud=[STS, "x"])), ["audience"]),
    "any audience": (policy(allow(cart(), aud=None)), ["audience"]),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_differs_by_whom_it_admits(name):
    document, expected = POLICIES[name]
    assert kinds({"roles.json": account_of(cart=document)}) == [(kind, "cart") for kind in expected]


def test_what_is_too_much_of_another_provider_is_a_subject_of_that_provider():
    (wider,) = answer({"roles.json": account_of(cart=policy(allow(cart()), GITHUB_STATEMENT))}).differences
    assert wider.witness == "repo:org/app:ref:refs/heads/main"


RIGHT = {"roles.json": account_of(cart=policy(allow(cart())))}


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({"cart": named()}, []),
        ({"cart": {}}, [("annotation-missing", "shop/shop/cart")]),
        ({"cart": {"eks.amazonaws.com/role_arn": f"{ROLE}cart"}}, [("annotation-missing", "shop/shop/cart")]),
        ({"cart": named("other")}, [("annotation-wrong", "shop/shop/cart")]),
        ({"cart": named("cart ")}, [("annotation-wrong", "shop/shop/cart")]),
        ({"cart": named(**{"eks.amazonaws.com/audience": "x"})}, [("annotation-wrong", "shop/shop/cart")]),
        ({"cart": named(**{"eks.amazonaws.com/audience": STS})}, []),
        ({"cart": named(), "web": named()}, [("annotation-extra", "shop/shop/web")]),
        ({"cart": named(), "web": named("nowhere")}, []),
        ({"web": {}}, [("service-account-missing", "shop/shop/cart")]),
    ],
)
def test_service_accounts_differ_by_what_they_name(annotations, expected):
    assert kinds({**RIGHT, "shop/accounts.json": service_accounts(**annotations)}) == expected


def test_in_a_cluster_that_is_not_known_what_some_cluster_means_is_no_extra():
    listed = service_accounts(cart=named(), web=named())
    documents = {**RIGHT, "shop/cluster.json": None, "shop/accounts.json": listed}
    found = answer(documents, {"clusters": {"shop": issuer(0), "lab": issuer(1)}}, complete=()).differences
    assert [(each.kind, each.subject.id) for each in found if each.subject.kind == "service-account"] == [
        ("annotation-extra", "unknown-cluster/shop/web")
    ]


def test_a_service_account_that_was_not_listed_is_unknown():
    documents = {**RIGHT, "shop/accounts.json": service_accounts(web={})}
    found = answer(documents, complete=())
    assert found.differences == ()
    assert any("service accounts of cluster shop" in missing.missing for missing in found.unknown)


CART = cart()
TERRAFORM = """
resource "aws_iam_openid_connect_provider" "shop" {{
  url            = "{issuer}"
  client_id_list = ["sts.amazonaws.com"]
}}
variable "unknown" {{}}
resource "aws_iam_role" "cart" {{
  name = {name}
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = aws_iam_openid_connect_provider.shop.arn }}
      Condition = {{ StringEquals = {{ "{short}:sub" = {sub}, "{short}:aud" = "sts.amazonaws.com" }} }}
    }}]
  }})
}}
"""


def terraform(sub=CART, name='"cart"', of=f"https://{ISSUER}"):
    quoted = sub if sub.startswith("var.") else f'"{sub}"'
    return TERRAFORM.format(issuer=of, short=of.removeprefix("https://"), sub=quoted, name=name)


def cloudformation(sub=CART):
    statement = allow(sub) | {
        "Principal": {"Federated": {"Fn::Sub": f"arn:aws:iam::${{AWS::AccountId}}:oidc-provider/{ISSUER}"}}
    }
    properties = {"RoleName": "cart", "AssumeRolePolicyDocument": policy(statement)}
    resources = {"Cart": {"Type": "AWS::IAM::Role", "Properties": properties}}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


@pytest.mark.parametrize("template", [{"main.tf": terraform()}, {"t.json": cloudformation()}])
def test_a_template_that_does_not_say_its_account_is_the_role_of_its_name_and_path(template):
    found = answer(template)
    assert (found.same, found.differences) == (1, ())


@pytest.mark.parametrize("template", [{"main.tf": terraform(cart("web"))}, {"t.json": cloudformation(cart("web"))}])
def test_a_template_is_held_against_the_intent(template):
    assert kinds(template) == [("narrower", "cart"), ("wider", "cart")]


def test_a_template_beside_the_account_is_held_against_the_intent_too():
    assert kinds({**RIGHT, "main.tf": terraform(cart("web"))}) == [("narrower", "cart"), ("wider", "cart")]


def test_a_template_for_another_cluster_is_not_that_role():
    found = answer({**RIGHT, "main.tf": terraform(of=issuer(1))})
    assert (found.same, found.differences) == (1, ())


@pytest.mark.parametrize("template", [terraform("var.unknown"), terraform(name="var.unknown")])
def test_what_a_template_leaves_open_is_unknown_and_no_difference(template):
    found = answer({"main.tf": template})
    assert (found.same, found.differences) == (0, ())
    assert any("aws_iam_role.cart" in missing.missing for missing in found.unknown)


def test_a_role_of_a_template_that_is_not_in_the_intent_is_extra():
    found = answer({**RIGHT, "main.tf": terraform(cart("web"), name='"web"')})
    assert [(d.kind, d.severity, d.subject.id) for d in found.differences] == [
        ("role-extra", "medium", "main.tf: aws_iam_role.cart")
    ]


@pytest.mark.parametrize(
    ("sub", "operator", "severity"),
    [
        (None, "StringEquals", "critical"),
        ("system:serviceaccount:a:*", "StringLike", "medium"),
        (cart(), "StringEquals", "medium"),
    ],
)
def test_a_role_that_is_not_in_the_intent_is_as_bad_as_it_is_open(sub, operator, severity):
    roles = account_of(cart=policy(allow(cart())), more=policy(allow(sub, operator=operator)), ci=policy(GITHUB_STATEMENT))
    (extra,) = answer({"roles.json": roles}).differences
    assert (extra.kind, extra.subject.id, extra.severity) == ("role-extra", f"{ROLE}more", severity)


def association(name, role="cart"):
    return {
        "clusterName": "shop",
        "namespace": "shop",
        "serviceAccount": name,
        "roleArn": f"{ROLE}{role}",
        "associationId": name,
    }


POD = {"roles": {"cart": {"via": "pod-identity", "service-accounts": "shop/cart"}}}
AGENT = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}


@pytest.mark.parametrize(
    ("statement", "associations", "expected"),
    [
        (AGENT, [association("cart")], []),
        (AGENT, [association("cart", "web")], ["association-wrong"]),
        (AGENT, [association("cart"), association("web")], ["association-extra"]),
        ({**AGENT, "Action": "sts:AssumeRole"}, [association("cart")], ["narrower"]),
        (allow(cart()), [association("cart")], ["narrower", "wider"]),
    ],
)
def test_associations_and_their_roles_are_held_against_the_intent(statement, associations, expected):
    documents = {f"shop/{n}.json": {"association": a} for n, a in enumerate(associations)}
    documents |= {"roles.json": account_of(cart=policy(statement)), "shop/accounts.json": service_accounts(cart={}, web={})}
    assert sorted(kind for kind, _ in kinds(documents, POD)) == expected


def test_the_command_for_associations_has_the_name_of_the_cluster_in_eks():
    intent = {**POD, "clusters": {"production": {"arn": arn("shop"), "issuer": issuer(0)}}}
    documents = {"roles.json": account_of(cart=policy(AGENT)), "shop/accounts.json": service_accounts(cart={})}
    hows = [missing.how for missing in answer(documents, intent).unknown]
    assert any("--cluster-name shop" in how for how in hows)


@pytest.mark.parametrize("name", ["cart", "other"])
def test_a_policy_that_is_too_complex_is_unknown_and_never_wider(name):
    hard = policy(allow([f"*{letter}{'?' * 20}" for letter in "abc"], operator="StringLike"))
    documents = {"roles.json": account_of(**{"cart": policy(allow(cart())), name: hard})}
    assert kinds(documents) == []
    assert any("wildcards and exceptions" in missing.missing for missing in answer(documents).unknown)


def provider_of_template(name, *client_ids):
    members = f'url = "{issuer(0)}"\n  client_id_list = {json.dumps(client_ids)}'
    return f'resource "aws_iam_openid_connect_provider" "{name}" {{\n  {members}\n}}\n'


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([[STS]], []),
        ([["sts.amazonaws.co"]], ["provider-audience"]),
        ([["x"], ["y"]], ["provider-audience"]),
        ([["x"], ["x", STS]], []),  # which of them is the one of the account is open
    ],
)
def test_a_provider_of_a_template_takes_the_audience(made, expected):
    text = "".join(provider_of_template(f"of_{number}", *ids) for number, ids in enumerate(made))
    assert [kind for kind, _ in kinds({"shop/cluster.json": None, "main.tf": text})] == expected


TWO = {"clusters": {"first": {"arn": arn("shop"), "issuer": issuer(0)}, "lab": {"arn": arn("lab"), "issuer": issuer(1)}}}
WRONG = {**RIGHT, "shop/cluster.json": None, "shop/accounts.json": service_accounts(cart=named("other"))}


@pytest.mark.parametrize(("name", "is_known"), [("shop", True), ("first", True), ("other", False)])
def test_a_cluster_that_only_has_a_name_is_that_of_the_intent(name, is_known):
    found = answer(
        WRONG, {**TWO, "roles": {"cart": {"clusters": ["first"], "service-accounts": "shop/cart"}}}, clusters={"shop": name}
    )
    assert ("annotation-wrong" in [each.kind for each in found.differences]) is is_known
    assert ("service accounts of cluster first" in [each.missing for each in found.unknown]) is not is_known


def test_whose_service_accounts_are_missing_is_named_where_nothing_joins_a_cluster():
    roles = {"cart": {"clusters": ["first", "lab"], "service-accounts": "shop/cart"}}
    found = answer({**RIGHT, "shop/cluster.json": None, "shop/accounts.json": None}, {**TWO, "roles": roles}, complete=())
    asked = [each for each in found.unknown if each.missing.startswith("service accounts")]
    assert [each.then for each in asked] == [
        f"--complete serviceaccounts --cluster {name}=serviceaccounts-{name}.yaml" for name in ("first", "lab")
    ]
    assert [each.how.rpartition(" ")[2] for each in asked] == ["serviceaccounts-first.yaml", "serviceaccounts-lab.yaml"]


def test_the_cluster_that_is_known_among_several_is_named_too():
    roles = {"cart": {"clusters": ["first", "lab"], "service-accounts": "shop/cart"}}
    documents = {**RIGHT, "shop/accounts.json": None}
    found = answer(documents, {**TWO, "roles": roles}, complete=())
    asked = [each.then for each in found.unknown if each.missing.startswith("service accounts")]
    assert asked == [f"--complete serviceaccounts --cluster {name}=serviceaccounts-{name}.yaml" for name in ("shop", "lab")]


def test_a_name_that_two_clusters_of_the_intent_have_is_none_of_them():
    elsewhere = arn("shop").replace(ACCOUNTS[0], ACCOUNTS[1])
    both = {"first": {"arn": arn("shop"), "issuer": issuer(0)}, "second": {"arn": elsewhere, "issuer": issuer(1)}}
    intent = {"clusters": both, "roles": {"cart": {"clusters": ["first"], "service-accounts": "shop/cart"}}}
    assert "annotation-wrong" not in [each.kind for each in answer(WRONG, intent, clusters={"shop": "shop"}).differences]
