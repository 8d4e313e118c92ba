"""Issuers that a template leaves open: the same hole in principal and condition key is the same issuer, whatever it is."""

import msgspec

from irsa_doctor.model import Hole, Text, holes_in, issuer_in, issuer_of_provider, text_of
from irsa_doctor.trust.policy import Condition, Policy, Statement, Value

GLOBAL_KEYS = ("aws:", "sts:", "iam:")
"""how the keys begin that are of no issuer"""
# no issuer in IAM begins so, whatever it is
_NEVER_AN_ISSUER = ("https://", "http://", "arn:")


def issuer_named(provider: str) -> str:
    """The issuer in the text of a principal, which may have had holes; "" where it is no provider."""
    if provider.startswith("${") and ":oidc-provider/" not in provider:
        return text_of(issuer_in(Text((Hole(provider),))))
    return issuer_of_provider(provider)


def seen_through(statement: Statement, issuer: Value) -> Statement:
    """The statement with its condition keys read as those of tokens of an issuer with holes.

    A key of the very issuer gets the name that `text_of` gives it, by which it is looked up; one that may or may not be of
    the issuer has a hole for a name.
    """
    if isinstance(issuer, str) and issuer:
        return statement
    conditions = tuple(seen_key(condition, issuer) for condition in statement.conditions)
    return msgspec.structs.replace(statement, conditions=conditions)


def keys_seen_through(policy: Policy, issuer: Value) -> Policy:
    """The policy with every statement seen through an issuer with holes."""
    return msgspec.structs.replace(policy, statements=tuple(seen_through(statement, issuer) for statement in policy.statements))


def policy_seen_through(policy: Policy, principal: Value, issuer: Value | None = None) -> Policy:
    """The policy seen through a principal with holes, which is then a text like any other: the one that `text_of` gives.

    `issuer` is that of the principal where more is known of it than the principal says.
    """
    if isinstance(principal, str):
        return policy
    name = text_of(principal)
    statements = (
        msgspec.structs.replace(
            statement, federated=tuple(name if value == principal else value for value in statement.federated)
        )
        for statement in keys_seen_through(policy, issuer_in(principal) if issuer is None else issuer).statements
    )
    return msgspec.structs.replace(policy, statements=tuple(statements))


def seen_key(condition: Condition, issuer: Value) -> Condition:
    """A condition with its key read as that of tokens of an issuer with holes (see `seen_through`)."""
    if isinstance(issuer, str) and issuer:
        return condition
    raw = text_of(condition.raw_key)
    low = raw.lower()
    if low.startswith(GLOBAL_KEYS):
        return condition
    own = bool(issuer) and low != text_of(issuer).lower() and low.startswith(text_of(issuer).lower())
    same = own and len(list(holes_in(condition.raw_key))) == len(list(holes_in(issuer)))
    if same or low.startswith(_NEVER_AN_ISSUER):
        return msgspec.structs.replace(condition, key=low)
    return msgspec.structs.replace(condition, key="", raw_key=Text((Hole(raw),)))
