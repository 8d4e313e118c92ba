"""Redacts a collected organisation: one map of names for all of its shards, so that what they say of each other stays true."""

import hashlib
import os
from collections.abc import Iterator

import msgspec

from irsa_doctor.sources.snapshot.manifest import Manifest, ManifestAccount, ManifestShard
from irsa_doctor.sources.snapshot.redaction import RedactedNames, made_up_names, redacted_with, snapshot_texts
from irsa_doctor.sources.snapshot.snapshot import Snapshot, read_snapshot, snapshot_text
from irsa_doctor.text.named_files import open_named
from irsa_doctor.text.written_files import write_whole


def write_redacted(manifest: Manifest, source: str, folder: str) -> Manifest:
    """Write the shards of a folder into another one with made-up account ids and names, and return the manifest there.

    Shards are read one at a time. Raises OSError.
    """
    names = made_up_names(_texts(manifest, source))
    shards = [_written(shard, source, folder, names) for shard in manifest.shards]
    told = Manifest(
        organization=names.of(manifest.organization),
        caller={name: names.of(value) for name, value in manifest.caller.items()},
        started=manifest.started,
        finished=manifest.finished,
        options=manifest.options,
        accounts=[_account(account, names) for account in manifest.accounts],
        shards=shards,
        tool=manifest.tool,
    )
    told.write(folder)
    return told


def _texts(manifest: Manifest, source: str) -> Iterator[str]:
    yield manifest.organization
    yield from manifest.caller.values()
    for account in manifest.accounts:
        yield from (account.id, account.name, *account.ou, *account.policies)
        yield from (part for tag in account.tags.items() for part in tag)
    for shard in manifest.shards:
        yield shard.cluster or ""
        yield from snapshot_texts(_snapshot(shard, source))


def _snapshot(shard: ManifestShard, source: str) -> Snapshot:
    with open_named(os.path.join(source, shard.file)) as file:
        snapshot = read_snapshot(file.read())
    if not isinstance(snapshot, Snapshot):
        raise OSError(f"{shard.file} is no snapshot")
    return snapshot


def _written(shard: ManifestShard, source: str, folder: str, names: RedactedNames) -> ManifestShard:
    """Write a shard, and return what the manifest says of it."""
    account, cluster = names.of(shard.account), names.of(shard.cluster) if shard.cluster else None
    end = "aws.json" if cluster is None else f"{shard.region}.{cluster.rpartition('/')[2]}.json"
    text = snapshot_text(redacted_with(_snapshot(shard, source), names))
    os.makedirs(os.path.join(folder, account), mode=0o700, exist_ok=True)
    write_whole(text, os.path.join(folder, account, end), private=True)
    digest = hashlib.sha256(text).hexdigest()
    return msgspec.structs.replace(shard, file=f"{account}/{end}", account=account, cluster=cluster, sha256=digest)


def _account(account: ManifestAccount, names: RedactedNames) -> ManifestAccount:
    return msgspec.structs.replace(
        account,
        id=names.of(account.id),
        name=names.of(account.name),
        ou=tuple(map(names.of, account.ou)),
        tags={names.of(name): names.of(value) for name, value in account.tags.items()},
        policies=tuple(map(names.of, account.policies)),
        why=names.in_message(account.why) if account.why else account.why,
    )
