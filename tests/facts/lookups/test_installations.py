import pytest

from tests.facts.situations import CLUSTER, account, association, aws, facts, found, manifests, missing, plain_account, pod

HOOKS = "mutatingwebhookconfigurations"


def hook(name="iam-for-pods.amazonaws.com", operation="CREATE", configuration="pod-identity-webhook", **more):
    rule = {"operations": [operation], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": configuration},
        "webhooks": [{"name": name, "failurePolicy": "Ignore", "clientConfig": {"url": "https://x"}, "rules": [rule], **more}],
    }


def cluster(*objects, complete=(), **more):
    return facts(aws(**{"o.yaml": manifests(*objects)}, **more), "cluster", *complete)


def rules(*objects, complete=(), **more):
    documents = aws(**{"o.yaml": manifests(*objects)}, **more)
    return {rule for rule, subject in found(documents, *complete) if subject == CLUSTER}


@pytest.mark.parametrize(
    ("objects", "complete", "expected"),
    [
        ((plain_account(),), (HOOKS,), "not-needed"),
        ((account(), hook()), (), "there"),
        ((account(), hook(configuration="mine", name="pod-identity-webhook.amazonaws.com")), (), "there"),
        ((account(), hook(operation="DELETE")), (), "altered"),
        ((account(), hook(configuration="other", name="other.example.org")), (HOOKS,), "missing"),
        ((account(),), (HOOKS,), "missing"),
        ((account(), pod()), (), "there"),
    ],
)
def test_the_webhook_is_there_or_was_altered_or_is_missing(objects, complete, expected):
    assert cluster(*objects, complete=complete).webhook == expected
    assert ("webhook-missing" in rules(*objects, complete=complete)) is (expected in ("altered", "missing"))


def test_webhooks_that_were_not_listed_are_unknown():
    assert missing(cluster(account()).webhook) == "mutating webhook configurations of prod"
    other = hook(configuration="other", name="other.example.org")
    assert missing(cluster(account(), other).webhook) == "mutating webhook configurations of prod"


def test_pods_without_role_are_explained_by_a_missing_webhook():
    bare = pod({"name": "app", "image": "app:1"})
    documents = aws(**{"o.yaml": manifests(account(), bare)})
    assert found(documents, HOOKS, "serviceaccounts") == {("webhook-missing", CLUSTER)}


def test_a_webhook_of_ones_own_that_is_ignored_when_it_fails_is_a_risk():
    own = {"service": {"name": "pod-identity-webhook", "namespace": "default"}}
    assert rules(account(), hook(clientConfig=own)) == {"webhook-ignored-failure"}
    assert rules(account(), hook(clientConfig=own, failurePolicy="Fail")) == set()
    assert rules(account(), hook()) == set()
    assert rules(plain_account(), hook(clientConfig=own)) == set()


def test_a_local_cluster_on_outposts_has_no_roles_for_service_accounts():
    described = aws()["cluster.json"]
    described["cluster"]["outpostConfig"] = {"outpostArns": []}
    assert rules(account(), **{"cluster.json": described}) == {"no-webhook-cluster"}
    assert rules(plain_account(), **{"cluster.json": described}) == set()
    bare = pod({"name": "app", "image": "app:1"})
    assert rules(account(), bare, **{"cluster.json": described}) == {"no-webhook-cluster"}


@pytest.mark.parametrize(
    ("objects", "complete", "expected"),
    [
        ((), ("daemonsets",), "missing"),
        (
            (
                pod(
                    name="eks-pod-identity-agent-x",
                    metadata={"ownerReferences": [{"kind": "DaemonSet", "name": "eks-pod-identity-agent", "controller": True}]},
                ),
            ),
            (),
            "there",
        ),
    ],
)
def test_associations_need_the_agent(objects, complete, expected):
    more = {"one.json": association()}
    assert cluster(plain_account(), *objects, complete=complete, **more).pod_identity_agent == expected
    assert ("podid-agent-missing" in rules(plain_account(), *objects, complete=complete, **more)) is (expected == "missing")


def test_the_agent_is_not_needed_without_associations_or_in_auto_mode():
    assert cluster(plain_account(), complete=("daemonsets",)).pod_identity_agent == "not-needed"
    described = aws()["cluster.json"]
    described["cluster"]["computeConfig"] = {"enabled": True}
    more = {"cluster.json": described, "one.json": association()}
    assert cluster(plain_account(), complete=("daemonsets",), **more).pod_identity_agent == "not-needed"


def test_without_the_daemon_sets_the_agent_is_unknown():
    assert missing(cluster(plain_account(), **{"one.json": association()}).pod_identity_agent) == "daemon sets of prod"
