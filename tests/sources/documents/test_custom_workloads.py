"""Resources of operators that make pods are workloads: whatever their kind, by the service account that they name."""

import pytest

from tests.sources.worlds import inventory

CONF = {"spark.kubernetes.authenticate.driver.serviceAccountName": "etl"}
TEMPLATE = {"spec": {"serviceAccountName": "etl", "containers": [{"name": "app", "image": "x"}]}}

MADE = [
    ("sparkoperator.k8s.io/v1beta2", "SparkApplication", {"driver": {"serviceAccount": "etl"}, "executor": {}}),
    ("sparkoperator.k8s.io/v1beta2", "SparkApplication", {"sparkConf": CONF, "driver": {}}),
    ("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication", {"template": {"driver": {"serviceAccount": "etl"}}}),
    ("spark.apache.org/v1", "SparkApplication", {"driverSpec": {"podTemplateSpec": TEMPLATE}}),
    ("flink.apache.org/v1beta1", "FlinkDeployment", {"serviceAccount": "etl", "podTemplate": {"spec": {}}}),
    ("argoproj.io/v1alpha1", "Workflow", {"serviceAccountName": "etl", "templates": [{"name": "a"}]}),
    ("argoproj.io/v1alpha1", "CronWorkflow", {"workflowSpec": {"serviceAccountName": "etl"}}),
    ("tekton.dev/v1", "PipelineRun", {"taskRunTemplate": {"serviceAccountName": "etl"}}),
    ("keda.sh/v1alpha1", "ScaledJob", {"jobTargetRef": {"template": TEMPLATE}}),
    (
        "kubeflow.org/v1",
        "PyTorchJob",
        {"pytorchReplicaSpecs": {"Master": {"template": TEMPLATE}, "Worker": {"template": TEMPLATE}}},
    ),
    ("serving.kserve.io/v1beta1", "InferenceService", {"predictor": {"serviceAccountName": "etl"}}),
    ("ray.io/v1", "RayCluster", {"headGroupSpec": {"template": TEMPLATE}, "workerGroupSpecs": [{"template": TEMPLATE}]}),
    ("monitoring.coreos.com/v1", "Prometheus", {"serviceAccountName": "etl"}),
    ("actions.summerwind.dev/v1alpha1", "RunnerDeployment", {"template": {"spec": {"serviceAccountName": "etl"}}}),
    ("elasticsearch.k8s.elastic.co/v1", "Elasticsearch", {"nodeSets": [{"podTemplate": TEMPLATE}]}),
]


def read(version, kind, spec, name="job"):
    made = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "data"}, "spec": spec}
    return inventory({"x.json": made}).workloads


@pytest.mark.parametrize(("version", "kind", "spec"), MADE)
def test_a_resource_of_an_operator_that_makes_pods_is_one_workload_of_its_service_account(version, kind, spec):
    (found,) = read(version, kind, spec)
    assert (found.kind, found.namespace, found.name, found.service_account) == (kind, "data", "job", "etl")


def test_parts_with_service_accounts_of_their_own_are_workloads_of_their_own():
    found = read(*MADE[0][:2], {"driver": {"serviceAccount": "driver"}, "executor": {"serviceAccount": "etl"}})
    assert [(workload.name, workload.service_account) for workload in found] == [("job", "driver"), ("job-executor", "etl")]


@pytest.mark.parametrize(
    ("version", "kind", "account"),
    [
        ("monitoring.coreos.com/v1", "Prometheus", "default"),
        ("postgresql.cnpg.io/v1", "Cluster", "job"),
        ("kafka.strimzi.io/v1beta2", "KafkaConnect", "job-connect"),
        ("opentelemetry.io/v1beta1", "OpenTelemetryCollector", "job-collector"),
    ],
)
def test_the_service_account_that_an_operator_takes_where_none_is_written(version, kind, account):
    assert [workload.service_account for workload in read(version, kind, {})] == [account]


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("tekton.dev/v1", "TaskRun"),
        ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
        ("cluster.x-k8s.io/v1beta1", "Cluster"),
        ("example.com/v1", "SparkApplication"),
    ],
)
def test_what_makes_no_pods_or_takes_an_account_that_only_its_operator_knows_is_no_workload(version, kind):
    assert read(version, kind, {}) == ()


ARN = "arn:aws:iam::111122223333:role/store"
ANNOTATED = {"metadata": {"annotations": {"eks.amazonaws.com/role-arn": ARN}}}


@pytest.mark.parametrize(
    ("version", "kind", "spec", "name"),
    [
        ("postgresql.cnpg.io/v1", "Cluster", {"serviceAccountTemplate": ANNOTATED}, "store"),
        ("kafka.strimzi.io/v1beta2", "Kafka", {"kafka": {"template": {"serviceAccount": ANNOTATED}}}, "store-kafka"),
        (
            "kafka.strimzi.io/v1",
            "Kafka",
            {"entityOperator": {"template": {"serviceAccount": ANNOTATED}}},
            "store-entity-operator",
        ),
        ("kafka.strimzi.io/v1beta2", "KafkaConnect", {"template": {"serviceAccount": ANNOTATED}}, "store-connect"),
        ("kafka.strimzi.io/v1beta2", "KafkaBridge", {"template": {"serviceAccount": ANNOTATED}}, "store-bridge"),
    ],
)
def test_the_service_account_that_an_operator_makes_has_the_annotations_of_its_resource(version, kind, spec, name):
    resource = {"apiVersion": version, "kind": kind, "metadata": {"name": "store", "namespace": "shop"}, "spec": spec}
    for document in (resource, {"apiVersion": "v1", "kind": "List", "items": [resource]}):
        (account,) = inventory({"made.json": document}).service_accounts
        assert (account.namespace, account.name, account.managed_by) == ("shop", name, f"the {kind} store")
        assert account.annotations == {"eks.amazonaws.com/role-arn": ARN}
    made = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": "shop", **ANNOTATED["metadata"]},
    }
    (account,) = inventory({"made.json": resource, "real.json": made}).service_accounts
    assert not account.template


def test_an_operator_without_annotations_makes_no_account_that_is_known():
    resource = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "store"}}
    for template in ({}, None, "x", {"metadata": {"labels": {"a": "b"}}}):
        assert not inventory({"made.json": {**resource, "spec": {"serviceAccountTemplate": template}}}).service_accounts
