import pytest

from tests.facts.situations import (
    ACCOUNT,
    ISSUER,
    account,
    aws,
    deployment,
    facts,
    found,
    manifests,
    missing,
    plain_account,
    policy,
    provider_arn,
    role,
    role_arn,
    subjects,
    token_volume,
)

ALL = ("serviceaccounts",)
OWN = "issuer.example.org"


def with_ids(*ids, **more):
    return aws(**{"provider.json": {**aws()["provider.json"], "ClientIDList": list(ids)}}, **more)


def own_cluster(*ids, thumbprints=("9e99a48a9960b14926bb7f3b02e22da2b0ab7280",), document=None, roles=(), **more):
    """A cluster that is not of EKS: its discovery document, its provider."""
    discovery = {
        "issuer": f"https://{OWN}",
        "jwks_uri": f"https://{OWN}/keys",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    arn = provider_arn(issuer=OWN)
    return {
        "openid.json": {**discovery, **(document or {})},
        "providers.json": {"OpenIDConnectProviderList": [{"Arn": arn}]},
        "provider.json": {"Url": OWN, "ClientIDList": list(ids), "ThumbprintList": list(thumbprints)},
        "roles.json": {"RoleDetailList": list(roles)},
        **more,
    }


def own_role(audience):
    text = policy()
    statement = text["Statement"][0]
    statement["Principal"] = {"Federated": provider_arn(issuer=OWN)}
    statement["Condition"] = {"StringEquals": {f"{OWN}:aud": audience, f"{OWN}:sub": "system:serviceaccount:prod:app"}}
    return role(AssumeRolePolicyDocument=text)


# ---- client ids


def test_a_client_id_that_nothing_asks_for_is_unused():
    documents = with_ids("sts.amazonaws.com", "vault")
    assert facts(documents, "provider", *ALL).client_ids == "unused"
    assert found(documents, *ALL) >= {("provider-client-id-unused", provider_arn())}
    assert facts(with_ids("sts.amazonaws.com"), "provider", *ALL).client_ids == "used"


def test_a_client_id_is_used_by_an_account_a_token_or_a_policy():
    ids = ("sts.amazonaws.com", "vault")
    asking = manifests(account(role_arn=role_arn(), audience="vault"))
    assert facts(with_ids(*ids, **{"o.yaml": asking}), "provider", *ALL).client_ids == "used"
    projected = manifests(plain_account(), deployment(volumes=[token_volume("t", "vault")]))
    assert facts(with_ids(*ids, **{"o.yaml": projected}), "provider", *ALL).client_ids == "used"
    for operator, value in (("StringEquals", "vault"), ("StringLike", "va*")):
        text = policy()
        text["Statement"][0]["Condition"] = {operator: {f"{ISSUER}:aud": value, f"{ISSUER}:sub": "x"}}
        roles = {"RoleDetailList": [role(AssumeRolePolicyDocument=text)]}
        assert facts(with_ids(*ids, **{"roles.json": roles}), "provider", *ALL).client_ids == "used"


def test_what_may_use_a_client_id_must_be_listed_whole():
    documents = with_ids("sts.amazonaws.com", "vault")
    assert missing(facts(documents, "provider").client_ids) == "all service accounts of prod"
    documents["roles.json"] = {"Role": role()}
    assert missing(facts(documents, "provider", *ALL).client_ids) == f"roles of account {ACCOUNT}"
    del documents["provider.json"]
    assert missing(facts(documents, "provider", *ALL).client_ids).startswith("client ids of")


def test_a_wrong_audience_in_place_of_the_right_one_is_said_once():
    assert facts(with_ids("sts.amazonaws.com.cn"), "provider", *ALL).client_ids == "used"


# ---- kOps, thumbprints, quota, foreign clusters


@pytest.mark.parametrize(
    ("ids", "audience", "expected"),
    [
        (["amazonaws.com"], "amazonaws.com", "there"),
        (["sts.amazonaws.com"], "amazonaws.com", "missing"),
        (["amazonaws.com"], "sts.amazonaws.com", "missing"),
        (["sts.amazonaws.com"], "other", "not-kops"),
    ],
)
def test_a_cluster_not_of_eks_needs_the_audience_that_its_roles_expect(ids, audience, expected):
    documents = own_cluster(*ids, roles=[own_role(audience)])
    assert facts(documents, "provider").kops_audience == expected
    assert (("aud-kops-amazonaws", provider_arn(issuer=OWN)) in found(documents)) is (expected == "missing")


def test_kops_is_asked_of_eks_never_and_unknown_without_client_ids():
    assert facts(aws(), "provider").kops_audience == "not-kops"
    documents = own_cluster("amazonaws.com", roles=[own_role("amazonaws.com")])
    del documents["provider.json"]
    assert missing(facts(documents, "provider").kops_audience).startswith("client ids of")


@pytest.mark.parametrize(
    ("thumbprints", "expected"),
    [
        (["a" * 40], "fine"),
        (["A1" * 20], "fine"),
        (["x" * 40], "malformed"),
        (["a" * 39], "malformed"),
        (["a" * 40] * 6, "malformed"),
    ],
)
def test_a_thumbprint_is_forty_hexadecimal_digits_and_there_are_five_at_most(thumbprints, expected):
    changed = {**aws()["provider.json"], "ThumbprintList": thumbprints}
    assert facts(aws(**{"provider.json": changed}), "provider").thumbprints == expected


def test_no_thumbprint_is_worth_a_word_only_where_the_cluster_is_not_of_eks():
    assert facts(aws(), "provider").thumbprints == "fine"
    assert facts(own_cluster("x", thumbprints=[]), "provider").thumbprints == "absent"
    documents = own_cluster("x")
    del documents["provider.json"]
    assert missing(facts(documents, "provider").thumbprints).startswith("thumbprints of")


@pytest.mark.parametrize(("count", "expected"), [(90, 0), (91, 1)])
def test_the_first_provider_of_an_account_near_its_quota_speaks_for_all(count, expected):
    arns = [provider_arn(issuer=f"issuer-{number:03}.example.org") for number in range(count)]
    documents = {"providers.json": {"OpenIDConnectProviderList": [{"Arn": arn} for arn in arns]}}
    assert sum(judged.facts.near_limit for judged in subjects(documents, "provider")) == expected


def test_the_issuer_of_a_cluster_of_another_account_is_foreign():
    foreign = provider_arn(account="444455556666")
    documents = aws(**{"other.json": {"OpenIDConnectProviderList": [{"Arn": foreign}]}})
    by_arn = {judged.id: judged.facts.of_foreign_cluster for judged in subjects(documents, "provider")}
    assert by_arn == {provider_arn(): False, foreign: True}


# ---- clusters: what they publish


def test_the_discovery_document_needs_what_aws_asks_for():
    assert facts(own_cluster("x"), "cluster").discovery == "complete"
    documents = own_cluster("x", document={"subject_types_supported": []})
    assert facts(documents, "cluster").discovery == "incomplete"
    assert ("issuer-discovery-incomplete", OWN) in found(documents)
    assert facts(aws(), "cluster").discovery == "not-asked"


@pytest.mark.parametrize(
    ("keys", "algorithms", "expected"),
    [
        ([], ["RS256"], "supported"),
        ([], ["EdDSA"], "unsupported"),
        ([{"kty": "RSA", "alg": "RS256"}], ["RS256"], "supported"),
        ([{"kty": "EC"}], ["RS256"], "supported"),
        ([{"kty": "OKP", "alg": "EdDSA"}], ["RS256"], "unsupported"),
        ([{"kty": "RSA", "alg": "PS256"}], ["RS256"], "unsupported"),
    ],
)
def test_sts_verifies_some_algorithms_only(keys, algorithms, expected):
    more = {"keys.json": {"keys": [{"kid": "k", **key} for key in keys]}} if keys else {}
    documents = own_cluster("x", document={"id_token_signing_alg_values_supported": algorithms}, **more)
    assert facts(documents, "cluster").algorithms == expected
    assert (("alg-unsupported", OWN) in found(documents)) is (expected == "unsupported")


def test_which_of_several_keys_signs_is_not_known():
    keys = {"keys": [{"kid": "a", "kty": "RSA", "alg": "RS256"}, {"kid": "b", "kty": "OKP", "alg": "EdDSA"}]}
    documents = own_cluster("x", document={"id_token_signing_alg_values_supported": []}, **{"keys.json": keys})
    assert missing(facts(documents, "cluster").algorithms) == f"a token of {OWN}"
    assert facts(aws(), "cluster").algorithms == "not-asked"


def test_what_an_issuer_that_is_not_of_eks_publishes_must_be_given():
    described = {**aws()["cluster.json"]}
    described["cluster"]["identity"] = {"oidc": {"issuer": f"https://{OWN}"}}
    judged = facts(aws(**{"cluster.json": described}), "cluster")
    assert missing(judged.discovery) == "discovery document of prod"
    assert missing(judged.algorithms) == "signing keys of prod"
