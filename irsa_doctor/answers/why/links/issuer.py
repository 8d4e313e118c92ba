"""The links about the issuer and what it signs: the issuer itself, its keys, the signature and the lifetime of a token."""

from datetime import UTC, datetime

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence.signatures import ALGORITHMS, Signature, verify_signature
from irsa_doctor.answers.why.evidence.tokens import TOLERANCE, WebIdentityToken
from irsa_doctor.answers.why.links import needs, skips
from irsa_doctor.answers.why.links.by_rules import by_rules
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.provider import NO_PROVIDER_ERROR
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, inapplicable, observed, passed, undecided, unseen
from irsa_doctor.issuers import EKS
from irsa_doctor.model import SigningKey, Unknown
from irsa_doctor.model.commands import shell_command
from irsa_doctor.rulebook.cause_block import StsError

_INVALID_TOKEN = StsError("InvalidIdentityToken", 400)
_EXPIRED = "Token expired: current date/time {now} must be before the expiration date/time {exp}"
_REFUSED_AHEAD = 3600
"""seconds by which a token issued in the future is refused; 276 pass, and the limit between is not known"""
_SHOWN = 5
_MOST_RSA = 100
"""RSA keys of a document, more than which make STS refuse tokens that are signed with RSA (recorded, September 2026)"""


def _issuer(case: Case) -> LinkState:
    token, own = case.token, case.cluster_issuer
    if token and token.is_legacy:
        says = "the token is from a Secret: its issuer is kubernetes/serviceaccount, which is not a URL that STS can read"
        return observed("token-from-secret", says)
    if token and own and token.issuer != own:
        return observed(
            "token-of-other-issuer", f"the issuer of the token is https://{token.issuer}, that of the cluster https://{own}"
        )
    if case.issuer:
        return passed(f"https://{case.issuer}")
    says = "a local cluster on AWS Outposts has no issuer that AWS can reach"
    return failed(says, Sign("issuer-on-outpost", says, case.finding_of("issuer-on-outpost")))


ISSUER_LINK = Link(
    id="issuer",
    title="the token is from the issuer of the cluster",
    title_of_run="the token is from the issuer",
    signs=("token-from-secret", "token-of-other-issuer", "issuer-on-outpost"),
    examine=_issuer,
    needs=(needs.ISSUER_INPUT,),
    decides=frozenset({"web-identity"}),
    reads_token=True,
    error=NO_PROVIDER_ERROR,
)


def _issuer_keys(case: Case) -> LinkState:
    if unusable := _unusable_keys(case):
        return unusable
    state = case.view.publications.discovery(case.cluster) if case.cluster else "not-asked"
    if state == "complete":
        return passed("the discovery document has every member that AWS requires; whether STS can read it is not in the input")
    if reason := skips.no_issuer(case):
        return inapplicable(reason)
    if case.profile is EKS:
        return inapplicable("EKS publishes the keys; nothing in the input is about them")
    how = shell_command("curl -sS {}", f"https://{case.issuer}/.well-known/openid-configuration")
    return unseen(state if isinstance(state, Unknown) else Unknown("the discovery document of the issuer", how))


def _unusable_keys(case: Case) -> LinkState | None:
    """Keys that STS does not use: broken where it uses none, in doubt where it depends on the token."""
    keys = _keys(case)
    if sum(key.kty == "RSA" for key in keys) > _MOST_RSA:
        says = f"the issuer publishes more than {_MOST_RSA} RSA keys, and STS then uses none of them"
        return observed("key-not-usable", says) if all(key.kty == "RSA" for key in keys) else _in_doubt(says)
    unusable = [key for key in keys if key.unusable]
    if not unusable or case.issuer == "":
        return None
    says = f"STS does not use the key {unusable[0].kid}, because it has {unusable[0].unusable}"
    return observed("key-not-usable", says) if len(unusable) == len(keys) else _in_doubt(says)


def _in_doubt(says: str) -> LinkState:
    return undecided(says, Sign("key-not-usable", says, at_most="likely"))


ISSUER_KEYS_LINK = Link(
    id="issuer-keys",
    title="STS can read the keys of the issuer",
    signs=("key-not-usable",),
    disproof=by_rules("issuer-keys"),
    examine=_issuer_keys,
)


def _signature_disproof(case: Case) -> LinkState | None:
    """An algorithm that STS does not verify, in the token or among the keys of the cluster."""
    if case.token is None:
        return by_rules("signature")(case)
    algorithm = case.token.header.get("alg")
    if case.token.is_legacy:
        return None
    if absent := [claim for claim in case.token.absent_claims if claim not in ("aud", "exp")]:
        return observed("token-without-claim", f"the token has no {' and no '.join(absent)}, which STS requires")
    if algorithm in ALGORITHMS:
        return None
    says = f"the token is signed with {_word(algorithm)}; STS verifies {', '.join(ALGORITHMS)}"
    return observed("algorithm-not-verified", says)


def _signature(case: Case) -> LinkState:
    keys, token = _keys(case), case.token
    if not keys or token is None:
        eks = shell_command("curl -sS {}", f"https://{case.issuer}/keys")
        return unseen(Unknown("the keys of the issuer", eks if case.profile is EKS else "kubectl get --raw /openid/v1/jwks"))
    named = [key for key in keys if key.kid == token.header.get("kid")]
    if len(keys) == 1 and "kid" not in token.header:
        named = keys
    if named and named[-1].unusable:
        return observed("key-not-usable", f"STS does not use the key {named[-1].kid}, because it has {named[-1].unusable}")
    if not named:
        published = ", ".join(sorted({key.kid for key in keys})[:_SHOWN])
        says = f"the token is signed with the key {_word(token.header.get('kid'))}; the issuer publishes {published}"
        return observed("key-not-published", says)
    states = [_verified(token, key) for key in named]
    return next((state for state in states if state.verdict == "pass"), states[0])


def _keys(case: Case) -> list[SigningKey]:
    """The keys of the issuer in the input; keys of an unknown cluster may be its."""
    clusters = {cluster.id for cluster in case.view.inventory.clusters_by_issuer.get(case.issuer, ())}
    return [key for key in case.view.inventory.signing_keys if key.cluster in clusters or not key.cluster]


def _verified(token: WebIdentityToken, key: SigningKey) -> LinkState:
    signature = verify_signature(token, key)
    if signature is Signature.VALID:
        return passed(f"the key {key.kid} signed the token")
    if signature is Signature.INVALID:
        says = f"the key {key.kid} did not sign the token: it was altered, or another cluster issued it"
        return observed("signature-invalid", says)
    return undecided(f"the key {key.kid} cannot be used: {signature}")


def _absent(claim: str) -> StsError:
    return StsError("InvalidIdentityToken", 400, f"Missing a required claim: {claim}")


def _signature_error(case: Case) -> StsError:
    absent = case.token.absent_claims if case.token else ()
    return _absent(absent[0]) if absent else _INVALID_TOKEN


def _word(value: object) -> str:
    return value[:100] if isinstance(value, str) and value else "none"


SIGNATURE_LINK = Link(
    id="signature",
    title="the token is signed with a key of the issuer",
    signs=("token-without-claim", "algorithm-not-verified", "key-not-published", "key-not-usable", "signature-invalid"),
    disproof=_signature_disproof,
    skips=(skips.no_token, skips.legacy_token),
    examine=_signature,
    decides=frozenset({"token"}),
    reads_token=True,
    error=_signature_error,
)


def _lifetime(case: Case) -> LinkState:
    token = case.token
    if token is None:
        return undecided("no token")
    if "exp" in token.absent_claims:
        return observed("token-without-exp", "the token has no exp, which STS requires")
    if odd := token.odd_times:
        return observed("token-time-not-whole", f"{', '.join(odd)} of the token: STS takes whole seconds only")
    state = _within(token, case.evidence.now)
    return state if state.verdict != "pass" else passed(f"{state.because}{_longest_session(case)}")


def _longest_session(case: Case) -> str:
    """How long the session lasts that a token buys: by the role, whatever is left of the token (recorded, September 2026)."""
    longest = case.analysed.role.max_session if case.analysed else 0
    return f", and a session that it buys can last {_span(longest)}" if longest else ""


def _within(token: WebIdentityToken, now: float) -> LinkState:
    """Whether a moment lies in the life of a token, with the tolerance of STS; its times are whole."""
    end, begin, issued = (token.time_of(name) for name in ("exp", "nbf", "iat"))
    ahead = max(issued - now if issued is not None else 0.0, 0.0)
    if end is not None and now >= end + TOLERANCE:
        return observed("token-expired", f"the token expired {_span(now - end)} ago")
    if begin is not None and now < begin - TOLERANCE:
        return observed("token-not-yet-valid", f"the token is valid only in {_span(begin - now)}")
    if ahead >= _REFUSED_AHEAD:
        return observed("token-not-yet-valid", f"the token was issued {_span(ahead)} in the future")
    if ahead > TOLERANCE:
        says = f"the token was issued {_span(ahead)} in the future; the limit of STS is not known"
        return undecided(says, Sign("token-not-yet-valid", says, at_most="likely"))
    return passed(_until(end or 0, now))


def _until(end: int, now: float) -> str:
    """Until when STS takes a token: whatever becomes of its pod, and for longer sessions than its own life."""
    left = f"the token expires in {_span(end - now)}" if now < end else f"the token expired {_span(now - end)} ago"
    try:
        last = datetime.fromtimestamp(end + TOLERANCE, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError):
        return left
    return f"{left}; STS takes it until {last}, also after its pod is deleted"


def _lifetime_error(case: Case) -> StsError | None:
    """What STS answers to a time that it refuses; its texts print its clock with the tolerance."""
    token, now = case.token, int(case.evidence.now)
    if token is None:
        return None
    if "exp" in token.absent_claims:
        return _absent("exp")
    if token.odd_times:
        return StsError("InvalidIdentityToken", 400, "Invalid timestamp in token claims.")
    end, begin = token.time_of("exp"), token.time_of("nbf")
    if end is not None and now >= end + TOLERANCE:
        return StsError("ExpiredTokenException", 400, _EXPIRED)
    if begin is not None and now < begin - TOLERANCE:
        limits = f"current date/time {now + TOLERANCE} must be after or equal to the not-before date/time {begin}"
        return StsError("InvalidIdentityToken", 400, f"Token not yet valid: {limits}")
    return StsError("InvalidIdentityToken", 400, f"Token issued in the future: {token.time_of('iat')}")


def _span(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


LIFETIME_LINK = Link(
    id="lifetime",
    title="the token has not expired",
    signs=("token-without-exp", "token-time-not-whole", "token-expired", "token-not-yet-valid"),
    skips=(skips.no_token,),
    examine=_lifetime,
    decides=frozenset({"token"}),
    reads_token=True,
    error=_lifetime_error,
)
