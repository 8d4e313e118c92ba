"""What the output stream can show: colour, width, lines and links."""

import os
import sys
from typing import TextIO

import msgspec

from irsa_doctor.reports.escape import for_terminal

_NARROWEST, _WIDEST = 40, 140
_FILE_WIDTH, _TERMINAL_WIDTH = 100, 80
"""columns of what is not a terminal, and of a terminal of unknown width"""
_DRAWN = "─│…"
_ON_LIGHT = {
    "31": "38;5;160",
    "1;31": "1;38;5;160",
    "32": "38;5;28",
    "33": "38;5;130",
    "35": "38;5;90",
    "1;35": "1;38;5;90",
    "36": "38;5;24",
}
"""base colours -> darker ones: yellow, green and cyan are hard to read on white"""


class Style(msgspec.Struct, frozen=True):
    """Whether to use colour, the width in columns, whether lines and links can be shown, whether the background is light."""

    colour: bool = False
    width: int = 100
    drawn: bool = True
    links: bool = False
    light: bool = False

    def paint(self, text: str, code: str) -> str:
        """Returns text in a base colour (SGR code), on a light background in a darker one, unchanged without colour."""
        if not self.colour or not text:
            return text
        return f"\x1b[{_ON_LIGHT.get(code, code) if self.light else code}m{text}\x1b[0m"

    def link(self, text: str, url: str) -> str:
        """Returns text that links to a page (OSC 8), unchanged where the terminal has no links."""
        safe = url.startswith(("https://", "http://")) and url.isascii() and for_terminal(url) == url and " " not in url
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if self.links and safe else text

    @property
    def ellipsis(self) -> str:
        """The mark of text that was left out."""
        return "…" if self.drawn else "..."

    @property
    def bar(self) -> str:
        """A vertical line."""
        return "│" if self.drawn else "|"

    @property
    def dash(self) -> str:
        """A piece of a horizontal line."""
        return "─" if self.drawn else "-"


def style_for(stream: TextIO | None = None) -> Style:
    """Returns the style for a stream, by default standard output.

    Colour: on a terminal, unless NO_COLOR (https://no-color.org) is set to anything or TERM is `dumb`; FORCE_COLOR
    (https://force-color.org), except 0 and false, turns it on for any stream; NO_COLOR takes precedence.
    Light: where COLORFGBG, which rxvt, Konsole and others set, ends with the number of white, and the terminal has 256 colours.
    Links: with colour, on a terminal that is not known to print them literally.
    Width: COLUMNS, else the width of the terminal, else 100; between 40 and 140.
    """
    out = sys.stdout if stream is None else stream
    terminal = out.isatty()
    term = os.environ.get("TERM", "")
    forced = os.environ.get("FORCE_COLOR", "").lower() not in ("", "0", "false")
    colour = not os.environ.get("NO_COLOR") and (forced or (terminal and term != "dumb"))
    links = colour and terminal and term not in ("", "dumb", "linux")
    columns = _number(os.environ.get("COLUMNS", "")) or (_columns(out) if terminal else _FILE_WIDTH)
    light = colour and "256color" in term and os.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
    return Style(colour, min(max(columns, _NARROWEST), _WIDEST), _carries(out), links, light)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _columns(out: TextIO) -> int:
    try:
        return os.get_terminal_size(out.fileno()).columns or _TERMINAL_WIDTH
    except OSError:
        return _TERMINAL_WIDTH


def _carries(out: TextIO) -> bool:
    """Whether the encoding of the stream has the line characters; a stream without one (io.StringIO) takes everything."""
    try:
        _DRAWN.encode(getattr(out, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
