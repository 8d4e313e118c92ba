"""Fills {placeholders} of commands and messages with what is known of a case."""

import re
import shlex

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence.tokens import TOLERANCE
from irsa_doctor.model import Issuer, text_of
from irsa_doctor.rulebook.folders import CASE_PLACEHOLDERS

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_NAMES = {
    "namespace": "the namespace",
    "service_account": "the name of the service account",
    "pod": "the name of a pod",
    "role_name": "the name of the role",
    "role_arn": "the ARN of the role",
    "account": "the account",
    "cluster": "the name of the cluster",
    "region": "the region of the cluster",
    "provider_arn": "the ARN of the OIDC provider",
    "issuer": "the issuer of the cluster",
    "source_role": "the ARN of the role of the association",
    "target_role": "the ARN of its target role",
    "target_role_name": "the name of its target role",
    "identity": "the name of the identity",
    "identity_group": "its resource group",
    "cluster_group": "the resource group of the cluster",
    "client_id": "the client id of the identity",
    "email": "the address of the service account of Google Cloud",
    "pool": "the id of the workload identity pool",
    "provider": "the id of the provider",
}
_PROGRAMS = ("aws ", "kubectl ", "curl ", "nslookup ", "az ", "gcloud ")
_EXEC = "kubectl exec "
_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
_DISCOVERY = "kubectl get --raw /.well-known/openid-configuration"
_OBJECT = re.compile(r"kubectl get ([a-z]+) -n \{namespace\} \{(?:pod|service_account)\} -o yaml$")
_OF_CLUSTER = ("aws eks describe-cluster --name {cluster}", "curl -sS https://{issuer}/.well-known/openid-configuration")
_OF_ROLE = "aws iam get-role --role-name {role_name}"
_ALL_ROLES = "aws iam get-account-authorization-details --filter Role"


def fill_command(template: str, case: Case) -> str:
    """A command with the values of a case, quoted for a shell.

    Where a value is not known it is a command that reads more, such as all pods, or a sentence that names the value: a command
    has no placeholders. A value that begins with a dash is as good as none: it would be an option.
    """
    filled = case.commands.get(template)
    if filled is None:
        filled = case.commands[template] = _filled(template, case)
    return filled


def _filled(template: str, case: Case) -> str:
    values = {name: "" if value.startswith("-") else value for name, value in placeholder_values(case).items()}
    if template.startswith(_EXEC):
        values["pod"] = _running(case)
    if _unknown(template, values):
        template = _wider(template, values)
    filled = _PLACEHOLDER.sub(lambda name: shlex.quote(values[name[1]]) if values.get(name[1]) else name[0], template)
    return _described(filled) if _unknown(template, values) else filled


def _unknown(template: str, values: dict[str, str]) -> list[str]:
    return [name for name in dict.fromkeys(_PLACEHOLDER.findall(template)) if name in _NAMES and not values.get(name)]


def _wider(template: str, values: dict[str, str]) -> str:
    """A command that needs fewer values and answers as much, or the same where there is none."""
    if template in _OF_CLUSTER:
        return _DISCOVERY
    if template == _OF_ROLE:
        return _ALL_ROLES
    if named := _OBJECT.match(template):
        scope = "-n {namespace}" if values["namespace"] else "-A"
        return " ".join(["kubectl", "get", f"{named[1].removesuffix('s')}s", scope, "-o", "yaml"])
    if "{region}" in template and not values["region"] and "{pod} -- " in template:
        # the webhook sets the variable in the container
        container, _, command = template.partition(" -- ")
        return f"{container} -- sh -c '{command.replace('{region}', '$AWS_REGION')}'"
    return template


def _described(command: str) -> str:
    """A sentence that says what to run, and with which values."""
    if command.startswith(_EXEC):
        return f"run {command.partition(' -- ')[2]} in a container of the workload"
    names = [name for name in dict.fromkeys(_PLACEHOLDER.findall(command)) if name in _NAMES]
    words = command.split()
    if any(_PLACEHOLDER.search(word) and not _PLACEHOLDER.fullmatch(word) for word in words):
        meant = ", and ".join(f"{name.upper()} is {_NAMES[name]}" for name in names)
        run = "run " if command.startswith(_PROGRAMS) else ""
        return f"{run}{_PLACEHOLDER.sub(lambda name: name[1].upper(), command)}, where {meant}"
    kept = [word for number, word in enumerate(words) if not _holds_place(words[number : number + 2])]
    return f"run {' '.join(kept)} with {' and '.join(_NAMES[name] for name in names)}"


def _holds_place(words: list[str]) -> bool:
    """Whether a word is a placeholder, or the flag before one."""
    return bool(_PLACEHOLDER.fullmatch(words[0])) or (words[0].startswith("-") and bool(_PLACEHOLDER.fullmatch(words[-1])))


def fill_message(template: str, case: Case) -> str:
    """A message of STS with the values of a case, "" where one of them is not known."""
    values = placeholder_values(case) | _of_token(case)
    unknown = [name for name in _PLACEHOLDER.findall(template) if not values.get(name)]
    return "" if unknown else _PLACEHOLDER.sub(lambda name: values[name[1]], template)


def placeholder_values(case: Case) -> dict[str, str]:
    """The values of a case by placeholder, "" where they are not known."""
    cluster = case.cluster
    supplied = text_of(case.association.role_arn) if case.association and not case.role_arn else ""
    return dict.fromkeys(CASE_PLACEHOLDERS, "") | {
        "namespace": case.namespace,
        "service_account": case.service_account,
        "pod": next((workload.name for workload in case.workloads if workload.kind == "Pod"), ""),
        "role_name": case.role_name or supplied.rpartition("/")[2],
        "source_role": supplied,
        "target_role": case.target_role,
        "target_role_name": case.target_role.rpartition("/")[2],
        "role_arn": case.role,
        "account": case.role_arn.account if case.role_arn else "",
        "cluster": cluster.name if cluster else "",
        "region": (cluster.region if cluster else "") or Issuer.of(case.issuer).region,
        "provider_arn": case.provider_arn,
        "issuer": case.issuer,
        **case.cloud_names,
    }


def _running(case: Case) -> str:
    """What `kubectl exec` takes for a container: a pod, or an object that has pods as KIND/NAME."""
    pods = [workload.name for workload in case.workloads if workload.kind == "Pod"]
    makers = [f"{workload.kind.lower()}/{workload.name}" for workload in case.workloads if workload.kind in _WITH_PODS]
    return next((name for name in (*pods, *makers) if not name.startswith("-")), "")


def _of_token(case: Case) -> dict[str, str]:
    """What STS prints of the times of a token: its clock less the 300 seconds of tolerance, and the end."""
    end = case.token.time_of("exp") if case.token else None
    return {"now": str(int(case.evidence.now) - TOLERANCE), "exp": str(end) if end is not None else ""}
