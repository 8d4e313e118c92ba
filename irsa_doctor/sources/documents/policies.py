"""Reads policy documents in every form in which AWS and people write them."""

import binascii
import re
from collections.abc import Sequence

import msgspec

from irsa_doctor.model import Flaw, Place, TrustPolicy
from irsa_doctor.model.regex import regex
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import proved, read_json
from irsa_doctor.text.placeholders import may_have_holes, value_with_holes
from irsa_doctor.text.scanner import Duplicate

_SPACE = b" \t\r\n"
_LIKE_POLICY = regex(rb"AssumeRoleWithWebIdentity|AssumeRolePolicyDocument|Federated|sts:AssumeRole", re.IGNORECASE)
_URL_ENCODED = regex(rb"\s*(?:%(?:7B|5B|22|0A|0D|09|20)|\{%)", re.IGNORECASE)
_ESCAPE = regex(rb"%([0-9A-Fa-f]{2})")
_ODD = regex(rb"%[\r\n]")
_NESTING = 3
"""How often a policy may be wrapped as text inside text."""

_text_of_json = msgspec.json.Decoder(str).decode


def read_policy_text(text: str | bytes, place: Place, *, template: bool = False) -> TrustPolicy:
    """Read the text of a policy: JSON, JSON inside a JSON string, or either URL-encoded as IAM's API returns it
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html).

    Flaws have pointers relative to the policy and positions relative to its text. With `template`, placeholders
    become holes. Never raises: text that is not valid JSON gives a policy without document and a flaw `syntax`.
    """
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    return read_policy_bytes(raw.removeprefix(b"\xef\xbb\xbf"), place, template=template)


def read_policy_bytes(raw: bytes, place: Place, *, template: bool = False) -> TrustPolicy:
    """Read a policy like `read_policy_text`, from UTF-8 without byte order mark."""
    raw = unwrapped(raw)
    if known := proved(raw):
        policy = _policy(known.value, place, raw, (), template)
        return policy if template else policy.encoded_as(known.encoded)
    scan = read_json(raw)
    if isinstance(scan, TextError):
        return TrustPolicy(None, place, (syntax_flaw(scan),), template, quota_size(raw))
    if scan.value is None:
        return TrustPolicy(
            None, place, (Flaw("syntax", "null where a policy was expected", "", 1, 1),), template, quota_size(raw)
        )
    return _policy(scan.value, place, raw, duplicate_flaws(scan.duplicates), template)


def policy_of_value(value: object, place: Place, duplicates: Sequence[Duplicate] = ()) -> TrustPolicy:
    """Return the policy of a decoded value: an object, or a string that holds the text of a policy."""
    if isinstance(value, str):
        return read_policy_text(value, place)
    flaws = duplicate_flaws([item for item in duplicates if concerns(item, place)], len(place.pointer))
    return TrustPolicy(value, place, flaws, False, quota_size(msgspec.json.encode(value)))


def bare_policy(value: object, place: Place, duplicates: Sequence[Duplicate]) -> TrustPolicy:
    """Return the policy of a document that is nothing but a policy, with holes for its placeholders."""
    policy = policy_of_value(value, place, duplicates)
    return msgspec.structs.replace(policy, document=value_with_holes(value), template=True)


def concerns(duplicate: Duplicate, place: Place) -> bool:
    """Whether a duplicate member is inside the policy at the place."""
    return duplicate.pointer == place.pointer or duplicate.pointer.startswith(place.pointer + "/")


def is_like_policy(text: bytes) -> bool:
    """Whether a text that cannot be read has words of a trust policy."""
    return _LIKE_POLICY.search(text) is not None


def unwrapped(raw: bytes) -> bytes:
    """Return the JSON text of a policy, unquoted and taken out of a JSON string where API or console wrap it so."""
    for _ in range(_NESTING):
        if _URL_ENCODED.match(raw):
            raw = unquoted(raw)
        elif raw.lstrip(_SPACE)[:1] == b'"':
            try:
                raw = _text_of_json(raw).encode()
            except (msgspec.DecodeError, UnicodeError):
                return raw
        else:
            return raw
    return raw


def unquoted(raw: bytes) -> bytes:
    """Return the text percent-decoded (RFC 3986; `+` stays)."""
    if b"=" not in raw and not raw.endswith(b"%") and not ((b"\n" in raw or b"\r" in raw) and _ODD.search(raw)):
        # quoted-printable is the same with another sign, and its decoder is ten times as fast; what is no escape
        # keeps its sign, so an equals sign left over tells that this was not simple after all
        text = binascii.a2b_qp(raw.replace(b"%", b"="))
        if b"=" not in text:
            return text
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), raw)


def quota_size(raw: bytes) -> int:
    """Return the number of characters that count for the quota on trust policies: all but white space
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""
    text = raw.translate(None, _SPACE)
    return len(text) if text.isascii() else len(text.decode(errors="replace"))


def syntax_flaw(text_error: TextError) -> Flaw:
    """Return the flaw of a text that is not valid JSON."""
    return Flaw("syntax", text_error.why, "", text_error.line, text_error.column)


def duplicate_flaws(duplicates: Sequence[Duplicate], cut: int = 0) -> tuple[Flaw, ...]:
    """Return a flaw for each duplicate member; `cut` characters of the pointer lead to the policy."""
    return tuple(Flaw("duplicate-member", says_duplicate(item), item.pointer[cut:], *item.second) for item in duplicates)


def says_duplicate(duplicate: Duplicate) -> str:
    """Return the sentence about a duplicate member."""
    first, second = (f"{line}:{column}" for line, column in (duplicate.first, duplicate.second))
    return f"member `{duplicate.name}` appears twice, at {first} and at {second}"


def _policy(value: object, place: Place, raw: bytes, flaws: tuple[Flaw, ...], template: bool) -> TrustPolicy:
    if template and may_have_holes(raw.decode(errors="replace")):
        value = value_with_holes(value)
    return TrustPolicy(value, place, flaws, template, quota_size(raw), raw.isascii() and b"\\" not in raw)
