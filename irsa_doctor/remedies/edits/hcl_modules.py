"""Edits of calls of well-known modules, which write the trust policy of a role by their arguments.

https://registry.terraform.io/modules/terraform-aws-modules/iam/aws
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from irsa_doctor.remedies.edits.hcl_collections import CollectionWriter, HclLayout, collection_of
from irsa_doctor.remedies.edits.hcl_documents import texts_listed
from irsa_doctor.remedies.edits.hcl_names import HclValue
from irsa_doctor.remedies.edits.hcl_values import text_edits
from irsa_doctor.remedies.edits.records import CannotWrite, Edit
from irsa_doctor.text.hcl_tree import arguments_of, significant

_PREFIX = "system:serviceaccount:"
_PROVIDERS, _ACCOUNTS = ("oidc_providers", "cluster_service_accounts"), ("namespace_service_accounts",)
_LISTS = ("irsa_namespace_service_accounts", "service_account_namespace_name_list")
"""arguments with service accounts of a single provider"""
_TESTS = ("assume_role_condition_test", "trust_condition_test")
_SUBJECTS = {
    "StringEquals": ("oidc_fully_qualified_subjects", "oidc_subjects"),
    "StringLike": ("oidc_subjects_with_wildcards", "oidc_wildcard_subjects", "subjects"),
}
_OF_GITHUB = "repo:"
"""what the modules write before the subjects of GitHub where the caller does not"""
_AUDIENCES = ("oidc_fully_qualified_audiences", "oidc_audiences")


def module_edits(value: HclValue, layout: HclLayout, before: Any, after: Any) -> list[Edit]:
    """The edits of the arguments of a call. Raises CannotWrite for what the module writes by itself."""
    old, new = (texts_listed(document.get("Statement")) for document in (before, after))
    if len(old) != len(new):
        raise _own_words()
    edits: list[Edit] = []
    for number, (one, other) in enumerate(zip(old, new, strict=True)):
        rest = [{name: item for name, item in statement.items() if name != "Condition"} for statement in (one, other)]
        if rest[0] != rest[1]:
            raise _own_words()
        edits += _conditions(_Call(value, layout), number, one.get("Condition") or {}, other.get("Condition") or {})
    return list(dict.fromkeys(edits))


def _own_words() -> CannotWrite:
    return CannotWrite("outside", "the module writes this part of the policy by itself", "use another version or module")


class _Call(msgspec.Struct, frozen=True):
    """A call of a module, and how new values are written in it."""

    value: HclValue
    layout: HclLayout


def _conditions(call: _Call, number: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Edit]:
    if before == after:
        return
    arguments = arguments_of(call.value.node)
    if moved := _moved(call, before, after):
        yield from moved
        return
    operators = (list(before), list(after))
    if operators[0] != operators[1]:
        name = next((name for name in _TESTS if name in arguments), None)
        if name is None or any(len(listed) != 1 for listed in operators):
            raise _own_words()
        yield from text_edits(call.value.at(arguments[name]), operators[0][0], operators[1][0], call.layout.near)
    for (operator, keys), new in zip(before.items(), after.values(), strict=True):
        if list(keys) != list(new):
            raise _own_words()
        for key in keys:
            if keys[key] != new[key]:
                yield from _values(call, number, operator, key, (texts_listed(keys[key]), texts_listed(new[key])))


def _moved(call: _Call, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Edit]:
    """The edits where the subjects are compared in another way and all else stays: the argument with these has another name."""
    rows = [
        {(operator, key): values for operator, keys in each.items() for key, values in keys.items()} for each in (before, after)
    ]
    gone, come = ([row for row in one if row not in other] for one, other in (rows, rows[::-1]))
    if len(gone) != 1 or len(come) != 1 or gone[0][1] != come[0][1] or not gone[0][1].endswith(":sub"):
        return []
    arguments, pairs = arguments_of(call.value.node), zip(*(_SUBJECTS.get(row[0][0], ()) for row in (gone, come)), strict=False)
    names = next((pair for pair in pairs if pair[0] in arguments and pair[1] not in arguments), None)
    if names is None or any(rows[0][row] != rows[1][row] for row in rows[0].keys() & rows[1].keys()):
        return []
    written = call.value.at(arguments[names[0]])
    start, sign = written.node.prev_named_sibling.start_byte, written.node.prev_sibling.start_byte
    renamed = written.text.edit(start, sign, f"{names[1]:<{sign - start - 1}} ")
    listed = [texts_listed(values) for values in (rows[0][gone[0]], rows[1][come[0]])]
    return [renamed, *CollectionWriter(call.layout).edits(written, *_as_called(written, *listed))]


def _values(call: _Call, number: int, operator: str, key: str, both: tuple[list[Any], list[Any]]) -> list[Edit]:
    """The edits of the values of one key."""
    arguments, before, after = arguments_of(call.value.node), *both
    writer = CollectionWriter(call.layout)
    if key.endswith(":sub") and (accounts := _accounts(call.value, number)):
        if not all(subject.startswith(_PREFIX) for subject in (*before, *after)):
            raise _own_words()
        return writer.edits(accounts, *([subject.removeprefix(_PREFIX) for subject in listed] for listed in both))
    names = _SUBJECTS.get(operator, ()) if key.endswith(":sub") else _AUDIENCES
    name = next((name for name in names if name in arguments), None)
    if name is None:
        raise _own_words()
    written = call.value.at(arguments[name])
    return writer.edits(written, *_as_called(written, before, after))


def _as_called(written: HclValue, before: list[Any], after: list[Any]) -> tuple[list[Any], list[Any]]:
    """Two lists of subjects as the caller has the first of them: those of GitHub perhaps without their beginning."""
    items = [item for item in before if isinstance(item, str) and item.startswith(_OF_GITHUB)]
    if not items:
        return before, after
    owner = collection_of(written)
    called = {owner.at(child).known() for child in significant(owner.node) if child.type == "expression"}
    short = {item: item.removeprefix(_OF_GITHUB) for item in items if item.removeprefix(_OF_GITHUB) in called}
    if len(short) == len(set(items)):
        short |= {item: item.removeprefix(_OF_GITHUB) for item in after if isinstance(item, str)}
    return [short.get(item, item) for item in before], [short.get(item, item) for item in after]


def _accounts(value: HclValue, number: int) -> HclValue | None:
    """The service accounts of one provider."""
    arguments = arguments_of(value.node)
    if single := next((name for name in _LISTS if name in arguments), None):
        return value.at(arguments[single])
    name = next((name for name in _PROVIDERS if name in arguments), None)
    if name is None:
        return None
    providers = collection_of(value.at(arguments[name]))
    members = [child for child in significant(providers.node) if child.type == "object_elem"]
    if number >= len(members):
        return None
    provider = collection_of(providers.at(significant(members[number])[-1]))
    return provider if provider.node.type == "tuple" else _member(provider)


def _member(provider: HclValue) -> HclValue | None:
    for member in significant(provider.node):
        parts = significant(member) if member.type == "object_elem" else ()
        if parts and provider.at(parts[0]).source.strip('"') in _ACCOUNTS:
            return provider.at(parts[-1])
    return None
