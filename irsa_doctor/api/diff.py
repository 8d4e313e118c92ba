"""Compares whom two states of a project's trust policies admit."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from irsa_doctor.api.load import NO_SETTINGS, NothingRead, has_read, load_files, nothing_read, refuse_unread
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.faults import judged_or_named
from irsa_doctor.model.nearness import suggestion

if TYPE_CHECKING:
    from irsa_doctor.answers.diff import RoleChange
    from irsa_doctor.facts import AnalysedRole, View
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
    by which it is open, as `check` judges it on `today`; one that cannot be compared those by which it was not open before.

    Raises NoRevision, NothingRead where a side holds nothing that can be read, NotJudged, RuleError, UnknownRule and
    BaselineError.
    """
    from irsa_doctor.answers.diff import compare, with_openness
    from irsa_doctor.facts import View

    before, after, roots = _at_revision(revision, new, settings) if revision is not None else _of_paths(old, new, settings)
    views = View(before.inventory, settings.audiences), View(after.inventory, settings.audiences)
    for loaded in (before, after):
        refuse_unread(loaded)
    old_key, key = _key(roots[0], views[0]), _key(roots[1], views[1])

    def compared() -> "tuple[RoleChange, ...]":
        changes = compare(*views, old_key, key)
        kinds = {change.change for change in changes}
        if not kinds & {"added", "unknown"}:
            return changes
        opened = _opened(after, views[1], key, settings, today)
        was_open = _opened(before, views[0], old_key, settings, today) if "unknown" in kinds else {}
        return tuple(with_openness(changes, opened, was_open))

    return judged_or_named("the comparison", compared)


def _opened(
    loaded: "Loaded", view: "View", key: "Callable[[AnalysedRole], str]", settings: Settings, today: date | None
) -> Mapping[str, Sequence[str]]:
    """Key of a role -> the rules by which it is open."""
    by_group = _openness(loaded, settings, today)
    return {key(analysed): by_group[analysed.role.id] for analysed in view.roles if analysed.role.id in by_group}


_Sides = tuple["Loaded", "Loaded", tuple[str, str]]
"""the documents of both sides, and the folder of each that paths of policies are relative to, "" for none"""


def _of_paths(old: Sequence[str], new: Sequence[str], settings: Settings) -> _Sides:
    before, after = _load_side(old, settings), _load_side(new, settings)
    return before, after, (old[0] if len(old) == 1 else "", new[0] if len(new) == 1 else "")


def _load_side(paths: Sequence[str], settings: Settings) -> "Loaded":
    loaded = load_files(paths, settings=settings)
    if not has_read(loaded):
        raise nothing_read(loaded, paths)
    return loaded


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
    after = load_files([path for path in now if os.path.lexists(path)] + kept, settings=settings)
    if not has_read(before) and not has_read(after):
        raise nothing_read(after if after.inventory.documents else before, paths)
    return before, after, (top, top)


def _nearest_entry(path: str) -> str:
    """The nearest path in the same folder, as a question behind a sentence, or ""."""
    folder = os.path.dirname(os.path.normpath(path))
    with suppress(OSError):
        hint = suggestion(os.path.normpath(path), [os.path.join(folder, name) for name in os.listdir(folder or ".")])
        return f".{hint}" if hint else ""
    return ""


def _openness(loaded: "Loaded", settings: Settings, today: date | None) -> Mapping[str, Sequence[str]]:
    """Id of a role -> the rules by which `check` finds it open, of severity high or critical."""
    from irsa_doctor.api.check import judged

    found: dict[str, dict[str, None]] = {}
    for finding in judged(loaded, settings, today, families=("open",)).findings:
        if finding.severity in ("critical", "high"):
            found.setdefault(finding.group or finding.subject.id, {})[finding.rule] = None
    return {group: tuple(rules) for group, rules in found.items()}


def _key(root: str, view: "View") -> "Callable[[AnalysedRole], str]":
    """What joins a role of both sides: its ARN, else its address in a template, else the path of its policy.

    Paths are relative to the input; they distinguish addresses that several roles have.
    """
    addresses = Counter((role.address, role.case) for role in view.inventory.roles if not role.arn)

    def key(analysed: "AnalysedRole") -> str:
        role = analysed.role
        case = f" {role.case}" if role.case else ""
        if not role.arn and role.address and addresses[role.address, role.case] == 1:
            return role.address + case
        if role.arn or not root:
            return role.id + case
        path = os.path.relpath(role.place.document, root)
        return role.id.replace(role.place.document, "policy" if path == "." else path, 1) + case

    return key
