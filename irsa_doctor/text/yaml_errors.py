"""The errors of the YAML parser in words of our own, which stay the same when the parser's change."""

import re

_REASONS = (
    (r"expected ',' or '\]'", "a list in brackets is not closed by `]`, or a comma is missing"),
    (r"expected ',' or '\}'", "an object in braces is not closed by `}`, or a comma is missing"),
    (
        r"did not find expected key|<block end>.*while parsing a block mapping",
        "a line is neither a member nor further indented than the one above",
    ),
    (
        r"did not find expected '-' indicator|<block end>.*while parsing a block collection",
        "a line is neither an item of the list nor further indented than the one above",
    ),
    (r"could not find expected ':'", "a member has a name but no colon after it"),
    (r"mapping values are not allowed", "a second `: ` in one line, or a member indented under a value"),
    (r"mapping keys are not allowed|block sequence entries are not allowed", "a list or an object cannot start here"),
    (r"tab character", "a tab where only spaces may indent"),
    (r"cannot start any token", "a character that cannot start a value: quote the value, or indent with spaces if it is a tab"),
    (r"unexpected end of stream", "a quoted text is not closed"),
    (r"unexpected document indicator", "a quoted text is not closed before the next document"),
    (r"unknown escape character|expected hexdecimal", "an escape that YAML does not have in a quoted text"),
    (r"invalid Unicode character escape", "an escape that is no character"),
    (r"control characters? (?:is|are) not allowed|special characters are not allowed", "control characters are not allowed"),
    (r"(?:undefined|unknown) alias|undefined alias", "an undefined alias: no anchor before it has its name"),
    (r"duplicate anchor", "two anchors with one name"),
    (r"undefined tag handle|expected tag URI|expected '!'", "a tag that is not declared"),
    (r"expected '?<document start>", "text after the end of the document, without `---`"),
    (r"expected (?:the )?node content", "a value is missing"),
    (r"maximum nesting depth", "too many levels"),
    (
        r"UTF-8|UTF-16|Unicode character|surrogate|invalid (?:start|continuation) byte|end of data",
        "bytes that are no text in UTF-8 or UTF-16",
    ),
    (r"alphabetic or numeric character|alphabetical character", "an anchor, alias or directive without a name"),
    (r"directive|incompatible YAML|version number", "a `%` directive that is not YAML 1.1 or 1.2"),
)
_OTHER = "the text breaks off or is malformed"
REASONS = frozenset({*(ours for _, ours in _REASONS), _OTHER})
"""Every reason that is given."""


def yaml_error_reason(error: Exception) -> str:
    """Returns why PyYAML refuses a text: our reason where the table has one, else a general one, never the parser's words."""
    theirs = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if "<block end>" in theirs:
        # the parser in Python says only by the context what it expected
        theirs = f"{theirs} {getattr(error, 'context', '')}"
    return next((ours for pattern, ours in _REASONS if re.search(pattern, theirs)), _OTHER)
