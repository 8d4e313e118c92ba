"""Finds and reads the files of the paths of the command line, without leaving these folders or opening devices."""

import errno
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from itertools import chain

import msgspec

from irsa_doctor.model.limits import reached
from irsa_doctor.sources.documents.heads import HEAD, why_unread
from irsa_doctor.sources.files.passing import Exclude, Folder, PassedOver
from irsa_doctor.text.named_files import open_named, special_file, stream_number
from irsa_doctor.text.open_flags import READ, READ_NO_LINK
from irsa_doctor.text.os_errors import os_error_reason

SIZE_LIMIT = 2 << 30
_CHUNK = 1 << 20
_OF_TERRAFORM = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json")


class InputFile(msgspec.Struct, frozen=True):
    """A file of the input: its bytes, or why they are not read (`passed` where nothing is lost by that).

    `base`: it belongs to the current state over which a change is laid. `passed_over`: it is a file or a whole folder that a
    walk leaves out, for it is ignored, excluded, or filled by a program. `unread`: its beginning is nothing that is read.
    """

    path: str
    named: bool
    content: bytes = b""
    why: str | None = None
    passed: bool = False
    base: bool = False
    passed_over: bool = False
    unread: bool = False


def walk(
    paths: Sequence[str],
    stdin: bytes | None,
    without: Sequence[str] = (),
    exclude: Exclude | None = None,
    tracked: Sequence[str] = (),
) -> Iterator[InputFile]:
    """Yield every file of the paths once, folders in sorted order, except those at or below `without`; then those of `tracked`,
    which are read wherever they lie and count as parts of folders.

    What is passed over inside folders (`passing`) is yielded without content; what is named is read. A path is relative to the
    current folder where it is below it, however it was written: subjects and fingerprints of bare policies depend on it.
    """
    here = os.getcwd().rstrip(os.sep) + os.sep
    left_out = {os.path.abspath(path) for path in without if path != "-"}
    named = {os.path.abspath(path) for path in paths if path != "-"}
    read_anyway = named | {os.path.abspath(path) for path in tracked}
    seen: set[str] = set()
    for path, of_folder in chain(((path, False) for path in paths), ((path, True) for path in tracked)):
        files = [_standard_input(stdin)] if path == "-" else _named_path(path, exclude)
        for item in files:
            place = item.path if item.path == "-" else os.path.abspath(item.path)
            if place in seen or (left_out and _is_below(place, left_out)) or (item.passed_over and place in read_anyway):
                continue
            seen.add(place)
            shown = _shown(item.path, place, here)
            is_named = (item.named and not of_folder) or place in named
            same = shown == item.path and is_named == item.named
            yield item if same else msgspec.structs.replace(item, path=shown, named=is_named)


def _shown(path: str, place: str, here: str) -> str:
    if path == "-":
        return path
    plain = place.removeprefix(here) if place.startswith(here) else os.path.normpath(path)
    # a folder that is passed over is shown as one
    return f"{plain}/" if path.endswith("/") and not plain.endswith("/") else plain


def _is_below(place: str, folders: Collection[str]) -> bool:
    """Whether a path is one of these, or in one of these folders."""
    while place not in folders:
        above = os.path.dirname(place)
        if above == place:
            return False
        place = above
    return True


def walk_over(
    paths: Sequence[str],
    base: Sequence[str],
    stdin: bytes | None,
    without: Sequence[str] = (),
    exclude: Exclude | None = None,
    tracked: Sequence[str] = (),
) -> Iterator[InputFile]:
    """Yield every file of the paths and the tracked files, then those of the base that are not among them."""
    yield from walk(paths, stdin, without, exclude, tracked)
    for file in walk(base, stdin, (*paths, *without), exclude):
        yield msgspec.structs.replace(file, base=True)


def _standard_input(stdin: bytes | None) -> InputFile:
    if stdin is not None:
        return InputFile("-", True, stdin)
    import sys

    content = sys.stdin.buffer.read(SIZE_LIMIT + 1)
    return InputFile("-", True, content) if len(content) <= SIZE_LIMIT else InputFile("-", True, why="too large")


def _named_path(path: str, exclude: Exclude | None) -> Iterator[InputFile]:
    """A path that the user named: a link is followed."""
    if stream_number(path) is not None:
        yield _read_stream(path)
        return
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        yield InputFile(path, True, why=_link_to(path) + os_error_reason(error))
        return
    if stat.S_ISDIR(status.st_mode):
        passed, start = PassedOver.of(path, exclude)
        yield from _FolderWalk(os.path.realpath(path), passed).files(path, start)
    else:
        yield _file(path, status, True)


def _link_to(path: str) -> str:
    """That a path is a link, as the beginning of a reason, "" where it is none."""
    try:
        return f"a link to {os.readlink(path)}: "
    except (OSError, ValueError):
        return ""


def _read_stream(path: str) -> InputFile:
    try:
        with open_named(path) as stream:
            content = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        return InputFile(path, True, why=os_error_reason(error))
    return InputFile(path, True, content) if len(content) <= SIZE_LIMIT else InputFile(path, True, why="too large")


class _FolderWalk(msgspec.Struct, frozen=True):
    """A walk through a named folder: its real path, which links may not lead out of, and what is passed over."""

    root: str
    passed: PassedOver

    def files(self, named: str, start: Folder) -> Iterator[InputFile]:
        """Every file; depth is bounded by the length of paths, so a list of open folders and no recursion."""
        waiting = [(named, start)]
        while waiting:
            path, folder = waiting.pop()
            if not os.path.isdir(path):
                continue
            try:
                names = sorted(os.listdir(path))
            except OSError as error:
                yield InputFile(path, path == named, why=os_error_reason(error))
                continue
            if not names and path == named:
                yield InputFile(path, True, why="an empty folder", passed=True)
            below: list[tuple[str, Folder]] = []
            yield from self._entries(path, folder, names, below)
            waiting.extend(reversed(below))

    def _entries(self, path: str, folder: Folder, names: Sequence[str], below: list[tuple[str, Folder]]) -> Iterator[InputFile]:
        for name in names:
            entry = os.path.join(path, name)
            try:
                status = os.lstat(entry)
            except OSError as error:
                yield InputFile(entry, False, why=os_error_reason(error))
                continue
            is_folder = stat.S_ISDIR(status.st_mode)
            why = self.passed.why_folder(folder, name) if is_folder else self.passed.why_file(folder, name)
            if why:
                yield InputFile(entry + os.sep if is_folder else entry, False, why=why, passed=True, passed_over=True)
            elif is_folder:
                below.append((entry, self.passed.enter(self.passed.below(folder, name))))
            else:
                yield _link(entry, self.root) if stat.S_ISLNK(status.st_mode) else _file(entry, status, False)


def _link(path: str, root: str) -> InputFile:
    """A link inside a folder: its target is read under its own name, or lies outside and is not read."""
    try:
        target = os.path.realpath(path, strict=True)
    except OSError as error:
        # one without an ending is as a rule to a folder that a tool makes: nothing of it is in the input
        is_file = bool(os.path.splitext(path)[1])
        return InputFile(path, False, why=f"a broken link: {os_error_reason(error)}", passed=not is_file)
    if target == root or target.startswith(root.rstrip(os.sep) + os.sep):
        if path.endswith(_OF_TERRAFORM) and not target.endswith(_OF_TERRAFORM) and os.path.isfile(target):
            # Terraform reads it for the name of the link, and nobody else for its own
            return msgspec.structs.replace(_file(target, os.stat(target), False), path=path)
        return InputFile(path, False, why=f"a link to {os.path.relpath(target, root)}, read there", passed=True)
    return InputFile(path, False, why="a link to a target outside of the folder: name the target to read it")


def _file(path: str, status: os.stat_result, named: bool) -> InputFile:
    if what := special_file(status.st_mode):
        return InputFile(path, named, why=f"{what}, not a file")
    if limit := reached():
        return InputFile(path, named, why=limit)
    try:
        if not named and status.st_size > HEAD and (why := why_unread(_read(path, named, HEAD), path, named)):
            return InputFile(path, named, why=why, passed=True, unread=True)
        if status.st_size > SIZE_LIMIT:
            return InputFile(path, named, why=f"{status.st_size} bytes: too large")
        return InputFile(path, named, _read(path, named))
    except MemoryError:
        return InputFile(path, named, why=f"{status.st_size} bytes: there was not enough memory")
    except (OSError, ValueError) as error:
        return InputFile(path, named, why=os_error_reason(error))


def _read(path: str, named: bool, most: int = SIZE_LIMIT) -> bytes:
    # the path may have become something else since it was looked at: neither follow a new link nor wait for a new pipe
    descriptor = os.open(path, READ if named else READ_NO_LINK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "became something else")
        return os.read(descriptor, most) if most < SIZE_LIMIT else _read_all(descriptor, status.st_size)
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, size: int) -> bytes:
    """Read until the end: files under /proc and /sys have the size 0."""
    parts, left = [], SIZE_LIMIT
    while left > 0 and (part := os.read(descriptor, max(size + 1, _CHUNK))):
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
