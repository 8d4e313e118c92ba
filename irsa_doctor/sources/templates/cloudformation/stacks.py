"""Reads which templates a template makes stacks of, and what it gives to them: nested stacks, applications, stack sets.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stackset.html
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from irsa_doctor.model import Hole, Place, Text, only_hole
from irsa_doctor.sources.documents.reading import DocumentReading, NestedStack, Page, guarded
from irsa_doctor.sources.templates.cloudformation.intrinsics import Template
from irsa_doctor.sources.templates.cloudformation.unread import stack_note
from irsa_doctor.sources.templates.values import TemplateValue, known, scalar_text
from irsa_doctor.text.errors import TextError

ReadTemplate = Callable[[Page, DocumentReading], None]
_SOURCES = ("TemplateURL", "Location")
_PACKAGED = re.compile(r"[0-9a-f]{32,64}\.(?:template|json|ya?ml)")
"""the names that `aws cloudformation package`, SAM and the CDK give to what they upload: digests"""
_ASSET = "aws:asset:path"
"""where the CDK says of which file the asset is made (https://docs.aws.amazon.com/cdk/v2/guide/assets.html)"""


def read_nested_stack(template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    """Add a stack of another template, where that may be a file of the input."""
    where = template_of_stack(template, name, reading.path)
    if where:
        why = stack_note(name, _written(template, name, "Properties"))
        reading.nested.append(NestedStack(where, stack_parameters(template, name), name, why))


def template_of_stack(template: Template, name: str, path: str) -> str:
    """The path of the template of a stack that the template at a path makes; `*/END` where only its end is known, "" where it
    is none of the input."""
    source = next(filter(None, (template.property(name, member) for member in _SOURCES)), None)
    file = _file_of(template, name, source)
    return file if not file or file.startswith("*/") else os.path.normpath(os.path.join(os.path.dirname(path), file))


def stack_parameters(template: Template, name: str) -> dict[str, str | Text]:
    """What is known of the parameters that a template gives to a stack; they may have holes."""
    return dict(_parameters(template.property(name, "Parameters")))


def _file_of(template: Template, name: str, source: TemplateValue | None) -> str:
    """The path of a template beside this one; `*/PATH` where only the end of it is known; "" where it is none of the input."""
    metadata = _written(template, name, "Metadata")
    if isinstance(asset := metadata.get(_ASSET), str):
        return asset
    text = scalar_text(source.value) if source else None
    if isinstance(text, Text):
        last = text.parts[-1]
        # a bucket and a prefix are filled in, the path below them is that of the repository
        end = "" if isinstance(last, Hole) else last.partition("?")[0]
        # the rest of the host, or of the name of a folder
        end = end.partition("/")[2] if end.startswith((".", "-")) else end.strip("/")
        return f"*/{end}" if "." in os.path.basename(end) else ""
    path = text or ""
    if path.startswith("file://"):
        return path.removeprefix("file://")
    if "://" in path:
        return f"*/{digest}" if _PACKAGED.fullmatch(digest := path.partition("?")[0].rpartition("/")[2]) else ""
    return path


def _written(template: Template, name: str, member: str) -> Mapping[str, object]:
    """A member of a resource as it is written."""
    resources = template.members.get("Resources")
    resource = resources.get(name) if isinstance(resources, Mapping) else None
    value = resource.get(member) if isinstance(resource, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _parameters(given: TemplateValue | None) -> Iterator[tuple[str, str | Text]]:
    """The parameters that are known, in whole or in part: an object, or the list of a stack set."""
    if given is None:
        return
    if isinstance(given.value, Mapping):
        for member, item in given.value.items():
            if (text := scalar_text(item.value)) and not only_hole(text):
                yield str(member), text
    for item in given.value if isinstance(given.value, tuple) else ():
        members = item.value if isinstance(item.value, Mapping) else {}
        key, value = (known(members[member].value) if member in members else "" for member in _PAIR)
        if key and value:
            yield key, value


_PAIR = ("ParameterKey", "ParameterValue")


def read_stack_set(read: ReadTemplate, template: Template, name: str, place: Place, reading: DocumentReading) -> None:
    """Read the template in the body of a stack set with its parameters; one elsewhere is read like that of a nested stack."""
    body = template.property(name, "TemplateBody")
    text = known(body.value) if body else ""
    if not text:
        read_nested_stack(template, name, place, reading)
        return
    parameters = dict(_parameters(template.property(name, "Parameters")))
    inside = DocumentReading(reading.path, parameters=parameters, deployment=f"in the stack set {name}")
    at = place.at("Properties", "TemplateBody")
    for value in _documents(text):
        guarded((inside,), partial(read, Page(value, at), inside))
    if inside.gave_something():
        reading.resolved += [name, stack_note(name, _written(template, name, "Properties"))]
    reading.add_stack(inside)


def _documents(text: str) -> Iterator[object]:
    """The templates in a text, JSON or YAML; none where it is broken."""
    from irsa_doctor.text.yaml import yaml_documents

    documents = list(yaml_documents(text.encode()))
    if not any(isinstance(document, TextError) for document in documents):
        yield from (document.value for document in documents if not isinstance(document, TextError))
