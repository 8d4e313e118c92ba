"""A token as evidence: its claims, whether a key that was given signed it, whether its time has come. The token is never shown.

Fields: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/, limits as in AssumeRoleWithWebIdentity.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec

from irsa_doctor.diagnosis.chain import TITLES
from irsa_doctor.diagnosis.records import Link, Verdict
from irsa_doctor.model import SigningKey

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_LONGEST = 20_000
_SHOWN = ("iss", "sub", "aud", "exp", "iat", "nbf")


class NoToken(Exception):
    """What was given is no token; the text says what it is, as far as that can be told."""


class Token(msgspec.Struct, frozen=True):
    """A token without its signature's secret: header and claims. `raw` stays in memory for the check of the signature alone."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    raw: str

    def __repr__(self) -> str:
        """Never the token itself."""
        return f"Token({self.shown})"

    @property
    def shown(self) -> Mapping[str, Any]:
        """The claims that people may see."""
        return {name: self.claims[name] for name in _SHOWN if name in self.claims}

    @property
    def subject(self) -> tuple[str, str] | None:
        """(namespace, service account) of its sub, None where that is no service account's."""
        parts = str(self.claims.get("sub", "")).split(":")
        return (parts[2], parts[3]) if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"] else None


def read_token(text: bytes) -> Token:
    """Decode a token without trusting it; raises NoToken."""
    raw = text.decode("utf-8", "replace").strip()
    if not raw:
        raise NoToken("it is empty")
    if raw.startswith("k8s-aws-v1."):
        raise NoToken("it is a token of `aws eks get-token`, which is for the API server of the cluster and not for STS")
    if raw.startswith("/") and "\n" not in raw:
        raise NoToken("it is the path of a token, not the token")
    if len(raw) > _LONGEST:
        raise NoToken(f"it has {len(raw)} characters; STS takes {_LONGEST}")
    parts = raw.split(".")
    if len(parts) != 3:
        raise NoToken("a token has three parts between two dots")
    header, claims = (_part(part) for part in parts[:2])
    return Token(header, claims, raw)


def _part(part: str) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise NoToken("its parts are no base64 of JSON") from error
    if not isinstance(found, dict):
        raise NoToken("its parts are no JSON objects")
    return found


def token_links(token: Token, keys: tuple[SigningKey, ...], now: float) -> list[Link]:
    """What the token itself says of the links signature and lifetime."""
    return [_signature(token, keys), _lifetime(token, now)]


def _link(ident: str, verdict: Verdict, because: str, settle: str = "") -> Link:
    return Link(ident, TITLES[ident], verdict, because, (), settle)


def _signature(token: Token, keys: tuple[SigningKey, ...]) -> Link:
    algorithm, kid = token.header.get("alg"), token.header.get("kid")
    if algorithm not in ALGORITHMS:
        return _link("signature", "fail", f"STS takes no token signed by {algorithm}")
    fetch = f"curl -sS {token.claims.get('iss', 'https://ISSUER')}/.well-known/openid-configuration"
    if not keys:
        return _link("signature", "unknown", "the keys of the issuer were not given", fetch)
    named = [key for key in keys if key.kid == kid]
    if not named:
        return _link("signature", "fail", f"its key {kid} is not among the {len(keys)} keys that were given")
    return _verified(token, named[0])


def _verified(token: Token, key: SigningKey) -> Link:
    import jwt

    try:
        public = jwt.PyJWK(dict(key.jwk))
        jwt.decode(
            token.raw,
            public.key,
            algorithms=list(ALGORITHMS),
            options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except jwt.InvalidSignatureError:
        return _link("signature", "fail", "the key of this id did not sign it")
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        return _link("signature", "unknown", f"its key cannot be used: {type(error).__name__}")
    return _link("signature", "pass", f"the key {key.kid} signed it")


def _lifetime(token: Token, now: float) -> Link:
    end, begin = token.claims.get("exp"), token.claims.get("nbf", token.claims.get("iat"))
    if not isinstance(end, int | float):
        return _link("lifetime", "fail", "it has no exp")
    if now >= end:
        return _link("lifetime", "fail", f"it ended {_span(now - end)} ago")
    if isinstance(begin, int | float) and now < begin:
        return _link("lifetime", "fail", f"it begins in {_span(begin - now)}")
    return _link("lifetime", "pass", f"it ends in {_span(end - now)}")


def _span(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
