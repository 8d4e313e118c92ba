import json

import pytest

from irsa_doctor.model import Hole, Text
from tests.sources.worlds import inventory, loaded, only_row, role_arn, service_account

KEY = "eks.amazonaws.com/role-arn"

POD_SPEC = """
serviceAccountName: web
initContainers:
- {name: first, image: i}
containers:
- name: app
  image: app:1
  env:
  - {name: AWS_ROLE_ARN, value: "arn:aws:iam::${ACCOUNT}:role/x"}
  - {name: AWS_REGION, value: eu-west-1}
  - {name: AWS_SECRET_ACCESS_KEY, value: hunter2}
  - {name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: k}}}
  volumeMounts:
  - {name: aws-iam-token, mountPath: /var/run/secrets/eks.amazonaws.com/serviceaccount}
volumes:
- name: aws-iam-token
  projected:
    sources:
    - serviceAccountToken: {audience: sts.amazonaws.com, expirationSeconds: 86400, path: token}
- name: kube-api
  projected: {sources: [{configMap: {name: c}}, {serviceAccountToken: {path: token}}]}
- {name: other, emptyDir: {}}
"""


def manifest(kind: str, way: list[str], api: str = "apps/v1") -> str:
    """A workload whose pod template stands at the end of the way."""
    head = f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: w, namespace: prod}}\n"
    lines, indent = [], ""
    for step in way:
        lines.append(f"{indent}{step}:")
        indent += "  "
    metadata = [] if not way else [f"{indent}metadata: {{annotations: {{{KEY}: x, other: y}}, labels: {{app: w}}}}"]
    spec = [f"{indent}spec:"] + [f"{indent}  {line}" for line in POD_SPEC.strip().splitlines()]
    return head + "\n".join([*lines, *metadata, *spec]) + "\n"


def test_a_placeholder_in_braces_is_text_though_yaml_has_it_as_a_mapping():
    members = f"  name: {{TENANT}}\n  namespace: {{TENANT}}\n  annotations:\n    {KEY}: {{ROLE}}\n"
    text = f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n{members}"
    (account,) = inventory({"account.yaml": text}).service_accounts
    assert (account.namespace, account.name) == ("{TENANT}", "{TENANT}")
    assert account.annotations[KEY] == Text((Hole("{ROLE}"),))


@pytest.mark.parametrize(
    ("kind", "way", "api"),
    [
        ("Pod", [], "v1"),
        ("Deployment", ["spec", "template"], "apps/v1"),
        ("StatefulSet", ["spec", "template"], "apps/v1"),
        ("DaemonSet", ["spec", "template"], "apps/v1"),
        ("ReplicaSet", ["spec", "template"], "apps/v1"),
        ("ReplicationController", ["spec", "template"], "v1"),
        ("Job", ["spec", "template"], "batch/v1"),
        ("CronJob", ["spec", "jobTemplate", "spec", "template"], "batch/v1"),
        ("Rollout", ["spec", "template"], "argoproj.io/v1alpha1"),
        ("Service", ["spec", "template"], "serving.knative.dev/v1"),
    ],
)
def test_whatever_has_a_pod_template_is_a_workload(kind, way, api):
    read = loaded({"w.yaml": manifest(kind, way, api)})
    (found,) = read.inventory.workloads
    assert (found.kind, found.namespace, found.name, found.service_account) == (kind, "prod", "w", "web")
    assert found.template.pointer == "".join(f"/{step}" for step in way)
    assert read.documents.locate(found.template.at("spec", "serviceAccountName")).source.endswith("serviceAccountName: web")
    assert dict(found.annotations) == ({KEY: "x"} if way else {})
    assert dict(found.labels) == ({"app": "w"} if way else {})
    first, app = found.containers
    assert (first.name, first.init, app.name, app.init, app.image) == ("first", True, "app", False, "app:1")
    assert app.env["AWS_ROLE_ARN"] == Text(("arn:aws:iam::", Hole("${ACCOUNT}"), ":role/x"))
    assert app.env["AWS_REGION"] == "eu-west-1"
    assert app.env["AWS_SECRET_ACCESS_KEY"] is None
    assert app.env["PASSWORD"] is None
    assert dict(app.mounts) == {"aws-iam-token": "/var/run/secrets/eks.amazonaws.com/serviceaccount"}
    assert dict(found.token_audiences) == {"aws-iam-token": "sts.amazonaws.com", "kube-api": ""}
    assert [token.expiration for token in found.tokens if token.volume == "aws-iam-token"] == [86400]
    assert read.documents.locate(app.place.at("env", 1, "value")).column > 1


def test_a_workload_without_account_uses_the_default_one_and_the_old_field_still_counts():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": []}}
    (found,) = inventory({"x.json": pod}).workloads
    assert (found.namespace, found.service_account) == ("default", "default")
    pod["spec"]["serviceAccount"] = "old"
    assert inventory({"x.json": pod}).workloads[0].service_account == "old"


def test_annotations_about_aws_are_kept_as_text_and_others_are_not():
    text = f"""
apiVersion: v1
kind: ServiceAccount
metadata:
  name: app
  annotations:
    {KEY}: arn:aws:iam::<account-id>:role/app
    eks.amazonaws.com/token-expiration: 86400
    eks.amazonws.com/role-arn: x
    iam.amazonaws.com/role: y
    roleArn: z
    kubectl.kubernetes.io/last-applied-configuration: "secret"
"""
    (found,) = inventory({"x.yaml": text}).service_accounts
    assert found.namespace == "default"
    assert dict(found.annotations) == {
        KEY: Text(("arn:aws:iam::", Hole("<account-id>"), ":role/app")),
        "eks.amazonaws.com/token-expiration": "86400",
        "eks.amazonws.com/role-arn": "x",
        "iam.amazonaws.com/role": "y",
        "roleArn": "z",
    }


def test_an_annotation_that_is_no_text_in_json_keeps_how_it_was_written():
    account = service_account()
    account["metadata"]["annotations"] = {"eks.amazonaws.com/token-expiration": 600, KEY: None, "aws": True}
    (found,) = inventory({"x.json": account}).service_accounts
    assert dict(found.annotations) == {"eks.amazonaws.com/token-expiration": "600", KEY: "", "aws": "true"}


@pytest.mark.parametrize(
    "written",
    [
        "kind: ConfigMap\nmetadata: {name: c}\ndata: ${CNI}\n",
        "kind: ServiceAccount\nmetadata:\n  name: c\n  annotations: ${ALL}\n",
        "kind: ServiceAccount\nmetadata:\n  name: c\n  annotations:\n    ${ROLE/#arn/eks.amazonaws.com/role-arn: arn}\n",
        "kind: RoleBinding\nmetadata: {name: c}\nroleRef:\n  kind: ${KIND}\n  name: x\n",
    ],
)
def test_an_object_of_which_a_whole_part_is_filled_in_later_is_passed_over_and_not_unreadable(written):
    version = "rbac.authorization.k8s.io/v1" if "roleRef" in written else "v1"
    (row,) = inventory({"x.yaml": f"apiVersion: {version}\n{written}"}).documents
    assert (row.status, "filled in later" in row.why) == ("ignored", True)


@pytest.mark.parametrize(
    "content",
    [
        {"apiVersion": "v1", "kind": "List", "items": [service_account("a"), service_account("b")]},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccountList",
            "items": [{"metadata": {"name": name, "namespace": "prod"}} for name in "ab"],
        },
        {"items": [service_account("a"), service_account("b")]},
        {
            "apiVersion": "v1",
            "kind": "List",
            "items": [{"kind": "List", "items": [service_account("a"), service_account("b")]}],
        },
        [service_account("a"), service_account("b")],
        json.dumps(service_account("a")) + "\n" + json.dumps(service_account("b")) + "\n",
        json.dumps(service_account("a"), indent=1) + json.dumps(service_account("b"), indent=1),
        "---\n" + json.dumps(service_account("a")) + "\n---\n" + json.dumps(service_account("b")),
    ],
    ids=["list", "typed list", "no kind", "nested", "array", "lines", "concatenated", "stream"],
)
def test_lists_and_streams_of_every_form_give_their_objects(content):
    read = loaded({"x.json": content})
    assert [found.name for found in read.inventory.service_accounts] == ["a", "b"]
    for found in read.inventory.service_accounts:
        assert f'"{found.name}"' in read.documents.locate(found.place.at("metadata", "name")).source


def test_secrets_and_config_maps_give_names_and_keys_and_no_value():
    text = """
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: n}
data: {password: aHVudGVyMg==}
stringData: {token: hunter2}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {config: hunter2}
binaryData: {b: aHVudGVyMg==}
"""
    read = loaded({"x.yaml": text})
    assert [(found.kind, found.namespace, found.name, found.keys) for found in read.inventory.config_maps] == [
        ("Secret", "n", "s", ("password", "token")),
        ("ConfigMap", "default", "c", ("config", "b")),
    ]
    for found in read.inventory.config_maps:
        for place in (found.place, found.place.at("data")):
            assert "hunter2" not in read.documents.locate(place, key=True).source


def test_the_source_of_a_place_beside_a_secret_shows_nothing_else():
    secret = {"kind": "Secret", "apiVersion": "v1", "data": {"p": "hunter2"}, "metadata": {"name": "s"}}
    content = json.dumps({"kind": "List", "apiVersion": "v1", "items": [secret]})
    read = loaded({"x.json": content})
    (found,) = read.inventory.config_maps
    assert read.documents.locate(found.place.at("metadata", "name")).source == '"s"'


def test_webhooks_tell_whether_they_see_new_pods():
    def webhook(name, **rule):
        right = {"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods"]}
        return {"name": name, "failurePolicy": "Ignore", "rules": [{**right, **rule}]}

    webhooks = [webhook("yes"), webhook("all", resources=["*/*"], operations=["*"]), webhook("no", operations=["UPDATE"])]
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "pod-identity-webhook"},
        "webhooks": [*webhooks, {"name": "none"}],
    }
    found = inventory({"x.json": configuration}).webhooks
    assert [(one.name, one.on_pod_create) for one in found] == [("yes", True), ("all", True), ("no", False), ("none", False)]
    assert (found[0].configuration, found[0].failure_policy) == ("pod-identity-webhook", "Ignore")


def test_objects_of_other_kinds_are_passed_over():
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "r"}, "spec": {}}
    row = only_row(lease)
    assert (row.kind, row.status) == ("kubernetes", "ignored")
    read = inventory({"x.json": [lease, service_account()]})
    assert [row.status for row in read.documents] == ["read"]


def test_one_broken_object_loses_none_of_the_others():
    text = "apiVersion: v1\nkind: ServiceAccount\nmetadata: 5\n---\n" + json.dumps(service_account(arn=role_arn()))
    read = inventory({"x.yaml": text})
    assert len(read.service_accounts) == 1
    assert [(row.status, row.line) for row in read.documents] == [("read", 0), ("unreadable", 3)]


def test_one_broken_container_loses_none_of_the_others():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [5, {"name": "c"}]}}
    (found,) = inventory({"x.json": pod}).workloads
    assert [container.name for container in found.containers] == ["c"]


def test_an_empty_list_was_read():
    assert only_row({"apiVersion": "v1", "kind": "List", "items": []}).status == "read"
