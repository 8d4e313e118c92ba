"""Splits quoted strings and heredocs into literal parts, with the place of each, and interpolations.

https://developer.hashicorp.com/terraform/language/expressions/strings
"""

import re
from collections.abc import Iterator, Sequence

from irsa_doctor.sources.templates.terraform.syntax import Node, Syntax, parts_of
from irsa_doctor.sources.templates.values import Fragment, TemplateValue, with_placeholders
from irsa_doctor.text.positions import Anchor

LONGEST_TEXT = 1 << 20
"""characters of a text that is put together"""
_DYNAMIC = ("template_interpolation", "template_directive")
_ESCAPE = re.compile(rb'\\(?:[nrt"\\]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})|\$\$\{|%%\{')
_MARK_ESCAPE = re.compile(rb"\$\$\{|%%\{")
_PLAIN = re.compile(rb"[ !#&-\[\]-~]*")
"""a text in which nothing is put in between and no sign is escaped"""
_SIGNS = {b"n": "\n", b"r": "\r", b"t": "\t", b'"': '"', b"\\": "\\"}
_SPACE, _SPACE_OF_LINE = re.compile(rb"(?:\s|\\[nrt])*"), re.compile(rb"[^\S\n]*\n?")
_SPACE_ESCAPES = (b"\\n", b"\\r", b"\\t")
_INDENT = re.compile(rb"^[ \t]*(?=[^ \t\r\n])", re.MULTILINE)


def plain_text(syntax: Syntax, node: Node) -> TemplateValue | None:
    """The value of a quoted template in which nothing is put in between, no sign is escaped and no placeholder stands; None
    for any other."""
    fragment = _plain_fragment(syntax, node)
    if (
        fragment is None
        or node.end_byte - node.start_byte > LONGEST_TEXT
        or next(with_placeholders(fragment, in_bytes=True), None) is not fragment
    ):
        return None
    return TemplateValue(fragment.part, Anchor(None, node.start_byte, node.end_byte), syntax.document, (fragment,))


def _plain_fragment(syntax: Syntax, node: Node) -> Fragment | None:
    start, end = node.start_byte + 1, node.end_byte - 1
    if node.type != "heredoc_template" and start < end and _PLAIN.fullmatch(syntax.text, start, end):
        return Fragment(syntax.text[start:end].decode(), start)
    return None


def literal_fragments(syntax: Syntax, node: Node) -> Iterator[Fragment | Node]:
    """Literal pieces with the byte at which each is written, and the nodes of what is put in between."""
    is_heredoc = node.type == "heredoc_template"
    start, end = _heredoc(syntax, node) if is_heredoc else (node.start_byte + 1, node.end_byte - 1)
    if plain := _plain_fragment(syntax, node):
        yield plain
        return
    yield from _fragments(syntax, node, parts_of(node), start, end)


def inner_fragments(syntax: Syntax, node: Node, start: int, end: int) -> Iterator[Fragment | Node]:
    """The same of a part of a template, between two marks of a directive in it."""
    template = node
    while template.parent is not None and template.type not in ("heredoc_template", "quoted_template"):
        template = template.parent
    inner = [part for part in parts_of(node) if start <= part.start_byte and part.end_byte <= end]
    yield from _fragments(syntax, template, inner, start, end)


def _fragments(syntax: Syntax, template: Node, parts: Sequence[Node], start: int, end: int) -> Iterator[Fragment | Node]:
    is_heredoc, text = template.type == "heredoc_template", syntax.text
    escapes = _MARK_ESCAPE if is_heredoc else _ESCAPE
    is_flush = text.startswith(b"<<-", template.start_byte)
    indent = _indent(text[slice(*_heredoc(syntax, template))]) if is_flush else 0
    for part in parts:
        if part.type in _DYNAMIC:
            yield from _literal(text, *_stripped(text, start, part.start_byte, is_heredoc), escapes, indent)
            yield part
            start = part.end_byte
    yield from _literal(text, *_stripped(text, start, max(start, end), is_heredoc), escapes, indent)


def _stripped(text: bytes, start: int, end: int, is_heredoc: bool) -> tuple[int, int]:
    """From where to where a literal part counts: `~` in the marks beside it takes the white space that touches them, in a
    heredoc and a file of one line only."""
    if text[end : end + 3] in (b"%{~", b"${~"):
        line = max(start, text.rfind(b"\n", start, end - 1) + 1) if is_heredoc else start
        while end > line and (size := _space_before(text, end, is_heredoc)):
            end = max(line, end - size)
    if text[start - 2 : start] == b"~}":
        space = (_SPACE_OF_LINE if is_heredoc else _SPACE).match(text, start, end)
        start = space.end() if space else start
    return start, end


def _space_before(text: bytes, end: int, is_heredoc: bool) -> int:
    """How many bytes write the white space that ends there, 0 for none."""
    if text[end - 1 : end].isspace():
        return 1
    return 2 if not is_heredoc and text[end - 2 : end] in _SPACE_ESCAPES and text[end - 3 : end - 2] != b"\\" else 0


def _heredoc(syntax: Syntax, node: Node) -> tuple[int, int]:
    """From the line after the opening word to the line of the closing one."""
    start = syntax.text.find(b"\n", node.start_byte, node.end_byte) + 1 or node.end_byte
    end = syntax.text.rfind(b"\n", start - 1, node.end_byte) + 1
    return start, max(start, end)


def _indent(text: bytes) -> int:
    """What `<<-` takes off every line: the least indentation of all."""
    return min((len(match[0]) for match in _INDENT.finditer(text)), default=0)


def _literal(text: bytes, start: int, end: int, escapes: re.Pattern[bytes], indent: int) -> Iterator[Fragment]:
    """The pieces of a literal part, one for each escape and, where lines lose their indentation, for each line."""
    while start < end:
        if indent and text[start - 1 : start] == b"\n":
            start = min(start + indent, end)
        stop = end
        if indent and (newline := text.find(b"\n", start, end)) >= 0:
            stop = newline + 1
        match = escapes.search(text, start, stop)
        if match is None:
            yield Fragment(text[start:stop].decode(errors="replace"), start)
            start = stop
            continue
        if match.start() > start:
            yield Fragment(text[start : match.start()].decode(errors="replace"), start)
        yield Fragment(_unescaped(match[0]), match.start(), len(match[0]))
        start = match.end()


def _unescaped(escape: bytes) -> str:
    if escape[:1] in (b"$", b"%"):
        return escape[1:].decode()
    if escape[1:2] in (b"u", b"U"):
        code = int(escape[2:], 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\N{REPLACEMENT CHARACTER}"
    return _SIGNS[escape[1:2]]
