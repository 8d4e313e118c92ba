"""Judges what was there before a change: the same paths at a revision of git."""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from irsa_doctor.api.load import load_files

if TYPE_CHECKING:
    from irsa_doctor.answers.check.judge import Input
    from irsa_doctor.governance.governing import Governing
    from irsa_doctor.model import Document
    from irsa_doctor.model.findings import Report


class Before(msgspec.Struct, frozen=True):
    """The state before a change: the documents, and what is found in them by the rules that judge the change."""

    input: "Input"
    report: "Report"
    revision: str

    def had_unreadable(self, row: "Document") -> bool:
        """Whether a document could not be read before either, with the same bytes, or as the same link."""
        if row.sha256 is None:
            return _is_same_link(self.revision, row.path)
        rows = self.input.inventory.documents
        return any(known.sha256 == row.sha256 and known.status == "unreadable" for known in rows)


def judged_before(revision: str, paths: Sequence[str], read: Sequence[str], governing: "Governing", today: date) -> Before:
    """What is found of paths as they were at a revision.

    `read` are the documents of the change: where the revision is too large to be read whole, only these are. Paths that git
    does not know, such as a plan that was made for this run, are read as they are. Raises NoRevision.
    """
    from irsa_doctor.answers.check.judge import Input, judge
    from irsa_doctor.governance.revision import NoRevision

    settings = msgspec.structs.replace(governing.settings, named=())
    inside, beside = _sorted_out(revision, [*paths, *governing.settings.named])
    try:
        files = _files(revision, inside)
    except NoRevision:
        files = _files(revision, _sorted_out(revision, read)[0])
    loaded = load_files(beside, memory=files, settings=settings)
    before = Input(loaded.inventory.doubting_lists(), loaded.documents)
    everything = msgspec.structs.replace(governing.settings, baseline="", min_severity=None, min_confidence=None)
    report = judge(before, msgspec.structs.replace(governing, settings=everything, known=()), today)
    return Before(before, report, revision)


def _is_same_link(revision: str, path: str) -> bool:
    """Whether a link of the work tree was there at a revision and led to the same; what is no link was not read as it is."""
    from irsa_doctor.governance.revision import NoRevision, blob_of, entries_at, top_of

    try:
        top = os.path.realpath(top_of("."))
        target = os.readlink(path)
        way = os.path.relpath(os.path.join(os.path.realpath(os.path.dirname(path) or "."), os.path.basename(path)), top)
        (mode, ident, _), *_ = entries_at(revision, way, top)
        return mode == "120000" and os.fsdecode(blob_of(ident, top)) == target
    except (OSError, ValueError, NoRevision):
        return False


def _sorted_out(revision: str, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The paths that the revision or the change has, and files that git does not know."""
    inside: list[str] = []
    beside: list[str] = []
    for path in paths:
        if path == "-":
            continue
        known = _is_known(revision, path)
        if known:
            inside.append(path)
        elif os.path.exists(path) and not _is_known("HEAD", path):
            beside.append(path)
    return inside, beside


def _is_known(revision: str, path: str) -> bool:
    """Whether a revision has a file or folder; the top folder is in all."""
    from irsa_doctor.governance.revision import NoRevision, has_at

    try:
        return has_at(revision, path)
    except NoRevision:
        return False


def _files(revision: str, paths: Sequence[str]) -> Mapping[str, bytes]:
    """Content of the files below paths, each named as it is when the path is read today."""
    from irsa_doctor.governance.revision import files_at, ways_at

    files: dict[str, bytes] = {}
    for path in dict.fromkeys(paths):
        top, (way,) = ways_at(revision, [path])
        for file, content in files_at(revision, [way], top).items():
            files[os.path.normpath(os.path.join(path, os.path.relpath(file, way)))] = content
    return files
