"""Service accounts and Pod Identity associations for eksctl, one file a cluster; the roles come from another dialect."""

from typing import Any

from irsa_doctor.answers.intents.dialects.written import Choices, Writing, made_file, unique_names, yaml_text
from irsa_doctor.answers.intents.plan import IntentPlan, IntentProblem

_NAME = "eksctl"


def eksctl(plan: IntentPlan, choices: Choices) -> Writing:
    """A ClusterConfig a cluster (https://eksctl.io/usage/schema/): `attachRoleARN` makes no role of its own."""
    clusters = plan.clusters_in_use
    names = unique_names(clusters, "")
    problems = tuple(_problems(plan, clusters))
    files = [
        made_file(f"{_NAME}/{names[cluster]}.yaml", _NAME, yaml_text([_config(plan, cluster)]))
        for cluster in ([] if problems else clusters)
    ]
    return Writing(files=tuple(files), problems=problems)


def _problems(plan: IntentPlan, clusters: list[str]) -> list[IntentProblem]:
    """A ClusterConfig names a region, and no audience."""
    problems = []
    for role in plan.roles:
        for name in dict.fromkeys(pair.cluster.name for pair in role.pairs):
            if name in clusters and not plan.cluster(name).region:
                says = f"eksctl needs the region of cluster {name}: write its arn. Terraform, cloudformation and cli need none"
                problems.append(IntentProblem("not-in-this-format", role.role, role.intended.line, says))
    return problems


def _config(plan: IntentPlan, name: str) -> dict[str, Any]:
    cluster = plan.cluster(name)
    annotated = [item for item in plan.annotations if item.cluster == name]
    associated = [item for item in plan.associations if item.cluster == name]
    iam: dict[str, Any] = {}
    if annotated:
        iam["withOIDC"] = True
        iam["serviceAccounts"] = [
            {
                "metadata": {
                    "name": item.service_account,
                    "namespace": item.namespace,
                    **({"annotations": {"eks.amazonaws.com/audience": item.audience}} if item.audience else {}),
                },
                "attachRoleARN": item.value,
            }
            for item in annotated
        ]
    if associated:
        iam["podIdentityAssociations"] = [
            {"namespace": item.namespace, "serviceAccountName": item.service_account, "roleARN": item.role}
            for item in associated
        ]
    metadata = {"name": cluster.eks_name, "region": cluster.region}
    return {"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig", "metadata": metadata, "iam": iam}
