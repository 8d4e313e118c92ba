"""Reads the graphs of kro again for each of their instances in the input, with the values of the instance.

https://kro.run/docs/concepts/simple-schema and https://kro.run/docs/concepts/instances
"""

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.reading import DocumentReading, Page, guarded
from irsa_doctor.sources.templates.controllers.compositions import read_graph
from irsa_doctor.text import shapes

_FIELD = regex(r"\$\{\s*schema\.((?:spec|metadata)\.[\w.]+)\s*\}")
# `default=` in the quotes of another marker, as a description, is none
_DEFAULT = regex(r"""[^|]*\|(?:[^"']|"[^"]*"|'[^']*')*?\bdefault=(?:"([^"]*)"|'([^']*)'|([^\s"'|]+))""")
_GROUP = "kro.run"
_DEEP = 20


def read_instances(readings: Sequence[DocumentReading]) -> None:
    """Read what each instance of a graph makes; it stands where the template of the graph is written."""
    instances: dict[tuple[str, str], list[Page]] = {}
    for instance in [page for reading in readings for page in reading.instances]:
        instances.setdefault(_names(instance.value), []).append(instance)
    for reading in readings if instances else ():
        for graph in reading.graphs:
            members = shapes.mapping(graph.page.value, graph.page.place)
            spec = shapes.inner(members, "spec", graph.page.place)
            schema = shapes.inner(spec, "schema", graph.page.place)
            for instance in instances.get((str(schema.get("group") or _GROUP), str(schema.get("kind"))), ()):
                values = {**_defaults(schema.get("spec")), **_written(instance.value)}
                made = {**members, "spec": {**spec, "resources": _included(_filled(spec.get("resources"), values, 0))}}
                page = msgspec.structs.replace(graph.page, value=made)
                guarded((reading,), partial(read_graph, page, reading, graph.read))


def _included(resources: object) -> object:
    """The resources without those of which a condition does not hold (https://kro.run/docs/concepts/rgd/resource-definitions/conditional-creation)."""
    if not isinstance(resources, list):
        return resources
    return [item for item in resources if not (isinstance(item, dict) and _is_left_out(item.get("includeWhen")))]


def _is_left_out(conditions: object) -> bool:
    return isinstance(conditions, list) and any(item is False or item == "false" for item in conditions)


def _names(value: object) -> tuple[str, str]:
    """The group and the kind of an object."""
    members = value if isinstance(value, dict) else {}
    return str(members.get("apiVersion")).partition("/")[0], str(members.get("kind"))


def _written(value: object) -> Mapping[str, object]:
    """The fields that an instance has, by their paths."""
    members = value if isinstance(value, dict) else {}
    return {**_flat(members.get("spec"), "spec", 0), **_flat(members.get("metadata"), "metadata", 0)}


def _defaults(schema: object) -> Mapping[str, object]:
    """The fields that have a default, by their paths: `string | default="x"`."""
    declared = {path: _DEFAULT.match(item) for path, item in _flat(schema, "spec", 0).items() if isinstance(item, str)}
    return {path: next((part for part in found.groups() if part), "") for path, found in declared.items() if found}


def _flat(value: object, path: str, depth: int) -> dict[str, object]:
    flat: dict[str, object] = {path: value}
    if isinstance(value, dict) and depth < _DEEP:
        for name, item in value.items():
            flat |= _flat(item, f"{path}.{name}", depth + 1)
    return flat


def _filled(value: object, values: Mapping[str, object], depth: int) -> object:
    """Templates with the fields of an instance in them; what else an expression says stays as it is."""
    if depth > _DEEP * 2:
        return value
    if isinstance(value, list):
        return [_filled(item, values, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_filled(name, values, depth + 1): _filled(item, values, depth + 1) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    if (whole := _FIELD.fullmatch(value)) and whole[1] in values:
        return values[whole[1]]
    return _FIELD.sub(lambda match: _text(match[0], values.get(match[1])), value)


def _text(written: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else written
