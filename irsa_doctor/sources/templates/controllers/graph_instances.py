"""Reads the graphs of kro again for each of their instances in the input, with the values of the instance.

https://kro.run/docs/concepts/simple-schema and https://kro.run/docs/concepts/instances
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import takewhile

import msgspec

from irsa_doctor.model import Place
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.reading import DocumentReading, Page, ResourceGraph, guarded
from irsa_doctor.sources.templates.controllers.compositions import read_graph
from irsa_doctor.text.encoding import settle
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.yaml import read_yaml

_FIELD = regex(r"\$\{\s*schema\.((?:spec|metadata)\.[\w.]+)\s*\}")
# `default=` in the quotes of another marker, as a description, is none
_DEFAULT = regex(r"""[^|]*\|(?:[^"']|"[^"]*"|'[^']*')*?\bdefault=(?:"([^"]*)"|'([^']*)'|([^\s"'|]+))""")
_GROUP = "kro.run"
_DEEP = 20


def read_instances(readings: Sequence[DocumentReading], texts: Mapping[str, bytes]) -> None:
    """Read what each instance of a graph makes; it stands where the template of the graph is written. `texts` are those of all
    documents, by path: an instance of a graph with a group of its own is an object like any other until the graph is read."""
    own = _own_groups(readings)
    for reading in readings if own else ():
        reading.instances += _of_own_groups(reading, own, texts)
    instances: dict[tuple[str, str], list[Page]] = {}
    for instance in [page for reading in readings for page in reading.instances]:
        instances.setdefault(_names(instance.value), []).append(instance)
    paths: dict[tuple[str, str], set[str]] = {}
    for reading in readings:
        for graph in reading.graphs:
            paths.setdefault(_instance_names(_parts(graph)[2]), set()).add(reading.path)
    for reading in readings if instances else ():
        for graph in reading.graphs:
            members, spec, schema = _parts(graph)
            names = _instance_names(schema)
            for instance in instances.get(names, ()):
                if _shared(instance, reading.path) < max(_shared(instance, path) for path in paths[names]):
                    continue
                values = {**_defaults(schema.get("spec")), **_written(instance.value)}
                made = {**members, "spec": {**spec, "resources": _included(_filled(spec.get("resources"), values, 0))}}
                page = msgspec.structs.replace(graph.page, value=made)
                guarded((reading,), partial(read_graph, page, reading, graph.read))


def _shared(instance: Page, path: str) -> int:
    """How many folders an instance and a document share: a cluster has one graph of a kind, so that of several the nearest is
    the graph of an instance."""
    folders = zip(instance.place.document.split("/")[:-1], path.split("/")[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], folders))


def _parts(graph: ResourceGraph) -> tuple[Mapping[str, object], Mapping[str, object], Mapping[str, object]]:
    """The members of a graph, those of its `spec`, and its schema."""
    members = _mapping(graph.page.value)
    spec = _mapping(members.get("spec"))
    return members, spec, _mapping(spec.get("schema"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _instance_names(schema: Mapping[str, object]) -> tuple[str, str]:
    """The group and the kind of the instances of a schema."""
    return str(schema.get("group") or _GROUP), str(schema.get("kind"))


def _own_groups(readings: Sequence[DocumentReading]) -> frozenset[tuple[str, str]]:
    """The groups and kinds of instances that are not those of kro."""
    named = {_instance_names(_parts(graph)[2]) for reading in readings for graph in reading.graphs}
    return frozenset((group, kind) for group, kind in named if group != _GROUP)


def _of_own_groups(reading: DocumentReading, named: frozenset[tuple[str, str]], texts: Mapping[str, bytes]) -> Iterator[Page]:
    """The objects of a document that are instances of such groups and kinds; the text is read once more for them."""
    text = settle(texts.get(reading.path, b""))
    if isinstance(text, TextError) or not any(group.encode() in text and kind.encode() in text for group, kind in named):
        return
    documents = read_yaml(text)
    for document in [] if isinstance(documents, TextError) else documents:
        listed = _mapping(document.value).get("items")
        for item in [document.value, *(listed if isinstance(listed, list) else ())]:
            if _names(item) in named:
                yield Page(item, Place(reading.path))
                reading.passed.append(f"an instance of a graph of kro of kind {_names(item)[1]}, read with its graph")


def _included(resources: object) -> object:
    """The resources without those of which a condition does not hold (https://kro.run/docs/concepts/rgd/resource-definitions/conditional-creation)."""
    if not isinstance(resources, list):
        return resources
    return [item for item in resources if not (isinstance(item, dict) and _is_left_out(item.get("includeWhen")))]


def _is_left_out(conditions: object) -> bool:
    return isinstance(conditions, list) and any(item is False or item == "false" for item in conditions)


def _names(value: object) -> tuple[str, str]:
    """The group and the kind of an object."""
    members = _mapping(value)
    return str(members.get("apiVersion")).partition("/")[0], str(members.get("kind"))


def _written(value: object) -> Mapping[str, object]:
    """The fields that an instance has, by their paths."""
    members = _mapping(value)
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
