import io

import pytest

from irsa_doctor.reports.style import style_for


class Terminal(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "colour"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(monkeypatch, terminal, environment, colour):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert style_for(Terminal(terminal)).colour is colour


@pytest.mark.parametrize(("columns", "width"), [("80", 80), ("10", 40), ("1000", 140), ("wide", 100), ("", 100)])
def test_the_width_is_what_can_be_read(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    assert style_for(Terminal(False)).width == width
