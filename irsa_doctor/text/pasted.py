"""Undoes what logs, terminals and data formats do to a message: encodings, colours, escapes, entities, line breaks."""

import codecs
import html
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_plus

_ANSI = re.compile(r"(?:\x1b|\\u001[bB]|\\x1[bB]|\\033|\\e)(?:\[[0-9;?]{0,40}[A-Za-z]|\][^\x07\x1b]{0,200}\x07)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\u200b-\u200d\u2060]")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([nrtbf\"'/\\]))")
_MEANT = {"n": "\n", "r": "\r", "t": "\t", "b": " ", "f": " "}
_ENCODED = re.compile(r"[^\s\"'<>]{0,2000}%[0-9A-Fa-f]{2}[^\s\"'<>]{0,20000}")
_WORDS = re.compile(r"[\w.()']{1,60}(?:\+[\w.,:()'/-]{1,60}){2,60}")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[a-z]{2,6});")
_NARROWEST, _WIDEST, _LINES = 39, 240, 60
"""columns of a terminal, and lines of a message in it"""
_USUAL = frozenset({80, 100, 120, 132, 160, 200})
_ROUNDS = 4
"""times that a text is taken out of JSON: a message in a log line in an event in an answer"""
# the frame of Terraform's diagnostics, marks of quotation, and the indent of a wrapped line
_BREAK = re.compile(r"[ \t]{0,40}\r?\n[ \t]{0,80}(?:[\u2502\u2503|>][ \t]{0,40})?")
_FRAME = re.compile(r"[ \t]{0,80}[\u2502\u2503][ \t]{0,40}(?!.*[\u2502\u2503])")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def readings(text: str) -> Iterator[str]:
    """A text as it stands without colours, and taken out of escapes, entities and URL encoding, each where it differs."""
    bare = _CONTROL.sub("", _ANSI.sub("", text))
    yield bare
    plain = unescaped(bare)
    if plain != bare:
        yield plain


def joined_lines(text: str) -> str:
    """A text whose lines a terminal has broken, in one line: where all are equally long it has broken inside words too."""
    lines = text.strip("\r\n").split("\n")
    inner = {len(line) for line in lines[:-1]}
    hard = len(inner) == 1 and (len(lines) > 2 or inner <= _USUAL) and min(inner) > _NARROWEST
    indented = any(line.startswith("  ") for line in lines[1:])
    return "".join(lines) if hard and not indented else _BREAK.sub(" ", text)


def rejoined(text: str) -> str:
    """A text whose runs of equally long lines are one line each: there a terminal has broken a line inside words. So is each
    paragraph in a frame, as Terraform draws it.

    The other lines stay, so that a message between lines of a log is read as well.
    """
    lines, made, start = list(_unframed(text)), [], 0
    while start < len(lines):
        width, end = len(lines[start]), start + 1
        while end < len(lines) and len(lines[end]) == width:
            end += 1
        is_broken = width > _NARROWEST and (end - start > 1 or width in _USUAL)
        if is_broken and end < len(lines) and len(lines[end]) < width:
            end += 1
        made += ["".join(lines[start:end])] if is_broken else lines[start:end]
        start = end
    return "\n".join(made)


def _unframed(text: str) -> Iterator[str]:
    """The lines of a text, each paragraph in a frame as one of them."""
    paragraph: list[str] = []
    for line in text.split("\n"):
        frame = _FRAME.match(line)
        said = line[frame.end() :].rstrip() if frame else ""
        if said:
            paragraph.append(said)
            continue
        if paragraph:
            yield " ".join(paragraph)
            paragraph = []
        yield said if frame else line
    if paragraph:
        yield " ".join(paragraph)


def looks_broken(text: str) -> bool:
    """Whether a terminal has broken the lines of a text: they are about equally long, but for the first and the last."""
    lengths = [len(line.strip("\u2502\u2503|> \t\r")) for line in text.strip("\u2577\u2575 \r\n").split("\n")]
    lengths = [length for length in lengths if length][:_LINES]
    inner = [length for length in lengths[:-1] if length > _NARROWEST]
    return bool(inner) and len(inner) >= len(lengths) - 2 and max(inner) <= _WIDEST and min(inner) * 3 >= max(inner) * 2


def unescaped(text: str) -> str:
    """A text without the escapes of JSON, the entities of XML and the encoding of URLs, however often it was wrapped."""
    for _ in range(_ROUNDS):
        plain = _ESCAPE.sub(_meant, text) if "\\" in text else text
        plain = html.unescape(plain) if _ENTITY.search(plain) else plain
        plain = _ENCODED.sub(lambda part: unquote_plus(part[0]), plain) if "%" in plain else plain
        plain = _WORDS.sub(lambda part: part[0].replace("+", " "), plain) if "+" in plain else plain
        if plain == text:
            break
        text = plain
    return _CONTROL.sub("", _ANSI.sub("", text))


def _meant(escape: re.Match[str]) -> str:
    if digits := escape[1] or escape[2]:
        number = int(digits, 16)
        return chr(number) if not 0xD800 <= number < 0xE000 else "?"
    return _MEANT.get(escape[3], escape[3])


def decoded(pieces: Iterable[bytes]) -> Iterator[str]:
    """The text of a file piece by piece, whatever its encoding: UTF-8, UTF-16 with or without mark, else Latin-1.

    Nothing is refused: what is no text becomes marks of replacement.
    """
    decoder: codecs.IncrementalDecoder | None = None
    for piece in pieces:
        if decoder is None:
            name, mark = _encoding(piece)
            decoder = codecs.getincrementaldecoder(name)("replace")
            yield decoder.decode(piece[mark:])
        else:
            yield decoder.decode(piece)
    if decoder is not None:
        yield decoder.decode(b"", True)


def _encoding(head: bytes) -> tuple[str, int]:
    """The encoding of a file by its beginning, and the length of its mark."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    sample = head[:4096]
    for name, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if len(sample) > 3 and zeros.count(0) > len(sample) // 3:
            return name, 0
    return ("utf-8" if _is_utf8(sample) else "cp1252"), 0


def _is_utf8(sample: bytes) -> bool:
    """Whether a beginning can be UTF-8: broken characters are rarer in it than whole ones."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample)
    broken = text.count("\ufffd")
    return broken == 0 or broken * 4 < sum(character > "\x7f" for character in text)
