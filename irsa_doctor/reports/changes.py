"""The change of a trust policy as a few lines with `-` and `+`, for reading; the whole policy is what people paste."""

import re
from collections.abc import Iterator, Sequence

from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, without_middle, wrapped
from irsa_doctor.reports.layout import BAD, FAINT, GOOD
from irsa_doctor.reports.style import Style

_INDENT = "    "
_MEMBER = re.compile(r'(\s*)("(?:[^"\\]|\\.)*")(: .*)')
_LONGEST = 24
"""lines of a change that are shown"""
_KEY = 12
"""columns that a key keeps"""
_COLOURS = {"-": BAD, "+": GOOD}


def change_lines(difference: str, style: Style) -> Iterator[str]:
    """Yields the lines of `Fix.diff`, each in the width of the terminal; long keys are shortened in the middle."""
    lines = dedented(difference.splitlines())
    room = style.width - len(_INDENT) - 2
    shown = [(line[:1], _shortened(line[1:], room, style.ellipsis)) for line in lines[:_LONGEST]]
    removed, added = ({text for mark, text in shown if mark == sign} for sign in "-+")
    if removed & added:
        # what makes them differ is in the part that was cut
        shown = [(line[:1], piece) for line in lines[:_LONGEST] for piece in wrapped(for_terminal(line[1:]), room)]
    for mark, text in shown:
        yield style.paint(f"{_INDENT}{mark} {text}".rstrip(), _COLOURS.get(mark, FAINT))
    if len(lines) > _LONGEST:
        yield style.paint(f"{_INDENT}  {style.ellipsis} and {len(lines) - _LONGEST} more lines", FAINT)


def dedented(lines: Sequence[str]) -> list[str]:
    """Returns the lines of a change without the indentation that they share."""
    shared = min((len(line) - 1 - len(line[1:].lstrip()) for line in lines if line[1:].strip()), default=0)
    return [line[:1] + line[1 + shared :] for line in lines]


def _shortened(text: str, room: int, ellipsis: str) -> str:
    text = for_terminal(text)
    if columns(text) <= room:
        return text
    if member := _MEMBER.fullmatch(text):
        indent, key, rest = member.groups()
        left = max(room - columns(indent) - columns(rest), _KEY)
        text = f"{indent}{without_middle(key, left, ellipsis)}{rest}"
    return without_middle(text, room, ellipsis)
