"""Files that are only evidence, a token, a log, a message: read where the user names them, never found in a folder."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.text.encoding import exceeds_limit
from irsa_doctor.text.named_files import open_named
from irsa_doctor.text.os_errors import os_error_reason

_CHUNK = 1 << 20
_LARGEST = 16 << 20
"""bytes of what is read whole: tokens and messages are small"""
_LONGEST_LOG = 4 << 30


class NoEvidence(IrsaDoctorError):
    """A file that cannot be read; the text names it and says why."""


def content(path: str) -> bytes:
    """What a file holds, `-` for standard input; of a very large one the beginning and the end. Raises NoEvidence."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(_LARGEST)
        with open_named(path) as stream:
            head = stream.read(_LARGEST // 2)
            size = stream.seek(0, 2) if stream.seekable() else len(head)
            if size > len(head):
                stream.seek(max(size - _LARGEST // 2, len(head)))
                return head + b"\n" + stream.read(_LARGEST // 2)
            return head
    except (OSError, ValueError) as error:
        raise NoEvidence(f"{path}: {os_error_reason(error)}") from error


def chunks(path: str) -> Iterator[bytes]:
    """A log piece by piece, unpacked where it is gzip; `-` for standard input. Raises NoEvidence."""
    try:
        if path == "-":
            yield from _pieces(sys.stdin.buffer, path)
            return
        with open_named(path) as stream:
            # a pipe cannot be read twice, so only a look
            packed = stream.peek(2)[:2] == b"\x1f\x8b"
            yield from _unpacked(stream, path) if packed else _pieces(stream, path)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise NoEvidence(f"{path}: the gzip data is damaged or cut off") from error
    except (OSError, ValueError) as error:
        raise NoEvidence(f"{path}: {os_error_reason(error)}") from error


def _pieces(stream: BinaryIO, path: str) -> Iterator[bytes]:
    read = 0
    while piece := stream.read(_CHUNK):
        read += len(piece)
        if read > _LONGEST_LOG:
            raise NoEvidence(f"{path}: more than {_LONGEST_LOG >> 30} GiB")
        yield piece


class _Counted:
    """A stream that knows how much was read of it: a pipe has no size."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self.size += len(piece)
        return piece


def _unpacked(stream: BinaryIO, path: str) -> Iterator[bytes]:
    """What a packed log holds, within the bounds of packed files."""
    packed, size = _Counted(stream), 0
    with gzip.GzipFile(fileobj=cast("BinaryIO", packed)) as unpacked:
        while piece := unpacked.read(_CHUNK):
            size += len(piece)
            if exceeds_limit(size, packed.size):
                raise NoEvidence(f"{path}: the content of the compressed file exceeds the limit")
            yield piece
