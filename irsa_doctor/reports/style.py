"""What the stream at the other end can show."""

import os
import sys
from typing import TextIO

import msgspec

from irsa_doctor.reports.escape import for_terminal

_NARROWEST, _WIDEST = 40, 140
_UNSEEN, _UNTOLD = 100, 80
"""columns where nobody looks, and of a terminal that does not say"""
_DRAWN = "─│…"


class Style(msgspec.Struct, frozen=True):
    """Colour or not, the width in columns, whether lines can be drawn, and whether a text can be a link."""

    colour: bool = False
    width: int = 100
    drawn: bool = True
    links: bool = False

    def paint(self, text: str, code: str) -> str:
        """Text in one of the base colours (SGR code), plain where there is no colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text

    def link(self, text: str, url: str) -> str:
        """Text that leads to a page, where the terminal can do that (OSC 8)."""
        safe = url.startswith(("https://", "http://")) and url.isascii() and for_terminal(url) == url and " " not in url
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if self.links and safe else text

    @property
    def ellipsis(self) -> str:
        """What stands for text that was left out."""
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
    """What suits a stream, standard output unless another is given.

    Colour: on a terminal, unless NO_COLOR (https://no-color.org) is set to anything or TERM is `dumb`; FORCE_COLOR
    (https://force-color.org), but for 0 and false, asks for it anywhere, NO_COLOR goes before it.
    Links: with colour on a terminal that is not known to print them as they are.
    Width: COLUMNS, else what the terminal says, else 100; between 40 and 140.
    """
    out = sys.stdout if stream is None else stream
    terminal = out.isatty()
    term = os.environ.get("TERM", "")
    forced = os.environ.get("FORCE_COLOR", "").lower() not in ("", "0", "false")
    colour = not os.environ.get("NO_COLOR") and (forced or (terminal and term != "dumb"))
    links = colour and terminal and term not in ("", "dumb", "linux")
    columns = _number(os.environ.get("COLUMNS", "")) or (_columns(out) if terminal else _UNSEEN)
    return Style(colour, min(max(columns, _NARROWEST), _WIDEST), _carries(out), links)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _columns(out: TextIO) -> int:
    try:
        return os.get_terminal_size(out.fileno()).columns or _UNTOLD
    except OSError:
        return _UNTOLD


def _carries(out: TextIO) -> bool:
    """Whether the stream's encoding has what lines are drawn with; a stream without one (io.StringIO) takes everything."""
    try:
        _DRAWN.encode(getattr(out, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
