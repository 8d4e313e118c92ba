"""Service accounts with the annotation of their role, one file a cluster."""

from collections.abc import Sequence
from typing import Any

from irsa_doctor.answers.intents.dialects.written import Choices, Writing, made_file, unique_names, yaml_text
from irsa_doctor.answers.intents.plan import IntentPlan, MadeAnnotation, MadeAssociation
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN

_NAME = "kubernetes"


def kubernetes(plan: IntentPlan, choices: Choices) -> Writing:
    """The ServiceAccounts of each cluster; those of Pod Identity have no annotation."""
    clusters = plan.clusters_in_use
    names = unique_names(clusters, "")
    files = []
    for cluster in clusters:
        annotated = [item for item in plan.annotations if item.cluster == cluster]
        documents = [*map(_annotated, annotated), *_associated(plan.associations, annotated, cluster)]
        files.append(made_file(f"{_NAME}/{names[cluster]}.yaml", _NAME, yaml_text(documents)))
    return Writing(files=tuple(files))


def _annotated(annotation: MadeAnnotation) -> dict[str, Any]:
    annotations = {ROLE_ARN: annotation.value, **({AUDIENCE_ANNOTATION: annotation.audience} if annotation.audience else {})}
    return _service_account(annotation.namespace, annotation.service_account, annotations)


def _associated(
    associations: Sequence[MadeAssociation], annotated: Sequence[MadeAnnotation], cluster: str
) -> list[dict[str, Any]]:
    known = {(item.namespace, item.service_account) for item in annotated}
    own = [item for item in associations if item.cluster == cluster]
    return [
        _service_account(item.namespace, item.service_account, {})
        for item in own
        if (item.namespace, item.service_account) not in known
    ]


def _service_account(namespace: str, name: str, annotations: dict[str, str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
