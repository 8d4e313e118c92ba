"""What is wrong with a condition key that is never in the request."""

from typing import Literal

from irsa_doctor.model import Issuer
from irsa_doctor.trust.keys import SESSION_KEYS

KeyForm = Literal["scheme", "arn", "trailing-slash", "missing-path", "other-issuer", "claim", "session", "unavailable"]


def key_form(key: str, issuer: str) -> KeyForm:
    """Why a key (in lower case) is not one of this issuer (in lower case, without scheme)."""
    if "://" in key:
        return "scheme"
    if key.startswith("arn:"):
        return "arn"
    if key.startswith(SESSION_KEYS):
        return "session"
    if key.startswith(("aws:", "sts:")):
        return "unavailable"
    base, _, _ = key.rpartition(":")
    if key.startswith(issuer + ":"):
        return "claim"
    if base == issuer + "/":
        return "trailing-slash"
    if "/" in issuer and base in (issuer.partition("/")[0], issuer.replace("/id/", "/", 1), issuer.rpartition("/")[0]):
        return "missing-path"
    return "other-issuer" if "." in base or Issuer.of(base).form != "other" else "unavailable"
