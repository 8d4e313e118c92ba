"""Reads on which nodes a pod may run: by its selector, its affinity, its operating system, its labels."""

from collections.abc import Mapping
from typing import Literal

from irsa_doctor.text import shapes

COMPUTE_TYPE = "eks.amazonaws.com/compute-type"
OS_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")
_OF_GKE = ("iam.gke.io/", "cloud.google.com/gke-nodepool")
_Members = Mapping[str, object]


def is_on_fargate(spec: _Members, labels: _Members) -> bool:
    """Whether a pod runs on Fargate: by the label of its profile, its scheduler, the name of its node, or the nodes that it
    requires (https://docs.aws.amazon.com/eks/latest/userguide/fargate-pod-configuration.html)."""
    node = spec.get("nodeName")
    by_node = isinstance(node, str) and node.startswith("fargate-")
    scheduled = "eks.amazonaws.com/fargate-profile" in labels or spec.get("schedulerName") == "fargate-scheduler"
    return scheduled or by_node or compute_type(spec) == "fargate"


def windows(spec: _Members) -> Literal["", "selector", "affinity", "os"]:
    """How a pod requests Windows nodes (https://kubernetes.io/docs/concepts/windows/user-guide/)."""
    if any(_inside(spec, "nodeSelector").get(key) == "windows" for key in OS_LABELS):
        return "selector"
    if any(_required(spec, key) == "windows" for key in OS_LABELS):
        return "affinity"
    return "os" if _inside(spec, "os").get("name") == "windows" else ""


def compute_type(spec: _Members) -> str:
    """The compute type that the nodes of a pod must have, by its selector or by every term of its affinity; "" for any
    (https://docs.aws.amazon.com/eks/latest/userguide/hybrid-nodes-add-ons.html)."""
    if selected := _inside(spec, "nodeSelector").get(COMPUTE_TYPE):
        return shapes.as_text(selected)
    return _required(spec, COMPUTE_TYPE)


def gke_selector(spec: _Members) -> dict[str, str]:
    """The labels of GKE in the node selector of a pod (https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity)."""
    selector = _inside(spec, "nodeSelector")
    return {name: shapes.as_text(value) for name, value in selector.items() if name.startswith(_OF_GKE)}


def _required(spec: _Members, key: str) -> str:
    """The one value that a label of the nodes must have by every term of the affinity, "" where there is none or several."""
    chosen = [
        [e.get("values") for e in term if e.get("key") == key and e.get("operator") == "In"] for term in _node_terms(spec)
    ]
    values = {shapes.as_text(value) for term in chosen for listed in term if isinstance(listed, list) for value in listed}
    return values.pop() if len(values) == 1 and all(chosen) else ""


def _node_terms(spec: _Members) -> list[list[dict[str, object]]]:
    """The expressions of each term of the node affinity that a pod requires; one term is enough."""
    required = _inside(_inside(_inside(spec, "affinity"), "nodeAffinity"), "requiredDuringSchedulingIgnoredDuringExecution")
    return [_listed(term.get("matchExpressions")) for term in _listed(required.get("nodeSelectorTerms"))]


def _inside(members: _Members, name: str) -> _Members:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _listed(items: object) -> list[dict[str, object]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
