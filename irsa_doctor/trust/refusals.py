"""What IAM refuses to save, and what it might: the problems of a policy document.

The error texts are those of CreateRole and UpdateAssumeRolePolicy; what needs more than the text is listed, not refused.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from irsa_doctor.model import Flaw, Text, has_hole, holes_in, text_of
from irsa_doctor.model.regex import regex
from irsa_doctor.trust.operators import Operator, OperatorUse
from irsa_doctor.trust.patterns import arn_components, is_arn, pieces_of, widest

Steps = tuple[str | int, ...]
Value = str | Text
DEFAULT_QUOTA = 2048
"""characters of a trust policy, white space apart, up to which an account needs no higher quota (reference_iam-quotas)"""

_FEDERATED_ARN = regex(r"arn:[a-z0-9-]+:iam::[0-9]{12}:(oidc|saml)-provider/.+", re.DOTALL)
_HOST = regex(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/[^\s*]*)?")
_ACCOUNT = regex(r"[0-9]{12}|arn:[a-z0-9-]+:iam::[0-9]{12}:root")
_SID = regex(r"[A-Za-z0-9]*")
_ALLOWED = regex("[\t\n\r -\u00ff]*")
_WHITE_SPACE = b" \t\n\r\x0b\x0c"
_STS = {
    name.lower(): name
    for name in (
        "sts:AssumeRole",
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
        "sts:AssumeRoot",
        "sts:DecodeAuthorizationMessage",
        "sts:GetAccessKeyInfo",
        "sts:GetCallerIdentity",
        "sts:GetDelegatedAccessToken",
        "sts:GetFederationToken",
        "sts:GetServiceBearerToken",
        "sts:GetSessionToken",
        "sts:GetWebIdentityToken",
        "sts:SetContext",
        "sts:SetSourceIdentity",
        "sts:TagGetWebIdentityToken",
        "sts:TagSession",
    )
}
"""https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html"""
_REFUSED = frozenset({"sts:*", "STS:assumerolewithwebidentity"})
"""recorded: radkawar/stackd, commit 9dc356f5, iam/policy/testdata/oidc_trust_controls_aws.json; others are unobserved"""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a document. With `refused`, IAM does not save it, and the text alone decides that.

    `steps` lead to the place in the document; line and column are 1-based positions in its text, 0 where not looked up.
    """

    code: str
    message: str
    steps: Steps = ()
    refused: bool = True
    line: int = 0
    column: int = 0


@lru_cache(maxsize=1024)
def _is_federated(value: str) -> bool:
    """Whether it has the form of a Federated principal; the roles of an account name few."""
    return bool(_FEDERATED_ARN.fullmatch(value) or _HOST.fullmatch(value))


class Problems:
    """Gathers the problems of one document, in the order in which it is read."""

    def __init__(self, flaws: Iterable[Flaw] = ()) -> None:
        self.listed = [_problem_of(flaw) for flaw in flaws]

    def refuse(self, code: str, message: str, *steps: str | int) -> None:
        """Note a reason for which IAM does not save the document."""
        self.listed.append(Problem(code, message, steps))

    def note(self, code: str, message: str, *steps: str | int) -> None:
        """Note what is odd, or refused only in some accounts."""
        self.listed.append(Problem(code, message, steps, refused=False))

    def of_text(self, document: Mapping[str, object], size: int, *, plain: bool) -> None:
        """Its length and its characters, `plain` where these are known to be allowed."""
        if size > DEFAULT_QUOTA:
            why = f"Cannot exceed quota for ACLSizePerRole: {DEFAULT_QUOTA} ({size} characters; the quota is the account's)"
            self.note("over-default-quota", why)
        if not plain and not _is_plain(document):
            self._characters(document)

    def _characters(self, value: object, *steps: str | int) -> None:
        if isinstance(value, str):
            if not _ALLOWED.fullmatch(value):
                code = next(ord(char) for char in value if not _ALLOWED.fullmatch(char))
                why = f"the character U+{code:04X} is not allowed, only U+0009, U+000A, U+000D and U+0020 to U+00FF are"
                self.refuse("bad-character", why, *steps)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._characters(key, *steps, text_of(key))
                self._characters(item, *steps, text_of(key))
        elif isinstance(value, list):
            for n, item in enumerate(value):
                self._characters(item, *steps, n)

    def of_sids(self, sids: Iterable[tuple[object, Steps]]) -> None:
        """Statement ids: alphanumeric, and unique but for empty ones (G5)."""
        seen: set[str] = set()
        for sid, steps in sids:
            if has_hole(sid):
                continue
            if not isinstance(sid, str) or not _SID.fullmatch(sid):
                self.refuse("bad-sid", "Statement IDs (SID) must be alpha-numeric", *steps)
            elif sid and sid in seen:
                self.refuse("duplicate-sid", f"Statement IDs (SID) in a single policy must be unique: {shown(sid)}", *steps)
            else:
                seen.add(sid)

    def of_effect(self, effect: object, steps: Steps) -> str:
        """The effect that is meant, "" where it is none. AWS documents that its case counts, but roles are made of "allow", by
        AWS's own Account Factory too (aws-ia/terraform-aws-control_tower_account_factory, hashicorp/terraform-provider-aws#9297
        and #10511)."""
        word = effect.capitalize() if isinstance(effect, str) else ""
        if word not in ("Allow", "Deny"):
            self.refuse("bad-effect", f"Effect is {shown(effect)}, IAM knows Allow and Deny", *steps)
            return ""
        if word != effect:
            self.note("effect-case", f"Effect is {shown(effect)}, written {word} in the grammar", *steps)
        return word

    def of_principals(self, kind: str, values: Sequence[Value], steps: Steps) -> None:
        """The values of one principal type."""
        for value in values:
            if not isinstance(value, str):
                continue
            if kind == "Federated":
                self._federated(value, steps)
            elif kind == "AWS" and value != "*" and not _ACCOUNT.fullmatch(value):
                why = f'Invalid principal in policy: "AWS":{shown(value)} unless it exists in its account'
                self.note("principal-must-exist", why, *steps)

    def _federated(self, value: str, steps: Steps) -> None:
        if value == "*":
            self.note("federated-star", "what a wildcard as Federated principal does is not documented", *steps)
        elif not _is_federated(value):
            self.refuse("bad-federated", "Federated principals must be valid domain names or SAML metadata ARNs", *steps)

    def of_actions(self, actions: Iterable[Value], steps: Steps) -> None:
        """Actions: with a vendor, and if of STS then known to it and spelled as it does (A1)."""
        for action in actions:
            if not isinstance(action, str) or _STS.get(action.lower()) == action:
                continue
            only_sts = f"AssumeRole policy may only specify STS AssumeRole actions: {shown(action)}"
            form = action_spelling(action)
            if not _has_vendor(action) and action != "*":
                why = f"Actions/Conditions must be prefaced by a vendor: {shown(action)}"
                self.refuse("action-without-vendor", why, *steps)
            elif form == "unknown":
                self.refuse("unknown-action", only_sts, *steps)
            elif form == "refused":
                self.refuse("action-spelling", only_sts, *steps)
            elif form == "other":
                why = f"IAM is known to refuse one spelling of an action other than the service's: {shown(action)}"
                self.note("action-case", why, *steps)
            elif form == "wildcard":
                self.note("action-wildcard", f"whether IAM saves {shown(action)} in a trust policy is not documented", *steps)
            elif not action.lower().startswith("sts:"):
                self.note("foreign-action", only_sts, *steps)

    def of_typed_values(self, use: OperatorUse, values: Iterable[Value], steps: Steps) -> None:
        """Values of a condition that are not of its operator's type: no number, no date, no address, no ARN (S4)."""
        for value in values:
            if not isinstance(value, str) or _is_of_operator(use.operator, value):
                continue
            why = f"{shown(value)} is not a value that {use.operator.name} compares"
            if "${" in value or _MAY_BE_VALUE[use.operator.family].fullmatch(value):
                self.note("doubtful-value", f"{why}, as far as its forms are known", *steps)
            else:
                self.refuse("bad-typed-value", f"Syntax errors in policy: {why}", *steps)


_UNTYPED = frozenset({"string", "bool", "null"})
# forms of which nobody has seen whether IAM takes them
_MAY_BE_VALUE = {
    "numeric": regex(r"[+-]?[0-9][0-9_,.eE+-]*"),
    "date": regex(r"[+-]?[0-9][0-9TtZzWw:.,+-]*( [0-9:.]+)?"),
    "ip": regex(r"[0-9.]+/[0-9]+(\.[0-9]+){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%.*)?(/\+?[0-9]+)?"),
    "binary": regex(r"[A-Za-z0-9+/]*={0,3}"),
    "arn": regex(r"(arn:|a?r?n?[*?]).*", re.DOTALL | re.IGNORECASE),
}


def _is_of_operator(operator: Operator, value: str) -> bool:
    if operator.family in _UNTYPED:
        return True
    if operator.family == "arn":
        return is_arn(value) or arn_components(widest(pieces_of(value, wildcards=True, variables=True))) is not None
    from irsa_doctor.trust.typed import is_policy_value

    return is_policy_value(operator, value)


ActionSpelling = Literal["right", "other", "wildcard", "refused", "unknown", "foreign"]


def action_spelling(action: str) -> ActionSpelling:
    """How an action of a trust policy is written: as STS does, in other letters, with wildcards, in a way that IAM is known to
    refuse, as an action that STS does not have or that has no vendor, or as one of another service (A1)."""
    low = action.lower()
    if action in _REFUSED:
        return "refused"
    if low in _STS:
        return "right" if _STS[low] == action else "other"
    if "*" in low or "?" in low:
        return "wildcard" if low == "*" or _has_vendor(low) else "unknown"
    return "unknown" if low.startswith("sts:") or not _has_vendor(low) else "foreign"


def is_refused_action(action: str) -> bool:
    """Whether IAM saves no trust policy with this action."""
    return action_spelling(action) in ("refused", "unknown")


def _has_vendor(action: str) -> bool:
    vendor, colon, _ = action.partition(":")
    return bool(colon and vendor)


def _problem_of(flaw: Flaw) -> Problem:
    return Problem(flaw.code, flaw.message, pointer_steps(flaw.pointer), True, flaw.line, flaw.column)


def pointer_steps(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON pointer."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def shown(value: object) -> str:
    """A value in a message, in quotes and not too long."""
    text = text_of(value) if isinstance(value, str | Text) else repr(value)
    return f'"{text[:200]}"'


def _is_plain(document: object) -> bool:
    """Whether every character is certainly allowed: one look at the encoded whole, in place of one at every string."""
    try:
        text = msgspec.json.encode(document)
    except (TypeError, ValueError, RecursionError):
        return False
    return text.isascii() and b"\\u" not in text and b"\\b" not in text and b"\\f" not in text


def document_size(document: object) -> int:
    """Characters of a document that IAM counts, all but white space; 0 where holes leave that open."""
    text = msgspec.json.encode(document, enc_hook=str) if not any(True for _ in holes_in(document)) else b""
    return len(text.translate(None, _WHITE_SPACE).decode())
