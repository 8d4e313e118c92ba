"""Edits of JSON texts."""

import json
import random
from typing import Any

import pytest

from irsa_doctor.model import Place
from irsa_doctor.remedies.edits.records import CannotWrite, SourceText, Wish
from irsa_doctor.remedies.edits.splicing import spliced
from irsa_doctor.remedies.edits.writing import edits_for

PLACE = Place("trust.json")


def edited(text: str, before: Any, after: Any, pointer: str = "", merge: tuple[str, ...] = ()) -> str:
    content = text.encode()
    source = SourceText("trust.json", content, "json", ((0, len(content)),))
    edits = edits_for({"trust.json": source}.get, [Wish(Place("trust.json", pointer), before, after, merge)])
    assert all(content[edit.start : edit.end].decode() == edit.old for edit in edits)
    return spliced(content, edits).decode()


def some_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if depth > 3 or kind < 0.4:
        return chance.choice(["a", "b/c", 'x"y', "é", "\\", 1, True, None, 2.5, "sub"])
    if kind < 0.7:
        return [some_value(chance, depth + 1) for _ in range(chance.randint(0, 4))]
    return {f"{chance.choice('abc/~é')}{n}": some_value(chance, depth + 1) for n in range(chance.randint(0, 4))}


def changed(chance: random.Random, value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: changed(chance, item) for name, item in value.items() if chance.random() > 0.15}
        named = {(f"n{name}" if chance.random() < 0.1 else name): item for name, item in kept.items()}
        return named | ({"new": some_value(chance, 2)} if chance.random() < 0.2 else {})
    if isinstance(value, list):
        items = [changed(chance, item) if chance.random() < 0.4 else item for item in value if chance.random() < 0.9]
        return [*items, some_value(chance, 2)] if chance.random() < 0.3 else items
    return some_value(chance, 3) if chance.random() < 0.4 else value


def written(chance: random.Random, value: Any) -> str:
    style = chance.choice(
        [{"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}, {}, {"indent": 1, "ensure_ascii": False}]
    )
    text = json.dumps(value, **style)
    text = text.replace("\n", "\r\n") if chance.random() < 0.3 else text
    return text.replace("/", "\\/") if chance.random() < 0.3 else text


@pytest.mark.parametrize("seed", range(40))
def test_the_text_has_the_wished_value_and_keeps_its_line_ends(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(25):
        before = some_value(chance)
        after = changed(chance, before)
        text = written(chance, before)
        result = edited(text, before, after)
        assert json.loads(result) == after
        assert ("\n" in result) <= ("\n" in text)
        assert result.count("\r\n") in (0, result.count("\n"))


@pytest.mark.parametrize("seed", range(20))
def test_a_policy_inside_a_string_is_edited_like_one_of_its_own(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    before = {"Version": some_value(chance), "Statement": [some_value(chance)]}
    after = changed(chance, before)
    text = written(chance, before)
    document = json.dumps({"other": 1, "policy": text}, indent=1)
    result = edited(document, before, after, "/policy")
    assert json.loads(result)["policy"] == edited(text, before, after)
    assert result.startswith('{\n "other": 1,\n "policy": "')


def test_only_the_content_of_a_string_changes() -> None:
    text = '{ "a" : [ "x",\n\t"y" ] , "b":1 }'
    assert edited(text, {"a": ["x", "y"], "b": 1}, {"a": ["x", "z"], "b": 1}) == text.replace('"y"', '"z"')


def test_a_renamed_key_stays_where_it_is() -> None:
    text = '{"https://i:sub": "s", "x": 1}'
    assert edited(text, {"https://i:sub": "s", "x": 1}, {"i:sub": "s", "x": 1}) == '{"i:sub": "s", "x": 1}'


def test_keys_that_change_places_keep_their_values() -> None:
    text = '{\n  "i:sub": "aud",\n  "i:aud": "sub"\n}'
    assert edited(text, {"i:sub": "aud", "i:aud": "sub"}, {"i:aud": "aud", "i:sub": "sub"}) == (
        '{\n  "i:aud": "aud",\n  "i:sub": "sub"\n}'
    )


def test_a_block_is_added_in_the_style_of_its_neighbours() -> None:
    text = '{\n\t"C": {\n\t\t"A": { "k": "v" }\n\t}\n}'
    after = {"C": {"A": {"k": "v"}, "N": {"k": "false"}}}
    assert edited(text, {"C": {"A": {"k": "v"}}}, after) == (
        '{\n\t"C": {\n\t\t"A": { "k": "v" },\n\t\t"N": { "k": "false" }\n\t}\n}'
    )


def test_escapes_stay_as_they_are_written() -> None:
    text = '{"a": "\\u0068ttps:\\/\\/x"}'
    assert edited(text, {"a": "https://x"}, {"a": "https://x/y"}) == '{"a": "\\u0068ttps:\\/\\/x\\/y"}'


def test_members_of_one_name_become_the_first_of_them() -> None:
    text = '{\n  "C": {\n    "E": { "a": "1" },\n    "E": { "b": "2" }\n  }\n}'
    value = {"C": {"E": {"b": "2"}}}
    assert edited(text, value, value, "", ("/C/E",)) == '{\n  "C": {\n    "E": { "a": "1", "b": "2" }\n  }\n}'


def test_members_of_one_name_that_contradict_each_other_are_left_alone() -> None:
    with pytest.raises(CannotWrite) as refusal:
        edited('{"E": {"a": "1"}, "E": {"a": "2"}}', {"E": {"a": "2"}}, {}, "", ("/E",))
    assert refusal.value.reason == "ambiguous"


def test_a_url_encoded_policy_is_no_source() -> None:
    with pytest.raises(CannotWrite) as refusal:
        edited('{"p": "%7B%22a%22%3A1%7D"}', {"a": 1}, {"a": 2}, "/p")
    assert refusal.value.reason == "not-in-source"
