"""Values of templates with the places where they are written, and the policies built from them."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import msgspec

from irsa_doctor.model import (
    Flaw,
    Hole,
    Place,
    ReplacedMember,
    Text,
    TrustPolicy,
    Unknown,
    has_hole,
    joined,
    text_of,
    without_scheme,
)
from irsa_doctor.sources.documents.policies import duplicate_flaws, syntax_flaw
from irsa_doctor.sources.templates.quoting import character_numbers, closing_quote, ends_quoted
from irsa_doctor.text.errors import TextError, WrongShape
from irsa_doctor.text.json import read_json
from irsa_doctor.text.json_places import ranges_of
from irsa_doctor.text.placeholders import with_holes
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.scanner import escaped
from irsa_doctor.text.yaml import compose

Spots = dict[tuple[int, str], Anchor]

# characters of a private plane that stand for holes while a text is read as JSON: no policy has them
_FIRST, _LAST = 0xF0000, 0xFFFFD
_PRIVATE = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
_SPLIT = re.compile(f"([{chr(_FIRST)}-{chr(_LAST)}])")


class Fragment(msgspec.Struct, frozen=True):
    """A part of a text that is put together, and the offset at which it is written; -1 where that is elsewhere.

    `size` is how much is written there for an escape or a hole; -1 where as much is written as the part has.
    """

    part: str | Hole
    at: int = -1
    size: int = -1


class Choice(msgspec.Struct, frozen=True):
    """Two values, and the condition, not decided, that chooses the first of them.

    `of_instances`: the condition says no more than whether something is made.
    """

    condition: str
    then: "TemplateValue"
    otherwise: "TemplateValue"
    of_instances: bool = False


class TemplateValue(msgspec.Struct, frozen=True):
    """A value and where it is written.

    Objects are mappings of texts (with or without holes) to `TemplateValue`, lists are tuples of them; anything unknown is a
    `Text` of one hole. `pieces` are what a text was put together of. `document` is the path of the file that `anchor` is in.
    `made` is what a text is the JSON of, as jsonencode makes it. With a `choice` the value is not known, but one of two.
    `lost` are members of an object that later ones of the same name take the place of, by these names.
    """

    value: object
    anchor: Anchor | None = None
    document: str = ""
    pieces: tuple[Fragment, ...] = ()
    made: "TemplateValue | None" = None
    choice: Choice | None = None
    lost: tuple[tuple[str, "TemplateValue"], ...] = ()


def hole(name: str) -> Text:
    """Return a value of which only a name is known."""
    return Text((Hole(f"${{{name}}}"),))


def template_provider_arn(name: str, url: str | Text) -> Text:
    """The ARN of an OIDC provider of which no more is known than its URL; `name` is what the template calls the ARN."""
    partition, account = (Hole(f"${{{what} of {name}}}") for what in ("partition", "account"))
    arn = joined(("arn:", partition, ":iam::", account, ":oidc-provider/", without_scheme(url)))
    return arn if isinstance(arn, Text) else hole(name)


_YAML_NODES = 20_000
"""Values of one YAML text, those of aliases counted in"""
_DEEP, _MOST = 60, 100_000
"""Values inside values, and values in all, of what is put together"""


def plain(written: TemplateValue) -> object:
    """The value alone: dicts, lists, texts, numbers. Raises WrongShape where it exceeds a limit."""
    return _plain(written, 0, [_MOST])


def _plain(written: TemplateValue, depth: int, left: list[int]) -> object:
    left[0] -= 1
    if depth > _DEEP or left[0] < 0:
        raise WrongShape("", "values nested too deeply, or too many of them")
    value = written.value
    if isinstance(value, dict):
        return {name: _plain(item, depth + 1, left) for name, item in value.items()}
    if isinstance(value, Mapping):
        # something of which only the parts have values
        return hole(str(value))
    if isinstance(value, tuple):
        return [_plain(item, depth + 1, left) for item in value]
    return value


def anchors_of(written: TemplateValue, place: Place) -> Iterator[tuple[tuple[int, str], Anchor]]:
    """Where the parts of a value are written, by the pointers that lead to them from a place."""
    pending, left = [(written, place.pointer)], _MOST
    while pending and left:
        part, pointer = pending.pop()
        left -= 1
        if part.anchor is not None and part.document == place.document:
            yield (place.part, pointer), part.anchor
        if isinstance(part.value, dict):
            pending += [(item, f"{pointer}/{escaped(text_of(name))}") for name, item in part.value.items()]
        elif isinstance(part.value, tuple):
            pending += [(item, f"{pointer}/{number}") for number, item in enumerate(part.value)]


def text_in(pieces: Iterable[Fragment]) -> str | Text:
    """The text that pieces make."""
    return joined(piece.part for piece in pieces)


def policy_of(written: TemplateValue, place: Place, missing: Unknown) -> tuple[TrustPolicy | Unknown, Spots]:
    """The policy that a value is: an object, the JSON of one, or the text of one; and where its parts are written.

    `missing` is the answer for a value of which nothing is known.
    """
    if written.made is not None:
        return policy_of(written.made, place, missing)
    if isinstance(written.value, Mapping):
        document, replaced = plain(written), tuple(_replaced(written))
        return TrustPolicy(document, place, (), True, -1, replaced=replaced), dict(anchors_of(written, place))
    if isinstance(written.value, str | Text):
        pieces = written.pieces or _pieces_of(written.value)
        return _policy_of_text(pieces, written, place, missing)
    if written.value is None:
        return missing, {}
    return TrustPolicy(plain(written), place, (), True, -1), dict(anchors_of(written, place))


def _replaced(written: TemplateValue, pointer: str = "") -> Iterator[ReplacedMember]:
    """The members of a value that later ones of their names take the place of; pointers lead from the value."""
    for name, member in written.lost:
        yield ReplacedMember(name, f"{pointer}/{escaped(name)}", (name, *_names_in(plain(member))))
    if isinstance(written.value, dict):
        for name, item in written.value.items():
            yield from _replaced(item, f"{pointer}/{escaped(text_of(name))}")
    elif isinstance(written.value, tuple):
        for number, item in enumerate(written.value):
            yield from _replaced(item, f"{pointer}/{number}")


def _names_in(value: object) -> Iterator[str]:
    """The names of the members of a value, and of what is in them."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield text_of(name)
            yield from _names_in(item)


def _pieces_of(value: str | Text) -> tuple[Fragment, ...]:
    return tuple(map(Fragment, value.parts)) if isinstance(value, Text) else (Fragment(value),)


def _policy_of_text(
    pieces: Sequence[Fragment], written: TemplateValue, place: Place, missing: Unknown
) -> tuple[TrustPolicy | Unknown, Spots]:
    if not any(isinstance(piece.part, str) and piece.part.strip() for piece in pieces):
        return missing, {}
    text = _FilledText(pieces, in_bytes=written.anchor is None or written.anchor.pointer is None)
    scan = read_json(text.text.encode())
    at = dict([((place.part, place.pointer), written.anchor)] if written.anchor and written.document == place.document else [])
    if isinstance(scan, TextError):
        if text.outside:
            # what stands for the hole may be what makes it JSON
            return missing, {}
        return TrustPolicy(None, place, (syntax_flaw(scan),), True, -1), at
    document = text.restored(scan.value)
    if isinstance(document, Text):
        return missing, {}
    if written.document == place.document:
        at |= text.anchors(written.anchor, place)
    flaws = tuple(_with_holes(flaw, text) for flaw in duplicate_flaws(scan.duplicates))
    return TrustPolicy(document, place, flaws, True, -1), at


def written_json(text: str | Text, anchor: Anchor | None = None, document: str = "") -> TemplateValue | None:
    """The value of a JSON text that may have holes, None where it is none; all of it is written at the anchor."""
    filled = _FilledText(_pieces_of(text), in_bytes=False)
    scan = read_json(filled.text.encode(errors="replace"))
    return None if isinstance(scan, TextError) else written_of(filled.restored(scan.value), anchor, document)


def written_of(value: object, anchor: Anchor | None = None, document: str = "") -> TemplateValue:
    """A plain value as one that is written nowhere, or all of it in one place."""
    if isinstance(value, dict):
        return TemplateValue({name: written_of(item, anchor, document) for name, item in value.items()}, anchor, document)
    if isinstance(value, list):
        return TemplateValue(tuple(written_of(item, anchor, document) for item in value), anchor, document)
    return TemplateValue(value, anchor, document)


def written_yaml(written: TemplateValue) -> tuple[TemplateValue, ...]:
    """The documents of a YAML text that may have holes, with the places of their parts; none where it is not valid YAML.

    Every scalar is a text. What is encoded, by `yamlencode` say, is itself the document.
    """
    if written.made is not None:
        return (written.made,)
    if not isinstance(written.value, str | Text):
        return ()
    in_bytes = written.anchor is None or written.anchor.pointer is None
    text = _FilledText(written.pieces or _pieces_of(written.value), in_bytes=in_bytes, is_json=False)
    roots = compose(text.text.encode(errors="replace"))
    if isinstance(roots, TextError):
        return ()
    reader = _YamlNodes(text, written)
    return tuple(reader.value(root, 0) for root in roots if root is not None)


class _YamlNodes:
    """The nodes of a YAML text as values; aliases may repeat them, so there is a limit."""

    def __init__(self, text: "_FilledText", written: TemplateValue) -> None:
        self.text = text
        self.written = written
        self.left = _YAML_NODES
        self.lines = list(accumulate((len(line) + 1 for line in text.text.split("\n")), initial=0))

    def value(self, node: Any, depth: int) -> TemplateValue:
        """The value of a node."""
        self.left -= 1
        if self.left < 0 or depth > _DEEP:
            raise WrongShape("", "values nested too deeply, or too many of them")
        if node.id == "mapping":
            value: object = {self.name(name): self.member(name, below, depth) for name, below in node.value}
        elif node.id == "sequence":
            value = tuple(self.value(below, depth + 1) for below in node.value)
        else:
            value = self.text.restored(node.value)
        return TemplateValue(value, self.anchor(node), self.written.document)

    def name(self, node: Any) -> object:
        """The name of a member."""
        return self.text.restored(node.value) if node.id == "scalar" else ""

    def member(self, name: Any, node: Any, depth: int) -> TemplateValue:
        """A value that knows where its name is written."""
        value, named = self.value(node, depth + 1), self.anchor(name)
        if value.anchor is None or named is None:
            return value
        return msgspec.structs.replace(
            value, anchor=msgspec.structs.replace(value.anchor, name=named.start, name_end=named.end)
        )

    def anchor(self, node: Any) -> Anchor | None:
        """Where a node is written, None where that is not in the document."""
        first, last = (self.lines[mark.line] + mark.column for mark in (node.start_mark, node.end_mark))
        start, _ = self.text.written_at(first)
        _, end = self.text.written_at(max(first, last - 1))
        pointer = self.written.anchor.pointer if self.written.anchor else None
        return Anchor(pointer, start, max(start + 1, end)) if start >= 0 else self.written.anchor


def _with_holes(flaw: Flaw, text: "_FilledText") -> Flaw:
    return msgspec.structs.replace(flaw, message=text.named(flaw.message), pointer=text.named(flaw.pointer))


class _FilledText:
    """A text whose holes are each one character, so that it can be read as JSON; `outside`: one stands for a whole value."""

    def __init__(self, pieces: Sequence[Fragment], *, in_bytes: bool, is_json: bool = True) -> None:
        self.in_bytes = in_bytes
        self.holes: dict[str, Hole] = {}
        self.outside = False
        self.starts: list[int] = []
        self.offsets: list[tuple[int, int, str]] = []
        """for each part that is written somewhere: its offset in the text; where it is written, its size there, and the part"""
        signs: dict[str, str] = {}
        parts: list[str] = []
        size, quoted, since = 0, False, 0  # of an escape one piece may have the backslash, the next one the quote
        for piece in pieces:
            if isinstance(piece.part, Hole):
                quoted, since = is_json and ends_quoted("".join(parts[since:]), quoted), len(parts) + 1
                sign = signs.setdefault(piece.part.name, chr(min(_FIRST + len(signs), _LAST)))
                self.holes[sign] = piece.part
                part = sign if quoted or not is_json else f'"{sign}"'
                self.outside |= not quoted
            else:
                part = _PRIVATE.sub("\N{REPLACEMENT CHARACTER}", piece.part)
            if piece.at >= 0:
                self.starts.append(size)
                self.offsets.append((piece.at, piece.size, part))
            parts.append(part)
            size += len(part)
        self.text = "".join(parts)

    def restored(self, value: object) -> object:
        """A value read from the text, its holes in their places."""
        if isinstance(value, str):
            return joined(self.holes.get(part, part) for part in _SPLIT.split(value)) if _PRIVATE.search(value) else value
        if isinstance(value, list):
            return [self.restored(item) for item in value]
        if isinstance(value, dict):
            return {self.restored(name): self.restored(item) for name, item in value.items()}
        return value

    def named(self, text: str) -> str:
        """A sentence about the text, its holes by their names."""
        return _PRIVATE.sub(lambda match: self.holes[match[0]].name if match[0] in self.holes else "", text)

    def anchors(self, whole: Anchor | None, place: Place) -> Spots:
        """Where the parts of the JSON value are written, as far as their beginning is written in the document."""
        anchors: Spots = {}
        pointer = whole.pointer if whole else None
        if not self.offsets:
            return anchors
        raw = self.text.encode()
        number = character_numbers(self.text, raw)
        for below, (name, value, end) in ranges_of(raw).items():
            start, _ = self.written_at(number[value])
            if not below or start < 0:
                continue
            _, stop = self.written_at(number[end - 1])
            named, named_end = self._named_at(raw, number, name)
            anchor = Anchor(pointer, start, max(start + 1, stop), named, named_end)
            anchors[(place.part, place.pointer + self.named(below))] = anchor
        return anchors

    def _named_at(self, raw: bytes, number: Sequence[int], name: int) -> tuple[int, int]:
        """Where the name of a member is written, with its quotes; -1 where it is not in the document."""
        named, first_end = self.written_at(number[name]) if name >= 0 else (-1, -1)
        if named < 0:
            return -1, -1
        _, end = self.written_at(number[closing_quote(raw, name + 1)])
        return named, max(first_end, end)

    def written_at(self, number: int) -> tuple[int, int]:
        """Where a character of the text is written, and where what comes after it; -1 where that is not in the document."""
        before = bisect_right(self.starts, number) - 1
        if before < 0:
            return -1, -1
        begin, (at, size, part) = self.starts[before], self.offsets[before]
        if number >= begin + len(part):
            return -1, -1
        if size >= 0:
            return at, at + size
        if part.strip('"') in self.holes:
            return at, at + 1
        inside = part[: number - begin]
        sign = part[number - begin]
        at += len(inside.encode()) if self.in_bytes else len(inside)
        return at, at + (len(sign.encode()) if self.in_bytes else 1)


def scalar_text(value: object) -> str | Text | None:
    """A scalar as it stands in a text, None for what is none."""
    if isinstance(value, str | Text):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return None


def with_placeholders(piece: Fragment, *, in_bytes: bool = False) -> Iterator[Fragment]:
    """A piece of text taken apart where it has placeholders of other programs, `{{ .Name }}` say."""
    text = with_holes(piece.part, verbs=False) if isinstance(piece.part, str) else piece.part
    if text is piece.part and isinstance(text, str):
        yield piece
        return
    at = 0
    for part in text.parts if isinstance(text, Text) else (text,):
        words = part if isinstance(part, str) else part.name
        size = len(words.encode()) if in_bytes else len(words)
        yield Fragment(part, piece.at + at if piece.at >= 0 else -1, size if isinstance(part, Hole) else piece.size)
        at += size


def known(value: object) -> str:
    """A text without holes, else ""."""
    return value if isinstance(value, str) and not has_hole(value) else ""
