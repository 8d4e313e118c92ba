"""The links about the issuer and what it signs: the issuer itself, its keys, the signature and the lifetime of a token."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence.signatures import ALGORITHMS, Signature, verify
from irsa_doctor.answers.why.evidence.tokens import WebIdentityToken
from irsa_doctor.answers.why.links import needs, skips
from irsa_doctor.answers.why.links.by_rules import by_rules
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, inapplicable, observed, passed, undecided, unseen
from irsa_doctor.issuers import EKS
from irsa_doctor.model import SigningKey, Unknown
from irsa_doctor.rulebook.cause_block import StsError

_NO_PROVIDER = StsError("InvalidIdentityToken", 400, "No OpenIDConnect provider found in your account for https://{issuer}")
_INVALID_TOKEN = StsError("InvalidIdentityToken", 400)
_SHOWN = 5


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
    signs=("token-from-secret", "token-of-other-issuer", "issuer-on-outpost"),
    examine=_issuer,
    needs=(needs.ISSUER_INPUT,),
    decides=frozenset({"web-identity"}),
    reads_token=True,
    error=_NO_PROVIDER,
)


def _issuer_keys(case: Case) -> LinkState:
    state = case.view.publications.discovery(case.cluster) if case.cluster else "not-asked"
    if state == "complete":
        return passed("the discovery document has every member that AWS requires; whether STS can read it is not in the input")
    if reason := skips.no_issuer(case):
        return inapplicable(reason)
    if case.profile is EKS:
        return inapplicable("EKS publishes the keys; nothing in the input is about them")
    how = f"curl -sS https://{case.issuer}/.well-known/openid-configuration"
    return unseen(state if isinstance(state, Unknown) else Unknown("the discovery document of the issuer", how))


ISSUER_KEYS_LINK = Link(
    id="issuer-keys",
    title="STS can read the keys of the issuer",
    disproof=by_rules("issuer-keys"),
    examine=_issuer_keys,
)


def _signature_disproof(case: Case) -> LinkState | None:
    """An algorithm that STS does not verify, in the token or among the keys of the cluster."""
    if case.token is None:
        return by_rules("signature")(case)
    algorithm = case.token.header.get("alg")
    if case.token.is_legacy or algorithm in ALGORITHMS:
        return None
    says = f"the token is signed with {_word(algorithm)}; STS verifies {', '.join(ALGORITHMS)}"
    return observed("algorithm-not-verified", says)


def _signature(case: Case) -> LinkState:
    keys, token = _keys(case), case.token
    if not keys or token is None:
        eks = f"curl -sS https://{case.issuer}/keys"
        return unseen(Unknown("the keys of the issuer", eks if case.profile is EKS else "kubectl get --raw /openid/v1/jwks"))
    named = [key for key in keys if key.kid == token.header.get("kid")]
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
    signature = verify(token, key)
    if signature is Signature.VALID:
        return passed(f"the key {key.kid} signed the token")
    if signature is Signature.INVALID:
        says = f"the key {key.kid} did not sign the token: it was altered, or another cluster issued it"
        return observed("signature-invalid", says)
    return undecided(f"the key {key.kid} cannot be used: {signature}")


def _word(value: object) -> str:
    return value[:100] if isinstance(value, str) and value else "none"


SIGNATURE_LINK = Link(
    id="signature",
    title="the token is signed with a key of the issuer",
    signs=("algorithm-not-verified", "key-not-published", "signature-invalid"),
    disproof=_signature_disproof,
    skips=(skips.no_token, skips.legacy_token),
    examine=_signature,
    decides=frozenset({"token"}),
    reads_token=True,
    error=_INVALID_TOKEN,
)


def _lifetime(case: Case) -> LinkState:
    claims, now = case.token.claims if case.token else {}, case.evidence.now
    end = _number(claims.get("exp"))
    begins = [value for name in ("nbf", "iat") if (value := _number(claims.get(name))) is not None]
    if end is None:
        return undecided("the token has no exp, which STS requires", Sign("token-without-exp"))
    if now >= end:
        return observed("token-expired", f"the token expired {_span(now - end)} ago")
    if begins and now < max(begins):
        return observed("token-not-yet-valid", f"the token is valid only in {_span(max(begins) - now)}")
    return passed(f"the token expires in {_span(end - now)}")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None


def _span(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


LIFETIME_LINK = Link(
    id="lifetime",
    title="the token has not expired",
    signs=("token-without-exp", "token-expired", "token-not-yet-valid"),
    skips=(skips.no_token,),
    examine=_lifetime,
    decides=frozenset({"token"}),
    reads_token=True,
    error=_INVALID_TOKEN,
)
