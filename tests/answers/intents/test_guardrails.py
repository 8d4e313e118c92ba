"""What the guardrails of an intent let through and deny, by evaluators of the policies themselves."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.answers.intents.dialects import INTENT_FORMATS, Choices
from irsa_doctor.facts.service_accounts.annotations import is_near_key
from irsa_doctor.model import Place, TrustPolicy, arn_of_provider
from irsa_doctor.trust.guardrails import denial, guardrails
from irsa_doctor.trust.identity import PermissionRequest, permission_answer, read_permissions
from tests.answers.intents.admission import BUDGET, PER_CALL, cost, decision
from tests.answers.intents.drawing import ACCOUNTS, arn, issuer, plan
from tests.trust.drawing import examples

KEY = "eks.amazonaws.com/role-arn"
ROLE = f"arn:aws:iam::{ACCOUNTS[0]}:role/"
GITHUB = "token.actions.githubusercontent.com"


def intent(roles):
    clusters = {name: {"arn": arn(name), "issuer": issuer(number)} for number, name in enumerate(["shop", "lab"])}
    return {"intent": 1, "account": ACCOUNTS[0], "clusters": clusters, "roles": roles}


def written(dialect, roles, choices=None):
    made = plan(intent(roles))
    assert made.problems == ()
    return INTENT_FORMATS[dialect].write(made, choices or Choices()).files[0].text


def admission_policy(roles, choices=None):
    policy, binding = yaml.safe_load_all(written("vap", roles, choices))
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    return policy


def account(name, annotations):
    namespace, _, short = name.partition("/")
    return {
        "metadata": {"namespace": namespace, "name": short, **({} if annotations is None else {"annotations": annotations})}
    }


SMALL = {"cart": "shop/cart", "web": "shop/web", "run": {"namespaces": {"ci": "on demand"}}, "pod": {"via": "pod-identity"}}
SMALL["pod"]["service-accounts"] = "shop/pod"


@pytest.mark.parametrize(
    ("name", "annotations", "admitted"),
    [
        ("shop/cart", {KEY: f"{ROLE}cart"}, True),
        ("shop/cart", {KEY: f"{ROLE}web"}, False),
        ("shop/cart", {KEY: f"{ROLE}cart "}, False),
        ("shop/cart", {KEY: ""}, False),
        ("shop/cart", None, True),
        ("shop/cart", {}, True),
        ("shop/cart", {"eks.amazonaws.com/audience": "sts.amazonaws.com"}, True),
        ("shop/other", {KEY: f"{ROLE}cart"}, False),
        ("lab/cart", {KEY: f"{ROLE}cart"}, False),
        ("ci/anybody", {KEY: f"{ROLE}run"}, True),
        ("ci/anybody", {KEY: f"{ROLE}cart"}, False),
        ("ci/anybody", {KEY: ""}, False),
        ("shop/run", {KEY: f"{ROLE}run"}, False),
        ("shop/pod", {KEY: f"{ROLE}pod"}, False),
        ("shop/pod", None, True),
        ("shop/cart", {"eks.amazonaws.com/role_arn": f"{ROLE}cart"}, False),
        ("shop/cart", {KEY: f"{ROLE}cart", "eks.amazonaws.com/rolearn": "x"}, False),
        ("shop/cart", {"iam.amazonaws.com/role": "cart"}, False),
    ],
)
def test_the_admission_policy_admits_the_role_of_the_intent_and_no_other(name, annotations, admitted):
    assert decision(admission_policy(SMALL), account(name, annotations))[0] is admitted


def test_the_denial_names_the_role_that_is_meant():
    says = decision(admission_policy(SMALL), account("shop/cart", {KEY: f"{ROLE}web"}))[1]
    assert says == f"shop/cart may not be {ROLE}web: the intent of this cluster gives it {ROLE}cart"


def test_creation_and_change_of_service_accounts_are_looked_at_and_nothing_else():
    (rule,) = admission_policy(SMALL)["spec"]["matchConstraints"]["resourceRules"]
    assert (rule["operations"], rule["resources"]) == (["CREATE", "UPDATE"], ["serviceaccounts"])
    actions = [next(reversed(list(yaml.safe_load_all(written("vap", SMALL, Choices(audit=a)))))) for a in (False, True)]
    assert [binding["spec"]["validationActions"] for binding in actions] == [["Deny"], ["Audit"]]


LETTERS = st.sampled_from("abeklmnorswz./-_RA")


@st.composite
def nearly(draw):
    """The key with up to two letters more, less, or others."""
    key = draw(
        st.sampled_from([KEY, KEY, "eks.amazonaws.com/role", "iam.amazonaws.com/role-arn", "role-arn", "x.aws.io/role-arn"])
    )
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(key) - 1))
        key = (
            key[:at]
            + draw(st.one_of(st.just(""), LETTERS, LETTERS.map(lambda x: x + "r")))
            + key[at + draw(st.integers(0, 2)) :]
        )
    return key


def is_key(text):
    """Whether Kubernetes takes a text for the key of an annotation, as far as slashes go."""
    return text.count("/") <= 1 and bool(text) and not text.startswith("/") and not text.endswith("/")


NEARNESS = admission_policy({})["spec"]["validations"][1:]


@examples(400)
@given(nearly().filter(is_key))
def test_the_keys_that_are_denied_are_those_that_check_reports(key):
    policy = {"spec": {"variables": [{"name": "annotations", "expression": "object.metadata.annotations"}]}}
    policy["spec"]["validations"] = NEARNESS
    assert decision(policy, account("shop/cart", {key: "x"}))[0] is not is_near_key(key)


def test_five_hundred_entries_are_within_the_budget_of_the_api_server():
    roles = {f"role-{number}": f"{'n' * 57}-{number:05}/{'a' * 150}" for number in range(500)}
    policy = admission_policy(roles)
    spec = policy["spec"]
    expressions = [v["expression"] for v in (*spec["variables"], *spec["validations"])]
    keys = [f"example.com/{'k' * 50}-{number}" for number in range(100)]
    costs = [cost(text, keys, [f"{'n' * 63}/{'a' * 253}"]) for text in expressions]
    assert max(costs) < PER_CALL
    assert sum(costs) < BUDGET
    # the compiler takes no longer expression
    assert max(map(len, expressions)) < 100_000
    assert decision(policy, account(roles["role-499"], {KEY: f"{ROLE}role-499"}))[0]
    assert not decision(policy, account(roles["role-499"], {KEY: f"{ROLE}role-0"}))[0]


def test_an_admission_policy_that_etcd_would_not_take_is_a_problem():
    roles = {f"role-{number}": f"{'n' * 57}-{number:05}/{'a' * 150}" for number in range(4_500)}
    writing = INTENT_FORMATS["vap"].write(plan(intent(roles)), Choices())
    assert ({problem.code for problem in writing.problems}, writing.files) == ({"size-limit"}, ())


def stops(text, name, account_id=ACCOUNTS[0]):
    """What a resource control policy does to the tokens of an issuer."""
    (rail,) = guardrails(TrustPolicy(json.loads(text), Place("rcp.json")))
    return denial(rail, arn_of_provider("aws", account_id, name)).stops


def test_the_resource_control_policy_lets_the_issuers_of_the_intent_through_and_no_other():
    text = written("rcp", SMALL, Choices(keep_issuers=(GITHUB,)))
    for known in (issuer(0), issuer(1), GITHUB):
        assert stops(text, known.removeprefix("https://")) == "none"
    assert stops(written("rcp", SMALL), GITHUB) == "all"
    assert stops(text, issuer(2).removeprefix("https://")) == "all"
    assert stops(text, f"{GITHUB}/x") == "all"
    assert "\n" not in text.rstrip("\n")
    assert ": " not in text
    assert "aws:PrincipalOrgID" not in text


def test_too_many_issuers_are_no_resource_control_policy():
    writing = INTENT_FORMATS["rcp"].write(
        plan(intent(SMALL)), Choices(keep_issuers=tuple(f"i{n}.example.com" for n in range(300)))
    )
    assert ([problem.code for problem in writing.problems], writing.files) == (["size-limit"], ())


def denied(text, action, name, account_id=ACCOUNTS[0]):
    """Whether a service control policy denies a call about the provider of an issuer."""
    policy = read_permissions(TrustPolicy(json.loads(text), Place("scp.json")))
    request = PermissionRequest(action=action, resource=arn_of_provider("aws", account_id, name))
    return permission_answer([policy], request) == "denied"


@pytest.mark.parametrize(
    "action",
    ["iam:CreateOpenIDConnectProvider", "iam:AddClientIDToOpenIDConnectProvider", "iam:UpdateOpenIDConnectProviderThumbprint"],
)
def test_the_service_control_policy_denies_making_other_issuers_trusted(action):
    text = written("scp", SMALL, Choices(keep_issuers=(GITHUB,)))
    for number, account_id in enumerate(ACCOUNTS):
        assert not denied(text, action, issuer(number).removeprefix("https://"), account_id)
        assert not denied(text, action, GITHUB, account_id)
        assert denied(text, action, issuer(2).removeprefix("https://"), account_id)
        assert denied(text, action, f"{GITHUB}/other", account_id)


def test_the_service_control_policy_is_about_providers_alone():
    text = written("scp", SMALL)
    for action in ("iam:DeleteOpenIDConnectProvider", "iam:CreateRole", "sts:AssumeRoleWithWebIdentity", "s3:GetObject"):
        assert not denied(text, action, issuer(2).removeprefix("https://"))
