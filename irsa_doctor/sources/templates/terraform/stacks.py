"""Reads the templates of the CloudFormation stacks that a Terraform configuration makes, and names what else may make a role.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudformation_stack
"""

import re
from collections.abc import Mapping

import msgspec

from irsa_doctor.model import UNREAD_TRUST, Gap, Hole, Place, Text, TrustPolicy
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.cloudformation.template import read_template
from irsa_doctor.sources.templates.terraform.policy_document import members_of
from irsa_doctor.sources.templates.terraform.resource_instance import ResourceInstance
from irsa_doctor.sources.templates.terraform.unread import STACKS
from irsa_doctor.sources.templates.values import TemplateValue, known, scalar_text
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.yaml import read_yaml

_MAKES_ROLES = re.compile(r"AWS::IAM::Role\b|AWS::Serverless::|\bTransform\b|AWS::CloudFormation::")
_OF_TEMPLATE = "the template of the stack among the input"
_OF_ACCESS = ("access_roles", "access_bindings", "access_entries", "associated_access", "auth_maps")
_OF_CLUSTERS = ("access_modes", "default_modes", "creators")
_GIVEN = ("roles", "nameless_providers", "cluster_names", "planned_clusters", "associations")
"""what a template gives to the reading of its file"""


def read_stack(resource: ResourceInstance) -> None:
    """Read the template of a stack; note one that is not known and may make a role.

    Without a capability CloudFormation makes none
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html).
    """
    body = members_of(resource.config).get("template_body")
    template = _template(body) if body is not None else None
    if body is not None and template is not None:
        _read_body(resource, body, template)
        return
    resource.reading.notes.append(f"{resource.address} is not read: {STACKS}")
    if body is not None:
        written = known(body.value) or (repr(body.made.value) if body.made else "")
        if not written or _MAKES_ROLES.search(written):
            _note(resource, "its template is not read")
    elif _may_make_roles(resource):
        _note(resource, "its template is not in the input")


def read_any_kind(resource: ResourceInstance) -> None:
    """Note a resource of the Cloud Control API that is a role, or whose kind is known only when it is applied."""
    if resource.text("type_name") in ("", "AWS::IAM::Role"):
        _note(resource, "it is not read")


def _template(body: TemplateValue) -> object:
    """The template that a text is, or was made of; None where it is not known, or is not one."""
    if body.made is not None:
        template = _plain(body.made)
    else:
        text = scalar_text(body.value)
        documents = read_yaml(_placeholders(text).encode(errors="replace")) if text else []
        template = documents[0].value if isinstance(documents, list) and len(documents) == 1 else None
    return template if isinstance(template, dict) and isinstance(template.get("Resources"), dict) else None


def _placeholders(text: str | Text) -> str:
    """A text whose holes are placeholders, which CloudFormation leaves as they are."""
    parts = text.parts if isinstance(text, Text) else (text,)
    return "".join(_placeholder(part) if isinstance(part, Hole) else part for part in parts)


def _placeholder(unknown: Hole) -> str:
    """A hole as a placeholder; a name of Terraform has a dot, which no parameter of a template has."""
    name = re.sub("[^A-Za-z0-9.]+", "_", unknown.name).strip("_")
    return f"${{{name if '.' in name else f'terraform.{name}'}}}"


def _plain(value: TemplateValue) -> object:
    """A value as it is in JSON."""
    inner = value.value
    if isinstance(inner, dict):
        return {_placeholders(name) if isinstance(name, str | Text) else name: _plain(item) for name, item in inner.items()}
    if isinstance(inner, tuple):
        return [_plain(item) for item in inner]
    return _placeholders(inner) if isinstance(inner, Text) else inner


def _read_body(resource: ResourceInstance, body: TemplateValue, template: object) -> None:
    """Read a template with the parameters of its stack; one in a file of its own at its lines there, in place of the file."""
    file = resource.readings.get(body.document) if body.document != resource.reading.path and not body.made else None
    if file:
        _forget(file)
        deployed = msgspec.structs.replace(file, parameters=_parameters(resource), deployment=resource.address)
        read_template(Page(template, Place(file.path)), deployed)
        return
    inside = DocumentReading(resource.reading.path, parameters=_parameters(resource))
    read_template(Page(template, resource.place.at("template_body")), inside)
    _add(resource, inside, body.anchor)


def _add(resource: ResourceInstance, inside: DocumentReading, anchor: Anchor | None) -> None:
    """Add what a template gave; it is marked at the argument that holds the template."""
    reading, replace = resource.reading, msgspec.structs.replace
    for role in inside.roles:
        reading.roles.append(replace(role, place=resource.place, address=f"{resource.address}.{role.address}"))
        if isinstance(role.policy, TrustPolicy) and anchor:
            reading.anchors[(role.policy.place.part, role.policy.place.pointer)] = anchor
    reading.nameless_providers += [
        replace(item, place=resource.place, address=f"{resource.address}.{item.address}") for item in inside.nameless_providers
    ]
    reading.planned_clusters += [replace(item, place=resource.place) for item in inside.planned_clusters]
    reading.cluster_names += [(name, resource.place) for name, _ in inside.cluster_names]
    reading.associations += [replace(item, place=resource.place) for item in inside.associations]
    for name in _OF_ACCESS:
        getattr(reading, name).extend(replace(item, place=resource.place) for item in getattr(inside, name))
    for name in _OF_CLUSTERS:
        getattr(reading, name).extend(getattr(inside, name))
    reading.service_accounts += [replace(item, place=resource.place) for item in inside.service_accounts]
    reading.apart += inside.apart
    reading.anchors |= dict.fromkeys(inside.anchors, anchor) if anchor else {}
    reading.notes += [f"{resource.address}: {note}" for note in inside.notes]
    reading.gaps += inside.gaps
    reading.broken += [(resource.place, f"{resource.address}: {why}") for _, why in inside.broken]


def _forget(file: DocumentReading) -> None:
    """Take away what a template gave, or would give, as a file without a stack."""
    file.waiting = []
    for name in _GIVEN:
        kept = [item for item in getattr(file, name) if getattr(item, "case", "")]
        setattr(file, name, kept)


def _parameters(resource: ResourceInstance) -> dict[str, str]:
    """The parameters of a stack that are known."""
    given = members_of(resource.config).get("parameters")
    members: Mapping[object, TemplateValue] = given.value if given and isinstance(given.value, dict) else {}
    texts = {str(name): known(item.value) for name, item in members.items()}
    return {name: text for name, text in texts.items() if text}


def _may_make_roles(resource: ResourceInstance) -> bool:
    """Whether a stack has a capability, or it is not known which it has."""
    return "capabilities" in members_of(resource.config) and resource.texts("capabilities") != ()


def _note(resource: ResourceInstance, why: str) -> None:
    missing = f"roles that {resource.address} makes: {why}"
    resource.reading.gaps.append(Gap(UNREAD_TRUST, resource.reading.path, resource.address, missing, _OF_TEMPLATE))
