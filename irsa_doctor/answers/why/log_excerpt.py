"""Takes from a log of any length the lines that can hold a known message, each kind of line once, the last one of it."""

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from irsa_doctor.answers.why.symptoms import GAP
from irsa_doctor.rulebook.messages import Message
from irsa_doctor.rulebook.pattern_words import RARE, words_of
from irsa_doctor.text.pasted import decoded

WHOLE = 1 << 19
"""characters of a text that is read as it is"""
_LINE = 1 << 14
"""characters of one line that are kept"""
_OVERLAP = 1024
_KINDS = 2000
"""kinds of lines that are kept, the newest ones"""
_BEFORE, _AFTER = 2, 4
"""lines around one that are kept with it: messages of several lines"""
_CHANGING = str.maketrans("", "", "0123456789abcdefABCDEF")
_KIND = 400
"""characters of a line by which its kind is known"""
_LEFT_OUT = 100
"""lines that are left out between two parts of a log"""
_MOST_GAPS = 50
_END = 20
"""lines at the end of a log that are kept where it has no relevant one"""
_Kinds: TypeAlias = "OrderedDict[str, tuple[int, list[str]]]"


def log_excerpt(pieces: Iterable[bytes], messages: Sequence[Message]) -> str:
    """The text of a log where it is short, else its relevant lines in order; no more of it is held than they take."""
    text, rest = _beginning(decoded(pieces))
    if len(text) <= WHOLE:
        return text
    excerpt = _Excerpt(words_of(messages))
    for lines in _lines(_chained(text, rest)):
        excerpt.add_all(lines)
    return excerpt.text


def _beginning(parts: Iterator[str]) -> tuple[str, Iterator[str]]:
    text = ""
    for part in parts:
        text += part
        if len(text) > WHOLE:
            break
    return text, parts


def _chained(text: str, rest: Iterator[str]) -> Iterator[str]:
    yield text
    yield from rest


def _lines(parts: Iterable[str]) -> Iterator[list[str]]:
    """The lines of each part of a text; a line that is too long is cut into pieces that overlap."""
    held = ""
    for part in parts:
        *lines, held = (held + part).split("\n")
        if len(held) > _LINE:
            lines, held = [*lines, held], held[-_OVERLAP:]
        yield [piece for line in lines for piece in _cut(line)]
    yield list(_cut(held))


def _cut(line: str) -> Iterator[str]:
    yield from (line[at : at + _LINE] for at in range(0, max(len(line), 1), _LINE - _OVERLAP))


def _search_of(words: Sequence[str]) -> Callable[[str], object]:
    """Whether one of some words is in a line."""
    return re.compile("|".join(map(re.escape, words)) if words else r"(?!)").search


class _Excerpt:
    """The lines that are kept: by kind, which is a line without its digits, with the lines around it.

    Lines with a word that many lines have are kept apart, so that they never displace a rare one.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.rare = [word for word in words if len(word) >= RARE]
        self.common = [word for word in words if len(word) < RARE]
        self.kept: tuple[_Kinds, _Kinds] = (OrderedDict(), OrderedDict())
        self.before: deque[str] = deque(maxlen=_BEFORE)
        self.end: deque[str] = deque(maxlen=_END)
        self.wanted = 0
        self.number = 0
        self.last: list[str] = []

    def add_all(self, lines: Sequence[str]) -> None:
        whole = "\n".join(lines).lower()
        rare, common = (_search_of([word for word in group if word in whole]) for group in (self.rare, self.common))
        for line in lines:
            self.number += 1
            lowered = line.lower()
            if rare(lowered):
                self.keep(self.kept[0], line)
            elif common(lowered):
                self.keep(self.kept[1], line)
            elif self.wanted:
                self.last.append(line)
                self.wanted -= 1
            self.before.append(line)
        self.end.extend(lines[-_END:])

    def keep(self, kinds: "_Kinds", line: str) -> None:
        kind = line[:_KIND].translate(_CHANGING)
        kinds.pop(kind, None)
        self.last = [*self.before, line]
        kinds[kind] = (self.number, self.last)
        self.wanted = _AFTER
        if len(kinds) > _KINDS:
            kinds.popitem(last=False)

    @property
    def text(self) -> str:
        """What was kept in the order of the log, or its end where nothing was."""
        groups = sorted(group for kinds in self.kept for group in kinds.values())
        return "\n".join(_with_gaps(groups)) if groups else "\n".join(self.end)


def _with_gaps(groups: Iterable[tuple[int, list[str]]]) -> Iterator[str]:
    """The lines of groups; where many lines between two of them are left out, a long blank stands for the first of them."""
    before, gaps = 0, 0
    for number, lines in groups:
        if number - before > _LEFT_OUT and gaps < _MOST_GAPS:
            gaps += 1
            yield " " * (2 * GAP)
        yield from lines
        before = number
