"""A page of the site, and what it is written with: prose, code, tables, headings."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import yaml

from irsa_doctor.rulebook.rules import NAME, Reference

_MARKUP = re.compile(r"[\\*_\[\]<>{}$|#~]")
_CODE = re.compile(r"(`[^`\n]*`)")
_WORD = 24
"""letters after which a long name may be broken on a narrow screen"""


class Page(msgspec.Struct, frozen=True):
    """A file of the site: its path, and its text."""

    path: str
    text: str


def page(path: str, title: str, *parts: str) -> Page:
    """A generated page, which is in no menu: the pages of its kind are listed by another."""
    return Page(path, "\n\n".join(["---\norphan: true\n---", f"# {title}", *filter(None, parts)]) + "\n")


def prose(text: str) -> str:
    """Our own text, whose only markup are the backticks of code, as Markdown in one line."""
    pieces = _CODE.split(" ".join(text.split()))
    return "".join(piece if piece.startswith("`") else literal(piece) for piece in pieces)


def literal(text: str) -> str:
    """A text in which no sign means anything, in one line."""
    return _MARKUP.sub(lambda sign: f"\\{sign[0]}", text).replace("`", "\\`" if text.count("`") % 2 else "`")


def code(text: str) -> str:
    """A text as code in one line, whatever backticks it has; nothing for nothing."""
    one_line = " ".join(text.split()).replace("|", "\\|")
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", one_line)), default=0))
    padding = " " if "`" in one_line else ""
    return f"{ticks}{padding}{one_line}{padding}{ticks}" if one_line else ""


def block(text: str, language: str = "text") -> str:
    """Lines of code."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def as_yaml(value: Any) -> str:
    """A value as a block of YAML."""
    return block(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100), "yaml")


def as_json(value: Any) -> str:
    """A value as a block of JSON."""
    return block(json.dumps(value, indent=2, ensure_ascii=False), "json")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; nothing where it has no rows."""
    body = [f"| {' | '.join(row)} |" for row in rows]
    named = list(heads)
    return "\n".join([f"| {' | '.join(named)} |", f"|{' --- |' * len(named)}", *body]) if body else ""


def titled(title: str, *parts: str) -> str:
    """A section; nothing where it has no content."""
    content = [part for part in parts if part]
    return "\n\n".join([f"## {title}", *content]) if content else ""


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def command(settle: str) -> str:
    """How a cause is settled: a command or a sentence, its placeholders in capitals."""
    return NAME.sub(lambda name: name[1].upper(), settle)


def references(listed: Iterable[Reference]) -> str:
    """The section of the public pages that something is known from."""
    return titled("References", bullets(f"[{literal(reference.title)}](<{reference.url}>)" for reference in listed))


def words_of(levels: Mapping[str, str], level: str) -> str:
    """A word for a key, the key itself where there is none."""
    return levels.get(level, level)
