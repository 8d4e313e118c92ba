"""Edits that make a document valid for IAM, where what was meant is certain."""

from collections.abc import Callable, Mapping
from typing import Any

from irsa_doctor.remedies.draft import CannotEdit, Draft, PolicyDocument, read
from irsa_doctor.trust.operators import OPERATORS, parse_operator
from irsa_doctor.trust.policy import WEB_IDENTITY
from irsa_doctor.trust.refusals import Problem, action_spelling

_ELEMENTS = ("Sid", "Effect", "Principal", "Action", "NotAction", "Condition")
_CURRENT = "2012-10-17"


def without_refusals(document: PolicyDocument) -> PolicyDocument:
    """The document with those problems mended that have one certain remedy; the others stay."""
    draft = Draft(document)
    for problem in read(document).problems:
        mend = _MENDS.get(problem.code) if problem.refused else None
        if mend:
            try:
                mend(draft, problem)
            except CannotEdit:
                continue
    return draft.document


def _parent(draft: Draft, problem: Problem) -> tuple[dict[str, Any], str]:
    """The object that holds the place of a problem, and the member in it."""
    value: Any = draft.document
    for step in problem.steps[:-1]:
        value = value[step]
    return value, str(problem.steps[-1])


def _sid(draft: Draft, problem: Problem) -> None:
    """A Sid that another statement has gets a number."""
    members, name = _parent(draft, problem)
    members[name] = draft.free_sid(str(members[name]))


def _version(draft: Draft, problem: Problem) -> None:
    if "${" in str(draft.document):
        raise CannotEdit("whether its variables count depends on the version")
    draft.document["Version"] = _CURRENT


def _effect(draft: Draft, problem: Problem) -> None:
    members, name = _parent(draft, problem)
    right = {"allow": "Allow", "deny": "Deny"}.get(str(members.get(name)).strip().lower())
    if right is None:
        raise CannotEdit("neither Allow nor Deny")
    members[name] = right


def _operator(draft: Draft, problem: Problem) -> None:
    """Names of operators have case (C14). Where the right one is there too, what stands under the wrong one moves into it."""
    members, name = _parent(draft, problem)
    known = {other.lower(): other for other in _spellings()}
    right = known.get(name.lower())
    if right is None or parse_operator(right) is None:
        raise CannotEdit("no operator is spelled like it")
    if right not in members:
        _rename(members, name, right)
        return
    if {key.lower() for key in members[name]}.intersection(key.lower() for key in members[right]):
        raise CannotEdit(f"{right} has the same keys")
    index = problem.steps[1] if isinstance(problem.steps[1], int) else 0
    for key in list(members[name]):
        draft.replace_operator(index, name, key, right)


def _spellings() -> list[str]:
    plain = [*OPERATORS, *(f"{name}IfExists" for name in OPERATORS if name != "Null")]
    return [*plain, *(f"{qualifier}:{name}" for qualifier in ("ForAllValues", "ForAnyValue") for name in plain)]


def _element(draft: Draft, problem: Problem) -> None:
    """Names of elements have case."""
    members, name = _parent(draft, problem)
    right = next((element for element in _ELEMENTS if element.lower() == name.lower()), None)
    if right is None or right in members or len(problem.steps) < 2:
        raise CannotEdit("no element is spelled like it")
    _rename(members, name, right)


def _resource(draft: Draft, problem: Problem) -> None:
    """The resource of a trust policy is its role."""
    members, name = _parent(draft, problem)
    del members[name]


def _action(draft: Draft, problem: Problem) -> None:
    """An action in a spelling that IAM refuses becomes the one of web identities, where the statement is for nobody else."""
    members, name = _parent(draft, problem)
    principal = members.get("Principal")
    if not isinstance(principal, dict) or set(principal) != {"Federated"}:
        raise CannotEdit("what others are to do is not known")
    listed = members[name] if isinstance(members[name], list) else [members[name]]
    written = [WEB_IDENTITY if action_spelling(str(action)) == "refused" else action for action in listed]
    actions = list(dict.fromkeys(written))
    members[name] = actions if isinstance(members[name], list) else actions[0]


def _rename(members: dict[str, Any], old: str, new: str) -> None:
    renamed = {(new if name == old else name): value for name, value in members.items()}
    members.clear()
    members.update(renamed)


_MENDS: Mapping[str, Callable[[Draft, Problem], None]] = {
    "duplicate-sid": _sid,
    "bad-version": _version,
    "bad-effect": _effect,
    "bad-operator": _operator,
    "unknown-element": _element,
    "prohibited-resource": _resource,
    "action-spelling": _action,
}
"""the edit for each refusal whose remedy is certain"""
