"""What the tests of templates ask of an inventory that a template made."""

from typing import Any

from irsa_doctor.model import Inventory, Place, Role, Text, Unknown, text_of
from irsa_doctor.sources import Loaded
from tests.sources.worlds import loaded

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"


def told(value: Any) -> Any:
    """A value of a policy with its holes by their names."""
    if isinstance(value, str | Text):
        return text_of(value)
    if isinstance(value, list):
        return [told(item) for item in value]
    if isinstance(value, dict):
        return {text_of(name): told(item) for name, item in value.items()}
    return value


def roles_of(documents: dict[str, Any], **options: Any) -> dict[str, Role]:
    """The roles by their addresses."""
    return {f"{role.address} {role.case}".strip() or role.id: role for role in loaded(documents, **options).inventory.roles}


def statement(role: Role, number: int = 0) -> Any:
    """A statement of a role's policy, holes by their names."""
    assert not isinstance(role.policy, Unknown), role.policy
    document: Any = role.policy.document
    return told(document["Statement"][number])


def federated(role: Role) -> Any:
    return statement(role)["Principal"]["Federated"]


def conditions(role: Role) -> Any:
    return statement(role)["Condition"]


def written_at(given: Loaded, place: Place, key: bool = False) -> str:
    """The text at which a place is found, of its first line only where it has several."""
    span = given.documents.locate(place, key)
    text = given.documents.text(place.document)
    assert text is not None
    lines = text.decode().split("\n")
    line = lines[span.line - 1]
    return line[span.column - 1 : span.end_column - 1] if span.line == span.end_line else line[span.column - 1 :]


def policy_text(given: Loaded, role: Role, *steps: str | int, key: bool = False) -> str:
    """The text at which a part of a role's policy is found."""
    assert not isinstance(role.policy, Unknown), role.policy
    return written_at(given, role.policy.place.at(*steps), key)


def row_of(inventory: Inventory, path: str) -> Any:
    """The one row of a document."""
    (row,) = [document for document in inventory.documents if document.path == path]
    return row
