"""Since when keys are in use, as the runs of a store saw it: neither a JWKS nor IAM has a date for them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from irsa_doctor.facts.lifetimes.durations import StandardState, moment_named, seconds_since
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.model import Cluster, Issuer, OidcProvider, Unknown
from irsa_doctor.model.standards import KeyRun


def key_age(view: View, cluster: Cluster, standard: int) -> StandardState | Unknown:
    """Whether no signing key of a cluster is older than so many seconds. EKS rotates its keys every seven days by itself
    (https://docs.aws.amazon.com/eks/latest/userguide/irsa-fetch-keys.html): nothing is asked there."""
    if not standard or (isinstance(cluster.issuer, str) and Issuer.of(cluster.issuer).form != "other"):
        return "not-asked"
    keys = {key.kid for key in view.inventory.signing_keys if key.cluster == cluster.id}
    if not keys:
        return Unknown(f"signing keys of {cluster.name}", "kubectl get --raw /openid/v1/jwks")
    return _oldest(keys, view, cluster.id, standard, f"signing keys of {cluster.name}")


def thumbprint_age(view: View, provider: OidcProvider, standard: int) -> StandardState | Unknown:
    """Whether no thumbprint is older than so many seconds. It is asked of issuers outside EKS alone, for AWS uses its own trust
    store where it can
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html)."""
    own = Issuer.of(provider.issuer).form == "other" and provider.issuer in view.inventory.clusters_by_issuer
    if not standard or not own:
        return "not-asked"
    if isinstance(provider.thumbprints, Unknown):
        return provider.thumbprints
    prints = {thumbprint.lower() for thumbprint in provider.thumbprints}
    return _oldest(prints, view, provider.arn, standard, f"thumbprints of {provider.arn}") if prints else "met"


def _oldest(keys: Iterable[str], view: View, subject: str, standard: int, called: str) -> StandardState | Unknown:
    now, runs = moment_named(view.standards_context.as_of), view.standards_context.key_runs.get(subject, ())
    states = [_age(key, runs, standard, now) for key in keys]
    if "missed" in states:
        return "missed"
    if None not in states:
        return "met"
    return Unknown(f"age of the {called}: the store has too few runs", "irsa-doctor audit")


def _age(key: str, runs: Sequence[KeyRun], standard: int, now: datetime | None) -> StandardState | None:
    """A key that all runs since some moment have is at least that old; one that a run had not is younger than that run."""
    since = ""
    for run in reversed(runs):
        if key not in run.keys:
            age = seconds_since(run.as_of, now)
            if age is not None and age <= standard:
                return "met"
            break
        since = run.as_of
    age = seconds_since(since, now) if since else None
    return "missed" if age is not None and age > standard else None
