"""Evaluates a large inventory in several processes, each a share of its roles and service accounts, with the same answers."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from irsa_doctor.answers.check.engine import RuleAnswers
from irsa_doctor.facts import UNDIVIDED, Share, View
from irsa_doctor.model.extents import NO_EXTENT
from irsa_doctor.model.processes import in_processes, processors

_WORTH = 1_000
"""roles and service accounts for which another process is worth its beginning"""


class Division(msgspec.Struct, frozen=True):
    """In how many processes at most an inventory is judged, and whether their findings come with their extents: who gets in,
    which nobody needs but who accepts or compares findings."""

    processes: int = 1
    extents: bool = True


class _OfShare(msgspec.Struct, frozen=True):
    """What a process hands back: the answers, the documents that a limit left unjudged, and whether a policy was dear."""

    answers: RuleAnswers
    unjudged: Mapping[str, str]
    dear: bool


def in_shares(view: View, evaluated: Callable[[Share], RuleAnswers], division: Division) -> RuleAnswers | None:
    """The answers about all subjects of an inventory, in several processes where that is worth it.

    None where policies were so dear that what each may cost depends on the others, which no process knows: then they are to be
    evaluated undivided.
    """
    shares = _shares(view, division.processes)
    if len(shares) == 1:
        return evaluated(shares[0])
    first, *others = in_processes([partial(_of_share, view, evaluated, share, extents=division.extents) for share in shares])
    if any(each.dear for each in (first, *others)):
        return None
    for other in others:
        first.answers.add(other.answers)
        view.unjudged.update(other.unjudged)
    return first.answers


def _of_share(view: View, evaluated: Callable[[Share], RuleAnswers], share: Share, *, extents: bool) -> _OfShare:
    """The answers about a share with what is worked out when it is first read: each process does that for its own."""
    answers = evaluated(share)
    for key, finding in answers.findings.items():
        settled = finding if extents else msgspec.structs.replace(finding, lazy_extent=NO_EXTENT)
        settled.settle()
        answers.findings[key] = settled
    return _OfShare(answers, view.unjudged, view.work.is_dear and not answers.limit)


def _shares(view: View, most: int) -> Sequence[Share]:
    inventory = view.inventory
    subjects = len(inventory.roles) + len(inventory.service_accounts)
    number = min(most, subjects // _WORTH)
    # the cases of a role are united subject by subject
    if number < 2 or any(role.case for role in inventory.roles) or (number := min(number, processors())) < 2:
        return [UNDIVIDED]
    view.prepare()
    return [Share(each, number) for each in range(number)]
