"""A wrong call: one plain line on standard error, and exit code 2."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from irsa_doctor.cli.output import print_note

if TYPE_CHECKING:
    from datetime import datetime


def wrong(why: str) -> typer.Exit:
    """Print what is wrong with a call, and return what is to be raised."""
    print_note(why)
    return typer.Exit(2)


def checked_format(command: str, output_format: str) -> str:
    """The format, where the answer of a command has it; else a wrong call."""
    from irsa_doctor import api

    return checked_word("--format", output_format, api.ANSWER_FORMATS[command])


def checked_word(flag: str, value: str, words: Sequence[str]) -> str:
    """The word of a list that a flag names in any case; else a wrong call, with the nearest and all of them."""
    from irsa_doctor import api

    if value.lower() in words:
        return value.lower()
    listed = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    here = _WORDS_OF_OTHERS.get(value.lower(), "")
    meant = f' Did you mean "{here}"?' if here in words else api.suggestion(value, words)
    raise wrong(f"{flag} {value}: expected {listed}.{meant}")


_WORDS_OF_OTHERS = {
    **dict.fromkeys(("none", "off", "no"), "never"),
    "error": "high",
    **dict.fromkeys(("warning", "warn", "moderate"), "medium"),
    **dict.fromkeys(("info", "note", "notice"), "low"),
    **dict.fromkeys(("table", "pretty", "human", "full"), "text"),
    **dict.fromkeys(("md", "gfm"), "markdown"),
    **dict.fromkeys(("line", "compact", "unix", "gcc"), "concise"),
    "code-climate": "gitlab",
    "codeclimate": "gitlab",
    "xml": "junit",
}
"""words for thresholds and formats of other programs -> what they are called here"""


def checked_moment(flag: str, value: str | None) -> "datetime | None":
    """The moment that the value of an option names, None without one; else a wrong call."""
    from irsa_doctor.api import moment_of

    moment = None if value is None else moment_of(value)
    if value is not None and moment is None:
        whole = f"{value}T00:00:00Z"
        example = whole if moment_of(whole) else "2026-11-28T12:00:00Z"
        raise wrong(f"{flag} {value}: not a time with a time zone; write it as {example}")
    return moment
