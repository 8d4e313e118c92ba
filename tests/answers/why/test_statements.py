import json

import pytest

from irsa_doctor.facts import View
from irsa_doctor.facts.grants.exclusion import exclusions
from irsa_doctor.rulebook.causes import causes_of_sign
from irsa_doctor.sources import load
from irsa_doctor.trust import read_policy
from irsa_doctor.trust.presented import PresentedToken

ACCOUNT, OTHER = "111122223333", "444455556666"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/5D2A7C1E9B8F4036A1C4E7D20B93F865"
ELSEWHERE = "oidc.eks.eu-west-1.amazonaws.com/id/C7E19F04B2A85D63910F3E4A6B78D25C"
GONE = "oidc.eks.eu-west-1.amazonaws.com/id/00112233445566778899AABBCCDDEEFF"
SUBJECT = "system:serviceaccount:payments:checkout"
STS = "sts.amazonaws.com"


def provider(issuer=ISSUER, account=ACCOUNT):
    return f"arn:aws:iam::{account}:oidc-provider/{issuer}"


def described(name, issuer):
    arn = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/{name}"
    return {"cluster": {"name": name, "arn": arn, "identity": {"oidc": {"issuer": f"https://{issuer}"}}}}


WORLD = {
    "prod.json": described("prod", ISSUER),
    "dev.json": described("dev", ELSEWHERE),
    "providers.json": {"OpenIDConnectProviderList": [{"Arn": provider()}, {"Arn": provider(ELSEWHERE)}]},
}


def allow(conditions=None, principal=None, action="sts:AssumeRoleWithWebIdentity", effect="Allow"):
    who = {"Federated": provider()} if principal is None else principal
    written = {} if conditions is None else {"Condition": conditions}
    return {"Effect": effect, "Principal": who, "Action": action, **written}


def equals(**claims):
    return {"StringEquals": {f"{ISSUER}:{claim}": value for claim, value in claims.items()}}


def like(sub):
    return {"StringLike": {f"{ISSUER}:sub": sub}}


def said_of(*statements, version="2012-10-17", audience=STS):
    policy = {"Version": version, "Statement": list(statements)}
    role = {"Role": {"RoleName": "app", "Arn": f"arn:aws:iam::{ACCOUNT}:role/app", "AssumeRolePolicyDocument": policy}}
    memory = {path: json.dumps(document).encode() for path, document in {**WORLD, "role.json": role}.items()}
    view = View(load([], memory=memory).inventory)
    token = PresentedToken(ACCOUNT, provider(), ISSUER, SUBJECT, audience)
    return exclusions(read_policy(view.inventory.roles[0].policy), token, view)


def names(*statements, **more):
    return [causes_of_sign(exclusion.kind)[0].id for exclusion in said_of(*statements, **more)]


RIGHT = equals(sub=SUBJECT, aud=STS)
SLIPS = {
    "another subject": (allow(equals(sub="system:serviceaccount:shop:cart")), "trust-sub-mismatch"),
    "another namespace": (allow(equals(sub="system:serviceaccount:billing:checkout")), "sa-namespace-mismatch"),
    "a release name": (allow(equals(sub="system:serviceaccount:payments:prod-checkout")), "sa-helm-generated-name"),
    "a name without its release": (allow(like("system:serviceaccount:payments:out")), "trust-sub-mismatch"),
    "a wildcard that is plain text": (allow(equals(sub="system:serviceaccount:payments:*")), "trust-stringequals-wildcard"),
    "a subject without its prefix": (allow(equals(sub="payments:checkout")), "trust-sub-prefix-missing"),
    "a subject with a slash": (allow(equals(sub="payments/checkout")), "trust-sub-prefix-missing"),
    "a subject of many accounts": (
        allow(equals(sub="system:serviceaccounts:payments:checkout")),
        "trust-sub-prefix-missing",
    ),
    "a subject in upper case": (allow(equals(sub="system:serviceaccount:Payments:Checkout")), "trust-case"),
    "a subject under aud": (allow(equals(aud=SUBJECT)), "trust-key-aud-sub-swapped"),
    "an audience under sub": (allow(equals(sub=STS)), "trust-key-aud-sub-swapped"),
    "another audience": (allow(equals(sub=SUBJECT, aud="vault")), "trust-aud-mismatch"),
    "the audience of China": (allow(equals(sub=SUBJECT, aud=STS + ".cn")), "aud-china-suffix"),
    "an endpoint as audience": (
        allow(equals(sub=SUBJECT, aud="sts.eu-west-1.amazonaws.com")),
        "aud-regional-endpoint-confusion",
    ),
    "a key with a scheme": (allow({"StringEquals": {f"https://{ISSUER}:sub": SUBJECT}}), "trust-key-has-scheme"),
    "a key that is an ARN": (allow({"StringEquals": {f"{provider()}:sub": SUBJECT}}), "trust-key-is-arn"),
    "a key without path": (
        allow({"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com:sub": SUBJECT}}),
        "trust-key-missing-path",
    ),
    "a key with a slash": (allow({"StringEquals": {f"{ISSUER}/:sub": SUBJECT}}), "trust-key-trailing-slash"),
    "a key of another cluster": (allow({"StringEquals": {f"{ELSEWHERE}:sub": SUBJECT}}), "trust-key-wrong-cluster"),
    "keys of two clusters": (
        allow({"StringEquals": {f"{ISSUER}:sub": SUBJECT, f"{ELSEWHERE}:sub": SUBJECT}}),
        "trust-merged-clusters-and",
    ),
    "a key of the organisation": (
        allow({"StringEquals": {f"{ISSUER}:sub": SUBJECT, "aws:PrincipalOrgID": "o-1"}}),
        "trust-unavailable-key",
    ),
    "a claim that is no key": (
        allow({"StringEquals": {f"{ISSUER}:kubernetes.io/namespace": "payments"}}),
        "trust-unavailable-key",
    ),
    "a session tag": (allow({"StringEquals": {"aws:RequestTag/team": "payments"}}), "trust-source-identity-or-tags"),
    "two conditions that exclude each other": (
        allow({**equals(sub=SUBJECT), **like("system:serviceaccount:shop:*")}),
        "trust-and-of-equals-like",
    ),
    "one that is excluded by name": (allow({"StringNotEquals": {f"{ISSUER}:sub": SUBJECT}}), "trust-sub-mismatch"),
    "the action of users": (allow(RIGHT, action="sts:AssumeRole"), "trust-action-assumerole"),
    "a mistyped action": (allow(RIGHT, action="sts:AssumeRoleWithWebIdendity"), "trust-action-typo"),
    "a host in place of the ARN": (allow(RIGHT, principal={"Federated": ISSUER}), "trust-principal-url-not-arn"),
    "a URL in place of the ARN": (allow(RIGHT, principal={"Federated": f"https://{ISSUER}"}), "trust-principal-url-not-arn"),
    "an empty principal": (allow(RIGHT, principal={"Federated": ""}), "trust-principal-url-not-arn"),
    "another order of the host": (
        allow(RIGHT, principal={"Federated": provider(ISSUER.replace("oidc.eks.eu-west-1", "oidc.eu-west-1.eks"))}),
        "trust-principal-wrong-arn",
    ),
    "another region": (
        allow(RIGHT, principal={"Federated": provider(ISSUER.replace("eu-west-1", "us-east-1"))}),
        "trust-principal-wrong-arn",
    ),
    "another account": (allow(RIGHT, principal={"Federated": provider(account=OTHER)}), "trust-principal-wrong-arn"),
    "a letter too few": (allow(RIGHT, principal={"Federated": provider(ISSUER[:-1])}), "trust-principal-wrong-arn"),
    "another partition": (
        allow(RIGHT, principal={"Federated": provider().replace("arn:aws:", "arn:aws-cn:")}),
        "trust-principal-wrong-arn",
    ),
    "a slash at the end": (allow(RIGHT, principal={"Federated": provider() + "/"}), "trust-principal-wrong-arn"),
    "the provider of another cluster, keys of this one": (
        allow(RIGHT, principal={"Federated": provider(ELSEWHERE)}),
        "trust-key-wrong-cluster",
    ),
    "a provider as an AWS principal": (allow(RIGHT, principal={"AWS": provider()}), "trust-principal-type-aws"),
    "only users": (
        allow(principal={"AWS": f"arn:aws:iam::{OTHER}:role/x"}, action="sts:AssumeRole"),
        "trust-principal-type-aws",
    ),
    "only EC2": (allow(principal={"Service": "ec2.amazonaws.com"}, action="sts:AssumeRole"), "trust-service-ec2-only"),
    "only EKS Pod Identity": (
        allow(principal={"Service": "pods.eks.amazonaws.com"}, action=["sts:AssumeRole", "sts:TagSession"]),
        "trust-pod-identity-only",
    ),
    "a cluster that is gone": (
        allow({"StringEquals": {f"{GONE}:sub": SUBJECT}}, principal={"Federated": provider(GONE)}),
        "oidc-provider-stale-cluster",
    ),
    "another cluster": (
        allow({"StringEquals": {f"{ELSEWHERE}:sub": SUBJECT}}, principal={"Federated": provider(ELSEWHERE)}),
        "trust-sub-mismatch",
    ),
    "a Deny": (allow(effect="Deny"), "trust-deny-statement"),
    "a Deny without the key that it asks for": (
        allow({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, effect="Deny"),
        "trust-deny-notlike-missing-key",
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_one_slip_has_one_name(name):
    statement, wanted = SLIPS[name]
    beside = [allow(RIGHT)] if statement["Effect"] == "Deny" else []
    assert names(*beside, statement) == [wanted]


def test_a_variable_in_an_old_version_is_plain_text():
    assert names(allow(like(f"${{{ISSUER}:sub}}")), version="2008-10-17") == ["trust-variable-old-version"]


def test_two_slips_in_one_statement_are_both_named_in_the_order_of_its_elements():
    statement = allow({"StringEquals": {f"https://{ISSUER}:sub": SUBJECT, f"{ISSUER}:aud": "vault"}}, action="sts:AssumeRole")
    assert names(statement) == ["trust-action-assumerole", "trust-key-has-scheme", "trust-aud-mismatch"]


def test_the_statement_that_misses_by_the_least_is_the_one_that_counts():
    others = allow(equals(sub="system:serviceaccount:shop:cart", aud=STS))
    assert names(others, allow(RIGHT, action="sts:AssumeRole")) == ["trust-action-assumerole"]
    assert names(allow(principal={"Service": "ec2.amazonaws.com"}, action="sts:AssumeRole"), others) == ["trust-sub-mismatch"]


def test_a_wrong_principal_and_the_keys_of_the_same_wrong_issuer_are_one_mistake():
    wrong = ISSUER.replace("eu-west-1", "us-east-1")
    statement = allow({"StringEquals": {f"{wrong}:sub": SUBJECT}}, principal={"Federated": provider(wrong)})
    assert names(statement) == ["trust-principal-wrong-arn"]


def test_a_wildcard_that_would_miss_the_subject_too_is_told_after_the_subject():
    assert names(allow(equals(sub="system:serviceaccount:shop:*"))) == ["trust-sub-mismatch", "trust-stringequals-wildcard"]


def test_a_statement_that_lets_the_token_in_has_no_miss():
    assert names(allow(RIGHT)) == []
    assert names(allow(equals(sub="x")), allow(RIGHT)) == []


def test_a_token_with_an_audience_of_its_own_misses_the_usual_one():
    assert names(allow(RIGHT), audience="vault") == ["trust-aud-mismatch"]


def test_a_miss_says_what_was_asked_and_what_the_token_has():
    (exclusion,) = said_of(allow(equals(sub="system:serviceaccount:shop:cart")))
    assert "system:serviceaccount:shop:cart" in exclusion.says
    assert SUBJECT in exclusion.says
    assert exclusion.defect.places[0][-2:] == ("StringEquals", f"{ISSUER}:sub")
