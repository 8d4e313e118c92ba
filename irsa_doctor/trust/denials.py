"""What Deny statements may take of what a policy admits, also where they are not seen whole."""

from typing import Literal

from irsa_doctor.issuers import EKS, Profile
from irsa_doctor.trust.admitted import Admitted, Grant, Part
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import NOTHING, Language, difference, may_share, union
from irsa_doctor.trust.policy import Condition, Policy, Statement
from irsa_doctor.trust.subjects import reach_of

Loss = Literal["none", "some", "all"]


def loss_by_denials(share: Admitted, issuer: str) -> Loss:
    """How much Deny statements may take back by what is not seen of them: nothing that changes how many subjects are left, so
    much that another number of them is left, or so much that it is no longer open."""
    grammar = share.profile.grammar
    scope = None if share.too_complex else reach_of(share.subjects, grammar).scope
    hidden = [part.grant for part in share.denies if _is_hidden(part)]
    is_named = scope in ("nobody", "one", "several")
    taken = union(grant.subjects if is_named else _most(grant, issuer) for grant in hidden)
    if taken == NOTHING or not share.profile.is_cluster:
        return "none" if taken == NOTHING else "all"
    left = reach_of(difference(share.subjects, taken), grammar).scope
    if left == scope:
        return "none"
    return "some" if left in ("anyone", "cluster", "namespaces") else "all"


_OF_DENIALS = frozenset({"not-principal", "star-principal", "bad-principal", "bad-principal-type", "empty-principal"})


def has_refused_denial(policy: Policy) -> bool:
    """Whether IAM refuses the principal of a Deny statement: nobody gets in by a document that is not saved, and what was meant
    to be kept out is not known."""
    refused = [problem.steps for problem in policy.problems if problem.refused and problem.code in _OF_DENIALS]
    denies = [statement.steps for statement in policy.statements if statement.effect_seen and not statement.allow]
    return any(steps[: len(of_denial)] == of_denial for steps in refused for of_denial in denies)


def absent_conditions(statement: Statement, issuer: str, profile: Profile = EKS) -> list[Condition]:
    """The conditions of a statement on keys that no token of an issuer (without scheme) has: by them a Deny may match."""
    low = issuer.lower()
    return [c for c in statement.conditions if c.key and presence(c.key, low, profile) == "never"]


def touching(admits: Admitted) -> list[Statement]:
    """The Deny statements that may take something of what the Allow statements admit."""
    allowed = [part.grant for part in admits.allows]
    denied = [part.grant for part in admits.denies]
    return [
        grant.statement
        for grant in denied
        if any(may_share(grant.subjects, a.subjects) and may_share(grant.audiences, a.audiences) for a in allowed)
    ]


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
