"""Unexpected errors of ours: each costs the document that it is about, and the run goes on."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from irsa_doctor.model.errors import IrsaDoctorError, NotJudged
from irsa_doctor.model.limits import RunLimit, attempt, reached

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_ROUNDS = 50
"""Documents that are set aside one by one before an error is taken for one of no document"""


def fault_words(error: Exception) -> str:
    """Return what an unexpected error has done to a document; its traceback goes to the log.

    What runs out, stack or memory, is a limit that was reached, and named as one. What is meant for the caller is raised.
    """
    import logging

    if isinstance(error, IrsaDoctorError):
        raise error
    logging.getLogger(__name__).debug("a document could not be judged", exc_info=error)
    if isinstance(error, RecursionError):
        return "could not be judged: values nested too deeply"
    if isinstance(error, MemoryError):
        return "could not be judged: not enough memory"
    return "could not be judged: an error of irsa-doctor, please report"


def judged_or_named(name: str, work: Callable[[], _Result]) -> _Result:
    """Return what `work` makes of something.

    Raises NotJudged where the run reached a limit, or for an unexpected error, with the name, or with the document that the
    error notes.
    """
    try:
        result = attempt(work)
    except Exception as error:
        noted = next(iter(getattr(error, "__notes__", ())), name)
        raise NotJudged(f"{noted}: {fault_words(error)}") from error
    why = result.why if isinstance(result, RunLimit) else reached()
    if isinstance(result, RunLimit) or why:
        raise NotJudged(f"{name}: not judged: {why}")
    return result


def without_breaking(
    items: Sequence[_Item], work: Callable[[Sequence[_Item]], _Result], set_aside: Callable[[_Item, str], object]
) -> _Result:
    """Return what `work` makes of items, without those that break it: each of them is set aside with the reason.

    An item breaks the work if it fails with it and does not with those before it. Raises the error of the work where that is
    not of single items.
    """
    left = list(items)
    for _ in range(_ROUNDS):
        try:
            return work(left)
        except Exception as error:
            words = fault_words(error)
            number = _first_breaking(left, work)
            if number < 0:
                raise
            set_aside(left.pop(number), words)
    return work(left)


def _first_breaking(items: Sequence[_Item], work: Callable[[Sequence[_Item]], object]) -> int:
    """The number of the first item with which the work fails, -1 where it fails without any."""
    good, bad = -1, len(items)
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            work(items[:middle])
            good = middle
        except Exception:  # noqa: BLE001 - the error is reported where all items are tried
            bad = middle
    return bad - 1
