"""What is judged together: the files of an account and of its clusters, and whatever cannot be told apart from them."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from irsa_doctor.model import is_account_id, parse_arn
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.limits import reached
from irsa_doctor.sources.files.walk import InputFile, walk, walk_over
from irsa_doctor.sources.loading import Declared, Loaded, Loading
from irsa_doctor.sources.snapshot.shards import MANIFEST, SetAside
from irsa_doctor.sources.snapshot.snapshot import Snapshot, is_snapshot, read_snapshot, unique
from irsa_doctor.text.positions import Documents, Source
from irsa_doctor.version import __version__


class AuditError(IrsaDoctorError):
    """An audit cannot go on: one sentence that says why."""


class ShardChanged(AuditError):
    """A file has other bytes than when the audit began."""


class UnitFile(msgspec.Struct, frozen=True):
    """A file of the input. `content` stands in its place where it is not believed, or cannot be read where it is judged;
    `unread` is what a walk says of a file that is not read. `owners` are the accounts, clusters and answers that it is
    about."""

    path: str
    named: bool
    sha256: str
    is_shard: bool
    owners: frozenset[str]
    content: bytes | None = None
    unread: InputFile | None = None
    number: int = 0
    """its place in the order of reading"""


class Unit(msgspec.Struct, frozen=True):
    """Files that are judged together; `number` is their place in the order of reading."""

    number: int
    files: tuple[UnitFile, ...]
    declared: Declared

    @property
    def digest(self) -> bytes:
        """What it is: the same for the same files, read in the same way."""
        mark = hashlib.sha256(f"{__version__}\0{self.declared.account}\0{sorted(self.declared.complete)}".encode())
        for file in self.files:
            why = file.unread.why if file.unread else ""
            mark.update(f"\0{file.path}\0{file.named}\0{file.sha256}\0{why}".encode(errors="surrogatepass"))
        return mark.digest()[:16]

    @property
    def name(self) -> str:
        """What it is called where something is wrong with it."""
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"{self.files[0].path}{more}"

    @property
    def shards(self) -> int:
        """The number of its snapshots."""
        return sum(file.is_shard for file in self.files)

    def loaded(self) -> Loaded:
        """Its inventory and texts. Raises ShardChanged where a file is not as it was when the audit began."""
        return Loading(map(_read, self.files), self.declared).loaded()

    def shipped(self) -> "Unit":
        """The unit with the contents of its files, for whoever cannot read them. Raises ShardChanged as `loaded` does."""
        files = [file if file.unread else msgspec.structs.replace(file, content=_read(file).content) for file in self.files]
        return msgspec.structs.replace(self, files=tuple(files))

    def unread(self, why: str) -> "Unit":
        """What stands in its place where it cannot be read: nothing is known of its accounts, its other files are unread."""
        owners = sorted({owner for file in self.files if file.is_shard for owner in file.owners})
        accounts = [name for owner in owners if is_account_id(name := owner.removeprefix("account "))]
        gaps = [_of_memory(self.files[0].path, SetAside("", each, "", "unknown", why, "").replacement) for each in accounts]
        others = [_passed(file, why) for file in self.files if not (file.is_shard and accounts)]
        return msgspec.structs.replace(self, files=(*gaps, *others))

    def texts(self, wanted: Collection[str], repeating: Collection[str]) -> Documents:
        """The texts of some of its answers; `repeating` are those in which a member is repeated."""
        contents = [file.content for file in map(_read, self.files) if is_snapshot(file.content)]
        snapshots = [snapshot for snapshot in map(read_snapshot, contents) if isinstance(snapshot, Snapshot)]
        answers = ((path, text) for _, path, text, _ in unique(snapshots) if path in wanted)
        return Documents({path: Source(text, "json", [(0, len(text))], path in repeating) for path, text in answers})


def _passed(file: UnitFile, why: str) -> UnitFile:
    """A file that is not read."""
    return msgspec.structs.replace(file, content=None, unread=InputFile(file.path, file.named, why=why))


def _read(file: UnitFile) -> InputFile:
    if file.unread is not None:
        return file.unread
    if file.content is not None:
        return InputFile(file.path, file.named, file.content)
    item = next(iter(walk([file.path], None)), None)
    if item is not None and item.why is not None and item.why == reached():
        return msgspec.structs.replace(item, path=file.path, named=file.named)
    if item is None or item.why is not None or hashlib.sha256(item.content).hexdigest() != file.sha256:
        raise ShardChanged(f"{file.path} is not there, or is another than when the audit began")
    return msgspec.structs.replace(item, path=file.path, named=file.named)


def input_units(paths: Sequence[str], aside: Sequence[SetAside], declared: Declared, own: Sequence[str] = ()) -> list[Unit]:
    """The units of some paths, without the audit's own files. Everything is one unit where not all of it is snapshots and
    manifests."""
    replaced = {shard.path: shard.replacement for shard in aside if shard.state != "superseded"}
    without = [*own, *(shard.path for shard in aside)]
    items = walk_over([*paths, *declared.files_of(paths)], (), None, without, declared.exclude)
    files = [_unit_file(item) for item in items]
    files += [_of_memory(path, replaced[path]) for path in sorted(replaced)]
    files = [msgspec.structs.replace(file, number=number) for number, file in enumerate(files)]
    is_divided = not (declared.roles or declared.clusters or declared.plans or declared.parameters)
    if not is_divided or not all(file.is_shard or file.unread or _is_manifest(file) for file in files):
        return [Unit(0, tuple(files), declared)] if files else []
    return units_united(((file,) for file in files), [file.owners for file in files], declared)


def units_united(parts: Iterable[Sequence[UnitFile]], owners: Sequence[Iterable[str]], declared: Declared) -> list[Unit]:
    """Parts of the input as units: those that are about one thing are one."""
    groups = list(parts)
    leader = _leaders(owners)
    files: dict[int, list[UnitFile]] = {}
    for number, part in enumerate(groups):
        files.setdefault(leader[number], []).extend(part)
    # in what order documents are read decides which of several a name means
    ordered = (sorted(several, key=lambda file: file.number) for several in files.values())
    return [Unit(number, tuple(several), declared) for number, several in enumerate(ordered)]


def _leaders(owners: Sequence[Iterable[str]]) -> list[int]:
    """Of each part the first of those that it is connected with."""
    leader = list(range(len(owners)))

    def first(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    seen: dict[str, int] = {}
    for number, names in enumerate(owners):
        for name in names:
            other, own = first(seen.setdefault(name, number)), first(number)
            leader[max(other, own)] = min(other, own)
    return [first(number) for number in range(len(owners))]


def _is_manifest(file: UnitFile) -> bool:
    return file.path.rpartition("/")[2] == MANIFEST


def _unit_file(item: InputFile) -> UnitFile:
    if item.why is not None:
        return UnitFile(item.path, item.named, "", False, frozenset({f"file {item.path}"}), None, item)
    owners = _owners(item.content) if is_snapshot(item.content) else None
    content = item.content if item.path == "-" else None
    digest = hashlib.sha256(item.content).hexdigest()
    return UnitFile(item.path, item.named, digest, owners is not None, frozenset(owners or (f"file {item.path}",)), content)


def _of_memory(path: str, content: bytes) -> UnitFile:
    owners = frozenset(_owners(content) or (f"file {path}",))
    return UnitFile(path, True, hashlib.sha256(content).hexdigest(), True, owners, content)


class _Origin(msgspec.Struct):
    account: str = ""
    cluster: str = ""


class _Answer(msgspec.Struct):
    path: str = ""
    origin: _Origin = msgspec.field(default_factory=_Origin)


class _Gap(msgspec.Struct):
    owner: str = ""


class _Outline(msgspec.Struct):
    documents: list[_Answer] = []
    missing: list[_Gap] = []


def _owners(content: bytes) -> set[str] | None:
    """What a snapshot is about: accounts, clusters without one, and the paths of its answers."""
    try:
        outline = msgspec.json.decode(content, type=_Outline)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return set()
    owners: set[str] = set()
    for answer in outline.documents:
        owners |= {f"answer {answer.path}", *owner_names((answer.origin.account, answer.origin.cluster))}
    return owners | set(owner_names(gap.owner for gap in outline.missing))


def owner_names(names: Iterable[str]) -> Iterator[str]:
    """The accounts of ARNs and account ids; what is neither as it is."""
    for name in names:
        arn = parse_arn(name)
        account = arn.account if arn else name
        if account:
            yield f"account {account}" if is_account_id(account) else f"owner {name}"
