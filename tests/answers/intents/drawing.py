"""Random intents, and estates that follow them."""

import json
from typing import Any

from hypothesis import strategies as st

from irsa_doctor.answers.intents.plan import IntentPlan, plan_of
from irsa_doctor.model import Inventory
from irsa_doctor.sources import load
from irsa_doctor.sources.intents import intent_of

ACCOUNTS = ("111122223333", "222233334444")
_NAMES = st.sampled_from(["api", "web", "batch", "a.b", "x"])
_NAMESPACES = st.sampled_from(["shop", "billing", "kube-system", "n-1"])
_PAIRS = st.lists(st.tuples(_NAMESPACES, _NAMES).map("/".join), min_size=1, max_size=4, unique=True)
_AUDIENCES = st.sampled_from(
    [{}, {}, {"audience": "vault.example.net"}, {"audience": "own"}, {"audience": "sts.amazonaws.com"}]
)


def issuer(number: int) -> str:
    return f"https://oidc.eks.eu-west-1.amazonaws.com/id/{number:032X}"


def arn(name: str) -> str:
    return f"arn:aws:eks:eu-west-1:{ACCOUNTS[0]}:cluster/{name}"


@st.composite
def intents(draw, *, whole_namespaces: bool = True) -> dict[str, Any]:
    """Intents in which no service account is in two roles."""
    names = draw(st.lists(st.sampled_from(["blue", "green", "red"]), min_size=1, max_size=3, unique=True))
    clusters = {name: {"arn": arn(name), "issuer": issuer(number), **draw(_AUDIENCES)} for number, name in enumerate(names)}
    roles: dict[str, Any] = {}
    used: set[tuple[str, str]] = set()
    for number in range(draw(st.integers(1, 3))):
        by_cluster = {}
        for cluster in names:
            pairs = [pair for pair in draw(_PAIRS) if (cluster, pair) not in used]
            used |= {(cluster, pair) for pair in pairs}
            if pairs and draw(st.booleans()):
                by_cluster[cluster] = pairs
        body: dict[str, Any] = {"service-accounts": by_cluster, **draw(_AUDIENCES)} if by_cluster else {}
        if whole_namespaces and draw(st.booleans()):
            body["namespaces"] = {f"whole-{number}": "on demand"}
        if body:
            account = draw(st.sampled_from(ACCOUNTS))
            path = draw(st.sampled_from(["", "team/", "a/b/"]))
            roles[f"arn:aws:iam::{account}:role/{path}Role_{number}"] = {**body, "max-policy-size": 8192}
    return {"intent": 1, "account": ACCOUNTS[0], "clusters": clusters, "roles": roles}


def plan(intent: dict[str, Any], inventory: Inventory | None = None) -> IntentPlan:
    return plan_of(intent_of("intent.yaml", json.dumps(intent).encode()), inventory or Inventory())


def _asked_for(item: Any) -> dict[str, str]:
    return {"eks.amazonaws.com/audience": item.audience} if item.audience else {}


def estate(made: IntentPlan) -> Inventory:
    """An account and clusters in which everything is as planned, and every list is whole."""
    roles = [
        {"Arn": role.role, "RoleName": role.name, "AssumeRolePolicyDocument": role.policy, "CreateDate": "2025-01-01T00:00:00Z"}
        for role in made.roles
    ]
    documents: dict[str, Any] = {}
    for account in ACCOUNTS:
        own = [role for role in roles if f"::{account}:" in role["Arn"]]
        documents[f"{account}/roles.json"] = {"RoleDetailList": own, "UserDetailList": [], "IsTruncated": False}
    for cluster in made.clusters:
        # an intent may have several names for one cluster, one for each audience
        described = {
            "name": cluster.arn.rpartition("/")[2],
            "arn": cluster.arn,
            "identity": {"oidc": {"issuer": f"https://{cluster.issuer}"}},
        }
        documents[f"{cluster.name}/cluster.json"] = {"cluster": described}
        items = [
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {
                    "name": item.service_account,
                    "namespace": item.namespace,
                    "annotations": {"eks.amazonaws.com/role-arn": item.value, **_asked_for(item)},
                },
            }
            for item in made.annotations
            if item.cluster == cluster.name
        ]
        documents[f"{cluster.name}/accounts.json"] = {"apiVersion": "v1", "kind": "List", "items": items}
    memory = {path: json.dumps(document).encode() for path, document in documents.items()}
    return load((), memory=memory, complete=("serviceaccounts",)).inventory
