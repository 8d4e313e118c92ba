"""The Kubernetes kinds of which an input can be complete, by every name that kubectl takes for them."""

from collections.abc import Mapping

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.nearness import suggestion

SHORT_NAMES: Mapping[str, str] = {
    "po": "pods",
    "deploy": "deployments",
    "sts": "statefulsets",
    "ds": "daemonsets",
    "rs": "replicasets",
    "rc": "replicationcontrollers",
    "cj": "cronjobs",
    "sa": "serviceaccounts",
    "ns": "namespaces",
    "no": "nodes",
    "cm": "configmaps",
}
"""as kubectl abbreviates them (kubectl api-resources)"""
PLURALS = (
    *SHORT_NAMES.values(),
    *(
        "jobs",
        "podtemplates",
        "secrets",
        "roles",
        "clusterroles",
        "rolebindings",
        "clusterrolebindings",
        "mutatingwebhookconfigurations",
    ),
    "ec2nodeclasses",
    *("networkpolicies", "ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies"),
    "globalnetworkpolicies",
)
"""in lower-case plural"""


class UnknownKind(IrsaDoctorError):
    """There is no Kubernetes kind of a name; the text names the nearest, or those that there are."""


def kind_named(word: str) -> str:
    """The lower-case plural of a kind: of its plural, singular or short name, or of a custom resource as `plural.group`.

    Raises UnknownKind.
    """
    name = word.lower()
    if name in PLURALS:
        return name
    if plural := SHORT_NAMES.get(name) or (f"{name}s" if f"{name}s" in PLURALS else ""):
        return plural
    plural, _, group = name.partition(".")
    if plural and "." in group:
        return plural
    hint = suggestion(name, PLURALS) or f" Kinds are {', '.join(sorted(PLURALS))}, and custom resources as PLURAL.GROUP."
    raise UnknownKind(f"no Kubernetes kind {word}.{hint}")
