"""Fills in templates of Go as far as their structure says: values become placeholders, of conditions each branch is taken.

For the templates in compositions of Crossplane (https://docs.crossplane.io/latest/guides/function-patch-and-transform/,
https://github.com/crossplane-contrib/function-go-templating); the language is that of https://pkg.go.dev/text/template.
"""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

_ACTION = re.compile(r"\{\{(-?)\s*(/\*.*?\*/|.*?)\s*(-?)\}\}", re.DOTALL)
_OPENING = re.compile(r"(if|with|range|define|block)\b")
_ASSIGNMENT = re.compile(r"\$\w*(?:\s*,\s*\$\w+)?\s*:?=")
_OTHER_LINES = re.compile(
    r"(?:setResourceNameAnnotation|template|include|toYaml|break|continue)\b|/\*|.*\|\s*n?indent\b", re.DOTALL
)
"""what writes whole lines or none, in place of a value"""
_SPOILED = re.compile(r"[\"'`{}:#$\\%\s]+")
_BRANCHES, _DEEP = 4, 50
"""branches of a condition that are taken, and conditions in conditions"""


class _Conditional(msgspec.Struct):
    """An action with branches; `is_whole`: one of them is always taken."""

    kind: str
    branches: list["_Nodes"]
    is_whole: bool = False


_Nodes = list[str | _Conditional]


class CannotFill(Exception):
    """The text is no template that can be filled in."""


def filled_in(text: str) -> list[str]:
    """Return the texts that a template may become, with `${expression}` for values: the first takes the first branch of every
    condition, the second the second, and so on. Raises CannotFill where actions are not closed, or nested too deeply."""
    nodes = _parsed(text)
    number = min(max(_branches(nodes), default=1), _BRANCHES)
    return list(dict.fromkeys("".join(_taken(nodes, branch)) for branch in range(number)))


def _branches(nodes: _Nodes) -> Iterator[int]:
    for node in nodes:
        if isinstance(node, _Conditional):
            yield len(node.branches) + (0 if node.is_whole or node.kind == "range" else 1)
            for branch in node.branches:
                yield from _branches(branch)


def _taken(nodes: _Nodes, number: int) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif node.kind == "range":
            yield from _taken(node.branches[0], number)
        elif node.kind != "define" and (number < len(node.branches) or node.is_whole):
            yield from _taken(node.branches[min(number, len(node.branches) - 1)], number)


def _parsed(text: str) -> _Nodes:
    root: _Nodes = []
    open_: list[tuple[_Conditional, _Nodes]] = []
    into, done = root, 0
    for match in _ACTION.finditer(text):
        before, after = text[done : match.start()], match.end()
        words = match[2]
        shape = _shape_of(words)
        if shape != "value":
            before, after = _without_line(text, before, match)
        into.append(before)
        done = max(done, after)
        if shape == "open":
            made = _Conditional(words.split()[0], [[]])
            into.append(made)
            open_.append((made, into))
            into = made.branches[0]
        elif shape == "else":
            _check(open_)
            open_[-1][0].branches.append(into := [])
            open_[-1][0].is_whole = words.strip() == "else"
        elif shape == "end":
            _check(open_)
            _, into = open_.pop()
        elif shape == "value":
            into.append(f"${{{_SPOILED.sub(' ', words).strip() or 'value'}}}")
        if len(open_) > _DEEP:
            raise CannotFill
    into.append(text[done:])
    if open_:
        raise CannotFill
    return root


def _check(open_: list[tuple[_Conditional, _Nodes]]) -> None:
    if not open_:
        raise CannotFill


def _shape_of(words: str) -> Literal["open", "else", "end", "none", "value"]:
    first = words.split(None, 1)[0] if words.split() else ""
    if _OPENING.match(words):
        return "open"
    if first in ("else", "end"):
        return "else" if first == "else" else "end"
    return "none" if _ASSIGNMENT.match(words) or _OTHER_LINES.match(words) or not first else "value"


def _without_line(text: str, before: str, match: re.Match[str]) -> tuple[str, int]:
    """What is before an action and where it ends, without the line that has nothing but it."""
    start, end = before.rpartition("\n")[2], text.find("\n", match.end())
    rest = text[match.end() : end if end >= 0 else len(text)]
    if start.strip() or rest.strip():
        return before, match.end()
    return before[: len(before) - len(start)], end + 1 if end >= 0 else len(text)
