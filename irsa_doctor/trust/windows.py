"""The time in which the conditions of a statement on it hold together: where there is none, the statement matches nothing.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (aws:CurrentTime, aws:EpochTime).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import floor

import msgspec

from irsa_doctor.model import has_hole, text_of
from irsa_doctor.trust.conditions import Limit
from irsa_doctor.trust.keys import TIME_KEYS
from irsa_doctor.trust.languages import NOTHING
from irsa_doctor.trust.matching import value_meets
from irsa_doctor.trust.operators import Operator
from irsa_doctor.trust.policy import Condition, Value

_LAST = 253_402_300_799
"""the last second of the year 9999"""
_MOST = 100
"""the values up to which a window is judged: each is compared with all others"""
_EMPTY = Limit("never", NOTHING, NOTHING, "value")


def within_window(conditions: Sequence[Condition], limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    """The limits of conditions: those on the time never hold where there is no moment at which all of them do."""
    if not any(limit.depends for limit in limits):
        return limits
    for key in TIME_KEYS:
        on_time = {
            n: _shortened(c) for n, c in enumerate(conditions) if c.key == key and limits[n].depends and _compares_time(c)
        }
        is_short = sum(len(condition.values) for condition in on_time.values()) <= _MOST
        if (
            len(on_time) > 1
            and is_short
            and not any(_hold_at(second, on_time.values()) for second in _moments(on_time.values()))
        ):
            return tuple(_EMPTY if number in on_time else limit for number, limit in enumerate(limits))
    return limits


def _compares_time(condition: Condition) -> bool:
    return condition.use.operator.family in ("date", "numeric")


def _shortened(condition: Condition) -> Condition:
    """The condition with the widest limit alone of several, and what is not known: the others say nothing more."""
    operator = condition.use.operator
    if len(condition.values) == 1 or operator.comparison == "equal":
        return condition
    widest = max if operator.comparison.startswith("less") else min
    limits = {value: seconds for value in condition.values if (seconds := _seconds(operator, value)) is not None}
    kept = (*([widest(limits, key=limits.__getitem__)] if limits else []), *filter(has_hole, condition.values))
    return msgspec.structs.replace(condition, values=kept or condition.values[:1])


def _seconds(operator: Operator, value: Value) -> Decimal | None:
    """The seconds since 1970 that a value is, None where it is no time or not known."""
    from irsa_doctor.trust.typed import is_of_type, milliseconds

    if has_hole(value) or not is_of_type(operator, text_of(value)):
        return None
    return Decimal(milliseconds(text_of(value)) or 0) / 1000 if operator.family == "date" else Decimal(text_of(value))


def _moments(conditions: Collection[Condition]) -> Iterator[int]:
    """Seconds of which one is in every window that there is: the ends of each, and those beside them."""
    yield from (0, _LAST)
    for condition in conditions:
        for value in condition.values:
            seconds = _seconds(condition.use.operator, value)
            if seconds is not None and 0 <= seconds <= _LAST:
                yield from (floor(seconds) - 1, floor(seconds), floor(seconds) + 1)


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
