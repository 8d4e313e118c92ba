"""The readers of documents of Azure and Google Cloud by kind."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from irsa_doctor.model import Place
from irsa_doctor.sources.documents.clouds import azure, google
from irsa_doctor.sources.documents.clouds.listings import note_list
from irsa_doctor.sources.documents.clouds.marks import azure_kind_of
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes

_OF_APP = re.compile(r"applications(?:\('|/)([0-9a-zA-Z-]{1,64})'?\)?/federatedIdentityCredentials", re.IGNORECASE)


def read_azure_list(page: Page, reading: DocumentReading) -> None:
    """An answer with its items under `value`; the context of Microsoft Graph names the app of its credentials."""
    members = shapes.mapping(page.value, page.place)
    named = _OF_APP.search(shapes.text(members, "@odata.context", page.place))
    identity = named[1].lower() if named else ""
    items = shapes.many(members, "value", page.place)
    for number, item in enumerate(items):
        at = page.place.at("value", number)
        if identity and isinstance(item, dict):
            reading.attempt(item, at, partial(_add_of_app, identity, reading))
        elif isinstance(item, dict):
            _read_resource(item, Page(item, at, page.duplicates), reading)
    if not any(name in members for name in ("nextLink", "@odata.nextLink")):
        note_list(items, page.place, reading, identity)


def _read_resource(members: Mapping[str, object], page: Page, reading: DocumentReading) -> None:
    """One resource of an answer, as the kind of Azure that it is; see `others_in` for one of none."""
    kind = azure_kind_of(members)
    if not kind:
        return
    if kind not in reading.kinds:
        reading.kinds.append(kind)
    reading.attempt(page.value, page.place, lambda value, place: CLOUD_READERS[kind](page, reading))


def others_in(page: Page, kind: str) -> Iterator[Page]:
    """The items of an answer that are none of Azure, such as objects of Kubernetes."""
    members = shapes.mapping(page.value, page.place) if kind == "azure-list" else {}
    for number, item in enumerate(shapes.many(members, "value", page.place)):
        if isinstance(item, dict) and not azure_kind_of(item):
            yield Page(item, page.place.at("value", number), page.duplicates)


def _add_of_app(identity: str, reading: DocumentReading, value: object, place: Place) -> None:
    azure.add_credential(shapes.mapping(value, place), place, identity, reading)


CLOUD_READERS: Mapping[str, Callable[[Page, DocumentReading], None]] = {
    "azure-federated-credential": azure.read_credential,
    "azure-identity": azure.read_identity,
    "azure-application": azure.read_app_registration,
    "azure-list": read_azure_list,
    "aks-cluster": azure.read_aks_cluster,
    "gke-cluster": google.read_gke_cluster,
    "google-service-account": google.read_google_account,
    "google-iam-policy": google.read_iam_policy,
    "google-policy-search": google.read_policy_search,
    "google-policy-results": google.read_search_results,
    "google-pool": google.read_pool,
}
