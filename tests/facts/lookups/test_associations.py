import pytest

from tests.facts.situations import (
    account,
    association,
    aws,
    facts,
    found,
    manifests,
    missing,
    plain_account,
    policy,
    role,
    role_arn,
    trusting_pods,
)

NAMESPACE = "aws:RequestTag/kubernetes-namespace"
LISTED = {"associations": [{"clusterName": "prod", "namespace": "prod", "serviceAccount": "app"}]}


def pod_identity(document, **more):
    """Whether the role `app` can serve an association of prod/app."""
    roles = {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}
    documents = aws(**{"roles.json": roles, "one.json": association(**more)})
    return facts(documents, "role").pod_identity


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (trusting_pods("sts:AssumeRole", "sts:TagSession"), "served"),
        (trusting_pods("sts:AssumeRole"), "no-tags"),
        (trusting_pods("sts:TagSession"), "no-trust"),
        (policy(), "no-trust"),
        (trusting_pods("sts:AssumeRole", "sts:TagSession", condition={"StringEquals": {NAMESPACE: "prod"}}), "served"),
        (trusting_pods("sts:AssumeRole", "sts:TagSession", condition={"StringEquals": {NAMESPACE: "dev"}}), "condition"),
        (trusting_pods("sts:AssumeRole", "nonsense"), "explained"),
    ],
)
def test_a_role_serves_an_association_where_eks_may_assume_it_with_tags(document, expected):
    assert pod_identity(document) == expected


def test_without_session_tags_no_right_to_pass_tags_is_needed_and_there_are_none_to_ask_for():
    assert pod_identity(trusting_pods("sts:AssumeRole"), disableSessionTags=True) == "served"
    asking = trusting_pods("sts:AssumeRole", condition={"StringEquals": {NAMESPACE: "prod"}})
    assert pod_identity(asking, disableSessionTags=True) == "tags-off"


def test_a_condition_on_what_is_not_known_leaves_it_unknown():
    asking = trusting_pods("sts:AssumeRole", "sts:TagSession", condition={"StringEquals": {"aws:SourceOrgID": "o-1"}})
    assert missing(pod_identity(asking)) == "values of condition keys in the requests of EKS Pod Identity"


def test_a_role_without_association_is_not_asked():
    assert facts(aws(), "role").pod_identity == "none"


def test_a_policy_that_was_not_given_leaves_it_unknown():
    listed = {"Roles": [{name: value for name, value in role().items() if name != "AssumeRolePolicyDocument"}]}
    documents = aws(**{"roles.json": listed, "one.json": association()})
    assert missing(facts(documents, "role").pod_identity).startswith("trust policy of")


def test_a_list_of_associations_does_not_say_which_role():
    documents = aws(**{"associations.json": LISTED, "o.yaml": manifests(plain_account())})
    assert missing(facts(documents, "service-account").pod_identity).startswith("role that EKS supplies in prod")
    documents["one.json"] = association()
    assert facts(documents, "service-account").pod_identity == "seen"
    assert facts(aws(**{"o.yaml": manifests(plain_account())}), "service-account").pod_identity == "none"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "no"),
        ({"one.json": association()}, "same-role"),
        ({"one.json": association(arn=role_arn("other"))}, "other-role"),
        ({"associations.json": LISTED}, "unseen-role"),
    ],
)
def test_an_association_takes_the_place_of_the_annotation(more, expected):
    assert facts(aws(**{"o.yaml": manifests(account())}, **more), "service-account").overridden == expected
    assert facts(aws(**{"o.yaml": manifests(plain_account())}, **more), "service-account").overridden == "no"


def test_associations_that_were_not_listed_are_unknown():
    documents = aws(**{"o.yaml": manifests(account())})
    del documents["associations.json"]
    assert missing(facts(documents, "service-account").overridden) == "Pod Identity associations of prod"
    assert missing(facts({"o.yaml": manifests(account())}, "service-account").overridden) == (
        "issuer of the cluster of the service account"
    )


def test_only_eks_has_pod_identity():
    described = {"issuer": "https://issuer.example.org", "jwks_uri": "https://issuer.example.org/keys"}
    documents = {"openid.json": {**described, "response_types_supported": ["id_token"]}, "o.yaml": manifests(account())}
    assert facts(documents, "service-account").overridden == "no"


def test_each_defect_of_pod_identity_is_said_once():
    other = trusting_pods("sts:AssumeRole")
    roles = {"RoleDetailList": [role(), role("other", AssumeRolePolicyDocument=other)]}
    documents = aws(
        **{"roles.json": roles, "one.json": association(arn=role_arn("other")), "o.yaml": manifests(account())},
    )
    assert found(documents, "serviceaccounts") == {
        ("podid-tagsession", role_arn("other")),
        ("podid-wins", "prod/prod/app"),
    }


def test_what_the_annotated_role_trusts_does_not_matter_where_an_association_wins():
    roles = {"RoleDetailList": [role(AssumeRolePolicyDocument=trusting_pods("sts:AssumeRole", "sts:TagSession"))]}
    documents = aws(**{"roles.json": roles, "o.yaml": manifests(account())})
    assert ("trust-pod-identity-only") in {rule for rule, _ in found(documents, "serviceaccounts")}
    documents["one.json"] = association()
    assert found(documents, "serviceaccounts") == {("podid-wins", "prod/prod/app"), ("open-podid-trust", role_arn("app"))}
