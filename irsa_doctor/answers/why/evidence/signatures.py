"""Verifies the signature of a token with a key of its issuer."""

from enum import StrEnum

from irsa_doctor.answers.why.evidence.tokens import WebIdentityToken
from irsa_doctor.model import SigningKey

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_LARGEST_KEY = 4096
"""characters of a number in a JWK: a key of 16384 bits, far beyond what is used, and slow enough"""


class Signature(StrEnum):
    """What a key says of the signature of a token; the other values are reasons for which it says nothing."""

    VALID = "valid"
    INVALID = "invalid"
    KEY_TOO_LONG = "it exceeds 16384 bits"
    KEY_UNUSABLE = "it does not fit the algorithm of the token"


def verify_signature(token: WebIdentityToken, key: SigningKey) -> Signature:
    """Whether a key signed a token; the algorithm of its header has to be one of ALGORITHMS."""
    import warnings

    import jwt

    members, algorithm = dict(key.jwk), str(token.header.get("alg"))
    if any(len(value) > _LARGEST_KEY for value in members.values()):
        return Signature.KEY_TOO_LONG
    try:
        with warnings.catch_warnings():
            # a short key is weak, and still the one that signed
            warnings.simplefilter("ignore")
            public = jwt.PyJWK(members, algorithm)
            jwt.PyJWS(algorithms=[algorithm]).decode(token.raw, public.key, algorithms=[algorithm])
    except jwt.InvalidSignatureError:
        return Signature.INVALID
    except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError):
        return Signature.KEY_UNUSABLE
    return Signature.VALID
