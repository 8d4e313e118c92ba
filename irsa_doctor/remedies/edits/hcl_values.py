"""Edits of single texts in Terraform's configuration language: where they are written, else where they are used."""

from collections.abc import Iterator, Sequence

import msgspec

from irsa_doctor.remedies.edits.hcl_names import TEXTS, HclValue, expression_in
from irsa_doctor.remedies.edits.hcl_texts import TextPiece, encoded_for, text_pieces, with_texts
from irsa_doctor.remedies.edits.nearness import PlacedReference, TextSpan, brace_spans, nearest_references
from irsa_doctor.remedies.edits.records import CannotWrite, Edit
from irsa_doctor.text.hcl_tree import HclNode, call_of, plain_node, reference_words

SHORTEST = 8
"""characters of a text that is recognized inside another one"""
_DEEP = 12


class SharedTexts:
    """Names that are read in several places: where all of these want another text of them, it is edited where it is written.

    `references` are expressions for what the configuration leaves open, with the texts that stand for it.
    """

    def __init__(self, references: Sequence[PlacedReference] = ()) -> None:
        self.references = references
        self._wishes: dict[tuple[str, int], set[tuple[str, int, str]]] = {}
        self._agreed: set[tuple[str, int]] = set()

    def may_edit(self, value: HclValue, declared: HclValue, before: str, after: str) -> bool:
        """Whether the text that a name stands for is to be edited where it is written; notes that this use asks for it."""
        if declared.known() != before:
            return False
        key, uses = (declared.text.document, int(declared.node.start_byte)), value.uses
        wishes = self._wishes.setdefault(key, set())
        wishes.add((value.text.document, int(value.plain.node.start_byte), after))
        if len(wishes) == uses and len({text for _, _, text in wishes}) == 1:
            self._agreed.add(key)
        return uses == 1 or key in self._agreed

    @property
    def agreed(self) -> int:
        """How many names are edited where they are written."""
        return len(self._agreed)


class KnownExpressions(msgspec.Struct, frozen=True):
    """Expressions that stand near what is edited, with the texts that they are, the longest text first.

    `listed` are all of them, of which several may be one text, and `spans` the blocks and objects of `document` about them.
    """

    rows: tuple[tuple[str, str], ...] = ()
    shared: SharedTexts = msgspec.field(default_factory=SharedTexts)
    document: str = ""
    listed: tuple[PlacedReference, ...] = ()
    spans: tuple[TextSpan, ...] = ()

    @classmethod
    def near(
        cls, value: HclValue, node: HclNode, shared: SharedTexts, more: Sequence[PlacedReference] = ()
    ) -> "KnownExpressions":
        """Those in a node, and more with their texts."""
        listed = [*shared.references, *more]
        for expression in _expressions(node):
            below = value.at(expression)
            listed.append(PlacedReference(below.known() or "", below.source, int(expression.start_byte)))
        listed = [row for row in listed if len(row.text) >= SHORTEST]
        rows: dict[str, str] = {}
        for row in sorted(listed, key=lambda row: -len(row.text)):
            rows.setdefault(row.text, row.source)
        return cls(tuple(rows.items()), shared, value.text.document, tuple(listed), tuple(_spans(node)))

    def about(self, value: HclValue, position: int = -1) -> "KnownExpressions":
        """The same for a place of a text, by default that of an expression: of several for one text counts the nearest."""
        if value.text.document != self.document or len({row.text for row in self.listed}) == len(self.listed):
            return self
        rows = nearest_references(self.listed, self.spans, position if position >= 0 else int(value.node.start_byte))
        return msgspec.structs.replace(self, rows=tuple(rows.items()))

    @property
    def away(self) -> "KnownExpressions":
        """What is known in another place."""
        return KnownExpressions((), self.shared)

    def split(self, text: str) -> Iterator[tuple[str, str]]:
        """A text as literal parts and expressions, of each pair one."""
        for known, source in self.rows:
            before, is_there, after = text.partition(known)
            if is_there:
                yield from self.split(before)
                yield "", source
                yield from self.split(after)
                return
        if text:
            yield text, ""

    def inside(self, node: HclNode, text: str) -> str:
        """A text as it is written inside a text of a kind."""
        return "".join(f"${{{source}}}" if source else encoded_for(node, part) for part, source in self.split(text))

    def alone(self, text: str) -> str:
        """A text as an expression of its own."""
        parts = list(self.split(text))
        if len(parts) == 1 and parts[0][1]:
            return parts[0][1]
        return '"' + "".join(f"${{{source}}}" if source else _quoted(part) for part, source in parts) + '"'


class _Quoted(msgspec.Struct, frozen=True):
    type: str = "quoted_template"


def _quoted(text: str) -> str:
    return encoded_for(_Quoted(), text)


def _expressions(node: HclNode, depth: int = 0) -> Iterator[HclNode]:
    """The references and calls in a node that may be a text."""
    if node.type == "expression" and (
        reference_words(node) or call_of(plain_node(node))[0] in ("replace", "trimprefix", "trimsuffix")
    ):
        yield node
        return
    if depth < 200:
        for child in node.named_children:
            yield from _expressions(child, depth + 1)


def _spans(node: HclNode, depth: int = 0) -> Iterator[TextSpan]:
    """The ranges of the blocks and objects in a node, and those between braces of its texts."""
    if node.type in TEXTS:
        yield from ((node.start_byte + start, node.start_byte + end) for start, end in brace_spans(node.text))
        return
    if node.type in ("block", "object"):
        yield int(node.start_byte), int(node.end_byte)
    if depth < 200:
        for child in node.named_children:
            yield from _spans(child, depth + 1)


def text_edits(value: HclValue, before: str, after: str, near: KnownExpressions, depth: int = 0) -> list[Edit]:
    """The edits that make a text another one. Raises CannotWrite."""
    if before == after:
        return []
    if depth > _DEEP:
        raise CannotWrite("not-in-source", "the value is written in another place than can be followed")
    plain = value.plain
    if plain.node.type in TEXTS:
        return piece_edits(plain, valued_pieces(plain, before), before, after, near)
    declared = plain.declared
    if declared is not None and near.shared.may_edit(plain, declared, before, after):
        return text_edits(declared, before, after, near.away, depth + 1)
    return [_edit(value, value.node.start_byte, value.node.end_byte, used(plain, before, after, near.about(value)))]


def used(value: HclValue, before: str, after: str, near: KnownExpressions) -> str:
    """What takes the place of an expression where it is used: the same with a part taken off, one near by, or a text."""
    if any(text == after for text, _ in near.rows):
        return near.alone(after)
    source, scheme = value.source, "https://"
    if before == scheme + after:
        return f'replace({source}, "{scheme}", "")'
    if after and before.rstrip("/") == after:
        return f'trimsuffix({source}, "/")' if before == after + "/" else f'replace({source}, "//*$/", "")'
    if before.partition(":oidc-provider/")[2] == after and after:
        return f'element(split(":oidc-provider/", {source}), 1)'
    return near.alone(after)


def valued_pieces(value: HclValue, before: str) -> list[TextPiece]:
    """The pieces of a text that has a value. Raises CannotWrite where they are not determined."""
    pieces = text_pieces(value.text.content, value.node)
    if value.node.type == "heredoc_template":
        pieces = _flush(value, pieces)
    known = {
        piece.start: text
        for piece in pieces
        if piece.node is not None and (text := value.at(expression_in(piece.node)).known()) is not None
    }
    listed = with_texts(pieces, before, known) or with_texts(pieces, before, {})
    if listed is None:
        raise CannotWrite("not-in-source", "the text is put together in a way that cannot be followed")
    return listed


def _flush(value: HclValue, pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """The pieces of a heredoc of one value: those of `<<-` without the indentation."""
    if not value.source.startswith("<<-"):
        return list(pieces)
    return [piece for number, piece in enumerate(pieces) if piece.text not in (" ", "\t") or not _indents(pieces, number)]


def _indents(pieces: Sequence[TextPiece], number: int) -> bool:
    while number >= 0 and pieces[number].text in (" ", "\t") and pieces[number].node is None:
        number -= 1
    return number < 0 or pieces[number].text == "\n"


def piece_edits(value: HclValue, pieces: Sequence[TextPiece], before: str, after: str, near: KnownExpressions) -> list[Edit]:
    """The edits of pieces that make up a value, so that they make up another one."""
    if before == after:
        return []
    head, tail = _shared(before, after)
    first, start = _boundary(pieces, head, 0)
    last, end = _boundary(pieces, len(before) - tail, len(pieces))
    middle = after[start : len(after) - (len(before) - end)]
    inner = pieces[first:last]
    if len(inner) == 1 and inner[0].node is not None:
        return _put_in(value, inner[0], middle, near.about(value, inner[0].start))
    where = pieces[first].start if first < len(pieces) else _end(value, pieces)
    near = near.about(value, where)
    stop = pieces[last - 1].end if last > first else where
    return [_edit(value, where, stop, near.inside(value.node, middle))]


def _put_in(value: HclValue, piece: TextPiece, after: str, near: KnownExpressions) -> list[Edit]:
    """The edits of what is put in between."""
    expression = value.at(expression_in(piece.node))
    declared = expression.declared
    if declared is not None and near.shared.may_edit(expression, declared, piece.text, after):
        return text_edits(declared, piece.text, after, near.away, 1)
    written = used(expression.plain, piece.text, after, near)
    if written.startswith('"'):
        return [_edit(value, piece.start, piece.end, near.inside(value.node, after))]
    return [_edit(value, expression.node.start_byte, expression.node.end_byte, written)]


def _end(value: HclValue, pieces: Sequence[TextPiece]) -> int:
    if pieces:
        return pieces[-1].end
    if value.node.type == "heredoc_template":
        raise CannotWrite("not-in-source", "the text is empty")
    return int(value.node.start_byte) + 1


def _shared(before: str, after: str) -> tuple[int, int]:
    """How many characters at the beginning and at the end two texts have in common."""
    most = min(len(before), len(after))
    head = next((n for n in range(most) if before[n] != after[n]), most)
    tail = next((n for n in range(most - head) if before[-1 - n] != after[-1 - n]), most - head)
    return head, tail


def _boundary(pieces: Sequence[TextPiece], offset: int, edge: int) -> tuple[int, int]:
    """The piece at an offset of the value, and where it begins; what is put in between is one whole: of an offset in it, the
    boundary is before it, or behind it where `edge` is the number of pieces."""
    begin = 0
    for number, piece in enumerate(pieces):
        size = len(piece.text)
        if begin >= offset:
            return number, begin
        if begin < offset < begin + size:
            return (number + 1, begin + size) if edge else (number, begin)
        begin += size
    return len(pieces), begin


def _edit(value: HclValue, start: int, end: int, new: str) -> Edit:
    return value.text.edit(start, end, new)
