"""Bytes of a file to UTF-8 text, or the reason why they are none."""

from irsa_doctor.text.errors import Trouble

INFLATED_LIMIT = 1 << 30
"""Bytes that a compressed file may hold."""
_RATIO_LIMIT = 250
_RATIO_FROM = 16 << 20
"""A text of our kinds shrinks to a thirtieth at best; from this size on, more than the ratio is an attack."""
_CHUNK = 1 << 20

# UTF-32 first: its little-endian mark begins with that of UTF-16
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


class NoText(Trouble, frozen=True):
    """The trouble of bytes that never were text."""


def settle(raw: bytes) -> bytes | Trouble:
    """The text as UTF-8 without byte order mark, inflated where it was compressed."""
    if raw[:2] == b"\x1f\x8b":
        inflated = inflate(raw)
        if isinstance(inflated, Trouble):
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


def _unmarked(raw: bytes) -> str:
    """UTF-16 without mark: text of our kinds begins with two ASCII signs."""
    if len(raw) < 4 or len(raw) % 2:
        return ""
    zeros = [byte == 0 for byte in raw[:4]]
    if zeros == [True, False, True, False]:
        return "utf-16-be"
    return "utf-16-le" if zeros == [False, True, False, True] else ""


def _recode(raw: bytes, name: str) -> bytes | Trouble:
    try:
        return raw.decode(name).encode()
    except UnicodeDecodeError as error:
        return Trouble(f"no valid {name.upper()[:6]} at byte {error.start}")


def _utf8(raw: bytes) -> bytes | Trouble:
    if raw.find(b"\0") >= 0:
        return NoText("binary: it holds NUL bytes", *_position(raw, raw.find(b"\0")))
    if raw.isascii():
        return raw
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        why = f"byte {raw[error.start]:#04x} is no UTF-8"
        position = _position(raw, error.start)
        return NoText(why, *position) if _mostly_binary(raw) else Trouble(why, *position)
    return raw


def _mostly_binary(raw: bytes) -> bool:
    head = raw[:1024]
    return sum(byte < 9 or 13 < byte < 32 or byte > 126 for byte in head) * 3 > len(head)


def _position(raw: bytes, offset: int) -> tuple[int, int]:
    start = raw.rfind(b"\n", 0, offset) + 1
    return raw.count(b"\n", 0, offset) + 1, len(raw[start:offset].decode(errors="replace")) + 1


def inflate(raw: bytes) -> bytes | Trouble:
    """What a gzip file holds, all of its members, within the limits."""
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
                if size > INFLATED_LIMIT or (size > _RATIO_FROM and size > _RATIO_LIMIT * len(raw)):
                    return Trouble("a compressed file that grows beyond all measure when unpacked")
                if not part and not rest and not stream.eof:
                    return Trouble("a compressed file that ends too early")
        except zlib.error as error:
            return Trouble(f"a damaged compressed file ({error})")
        rest = stream.unused_data
    return b"".join(parts)
