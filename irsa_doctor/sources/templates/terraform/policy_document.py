"""The policy that Terraform's `aws_iam_policy_document` makes of its blocks.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

from collections.abc import Mapping, Sequence

import msgspec

from irsa_doctor.model import Hole, Text, only_hole
from irsa_doctor.sources.templates.values import TemplateValue, hole, known, written_json

_LISTS = (("actions", "Action"), ("not_actions", "NotAction"), ("resources", "Resource"), ("not_resources", "NotResource"))
ValueMembers = Mapping[object, TemplateValue]


def document_of(config: TemplateValue, name: str) -> TemplateValue:
    """The document of a data source's arguments; `name` is its address, for parts of it that are not known."""
    members = members_of(config)
    statements: list[TemplateValue] = []
    for number, block in enumerate(blocks_of(members.get("statement"))):
        statements.append(_statement(block, f"{name}.statement[{number}]"))
    for merged in ("source_policy_documents", "source_json"):
        if has_value(members.get(merged)):
            statements = _united(statements, _merged(members[merged], f"{name}.{merged}"), is_over=False)
    for merged in ("override_json", "override_policy_documents"):
        if has_value(members.get(merged)):
            statements = _united(statements, _merged(members[merged], f"{name}.{merged}"), is_over=True)
    version = members.get("version")
    made: dict[object, TemplateValue] = {"Version": version if has_value(version) and version else TemplateValue("2012-10-17")}
    if has_value(policy_id := members.get("policy_id")) and policy_id:
        made["Id"] = policy_id
    made["Statement"] = TemplateValue(tuple(statements), None, config.document)
    return TemplateValue(made, config.anchor, config.document)


def _united(statements: list[TemplateValue], others: list[TemplateValue], *, is_over: bool) -> list[TemplateValue]:
    """The statements of a document and of another one: of two with one Sid that of the later document is left.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
    """
    sids = {sid for statement in statements if (sid := _sid(statement))}
    if not is_over:
        return [*statements, *(other for other in others if _sid(other) not in sids)]
    replaced = {sid: other for other in others if (sid := _sid(other)) in sids}
    kept = [replaced.get(_sid(statement), statement) for statement in statements]
    return [*kept, *(other for other in others if _sid(other) not in sids)]


def _sid(statement: TemplateValue) -> str:
    return known(sid.value) if (sid := members_of(statement).get("Sid")) is not None else ""


def _merged(written: TemplateValue, name: str) -> list[TemplateValue]:
    """The statements of documents that are merged in; what is not known may be any number of them."""
    items = written.value if isinstance(written.value, tuple) else (written,)
    merged: list[TemplateValue] = []
    for item in items:
        inner = _decoded(item)
        statements = members_of(inner).get("Statement") if inner else None
        if statements is None:
            merged.append(TemplateValue(hole(name), item.anchor, item.document))
        else:
            merged += statements.value if isinstance(statements.value, tuple) else [statements]
    return merged


def _decoded(item: TemplateValue) -> TemplateValue | None:
    """A document that is merged in: made by an expression, or written as JSON in a text or a file."""
    if item.made is not None or not isinstance(item.value, str | Text) or only_hole(item.value):
        return item.made
    return written_json(item.value)


def has_value(written: TemplateValue | None) -> bool:
    """Whether an argument is there, and not null, empty or an empty list."""
    return written is not None and written.value not in (None, "", (), [])


def members_of(written: TemplateValue | None) -> ValueMembers:
    """The members of an object; none of anything else."""
    return written.value if written is not None and isinstance(written.value, Mapping) else {}


def blocks_of(written: TemplateValue | None) -> Sequence[TemplateValue]:
    """The blocks of a kind: a list of them, or one; none where there is nothing."""
    if written is None or not has_value(written):
        return ()
    return written.value if isinstance(written.value, tuple) else (written,)


def _statement(block: TemplateValue, name: str) -> TemplateValue:
    if not isinstance(block.value, Mapping):
        return TemplateValue(_unknown(block, name), block.anchor, block.document)
    members = members_of(block)
    made: dict[object, TemplateValue] = {}
    if (sid := members.get("sid")) is not None and has_value(sid):
        made["Sid"] = sid
    effect = members.get("effect")
    made["Effect"] = (
        effect if effect is not None and has_value(effect) else TemplateValue("Allow", block.anchor, block.document)
    )
    for argument, element in _LISTS:
        if (listed := members.get(argument)) is not None and has_value(listed):
            # what nobody knows may be null, and then the element is not there
            named = hole(f"{name}.{argument}") if only_hole(listed.value) and argument != "actions" else element
            made[named] = _single_or_list(listed)
    for argument, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        if blocks := blocks_of(members.get(argument)):
            made[element] = _principals(blocks, f"{name}.{argument}")
    if blocks := blocks_of(members.get("condition")):
        made["Condition"] = _conditions(blocks, f"{name}.condition")
    return TemplateValue(made, block.anchor, block.document)


def _unknown(block: TemplateValue, name: str) -> Text:
    return block.value if isinstance(block.value, Text) else hole(name)


def _single_or_list(listed: TemplateValue) -> TemplateValue:
    if not isinstance(listed.value, tuple):
        return _with_variables(listed)
    items = tuple(map(_with_variables, listed.value))
    return items[0] if len(items) == 1 else TemplateValue(items, listed.anchor, listed.document)


def _with_variables(written: TemplateValue) -> TemplateValue:
    """`&{...}` is how the data source writes the variables of IAM, because `${...}` is Terraform's own."""
    value = written.value
    if isinstance(value, str) and "&{" in value:
        value = value.replace("&{", "${")
    elif isinstance(value, Text):
        value = Text(tuple(part if isinstance(part, Hole) else part.replace("&{", "${") for part in value.parts))
    return written if value is written.value else TemplateValue(value, written.anchor, written.document)


def _name_of(written: TemplateValue | None, otherwise: str) -> str | Text:
    value = written.value if written else None
    return value if isinstance(value, str | Text) else hole(otherwise)


def _principals(blocks: Sequence[TemplateValue], name: str) -> TemplateValue:
    made: dict[object, TemplateValue] = {}
    for number, block in enumerate(blocks):
        block_name = f"{name}[{number}]"
        members = members_of(block)
        if not isinstance(block.value, Mapping):
            made[_unknown(block, block_name)] = TemplateValue(hole(block_name), block.anchor, block.document)
            continue
        kind = _name_of(members.get("type"), f"{block_name}.type")
        listed = members.get("identifiers") or TemplateValue(hole(f"{block_name}.identifiers"), block.anchor, block.document)
        if kind == "*" and len(blocks) == 1 and [known(item.value) for item in blocks_of(listed)] == ["*"]:
            return TemplateValue("*", block.anchor, block.document)
        _add(made, kind, listed)
    first = blocks[0]
    return TemplateValue({kind: _single_or_list(listed) for kind, listed in made.items()}, first.anchor, first.document)


def _conditions(blocks: Sequence[TemplateValue], name: str) -> TemplateValue:
    made: dict[object, dict[object, TemplateValue]] = {}
    anchors: dict[object, TemplateValue] = {}
    for number, block in enumerate(blocks):
        block_name = f"{name}[{number}]"
        members = members_of(block)
        if not isinstance(block.value, Mapping):
            unseen = _unknown(block, block_name)
            made[unseen] = {unseen: TemplateValue(hole(block_name), block.anchor, block.document)}
            anchors[unseen] = block
            continue
        test = members.get("test")
        operator = _name_of(test, f"{block_name}.test")
        variable = members.get("variable")
        key = _with_variables(TemplateValue(_name_of(variable, f"{block_name}.variable"))).value
        listed = members.get("values") or TemplateValue(hole(f"{block_name}.values"), block.anchor, block.document)
        _add(made.setdefault(operator, {}), key, _keyed(_single_or_list(listed), variable))
        anchors.setdefault(operator, _keyed(block, test))
    first = blocks[0]
    by_operator: dict[object, TemplateValue] = {
        operator: TemplateValue(
            {key: _single_or_list(listed) for key, listed in keys.items()}, anchors[operator].anchor, first.document
        )
        for operator, keys in made.items()
    }
    return TemplateValue(by_operator, first.anchor, first.document)


def _keyed(written: TemplateValue, name: TemplateValue | None) -> TemplateValue:
    """A value whose name is written where an argument is."""
    anchor, named = written.anchor, name.anchor if name else None
    if name is None or anchor is None or named is None or written.document != name.document:
        return written
    if anchor.pointer is not None or named.pointer is not None:
        return written
    return msgspec.structs.replace(written, anchor=msgspec.structs.replace(anchor, name=named.start, name_end=named.end))


def _add(made: dict[object, TemplateValue], name: object, listed: TemplateValue) -> None:
    """Several blocks of one name are one list."""
    before = made.get(name)
    if before is None:
        made[name] = listed
        return
    items = [item for values in (before, listed) for item in (values.value if isinstance(values.value, tuple) else (values,))]
    made[name] = TemplateValue(tuple(items), before.anchor, before.document)
