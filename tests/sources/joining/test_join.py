import json

import pytest

from irsa_doctor.model import TrustPolicy, Unknown
from tests.sources.worlds import (
    ACCOUNT,
    ISSUER,
    OTHER,
    OTHER_ISSUER,
    cluster,
    cluster_arn,
    got_provider,
    inventory,
    listed_providers,
    policy,
    provider_arn,
    role,
    role_arn,
    service_account,
)


def accounts_of(read):
    return {found.cluster for found in read.service_accounts}


# clusters


def test_the_only_cluster_has_every_document():
    assert accounts_of(inventory({"a/c.json": cluster(), "b/sa.json": service_account()})) == {cluster_arn()}


def test_the_cluster_of_the_same_or_the_nearest_folder_above_comes_first():
    documents = {
        "p/c.json": cluster("prod"),
        "p/sa.json": service_account("a"),
        "p/x/y/sa.json": service_account("b"),
        "p/x/z/c.json": cluster("dev", issuer=OTHER_ISSUER),
        "p/x/z/sa.json": service_account("c"),
        "q/sa.json": service_account("d"),
    }
    found = {one.name: one.cluster for one in inventory(documents).service_accounts}
    assert found == {"a": cluster_arn(), "b": cluster_arn(), "c": cluster_arn("dev"), "d": ""}


def test_a_folder_with_two_clusters_decides_nothing():
    documents = {"c1.json": cluster("prod"), "c2.json": cluster("dev", issuer=OTHER_ISSUER), "sa.json": service_account()}
    assert accounts_of(inventory(documents)) == {""}


@pytest.mark.parametrize("name", ["dev", cluster_arn("dev"), OTHER_ISSUER, "https://" + OTHER_ISSUER])
@pytest.mark.parametrize("path", ["x/sa.json", "x", "./x/", "."])
def test_what_the_user_says_comes_before_every_folder(name, path):
    documents = {"x/c.json": cluster("prod"), "y/c.json": cluster("dev", issuer=OTHER_ISSUER), "x/sa.json": service_account()}
    assert accounts_of(inventory(documents, clusters={path: name})) == {cluster_arn("dev")}


def test_the_nearest_path_that_the_user_named_counts():
    said = {"x": "prod", "x/y": "dev"}
    read = inventory({"x/sa.json": service_account("a"), "x/y/sa.json": service_account("b")}, clusters=said)
    assert {one.name: one.cluster for one in read.service_accounts} == {"a": "prod", "b": "dev"}
    assert {one.id: one.issuer for one in read.clusters} == {
        name: Unknown(f"issuer of cluster {name}", f"aws eks describe-cluster --name {name}") for name in ("prod", "dev")
    }


# accounts


def test_a_provider_without_account_joins_the_listed_arn_of_its_folder():
    documents = {
        "a/list.json": listed_providers(provider_arn(ACCOUNT)),
        "b/list.json": listed_providers(provider_arn(OTHER)),
        "a/get.json": got_provider("in-a"),
        "b/x/get.json": got_provider("in-b"),
    }
    found = {one.arn: one.client_ids for one in inventory(documents).providers}
    assert found == {provider_arn(ACCOUNT): ("in-a",), provider_arn(OTHER): ("in-b",)}


def test_a_provider_joins_the_only_listed_arn_of_its_issuer_where_folders_do_not_tell():
    documents = {
        "list.json": listed_providers(provider_arn(ACCOUNT), provider_arn(OTHER, OTHER_ISSUER)),
        "get.json": got_provider("x", issuer=OTHER_ISSUER),
    }
    found = {one.arn: one.client_ids for one in inventory(documents).providers}
    assert found[provider_arn(OTHER, OTHER_ISSUER)] == ("x",)


def test_a_provider_that_nobody_listed_gets_the_arn_of_its_account():
    read = inventory({"role.json": {"Role": role()}, "get.json": got_provider("x")})
    assert [(one.arn, one.client_ids) for one in read.providers] == [(provider_arn(), ("x",))]
    china = "oidc.eks.cn-north-1.amazonaws.com.cn/id/X"
    (found,) = inventory({"get.json": got_provider(issuer=china)}, account=OTHER).providers
    assert found.arn == f"arn:aws-cn:iam::{OTHER}:oidc-provider/{china}"


def test_a_provider_of_an_unknown_account_is_left_out_and_its_document_says_so():
    read = inventory({"get.json": got_provider()})
    assert read.providers == ()
    assert "--account" in read.documents[0].why
    read = inventory({"get.json": got_provider()}, account=OTHER)
    assert [one.arn for one in read.providers] == [provider_arn(OTHER)]


def test_what_a_bare_policy_names_tells_no_account():
    assert inventory({"get.json": got_provider(), "trust.json": policy()}).providers == ()


# contradictions


def test_repeats_are_no_contradictions():
    documents = {
        "a.json": {"Role": role()},
        "b.json": {"Roles": [role(MaxSessionDuration=7200)]},
        "c1.json": cluster(),
        "c2.json": cluster(),
        "p1.json": got_provider("x", "y"),
        "p2.json": got_provider("y", "x"),
        "s1.json": service_account(),
        "s2.json": service_account(),
    }
    read = inventory(documents)
    assert read.contradictions == ()
    assert (len(read.roles), len(read.clusters), len(read.providers), len(read.service_accounts)) == (1, 1, 1, 1)
    assert read.roles[0].max_session == 7200


def test_a_listed_role_takes_its_policy_from_another_answer():
    listed = role()
    del listed["AssumeRolePolicyDocument"]
    for documents in (
        {"a.json": {"Roles": [listed]}, "b.json": {"Role": role()}},
        {"a.json": {"Role": role()}, "b.json": {"Roles": [listed]}},
    ):
        (found,) = inventory(documents).roles
        assert isinstance(found.policy, TrustPolicy)


def test_two_policies_of_one_role_are_a_contradiction_and_neither_counts():
    other = role(AssumeRolePolicyDocument=policy("system:serviceaccount:other:app"))
    read = inventory({"a.json": {"Role": role()}, "b.json": {"Role": other}, "c.json": {"Role": role()}})
    (found,) = read.roles
    contradictions = [(one.subject, one.what, one.first.document, one.second.document) for one in read.contradictions]
    assert contradictions == [(role_arn(), "trust policy", "a.json", "b.json")]
    assert isinstance(found.policy, Unknown)


def test_two_issuers_of_one_cluster_are_a_contradiction():
    read = inventory({"a.json": cluster(), "b.json": cluster(issuer=OTHER_ISSUER)})
    assert [(one.subject, one.what) for one in read.contradictions] == [(cluster_arn(), "issuer")]
    assert isinstance(read.clusters[0].issuer, Unknown)


def test_two_lists_of_client_ids_are_a_contradiction():
    documents = {"l.json": listed_providers(provider_arn()), "a.json": got_provider("x"), "b.json": got_provider("y")}
    read = inventory(documents)
    assert [(one.subject, one.what) for one in read.contradictions] == [(provider_arn(), "client ids")]
    assert isinstance(read.providers[0].client_ids, Unknown)


def test_two_roles_of_one_service_account_are_a_contradiction_in_one_cluster_only():
    documents = {"a.json": service_account(arn=role_arn("a")), "b.json": service_account(arn=role_arn("b"))}
    read = inventory(documents)
    assert (len(read.service_accounts), read.contradictions) == (2, ())
    read = inventory({"c.json": cluster(), **documents})
    assert [one.subject for one in read.contradictions] == [f"{cluster_arn()}/prod/app"]
    assert [one.annotations["eks.amazonaws.com/role-arn"] for one in read.service_accounts] == [role_arn("a")]


# closed and open collections


@pytest.mark.parametrize(
    ("answer", "closed"),
    [
        ({"Roles": [role()]}, {ACCOUNT}),
        ({"Roles": [role()], "IsTruncated": False, "Marker": None}, {ACCOUNT}),
        ({"RoleDetailList": [role()], "IsTruncated": True, "Marker": "x"}, set()),
        ({"Roles": [role()], "NextToken": "x"}, set()),
        ({"Roles": [role()], "Marker": "x"}, set()),
        ({"Roles": [role(), role("b", OTHER)]}, {ACCOUNT, OTHER}),
        ({"Role": role()}, set()),
        ({"Roles": []}, set()),
        ({"RoleDetailList": []}, set()),
    ],
)
def test_a_list_of_roles_is_closed_unless_there_is_more_of_it(answer, closed):
    assert inventory({"x.json": answer}).closed.roles == closed


def test_an_empty_list_closes_the_account_of_its_folder():
    documents = {"a/roles.json": {"Roles": []}, "a/list.json": listed_providers(provider_arn())}
    assert inventory(documents).closed.roles == {ACCOUNT}
    documents = {
        "a/list.json": listed_providers(),
        "a/roles.json": {"Roles": [role()]},
        "b/roles.json": {"Roles": [role("x", OTHER)]},
    }
    assert inventory(documents).closed.providers == {ACCOUNT}
    assert inventory({"x.json": {"Roles": []}}, account=OTHER).closed.roles == {OTHER}


def test_account_details_without_any_role_but_with_users_may_have_been_filtered():
    documents = {
        "a.json": {"UserDetailList": [{"UserName": "x"}], "RoleDetailList": []},
        "l.json": listed_providers(provider_arn()),
    }
    assert inventory(documents).closed.roles == frozenset()


def test_a_last_page_closes_nothing_but_an_answer_with_everything_does():
    first = {"Roles": [role("a")], "IsTruncated": True, "Marker": "x"}
    last = {"Roles": [role("b")], "IsTruncated": False}
    whole = {"Roles": [role("a"), role("b")]}
    assert inventory({"1.json": first, "2.json": last}).closed.roles == frozenset()
    assert inventory({"1.json": first, "2.json": last, "3.json": whole}).closed.roles == {ACCOUNT}


def test_a_list_of_clusters_closes_account_and_region_of_a_described_one():
    documents = {"l.json": {"clusters": ["prod", "dev"]}, "c.json": cluster()}
    assert inventory(documents).closed.clusters == {(ACCOUNT, "eu-west-1")}
    assert inventory({"l.json": {"clusters": ["prod"]}}).closed.clusters == frozenset()
    assert inventory({"l.json": {"clusters": ["other"]}, "c.json": cluster()}).closed.clusters == frozenset()
    truncated = {"l.json": {"clusters": ["prod"], "nextToken": "x"}, "c.json": cluster()}
    assert inventory(truncated).closed.clusters == frozenset()


def test_lists_of_associations_close_their_cluster():
    item = {"clusterName": "prod", "namespace": "n", "serviceAccount": "s", "associationId": "a"}
    for items in ([item], []):
        read = inventory({"l.json": {"associations": items}, "c.json": cluster()})
        assert read.closed.associations == {cluster_arn()}
    assert (
        inventory({"l.json": {"associations": [item], "nextToken": "x"}, "c.json": cluster()}).closed.associations
        == frozenset()
    )


def test_kinds_are_closed_only_where_the_user_says_so():
    read = inventory({"sa.json": service_account()}, complete=["serviceaccounts", "Pods"])
    assert read.closed.has_kind("", "serviceaccounts")
    assert read.closed.has_kind("any", "pods")
    assert not read.closed.has_kind("any", "namespaces")
    assert dict(inventory({"sa.json": service_account()}).closed.kinds) == {}


def test_an_issuer_is_known_of_many_accounts_at_once():
    documents = {f"{n}.json": {"Roles": [role(f"r{n}", f"{n:012}")]} for n in range(1, 20)}
    documents["p.json"] = listed_providers(*(provider_arn(f"{n:012}") for n in range(1, 20)))
    read = inventory(documents)
    assert len(read.closed.roles) == len(read.closed.providers) == 19
    assert {one.issuer for one in read.providers} == {ISSUER}
    assert json.loads(json.dumps(sorted(read.role_by_arn))) == sorted(one.arn for one in read.roles)
