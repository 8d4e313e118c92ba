"""Facts of OIDC providers that a template makes: judged by themselves and by the roles that trust them."""

from collections.abc import Iterator
from functools import partial

from irsa_doctor.facts.lookups.names import is_one_letter_off
from irsa_doctor.facts.lookups.view import View
from irsa_doctor.facts.providers.provider import (
    AcceptedAudience,
    ProviderFacts,
    accepted_audience,
    malformed_thumbprints,
    unless_chosen,
)
from irsa_doctor.facts.subject import Evidence, Judged
from irsa_doctor.model import Issuer, PlannedProvider, Text, Unknown, is_issuer_of_cluster, issuer_in, text_of
from irsa_doctor.trust import Policy, admitted
from irsa_doctor.trust.audiences import STS, made_visible
from irsa_doctor.trust.languages import Finite
from irsa_doctor.trust.symbols import policy_seen_through


def planned_provider_facts(view: View, provider: PlannedProvider) -> Judged:
    """Return the facts of a provider that a template makes."""
    issuer = Issuer.of(provider.issuer) if isinstance(provider.issuer, str) else None
    malformed = issuer is not None and issuer.form == "other" and "eks" in issuer.name and "amazonaws" in issuer.name
    facts = ProviderFacts(
        issuer_form="malformed" if malformed else issuer.form if issuer else "eks",
        audience=_audience(view, provider, issuer),
        cluster_known=True,
        of_foreign_cluster=False,
        client_ids="used",
        kops_audience="not-kops",
        thumbprints="malformed" if malformed_thumbprints(provider.thumbprints) else "fine",
        near_limit=False,
        rcp="not-asked",
    )
    return Judged("provider", provider.id, provider.id, facts, partial(_evidence, provider))


def _audience(view: View, provider: PlannedProvider, issuer: Issuer | None) -> AcceptedAudience | Unknown:
    """Whether the provider accepts the audiences of the tokens that its roles are for."""
    if isinstance(provider.client_ids, Unknown):
        return provider.client_ids
    stated = view.expected.get(issuer.name) if issuer else None
    if stated is not None:
        return "there" if set(stated) & set(provider.client_ids) else "missing"
    if issuer is not None or is_issuer_of_cluster(provider.issuer):
        found = accepted_audience(provider.client_ids, of_eks=issuer is None or issuer.form != "other")
        return unless_chosen(found, provider.client_ids, issuer.name if issuer else "", view)
    required = frozenset(_required(view, provider))
    if not required & set(provider.client_ids) and (required or any(is_one_letter_off(v, STS) for v in provider.client_ids)):
        return accepted_audience(provider.client_ids, of_eks=required <= {STS})
    return "there"


def _required(view: View, provider: PlannedProvider) -> Iterator[str]:
    """The audiences that roles require of tokens of the provider."""
    for policy, principal in view.audience_lookups.trusting.get(provider.issuer, ()):
        if all(statement.effect_seen for statement in policy.statements):
            yield from _audiences(policy, principal)


def _audiences(policy: Policy, principal: str | Text) -> frozenset[str]:
    answer = admitted(policy_seen_through(policy, principal), text_of(principal), text_of(issuer_in(principal)))
    known = not answer.unseen and isinstance(answer.audiences, Finite)
    return answer.audiences.values if known and isinstance(answer.audiences, Finite) else frozenset()


def _evidence(provider: PlannedProvider) -> Evidence:
    client_ids = () if isinstance(provider.client_ids, Unknown) else provider.client_ids
    listed, issuer = ", ".join(client_ids), text_of(provider.issuer)
    names = {
        "provider": provider.address,
        "issuer": issuer,
        "client_ids": listed or "none",
        "auds": listed,
        "where": f"{provider.address} accepts",
        "hint": "",
        "tokens": Issuer.of(issuer).in_tokens,
        "thumbprints": "" if isinstance(provider.thumbprints, Unknown) else ", ".join(provider.thumbprints) or "none",
        "invisible": ", ".join(f'"{made_visible(value)}"' for value in client_ids if not value.isprintable()),
        "clusters": "",
    }
    client_id_list = provider.place.at("client_id_list")
    return Evidence(names, {"provider": provider.place, "aud": client_id_list})
