import pytest

from irsa_doctor.model import EnvSource, Mount, ProjectedToken
from tests.sources.worlds import cluster, inventory, loaded

OWNER = {"ownerReferences": [{"kind": "Node", "name": "n"}, {"kind": "ReplicaSet", "name": "web-1", "controller": True}]}


def pod(metadata=None, status=None, **spec):
    made = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", **(metadata or {})},
        "spec": {"containers": [], **spec},
    }
    return made | ({"status": status} if status is not None else {})


def only(*objects):
    (found,) = inventory({"x.json": [{"apiVersion": "v1", **one} for one in objects]}).workloads
    return found


@pytest.mark.parametrize(
    ("metadata", "status", "admitted"),
    [
        ({}, None, False),
        ({"creationTimestamp": None}, {}, False),
        ({"uid": "u"}, None, True),
        ({"creationTimestamp": "2025-03-01T10:00:00Z"}, None, True),
        ({}, {"phase": "Running"}, True),
    ],
)
def test_a_pod_is_admitted_where_the_api_server_has_put_its_mark_on_it(metadata, status, admitted):
    assert only(pod(metadata, status)).admitted is admitted


@pytest.mark.parametrize(
    ("made", "over"),
    [
        (pod(status={"phase": "Running"}), False),
        (pod(status={"phase": "Succeeded"}), True),
        (pod(status={"phase": "Failed"}), True),
        ({"kind": "Job", "metadata": {"name": "j"}, "status": {"completionTime": "2025-03-01T10:00:00Z"}}, True),
        ({"kind": "Job", "metadata": {"name": "j"}, "status": {"active": 1}}, False),
        ({"kind": "ReplicaSet", "metadata": {"name": "r", **OWNER}, "replicas": 0}, True),
        ({"kind": "ReplicaSet", "metadata": {"name": "r"}, "replicas": 0}, False),
        ({"kind": "Deployment", "metadata": {"name": "d", **OWNER}, "replicas": 0}, False),
    ],
)
def test_what_has_run_and_what_a_deployment_keeps_of_earlier_is_over(made, over):
    if made["kind"] != "Pod":
        made = {**made, "spec": {"replicas": made.get("replicas", 1), "template": {"spec": {"containers": []}}}}
    assert only(made).over is over


def test_the_controlling_owner_counts():
    assert only(pod(OWNER)).owner == "ReplicaSet/web-1"
    assert only(pod({"ownerReferences": [{"kind": "Node", "name": "n"}]})).owner == ""


def test_annotations_of_the_object_and_of_its_template_are_kept_apart():
    template = {"metadata": {"annotations": {"aws": "inner"}}, "spec": {"containers": []}}
    found = only(
        {"kind": "Deployment", "metadata": {"name": "d", "annotations": {"aws": "outer"}}, "spec": {"template": template}}
    )
    assert (dict(found.annotations), dict(found.own_annotations)) == ({"aws": "inner"}, {"aws": "outer"})
    assert dict(only(pod({"annotations": {"aws": "x"}})).own_annotations) == {}


def test_users_and_groups_are_read_of_pod_and_container():
    secured = pod(
        securityContext={"runAsUser": 0, "runAsNonRoot": True, "fsGroup": 65534},
        containers=[{"name": "a", "securityContext": {"runAsUser": 1000}}, {"name": "b"}],
    )
    found = only(secured)
    assert (found.user, found.non_root, found.fs_group) == (0, True, 65534)
    assert [(one.user, one.non_root) for one in found.containers] == [(1000, None), (None, None)]


def test_every_mount_and_every_token_is_kept():
    sources = [
        {"serviceAccountToken": {"path": "a", "audience": "x"}},
        {"serviceAccountToken": {"path": "b", "expirationSeconds": 700}},
    ]
    mounts = [
        {"name": "t", "mountPath": "/one", "subPath": "a"},
        {"name": "t", "mountPath": "/two"},
        {"name": "t", "mountPath": "/x", "subPathExpr": "e"},
    ]
    read = loaded(
        {
            "x.json": pod(
                containers=[{"name": "c", "volumeMounts": mounts}],
                volumes=[{"name": "t", "projected": {"sources": sources}}, {"name": "e"}],
            )
        }
    )
    (found,) = read.inventory.workloads
    assert found.containers[0].mounted == (Mount("t", "/one", "a"), Mount("t", "/two"), Mount("t", "/x", "e"))
    assert found.volumes == ("t", "e")
    assert [(token.volume, token.audience, token.path, token.expiration) for token in found.tokens] == [
        ("t", "x", "a", 0),
        ("t", "", "b", 700),
    ]
    assert isinstance(found.tokens[0], ProjectedToken)
    assert read.documents.locate(found.tokens[1].place.at("path")).source.strip().startswith('"path": "b"')


def test_sources_of_whole_environments_are_kept_by_name():
    refs = [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}, "prefix": "AWS_"}, "odd"]
    (container,) = only(pod(containers=[{"name": "a", "envFrom": refs}])).containers
    assert container.env_from == (EnvSource("ConfigMap", "c"), EnvSource("Secret", "s", "AWS_"))


def test_a_variable_without_value_is_empty_and_one_from_elsewhere_is_not_known():
    variables = [{"name": "AWS_ROLE_ARN"}, {"name": "AWS_REGION", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]
    (container,) = only(pod(containers=[{"name": "a", "env": variables}])).containers
    assert dict(container.env) == {"AWS_ROLE_ARN": "", "AWS_REGION": None}


def expression(key="kubernetes.io/os", operator="In", values=("windows",)):
    terms = [{"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}]
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}}


@pytest.mark.parametrize(
    ("spec", "windows"),
    [
        ({}, ""),
        ({"nodeSelector": {"kubernetes.io/os": "windows"}}, "selector"),
        ({"nodeSelector": {"beta.kubernetes.io/os": "windows"}}, "selector"),
        ({"nodeSelector": {"kubernetes.io/os": "linux"}}, ""),
        (expression(), "affinity"),
        (expression(values=("linux", "windows")), ""),
        (expression(operator="NotIn"), ""),
        (expression(key="other"), ""),
        ({**expression(), "nodeSelector": {"kubernetes.io/os": "windows"}}, "selector"),
    ],
)
def test_windows_nodes_are_asked_for_by_selector_or_by_affinity(spec, windows):
    assert only(pod(**spec)).windows == windows


def test_mirror_pods_pods_on_fargate_and_debugging_containers_are_told():
    found = only(
        pod(
            {"annotations": {"kubernetes.io/config.mirror": "x"}, "labels": {"eks.amazonaws.com/fargate-profile": "p"}},
            ephemeralContainers=[{"name": "debugger"}],
        )
    )
    assert (found.mirror, found.fargate, found.ephemeral) == (True, True, ("debugger",))
    assert (only(pod()).mirror, only(pod()).fargate, only(pod()).ephemeral) == (False, False, ())


@pytest.mark.parametrize(
    ("spec", "fargate"),
    [
        ({"schedulerName": "fargate-scheduler"}, True),
        ({"nodeName": "fargate-ip-10-0-1-2.eu-west-1.compute.internal"}, True),
        ({"schedulerName": "default-scheduler", "nodeName": "ip-10-0-1-2.eu-west-1.compute.internal"}, False),
        ({"nodeName": ["fargate-ip-10-0-1-2"], "schedulerName": 5}, False),
    ],
)
def test_a_pod_on_fargate_is_known_by_its_scheduler_or_its_node_too(spec, fargate):
    assert only(pod(**spec)).fargate is fargate


@pytest.mark.parametrize("odd", ["text", 5, ["x"], {"nodeAffinity": "x"}])
def test_what_does_not_matter_may_have_any_shape(odd):
    found = only(
        pod(
            affinity=odd,
            nodeSelector=odd,
            securityContext=odd,
            ephemeralContainers=odd,
            containers=[{"name": "a", "envFrom": odd}],
        )
    )
    assert [one.name for one in found.containers] == ["a"]


def test_a_running_pod_takes_the_place_of_its_manifest():
    documents = {
        "prod/cluster.json": cluster(),
        "prod/a.json": pod(serviceAccountName="web"),
        "prod/b.json": pod(
            {"uid": "u"}, serviceAccountName="web", volumes=[{"name": "aws-iam-token"}], containers=[{"name": "a"}]
        ),
    }
    for order in (documents, dict(reversed(documents.items()))):
        (found,) = inventory(order).workloads
        assert found.admitted


@pytest.mark.parametrize(
    ("more", "in_cluster", "opt_out"),
    [
        ({}, False, False),
        ({"clientConfig": {"service": {"name": "s"}}}, True, False),
        ({"clientConfig": {"url": "https://x"}}, False, False),
        (
            {
                "objectSelector": {
                    "matchExpressions": [{"key": "eks.amazonaws.com/skip-pod-identity-webhook", "operator": "DoesNotExist"}]
                }
            },
            False,
            True,
        ),
        ({"objectSelector": {"matchExpressions": [{"key": "other", "operator": "DoesNotExist"}]}}, False, False),
    ],
)
def test_a_webhook_says_where_it_runs_and_whom_it_passes_over(more, in_cluster, opt_out):
    configuration = {
        "kind": "MutatingWebhookConfiguration",
        "apiVersion": "v1",
        "metadata": {"name": "h"},
        "webhooks": [{"name": "w", **more}],
    }
    (found,) = inventory({"x.json": configuration}).webhooks
    assert (found.in_cluster, found.honours_opt_out) == (in_cluster, opt_out)


def test_auto_mode_is_part_of_the_description():
    described = cluster()
    assert not inventory({"x.json": described}).clusters[0].auto_mode
    described["cluster"]["computeConfig"] = {"enabled": True}
    assert inventory({"x.json": described}).clusters[0].auto_mode
