"""Texts in YAML, for both parsers of PyYAML: the one in C and the one in Python, which browsers have, read the same."""

import base64
import random
from functools import cache
from typing import Any

import pytest
import yaml

from irsa_doctor.text.errors import TextError
from irsa_doctor.text.yaml import read_yaml
from irsa_doctor.text.yaml_places import YamlPlaces
from tests.test_hostile import WORLDS

_PIECES = (
    *("a", "b", ": ", ":", "- ", "-", "\n", "\n  ", "\n    ", "  ", " ", "\t", "\t# c", '"', "'", "|", ">", "|-", ">+", "|2"),
    *(">-\n  ", "[", "]", "{", "}", ", ", ",", "#", " # c", "&x ", "*x", "!Sub ", "!Sub\t", "!!str ", "!", "? ", "%YAML 1.1\n"),
    *("---", "---\n", "...\n", "\n---\n", "\n...\n", "<<", "<<: *x", "~", "null", "0x1", "1", "01", "\r", "\r\n", "\0", "\a"),
    *("\x7f", "\xa0", "\x85", "\u2028", "\ufeff", "\u00e9", "\U0001f600", "\\n", "\\x", "\\u00e9", "\\ud800", "\\/", "@", "`"),
    *("%", "%a", "&", "*", "a:b", '"a":1', "http://x", "-1", ".5", "1_000", "=", "on", "2020-01-01", "!!", "!<x>", "!a%20b"),
    *("''", '""', ": |\n  ", ": >\n  ", ":\n", "k: v\n", "- k: v\n", "  - x\n", "annotations:\n  b: 1\n"),
)
_LONGEST = 300


@cache
def _texts() -> list[bytes]:
    return [path.read_bytes() for path in sorted(WORLDS.rglob("*.yaml"))]


def a_text(draw: random.Random) -> dict[str, Any]:
    """Pieces of YAML one after the other, or a part of a document with some of them in it."""
    if draw.random() < 0.5:
        return {"base64": _encoded("".join(draw.choices(_PIECES, k=draw.randint(1, 12))).encode())}
    whole = draw.choice(_texts())
    start = draw.randrange(max(1, len(whole) - _LONGEST))
    part = bytearray(whole[start : start + draw.randint(20, _LONGEST)])
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(part) + 1)
        part[at : at + draw.choice((0, 1, 2))] = draw.choice(_PIECES).encode()
    return {"base64": _encoded(bytes(part))}


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def is_read_alike(document: dict[str, Any]) -> None:
    """Both read the same values, with the same places of those that stand twice, or refuse the text."""
    text = base64.b64decode(document["base64"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", True)
        in_c = _read(text)
        patch.setattr(yaml, "__with_libyaml__", False)
        in_python = _read(text)
    assert in_c == in_python


def _read(text: bytes) -> Any:
    read = read_yaml(text)
    return "refused" if isinstance(read, TextError) else (read, [_places(root) for root in YamlPlaces(text).roots])


def _places(node: Any) -> Any:
    """The lines of the scalars of a document. Empty ones at its end and columns behind a byte order mark differ."""
    if node is None or node.id == "scalar":
        return node and node.value and node.start_mark.line
    # the node of an anchor may hold itself, which is refused before
    return [_places(child) for item in node.value for child in (item if isinstance(item, tuple) else (item,))]
