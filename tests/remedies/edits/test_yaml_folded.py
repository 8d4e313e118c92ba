"""Edits inside scalars of YAML whose lines are not those of the document."""

import json
import random

import pytest
import yaml

from irsa_doctor.remedies.edits.records import CannotWrite
from tests.remedies.edits.test_json import changed
from tests.remedies.edits.test_yaml import edited, some_value, value_of

KEPT = [
    'Doc: >\n  {"a":\n  "x"}\n',
    'Doc: >-\n  {"a":\n\n      "x"\n    }\nOther: 1\n',
    'Doc: &p >+\n   {\n   "a": "x"\n   }\n\n\nOther: *p\n',
    'Doc: "{\\"a\\":\n  \\"x\\"}"\nOther: 1\n',
    'Doc: "{\\n  \\"a\\":\\t\\\n   \\"x\\"\\n}"\nOther: 1\n',
    'Doc: \'{"a":\n\n  "x"}\' # why\nOther: 1\n',
    'Doc: >2\n    {"a":\n    "x"}\n',
    'Doc: >\r\n  {"a":\r\n  "x"}\r\nOther: 1\r\n',
]


@pytest.mark.parametrize("text", KEPT)
def test_a_value_changes_where_it_stands(text):
    result = edited(text, {"a": "x"}, {"a": "y"}, "/Doc")
    assert json.loads(value_of(result)["Doc"]) == {"a": "y"}
    assert result == text.replace('"x', '"y').replace('\\"x', '\\"y')


@pytest.mark.parametrize("text", KEPT)
def test_a_member_comes_and_goes(text):
    more = edited(text, {"a": "x"}, {"a": "x", "b": ["it's", 'q"q']}, "/Doc")
    assert json.loads(value_of(more)["Doc"]) == {"a": "x", "b": ["it's", 'q"q']}
    fewer = edited(more, {"a": "x", "b": ["it's", 'q"q']}, {"b": ["it's", 'q"q']}, "/Doc")
    assert json.loads(value_of(fewer)["Doc"]) == {"b": ["it's", 'q"q']}


def written(chance, value):
    """A value as JSON in a folded scalar of some style, and the style."""
    inside = json.dumps(value, indent=chance.choice([None, 1, 2, 4]), ensure_ascii=chance.random() < 0.5)
    style = chance.choice(['"', "'", ">"])
    made = yaml.dump({"z": 1, "doc": inside}, default_style=style, width=chance.choice([10, 30, 80]), allow_unicode=True)
    return made.replace("\n", "\r\n") if chance.random() < 0.3 else made


def is_json_of(text, value):
    try:
        return json.loads(text) == value
    except ValueError:
        return False


@pytest.mark.parametrize("seed", range(30))
def test_the_text_has_the_wished_value_or_is_left(seed):
    chance, done = random.Random(seed), 0  # noqa: S311 - no secret
    for _ in range(30):
        before = {"k": some_value(chance)}
        after = {"k": changed(chance, before["k"])}
        text = written(chance, before)
        if not is_json_of(value_of(text)["doc"], before):
            continue  # the writer folds what it should not
        try:
            result = edited(text, before, after, "/doc")
        except CannotWrite:
            continue
        done += 1
        document = value_of(result)
        assert json.loads(document["doc"]) == after
        assert document["z"] == value_of(text)["z"]
    assert done > 10


BLOCKS = [
    ("a: >-\n  x\nb: 1\n", "x", "y", "a: >-\n  y\nb: 1\n"),
    ("a: |\n    x\nb: 1\n", "x\n", "y\n", "a: |\n    y\nb: 1\n"),
    ("a: &k |-\n  x\nb: *k\n", "x", "y: z", "a: &k |-\n  y: z\nb: *k\n"),
]


@pytest.mark.parametrize(("text", "before", "after", "result"), BLOCKS)
def test_the_only_line_of_a_block_changes_where_it_stands(text, before, after, result):
    assert edited(text, before, after, "/a") == result


@pytest.mark.parametrize(("before", "after", "text"), [("x\n", "y", "a: |\n  x\n"), ("x\nz\n", "y\nz\n", "a: |\n  x\n  z\n")])
def test_a_block_that_would_need_another_head_is_left(before, after, text):
    with pytest.raises(CannotWrite):
        edited(text, before, after, "/a")
