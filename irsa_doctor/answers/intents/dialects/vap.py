"""An admission policy of Kubernetes that lets service accounts name no other role than the intent gives them."""

import json
from typing import Any

from irsa_doctor.answers.intents.dialects.annotation_keys import near_keys
from irsa_doctor.answers.intents.dialects.written import Choices, Writing, made_file, unique_names, yaml_text
from irsa_doctor.answers.intents.plan import IntentPlan, IntentProblem
from irsa_doctor.model.annotations import ROLE_ARN

_NAME = "vap"
_POLICY = "irsa-role-arns"
_LONGEST_EXPRESSION = 90_000
"""characters; the compiler of the API server takes 100,000 (https://github.com/google/cel-go, parser/options.go)"""
_LARGEST = 1_000_000
"""characters of a policy; etcd takes 1.5 MiB (https://etcd.io/docs/v3.5/dev-guide/limit/)"""


def vap(plan: IntentPlan, choices: Choices) -> Writing:
    """A ValidatingAdmissionPolicy and its binding for each cluster
    (https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/)."""
    clusters = [cluster.name for cluster in plan.clusters]
    names = unique_names(clusters, "")
    files = [
        made_file(f"{_NAME}/{names[cluster]}.yaml", _NAME, yaml_text([_policy(plan, cluster), _binding(choices)]))
        for cluster in clusters
    ]
    problems = [
        IntentProblem("size-limit", "", plan.intent.cluster(cluster).line, _too_large(cluster, len(file.text)))
        for cluster, file in zip(clusters, files, strict=True)
        if len(file.text) > _LARGEST
    ]
    return Writing(files=() if problems else tuple(files), problems=tuple(problems))


def _too_large(cluster: str, size: int) -> str:
    return f"the admission policy of cluster {cluster} has {size} characters, at most {_LARGEST}: make an intent of some roles"


def _policy(plan: IntentPlan, cluster: str) -> dict[str, Any]:
    resource = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["serviceaccounts"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": _POLICY},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [resource]},
            "variables": [{"name": name, "expression": text} for name, text in _variables(plan, cluster)],
            "validations": [
                {
                    "expression": (
                        "!variables.named"
                        " || (variables.intended != '' && variables.intended == variables.role)"
                        " || variables.role in variables.shared"
                    ),
                    "messageExpression": (
                        "variables.account + ' may not be ' + variables.role + ': the intent of this cluster gives it '"
                        " + (variables.intended != '' ? variables.intended : 'no role')"
                    ),
                    "reason": "Forbidden",
                },
                {
                    "expression": f"!variables.annotations.exists(key, key != {_text(ROLE_ARN)} && ({near_keys('key')}))",
                    "message": f"the annotation that gives a service account its role is {ROLE_ARN}",
                },
            ],
        },
    }


def _variables(plan: IntentPlan, cluster: str) -> list[tuple[str, str]]:
    """(name, expression); `intended` is the role of the service account, `shared` those of its whole namespace."""
    roles = {f"{a.namespace}/{a.service_account}": _text(a.value) for a in plan.annotations if a.cluster == cluster}
    whole: dict[str, list[str]] = {}
    for role in plan.roles:
        for pair in role.pairs if role.via == "irsa" else ():
            if pair.cluster.name == cluster and not pair.subject.name:
                whole.setdefault(pair.subject.namespace, []).append(_text(role.role))
    maps = _maps("roles", roles)
    namespaces = _maps("namespaces", {name: f"[{', '.join(arns)}]" for name, arns in whole.items()})
    return [
        ("annotations", "has(object.metadata.annotations) ? object.metadata.annotations : {}"),
        ("account", "object.metadata.namespace + '/' + object.metadata.name"),
        ("named", f"{_text(ROLE_ARN)} in variables.annotations"),
        ("role", f"variables.named ? variables.annotations[{_text(ROLE_ARN)}] : ''"),
        *maps,
        *namespaces,
        ("intended", _looked_up("variables.account", [name for name, _ in maps], "''")),
        ("shared", _looked_up("object.metadata.namespace", [name for name, _ in namespaces], "[]")),
    ]


def _maps(name: str, members: dict[str, str]) -> list[tuple[str, str]]:
    """Members as maps of CEL, as many as their length asks for: (name of the variable, expression)."""
    parts: list[list[str]] = []
    size = _LONGEST_EXPRESSION
    for key, value in members.items():
        member = f"{_text(key)}: {value}"
        size += len(member) + 2
        if size > _LONGEST_EXPRESSION:
            parts.append([])
            size = len(member) + 2
        parts[-1].append(member)
    return [(f"{name}{number or ''}", f"{{{', '.join(part)}}}") for number, part in enumerate(parts)]


def _looked_up(key: str, maps: list[str], otherwise: str) -> str:
    """What the first of some maps that has a key holds for it."""
    return "".join(f"{key} in variables.{name} ? variables.{name}[{key}] : " for name in maps) + otherwise


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
