"""What a list of identities, credentials or policies of Azure and Google Cloud proves to be complete."""

from collections.abc import Iterator, Sequence

from irsa_doctor.model import (
    AzureIdentity,
    CloudListing,
    CloudRecord,
    FederatedCredential,
    GoogleAccount,
    Place,
    RoleBinding,
)
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.files.folders import folder_of


def note_list(items: Sequence[object], place: Place, reading: DocumentReading, identity: str = "") -> None:
    """Note the lists that a document completes: `az` and `gcloud` follow the pages of a list and print all of it.

    An empty list does not say of what it is one: `owner` is its folder then. `identity` is the app that an answer names.
    """
    if not items:
        named = CloudListing("credentials", identity, place) if identity else None
        reading.cloud_records.append(named or CloudListing("empty", folder_of(reading.path), place))
        return
    own = [record for record in reading.cloud_records if record.place.pointer.startswith(place.pointer)]
    reading.cloud_records += dict.fromkeys(listing for record in own for listing in _completed(record, place))
    reading.cloud_records += _whole_subscriptions(own, place)


def _completed(record: CloudRecord, place: Place) -> Iterator[CloudListing]:
    if isinstance(record, FederatedCredential):
        yield CloudListing("credentials", record.identity, place)
    elif isinstance(record, AzureIdentity):
        yield CloudListing("identities", resource_group_of(record) if record.kind == "managed" else "applications", place)
    elif isinstance(record, GoogleAccount):
        yield CloudListing("google-accounts", record.project, place)
    elif isinstance(record, RoleBinding):
        yield CloudListing("policies", record.project, place)


def _whole_subscriptions(records: Sequence[CloudRecord], place: Place) -> Iterator[CloudListing]:
    """A list with identities of several resource groups is that of the subscription."""
    groups = {resource_group_of(record) for record in records if isinstance(record, AzureIdentity) and record.kind == "managed"}
    for subscription in {group.rpartition("/resourcegroups/")[0] for group in groups}:
        if sum(group.startswith(f"{subscription}/") for group in groups) > 1:
            yield CloudListing("identities", subscription, place)


def resource_group_of(identity: AzureIdentity) -> str:
    """The resource group of an identity, with its subscription, in lower case."""
    return identity.key.partition("/providers/")[0]
