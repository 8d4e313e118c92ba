import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irsa_doctor.text.errors import TextError
from irsa_doctor.text.json import read_json, split_values, too_deep
from irsa_doctor.text.scanner import DEPTH, Scan, scan

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def value_of(text: str) -> object:
    result = scan(text)
    assert isinstance(result, Scan)
    return result.value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_what_the_standard_library_writes_is_read_as_it_was(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert value_of(text) == json.loads(text) == value
    strict = read_json(text.encode())
    assert isinstance(strict, Scan)
    assert strict.value == value
    assert strict.duplicates == ()


@given(st.text(alphabet='{}[]",:01-+.eE tfnrul\\/\n\u00e9a', max_size=30))
def test_scanner_and_strict_reader_agree_with_the_standard_library_on_what_is_json(text):
    def refuse(name):
        raise ValueError(name)

    try:
        expected = json.loads(text, parse_constant=refuse)
    except ValueError:
        assert isinstance(scan(text), TextError)
        assert isinstance(read_json(text.encode()), TextError)
        return
    for result in (scan(text), read_json(text.encode())):
        assert isinstance(result, Scan)
        assert result.value == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{"a": 1,}', 1, 8, "comma before `}`"),
        ("[1,]", 1, 3, "comma before `]`"),
        ("{'a': 1}", 1, 2, "double quotes"),
        ("['a']", 1, 2, "single"),
        ('{"a" 1}', 1, 6, "colon"),
        ('{\n "a": 1\n "b": 2}', 3, 2, "`{` of 1:1"),
        ('{"a": 01}', 1, 7, "not a valid JSON number"),
        ('{"a": .5}', 1, 7, "value was expected"),
        ('{"a": NaN}', 1, 7, "`NaN`"),
        ('{"a": -Infinity}', 1, 7, "value was expected"),
        ('{"a": tru}', 1, 7, "`tru`"),
        ("// why\n{}", 1, 1, "no comments"),
        ('{"a": 1} x', 1, 10, "follows"),
        ('{"a": [1, 2', 1, 12, "`[` of 1:7"),
        ('{"a": "b', 1, 7, "no closing quote"),
        ('{"a": "b\n"}', 1, 9, "closing quote missing"),
        ('{"a": "\\q"}', 1, 8, "escape"),
        ("", 1, 1, "end of the text"),
        ('{"a": \u00a01}', 1, 7, "value was expected"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, line, column, words):
    text_error = scan(text)
    assert isinstance(text_error, TextError)
    assert (text_error.line, text_error.column) == (line, column)
    assert words in text_error.why


def test_members_given_twice_are_reported_with_both_places():
    text = '{"a": {"b/c": 1,\n "b/c": 2}, "a": 3}'
    for result in (scan(text), read_json(text.encode())):
        assert isinstance(result, Scan)
        inner, outer = result.duplicates
        assert (inner.pointer, inner.first, inner.second) == ("/a/b~1c", (1, 8), (2, 2))
        assert (outer.pointer, outer.first, outer.second) == ("/a", (1, 2), (2, 13))


def test_an_escaped_name_is_the_same_name():
    result = read_json(b'{"a": 1, "\\u0061": 2}')
    assert isinstance(result, Scan)
    assert [item.name for item in result.duplicates] == ["a"]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_too_many_levels_are_refused_at_the_first_one_too_many(opening):
    closing = "]" if opening == "[" else "}"
    fine = opening * DEPTH + "1" + closing * DEPTH
    assert isinstance(read_json(fine.encode()), Scan)
    for text in (opening * (DEPTH + 1) + "1" + closing * (DEPTH + 1), opening * 100_000):
        for result in (scan(text), read_json(text.encode())):
            assert isinstance(result, TextError)
            assert "levels deep" in result.why
            assert result.column == DEPTH * len(opening) + 1


def test_brackets_inside_texts_are_no_levels():
    text = json.dumps({"a": "[" * 500, "b": '\\"' + "{" * 500})
    assert isinstance(read_json(text.encode()), Scan)


@pytest.mark.parametrize("levels", [1, 30, DEPTH - 1, DEPTH, DEPTH + 1])
@pytest.mark.parametrize("inside", ["", "{", '"', "\\", '\\"', '\\\\"[', "}}]"])
def test_levels_are_counted_alike_however_many_lists_there_are_and_whatever_their_texts_hold(levels, inside):
    value = [inside, {inside: inside}]
    for _ in range(levels - 2):
        value = [value, {}, inside]
    assert too_deep(json.dumps([value] * 50).encode()) is (levels >= DEPTH)


def test_numbers_that_no_machine_number_holds_are_kept_as_text():
    digits = "9" * 5000
    assert value_of(f"[{digits}, 1e999, -1e999, 12, 1.5, -0]") == [digits, "1e999", "-1e999", 12, 1.5, 0]


def test_half_a_surrogate_pair_becomes_the_replacement_character_and_a_whole_one_is_read():
    result = read_json(b'["\\ud83d\\ude00", "\\ud800", "\\udc00x"]')
    assert isinstance(result, Scan)
    assert result.value == ["\U0001f600", "\N{REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}x"]


def test_bytes_that_are_no_utf8_are_refused_with_their_place():
    result = read_json(b'{"a":\n"\xff"}')
    assert isinstance(result, TextError)
    assert (result.line, result.column) == (2, 2)


def test_values_one_after_the_other_and_on_lines_are_told_apart():
    assert split_values(b'{"a": 1}\n\n {"b": "\xc3\xa9"} \n') == [(0, 8), (11, 22)]
    text = '{"a":\n "\u00e9"}{"b": 1} [2]'.encode()
    assert [json.loads(text[start:end]) for start, end in split_values(text)] == [{"a": "\u00e9"}, {"b": 1}, [2]]
    assert split_values(b'{"a": 1,}') == [(0, 9)]


def test_typographic_quotation_marks_are_named():
    for text, named in (("{\u201cVersion\u201d: 1}", True), ("{Version: 1}", False)):
        error = read_json(text.encode())
        assert isinstance(error, TextError)
        assert ("typographic quotation marks" in error.why) is named
