"""What the guards of shared issuers refuse on save: an Allow that does not limit whose tokens of the issuer it admits.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html; the details were recorded, see
`irsa_doctor/issuers/guards.yaml`.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from irsa_doctor.issuers.guards import Guard, guard_of
from irsa_doctor.model import Text, issuer_of_provider
from irsa_doctor.trust.operators import OperatorUse

GuardCode = Literal["shared-issuer-control", "guard-unobserved"]
Check = tuple[OperatorUse, str, tuple[str | Text, ...]]
"""a condition: its operator, its key as written, its values"""
_OF_CLAIMS = frozenset({"StringEquals", "StringLike", "StringEqualsIgnoreCase"})
_OF_APPLICATIONS = frozenset({"StringEquals", "StringEqualsIgnoreCase"})


@lru_cache(maxsize=1024)
def guard_for(principal: str) -> Guard | None:
    """The guard of a Federated principal, None where IAM asks for nothing."""
    built_in = not principal.startswith("arn:")
    return guard_of(principal if built_in else issuer_of_provider(principal), built_in=built_in)


def guard_problem(guard: Guard, principal: str, checks: Sequence[Check]) -> tuple[GuardCode, str] | None:
    """(code, text of the refusal) where the guard of a principal refuses a statement with these conditions, else None.

    The code tells what was recorded from what nobody has seen.
    """
    issuer = principal if guard.built_in else issuer_of_provider(principal)
    if guard.application:
        return _application(guard, issuer, checks)
    keys = guard.keys_of(issuer)
    if not checks and guard.without_condition:
        return "shared-issuer-control", guard.without_condition
    is_limited = any(_limits(guard, block, keys) for block in _blocks(checks))
    if is_limited and issuer == guard.issuer:
        return None
    named = principal if guard.names_arn else issuer
    must = "must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase,"
    text = f"Trust policy with trusted principal {named} {must} {' or '.join(keys)} which is not scoped to all."
    return ("guard-unobserved" if is_limited else "shared-issuer-control"), text


def _blocks(checks: Iterable[Check]) -> list[list[Check]]:
    """The conditions that stand under one operator."""
    blocks: dict[OperatorUse, list[Check]] = {}
    for check in checks:
        blocks.setdefault(check[0], []).append(check)
    return list(blocks.values())


def _limits(guard: Guard, block: Sequence[Check], keys: Sequence[str]) -> bool:
    """Whether the conditions under one operator limit the issuer: every key that counts has to."""
    use = block[0][0]
    if use.if_exists or use.operator.name not in _OF_CLAIMS:
        return False
    wanted = {key.lower() for key in keys}
    counted = [values for _, key, values in block if key.lower() in wanted]
    return bool(counted) and not any(_is_all(guard, value) for values in counted for value in values)


def _is_all(guard: Guard, value: str | Text) -> bool:
    """Whether a value is scoped to all; one with placeholders is not known to be."""
    if not isinstance(value, str):
        return False
    return value == "*" or (guard.blank_is_all and (not value.strip() or value.startswith("*")))


def _application(guard: Guard, issuer: str, checks: Sequence[Check]) -> tuple[GuardCode, str] | None:
    """A condition on an id of an application, in the very letters of its key; the value does not matter."""
    keys = guard.keys_of(issuer)
    uses = [use for use, key, _ in checks if key in keys and not use.if_exists]
    if any(use.operator.name in _OF_APPLICATIONS for use in uses):
        return None
    text = f"Policy trusting {issuer} requires a StringEquals condition on an application id"
    is_unobserved = any(use.qualifier and use.operator.name == "StringLike" for use in uses)
    return ("guard-unobserved" if is_unobserved else "shared-issuer-control"), text
