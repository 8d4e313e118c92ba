"""The texts of a trust policy, and which of them speak of an issuer."""

from collections.abc import Iterator, Mapping
from typing import Any

from irsa_doctor.remedies.draft import PolicyDocument
from irsa_doctor.trust.keys import is_of_other_issuer


def texts_of(value: Any) -> Iterator[str]:
    """Every string of a JSON value that is no name of a member."""
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from texts_of(item)


def not_denying(document: PolicyDocument) -> Iterator[Any]:
    """The statements; of a Deny only what it spares, by operators with a Not."""
    listed = document.get("Statement")
    for statement in listed if isinstance(listed, list) else [listed]:
        if not isinstance(statement, Mapping) or statement.get("Effect") != "Deny":
            yield statement
        elif isinstance(condition := statement.get("Condition"), Mapping):
            yield {name: block for name, block in condition.items() if "Not" in name}


def texts_for(value: Any, issuer: str) -> Iterator[str]:
    """Every string of a JSON value but those below a key of another issuer than this one (in lower case, without scheme)."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not is_of_other_issuer(name.lower(), issuer):
                yield from texts_for(item, issuer)
    elif isinstance(value, list):
        for item in value:
            yield from texts_for(item, issuer)
    elif isinstance(value, str):
        yield value
