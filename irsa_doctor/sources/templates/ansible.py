"""Reads the roles and the service accounts that tasks of Ansible make.

https://docs.ansible.com/ansible/latest/collections/amazon/aws/iam_role_module.html and
https://docs.ansible.com/ansible/latest/collections/kubernetes/core/k8s_module.html
"""

from collections.abc import Iterator, Mapping, Sequence

from irsa_doctor.model import Place, Role, TrustPolicy, Unknown
from irsa_doctor.sources.documents.policies import bare_policy, read_policy_text
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.ansible_keys import DEFINITIONS, MODULES, OBJECT_MODULES, TASK_LISTS
from irsa_doctor.sources.templates.controllers.compositions import read_object_template
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.placeholders import with_holes
from irsa_doctor.text.yaml import read_yaml

_POLICY = "assume_role_policy_document"
_DEEP = 10
_FALSE = frozenset(("false", "no", "off"))


_Part = tuple[Mapping[str, object], Place]


def makes_roles(members: Mapping[str, object]) -> bool:
    """Whether a document is a task, a block or a play with a task that makes a role or a service account."""
    if members.keys().isdisjoint((*MODULES, *OBJECT_MODULES, *TASK_LISTS)):
        return False
    return any(next(parts(members, Place(""), 0), None) is not None for parts in (_tasks, _accounts))


def read_tasks(page: Page, reading: DocumentReading) -> None:
    """Read the roles and service accounts of a task, a block or a play."""
    members = shapes.mapping(page.value, page.place)
    for account, at in _accounts(members, page.place, 0):
        read_object_template(Page(account, at, page.duplicates), reading, lambda _, reading: reading.passed.append("an object"))
    for arguments, at in _tasks(members, page.place, 0):
        written, name = arguments[_POLICY], with_holes(shapes.as_text(arguments.get("name") or ""))
        policy = _policy(written, at.at(_POLICY), page, reading)
        path = arguments.get("path") or arguments.get("path_prefix") or "/"
        is_known = name != "" and isinstance(name, str) and isinstance(with_holes(str(path)), str)
        planned = f"{path}{name}".lstrip("/") if is_known else ""
        address = f"task {shapes.as_text(arguments.get('name') or 'without name')}"
        longest = shapes.number(arguments, "max_session_duration")
        reading.roles.append(Role("", address, "", policy, at, longest, "", address, planned))


def _tasks(members: Mapping[str, object], place: Place, depth: int) -> Iterator[_Part]:
    """The arguments of every task that makes a role, and where they stand."""
    for arguments, at in _arguments(members, MODULES, place, depth):
        if _POLICY in arguments:
            yield arguments, at


def _accounts(members: Mapping[str, object], place: Place, depth: int) -> Iterator[_Part]:
    """The service accounts that tasks apply, and where they stand."""
    for arguments, at in _arguments(members, OBJECT_MODULES, place, depth):
        waiting = [part for name in DEFINITIONS for part in _objects(arguments.get(name), at.at(name))]
        while waiting:
            value, of = waiting.pop(0)
            if isinstance(value, dict) and value.get("kind") == "ServiceAccount":
                yield _in_namespace(value, arguments.get("namespace")), of
            elif isinstance(value, dict) and value.get("kind") == "List":
                waiting += _objects(value.get("items"), of.at("items"))


def _in_namespace(account: Mapping[str, object], namespace: object) -> Mapping[str, object]:
    """A service account in the namespace of the task where it has none of its own."""
    metadata = account.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("namespace") or not namespace:
        return account
    return {**account, "metadata": {**metadata, "namespace": namespace}}


def _objects(written: object, at: Place) -> Iterator[tuple[object, Place]]:
    """The objects of a definition: one, a list of them, or a text of YAML that is one as it stands."""
    if isinstance(written, str):
        documents = [] if "{%" in written else read_yaml(written.encode())
        for document in [] if isinstance(documents, TextError) else documents:
            yield document.value, at
    elif isinstance(written, list):
        yield from ((item, at.at(number)) for number, item in enumerate(written))
    else:
        yield written, at


def _arguments(members: Mapping[str, object], modules: Sequence[str], place: Place, depth: int) -> Iterator[_Part]:
    """The arguments of every task of some modules that may run and removes nothing, and where they stand."""
    if _never_runs(members.get("when")):
        return
    for module in modules:
        arguments = members.get(module)
        if isinstance(arguments, dict) and arguments.get("state") != "absent":
            yield arguments, place.at(module)
    for name in TASK_LISTS if depth < _DEEP else ():
        inner = members.get(name)
        for number, item in enumerate(inner if isinstance(inner, list) else ()):
            if isinstance(item, dict):
                yield from _arguments(item, modules, place.at(name, number), depth + 1)


def _never_runs(condition: object) -> bool:
    """Whether a condition of a task or a block, or one of several, is false as it stands. Ansible reads YAML 1.1, with `no`
    (https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_conditionals.html)."""
    if isinstance(condition, list):
        return any(map(_never_runs, condition))
    return condition is False or (isinstance(condition, str) and condition.strip().lower() in _FALSE)


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
