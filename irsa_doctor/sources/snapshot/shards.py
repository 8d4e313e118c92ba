"""The shards of a collected organisation: which of them are believed, and what stands in the place of the others."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

from irsa_doctor.model.moments import moment_of
from irsa_doctor.sources.snapshot.snapshot import SNAPSHOT_SCHEMA
from irsa_doctor.text.named_files import open_named
from irsa_doctor.version import __version__

MANIFEST = "manifest.json"
_LARGEST = 64 << 20
"""bytes of a manifest that is looked at"""


class _Shard(msgspec.Struct):
    file: str
    account: str = ""
    taken: str = ""
    sha256: str = ""
    state: str = "read"


class _Manifest(msgspec.Struct):
    shards: list[_Shard] = []


class SetAside(NamedTuple):
    """A shard that is not believed: its path, its account, and why; `stale`: when it was read, it was what it says."""

    path: str
    account: str
    state: Literal["stale", "unknown"]
    why: str
    taken: str

    @property
    def replacement(self) -> bytes:
        """A snapshot that says of the account that it could not be read."""
        gaps = [
            {
                "collection": collection,
                "owner": self.account,
                "name": "",
                "missing": f"account {self.account}: {self.why}",
                "how": "",
            }
            for collection in ("roles", "providers", "clusters")
        ]
        document = {
            "schema": SNAPSHOT_SCHEMA,
            "tool": {"version": __version__},
            "taken": self.taken,
            "redacted": False,
            "documents": [],
            "asked": [],
            "missing": gaps,
        }
        return json.dumps(document).encode()


def set_aside(paths: Sequence[str], as_of: datetime, max_age: timedelta) -> list[SetAside]:
    """The shards of manifests among some paths that were read too long ago, or have changed since the manifest was written."""
    return [shard for manifest in _manifests(paths) for shard in _doubtful(manifest, as_of, max_age)]


def _manifests(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if os.path.basename(path) == MANIFEST:
            yield path
        elif os.path.isfile(inside := os.path.join(path, MANIFEST)):
            yield inside


def _doubtful(manifest: str, as_of: datetime, max_age: timedelta) -> Iterator[SetAside]:
    try:
        shards = msgspec.json.decode(_content(manifest), type=_Manifest).shards
    except (OSError, ValueError, msgspec.DecodeError):
        return  # the reader of documents says what is wrong with it
    folder = os.path.dirname(manifest)
    for shard in shards:
        path = os.path.normpath(os.path.join(folder, shard.file))
        taken = moment_of(shard.taken)
        if _leaves(shard.file):
            continue  # what a manifest says of other folders is nobody's business
        if shard.state == "stale" or (taken and as_of - taken > max_age):
            yield SetAside(path, shard.account, "stale", f"it was read last at {shard.taken}", shard.taken)
        elif not os.path.isfile(path):
            yield SetAside(path, shard.account, "unknown", f"{shard.file} is missing", shard.taken)
        elif shard.sha256 and _digest(path) != shard.sha256.removeprefix("sha256:"):
            yield SetAside(path, shard.account, "unknown", f"{shard.file} has changed since it was collected", shard.taken)


def _leaves(file: str) -> bool:
    """Whether the name of a shard leads out of the folder of its manifest."""
    return os.path.isabs(file) or ".." in file.replace("\\", "/").split("/") or "\0" in file


def _content(path: str) -> bytes:
    with open_named(path) as file:
        return file.read(_LARGEST)


def _digest(path: str) -> str:
    try:
        with open_named(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
