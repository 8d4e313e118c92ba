import json

import pytest

from irsa_doctor.model import parse_arn
from irsa_doctor.sources import Loading, load
from irsa_doctor.sources.live import LiveError, LiveOptions, Plan, Target, load_live, lookup_events, take
from irsa_doctor.sources.live.calls import Clock, Job, Notes, side_by_side
from tests.servers.aws import Problem, denied
from tests.servers.world import account_of, cluster_of
from tests.sources.live.test_aws import ACCOUNT, CLUSTER, EVERYTHING, ISSUER, association, fill, inventory, role, says
from tests.sources.live.test_snapshot import WORLDS

ROLE_ARN = "eks.amazonaws.com/role-arn"


@pytest.mark.parametrize("world", ["healthy", "shop"])
def test_of_a_target_the_same_is_known_as_when_everything_is_read(world, monkeypatch, tmp_path):
    folder = WORLDS / world
    with account_of(folder) as aws, cluster_of(folder) as kubernetes:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        options = LiveOptions(aws=True, kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path))
        whole = inventory(take(Plan("check"), options))
        for sa in whole.service_accounts:
            part = load_live(Plan("why", target=Target(sa.namespace, sa.name)), options).inventory
            assert told(part, sa) == told(whole, sa)


def told(inventory, sa):
    """What is known of one service account, its role, its workloads, and what stands between them."""
    key = sa.cluster, sa.namespace, sa.name
    found = inventory.service_account_by_key[key]
    arn = parse_arn(str(found.annotations.get(ROLE_ARN, "")))
    named = inventory.role_by_arn.get(str(arn))
    (cluster,) = (one for one in inventory.clusters if one.id == sa.cluster)
    associated = inventory.association_by_key.get(key)
    return {
        "annotations": found.annotations,
        "role": named and (named.policy.document, named.max_session, named.created),
        "no role": bool(arn) and inventory.closed.has_role(arn.account, arn.name.rpartition("/")[2]),
        "workloads": [(one.kind, one.name) for one in inventory.workloads_by_service_account.get(key, ())],
        "cluster": (cluster.issuer, cluster.version, cluster.created),
        "providers": {one.arn: one.client_ids for one in inventory.providers if one.issuer == cluster.issuer},
        "no provider": sorted(inventory.closed.providers),
        "association": associated and (associated.role_arn, associated.session_tags),
        "no association": inventory.closed.has_association(*key),
        "kinds": [inventory.closed.has_kind(sa.cluster, kind, sa.namespace) for kind in ("serviceaccounts", "pods", "jobs")],
        "webhooks": [(one.name, one.on_pod_create) for one in inventory.webhooks],
        "keys": [one.kid for one in inventory.signing_keys],
    }


def manifest(folder, name="web", namespace="shop", arn=f"arn:aws:iam::{ACCOUNT}:role/app-0"):
    annotations = {ROLE_ARN: arn} if arn else {}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}))
    return str(path)


def workload(folder, arn):
    container = {"name": "app", "env": [{"name": "AWS_ROLE_ARN", "value": arn}]}
    spec = {"selector": {}, "template": {"spec": {"serviceAccountName": "web", "containers": [container]}}}
    document = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"}, "spec": spec}
    (folder / "deployment.json").write_text(json.dumps(document))
    return str(folder / "deployment.json")


WEB = Plan("why", target=Target("shop", "web"))


def test_the_role_in_a_workloads_environment_is_asked_for_too(aws, ask, tmp_path):
    fill(aws, roles=3)
    paths = manifest(tmp_path), workload(tmp_path, f"arn:aws:iam::{ACCOUNT}:role/app-2")
    found = inventory(ask(WEB, aws=aws, paths=paths))
    assert {one.name for one in found.roles} == {"app-0", "app-2"}


def test_a_workload_as_target_leads_to_its_service_account(aws, ask, tmp_path):
    fill(aws, roles=3).associations["shop"] = [{**association("web"), "namespace": "shop"}]
    aws.roles["web"] = role("web")
    paths = manifest(tmp_path), workload(tmp_path, f"arn:aws:iam::{ACCOUNT}:role/app-1")
    plan = Plan("why", target=Target("shop", "api", kind="deployment"), cluster="shop")
    found = inventory(ask(plan, aws=aws, paths=paths))
    assert {one.name for one in found.roles} == {"app-0", "app-1", "web"}
    assert found.closed.has_association(CLUSTER, "shop", "web")


def test_the_role_that_the_user_names_is_asked_for(aws, ask, tmp_path):
    plan = Plan("why", target=Target("shop", "web"), roles=(f"arn:aws:iam::{ACCOUNT}:role/app-2",))
    found = inventory(ask(plan, aws=fill(aws, roles=3), paths=[manifest(tmp_path)]))
    assert {one.name for one in found.roles} == {"app-0", "app-2"}


@pytest.mark.parametrize("cluster", ["shop", CLUSTER])
def test_the_cluster_that_the_user_names_is_the_only_one_that_is_asked_for(aws, ask, tmp_path, cluster):
    plan = Plan("why", target=Target("shop", "web"), cluster=cluster)
    found = inventory(ask(plan, aws=fill(aws), paths=[manifest(tmp_path)]))
    assert [one.id for one in found.clusters] == [CLUSTER]
    assert aws.called("ListClusters") == []


def test_a_cluster_of_another_account_is_not_looked_for_in_this_one(aws, ask, tmp_path):
    plan = Plan("why", target=Target("shop", "web"), cluster=CLUSTER.replace(ACCOUNT, "444455556666"))
    ask(plan, aws=fill(aws), paths=[manifest(tmp_path)])
    assert aws.called("DescribeCluster") == []


def test_the_issuer_of_a_token_finds_its_cluster(aws, ask, tmp_path):
    plan = Plan("why", target=Target("shop", "web"), issuers=(ISSUER,))
    fill(aws)
    aws.clusters["other"] = {**aws.clusters["shop"], "name": "other", "arn": CLUSTER.replace("shop", "other")}
    aws.clusters["other"]["identity"] = {"oidc": {"issuer": "https://oidc.eks.us-east-1.amazonaws.com/id/OTHER"}}
    found = inventory(ask(plan, aws=aws, paths=[manifest(tmp_path)]))
    assert CLUSTER in {one.id for one in found.clusters}
    assert [one.client_ids for one in found.providers] == [("sts.amazonaws.com",)]


def test_where_nothing_names_a_cluster_all_of_the_region_are_read(aws, ask, tmp_path):
    found = inventory(ask(WEB, aws=fill(aws), paths=[manifest(tmp_path)]))
    assert [one.id for one in found.clusters] == [CLUSTER]


def test_a_cluster_that_is_described_in_files_is_not_asked_for_again(aws, ask, tmp_path):
    described = {"cluster": {"name": "shop", "arn": CLUSTER, "identity": {"oidc": {"issuer": f"https://{ISSUER}"}}}}
    (tmp_path / "cluster.json").write_text(json.dumps(described))
    manifest(tmp_path)
    snapshot = ask(WEB, aws=fill(aws), paths=[str(tmp_path)])
    assert aws.called("DescribeCluster") == []
    found = load([str(tmp_path)], snapshots=[snapshot]).inventory
    assert found.closed.has_association(CLUSTER, "shop", "web")


def test_without_a_region_the_clusters_are_unknown(aws, ask, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    snapshot = ask(EVERYTHING, aws=aws)
    assert "no region is configured | name one with --region" in says(snapshot)


def test_the_region_of_other_sdks_is_taken_too(aws, ask, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert inventory(ask(EVERYTHING, aws=aws)).closed.clusters == {(ACCOUNT, "us-east-1")}


def test_what_the_token_alone_names_is_asked_for(aws, ask):
    plan = Plan("why", roles=(f"arn:aws:iam::{ACCOUNT}:role/app-0",), issuers=(ISSUER,), everything=False)
    found = inventory(ask(plan, aws=fill(aws)))
    assert [one.name for one in found.roles] == ["app-0"]
    assert [one.client_ids for one in found.providers] == [("sts.amazonaws.com",)]


def test_a_denied_association_is_neither_there_nor_missing(aws, ask, tmp_path):
    fill(aws).faults["ListPodIdentityAssociations"] = denied("eks:ListPodIdentityAssociations")
    plan = Plan("why", target=Target("shop", "web"), cluster="shop")
    found = inventory(ask(plan, aws=aws, paths=[manifest(tmp_path)]))
    assert not found.closed.has_association(CLUSTER, "shop", "web")
    unknown = found.unknown("associations", CLUSTER, "shop/web", "not given")
    assert "eks:ListPodIdentityAssociations is denied" in unknown.missing


def test_both_sources_failing_is_one_line_with_both_reasons(aws, kubernetes, ask, tmp_path):
    aws.faults["GetCallerIdentity"] = Problem("ExpiredToken", "expired", 403)
    config = kubernetes.kubeconfig(tmp_path, user={"token": "wrong"})
    with pytest.raises(LiveError, match=r"AWS: .*; Kubernetes context shop: .*"):
        ask(EVERYTHING, aws=aws, kubernetes=kubernetes, kubeconfig=config)


def test_a_kubeconfig_that_leads_nowhere_leaves_aws(aws, ask, tmp_path):
    snapshot = take(EVERYTHING, LiveOptions(aws=True, kube=True, kubeconfig=str(tmp_path / "gone")))
    assert "Kubernetes: no kubeconfig found at" in says(snapshot)
    assert inventory(fill(aws) and snapshot).closed.roles == {ACCOUNT}


def test_events_are_looked_up_in_the_account_of_the_role(aws):
    aws.events = [{"EventName": "AssumeRoleWithWebIdentity", "CloudTrailEvent": json.dumps({"eventName": "x"})}]
    document = json.loads(lookup_events(LiveOptions(), f"arn:aws:iam::{ACCOUNT}:role/app"))
    assert document == {"Events": [{"EventName": "AssumeRoleWithWebIdentity", "CloudTrailEvent": '{"eventName":"x"}'}]}
    assert {operation for _, operation, _ in aws.calls} == {"GetCallerIdentity", "LookupEvents"}


def test_events_of_another_account_are_one_sentence(aws):
    with pytest.raises(LiveError, match="events of account 444455556666: the credentials are those of account 111122223333"):
        lookup_events(LiveOptions(), "arn:aws:iam::444455556666:role/app")


def test_events_that_are_denied_are_one_sentence(aws):
    aws.faults["LookupEvents"] = denied("cloudtrail:LookupEvents")
    with pytest.raises(LiveError, match="cloudtrail:LookupEvents is denied"):
        lookup_events(LiveOptions())


def test_an_error_of_our_own_is_raised_where_the_jobs_are_waited_for():
    def broken():
        raise KeyError("ours")

    notes = Notes()
    with pytest.raises(KeyError, match="ours"):
        side_by_side([Job(broken, None), Job(lambda: None, None)], Clock(5, 1), notes)


def test_what_comes_after_the_end_is_not_taken():
    notes = Notes()
    notes.end()
    notes.answered("aws://1/x", "iam-list-roles", {}, None)
    notes.requested("roles", "1", "x")
    notes.gap(None)
    snapshot = notes.snapshot(version="0", taken="")
    assert (snapshot.documents, snapshot.queries, snapshot.missing) == ((), (), ())


def test_documents_are_read_once_though_a_plan_joins_them_again_and_again(kubernetes, tmp_path):
    policy, arn = {"Version": "2012-10-17", "Statement": []}, f"arn:aws:iam::{ACCOUNT}:role/x"
    path = tmp_path / "roles.json"
    path.write_text(json.dumps({"Roles": [{"Arn": arn, "RoleName": "x", "AssumeRolePolicyDocument": policy}]}))
    loading = Loading.of([str(path)])
    path.unlink()
    options = LiveOptions(kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path))
    loaded = load_live(Plan("why", target=Target("shop", "web")), options, loading)
    assert [role.arn for role in loaded.inventory.roles] == [arn]
    again = loading.loaded()
    assert [row.path for row in again.inventory.documents] == [str(path)]
    assert [(row.kind, row.why) for row in again.inventory.documents] == [("iam-list-roles", None)]
