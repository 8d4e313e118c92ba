"""The manifest of a collected organisation: its accounts, its shards, and how far the collection is."""

import hashlib
import os
from typing import Any, Literal

import msgspec

from irsa_doctor.model.organization import AccountState
from irsa_doctor.sources.documents.organization import MANIFEST_SCHEMA
from irsa_doctor.sources.snapshot.shards import MANIFEST, leaves_folder
from irsa_doctor.text.named_files import open_named
from irsa_doctor.text.written_files import write_whole


class ManifestAccount(msgspec.Struct):
    """An account that was to be read, and what became of it."""

    id: str
    name: str = ""
    ou: tuple[str, ...] = ()
    status: str = ""
    tags: dict[str, str] = {}
    state: AccountState = "pending"
    why: str | None = None
    taken: str = ""
    policies: tuple[str, ...] = ()


class ManifestShard(msgspec.Struct):
    """A file of an account or of one of its clusters."""

    file: str
    account: str
    region: str | None = None
    cluster: str | None = None
    taken: str = ""
    sha256: str = ""
    state: Literal["read", "unknown", "stale"] = "read"


class Manifest(msgspec.Struct):
    """What a collection of an organisation was to read, and has read."""

    organization: str = ""
    caller: dict[str, str] = {}
    started: str = ""
    finished: str = ""
    options: dict[str, Any] = {}
    accounts: list[ManifestAccount] = []
    shards: list[ManifestShard] = []
    tool: dict[str, str] = {}
    schema: str = MANIFEST_SCHEMA

    def write(self, folder: str) -> None:
        """Write it into a folder, whole or not at all. Raises OSError."""
        self.shards.sort(key=lambda shard: shard.file)
        write_whole(
            msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n", os.path.join(folder, MANIFEST), private=True
        )


def kept_manifest(folder: str) -> Manifest:
    """The manifest of a folder; an empty one where there is none that can be read."""
    try:
        with open_named(os.path.join(folder, MANIFEST)) as file:
            known = msgspec.json.decode(file.read(), type=Manifest)
    except (OSError, ValueError, msgspec.DecodeError):
        return Manifest()
    return known if known.schema == MANIFEST_SCHEMA else Manifest()


def is_shard_whole(folder: str, shard: ManifestShard) -> bool:
    """Whether a shard is there, below the folder, as it was written."""
    if leaves_folder(shard.file):
        return False
    try:
        with open_named(os.path.join(folder, shard.file)) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == shard.sha256
    except OSError:
        return False
