import json

import pytest

from irsa_doctor import api
from irsa_doctor.sources.live import Plan
from irsa_doctor.sources.live.operations import KUBERNETES
from irsa_doctor.sources.live.permissions import cluster_role
from irsa_doctor.sources.snapshot.redaction import redacted
from irsa_doctor.sources.snapshot.snapshot import snapshot_text
from tests.answers.why import world as w
from tests.servers.aws import denied
from tests.servers.world import served

GROUP = "rbac.authorization.k8s.io"
CI = "arn:aws:iam::111122223333:role/teams/Ci"
NODE = "arn:aws:iam::111122223333:role/Node"
POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"


def role(name, namespace, *rules):
    metadata = {"name": name, "namespace": namespace, "resourceVersion": "7", "managedFields": [{"manager": "kubectl"}]}
    return {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": metadata, "rules": list(rules)}


TOKENS = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
BINDING = {
    "apiVersion": f"{GROUP}/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "ci", "namespace": "payments", "resourceVersion": "8"},
    "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": "tokens"},
    "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": "ci"}],
}
AUTH = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "aws-auth", "namespace": "kube-system"},
    "data": {"mapRoles": "- rolearn: arn:aws:iam::111122223333:role/Old\n  groups: [ci]\n", "secret": "s3cret"},
}
TOKEN = {
    "apiVersion": "v1",
    "kind": "Secret",
    "type": "kubernetes.io/service-account-token",
    "metadata": {"name": "old", "namespace": "payments", "annotations": {"kubernetes.io/service-account.name": "checkout"}},
    "data": {"token": "aGlkZGVu"},
}
OTHER = {
    "apiVersion": "v1",
    "kind": "Secret",
    "type": "Opaque",
    "metadata": {
        "name": "db",
        "namespace": "payments",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "pw"},
    },
    "data": {"password": "aGlkZGVu"},
}


@pytest.fixture
def world(monkeypatch):
    """The healthy world with RBAC, an access entry with a policy, one for nodes, aws-auth and two Secrets."""
    aws, kubernetes = served(w.world())
    cluster = next(iter(aws.clusters.values()))
    cluster["accessConfig"] = {"authenticationMode": "API_AND_CONFIG_MAP"}
    entry = {"clusterName": cluster["name"], "username": "ci", "tags": {"owner": "somebody"}}
    scope = {"type": "namespace", "namespaces": ["payments"]}
    aws.entries[cluster["name"]] = [
        {
            **entry,
            "principalArn": CI,
            "type": "STANDARD",
            "kubernetesGroups": ["ci"],
            "policies": [{"policyArn": POLICY, "accessScope": scope}],
        },
        {**entry, "principalArn": NODE, "type": "EC2_LINUX", "kubernetesGroups": ["system:nodes"]},
    ]
    kubernetes.add(role("tokens", "payments", TOKENS), BINDING, AUTH, TOKEN, OTHER)
    with aws, kubernetes:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        yield aws, kubernetes


def inventory_of(snapshot, tmp_path):
    path = tmp_path / "snapshot.json"
    path.write_bytes(snapshot_text(snapshot))
    return api.load([str(path)]).inventory


@pytest.mark.parametrize("command", ["check", "collect", "reach", "who-can"])
def test_a_live_read_has_rbac_and_who_eks_lets_in(ask, world, tmp_path, command):
    aws, kubernetes = world
    role_names = ("checkout",) if command == "who-can" else ()
    plan = Plan(command, roles=role_names, everything=command != "who-can")
    read = inventory_of(ask(plan, aws=aws, kubernetes=kubernetes), tmp_path)
    assert [(item.name, item.stored) for item in read.access_roles] == [("tokens", True)]
    assert [item.subjects[0].name for item in read.access_bindings] == ["ci"]
    assert {item.principal: item.type for item in read.access_entries} == {CI: "STANDARD", NODE: "EC2_LINUX"}
    assert [(item.principal, item.policies[0].namespaces) for item in read.associated_access] == [(CI, ("payments",))]
    assert [row.arn for row in read.auth_maps[0].rows] == ["arn:aws:iam::111122223333:role/Old"]
    cluster = read.access_roles[0].cluster
    assert cluster in read.closed.entries
    for kind in ("roles", "clusterroles", "rolebindings", "clusterrolebindings", "replicasets", "replicationcontrollers"):
        assert read.closed.has_kind(cluster, kind)


def test_secrets_are_not_read_unless_the_user_says_so(ask, world, tmp_path):
    aws, kubernetes = world
    read = inventory_of(ask(Plan("collect"), aws=aws, kubernetes=kubernetes), tmp_path)
    assert not any("secrets" in path for path in kubernetes.calls)
    assert not [item for item in read.config_maps if item.kind == "Secret"]


def test_of_secrets_the_names_are_requested_and_never_the_contents(ask, world, tmp_path):
    aws, kubernetes = world
    snapshot = ask(Plan("collect"), aws=aws, kubernetes=kubernetes, secrets=True)
    asked = [accept for path, accept in kubernetes.accepted if "/secrets" in path]
    assert asked
    assert all(accept.startswith("application/json;as=PartialObjectMetadataList") for accept in asked)
    text = snapshot_text(snapshot).decode()
    assert not any(word in text for word in ("aGlkZGVu", "last-applied", "s3cret"))
    read = inventory_of(snapshot, tmp_path)
    assert {item.name: item.token_of for item in read.config_maps if item.kind == "Secret"} == {"old": "checkout", "db": ""}
    assert read.closed.has_kind(read.access_roles[0].cluster, "secrets")


def test_secrets_that_are_denied_are_unknown(ask, world, tmp_path):
    aws, kubernetes = world
    kubernetes.denied.add("secrets")
    snapshot = ask(Plan("collect"), aws=aws, kubernetes=kubernetes, secrets=True)
    assert [gap.collection for gap in snapshot.missing if gap.collection == "secrets"] == ["secrets"]


def test_a_cluster_without_aws_auth_is_known_to_have_none(ask, world, tmp_path):
    aws, kubernetes = world
    kubernetes.objects["configmaps"].clear()
    read = inventory_of(ask(Plan("collect"), aws=aws, kubernetes=kubernetes), tmp_path)
    assert read.closed.has_kind(read.access_roles[0].cluster, "configmaps", "kube-system/aws-auth")
    assert not read.auth_maps


def test_entries_are_not_requested_where_the_mode_has_none(ask, world):
    aws, kubernetes = world
    next(iter(aws.clusters.values()))["accessConfig"] = {"authenticationMode": "CONFIG_MAP"}
    snapshot = ask(Plan("collect"), aws=aws, kubernetes=kubernetes)
    assert not aws.called("ListAccessEntries")
    assert not [gap for gap in snapshot.missing if gap.collection == "entries"]


@pytest.mark.parametrize("operation", ["ListAccessEntries", "DescribeAccessEntry", "ListAssociatedAccessPolicies"])
def test_what_is_denied_of_entries_is_unknown(ask, world, operation):
    aws, kubernetes = world
    aws.faults[operation] = denied(f"eks:{operation}")
    snapshot = ask(Plan("collect"), aws=aws, kubernetes=kubernetes)
    gaps = [gap for gap in snapshot.missing if gap.collection == "entries"]
    assert gaps
    assert operation in gaps[0].missing


def test_a_redacted_snapshot_says_the_same_of_who_reaches_a_role(ask, world, tmp_path):
    aws, kubernetes = world
    snapshot = ask(Plan("collect"), aws=aws, kubernetes=kubernetes, secrets=True)
    path = tmp_path / "redacted.json"
    path.write_bytes(snapshot_text(redacted(snapshot)))
    read = api.load([str(path)]).inventory
    assert "Ci" not in path.read_text(encoding="utf-8")
    binding, account_role = read.access_bindings[0], read.access_roles[0]
    assert (binding.role, binding.namespace) == (account_role.name, account_role.namespace)
    assert account_role.rules[0].resources == ("serviceaccounts/token",)
    entry = next(item for item in read.access_entries if item.type == "STANDARD")
    assert entry.groups == (binding.subjects[0].name,)
    assert read.associated_access[0].policies[0].name == "AmazonEKSEditPolicy"
    assert read.auth_maps[0].rows[0].groups == entry.groups
    assert [item.token_of != "" for item in read.config_maps if item.kind == "Secret"] == [False, True]


def test_of_config_maps_the_cluster_role_names_aws_auth_alone():
    rules = cluster_role(["reach"], "x")["rules"]
    assert {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["aws-auth"], "verbs": ["get"]} in rules
    assert not any("secrets" in rule.get("resources", ()) for rule in rules)
    assert any("secrets" in rule.get("resources", ()) for rule in cluster_role(["reach"], "x", secrets=True)["rules"])
    assert json.dumps(rules)
    assert [item.plural for item in KUBERNETES if item.opt_in] == ["secrets"]
