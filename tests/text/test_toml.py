import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.text.toml import lines_of

TEXT = '''# heading
fail-on = "high"   # not [[waivers]]

rules = [
  "a",  # ]
  "[[waivers]]",
]
text = """
[[waivers]]
rule = "x"
"""
raw = \'\'\'
[severity]
\'\'\'
[severity]
"open-no-sub" = "low"
a . 'b c' = { x = 1 }

  [[waivers]]
rule = "one"
[[waivers]]   # second
rule = "two"
[waivers.more]
key = 1
'''


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (("fail-on",), 2),
        (("rules",), 4),
        (("text",), 8),
        (("raw",), 12),
        (("severity",), 15),
        (("severity", "open-no-sub"), 16),
        (("severity", "a", "b c"), 17),
        (("waivers", 0), 19),
        (("waivers", 0, "rule"), 20),
        (("waivers", 1), 21),
        (("waivers", 1, "rule"), 22),
        (("waivers", 1, "more"), 23),
        (("waivers", 1, "more", "key"), 24),
    ],
)
def test_every_table_and_key_has_its_line(steps, line):
    assert lines_of(TEXT)[steps] == line


def test_nothing_else_is_listed():
    tomllib.loads(TEXT)
    assert len(lines_of(TEXT)) == 13


def test_an_empty_text_has_no_lines():
    assert lines_of("") == {}


def test_the_last_line_needs_no_break():
    assert lines_of("a = 1\nb = 2") == {("a",): 1, ("b",): 2}


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])), max_size=6))
def test_values_of_any_text_do_not_move_the_lines(values):
    quoted = [value.translate({c: f"\\u{c:04x}" for c in (*range(32), 127, ord('"'), ord("\\"))}) for value in values]
    text = "".join(f'k{number} = "{value}"\n' for number, value in enumerate(quoted))
    assert list(tomllib.loads(text).values()) == values
    assert lines_of(text) == {(f"k{number}",): number + 1 for number in range(len(values))}
