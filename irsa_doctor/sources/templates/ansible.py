"""Reads the roles that tasks of Ansible make.

https://docs.ansible.com/ansible/latest/collections/amazon/aws/iam_role_module.html
"""

from collections.abc import Iterator, Mapping

from irsa_doctor.model import Place, Role, TrustPolicy, Unknown
from irsa_doctor.sources.documents.policies import bare_policy, read_policy_text
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.ansible_keys import MODULES, TASK_LISTS
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes

_POLICY = "assume_role_policy_document"
_DEEP = 10


def makes_roles(members: Mapping[str, object]) -> bool:
    """Whether a document is a task, a block or a play with a task that makes a role."""
    return not members.keys().isdisjoint((*MODULES, *TASK_LISTS)) and next(_tasks(members, Place(""), 0), None) is not None


def read_tasks(page: Page, reading: DocumentReading) -> None:
    """Read the roles of a task, a block or a play."""
    for arguments, at in _tasks(shapes.mapping(page.value, page.place), page.place, 0):
        written, name = arguments[_POLICY], with_holes(shapes.as_text(arguments.get("name") or ""))
        policy = _policy(written, at.at(_POLICY), page, reading)
        path = arguments.get("path") or arguments.get("path_prefix") or "/"
        is_known = name != "" and isinstance(name, str) and isinstance(with_holes(str(path)), str)
        planned = f"{path}{name}".lstrip("/") if is_known else ""
        address = f"task {shapes.as_text(arguments.get('name') or 'without name')}"
        longest = shapes.number(arguments, "max_session_duration")
        reading.roles.append(Role("", address, "", policy, at, longest, "", address, planned))


def _tasks(members: Mapping[str, object], place: Place, depth: int) -> Iterator[tuple[Mapping[str, object], Place]]:
    """The arguments of every task that makes a role, and where they stand."""
    for module in MODULES:
        arguments = members.get(module)
        if isinstance(arguments, dict) and _POLICY in arguments and arguments.get("state") != "absent":
            yield arguments, place.at(module)
    for name in TASK_LISTS if depth < _DEEP else ():
        inner = members.get(name)
        for number, item in enumerate(inner if isinstance(inner, list) else ()):
            if isinstance(item, dict):
                yield from _tasks(item, place.at(name, number), depth + 1)


def _policy(written: object, at: Place, page: Page, reading: DocumentReading) -> TrustPolicy | Unknown:
    """A policy as an object or as text; what a lookup or a statement of Jinja makes of it is not known."""
    if isinstance(written, dict):
        return bare_policy(written, at, page.duplicates)
    begins = written.lstrip()[:2] if isinstance(written, str) and "{%" not in written else ""
    if isinstance(written, str) and begins.startswith("{") and begins != "{{":
        policy = read_policy_text(written, at, template=True)
        if policy.flaws:
            reading.apart.append(policy.place)
        return policy
    return Unknown("trust policies that Ansible looks up when a task runs", "run aws iam get-role with the names of the roles")
