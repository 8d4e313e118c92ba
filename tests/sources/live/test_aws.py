# Long: mirrors one client, call by call with what can go wrong
import json
import socket
import time

import msgspec
import pytest

from irsa_doctor.model import TrustPolicy
from irsa_doctor.sources import load
from irsa_doctor.sources.live import LiveError, LiveOptions, Plan, Target, aws_errors, take
from irsa_doctor.sources.live.aws import AwsAccount, policy_document
from irsa_doctor.sources.live.aws_client import NotARead
from irsa_doctor.sources.live.calls import Clock, Notes
from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.sources.snapshot.snapshot import snapshot_text
from tests.cli.running import is_gone
from tests.servers.aws import Problem, denied

ACCOUNT = "111122223333"
ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
CLUSTER = f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/shop"
EVERYTHING = Plan("check")


def trust(name="app"):
    condition = {"StringEquals": {f"{ISSUER}:sub": f"system:serviceaccount:shop:{name}"}}
    statement = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]})


def role(name="app", path="/", account=ACCOUNT, policy=None):
    return {
        "Path": path,
        "RoleName": name,
        "RoleId": "AROAEXAMPLE",
        "Arn": f"arn:aws:iam::{account}:role{path}{name}",
        "CreateDate": "2026-01-05T08:00:00Z",
        "AssumeRolePolicyDocument": policy or trust(name),
        "Description": "not asked for",
        "MaxSessionDuration": 7200,
    }


def fill(aws, roles=1):
    aws.roles = {f"app-{number}": role(f"app-{number}") for number in range(roles)}
    aws.providers = {PROVIDER: {"Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": ["a" * 40]}}
    identity = {"oidc": {"issuer": f"https://{ISSUER}"}}
    aws.clusters = {"shop": {"name": "shop", "arn": CLUSTER, "identity": identity, "version": "1.31", "status": "ACTIVE"}}
    return aws


def inventory(snapshot):
    return load([], snapshots=[snapshot]).inventory


def says(snapshot):
    return "\n".join(f"{gap.missing} | {gap.how}" for gap in snapshot.missing)


def test_every_page_of_the_roles_is_read(aws, ask):
    fill(aws, roles=25).page_size = 10
    found = inventory(ask(EVERYTHING, aws=aws))
    assert {one.name for one in found.roles} == {f"app-{number}" for number in range(25)}
    assert found.closed.roles == {ACCOUNT}
    assert len(aws.called("ListRoles")) == 3


def test_what_is_kept_of_a_role_is_what_was_asked_for(aws, ask):
    fill(aws)
    (found,) = inventory(ask(EVERYTHING, aws=aws)).roles
    assert (found.arn, found.max_session, found.created) == (f"arn:aws:iam::{ACCOUNT}:role/app-0", 7200, "2026-01-05T08:00:00Z")
    (answered,) = (one for one in ask(EVERYTHING, aws=aws).documents if one.path.endswith("/roles"))
    assert b"not asked for" not in answered.content
    assert b"RoleId" not in answered.content


def test_providers_and_clusters_are_described(aws, ask):
    found = inventory(ask(EVERYTHING, aws=fill(aws)))
    assert [(one.arn, one.client_ids) for one in found.providers] == [(PROVIDER, ("sts.amazonaws.com",))]
    assert [(one.arn, one.issuer, one.version) for one in found.clusters] == [(CLUSTER, ISSUER, "1.31")]
    assert found.closed.providers == {ACCOUNT}
    assert found.closed.clusters == {(ACCOUNT, "us-east-1")}
    assert found.closed.associations == {CLUSTER}


def test_clusters_are_looked_for_where_providers_have_their_issuers(aws, ask):
    fill(aws)
    other = ISSUER.replace("us-east-1", "ap-south-1")
    aws.providers[PROVIDER.replace("us-east-1", "ap-south-1")] = {"Url": other, "ClientIDList": []}
    found = inventory(ask(EVERYTHING, aws=aws))
    assert found.closed.clusters == {(ACCOUNT, "us-east-1"), (ACCOUNT, "ap-south-1")}


def test_only_the_regions_that_are_named_are_asked(aws, ask):
    found = inventory(ask(EVERYTHING, aws=fill(aws), regions=("eu-west-1",)))
    assert found.closed.clusters == {(ACCOUNT, "eu-west-1")}
    assert found.clusters == ()


def test_a_denied_list_is_unknown_and_names_the_permission(aws, ask):
    fill(aws).faults["ListRoles"] = denied("iam:ListRoles")
    snapshot = ask(EVERYTHING, aws=aws)
    assert "iam:ListRoles is denied to arn:aws:sts::111122223333:assumed-role/auditor/me because" in says(snapshot)
    assert "irsa-doctor permissions check" in says(snapshot)
    assert inventory(snapshot).closed.roles == frozenset()


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("ListOpenIDConnectProviders", "iam:ListOpenIDConnectProviders"),
        ("GetOpenIDConnectProvider", "iam:GetOpenIDConnectProvider"),
        ("ListClusters", "eks:ListClusters"),
        ("DescribeCluster", "eks:DescribeCluster"),
        ("ListPodIdentityAssociations", "eks:ListPodIdentityAssociations"),
    ],
)
def test_whatever_is_denied_is_named_and_closes_nothing(aws, ask, operation, action):
    fill(aws).faults[operation] = denied(action)
    snapshot = ask(EVERYTHING, aws=aws)
    assert f"{action} is denied" in says(snapshot)
    closed = inventory(snapshot).closed
    assert {"ListOpenIDConnectProviders": closed.providers, "ListClusters": closed.clusters}.get(
        operation, frozenset()
    ) == frozenset()


def test_what_a_denied_description_leaves_open_says_so_itself(aws, ask):
    fill(aws).faults["GetOpenIDConnectProvider"] = denied("iam:GetOpenIDConnectProvider")
    (provider,) = inventory(ask(EVERYTHING, aws=aws)).providers
    assert "iam:GetOpenIDConnectProvider is denied" in provider.client_ids.missing


def test_a_cluster_that_may_not_be_described_is_there_without_its_issuer(aws, ask):
    fill(aws).faults["DescribeCluster"] = denied("eks:DescribeCluster")
    (cluster,) = inventory(ask(EVERYTHING, aws=aws)).clusters
    assert cluster.name == "shop"
    assert "eks:DescribeCluster is denied" in cluster.issuer.missing


def test_a_page_that_fails_leaves_what_was_read_and_an_open_list(aws, ask):
    fill(aws, roles=25).page_size = 10
    aws.faults["ListRoles"] = lambda parameters, number: denied("iam:ListRoles") if parameters.get("Marker") else None
    snapshot = ask(EVERYTHING, aws=aws)
    assert len(inventory(snapshot).roles) == 10
    assert inventory(snapshot).closed.roles == frozenset()
    assert "iam:ListRoles is denied" in says(snapshot)


def test_a_page_of_clusters_that_fails_leaves_an_open_list(aws, ask):
    fill(aws).page_size = 1
    aws.clusters["depot"] = {**aws.clusters["shop"], "name": "depot", "arn": CLUSTER.replace("shop", "depot")}
    aws.faults["ListClusters"] = lambda parameters, number: denied("eks:ListClusters") if parameters.get("nextToken") else None
    snapshot = ask(EVERYTHING, aws=aws)
    assert {one.name for one in inventory(snapshot).clusters} == {"depot"}
    assert inventory(snapshot).closed.clusters == frozenset()


def test_a_page_that_comes_again_and_again_ends(aws, ask):
    fill(aws).faults["ListRoles"] = lambda parameters, number: {"Roles": [], "IsTruncated": True, "Marker": "same"}
    snapshot = ask(EVERYTHING, aws=aws)
    assert "iam:ListRoles: the same page was answered again" in says(snapshot)
    assert inventory(snapshot).closed.roles == frozenset()


def test_a_list_that_goes_on_without_saying_where_is_open(aws, ask):
    whole = fill(aws, roles=25).on_list_roles
    aws.page_size = 10
    aws.faults["ListRoles"] = lambda parameters, number: {**whole(parameters), "Marker": None}
    snapshot = ask(EVERYTHING, aws=aws)
    assert len(inventory(snapshot).roles) == 10
    assert inventory(snapshot).closed.roles == frozenset()
    assert "iam:ListRoles: the list is cut short" in says(snapshot)


def test_throttling_is_waited_out(aws, ask):
    fill(aws).faults["ListRoles"] = lambda parameters, number: Problem("Throttling", "Rate exceeded") if number == 1 else None
    snapshot = ask(EVERYTHING, aws=aws)
    assert inventory(snapshot).closed.roles == {ACCOUNT}
    assert len(aws.called("ListRoles")) == 2


def test_throttling_without_end_is_unknown(aws, ask, monkeypatch):
    monkeypatch.setattr(aws_errors, "ATTEMPTS", 2)
    fill(aws).faults["ListRoles"] = Problem("Throttling", "Rate exceeded")
    snapshot = ask(EVERYTHING, aws=aws)
    assert "iam:ListRoles: throttled, 2 times in a row (Throttling)" in says(snapshot)
    assert len(aws.called("ListRoles")) == 2


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (Problem("ExpiredToken", "The security token included in the request is expired", 403), "sign in again"),
        (Problem("InvalidClientTokenId", "The security token is invalid.", 403), "check them with aws sts get-caller-identity"),
        (Problem("SignatureDoesNotMatch", "Signature expired", 403), "does not accept the credentials"),
    ],
)
def test_credentials_that_aws_does_not_accept_are_one_sentence(aws, ask, problem, sentence):
    aws.faults["GetCallerIdentity"] = problem
    with pytest.raises(LiveError, match=sentence):
        ask(EVERYTHING, aws=aws)


def test_missing_credentials_are_one_sentence(aws, ask, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(LiveError, match="no credentials were found: name a --profile"):
        ask(EVERYTHING, aws=aws)
    assert aws.calls == []


def test_a_profile_that_is_not_there_is_one_sentence(aws, ask):
    with pytest.raises(LiveError, match="nobody"):
        ask(EVERYTHING, aws=aws, profiles=("nobody",))


def test_a_program_for_credentials_that_fails_is_one_sentence(aws, ask, tmp_path, monkeypatch):
    (tmp_path / "aws-config").write_text("[profile broken]\ncredential_process = /nonexistent/program\nregion = us-east-1\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(LiveError, match="AWS profile broken"):
        ask(EVERYTHING, aws=aws, profiles=("broken",))


_EXPIRED = json.dumps({"Version": 1, "AccessKeyId": "x", "SecretAccessKey": "x", "Expiration": "2020-01-01T00:00:00Z"})
_PROFILE = "[default]\nregion = eu-west-1\n"


@pytest.mark.parametrize(
    ("configuration", "sentence"),
    [
        ("credential_process = /nonexistent/sign-in", "no credentials can be had: /nonexistent/sign-in: no such file"),
        ("credential_process = /bin/echo hello", "no credentials can be had: what provides them gives an answer that is none"),
        (
            f"credential_process = /bin/echo '{_EXPIRED}'",
            "no credentials can be had: they have expired, and new ones as well",
        ),
        (
            f"role_arn = arn:aws:iam::{ACCOUNT}:role/x\nsource_profile = nobody",
            "the configuration of AWS leads to no credentials: a profile, a session or a role is missing in it",
        ),
        (
            f"role_arn = arn:aws:iam::{ACCOUNT}:role/x\nweb_identity_token_file = /nonexistent/token",
            "no credentials can be had: /nonexistent/token: no such file",
        ),
    ],
)
def test_a_configuration_that_leads_to_no_credentials_is_one_sentence(tmp_path, monkeypatch, aws, ask, configuration, sentence):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "aws-config").write_text(_PROFILE + configuration, encoding="utf-8")
    with pytest.raises(LiveError) as caught:
        ask(EVERYTHING, aws=aws)
    assert str(caught.value).startswith(f"AWS: {sentence}")


def test_a_profile_whose_role_refuses_is_one_sentence(tmp_path, monkeypatch, aws, ask):
    roles = f"[profile app]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/x\ncredential_source = Environment\n"
    (tmp_path / "aws-config").write_text(roles, encoding="utf-8")
    aws.faults["AssumeRole"] = denied("sts:AssumeRole")
    with pytest.raises(LiveError, match=r"AWS profile app: AssumeRole is denied because no identity-based policy allows"):
        ask(EVERYTHING, aws=aws, profiles=("app",))


def test_a_program_for_credentials_that_never_ends_is_not_waited_for(tmp_path, monkeypatch, aws, ask):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "aws-config").write_text(f"{_PROFILE}credential_process = /bin/sleep 5", encoding="utf-8")
    begun = time.monotonic()
    with pytest.raises(LiveError, match=r"AWS: no answer within the 0\.2 s that --timeout gives"):
        ask(EVERYTHING, aws=aws, timeout=0.2)
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("has_terminal", [False, True])
@pytest.mark.parametrize("source", ["", "source_profile = keys\nrole_arn = arn:aws:iam::111122223333:role/x\n[profile keys]\n"])
def test_a_program_for_credentials_ends_with_the_run(tmp_path, monkeypatch, aws, ask, source, has_terminal):
    monkeypatch.setattr("irsa_doctor.sources.live.programs._has_terminal", lambda: has_terminal)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    program = tmp_path / "program"
    child = "exec sleep 60" if has_terminal else f"sleep 60 &\necho $! >> {tmp_path}/pids\nwait"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pids\n{child}\n")
    program.chmod(0o755)
    (tmp_path / "aws-config").write_text(f"[profile app]\n{source}credential_process = {program}", encoding="utf-8")
    with pytest.raises(LiveError, match="no answer within"):
        ask(EVERYTHING, aws=aws, timeout=2, profiles=("app",))
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2 - has_terminal
    assert all(is_gone(int(pid)) for pid in pids)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("AWS_SESSION_TOKEN", "one\ntwo", "a key or a token of the credentials has a character that no header can have"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "sts:GetCallerIdentity: the endpoint in the configuration of AWS"),
        ("AWS_DEFAULT_REGION", "eu west", "sts:GetCallerIdentity: no region is called eu west"),
    ],
)
def test_a_value_of_the_environment_that_is_none_is_one_sentence(aws, ask, monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)
    with pytest.raises(LiveError) as caught:
        ask(EVERYTHING, aws=aws)
    assert str(caught.value).startswith(f"AWS: {sentence}")


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (Problem("UnrecognizedClientException", "The security token is invalid", 403), "the region is not enabled"),
        (Problem("OptInRequired", "not subscribed", 403), "the region is not enabled"),
        (Problem("RequestTimeTooSkewed", "too far", 403), "set the clock of this machine"),
        (Problem("InvalidSignatureException", "Signature not yet current: 2 is still later than 1", 403), "set the clock"),
        (
            Problem(
                "AccessDeniedException", f"User: {CLUSTER} is not authorized with an explicit deny in a service control policy"
            ),
            "because an explicit deny in a service control policy",
        ),
    ],
)
def test_what_a_region_refuses_after_signing_in_has_its_own_reason(aws, ask, problem, sentence):
    fill(aws).faults["ListClusters"] = problem
    snapshot = ask(EVERYTHING, aws=aws)
    assert "eks:ListClusters" in says(snapshot)
    assert sentence in says(snapshot)
    assert inventory(snapshot).closed.clusters == frozenset()


def test_an_endpoint_that_nobody_listens_at_is_one_sentence(ask, monkeypatch, aws):
    monkeypatch.setattr(aws_errors, "ATTEMPTS", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(LiveError, match="cannot be reached"):
            ask(EVERYTHING, aws=aws)


def test_an_answer_that_is_none_of_aws_is_unknown(aws, ask):
    fill(aws).faults["ListRoles"] = lambda parameters, number: b"<html>proxy</html>"
    snapshot = ask(EVERYTHING, aws=aws)
    assert inventory(snapshot).closed.roles == frozenset()
    assert "roles of account" in says(snapshot)


@pytest.mark.parametrize(
    "operation", ["ListRoles", "ListOpenIDConnectProviders", "ListClusters", "ListPodIdentityAssociations"]
)
def test_a_list_that_is_not_in_the_answer_is_not_empty(aws, ask, operation):
    fill(aws).faults[operation] = lambda parameters, number: {}
    closed = inventory(ask(EVERYTHING, aws=aws)).closed
    open_now = {
        "ListRoles": closed.roles,
        "ListOpenIDConnectProviders": closed.providers,
        "ListClusters": closed.clusters,
        "ListPodIdentityAssociations": closed.associations,
    }
    assert open_now[operation] == frozenset()


@pytest.mark.parametrize("operation", ["DescribeCluster", "DescribePodIdentityAssociation"])
def test_an_answer_without_what_was_asked_for_is_unknown(aws, ask, operation):
    fill(aws).faults[operation] = lambda parameters, number: {}
    aws.associations["shop"] = [association("cart")]
    assert f"eks:{operation}: the answer is not one of AWS" in says(ask(EVERYTHING, aws=aws))


def test_an_answer_without_the_role_proves_nothing_of_it(aws, ask):
    fill(aws).faults["GetRole"] = lambda parameters, number: {}
    snapshot = ask(Plan("who-can", roles=(f"arn:aws:iam::{ACCOUNT}:role/app-0",), everything=False), aws=aws)
    assert not inventory(snapshot).closed.has_role(ACCOUNT, "app-0")
    assert "iam:GetRole: the answer is not one of AWS" in says(snapshot)


def test_a_caller_without_an_account_is_one_sentence(aws, ask):
    aws.faults["GetCallerIdentity"] = lambda parameters, number: {}
    with pytest.raises(LiveError, match="sts:GetCallerIdentity: the answer is not one of AWS"):
        ask(EVERYTHING, aws=aws)


def test_what_does_not_answer_in_time_is_unknown(aws, ask, monkeypatch):
    fill(aws)
    held = __import__("threading").Event()
    aws.faults["ListRoles"] = lambda parameters, number: held.wait(30) and None
    snapshot = ask(EVERYTHING, aws=aws, timeout=2.0)
    held.set()
    assert "no answer within the 2 s that --timeout gives" in says(snapshot)
    found = inventory(snapshot)
    assert found.closed.roles == frozenset()
    assert found.closed.providers == {ACCOUNT}


def test_a_policy_is_kept_as_it_was_written(aws, ask):
    twice = trust().replace('"Version": "2012-10-17"', '"Version": "2012-10-17", "Version": "2008-10-17"')
    fill(aws).roles["app-0"] = role("app-0", policy=twice)
    (found,) = inventory(ask(EVERYTHING, aws=aws)).roles
    assert isinstance(found.policy, TrustPolicy)
    assert [flaw.message for flaw in found.policy.flaws]


def test_a_policy_that_is_no_json_is_left_as_it_is():
    assert policy_document("%7Bnot json") == "%7Bnot json"
    assert policy_document("%7B%22a%22%3A 1e2%7D") == msgspec.Raw(b'{"a": 1e2}')


def test_a_call_that_is_not_in_the_table_is_stopped_before_it_is_sent(aws):
    account = AwsAccount("", "", LiveOptions(aws=True), "why", Clock(10, 5), Notes())
    account.open()
    aws.calls.clear()
    with pytest.raises(NotARead, match="iam:DeleteRole is no operation of why"):
        account.ask("iam", "DeleteRole", RoleName="app")
    with pytest.raises(NotARead):
        account.ask("sts", "AssumeRole", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/app", RoleSessionName="me")
    assert aws.calls == []


def test_a_command_may_only_call_its_own_operations(aws):
    account = AwsAccount("", "", LiveOptions(aws=True), "who-can", Clock(10, 5), Notes())
    account.open()
    with pytest.raises(NotARead):
        account.ask("iam", "ListRoles")


def test_pod_identity_associations_come_with_their_roles(aws, ask):
    fill(aws).associations["shop"] = [association("cart"), association("search")]
    aws.page_size = 1
    found = inventory(ask(EVERYTHING, aws=aws))
    roles = {(one.cluster, one.service_account, one.role_arn) for one in found.associations}
    assert roles == {(CLUSTER, name, f"arn:aws:iam::{ACCOUNT}:role/{name}") for name in ("cart", "search")}
    assert found.closed.has_association(CLUSTER, "storefront", "other")


AGENT = "eks-pod-identity-agent"


def with_parts(aws):
    fill(aws)
    settings = '{"agent": {"key": "not requested"}, "daemonsets": {"hybrid": {"create": true, "note": "not requested"}}}'
    aws.addons["shop"] = [
        {"addonName": "vpc-cni", "clusterName": "shop"},
        {"addonName": AGENT, "clusterName": "shop", "status": "DEGRADED", "configurationValues": settings},
    ]
    role = f"arn:aws:iam::{ACCOUNT}:role/app-0"
    aws.node_groups["shop"] = [{"nodegroupName": name, "clusterName": "shop", "nodeRole": role} for name in ("a", "b")]
    return aws


def test_the_addon_of_the_agent_and_the_node_groups_come_with_a_cluster(aws, ask):
    snapshot = ask(EVERYTHING, aws=with_parts(aws))
    found = inventory(snapshot)
    assert {(one.cluster, one.name, one.status) for one in found.addons} == {
        (CLUSTER, "vpc-cni", ""),
        (CLUSTER, AGENT, "DEGRADED"),
    }
    assert [one.daemonsets for one in found.addons if one.name == AGENT] == [("hybrid",)]
    assert {(one.cluster, one.group, one.arn) for one in found.node_roles} == {
        (CLUSTER, name, f"arn:aws:iam::{ACCOUNT}:role/app-0") for name in ("a", "b")
    }
    assert found.closed.addons == {CLUSTER}
    assert aws.called("DescribeAddon") == [{"clusterName": "shop", "addonName": AGENT, "region": "us-east-1"}]
    assert b"not requested" not in snapshot_text(snapshot)


@pytest.mark.parametrize("operation", ["ListAddons", "DescribeAddon", "ListNodegroups", "DescribeNodegroup"])
def test_parts_of_a_cluster_that_are_denied_are_unknown_and_cost_nothing_else(aws, ask, operation):
    with_parts(aws).faults[operation] = denied(f"eks:{operation}")
    snapshot = ask(EVERYTHING, aws=aws)
    assert any(f"eks:{operation}" in gap.missing for gap in snapshot.missing)
    found = inventory(snapshot)
    assert [one.arn for one in found.clusters] == [CLUSTER]
    assert (CLUSTER in found.closed.addons) == (operation != "ListAddons")


def test_a_configuration_that_cannot_be_read_stays_unknown(aws, ask):
    with_parts(aws).addons["shop"][1]["configurationValues"] = "[1"
    assert [one.daemonsets for one in inventory(ask(EVERYTHING, aws=aws)).addons if one.name == AGENT] == [None]


def test_the_tags_that_name_a_tool_are_kept_and_no_others(aws, ask):
    fill(aws)
    tags = [{"Key": "ManagedBy", "Value": "Terraform"}, {"Key": "owner", "Value": "not requested"}]
    aws.roles["app-0"]["Tags"] = tags
    aws.providers[PROVIDER]["Tags"] = tags
    snapshot = ask(EVERYTHING, aws=aws)
    found = inventory(snapshot)
    assert [one.managed_by for one in (*found.roles, *found.providers)] == ["Terraform", "Terraform"]
    assert b"not requested" not in snapshot_text(snapshot)


def association(name):
    return {
        "clusterName": "shop",
        "namespace": "storefront",
        "serviceAccount": name,
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "associationArn": f"arn:aws:eks:us-east-1:{ACCOUNT}:podidentityassociation/shop/a-{name}",
        "associationId": f"a-{name}",
        "createdAt": "2026-01-05T08:00:00Z",
    }


def test_resource_control_policies_are_read_from_the_account_up_to_the_root(aws, ask):
    fill(aws).organization = True
    aws.parents = {ACCOUNT: ["ou-1"], "ou-1": ["r-root"]}
    content = json.dumps({"Version": "2012-10-17", "Statement": []})
    aws.policies = {"p-account": (ACCOUNT, content), "p-unit": ("ou-1", content), "p-root": ("r-root", content)}
    found = inventory(ask(EVERYTHING, aws=aws))
    assert {one.id for one in found.rcps} == {"p-account", "p-unit", "p-root"}


def test_the_policies_are_known_to_stand_over_their_account(aws, ask):
    fill(aws).organization = True
    aws.parents = {ACCOUNT: ["r-root"]}
    aws.policies = {"p-root": ("r-root", json.dumps({"Version": "2012-10-17", "Statement": []}))}
    assert [one.account for one in inventory(ask(EVERYTHING, aws=aws)).rcps] == [ACCOUNT]


def test_over_the_management_account_they_have_no_effect(aws, ask):
    fill(aws).organization = True
    aws.management = ACCOUNT
    aws.policies = {"p-account": (ACCOUNT, json.dumps({"Version": "2012-10-17", "Statement": []}))}
    snapshot = ask(EVERYTHING, aws=aws)
    assert inventory(snapshot).rcps == ()
    assert snapshot.missing == ()


def test_an_organization_that_may_not_be_asked_is_unknown(aws, ask):
    fill(aws).organization = True
    aws.faults["ListPoliciesForTarget"] = denied("organizations:ListPoliciesForTarget")
    snapshot = ask(EVERYTHING, aws=aws)
    assert "resource control policies over account 111122223333: organizations:ListPoliciesForTarget is denied" in says(
        snapshot
    )


def test_an_account_without_organization_has_no_such_policies(aws, ask):
    assert ask(EVERYTHING, aws=fill(aws)).missing == ()


def test_events_come_without_what_sts_gave_out(aws):
    detail = {"eventName": "AssumeRoleWithWebIdentity", "responseElements": {"credentials": {"sessionToken": "made-up"}}}
    aws.events = [{"EventName": "AssumeRoleWithWebIdentity", "CloudTrailEvent": json.dumps(detail)} for _ in range(3)]
    aws.page_size = 2
    account = AwsAccount("", "", LiveOptions(aws=True), "why", Clock(10, 5), Notes())
    account.open()
    events, fault = account.lookup_events("us-east-1")
    assert fault is None
    assert len(events) == 3
    assert "made-up" not in json.dumps(events)
    (first, *_) = aws.called("LookupEvents")
    assert first["LookupAttributes"] == [{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity"}]


def test_a_role_is_asked_for_by_name_and_what_is_not_there_does_not_exist(aws, ask):
    fill(aws, roles=3)
    wanted = (f"arn:aws:iam::{ACCOUNT}:role/app-1", f"arn:aws:iam::{ACCOUNT}:role/gone")
    found = inventory(ask(Plan("who-can", roles=wanted, everything=False), aws=aws))
    assert [one.name for one in found.roles] == ["app-1"]
    assert found.closed.has_role(ACCOUNT, "Gone")
    assert not found.closed.has_role(ACCOUNT, "app-2")
    assert {operation for _, operation, _ in aws.calls} == {"GetCallerIdentity", "GetRole"}


def test_a_denied_role_is_neither_there_nor_missing(aws, ask):
    fill(aws).faults["GetRole"] = denied("iam:GetRole")
    snapshot = ask(Plan("who-can", roles=(f"arn:aws:iam::{ACCOUNT}:role/app-0",), everything=False), aws=aws)
    found = inventory(snapshot)
    assert not found.closed.has_role(ACCOUNT, "app-0")
    unknown = found.unknown("roles", ACCOUNT, "app-0", "not given")
    assert "iam:GetRole is denied" in unknown.missing


def test_a_role_of_another_account_is_unknown_and_names_both(aws, ask):
    snapshot = ask(Plan("who-can", roles=("arn:aws:iam::444455556666:role/app",), everything=False), aws=fill(aws))
    assert "of account 444455556666: the credentials are those of account 111122223333" in says(snapshot)
    assert aws.called("GetRole") == []


def test_a_bad_role_name_is_not_asked_for(aws, ask):
    ask(Plan("who-can", roles=(f"arn:aws:iam::{ACCOUNT}:role/a b\n",), everything=False), aws=fill(aws))
    assert aws.called("GetRole") == []


def test_each_profile_is_an_account_of_its_own(aws, ask, tmp_path, monkeypatch):
    from tests.servers.aws import FakeAws

    fill(aws)
    with FakeAws("444455556666") as other:
        other.roles = {"there": role("there", account="444455556666")}
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        keys = "aws_access_key_id = AKIAEXAMPLEEXAMPLE00\naws_secret_access_key = made-up\nregion = us-east-1\n"
        (tmp_path / "aws-config").write_text(
            f"[profile here]\n{keys}endpoint_url = {aws.url}\n[profile there]\n{keys}endpoint_url = {other.url}\n"
        )
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        found = inventory(take(EVERYTHING, LiveOptions(aws=True, profiles=("here", "there", "here"))))
    assert found.closed.roles == {ACCOUNT, "444455556666"}
    assert {one.name for one in found.roles} == {"app-0", "there"}
    assert len(aws.called("ListRoles")) == 1


def test_a_target_costs_as_many_calls_with_many_roles_as_with_few(aws, ask, tmp_path):
    manifest = tmp_path / "sa.json"
    annotation = {"eks.amazonaws.com/role-arn": f"arn:aws:iam::{ACCOUNT}:role/app-1"}
    account = {"name": "web", "namespace": "storefront", "annotations": annotation}
    manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}))
    counts = []
    for roles in (3, 300):
        fill(aws, roles=roles).calls.clear()
        snapshot = ask(Plan("why", target=Target("storefront", "web")), aws=aws, paths=(str(manifest),))
        assert inventory(snapshot).role_by_arn.keys() == {f"arn:aws:iam::{ACCOUNT}:role/app-1"}
        counts.append(len(aws.calls))
    assert counts[0] == counts[1]
    assert aws.called("ListRoles") == []


def test_where_no_role_is_named_those_that_trust_the_target_are_looked_for(aws, ask, tmp_path):
    manifest = tmp_path / "sa.json"
    manifest.write_text(
        json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "s"}})
    )
    snapshot = ask(Plan("why", target=Target("s", "web")), aws=fill(aws, roles=3), paths=(str(manifest),))
    assert len(inventory(snapshot).roles) == 3


def test_a_fault_is_a_value(aws):
    account = AwsAccount("", "", LiveOptions(aws=True), "why", Clock(10, 5), Notes())
    account.open()
    answer = account.ask("iam", "GetRole", RoleName="gone")
    assert isinstance(answer, CallError)
    assert answer.kind == "absent"
