"""Reads the JSON objects of a log, however it is wrapped; no more of it is held than one object."""

import re
from collections.abc import Iterable, Iterator

_SIGN = re.compile(rb'["{}\[\]]')
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_LISTS = (b'"Records"', b'"Events"')
_LARGEST = 8 << 20
"""bytes of one object; those of CloudTrail are far smaller"""
_DEEPEST = 200


class NoLog(Exception):
    """An input that is not a log of JSON objects; the text says why."""


def objects_in(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Every object of `{"Records": [...]}` or `{"Events": [...]}`, of a list, of lines, or the only one. Raises NoLog."""
    splitter = _Splitter()
    for chunk in chunks:
        yield from splitter.feed(chunk)
    splitter.end()


class _Splitter:
    """Follows the brackets; `start` is where the present object begins, -1 between two objects."""

    def __init__(self) -> None:
        self.buffer = b""
        self.at = 0
        self.open: list[int] = []
        self.start = -1
        self.listed = False
        self.last = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self.buffer += chunk
        while sign := _SIGN.search(self.buffer, self.at):
            if sign[0] == b'"':
                text = _STRING.match(self.buffer, sign.start())
                if text is None:
                    self.at = sign.start()
                    break
                if len(self.open) == 1:
                    self.last = text[0]
                self.at = text.end()
                continue
            self.at = sign.end()
            if sign[0] in b"{[":
                self.opens(sign[0], sign.start())
            elif item := self.closes(sign[0]):
                yield item
        else:
            self.at = len(self.buffer)
        self.forget()

    def opens(self, sign: bytes, where: int) -> None:
        if len(self.open) >= _DEEPEST:
            raise NoLog("its objects are nested too deep")
        inside = bytes(self.open)
        if sign == b"[" and inside == b"{" and self.last in _LISTS:
            self.listed, self.start = True, -1
        elif sign == b"{" and (not inside or inside == b"[" or (self.listed and inside == b"{[")):
            self.start = where
            self.listed = self.listed and inside == b"{["
        self.open.append(sign[0])

    def closes(self, sign: bytes) -> bytes | None:
        opening = b"{"[0] if sign == b"}" else b"["[0]
        if not self.open or self.open.pop() != opening:
            raise NoLog("its brackets do not match")
        depth = len(self.open)
        whole = sign == b"}" and self.start >= 0 and (bytes(self.open) in (b"", b"[") or (self.listed and depth == 2))
        if not whole:
            self.listed = self.listed and depth > 0
            return None
        item, self.start = self.buffer[self.start : self.at], -1
        return item

    def forget(self) -> None:
        """Drop what was read, except an object that is not complete yet."""
        keep = self.start if self.start >= 0 else self.at
        if len(self.buffer) - keep > _LARGEST:
            raise NoLog("an object in it is too large for an event")
        self.buffer, self.at = self.buffer[keep:], self.at - keep
        self.start = min(self.start, 0)

    def end(self) -> None:
        if self.open:
            raise NoLog("it ends in the middle of an object")
