"""A trust policy taken apart: statements, principals, actions, conditions, and what IAM would refuse to save.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import msgspec

from irsa_doctor.model import Text, TrustPolicy, has_hole, holes_in, text_of
from irsa_doctor.trust.operators import OperatorUse, parse_operator
from irsa_doctor.trust.patterns import Glob, pieces_of

Value = str | Text
WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a document. With `refused`, IAM does not save it, and the text alone decides that."""

    code: str
    message: str
    steps: tuple[str | int, ...] = ()
    refused: bool = True
    line: int = 0
    column: int = 0


class Condition(msgspec.Struct, frozen=True):
    """One key under one operator. `key` is in lower case ("" where it has a hole); `steps` lead to it in the document."""

    use: OperatorUse
    key: str
    raw_key: Value
    values: tuple[Value, ...]
    steps: tuple[str | int, ...]


class Statement(msgspec.Struct, frozen=True):
    """One statement; principals by type, actions as written."""

    index: int
    allow: bool
    federated: tuple[Value, ...]
    aws: tuple[Value, ...]
    service: tuple[Value, ...]
    actions: tuple[Value, ...]
    not_actions: tuple[Value, ...] | None
    conditions: tuple[Condition, ...]
    steps: tuple[str | int, ...]
    two_spellings: bool = False

    @property
    def covers_web_identity(self) -> bool:
        """Whether its actions include sts:AssumeRoleWithWebIdentity."""
        return covers(self, WEB_IDENTITY)


class Policy(msgspec.Struct, frozen=True, dict=True):
    """A whole document."""

    variables: bool
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]
    size: int

    @cached_property
    def grants(self) -> dict[tuple[int, str, bool], Any]:
        """What `admitted.grant_of` has worked out: by statement, issuer and whether it is a cluster's."""
        return {}

    @property
    def refused(self) -> bool:
        """Whether IAM would not save it."""
        return any(problem.refused for problem in self.problems)


@lru_cache(maxsize=4096)
def _action_matches(pattern: str, action: str) -> bool:
    return Glob(pieces_of(pattern.lower(), wildcards=True, variables=False)).matches(action.lower())  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _is_listed(actions: tuple[Value, ...], action: str) -> bool:
    return any(isinstance(entry, str) and _action_matches(entry, action) for entry in actions)


def covers(statement: Statement, action: str) -> bool:
    """Whether Action (or NotAction) of a statement includes an action; names are case-insensitive (A1)."""
    if statement.not_actions is not None:
        return not _is_listed(statement.not_actions, action)
    return _is_listed(statement.actions, action)


_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "Action", "NotAction", "Condition"})
_FEDERATED_ARN = re.compile(r"arn:[a-z0-9-]+:iam::\d{12}:(oidc|saml)-provider/.+", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/[^\s*]*)?")
_STS = frozenset(
    f"sts:{name}".lower()
    for name in [
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "AssumeRoot",
        "DecodeAuthorizationMessage",
        "GetAccessKeyInfo",
        "GetCallerIdentity",
        "GetDelegatedAccessToken",
        "GetFederationToken",
        "GetServiceBearerToken",
        "GetSessionToken",
        "GetWebIdentityToken",
        "SetContext",
        "SetSourceIdentity",
        "TagGetWebIdentityToken",
        "TagSession",
    ]
)
_PRINCIPAL_TYPES = ("AWS", "Federated", "Service", "CanonicalUser")
DEFAULT_QUOTA = 2048
_ALLOWED_CHAR = re.compile("[\t\n\r -\u00ff]*")


class _Reader:
    """Reads one document, gathering problems."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def refuse(self, code: str, message: str, *steps: str | int, refused: bool = True) -> None:
        self.problems.append(Problem(code, message, steps, refused))

    def policy(self, source: TrustPolicy) -> Policy:
        for flaw in source.flaws:
            steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in flaw.pointer.split("/")[1:])
            self.problems.append(Problem(flaw.code, flaw.message, steps, True, flaw.line, flaw.column))
        document = source.document
        if not isinstance(document, dict):
            if not source.flaws:
                self.refuse("not-an-object", "a policy is a JSON object")
            return Policy(False, (), tuple(self.problems), source.size)
        version = document.get("Version", "2008-10-17")
        if version not in ("2012-10-17", "2008-10-17"):
            self.refuse("bad-version", f"Version is {_shown(version)}, IAM knows 2012-10-17 and 2008-10-17", "Version")
        for name in document:
            if name not in ("Version", "Id", "Statement"):
                self.refuse("unknown-element", f"Syntax errors in policy: no element {_shown(name)}", text_of(name))
        statements = self._statements(document)
        self._unique_sids(document)
        size = source.size if source.size >= 0 else _size(document)
        if size > DEFAULT_QUOTA:
            self.refuse(
                "over-default-quota",
                f"Cannot exceed quota for ACLSizePerRole: {DEFAULT_QUOTA} ({size} characters; the quota is the account's)",
                refused=False,
            )
        if not _is_plain(document):
            self._characters(document)
        return Policy(version == "2012-10-17", statements, tuple(self.problems), size)

    def _characters(self, value: object, *steps: str | int) -> None:
        if isinstance(value, str):
            if not (value.isascii() and value.isprintable()) and not _ALLOWED_CHAR.fullmatch(value):
                self.refuse("bad-character", "only U+0009, U+000A, U+000D and U+0020 to U+00FF may stand in a policy", *steps)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._characters(key, *steps, text_of(key))
                self._characters(item, *steps, text_of(key))
        elif isinstance(value, list):
            for n, item in enumerate(value):
                self._characters(item, *steps, n)

    def _statements(self, document: Mapping[str, object]) -> tuple[Statement, ...]:
        listed = document.get("Statement")
        if isinstance(listed, dict):
            return tuple(s for s in [self._statement(listed, 0, ("Statement",))] if s)
        if not isinstance(listed, list) or not listed:
            self.refuse("no-statement", "Syntax errors in policy: no Statement", "Statement")
            return ()
        return tuple(s for n, raw in enumerate(listed) if (s := self._statement(raw, n, ("Statement", n))))

    def _unique_sids(self, document: Mapping[str, object]) -> None:
        listed = document.get("Statement")
        seen: set[str] = set()
        for n, raw in enumerate(listed if isinstance(listed, list) else [listed]):
            sid = raw.get("Sid") if isinstance(raw, dict) else None
            if sid is None or has_hole(sid):
                continue
            steps = ("Statement", n, "Sid") if isinstance(listed, list) else ("Statement", "Sid")
            if not isinstance(sid, str) or not re.fullmatch(r"[A-Za-z0-9]*", sid):
                self.refuse("bad-sid", "Statement IDs (SID) must be alpha-numeric", *steps)
            elif sid and sid in seen:
                self.refuse("duplicate-sid", f"Statement IDs (SID) in a single policy must be unique: {sid}", *steps)
            else:
                seen.add(sid)

    def _statement(self, raw: object, index: int, steps: tuple[str | int, ...]) -> Statement | None:
        if not isinstance(raw, dict):
            self.refuse("bad-statement", "a statement is a JSON object", *steps)
            return None
        for name in raw:
            if name in ("Resource", "NotResource"):
                self.refuse("prohibited-resource", f"Has prohibited field {name}", *steps, name)
            elif name == "NotPrincipal":
                self.refuse("not-principal", "Has prohibited field NotPrincipal", *steps, name)
            elif name not in _ELEMENTS:
                self.refuse("unknown-element", f"Syntax errors in policy: no element {_shown(name)}", *steps, text_of(name))
        effect = raw.get("Effect")
        if effect not in ("Allow", "Deny") and not has_hole(effect):
            self.refuse("bad-effect", f"Effect is {_shown(effect)}, IAM knows Allow and Deny", *steps, "Effect")
        principals = self._principals(raw, steps)
        conditions, two = self._conditions(raw.get("Condition"), (*steps, "Condition"))
        not_actions = self._actions(raw, "NotAction", steps) if "NotAction" in raw else None
        if "NotAction" in raw and "Action" in raw:
            self.refuse("action-and-not-action", "Syntax errors in policy: Action and NotAction", *steps, "NotAction")
        elif "NotAction" in raw:
            self.refuse(
                "not-action",
                "whether IAM saves NotAction in a trust policy is not documented",
                *steps,
                "NotAction",
                refused=False,
            )
        elif "Action" not in raw:
            self.refuse("no-action", "Missing required field Action", *steps)
        return Statement(
            index,
            effect == "Allow",
            principals.get("Federated", ()),
            principals.get("AWS", ()),
            principals.get("Service", ()),
            self._actions(raw, "Action", steps),
            not_actions,
            conditions,
            steps,
            two,
        )

    def _principals(self, raw: Mapping[str, object], steps: tuple[str | int, ...]) -> dict[str, tuple[Value, ...]]:
        if "Principal" not in raw:
            if "NotPrincipal" not in raw:
                self.refuse("no-principal", "Missing required field Principal", *steps)
            return {}
        principal = raw["Principal"]
        if principal == "*":
            self.refuse("star-principal", 'AssumeRolepolicy contained an invalid principal: "STAR":"*".', *steps, "Principal")
            return {}
        if not isinstance(principal, dict):
            self.refuse("bad-principal", "Principal is an object of principal types", *steps, "Principal")
            return {}
        found: dict[str, tuple[Value, ...]] = {}
        for kind, listed in principal.items():
            here = (*steps, "Principal", text_of(kind))
            if kind not in _PRINCIPAL_TYPES:
                self.refuse("bad-principal-type", f"no principal type {_shown(kind)}", *here)
                continue
            values = self._values(listed, here)
            if not values:
                self.refuse("empty-principal", "The passed in policy has a statement with no principals!", *here)
            found[kind] = values
            self._check_principals(kind, values, here)
        return found

    def _check_principals(self, kind: str, values: Iterable[Value], steps: tuple[str | int, ...]) -> None:
        for value in values:
            if not isinstance(value, str):
                continue
            if kind == "Federated" and value == "*":
                self.refuse(
                    "federated-star", "what a wildcard as Federated principal does is not documented", *steps, refused=False
                )
            elif kind == "Federated" and not _FEDERATED_ARN.fullmatch(value) and not _HOST.fullmatch(value):
                self.refuse("bad-federated", "Federated principals must be valid domain names or SAML metadata ARNs", *steps)
            elif kind == "AWS" and value not in ("*",) and not re.fullmatch(r"\d{12}|arn:[a-z0-9-]+:iam::\d{12}:root", value):
                self.refuse(
                    "principal-must-exist",
                    f'Invalid principal in policy: "AWS":{_shown(value)} unless it exists in its account',
                    *steps,
                    refused=False,
                )

    def _values(self, listed: object, steps: tuple[str | int, ...]) -> tuple[Value, ...]:
        """A scalar or a list of scalars, as text: true -> "true", 5 -> "5" (G4)."""
        if isinstance(listed, str):
            return (listed,)
        values: list[Value] = []
        for item in listed if isinstance(listed, list) else [listed]:
            if isinstance(item, str | Text):
                values.append(item)
            elif isinstance(item, bool):
                values.append("true" if item else "false")
            elif isinstance(item, int | float):
                values.append(str(item))
            else:
                self.refuse("bad-value", "a value is text, a number or a boolean, or a list of these", *steps)
        return tuple(values)

    def _actions(self, raw: Mapping[str, object], name: str, steps: tuple[str | int, ...]) -> tuple[Value, ...]:
        if name not in raw:
            return ()
        actions = self._values(raw[name], (*steps, name))
        for action in actions:
            if not isinstance(action, str) or action == "*":
                continue
            vendor, colon, _ = action.partition(":")
            if not colon or not vendor:
                self.refuse(
                    "action-without-vendor", f"Actions/Conditions must be prefaced by a vendor: {_shown(action)}", *steps, name
                )
            elif "*" in action or "?" in action or action.lower() in _STS:
                continue
            elif vendor.lower() == "sts":
                self.refuse(
                    "unknown-action",
                    f"AssumeRole policy may only specify STS AssumeRole actions: {_shown(action)}",
                    *steps,
                    name,
                )
            else:
                self.refuse(
                    "foreign-action",
                    f"AssumeRole policy may only specify STS AssumeRole actions: {_shown(action)}",
                    *steps,
                    name,
                    refused=False,
                )
        return actions

    def _conditions(self, block: object, steps: tuple[str | int, ...]) -> tuple[tuple[Condition, ...], bool]:
        if block is None:
            return (), False
        if not isinstance(block, dict):
            self.refuse("bad-condition", "Condition is an object of operators", *steps)
            return (), False
        conditions: list[Condition] = []
        two_spellings = False
        for name, keys in block.items():
            here = (*steps, text_of(name))
            use = parse_operator(name) if isinstance(name, str) else None
            if use is None:
                self.refuse("bad-operator", f"Invalid Condition type : {text_of(name)}", *here)
                continue
            if not isinstance(keys, dict):
                self.refuse("bad-condition", f"{text_of(name)} is an object of condition keys", *here)
                continue
            seen: set[str] = set()
            for key, listed in keys.items():
                low = key.lower() if isinstance(key, str) else ""
                if low and low in seen:
                    two_spellings = True
                    self.refuse("two-spellings", f"{key} is there twice, in two spellings", *here, key, refused=False)
                seen.add(low)
                place = (*here, text_of(key))
                conditions.append(Condition(use, low, key, self._values(listed, place), place))
        return tuple(conditions), two_spellings


def _shown(value: object) -> str:
    text = text_of(value) if isinstance(value, str | Text) else repr(value)
    return f'"{text[:200]}"'


def _is_plain(document: object) -> bool:
    """Whether every character is certainly allowed: one look at the encoded whole, in place of one at every string."""
    try:
        text = msgspec.json.encode(document)
    except (TypeError, ValueError, RecursionError):
        return False
    return text.isascii() and b"\\u" not in text and b"\\b" not in text and b"\\f" not in text


def _size(document: object) -> int:
    text = msgspec.json.encode(document, enc_hook=str) if not any(True for _ in holes_in(document)) else b""
    return sum(not chr(byte).isspace() for byte in text if byte < 0x80 or byte >= 0xC0)


def read_policy(source: TrustPolicy) -> Policy:
    """A document taken apart; whatever is wrong with it is a problem in the answer, never an exception."""
    return _Reader().policy(source)
