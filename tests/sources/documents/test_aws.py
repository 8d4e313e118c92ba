import json
from urllib.parse import quote

import pytest

from irsa_doctor.model import TrustPolicy, Unknown
from irsa_doctor.sources.documents.aws import client_ids_missing, issuer_missing, policy_missing, thumbprints_missing
from tests.sources.worlds import (
    ACCOUNT,
    ISSUER,
    OTHER,
    cluster,
    cluster_arn,
    got_provider,
    inventory,
    listed_providers,
    loaded,
    only_row,
    policy,
    provider_arn,
    role,
    role_arn,
)

GET_PROVIDER = "aws iam get-open-id-connect-provider --open-id-connect-provider-arn"


@pytest.mark.parametrize(
    "written",
    [policy(), json.dumps(policy()), quote(json.dumps(policy())), quote(json.dumps(policy(), indent=2), safe="")],
    ids=["object", "text", "url-encoded", "url-encoded-whole"],
)
@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("iam-get-role", lambda item: {"Role": item}),
        ("iam-get-role", lambda item: item),
        ("iam-get-role", lambda item: [item]),
        ("iam-list-roles", lambda item: {"Roles": [item]}),
        ("iam-get-account-authorization-details", lambda item: {"UserDetailList": [], "RoleDetailList": [item]}),
    ],
)
def test_a_role_is_the_same_in_every_answer_and_every_form_of_its_policy(kind, answer, written):
    read = inventory({"x.json": answer(role(AssumeRolePolicyDocument=written, MaxSessionDuration=3600))})
    (found,) = read.roles
    assert (found.arn, found.name, found.account, found.id) == (role_arn(), "app", ACCOUNT, role_arn())
    assert (found.max_session, found.created) == (3600, "2025-01-01T00:00:00+00:00")
    assert isinstance(found.policy, TrustPolicy)
    assert found.policy.document == policy()
    assert not found.policy.template
    assert [(row.kind, row.status) for row in read.documents] == [(kind, "read")]


def test_the_yaml_output_of_the_aws_cli_is_the_same_answer():
    import yaml

    read = inventory(
        {
            "roles.yaml": yaml.safe_dump({"RoleDetailList": [role()]}),
            "cluster.yaml": yaml.safe_dump(cluster()),
            "provider.yaml": yaml.safe_dump(got_provider()),
        }
    )
    assert read.roles[0].policy.document == policy()
    assert read.clusters[0].issuer == ISSUER
    assert read.providers[0].arn == provider_arn()


def test_answers_of_aws_never_have_holes():
    written = policy(sub="system:serviceaccount:${namespace}:app")
    (found,) = inventory({"x.json": {"Role": role(AssumeRolePolicyDocument=written)}}).roles
    assert found.policy.document == written


def test_a_list_of_roles_without_policies_says_how_to_get_them():
    item = role()
    del item["AssumeRolePolicyDocument"]
    (found,) = inventory({"x.json": {"Roles": [item]}}).roles
    assert found.policy == Unknown(f"trust policy of {role_arn()}", "aws iam get-role --role-name app")


def test_a_broken_role_is_reported_and_loses_none_of_the_others():
    answer = {"RoleDetailList": [role("a"), None, role("b", Arn=5), role("c", Arn="app"), role("d", RoleName=7), role("e")]}
    read = inventory({"x.json": answer})
    assert [found.name for found in read.roles] == ["a", "e"]
    good, bad = read.documents
    assert (good.status, bad.status, bad.matters) == ("read", "unreadable", True)
    assert "null where an object was expected at /RoleDetailList/1 (and 3 more of the kind)" in bad.why
    assert bad.line > 1
    assert not read.closed.roles


def test_a_policy_text_that_is_no_json_is_a_flaw_of_its_role_alone():
    answer = {"Roles": [role("a", AssumeRolePolicyDocument='{"Version":\n"2012-10-17",}'), role("b")]}
    documents = loaded({"x.json": answer})
    first, second = documents.inventory.roles
    (flaw,) = first.policy.flaws
    span = documents.documents.locate(first.policy.place)
    assert first.policy.document is None
    assert flaw.code == "syntax"
    assert "line 2, column 13 of the policy's text" in flaw.message
    assert (flaw.line, flaw.column) == (span.line, span.column)
    assert second.policy.flaws == ()


def test_members_given_twice_in_a_policy_are_its_flaws_at_their_lines():
    text = '{"Role": {"Arn": "ARN",\n "AssumeRolePolicyDocument": {"Version": "2012-10-17",\n  "Version": "x"}}}'
    (found,) = inventory({"x.json": text.replace("ARN", role_arn())}).roles
    (flaw,) = found.policy.flaws
    assert (flaw.code, flaw.pointer, flaw.line, flaw.column) == ("duplicate-member", "/Version", 3, 3)


def test_a_policy_document_given_twice_is_a_flaw_too():
    text = '{"Role": {"Arn": "ARN", "AssumeRolePolicyDocument": {}, "AssumeRolePolicyDocument": {}}}'
    (found,) = inventory({"x.json": text.replace("ARN", role_arn())}).roles
    assert [(flaw.code, flaw.pointer) for flaw in found.policy.flaws] == [("duplicate-member", "")]


def test_a_listed_provider_has_unknown_client_ids():
    (found,) = inventory({"x.json": listed_providers(provider_arn())}).providers
    command = f"aws iam get-open-id-connect-provider --open-id-connect-provider-arn {provider_arn()}"
    assert found.client_ids == Unknown(f"client ids of {provider_arn()}", command)
    assert found.issuer == ISSUER


def test_list_and_description_of_a_provider_make_one():
    documents = {"list.json": listed_providers(provider_arn()), "get.json": got_provider("a", "b")}
    (found,) = inventory(documents).providers
    assert (found.arn, found.client_ids, found.thumbprints) == (provider_arn(), ("a", "b"), ())
    assert found.place.document == "get.json"


def test_a_described_cluster_names_account_region_and_issuer():
    (found,) = inventory({"x.json": cluster()}).clusters
    assert (found.id, found.account, found.region, found.issuer) == (cluster_arn(), ACCOUNT, "eu-west-1", ISSUER)
    assert (found.version, found.created) == ("1.33", "2025-01-01T00:00:00+00:00")


def test_a_listed_cluster_has_an_unknown_issuer():
    (found,) = inventory({"x.json": {"clusters": ["prod"]}}).clusters
    assert found.issuer == Unknown("issuer of cluster prod", "aws eks describe-cluster --name prod")


def test_a_list_of_clusters_adds_nothing_to_described_ones_of_the_account():
    read = inventory({"a.json": cluster(), "b.json": {"clusters": ["prod", "dev"]}, "c.json": cluster("prod", OTHER)})
    assert sorted(found.id for found in read.clusters) == sorted([cluster_arn(), cluster_arn(account=OTHER), "dev"])


def test_pod_identity_associations_have_a_role_only_where_described():
    listed = {"clusterName": "prod", "namespace": "a", "serviceAccount": "b", "associationArn": "x", "associationId": "y"}
    described = {**listed, "roleArn": role_arn(), "targetRoleArn": role_arn("t", OTHER), "disableSessionTags": True}
    read = inventory({"c.json": cluster(), "l.json": {"associations": [listed]}})
    (found,) = read.associations
    assert (found.cluster, found.role_arn, found.session_tags) == (cluster_arn(), "", True)
    read = inventory({"c.json": cluster(), "d.json": {"association": described}, "l.json": {"associations": [listed]}})
    (found,) = read.associations
    assert (found.role_arn, found.target_role_arn, found.session_tags) == (role_arn(), role_arn("t", OTHER), False)


def test_a_resource_control_policy_is_read_from_its_text_and_other_policies_are_not():
    summary = {"Id": "p-1", "Type": "RESOURCE_CONTROL_POLICY"}
    read = inventory({"x.json": {"Policy": {"PolicySummary": summary, "Content": json.dumps(policy())}}})
    (found,) = read.rcps
    assert (found.id, found.document.document) == ("p-1", policy())
    row = only_row({"Policy": {"PolicySummary": {"Id": "p-2", "Type": "SERVICE_CONTROL_POLICY"}, "Content": "{}"}})
    assert row.status == "ignored"
    assert "SERVICE_CONTROL_POLICY" in row.why


def test_a_cluster_that_is_only_a_setting_of_some_tool_is_no_cluster():
    assert only_row("cluster:\n  name: prod\n", "values.yaml").status == "ignored"
    assert only_row({"clusters": [{"name": "x"}]}).status == "ignored"
    assert only_row({"Roles": ["admin"]}).status == "ignored"


@pytest.mark.parametrize(
    ("missing", "how"),
    [
        (client_ids_missing("${issuer of module.eks.aws_eks_cluster.main}"), f"{GET_PROVIDER} ARN"),
        (thumbprints_missing("${issuer of Cluster}"), f"{GET_PROVIDER} ARN"),
        (client_ids_missing(provider_arn()), f"{GET_PROVIDER} {provider_arn()}"),
        (policy_missing("${role}", "${var.name}-app"), "aws iam get-role --role-name NAME"),
        (issuer_missing("${var.name}"), "aws eks describe-cluster --name CLUSTER"),
        (issuer_missing("prod"), "aws eks describe-cluster --name prod"),
    ],
)
def test_a_command_has_a_stand_in_for_what_a_template_has_yet_to_fill_in(missing, how):
    assert missing.how == how
