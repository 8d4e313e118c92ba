"""A way to close paths through Kubernetes: bindings lose the subjects on which the paths rest."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from irsa_doctor.model.edits import EditKind
from irsa_doctor.remedies.commands import patch_binding
from irsa_doctor.remedies.edits.records import Wish
from irsa_doctor.remedies.proposals.records import FixCase, Proposal, Unfixable

if TYPE_CHECKING:
    from irsa_doctor.facts.reach.closing import SubjectRemoval


def _subject_removed(case: FixCase) -> Iterator[Proposal]:
    """The fewest subjects are removed from bindings, so that nobody of the finding reaches a role any more."""
    from irsa_doctor.facts.reach.closing import NotClosed, closing_of
    from irsa_doctor.facts.reach.listing import Reachability

    try:
        closed = closing_of(Reachability(case.view), case.judged)
    except NotClosed as error:
        raise Unfixable("no-remedy", str(error)) from None
    yield Proposal(
        wishes=tuple(map(_wish, closed.removals)),
        safety="unsafe",
        because="; ".join(closed.rights),
        commands=tuple(filter(None, map(_command, closed.removals))),
    )


def _wish(removal: "SubjectRemoval") -> Wish:
    return Wish(removal.binding.place.at("subjects"), None, None, transform=partial(_without, removal))


def _without(removal: "SubjectRemoval", subjects: Any) -> Any:
    """The subjects of a binding without one."""
    listed = subjects if isinstance(subjects, list) else []
    return [item for item in listed if not _is_subject(removal, item)]


def _is_subject(removal: "SubjectRemoval", item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    subject = removal.subject
    space = item.get("namespace") or removal.binding.namespace if subject.kind == "ServiceAccount" else ""
    return (item.get("kind"), item.get("name"), space) == (subject.kind, subject.name, subject.namespace)


def _command(removal: "SubjectRemoval") -> str:
    binding, subject = removal.binding, removal.subject
    value = {"kind": subject.kind, "name": subject.name}
    if subject.namespace:
        value["namespace"] = subject.namespace
    number = binding.subjects.index(subject)
    # the API server refuses the patch where another subject has come to that place meanwhile
    patch = [
        {"op": "test", "path": f"/subjects/{number}/name", "value": subject.name},
        {"op": "test", "path": f"/subjects/{number}/kind", "value": subject.kind},
        {"op": "remove", "path": f"/subjects/{number}"},
    ]
    return patch_binding(binding.kind, binding.namespace, binding.name, json.dumps(patch))


ACCESS_WAYS: Mapping[EditKind, Callable[[FixCase], Iterator[Proposal]]] = {"subject-removed": _subject_removed}
"""the ways to close paths through Kubernetes, by name"""
