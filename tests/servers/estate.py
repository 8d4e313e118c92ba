"""An account of many roles and a cluster of as many service accounts, each with a pod, behind servers."""

import json

from tests.answers.why import world as w
from tests.servers.aws import FakeAws
from tests.servers.kubernetes import FakeKubernetes
from tests.servers.world import served

NAMESPACES = 60


def estate(roles: int) -> tuple[FakeAws, FakeKubernetes]:
    """The healthy world of the diagnosis with so many roles, service accounts and pods beside its own."""
    documents = w.world()
    aws, kubernetes = served(documents)
    policy = w.role(documents)["AssumeRolePolicyDocument"]
    for number in range(roles):
        name, namespace = f"app-{number:05d}", f"team-{number % NAMESPACES:02d}"
        own = json.dumps(policy).replace("payments:checkout", f"{namespace}:{name}")
        arn = f"arn:aws:iam::{w.ACCOUNT}:role/{name}"
        aws.roles[name] = {"RoleName": name, "Path": "/", "RoleId": "AROA", "Arn": arn, "AssumeRolePolicyDocument": own}
        kubernetes.add(*_used(name, namespace, arn))
    return aws, kubernetes


def _used(name: str, namespace: str, role: str) -> tuple[w.Json, w.Json]:
    """A service account of a role, and its pod."""
    documents = json.loads(json.dumps(w.healthy()).replace(w.ROLE, role).replace("checkout", name))
    account, pod = documents["account.json"], documents["pod.json"]
    for one in (account, pod):
        one["metadata"]["namespace"] = namespace
    return account, pod
