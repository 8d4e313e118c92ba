import codecs

import pytest

from irsa_doctor.text.pasted import decoded, joined_lines, looks_broken, readings, rejoined, unescaped

TEXT = "Couldn't open 'é': denied"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"a\n\tb", "a\n\tb"),
        (r"a\\n\\tb", "a\n\tb"),
        (r"don\u0027t \"x\" a\/b", 'don\'t "x" a/b'),
        ("&lt;Code&gt;don&#39;t&lt;/Code&gt;", "<Code>don't</Code>"),
        ("error=Not%20authorized%3A%20sts", "error=Not authorized: sts"),
        ("error=Not+authorized+to+perform", "error=Not authorized to perform"),
        ("\x1b[31mError:\x1b[0m x", "Error: x"),
        (r"\u001b[31mError:\u001b[0m x", "Error: x"),
        ("10 + 20, 100% of a", "10 + 20, 100% of a"),
        (r"lone \ud800 half", "lone ? half"),
    ],
)
def test_what_a_log_did_to_a_text_is_undone(text, plain):
    assert unescaped(text) == plain


def test_a_text_stands_as_it_is_first():
    assert list(readings(r"C:\var\token")) == [r"C:\var\token", "C:\\var\token"]
    assert list(readings("plain")) == ["plain"]


def test_lines_of_equal_length_are_broken_inside_words_and_others_between():
    assert joined_lines("x" * 79 + "y\nz") == "x" * 79 + "yz"
    assert joined_lines("\u2502 Error: not\n\u2502 authorized").endswith("not authorized")
    assert looks_broken("a" * 78 + "\n" + "b" * 75 + "\nc")
    assert not looks_broken("short\n" + "b" * 75 + "\nshort\nshort")


def test_runs_of_equally_long_lines_are_one_line_and_others_stay():
    whole = "denied " * 30
    broken = "\n".join(whole[at : at + 80] for at in range(0, len(whole), 80))
    assert rejoined(f"level=info start\n{broken}\nlevel=info stop") == f"level=info start\n{whole}\nlevel=info stop"
    assert rejoined("one\ntwo\nsix") == "one\ntwo\nsix"


def test_a_paragraph_in_a_frame_between_lines_of_a_log_is_one_line():
    framed = "ready\n\u2577\n\u2502 Error: applying\n\u2502 \n\u2502 is not\n\u2502 authorized \n\u2575\ndone"
    assert rejoined(framed) == "ready\n\u2577\nError: applying\n\nis not authorized\n\u2575\ndone"
    table = "\u2502 a \u2502 b \u2502\n\u2502 c \u2502 d \u2502"
    assert rejoined(table) == table


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"),
    ],
    ids=["utf-8", "with a mark", "utf-16", "little", "big", "latin"],
)
@pytest.mark.parametrize("size", [24, 1000])
def test_a_text_of_any_encoding_is_read(raw, size):
    assert "".join(decoded(raw[at : at + size] for at in range(0, len(raw), size))) == TEXT


def test_bytes_that_are_no_text_are_passed_over():
    assert "AccessDenied" in "".join(decoded([b"\x00\xff\xfeAccess", b"Denied\xc3("]))
    assert list(decoded([])) == []
