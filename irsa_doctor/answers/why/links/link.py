"""What a link is: one record with all that the chain needs to know of it."""

from collections.abc import Callable
from typing import Literal

import msgspec

from irsa_doctor.answers.check.fetching import fetched
from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.state import LinkState, unseen
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.answers.why.records import LinkNeed
from irsa_doctor.model import Unknown
from irsa_doctor.rulebook.cause_block import StsError

Situation = Literal["web-identity", "workload", "token", "pod-identity", "target-role", "limited-egress"]
"""what a case is about: a service account whose token goes to STS, one workload, a token, EKS Pod Identity, the target role of
an association, a workload that network policies keep from STS"""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """An input of links, and the command that supplies it, with {placeholders} of the case.

    `missing` answers what is unknown of a case for want of it, in the words of `name` and with the filled command; None where
    the input is there, or is not needed.
    """

    name: str
    command: str
    missing: Callable[[Case, str], Unknown | None]


def _proves_nothing(case: Case) -> LinkState | None:
    return None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One link on the way of a credential. Its state is that of the first of these that has an answer:

    `disproof`: what proves it broken, or in doubt, whatever else is missing; `skips`: reasons not to look at it, "" where there
    is none; `needs`: inputs whose absence makes it unknown; `examine`.

    `signs`: the observations that it reports, each of which speaks for causes; findings of rules speak for themselves.
    `decides`: in which situations it must hold for the credential to work. `after`: a link that STS judges before; where that
    fails, STS does not get to this one. `reads_token`: a token alone is enough to judge it. `error`: the answer of STS where
    it breaks, None where no request is sent or nobody knows.
    """

    id: str
    title: str
    title_of_run: str = ""
    """the title for the token of a run, where it has another one"""
    signs: tuple[str, ...] = ()
    examine: Callable[[Case], LinkState]
    disproof: Callable[[Case], LinkState | None] = _proves_nothing
    skips: tuple[Callable[[Case], str], ...] = ()
    needs: tuple[Need, ...] = ()
    decides: frozenset[Situation] = frozenset()
    after: str = ""
    of_any_issuer: bool = False
    """whether it is a link of tokens of issuers that are no clusters too"""
    of_pods: bool = False
    """whether it is a link of pods alone, which no run of a pipeline passes"""
    reads_token: bool = False
    error: StsError | Callable[[Case], StsError | None] | None = None

    def state(self, case: Case) -> LinkState:
        """The state of the link in a case."""
        if disproof := self.disproof(case):
            return disproof
        if reason := next(filter(None, (skip(case) for skip in self.skips)), ""):
            return LinkState("skipped", reason)
        for need in self.needs:
            if missing := self._missing(need, case):
                return missing
        return self.examine(case)

    @staticmethod
    def _missing(need: Need, case: Case) -> LinkState | None:
        unknown = need.missing(case, fill_command(need.command, case))
        return None if unknown is None else unseen(unknown)

    def title_in(self, case: Case) -> str:
        """The title of the link in a case."""
        return self.title if case.is_of_cluster else self.title_of_run or self.title

    def needs_of(self, case: Case) -> tuple[LinkNeed, ...]:
        """The inputs of the link in a case."""
        commands = [(need, fill_command(need.command, case)) for need in self.needs]
        return tuple(
            LinkNeed(need.name, fetched(command)[0], need.missing(case, command) is not None) for need, command in commands
        )

    def sts_error(self, case: Case) -> StsError | None:
        """What STS answers where the link breaks, without what a cause knows better."""
        return self.error(case) if callable(self.error) else self.error
