"""The parts of trust policies that well-known modules of the Terraform registry write."""

from collections.abc import Mapping, Sequence

from irsa_doctor.model import Text
from irsa_doctor.sources.templates.terraform.module_calls import ModuleCall
from irsa_doctor.sources.templates.values import TemplateValue, hole

STS_AUDIENCE = TemplateValue((TemplateValue("sts.amazonaws.com"),))


def _block(members: Mapping[object, TemplateValue], like: TemplateValue) -> TemplateValue:
    """A block that is written, as far as anybody can point at it, where one of its values is."""
    return TemplateValue(members, like.anchor, like.document)


def condition_made(test: str | Text, key: str | Text, values: TemplateValue) -> TemplateValue:
    """The block of a condition, written where its values are."""
    return _block({"test": TemplateValue(test), "variable": TemplateValue(key), "values": values}, values)


def statement_made(principal: TemplateValue, conditions: Sequence[TemplateValue], *, may_tag: bool = False) -> TemplateValue:
    """The block of a statement for tokens of a provider, written where that is; `may_tag`: sessions may be tagged."""
    actions = ["sts:AssumeRoleWithWebIdentity", *(["sts:TagSession"] if may_tag else [])]
    federated = _block({"type": TemplateValue("Federated"), "identifiers": TemplateValue((principal,))}, principal)
    members: dict[object, TemplateValue] = {
        "actions": TemplateValue(tuple(map(TemplateValue, actions))),
        "principals": TemplateValue((federated,)),
        "condition": TemplateValue(tuple(conditions)),
    }
    return _block(members, principal)


def items_given(written: TemplateValue | None) -> tuple[TemplateValue, ...] | None:
    """The items of an input, none where it is not given, None where they are not known."""
    if written is None or written.value is None:
        return ()
    return written.value if isinstance(written.value, tuple) else None


def input_unknown(module: ModuleCall, value: TemplateValue | None, name: str) -> TemplateValue:
    """What stands for an input of a call that is not known."""
    anchor, document = (value.anchor, value.document) if value else (None, "")
    return TemplateValue(hole(f"{module.address}.{name}"), anchor, document)
