"""Reads a token as evidence: its header and claims. The token itself is never shown.

Fields: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/, limits as in AssumeRoleWithWebIdentity.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import msgspec

# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html (WebIdentityToken)
LONGEST = 20_000
_SHOWN = ("iss", "sub", "aud", "azp", "exp", "iat", "nbf")
_REQUIRED = ("iss", "sub", "aud", "iat", "exp")
_EMPTY: Mapping[str, tuple[Any, ...]] = {"iss": (None, ""), "sub": (None,), "aud": (None, "", [])}
_TIMES = ("exp", "iat", "nbf")
TOLERANCE = 300
"""seconds by which STS takes a token before its `nbf` and after its `exp` (recorded, September 2026)"""
_OF_KUBERNETES = ("namespace", "serviceaccount", "pod", "node")
_LATEST = 10**15
_PATH = re.compile(r"(?:file://)?(?:[A-Za-z]:)?[/\\][^\s]{1,4096}")


class WebIdentityToken(msgspec.Struct, frozen=True):
    """A token: header and claims, not verified. `raw` stays in memory for the check of the signature alone."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    raw: str

    def __repr__(self) -> str:
        """Never the token itself."""
        return f"WebIdentityToken({self.shown})"

    @property
    def shown(self) -> Mapping[str, Any]:
        """The claims that people may see: no ids of objects, no claims of others."""
        claims = {name: self.claims[name] for name in _SHOWN if name in self.claims}
        objects = self.claims.get("kubernetes.io")
        if isinstance(objects, dict):
            claims["kubernetes.io"] = {name: _object_name(objects[name]) for name in _OF_KUBERNETES if name in objects}
        algorithm = {name: self.header[name] for name in ("alg", "kid") if isinstance(self.header.get(name), str)}
        return {"header": algorithm, **claims}

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
        """(namespace, service account) of its sub, None where that is not the subject of a service account."""
        return service_account_of(self.sub)

    @property
    def audiences(self) -> tuple[str, ...]:
        """The audiences that STS looks at: its `azp` in the place of `aud` (recorded, September 2026), else its `aud`."""
        value = self.claims.get("azp") or self.claims.get("aud")
        listed = value if isinstance(value, list) else [value]
        return tuple(item for item in listed if isinstance(item, str))

    def time_of(self, claim: str) -> int | None:
        """A time in seconds since 1970, a whole number or the text of one; None for any other value."""
        value = self.claims.get(claim)
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}", value):
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LATEST else None

    @property
    def odd_times(self) -> tuple[str, ...]:
        """The times that are there and are no whole numbers of seconds."""
        return tuple(name for name in _TIMES if name in self.claims and self.time_of(name) is None)

    @property
    def absent_claims(self) -> tuple[str, ...]:
        """The claims that STS requires and that it lacks or has empty; a subject may be empty, times are another matter."""
        return tuple(name for name in _REQUIRED if name not in self.claims or self.claims[name] in _EMPTY.get(name, ()))

    @property
    def is_legacy(self) -> bool:
        """Whether it is from a Secret, as before Kubernetes 1.24."""
        return self.issuer == "kubernetes/serviceaccount"


class BadToken(msgspec.Struct, frozen=True):
    """A value that is not a token: the sign of what it is, and the sentence that says so."""

    sign: str
    says: str


def service_account_of(sub: str) -> tuple[str, str] | None:
    """(namespace, name) of a subject, None where it is not that of a service account."""
    parts = sub.split(":")
    return (parts[2], parts[3]) if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"] and all(parts) else None


def _object_name(value: object) -> object:
    """The name of an object in the claims, without its uid."""
    return value.get("name") if isinstance(value, dict) else value if isinstance(value, str) else None


def read_token(content: bytes) -> WebIdentityToken | BadToken:
    """The token in the content of a file; a line end behind it, which many tools add, is accepted."""
    text = _unwrapped(content.decode("utf-8", "replace").strip("\ufeff")).rstrip("\r\n")
    if not text.strip():
        return BadToken("not-a-token", "it is empty")
    if text.strip().startswith("k8s-aws-v1."):
        return BadToken(
            "not-a-token", "it is a token of `aws eks get-token`, which is for the API server of the cluster and not for STS"
        )
    if _PATH.fullmatch(text.strip()):
        return BadToken("path-in-place-of-token", "it is the path of a token")
    if len(text) > LONGEST:
        return BadToken("not-a-token", f"it has {len(text)} characters; STS accepts {LONGEST}")
    if re.search(r"\s", text):
        return BadToken("not-a-token", "it contains blanks, or text before or after the token, which SDKs send too")
    parts = text.split(".")
    if len(parts) != 3 or not all(parts[:2]):
        return BadToken("not-a-token", "it does not have three parts separated by two dots")
    header, claims = (_part(part) for part in parts[:2])
    if header is None or claims is None or _bytes_of(parts[2]) is None:
        return BadToken("not-a-token", "its parts are not base64 of JSON objects")
    return WebIdentityToken(header, claims, text)


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
        value = msgspec.json.decode(decoded) if decoded else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
