"""Names the resources of Terraform that may make a role and are not read: stacks of CloudFormation, and resources of any kind.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudformation_stack
"""

import re

from irsa_doctor.model import UNREAD_TRUST, Gap
from irsa_doctor.sources.templates.terraform.policy_document import members_of
from irsa_doctor.sources.templates.terraform.resource_instance import ResourceInstance
from irsa_doctor.sources.templates.terraform.unread import STACKS
from irsa_doctor.sources.templates.values import known

_MAKES_ROLES = re.compile(r"AWS::IAM::Role\b|AWS::Serverless::|\bTransform\b|AWS::CloudFormation::")
_OF_TEMPLATE = "the template of the stack among the input"


def read_stack(resource: ResourceInstance) -> None:
    """Note a stack whose template may make a role. Without a capability CloudFormation makes none
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html)."""
    resource.reading.notes.append(f"{resource.address} is not read: {STACKS}")
    body = members_of(resource.config).get("template_body")
    if body is not None:
        written = _text(resource, "template_body")
        if not written or _MAKES_ROLES.search(written):
            _note(resource, "its template is not read")
    elif _may_make_roles(resource):
        _note(resource, "its template is not in the input")


def read_any_kind(resource: ResourceInstance) -> None:
    """Note a resource of the Cloud Control API that is a role, or whose kind is known only when it is applied."""
    if resource.text("type_name") in ("", "AWS::IAM::Role"):
        _note(resource, "it is not read")


def _text(resource: ResourceInstance, name: str) -> str:
    """An argument as text, also where it was made of a value."""
    value = members_of(resource.config)[name]
    return known(value.value) or (repr(value.made.value) if value.made else "")


def _may_make_roles(resource: ResourceInstance) -> bool:
    """Whether a stack has a capability, or it is not known which it has."""
    return "capabilities" in members_of(resource.config) and resource.texts("capabilities") != ()


def _note(resource: ResourceInstance, why: str) -> None:
    missing = f"roles that {resource.address} makes: {why}"
    resource.reading.gaps.append(Gap(UNREAD_TRUST, resource.reading.path, resource.address, missing, _OF_TEMPLATE))
