"""Compares whom two states of a project's trust policies admit."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from irsa_doctor.api.load import NO_SETTINGS, has_read, load_files, nothing_read
from irsa_doctor.governance.settings import Settings

if TYPE_CHECKING:
    from irsa_doctor.answers.diff import RoleChange
    from irsa_doctor.facts import AnalysedRole, View
    from irsa_doctor.sources import Loaded


def diff(
    old: Sequence[str], new: Sequence[str], *, settings: Settings = NO_SETTINGS, revision: str | None = None
) -> "tuple[RoleChange, ...]":
    """What the trust policies of `new` admit beyond those of `old`, and the reverse, role by role.

    Both are paths; with `revision`, `old` are paths at that revision of git. Raises NoRevision, and NothingRead where one of
    the two sides holds nothing that can be read.
    """
    from irsa_doctor.answers.diff import compare
    from irsa_doctor.facts import View

    before = _load_at(revision, old, settings) if revision else _load_side(old, settings)
    after = _load_side(new, settings)
    roots = ((), ()) if revision else (old, new)
    views = View(before.inventory, settings.audiences), View(after.inventory, settings.audiences)
    return compare(*views, _key(roots[0], views[0]), _key(roots[1], views[1]))


def _load_side(paths: Sequence[str], settings: Settings) -> "Loaded":
    loaded = load_files(paths, settings=settings)
    if not has_read(loaded):
        raise nothing_read(loaded, paths)
    return loaded


def _load_at(revision: str, paths: Sequence[str], settings: Settings) -> "Loaded":
    """The documents of a revision; there may be none, where the change adds the first ones."""
    from irsa_doctor.governance.revision import files_at

    return load_files(memory=files_at(revision, paths), settings=settings)


def _key(roots: Sequence[str], view: "View") -> "Callable[[AnalysedRole], str]":
    """What joins a role of both sides: its ARN, else its address in a template, else the path of its policy.

    Paths are relative to the input; they distinguish addresses that several roles have.
    """
    addresses = Counter(role.address for role in view.inventory.roles if not role.arn)

    def key(analysed: "AnalysedRole") -> str:
        role = analysed.role
        if not role.arn and role.address and addresses[role.address] == 1:
            return role.address
        if role.arn or len(roots) != 1:
            return role.id
        path = os.path.relpath(role.place.document, roots[0])
        return role.id.replace(role.place.document, "policy" if path == "." else path, 1)

    return key
