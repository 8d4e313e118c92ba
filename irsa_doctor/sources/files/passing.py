"""What a walk through a folder passes over: what git ignores, what the settings exclude, and folders that programs fill."""

import os
from collections.abc import Sequence
from functools import cached_property

import msgspec

from irsa_doctor.sources.files.git_index import Tracked, tracked
from irsa_doctor.sources.files.ignore_rules import IgnoreRule, read_ignore_rules
from irsa_doctor.text.open_flags import READ_NO_LINK

_FILLED = frozenset(
    {
        "node_modules",
        "__pycache__",
        ".terraform",
        ".terragrunt-cache",
        ".venv",
        "venv",
        ".tox",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
    }
)
"""Folders that programs fill: nobody edits files there"""
_OF_VERSIONS = frozenset({".git", ".hg", ".svn"})
_IGNORE_FILE = ".gitignore"
_LARGEST = 1 << 20
"""Bytes of a file of patterns that are read"""
_OF_VERSION_CONTROL = "a folder of version control"
_OF_PROGRAMS = "folders of this name are not looked into; name it, or --all-folders"
_NO_FILES = Tracked(frozenset(), frozenset())


class Exclude(msgspec.Struct, frozen=True):
    """What is left out beside what git ignores: patterns of the settings, in the language of `.gitignore`, and the folder that
    they are relative to.

    Folders that programs fill are left out too, but for what git tracks there where `but_tracked`, and not where `all_folders`.
    """

    folder: str = ""
    patterns: tuple[str, ...] = ()
    all_folders: bool = False
    but_tracked: bool = False


class _RuleFile(msgspec.Struct, frozen=True):
    """The patterns of one file: `folder` is absolute, `says` names the file in a reason."""

    folder: str
    says: str
    rules: tuple[IgnoreRule, ...]

    def rule_for(self, path: str, is_folder: bool) -> IgnoreRule | None:
        """The last pattern that means an absolute path: it decides."""
        if not path.startswith(self.folder):
            return None
        relative = path[len(self.folder) :].lstrip("/")
        return next((rule for rule in reversed(self.rules) if rule.matches(relative, is_folder)), None)


class Folder(msgspec.Struct, frozen=True):
    """A folder on the way of a walk: its absolute path, the patterns that hold in it, and why it is ignored, "" where not.

    In an ignored folder only tracked files are read.
    """

    path: str
    files: tuple[_RuleFile, ...] = ()
    why: str = ""


class PassedOver(msgspec.Struct, frozen=True, dict=True):
    """Decides what a walk from one named folder passes over. `top` is its repository, "" where it is in none."""

    top: str
    excluded: tuple[_RuleFile, ...] = ()
    all_folders: bool = False
    but_tracked: bool = False

    @classmethod
    def of(cls, folder: str, exclude: Exclude | None) -> tuple["PassedOver", Folder]:
        """What holds for a walk from a folder, and that folder with the patterns of the folders above it."""
        start = os.path.abspath(folder)
        top = _repository(start)
        excluded: tuple[_RuleFile, ...] = ()
        if exclude and exclude.patterns:
            excluded = (_RuleFile(os.path.abspath(exclude.folder or "."), "exclude", read_ignore_rules(exclude.patterns)),)
        passed = cls(top, excluded, exclude.all_folders, exclude.but_tracked) if exclude else cls(top)
        above = os.path.dirname(start)
        chain: list[str] = []
        while top and start != top and above.startswith(top):
            chain.append(above)
            above = os.path.dirname(above) if above != top else ""
        files = tuple(file for place in reversed(chain) for file in _rule_files(place, top))
        return passed, passed.enter(Folder(start, files))

    def enter(self, folder: Folder) -> Folder:
        """A folder with the patterns of its own file of them."""
        own = tuple(_rule_files(folder.path, self.top))
        return msgspec.structs.replace(folder, files=(*folder.files, *own)) if own else folder

    def why_folder(self, above: Folder, name: str) -> str:
        """Why a folder and all that is in it is passed over, "" where it is entered."""
        if name == ".git":
            return _OF_VERSION_CONTROL
        path = os.path.join(above.path, name)
        if filled := self._filled(name):
            return "" if self.but_tracked and path in self._tracked.folders else filled
        if excluded := _decided(self.excluded, path, True):
            return excluded
        why = self.ignored(above, path, True)
        return "" if why and path in self._tracked.folders else why

    def below(self, above: Folder, name: str) -> Folder:
        """A folder that is entered; an ignored one is for what git tracks in it."""
        path = os.path.join(above.path, name)
        return Folder(path, above.files, above.why or self._filled(name) or self.ignored(above, path, True))

    def _filled(self, name: str) -> str:
        """Why a folder that programs fill, those of version control too, is passed over, "" for any other."""
        if name in _OF_VERSIONS:
            return _OF_VERSION_CONTROL
        return _OF_PROGRAMS if name in _FILLED and not self.all_folders else ""

    def why_file(self, folder: Folder, name: str) -> str:
        """Why a file is passed over, "" where it is read."""
        path = os.path.join(folder.path, name)
        if self.excluded and (excluded := _decided(self.excluded, path, False)):
            return excluded
        why = self.ignored(folder, path, False) if folder.files or folder.why else ""
        return "" if why and path in self._tracked.files else why

    def ignored(self, folder: Folder, path: str, is_folder: bool) -> str:
        """The pattern of git by which a path is ignored, as a reason; tracked paths are checked elsewhere."""
        return folder.why or _decided(folder.files, path, is_folder)

    @cached_property
    def _tracked(self) -> Tracked:
        return tracked(self.top) if self.top else _NO_FILES


def _decided(files: Sequence[_RuleFile], path: str, is_folder: bool) -> str:
    """The reason by the innermost file that has a pattern for a path, "" where there is none, or a pattern includes the path
    again."""
    for file in reversed(files):
        if rule := file.rule_for(path, is_folder):
            where = file.says if file.says == "exclude" else f"{file.says}:{rule.line}"
            return "" if rule.negated else f"left out by {where}: {rule.text}"
    return ""


def _repository(folder: str) -> str:
    """The folder that has `.git`, a folder or the file of a worktree; "" where there is none."""
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return ""
        folder = above
    return folder


def _rule_files(folder: str, top: str) -> Sequence[_RuleFile]:
    """The patterns of a folder's own file of them."""
    path = os.path.join(folder, _IGNORE_FILE)
    try:
        # a link, a pipe or a device is no file of patterns, as in git
        descriptor = os.open(path, READ_NO_LINK)
    except OSError:
        return ()
    with os.fdopen(descriptor, "rb") as stream:
        try:
            text = stream.read(_LARGEST).decode("utf-8-sig", errors="replace")
        except OSError:
            return ()
    rules = read_ignore_rules(text.split("\n"))
    return (_RuleFile(folder, os.path.relpath(path, top) if top else _IGNORE_FILE, rules),) if rules else ()
