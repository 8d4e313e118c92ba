"""What the stream at the other end can show."""

import os
import sys
from typing import TextIO

import msgspec


class Style(msgspec.Struct, frozen=True):
    """Colour or not, and the width in columns."""

    colour: bool = False
    width: int = 100

    def paint(self, text: str, code: str) -> str:
        """Text in one of the base colours (SGR code), plain where there is no colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def style_for(stream: TextIO = sys.stdout) -> Style:
    """Colour only on a terminal and not where NO_COLOR (https://no-color.org) or TERM=dumb forbids it."""
    terminal = stream.isatty()
    forced = bool(os.environ.get("FORCE_COLOR"))
    colour = not os.environ.get("NO_COLOR") and (forced or (terminal and os.environ.get("TERM") != "dumb"))
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdigit() else os.get_terminal_size(stream.fileno()).columns if terminal else 100
    return Style(colour, min(max(width, 40), 140))
