"""The errors of the TOML parser in words of our own, which stay the same when the parser's change."""

import re

from irsa_doctor.text.errors import TextError

_REASONS = (
    (r"overwrite|declare|twice|mutate|duplicate|already|immutable", "a key or table is defined twice"),
    (r"expected '='", "a key has no `=` after it"),
    (r"expected newline", "more than one key or value in a line"),
    (r"invalid (?:initial character for a key|statement)", "a line is neither a key nor a table nor a comment"),
    (r"expected '\]|declaration", "the name of a table is not closed by `]`"),
    (r"unclosed array", "a list is not closed by `]`, or a comma is missing"),
    (r"unclosed inline table", "an inline table is not closed by `}`, or a comma is missing"),
    (r"unterminated|expected ['\"]+", "a text is not closed by quotes"),
    (r"date|time", "a date or time that does not exist"),
    (r"escape|hex|unicode scalar", "an escape that TOML does not have"),
    (r"illegal character|control", "a line break or control character where TOML allows none"),
    (r"invalid value|invalid type|number", "a value is missing or not valid: text needs quotes"),
)
_OTHER = "the text breaks off or is malformed"
TOML_REASONS = frozenset({*(ours for _, ours in _REASONS), _OTHER})
"""Every reason that is given."""


def toml_error(error: ValueError, text: str) -> TextError:
    """Returns why tomllib refuses a text, with the line: the last one where the parser reached the end."""
    theirs = str(error)
    at = re.search(r"line (\d+)", theirs)
    line = getattr(error, "lineno", None) or (int(at[1]) if at else text.count("\n") + 1)
    why = next((ours for pattern, ours in _REASONS if re.search(pattern, theirs, re.IGNORECASE)), _OTHER)
    return TextError(why, line)
