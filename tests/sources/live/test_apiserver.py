"""Kubernetes as it is: a real API server with etcd."""

import base64
import json
import os
import shutil
import subprocess
from urllib.parse import quote

import pytest

from irsa_doctor import api
from irsa_doctor.model.commands import NAMED_SECRETS
from irsa_doctor.remedies.commands import annotate, create_service_account, patch_binding, restart
from irsa_doctor.sources import load
from irsa_doctor.sources.live import LiveError, LiveOptions, Plan, Target, take
from irsa_doctor.sources.live import kubernetes as source
from irsa_doctor.sources.live.permissions import cluster_role
from irsa_doctor.sources.snapshot.snapshot import write_snapshot
from tests.cli.running import run
from tests.servers.apiserver import AUDIENCE, ISSUER, MISSING, api_server, programs
from tests.servers.aws import FakeAws
from tests.servers.kubernetes import WEBHOOK
from tests.servers.programs import skipped_without

PROGRAMS = programs()
pytestmark = skipped_without("apiserver", PROGRAMS is not None, MISSING)
NAME = ISSUER.removeprefix("https://")
ROLE = "arn:aws:iam::111122223333:role/web"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
EVERYTHING = Plan("check")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    assert PROGRAMS is not None, MISSING
    with api_server(PROGRAMS, tmp_path_factory.mktemp("apiserver")) as running:
        fill(running)
        yield running


def fill(server):
    """Two namespaces, some service accounts, a pod, a deployment, the webhook of EKS, and a user who may only read."""
    server.create("/api/v1/namespaces", *({"metadata": {"name": name}} for name in ("app", "other")))
    annotations = {"eks.amazonaws.com/role-arn": ROLE}
    accounts = [{"metadata": {"name": "web", "annotations": annotations}}]
    accounts += [{"metadata": {"name": name}} for name in ("default", *(f"extra-{number}" for number in range(8)))]
    server.create("/api/v1/namespaces/app/serviceaccounts", *accounts)
    # what does not answer, and may fail: pods are admitted without it
    down = {**WEBHOOK, "webhooks": [{**WEBHOOK["webhooks"][0], **_LATER}]}
    server.create("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", down)
    container = {"name": "app", "image": "shop/app:1", "env": [{"name": "PASSWORD", "value": "hunter2"}]}
    spec = {"serviceAccountName": "web", "containers": [container]}
    server.create("/api/v1/namespaces/app/pods", {"metadata": {"name": "web-0"}, "spec": spec})
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    deployment = {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}}
    server.create("/apis/apps/v1/namespaces/app/deployments", deployment)
    server.create("/api/v1/namespaces/app/secrets", {"metadata": {"name": "api"}, "stringData": {"key": "hunter2"}})
    grant(server, "auditor", "check")


_LATER = {"sideEffects": "None", "admissionReviewVersions": ["v1beta1", "v1"], "timeoutSeconds": 1}


def grant(server, user, command, kind="User", namespace=None):
    """What `irsa-doctor permissions COMMAND` prints, bound to somebody."""
    role = cluster_role([command], f"irsa-doctor-{user}")
    server.create(f"{RBAC}/clusterroles", role)
    subject = {
        "kind": kind,
        "name": user,
        **({"namespace": namespace} if namespace else {"apiGroup": "rbac.authorization.k8s.io"}),
    }
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role["metadata"]["name"]}
    metadata = {"name": f"irsa-doctor-{user}"}
    server.create(f"{RBAC}/clusterrolebindings", {"metadata": metadata, "roleRef": reference, "subjects": [subject]})


def taken(server, folder, plan=EVERYTHING, token=None):
    """What somebody may see: the auditor, unless a token says otherwise."""
    return take(plan, LiveOptions(kube=True, kubeconfig=server.kubeconfig(folder, token or "auditor-token")))


def test_the_printed_cluster_role_is_enough(server, tmp_path):
    snapshot = taken(server, tmp_path)
    assert snapshot.missing == ()
    found = load([], snapshots=[snapshot]).inventory
    assert {kind for kind in ("serviceaccounts", "pods", "deployments", "cronjobs") if found.closed.has_kind(NAME, kind)} == {
        *("serviceaccounts", "pods", "deployments", "cronjobs")
    }
    web = found.service_account_by_key[NAME, "app", "web"]
    assert web.annotations["eks.amazonaws.com/role-arn"] == ROLE
    assert {row.path for row in found.documents if row.status != "read"} <= {"kube://real/version"}


def test_the_cluster_is_known_by_its_issuer_and_version(server, tmp_path):
    found = load([], snapshots=[taken(server, tmp_path)]).inventory
    (cluster,) = found.clusters
    assert (cluster.id, cluster.issuer) == (NAME, NAME)
    told = server.request("GET", "/version")[1]
    assert cluster.version == ".".join(part.rstrip("+") for part in (told["major"], told["minor"]) if part)
    (discovery,) = found.discoveries
    assert discovery.algorithms == ("RS256",)


def test_a_token_is_signed_with_a_key_that_was_read(server, tmp_path):
    header, claims, _ = (part + "==" for part in server.token("app", "web", "sts.amazonaws.com").split("."))
    found = load([], snapshots=[taken(server, tmp_path)]).inventory
    assert json.loads(base64.urlsafe_b64decode(header))["kid"] in {key.kid for key in found.signing_keys}
    told = json.loads(base64.urlsafe_b64decode(claims))
    assert told["iss"].removeprefix("https://") == found.clusters[0].issuer
    assert (told["sub"], told["aud"]) == (found.service_account_by_key[NAME, "app", "web"].subject, ["sts.amazonaws.com"])


def test_who_may_read_nothing_gets_nothing_and_is_told_so(server, tmp_path):
    snapshot = taken(server, tmp_path, token="nobody-token")
    found = load([], snapshots=[snapshot]).inventory
    assert found.service_accounts == ()
    assert found.closed.kinds == {}
    missing = {gap.collection: gap.missing for gap in snapshot.missing}
    assert "denied to nobody" in missing["serviceaccounts"]
    assert {"serviceaccounts", "pods", "deployments", "mutatingwebhookconfigurations"} <= missing.keys()


def test_a_wrong_token_is_one_sentence(server, tmp_path):
    with pytest.raises(LiveError, match=r"does not accept the credentials of context real \(401\)"):
        taken(server, tmp_path, token="wrong")


def test_a_token_for_sts_is_none_for_the_api_server(server, tmp_path):
    with pytest.raises(LiveError, match=r"does not accept the credentials"):
        taken(server, tmp_path, token=server.token("app", "web", "sts.amazonaws.com"))


def test_lists_are_read_in_pages(server, tmp_path, monkeypatch):
    whole = load([], snapshots=[taken(server, tmp_path)]).inventory
    monkeypatch.setattr(source, "PAGE", 2)
    paged = load([], snapshots=[taken(server, tmp_path)]).inventory
    assert {one.subject for one in paged.service_accounts} == {one.subject for one in whole.service_accounts}
    assert len(paged.service_accounts) >= 9
    assert paged.closed.has_kind(NAME, "serviceaccounts")


def test_a_pod_that_the_webhook_did_not_see_is_read_as_it_is(server, tmp_path):
    snapshot = taken(server, tmp_path)
    found = load([], snapshots=[snapshot]).inventory
    (pod,) = (one for one in found.workloads if one.kind == "Pod")
    assert (pod.service_account, pod.admitted) == ("web", True)
    assert "AWS_ROLE_ARN" not in pod.containers[0].env
    (webhook,) = found.webhooks
    assert (webhook.failure_policy, webhook.on_pod_create, webhook.in_cluster) == ("Ignore", True, False)
    assert b"hunter2" not in b"".join(one.content for one in snapshot.documents)


def test_a_service_account_with_the_role_of_why_may_ask_about_a_target(server, tmp_path):
    server.create("/api/v1/namespaces/app/serviceaccounts", {"metadata": {"name": "irsa-doctor"}})
    grant(server, "irsa-doctor", "why", "ServiceAccount", "app")
    token = server.token("app", "irsa-doctor", AUDIENCE)
    snapshot = taken(server, tmp_path, Plan("why", target=Target("app", "web")), token)
    assert snapshot.missing == ()
    found = load([], snapshots=[snapshot]).inventory
    assert {one.namespace for one in found.service_accounts} == {"app"}
    assert found.closed.has_kind(NAME, "pods", "app")
    assert not found.closed.has_kind(NAME, "pods", "other")
    gone = load([], snapshots=[taken(server, tmp_path, Plan("why", target=Target("gone", "web")), token)]).inventory
    assert gone.closed.has_kind(NAME, "namespaces", "gone")
    assert not gone.namespaces


def test_a_name_that_is_none_is_no_way_to_anything_else(server, tmp_path):
    snapshot = taken(server, tmp_path, Plan("why", target=Target("app/secrets", "web")), "admin-token")
    assert snapshot.documents
    assert b"hunter2" not in b"".join(one.content for one in snapshot.documents)


# ---- why, from end to end


@pytest.fixture
def account(monkeypatch):
    """The account that the cluster belongs to: its provider, and the role of web."""
    principal = {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{NAME}"}
    asked = {f"{NAME}:sub": "system:serviceaccount:app:web", f"{NAME}:aud": "sts.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"}
    trust = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": {"StringEquals": asked}}]}
    with FakeAws() as aws:
        aws.roles["web"] = {
            "RoleName": "web",
            "Path": "/",
            "RoleId": "AROA",
            "Arn": ROLE,
            "AssumeRolePolicyDocument": json.dumps(trust),
        }
        aws.providers[principal["Federated"]] = {"Url": NAME, "ClientIDList": ["sts.amazonaws.com"]}
        cluster = {"name": "shop", "arn": "arn:aws:eks:us-east-1:111122223333:cluster/shop", "version": "1.33"}
        aws.clusters["shop"] = {**cluster, "identity": {"oidc": {"issuer": ISSUER}}}
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        yield aws


def why(server, folder, target, user="auditor", raw=None):
    options = LiveOptions(aws=True, kube=True, kubeconfig=server.kubeconfig(folder, f"{user}-token"))
    return api.why(target, live=options, symptoms=api.Symptoms(token=raw.encode() if raw else None))


def verdicts(found):
    return {link.id: link.verdict for link in found.links}


def test_a_webhook_that_was_down_left_a_pod_without_its_role(server, account, tmp_path):
    found = why(server, tmp_path, "pod/app/web-0")
    assert (found.verdict, [link.id for link in found.links if link.verdict == "fail"]) == ("broken", ["webhook"])
    # a pod that came seconds after its account and one that came before its annotation look alike
    assert {cause.id for cause in found.causes} & {"pod-older-than-annotation", "webhook-cache-race", "webhook-ignored-failure"}
    assert {cause.certainty for cause in found.causes} <= {"likely", "possible"}
    assert "kubectl delete pod -n app web-0" in found.causes[0].commands


def test_a_token_of_the_server_passes_every_link_that_is_about_it(server, account, tmp_path):
    found = why(server, tmp_path, "app/web", raw=server.token("app", "web", "sts.amazonaws.com"))
    of_token = ("issuer", "request", "provider", "signature", "audience", "lifetime", "role", "trust-policy")
    assert {ident: verdicts(found)[ident] for ident in of_token} == dict.fromkeys(of_token, "pass")


def test_a_token_for_the_api_server_is_the_wrong_one(server, account, tmp_path):
    found = why(server, tmp_path, "app/web", raw=server.token("app", "web", AUDIENCE))
    assert verdicts(found)["audience"] == "fail"
    assert "token-wrong-file" in {cause.id for cause in found.causes if cause.certainty == "certain"}


def test_the_token_of_another_account_is_told_from_that_of_the_target(server, account, tmp_path):
    found = why(server, tmp_path, "app/web", raw=server.token("app", "default", "sts.amazonaws.com"))
    assert verdicts(found)["workload"] == "fail"
    assert found.causes[0].id == "pod-wrong-sa"


def test_a_token_whose_signature_was_changed_is_no_good(server, account, tmp_path):
    header, claims, signature = server.token("app", "web", "sts.amazonaws.com").split(".")
    changed = ("A" if signature[10] != "A" else "B").join((signature[:10], signature[11:]))
    found = why(server, tmp_path, "app/web", raw=f"{header}.{claims}.{changed}")
    assert verdicts(found)["signature"] == "fail"


def test_who_may_read_nothing_of_the_cluster_gets_unknown_links_with_the_reason(server, account, tmp_path):
    found = why(server, tmp_path, "app/web", user="nobody")
    assert (found.verdict, [link.id for link in found.links if link.verdict == "fail"]) == ("unknown", [])
    said = {link.id: link.because for link in found.links if link.verdict == "unknown"}
    assert "denied to nobody" in said["service-account"]
    assert "denied to nobody" in said["workload"]


def test_what_is_told_live_is_told_of_the_collected_file(server, account, tmp_path):
    options = LiveOptions(aws=True, kube=True, kubeconfig=server.kubeconfig(tmp_path, "admin-token"))
    write_snapshot(take(Plan("collect"), options), str(tmp_path / "snapshot.json"))
    for target in ("app/web", "pod/app/web-0", "deployment/app/web", "app/default", "app/gone"):
        live, later = api.why(target, live=options, now=0), api.why(target, [str(tmp_path / "snapshot.json")], now=0)
        assert [(one.id, one.verdict, one.because) for one in live.links] == [
            (one.id, one.verdict, one.because) for one in later.links
        ]
        assert [(one.id, one.certainty) for one in live.causes] == [(one.id, one.certainty) for one in later.causes]


# ---- verify, from end to end


def test_verify_compares_an_intent_with_account_and_cluster_as_they_are(server, account, tmp_path):
    def differences(*accounts):
        roles = {ROLE: list(accounts)}
        meant = {"intent": 1, "clusters": {"shop": {"arn": account.clusters["shop"]["arn"], "issuer": ISSUER}}, "roles": roles}
        (tmp_path / "intent.json").write_text(json.dumps(meant))
        live = ("--live", "--kubeconfig", server.kubeconfig(tmp_path, "auditor-token"))
        done = run("verify", "intent.json", *live, "--format", "json", cwd=tmp_path)
        return done.returncode, [
            (d["kind"], d["subject"]["id"].rpartition("/")[2]) for d in json.loads(done.stdout)["differences"]
        ]

    assert differences("app/web") == (0, [])
    # the accounts were listed whole, so that the one that is not there is missing, and the other one lacks its annotation
    code, listed = differences("app/web", "app/extra-1", "other/gone")
    assert (code, sorted(listed)) == (
        1,
        [("annotation-missing", "extra-1"), ("narrower", "web"), ("service-account-missing", "gone")],
    )


KUBECTL = shutil.which("kubectl")
WEB = "/api/v1/namespaces/commands/serviceaccounts/web"
ADMITS = [{"op": "remove", "path": "/subjects/0"}]


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl")
def test_each_command_for_kubectl_does_what_it_is_offered_for(server, tmp_path):
    def ran(command, code=0):
        environment = {**os.environ, "KUBECONFIG": server.kubeconfig(tmp_path, "admin-token")}
        done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done

    server.create("/api/v1/namespaces", {"metadata": {"name": "commands"}})
    ran(create_service_account("commands", "web"))
    ran(annotate("commands", "web", ROLE))
    ran(annotate("commands", "web", f"{ROLE}-2"))
    assert server.request("GET", WEB)[1]["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": f"{ROLE}-2"}
    spec = {"serviceAccountName": "web", "containers": [{"name": "app", "image": "shop/app:1"}]}
    server.create("/api/v1/namespaces/commands/pods", {"metadata": {"name": "web-0"}, "spec": spec})
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    for kind in ("Deployment", "StatefulSet", "DaemonSet"):
        path = f"/apis/apps/v1/namespaces/commands/{kind.lower()}s"
        own = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
        own |= {"serviceName": "web"} if kind == "StatefulSet" else {}
        server.create(path, {"metadata": {"name": "web"}, "spec": own})
        ran(restart("commands", kind, "web"))
        changed = server.request("GET", f"{path}/web")[1]["spec"]["template"]["metadata"]["annotations"]
        assert list(changed) == ["kubectl.kubernetes.io/restartedAt"]
    ran(f"{restart('commands', 'Pod', 'web-0')} --wait=false --grace-period=0 --force")
    assert server.request("GET", "/api/v1/namespaces/commands/pods/web-0")[0] == 404
    subjects = [{"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"} for name in ("first", "second")]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    for name in ("plain", "odd:name"):
        path = f"{RBAC}/namespaces/commands/rolebindings"
        server.create(path, {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects})
        ran(patch_binding("RoleBinding", "commands", name, json.dumps(ADMITS)))
        left = server.request("GET", f"{path}/{quote(name)}")[1]["subjects"]
        assert [subject["name"] for subject in left] == ["second"]


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl")
@pytest.mark.skipif(shutil.which("jq") is None, reason="no jq")
def test_the_command_for_secrets_writes_no_value_of_one(server, tmp_path):
    environment = {**os.environ, "KUBECONFIG": server.kubeconfig(tmp_path, "admin-token")}
    subprocess.run(["/bin/sh", "-c", NAMED_SECRETS], cwd=tmp_path, env=environment, check=True)
    text = (tmp_path / "secrets.json").read_text()
    assert base64.b64encode(b"hunter2").decode() not in text
    assert ("api", ("key",)) in {(one.name, one.keys) for one in load([str(tmp_path / "secrets.json")]).inventory.config_maps}
