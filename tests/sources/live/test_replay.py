"""Kubernetes as it was recorded, of an old version and a new one."""

import pytest

from irsa_doctor.sources import load
from irsa_doctor.sources.live import LiveError, LiveOptions, Plan, take
from tests.servers.replay import VERSIONS, Replay

ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"


@pytest.fixture(params=VERSIONS)
def recorded(request):
    with Replay(request.param) as server:
        yield request.param, server


def taken(server, folder, **more):
    return take(Plan("check"), LiveOptions(kube=True, kubeconfig=server.kubeconfig(folder, **more)))


def test_a_recorded_cluster_is_read_whole(recorded, tmp_path):
    version, server = recorded
    snapshot = taken(server, tmp_path)
    found = load([], snapshots=[snapshot]).inventory
    assert snapshot.missing == ()
    # the old one was built without its version
    assert [(one.id, one.version) for one in found.clusters] == [(ISSUER, "" if version == "1.20" else version)]
    assert found.service_account_by_key[ISSUER, "app", "web"].annotations["eks.amazonaws.com/role-arn"]
    assert {(one.kind, one.name) for one in found.workloads} >= {("Pod", "web-0"), ("Pod", "web-nohook")}
    assert len(found.signing_keys) == 2
    assert {row.path for row in found.documents if row.status != "read"} <= {"kube://shop/version"}
    kinds = ("serviceaccounts", "pods", "namespaces", "deployments", "daemonsets", "cronjobs", "mutatingwebhookconfigurations")
    assert all(found.closed.has_kind(ISSUER, kind) for kind in kinds)


def test_the_webhook_of_the_recording_is_read(recorded, tmp_path):
    _, server = recorded
    found = load([], snapshots=[taken(server, tmp_path)]).inventory
    assert any(webhook.on_pod_create for webhook in found.webhooks)


def test_the_volume_of_the_mutated_pod_is_kept_and_the_other_has_none(recorded, tmp_path):
    _, server = recorded
    found = load([], snapshots=[taken(server, tmp_path)]).inventory
    pods = {one.name: one for one in found.workloads if one.kind == "Pod"}
    assert pods["web-0"].token_audiences["aws-iam-token"] == "sts.amazonaws.com"
    assert "aws-iam-token" not in pods["web-nohook"].token_audiences


def test_a_refusal_in_the_servers_own_words_names_the_user(recorded, tmp_path):
    _, server = recorded
    server.denied = {"/api/v1/serviceaccounts"}
    (gap,) = taken(server, tmp_path).missing
    assert gap.missing == "serviceaccounts of all namespaces (context shop): denied to nobody"


def test_credentials_that_were_refused_are_one_sentence(recorded, tmp_path):
    _, server = recorded
    with pytest.raises(LiveError, match=r"does not accept the credentials of context shop \(401\)"):
        taken(server, tmp_path, user={"token": "wrong"})


def test_a_list_whose_second_page_is_refused_is_open(recorded, tmp_path):
    _, server = recorded
    server.paged = True
    snapshot = taken(server, tmp_path)
    found = load([], snapshots=[snapshot]).inventory
    assert len(found.service_accounts) == 2
    assert not found.closed.has_kind(ISSUER, "serviceaccounts")
    assert "continue token" in snapshot.missing[0].missing
