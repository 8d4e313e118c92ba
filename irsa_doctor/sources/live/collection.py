"""Collects an organisation into a folder: a shard an account and one a cluster, written as each is read."""

import hashlib
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from irsa_doctor.model import Gap, parse_arn
from irsa_doctor.model.moments import moment_of, rfc3339
from irsa_doctor.sources.live.account_tasks import AccountTasks, CollectionStages
from irsa_doctor.sources.live.aws import AwsAccount
from irsa_doctor.sources.live.aws_errors import timed_out
from irsa_doctor.sources.live.calls import Clock, Job, Notes, side_by_side
from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.sources.live.operations import ORGANIZATION
from irsa_doctor.sources.live.options import LiveOptions, Plan
from irsa_doctor.sources.live.organization import AttachedPolicy, MemberAccount, OrganizationDirectory, over, policy_answers
from irsa_doctor.sources.live.plan import take
from irsa_doctor.sources.snapshot.manifest import Manifest, ManifestAccount, ManifestShard, is_shard_whole, kept_manifest
from irsa_doctor.sources.snapshot.snapshot import Snapshot, snapshot_of, snapshot_text
from irsa_doctor.text.errors import LiveError
from irsa_doctor.text.locking import FileHeld, locked
from irsa_doctor.text.written_files import write_whole
from irsa_doctor.version import __version__

_AT_ONCE = 2
"""calls of one account at the same time: many accounts are read side by side"""
_COLLECTIONS = ("roles", "providers", "clusters")
_LOCK = ".collecting"
_SKEW = timedelta(minutes=5)
"""how far the clocks of two machines may differ; what was read later than that is of a clock that is wrong"""
_LEFTOVER = ".irsa-doctor-"
"""how the names of files begin that a run which was killed has left"""
_PLAIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", re.ASCII)


class OrganizationOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which accounts of the organisation are read, and how.

    `accounts` and `units` choose some, none: all; `excluded` leaves accounts out. `clusters` gives the kubeconfig context of a
    cluster (ARN). `jobs` accounts are read at a time, with `rate` calls a second and service; `account_timeout` is in seconds.
    What is younger than `max_age` is kept, unless all is read again (`fresh`).
    """

    role: str = "irsa-doctor-read"
    accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    clusters: Mapping[str, str] = {}
    jobs: int = 8
    rate: float = 10.0
    account_timeout: float = 300.0
    fresh: bool = False
    max_age: timedelta = timedelta(hours=24)


class Pace:
    """Lets so many calls a second to each service begin; the others wait."""

    def __init__(self, rate: float) -> None:
        self._gap = 1.0 / rate
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def __call__(self, service: str) -> None:
        """Wait until a call to a service may begin."""
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._next.get(service, 0.0))
            self._next[service] = begin + self._gap
        time.sleep(begin - now)


def collect_organization(live: LiveOptions, options: OrganizationOptions, folder: str) -> Manifest:
    """Read the accounts of the organisation of the caller into a folder, and return its manifest.

    What a run before has left there is kept where it is whole and young enough. An account that cannot be read is `unknown` in
    the manifest, with the reason. Raises LiveError where the organisation cannot be listed, OSError where the folder cannot be
    written to.
    """
    collection = _Collection(live, options, folder)
    try:
        return collection.run()
    finally:
        collection.close()


class _Collection:
    def __init__(self, live: LiveOptions, options: OrganizationOptions, folder: str) -> None:
        pace = Pace(options.rate)
        self._stages = CollectionStages(live.progress)
        self._live = msgspec.structs.replace(live, alone=False, at_once=_AT_ONCE, pace=pace, progress=self._stages)
        self._options, self._folder = options, folder
        self._clock = Clock(live.timeout, live.call_timeout)
        profile = live.profiles[0] if live.profiles else ""
        self._caller = AwsAccount(
            profile, live.assume[0] if live.assume else "", self._live, ORGANIZATION, self._clock, Notes()
        )
        self._begun = datetime.now(tz=UTC)
        self._before = self._left = Manifest()
        self.manifest = Manifest()

    def close(self) -> None:
        self._caller.close()

    def _open(self) -> None:
        """Sign in, in the time of one account: what provides the credentials may never answer."""
        clock = Clock(min(self._live.timeout, self._options.account_timeout), self._live.call_timeout)
        side_by_side([Job(self._caller.open, self._caller.late("", "", "AWS"))], clock, Notes())
        if not self._caller.id:
            raise LiveError(f"AWS: {timed_out(clock)}")

    def run(self) -> Manifest:
        self._open()
        directory = OrganizationDirectory(self._caller)
        members = directory.accounts()
        self._refuse_unplaced(members)
        policies, fault = directory.policies()
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        try:
            with locked(os.path.join(self._folder, _LOCK)):
                return self._collect(directory, members, policies, fault)
        except FileHeld as held:
            raise LiveError(f"{self._folder}: {held} is collecting into it") from held

    def _refuse_unplaced(self, members: Sequence[MemberAccount]) -> None:
        """Raise LiveError where the units of accounts are to choose among them, and are not known."""
        unplaced = next((member.unplaced for member in members if member.unplaced), None)
        if self._options.units and unplaced:
            raise LiveError(f"--ou: where the accounts of the organisation are is not known: {unplaced}")

    def _collect(
        self,
        directory: OrganizationDirectory,
        members: Sequence[MemberAccount],
        policies: list[AttachedPolicy],
        fault: CallError | None,
    ) -> Manifest:
        self._left = kept_manifest(self._folder)
        self._before = Manifest() if self._options.fresh else self._left
        _put_in_place(self._folder, self._left.shards)
        _remove_leftovers(self._folder)
        self._begin(directory, members, policies)
        known = {account.id: account for account in self.manifest.accounts}
        waiting = [member for member in members if known[member.id].state == "pending"]
        gap = f"resource control policies of the organisation: {fault.says}" if fault else ""
        tasks: AccountTasks[_AccountRead] = AccountTasks(self._options.jobs)
        for member in waiting:
            tasks.add(known[member.id], self._read, member, over(member, policies, directory.management), gap)

        def note(account: ManifestAccount, came: _AccountRead) -> None:
            self._note(account, *came)
            self._stages.count(len(waiting) - tasks.number, len(waiting))

        self._stages.count(0, len(waiting))
        tasks.run(note, self._stages.end)
        self.manifest.finished = rfc3339(datetime.now(tz=UTC))
        self.manifest.write(self._folder)
        self._remove_unlisted()
        return self.manifest

    # ---- the manifest

    def _begin(
        self, directory: OrganizationDirectory, members: Sequence[MemberAccount], policies: list[AttachedPolicy]
    ) -> None:
        options = self._options
        self.manifest = Manifest(
            organization=directory.id,
            caller={"account": self._caller.id},
            started=rfc3339(self._begun),
            options={"regions": list(self._live.regions) or None, "jobs": options.jobs, "role": options.role},
            accounts=[self._account(member, policies, directory.management) for member in members],
            tool={"version": __version__},
        )
        for account in self.manifest.accounts:
            if account.state == "pending":
                self._keep(account)
            if account.state in ("pending", "excluded"):
                self.manifest.shards += self._left_as_stale(account.id)
        self.manifest.write(self._folder)

    def _left_as_stale(self, account: str) -> list[ManifestShard]:
        """What a run before has left of an account that is not read, or not yet."""
        known = [shard for shard in self._left.shards if shard.account == account and shard.state != "unknown"]
        return [msgspec.structs.replace(shard, state="stale") for shard in known if is_shard_whole(self._folder, shard)]

    def _remove_unlisted(self) -> None:
        """Remove what runs before have left of clusters and accounts that are not there any more: it would be taken for what
        is."""
        listed = {shard.file for shard in self.manifest.shards}
        for shard in self._left.shards:
            if shard.file not in listed and is_shard_whole(self._folder, shard):
                with suppress(OSError):
                    os.unlink(os.path.join(self._folder, shard.file))

    def _account(self, member: MemberAccount, policies: list[AttachedPolicy], management: str) -> ManifestAccount:
        account = ManifestAccount(
            id=member.id,
            name=member.name,
            ou=member.units,
            status=member.status,
            tags=dict(member.tags),
            policies=tuple(sorted(policy.id for policy in over(member, policies, management))),
        )
        chosen = not (self._options.accounts or self._options.units)
        chosen = chosen or member.id in self._options.accounts or not set(self._options.units).isdisjoint(member.units)
        if not chosen or member.id in self._options.excluded:
            account.state, account.why = "excluded", "it was left out by --account, --ou or --exclude"
        return account

    def _keep(self, account: ManifestAccount) -> None:
        """Take what a run before has read of an account, where it is whole and young enough."""
        before = next((known for known in self._before.accounts if known.id == account.id), None)
        shards = self._shards_before(account.id)
        if before is None or before.state not in ("read", "partial") or not shards:
            account.why = before.why if before else None
            return
        taken = [moment_of(shard.taken) for shard in shards]
        is_young = all(t and -_SKEW < self._begun - t < self._options.max_age for t in taken)
        if is_young and all(shard.state == "read" for shard in shards):
            account.state, account.why, account.taken = before.state, before.why, before.taken
            self.manifest.shards += shards

    def _shards_before(self, account: str) -> list[ManifestShard]:
        shards = [shard for shard in self._before.shards if shard.account == account]
        return shards if all(is_shard_whole(self._folder, shard) for shard in shards) else []

    def _note(self, account: ManifestAccount, files: "list[_Shard]", state: Any, why: str | None) -> None:
        """Write the shards of an account and what became of it. What an earlier run has read stays where this one could not."""
        old = [shard for shard in self._shards_before(account.id) if shard.state != "unknown"]
        texts: dict[str, bytes] = {}
        if state == "unknown" and old:
            shards = [msgspec.structs.replace(shard, state="stale") for shard in old]
        elif state == "unknown" and account.why == why and (known := self._shards_before(account.id)):
            shards = known  # it says the same
        else:
            texts = {f"{account.id}/{shard.name}": snapshot_text(shard.snapshot) for shard in files}
            shards = [_manifest_shard(account.id, shard, texts) for shard in files]
        account.state, account.why, account.taken = state, why, shards[0].taken
        self.manifest.shards = [shard for shard in self.manifest.shards if shard.account != account.id] + shards
        self._write(texts)

    def _write(self, texts: Mapping[str, bytes]) -> None:
        """Write files and the manifest that names them; on a full disk what was there stays as it was."""
        staged: dict[str, str] = {}
        try:
            for file, text in texts.items():
                path = os.path.join(self._folder, file)
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                staged[path] = _staged(path)
                write_whole(text, staged[path], private=True)
            # before the files: of what the manifest does not have nobody knows whether it is whole
            self.manifest.write(self._folder)
            for path, stage in staged.items():
                os.replace(stage, path)
        except OSError:
            for stage in staged.values():
                with suppress(OSError):
                    os.unlink(stage)
            raise

    # ---- one account

    def _read(self, member: MemberAccount, policies: list[AttachedPolicy], gap: str) -> "_AccountRead":
        """The shards of an account, and what became of it."""
        if member.status not in ("ACTIVE", ""):
            return self._unread(member.id, f"its status is {member.status}")
        arn = f"arn:{self._caller.partition}:iam::{member.id}:role/{self._options.role}"
        own = member.id == self._caller.id
        options = msgspec.structs.replace(
            self._live,
            aws=True,
            kube=False,
            assume=self._live.assume[:1] if own else (arn,),
            timeout=min(self._options.account_timeout, max(1.0, self._clock.left())),
        )
        try:
            snapshot = take(Plan(ORGANIZATION), options)
        except LiveError as error:
            return self._unread(member.id, str(error))
        if member.unplaced:
            gap = f"resource control policies of the units above account {member.id}: {member.unplaced}"
        if gap:
            missing = (*snapshot.missing, Gap("rcps", member.id, "", gap, ""))
            snapshot = msgspec.structs.replace(snapshot, missing=missing)
        documents = [*snapshot.documents, *policy_answers(member.id, policies)]
        whole = snapshot_of(documents, snapshot.queries, snapshot.missing, version=__version__, taken=snapshot.taken)
        files = [_Shard(name="aws.json", snapshot=whole), *self._clusters(whole)]
        heaviest = min((gap for shard in files for gap in shard.snapshot.missing), key=_weight, default=None)
        return files, "partial" if heaviest else "read", heaviest.missing if heaviest else None

    def _unread(self, account: str, why: str) -> "_AccountRead":
        how = f"let the caller assume {self._options.role} in account {account}"
        gaps = [Gap(name, account, "", f"account {account}: {why}", how) for name in _COLLECTIONS]
        snapshot = snapshot_of((), (), gaps, version=__version__, taken=_now())
        return [_Shard(name="aws.json", snapshot=snapshot, was_read=False)], "unknown", why

    def _clusters(self, account: Snapshot) -> "list[_Shard]":
        """A shard for each cluster of the account, where Kubernetes is read too."""
        if not self._live.kube:
            return []
        arns = (
            str(msgspec.json.decode(answered.document).get("cluster", {}).get("arn") or "")
            for answered in account.documents
            if answered.kind == "eks-describe-cluster"
        )
        return [self._cluster(arn) for arn in sorted(set(arns) - {""})]

    def _cluster(self, arn: str) -> "_Shard":
        parsed = parse_arn(arn)
        region, name = (parsed.region, parsed.name) if parsed and _PLAIN.fullmatch(parsed.name) else ("unknown", "cluster")
        context = self._options.clusters.get(arn, arn)
        options = msgspec.structs.replace(self._live, aws=False, kube=True, contexts=(context,), alone=True)
        was_read = True
        try:
            snapshot = take(Plan("collect"), options)
        except LiveError as error:
            missing = Gap("serviceaccounts", arn, "", f"service accounts of cluster {name}: {error}", f"a context for {arn}")
            snapshot, was_read = snapshot_of((), (), (missing,), version=__version__, taken=_now()), False
        return _Shard(name=f"{region}.{name}.json", snapshot=snapshot, region=region, cluster=arn, was_read=was_read)


class _Shard(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an account."""

    name: str
    snapshot: Snapshot
    region: str = ""
    cluster: str = ""
    was_read: bool = True


def _weight(gap: Gap) -> tuple[bool, int]:
    """The less, the more an account lacks: all of a collection before one item, what everything is judged by first."""
    known = (*_COLLECTIONS, "serviceaccounts")
    return gap.name != "", known.index(gap.collection) if gap.collection in known else len(known)


_AccountRead = tuple[list[_Shard], str, str | None]
"""the shards of an account, what became of it, and why"""


def _manifest_shard(account: str, shard: _Shard, texts: Mapping[str, bytes]) -> ManifestShard:
    file = f"{account}/{shard.name}"
    return ManifestShard(
        file=file,
        account=account,
        region=shard.region or None,
        cluster=shard.cluster or None,
        taken=shard.snapshot.taken,
        sha256=hashlib.sha256(texts[file]).hexdigest(),
        state="read" if shard.was_read else "unknown",
    )


def _now() -> str:
    return rfc3339(datetime.now(tz=UTC))


def _staged(path: str) -> str:
    """Where a file is written before the manifest names it."""
    return os.path.join(os.path.dirname(path), f"{_LEFTOVER}{os.path.basename(path)}")


def _put_in_place(folder: str, shards: Sequence[ManifestShard]) -> None:
    """Put the shards in their places that a run has written and listed, and was killed before it could."""
    for shard in shards:
        staged = _staged(shard.file)
        if is_shard_whole(folder, msgspec.structs.replace(shard, file=staged)):
            with suppress(OSError):
                os.replace(os.path.join(folder, staged), os.path.join(folder, shard.file))


def _remove_leftovers(folder: str) -> None:
    """Remove the half files of a run that was killed."""
    for place, folders, files in os.walk(folder):
        for name in files:
            if name.startswith(_LEFTOVER):
                with suppress(OSError):
                    os.unlink(os.path.join(place, name))
        if place != folder:
            folders.clear()
