"""What Deny statements leave of a grant, also where they are not seen whole."""

from typing import Literal, TypeVar

import msgspec

from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.model import Unknown
from irsa_doctor.trust import Grant
from irsa_doctor.trust.admitted import Part
from irsa_doctor.trust.languages import NOTHING, Finite, Language, difference, union
from irsa_doctor.trust.policy import Condition, Policy
from irsa_doctor.trust.subjects import reach_of

Facts = TypeVar("Facts", bound=msgspec.Struct)


Loss = Literal["none", "some", "all"]


def loss_by_denials(read: GrantReading) -> Loss:
    """How much Deny statements may take back by what is not seen of them: nothing that changes how many subjects are left, so
    much that another number of them is left, or so much that it is no longer open."""
    if read.share is None:
        return "none"
    hidden = [part.grant for part in read.share.denies if _is_hidden(part)]
    is_named = read.reach.scope in ("nobody", "one", "several")
    taken = union(grant.subjects if is_named else _most(grant, read.issuer) for grant in hidden)
    if taken == NOTHING or not read.profile.is_cluster:
        return "none" if taken == NOTHING else "all"
    left = reach_of(difference(read.subjects, taken), read.profile.grammar).scope
    if left == read.reach.scope:
        return "none"
    return "some" if left in ("anyone", "cluster", "namespaces") else "all"


_OF_DENIALS = frozenset({"not-principal", "star-principal", "bad-principal", "bad-principal-type", "empty-principal"})


def has_refused_denial(policy: Policy) -> bool:
    """Whether IAM refuses the principal of a Deny statement: nobody gets in by a document that is not saved, and what was meant
    to be kept out is not known."""
    refused = [problem.steps for problem in policy.problems if problem.refused and problem.code in _OF_DENIALS]
    denies = [statement.steps for statement in policy.statements if statement.effect_seen and not statement.allow]
    return any(steps[: len(of_denial)] == of_denial for steps in refused for of_denial in denies)


def _is_hidden(part: Part) -> bool:
    """Whether more than further keys of a request decides what a Deny statement takes."""
    limits = part.grant.limits
    return not part.sure or part.grant.statement.unseen != () or any(limit.unseen or limit.contested for limit in limits)


def _most(grant: Grant, issuer: str) -> Language:
    """The subjects that a statement can match at most, without those that it names: a finite number changes no scope."""
    key = f"{issuer.lower()}:sub"
    return NOTHING if any(_is_of_names(c) for c in grant.statement.conditions if c.key == key) else grant.subjects


def _is_of_names(condition: Condition) -> bool:
    """Whether a condition holds for a finite number of values, whatever is in the place of its holes."""
    operator = condition.use.operator
    return operator.family == "string" and not operator.negated and not operator.has_wildcards


def without_reach(facts: Facts, unseen: Unknown) -> Facts:
    """The facts of a grant, unknown whatever says how far it is open."""
    opening = (name for name in ("for_all_values", "if_exists", "outsider") if getattr(facts, name) is True)
    names = ("reach_by", "ring", "width", "reach", "reach_inside", *opening)
    return msgspec.structs.replace(facts, **dict.fromkeys(names, unseen))


def names_each(read: GrantReading, scope: str | None) -> bool:
    """Whether a scope is that of subjects which the policy names one by one."""
    return scope in ("nobody", "one") or (scope == "several" and isinstance(read.subjects, Finite))


def is_held_by_deny(read: GrantReading) -> bool:
    """Whether a statement is wider than named subjects, and only a Deny statement of its policy leaves no more of it."""
    if read.share is None or read.share.too_complex:
        return False
    return names_each(read, read.reach.scope) and read.reach_before_deny.scope not in ("nobody", "one", "several")
