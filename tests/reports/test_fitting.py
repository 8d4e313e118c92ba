import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.reports.fitting import columns, end_of, start_of, without_end, without_middle, without_start, wrapped

texts = st.text("abc/:-. 中文é\u0301", max_size=200)


@given(texts, st.integers(2, 80))
def test_lines_fit_and_nothing_but_spaces_is_lost(text, width):
    lines = wrapped(text, width)
    assert all(line and columns(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(texts, st.integers(0, 80))
def test_as_much_is_kept_as_fits(text, room):
    for kept, rest in ((start_of(text, room), "startswith"), (end_of(text, room), "endswith")):
        assert columns(kept) <= room
        assert getattr(text, rest)(kept)
    assert start_of(text, columns(text)) == text == end_of(text, columns(text))


@given(texts, st.integers(0, 80), st.sampled_from(["…", "..."]))
def test_what_is_left_out_leaves_a_mark_and_what_fits_stays(text, room, ellipsis):
    for shortened in (without_start, without_end, without_middle):
        shown = shortened(text, room, ellipsis)
        assert columns(shown) <= room
        assert (shown == text) is (columns(text) <= room)
        if columns(text) > room >= len(ellipsis):
            assert ellipsis in shown


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("at path/to/some/document.json", 16, ["at path/to/some/", "document.json"]),
        ("arn:aws:iam::1:role/a-long-name", 20, ["arn:aws:iam::1:role/", "a-long-name"]),
        ("x" * 9, 4, ["xxxx", "xxxx", "x"]),
        ("中文中文", 5, ["中文", "中文"]),
        ("", 5, []),
    ],
)
def test_words_are_broken_where_one_would_break_them(text, width, lines):
    assert wrapped(text, width) == lines


def test_marks_that_sit_on_others_take_no_room():
    assert columns("e\u0301") == 1
    assert columns("中") == 2
