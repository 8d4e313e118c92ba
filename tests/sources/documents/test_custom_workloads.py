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
