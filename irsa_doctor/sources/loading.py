"""Loads given paths into one inventory: every path ends as read, ignored or unreadable."""

import gc
import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain

import msgspec

from irsa_doctor.model import Document, Flaw, Inventory, Place, TrustPolicy
from irsa_doctor.sources.documents import kinds
from irsa_doctor.sources.documents.bulk import FROM, read_bulk
from irsa_doctor.sources.documents.policies import concerns, says_duplicate, unwrapped
from irsa_doctor.sources.documents.reading import Page, Reading
from irsa_doctor.sources.files.walk import Given, walk_over
from irsa_doctor.sources.joining.join import Said, join
from irsa_doctor.sources.snapshot.snapshot import ANSWER_KINDS, Answered, Origin, Snapshot, is_snapshot, read_snapshot, unique
from irsa_doctor.text.encoding import NoText, settle
from irsa_doctor.text.errors import Trouble
from irsa_doctor.text.json import read_json, read_pieces, split_values
from irsa_doctor.text.lines import Span
from irsa_doctor.text.positions import Documents, Source
from irsa_doctor.text.scanner import Duplicate, Scan

_DATA = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".gz")
"""How files are called that should be data: one of them that is not is worth a word."""
_YAML_LIMIT = 64 << 20
"""Bytes of YAML that are read: a node takes a hundred times the memory of its text."""
_WHOLE_LIMIT = 1_000_000
"""Bytes of JSON up to which a document is read strictly as a whole, else piece by piece."""
_YAML_SIGN = re.compile(
    rb"""^(?:-\s+)?["']?(?:apiVersion|kind|Statement|Role|Roles|RoleName|RoleDetailList|OpenIDConnectProviderList|Url|clusters"""
    rb"""|cluster|associations?|Policy|keys|issuer|AWSTemplateFormatVersion|Resources|Version)["']?[ \t]*:""",
    re.MULTILINE,
)
_FLOW = re.compile(rb"\s*\{\s*[A-Za-z_]")
_VARIABLES = re.compile(r"\.tfvars(?:\.json)?$")
"""Files of Terraform's variables: the only ones that are told by their names, as Terraform tells them."""
_TEMPLATE = re.compile(rb"\{\{|\{%")


class Loaded(msgspec.Struct, frozen=True):
    """What was read, and the texts in which places are found; `base` are the paths of what a change is laid over."""

    inventory: Inventory
    documents: Documents
    base: frozenset[str] = frozenset()


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """What the user declares of documents that do not say it themselves.

    `roles` gives the role ARN of bare policies by their path, `clusters` the cluster (name, ARN or issuer) of files or
    folders by path, `account` the account of answers that name none, `complete` the Kubernetes kinds (lower-case plural) for
    which the input is complete.
    """

    roles: Mapping[str, str] = {}
    clusters: Mapping[str, str] = {}
    account: str | None = None
    complete: Collection[str] = ()


_NOTHING_DECLARED = Declared()


def load(  # noqa: PLR0913 - all that can be declared of what is read
    paths: Sequence[str],
    *,
    stdin: bytes | None = None,
    roles: Mapping[str, str] = {},
    clusters: Mapping[str, str] = {},
    account: str | None = None,
    complete: Collection[str] = (),
    memory: Mapping[str, bytes] = {},
    snapshots: Sequence[Snapshot] = (),
    base: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Loaded:
    """Read files, folders and `-` (standard input) into one inventory; never raises for what is in them.

    `roles`, `clusters`, `account` and `complete` are those of Declared. `memory` holds documents by path, read like files;
    `snapshots` what live sources answered, which is read in the same way as a snapshot among the paths. `base` are further
    files and folders, a snapshot for example, over which the others are laid: what both have is as the others say. Files of
    `without` are left out.
    """
    declared = Declared(roles=roles, clusters=clusters, account=account, complete=complete)
    in_memory = (Given(path, True, memory[path]) for path in sorted(memory))
    return Loading(chain(walk_over(paths, base, stdin, without), in_memory), declared).loaded(snapshots)


class _Part(msgspec.Struct, frozen=True):
    """One document that was read: its text, its row, what it gave, and where places in it are found."""

    content: bytes
    row: Document
    reading: Reading | None
    source: Source | None


class Loading:
    """Documents that are read once each, with live answers that may be added before and after they are joined."""

    def __init__(self, files: Iterable[Given] = (), declared: Declared = _NOTHING_DECLARED) -> None:
        self._declared = declared
        self._roles = {_plain(path): arn for path, arn in declared.roles.items()}
        self._snapshots: list[Snapshot] = []
        self._base: set[str] = set()
        self._base_snapshots: list[Snapshot] = []
        self._answers: dict[str, _Part] = {}
        with _without_collector():
            self._files = [self._read_file(file) for file in files]
            readings = [part.reading for part in self._files if part.reading]
            _read_modules(readings)
            _read_waiting(readings)

    @classmethod
    def of(cls, paths: Sequence[str], *, stdin: bytes | None = None, declared: Declared = _NOTHING_DECLARED) -> "Loading":
        """The documents of paths, which are read at once."""
        return cls(walk_over(paths, (), stdin), declared)

    def loaded(self, live: Sequence[Snapshot] = ()) -> Loaded:
        """The inventory of the documents and of what live sources have answered up to now.

        An inventory is good until the next one is made of the same documents, which takes over their records.
        """
        with _without_collector():
            snapshots = [*live, *self._snapshots]
            parts = [*self._files, *self._read_answers(snapshots)]
            documents = Documents({part.row.path: part.source for part in parts if part.source})
            readings = [part.reading for part in parts if part.reading]
            for reading in readings:
                _settle_flaws(reading, documents)
            inventory = join(readings, self._said(snapshots))
            rows = _told([part.row for part in parts], {reading.path: reading for reading in readings}, documents)
            return Loaded(msgspec.structs.replace(inventory, documents=tuple(rows)), documents, frozenset(self._base))

    def _said(self, snapshots: Sequence[Snapshot]) -> Said:
        asked = tuple(query for snapshot in snapshots for query in snapshot.asked)
        gaps = tuple(gap for snapshot in snapshots for gap in snapshot.missing)
        return Said(self._declared.account or "", self._declared.clusters, self._declared.complete, asked, gaps)

    def _read_file(self, file: Given) -> _Part:
        """A document; a snapshot has a row, and what is in it is read with the live answers."""
        self._base.update((file.path,) if file.base else ())
        snapshot = read_snapshot(file.content) if is_snapshot(file.content) else None
        if snapshot is None:
            return _read(file, self._roles.get(_plain(file.path), ""), Origin())
        row = Document(file.path, "snapshot", "read", None, hashlib.sha256(file.content).hexdigest(), named=file.named)
        if isinstance(snapshot, Trouble):
            line, column = snapshot.line, snapshot.column
            row = msgspec.structs.replace(row, status="unreadable", why=snapshot.why, line=line, column=column)
            return _Part(file.content, row, None, None)
        self._snapshots.append(snapshot)
        self._base_snapshots += [snapshot] if file.base else []
        return _Part(file.content, row, None, None)

    def _read_answers(self, snapshots: Sequence[Snapshot]) -> Iterator[_Part]:
        """The answers in snapshots. One that was read before is not read again; its origin may be known better now."""
        for snapshot, path, content, answered in unique(snapshots):
            is_base = any(snapshot is base for base in self._base_snapshots)
            self._base.update((path,) if is_base else ())
            part = self._answers.get(path)
            if part is None or part.content != content:
                part = _read_answer(Given(path, True, content, base=is_base), self._roles.get(_plain(path), ""), answered)
                self._answers[path] = part
            elif part.reading:
                part.reading.origin = answered.origin
            yield part


def _read_answer(document: Given, role_arn: str, answered: Answered) -> _Part:
    """A live answer, read as the kind that was requested; those of earlier versions are recognised like files."""
    if not answered.kind:
        return _read(document, role_arn, answered.origin)
    row = Document(document.path, answered.kind, "ignored", None, hashlib.sha256(document.content).hexdigest(), named=True)
    if answered.kind not in ANSWER_KINDS:
        why = f"a live answer of kind {answered.kind}, which this version does not read"
        return _Part(document.content, msgspec.structs.replace(row, status="unreadable", why=why), None, None)
    reading = Reading(document.path, origin=answered.origin, base=document.base, named=True)
    text = document.content
    if len(text) >= FROM and read_bulk(text, document.path, reading, answered.kind):
        return _Part(text, row, reading, Source(text, "json", [(0, len(text))]))
    scan = read_json(text)
    if isinstance(scan, Trouble):
        return _Part(text, _refused(row, scan, text), None, None)
    page = Page(scan.value, Place(document.path), scan.duplicates)
    _read_now(page, reading, partial(kinds.read_answer, answered.kind))
    return _Part(text, row, reading, Source(text, "json", [(0, len(text))], bool(scan.duplicates)))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing here makes cycles, and looking for them again and again costs more than the reading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _plain(path: str) -> str:
    import os

    return path if path == "-" else os.path.abspath(path)


def _read(document: Given, role_arn: str, origin: Origin) -> _Part:
    """A document of which nobody knows the kind."""
    content = document.content
    if document.why is not None:
        row = Document(document.path, "", "ignored" if document.passed else "unreadable", document.why, named=document.named)
        return _Part(content, row, None, None)
    digest = hashlib.sha256(content).hexdigest()
    row = Document(document.path, "", "ignored", "empty", digest, named=document.named)
    text = settle(content) if content and not content.isspace() else b""
    if isinstance(text, Trouble):
        return _Part(content, _refused(row, text, content), None, None)
    if not text or text.isspace():
        return _Part(content, row, None, None)
    if known := kinds.kind_of_text(text):
        return _Part(content, msgspec.structs.replace(row, kind=known[0], why=known[1]), None, None)
    reading = Reading(document.path, role_arn=role_arn, origin=origin, base=document.base, named=document.named)
    source = _read_configuration(document, text, reading)
    if source is None:
        source = _read_text(text, reading, _is_data(document, text))
    if source is None:
        row = msgspec.structs.replace(row, kind="text", why="neither JSON nor YAML of a known kind")
        return _Part(content, row, None, None)
    if isinstance(source, Trouble):
        return _Part(content, _refused(row, source, text), None, None)
    source.spots = reading.spots
    return _Part(content, row, reading, source)


def _read_configuration(given: Given, text: bytes, reading: Reading) -> Source | Trouble | None:
    """Terraform configuration, or a file of its variables; None where the text is neither."""
    is_variables = _VARIABLES.search(given.path) is not None
    if not is_variables and not kinds.is_configuration(text, given.path):
        return None
    from irsa_doctor.sources.templates.terraform import configuration as hcl

    if is_variables and not hcl.sets_variables(given.path, given.named):
        reading.kinds.append("terraform-variables")
        reading.passed.append("variables for one of several environments: name the file to have them used")
        return Source(text, "hcl")
    read = hcl.read_variables if is_variables else hcl.read_file
    return read(text, reading) or Source(text, "hcl")


def _read_modules(readings: Sequence[Reading]) -> None:
    """Read Terraform configuration, now that all of it is there."""
    if any(reading.syntax or reading.variables for reading in readings):
        from irsa_doctor.sources.templates.terraform.configuration import read_modules

        read_modules(readings)


def _is_data(given: Given, text: bytes) -> bool:
    """Whether a file is worth a complaint when it cannot be read."""
    if given.named or given.path.lower().endswith(_DATA):
        return True
    return text.lstrip()[:1] == b"{" and kinds.is_like_policy(text)


def _refused(row: Document, trouble: Trouble, content: bytes) -> Document:
    """The row of something that should have been readable; of something that nobody meant to be read."""
    is_data = row.named or row.path.lower().endswith(_DATA) or kinds.is_like_policy(content)
    if isinstance(trouble, NoText) and not row.named and not row.path.lower().endswith(_DATA):
        return msgspec.structs.replace(row, kind="binary", why=trouble.why)
    if not is_data:
        return msgspec.structs.replace(row, kind="text", why=trouble.why)
    return msgspec.structs.replace(
        row,
        status="unreadable",
        why=trouble.why,
        line=trouble.line,
        column=trouble.column,
        like_policy=kinds.is_like_policy(content),
    )


def _read_text(text: bytes, reading: Reading, is_data: bool) -> Source | Trouble | None:
    """Fill the reading; None where the text is nothing that is read and nobody called it data."""
    first = text.lstrip()[:1]
    if first in (b"{", b"["):
        return _read_json(text, reading, is_data)
    if first in (b'"', b"%"):
        policy = unwrapped(text)
        if policy is not text and policy.lstrip()[:1] == b"{":
            return _read_wrapped(text, policy, reading)
    if text.lstrip().startswith((b"//", b"/*")) and kinds.is_like_policy(text):
        # JSON with comments, which YAML would take for one long text
        scan = read_json(text)
        return scan if isinstance(scan, Trouble) else None
    if not is_data and not _YAML_SIGN.search(text):
        return None
    result = _read_yaml(text, reading)
    return None if isinstance(result, Trouble) and not is_data else result


def _read_wrapped(text: bytes, policy: bytes, reading: Reading) -> Source | Trouble:
    """A policy as IAM's API gives it: URL-encoded, or as a JSON string. Positions inside have no meaning then."""
    scan = read_json(policy)
    if isinstance(scan, Trouble):
        return Trouble(f"{scan.why} (in the decoded policy, {scan.line}:{scan.column})", 1, 1)
    _read_page(Page(scan.value, Place(reading.path), scan.duplicates), reading)
    return Source(text, "other")


def _read_json(text: bytes, reading: Reading, is_data: bool) -> Source | Trouble | None:
    if len(text) >= FROM and read_bulk(text, reading.path, reading):
        return Source(text, "json", [(0, len(text))])
    scan = _in_pieces(text) if len(text) > _WHOLE_LIMIT else read_json(text)
    if not isinstance(scan, Scan):
        scan = _in_pieces(text) or read_json(text)
    if isinstance(scan, Scan):
        _read_page(Page(scan.value, Place(reading.path), scan.duplicates), reading)
        return Source(text, "json", [(0, len(text))], bool(scan.duplicates))
    ranges = split_values(text)
    if len(ranges) > 1:
        return _read_values(text, ranges, reading)
    if _FLOW.match(text):
        source = _read_yaml(text, reading)
        if isinstance(source, Source) and reading.gave_something():
            return source
    if _TEMPLATE.search(text):
        why = f"a template (Helm, Jinja or the like) that is no JSON before it is rendered: {scan.why}"
        return Trouble(why, scan.line, scan.column)
    return scan if is_data else None


def _in_pieces(text: bytes) -> Scan | None:
    """Read what is too big to be read whole, or has parts that cannot be read."""
    scan = read_pieces(text)
    if scan is None or not scan.duplicates:
        return scan
    finder = Documents({"": Source(text, "json", [(0, len(text))], True)})

    def moved(item: Duplicate) -> Duplicate:
        piece = Place("", "/".join(item.pointer.split("/")[: 3 if isinstance(_member(scan, item), list) else 2]))
        span = finder.locate(piece)
        return msgspec.structs.replace(item, first=_moved(item.first, span), second=_moved(item.second, span))

    return Scan(scan.value, tuple(moved(item) for item in scan.duplicates))


def _member(scan: Scan, item: Duplicate) -> object:
    """The member of the whole in which something is given twice."""
    name = item.pointer.split("/")[1].replace("~1", "/").replace("~0", "~")
    return scan.value.get(name) if isinstance(scan.value, dict) else None


def _moved(position: tuple[int, int], start: Span) -> tuple[int, int]:
    """A position inside a piece that starts somewhere as one of the whole."""
    line, column = position
    return line + start.line - 1, column + start.column - 1 if line == 1 else column


def _read_values(text: bytes, ranges: list[tuple[int, int]], reading: Reading) -> Source:
    """JSON lines, or values one after the other: each is a part of its own, and a broken one loses none of the others."""
    repeats, line, done = False, 1, 0
    for part, (start, end) in enumerate(ranges):
        line += text.count(b"\n", done, start)
        done = start
        scan = read_json(text[start:end])
        if isinstance(scan, Scan) and not scan.duplicates:
            _read_page(Page(scan.value, Place(reading.path, "", part)), reading)
            continue
        before = Span(line, len(text[text.rfind(b"\n", 0, start) + 1 : start].decode()) + 1)
        if isinstance(scan, Trouble):
            reading.troubles.append(Trouble(scan.why, *_moved((scan.line, scan.column), before)))
            continue
        repeats = True
        moved = tuple(
            msgspec.structs.replace(item, first=_moved(item.first, before), second=_moved(item.second, before))
            for item in scan.duplicates
        )
        _read_page(Page(scan.value, Place(reading.path, "", part), moved), reading)
    return Source(text, "json", ranges, repeats)


def _read_yaml(text: bytes, reading: Reading) -> Source | Trouble:
    from irsa_doctor.text.yaml import read_yaml

    if len(text) > _YAML_LIMIT:
        return Trouble(f"{len(text) >> 20} MiB of YAML: too much, give it as JSON")
    documents = read_yaml(text)
    if isinstance(documents, Trouble):
        return documents
    for part, document in enumerate(documents):
        _read_page(Page(document.value, Place(reading.path, "", part), document.duplicates), reading)
    return Source(text, "yaml")


def _read_page(page: Page, reading: Reading) -> None:
    """Read a page; what is given twice in it outside of policies is noted. A template with parameters waits for them."""
    if kinds.waits(page.value):
        reading.waiting.append(page)
        return
    _read_now(page, reading)


def _read_waiting(readings: Sequence[Reading]) -> None:
    """Read the templates that waited, now that all that may be given to them is there."""
    if not any(reading.waiting or reading.parameters for reading in readings):
        return
    from irsa_doctor.sources.templates.cloudformation.parameters import give_parameters

    give_parameters(readings)
    for reading in readings:
        for page in reading.waiting:
            _read_now(page, reading)
        reading.waiting = []


def _read_now(page: Page, reading: Reading, read: Callable[[Page, Reading], None] = kinds.read_page) -> None:
    roles, rcps = len(reading.roles), len(reading.rcps)
    read(page, reading)
    if page.duplicates:
        policies = [role.policy for role in reading.roles[roles:]] + [rcp.document for rcp in reading.rcps[rcps:]]
        # a policy that a template makes has no flaws of the document
        places = [policy.place for policy in policies if isinstance(policy, TrustPolicy) and policy.flaws]
        for item in page.duplicates:
            if not any(concerns(item, place) for place in places):
                reading.duplicates.append((page.place, item))


def _settle_flaws(reading: Reading, documents: Documents) -> None:
    """Give the flaws of policies that were read as texts of their own their places in the document."""
    if not reading.apart:
        return
    apart = set(reading.apart)
    for number, role in enumerate(reading.roles):
        if isinstance(role.policy, TrustPolicy) and role.policy.place in apart:
            policy = _with_settled_flaws(role.policy, documents)
            reading.roles[number] = msgspec.structs.replace(role, policy=policy)
    for number, rcp in enumerate(reading.rcps):
        if rcp.document.place in apart:
            reading.rcps[number] = msgspec.structs.replace(rcp, document=_with_settled_flaws(rcp.document, documents))
    reading.apart = []


def _with_settled_flaws(policy: TrustPolicy, documents: Documents) -> TrustPolicy:
    """Lines of a policy inside a text are no lines of the document: there the text's place has to do."""
    span = documents.locate(policy.place)
    inside = documents.is_text(policy.place)

    def settled(flaw: Flaw) -> Flaw:
        if not inside:
            line, column = _moved((flaw.line, flaw.column), span)
            return msgspec.structs.replace(flaw, line=line, column=column)
        message = f"{flaw.message} (line {flaw.line}, column {flaw.column} of the policy's text)"
        return msgspec.structs.replace(flaw, message=message, line=span.line, column=span.column)

    return msgspec.structs.replace(policy, flaws=tuple(settled(flaw) for flaw in policy.flaws))


def _told(rows: Sequence[Document], readings: Mapping[str, Reading], documents: Documents) -> Iterator[Document]:
    """The rows, now that it is known what came of each document."""
    for row in rows:
        reading = readings.get(row.path)
        if reading is None:
            yield row
            continue
        broken = _broken_row(row, reading, documents)
        if broken is None or reading.gave_something():
            yield _read_row(row, reading)
        if broken is not None:
            yield broken


def _read_row(row: Document, reading: Reading) -> Document:
    kind = ", ".join(reading.kinds) or "other"
    if reading.gave_something():
        return msgspec.structs.replace(row, kind=kind, status="read", why="; ".join(reading.notes) or None)
    why = "; ".join(dict.fromkeys(reading.passed)) or "no document of a known kind"
    if reading.kinds == ["kubernetes"]:
        why = "no object of a kind that is read"
    return msgspec.structs.replace(row, kind=kind, why=why)


def _broken_row(row: Document, reading: Reading, documents: Documents) -> Document | None:
    """One row for all that could not be read of a document, or is given twice in it: the first, and how many more."""
    faults = [(trouble.line, trouble.column, trouble.why) for trouble in reading.troubles]
    for place, why in reading.broken:
        span = documents.locate(place)
        faults.append((span.line, span.column, f"{why} at {place.pointer or '/'}"))
    for _, item in reading.duplicates:
        faults.append((*item.second, f"{says_duplicate(item)}; the last one is read"))
    if not faults:
        return None
    line, column, why = min(faults)
    more = len(faults) - 1
    why += f" (and {more} more of the kind)" if more else ""
    return msgspec.structs.replace(
        row,
        kind=", ".join(reading.kinds) or "other",
        status="unreadable",
        why=why,
        line=line,
        column=column,
        like_policy=any(kind.startswith("iam-") or kind == "trust-policy" for kind in reading.kinds),
    )
