"""The shards of a collected organisation: which of them are believed, and what stands in the place of the others."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

from irsa_doctor.model.moments import moment_of
from irsa_doctor.sources.snapshot.snapshot import SNAPSHOT_SCHEMA
from irsa_doctor.text.named_files import open_named
from irsa_doctor.version import __version__

MANIFEST = "manifest.json"
_OF_ACCOUNT, _OF_CLUSTER = ("roles", "providers", "clusters"), ("serviceaccounts",)
_LARGEST = 64 << 20
"""bytes of a manifest that is looked at"""


class _Shard(msgspec.Struct):
    file: str
    account: str = ""
    cluster: str | None = None
    taken: str = ""
    sha256: str = ""
    state: str = "read"


class _Manifest(msgspec.Struct):
    shards: list[_Shard] = []


_Doubt = tuple[Literal["stale", "unknown", "superseded"], str]
"""what is doubtful of a shard, and why"""


class SetAside(NamedTuple):
    """A shard that is not believed: its path, its account, its cluster (ARN, "" for a shard of the account), and why; `stale`
    and `superseded`: when it was read, it was what it says."""

    path: str
    account: str
    cluster: str
    state: Literal["stale", "unknown", "superseded"]
    why: str
    taken: str

    @property
    def replacement(self) -> bytes:
        """A snapshot that says of the account or the cluster that it could not be read."""
        owner, missing = self.account, f"account {self.account}: {self.why}"
        if self.cluster:
            owner, missing = self.cluster, f"service accounts of cluster {self.cluster.rpartition('/')[2]}: {self.why}"
        gaps = [
            {"collection": collection, "owner": owner, "name": "", "missing": missing, "how": ""}
            for collection in (_OF_CLUSTER if self.cluster else _OF_ACCOUNT)
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


class ListedShard(NamedTuple):
    """A shard as a manifest lists it: the name of its file there, its account, and its cluster (ARN)."""

    file: str
    account: str
    cluster: str


def listed_shards(paths: Sequence[str]) -> Mapping[str, ListedShard]:
    """The shards that manifests among some paths list, by path."""
    return {
        path: ListedShard(shard.file, shard.account, shard.cluster or "")
        for manifest in _manifests(paths)
        for path, shard in _shards(manifest)
    }


def with_shards(paths: Sequence[str]) -> list[str]:
    """Paths, and for a manifest among them the shards that it lists: a manifest by itself is its collection."""
    named = [path for path in paths if os.path.basename(path) == MANIFEST and os.path.isfile(path)]
    return list(dict.fromkeys([*paths, *(path for path in listed_shards(named) if os.path.isfile(path))]))


def set_aside(paths: Sequence[str], as_of: datetime, max_age: timedelta) -> list[SetAside]:
    """The shards of manifests among some paths that were read too long ago, or have changed since the manifest was written;
    where several manifests list an account, those of it that are older than the newest."""
    listed = [
        (manifest, path, shard, _doubt(path, shard, as_of, max_age))
        for manifest in dict.fromkeys(map(os.path.normpath, _manifests(paths)))
        for path, shard in _shards(manifest)
    ]
    newest: dict[str, tuple[datetime, str]] = {}
    for manifest, _, shard, doubt in listed:
        if not doubt and (taken := moment_of(shard.taken)):
            newest[shard.account] = max(newest.get(shard.account, (taken, manifest)), (taken, manifest))
    later: dict[str, _Doubt] = {
        path: ("superseded", f"the account was read later, as {newest[shard.account][1]} lists it")
        for manifest, path, shard, _ in listed
        if _is_older(shard, manifest, newest.get(shard.account))
    }
    return [
        SetAside(path, shard.account, shard.cluster or "", *why, shard.taken)
        for _, path, shard, doubt in listed
        if (why := later.get(path) or doubt)
    ]


def _is_older(shard: _Shard, manifest: str, newest: tuple[datetime, str] | None) -> bool:
    """Whether another manifest has the account as it was later."""
    taken = moment_of(shard.taken)
    return newest is not None and taken is not None and newest[1] != manifest and taken < newest[0]


def _manifests(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if os.path.basename(path) == MANIFEST:
            yield path
        elif os.path.isfile(inside := os.path.join(path, MANIFEST)):
            yield inside


def _shards(manifest: str) -> Iterator[tuple[str, _Shard]]:
    """The shards of a manifest with their paths; what it says of other folders is nobody's business."""
    try:
        shards = msgspec.json.decode(_content(manifest), type=_Manifest).shards
    except (OSError, ValueError, msgspec.DecodeError):
        return  # the reader of documents says what is wrong with it
    folder = os.path.dirname(manifest)
    for shard in shards:
        if not leaves_folder(shard.file):
            yield os.path.normpath(os.path.join(folder, shard.file)), shard


def _doubt(path: str, shard: _Shard, as_of: datetime, max_age: timedelta) -> _Doubt | tuple[()]:
    """Why a shard is not believed."""
    taken = moment_of(shard.taken)
    if shard.state == "stale" or (taken and as_of - taken > max_age):
        return "stale", f"it was read last at {shard.taken}"
    if not os.path.isfile(path):
        return "unknown", f"{shard.file} is missing"
    if shard.sha256 and _digest(path) != shard.sha256.removeprefix("sha256:"):
        return "unknown", f"{shard.file} has changed since it was collected"
    if shard.taken and not taken:
        return "unknown", f"{shard.file}: the time at which it was read is not a time"
    return ()


def leaves_folder(file: str) -> bool:
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
