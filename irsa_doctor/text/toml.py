"""Finds the lines of the tables and keys of a TOML text, which tomllib does not give."""

import re
import tomllib
from collections.abc import Iterator, Mapping

# whatever may hold a line break or a bracket that means nothing comes first
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{1,2}(?!"))?'
    r"|'''.*?'''(?:'{1,2}(?!'))?"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)
_NAME = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEY = re.compile(rf"\[*\s*({_NAME}(?:\s*\.\s*{_NAME})*)")

TablePath = tuple[str | int, ...]


def lines_of(text: str) -> Mapping[TablePath, int]:
    """Return the 1-based line of every table and key of a valid TOML text.

    The n-th `[[name]]` is the step n after the name, from 0. The inside of an array or an inline table has the line of
    the key that holds it, so it is not listed.
    """
    lines: dict[TablePath, int] = {}
    counts: dict[TablePath, int] = {}
    table: TablePath = ()
    for line, statement in _statements(text):
        if statement.startswith("#"):
            continue
        if not statement.startswith("["):
            lines.setdefault(table + _names(statement), line)
            continue
        table = _inside(_names(statement), counts)
        if statement.startswith("[["):
            counts[table] = counts.get(table, -1) + 1
            table = (*table, counts[table])
        lines.setdefault(table, line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Headers and `key = value` pairs, each with the line on which it starts."""
    start, line, depth, first = 0, 1, 0, 1
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign == "\n" and depth == 0:
            if statement := text[start : token.start()].strip():
                yield first, statement
            start, first = token.end(), line + 1
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        line += sign.count("\n")
    if statement := text[start:].strip():
        yield first, statement


def _names(statement: str) -> tuple[str, ...]:
    """The keys that a header or a pair names, outermost first."""
    names = []
    match = _KEY.match(statement)
    value: object = tomllib.loads(f"{match[1]} = 0") if match else 0
    while isinstance(value, dict):
        ((name, value),) = value.items()
        names.append(name)
    return tuple(names)


def _inside(names: tuple[str, ...], counts: Mapping[TablePath, int]) -> TablePath:
    """The steps to a table: a header below a `[[name]]` means the last one of them."""
    steps: TablePath = ()
    for name in names[:-1]:
        steps = (*steps, name)
        if steps in counts:
            steps = (*steps, counts[steps])
    return (*steps, names[-1])
