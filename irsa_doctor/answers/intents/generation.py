"""Writes an intent out in dialects, and proves of each text that it says what the intent says."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from irsa_doctor.answers.intents.dialects import INTENT_FORMATS, Choices, Writing
from irsa_doctor.answers.intents.dialects.written import MadeFile
from irsa_doctor.answers.intents.languages import admits_its_pairs, is_same_policy, policy_meant
from irsa_doctor.answers.intents.plan import IntentPlan, IntentProblem, MadeRole
from irsa_doctor.answers.who_can import NoSuchRole, find_role, names_of
from irsa_doctor.facts import AnalysedRole, View
from irsa_doctor.model import Inventory
from irsa_doctor.trust import Policy

TextReader = Callable[[Mapping[str, bytes]], Inventory]
"""documents by path -> what is read of them"""


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """What is made of an intent. With `problems` there are no files. `addresses` are the names by which `who-can` finds the
    roles in the last template dialect, by ARN."""

    plan: IntentPlan
    files: tuple[MadeFile, ...]
    addresses: Mapping[str, str]
    problems: tuple[IntentProblem, ...]


class Unproved(Exception):
    """A text of ours does not say what the intent says: a fault of this program, and never an output."""


def generated(plan: IntentPlan, formats: Sequence[str], choices: Choices, read: TextReader) -> Generation:
    """The files of every format, proved. Raises Unproved."""
    addresses: dict[str, str] = {}
    files: list[MadeFile] = []
    problems = [*plan.problems]
    policies = {} if problems else _proved(plan.roles)
    for name in formats if not problems else ():
        dialect = INTENT_FORMATS[name]
        writing = dialect.write(plan, choices)
        problems += writing.problems
        if dialect.is_read and not writing.problems:
            _prove(policies, writing, read)
        files += writing.files
        addresses = dict(writing.addresses) if dialect.is_template else addresses
    return Generation(plan=plan, files=() if problems else tuple(files), addresses=addresses, problems=tuple(problems))


def _proved(roles: Sequence[MadeRole]) -> dict[str, Policy]:
    """The policies of roles by ARN, each of which admits exactly whom the intent names."""
    policies = {role.role: policy_meant(role) for role in roles}
    for role in roles:
        policy = policies[role.role]
        if policy.refused or not admits_its_pairs(role, policy):
            raise Unproved(f"the policy of {role.role} does not admit whom the intent means")
    return policies


def _prove(policies: Mapping[str, Policy], writing: Writing, read: TextReader) -> None:
    """Reads the texts back, and compares what they say with the policies that are proved."""
    view = View(read({file.path: file.text.encode() for file in writing.files}))
    by_name = _by_name(view)
    for role, meant in policies.items():
        address = writing.addresses.get(role, role)
        try:
            named = by_name.get(address, ())
            found = (named[0] if len(named) == 1 else find_role(view, address)).policy
        except NoSuchRole as absent:
            raise Unproved(f"{address} is not found in what was written: {absent}") from None
        if found is None or found.refused or not is_same_policy(found, meant):
            raise Unproved(f"{address} does not admit whom the intent means")


def _by_name(view: View) -> dict[str, list[AnalysedRole]]:
    """Roles by all that `who-can` takes literally for their name, so that thousands are not searched for each of them."""
    by_name: dict[str, list[AnalysedRole]] = {}
    for role in view.roles:
        for name in {role.role.arn, role.role.id, role.role.place.document, *names_of(role)}:
            by_name.setdefault(name, []).append(role)
    return by_name
