"""Compares whom two states of a project's trust policies admit."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from irsa_doctor.api.check import judged_as_change, newly_differing
from irsa_doctor.api.governed import governing_of, input_of, limited_to, today_here
from irsa_doctor.api.load import NO_SETTINGS, NothingRead, has_read, load_files, nothing_read
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.faults import judged_or_named
from irsa_doctor.model.limits import renew
from irsa_doctor.model.nearness import suggestion

if TYPE_CHECKING:
    from irsa_doctor.answers.diff import LostDocuments, RoleChange
    from irsa_doctor.facts import AnalysedRole, View
    from irsa_doctor.model import Document
    from irsa_doctor.model.findings import Finding, Report
    from irsa_doctor.sources import Loaded


def diff(
    old: Sequence[str],
    new: Sequence[str],
    *,
    settings: Settings = NO_SETTINGS,
    revision: str | None = None,
    today: date | None = None,
) -> "tuple[RoleChange, ...]":
    """What the trust policies of `new` admit beyond those of `old`, and the reverse, role by role.

    Both are paths. With `revision`, `old` is left out of account: the paths of `new` at that revision of git are compared with
    those of the work tree, and paths of policies are shown from the top of the repository. A new role has the ids of the rules
    by which `check` would fail it on `today`, one that cannot be compared those by which it did not fail before. A document of
    `new` that cannot be judged, and could be before, is a change of its own; a role that may be in it is unknown, not removed.

    Raises NoRevision, NothingRead where a side holds nothing that can be read, NotJudged, RuleError, UnknownRule and
    BaselineError.
    """
    from irsa_doctor.facts import View

    settings = msgspec.structs.replace(settings, named=())  # a side is what its own paths hold
    loaded = _at_revision(revision, new, settings) if revision is not None else _of_paths(old, new, settings)
    before, after = (_Side(each, View(each.inventory, *settings.of_issuers), root) for each, root in loaded)
    renew()  # what was read is compared, where a limit ended the reading
    return judged_or_named("the comparison", lambda: _compared(before, after, settings, revision, today or today_here()))


class _Side(msgspec.Struct, frozen=True):
    """The documents of one side; paths are shown relative to the folder `root`, "" for none."""

    loaded: "Loaded"
    view: "View"
    root: str

    def shown(self, path: str) -> str:
        """The name of a document, which is the same on both sides."""
        return os.path.relpath(path, self.root) if self.root and path != self.root else path

    def lost_beside(self, other: "_Side") -> "LostDocuments":
        """The documents that cannot be read, and can on the other side."""
        from irsa_doctor.answers.diff import LostDocuments

        known = {row.sha256 for row in _unreadable(other)}
        rows = [row for row in _unreadable(self) if row.sha256 is None or row.sha256 not in known]
        why = {self.shown(row.path): f"{self.shown(row.path)}: not read: {row.why}" for row in rows}
        return LostDocuments(why, next((why[self.shown(row.path)] for row in rows if row.limited or row.matters), ""))


def _unreadable(side: _Side) -> "list[Document]":
    return [row for row in side.loaded.inventory.documents if row.status == "unreadable"]


def _compared(before: _Side, after: _Side, settings: Settings, revision: str | None, today: date) -> "tuple[RoleChange, ...]":
    from irsa_doctor.answers.diff import compare, with_lost, with_openness

    old_key, key = _key(before), _key(after)
    documents = {old_key(role): before.shown(role.role.place.document) for role in before.view.roles}
    documents |= {key(role): after.shown(role.role.place.document) for role in after.view.roles}
    compared = compare(before.view, after.view, old_key, key)
    changes = with_lost(compared, documents, before.lost_beside(after), after.lost_beside(before))
    if {change.change for change in changes} <= _SURE and not _unreadable(after) and not after.loaded.inventory.contradictions:
        return changes
    was, now = _reports(before, after, settings, revision, today)
    opened, was_open = _failing_roles(now, after, key), _failing_roles(was, before, old_key)
    names = {old_key(role): role.role.planned for role in before.view.roles}
    names |= {key(role): role.role.planned for role in after.view.roles}
    return tuple(with_openness((*changes, *_lost_documents(now, after)), opened, was_open, names))


_SURE = frozenset(("same", "widened", "narrowed", "changed", "removed"))
"""changes for which it does not matter what `check` says of the roles"""


def _reports(before: _Side, after: _Side, settings: Settings, revision: str | None, today: date) -> "tuple[Report, Report]":
    """What `check` reports of both sides, of the later one as of a change of the earlier."""
    from irsa_doctor.answers.check.judge import judge
    from irsa_doctor.api.before import Before

    governing = limited_to(("open", "input"), governing_of(settings))
    state = input_of(before.loaded)
    was = Before(state, judge(state, governing, today), revision or "")
    if revision is None:
        return was.report, judge(newly_differing(after.loaded, was), governing, today)
    return was.report, judged_as_change(after.loaded, was, governing, today)


def _failing_roles(report: "Report", side: _Side, key: "Callable[[AnalysedRole], str]") -> Mapping[str, Sequence[str]]:
    """Key of a role -> the rules by which `check` would fail it: those with findings of severity high or critical."""
    by_group: dict[str, dict[str, None]] = {}
    for finding in _failing(report):
        by_group.setdefault(finding.group or finding.subject.id, {})[finding.rule] = None
    roles = side.view.roles
    return {key(analysed): tuple(by_group[analysed.role.id]) for analysed in roles if analysed.role.id in by_group}


def _lost_documents(report: "Report", side: _Side) -> "Iterator[RoleChange]":
    """Documents that `check` would fail: unreadable, or in contradiction to another."""
    from irsa_doctor.answers.diff import RoleChange

    by_path: dict[str, list[Finding]] = {}
    for finding in _failing(report):
        if finding.subject.kind == "document":
            by_path.setdefault(side.shown(finding.subject.id), []).append(finding)
    for path, findings in sorted(by_path.items()):
        because = " ".join(dict.fromkeys(finding.message for finding in findings))
        rules = tuple(dict.fromkeys(finding.rule for finding in findings))
        yield RoleChange(path, "", "unknown", because=because, open_by=rules)


def _failing(report: "Report") -> "list[Finding]":
    return [finding for finding in report.findings if finding.severity in ("critical", "high")]


_Sides = tuple[tuple["Loaded", str], tuple["Loaded", str]]
"""the documents of each side, and the folder that paths of policies are relative to, "" for none"""


def _of_paths(old: Sequence[str], new: Sequence[str], settings: Settings) -> _Sides:
    return _load_side(old, settings), _load_side(new, settings)


def _load_side(paths: Sequence[str], settings: Settings) -> tuple["Loaded", str]:
    loaded = load_files(paths, settings=settings)
    if not has_read(loaded):
        raise nothing_read(loaded, paths)
    return loaded, paths[0] if len(paths) == 1 else ""


def _at_revision(revision: str, paths: Sequence[str], settings: Settings) -> _Sides:
    """The documents of a revision and of the work tree; one of them may be empty, where a change adds or deletes all.

    What git tracks is read wherever it lies, and files of the revision that are still there whatever a change has put over
    them: a link, or a line of .gitignore.
    """
    from irsa_doctor.governance.revision import files_at, is_at, ways_at

    top, ways = ways_at(revision, paths)
    for path, way in zip(paths, ways, strict=True):
        if not os.path.lexists(os.path.join(top, way)) and not is_at(revision, way, top):
            near = _nearest_entry(path)
            raise NothingRead(f"{path}: no such file or folder, neither in the work tree nor at {revision}{near}")
    places = {os.path.relpath(os.path.join(top, way)): content for way, content in files_at(revision, ways, top).items()}
    now = [os.path.relpath(os.path.join(top, way)) for way in ways]
    kept = [place for place in places if os.path.isfile(place)]
    settings = msgspec.structs.replace(settings, but_tracked=True)
    before = load_files(memory=places, settings=settings)
    after = load_files([path for path in now if os.path.lexists(path)], tracked=kept, settings=settings)
    if not has_read(before) and not has_read(after):
        raise nothing_read(after if after.inventory.documents else before, paths)
    return (before, top), (after, top)


def _nearest_entry(path: str) -> str:
    """The nearest path in the same folder, as a question behind a sentence, or ""."""
    folder = os.path.dirname(os.path.normpath(path))
    with suppress(OSError):
        hint = suggestion(os.path.normpath(path), [os.path.join(folder, name) for name in os.listdir(folder or ".")])
        return f".{hint}" if hint else ""
    return ""


def _key(side: _Side) -> "Callable[[AnalysedRole], str]":
    """What joins a role of both sides: its ARN, else its address in a template, else the path of its policy.

    Paths are relative to the input; they distinguish addresses that several roles have.
    """
    addresses = Counter((role.address, role.case) for role in side.loaded.inventory.roles if not role.arn)

    def key(analysed: "AnalysedRole") -> str:
        role = analysed.role
        case = f" {role.case}" if role.case else ""
        if not role.arn and role.address and addresses[role.address, role.case] == 1:
            return role.address + case
        if role.arn or not side.root:
            return role.id + case
        path = os.path.relpath(role.place.document, side.root)
        return role.id.replace(role.place.document, "policy" if path == "." else path, 1) + case

    return key
