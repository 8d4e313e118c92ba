"""Evaluates a large inventory in several processes, each a share of its roles and service accounts, with the same answers."""

from collections.abc import Callable, Sequence
from functools import partial

from irsa_doctor.answers.check.engine import RuleAnswers
from irsa_doctor.facts import UNDIVIDED, Share, View
from irsa_doctor.model.processes import in_processes, processors

_WORTH = 1_000
"""roles and service accounts for which another process is worth its beginning"""


def in_shares(view: View, evaluated: Callable[[Share], RuleAnswers], most: int) -> RuleAnswers:
    """The answers about all subjects of an inventory, in at most so many processes."""
    shares = _shares(view, most)
    if len(shares) == 1:
        return evaluated(shares[0])
    answers, *others = in_processes([partial(_settled, evaluated, share) for share in shares])
    for more in others:
        answers.add(more)
    return answers


def _settled(evaluated: Callable[[Share], RuleAnswers], share: Share) -> RuleAnswers:
    """The answers about a share with what is worked out when it is first read: each process does that for its own."""
    answers = evaluated(share)
    for finding in answers.findings.values():
        finding.settle()
    return answers


def _shares(view: View, most: int) -> Sequence[Share]:
    inventory = view.inventory
    subjects = len(inventory.roles) + len(inventory.service_accounts)
    number = min(most, subjects // _WORTH)
    # the cases of a role are united subject by subject
    if number < 2 or any(role.case for role in inventory.roles) or (number := min(number, processors())) < 2:
        return [UNDIVIDED]
    # analysed here, so that no process does it again
    return [Share(each, number) for each in range(number)] if view.roles else [UNDIVIDED]
