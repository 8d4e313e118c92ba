"""A token as evidence: its claims, whether a key that was given signed it, whether its time has come. The token is never shown.

Fields: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/, limits as in AssumeRoleWithWebIdentity.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.answers.why.step import Named, Step, failed, passed
from irsa_doctor.model import SigningKey

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html (WebIdentityToken)
LONGEST = 20_000
_SHOWN = ("iss", "sub", "aud", "exp", "iat", "nbf")
_OF_KUBERNETES = ("namespace", "serviceaccount", "pod", "node")
_PATH = re.compile(r"(?:file://)?(?:[A-Za-z]:)?[/\\][^\s]{1,4096}")
_LARGEST_KEY = 4096
"""characters of a number in a JWK: keys of 16384 bits are far beyond what anybody uses, and slow enough"""


class Token(msgspec.Struct, frozen=True):
    """A token: header and claims, not trusted. `raw` stays in memory for the check of the signature alone."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    raw: str

    def __repr__(self) -> str:
        """Never the token itself."""
        return f"Token({self.shown})"

    @property
    def shown(self) -> Mapping[str, Any]:
        """What people may see of it: no ids of objects, nothing that was added to it."""
        found = {name: self.claims[name] for name in _SHOWN if name in self.claims}
        inside = self.claims.get("kubernetes.io")
        if isinstance(inside, dict):
            found["kubernetes.io"] = {name: _named(inside[name]) for name in _OF_KUBERNETES if name in inside}
        algorithm = {name: self.header[name] for name in ("alg", "kid") if isinstance(self.header.get(name), str)}
        return {"header": algorithm, **found}

    @property
    def issuer(self) -> str:
        """Its `iss` without scheme, "" where it has none."""
        issuer = self.claims.get("iss")
        return issuer.removeprefix("https://") if isinstance(issuer, str) else ""

    @property
    def sub(self) -> str:
        """Its `sub`, "" where it has none."""
        sub = self.claims.get("sub")
        return sub if isinstance(sub, str) else ""

    @property
    def subject(self) -> tuple[str, str] | None:
        """(namespace, service account) of its sub, None where that is no service account's."""
        return service_account_of(self.sub)

    @property
    def audiences(self) -> tuple[str, ...]:
        """Its `aud`."""
        value = self.claims.get("aud")
        listed = value if isinstance(value, list) else [value]
        return tuple(item for item in listed if isinstance(item, str))

    @property
    def is_legacy(self) -> bool:
        """Whether it comes out of a Secret, as before Kubernetes 1.24."""
        return self.issuer == "kubernetes/serviceaccount"


class BadToken(msgspec.Struct, frozen=True):
    """What was given in place of a token: the failure mode, and what it is, as far as that can be told."""

    cause: str
    says: str


def service_account_of(sub: str) -> tuple[str, str] | None:
    """(namespace, name) of a subject, None where it is no service account's."""
    parts = sub.split(":")
    return (parts[2], parts[3]) if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"] and all(parts) else None


def _named(value: object) -> object:
    """The name of an object in the claims; its uid tells nobody anything."""
    return value.get("name") if isinstance(value, dict) else value if isinstance(value, str) else None


def read_token(content: bytes) -> Token | BadToken:
    """Decode what a file holds that should hold a token. The line end that many tools add is let pass."""
    text = _unwrapped(content.decode("utf-8", "replace").strip("\ufeff")).rstrip("\r\n")
    if not text.strip():
        return BadToken("token-malformed", "it is empty")
    if text.strip().startswith("k8s-aws-v1."):
        return BadToken(
            "token-malformed", "it is a token of `aws eks get-token`, for the API server of the cluster and not for STS"
        )
    if _PATH.fullmatch(text.strip()):
        return BadToken("token-env-holds-path-as-token", "it is the path of a token, not the token")
    if len(text) > LONGEST:
        return BadToken("token-malformed", f"it has {len(text)} characters, and STS takes {LONGEST}")
    if re.search(r"\s", text):
        return BadToken("token-malformed", "there are blanks in it, or text before or behind the token; SDKs send that too")
    parts = text.split(".")
    if len(parts) != 3 or not all(parts[:2]):
        return BadToken("token-malformed", "a token has three parts between two dots")
    header, claims = (_part(part) for part in parts[:2])
    if header is None or claims is None or _bytes_of(parts[2]) is None:
        return BadToken("token-malformed", "its parts are no base64 of JSON objects")
    return Token(header, claims, text)


def _unwrapped(text: str) -> str:
    """The token in what `kubectl create token -o json` prints, or `aws eks get-token`."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        answer = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    status = answer.get("status") if isinstance(answer, dict) else None
    token = status.get("token") if isinstance(status, dict) else None
    return token if isinstance(token, str) else text


def _bytes_of(part: str) -> bytes | None:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _part(part: str) -> Mapping[str, Any] | None:
    decoded = _bytes_of(part)
    try:
        found = msgspec.json.decode(decoded) if decoded else None
    except (msgspec.DecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


# ---- the links that only a token can tell


def signature(token: Token, keys: Sequence[SigningKey], where: str) -> Step:
    """Whether one of the keys signed it; `where` is the command that fetches them."""
    ident = "signature"
    algorithm, kid = token.header.get("alg"), token.header.get("kid")
    if algorithm not in ALGORITHMS:
        says = f"it is signed by {_word(algorithm)}; STS takes {', '.join(ALGORITHMS)}"
        return failed(ident, says, Named("alg-unsupported", "certain", says))
    if not keys:
        return Step(ident, "unknown", "not given: the keys of the issuer", (), where)
    named = [key for key in keys if key.kid == kid]
    if not named:
        says = f"its key {_word(kid)} is not among the {len(keys)} keys of the issuer that were given"
        return failed(ident, says, Named("jwks-missing-kid", "certain", says))
    found = [_verified(token, str(algorithm), key) for key in named]
    return next((step for step in found if step.verdict == "pass"), found[0])


def _word(value: object) -> str:
    return value[:100] if isinstance(value, str) and value else "none"


def _verified(token: Token, algorithm: str, key: SigningKey) -> Step:
    import warnings

    import jwt

    ident = "signature"
    members = dict(key.jwk)
    if any(len(value) > _LARGEST_KEY for value in members.values()):
        return Step(ident, "unknown", f"the key {key.kid} is too long to be used")
    try:
        with warnings.catch_warnings():
            # a short key is weak, and still the one that signed
            warnings.simplefilter("ignore")
            public = jwt.PyJWK(members, algorithm)
            jwt.PyJWS(algorithms=[algorithm]).decode(token.raw, public.key, algorithms=[algorithm])
    except jwt.InvalidSignatureError:
        says = f"the key {key.kid} did not sign it: the token was altered, or it is of another cluster"
        return failed(ident, says, Named("token-malformed", "likely", says), Named("token-from-other-cluster", "possible"))
    except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError) as error:
        return Step(ident, "unknown", f"the key {key.kid} cannot be used: {type(error).__name__}")
    return passed(ident, f"the key {key.kid} signed it")


def lifetime(token: Token, now: float) -> Step:
    """Whether it may be used now; `now` in seconds since 1970."""
    ident = "lifetime"
    end = _number(token.claims.get("exp"))
    begins = [value for name in ("nbf", "iat") if (value := _number(token.claims.get(name))) is not None]
    if end is None:
        return Step(ident, "unknown", "it has no exp; STS wants one", (Named("token-legacy-secret", "possible"),))
    if now >= end:
        says = f"it ended {_span(now - end)} ago"
        return failed(ident, says, Named("token-stale-cached", "likely", says), Named("clock-skew", "possible"))
    if begins and now < max(begins):
        says = f"it begins in {_span(max(begins) - now)}"
        return failed(ident, says, Named("clock-skew", "likely", says))
    return passed(ident, f"it ends in {_span(end - now)}")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None


def _span(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
