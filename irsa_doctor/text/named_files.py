"""Opens the files that a user names: never a device, and never a named pipe that would keep the run waiting."""

import os
import stat
from io import BufferedReader

from irsa_doctor.model.regex import regex
from irsa_doctor.text.open_flags import NO_WAIT

_SPECIAL = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# what bash and zsh substitute for `<(command)`
_STREAM = regex(r"/dev/fd/(\d{1,9})|/proc/self/fd/(\d{1,9})")


class SpecialFileError(OSError):
    """A path that is not that of a regular file; the text says what it is."""


def special_file(mode: int) -> str:
    """What a file of this mode is (`a named pipe`), "" for a regular file and a folder."""
    return next((what for test, what in _SPECIAL if test(mode)), "")


def stream_number(path: str) -> int | None:
    """The open file that a path means: standard input, or what a shell substitutes for `<(command)`; None for other paths."""
    if path == "/dev/stdin":
        return 0
    match = _STREAM.fullmatch(path)
    return int(match[1] or match[2]) if match else None


def open_named(path: str) -> BufferedReader:
    """Open a regular file, or the pipe of a process substitution; raises OSError, or ValueError for a path with a NUL byte.

    A named pipe would wait for a writer, and a device such as /dev/zero never ends: both are a SpecialFileError.
    """
    number = stream_number(path)
    if number is not None:
        mode = os.fstat(number).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode)):
            raise SpecialFileError("neither a pipe nor a file")
        return open(os.dup(number), "rb")
    _refuse_special(os.stat(path).st_mode)
    return open(path, "rb", opener=_opened)


def _opened(path: str, flags: int) -> int:
    """The number of the open file; the path may have become something else since, so wait for no pipe."""
    number = os.open(path, flags | NO_WAIT)
    try:
        _refuse_special(os.fstat(number).st_mode)
    except SpecialFileError:
        os.close(number)
        raise
    return number


def _refuse_special(mode: int) -> None:
    if what := special_file(mode):
        raise SpecialFileError(f"{what}, not a file")
