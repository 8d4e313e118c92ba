"""What working out languages may cost: an allowance of steps for each policy, which gets smaller as a run spends more."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_POLICY = 240_000
"""steps that one policy may cost: about a second"""
_RUN = 800_000
"""steps that all policies of a run may cost beyond the least of each"""
_SHARE = 4
"""part of what a run has left that one policy may take"""
_LEAST = 4_000
"""steps that every policy may cost, whatever others have cost"""


class Allowance:
    """The steps that are left to one policy, and how many of its questions were given up for want of them.

    `given_up` are the questions of the whole run that were, so that none is tried twice.
    """

    def __init__(self, left: int, given_up: set[Hashable]) -> None:
        self.granted = self.left = left
        self.losses = 0
        self.given_up = given_up


_ALLOWANCE: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


def allowance() -> Allowance | None:
    """The allowance of the policy that is being worked out; None outside of a run, where each question has its own limit."""
    return _ALLOWANCE.get()


class Work:
    """What the policies of one run have cost."""

    def __init__(self) -> None:
        self._left = _RUN
        self._begun: dict[str, Allowance] = {}
        self._given_up: set[Hashable] = set()

    @property
    def is_dear(self) -> bool:
        """Whether a policy has cost more than every policy may: then the others may cost less."""
        return self._left < _RUN

    @contextmanager
    def on(self, policy: str) -> Iterator[Allowance]:
        """While the context lasts, questions are charged to a policy, by the id of its role."""
        current = self._begun.get(policy) or Allowance(self._granted(), self._given_up)
        before, token = current.left, _ALLOWANCE.set(current)
        try:
            yield current
        finally:
            _ALLOWANCE.reset(token)
            if current.left < before:
                self._begun[policy] = current
                self._left -= _beyond_least(current, current.left) - _beyond_least(current, before)

    def _granted(self) -> int:
        return min(_POLICY, max(_LEAST, self._left // _SHARE))


def _beyond_least(current: Allowance, left: int) -> int:
    return max(0, current.granted - left - _LEAST)
