"""Adds an OIDC provider that a template makes to the reading of its document."""

from irsa_doctor.model import Place, Text, text_of
from irsa_doctor.sources.documents.aws import client_ids_missing, thumbprints_missing
from irsa_doctor.sources.documents.reading import DocumentReading, NamelessProvider

KnownTexts = tuple[str, ...] | None
"""a list of a template, None where it is not there or not all of it is known"""


def add_provider(
    reading: DocumentReading,
    issuer: str | Text,
    planned: tuple[str, Place],
    client_ids: KnownTexts,
    thumbprints: KnownTexts = None,
) -> None:
    """Add the provider of an issuer (without scheme); `planned` is its address and place."""
    name, (address, place) = text_of(issuer), planned
    reading.nameless_providers.append(
        NamelessProvider(
            url=issuer,
            client_ids=client_ids_missing(name) if client_ids is None else client_ids,
            thumbprints=thumbprints_missing(name) if thumbprints is None else thumbprints,
            created="",
            place=place,
            address=address,
        )
    )
