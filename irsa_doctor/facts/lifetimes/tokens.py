"""How long tokens live, and credentials that do not end: keys in the environment, tokens in Secrets.

The pod identity webhook takes the lifetime from the annotation of the pod, else of the service account, else from its argument
`--token-expiration`, 86,400 seconds on EKS (https://github.com/aws/amazon-eks-pod-identity-webhook). Kubernetes gives a
projected token without `expirationSeconds` an hour (https://kubernetes.io/docs/concepts/storage/projected-volumes/).
"""

import msgspec

from irsa_doctor.facts.lifetimes.durations import StandardState
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.workloads.records import WorkloadFacts
from irsa_doctor.facts.workloads.webhook import EXPIRATION, LONGEST, SHORTEST, names_a_role
from irsa_doctor.model import ConfigMap, Issuer, Role, ServiceAccount, Text, Unknown, Workload
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.model.commands import NAMED_SECRETS

_PROJECTED = 3600
"""seconds of a projected token whose lifetime nobody asks for"""


def account_lifetime(view: View, account: ServiceAccount, standard: int) -> tuple[StandardState | Unknown, int]:
    """Whether the tokens for STS of a service account meet a standard (seconds), and how long they live, 0 where not known."""
    if not standard or not names_a_role(account):
        return "not-asked", 0
    annotated = account.annotations.get(EXPIRATION)
    if isinstance(annotated, Text):
        return Unknown(f"value of {EXPIRATION} of {account.namespace}/{account.name}"), 0
    if annotated is not None:
        return _judged(annotated_seconds(annotated), standard)
    if mounted := _mounted(view, account):
        return _judged(max(mounted), standard)
    if Issuer.of(view.issuer_of(account.cluster)).form == "other":
        return Unknown(f"--token-expiration of the pod identity webhook of {view.name_of(account.cluster)}"), 0
    return _judged(LONGEST, standard)


def workload_lifetime(workload: Workload, standard: int) -> tuple[StandardState | Unknown, int]:
    """Whether the tokens that a workload mounts, or its annotation, meet a standard, and how long they live."""
    if not standard:
        return "not-asked", 0
    if tokens := _lifetimes(workload):
        return _judged(max(tokens), standard)
    annotated = workload.annotations.get(EXPIRATION)
    if annotated is None:
        return "not-asked", 0
    if isinstance(annotated, Text):
        return Unknown(f"value of {EXPIRATION} of {workload.namespace}/{workload.name}"), 0
    return _judged(annotated_seconds(annotated), standard)


def _judged(seconds: int, standard: int) -> tuple[StandardState, int]:
    return ("missed" if seconds > standard else "met"), seconds


def annotated_seconds(value: str) -> int:
    """The lifetime that the webhook and the API server make of an annotation. No number becomes a day, less than ten minutes
    becomes ten minutes, more than a day a day (recorded: radkawar/stackd, testdata/aws/eks/irsa_native.json)."""
    if not (value.isascii() and value.isdigit()):
        return SHORTEST if value[:1] == "-" and value[1:].isdigit() else LONGEST
    return min(max(int(value[:12]), SHORTEST), LONGEST)


def _lifetimes(workload: Workload) -> list[int]:
    """The lifetimes of tokens for somebody else than the API server."""
    return [token.expiration or _PROJECTED for token in workload.tokens if token.audience]


def _mounted(view: View, account: ServiceAccount) -> list[int]:
    """The lifetimes of the tokens that its workloads mount by themselves, or by the webhook."""
    key = (account.cluster, account.namespace, account.name)
    workloads = view.inventory.workloads_by_service_account.get(key, ())
    return [seconds for workload in workloads for seconds in _lifetimes(workload)]


def legacy_token_state(view: View, account: ServiceAccount) -> tuple[StandardState | Unknown, ConfigMap | None]:
    """Whether no Secret holds a token of a service account, and the Secret that does; such a token does not end
    (https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets)."""
    for secret in view.inventory.config_maps:
        if (secret.token_of, secret.namespace, secret.cluster) == (account.name, account.namespace, account.cluster):
            return "missed", secret
    if view.inventory.closed.has_kind(account.cluster, "secrets", account.namespace):
        return "met", None
    name = view.name_of(account.cluster)
    return Unknown(f"Secrets of {name} that hold tokens", NAMED_SECRETS, "--complete secrets"), None


def denied_keys(facts: msgspec.Struct, denied: bool) -> StandardState | Unknown:
    """Whether no container that has a role gets static keys as well."""
    if not denied or not isinstance(facts, WorkloadFacts) or facts.identity == "none":
        return "not-asked"
    if isinstance(facts.static_keys, Unknown):
        return facts.static_keys
    return "missed" if facts.static_keys else "met"


def role_of(view: View, account: ServiceAccount) -> Role | None:
    """The role that a service account names, None where it is not in the input."""
    named = account.annotations.get(ROLE_ARN)
    return view.inventory.role_by_arn.get(named) if isinstance(named, str) else None
