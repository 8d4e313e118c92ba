"""Loads the paths of the command line into one inventory: every path ends as read, ignored or unreadable."""

import gc
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain

import msgspec

from irsa_doctor.model import PASSED_OVER, UNREAD_TRUST, Document, Gap, Inventory
from irsa_doctor.model.faults import without_breaking
from irsa_doctor.model.limits import RunLimit, attempt
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.contents import read_waiting
from irsa_doctor.sources.documents.flaws import settle_flaws
from irsa_doctor.sources.documents.reading import DocumentReading, StatedFiles, guarded
from irsa_doctor.sources.files.passing import Exclude
from irsa_doctor.sources.files.rendered import RenderedFolders, is_rendered
from irsa_doctor.sources.files.walk import InputFile, walk, walk_over
from irsa_doctor.sources.files.weight import changes_trust, writes_trust
from irsa_doctor.sources.joining.join import JoinContext, join
from irsa_doctor.sources.one_document import ReadDocument, fault_row, read_document, read_live_answer, unread_document
from irsa_doctor.sources.rows import final_rows
from irsa_doctor.sources.snapshot.snapshot import Origin, Snapshot, is_snapshot, read_snapshot, unique
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.positions import Documents


class Loaded(msgspec.Struct, frozen=True):
    """An inventory, the texts in which its places are located, and the paths of the current state (`--base`)."""

    inventory: Inventory
    documents: Documents
    base: frozenset[str] = frozenset()


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """What the user declares of documents that do not say it themselves.

    `roles` gives the role ARN of bare policies by their path, `clusters` the cluster (name, ARN or issuer) of files or
    folders by path, `account` the account of answers that name none, `complete` the Kubernetes kinds (lower-case plural) for
    which the input is complete, `exclude` the patterns of files that are passed over inside folders. `plans` are plans and
    states by the folder of the configuration in whose place they are, `parameters` files of parameters and variables by the
    template or folder to which they give values. `azure_apps` gives the client id of the app whose credentials a file lists,
    `iam_policies` the resource of Google Cloud whose policy it has, both by path.
    """

    roles: Mapping[str, str] = {}
    clusters: Mapping[str, str] = {}
    account: str | None = None
    complete: Collection[str] = ()
    exclude: Exclude | None = None
    plans: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}
    azure_apps: Mapping[str, str] = {}
    iam_policies: Mapping[str, str] = {}
    named: Collection[str] = ()
    """files and folders that options name: they are read besides"""

    def files_of(self, paths: Sequence[str]) -> list[str]:
        """What is read besides some paths: the plans and files of parameters, where they are there, of what lies in them or
        above them, and what options name that does not lie in them."""
        places = [os.path.abspath(path) + os.sep for path in paths if path != "-"]
        stated = {**self.plans, **self.parameters}
        of_paths = [
            file
            for name, file in stated.items()
            if os.path.isfile(file) and any(_is_around(os.path.abspath(name) + os.sep, place) for place in places)
        ]
        others = (file for file in self.named if file != "-" and not (os.path.abspath(file) + os.sep).startswith(tuple(places)))
        return list(dict.fromkeys((*of_paths, *others)))


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
    tracked: Sequence[str] = (),
    exclude: Exclude | None = None,
    plans: Mapping[str, str] = {},
    parameters: Mapping[str, str] = {},
    azure_apps: Mapping[str, str] = {},
    iam_policies: Mapping[str, str] = {},
    named: Collection[str] = (),
) -> Loaded:
    """Read files, folders and `-` (standard input) into one inventory; never raises for what is in them.

    `roles`, `clusters`, `account`, `complete`, `exclude`, `plans`, `parameters`, `azure_apps`, `iam_policies` and `named` are
    those of Declared. `memory` holds documents by path, read like files; `snapshots` what live sources answered, which is read
    in the same way as a snapshot among the paths. `base` are further files and folders, a snapshot for example, over which the
    others are laid: where both have an object, that of the others counts. Files of `without` are left out; those of `tracked`
    are read wherever they lie.
    """
    declared = Declared(
        roles=roles,
        clusters=clusters,
        account=account,
        complete=complete,
        exclude=exclude,
        plans=plans,
        parameters=parameters,
        azure_apps=azure_apps,
        iam_policies=iam_policies,
        named=named,
    )
    paths = [*paths, *declared.files_of([*paths, *base])]
    in_memory = (InputFile(path, True, memory[path]) for path in sorted(memory))
    return Loading(chain(walk_over(paths, base, stdin, without, exclude, tracked), in_memory), declared).loaded(snapshots)


class Loading:
    """Documents that are read once each, with live answers that may be added before and after they are joined."""

    def __init__(self, files: Iterable[InputFile] = (), declared: Declared = _NOTHING_DECLARED) -> None:
        self._declared = declared
        self._roles = {_plain(path): arn for path, arn in declared.roles.items()}
        self._snapshots: list[Snapshot] = []
        self._base: set[str] = set()
        self._base_snapshots: list[Snapshot] = []
        self._answers: dict[str, ReadDocument] = {}
        self._rendered = RenderedFolders()
        with _without_collector():
            self._files = [self._file_within_limits(file) for file in files]
            self._follow_calls()
            readings = [part.reading for part in self._files if part.reading]
            for reading in readings:
                if not reading.named and self._rendered.is_kustomized(reading.path):
                    _without_names(reading)
            _read_instances(readings, self._files)
            _apply_kustomizations(readings)
            self._read_together(readings)
            self._note_unread_trust()

    @classmethod
    def of(cls, paths: Sequence[str], *, stdin: bytes | None = None, declared: Declared = _NOTHING_DECLARED) -> "Loading":
        """The documents of paths, which are read at once."""
        return cls(walk_over([*paths, *declared.files_of(paths)], (), stdin, exclude=declared.exclude), declared)

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
                guarded((reading,), partial(settle_flaws, reading, documents))
            work = partial(join, stated=self._context(snapshots))
            inventory = without_breaking(readings, work, DocumentReading.note_fault)
            rows = final_rows([part.row for part in parts], {reading.path: reading for reading in readings}, documents)
            return Loaded(msgspec.structs.replace(inventory, documents=tuple(rows)), documents, frozenset(self._base))

    def _follow_calls(self) -> None:
        """Read the modules that templates call by path, where a walk has passed over their folders."""
        passed = tuple(part.row.path for part in self._files if part.row.kind == PASSED_OVER and part.row.path.endswith("/"))
        seen: set[str] = set()
        while passed and (called := _called_in(passed, (part.reading for part in self._files if part.reading)) - seen):
            seen |= called
            known = {part.row.path for part in self._files}
            more = walk(sorted(path for path in called if os.path.isdir(path)), None)
            self._files += [self._file_within_limits(file) for file in more if file.path not in known]

    def _file_within_limits(self, file: InputFile) -> ReadDocument:
        """A document, or that the run reached a limit before it was read to its end."""
        part = attempt(partial(self._read_or_report, file))
        return unread_document(file.path, part.why, file.named) if isinstance(part, RunLimit) else part

    def _read_together(self, readings: Sequence[DocumentReading]) -> None:
        """Reads what needs several files at once: modules of Terraform, and templates whose parameters stand elsewhere."""
        texts = {part.row.path: part.content for part in self._files if part.content}
        late = [reading.path for reading in readings if reading.syntax or reading.variables or reading.waiting]

        def read() -> None:
            used = _read_modules(readings, texts, StatedFiles(self._declared.plans, self._declared.parameters))
            used |= _named_templates(readings, self._files)
            self._files = [_passed_on(part) if part.row.path in used else part for part in self._files]
            read_waiting(readings, self._declared.parameters)

        if isinstance(limit := attempt(read), RunLimit):
            self._files = [
                unread_document(part.row.path, limit.why, part.row.named) if part.row.path in late else part
                for part in self._files
            ]

    def _note_unread_trust(self) -> None:
        """Note the documents that write a trust policy of which no role came: a patch, or the input of another tool."""
        for part in self._files:
            reading = part.reading
            if reading is None or reading.roles or reading.rcps or reading.role_policies or reading.passed_on:
                continue
            if reading.syntax and not reading.path.endswith(".hcl"):
                continue
            is_kustomized = reading.kustomization is not None
            if writes_trust(part.content, in_texts=is_kustomized) or changes_trust(part.content, is_kustomized):
                missing = f"trust policies that {reading.path} writes: nothing that is read makes a role of them"
                how = "what is made of it among the input"
                reading.gaps.append(Gap(UNREAD_TRUST, reading.path, reading.path, missing, how))

    def _context(self, snapshots: Sequence[Snapshot]) -> JoinContext:
        queries = tuple(query for snapshot in snapshots for query in snapshot.queries)
        gaps = tuple(gap for snapshot in snapshots for gap in snapshot.missing)
        declared = self._declared
        of_files = declared.clusters, self._complete_kinds()
        return JoinContext(declared.account or "", *of_files, queries, gaps, declared.azure_apps, declared.iam_policies)

    def _complete_kinds(self) -> Collection[str]:
        """The kinds of which the input has all objects: a chart that is not rendered makes more than manifests say, an export
        of a cluster has them."""
        if not self._rendered.has_charts:
            return self._declared.complete
        readings = [part.reading for part in self._files if part.reading]
        accounts = [("serviceaccounts", item.created) for reading in readings for item in reading.service_accounts]
        workloads = [(f"{item.kind.lower()}s", item.created) for reading in readings for item in reading.workloads]
        exported = {kind for kind, created in (*accounts, *workloads) if created}
        written = {kind for kind, _ in (*accounts, *workloads)} - exported
        return [kind for kind in self._declared.complete if kind.lower() not in written] if exported else ()

    def _read_or_report(self, file: InputFile) -> ReadDocument:
        """A document, or a row that says that an error of ours has cost it."""
        try:
            return self._read_file(file)
        except Exception as error:  # noqa: BLE001 - an error of ours costs one document
            return ReadDocument(file.content, fault_row(file, error), None, None)

    def _read_file(self, file: InputFile) -> ReadDocument:
        """A document; a snapshot has a row, and what is in it is read with the live answers."""
        self._base.update((file.path,) if file.base else ())
        if not file.passed_over and not file.named and (row := self._rendered_row(file)):
            return ReadDocument(file.content, row, None, None)
        snapshot = read_snapshot(file.content) if is_snapshot(file.content) else None
        if snapshot is None:
            return read_document(file, self._roles.get(_plain(file.path), ""), Origin())
        row = Document(file.path, "snapshot", "read", None, hashlib.sha256(file.content).hexdigest(), named=file.named)
        if isinstance(snapshot, TextError):
            line, column = snapshot.line, snapshot.column
            row = msgspec.structs.replace(row, status="unreadable", why=snapshot.why, line=line, column=column)
            return ReadDocument(file.content, row, None, None)
        self._snapshots.append(snapshot)
        self._base_snapshots += [snapshot] if file.base else []
        return ReadDocument(file.content, row, None, None)

    def _rendered_row(self, file: InputFile) -> Document | None:
        """The row of a file that a program renders, with how that is done; None for any other."""
        how = self._rendered.note(file.path, file.content)
        if how and "kustomize" not in how:
            return Document(file.path, "helm-chart", "ignored", how, hashlib.sha256(file.content).hexdigest())
        if not (chart := self._rendered.chart_of(file.path)) or not is_rendered(file.path, file.content):
            return None
        why = f"a template of the Helm chart {chart}: helm template {chart} | irsa-doctor check -"
        return Document(file.path, "helm-template", "ignored", why, hashlib.sha256(file.content).hexdigest())

    def _read_answers(self, snapshots: Sequence[Snapshot]) -> Iterator[ReadDocument]:
        """The answers in snapshots. One that was read before is not read again; its origin may be known better now."""
        for snapshot, path, content, answered in unique(snapshots):
            is_base = any(snapshot is base for base in self._base_snapshots)
            self._base.update((path,) if is_base else ())
            part = self._answers.get(path)
            if part is None or part.content != content:
                part = read_live_answer(
                    InputFile(path, True, content, base=is_base), self._roles.get(_plain(path), ""), answered
                )
                self._answers[path] = part
            elif part.reading:
                part.reading.origin = answered.origin
            yield part


def _without_names(reading: DocumentReading) -> None:
    """Of service accounts without a namespace, to which kustomize gives one, only the annotations are certain."""
    named = [account for account in reading.service_accounts if account.namespace != "default"]
    reading.account_templates += [account for account in reading.service_accounts if account.namespace == "default"]
    reading.service_accounts[:] = named


@contextmanager
def _without_collector() -> Iterator[None]:
    """Loading makes no reference cycles, and collecting them again and again costs more than the loading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _is_around(one: str, other: str) -> bool:
    """Whether one of two folders is the other or lies in it."""
    return one.startswith(other) or other.startswith(one)


def _plain(path: str) -> str:
    return path if path == "-" else os.path.abspath(path)


def _called_in(folders: tuple[str, ...], readings: Iterable[DocumentReading]) -> set[str]:
    """The folders of modules that templates call by path and that lie in some folders."""
    configuration = [reading for reading in readings if reading.syntax]
    if not configuration:
        return set()
    from irsa_doctor.sources.templates.terraform.configuration import called_folders

    return {path for path in called_folders(configuration) if f"{path}/".startswith(folders)}


def _passed_on(part: ReadDocument) -> ReadDocument:
    """A file that Terraform configuration reads: one that is neither JSON nor YAML as it stands is a template for it."""
    if part.row.status != "unreadable" or part.row.named:
        return part
    why = "a template that Terraform configuration reads, judged where it is used"
    row = msgspec.structs.replace(
        part.row, kind="terraform-template", status="ignored", why=why, line=0, column=0, matters=False
    )
    return msgspec.structs.replace(part, row=row)


def _read_instances(readings: Sequence[DocumentReading], parts: Sequence[ReadDocument]) -> None:
    """Read the graphs of kro for their instances, when all files are read."""
    if any(reading.graphs for reading in readings):
        from irsa_doctor.sources.templates.controllers.graph_instances import read_instances

        read_instances(readings, {part.row.path: part.content for part in parts})


def _apply_kustomizations(readings: Sequence[DocumentReading]) -> None:
    """Take the names from objects that a kustomization renames, when all files are read."""
    renaming = [reading for reading in readings if reading.kustomization or reading.target_namespaces or reading.patched_below]
    if renaming:
        from irsa_doctor.sources.templates.kustomizations import apply_renaming

        guarded(renaming, partial(apply_renaming, readings))


def _named_templates(readings: Sequence[DocumentReading], parts: Sequence[ReadDocument]) -> set[str]:
    """The paths of templates that cannot be read by themselves and that Terraform configuration names."""
    lost = [part.row.path for part in parts if part.row.status == "unreadable" and _IN_TEMPLATE.search(part.content)]
    if not lost or not any(reading.syntax for reading in readings):
        return set()
    from irsa_doctor.sources.templates.terraform.named_templates import named_templates

    return named_templates(readings, lost)


_IN_TEMPLATE = regex(rb"[$%]\{|\{\{")


def _read_modules(readings: Sequence[DocumentReading], texts: Mapping[str, bytes], stated: StatedFiles) -> set[str]:
    """Read Terraform configuration, when all of its files are parsed; `texts` are those of all files. Returns the paths of
    those that its expressions read."""
    read: set[str] = set()
    if any(reading.syntax or reading.variables for reading in readings):
        from irsa_doctor.sources.templates.terraform.configuration import read_modules

        configuration = [reading for reading in readings if reading.syntax or reading.variables]
        guarded(configuration, lambda: read.update(read_modules(readings, texts, stated)))
    return read
