"""Where resources of operators have the pods that they make: pod templates, or only the name of a service account."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from irsa_doctor.model import Place

_ANY = "*"
"""every member of a mapping, or every item of a list"""
_ACCOUNT_KEYS = ("serviceAccountName", "serviceAccount")
_WRAPPERS = frozenset({"spec", "template", "podTemplate", "podTemplateSpec", _ANY})


class PodPart(NamedTuple):
    """A part of a resource that describes pods: its label, the pod template or pod spec, its place, and the service account."""

    label: str
    template: Mapping[str, object]
    place: Place
    account: str


class _Parts(NamedTuple):
    """Ways to the parts of a kind. `accounts` are the steps to a service account of all parts, the first that is there counts;
    `default` is the name where none is written, with `{name}`, "" where only the operator knows it."""

    ways: tuple[str, ...]
    accounts: tuple[tuple[str, ...], ...] = ()
    default: str = "default"


_SPEC = _Parts(("spec",))
_CONF = "spark.kubernetes.authenticate.driver.serviceAccountName"
_RAY = ("headGroupSpec.template", "workerGroupSpecs.*.template")
_WORKFLOW = ("spec", "spec.templates.*")

# https://github.com/kubeflow/spark-operator/blob/master/docs/api-docs.md and the references of the other operators; executors
# of Spark have the account of the driver where none is written (https://spark.apache.org/docs/latest/running-on-kubernetes.html)
_KINDS: Mapping[tuple[str, str], _Parts] = {
    ("sparkoperator.k8s.io", "SparkApplication"): _Parts(("spec.driver", "spec.executor"), (("spec", "sparkConf", _CONF),)),
    ("sparkoperator.k8s.io", "ScheduledSparkApplication"): _Parts(
        ("spec.template.driver", "spec.template.executor"), (("spec", "template", "sparkConf", _CONF),)
    ),
    ("spark.apache.org", "SparkApplication"): _Parts(
        ("spec.driverSpec.podTemplateSpec", "spec.executorSpec.podTemplateSpec"), (("spec", "sparkConf", _CONF),)
    ),
    ("flink.apache.org", "FlinkDeployment"): _Parts(("spec.podTemplate", "spec"), (("spec", "serviceAccount"),), ""),
    ("argoproj.io", "Workflow"): _Parts(_WORKFLOW),
    ("argoproj.io", "WorkflowTemplate"): _Parts(_WORKFLOW),
    ("argoproj.io", "ClusterWorkflowTemplate"): _Parts(_WORKFLOW),
    ("argoproj.io", "CronWorkflow"): _Parts(("spec.workflowSpec", "spec.workflowSpec.templates.*")),
    ("argoproj.io", "Sensor"): _Parts(("spec.template",)),
    ("argoproj.io", "EventSource"): _Parts(("spec.template",)),
    ("tekton.dev", "TaskRun"): _Parts(("spec",), default=""),
    ("tekton.dev", "PipelineRun"): _Parts(("spec.taskRunTemplate", "spec"), default=""),
    ("keda.sh", "ScaledJob"): _Parts(("spec.jobTargetRef.template",)),
    **{
        ("kubeflow.org", kind): _Parts(("spec.*.*.template",))
        for kind in ("PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "PaddleJob")
    },
    ("serving.kserve.io", "InferenceService"): _Parts(("spec.predictor", "spec.transformer", "spec.explainer")),
    ("ray.io", "RayCluster"): _Parts(tuple(f"spec.{way}" for way in _RAY)),
    ("ray.io", "RayJob"): _Parts(tuple(f"spec.rayClusterSpec.{way}" for way in _RAY)),
    ("ray.io", "RayService"): _Parts(tuple(f"spec.rayClusterConfig.{way}" for way in _RAY)),
    **{("monitoring.coreos.com", kind): _SPEC for kind in ("Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler")},
    **{
        ("operator.victoriametrics.com", kind): _Parts(("spec",), default="")
        for kind in ("VMAgent", "VMAlert", "VMAlertmanager", "VMSingle")
    },
    ("opentelemetry.io", "OpenTelemetryCollector"): _Parts(("spec",), default="{name}-collector"),
    ("postgresql.cnpg.io", "Cluster"): _Parts(("spec",), default="{name}"),
    ("kafka.strimzi.io", "KafkaConnect"): _Parts(("spec",), default="{name}-connect"),
    ("kafka.strimzi.io", "KafkaMirrorMaker2"): _Parts(("spec",), default="{name}-mirrormaker2"),
    ("kafka.strimzi.io", "KafkaBridge"): _Parts(("spec",), default="{name}-bridge"),
    ("actions.summerwind.dev", "Runner"): _SPEC,
    ("actions.summerwind.dev", "RunnerDeployment"): _Parts(("spec.template",)),
    ("actions.summerwind.dev", "RunnerSet"): _Parts(("spec.template", "spec")),
    ("elasticsearch.k8s.elastic.co", "Elasticsearch"): _Parts(("spec.nodeSets.*.podTemplate",)),
    ("kibana.k8s.elastic.co", "Kibana"): _Parts(("spec.podTemplate",)),
    ("logstash.k8s.elastic.co", "Logstash"): _Parts(("spec.podTemplate",)),
    ("beat.k8s.elastic.co", "Beat"): _Parts(("spec.deployment.podTemplate", "spec.daemonSet.podTemplate")),
    ("agent.k8s.elastic.co", "Agent"): _Parts(("spec.deployment.podTemplate", "spec.daemonSet.podTemplate")),
    ("jobset.x-k8s.io", "JobSet"): _Parts(("spec.replicatedJobs.*.template.spec.template",)),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): _Parts(
        ("spec.leaderWorkerTemplate.leaderTemplate", "spec.leaderWorkerTemplate.workerTemplate")
    ),
    ("kubernetes.dask.org", "DaskCluster"): _Parts(("spec.scheduler.spec", "spec.worker.spec")),
    ("camel.apache.org", "Integration"): _Parts(("spec",), default=""),
    ("k6.io", "TestRun"): _Parts(("spec.runner",)),
    ("infra.contrib.fluxcd.io", "Terraform"): _Parts(("spec",), default="tf-runner"),
}


def pod_parts(kind: str, members: Mapping[str, object], place: Place, name: str) -> Iterator[PodPart]:
    """The parts of a resource of an operator that describe pods, each service account once; none for any other resource."""
    group = str(members.get("apiVersion", "")).partition("/")[0]
    if (parts := _KINDS.get((group, kind))) is None:
        return
    common = next(filter(None, (_text(members, steps) for steps in parts.accounts)), "")
    known: set[str] = set()
    for way in parts.ways:
        for part, at in _at(members, place, way.split(".")):
            default = "" if known else parts.default.format(name=name)
            if (account := _account_of(part) or common or default) and account not in known:
                known.add(account)
                yield PodPart(_label(way) if len(known) > 1 else "", part, at, account)


def _account_of(part: Mapping[str, object]) -> str:
    spec = part.get("spec")
    written = (holder.get(key) for holder in (spec, part) if isinstance(holder, dict) for key in _ACCOUNT_KEYS)
    return next((value for value in written if isinstance(value, str) and value), "")


def _label(way: str) -> str:
    """The last step of a way that is not the same for all operators."""
    return next((step for step in reversed(way.split(".")) if step not in _WRAPPERS), "pod").lower()


def _text(members: Mapping[str, object], steps: tuple[str, ...]) -> str:
    value: object = members
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _at(value: object, place: Place, steps: list[str]) -> Iterator[tuple[Mapping[str, object], Place]]:
    """The mappings at the end of a way."""
    if not steps:
        if isinstance(value, dict):
            yield value, place
        return
    first, *rest = steps
    if first == _ANY and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _at(item, place.at(number), rest)
    elif isinstance(value, dict):
        for key in list(value) if first == _ANY else [first] if first in value else []:
            yield from _at(value[key], place.at(str(key)), rest)
