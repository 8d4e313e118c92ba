"""Pod Identity: the input of create-pod-identity-association, one file a cluster, and the trust policies that it needs."""

from irsa_doctor.answers.intents.dialects.written import Choices, Writing, indented_json, made_file, unique_names
from irsa_doctor.answers.intents.plan import IntentPlan, IntentProblem

_NAME = "pod-identity"


def associations_and_trust(plan: IntentPlan, choices: Choices) -> Writing:
    """Associations, each as `aws eks create-pod-identity-association --cli-input-json` takes it."""
    problems = [
        IntentProblem("not-in-this-format", role.role, role.intended.line, _says(role.name))
        for role in plan.roles
        if role.via != "pod-identity"
    ]
    if problems:
        return Writing(problems=tuple(problems))
    clusters = list(dict.fromkeys(item.cluster for item in plan.associations))
    names = unique_names(clusters, "")
    files = [made_file(f"{_NAME}/{names[cluster]}.json", _NAME, indented_json(_inputs(plan, cluster))) for cluster in clusters]
    files += [
        made_file(f"{_NAME}/trust/{role.account}/{role.name}.json", _NAME, indented_json(role.policy)) for role in plan.roles
    ]
    return Writing(files=tuple(files))


def _says(role: str) -> str:
    other = "terraform, cloudformation, eksctl, kubernetes, crossplane, ack and cli say it"
    return f"{role} is not reached through Pod Identity: write `via: pod-identity`, or take another format ({other})"


def _inputs(plan: IntentPlan, cluster: str) -> list[dict[str, str]]:
    return [
        {
            "clusterName": plan.cluster(cluster).eks_name,
            "namespace": item.namespace,
            "serviceAccount": item.service_account,
            "roleArn": item.role,
        }
        for item in plan.associations
        if item.cluster == cluster
    ]
