"""Says of a regular expression whether a hostile text could keep it busy.

Patterns of messages are searched in logs of up to a megabyte. Each repeat has a limit, none stands inside another, and the
ways in which one match can be tried stay few: then the time grows with the length of the text alone.
"""

import re
import re._constants as ops  # type: ignore[import-not-found, unused-ignore]
import re._parser as parser  # type: ignore[import-not-found, unused-ignore]
from collections.abc import Iterable
from typing import Any, NamedTuple

FLAGS = re.IGNORECASE
LONGEST_REPEAT = 600
MOST_WORK = 100_000
"""steps that a search may take at one place of a text"""
_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT)


class Unsafe(Exception):
    """A pattern that is not used; the text says why."""


def check_pattern(pattern: str, *, may_be_empty: bool = False) -> None:
    """Raises Unsafe for a pattern that is not valid, that matches any text, or that could take long on a hostile one."""
    try:
        parsed = parser.parse(pattern, FLAGS)
        re.compile(pattern, FLAGS)  # refuses what the parser does not, such as a look-behind of any width
    except re.error as error:
        at = f", character {error.pos + 1}" if error.pos is not None else ""
        raise Unsafe(f"not a valid regular expression of Python{at}") from error
    except (OverflowError, RecursionError) as error:
        raise Unsafe("not a valid regular expression of Python: it exceeds the limits") from error
    if parsed.getwidth()[0] == 0 and not may_be_empty:
        raise Unsafe("it matches the empty text")
    work = _effort(parsed).work
    if work > MOST_WORK:
        raise Unsafe(
            f"a search can take {work} steps at one place, the limit is {MOST_WORK}: shorten repeats, or write {{0,n}}+"
        )


class _Effort(NamedTuple):
    """What a part of a pattern costs at one place of a text: the ways in which it can match, and the steps to try them all."""

    ways: int
    work: int


def _effort(parts: Iterable[tuple[Any, Any]]) -> _Effort:
    """The effort of a sequence: each part is tried anew for every way of those before it; raises Unsafe."""
    ways, work, before = 1, 0, None
    for operator, argument in parts:
        # a text that differs from a word differs from its first letters, nearly always
        part = _effort_of(operator, argument) if (operator, before) != (ops.LITERAL, ops.LITERAL) else _Effort(1, 0)
        before = operator
        work += ways * part.work
        ways *= part.ways
    return _Effort(ways, work)


def _effort_of(operator: Any, argument: Any) -> _Effort:
    if operator in (*_REPEATS, ops.POSSESSIVE_REPEAT):
        return _effort_of_repeat(operator, *argument)
    if operator is ops.BRANCH:
        branches = [_effort(branch) for branch in argument[1]]
        return _Effort(sum(branch.ways for branch in branches), sum(branch.work for branch in branches))
    if operator is ops.SUBPATTERN:
        return _effort(argument[3])
    if operator in (ops.ATOMIC_GROUP, ops.ASSERT, ops.ASSERT_NOT):
        # what such a group has matched is never tried another way
        return _Effort(1, _effort(argument if operator is ops.ATOMIC_GROUP else argument[1]).work)
    if operator is ops.GROUPREF_EXISTS:
        raise Unsafe("a condition on a group")
    return _Effort(1, 1)


def _effort_of_repeat(operator: Any, least: int, most: int, repeated: Iterable[tuple[Any, Any]]) -> _Effort:
    if most > LONGEST_REPEAT:
        raise Unsafe(f"a repeat without a limit, or with one over {LONGEST_REPEAT}: write {{0,n}}")
    ways, work = _effort(repeated)
    if ways > 1 and most > 1:
        raise Unsafe("a repeat inside a repeat")
    single = operator is ops.POSSESSIVE_REPEAT
    return _Effort(1 if single else ways * (most - least + 1), work * max(most, 1))
