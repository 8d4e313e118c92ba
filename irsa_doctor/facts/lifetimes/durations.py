"""Durations and moments of standards."""

from datetime import UTC, datetime
from typing import Literal

StandardState = Literal["not-asked", "met", "missed"]
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def duration_words(seconds: int) -> str:
    """A duration in the largest unit that divides it, `12 hours`; "" for none."""
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            number = seconds // size
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return ""


def moment_named(text: str) -> datetime | None:
    """The moment of a time or a day, None where it is none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def seconds_since(text: str, now: datetime | None) -> float | None:
    """The seconds from a time to now, None where either is not known."""
    then = moment_named(text)
    return None if then is None or now is None else (now - then).total_seconds()
