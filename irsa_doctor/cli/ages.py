"""Ages as people write them: 30m, 12h, 90d."""

import re
from datetime import timedelta

from irsa_doctor.cli.wrong import wrong

_AGE = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age_of(flag: str, value: str) -> timedelta:
    """The time that a value such as 30m, 12h or 90d means; else a wrong call."""
    match = _AGE.fullmatch(value)
    if match is None:
        raise wrong(f"{flag} {value}: a time such as 30m, 12h or 90d is expected")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
