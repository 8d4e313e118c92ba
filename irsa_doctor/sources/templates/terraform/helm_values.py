"""The values that a Helm release of a Terraform configuration sets, merged as Helm merges them.

https://registry.terraform.io/providers/hashicorp/helm/latest/docs/resources/release
"""

import re
from collections.abc import Mapping

from irsa_doctor.sources.templates.terraform.policy_document import blocks_of, members_of
from irsa_doctor.sources.templates.values import TemplateValue, known, written_yaml

# a full stop that is part of a name has a backslash before it (https://helm.sh/docs/intro/using_helm/)
_STEP = re.compile(r"(?:[^.\\]|\\.)+")
_DEEP = 16


def release_values(config: TemplateValue) -> TemplateValue:
    """Return the values of a release: the YAML texts of `values`, then what `set` sets; as far as they are known."""
    members = members_of(config)
    values = TemplateValue({}, config.anchor, config.document)
    for text in blocks_of(members.get("values")):
        for document in written_yaml(text):
            values = _merged(values, document, 0)
    for argument in ("set", "set_sensitive"):
        for entry in blocks_of(members.get(argument)):
            inner = members_of(entry)
            name, value = inner.get("name"), inner.get("value")
            steps = [re.sub(r"\\(.)", r"\1", step) for step in _STEP.findall(known(name.value))] if name else []
            if steps and value and len(steps) < _DEEP:
                values = _merged(values, _nested(steps, value), 0)
    return values


def _nested(steps: list[str], value: TemplateValue) -> TemplateValue:
    for step in reversed(steps):
        value = TemplateValue({step: value}, value.anchor, value.document)
    return value


def _merged(base: TemplateValue, other: TemplateValue, depth: int) -> TemplateValue:
    """Objects are merged member by member; anything else replaces what was there."""
    if not isinstance(base.value, Mapping) or not isinstance(other.value, Mapping) or depth > _DEEP:
        return other
    members = dict(base.value)
    for name, item in other.value.items():
        members[name] = _merged(members[name], item, depth + 1) if name in members else item
    return TemplateValue(members, other.anchor or base.anchor, other.document or base.document)
