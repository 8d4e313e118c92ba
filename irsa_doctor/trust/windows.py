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

_LAST = 253_402_300_799_000
"""the last second of the year 9999, in milliseconds"""
_MOST = 100
"""the values up to which a window is judged: each is compared with all others"""
_EMPTY = Limit("never", NOTHING, NOTHING, "value")


def within_window(conditions: Sequence[Condition], limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    """The limits of conditions: those on the time never hold where there is no moment at which all of them do."""
    if not any(limit.depends for limit in limits):
        return limits
    on_time = {
        n: _shortened(c) for n, c in enumerate(conditions) if c.key in TIME_KEYS and limits[n].depends and _compares_time(c)
    }
    windows = on_time.values()
    is_short = len(on_time) > 1 and sum(len(condition.values) for condition in windows) <= _MOST
    if not is_short or any(_hold_at(moment, windows) for moment in _moments(windows)):
        return limits
    return tuple(_EMPTY if number in on_time else limit for number, limit in enumerate(limits))


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
    """Milliseconds since 1970 of which one is in every window that there is: the ends of each, those beside them, and the
    seconds about them, for one of the two keys counts seconds."""
    yield from (0, _LAST)
    for condition in conditions:
        for value in condition.values:
            seconds = _seconds(condition.use.operator, value)
            if seconds is not None and 0 <= seconds * 1000 <= _LAST:
                near, whole = floor(seconds * 1000), floor(seconds) * 1000
                yield from (near - 1, near, near + 1, whole - 1000, whole, whole + 1000)


def _hold_at(moment: int, conditions: Iterable[Condition]) -> bool:
    """Whether conditions on the time may all hold at a millisecond."""
    moment = min(max(moment, 0), _LAST)
    now = time_of_request(moment // 1000)
    if thousandths := moment % 1000:
        # how exact the time of a request is, is not documented
        now["aws:currenttime"] = (f"{now['aws:currenttime'][0][:-1]}.{thousandths:03}Z",)
    return all(
        value_meets(c.use.operator, c.values, now[c.key][0], lambda _: None, variables=False) is not False for c in conditions
    )


def time_of_request(seconds: int) -> dict[str, tuple[str, ...]]:
    """The keys that hold the time of a request, in seconds since 1970, and their values."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return {"aws:currenttime": (moment.strftime("%Y-%m-%dT%H:%M:%SZ"),), "aws:epochtime": (str(seconds),)}
