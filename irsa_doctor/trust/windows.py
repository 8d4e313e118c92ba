"""The time in which the conditions of a statement on it hold together: where there is none, the statement matches nothing.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (aws:CurrentTime, aws:EpochTime).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import floor

from irsa_doctor.model import text_of
from irsa_doctor.trust.conditions import Limit
from irsa_doctor.trust.keys import TIME_KEYS
from irsa_doctor.trust.languages import NOTHING
from irsa_doctor.trust.matching import value_meets
from irsa_doctor.trust.policy import Condition

_LAST = 253_402_300_799
"""the last second of the year 9999"""
_EMPTY = Limit("never", NOTHING, NOTHING, "value")


def within_window(conditions: Sequence[Condition], limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    """The limits of conditions: those on the time never hold where there is no moment at which all of them do."""
    if not any(limit.depends for limit in limits):
        return limits
    for key in TIME_KEYS:
        on_time = {n: c for n, c in enumerate(conditions) if c.key == key and limits[n].depends and _compares_time(c)}
        if len(on_time) > 1 and not any(_hold_at(second, on_time.values()) for second in _moments(on_time.values())):
            return tuple(_EMPTY if number in on_time else limit for number, limit in enumerate(limits))
    return limits


def _compares_time(condition: Condition) -> bool:
    return condition.use.operator.family in ("date", "numeric")


def _moments(conditions: Collection[Condition]) -> Iterator[int]:
    """Seconds of which one is in every window that there is: the ends of each, and those beside them."""
    from irsa_doctor.trust.typed import is_of_type, milliseconds

    yield from (0, _LAST)
    for condition in conditions:
        operator = condition.use.operator
        for value in map(text_of, condition.values):
            if not is_of_type(operator, value):
                continue
            exact = Decimal(milliseconds(value) or 0) / 1000 if operator.family == "date" else Decimal(value)
            if 0 <= exact <= _LAST:
                yield from (floor(exact) - 1, floor(exact), floor(exact) + 1)


def _hold_at(second: int, conditions: Iterable[Condition]) -> bool:
    """Whether conditions on the time may all hold in a second."""
    now = time_of_request(min(max(second, 0), _LAST))
    return all(
        value_meets(c.use.operator, c.values, now[c.key][0], lambda _: None, variables=False) is not False for c in conditions
    )


def time_of_request(seconds: int) -> dict[str, tuple[str, ...]]:
    """The keys that hold the time of a request, in seconds since 1970, and their values."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return {"aws:currenttime": (moment.strftime("%Y-%m-%dT%H:%M:%SZ"),), "aws:epochtime": (str(seconds),)}
