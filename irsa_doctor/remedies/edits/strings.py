"""Strings of JSON texts: their characters as they are written, and others written in the same way."""

import json
import re

_CHARACTER = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL)


def written_characters(content: str) -> list[str]:
    """The content of a JSON string, without its quotes, as the pieces of text that make one character each."""
    return _CHARACTER.findall(content)


def rewritten(content: str, new: str) -> str:
    """The content of a JSON string that has another value; what both values begin and end with stays as it is written.

    Characters are escaped where the string escapes such characters.
    """
    pieces = written_characters(content)
    old: str = json.loads(f'"{content}"')
    if len(pieces) != len(old):
        return encoded_text(new, content)
    shared = min(len(old), len(new))
    head = next((n for n in range(shared) if old[n] != new[n]), shared)
    tail = next((n for n in range(shared - head) if old[-1 - n] != new[-1 - n]), shared - head)
    middle = encoded_text(new[head : len(new) - tail], content)
    return "".join(pieces[:head]) + middle + "".join(pieces[len(pieces) - tail :])


def encoded_text(value: str, like: str) -> str:
    """The content of a JSON string for a value, with the escapes of another content: of slashes, and of what is not ASCII."""
    ascii_only = "\\u" in like and like.isascii()
    text = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
    return text.replace("/", "\\/") if "\\/" in like else text
