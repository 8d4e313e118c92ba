"""Collects what live sources answer into a snapshot."""

from typing import TYPE_CHECKING

from irsa_doctor.model.faults import judged_or_named

if TYPE_CHECKING:
    from irsa_doctor.sources.live import LiveOptions
    from irsa_doctor.sources.live.collection import OrganizationOptions
    from irsa_doctor.sources.snapshot.manifest import Manifest
    from irsa_doctor.sources.snapshot.snapshot import Snapshot


def collect(live: "LiveOptions", *, redact: bool = False) -> "Snapshot":
    """All that the live sources answer about trust; with `redact`, account ids and names are replaced by made-up ones.

    What could not be read is in `missing`. Raises LiveError where none of the sources can be read, and
    NotJudged.
    """
    from irsa_doctor.sources.live import Plan, take

    snapshot = judged_or_named("the snapshot", lambda: take(Plan("collect"), live))
    if not redact:
        return snapshot
    from irsa_doctor.sources.snapshot.redaction import redacted

    return redacted(snapshot)


def collect_organization(live: "LiveOptions", options: "OrganizationOptions", folder: str) -> "Manifest":
    """The accounts of the caller's organisation, read into a folder: a shard an account and a cluster, and a manifest.

    What cannot be read is `unknown` in the manifest. Raises LiveError where the organisation cannot be listed.
    """
    from irsa_doctor.sources.live.collection import collect_organization as collect_all

    return collect_all(live, options, folder)
