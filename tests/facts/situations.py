"""Small situations that the tests of facts put together: documents in memory, and what is said of them."""

import json
from typing import Any

import yaml

from irsa_doctor.answers.check.engine import Evaluation, evaluate
from irsa_doctor.facts import View, derive
from irsa_doctor.model import Unknown
from irsa_doctor.rulebook.rules import shipped_rules
from irsa_doctor.sources import load
from tests.sources.worlds import ACCOUNT, ISSUER, cluster, got_provider, listed_providers, policy, provider_arn, role, role_arn

Json = dict[str, Any]
KEY = "eks.amazonaws.com/role-arn"
CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
BORN, LATER = "2025-03-01T10:00:00Z", "2025-03-02T10:00:00Z"
TOKEN_FILE = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
MOUNT_PATH = "/var/run/secrets/eks.amazonaws.com/serviceaccount"


def aws(**more: Any) -> Json:
    """The account: a cluster, its provider, and the role `app` for prod/app."""
    documents = {
        "cluster.json": cluster(),
        "providers.json": listed_providers(provider_arn()),
        "provider.json": got_provider(),
        "roles.json": {"RoleDetailList": [role()], "UserDetailList": []},
        "associations.json": {"associations": []},
    }
    return {**documents, **more}


def account(name: str = "app", **annotations: str) -> Json:
    """A service account of `prod`; without annotations it names the role `app`."""
    written = {f"eks.amazonaws.com/{key.replace('_', '-')}": value for key, value in annotations.items()}
    metadata = {"name": name, "namespace": "prod", "creationTimestamp": BORN}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**metadata, "annotations": written or {KEY: role_arn()}}}


def plain_account(name: str = "app") -> Json:
    """A service account that names no role."""
    found = account(name)
    del found["metadata"]["annotations"]
    return found


def pair(arn: str = "", path: str = TOKEN_FILE) -> list[Json]:
    """The two variables of web identity."""
    return [{"name": "AWS_ROLE_ARN", "value": arn or role_arn()}, {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": path}]


def container(name: str = "app", env: list[Json] | None = None, **more: Any) -> Json:
    """A container as it stands in a manifest."""
    return {"name": name, "image": "app:1", **({"env": env} if env else {}), **more}


def mount(path: str = MOUNT_PATH, volume: str = "aws-iam-token", **more: Any) -> Json:
    """A volume mount, by default the webhook's."""
    return {"name": volume, "mountPath": path, **more}


def token_volume(name: str = "aws-iam-token", audience: str = "sts.amazonaws.com", **more: Any) -> Json:
    """A projected token, by default the webhook's."""
    token = {"path": "token", "expirationSeconds": 86400, **({"audience": audience} if audience else {}), **more}
    return {"name": name, "projected": {"sources": [{"serviceAccountToken": token}]}}


def set_up(name: str = "app", *more_env: Json, **more: Any) -> Json:
    """A container as the webhook leaves it."""
    return container(name, [*pair(), *more_env], volumeMounts=[mount()], **more)


def deployment(
    *containers: Json, name: str = "app", metadata: Json | None = None, own: Json | None = None, **spec: Any
) -> Json:
    """A Deployment of `prod` under the service account `app`."""
    inside = {"serviceAccountName": "app", "containers": list(containers) or [container()], **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "prod", **(own or {})},
        "spec": {"template": {"metadata": metadata or {}, "spec": inside}},
    }


def pod(*containers: Json, name: Any = "app-1", metadata: Any = None, phase: Any = "Running", **spec: Any) -> Json:
    """A Pod of `prod` as the API server holds it; without containers, as the webhook leaves it."""
    volumes = [] if containers else [token_volume()]
    inside = {"serviceAccountName": "app", "containers": list(containers) or [set_up()], "volumes": volumes, **spec}
    known = {"name": name, "namespace": "prod", "uid": f"u-{name}", "creationTimestamp": LATER}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**known, **(metadata or {})},
        "spec": inside,
        "status": {"phase": phase},
    }


def association(name: str = "app", arn: str | None = None, **more: Any) -> Json:
    """An answer of describe-pod-identity-association."""
    inside = {"clusterName": "prod", "namespace": "prod", "serviceAccount": name, "roleArn": arn or role_arn(), **more}
    return {"association": inside}


def trusting_pods(*actions: str, condition: Json | None = None) -> Json:
    """A trust policy for EKS Pod Identity."""
    statement: Json = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": list(actions)}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def rcp(*statements: Json) -> Json:
    """An answer of organizations describe-policy."""
    content = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    summary = {"Id": "p-1", "Type": "RESOURCE_CONTROL_POLICY", "Name": "guard"}
    return {"Policy": {"PolicySummary": summary, "Content": content}}


def deny(*, action: Any = "sts:AssumeRoleWithWebIdentity", resource: Any = "*", **condition: Json) -> Json:
    """A Deny statement of a resource control policy; members of its condition by operator."""
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, "Condition": condition}


def view(documents: Json, *complete: str) -> View:
    """The inventory of documents given in memory."""
    memory = {
        path: (content if isinstance(content, str) else json.dumps(content)).encode() for path, content in documents.items()
    }
    return View(load([], memory=memory, complete=complete).inventory)


def manifests(*objects: Json) -> str:
    """Kubernetes objects as one YAML file."""
    return yaml.safe_dump_all(objects)


def subjects(documents: Json, kind: str, *complete: str) -> list[Any]:
    """Every subject of a kind."""
    return [judged for judged in derive(view(documents, *complete)) if judged.kind == kind]


def facts(documents: Json, kind: str, *complete: str) -> Any:
    """The facts of the only subject of a kind."""
    (judged,) = subjects(documents, kind, *complete)
    return judged.facts


def workload(*objects: Json, complete: Any = (), **more: Any) -> Any:
    """The facts of the only workload among Kubernetes objects of the cluster `prod`."""
    return facts(aws(**{"objects.yaml": manifests(*objects)}, **more), "workload", *complete)


def evaluation(documents: Json, *complete: str) -> Evaluation:
    """What the built-in rules say."""
    return evaluate(shipped_rules(), derive(view(documents, *complete)), lambda place, *_: (0, 0, 0, 0, place.pointer, 0))


def found(documents: Json, *complete: str) -> set[tuple[str, str]]:
    """(rule, subject) of all findings."""
    return {(finding.rule, finding.subject.id) for finding in evaluation(documents, *complete).findings}


def missing(value: object) -> str:
    """What an unknown fact says is missing."""
    assert isinstance(value, Unknown), value
    return value.missing


__all__ = ["ACCOUNT", "ISSUER", "policy", "provider_arn", "role", "role_arn"]
