"""The edits that narrow an Allow statement down to the service accounts that it names, or that use the role."""

from collections.abc import Sequence

import msgspec

from irsa_doctor.issuers import cluster_profile
from irsa_doctor.remedies.draft import CannotEdit, Draft, PolicyDocument, read, statement_of
from irsa_doctor.trust import Policy, Statement, grant_of
from irsa_doctor.trust.keys import KeyForm, key_form, presence
from irsa_doctor.trust.languages import Finite
from irsa_doctor.trust.policy import Condition

_SPELLING: tuple[KeyForm, ...] = ("scheme", "arn", "trailing-slash", "missing-path")
"""ways to miswrite a key of the statement's own issuer"""
_ROUNDS = 64


def as_written(document: PolicyDocument, index: int, issuer: str) -> PolicyDocument | None:
    """The document with the operators of a statement made plain and its keys put right, where the subjects that it writes out
    are then all that it admits; None where they are not."""
    draft = Draft(document)
    try:
        for _ in range(_ROUNDS):
            policy, statement = _statement(draft.document, index)
            if not _made_plain(draft, statement, issuer.lower(), issuer):
                subjects = grant_of(policy, statement, issuer, profile=cluster_profile(issuer)).subjects
                return draft.document if isinstance(subjects, Finite) and subjects.values else None
    except CannotEdit:
        return None
    return None


def to_users(
    document: PolicyDocument, index: int, issuer: str, users: Sequence[str], equals: str = "StringEquals"
) -> PolicyDocument | None:
    """The document with a statement that requires one of these subjects, in the place of whatever it required of sub; `equals`
    is the operator."""
    draft = Draft(document)
    try:
        _, statement = _statement(document, index)
        on_sub = [condition for condition in statement.conditions if _is_on_sub(condition, issuer.lower())]
        for condition in on_sub[1:]:
            draft.drop_condition(index, *_names(condition))
        if on_sub:
            operator, key = _names(on_sub[0])
            draft.set_values(index, operator, key, users)
            draft.replace_key(index, operator, key, f"{issuer}:sub")
            draft.replace_operator(index, operator, f"{issuer}:sub", equals)
        else:
            draft.add_condition(index, equals, f"{issuer}:sub", users)
    except CannotEdit:
        return None
    return draft.document


def in_place(document: PolicyDocument, index: int, issuer: str, users: Sequence[str]) -> PolicyDocument | None:
    """The document with these subjects in the place of the patterns that a statement requires, under the same operator."""
    draft = Draft(document)
    try:
        _, statement = _statement(document, index)
        on_sub = [condition for condition in statement.conditions if _is_on_sub(condition, issuer.lower())]
        if len(on_sub) != 1 or str(on_sub[0].use) != "StringLike":
            return None
        draft.set_values(index, *_names(on_sub[0]), users)
    except CannotEdit:
        return None
    return draft.document


def with_audience(document: PolicyDocument, index: int, issuer: str, audiences: Sequence[str]) -> PolicyDocument | None:
    """The document with a condition on the audience in a statement that has none."""
    draft = Draft(document)
    try:
        draft.add_condition(index, "StringEquals", f"{issuer}:aud", audiences)
    except CannotEdit:
        return None
    return draft.document


def _statement(document: PolicyDocument, index: int) -> tuple[Policy, Statement]:
    """A statement, in a policy that has no other: to read them all for each of them takes too long."""
    policy = read({**document, "Statement": statement_of(document, index)})
    if not policy.statements or not policy.statements[0].allow:
        raise CannotEdit(f"no Allow statement {index}")
    return policy, msgspec.structs.replace(policy.statements[0], index=index)


def _names(condition: Condition) -> tuple[str, str]:
    """The operator and the key of a condition, as written."""
    return str(condition.steps[-2]), str(condition.steps[-1])


def _is_miswritten(condition: Condition, issuer: str) -> bool:
    """Whether a key is that of a claim of this issuer (in lower case), but for its spelling."""
    claim = condition.key.rpartition(":")[2]
    return (
        claim in ("sub", "aud") and presence(condition.key, issuer) == "never" and key_form(condition.key, issuer) in _SPELLING
    )


def _is_on_sub(condition: Condition, issuer: str) -> bool:
    miswritten = condition.key.endswith(":sub") and _is_miswritten(condition, issuer)
    return presence(condition.key, issuer) == "sub" or miswritten


def _made_plain(draft: Draft, statement: Statement, low: str, issuer: str) -> bool:
    """Correct one key or operator; returns whether there was one."""
    for condition in statement.conditions:
        operator, key = _names(condition)
        if _is_miswritten(condition, low):
            draft.replace_key(statement.index, operator, key, f"{issuer}:{condition.key.rpartition(':')[2]}")
            return True
        is_plain = not condition.use.qualifier and not condition.use.if_exists
        if presence(condition.key, low) in ("sub", "aud") and not is_plain:
            draft.replace_operator(statement.index, operator, key, condition.use.operator.name)
            return True
    return False
