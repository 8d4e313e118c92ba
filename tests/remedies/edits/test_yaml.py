"""Edits of YAML texts."""

import random
from typing import Any

import pytest
import yaml

from irsa_doctor.model import Place
from irsa_doctor.remedies.edits.records import CannotWrite, SourceText, Wish
from irsa_doctor.remedies.edits.splicing import spliced
from irsa_doctor.remedies.edits.writing import edits_for
from irsa_doctor.text.yaml import read_yaml
from tests.remedies.edits.test_json import changed


def edited(text: str, before: Any, after: Any, pointer: str = "", part: int = 0) -> str:
    content = text.encode()
    source = SourceText("a.yaml", content, "yaml")
    edits = edits_for({"a.yaml": source}.get, [Wish(Place("a.yaml", pointer, part), before, after)])
    assert all(content[edit.start : edit.end].decode() == edit.old for edit in edits)
    return spliced(content, edits).decode()


_TEXTS = ["a", "b/c", "x y", "é", "12", "true", "it's", 'q"q', 1, True, 2.5, "a: b", "arn:aws:iam::1:role/x"]


def some_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if depth > 3 or (depth and kind < 0.4):
        return chance.choice(_TEXTS)
    if kind < 0.65:
        return [some_value(chance, depth + 1) for _ in range(chance.randint(1, 4))]
    return {f"{chance.choice('abcdefg')}{n}": some_value(chance, depth + 1) for n in range(chance.randint(1, 4))}


def value_of(text: str) -> Any:
    documents = read_yaml(text.encode())
    assert isinstance(documents, list), documents
    return documents[0].value


@pytest.mark.parametrize("seed", range(40))
def test_the_text_has_the_wished_value_and_keeps_its_line_ends(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(20):
        before = some_value(chance)
        after = changed(chance, before)
        style = chance.choice([False, True, None])
        text = yaml.safe_dump(before, default_flow_style=style, allow_unicode=True, sort_keys=False, width=1000)
        text = text.replace("\n", "\r\n") if chance.random() < 0.3 else text
        if value_of(text) != before:
            continue
        try:
            result = edited(text, before, after)
        except CannotWrite:
            continue
        assert value_of(result) == after
        assert result.count("\r\n") in (0, result.count("\n"))


ACCOUNT = """# the cart
kind: ServiceAccount
metadata:
  name: cart   # used by the cart
  annotations:
    # see the wiki
    owner: 'shop'
    eks.amazonaws.com/role_arn: "arn:aws:iam::111122223333:role/cart" # eu
---
kind: ServiceAccount
metadata: {name: web, namespace: shop}
"""


def test_a_renamed_key_keeps_value_quotes_and_comment() -> None:
    at = "/metadata/annotations"
    before = {"owner": "shop", "eks.amazonaws.com/role_arn": "arn:aws:iam::111122223333:role/cart"}
    after = {"owner": "shop", "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/cart"}
    assert edited(ACCOUNT, before, after, at) == ACCOUNT.replace("role_arn", "role-arn")


def test_a_member_is_added_in_the_quotes_of_its_neighbours() -> None:
    result = edited("a:\n    b: 'x' # one\n    c: 'y'\nd: 1\n", {"b": "x", "c": "y"}, {"b": "x", "c": "y", "e": "z"}, "/a")
    assert result == "a:\n    b: 'x' # one\n    c: 'y'\n    e: 'z'\nd: 1\n"


def test_a_block_is_added_to_a_mapping_in_flow_style() -> None:
    before = {"name": "web", "namespace": "shop"}
    result = edited(ACCOUNT, before, {**before, "annotations": {"a": "b"}}, "/metadata", part=1)
    assert result.endswith("metadata: {name: web, namespace: shop, annotations: {a: b}}\n")


def test_a_dropped_item_takes_its_lines_with_it_and_no_others() -> None:
    text = "env:\n  - name: A # by hand\n    value: x\n  # kept\n  - {name: B, value: y}\n"
    before = [{"name": "A", "value": "x"}, {"name": "B", "value": "y"}]
    assert edited(text, before, before[1:], "/env") == "env:\n  # kept\n  - {name: B, value: y}\n"


def test_a_policy_in_a_literal_block_is_edited_where_it_stands() -> None:
    text = 'Doc: !Sub |\n  {\n    "a": "x", "b": [1]\n  }\nOther: 1\n'
    assert edited(text, {"a": "x", "b": [1]}, {"a": "y", "b": [1]}, "/Doc/Fn::Sub") == text.replace('"x"', '"y"')


def test_the_end_of_a_file_without_newline_stays_so() -> None:
    assert edited("a:\n  b: 1", {"b": 1}, {"b": 1, "c": "d"}, "/a") == "a:\n  b: 1\n  c: d"


@pytest.mark.parametrize("written", ["&p 'V'", '!!str "V"', "&p !Sub 'V'", '!Sub "V"', "&p |\n  V", "!Sub\n  'V'"])
def test_a_policy_behind_an_anchor_or_a_tag_is_edited_where_it_stands(written: str) -> None:
    quoted = '{\\"a\\": \\"x\\"}' if '"V"' in written else '{"a": "x"}'
    text = f"Doc: {written.replace('V', quoted)}\nOther: 1\n"
    pointer = "/Doc/Fn::Sub" if "!Sub" in written else "/Doc"
    assert edited(text, {"a": "x"}, {"a": "long"}, pointer) == text.replace("x", "long")


@pytest.mark.parametrize("written", ["&p 'V'", '&p "V"', "&p V", "!!str V", '!!str &p "V"'])
def test_an_anchor_and_a_tag_stay_where_a_value_changes(written: str) -> None:
    text = f"a: {written.replace('V', 'x')} # why\n" + ("b: *p\n" if "&p" in written else "")
    assert edited(text, "x", "y", "/a") == text.replace("x", "y")


def test_a_name_keeps_its_anchor() -> None:
    assert edited('a: {&k "b": 1}\nc: *k\n', {"b": 1}, {"d": 1}, "/a") == 'a: {&k "d": 1}\nc: *k\n'


@pytest.mark.parametrize(
    ("written", "before", "after", "result"),
    [
        ("!Ref X", {"Ref": "X"}, "x", "x"),
        ("&p !Ref X", {"Ref": "X"}, "x", "&p x"),
        ('!Sub "${Y}/z"', {"Fn::Sub": "${Y}/z"}, {"Fn::Sub": "${Y}/q"}, '!Sub "${Y}/q"'),
        ('!Sub "${Y}/z"', {"Fn::Sub": "${Y}/z"}, "q", '"q"'),
    ],
)
def test_a_text_takes_the_place_of_a_function_or_of_what_is_in_it(written: str, before: Any, after: Any, result: str) -> None:
    text = f"a: {written}\nb: 1\n"
    assert edited(text, {"a": before, "b": 1}, {"a": after, "b": 1}) == f"a: {result}\nb: 1\n"
