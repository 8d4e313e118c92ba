# Long: mirrors one client, call by call with what can go wrong
import json
import socket

import pytest

from irsa_doctor.facts import View, derive
from irsa_doctor.sources import load
from irsa_doctor.sources.live import LiveError, LiveOptions, Plan, Target, load_live, take
from irsa_doctor.sources.live.calls import Clock, Notes
from irsa_doctor.sources.live.kubeconfig import connections
from irsa_doctor.sources.live.kubernetes import ApiServer, same_server
from tests.servers.aws import denied
from tests.servers.kubernetes import USER, WEBHOOK, FakeKubernetes
from tests.servers.tls import tls

EVERYTHING = Plan("check")
ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
ROLE = "arn:aws:iam::111122223333:role/app"


def account(name, namespace="shop", **annotations):
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-05T08:00:00Z", "uid": "made-up"}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def pod(name, namespace="shop", sa="web"):
    environment = [
        {"name": "AWS_ROLE_ARN", "value": ROLE},
        {"name": "DATABASE_PASSWORD", "value": "hunter2"},
        {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "api", "key": "key"}}},
    ]
    container = {"name": "app", "image": "shop/app:1", "env": environment, "command": ["run", "--password=hunter2"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-05T08:00:00Z"},
        "spec": {"serviceAccountName": sa, "containers": [container]},
        "status": {"phase": "Running", "podIP": "10.1.2.3"},
    }


def inventory(snapshot):
    return load([], snapshots=[snapshot]).inventory


def says(snapshot):
    return "\n".join(f"{gap.missing} | {gap.how}" for gap in snapshot.missing)


def test_every_page_is_read_and_closes_its_kind(kubernetes, ask):
    kubernetes.page_limit = 10
    kubernetes.add(*(account(f"app-{number}") for number in range(25)))
    found = inventory(ask(EVERYTHING, kubernetes=kubernetes))
    assert {one.name for one in found.service_accounts} == {f"app-{number}" for number in range(25)}
    assert found.closed.has_kind(ISSUER, "serviceaccounts")
    assert found.closed.has_kind(ISSUER, "pods")
    assert [path for path in kubernetes.calls if path.startswith("/api/v1/serviceaccounts")] == [
        "/api/v1/serviceaccounts?limit=500",
        "/api/v1/serviceaccounts?limit=500&continue=10",
        "/api/v1/serviceaccounts?limit=500&continue=20",
    ]


def test_the_issuer_says_which_cluster_it_is(kubernetes, ask):
    kubernetes.add(account("app"))
    found = inventory(ask(EVERYTHING, kubernetes=kubernetes))
    assert [(one.id, one.issuer, one.version) for one in found.clusters] == [(ISSUER, ISSUER, "1.31")]
    assert {one.cluster for one in found.service_accounts} == {ISSUER}


def test_no_secret_is_asked_for_and_no_value_kept(kubernetes, ask):
    kubernetes.add(account("web", **{"eks.amazonaws.com/role-arn": ROLE}), pod("web-0"), WEBHOOK)
    kubernetes.add(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "api", "namespace": "shop"}, "data": {"key": "x"}}
    )
    snapshot = ask(EVERYTHING, kubernetes=kubernetes)
    text = b"".join(one.content for one in snapshot.documents).decode()
    for hidden in ("hunter2", "secretKeyRef", "caBundle", "podIP", "made-up", "command"):
        assert hidden not in text
    assert not [path for path in kubernetes.calls if "secrets" in path or path.endswith("configmaps")]
    (workload,) = inventory(snapshot).workloads
    (container,) = workload.containers
    assert dict(container.env) == {"AWS_ROLE_ARN": ROLE, "DATABASE_PASSWORD": None, "API_KEY": None}


def test_tokens_and_access_keys_are_struck_out_wherever_they_stand(kubernetes, ask):
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
    kubernetes.add(account("web", **{"aws-hint": f"use {token} or AKIAIOSFODNN7EXAMPLE"}))
    text = b"".join(one.content for one in ask(EVERYTHING, kubernetes=kubernetes).documents).decode()
    assert "use *** or ***" in text


@pytest.mark.parametrize("plural", ["serviceaccounts", "pods", "deployments", "mutatingwebhookconfigurations"])
def test_what_may_not_be_listed_is_open_and_named(kubernetes, ask, plural):
    kubernetes.denied.add(plural)
    snapshot = ask(EVERYTHING, kubernetes=kubernetes)
    assert not inventory(snapshot).closed.has_kind(ISSUER, plural)
    assert f"{plural} of all namespaces (context shop): denied to {USER}" in says(snapshot)
    assert "irsa-doctor permissions check prints the ClusterRole" in says(snapshot)
    # a denial is not tried again
    assert len([path for path in kubernetes.calls if f"/{plural}?" in path]) == 1


def test_a_list_that_the_server_has_forgotten_is_read_again(kubernetes, ask):
    kubernetes.page_limit = 10
    kubernetes.gone.add("serviceaccounts")
    kubernetes.add(*(account(f"app-{number}") for number in range(25)))
    found = inventory(ask(EVERYTHING, kubernetes=kubernetes))
    assert len(found.service_accounts) == 25
    assert found.closed.has_kind(ISSUER, "serviceaccounts")


def test_a_page_that_fails_leaves_what_was_read_and_an_open_list(kubernetes, ask):
    kubernetes.page_limit = 10
    kubernetes.broken.add("serviceaccounts")
    kubernetes.add(*(account(f"app-{number}") for number in range(25)))
    snapshot = ask(EVERYTHING, kubernetes=kubernetes)
    assert len(inventory(snapshot).service_accounts) == 10
    assert not inventory(snapshot).closed.has_kind(ISSUER, "serviceaccounts")
    assert "the API server answered 500: etcdserver: request timed out" in says(snapshot)


def test_a_page_that_comes_again_and_again_ends(kubernetes, ask):
    kubernetes.endless.add("serviceaccounts")
    snapshot = ask(EVERYTHING, kubernetes=kubernetes)
    assert "the server gave the same page again" in says(snapshot)
    assert not inventory(snapshot).closed.has_kind(ISSUER, "serviceaccounts")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(kubernetes, ask, status):
    kubernetes.busy.add("pods")
    kubernetes.busy_status = status
    found = inventory(ask(EVERYTHING, kubernetes=kubernetes))
    assert found.closed.has_kind(ISSUER, "pods")


def test_an_answer_whose_connection_ends_is_requested_again(kubernetes, ask):
    kubernetes.cut["serviceaccounts"] = 2
    kubernetes.add(account("app"))
    found = inventory(ask(EVERYTHING, kubernetes=kubernetes))
    assert (len(found.service_accounts), found.closed.has_kind(ISSUER, "serviceaccounts")) == (1, True)


def test_an_answer_whose_connection_ends_again_and_again_is_unknown(kubernetes, ask):
    kubernetes.cut["serviceaccounts"] = 100
    snapshot = ask(EVERYTHING, kubernetes=kubernetes)
    assert not inventory(snapshot).closed.has_kind(ISSUER, "serviceaccounts")
    assert "cannot be reached: the connection ended in an answer" in says(snapshot)
    assert len([path for path in kubernetes.calls if path.startswith("/api/v1/serviceaccounts")]) == 3


def test_a_kind_that_is_nowhere_is_no_proof_that_there_are_none(kubernetes, ask):
    """A proxy, or a path of another server, answers 404 to everything."""
    kubernetes.absent |= {"cronjobs", "serviceaccounts"}
    snapshot = ask(EVERYTHING, kubernetes=kubernetes)
    assert not inventory(snapshot).closed.has_kind(ISSUER, "cronjobs")
    assert not inventory(snapshot).closed.has_kind(ISSUER, "serviceaccounts")
    assert "/apis/batch/v1beta1/cronjobs?limit=500" in kubernetes.calls


@pytest.mark.parametrize("body", [{}, {"items": []}, {"kind": "PodList", "items": []}, {"kind": "Status", "items": None}])
def test_an_answer_that_is_no_list_of_the_kind_is_not_an_empty_one(kubernetes, ask, monkeypatch, body):
    usual = FakeKubernetes.answer

    def answer(self, path, token, accept=""):
        return (200, body) if "serviceaccounts" in path or "/namespaces/" in path else usual(self, path, token)

    monkeypatch.setattr(FakeKubernetes, "answer", answer)
    found = inventory(ask(EVERYTHING, kubernetes=kubernetes))
    assert not found.closed.has_kind(ISSUER, "serviceaccounts")
    found = inventory(ask(Plan("why", target=Target("shop", "web")), kubernetes=kubernetes))
    assert not found.closed.has_kind(ISSUER, "serviceaccounts", "shop")
    assert not found.closed.has_kind(ISSUER, "namespaces", "shop")


def test_a_page_of_404_in_html_proves_nothing(kubernetes, ask, monkeypatch):
    usual = FakeKubernetes.answer

    def answer(self, path, token, accept=""):
        return (404, b"404 page not found\n") if "/namespaces/" in path else usual(self, path, token)

    monkeypatch.setattr(FakeKubernetes, "answer", answer)
    found = inventory(ask(Plan("why", target=Target("shop", "web")), kubernetes=kubernetes))
    assert not found.closed.has_kind(ISSUER, "namespaces", "shop")
    assert not found.closed.has_kind(ISSUER, "pods", "shop")


def test_credentials_that_are_not_accepted_are_one_sentence(kubernetes, ask, tmp_path):
    config = kubernetes.kubeconfig(tmp_path, user={"token": "wrong"})
    with pytest.raises(
        LiveError, match=r"context shop: the API server does not accept the credentials of context shop \(401\)"
    ):
        ask(EVERYTHING, kubernetes=kubernetes, kubeconfig=config)


def test_a_server_that_nobody_listens_at_is_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        fake = FakeKubernetes()
        config = tmp_path / "config"
        cluster = {"server": f"http://127.0.0.1:{taken.getsockname()[1]}"}
        config.write_text(json.dumps(_config(cluster)))
        with pytest.raises(LiveError, match=r"Kubernetes context shop: http://127\.0\.0\.1:\d+ cannot be reached"):
            take(EVERYTHING, LiveOptions(kube=True, kubeconfig=str(config)))
        assert fake.calls == []


def _config(cluster, user=None):
    return {
        "current-context": "shop",
        "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "me"}}],
        "clusters": [{"name": "shop", "cluster": cluster}],
        "users": [{"name": "me", "user": user or {}}],
    }


def test_a_server_that_does_not_answer_in_time_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        config = tmp_path / "config"
        config.write_text(json.dumps(_config({"server": f"http://127.0.0.1:{deaf.getsockname()[1]}"})))
        with pytest.raises(LiveError, match="does not answer in time"):
            take(EVERYTHING, LiveOptions(kube=True, kubeconfig=str(config), call_timeout=0.3))


def test_a_server_that_answers_anything_else_is_told_apart(kubernetes, ask, monkeypatch):
    monkeypatch.setattr(FakeKubernetes, "answer", lambda self, path, token, accept: (200, b"<html>hello</html>"))
    snapshot = ask(EVERYTHING, kubernetes=kubernetes)
    assert "the answer is not a JSON object" in says(snapshot)
    assert inventory(snapshot).service_accounts == ()


def test_a_certificate_that_is_not_trusted_is_one_sentence(tmp_path):
    with FakeKubernetes(tls=tls("127.0.0.1")) as server:
        strange = tls("127.0.0.1")
        config = server.kubeconfig(tmp_path)
        with (
            FakeKubernetes(tls=strange._replace(context=server.tls.context)) as other,
            pytest.raises(LiveError, match=r"the certificate of https://127\.0\.0\.1:\d+ is not trusted"),
        ):
            take(EVERYTHING, LiveOptions(kube=True, kubeconfig=other.kubeconfig(tmp_path, "other")))
        snapshot = take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))
    assert inventory(snapshot).closed.has_kind(ISSUER, "serviceaccounts")


def test_a_certificate_that_has_expired_is_one_sentence(tmp_path):
    with (
        FakeKubernetes(tls=tls("127.0.0.1", expired=True)) as server,
        pytest.raises(LiveError, match="it has expired"),
    ):
        take(EVERYTHING, LiveOptions(kube=True, kubeconfig=server.kubeconfig(tmp_path)))


def test_a_discovery_document_that_is_denied_leaves_the_cluster_unnamed(kubernetes, ask):
    kubernetes.denied.add("openid-configuration")
    kubernetes.add(account("app"))
    snapshot = ask(EVERYTHING, kubernetes=kubernetes)
    found = inventory(snapshot)
    assert {one.cluster for one in found.service_accounts} == {"shop (context)"}
    assert found.closed.has_kind("shop (context)", "serviceaccounts")
    assert "issuer of the cluster (context shop): denied to" in says(snapshot)


def test_a_target_is_read_with_its_namespace_only(kubernetes, ask):
    kubernetes.add(account("web", **{"eks.amazonaws.com/role-arn": ROLE}), account("web", "other"), pod("web-0"))
    kubernetes.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    found = inventory(ask(Plan("why", target=Target("shop", "web")), kubernetes=kubernetes))
    assert {(one.namespace, one.name) for one in found.service_accounts} == {("shop", "web")}
    assert found.closed.has_kind(ISSUER, "pods", "shop")
    assert not found.closed.has_kind(ISSUER, "pods")
    assert not found.closed.has_kind(ISSUER, "pods", "other")
    assert found.closed.has_kind(ISSUER, "mutatingwebhookconfigurations")
    assert [one.name for one in found.namespaces] == ["shop"]
    assert not [path for path in kubernetes.calls if path.startswith("/api/v1/serviceaccounts")]


def test_where_the_target_is_not_there_accounts_of_other_namespaces_are_read(kubernetes, ask):
    kubernetes.add(account("web", "other"))
    found = inventory(ask(Plan("why", target=Target("shop", "web")), kubernetes=kubernetes))
    assert {(one.namespace, one.name) for one in found.service_accounts} == {("other", "web")}


def test_a_namespace_that_is_not_there_is_proved(kubernetes, ask):
    found = inventory(ask(Plan("why", target=Target("gone", "web")), kubernetes=kubernetes))
    assert found.closed.has_kind(ISSUER, "namespaces", "gone")
    assert found.namespaces == ()


def test_a_name_that_is_none_cannot_leave_its_place_in_a_path(kubernetes, ask):
    ask(Plan("why", target=Target("../../secrets?x=", "web")), kubernetes=kubernetes)
    assert not [path for path in kubernetes.calls if path.startswith(("/api/v1/secrets", "/secrets")) or "/../" in path]


def test_only_paths_of_the_table_are_asked_for(kubernetes, tmp_path):
    (connection,) = connections((), kubernetes.kubeconfig(tmp_path))
    server = ApiServer(connection, LiveOptions(kube=True), "why", Clock(10, 5), Notes())
    server.open()
    kubernetes.calls.clear()
    for path in (
        "/api/v1/secrets",
        "/api/v1/namespaces/shop/secrets",
        "/api/v1/serviceaccounts/x",
        "/api/v1/pods/../secrets",
        "/",
    ):
        with pytest.raises(RuntimeError, match="is not in the table of operations"):
            server.ask(path)
    server.close()
    assert kubernetes.calls == []


def test_secrets_are_requested_as_metadata_or_not_at_all(kubernetes, tmp_path):
    (connection,) = connections((), kubernetes.kubeconfig(tmp_path))
    server = ApiServer(connection, LiveOptions(kube=True, secrets=True), "reach", Clock(10, 5), Notes())
    server.open()
    kubernetes.calls.clear()
    for path in ("/api/v1/secrets", "/api/v1/namespaces/shop/secrets", "/api/v1/namespaces/kube-system/configmaps/other"):
        with pytest.raises(RuntimeError, match="is not in the table of operations"):
            server.ask(path)
    server.close()
    assert kubernetes.calls == []


def test_two_contexts_of_one_cluster_are_read_once(kubernetes, tmp_path):
    config = json.loads(json.dumps(_config(kubernetes.entry(), {"token": "made-up-token"})))
    config["contexts"].append({"name": "admin", "context": {"cluster": "shop", "user": "me"}})
    (tmp_path / "config").write_text(json.dumps(config))
    told: list[str] = []
    options = LiveOptions(kube=True, kubeconfig=str(tmp_path / "config"), contexts=("shop", "admin"), progress=told.append)
    snapshot = take(EVERYTHING, options)
    assert len([path for path in kubernetes.calls if path.startswith("/api/v1/pods")]) == 1
    assert not [one for one in snapshot.documents if one.path.startswith("kube://admin/pods")]
    assert any("admin: a cluster that another context leads to" in text for text in told)


def test_two_clusters_stay_two(tmp_path):
    other = ISSUER.replace("EXAMPLED", "OTHEREXA")
    with FakeKubernetes() as one, FakeKubernetes(f"https://{other}") as two:
        one.add(account("app"))
        two.add(account("app"))
        first, second = one.kubeconfig(tmp_path, "one"), two.kubeconfig(tmp_path, "two")
        import os

        config = os.pathsep.join((first, second))
        os.environ["KUBECONFIG"] = config
        try:
            found = inventory(take(EVERYTHING, LiveOptions(kube=True, contexts=("one", "two"))))
        finally:
            del os.environ["KUBECONFIG"]
    assert {one.cluster for one in found.service_accounts} == {ISSUER, other}


def test_one_source_that_fails_leaves_the_other(kubernetes, aws, ask):
    from tests.servers.aws import Problem

    aws.faults["GetCallerIdentity"] = Problem("ExpiredToken", "expired", 403)
    kubernetes.add(account("app"))
    snapshot = ask(EVERYTHING, kubernetes=kubernetes, aws=aws)
    found = inventory(snapshot)
    assert len(found.service_accounts) == 1
    assert "sign in again" in found.unknown("roles", "111122223333", "app", "not given").missing


def test_a_context_whose_issuer_is_denied_is_named_by_its_endpoint(kubernetes, aws, ask):
    arn = "arn:aws:eks:us-east-1:111122223333:cluster/shop"
    identity = {"oidc": {"issuer": f"https://{ISSUER}"}}
    aws.clusters = {"shop": {"name": "shop", "arn": arn, "identity": identity, "endpoint": kubernetes.url}}
    kubernetes.denied.add("openid-configuration")
    kubernetes.add(account("web"))
    for plan in (EVERYTHING, Plan("why", target=Target("shop", "web"))):
        found = inventory(ask(plan, kubernetes=kubernetes, aws=aws))
        assert {(one.cluster, one.name) for one in found.service_accounts} == {(arn, "web")}
        assert [one.id for one in found.clusters] == [arn]


def test_a_cluster_in_another_account_than_the_credentials_is_told(kubernetes, aws, ask, tmp_path):
    kubernetes.add(account("web", **{"eks.amazonaws.com/role-arn": ROLE}))
    hint = "arn:aws:eks:us-east-1:444455556666:cluster/shop"
    config = kubernetes.kubeconfig(tmp_path, hint)
    snapshot = ask(Plan("why", target=Target("shop", "web")), kubernetes=kubernetes, aws=aws, kubeconfig=config)
    assert "is not in account 111122223333; the kubeconfig names account 444455556666" in says(snapshot)


@pytest.mark.parametrize("operation", ["DescribeCluster", "ListClusters"])
def test_a_cluster_that_may_not_be_looked_for_is_in_no_other_account_for_that(operation, kubernetes, aws, ask, tmp_path):
    arn = "arn:aws:eks:us-east-1:111122223333:cluster/shop"
    aws.clusters = {"shop": {"name": "shop", "arn": arn, "identity": {"oidc": {"issuer": f"https://{ISSUER}"}}}}
    aws.faults[operation] = denied(f"eks:{operation}")
    kubernetes.add(account("web", **{"eks.amazonaws.com/role-arn": ROLE}))
    hint = arn if operation == "DescribeCluster" else "of-its-own"
    config = kubernetes.kubeconfig(tmp_path, hint)
    snapshot = ask(Plan("why", target=Target("shop", "web")), kubernetes=kubernetes, aws=aws, kubeconfig=config)
    assert "is not in account" not in says(snapshot)
    assert f"associations of the cluster of context {hint}: eks:{operation} is denied" in says(snapshot)


def test_the_name_in_the_kubeconfig_saves_looking_at_all_clusters(kubernetes, aws, ask, tmp_path):
    arn = "arn:aws:eks:us-east-1:111122223333:cluster/shop"
    identity = {"oidc": {"issuer": f"https://{ISSUER}"}}
    aws.clusters = {"shop": {"name": "shop", "arn": arn, "identity": identity}}
    kubernetes.add(account("web", **{"eks.amazonaws.com/role-arn": ROLE}))
    config = kubernetes.kubeconfig(tmp_path, arn)
    found = inventory(ask(Plan("why", target=Target("shop", "web")), kubernetes=kubernetes, aws=aws, kubeconfig=config))
    assert aws.called("ListClusters") == []
    assert found.closed.has_association(arn, "shop", "web")
    assert not found.closed.has_association(arn, "shop", "other")


def test_servers_are_the_same_whatever_the_form_of_their_url():
    assert same_server("https://ABC.gr7.us-east-1.eks.amazonaws.com", "https://abc.gr7.us-east-1.eks.amazonaws.com:443/")
    assert not same_server("https://one.example", "https://two.example")
    assert not same_server("", "")


def subjects_of(snapshot):
    found = load([], snapshots=[snapshot])
    return sorted(judged.id for judged in derive(View(found.inventory)) if judged.kind not in ("document",))


@pytest.mark.parametrize("denied", ["openid-configuration", "jwks", "version", "pods", "namespaces"])
def test_the_ids_of_live_subjects_do_not_hang_on_what_the_server_answers(kubernetes, ask, denied):
    kubernetes.objects["serviceaccounts"] = [account("web", **{"eks.amazonaws.com/role-arn": ROLE})]
    whole = subjects_of(ask(EVERYTHING, kubernetes=kubernetes))
    kubernetes.denied.add(denied)
    assert subjects_of(ask(EVERYTHING, kubernetes=kubernetes)) == whole
    assert any(ident.endswith("shop/web") for ident in whole)


def test_a_run_in_which_no_call_succeeds_says_so(kubernetes, tmp_path, monkeypatch):
    monkeypatch.setattr(FakeKubernetes, "answer", lambda self, path, token, accept: (404, b"{}"))
    options = LiveOptions(kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path))
    with pytest.raises(LiveError, match=r"^none of the calls to the live sources succeeded: .*context shop"):
        load_live(EVERYTHING, options)


def node(name, **labels):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "status": {"addresses": ["x"]}}


POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "closed", "namespace": "shop"},
    "spec": {
        "podSelector": {"matchLabels": {"app": "web"}},
        "policyTypes": ["Egress"],
        "egress": [
            {"to": [{"ipBlock": {"cidr": "169.254.0.0/16", "except": ["169.254.170.23/32"]}}], "ports": [{"port": 80}]},
            {"to": [{"podSelector": {}}]},
        ],
    },
}


@pytest.mark.parametrize("plan", [EVERYTHING, Plan("why", target=Target("shop", "web"))], ids=["everything", "a target"])
def test_nodes_and_network_policies_are_read_as_from_files(kubernetes, ask, plan, tmp_path):
    hybrid = {"eks.amazonaws.com/compute-type": "hybrid", "kubernetes.io/os": "linux"}
    objects = [account("web"), node("mi-1", **hybrid), POLICY]
    kubernetes.add(*objects)
    found = inventory(ask(plan, kubernetes=kubernetes))
    (tmp_path / "list.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    files = load([str(tmp_path / "list.json")]).inventory
    assert [(one.name, one.compute_type, one.system) for one in found.nodes] == [("mi-1", "hybrid", "linux")]
    assert [(p.name, p.namespace, p.selector, p.reaches_agent) for p in found.egress_policies] == [
        (p.name, p.namespace, p.selector, p.reaches_agent) for p in files.egress_policies
    ]
    assert found.egress_policies[0].reaches_agent is False


@pytest.mark.parametrize("plural", ["nodes", "networkpolicies"])
def test_what_is_denied_of_nodes_and_policies_is_unknown(kubernetes, ask, plural):
    kubernetes.add(account("web"), node("mi-1"), POLICY).denied = {plural}
    snapshot = ask(EVERYTHING, kubernetes=kubernetes)
    assert [gap.collection for gap in snapshot.missing] == [plural]
    assert len(inventory(snapshot).service_accounts) == 1


def test_the_agent_of_another_namespace_is_found_for_a_target(kubernetes, ask):
    metadata = {"name": "eks-pod-identity-agent", "namespace": "kube-system"}
    pods = {"metadata": {"labels": {}}, "spec": {"containers": [{"name": "agent", "image": "agent:1"}]}}
    kubernetes.add(
        account("web"), {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": {"template": pods}}
    )
    plan = Plan("why", target=Target("shop", "web"))
    found = inventory(ask(plan, kubernetes=kubernetes))
    assert [one.name for one in found.workloads] == ["eks-pod-identity-agent"]
    assert found.closed.has_kind(ISSUER, "daemonsets")
    kubernetes.denied = {"daemonsets"}
    assert not inventory(ask(plan, kubernetes=kubernetes)).closed.has_kind(ISSUER, "daemonsets")
