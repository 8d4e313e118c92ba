"""Why a policy does not admit one token: the defects of the Allow statement that comes nearest, and the Deny that matches.

Only a policy that surely does not admit the token is examined. Of several statements the one counts that needs the smallest
change: it is the one that was meant for the token. What is wrong with the conditions comes from `trust.defects`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.facts.grants.principals import PrincipalForm, is_kin
from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.issuers import EKS, OTHER, Profile, cluster_profile, declared_profile, profile_by_subjects, profile_of
from irsa_doctor.model import Issuer, Text, parse_arn, text_of
from irsa_doctor.trust import SUBJECT_PREFIX, Policy, Statement, grant_of
from irsa_doctor.trust.association import seen_as_meant
from irsa_doctor.trust.claim_forms import by_claims
from irsa_doctor.trust.defect_kinds import AUDIENCE_KINDS, SUBJECT_KINDS, Defect, DefectKind
from irsa_doctor.trust.defects import Expected, defects_of
from irsa_doctor.trust.denials import absent_conditions
from irsa_doctor.trust.holding import holds
from irsa_doctor.trust.keys import presence, request_kind
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, covering
from irsa_doctor.trust.presented import PresentedToken
from irsa_doctor.trust.segments import SegmentValue, laid_beside, tokens_of
from irsa_doctor.trust.services import limits_tokens_alone
from irsa_doctor.trust.subjects import matches_subject, pattern_of
from irsa_doctor.trust.unreplaced import unreplaced_in

SLIP, OTHER_KEYS, OTHER_SUBJECT, OTHER_ISSUER, NO_WEB_IDENTITY = 1, 2, 10, 20, 30
"""how far a statement is from admitting a token: a slip in what was meant for it, other keys, another subject, another issuer,
no web identity"""
_SERVICES: Mapping[str, DefectKind] = {
    "pods.eks.amazonaws.com": "principal-pod-identity",
    "ec2.amazonaws.com": "principal-ec2",
    "capabilities.eks.amazonaws.com": "principal-capability",
}


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A defect that keeps a token out: in which statement (by index), what is compared with what, how far it is from right."""

    defect: Defect
    statement: int
    says: str
    cost: float

    @property
    def kind(self) -> DefectKind:
        """The kind of the defect."""
        return self.defect.kind


def exclusions(policy: Policy, token: PresentedToken, lookups: Lookups) -> tuple[Exclusion, ...]:
    """Why a policy does not admit a token: the failing checks of the nearest Allow statement, and the Deny that matches."""
    by_statement = [_of_statement(policy, s, token, lookups) for s in policy.statements if s.allow]
    matching = tuple(denials(policy, token))
    if () in by_statement:
        return matching
    nearest = min(by_statement, key=lambda checks: sum(check.cost for check in checks), default=())
    return (*nearest, *matching)


def _of_statement(policy: Policy, statement: Statement, token: PresentedToken, lookups: Lookups) -> tuple[Exclusion, ...]:
    """The failing checks of one Allow statement, in the order of its elements."""
    principal = _principal(statement, token, lookups)
    if principal and (principal.cost >= NO_WEB_IDENTITY or _is_of_no_cluster(principal.defect, lookups)):
        return (principal,)
    if principal and statement.federated:
        statement = seen_as_meant(statement, principal.defect.value, token.issuer).statement
    scene = _Scene(policy, statement, token, lookups)
    return (*((principal,) if principal else ()), *scene.of_action(), *scene.of_conditions())


def _is_of_no_cluster(defect: Defect, lookups: Lookups) -> bool:
    """Whether a statement is for tokens of another kind, as those of pipelines: what it asks of them is no mistake."""
    arn = parse_arn(defect.value) if defect.kind == "principal-other" else None
    if arn is None or arn.kind != "oidc-provider" or arn.name in lookups.inventory.clusters_by_issuer:
        return False
    profile = profile_of(arn.name)
    return profile is not None and not profile.is_cluster


# ---- the principal


def _principal(statement: Statement, token: PresentedToken, lookups: Lookups) -> Exclusion | None:
    """What is wrong with the nearest principal, None where one is, or may be, the token's provider."""
    if token.provider in statement.federated or any(isinstance(value, Text) for value in statement.federated):
        return None
    nearest = [_federated(statement, value, token, lookups) for value in statement.federated if isinstance(value, str)]
    return min(nearest, key=lambda check: check.cost) if nearest else _not_federated(statement, token)


def _federated(statement: Statement, value: str, token: PresentedToken, lookups: Lookups) -> Exclusion:
    kind, cost = _nearness(statement, value, token, lookups)
    return _of_principal(statement, kind, value, token, cost)


def _of_principal(statement: Statement, kind: DefectKind, value: str, token: PresentedToken, cost: float) -> Exclusion:
    places = ((*statement.steps, "Principal"),)
    says = f'the principal is "{value}", the token is of {token.provider}'
    defect = Defect(kind=kind, value=value, meant=token.provider, places=places)
    return Exclusion(defect=defect, statement=statement.index, says=says, cost=cost)


def _nearness(statement: Statement, value: str, token: PresentedToken, lookups: Lookups) -> tuple[DefectKind, float]:
    """What is wrong with a Federated principal, and how far it is from the right one."""
    form = lookups.principals.form(value, token.account)
    same = is_kin(value, token.issuer)
    if form == "not-an-arn":
        return "principal-url", SLIP if same or "eks" not in value else OTHER_ISSUER
    if form in ("saml", "domain"):
        return "principal-other", NO_WEB_IDENTITY
    if same:
        return _wrong_provider(value, form, token), SLIP
    if form in ("malformed", "near-miss", "wildcard"):
        meant = lookups.meant_provider(value, token.account) == token.provider
        return "principal-arn", SLIP if meant else OTHER_KEYS
    if any(presence(condition.key, token.issuer.lower()) in ("sub", "aud") for condition in statement.conditions):
        return "key-issuer", OTHER_KEYS
    arn = parse_arn(value)
    if arn and token.account and arn.account != token.account:
        return "principal-account", OTHER_ISSUER
    gone = arn and profile_of(arn.name) is EKS and arn.name not in lookups.inventory.clusters_by_issuer
    return ("principal-stale", OTHER_ISSUER) if gone else ("principal-other", OTHER_ISSUER + 1)


def _wrong_provider(value: str, form: PrincipalForm, token: PresentedToken) -> DefectKind:
    arn = parse_arn(value)
    if form == "dualstack" or (arn and Issuer.of(arn.name).form == "eks-dualstack"):
        return "principal-alias"
    return "principal-account" if arn and arn.name == token.issuer and form == "other-account" else "principal-arn"


def _not_federated(statement: Statement, token: PresentedToken) -> Exclusion:
    """A statement for others than web identities; it may have been written for one all the same."""
    others = [text_of(value) for value in (*statement.aws, *statement.service)]
    value = ", ".join(others[:3])
    on_claims = [c for c in statement.conditions if c.key.startswith(token.issuer.lower() + ":")]
    named = any(not limits_tokens_alone(condition) for condition in on_claims)
    web_identity = any(text_of(action).lower() == WEB_IDENTITY.lower() for action in statement.actions)
    if others and (named or web_identity):
        return _of_principal(statement, "principal-type", value, token, SLIP)
    for number, (service, kind) in enumerate(_SERVICES.items()):
        if service in statement.service:
            return _of_principal(statement, kind, value, token, NO_WEB_IDENTITY + number)
    kind = "principal-type" if others else "principal-other"
    return _of_principal(statement, kind, value, token, NO_WEB_IDENTITY + len(_SERVICES) + (not others))


# ---- action and conditions


class _Scene(msgspec.Struct, frozen=True, dict=True):
    """One Allow statement, read for a token; where its principal is wrong, with the keys of that principal's issuer."""

    policy: Policy
    statement: Statement
    token: PresentedToken
    lookups: Lookups

    def defects(self) -> tuple[Defect, ...]:
        token, profile = self.token, self.profile
        grant = grant_of(self.policy, self.statement, token.issuer, profile=profile, provider=token.provider)
        expected = Expected(issuer=token.issuer, profile=profile, audiences=frozenset({token.audience}))
        return defects_of(self.policy, grant, expected)

    @property
    def profile(self) -> Profile:
        return profile_of_token(self.token.issuer, self.token.subject, self.lookups)

    def exclusion(self, defect: Defect, says: str, cost: float) -> Exclusion:
        return Exclusion(defect=defect, statement=self.statement.index, says=says, cost=cost)

    def of_action(self) -> Iterator[Exclusion]:
        if covering(self.statement, WEB_IDENTITY) is not False:
            return
        listed = [text_of(action) for action in (self.statement.not_actions or self.statement.actions)]
        defect = next((d for d in self.defects() if d.kind in ("action-unknown", "action-other")), None)
        # beside a statement for web identity it is no mistake, yet it does not admit the token
        place = (*self.statement.steps, "Action" if self.statement.not_actions is None else "NotAction")
        defect = defect or Defect(kind="action-other", value=", ".join(listed), meant=WEB_IDENTITY, places=(place,))
        yield self.exclusion(defect, f"the action is {', '.join(listed[:3]) or 'none'}, not {WEB_IDENTITY}", SLIP)

    def of_conditions(self) -> Iterator[Exclusion]:
        """The conditions that do not hold for the token."""
        context = self.token.context_of(self.statement.conditions)
        failed = [
            (number, condition)
            for number, condition in enumerate(self.statement.conditions)
            if holds(condition, context, variables=self.policy.variables) is False
        ]
        defects = self.defects() if failed else ()
        for _, condition in failed:
            of_this = [d for d in defects if d.condition is condition or condition.steps in d.places]
            yield from self.of_condition(condition, of_this, context)

    def of_condition(
        self, condition: Condition, defects: Sequence[Defect], context: Mapping[str, tuple[str, ...]]
    ) -> Iterator[Exclusion]:
        token, operator = self.token, condition.steps[-2]
        claim = presence(condition.key, token.issuer.lower(), self.profile)
        if condition.use.operator.family == "null" and claim in ("sub", "aud"):
            says = f"Null requires that the token has no {claim}, and every token has one"
            yield self.exclusion(self.relative("subject-other", condition), says, SLIP)
            return
        shown = ", ".join(f'"{text_of(value)}"' for value in condition.values[:6])
        if claim == "sub":
            says = f"{operator} requires the subject {shown}, the token has {token.subject}"
            yield from (self.exclusion(d, says, cost) for d, cost in self.of_subject(condition, defects, context))
        elif claim == "aud":
            says = f"{operator} requires the audience {shown}, the token has {token.audience}"
            ordered = sorted((d for d in defects if d.kind in AUDIENCE_KINDS), key=lambda d: AUDIENCE_KINDS.index(d.kind))
            yield self.exclusion(ordered[0] if ordered else self.relative("audience-other", condition), says, SLIP)
        elif claim == "never":
            says = f"{text_of(condition.raw_key)} is not in the requests of this token"
            defects = [d for d in defects if d.kind.startswith("key-")]
            yield self.exclusion(defects[0] if defects else self.relative("key-absent", condition), says, SLIP)
        else:
            says = f"{operator} {text_of(condition.raw_key)} does not hold"
            known = next((d for d in defects if d.kind in ("context-value", "role-pinning")), None)
            yield self.exclusion(known or self.relative(_other_value(condition.key, claim), condition), says, SLIP)

    def relative(self, kind: DefectKind, condition: Condition) -> Defect:
        """What is right by itself and does not fit the token."""
        value = ", ".join(map(text_of, condition.values))
        return Defect(kind=kind, condition=condition, value=value, places=(condition.steps,))

    def of_subject(
        self, condition: Condition, defects: Sequence[Defect], context: Mapping[str, tuple[str, ...]]
    ) -> Iterator[tuple[Defect, float]]:
        """What a condition on sub has to do with the token: a mistake in what was meant for it, else another subject."""
        if condition.use.operator.family != "string" or condition.use.operator.negated:
            yield self.relative("subject-other", condition), OTHER_SUBJECT
            return
        defects = [d for d in defects if d.kind in SUBJECT_KINDS]
        meant = next((d for d in defects if self.is_meant(d)), None)
        if meant:
            yield meant, SLIP
            return
        conflict = next((d for d in defects if d.kind == "subject-conflict"), None)
        if conflict and self.meets_another(condition, context):
            yield conflict, SLIP
            return
        defects = [d for d in defects if d.kind != "subject-conflict"]
        # what nobody can read as a subject may have been meant for the token; what was meant for another was not
        others = [v for v in map(text_of, condition.values) if v not in {d.value for d in defects}]
        others += [d.meant for d in defects if d.meant]
        if others or not defects:
            kind = self.other_subject(others, [text_of(value) for value in condition.values if isinstance(value, Text)])
            yield self.relative(kind, condition), OTHER_SUBJECT
            yield from ((d, SLIP) for d in defects[:1])
        else:
            yield from ((d, OTHER_SUBJECT) for d in defects[:1])

    def other_subject(self, values: Sequence[str], holes: Collection[str]) -> DefectKind:
        """How the subjects that a condition requires differ from that of the token; a template fills in those with `holes`."""
        if self.profile.is_cluster:
            return other_subject(values, self.token.subject, generated=self.token.generated)
        kinds = {difference_of(value, self.token.subject, self.profile) for value in values}
        if any(is_unreplaced(value, self.profile) for value in values if value not in holes):
            kinds.add("subject-unreplaced")
        order: tuple[DefectKind, ...] = ("subject-case", "subject-ids", "subject-context", "subject-unreplaced", "subject-form")
        return next((kind for kind in order if kind in kinds), "subject-other")

    def is_meant(self, defect: Defect) -> bool:
        """Whether a value, once it is mended, is the token's subject, or may be."""
        if defect.kind in ("claims-swapped", "subject-version", "subject-variable", "subject-unreplaced"):
            return True
        return bool(defect.meant) and matches_subject(defect.meant, self.token.subject)

    def meets_another(self, condition: Condition, context: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether the token meets another condition on sub than this one."""
        low = self.token.issuer.lower()
        others = [c for c in self.statement.conditions if c is not condition and presence(c.key, low) == "sub"]
        return any(holds(c, context, variables=self.policy.variables) for c in others)


def _other_value(key: str, claim: str) -> DefectKind:
    """The kind of a key that is in a request with another value than a condition requires."""
    kind = request_kind(key)
    return "context-value" if kind == "request-other" and claim == "always" else kind


def other_subject(values: Sequence[str], subject: str, *, generated: bool = True) -> DefectKind:
    """How subjects that a policy requires differ from one: by a generated name, by the namespace, altogether.

    Without `generated` no chart has made the name.
    """
    namespace, _, name = subject.removeprefix(SUBJECT_PREFIX).partition(":")
    kinds: set[DefectKind] = set()
    for value in values:
        value_namespace, _, value_name = value.removeprefix(SUBJECT_PREFIX).partition(":")
        if value_name == name and value_namespace != namespace:
            kinds.add("subject-namespace")
        elif generated and value_namespace == namespace and value_name and _is_release(name, value_name):
            kinds.add("subject-release")
    order: tuple[DefectKind, ...] = ("subject-release", "subject-namespace")
    return next((kind for kind in order if kind in kinds), "subject-other")


def profile_of_token(issuer: str, subject: str, lookups: Lookups) -> Profile:
    """The profile of the issuer of a token with a subject."""
    if issuer in lookups.issuers:
        return declared_profile(lookups.issuers[issuer], issuer)
    if subject.startswith(SUBJECT_PREFIX) or issuer in lookups.inventory.clusters_by_issuer:
        return cluster_profile(issuer)
    return profile_of(issuer) or profile_by_subjects((subject,)) or OTHER


def difference_of(value: str, subject: str, profile: Profile) -> DefectKind:
    """How a subject that a policy requires differs from that of a token of an issuer that is no cluster."""
    if matches_subject(value.lower(), subject.lower()):
        return "subject-case"
    required, shown = _segments(value, profile), _segments(subject, profile)
    if shown and not required:
        return "subject-form"
    names = {name for name, segment in required.items() if not segment.is_id} & {n for n, s in shown.items() if not s.is_id}
    units = [name for name in names if shown[name].level in ("tenant", "group", "repository")]
    if not units or any(required[name].value not in (None, shown[name].value) for name in units):
        return "subject-other"
    if any(segment.is_id for segment in required.values()) is not any(segment.is_id for segment in shown.values()):
        return "subject-ids"
    return "subject-context"


def is_unreplaced(value: str, profile: Profile) -> bool:
    """Whether a subject that a live policy requires has placeholders, in their notation or as words in the place of names."""
    return bool(unreplaced_in((value,), [tuple(_segments(value, profile).values())]))


def _segments(value: str, profile: Profile) -> Mapping[str, SegmentValue]:
    """The segments of a subject, or of a pattern of subjects, by name."""
    tokens = tokens_of(pattern_of(value), ())
    read = (laid_beside(tokens, template) for template in profile.subject)
    return {segment.name: segment for segment in next(filter(None, read), None) or by_claims(tokens, profile) or ()}


def _is_release(name: str, other: str) -> bool:
    """Whether one of two names is the other with the name of a Helm release before it."""
    return name.endswith("-" + other) or other.endswith("-" + name)


# ---- Deny


def denials(policy: Policy, token: PresentedToken) -> Iterator[Exclusion]:
    """The Deny statements that surely match a token."""
    issuer = token.issuer.lower()
    for statement in policy.statements if policy.has_deny else ():
        if statement.allow or not statement.effect_seen or statement.unseen:
            continue
        if token.provider not in statement.federated or covering(statement, WEB_IDENTITY) is not True:
            continue
        context = token.context_of(statement.conditions)
        if all(holds(c, context, variables=policy.variables) is True for c in statement.conditions):
            kind: DefectKind = "deny-absent-key" if absent_conditions(statement, issuer) else "deny"
            defect = Defect(kind=kind, places=(statement.steps,))
            asked = " and ".join(_on_request(statement, issuer))
            says = f"a Deny statement matches {token.subject}{f', for {asked}' if asked else ''}"
            yield Exclusion(defect=defect, statement=statement.index, says=says, cost=SLIP)


def _on_request(statement: Statement, issuer: str) -> Iterator[str]:
    """The conditions of a Deny on something of the request that is no claim of the token, in words."""
    for condition in statement.conditions:
        if presence(condition.key, issuer) in ("always", "maybe"):
            values = ", ".join(f'"{text_of(value)}"' for value in condition.values[:6])
            yield f"{condition.use} {text_of(condition.raw_key)} {values}"
