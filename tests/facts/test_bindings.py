import pytest

from .situations import (
    account,
    aws,
    facts,
    found,
    manifests,
    missing,
    policy,
    provider_arn,
    role,
    role_arn,
)

OTHER = "444455556666"
ALL = ("serviceaccounts",)


def two_accounts(**more):
    """The role is in the account of the cluster; the other account is listed, and has no role."""
    listed = {"RoleDetailList": [role("unrelated", account=OTHER)]}
    return aws(**{"o.yaml": manifests(account(role_arn=role_arn(account=OTHER))), "other.json": listed}, **more)


def test_a_role_of_the_name_that_trusts_the_account_elsewhere_means_the_wrong_account():
    assert facts(two_accounts(), "binding").role == "other-account"
    assert {rule for rule, _ in found(two_accounts(), *ALL)} == {"role-arn-wrong-account"}


def test_a_role_of_the_name_that_trusts_somebody_else_means_nothing():
    theirs = {"RoleDetailList": [role(AssumeRolePolicyDocument=policy("system:serviceaccount:prod:other"))]}
    assert facts(two_accounts(**{"roles.json": theirs}), "binding").role == "missing"


def test_an_account_with_a_provider_for_the_issuer_may_have_been_meant():
    providers = {"OpenIDConnectProviderList": [{"Arn": provider_arn(account=OTHER)}]}
    assert facts(two_accounts(**{"p.json": providers}), "binding").role == "missing"


def test_an_account_that_was_not_listed_is_wrong_only_where_it_is_nearly_the_right_one():
    distant = aws(**{"o.yaml": manifests(account(role_arn=role_arn(account=OTHER)))})
    assert missing(facts(distant, "binding").role) == f"roles of account {OTHER}"
    near = aws(**{"o.yaml": manifests(account(role_arn=role_arn(account="111122223334")))})
    assert facts(near, "binding").role == "other-account"


def test_another_role_that_trusts_the_account_is_the_one_that_was_meant():
    roles = [role("old", AssumeRolePolicyDocument=policy("system:serviceaccount:prod:former")), role()]
    documents = aws(
        **{"roles.json": {"RoleDetailList": roles}, "o.yaml": manifests(account(role_arn=role_arn("old")), account("former"))}
    )
    assert ("two-sas-one-annotation", f"prod/prod/app -> {role_arn('old')}") in found(documents, *ALL)
    alone = aws(**{"roles.json": {"RoleDetailList": roles[:1]}, "o.yaml": manifests(account(role_arn=role_arn("old")))})
    assert facts(alone, "binding").trust == "other-subject"


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        ({}, ["sts.amazonaws.com"], "default"),
        ({"audience": "sts.amazonaws.com"}, [], "default"),
        ({"audience": "vault"}, ["sts.amazonaws.com", "vault"], "accepted"),
        ({"audience": "vault"}, ["sts.amazonaws.com"], "refused"),
    ],
)
def test_an_audience_of_ones_own_must_be_a_client_id(asked, accepted, expected):
    provider = {**aws()["provider.json"], "ClientIDList": accepted}
    asking = manifests(account(role_arn=role_arn(), **asked))
    documents = aws(**{"o.yaml": asking, "provider.json": provider})
    assert facts(documents, "service-account").audience == expected
    assert (("aud-annotation-custom", "prod/prod/app") in found(documents, *ALL)) is (expected == "refused")


def test_an_audience_is_unknown_without_client_ids_provider_or_issuer():
    asking = manifests(account(role_arn=role_arn(), audience="vault"))
    documents = aws(**{"o.yaml": asking})
    del documents["provider.json"]
    assert missing(facts(documents, "service-account").audience).startswith("client ids of")
    del documents["providers.json"]
    assert missing(facts(documents, "service-account").audience) == "OIDC providers of account 111122223333"
    assert missing(facts({"o.yaml": asking}, "service-account").audience).startswith("issuer of the cluster")
    template = aws(**{"o.yaml": manifests(account(role_arn=role_arn(), audience="${AUDIENCE}"))})
    assert missing(facts(template, "service-account").audience) == "values of the template's placeholders"


def test_a_missing_provider_explains_that_an_audience_is_refused():
    asking = manifests(account(role_arn=role_arn(), audience="vault"))
    documents = aws(**{"o.yaml": asking, "providers.json": {"OpenIDConnectProviderList": []}})
    del documents["provider.json"]
    assert facts(documents, "service-account").audience == "explained"
