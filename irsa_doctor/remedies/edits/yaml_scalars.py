"""Scalars of YAML texts: other values in the style in which a scalar is written."""

import re
from typing import Any

from irsa_doctor.remedies.edits.strings import encoded_text, rewritten

_PLAIN = re.compile(r"[A-Za-z0-9_./*][A-Za-z0-9_./:+=,@ *-]*")
_NOT_PLAIN = re.compile(r": |:$| #|[ ]$|^(?:\*|- )")


def may_be_plain(value: str, *, flow: bool = False) -> bool:
    """Whether a text may stand without quotes and be read as that text."""
    from irsa_doctor.text.yaml import read_yaml

    if not _PLAIN.fullmatch(value) or _NOT_PLAIN.search(value) or (flow and "," in value):
        return False
    documents = read_yaml(f"k: {value}\n".encode())
    return isinstance(documents, list) and documents[0].value == {"k": value}


def written_scalar(value: Any, quote: str = "", *, flow: bool = False) -> str:
    """A scalar, with a quote where it is text that needs one; `quote` is that of its neighbours, "" where they have none."""
    if value is None or isinstance(value, bool | int | float):
        return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)
    text = str(value)
    if not quote and may_be_plain(text, flow=flow):
        return text
    if quote == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return f'"{encoded_text(text, "")}"'


def rewritten_scalar(written: str, style: str, value: str, *, flow: bool = False) -> str:
    """The text of a scalar with another value, in the quotes that it has."""
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style == '"':
        try:
            return f'"{rewritten(written[1:-1], value)}"'
        except ValueError:  # an escape that JSON does not have
            return f'"{encoded_text(value, "")}"'
    return written_scalar(value, flow=flow)
