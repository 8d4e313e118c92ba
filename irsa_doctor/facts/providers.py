"""Facts of OIDC providers and of clusters."""

import re

import msgspec

from irsa_doctor.facts.claims import STS
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.facts.view import View
from irsa_doctor.model import Cluster, Issuer, OidcProvider, Unknown
from irsa_doctor.remedies import add_audience, create_provider

_VISIBLE = re.compile(r"[A-Za-z0-9./:_\-]+")
_ENDPOINT = re.compile(r"sts\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")


class ProviderFacts(msgspec.Struct, frozen=True):
    """What is true of one IAM OIDC provider."""

    issuer_form: str
    audience: str | Unknown
    cluster_known: bool | Unknown


class ClusterFacts(msgspec.Struct, frozen=True):
    """What is true of one cluster."""

    provider: str | Unknown


def provider_facts(view: View, provider: OidcProvider) -> Judged:
    """The facts of one provider."""
    issuer = Issuer.of(provider.issuer)
    malformed = issuer.form == "other" and "eks" in provider.issuer and "amazonaws" in provider.issuer
    facts = ProviderFacts(
        "malformed" if malformed else issuer.form, _audience(provider, issuer, view), _cluster_known(provider, issuer, view)
    )
    return Judged("provider", provider.arn, provider.arn, facts, lambda: _evidence(provider))


def _audience(provider: OidcProvider, issuer: Issuer, view: View) -> str | Unknown:
    if isinstance(provider.client_ids, Unknown):
        return provider.client_ids
    expected = view.expected.get(provider.issuer)
    if expected is not None:
        return "there" if set(expected) & set(provider.client_ids) else "missing"
    if issuer.form == "other" or STS in provider.client_ids:
        return "there"
    if any(not _VISIBLE.fullmatch(c) for c in provider.client_ids):
        return "invisible"
    if any(c == STS + ".cn" for c in provider.client_ids):
        return "china"
    return "endpoint" if any(_ENDPOINT.fullmatch(c) for c in provider.client_ids) else "missing"


def _cluster_known(provider: OidcProvider, issuer: Issuer, view: View) -> bool | Unknown:
    if issuer.form != "eks" or provider.issuer in view.inventory.clusters_by_issuer:
        return True
    if (provider.account, issuer.region) in view.inventory.closed.clusters:
        return False
    return Unknown(
        f"clusters of account {provider.account} in {issuer.region}", f"aws eks list-clusters --region {issuer.region}"
    )


def _evidence(provider: OidcProvider) -> Evidence:
    ids = "" if isinstance(provider.client_ids, Unknown) else ", ".join(provider.client_ids)
    names = {"provider": provider.arn, "issuer": provider.issuer, "client_ids": ids or "none"}
    return Evidence(names, {"provider": provider.place}, lambda: (add_audience(provider.arn, STS),))


def cluster_facts(view: View, cluster: Cluster) -> Judged:
    """The facts of one cluster."""
    return Judged("cluster", cluster.id, cluster.id, ClusterFacts(_provider(view, cluster)), lambda: _cluster_evidence(cluster))


def _provider(view: View, cluster: Cluster) -> str | Unknown:
    if isinstance(cluster.issuer, Unknown):
        return cluster.issuer
    if cluster.issuer in view.provider_issuers:
        return "there"
    if not cluster.account:
        return Unknown("account of the cluster")
    if cluster.account in view.inventory.closed.providers:
        return "missing"
    return Unknown(f"OIDC providers of account {cluster.account}", "aws iam list-open-id-connect-providers")


def _cluster_evidence(cluster: Cluster) -> Evidence:
    issuer = cluster.issuer if isinstance(cluster.issuer, str) else ""
    return Evidence(
        {"cluster": cluster.name, "issuer": issuer},
        {"cluster": cluster.place},
        lambda: (create_provider(cluster.name, cluster.region),),
    )
