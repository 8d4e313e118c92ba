"""Roles, providers, clusters and associations as AWS Config, Cloud Control and inventories record them."""

import json
from urllib.parse import quote

import pytest
import yaml

from irsa_doctor.model import Closed, TrustPolicy, Unknown
from tests.sources.worlds import (
    ACCOUNT,
    ISSUER,
    cluster,
    cluster_arn,
    inventory,
    loaded,
    only_row,
    policy,
    provider_arn,
    role_arn,
)

TRUST = policy()
ENCODED = quote(json.dumps(TRUST))
CONFIGURATION = {"path": "/", "roleName": "app", "arn": role_arn(), "assumeRolePolicyDocument": ENCODED, "tags": []}


def item(configuration=CONFIGURATION, kind="AWS::IAM::Role", arn=role_arn(), **members):  # noqa: B008 - a text
    return {
        "accountId": ACCOUNT,
        "arn": arn,
        "resourceType": kind,
        "configurationItemStatus": "OK",
        "configuration": configuration,
        **members,
    }


def resource(kind, properties):
    return {"TypeName": kind, "ResourceDescription": {"Identifier": "app", "Properties": json.dumps(properties)}}


ROLES = {
    "snapshot of AWS Config": {"fileVersion": "1.0", "configurationItems": [item()]},
    "history": {"configurationItems": [item(json.dumps(CONFIGURATION))]},
    "batch-get-resource-config": {"baseConfigurationItems": [item(json.dumps(CONFIGURATION))]},
    "batch-get-aggregate-resource-config": {"BaseConfigurationItems": [item(json.dumps(CONFIGURATION))]},
    "get-aggregate-resource-config": {"ConfigurationItem": item(json.dumps(CONFIGURATION))},
    "notification": {"messageType": "ConfigurationItemChangeNotification", "configurationItem": item()},
    "query": {"Results": [json.dumps(item())], "QueryInfo": {"SelectFields": []}},
    "query of some members": {
        "Results": [json.dumps({"arn": role_arn(), "configuration": {"assumeRolePolicyDocument": ENCODED}})],
        "QueryInfo": {"SelectFields": []},
    },
    "cloudcontrol get-resource": resource(
        "AWS::IAM::Role", {"RoleName": "app", "Arn": role_arn(), "AssumeRolePolicyDocument": TRUST}
    ),
    "cloudcontrol list-resources": {
        "TypeName": "AWS::IAM::Role",
        "ResourceDescriptions": [
            resource("", {"RoleName": "app", "Arn": role_arn(), "AssumeRolePolicyDocument": json.dumps(TRUST)})[
                "ResourceDescription"
            ]
        ],
    },
    "steampipe": {"rows": [{"arn": role_arn(), "name": "app", "assume_role_policy": TRUST}]},
    "cloudquery": [{"account_id": ACCOUNT, "arn": role_arn(), "role_name": "app", "assume_role_policy_document": TRUST}],
    "ansible": {"iam_roles": [{"arn": role_arn(), "role_name": "app", "assume_role_policy_document": TRUST}]},
    "ansible that changes names": {
        "iam_roles": [
            {
                "arn": role_arn(),
                "role_name": "app",
                "assume_role_policy_document": {"version": "2012-10-17", "statement": []},
                "assume_role_policy_document_raw": TRUST,
            }
        ]
    },
}


@pytest.mark.parametrize("kind", ROLES)
def test_a_role_is_the_same_whoever_records_it(kind):
    found = inventory({"x.json": ROLES[kind]})
    (role,) = found.roles
    assert (role.arn, role.name, role.account) == (role_arn(), "app", ACCOUNT)
    assert isinstance(role.policy, TrustPolicy)
    assert role.policy.document == TRUST
    assert not role.policy.flaws
    assert [row.status for row in found.documents] == ["read"]


def test_a_policy_is_found_in_its_line():
    read = loaded({"x.json": {"rows": [{"arn": role_arn(), "assume_role_policy": TRUST}]}})
    (role,) = read.inventory.roles
    assert read.documents.locate(role.policy.place).line == 5


def test_no_record_says_that_it_is_complete():
    for recorded in ROLES.values():
        assert inventory({"x.json": recorded}).closed == Closed()


@pytest.mark.parametrize(
    "times",
    [
        ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00.500Z", ""),
        ("2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00", None),
        (1700000000.25, 1800000000, 0),
    ],
)
def test_of_a_history_the_last_item_counts(times):
    old, new = policy("system:serviceaccount:old:app"), policy("system:serviceaccount:new:app")
    items = [
        item({**CONFIGURATION, "assumeRolePolicyDocument": trust}, configurationItemCaptureTime=time)
        for time, trust in zip(times, (old, new, old), strict=True)
    ]
    (role,) = inventory({"x.json": {"configurationItems": items}}).roles
    assert role.policy.document == new


@pytest.mark.parametrize("arn", [role_arn(), None])
@pytest.mark.parametrize("status", ["ResourceDeleted", "ResourceDeletedNotRecorded"])
def test_what_was_deleted_is_not_there(status, arn):
    named = {"awsRegion": "global", "resourceId": "AROAEXAMPLE"}
    times = ({"configurationItemCaptureTime": f"2026-0{month}-01T00:00:00Z", **named} for month in (1, 2))
    items = [item(**next(times)), item(None, configurationItemStatus=status, **next(times), arn=arn)]
    row = only_row({"configurationItems": items})
    assert row.status == "ignored"
    assert "no role" in row.why


def test_a_query_need_not_select_what_names_a_resource():
    configurations = [{"arn": role_arn(name), "assumeRolePolicyDocument": ENCODED} for name in ("a", "b")]
    rows = [json.dumps({"configuration": configuration}) for configuration in configurations]
    assert [role.name for role in inventory({"x.json": {"Results": rows, "QueryInfo": {}}}).roles] == ["a", "b"]


def test_a_query_without_the_policy_leaves_it_unknown():
    row = {"arn": role_arn(), "resourceType": "AWS::IAM::Role", "configuration": {"roleName": "app"}}
    (role,) = inventory({"x.json": {"Results": [json.dumps(row)], "QueryInfo": {}}}).roles
    assert isinstance(role.policy, Unknown)


def test_providers_clusters_and_associations():
    association = {"ClusterName": "prod", "Namespace": "prod", "ServiceAccount": "app", "RoleArn": role_arn()}
    providers = {"Arn": provider_arn(), "Url": f"https://{ISSUER}", "ClientIdList": ["sts.amazonaws.com"]}
    items = [
        item(providers, "AWS::IAM::OIDCProvider", provider_arn()),
        item(
            {"Name": "prod", "Arn": cluster_arn(), "OpenIdConnectIssuerUrl": f"https://{ISSUER}"},
            "AWS::EKS::Cluster",
            cluster_arn(),
        ),
        item({"bucket": "x"}, "AWS::S3::Bucket", "arn:aws:s3:::x"),
    ]
    found = inventory(
        {"items.json": {"configurationItems": items}, "one.json": resource("AWS::EKS::PodIdentityAssociation", association)}
    )
    (provider,), (one,), (joined,) = found.providers, found.clusters, found.associations
    assert (provider.issuer, provider.client_ids) == (ISSUER, ("sts.amazonaws.com",))
    assert isinstance(provider.thumbprints, Unknown)
    assert (one.name, one.issuer) == ("prod", ISSUER)
    assert (joined.namespace, joined.service_account, joined.role_arn) == ("prod", "app", role_arn())
    (row,) = inventory({"x.json": resource("AWS::EKS::Cluster", cluster()["cluster"])}).clusters
    assert row.issuer == ISSUER


def test_an_association_of_eksctl_names_its_cluster_in_its_arn():
    arn = f"arn:aws:eks:eu-west-1:{ACCOUNT}:podidentityassociation/prod/a-1"
    listed = {"AssociationARN": arn, "Namespace": "prod", "ServiceAccountName": "app", "RoleARN": role_arn(), "OwnerARN": ""}
    (joined,) = inventory({"x.json": [listed]}).associations
    assert (joined.cluster, joined.id, joined.arn) == ("prod", "a-1", arn)
    assert (joined.namespace, joined.service_account, joined.role_arn) == ("prod", "app", role_arn())
    assert only_row([{**listed, "AssociationARN": "a-1"}]).status == "unreadable"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"configurationItems": [item("{")]}, "no JSON"),
        ({"Results": ["[]"], "QueryInfo": {}}, "an object was expected"),
        ({"configurationItems": [5]}, "an object was expected"),
        ({"TypeName": "AWS::IAM::Role", "ResourceDescription": {"Properties": "{}"}}, "`Arn` is missing"),
        (
            {
                "rows": [
                    {"arn": role_arn(), "assume_role_policy": TRUST},
                    {"arn": role_arn(), "name": 5, "assume_role_policy": {}},
                ]
            },
            "a string",
        ),
        (resource("AWS::IAM::OIDCProvider", {"Arn": "x"}), "not a valid ARN"),
    ],
)
def test_a_broken_record_is_named_and_the_others_are_read(content, why):
    row = next(row for row in inventory({"x.json": content}).documents if row.status == "unreadable")
    assert why in row.why


@pytest.mark.parametrize(
    "content",
    [
        {"Results": [{"a": 1}]},
        {"rows": [{"arn": "arn:aws:s3:::x"}]},
        {"arn": "arn:aws:iam::111122223333:user/x", "assume_role_policy": {}},
        {"TypeName": "AWS::S3::Bucket", "ResourceDescription": {"Properties": "{}"}},
    ],
)
def test_what_has_no_role_is_ignored(content):
    row = only_row(content)
    assert row.status == "ignored"
    assert not inventory({"x.json": content}).roles


TEMPLATE = {
    "Parameters": {"Name": {"Type": "String", "Default": "app"}},
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "Name"}, "AssumeRolePolicyDocument": TRUST}}
    },
}


@pytest.mark.parametrize(
    "body", [TEMPLATE, json.dumps(TEMPLATE), yaml.safe_dump(TEMPLATE), "# a comment\n" + yaml.safe_dump(TEMPLATE)]
)
def test_a_template_that_cloudformation_answers_is_a_template(body):
    found = inventory({"x.json": {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}})
    (role,) = found.roles
    assert role.policy.document == TRUST
    assert [row.status for row in found.documents] == ["read"]


@pytest.mark.parametrize(
    ("body", "old", "twice"),
    [
        (json.dumps(TEMPLATE), '"Effect"', '"Effect": 1, "Effect"'),
        (yaml.safe_dump(TEMPLATE), "        - Action:", "        - Effect: 1\n          Action:"),
    ],
)
def test_a_member_that_is_twice_in_it_is_named(body, old, twice):
    rows = inventory({"x.json": {"TemplateBody": body.replace(old, twice)}}).documents
    assert [row.status for row in rows] == ["read", "unreadable"]
    assert "member `Effect` appears twice" in rows[1].why


@pytest.mark.parametrize("body", ["{", "a: [1", "- &a [*a"])
def test_a_broken_template_that_cloudformation_answers_is_named(body):
    row = only_row({"TemplateBody": body, "StagesAvailable": []})
    assert row.status == "unreadable"
    assert "in the template" in row.why
