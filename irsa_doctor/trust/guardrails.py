"""What a resource control policy says of AssumeRoleWithWebIdentity: whom its Deny statements stop.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from irsa_doctor.issuers import EKS
from irsa_doctor.model import Place, TrustPolicy, parse_arn
from irsa_doctor.trust.conditions import limit_of
from irsa_doctor.trust.holding import RequestContext, holds
from irsa_doctor.trust.languages import EVERYTHING
from irsa_doctor.trust.patterns import Glob, Wild, pieces_of
from irsa_doctor.trust.policy import Condition, Policy, Statement, read_policy

# The call is unsigned: no principal, and no service that calls on its own behalf. What is said of the role by its tags is taken
# for absent: a tag that exempts a role is the exception, and is named in the answer.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_ABSENT = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:principalservicename"})
_FALSE_OR_ABSENT = frozenset({"aws:principalisawsservice", "aws:viaawsservice"})
_ROLE_TAG = "aws:resourcetag/"
_PROVIDER = "aws:federatedprovider"
_ALWAYS_SO: RequestContext = {"aws:securetransport": ("true",)}
"""STS answers over TLS only"""


class Denial(msgspec.Struct, frozen=True):
    """What one Deny statement says of the web identities of a provider.

    `stops`: all of them; some (by sub or aud); none; or it depends on `depends`. `exempt` are tags by which a role escapes.
    """

    stops: Literal["all", "some", "none", "depends"]
    place: Place
    depends: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()


class Guardrail(msgspec.Struct, frozen=True):
    """A Deny statement that covers AssumeRoleWithWebIdentity on roles. `by_provider`: it checks the provider of the token."""

    policy: Policy
    statement: Statement
    place: Place
    by_provider: bool
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]

    @property
    def every_role(self) -> bool:
        """Whether it concerns all roles."""
        return not self.not_resources and any(_is_everything(pattern) for pattern in self.resources)

    def covers_role(self, arn: str) -> bool:
        """Whether it concerns a role (ARN)."""
        if self.not_resources:
            return not any(_glob(pattern).matches(arn) for pattern in self.not_resources)
        return any(_glob(pattern).matches(arn) for pattern in self.resources)


def guardrails(document: TrustPolicy) -> tuple[Guardrail, ...]:
    """The Deny statements of a resource control policy that speak of AssumeRoleWithWebIdentity."""
    policy = read_policy(document)
    if any(problem.code in ("syntax", "duplicate-member") for problem in policy.problems):
        return ()
    rails = []
    for statement in policy.statements:
        raw = _raw(document.document, statement.steps)
        if statement.allow or not statement.covers_web_identity or not _names_everybody(raw.get("Principal")):
            continue
        by_provider = any(not c.key.startswith(("aws:", "sts:")) or c.key == _PROVIDER for c in statement.conditions)
        resources, others = _texts(raw.get("Resource")), _texts(raw.get("NotResource"))
        place = document.place.at(*statement.steps)
        rails.append(Guardrail(policy, statement, place, by_provider, resources, others))
    return tuple(rails)


def denial(guardrail: Guardrail, provider: str) -> Denial:
    """What a statement does to tokens of an OIDC provider (ARN, "" where it does not matter which), its resources set aside."""
    arn = parse_arn(provider)
    issuer = arn.name if arn else ""
    exempt = tuple(sorted({str(c.raw_key) for c in guardrail.statement.conditions if c.key.startswith(_ROLE_TAG)}))
    effects = [_effect(c, issuer, provider, guardrail.policy.variables) for c in guardrail.statement.conditions]
    if "none" in effects:
        return Denial("none", guardrail.place)
    depends = tuple(
        sorted(str(c.raw_key) for c, effect in zip(guardrail.statement.conditions, effects, strict=True) if effect == "depends")
    )
    if depends:
        return Denial("depends", guardrail.place, depends, exempt)
    return Denial("some" if "some" in effects else "all", guardrail.place, (), exempt)


def _effect(condition: Condition, issuer: str, provider: str, variables: bool) -> Literal["all", "some", "none", "depends"]:
    key = condition.key
    worlds: list[RequestContext] = []
    if key in _ALWAYS_SO:
        worlds = [_ALWAYS_SO]
    elif key == "aws:resourceaccount" and (arn := parse_arn(provider)):
        # the provider of a token is always one of the role's own account
        worlds = [{key: (arn.account,)}]
    elif key in _ABSENT or key.startswith(_ROLE_TAG):
        worlds = [{key: ()}]
    elif key in _FALSE_OR_ABSENT:
        worlds = [{key: ()}, {key: ("false",)}]
    elif key == _PROVIDER:
        # in which form this key names an OIDC provider is not documented: only what holds of all of them counts
        worlds = [{key: (form,)} for form in (provider, issuer, "https://" + issuer)] if provider else []
    if worlds:
        answers = {holds(condition, world, variables=variables) for world in worlds}
        return "depends" if answers not in ({True}, {False}) else "all" if True in answers else "none"
    limit = limit_of(condition, issuer.lower(), variables=variables, profile=EKS)
    if limit.effect in ("sub", "aud"):
        return "all" if limit.exact and limit.language == EVERYTHING else "some"
    return {"never": "none", "always": "all"}.get(limit.effect, "depends")  # type: ignore[return-value]


def united(parts: Iterable[Denial]) -> Denial | None:
    """The worst of several, None where nothing is stopped: all, then what depends, then some."""
    order = {"all": 0, "depends": 1, "some": 2}
    return min((part for part in parts if part.stops in order), key=lambda part: order[part.stops], default=None)


def _raw(document: object, steps: tuple[str | int, ...]) -> Mapping[str, object]:
    value = document
    for step in steps:
        value = value[step]  # type: ignore[index]
    return value if isinstance(value, dict) else {}


def _names_everybody(principal: object) -> bool:
    """A resource control policy knows no other principal."""
    return principal == "*" or (isinstance(principal, dict) and "*" in _texts(principal.get("AWS")))


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


def _glob(pattern: str) -> Glob:
    pieces = pieces_of(pattern, wildcards=True, variables=False)
    return Glob(tuple(piece for piece in pieces if isinstance(piece, str | Wild)))


def _is_everything(pattern: str) -> bool:
    return _glob(pattern).pieces == (Wild.MANY,)
