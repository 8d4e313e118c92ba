"""Collects what live sources answer into a snapshot."""

import os
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


def collect_organization(
    live: "LiveOptions", options: "OrganizationOptions", folder: str, *, redact: bool = False
) -> "Manifest":
    """The accounts of the caller's organisation, read into a folder: a shard an account and a cluster, and a manifest.

    With `redact` account ids and names are made up, the same in all shards; nothing is kept of a run before, for the names are
    drawn anew, and nothing is written before all is read. What cannot be read is `unknown` in the manifest. Raises LiveError
    where the organisation cannot be listed, and OSError.
    """
    from irsa_doctor.sources.live.collection import collect_organization as collect_all

    if not redact:
        return collect_all(live, options, folder)
    from irsa_doctor.sources.snapshot.redacted_folder import write_redacted
    from irsa_doctor.text.errors import LiveError
    from irsa_doctor.text.scratch_folders import scratch_folder

    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.listdir(folder):
        raise LiveError(f"{folder} is not empty: a redacted organisation has other names each time")
    with scratch_folder() as scratch:
        return write_redacted(collect_all(live, options, scratch), scratch, folder)
