"""Facts of OIDC providers and of clusters."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from irsa_doctor.facts.lookups.accounts import AUDIENCES_OF_ACCOUNTS
from irsa_doctor.facts.lookups.agents import AgentState
from irsa_doctor.facts.lookups.audiences import ClientIds, KopsAudience
from irsa_doctor.facts.lookups.guardrails import Listed
from irsa_doctor.facts.lookups.installations import WebhookState
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.providers.publications import AlgorithmState, DiscoveryState
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.facts.workloads.token_paths import audiences_by_hand
from irsa_doctor.model import Cluster, Issuer, OidcProvider, ServiceAccount, Text, Unknown, parse_arn
from irsa_doctor.model.annotations import AUDIENCE_ANNOTATION, ROLE_ARN
from irsa_doctor.model.commands import shell_command
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.audiences import STS, audience_form, is_meant_for_tokens, made_visible

_VISIBLE = regex(r"[A-Za-z0-9./:_\-]+")
_THUMBPRINT = regex(r"[0-9A-Fa-f]{40}")
_THUMBPRINTS = 5
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_PROVIDER_QUOTA = 100

IssuerForm = Literal["eks", "eks-dualstack", "malformed", "other"]
AcceptedAudience = Literal["there", "missing", "invisible", "china", "endpoint"]
_MISTAKEN: tuple[Literal["china", "endpoint"], ...] = ("china", "endpoint")
Thumbprints = Literal["fine", "absent", "malformed"]


class ProviderFacts(msgspec.Struct, frozen=True):
    """What is true of one IAM OIDC provider."""

    issuer_form: IssuerForm
    audience: AcceptedAudience | Unknown
    cluster_known: bool | Unknown
    of_foreign_cluster: bool | Unknown
    """Whether the cluster of its issuer belongs to another account"""
    client_ids: ClientIds | Unknown
    kops_audience: KopsAudience | Unknown
    thumbprints: Thumbprints | Unknown
    near_limit: bool
    """Whether its account has nine tenths of the default quota of providers; true of the first provider only"""
    rcp: Listed | Unknown


class ClusterFacts(msgspec.Struct, frozen=True):
    """What is true of one cluster; its `provider` is `miswritten` where the URL of one is almost its issuer."""

    provider: Literal["there", "miswritten", "missing"] | Unknown
    irsa_unavailable: bool
    """Whether service accounts name roles on a local cluster of AWS Outposts, which has no webhook"""
    webhook: WebhookState | Unknown
    webhook_fails_silently: bool
    discovery: DiscoveryState | Unknown
    algorithms: AlgorithmState | Unknown
    pod_identity_agent: AgentState | Unknown


def provider_facts(view: View, provider: OidcProvider) -> Judged:
    """The facts of one provider."""
    issuer = Issuer.of(provider.issuer)
    malformed = issuer.form == "other" and "eks" in provider.issuer and "amazonaws" in provider.issuer
    malformed |= issuer.form != "eks-dualstack" and view.principals.meant_issuer(provider.issuer) not in ("", provider.issuer)
    audience, audiences = _audience(provider, issuer, view), view.audience_lookups
    first, count = view.first_of_account[provider.account]
    facts = ProviderFacts(
        "malformed" if malformed else issuer.form,
        audience,
        _cluster_known(provider, issuer, view),
        _is_of_foreign_cluster(provider, issuer, view),
        audiences.client_ids(provider) if audience == "there" or isinstance(audience, Unknown) else "used",
        audiences.kops(provider),
        _thumbprints(provider, issuer, view),
        first == provider.arn and count > _PROVIDER_QUOTA * 9 // 10,
        view.guards.listed(provider),
    )
    return Judged("provider", provider.arn, provider.arn, facts, lambda: _evidence(provider, view))


def _audience(provider: OidcProvider, issuer: Issuer, view: View) -> AcceptedAudience | Unknown:
    if isinstance(provider.client_ids, Unknown):
        return provider.client_ids
    expected = view.expected.get(provider.issuer)
    if expected is not None:
        return "there" if set(expected) & set(provider.client_ids) else "missing"
    found = accepted_audience(provider.client_ids, of_eks=issuer.form != "other")
    if found == "missing" and _is_requested(provider, provider.client_ids, view):
        return "there"
    return unless_chosen(found, provider.client_ids, provider.issuer, view)


def unless_chosen(found: AcceptedAudience, client_ids: Sequence[str], issuer: str, view: View) -> AcceptedAudience | Unknown:
    """Whether client ids without the usual audience lack it: not known where somebody chose another, for which service
    accounts that the input does not have may ask."""
    chosen = [value for value in client_ids if not is_meant_for_tokens(value, {STS})]
    if found == "missing" and chosen and issuer and issuer not in view.inventory.clusters_by_issuer:
        unseen = view.inventory.unseen_clusters(Issuer.of(issuer).region)
        if unseen is not None:
            return unseen
    return AUDIENCES_OF_ACCOUNTS if found == "missing" and chosen and not view.sees_accounts_of(issuer) else found


def _is_requested(provider: OidcProvider, client_ids: Sequence[str], view: View) -> bool:
    """Whether all with a role in the account of a provider request an audience that it accepts, by annotation or by hand."""
    clusters = {cluster.id for cluster in view.inventory.clusters_by_issuer.get(provider.issuer, ())}
    requested: list[str | Text | None] = []
    for user in view.users_of_account(provider.account):
        if user.cluster not in clusters:
            continue
        if isinstance(user, ServiceAccount):
            asked = [(user.annotations.get(ROLE_ARN), user.annotations.get(AUDIENCE_ANNOTATION))]
        else:
            asked = [pair for pair in audiences_by_hand(user) if user.tokens and pair[1]]
        requested += [audience for role, audience in asked if _is_of_account(role, provider.account)]
    return bool(requested) and all(audience in client_ids for audience in requested)


def _is_of_account(role: str | Text | None, account: str) -> bool:
    """Whether a role is, or may be, one of an account."""
    arn = parse_arn(role) if isinstance(role, str) else None
    return isinstance(role, Text) or (arn is not None and arn.account == account)


def accepted_audience(client_ids: Sequence[str], *, of_eks: bool) -> AcceptedAudience:
    """Return whether client ids contain the audience of EKS, and if not, what they contain in its place."""
    if not of_eks or STS in client_ids:
        return "there"
    forms = [audience_form(value, frozenset({STS})) for value in client_ids]
    if any(not _VISIBLE.fullmatch(value) for value in client_ids):
        return "invisible"
    return next((form for form in _MISTAKEN if form in forms), "missing")


def malformed_thumbprints(thumbprints: Sequence[str] | Unknown) -> bool:
    """Return whether some thumbprint cannot be one, or there are too many."""
    if isinstance(thumbprints, Unknown):
        return False
    return len(thumbprints) > _THUMBPRINTS or any(not _THUMBPRINT.fullmatch(value) for value in thumbprints)


def _is_of_foreign_cluster(provider: OidcProvider, issuer: Issuer, view: View) -> bool | Unknown:
    if clusters := view.inventory.clusters_by_issuer.get(provider.issuer):
        return all(cluster.account and cluster.account != provider.account for cluster in clusters)
    # one that was to be read and was not may be in another account
    unseen = view.inventory.unseen_clusters(issuer.region) if issuer.form == "eks" else None
    return False if unseen is None else unseen


def _thumbprints(provider: OidcProvider, issuer: Issuer, view: View) -> Thumbprints | Unknown:
    """AWS needs them of issuers with a private certificate alone, so of EKS only what can be no thumbprint is worth a word
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html)."""
    own = issuer.form == "other" and provider.issuer in view.inventory.clusters_by_issuer
    if isinstance(provider.thumbprints, Unknown):
        return provider.thumbprints if own else "fine"
    if malformed_thumbprints(provider.thumbprints):
        return "malformed"
    return "absent" if own and not provider.thumbprints else "fine"


def _cluster_known(provider: OidcProvider, issuer: Issuer, view: View) -> bool | Unknown:
    if issuer.form != "eks" or provider.issuer in view.inventory.clusters_by_issuer:
        return True
    if (provider.account, issuer.region) not in view.inventory.closed.clusters:
        missing = f"clusters of account {provider.account} in {issuer.region}"
        how = shell_command("aws eks list-clusters --region {}", issuer.region)
        return view.inventory.unknown("clusters", provider.account, issuer.region, missing, how)
    # a provider may be that of another account's cluster
    unseen = view.inventory.unseen_clusters(issuer.region)
    return False if unseen is None else unseen


def _evidence(provider: OidcProvider, view: View) -> Evidence:
    ids = "" if isinstance(provider.client_ids, Unknown) else ", ".join(provider.client_ids)
    names: dict[str, str | Callable[[], str]] = {
        "provider": provider.arn,
        "issuer": provider.issuer,
        "client_ids": ids or "none",
        "auds": ids,
        "where": f"{provider.arn} accepts",
        "hint": lambda: f' Did you mean "{meant}"?' if (meant := view.principals.meant_issuer(provider.issuer)) else "",
        "tokens": lambda: view.principals.meant_issuer(provider.issuer) or Issuer.of(provider.issuer).in_tokens,
        "account": provider.account,
        "count": str(view.first_of_account[provider.account][1]),
        "quota": str(_PROVIDER_QUOTA),
        "thumbprints": "" if isinstance(provider.thumbprints, Unknown) else ", ".join(provider.thumbprints) or "none",
        "unused": lambda: ", ".join(view.audience_lookups.unused(provider)),
        "wanted": lambda: ", ".join(sorted(view.audience_lookups.expected_of_kops(provider))),
        "clusters": lambda: ", ".join(c.id for c in view.inventory.clusters_by_issuer.get(provider.issuer, ())),
    }
    odd = [] if isinstance(provider.client_ids, Unknown) else [c for c in provider.client_ids if not _VISIBLE.fullmatch(c)]
    names["invisible"] = ", ".join(f'"{made_visible(value)}"' for value in odd)
    places = {"provider": provider.place, "aud": provider.place}
    if denial := view.guards.denial_for(provider):
        names["unless"] = f" unless the role has another value of {', '.join(denial.exempt)}" if denial.exempt else ""
        places["rcp"] = denial.place
    return Evidence(names, places)


def cluster_facts(view: View, cluster: Cluster) -> Judged:
    """The facts of one cluster."""
    installed, published = view.installations, view.publications
    facts = ClusterFacts(
        _provider(view, cluster),
        cluster.on_outpost and cluster.id in installed.with_roles,
        "not-needed" if cluster.on_outpost else installed.webhook(cluster.id),
        installed.fails_silently(cluster.id) and cluster.id in installed.with_roles,
        published.discovery(cluster),
        published.algorithms(cluster),
        installed.agents.state(cluster),
    )
    return Judged("cluster", cluster.subject, cluster.subject, facts, lambda: _cluster_evidence(cluster, view))


def _provider(view: View, cluster: Cluster) -> Literal["there", "miswritten", "missing"] | Unknown:
    if isinstance(cluster.issuer, Unknown):
        return cluster.issuer
    if cluster.issuer in view.providers_by_issuer:
        return "there"
    if view.principals.listed(cluster.issuer, cluster.account):
        return "miswritten"
    if not cluster.account:
        return Unknown("account of the cluster")
    if cluster.account in view.inventory.closed.providers:
        return "missing"
    return view.principals.unlisted(cluster.account)


def _cluster_evidence(cluster: Cluster, view: View) -> Evidence:
    hooks, discovery = view.installations.webhooks_of(cluster.id), view.publications.discovery_of(cluster)
    places = {"cluster": cluster.place, "webhook": hooks[0].place if hooks else cluster.place}
    if discovery:
        places["discovery"] = discovery.place
    if addon := view.installations.agents.addon(cluster.id):
        places["addon"] = addon.place
    issuer = cluster.issuer if isinstance(cluster.issuer, str) else ""
    return Evidence(
        {
            "cluster": cluster.name,
            "issuer": issuer,
            "fields": ", ".join(view.publications.missing_fields(cluster)),
            "algorithms": ", ".join(view.publications.unsupported_names(cluster)),
            "addon": _addon_state(cluster, view),
            "webhook": "does not cover the creation of pods" if hooks else "does not exist",
        },
        places,
    )


def _addon_state(cluster: Cluster, view: View) -> str:
    """The status of the add-on of the Pod Identity agent, with its version and the codes of its health."""
    addon = view.installations.agents.addon(cluster.id)
    if addon is None:
        return ""
    version = f" (version {addon.version})" if addon.version else ""
    return f"{addon.status}{version}{': ' if addon.issues else ''}{', '.join(addon.issues)}"
