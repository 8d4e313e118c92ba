"""Ways to fix OIDC providers that templates make: their client ids and their URL."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from irsa_doctor.facts import View
from irsa_doctor.model import Issuer, OidcProvider, PlannedProvider, text_of
from irsa_doctor.model.edits import EditKind
from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.commands import add_audience
from irsa_doctor.remedies.edits.records import Wish
from irsa_doctor.remedies.policy_fix import command_fix
from irsa_doctor.remedies.proposals.records import FixCase, Proposal, Unfixable
from irsa_doctor.trust.audiences import STS, audience_form

_ARGUMENTS = {"Url": "url", "ClientIdList": "client_id_list"}
"""properties of CloudFormation -> arguments of Terraform"""


def _provider(case: FixCase) -> OidcProvider | PlannedProvider:
    """The provider that a finding is about."""
    known = case.view.inventory.provider_by_arn.get(case.judged.id)
    planned = (provider for provider in case.view.inventory.planned_providers if provider.id == case.judged.id)
    provider = known or next(planned, None)
    if provider is None:
        raise Unfixable("not-in-source", "the provider is not in the input")
    return provider


def _wish(provider: OidcProvider | PlannedProvider, name: str, transform: Callable[[Any], Any]) -> Wish:
    place = provider.place
    of_template = place.at("Properties", name) if place.pointer.startswith("/Resources/") else place.at(_ARGUMENTS[name])
    return Wish(of_template, None, None, transform=transform)


def _proposed(wish: Wish, because: str, offered: Fix | None = None) -> Iterator[Proposal]:
    commands = offered.commands if offered else ()
    yield Proposal(wishes=(wish,), safety="unsafe", because=because, commands=commands, offered=offered)


def _accepting(provider: OidcProvider | PlannedProvider, audience: str) -> Fix | None:
    """The command that lets an existing provider accept one more audience."""
    if not isinstance(provider, OidcProvider):
        return None
    return command_fix(add_audience(provider.arn, audience), provider.managed_by)


def _client_id_added(case: FixCase) -> Iterator[Proposal]:
    provider = _provider(case)
    audience = _audience(case.view, provider)
    because = f"the provider then accepts tokens with the audience {audience} in every role that trusts it"
    wish = _wish(provider, "ClientIdList", partial(_with, audience))
    yield from _proposed(wish, because, _accepting(provider, audience))


def _audience(view: View, provider: OidcProvider | PlannedProvider) -> str:
    return view.audience_of(provider.issuer) if isinstance(provider, OidcProvider) else STS


def _with(audience: str, listed: Any) -> Any:
    return listed if audience in listed else [*listed, audience]


def _client_id_removed(case: FixCase) -> Iterator[Proposal]:
    provider = _provider(case)
    unused = set(case.view.audience_lookups.unused(provider)) if isinstance(provider, OidcProvider) else set[str]()
    if not unused:
        raise Unfixable("no-remedy", "it is not known which client id nobody uses")
    because = "the provider then no longer accepts tokens that somebody outside the input may use"
    yield from _proposed(_wish(provider, "ClientIdList", partial(_without, unused)), because)


def _without(unused: set[str], listed: Any) -> Any:
    return [item for item in listed if item not in unused]


def _client_id_corrected(case: FixCase) -> Iterator[Proposal]:
    """The client id that no token has becomes the one that tokens carry; it goes where that is there already."""
    if case.judged.kind != "provider":
        raise Unfixable("no-remedy", "no subject of the input tells which audience was meant")
    provider = _provider(case)
    right = _audience(case.view, provider)
    ids = provider.client_ids if isinstance(provider.client_ids, tuple) else ()
    wrong = {ident for ident in ids if audience_form(ident, frozenset({right})) not in ("other", "expected")}
    if not wrong:
        raise Unfixable("ambiguous", "which client id is meant to be another is not known")
    offered = None if right in ids else _accepting(provider, right)
    because = "the provider then no longer accepts tokens with the audience that stands there"
    yield from _proposed(_wish(provider, "ClientIdList", partial(_corrected, wrong, right)), because, offered)


def _corrected(wrong: set[str], right: str, listed: Any) -> Any:
    made = [right if item in wrong else item for item in listed]
    return list(dict.fromkeys(made))


def _url(case: FixCase) -> Iterator[Proposal]:
    """The URL becomes the issuer, which replaces the provider: that of an existing one cannot be changed."""
    provider = _provider(case)
    issuer = text_of(provider.issuer)
    right = case.view.principals.meant_issuer(issuer) or Issuer.of(issuer).in_tokens
    if not right or right == issuer:
        raise Unfixable("ambiguous", "it is not known which issuer is meant")
    because = "a provider with the new URL takes the place of the one that is there, and roles have to trust it"
    yield from _proposed(_wish(provider, "Url", partial(_replaced, issuer, right)), because)


def _replaced(old: str, new: str, url: Any) -> Any:
    if old not in url:
        raise ValueError(url)
    return url.replace(old, new)


PROVIDER_WAYS: Mapping[EditKind, Callable[[FixCase], Iterator[Proposal]]] = {
    "client-id-added": _client_id_added,
    "client-id-removed": _client_id_removed,
    "client-id-corrected": _client_id_corrected,
    "provider-url": _url,
}
"""the ways to change a provider, by name"""
