"""A statement that lets in everybody to whom an issuer gives tokens is a finding or unknown, whoever the issuer is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.answers.check.asking import ask
from irsa_doctor.facts import GrantFacts, View
from irsa_doctor.model import Place, TrustPolicy, Verdict
from irsa_doctor.rulebook.rules import shipped_rules
from irsa_doctor.trust import decide, read_policy
from irsa_doctor.trust.decide import Request
from tests.sources.worlds import ACCOUNT, inventory
from tests.trust.drawing import examples

ISSUERS = (
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "rh-oidc.s3.us-east-1.amazonaws.com/2b7x",
    "my-bucket.s3.eu-west-1.amazonaws.com/oidc",
    "oidc.op1.openshiftapps.com/2f6c",
    "d1a2b3c4.cloudfront.net",
    "acme.eu.auth0.com/",
    "container.googleapis.com/v1/projects/p/locations/l/clusters/c",
    "oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111",
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
)
BUILT_IN = ("accounts.google.com", "cognito-identity.amazonaws.com")
SUBJECTS = ("repo:acme/x:ref:refs/heads/main", "system:serviceaccount:a:b", "12", "project_path:g/p", "someone else")
AUDIENCES = ("sts.amazonaws.com", "other")


def principal(issuer: str) -> str:
    """The Federated principal of an issuer."""
    return issuer if issuer in BUILT_IN else f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"


def document(issuer: str, condition: object = None) -> dict[str, object]:
    """A trust policy with one statement."""
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"Federated": principal(issuer)},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    if condition is not None:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def verdicts(policy: object) -> dict[str, Verdict]:
    """Rule -> what it says of the only grant of a bare policy, where it applies."""
    (role,) = View(inventory({"trust.json": policy})).roles
    grants = [judged.facts for judged in role.grants if isinstance(judged.facts, GrantFacts)]
    answers = [(rule.id, ask(rule, facts)) for facts in grants for rule in shipped_rules() if "grant" in rule.subject]
    return {rule: answer.verdict for rule, answer in answers if answer}


def is_silent(policy: object) -> bool:
    """Whether no rule says that something is wrong, or that it cannot tell who gets in."""
    answers = verdicts(policy)
    if Verdict.FAIL in [answer for rule, answer in answers.items() if rule != "open-aud-missing"]:
        return False
    return all(answers.get(rule) is not Verdict.UNKNOWN for rule in ("open-no-sub", "open-aud-only", "open-sub-star"))


@pytest.mark.parametrize("issuer", ISSUERS)
@pytest.mark.parametrize(
    ("operator", "keys"),
    [
        ("", {}),
        ("StringLike", {}),
        ("StringNotEquals", {"sub": "x"}),
        ("StringLike", {"sub": "*"}),
        ("StringLike", {"sub": "?*"}),
        ("StringNotLike", {"sub": "repo:acme/*"}),
        ("ForAllValues:StringLike", {"sub": "*"}),
    ],
)
def test_a_statement_without_a_usable_condition_is_never_silent(issuer, operator, keys):
    condition = {operator: {f"{issuer}:{claim}": value for claim, value in keys.items()}} if operator else None
    assert not is_silent(document(issuer, condition))


@pytest.mark.parametrize("issuer", [issuer for issuer in ISSUERS if issuer != "cognito-identity.amazonaws.com"])
def test_an_audience_alone_limits_no_subject(issuer):
    assert not is_silent(document(issuer, {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}}))


def test_the_audience_of_cognito_names_the_pool():
    key = "cognito-identity.amazonaws.com"
    condition = {"StringEquals": {f"{key}:aud": "us-east-1:0f"}, "ForAnyValue:StringLike": {f"{key}:amr": "authenticated"}}
    assert is_silent(document(key, condition))


def test_a_claim_that_names_a_repository_narrows_to_it():
    issuer = "token.actions.githubusercontent.com"
    policy = document(issuer, {"StringEquals": {f"{issuer}:repository": "acme/x"}})
    answers = verdicts(policy)
    assert [rule for rule, answer in answers.items() if answer is Verdict.FAIL and rule.startswith("reach-")] == [
        "reach-repository"
    ]


@pytest.mark.parametrize(
    ("issuer", "subject"),
    [
        (ISSUERS[0], "repo:acme@1/billing@2:ref:refs/heads/main"),
        (ISSUERS[1], "project_id:5:ref_type:branch:ref:main"),
        (ISSUERS[3], "system:serviceaccount:a:b"),
    ],
)
def test_a_subject_that_is_required_is_enough(issuer, subject):
    condition = {"StringLike": {f"{issuer}:sub": subject}, "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}}
    assert is_silent(document(issuer, condition))


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, object]:
    """An issuer, and a Condition on its claims and others."""
    issuer = draw(st.sampled_from(ISSUERS))
    operators = ("StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIfExists")
    sets = ("ForAllValues:StringLike", "ForAnyValue:StringLike", "StringNotLikeIfExists")
    keys = (f"{issuer}:sub", f"{issuer}:aud", f"{issuer.strip('/')}/:sub", "other.example:sub", f"https://{issuer}:sub")
    values = st.sampled_from(("*", "?*", "sts.amazonaws.com", "repo:*", "system:serviceaccount:*", *SUBJECTS))
    inner = st.dictionaries(st.sampled_from(keys), st.lists(values, min_size=1, max_size=2), max_size=2)
    return issuer, draw(st.one_of(st.none(), st.dictionaries(st.sampled_from((*operators, *sets)), inner, max_size=2)))


@examples(300)
@given(conditions())
def test_what_admits_every_subject_is_a_finding_or_unknown(drawn):
    issuer, condition = drawn
    policy = document(issuer, condition)
    parsed = read_policy(TrustPolicy(policy, Place("trust.json")))
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    seen = {
        (subject, audience): decide(
            parsed, Request("", arn, {f"{issuer}:sub".lower(): (subject,), f"{issuer}:aud".lower(): (audience,)})
        ).outcome
        for subject in (*SUBJECTS, "zz")
        for audience in AUDIENCES
    }
    for audience in AUDIENCES:
        if issuer not in BUILT_IN and all(seen[subject, audience] == "allow" for subject in (*SUBJECTS, "zz")):
            assert not is_silent(policy)


GITHUB, GITLAB = ISSUERS[:2]


@pytest.mark.parametrize(
    ("issuer", "value", "rule"),
    [
        (GITHUB, "repo:acme@1/x@2:*", "reach-repository"),
        (GITHUB, "repo:acme@1/x@2:ref:refs/heads/main*", "reach-ref-prefix"),
        (GITHUB, "repo:acme/x:ref:refs/heads/main", "issuer-names-only"),
        (GITLAB, "project_path:acme/x:ref_type:branch:ref:main", "issuer-names-only"),
    ],
)
@pytest.mark.parametrize("arn", ["${provider_arn}", f"arn:aws:iam::{ACCOUNT}:oidc-provider/${{host}}", "<provider>"])
def test_what_stays_inside_a_repository_is_unknown_where_the_provider_is_a_placeholder(issuer, value, rule, arn):
    condition = {"StringLike": {f"{issuer}:sub": value}, "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}}
    known = document(issuer, condition)
    assert verdicts(known)[rule] is Verdict.FAIL
    known["Statement"][0]["Principal"] = {"Federated": arn}
    assert verdicts(known)[rule] is Verdict.UNKNOWN
    known["Statement"][0]["Principal"] = {"Federated": f"arn:aws:iam::${{account}}:oidc-provider/{issuer}"}
    assert verdicts(known)[rule] is Verdict.FAIL


@pytest.mark.parametrize("value", ["repo:acme/*", "repo:acme*", "repo:*", "*"])
def test_what_is_open_whatever_the_provider_is_stays_a_finding(value):
    policy = document(GITHUB, {"StringLike": {f"{GITHUB}:sub": value, f"{GITHUB}:aud": "a"}})
    policy["Statement"][0]["Principal"] = {"Federated": "${provider_arn}"}
    assert Verdict.FAIL in [answer for rule, answer in verdicts(policy).items() if rule.startswith("reach-")]


@pytest.mark.parametrize(
    ("issuer", "value"), [(GITHUB, "?*"), (GITHUB, "repo:*"), (GITLAB, "**"), ("app.terraform.io", "organization:*")]
)
def test_a_condition_that_limits_nobody_is_named_for_what_else_there_is(issuer, value):
    alone = {"StringLike": {f"{issuer}:sub": value}}
    answers = {rule for rule, answer in verdicts(document(issuer, alone)).items() if answer is Verdict.FAIL}
    assert answers == {"open-guarded-only"}
    alone["StringEquals"] = {f"{issuer}:aud": "sts.amazonaws.com"}
    answers = {rule for rule, answer in verdicts(document(issuer, alone)).items() if answer is Verdict.FAIL}
    assert answers == {"reach-guard-passed"}


@pytest.mark.parametrize("claim", ["sub", "aud"])
def test_what_an_empty_list_lets_in_is_contested_and_not_called_open(claim):
    conditions = {"StringLike": {f"{GITHUB}:sub": "repo:*"}, "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}
    conditions["StringLike" if claim == "sub" else "StringEquals"] = {f"{GITHUB}:{claim}": []}
    answers = verdicts(document(GITHUB, conditions))
    assert not [rule for rule, answer in answers.items() if answer is Verdict.FAIL and rule.startswith(("reach-", "open-"))]


TENANT = "${tenant}"


@pytest.mark.parametrize(
    ("issuer", "audience", "subject"),
    [
        (f"sts.windows.net/{TENANT}/", "https://analysis.windows.net/powerbi/connector/AmazonS3", "${object_id}"),
        (f"login.microsoftonline.com/{TENANT}/v2.0", "api://app", "${object_id}"),
        (f"oidc.circleci.com/org/{TENANT}", TENANT, f"org/{TENANT}/project/0395c2c2-47ba-4f35-a1d5-14d44e44ab2f/user/*"),
        (f"oidc.vercel.com/{TENANT}", f"https://vercel.com/{TENANT}", f"owner:{TENANT}:project:shop:environment:production"),
        (f"{TENANT}.app.spacelift.io", f"{TENANT}.app.spacelift.io", "space:root:stack:x:run_type:TRACKED:scope:write"),
    ],
)
def test_an_issuer_whose_tenant_a_template_fills_in_is_not_taken_for_a_cluster_or_for_nobody_s(issuer, audience, subject):
    policy = document(issuer, {"StringEquals": {f"{issuer}:aud": audience}, "StringLike": {f"{issuer}:sub": subject}})
    failing = {rule for rule, answer in verdicts(policy).items() if answer is Verdict.FAIL}
    assert not failing & {"trust-aud-mismatch", "reach-unknown-issuer", "trust-sub-prefix-missing", "open-sub-star"}


@pytest.mark.parametrize(
    ("subject", "other", "verdict"), [("repo:*", "*", "FAIL"), ("repo:*", "repo:acme/shop:ref:x", "UNKNOWN")]
)
def test_one_key_in_two_spellings_is_open_where_each_of_them_is(subject, other, verdict):
    policy = document(GITHUB, {"StringLike": {f"{GITHUB}:sub": subject, f"{GITHUB}:SUB": other}})
    assert verdicts(policy)["open-guarded-only"] is Verdict[verdict]


@pytest.mark.parametrize("issuer", [f"oidc.circleci.com/org/{TENANT}", f"oidc.vercel.com/{TENANT}"])
def test_an_issuer_whose_tenant_a_template_fills_in_and_whose_subject_nobody_limits_is_no_less_open(issuer):
    policy = document(issuer, {"StringEquals": {f"{issuer}:aud": "x"}})
    failing = {rule for rule, answer in verdicts(policy).items() if answer is not Verdict.PASS}
    assert any(rule.startswith(("reach-", "open-")) for rule in failing)


@pytest.mark.parametrize(
    "issuer", ["oidc.eks.${region}.amazonaws.com/id/${id}", "${host}", "${bucket}.s3.eu-west-1.amazonaws.com"]
)
def test_an_issuer_of_a_template_that_may_be_a_cluster_stays_one(issuer):
    policy = document(issuer, {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}})
    assert verdicts(policy)["open-aud-only"] is Verdict.FAIL
