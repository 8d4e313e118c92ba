"""Writes an intent out in dialects, and proves of each text that it says what the intent says."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from irsa_doctor.answers.intents.alike import RoleForm, role_form, texts_to_read
from irsa_doctor.answers.intents.dialects import INTENT_FORMATS, Choices, Writing
from irsa_doctor.answers.intents.dialects.written import MadeFile
from irsa_doctor.answers.intents.languages import admits_its_pairs, is_same_policy, policy_meant
from irsa_doctor.answers.intents.plan import IntentPlan, IntentProblem, MadeRole
from irsa_doctor.answers.who_can import NoSuchRole, find_role, names_of
from irsa_doctor.facts import View
from irsa_doctor.model import Inventory, Role, TrustPolicy
from irsa_doctor.trust import read_policy

TextReader = Callable[[Mapping[str, bytes]], Inventory]
"""documents by path -> what is read of them"""


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """A finding of severity high or more in a text of ours: the id of the role that it is about, "" for none, and whether it
    says that the role admits too many."""

    role: str
    about_reach: bool
    says: str


TextJudge = Callable[[Inventory], Sequence[Objection]]
"""what is read of texts of ours -> what `check` finds in it that may not be there"""


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """What is made of an intent. With `problems` there are no files. `addresses` are the names by which `who-can` finds the
    roles in the last template dialect, by ARN."""

    plan: IntentPlan
    files: tuple[MadeFile, ...]
    addresses: Mapping[str, str]
    problems: tuple[IntentProblem, ...]


class Unproved(Exception):
    """A text of ours does not say what the intent says: a fault of this program, and never an output."""


def generated(
    plan: IntentPlan, formats: Sequence[str], choices: Choices, read: TextReader, judge: TextJudge = lambda _: ()
) -> Generation:
    """The files of every format, proved. Raises Unproved."""
    addresses: dict[str, str] = {}
    files: list[MadeFile] = []
    problems = [*plan.problems]
    if not problems:
        _require_right(plan.roles)
    for name in formats if not problems else ():
        dialect = INTENT_FORMATS[name]
        writing = dialect.write(plan, choices)
        problems += writing.problems
        if dialect.is_checked and not writing.problems:
            _prove(plan.roles if dialect.is_read else (), writing, read, judge)
        files += writing.files
        addresses = dict(writing.addresses) if dialect.is_template else addresses
    return Generation(plan=plan, files=() if problems else tuple(files), addresses=addresses, problems=tuple(problems))


def _require_right(roles: Sequence[MadeRole]) -> None:
    """Raise Unproved where a policy does not admit exactly whom the intent names; roles that are alike are looked at once."""
    known: set[RoleForm] = set()
    for role in roles:
        shape = role_form(role)
        if shape is not None and shape in known:
            continue
        policy = policy_meant(role)
        if policy.refused or not admits_its_pairs(role, policy):
            raise Unproved(f"the policy of {role.role} does not admit whom the intent means")
        known |= {shape} if shape is not None else set()


def _prove(roles: Sequence[MadeRole], writing: Writing, read: TextReader, judge: TextJudge) -> None:
    """Reads the texts back, compares what they say with the policies that are proved, and judges them as anybody's."""
    texts, alike = texts_to_read(roles, writing)
    read_back = read(texts)
    by_name = _by_name(read_back)
    wide: set[str] = set()
    for made in roles:
        if made.role in alike:
            continue
        address = writing.addresses.get(made.role, made.role)
        named = by_name.get(address, ())
        role = named[0] if len(named) == 1 else _role_of(read_back, address)
        source = role.policy
        if not isinstance(source, TrustPolicy) or source.flaws or not _says(source, made):
            raise Unproved(f"{address} does not admit whom the intent means")
        wide |= {role.id} if any(not pair.subject.name for pair in made.pairs) else set()
    for objection in judge(read_back):
        # that whole namespaces are admitted is what such an intent asks for, with its reason
        if not (objection.about_reach and objection.role in wide):
            raise Unproved(objection.says)


def _says(source: TrustPolicy, made: MadeRole) -> bool:
    """Whether a policy that was read is the one that is proved: the same document, else the same statements."""
    if source.document == made.policy:
        return True
    found = read_policy(source)
    return not found.refused and is_same_policy(found, policy_meant(made))


def _role_of(inventory: Inventory, address: str) -> Role:
    """A role that has its name from something else than its text."""
    try:
        return find_role(View(inventory), address).role
    except NoSuchRole as absent:
        raise Unproved(f"{address} is not found in what was written: {absent}") from None


def _by_name(inventory: Inventory) -> dict[str, list[Role]]:
    """Roles by all that `who-can` takes literally for their name, so that thousands are not searched for each of them."""
    by_name: dict[str, list[Role]] = {}
    for role in inventory.roles:
        for name in {role.arn, role.id, role.place.document, *names_of(role)}:
            by_name.setdefault(name, []).append(role)
    return by_name
