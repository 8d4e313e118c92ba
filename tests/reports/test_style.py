import io
import os

import pytest

from irsa_doctor.reports.layout import BAD, COLOURS, GOOD, OPEN
from irsa_doctor.reports.style import Style, style_for


class Terminal(io.StringIO):
    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self.terminal = terminal
        self.coded = encoding

    def isatty(self) -> bool:
        return self.terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.coded


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("terminal", "environment", "colour"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "true"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (False, {"FORCE_COLOR": "false"}, False),
        (False, {"FORCE_COLOR": ""}, False),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(monkeypatch, terminal, environment, colour):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert style_for(Terminal(terminal)).colour is colour


@pytest.mark.parametrize(
    ("background", "term", "light"),
    [
        *(("0;15", "xterm-256color", True), ("0;default;15", "xterm-256color", True), ("0;7", "screen-256color", True)),
        *(("15;0", "xterm-256color", False), ("", "xterm-256color", False), ("0;15", "xterm", False)),
    ],
)
def test_a_light_background_is_the_one_that_the_terminal_reports(monkeypatch, background, term, light):
    monkeypatch.setenv("COLORFGBG", background)
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert style_for(Terminal(True)).light is light


def luminance(red, green, blue):
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in (red, green, blue)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("code", sorted({*COLOURS.values(), GOOD, OPEN, BAD}))
def test_colours_on_white_have_the_contrast_that_text_needs(code):
    painted = Style(colour=True, light=True).paint("x", code)
    number = int(painted.partition("38;5;")[2].partition("m")[0]) - 16
    cube = [0, 95, 135, 175, 215, 255]
    shown = luminance(cube[number // 36], cube[number // 6 % 6], cube[number % 6])
    assert 1.05 / (shown + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("terminal", "term", "links"),
    [(True, "xterm-256color", True), (True, "linux", False), (True, "dumb", False), (True, "", False), (False, "xterm", False)],
)
def test_links_are_for_terminals_that_can_hide_them(monkeypatch, terminal, term, links):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert style_for(Terminal(terminal)).links is links


@pytest.mark.parametrize(
    ("columns", "width"),
    [("80", 80), ("10", 40), ("1000", 140), ("9" * 5000, 100), ("wide", 100), ("", 100), ("0", 100), ("-5", 100), ("²", 100)],
)
def test_the_width_is_what_can_be_read(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    assert style_for(Terminal(False)).width == width


@pytest.mark.parametrize(("told", "width"), [(61, 61), (0, 80)])
def test_a_terminal_tells_its_width_or_has_the_usual_one(told, width):
    pty = pytest.importorskip("pty", reason="Windows has no such terminals")
    import fcntl
    import struct
    import termios

    leader, follower = pty.openpty()
    try:
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, told, 0, 0))
        with os.fdopen(follower, "w", closefd=False) as stream:
            assert style_for(stream).width == width
    finally:
        os.close(leader)
        os.close(follower)


@pytest.mark.parametrize(("encoding", "bar"), [("utf-8", "│"), ("ascii", "|"), ("latin-1", "|"), ("no-such", "|")])
def test_lines_are_drawn_where_the_encoding_has_them(encoding, bar):
    style = style_for(Terminal(False, encoding))
    assert style.bar == bar
    assert (style.dash + style.ellipsis).isascii() is (bar == "|")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://example.com/\x1b\\", "https://example.com/a b", "https://exämple.com", ""]
)
def test_only_a_plain_address_becomes_a_link(url):
    assert Style(links=True).link("text", url) == "text"


def test_a_link_is_hidden_behind_its_text():
    assert Style(links=True).link("text", "https://a.example/") == "\x1b]8;;https://a.example/\x1b\\text\x1b]8;;\x1b\\"
    assert Style().link("text", "https://a.example/") == "text"
