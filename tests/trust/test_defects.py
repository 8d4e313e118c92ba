"""The defects of one statement: every kind, what was meant, and where it has to change."""

import pytest

from irsa_doctor.issuers import EKS, OTHER
from irsa_doctor.issuers import profile as named_profile
from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.trust import grant_of, read_policy
from irsa_doctor.trust.defects import Expected, defects_of, reading_of

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/5D2A7C1E9B8F4036A1C4E7D20B93F865"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
RIGHT, AUDIENCE = "system:serviceaccount:prod:app", "sts.amazonaws.com"
SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"


def read(conditions, *, version="2012-10-17", action="sts:AssumeRoleWithWebIdentity", profile=EKS, audiences=(AUDIENCE,)):
    """The defects of the first statement of a policy with these conditions, and the document."""
    statement = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": action, "Condition": conditions}
    document = {"Version": version, "Statement": [statement]}
    policy = read_policy(TrustPolicy(document, Place("-")))
    grant = grant_of(policy, policy.statements[0], ISSUER, profile=profile, provider=PROVIDER)
    expected = Expected(issuer=ISSUER, profile=profile, audiences=frozenset(audiences))
    return defects_of(policy, grant, expected), document


def at(document, steps):
    """What stands at the end of some steps."""
    value = document
    for step in steps:
        value = value[step]
    return value


def asking(claim, value, operator="StringEquals"):
    """Right conditions but for the value of one claim."""
    conditions = {"StringEquals": {AUD: AUDIENCE, SUB: RIGHT}}
    del conditions["StringEquals"][claim]
    conditions.setdefault(operator, {})[claim] = value
    return conditions


@pytest.mark.parametrize("conditions", [asking(SUB, RIGHT), asking(SUB, [RIGHT]), asking(SUB, "system:*", "StringLike")])
def test_a_right_statement_has_no_defects(conditions):
    assert read(conditions)[0] == ()


@pytest.mark.parametrize(
    ("value", "kind", "meant"),
    [
        ("sts.eu-west-1.amazonaws.com", "audience-endpoint", AUDIENCE),
        ("https://sts.eu-west-1.amazonaws.com", "audience-endpoint", AUDIENCE),
        ("https://sts.amazonaws.com", "audience-endpoint", AUDIENCE),
        ("sts.amazonaws.com/", "audience-endpoint", AUDIENCE),
        ("sts-fips.us-east-1.amazonaws.com", "audience-endpoint", AUDIENCE),
        ("vpce-0a1b-c2.sts.eu-west-1.vpce.amazonaws.com", "audience-endpoint", AUDIENCE),
        ("sts.cn-north-1.amazonaws.com.cn", "audience-endpoint", AUDIENCE),
        ("sts.amazonaws.com.cn", "audience-china", AUDIENCE),
        ("https://sts.amazonaws.com.cn", "audience-china", AUDIENCE),
        ("sts.amazonaws.com ", "audience-invisible", AUDIENCE),
        ("sts.amazonaws.com\u00a0", "audience-invisible", AUDIENCE),
        ("STS.amazonaws.com", "audience-case", AUDIENCE),
        ("sts.amazon.com", "audience-other", AUDIENCE),
        ("amazonaws.com", "audience-other", AUDIENCE),
        (RIGHT, "claims-swapped", ""),
    ],
)
def test_an_audience_that_no_token_has_is_told_by_its_form(value, kind, meant):
    (defect,), document = read(asking(AUD, value))
    assert (defect.kind, defect.value, defect.meant) == (kind, value, meant)
    assert at(document, defect.places[0]) == value


def test_an_audience_beside_the_right_one_keeps_nobody_out():
    assert read(asking(AUD, [AUDIENCE, "sts.amazonaws.com.cn"]))[0] == ()


def test_an_audience_is_no_defect_where_nobody_knows_those_of_the_tokens():
    statement = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity"}
    document = {"Version": "2012-10-17", "Statement": {**statement, "Condition": asking(AUD, "my-audience")}}
    policy = read_policy(TrustPolicy(document, Place("-")))
    grant = grant_of(policy, policy.statements[0], ISSUER, profile=EKS)
    expected = Expected(issuer=ISSUER, profile=EKS, audiences=frozenset([AUDIENCE]), audiences_known=False)
    assert defects_of(policy, grant, expected) == ()


@pytest.mark.parametrize("audience", ["https://sts.amazonaws.com", "sts.eu-west-1.amazonaws.com", "sts.amazonaws.com.cn"])
def test_an_audience_that_the_author_of_a_job_chooses_may_look_like_an_endpoint(audience):
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/gitlab.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"gitlab.com:aud": audience, "gitlab.com:sub": "project_path:acme/x:*"}},
        },
    }
    policy = read_policy(TrustPolicy(document, Place("-")))
    profile = named_profile("gitlab")
    grant = grant_of(policy, policy.statements[0], "gitlab.com", profile=profile)
    chosen = {"audiences_known": False, "audiences_usual": False, "audiences": frozenset([AUDIENCE])}
    kinds = [defect.kind for defect in defects_of(policy, grant, Expected(issuer="gitlab.com", profile=profile, **chosen))]
    assert not [kind for kind in kinds if kind.startswith("audience-")]


@pytest.mark.parametrize(
    ("value", "operator", "kind", "meant"),
    [
        ("prod/app", "StringEquals", "subject-shape", RIGHT),
        ("prod:app", "StringLike", "subject-shape", RIGHT),
        ("prod:app-*", "StringLike", "subject-shape", "system:serviceaccount:prod:app-*"),
        ("Prod/App", "StringEquals", "subject-shape", RIGHT),
        ("serviceaccount/prod/app", "StringEquals", "subject-shape", RIGHT),
        ("system:serviceaccount:prod/app", "StringEquals", "subject-shape", RIGHT),
        ("system:serviceaccounts:prod:app", "StringEquals", "subject-shape", RIGHT),
        ("app", "StringEquals", "subject-shape", ""),
        (f"{RIGHT} ", "StringEquals", "subject-invisible", RIGHT),
        ("system:serviceaccount: prod:app", "StringEquals", "subject-invisible", RIGHT),
        ("system:serviceaccount:Prod:app", "StringEquals", "subject-case", RIGHT),
        ("SYSTEM:SERVICEACCOUNT:prod:app", "StringEquals", "subject-case", RIGHT),
        ("system:serviceaccount:prod:*", "StringEquals", "subject-wildcard", "system:serviceaccount:prod:*"),
        ("system:serviceaccount:prod:*", "StringEqualsIgnoreCase", "subject-wildcard", "system:serviceaccount:prod:*"),
        ("system:serviceaccount:${NAMESPACE}:app", "StringLike", "subject-shape", ""),
        ("system:serviceaccount:${aws:PrincipalTag/ns}:app", "StringLike", "subject-variable", ""),
    ],
)
def test_a_subject_that_no_service_account_has_is_told_by_its_form(value, operator, kind, meant):
    for values in (value, [RIGHT, value]):
        (defect,), document = read(asking(SUB, values, operator))
        assert (defect.kind, defect.value, defect.meant) == (kind, value, meant)
        assert at(document, defect.places[0]) == value


def test_a_value_of_the_other_claim_beside_a_right_one_keeps_nobody_out():
    for key, right, other in ((SUB, RIGHT, AUDIENCE), (AUD, AUDIENCE, RIGHT)):
        (defect,), document = read(asking(key, other))
        assert (defect.kind, at(document, defect.places[0])) == ("claims-swapped", other)
        assert read(asking(key, [right, other]))[0] == read(asking(key, [other, right]))[0] == ()
        assert {defect.kind for defect in read(asking(key, [other, other]))[0]} == {"claims-swapped"}


def test_a_variable_in_a_document_of_an_old_version_is_plain_text():
    (defect,), _ = read(asking(SUB, "system:serviceaccount:${aws:PrincipalTag/ns}:app"), version="2008-10-17")
    assert defect.kind == "subject-version"


def test_subjects_of_an_issuer_that_is_no_cluster_may_have_any_form():
    assert read(asking(SUB, "repo:acme/shop:ref:refs/heads/main"), profile=OTHER)[0] == ()


@pytest.mark.parametrize(
    ("prefix", "kind", "meant"),
    [
        (f"https://{ISSUER}", "key-scheme", SUB),
        (PROVIDER, "key-arn", SUB),
        (f"{ISSUER}/", "key-slash", SUB),
        (ISSUER.partition("/")[0], "key-path", SUB),
        (ISSUER.replace("/id/", "/"), "key-path", SUB),
        (f"{ISSUER[:-4]}FFFF", "key-issuer", SUB),
    ],
)
def test_a_key_that_misses_the_issuer_is_told_by_its_form(prefix, kind, meant):
    (defect,), document = read({"StringEquals": {AUD: AUDIENCE, f"{prefix}:sub": RIGHT}})
    assert (defect.kind, defect.value, defect.meant) == (kind, f"{prefix}:sub", meant)
    assert at(document, defect.places[0]) == RIGHT


def test_a_second_issuer_beside_a_right_condition_is_another_mistake_than_a_wrong_one():
    conditions = {"StringEquals": {SUB: RIGHT, f"{ISSUER[:-4]}FFFF:sub": RIGHT}}
    assert [defect.kind for defect in read(conditions)[0]] == ["key-two-issuers"]


@pytest.mark.parametrize(
    ("operator", "key", "value", "kind"),
    [
        ("StringEquals", "aws:PrincipalOrgID", "o-abcdefghij", "key-absent"),
        ("StringEquals", "aws:RequestTag/team", "x", "key-session"),
        ("StringEquals", f"{ISSUER}:amr", "x", "key-absent"),
        ("StringNotEquals", f"https://{ISSUER}:sub", "x", "key-ignored"),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8", "source-address"),
        ("StringEquals", "aws:RequestedRegion", "us-east-1", "region"),
        ("StringLike", "sts:RoleSessionName", "x-*", "session-name"),
        ("ForAnyValue:StringLike", SUB, "system:*", "for-any-value"),
        ("ForAllValues:StringLike", SUB, "system:*", "for-all-values"),
        ("StringLikeIfExists", SUB, "system:*", "if-exists"),
        ("StringNotLike", SUB, "system:*:x", "negated"),
    ],
)
def test_a_further_condition_is_told_by_what_it_does(operator, key, value, kind):
    conditions = asking(SUB, RIGHT)
    conditions.setdefault(operator, {})[key] = value
    assert [defect.kind for defect in read(conditions)[0]] == [kind]


@pytest.mark.parametrize(
    ("action", "kind"), [("sts:AssumeRole", "action-other"), ("sts:AssumeRoleWithWebId", "action-unknown")]
)
def test_an_action_that_does_not_cover_web_identity_is_a_defect(action, kind):
    (defect,), document = read(asking(SUB, RIGHT), action=action)
    assert (defect.kind, defect.value, defect.meant) == (kind, action, "sts:AssumeRoleWithWebIdentity")
    assert at(document, defect.places[0]) == action


def test_conditions_on_sub_that_exclude_each_other_are_one_defect_of_both():
    conditions = {"StringEquals": {SUB: RIGHT}, "StringLike": {SUB: "system:serviceaccount:other:*"}}
    (defect,), document = read(conditions)
    assert defect.kind == "subject-conflict"
    assert [at(document, place) for place in defect.places] == [RIGHT, "system:serviceaccount:other:*"]


def test_every_mistake_of_a_statement_is_in_the_one_list():
    conditions = {"StringEquals": {AUD: "sts.amazonaws.com.cn", SUB: "prod/app", "aws:PrincipalOrgID": "o-a"}}
    found = read(conditions, action="sts:AssumeRole")[0]
    assert [defect.kind for defect in found] == ["action-other", "audience-china", "subject-shape", "key-absent"]


def test_a_reading_says_which_claims_are_checked():
    policy = read_policy(
        TrustPolicy(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Federated": PROVIDER},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {"StringEquals": {AUD: AUDIENCE}, "Null": {SUB: "false"}},
                },
            },
            Place("-"),
        )
    )
    grant = grant_of(policy, policy.statements[0], ISSUER, profile=EKS)
    reading = reading_of(policy, grant, Expected(issuer=ISSUER, profile=EKS, audiences=frozenset([AUDIENCE])))
    assert (reading.checks_aud, reading.checks_sub) == (True, False)


# ---- what is known of every request, and of every subject


def beside(operator, key, value):
    """Right conditions, and one more."""
    conditions = {"StringEquals": {AUD: AUDIENCE, SUB: RIGHT}}
    conditions.setdefault(operator, {})[key] = value
    return conditions


@pytest.mark.parametrize(
    ("operator", "key", "value", "kind"),
    [
        ("StringEquals", "aws:PrincipalAccount", "444455556666", "context-value"),
        ("StringNotEquals", "aws:PrincipalAccount", "111122223333", "context-value"),
        ("StringEqualsIfExists", "aws:PrincipalType", ["FederatedUser", "AssumedRole"], "context-value"),
        ("StringLike", "aws:userid", f"*:{RIGHT}", "context-value"),
        ("Bool", "aws:PrincipalIsAWSService", "true", "context-value"),
        ("Bool", "sts:RoleAuthorizedByIdp", "true", "role-pinning"),
        ("StringEquals", "sts:roleauthorizedbyidp", True, "role-pinning"),
    ],
)
def test_a_key_with_another_value_in_every_request_shuts_out(operator, key, value, kind):
    (defect,), _ = read(beside(operator, key, value))
    assert (defect.kind, defect.denies_tokens, defect.places[0][-1]) == (kind, True, key)


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEquals", "aws:PrincipalAccount", "111122223333"),
        ("StringEquals", "aws:userid", PROVIDER),
        ("StringLike", "aws:userid", "arn:*"),
        ("Bool", "sts:RoleAuthorizedByIdp", "false"),
        ("StringEquals", "aws:PrincipalType", "User"),
    ],
)
def test_a_key_with_its_only_value_is_no_defect(operator, key, value):
    assert read(beside(operator, key, value))[0] == ()


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("Bool", "false", ["typed-operator"]),
        ("Bool", "no", ["typed-operator"]),
        ("NumericNotEquals", "0", ["typed-operator"]),
        ("DateNotEqualsIfExists", "2030-01-01", ["typed-operator"]),
        ("Bool", "true", []),
        ("NumericEquals", "0", []),
        ("NotIpAddress", "192.0.2.0/24", ["negated"]),
    ],
)
def test_an_operator_of_another_type_may_admit_every_subject(operator, value, found):
    defects, _ = read({"StringEquals": {AUD: AUDIENCE}, operator: {SUB: value}})
    assert [defect.kind for defect in defects] == found


@pytest.mark.parametrize("action", ["sts:*", ["sts:TagSession", "sts:*"], "STS:assumerolewithwebidentity"])
def test_a_spelling_that_iam_refuses_is_a_defect(action):
    (defect,), document = read(asking(SUB, RIGHT), action=action)
    assert (defect.kind, defect.meant) == ("action-spelling", "sts:AssumeRoleWithWebIdentity")
    assert at(document, defect.places[0]) == action
    assert read(asking(SUB, RIGHT), action="sts:assumerolewithwebidentity")[0] == ()
