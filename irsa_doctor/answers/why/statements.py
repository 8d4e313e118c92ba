"""Which check of which statement keeps one token out, and the failure mode that this is.

Only a policy that surely does not admit the token is asked. Of several statements the one counts that misses by the least: it
is the one that was meant for the token.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.facts import View
from irsa_doctor.facts.grants.keys import key_form
from irsa_doctor.facts.lookups.near import is_one_letter_off
from irsa_doctor.issuers import EKS
from irsa_doctor.model import Issuer, Text, parse_arn, text_of
from irsa_doctor.trust import SUBJECT_PREFIX, Policy, Statement, grant_of
from irsa_doctor.trust.holding import holds
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import NOTHING
from irsa_doctor.trust.patterns import glob_of, is_plain, pieces_of
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, Value, covering

STS = "sts.amazonaws.com"
_ENDPOINT = re.compile(r"sts\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
_KEY_MODES: Mapping[str, str] = {
    "scheme": "trust-key-has-scheme",
    "arn": "trust-key-is-arn",
    "trailing-slash": "trust-key-trailing-slash",
    "missing-path": "trust-key-missing-path",
    "other-issuer": "trust-key-wrong-cluster",
    "session": "trust-source-identity-or-tags",
    "claim": "trust-unavailable-key",
    "unavailable": "trust-unavailable-key",
}
MODES_OF_KEYS = {
    "aws:sourceip": "trust-sourceip-vpc",
    "aws:sourcevpc": "trust-sourceip-vpc",
    "aws:sourcevpce": "trust-sourceip-vpc",
    "aws:vpcsourceip": "trust-sourceip-vpc",
    "aws:requestedregion": "trust-requestedregion",
    "sts:rolesessionname": "trust-session-name-required",
}
# how far a statement is from admitting the token: a slip in what was meant for it, other keys, another subject, another issuer,
# no web identity
_SLIP, _OTHER_KEYS, _OTHER_SUBJECT, _OTHER_ISSUER, _NO_WEB_IDENTITY = 1, 2, 10, 20, 30


class Presented(msgspec.Struct, frozen=True):
    """A token as STS presents it to a policy: its provider (ARN) in the role's account, its issuer without scheme, its claims.

    `known` is what else is known of the request: keys in lower case -> values, () where the key is surely absent.
    """

    account: str
    provider: str
    issuer: str
    subject: str
    audience: str
    known: Mapping[str, tuple[str, ...]] = {}


class Miss(msgspec.Struct, frozen=True):
    """One check that fails: the failure mode, what is compared with what, where in the policy."""

    id: str
    says: str
    statement: int
    steps: tuple[str | int, ...]
    cost: float
    wanted: tuple[str, ...] = ()


def misses(policy: Policy, token: Presented, view: View) -> tuple[Miss, ...]:
    """Why a policy does not admit a token: the failing checks of the nearest Allow statement, else the Deny that matches."""
    asked = [_of_statement(policy, statement, token, view) for statement in policy.statements if statement.allow]
    if () in asked:
        return tuple(_of_denies(policy, token))
    nearest = min(asked, key=lambda found: sum(miss.cost for miss in found), default=())
    return (*nearest, *_of_denies(policy, token))


def _of_statement(policy: Policy, statement: Statement, token: Presented, view: View) -> tuple[Miss, ...]:
    """The failing checks of one Allow statement, in the order of its elements."""
    principal = _principal(statement, token, view)
    if principal and principal.cost >= _NO_WEB_IDENTITY:
        return (principal,)
    found = [principal] if principal else []
    if covering(statement, WEB_IDENTITY) is False:
        found.append(_action(statement))
    alias = principal.wanted[0] if principal and principal.wanted else ""
    found += _conditions(policy, statement, token, alias)
    return tuple(found)


# ---- the principal


def _principal(statement: Statement, token: Presented, view: View) -> Miss | None:
    """The nearest principal, None where one is the token's provider; `wanted` of it is the issuer that it names."""
    if token.provider in statement.federated or "*" in statement.aws:
        return None
    if any(isinstance(value, Text) for value in (*statement.federated, *statement.aws)):
        return None
    nearest = [_federated(statement, value, token, view) for value in statement.federated if isinstance(value, str)]
    if nearest:
        return min(nearest, key=lambda miss: miss.cost)
    return _not_federated(statement, token)


def _federated(statement: Statement, value: str, token: Presented, view: View) -> Miss:
    ident, cost = _nearness(statement, value, token, view)
    arn = parse_arn(value)
    issuer = arn.name if arn else value.removeprefix("https://").rstrip("/")
    says = f'the principal is "{value}", the provider of the token is {token.provider}'
    return Miss(ident, says, statement.index, (*statement.steps, "Principal"), cost, (issuer.lower(),))


def _nearness(statement: Statement, value: str, token: Presented, view: View) -> tuple[str, float]:
    """What is wrong with a Federated principal, and how far it is from the right one."""
    form = view.principals.form(value, token.account)
    same = _same_issuer(value, token)
    if form == "not-an-arn":
        return "trust-principal-url-not-arn", _SLIP if same or "eks" not in value else _OTHER_ISSUER
    if form in ("saml", "domain"):
        return "trust-sub-mismatch", _NO_WEB_IDENTITY
    if same:
        return _wrong_provider(value, form, token, view), _SLIP
    if form in ("malformed", "near-miss", "wildcard"):
        meant = view.meant_provider(value, token.account) == token.provider
        return "trust-principal-wrong-arn", _SLIP if meant else _OTHER_KEYS
    if any(presence(condition.key, token.issuer.lower()) in ("sub", "aud") for condition in statement.conditions):
        return "trust-key-wrong-cluster", _OTHER_KEYS
    arn = parse_arn(value)
    if arn and token.account and arn.account != token.account:
        return "oidc-provider-other-account", _OTHER_ISSUER
    gone = arn and Issuer.of(arn.name).form == "eks" and arn.name not in view.inventory.clusters_by_issuer
    return ("oidc-provider-stale-cluster", _OTHER_ISSUER) if gone else ("trust-sub-mismatch", _OTHER_ISSUER + 1)


def _same_issuer(value: str, token: Presented) -> bool:
    """Whether a principal was meant for the token's issuer: the last part is that of the issuer, but for a slip."""
    named, ours = (text.rstrip("/").rpartition("/")[2].lower() for text in (value, token.issuer))
    return bool(named) and (named == ours or (len(ours) > 8 and is_one_letter_off(named, ours)))


def _wrong_provider(value: str, form: str, token: Presented, view: View) -> str:
    if form == "dualstack":
        return "oidc-url-dualstack"
    arn = parse_arn(value)
    of_issuer = arn is not None and arn.name == token.issuer
    if of_issuer and form == "other-account" and token.provider not in view.inventory.provider_by_arn:
        return "oidc-provider-other-account"
    return "trust-principal-wrong-arn"


def _not_federated(statement: Statement, token: Presented) -> Miss:
    """A statement for others than web identities; it may have been written for one all the same."""
    others = [text_of(value) for value in (*statement.aws, *statement.service)]
    says = f"the principal is {', '.join(others[:3]) or 'none'}, and no OIDC provider"
    steps = (*statement.steps, "Principal")
    named = any(condition.key.startswith(token.issuer.lower() + ":") for condition in statement.conditions)
    if others and (named or _asks_for_web_identity(statement)):
        return Miss("trust-principal-type-aws", says, statement.index, steps, _SLIP)
    for number, (service, mode) in enumerate(_OF_SERVICES.items()):
        if service in statement.service:
            return Miss(mode, says, statement.index, steps, _NO_WEB_IDENTITY + number)
    mode = "trust-principal-type-aws" if others else "trust-sub-mismatch"
    return Miss(mode, says, statement.index, steps, _NO_WEB_IDENTITY + len(_OF_SERVICES) + (not others))


_OF_SERVICES = {"pods.eks.amazonaws.com": "trust-pod-identity-only", "ec2.amazonaws.com": "trust-service-ec2-only"}


def _asks_for_web_identity(statement: Statement) -> bool:
    return any(text_of(action).lower() == WEB_IDENTITY.lower() for action in statement.actions)


# ---- the action


def _action(statement: Statement) -> Miss:
    listed = [text_of(action) for action in statement.actions]
    mistyped = any(action.lower().startswith("sts:assumerolewithweb") for action in listed)
    says = f"the action is {', '.join(listed[:3]) or 'none'}, not {WEB_IDENTITY}"
    mode = "trust-action-typo" if mistyped else "trust-action-assumerole"
    return Miss(mode, says, statement.index, (*statement.steps, "Action"), _SLIP)


# ---- the conditions


def _conditions(policy: Policy, statement: Statement, token: Presented, alias: str) -> Iterator[Miss]:
    """The conditions that do not hold. Where the principal is wrong, keys of the issuer that it names are taken for right: they
    are the same mistake."""
    conditions = [_renamed(condition, alias, token.issuer.lower()) for condition in statement.conditions]
    context = _context(conditions, token)
    failed = [c for c in conditions if holds(c, context, variables=policy.variables) is False]
    for condition in failed:
        yield from _of_condition(policy, statement, conditions, condition, token)


def _renamed(condition: Condition, alias: str, issuer: str) -> Condition:
    if not alias or not condition.key.startswith(alias + ":"):
        return condition
    return msgspec.structs.replace(condition, key=issuer + condition.key[len(alias) :])


def _context(conditions: Sequence[Condition], token: Presented) -> dict[str, tuple[str, ...]]:
    issuer = token.issuer.lower()
    absent: dict[str, tuple[str, ...]] = {c.key: () for c in conditions if c.key and presence(c.key, issuer) == "never"}
    return {**absent, **token.known, f"{issuer}:sub": (token.subject,), f"{issuer}:aud": (token.audience,)}


def _of_condition(
    policy: Policy, statement: Statement, conditions: Sequence[Condition], condition: Condition, token: Presented
) -> Iterator[Miss]:
    where = presence(condition.key, token.issuer.lower())
    key, values = text_of(condition.raw_key), tuple(text_of(value) for value in condition.values)
    shown = ", ".join(f'"{value}"' for value in values[:6])
    if where == "sub":
        says = f"{condition.steps[-2]} asks sub for {shown}, the token has {token.subject}"
        modes: Iterator[tuple[str, float]] = _of_subject(policy, statement, conditions, condition, token)
    elif where == "aud":
        says = f"{condition.steps[-2]} asks aud for {shown}, the token has {token.audience}"
        modes = iter([(_of_audience(condition), _SLIP)])
    elif where == "never":
        says = f"{key} is in no request of this token"
        modes = iter([(_of_key(statement, condition, token), _SLIP)])
    else:
        says = f"{condition.steps[-2]} {key} does not hold"
        modes = iter([(MODES_OF_KEYS.get(condition.key, "trust-unavailable-key"), _SLIP)])
    for mode, cost in modes:
        yield Miss(mode, says, statement.index, tuple(condition.steps), cost, values)


def _of_key(statement: Statement, condition: Condition, token: Presented) -> str:
    issuer = token.issuer.lower()
    form = key_form(condition.key, issuer)
    merged = form == "other-issuer" and any(presence(c.key, issuer) == "sub" for c in statement.conditions)
    return "trust-merged-clusters-and" if merged else _KEY_MODES[form]


def _of_audience(condition: Condition) -> str:
    values = [value for value in condition.values if isinstance(value, str)]
    if any(value.startswith(SUBJECT_PREFIX) for value in values):
        return "trust-key-aud-sub-swapped"
    if STS + ".cn" in values:
        return "aud-china-suffix"
    endpoint = any(_ENDPOINT.fullmatch(value) for value in values)
    return "aud-regional-endpoint-confusion" if endpoint else "trust-aud-mismatch"


def _of_subject(
    policy: Policy, statement: Statement, conditions: Sequence[Condition], condition: Condition, token: Presented
) -> Iterator[tuple[str, float]]:
    """The failure modes of a condition on sub that does not hold: a slip that would let the token in once it is mended, else
    another subject."""
    values = [value for value in condition.values if isinstance(value, str)]
    operator = condition.use.operator
    if operator.family != "string" or operator.negated:
        yield "trust-sub-mismatch", _OTHER_SUBJECT
    elif STS in values:
        yield "trust-key-aud-sub-swapped", _SLIP
    elif not operator.has_wildcards and any(_is_pattern(value) and _fits(value, token.subject) for value in values):
        yield "trust-stringequals-wildcard", _SLIP
    elif not policy.variables and any("${" in value for value in values):
        yield "trust-variable-old-version", _SLIP
    elif any(_fits(_with_prefix(value), token.subject) for value in values if not value.startswith(SUBJECT_PREFIX)):
        yield "trust-sub-prefix-missing", _SLIP
    elif any(_fits(value.lower(), token.subject) for value in values):
        yield "trust-case", _SLIP
    elif _excludes_itself(policy, statement, conditions, token):
        yield "trust-and-of-equals-like", _SLIP
    else:
        yield _other_subject(values, token.subject), _OTHER_SUBJECT
        if not operator.has_wildcards and any(map(_is_pattern, values)):
            yield "trust-stringequals-wildcard", _SLIP


def _excludes_itself(policy: Policy, statement: Statement, conditions: Sequence[Condition], token: Presented) -> bool:
    """Whether conditions on sub exclude each other, so that nobody gets in, though this token meets one of them."""
    context = _context(conditions, token)
    on_sub = [c for c in conditions if presence(c.key, token.issuer.lower()) == "sub"]
    if len(on_sub) < 2 or not any(holds(c, context, variables=policy.variables) for c in on_sub):
        return False
    only = msgspec.structs.replace(statement, conditions=tuple(on_sub), two_spellings=False)
    return grant_of(policy, only, token.issuer, profile=EKS).subjects == NOTHING


def _is_pattern(value: str) -> bool:
    return "*" in value or "?" in value


def _fits(pattern: str, subject: str) -> bool:
    """Whether a subject fits a value read as StringLike reads it."""
    pieces = pieces_of(pattern, wildcards=True, variables=False)
    return is_plain(pieces) and glob_of(pieces).matches(subject)


def _with_prefix(value: str) -> str:
    """A subject that was written without its prefix, or with a mistyped one."""
    rest = re.sub(r"(?i)^(system:)?(serviceaccounts?|sa):", "", value)
    return SUBJECT_PREFIX + rest.replace("/", ":", 1)


def _other_subject(values: Sequence[str], subject: str) -> str:
    """Which way a condition misses the subject that it names nothing of: by its namespace, by a release name, altogether."""
    namespace, _, name = subject.removeprefix(SUBJECT_PREFIX).partition(":")
    found = set()
    for value in values:
        there, _, called = value.removeprefix(SUBJECT_PREFIX).partition(":")
        if called == name and there != namespace:
            found.add("sa-namespace-mismatch")
        elif there == namespace and called and (name.endswith("-" + called) or called.endswith("-" + name)):
            found.add("sa-helm-generated-name")
    return next((mode for mode in ("sa-helm-generated-name", "sa-namespace-mismatch") if mode in found), "trust-sub-mismatch")


# ---- Deny


def _of_denies(policy: Policy, token: Presented) -> Iterator[Miss]:
    """The Deny statements that surely match the token."""
    issuer = token.issuer.lower()
    for statement in policy.statements:
        if statement.allow or token.provider not in statement.federated or covering(statement, WEB_IDENTITY) is not True:
            continue
        context = _context(statement.conditions, token)
        if all(holds(c, context, variables=policy.variables) is True for c in statement.conditions):
            absent = any(c.key and presence(c.key, issuer) == "never" for c in statement.conditions)
            mode = "trust-deny-notlike-missing-key" if absent else "trust-deny-statement"
            says = f"a Deny covers {token.subject}"
            yield Miss(mode, says, statement.index, tuple(statement.steps), _SLIP)


def values_of(found: Sequence[Miss]) -> tuple[Value, ...]:
    """What the failing conditions ask for, in order, each once."""
    return tuple(dict.fromkeys(value for miss in found for value in miss.wanted))
