"""Collects what live sources answer into a snapshot."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from irsa_doctor.sources.live import LiveOptions
    from irsa_doctor.sources.snapshot.snapshot import Snapshot


def collect(live: "LiveOptions", *, redact: bool = False) -> "Snapshot":
    """All that the live sources answer about trust; with `redact`, account ids and names are replaced by made-up ones.

    What could not be read is in `missing`. Raises LiveError where none of the sources can be read.
    """
    from irsa_doctor.sources.live import Plan, take

    snapshot = take(Plan("collect"), live)
    if not redact:
        return snapshot
    from irsa_doctor.sources.snapshot.redaction import redacted

    return redacted(snapshot)
