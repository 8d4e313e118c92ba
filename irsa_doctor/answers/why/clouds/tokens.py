"""What pools of Google Cloud and identities of Azure make of one token: its way to each of them.

https://cloud.google.com/iam/docs/workload-identity-federation, https://learn.microsoft.com/en-us/graph/api/resources/federatedidentitycredential
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.causes import causes_of
from irsa_doctor.answers.why.evidence.tokens import WebIdentityToken
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, inapplicable, passed, undecided
from irsa_doctor.answers.why.outline import diagnosed_link
from irsa_doctor.answers.why.records import CaseVerdict, RoleChain
from irsa_doctor.facts.clouds.reaches import pool_reading
from irsa_doctor.issuers import Profile
from irsa_doctor.model import AzureIdentity, FederatedCredential, PoolProvider, text_of
from irsa_doctor.trust.claim_sets import Box
from irsa_doctor.trust.clouds.cel import read_condition
from irsa_doctor.trust.clouds.credentials import MATCHES, TokenMatch, match_of
from irsa_doctor.trust.clouds.flexible import read_expression
from irsa_doctor.trust.clouds.tokens import TokenBoxes, admitted_by_expression, with_all_claims
from irsa_doctor.trust.languages import EVERYTHING, contains

_START = TokenBoxes((Box(EVERYTHING, EVERYTHING),))
_States = Mapping[str, LinkState]


class TokenLink(msgspec.Struct, frozen=True):
    """A link on the way of a token to a pool or an identity, and the signs that it reports."""

    id: str
    title: str
    signs: tuple[str, ...]


_OF_MATCHES: Mapping[TokenMatch, str] = {
    "issuer": "credential-issuer",
    "slash": "credential-slash",
    "audience": "credential-audience",
    "case": "credential-case",
    "swapped": "credential-swapped",
    "impossible": "credential-impossible",
    "subject": "credential-subject",
}
"""how a credential differs from a token -> the sign of it"""
TOKEN_LINKS = (
    TokenLink("provider", "Pool or identity", ("pool-off",)),
    TokenLink("issuer", "Issuer of the token", ("pool-issuer", "credential-issuer", "credential-slash")),
    TokenLink("audience", "Audience of the token", ("pool-audience", "credential-audience")),
    TokenLink(
        "trust-policy",
        "Condition on the token",
        ("pool-condition", "credential-case", "credential-swapped", "credential-impossible", "credential-subject"),
    ),
)


def token_chains(case: Case) -> Iterator[RoleChain]:
    """A chain for each provider of a pool, and for each identity that has credentials, where the input has a token."""
    token, clouds = case.token, case.view.inventory.clouds
    if token is None:
        return
    for provider in (each for each in clouds.providers if each.name):
        yield _chain(case, provider.id, _of_pool(case, provider, token), "google")
    for identity in clouds.identities:
        if credentials := case.view.clouds.credentials_of(identity):
            yield _chain(case, _name_of(identity), _of_identity(case, credentials, token), "azure")


def _name_of(identity: AzureIdentity) -> str:
    return text_of(identity.client_id) or identity.label


def _chain(case: Case, name: str, states: _States, cloud: Literal["azure", "google"]) -> RoleChain:
    reached = dict(_reached(states))
    causes = causes_of(case, reached, (), {link: state.verdict for link, state in reached.items()})
    links = tuple(diagnosed_link(link, reached[link.id]) for link in TOKEN_LINKS)
    return RoleChain(role=name, verdict=_verdict(reached), links=links, causes=causes, cloud=cloud)


def _reached(states: _States) -> Iterator[tuple[str, LinkState]]:
    """The states up to the first link that fails: nothing behind it is asked."""
    is_refused = False
    for link in TOKEN_LINKS:
        yield link.id, inapplicable("not reached: the token is refused") if is_refused else states[link.id]
        is_refused = is_refused or states[link.id].verdict == "fail"


def _verdict(states: _States) -> CaseVerdict:
    verdicts = {state.verdict for state in states.values()}
    return "broken" if "fail" in verdicts else "unknown" if "unknown" in verdicts else "works"


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items if item is not None)


def _url(token: WebIdentityToken) -> str:
    """Its issuer with the scheme."""
    issuer = token.claims.get("iss")
    return issuer if isinstance(issuer, str) else ""


def _admits(tokens: TokenBoxes, token: WebIdentityToken) -> bool | None:
    """Whether boxes have a token, None where a condition is not worked out."""
    claims = {name.lower(): _texts(value) for name, value in token.claims.items()}

    def is_in(box: Box) -> bool:
        asked = [(claims.get(name, ()), values.language) for name, values in box.claims]
        named = all(any(contains(language, text) for text in texts) for texts, language in asked)
        return named and contains(box.subjects, token.sub) and any(contains(box.audiences, a) for a in _audiences(token))

    if not any(map(is_in, tokens.boxes)):
        return False
    return True if tokens.exact else None


def _audiences(token: WebIdentityToken) -> tuple[str, ...]:
    return _texts(token.claims.get("aud"))


# ---- pools of Google Cloud


def _of_pool(case: Case, provider: PoolProvider, token: WebIdentityToken) -> _States:
    return {
        "provider": _provider(provider),
        "issuer": _issuer(provider, token),
        "audience": _audience(provider, token),
        "trust-policy": _condition(case, provider, token),
    }


def _provider(provider: PoolProvider) -> LinkState:
    if provider.state in ("DISABLED", "DELETED"):
        return failed(f"the provider is {provider.state.lower()}", Sign("pool-off"))
    return passed(f"the provider {provider.name} of the pool {provider.pool}")


def _issuer(provider: PoolProvider, token: WebIdentityToken) -> LinkState:
    if not isinstance(provider.issuer, str):
        return undecided("a template fills in the issuer of the provider")
    if provider.issuer == _url(token):
        return passed(f"both name {provider.issuer}")
    return failed(f"the token names {_url(token)}, the provider {provider.issuer or 'none'}", Sign("pool-issuer"))


def _audience(provider: PoolProvider, token: WebIdentityToken) -> LinkState:
    """Without allowed audiences the full name of the provider is the only one."""
    listed = _audiences(token)
    if provider.audiences:
        fits = any(audience in provider.audiences for audience in listed)
    else:
        ends = (provider.id, provider.id.partition("/locations/")[2])
        name = ends[0] if provider.project.isdecimal() else ends[1]
        fits = any(audience.startswith(_NAMES) and audience.endswith(name) for audience in listed)
    wanted = ", ".join(provider.audiences) or f"//iam.googleapis.com/{provider.id}"
    if fits:
        return passed(f"the provider accepts {', '.join(listed)}")
    return failed(f"the token is for {', '.join(listed) or 'nobody'}, the provider accepts {wanted}", Sign("pool-audience"))


_NAMES = ("//iam.googleapis.com/projects/", "https://iam.googleapis.com/projects/")


def _condition(case: Case, provider: PoolProvider, token: WebIdentityToken) -> LinkState:
    if not provider.condition:
        return passed("the provider has no condition")
    condition = read_condition(provider.condition) if isinstance(provider.condition, str) else None
    if condition is None:
        return undecided(f"the condition {text_of(provider.condition)} is not worked out")
    admits = _admits(pool_reading(case.view.clouds, provider).admitted(_START, condition), token)
    if admits is None:
        return undecided(f"the condition {text_of(provider.condition)} is not worked out")
    if admits:
        return passed(f"the token meets {text_of(provider.condition)}")
    return failed(f"the token does not meet {text_of(provider.condition)}", Sign("pool-condition"))


# ---- identities of Azure


_ISSUER: Sequence[TokenMatch] = ("issuer", "slash")


def _of_identity(case: Case, credentials: Sequence[FederatedCredential], token: WebIdentityToken) -> _States:
    """The links for the nearest of the credentials: one that fits is enough."""
    profile = with_all_claims(case.profile)
    rated = [(_match(credential, token, profile), credential) for credential in credentials]
    match, credential = min(rated, key=lambda row: (MATCHES.index(row[0]), row[1].name))
    return {
        "provider": passed(f"the nearest credential is {credential.name}"),
        "issuer": _of_match(match, _ISSUER, f"the token names {_url(token)}, the credential {text_of(credential.issuer)}"),
        "audience": _of_match(match, ("audience",), f"the token is for {', '.join(_audiences(token))}, the credential not"),
        "trust-policy": _subject(match, credential, token),
    }


def _match(credential: FederatedCredential, token: WebIdentityToken, profile: Profile) -> TokenMatch:
    """How near a credential is to a token, with any of its audiences."""
    audiences = _audiences(token) or ("",)
    match = min((match_of(credential, _url(token), token.sub, each) for each in audiences), key=MATCHES.index)
    if match != "flexible":
        return match
    conditions = read_expression(text_of(credential.expression))
    if conditions is None or not isinstance(credential.expression, str):
        return "open"
    if not set(audiences) & set(map(text_of, credential.audiences)):
        return "audience"
    admits = _admits(admitted_by_expression(conditions, EVERYTHING, profile), token)
    return "open" if admits is None else "matches" if admits else "subject"


def _of_match(match: TokenMatch, failing: Sequence[TokenMatch], says: str) -> LinkState:
    return failed(says, Sign(_OF_MATCHES[match], says)) if match in failing else passed("the credential has the same")


def _subject(match: TokenMatch, credential: FederatedCredential, token: WebIdentityToken) -> LinkState:
    wanted = text_of(credential.subject or credential.expression)
    if match == "matches":
        return passed(f"the credential {credential.name} has {wanted}")
    if match == "open":
        return undecided(f"a template or an expression decides whether {wanted} fits")
    says = f"the token has the subject {token.sub}, the credential {wanted}"
    return failed(says, Sign(_OF_MATCHES[match], says))
