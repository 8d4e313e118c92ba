"""Reads the manifest of a collected organisation: the accounts that were to be read."""

import re
from collections.abc import Mapping

from irsa_doctor.model import ACCOUNT_STATES, OrganizationAccount, Place
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import WrongShape

MANIFEST_SCHEMA = "irsa-doctor.manifest/1"
_FAMILY = MANIFEST_SCHEMA.rpartition("/")[0] + "/"
_ACCOUNT = re.compile(r"[0-9]{12}")


def is_manifest(members: Mapping[str, object]) -> bool:
    """Whether a document is a manifest, of whatever version."""
    return str(members.get("schema")).startswith(_FAMILY)


def read_organization(page: Page, reading: DocumentReading) -> None:
    """Read the accounts of a manifest. Raises WrongShape for one of a version that is not known."""
    members = shapes.mapping(page.value, page.place)
    if members["schema"] != MANIFEST_SCHEMA:
        raise WrongShape("/schema", f"{members['schema']} is of another version than {MANIFEST_SCHEMA}")
    if not isinstance(members.get("accounts"), list):
        raise WrongShape("/accounts", "a list of accounts is expected")
    organization = shapes.text(members, "organization", page.place)
    for number, item in enumerate(shapes.many(members, "accounts", page.place)):
        place = page.place.at("accounts", number)
        reading.attempt(item, place, lambda value, at: reading.organization.append(_account(value, at, organization)))


def _account(item: object, place: Place, organization: str) -> OrganizationAccount:
    members = shapes.mapping(item, place)
    ident, state = shapes.text(members, "id", place), next((s for s in ACCOUNT_STATES if s == members.get("state")), None)
    if not _ACCOUNT.fullmatch(ident):
        raise WrongShape(place.at("id").pointer, "an account id has twelve digits")
    if state is None:
        raise WrongShape(place.at("state").pointer, f"the state is none of {', '.join(ACCOUNT_STATES)}")
    return OrganizationAccount(
        id=ident,
        organization=organization,
        name=shapes.text(members, "name", place),
        units=tuple(str(unit) for unit in shapes.many(members, "ou", place)),
        state=state,
        why=shapes.text(members, "why", place),
        taken=shapes.text(members, "taken", place),
        place=place,
    )
