"""Reads JSON strictly and reports what is wrong at which line and column (RFC 8259)."""

from json.decoder import scanstring  # type: ignore[attr-defined]  # in C where there is one, and in no stub

import msgspec

from irsa_doctor.model.regex import regex
from irsa_doctor.text.errors import TextError

DEPTH = 100
"""Levels of nesting that are read. IAM and Kubernetes need about ten; more is a defect or an attack."""

_SPACE = regex(r"[ \t\n\r]*")
_NUMBER = regex(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = regex(r"[^\s,:\[\]{}\"]{1,40}")
_TYPOGRAPHIC = "\u201c\u201d\u201e\u2018\u2019"
_QUOTED = " (typographic quotation marks, as word processors write them)"
_CONSTANTS = {"true": True, "false": False, "null": None}
_LITERAL = regex(r"(?:true|false|null)(?![0-9A-Za-z_])")
_SURROGATE = regex("[\ud800-\udfff]")
_LONGEST_NUMBER = 300


class Duplicate(msgspec.Struct, frozen=True):
    """A duplicate member: its pointer and name, and line and column (1-based) of both names."""

    pointer: str
    name: str
    first: tuple[int, int]
    second: tuple[int, int]


class Scan(msgspec.Struct, frozen=True):
    """A value, its duplicate members (the value holds the last of each), and the offset at which its text ends."""

    value: object
    duplicates: tuple[Duplicate, ...] = ()
    end: int = 0


def number_of(text: str) -> int | float | str:
    """Return the number; its text where no machine number holds it, because IAM compares such values as text anyway."""
    if len(text) > _LONGEST_NUMBER:
        return text
    if text.lstrip("-").isdigit():
        return int(text)
    value = float(text)
    return text if value in (float("inf"), float("-inf")) else value


def escaped(step: str | int) -> str:
    """Return one step of a JSON pointer, escaped (RFC 6901)."""
    return str(step).replace("~", "~0").replace("/", "~1")


def unescaped_steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer (RFC 6901), none for the root."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the 1-based line and column of an offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


class _Fault(Exception):
    def __init__(self, why: str, offset: int) -> None:
        super().__init__(why)
        self.why = why
        self.offset = offset


def scan(text: str, start: int = 0, whole: bool = True) -> Scan | TextError:
    """Return the JSON value that begins at `start`, or what is wrong; with `whole`, only white space may follow it."""
    reader = _Reader(text)
    try:
        value, end = reader.value(start, "", 0)
        if whole:
            end = reader.space(end)
            if end < len(text):
                raise _Fault(f"the document ends before this, but {_next_word(text, end)} follows", end)
    except _Fault as fault:
        return TextError(fault.why, *line_and_column(text, fault.offset))
    return Scan(value, tuple(reader.duplicates), end)


def _next_word(text: str, offset: int) -> str:
    if offset >= len(text):
        return "the end of the text"
    if word := _WORD.match(text, offset):
        return f"`{word[0]}`{_QUOTED if word[0][0] in _TYPOGRAPHIC else ''}"
    return f"`{text[offset]}`"


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.duplicates: list[Duplicate] = []

    def space(self, offset: int) -> int:
        match = _SPACE.match(self.text, offset)
        return match.end() if match else offset

    def value(self, offset: int, pointer: str, depth: int) -> tuple[object, int]:
        text, offset = self.text, self.space(offset)
        first = text[offset : offset + 1]
        if first == "{":
            return self.members(offset, pointer, depth + 1)
        if first == "[":
            return self.items(offset, pointer, depth + 1)
        if first == '"':
            return self.string(offset)
        if match := _NUMBER.match(text, offset):
            following = text[match.end() : match.end() + 1]
            if following.isalnum() or following in ("_", "+", "."):
                raise _Fault(f"{_next_word(text, offset)} is not a valid JSON number", offset)
            return number_of(match[0]), match.end()
        if match := _LITERAL.match(text, offset):
            return _CONSTANTS[match[0]], match.end()
        raise _Fault(self.value_message(offset), offset)

    def value_message(self, offset: int) -> str:
        following = _next_word(self.text, offset)
        first = self.text[offset : offset + 1]
        if first == "'":
            return "JSON has text in double quotes, not in single quotes"
        if first in ("/", "#"):
            return "JSON has no comments; a value was expected"
        if first in ("}", "]", ","):
            return f"a value was expected, not {following}" + (" (is there a trailing comma?)" if first != "," else "")
        return f"a value was expected, not {following}"

    def string(self, offset: int) -> tuple[str, int]:
        try:
            value, end = scanstring(self.text, offset + 1, True)
        except ValueError as error:
            at = getattr(error, "pos", offset)
            if str(error).startswith("Unterminated"):
                raise _Fault("the text that begins here has no closing quote", offset) from None
            if "control character" in str(error):
                raise _Fault("a line break or control character inside quotes (is a closing quote missing?)", at) from None
            raise _Fault("an escape that JSON does not have", at) from None
        # half of a surrogate pair is no character: it could not be printed, and IAM has no use for it either
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value), end

    def items(self, offset: int, pointer: str, depth: int) -> tuple[list[object], int]:
        self.check(depth, offset)
        values: list[object] = []
        start, offset = offset, self.space(offset + 1)
        if self.text[offset : offset + 1] == "]":
            return values, offset + 1
        while True:
            value, offset = self.value(offset, f"{pointer}/{len(values)}", depth)
            values.append(value)
            offset = self.space(offset)
            sign = self.text[offset : offset + 1]
            if sign == "]":
                return values, offset + 1
            if sign != ",":
                raise _Fault(self.separator_message(start, offset, "]"), offset)
            following = self.space(offset + 1)
            if self.text[following : following + 1] == "]":
                raise _Fault("a comma before `]`", offset)
            offset = following

    def members(self, offset: int, pointer: str, depth: int) -> tuple[dict[str, object], int]:
        self.check(depth, offset)
        values: dict[str, object] = {}
        places: dict[str, int] = {}
        start, offset = offset, self.space(offset + 1)
        if self.text[offset : offset + 1] == "}":
            return values, offset + 1
        while True:
            at = offset
            if self.text[at : at + 1] != '"':
                raise _Fault(self.name_message(at), at)
            name, offset = self.string(at)
            offset = self.space(offset)
            if self.text[offset : offset + 1] != ":":
                raise _Fault(f"a colon was expected after the member's name, not {_next_word(self.text, offset)}", offset)
            below = f"{pointer}/{escaped(name)}"
            value, offset = self.value(offset + 1, below, depth)
            if name in values:
                self.duplicate(below, name, places[name], at)
            values[name], places[name] = value, at
            offset = self.space(offset)
            sign = self.text[offset : offset + 1]
            if sign == "}":
                return values, offset + 1
            if sign != ",":
                raise _Fault(self.separator_message(start, offset, "}"), offset)
            following = self.space(offset + 1)
            if self.text[following : following + 1] == "}":
                raise _Fault("a comma before `}`", offset)
            offset = following

    def name_message(self, offset: int) -> str:
        if self.text[offset : offset + 1] in ("/", "#"):
            return "JSON has no comments; a member's name in double quotes was expected"
        return f"a member's name in double quotes was expected, not {_next_word(self.text, offset)}"

    def separator_message(self, start: int, offset: int, close: str) -> str:
        line, column = line_and_column(self.text, start)
        opened = f"`{self.text[start]}` of {line}:{column}"
        if offset >= len(self.text):
            return f"the text ends before {opened} is closed"
        return f"a comma or `{close}` (for {opened}) was expected, not {_next_word(self.text, offset)}"

    def check(self, depth: int, offset: int) -> None:
        if depth > DEPTH:
            raise _Fault(f"more than {DEPTH} levels deep", offset)

    def duplicate(self, pointer: str, name: str, first: int, second: int) -> None:
        places = line_and_column(self.text, first), line_and_column(self.text, second)
        self.duplicates.append(Duplicate(pointer, name, *places))
