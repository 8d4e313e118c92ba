"""Reads the values of settings; what one must be and is not is told with the steps that lead to it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TypeVar

from irsa_doctor.model.limits import bytes_of
from irsa_doctor.model.regex import regex

_T = TypeVar("_T")
Read = Callable[[object], _T]
"""Reads a value of TOML; raises WrongValue."""


class WrongValue(Exception):
    """What a value must be and is not; `steps` lead to it from the table that was read."""

    def __init__(self, message: str, *steps: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.steps = steps

    @property
    def sentence(self) -> str:
        """The message after the name of the value, `severity.open-no-sub must be ...`."""
        name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)
        return f"{name.removeprefix('.')} {self.message}".lstrip()


def value_below(step: str | int, reader: Read[_T], value: object) -> _T:
    """Read the value of a key or an index; an error names the steps that lead to it."""
    try:
        return reader(value)
    except WrongValue as wrong:
        raise WrongValue(wrong.message, step, *wrong.steps) from None


def list_of(reader: Read[_T]) -> Read[tuple[_T, ...]]:
    """Return the reader of a list whose items a reader reads."""

    def read(value: object) -> tuple[_T, ...]:
        if not isinstance(value, list):
            hint = f', as in ["{value}"]' if isinstance(value, str) else ""
            raise WrongValue(f"must be a list{hint}, not {kind_of(value)}")
        return tuple(value_below(number, reader, item) for number, item in enumerate(value))

    return read


def table_of(reader: Read[_T]) -> Read[dict[str, _T]]:
    """Return the reader of a table whose values a reader reads."""

    def read(value: object) -> dict[str, _T]:
        if not isinstance(value, dict):
            raise WrongValue(f"must be a table, not {kind_of(value)}")
        return {key: value_below(key, reader, item) for key, item in value.items()}

    return read


def word_of(words: tuple[_T, ...]) -> Read[_T]:
    """Return the reader of one of some words."""

    def read(value: object) -> _T:
        for word in words:
            if word == value:
                return word
        names = [str(word) for word in words]
        raise WrongValue(f"must be one of {', '.join(names)}, not {value_in_words(value)}{near_word(value, names)}")

    return read


def text_value(value: object) -> str:
    """Text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise WrongValue(f"must be text in quotes, not {value_in_words(value)}")
    return value


def boolean(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise WrongValue(f"must be true or false, not {kind_of(value)}")
    return value


def date_value(value: object) -> date:
    """A date without time."""
    # a date with a time is a date too, says Python
    if type(value) is not date:
        raise WrongValue(f"must be a date without quotes, as in 2026-12-31, not {value_in_words(value)}")
    return value


def size(value: object) -> int:
    """The bytes of a size such as 512M."""
    number = bytes_of(value) if isinstance(value, str) else None
    if number is None:
        raise WrongValue(f'must be a size such as "512M" or "2G", not {value_in_words(value)}')
    return number


def seconds(value: object) -> float:
    """A number of seconds above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise WrongValue(f"must be a number of seconds above 0, not {value_in_words(value)}")
    return float(value)


def duration(value: object) -> int:
    """The seconds of a duration such as 12h."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not int(match[1]):
        raise WrongValue(f'must be a duration such as "30m", "12h" or "90d", not {value_in_words(value)}')
    return int(match[1]) * _SECONDS[match[2]]


_DURATION = regex(r"([0-9]{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def kind_of(value: object) -> str:
    """What kind of value it is, in words."""
    names: Mapping[type, str] = {bool: "true or false", dict: "a table", list: "a list", str: "text"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else "a date or time")


def value_in_words(value: object) -> str:
    """A value as an error may show it: short text whole, of everything else the kind."""
    if isinstance(value, str):
        return f"{value[:60]!r}" if value.strip() else "empty text"
    return kind_of(value)


def near_word(word: object, words: Iterable[str]) -> str:
    """A question for the word that is spelt nearly the same, "" where there is none."""
    import difflib

    near = difflib.get_close_matches(str(word).lower(), list(words), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
