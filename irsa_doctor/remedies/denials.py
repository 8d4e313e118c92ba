"""Edits of Deny statements: what lets a token past them and leaves them in force for everybody else."""

from collections.abc import Callable, Iterator, Sequence

from irsa_doctor.remedies.draft import CannotEdit, Draft, PolicyDocument, read
from irsa_doctor.trust import Policy, Statement
from irsa_doctor.trust.holding import holds
from irsa_doctor.trust.keys import known_context, presence
from irsa_doctor.trust.policy import WEB_IDENTITY, covering
from irsa_doctor.trust.presented import PresentedToken


def past_denials(document: PolicyDocument, target: PresentedToken, subjects: Sequence[str]) -> Iterator[PolicyDocument]:
    """The document with every Deny mended that covers a token, in the ways that there are; as it is where none does.

    `subjects` are exempted besides that of the token, where a Deny lists whom it lets past. A Deny with a condition on the
    request, as its source address, region or time, is no mistake but somebody's guardrail: no way past it is opened.
    """
    policy = read(document)
    denying = [s for s in policy.statements if _covers(policy, s, target)] if policy.has_deny else []
    if not denying:
        yield document
        return
    if any(_is_guardrail(statement, target) for statement in denying):
        return
    exempt = sorted({target.subject, *subjects})
    for way in _WAYS:
        draft = Draft(document)
        try:
            for statement in denying:
                way(draft, statement, target, exempt)
        except CannotEdit:
            continue
        yield draft.document


def _covers(policy: Policy, statement: Statement, target: PresentedToken) -> bool:
    """Whether a Deny may match the token."""
    named = target.provider in statement.federated or "*" in statement.aws
    if statement.allow or not named or covering(statement, WEB_IDENTITY) is False:
        return False
    context = target.context_of(statement.conditions)
    return all(holds(condition, context, variables=policy.variables) is not False for condition in statement.conditions)


def _is_guardrail(statement: Statement, target: PresentedToken) -> bool:
    """Whether a Deny has a condition on something of the request that another request of the token may have otherwise."""
    issuer, same = target.issuer.lower(), known_context(target.provider, target.issuer)
    return any(presence(c.key, issuer) in ("always", "maybe") and c.key not in same for c in statement.conditions)


def _only_with_key(draft: Draft, statement: Statement, target: PresentedToken, exempt: Sequence[str]) -> None:
    """A negated condition holds where its key is absent: the Deny is limited to requests that have the key."""
    issuer = target.issuer.lower()
    absent = [c for c in statement.conditions if presence(c.key, issuer) == "never" and c.use.operator.negated]
    if not absent:
        raise CannotEdit("every key of the Deny is in the request")
    draft.add_condition(statement.index, "Null", str(absent[0].steps[-1]), ["false"])


def _list_exempt(draft: Draft, statement: Statement, target: PresentedToken, exempt: Sequence[str]) -> None:
    """The subjects join those that the Deny lets past already, or are no longer listed among those that it names."""
    issuer = target.issuer.lower()
    on_sub = [c for c in statement.conditions if presence(c.key, issuer) == "sub" and c.use.operator.family == "string"]
    if len(on_sub) != 1 or on_sub[0].use.qualifier:
        raise CannotEdit("the Deny does not list subjects")
    operator, key = str(on_sub[0].steps[-2]), str(on_sub[0].steps[-1])
    if on_sub[0].use.operator.negated:
        draft.add_value(statement.index, operator, key, exempt)
        return
    left = [value for value in on_sub[0].values if value not in exempt]
    if not left or target.subject not in on_sub[0].values:
        raise CannotEdit("the Deny lists nobody else")
    draft.set_values(statement.index, operator, key, [str(value) for value in left])


def _except(draft: Draft, statement: Statement, target: PresentedToken, exempt: Sequence[str]) -> None:
    """The Deny gets a condition that lets the subjects past. One that names the subject of the token is meant for it."""
    issuer = target.issuer.lower()
    on_sub = [c for c in statement.conditions if presence(c.key, issuer) == "sub" and not c.use.operator.negated]
    if any(target.subject in condition.values for condition in on_sub):
        raise CannotEdit("the Deny names the subject")
    draft.add_condition(statement.index, "StringNotEquals", f"{target.issuer}:sub", exempt)


_WAYS: Sequence[Callable[[Draft, Statement, PresentedToken, Sequence[str]], None]] = (_only_with_key, _list_exempt, _except)
