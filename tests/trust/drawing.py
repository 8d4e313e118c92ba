"""Random policies, subjects and requests, from a vocabulary so small that something often matches."""

import os
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from irsa_doctor.model import Place
from irsa_doctor.sources import read_policy_text as read_text
from irsa_doctor.trust import Policy, Request, read_policy

SCALE = float(os.environ.get("TRUST_EXAMPLES", "1"))
"""How many times the usual number of examples to draw; other than 1 they are drawn anew each time."""
SEED = int(os.environ.get("TRUST_SEED", "1"))
"""What the pools of conditions are drawn with."""


def examples(number: int) -> Callable[[Any], Any]:
    """Settings of a property test: the same examples every time, unless more of them are asked for."""
    return settings(
        max_examples=max(1, int(number * SCALE)),
        derandomize=SCALE == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


ACCOUNT = "123412341234"
ISSUER = "oidc.eks.eu-north-1.amazonaws.com/id/C0FFEE"
OTHER = "oidc.eks.eu-north-1.amazonaws.com/id/DECAF"
PREFIX = "system:serviceaccount:"
SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"


def arn_of(issuer: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:oidc-provider/{issuer}"


ARN = arn_of(ISSUER)

NAMESPACES = ("a", "b", "ab", "a-b")
NAMES = ("x", "y", "xy", "x-y", "x.y")
SUBJECTS = tuple(f"{PREFIX}{namespace}:{name}" for namespace in NAMESPACES for name in NAMES)
AUDIENCES = ("sts.amazonaws.com", "sts", "aud", "arn:aws:s3:::b")
ODD_SUBJECTS = (
    *("x", "a:b", PREFIX + "a", PREFIX + "a:*", "arn:aws:iam::1:role/x", "5", "true", "5.0", "TRUE", "10.1.2.3", "::1", "QUJD"),
    *("2025-01-01", "\U00010400", "a\U00010400", "K\u212a", "\u00c9", "\u1e9e", "\u03c3\u03c2", "\u0130", "x\n"),
)

ALWAYS = ("aws:CurrentTime", "aws:EpochTime", "sts:RoleSessionName", "aws:RequestedRegion")
MAYBE = ("aws:SourceIp", "aws:UserAgent", "aws:Referer", "aws:ResourceTag/t")
NEVER = (
    "aws:PrincipalArn",
    "aws:TagKeys",
    "sts:ExternalId",
    f"{OTHER}:sub",
    f"https://{SUB}",
    f"{ISSUER}:amr",
    f"{ISSUER}/:sub",
    "oidc.eks.eu-north-1.amazonaws.com:sub",
)
CONTEXT_VALUES: dict[str, tuple[str, ...]] = {
    "aws:SourceIp": ("10.1.2.3", "192.0.2.1", "2001:db8::1"),
    "aws:UserAgent": ("x", "xy", "5"),
    "aws:Referer": ("", "x"),
    "aws:CurrentTime": ("2025-01-01T00:00:00Z", "2026-01-01"),
    "aws:EpochTime": ("1735689600", "5"),
    "sts:RoleSessionName": ("x", "a", "*"),
    "aws:RequestedRegion": ("a", "x"),
    "aws:ResourceTag/t": (
        *("QUJD", "QUJD==", "QR==", "arn:aws:s3:::b", "arn:aws:s3", "10", "010", "+10", "1e1", "NaN", "Infinity", ""),
        *("true", "True", " true ", "yes", "2025-01-01", "2025-01-01T00:00:00.0009Z", "+1735689600", "192.000.002.1"),
        *("192.0.2.1/32", "2001:DB8::1", "a\U00010400", "\u1e9e", "\u039f\u03a3", "\u03bf\u03c2", "9007199254740992"),
    ),
}
KNOWN: dict[str, str] = {
    "aws:PrincipalAccount": ACCOUNT,
    "aws:PrincipalType": "User",
    "aws:userid": ARN,
    "aws:PrincipalIsAWSService": "false",
    "aws:ResourceAccount": ACCOUNT,
    "aws:SecureTransport": "true",
    "sts:RoleAuthorizedByIdp": "false",
}
"""what every request of a token of the cluster has"""

_STRING = (
    *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    *("StringLike", "StringLike", "StringNotLike", "StringNotLike"),
)
_ARN = ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")
_ORDERED = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_TYPED: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[object, ...]], ...] = (
    (
        tuple("Numeric" + comparison for comparison in _ORDERED),
        ("aws:EpochTime", "aws:UserAgent", "aws:ResourceTag/t"),
        ("5", "5.0", 6, "-1", "1e1", "five", True, "+5", "05", ".5e1", "NaN", "9007199254740993", "1e999999"),
    ),
    (
        tuple("Date" + comparison for comparison in _ORDERED),
        ("aws:CurrentTime", "aws:EpochTime"),
        (
            *("2025-01-01", "2025-01-01T00:00:00Z", "2025-01-01T01:00:00+01:00", "1735689600", 1735689601, "soon"),
            *("2025-13-01", "2025-01-01T00:00", "2025-01-01T00:00:00.0004Z", "+1735689600", "2025", "2025-02-30", "2025-01"),
        ),
    ),
    (("Bool",), ("aws:SecureTransport", "aws:MultiFactorAuthPresent"), ("true", "false", True, False, "True", "yes", "")),
    (
        ("IpAddress", "NotIpAddress"),
        ("aws:SourceIp", "aws:ResourceTag/t"),
        (
            *("10.0.0.0/8", "10.1.2.3", "::/0", "2001:db8::1/128", "10.0.0.0/99", "here", "192.0.2.77/24", "192.000.002.0/024"),
            *("192.0.2.0/+24", "0.0.0.0/0", "10.1.2.3/", "10.1.2.256"),
        ),
    ),
    (("BinaryEquals",), ("aws:ResourceTag/t",), ("QUJD", "QUI=", "QR==", "QQ==", "no base64!")),
)
_ENDS = ("", "*", "?", "x", "y", "xy", "-", ".", "x*", "*y", "?*", "a", "${*}", "${?}")
_SUB_VALUES = (
    "*",
    "",
    f"${{{SUB}}}",
    f"${{{SUB.upper()}}}*",
    f"*${{{SUB}}}",
    f"x${{{SUB}}}",
    f"${{{SUB}}}${{{SUB}}}",
    f"${{{SUB}}}${{aws:PrincipalTag/none, ''}}",
    f"${{{SUB}}}${{aws:Referer}}",
    f"{PREFIX}a:${{aws:PrincipalTag/team}}",
    f"{PREFIX}a:${{aws:PrincipalTag/team, 'x'}}",
    f"{PREFIX}${{sts:RoleSessionName}}:x",
    f"{PREFIX}a:${{aws:UserAgent, 'x'}}",
    f"{PREFIX}*:${{{AUD}}}",
    "${unfinished*",
    "arn:aws:iam::1:role/*",
    "arn:aws:iam::*:*",
    "a?n:*:*:*:*:*",
    "arn:*",
    *("??", "?", "*?", "a?", "a??", "\u00e9", "\u00c9*", "\u00df", "k", "\u00b5", "kk", "x?"),
    *(
        "${aws:ResourceTag/t}",
        "${aws:PrincipalType}*",
        "${aws:PrincipalAccount}",
        "${aws:userid}",
        "x${aws:PrincipalType, 'y'}",
    ),
)
_AUD_VALUES = (
    *("*", "sts*", "???", "*.com", "STS", "a*", "", f"${{{AUD}}}", f"${{{SUB}}}", "${sts:RoleSessionName}"),
    *("arn:aws:s3:::*", "${aws:PrincipalTag/x, 'aud'}"),
)
_OTHER_VALUES = (
    *(
        "x",
        "x*",
        "*",
        "a",
        "10.1.2.3",
        "true",
        "5",
        "arn:aws:s3:::*",
        f"${{{AUD}}}",
        5,
        True,
        ACCOUNT,
        "User",
        "FederatedUser",
        ARN,
    ),
    *(
        "arn:aws:iam::*:oidc-provider/*",
        "\u00df",
        "a??",
        "\u03bf?",
        "${aws:PrincipalAccount}",
        "${aws:ResourceTag/t}",
        "false",
    ),
)

Entry = tuple[str, str, object]
"""operator, key, values as the policy writes them"""


class _Pool:
    """Draws conditions once, so that a test draws no more than the number of one."""

    def __init__(self) -> None:
        self.random = Random(SEED)  # noqa: S311 - the same ones every time

    def one(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def operator(self, names: tuple[str, ...]) -> str:
        qualifier = self.one("", "", "", "", "", "ForAllValues:", "ForAnyValue:")
        return f"{qualifier}{self.one(*names)}{self.one('', '', '', 'IfExists')}"

    def spelt(self, key: str) -> str:
        """Names of keys do not mind case."""
        return self.one(key, key, key, key.upper(), key.lower())

    def some(self, value: Callable[[], object], least: int = 0) -> object:
        if self.random.random() < 0.6:
            return value()
        return [value() for _ in range(self.random.randint(least, 3))]

    def subject(self) -> object:
        choice = self.random.random()
        if choice < 0.3:
            return self.one(*SUBJECTS)
        if choice < 0.7:
            start = self.one(*[PREFIX] * 6, "*", "system:*:", "System:ServiceAccount:", "s?stem:serviceaccount:")
            namespace = self.one("a", "b", "ab", "*", "?", "a*", "*b", "a-?", "A")
            return f"{start}{namespace}:{self.one(*_ENDS)}{self.one(*_ENDS)}"
        if choice < 0.8:
            return self.one("*", "*a", "*:", "?") + self.one(*_ENDS)
        return self.one(*_SUB_VALUES)

    def audience(self) -> object:
        return self.one(*AUDIENCES, *_AUD_VALUES)

    def claim(self) -> Entry:
        """Something on sub or aud."""
        if self.random.random() < 0.5:
            names = ("StringEquals", "StringLike", "StringLike", "StringNotLike")
            if self.random.random() < 0.7:
                return self.one(*names), SUB, self.some(self.subject, 1)
            return self.one(*names[:2]), AUD, self.some(self.audience, 1)
        key, value = self.one((SUB, self.subject), (SUB, self.subject), (AUD, self.audience))
        return self.operator(_STRING), self.spelt(key), self.some(value)

    def anything(self) -> Entry:
        """Something of any family on any key."""
        choice = self.random.random()
        if choice < 0.4:
            return self.claim()
        if choice < 0.5:
            key, value = self.one((SUB, self.subject), (AUD, self.audience), ("aws:ResourceTag/t", self.audience))
            return self.operator(_ARN), key, self.some(value)
        if choice < 0.6:
            null = self.one("Null", "Null", "Null", "ForAllValues:Null", "ForAnyValue:Null")
            values = self.some(lambda: self.one("true", "false", True, False, "TRUE", "neither"))
            return null, self.spelt(self.one(SUB, AUD, *MAYBE, *ALWAYS, *NEVER, *KNOWN)), values
        if choice < 0.75:
            keys = NEVER if choice < 0.64 else (*MAYBE, *ALWAYS) if choice < 0.70 else tuple(KNOWN)
            return self.operator((*_STRING, *_ARN)), self.spelt(self.one(*keys)), self.some(lambda: self.one(*_OTHER_VALUES))
        operators, keys, values = self.one(*_TYPED)
        return (
            self.operator(operators),
            self.spelt(self.one(*keys, *keys, SUB, AUD, *NEVER[:2], *KNOWN)),
            self.some(lambda: self.one(*values)),
        )

    def drawn(self, kind: Callable[[], Entry]) -> tuple[Entry, ...]:
        """Those that are shorter first, for these are what a failing test is reduced to."""
        return tuple(sorted((kind() for _ in range(3000)), key=lambda entry: (len(str(entry)), str(entry))))


_pool = _Pool()
CLAIMS = _pool.drawn(_pool.claim)
"""conditions on sub and aud by string operators"""
ANYTHING = _pool.drawn(_pool.anything)
"""conditions of every family, on every kind of key"""

_OURS: tuple[dict[str, object], ...] = ({"Federated": ARN}, {"Federated": [arn_of(OTHER), ARN]})
_PRINCIPALS: tuple[dict[str, object], ...] = (
    *(_OURS * 4),
    {"Federated": ARN, "AWS": "*"},
    {"AWS": "*"},
    {"AWS": ["arn:aws:iam::123412341234:root", "*"]},
    {"Federated": arn_of(OTHER)},
    {"Federated": arn_of(ISSUER, "999900001111")},
    {"Federated": ARN.replace("eks", "EKS")},
    {"AWS": "123412341234", "Service": "ec2.amazonaws.com"},
    {"Federated": "cognito-identity.amazonaws.com"},
)
_WEB_IDENTITY: tuple[dict[str, object], ...] = ({"Action": "sts:AssumeRoleWithWebIdentity"},)
_ACTIONS: tuple[dict[str, object], ...] = (
    *(_WEB_IDENTITY * 8),
    {"Action": ["sts:TagSession", "STS:assumerolewithWEBidentity"]},
    {"Action": "sts:*"},
    {"Action": "sts:AssumeRole*"},
    {"Action": "sts:AssumeRoleWith???Identity"},
    {"Action": "sts:AssumeRole"},
    {"Action": []},
    {"Action": "*"},
    {"NotAction": "sts:AssumeRole"},
    {"NotAction": ["sts:Assume*"]},
)
_EFFECTS = ("Allow", "Allow", "Deny")
_HEADS = tuple((effect, principal, action) for principal in _PRINCIPALS for action in _ACTIONS for effect in _EFFECTS)
_PLAIN_HEADS = tuple((effect, principal, action) for principal in _OURS for action in _WEB_IDENTITY for effect in _EFFECTS)
_VERSIONS: tuple[dict[str, object], ...] = ({"Version": "2012-10-17"}, {"Version": "2012-10-17"}, {"Version": "2008-10-17"}, {})


def statement(effect: str, principal: Mapping[str, object], action: Mapping[str, object], entries: Any) -> dict[str, Any]:
    """A statement as JSON; entries of one operator go together."""
    block: dict[str, dict[str, object]] = {}
    for operator, key, values in entries:
        block.setdefault(operator, {})[key] = values
    return {"Effect": effect, "Principal": dict(principal), **action, "Condition": block}


def policies(entries: tuple[Entry, ...], *, plain: bool = False, statements: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """A whole policy with conditions of a pool; all statements of a `plain` one speak of our provider's tokens."""
    each = st.builds(
        lambda head, listed: statement(*head, listed),
        st.sampled_from(_PLAIN_HEADS if plain else _HEADS),
        st.lists(st.sampled_from(entries), max_size=3),
    )
    return st.builds(
        lambda version, listed: {**version, "Statement": listed},
        st.sampled_from(_VERSIONS),
        st.lists(each, min_size=1, max_size=statements),
    )


def policy_of(document: object) -> Policy:
    """The document as it is read from text, and as it would be evaluated were it saved: IAM refuses some that are drawn."""
    read = read_policy(read_text(msgspec.json.encode(document), Place("drawn")))
    return msgspec.structs.replace(read, problems=())


def request_of(subject: str, audience: str, more: Mapping[str, tuple[str, ...]] = {}) -> Request:
    """A request as a cluster's token makes it."""
    every = {key: (value,) for key, value in KNOWN.items()}
    context = {SUB.lower(): (subject,), AUD.lower(): (audience,)} | {k.lower(): v for k, v in (every | dict(more)).items()}
    return Request(ACCOUNT, ARN, context)


def _surroundings(seed: int) -> dict[str, tuple[str, ...]]:
    random = Random(seed)  # noqa: S311 - as above
    keys = [*ALWAYS, *(key for key in MAYBE if random.random() < 0.6)]
    return {key: (random.choice(CONTEXT_VALUES[key]),) for key in keys}


def _call(seed: int) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    random = Random(seed)  # noqa: S311 - as above
    context = {key.lower(): values for key, values in _surroundings(seed).items() if random.random() < 0.5}
    if random.random() < 0.85:
        context[SUB.lower()] = (random.choice((*SUBJECTS * 2, *ODD_SUBJECTS, "")),)
    if random.random() < 0.85:
        context[AUD.lower()] = (random.choice((*AUDIENCES * 3, "")),)
    for key in random.sample((*NEVER, AUD, *KNOWN), random.randint(0, 3)):
        values = random.choices(
            ("x", "a", "", "arn:aws:s3:::b", "5", "true", "User", ACCOUNT, *AUDIENCES), k=random.randint(0, 3)
        )
        context[key.lower()] = tuple(values)
    return context, frozenset(key for key in context if random.random() < 0.05)


surroundings = st.integers(0, 1 << 20).map(_surroundings)
"""what else is in the request of a token: what always is, and some of what may be"""
calls = st.integers(0, 1 << 20).map(_call)
"""any context at all, possible or not: (key in lower case -> values, multi-valued keys)"""
