# Long: every relation of a service account and the role that it names
import json

import pytest

from irsa_doctor.facts import View, derive
from irsa_doctor.facts.lookups.accounts import NO_NAMESPACE
from irsa_doctor.facts.service_accounts.binding import BindingFacts
from irsa_doctor.sources import load
from tests.facts.situations import (
    ISSUER,
    account,
    association,
    aws,
    container,
    deployment,
    facts,
    found,
    manifests,
    missing,
    mount,
    pair,
    plain_account,
    pod,
    policy,
    provider_arn,
    role,
    role_arn,
    subjects,
    token_volume,
)
from tests.sources.worlds import OTHER_ISSUER, cluster, got_provider, listed_providers

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


def bound(condition=None, *statements, annotations=None):
    """The rules that fire where `app` names a role of two statements for it and `other`, and what they point at."""
    document = policy(["system:serviceaccount:prod:app", "system:serviceaccount:prod:other"])
    document["Statement"][0]["Condition"]["StringEquals"] |= condition or {}
    document["Statement"] += statements
    named = account(**(annotations or {"role_arn": role_arn()}))
    documents = {"roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}}
    return {r for r, _ in found(aws(**documents, **{"o.yaml": manifests(named, account("other"))}), *ALL)}


def denial(**condition):
    return {
        "Effect": "Deny",
        "Principal": {"Federated": provider_arn()},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }


def test_one_account_that_a_deny_shuts_out_is_not_said_to_be_missing_from_the_allow():
    assert bound(None, denial(StringEquals={f"{ISSUER}:sub": "system:serviceaccount:prod:app"})) == {"trust-deny-statement"}
    mixed = {"StringLike": {f"{ISSUER}:sub": "*:app"}, "StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}
    assert bound(None, denial(**mixed)) == {"trust-deny-notlike-missing-key"}
    assert bound(None, denial(StringEquals={f"{ISSUER}:sub": "system:serviceaccount:prod:third"})) == set()


def test_an_audience_that_the_account_asks_for_and_the_role_does_not_accept_is_a_mismatch():
    asked = {"role_arn": role_arn(), "audience": "vault"}
    assert bound(annotations=asked) == {"aud-annotation-custom"}
    accepting = {"provider.json": got_provider("sts.amazonaws.com", "vault"), "o.yaml": manifests(account(**asked))}
    assert found(aws(**accepting), *ALL) == {("trust-aud-mismatch", f"prod/prod/app -> {role_arn()}")}
    assert bound({f"{ISSUER}:aud": "vault"}, annotations=asked) == {"aud-annotation-custom", "trust-aud-mismatch"}


def test_a_fault_of_the_statement_for_one_cluster_does_not_hide_that_of_another():
    first, second = policy()["Statement"][0], policy("system:serviceaccount:prod:else")["Statement"][0]
    first["Condition"]["StringEquals"][f"{ISSUER}:aud"] = "nobody"
    moved = json.loads(json.dumps(second).replace(ISSUER, OTHER_ISSUER))
    trusting = role(AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [first, moved]})
    documents = {
        "roles.json": {"RoleDetailList": [trusting]},
        "providers.json": listed_providers(provider_arn(), provider_arn(issuer=OTHER_ISSUER)),
        "a/o.yaml": manifests(account()),
        "a/cluster.json": cluster(),
        "b/o.yaml": manifests(account()),
        "b/cluster.json": cluster("dev", issuer=OTHER_ISSUER),
    }
    fired = {rule for rule, _ in found(aws(**documents), *ALL)}
    assert {"trust-aud-mismatch", "trust-sub-mismatch"} <= fired
    assert "open-multi-cluster" not in fired


@pytest.mark.parametrize(
    ("issuer", "rule"),
    [
        (ISSUER + "/", "oidc-url-mismatch"),
        (ISSUER.lower(), "oidc-url-mismatch"),
        (ISSUER.replace("/id/", "/"), "oidc-url-mismatch"),
        (ISSUER.replace("eu-west-1", "us-east-1"), "oidc-url-mismatch"),
        (ISSUER.replace(".com/", ".com:443/"), "oidc-url-mismatch"),
        (ISSUER.replace("oidc.eks.eu-west-1.amazonaws.com", "oidc-eks.eu-west-1.api.aws"), "oidc-url-dualstack"),
    ],
)
def test_a_provider_that_is_nearly_for_the_cluster_is_one_finding(issuer, rule):
    """Whether the role names what is there, or what should be."""
    there = {"providers.json": listed_providers(provider_arn(issuer=issuer)), "provider.json": got_provider(issuer=issuer)}
    rewritten = json.loads(json.dumps(policy()).replace(ISSUER, issuer))
    for document in (policy(), rewritten):
        documents = {
            "roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]},
            "o.yaml": manifests(account()),
        }
        assert found(aws(**there, **documents), *ALL) == {(rule, provider_arn(issuer=issuer))}


def test_a_role_that_names_the_dual_stack_address_of_a_right_provider_is_told_so():
    issuer = ISSUER.replace("oidc.eks.eu-west-1.amazonaws.com", "oidc-eks.eu-west-1.api.aws")
    document = json.loads(json.dumps(policy()).replace(ISSUER, issuer))
    documents = {"roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}, "o.yaml": manifests(account())}
    assert found(aws(**documents), *ALL) == {("oidc-url-dualstack", f"{role_arn()}#0")}


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("system:serviceaccount:prod:app", "values of the template's placeholders"),
        ("system:serviceaccount:prod:other", "other-subject"),
    ],
)
def test_a_provider_with_a_placeholder_may_be_the_one_of_the_cluster(subject, expected):
    written = json.dumps(policy(subject)).replace("111122223333:oidc", "<account-id>:oidc")
    documents = aws(**{"roles.json": {"RoleDetailList": []}, "trust.json": json.loads(written), "o.yaml": manifests(account())})
    texts = {path: json.dumps(one).encode() if not isinstance(one, str) else one.encode() for path, one in documents.items()}
    seen = View(load([], memory=texts, roles={"trust.json": role_arn()}).inventory, {})
    (judged,) = [one for one in derive(seen) if one.kind == "binding"]
    assert isinstance(judged.facts, BindingFacts)
    told = judged.facts.trust
    assert told == expected if isinstance(told, str) else expected in told.missing


@pytest.mark.parametrize(
    ("subjects", "several"),
    [
        (("system:serviceaccount:prod:app", "system:serviceaccount:prod:app"), True),
        (("system:serviceaccount:prod:app", "system:serviceaccount:prod:b"), False),
        (("system:serviceaccount:prod:*", "system:serviceaccount:prod:app"), True),
        (("system:serviceaccount:prod:app", "system:serviceaccount:*:app"), True),
        (("system:serviceaccount:prod:*", "system:serviceaccount:dev:*"), False),
        (("*", "*"), True),
    ],
)
def test_several_clusters_matter_where_they_let_in_one_name(subjects, several):
    statements = []
    for issuer, subject in zip((ISSUER, OTHER_ISSUER), subjects, strict=True):
        asked = {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}, "StringLike": {f"{issuer}:sub": subject}}
        trusted = {"Federated": provider_arn(issuer=issuer)}
        statements.append(policy()["Statement"][0] | {"Principal": trusted, "Condition": asked})
    document = {"Version": "2012-10-17", "Statement": statements}
    documents = {
        "roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]},
        "providers.json": listed_providers(provider_arn(), provider_arn(issuer=OTHER_ISSUER)),
    }
    assert (("open-multi-cluster", role_arn()) in found(aws(**documents))) is several


def _mistyped(number: int, subject: str, **more: object) -> dict:
    """A role whose key of the audience has a scheme, so that it denies its own service account."""
    own = policy(subject)
    own["Statement"][0]["Condition"]["StringEquals"]["https://" + ISSUER + ":aud"] = "sts.amazonaws.com"
    name = f"r{number}"
    return role(name, AssumeRolePolicyDocument=json.dumps(own), **more)


def test_policies_that_are_alike_are_meant_for_the_service_accounts_that_each_names():
    named = ["a", "b", "c", "other"]
    listed = {"RoleDetailList": [_mistyped(n, f"system:serviceaccount:prod:{name}") for n, name in enumerate(named)]}
    users = [account(name, role_arn=role_arn(f"r{n}")) for n, name in enumerate(["a", "b", "x", "other"])]
    documents = aws(**{"roles.json": listed, "o.yaml": manifests(*users)})
    together = {judged.id: judged.facts.trust for judged in subjects(documents, "binding")}
    alone = {}
    for n, user in enumerate(users):
        single = {"RoleDetailList": [listed["RoleDetailList"][n]]}
        (judged,) = subjects(aws(**{"roles.json": single, "o.yaml": manifests(user)}), "binding")
        alone[judged.id] = judged.facts.trust
    assert together == alone
    assert sorted(set(together.values())) == ["explained", "other-subject"]


def of_manifest(trust, **more):
    """The relation to a role of a service account that stands in a manifest of an unknown cluster."""
    named = account()
    del named["metadata"]["creationTimestamp"]
    named["metadata"] |= more
    return of_unknown_cluster(trust, manifests(named))


def unplaced():
    """A manifest of a service account without a namespace."""
    named = account()
    del named["metadata"]["creationTimestamp"], named["metadata"]["namespace"]
    return named


def with_policy(trust, objects, **more):
    """The account with a trust policy, and Kubernetes objects."""
    return aws(**{"roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=trust)]}, "o.yaml": objects}, **more)


def of_unknown_cluster(trust, objects, **more):
    """The same for objects of some kind."""
    documents = with_policy(trust, objects, **more)
    del documents["cluster.json"]
    told = facts(documents, "binding").trust
    return told if isinstance(told, str) else missing(told)


def like(pattern):
    """A policy that admits the subjects of a pattern."""
    document = policy(pattern)
    condition = document["Statement"][0]["Condition"]
    condition["StringLike"] = {f"{ISSUER}:sub": condition["StringEquals"].pop(f"{ISSUER}:sub")}
    return document


UNKNOWN_CLUSTER = "issuer of the cluster of the service account"


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        (policy("system:serviceaccount:prod:app"), UNKNOWN_CLUSTER),
        (like("system:serviceaccount:prod:*"), UNKNOWN_CLUSTER),
        (policy("system:serviceaccount:dev:app"), "other-namespace"),
        (policy("system:serviceaccount:prod:other"), "other-subject"),
        (like("system:serviceaccount:dev:*"), "other-subject"),
        (policy(["system:serviceaccount:dev:app", "system:serviceaccount:prod:app"]), UNKNOWN_CLUSTER),
    ],
)
def test_a_policy_that_names_others_admits_a_service_account_in_no_cluster(trusted, expected):
    assert of_manifest(trusted) == expected


def test_a_policy_for_instances_admits_a_service_account_in_no_cluster():
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert of_manifest({"Version": "2012-10-17", "Statement": [statement]}) == "ec2-only"


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        (policy("system:serviceaccount:dev:app"), UNKNOWN_CLUSTER),
        (like("system:serviceaccount:*:app"), UNKNOWN_CLUSTER),
        (like("system:serviceaccount:dev:*"), UNKNOWN_CLUSTER),
        (policy("system:serviceaccount:dev:other"), "other-subject"),
    ],
)
def test_a_manifest_without_a_namespace_may_be_applied_to_any(trusted, expected):
    assert of_unknown_cluster(trusted, manifests(unplaced())) == expected
    told = facts(with_policy(trusted, manifests(unplaced())), "binding").trust
    known = expected.replace(UNKNOWN_CLUSTER, NO_NAMESPACE.missing)
    assert told == "admits" if "*:app" in str(trusted) else (told if isinstance(told, str) else missing(told)) == known


def test_a_manifest_that_states_the_usual_namespace_is_applied_to_that():
    assert of_manifest(policy("system:serviceaccount:dev:app"), namespace="default") == "other-namespace"


@pytest.mark.parametrize(("name", "expected"), [("app", NO_NAMESPACE), ("other", True)])
def test_what_a_manifest_without_a_namespace_makes_may_be_the_account_that_is_missing(name, expected):
    documents = with_policy(policy(f"system:serviceaccount:prod:{name}"), manifests(unplaced()))
    assert facts(documents, "grant", "serviceaccounts").account_missing == expected


def test_an_answer_of_a_cluster_states_its_namespace():
    named = account()
    named["metadata"]["namespace"] = "default"
    assert of_unknown_cluster(policy("system:serviceaccount:dev:app"), manifests(named)) == "other-namespace"


def test_a_database_without_a_namespace_may_be_made_in_any():
    made = {"metadata": {"annotations": {"eks.amazonaws.com/role-arn": role_arn()}}}
    database = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "app"}}
    objects = manifests({**database, "spec": {"instances": 1, "serviceAccountTemplate": made}})
    assert of_unknown_cluster(policy("system:serviceaccount:dev:app"), objects) == UNKNOWN_CLUSTER
    assert of_unknown_cluster(policy("system:serviceaccount:dev:other"), objects) == "other-subject"


@pytest.mark.parametrize(
    "names",
    [{"namespace": "${NAMESPACE}"}, {"namespace": "<namespace>"}, {"name": "{{ .Release.Name }}-app"}, {"name": "app-"}],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_name_that_no_object_has_is_filled_in_by_something(names, known):
    named = account()
    named["metadata"] |= names
    if known:
        assert missing(facts(aws(**{"o.yaml": manifests(named)}), "binding").trust).startswith("values of the template's")
    else:
        assert of_unknown_cluster(policy(), manifests(named)).startswith("values of the template's")


def test_an_association_may_be_that_of_the_unknown_cluster():
    trusting = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trusting]}
    associated = {"associations.json": association()}
    assert of_unknown_cluster(document, manifests(account())) == "pod-identity-only"
    assert of_unknown_cluster(document, manifests(account()), **associated) == UNKNOWN_CLUSTER


def test_a_defect_of_the_policy_explains_it_in_every_cluster():
    assert of_manifest(policy("prod:app")) == "explained"


def by_hand(arn, audience="sts.amazonaws.com"):
    """A manifest that sets the role and mounts a token itself."""
    own = container("app", pair(arn, "/var/run/aws/token"), volumeMounts=[mount("/var/run/aws", "aws")])
    return deployment(own, volumes=[token_volume("aws", audience)])


def rules_by_hand(workload, **more):
    return {rule for rule, _ in found(aws(**{"o.yaml": manifests(plain_account(), workload)}, **more), *ALL)}


def test_a_service_account_whose_manifests_set_the_role_needs_no_annotation():
    assert rules_by_hand(by_hand(role_arn())) == set()
    assert rules_by_hand(deployment()) == {"sa-annotation-missing"}
    assert rules_by_hand(pod()) == {"sa-annotation-missing"}


def test_a_role_that_a_manifest_sets_is_judged_like_that_of_an_annotation():
    assert rules_by_hand(by_hand(role_arn("ap"))) == {"role-missing"}
    theirs = {"RoleDetailList": [role(AssumeRolePolicyDocument=policy("system:serviceaccount:prod:other"))]}
    assert "trust-sub-mismatch" in rules_by_hand(by_hand(role_arn()), **{"roles.json": theirs})


def test_a_role_of_an_association_that_does_not_exist_is_found():
    gone = {"associations.json": {"associations": []}, "association.json": association(arn=role_arn("gone"))}
    documents = aws(**{"o.yaml": manifests(plain_account())}, **gone)
    assert "role-missing" in {rule for rule, _ in found(documents, *ALL)}


def test_a_provider_for_the_audience_that_all_request_lacks_none():
    providers = {"provider.json": got_provider("own")}
    asking = policy()
    asking["Statement"][0]["Condition"]["StringEquals"][f"{ISSUER}:aud"] = "own"
    roles = {"roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=asking)]}}
    every = [account(role_arn=role_arn(), audience="own")]
    assert found(aws(**{"o.yaml": manifests(*every)}, **providers, **roles), *ALL) == set()
    beside = manifests(*every, account("web"))
    assert "aud-not-in-clientids" in {rule for rule, _ in found(aws(**{"o.yaml": beside}, **providers, **roles), *ALL)}
