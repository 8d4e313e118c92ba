"""Reads node classes of Karpenter: whether pods on their nodes reach the metadata service of EC2."""

from collections.abc import Mapping

from irsa_doctor.model import NodeMetadata, Place
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text import shapes

_USUAL = 1
"""the hop limit of nodes of Karpenter since its version 1 (https://karpenter.sh/docs/upgrading/v1-migration/)"""


def read_node_class(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """An EC2NodeClass (https://karpenter.sh/docs/concepts/nodeclasses/#specmetadataoptions)."""
    metadata, at = shapes.inner(members, "metadata", place), place.at("spec")
    options = shapes.inner(shapes.inner(members, "spec", place), "metadataOptions", at)
    limit = _hop_limit(options)
    if limit is not None:
        name = shapes.required(metadata, "name", place.at("metadata"))
        reading.node_metadata.append(NodeMetadata(name=name, hop_limit=limit, place=at))


def _hop_limit(options: Mapping[str, object]) -> int | None:
    """None for a placeholder."""
    if options.get("httpEndpoint") == "disabled":
        return 0
    limit = options.get("httpPutResponseHopLimit", _USUAL)
    return limit if isinstance(limit, int) and not isinstance(limit, bool) else None
