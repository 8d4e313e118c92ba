"""The settings that held at a revision of git, so that a change cannot excuse itself."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from irsa_doctor.governance.links_at import followed_at
from irsa_doctor.governance.revision import NoRevision, nearest_folder, top_of
from irsa_doctor.governance.settings import OWN_FILE, SHARED_FILE, Settings, SettingsError, load_settings
from irsa_doctor.text.scratch_folders import scratch_folder


@contextmanager
def settings_at(revision: str, config: str | None = None) -> Iterator[tuple[Settings, Callable[[str], str]]]:
    """The settings of the current folder at a revision: those of `config` where it is given, else of the nearest file upward;
    and a function that gives the copy of another file or folder of the revision.

    Rules and baseline are copies from the revision too; they exist until the context ends. Raises NoRevision and
    SettingsError.
    """
    top = os.path.realpath(top_of("."))
    with scratch_folder() as scratch:
        copy = _Copy(revision, top, os.path.realpath(scratch))
        yield copy.settings(os.path.relpath(os.path.realpath("."), top), config), copy.of


def is_in_repository_of(paths: Iterable[str]) -> bool:
    """Whether the current folder is in the repository of some paths, so that its settings are part of what changes there."""
    own = _real_top(".")
    return own is not None and any(_real_top(nearest_folder(path)) == own for path in paths)


def _real_top(folder: str) -> str | None:
    try:
        return os.path.realpath(top_of(folder))
    except NoRevision:
        return None


class _Copy(msgspec.Struct, frozen=True):
    """Some files of a revision, written below a folder of their own as they lie below the top of the repository."""

    revision: str
    top: str
    folder: str

    def settings(self, here: str, config: str | None) -> Settings:
        """The settings of a folder, given by its way from the top; their paths lead to copies, those of documents do not."""
        os.mkdir(os.path.join(self.folder, ".git"))  # nobody looks for settings above it
        os.makedirs(os.path.join(self.folder, here), exist_ok=True)
        wanted = os.path.normpath(os.path.join(here, config)) if config else None
        self.write([wanted] if wanted else _candidates(here))
        try:
            found = load_settings(
                os.path.join(self.folder, here), os.path.join(self.folder, wanted) if wanted is not None else None
            )
        except SettingsError as error:
            raise SettingsError(self.shown(error.file), error.line, error.message) from None
        self.write(self.inside((*found.rules, found.baseline)))
        return msgspec.structs.replace(
            found,
            file=self.shown(found.file),
            folder=os.path.join(self.top, os.path.relpath(found.folder, self.folder)) if found.exclude else "",
            rules=tuple(map(self.outside, found.rules)),
            baseline=self.outside(found.baseline),
            clusters=self.here(found.clusters),
            roles=self.here(found.roles),
            plans=self.here_both(found.plans),
            parameters=self.here_both(found.parameters),
            waivers=tuple(msgspec.structs.replace(waiver, file=self.shown(waiver.file)) for waiver in found.waivers),
        )

    def of(self, path: str) -> str:
        """The copy of a file or folder of the work tree; what lies outside the repository is itself."""
        way = os.path.relpath(os.path.realpath(path), self.top)
        if way.startswith(".."):
            return path
        self.write([way])
        return os.path.join(self.folder, way)

    def write(self, paths: Iterable[str]) -> None:
        """Copy those of the paths (relative to the top) that exist, links followed inside the tree of the revision."""
        asked = [path for path in paths if not path.startswith("..")]
        for path, content in followed_at(self.revision, asked, self.top).items():
            # what git itself would never write
            if ".." in Path(path).parts or os.path.isabs(path):
                continue
            target = Path(self.folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def inside(self, paths: Iterable[str]) -> list[str]:
        """Ways from the top of what is in the repository."""
        return [os.path.relpath(path, self.folder) for path in paths if path]

    def outside(self, path: str) -> str:
        """The copy itself; of what lies outside the repository the real one, which no revision has."""
        way = os.path.relpath(path, self.folder) if path else ""
        return os.path.join(self.top, way) if way.startswith("..") else path

    def here(self, paths: Mapping[str, str]) -> Mapping[str, str]:
        """The documents that are judged lie in the work tree."""
        return {name: self.in_work_tree(path) for name, path in paths.items()}

    def here_both(self, paths: Mapping[str, str]) -> Mapping[str, str]:
        """Documents by the folders or documents in whose place they are, all in the work tree."""
        return {self.in_work_tree(name): self.in_work_tree(path) for name, path in paths.items()}

    def in_work_tree(self, path: str) -> str:
        """The path of a document in the work tree, from the current folder, by that of its copy."""
        return os.path.relpath(os.path.join(self.top, os.path.relpath(path, self.folder)))

    def shown(self, path: str) -> str:
        """A copy as git calls it: `main:irsa-doctor.toml`."""
        return f"{self.revision}:{os.path.relpath(path, self.folder)}" if path else ""


def _candidates(here: str) -> list[str]:
    """The paths at which settings of a folder may be."""
    folders = [Path(here), *Path(here).parents]
    return [os.path.normpath(folder / name) for folder in folders for name in (OWN_FILE, SHARED_FILE)]
