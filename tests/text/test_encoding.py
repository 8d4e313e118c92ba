import gzip
import json

import pytest

from irsa_doctor.text.encoding import BinaryContent, exceeds_limit, settle
from irsa_doctor.text.errors import TextError

TEXT = json.dumps({"a": "\u00e9\U0001f600"}, ensure_ascii=False)


def packed(text):
    """Without the time, so that the parameters are the same in every process that collects them."""
    return gzip.compress(text, mtime=0)


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        packed(TEXT.encode()),
        packed(TEXT.encode("utf-16")),
        packed(TEXT[:5].encode()) + packed(TEXT[5:].encode()),
    ],
)
def test_every_usual_encoding_gives_the_same_text(raw):
    assert settle(raw) == TEXT.encode()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"a": "\0"}', "NUL"),
        (b'{"a":\n "\xe9"}', "0xe9"),
        (b"\xff\xfe\x00", "UTF-16"),
        (packed(TEXT.encode())[:-9], "truncated"),
        (packed(TEXT.encode())[:10] + b"\xff" * 20, "damaged"),
        (gzip.compress(b" " * (32 << 20)), "exceeds the limit"),
        (gzip.compress(b" " * (2 << 20)), "exceeds the limit"),
        (gzip.compress(b" " * (1 << 20)) * 3, "exceeds the limit"),
    ],
)
def test_bytes_that_are_no_text_are_refused_with_the_reason(raw, words):
    text_error = settle(raw)
    assert isinstance(text_error, TextError)
    assert words in text_error.why


def test_binary_is_told_from_text_in_another_encoding():
    assert isinstance(settle(bytes(range(256)) * 4), BinaryContent)
    latin = settle("gr\u00fc\u00dfe aus dem süden, lang genug".encode("latin-1"))
    assert isinstance(latin, TextError)
    assert not isinstance(latin, BinaryContent)
    assert (latin.line, latin.column) == (1, 3)


@pytest.mark.parametrize(
    ("size", "packed", "exceeds"),
    [
        (256 << 20, 256 << 20, False),
        ((256 << 20) + 1, 256 << 20, True),
        (200 * 50_000, 50_000, False),
        (200 * 50_000 + 1, 50_000, True),
        (1 << 20, 100, False),
    ],
)
def test_a_packed_file_holds_at_most_256_mib_and_200_times_its_size(size, packed, exceeds):
    assert exceeds_limit(size, packed) is exceeds
