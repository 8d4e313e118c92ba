"""Decodes the bytes of a file to UTF-8 text."""

from irsa_doctor.text.errors import TextError

INFLATED_LIMIT = 1 << 28
"""Bytes that a gzip file may hold."""
_RATIO_LIMIT = 200
_RATIO_FROM = 1 << 20
"""JSON and YAML compress to a thirtieth at best; from this size on, a higher ratio is an attack."""
_CHUNK = 1 << 20

# UTF-32 first: its little-endian mark begins with that of UTF-16
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


class BinaryContent(TextError, frozen=True):
    """The content is binary and was never text."""


def settle(raw: bytes) -> bytes | TextError:
    """Return the text as UTF-8 without byte order mark, decompressed where it is gzip; else what is wrong with it.

    UTF-8, UTF-16 and UTF-32 are recognised, with a byte order mark or (not UTF-32) without.
    """
    if raw[:2] == b"\x1f\x8b":
        inflated = inflate(raw)
        if isinstance(inflated, TextError):
            return inflated
        raw = inflated
    if raw[:3] == b"\xef\xbb\xbf":
        raw = raw[3:]
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return _recode(raw[len(mark) :], name)
    if name := _unmarked(raw):
        return _recode(raw, name)
    return _utf8(raw)


def encoded_like(raw: bytes, text: bytes) -> bytes:
    """Return a UTF-8 text in the encoding of the bytes of a file, with their byte order mark where they have one."""
    if raw[:3] == b"\xef\xbb\xbf":
        return raw[:3] + text
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return mark + text.decode().encode(name)
    name = _unmarked(raw)
    return text.decode().encode(name) if name else text


def is_in_wide_encoding(raw: bytes) -> bool:
    """Whether a text is in UTF-16 or UTF-32, where NUL bytes are nothing strange."""
    return any(raw.startswith(mark) for mark, _ in _MARKS) or _unmarked(raw[:4]) != ""


def _unmarked(raw: bytes) -> str:
    """The name of the encoding of UTF-16 without mark, "" for any other: JSON and YAML begin with two ASCII characters."""
    if len(raw) < 4 or len(raw) % 2:
        return ""
    zeros = [byte == 0 for byte in raw[:4]]
    if zeros == [True, False, True, False]:
        return "utf-16-be"
    return "utf-16-le" if zeros == [False, True, False, True] else ""


def _recode(raw: bytes, name: str) -> bytes | TextError:
    try:
        return raw.decode(name).encode()
    except UnicodeDecodeError as error:
        return TextError(f"not valid {name.upper()[:6]}: byte {error.start}")


def _utf8(raw: bytes) -> bytes | TextError:
    if raw.find(b"\0") >= 0:
        return BinaryContent("binary: the file contains NUL bytes", *_position(raw, raw.find(b"\0")))
    if raw.isascii():
        return raw
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        why = f"not valid UTF-8: byte {raw[error.start]:#04x}"
        position = _position(raw, error.start)
        return BinaryContent(why, *position) if _mostly_binary(raw) else TextError(why, *position)
    return raw


def _mostly_binary(raw: bytes) -> bool:
    head = raw[:1024]
    return sum(byte < 9 or 13 < byte < 32 or byte > 126 for byte in head) * 3 > len(head)


def _position(raw: bytes, offset: int) -> tuple[int, int]:
    start = raw.rfind(b"\n", 0, offset) + 1
    return raw.count(b"\n", 0, offset) + 1, len(raw[start:offset].decode(errors="replace")) + 1


def exceeds_limit(size: int, packed: int) -> bool:
    """Whether so many bytes are more than so many packed ones may hold."""
    return size > INFLATED_LIMIT or (size > _RATIO_FROM and size > _RATIO_LIMIT * packed)


def inflate(raw: bytes) -> bytes | TextError:
    """Return the content of a gzip file, all of its members (RFC 1952), or why it is not decompressed.

    At most INFLATED_LIMIT bytes, and from 1 MiB on at most 200 times the compressed size.
    """
    import zlib

    parts: list[bytes] = []
    size, rest = 0, raw
    while rest[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(31)
        try:
            while not stream.eof:
                part = stream.decompress(rest, _CHUNK)
                rest = stream.unconsumed_tail
                size += len(part)
                parts.append(part)
                if exceeds_limit(size, len(raw)):
                    return TextError("the content of the compressed file exceeds the limit")
                if not part and not rest and not stream.eof:
                    return TextError("the compressed file is truncated")
        except zlib.error:
            return TextError("the compressed file is damaged")
        rest = stream.unused_data
    return b"".join(parts)
