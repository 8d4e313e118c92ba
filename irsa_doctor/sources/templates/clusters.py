"""Adds a cluster that a template makes to the reading of its document, with its authentication mode."""

from irsa_doctor.model import Place, PlannedCluster
from irsa_doctor.model.aws import DEFAULT_MODE
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.values import TemplateValue, known


def add_cluster(
    reading: DocumentReading, name: str, planned: tuple[str, Place], mode: str | None, otherwise: str = DEFAULT_MODE
) -> None:
    """Add a cluster under its name, or as `planned` (address, place) where that is known only when it is made.

    `mode` is "" where it is known only then, None where the template sets none: then it is `otherwise`. An entry of the
    same cluster overrules that, for EKS takes none in mode CONFIG_MAP
    (https://docs.aws.amazon.com/eks/latest/userguide/setting-up-access-entries.html).
    """
    if name:
        reading.cluster_names.append((name, planned[1]))
    else:
        reading.planned_clusters.append(PlannedCluster(*planned, mode=otherwise if mode is None else mode))
    add_mode(reading, name, mode, otherwise)


def add_mode(reading: DocumentReading, name: str, mode: str | None, otherwise: str = DEFAULT_MODE) -> None:
    """Note the authentication mode of a cluster, as `add_cluster` takes it; "" is the cluster of the document."""
    if mode:
        reading.access_modes.append((name, mode))
    elif mode is None:
        reading.default_modes.append((name, otherwise))


def written_mode(config: TemplateValue | None, name: str) -> str | None:
    """The authentication mode in the access configuration of a cluster: None where it has none, "" where it is not known."""
    if config is None or config.value in (None, (), ""):
        return None
    value = config.value[0].value if isinstance(config.value, tuple) else config.value
    if not isinstance(value, dict):
        return ""
    written = value.get(name)
    return None if written is None or written.value is None else known(written.value)
