"""An admission policy of Kubernetes that lets service accounts name no other role than the intent gives them."""

import json
from typing import Any

from irsa_doctor.answers.intents.dialects.written import Choices, Writing, made_file, unique_names, yaml_text
from irsa_doctor.answers.intents.plan import IntentPlan
from irsa_doctor.facts.lookups.lookups import ROLE_ARN

_NAME = "vap"
_POLICY = "irsa-role-arns"
_NEAR = (
    "eks.amazonaws.com/role_arn",
    "eks.amazonaws.com/rolearn",
    "eks.amazonaws.com/role-ARN",
    "eks.amazonaws.com/iam-role-arn",
    "eks.amazon.com/role-arn",
    "eks.amazonaws.com/role",
    "iam.amazonaws.com/role",
    "iam.amazonaws.com/role-arn",
)
"""keys that are taken for that of the annotation, and give nobody a role"""


def vap(plan: IntentPlan, choices: Choices) -> Writing:
    """A ValidatingAdmissionPolicy and its binding for each cluster
    (https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/)."""
    clusters = [cluster.name for cluster in plan.clusters]
    names = unique_names(clusters, "")
    files = [
        made_file(f"{_NAME}/{names[cluster]}.yaml", _NAME, yaml_text([_policy(plan, cluster), _binding(choices)]))
        for cluster in clusters
    ]
    return Writing(files=tuple(files))


def _policy(plan: IntentPlan, cluster: str) -> dict[str, Any]:
    roles = {f"{a.namespace}/{a.service_account}": a.value for a in plan.annotations if a.cluster == cluster}
    whole: dict[str, list[str]] = {}
    for role in plan.roles:
        for pair in role.pairs if role.via == "irsa" else ():
            if pair.cluster.name == cluster and not pair.subject.name:
                whole.setdefault(pair.subject.namespace, []).append(role.role)
    near = " || ".join(f"{_text(key)} in variables.annotations" for key in _NEAR)
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": _POLICY},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["serviceaccounts"],
                    }
                ]
            },
            "variables": [
                {"name": "annotations", "expression": "has(object.metadata.annotations) ? object.metadata.annotations : {}"},
                {"name": "account", "expression": "object.metadata.namespace + '/' + object.metadata.name"},
                {"name": "roles", "expression": _map({name: _text(role) for name, role in roles.items()}, "string")},
                {
                    "name": "namespaces",
                    "expression": _map({name: f"[{', '.join(map(_text, arns))}]" for name, arns in whole.items()}, "list"),
                },
                {"name": "named", "expression": f"{_text(ROLE_ARN)} in variables.annotations"},
                {"name": "role", "expression": f"variables.named ? variables.annotations[{_text(ROLE_ARN)}] : ''"},
            ],
            "validations": [
                {
                    "expression": (
                        "!variables.named"
                        " || (variables.account in variables.roles && variables.roles[variables.account] == variables.role)"
                        " || (object.metadata.namespace in variables.namespaces"
                        " && variables.role in variables.namespaces[object.metadata.namespace])"
                    ),
                    "messageExpression": (
                        "variables.account + ' may not be ' + variables.role + ': the intent of this cluster gives it '"
                        " + (variables.account in variables.roles ? variables.roles[variables.account] : 'no role')"
                    ),
                    "reason": "Forbidden",
                },
                {
                    "expression": f"!({near})",
                    "message": f"the annotation that gives a service account its role is {ROLE_ARN}",
                },
            ],
        },
    }


def _binding(choices: Choices) -> dict[str, Any]:
    actions = ["Audit" if choices.audit else "Deny"]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": _POLICY},
        "spec": {"policyName": _POLICY, "validationActions": actions},
    }


def _text(text: str) -> str:
    """A text as an expression of CEL (https://github.com/google/cel-spec/blob/master/doc/langdef.md#string-and-bytes-values)."""
    return "'" + json.dumps(text)[1:-1].replace("'", "\\'") + "'"


def _map(members: dict[str, str], kind: str) -> str:
    """A map of texts as an expression; an empty one has a member that no object has, for its type is taken from it."""
    members = members or {"": "''" if kind == "string" else "['']"}
    inner = ", ".join(f"{_text(name)}: {value}" for name, value in members.items())
    return f"{{{inner}}}"
