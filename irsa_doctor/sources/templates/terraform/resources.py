"""Reads the resources of a Terraform configuration that have to do with roles of service accounts.

A kind of resource is one function and one row of `READERS`.
"""

from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from irsa_doctor.model import (
    Flaw,
    Place,
    PodIdentityAssociation,
    Role,
    Text,
    TrustPolicy,
    Unknown,
    without_scheme,
)
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.access import AccessReader, AccessTemplate
from irsa_doctor.sources.templates.addons import Addon, add_account, add_association, is_policy, session_tags_of
from irsa_doctor.sources.templates.choices import cases_of_policy
from irsa_doctor.sources.templates.clusters import add_cluster, written_mode
from irsa_doctor.sources.templates.providers import add_provider
from irsa_doctor.sources.templates.terraform.access import ACCESS_READERS_OF_TERRAFORM
from irsa_doctor.sources.templates.terraform.attributes import Attributes
from irsa_doctor.sources.templates.terraform.clouds import CLOUD_READERS_OF_TERRAFORM
from irsa_doctor.sources.templates.terraform.policy_document import blocks_of, members_of
from irsa_doctor.sources.templates.terraform.resource_instance import ResourceInstance
from irsa_doctor.sources.templates.terraform.service_accounts import (
    read_annotations,
    read_manifest,
    read_release,
    read_service_account,
    read_yaml_manifest,
)
from irsa_doctor.sources.templates.terraform.stacks import read_any_kind, read_stack
from irsa_doctor.sources.templates.terraform.syntax import Block
from irsa_doctor.sources.templates.values import TemplateValue, hole, policy_of, scalar_text
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import WrongShape
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.scanner import escaped

AFTER_APPLY = "terraform plan -out=plan.tfplan && terraform show -json plan.tfplan > plan.json"
"""The commands that give what a configuration leaves open."""


def add_role(resource: ResourceInstance, written: TemplateValue, name: str, seconds: int) -> None:
    """Add a role to its reading, and the places of its policy to that of the file in which the policy is written."""
    own = resource.block.syntax.document
    missing = Unknown(f"trust policy of {resource.address}, which is not in the configuration", AFTER_APPLY)
    for case, value in cases_of_policy(written):
        document = value.made.document if value.made else value.document
        target = resource.readings.get(document or own, resource.reading)
        place = Place(target.path, f"/{escaped(resource.address)}/assume_role_policy").at(*([case] if case else []))
        policy, anchors = policy_of(value, place, missing)
        target.anchors.update(anchors)
        root = (0, place.pointer)
        if root not in target.anchors:
            target.anchors[root] = (
                argument_anchor(resource.block, "assume_role_policy") if target.path == own else Anchor(None, 0, 0)
            )
        role = Role("", resource.address, "", policy, resource.caller, seconds, "", resource.address, name, case)
        resource.reading.roles.append(role)
        if isinstance(policy, TrustPolicy) and policy.flaws and target is resource.reading:
            resource.reading.apart.append(place)


def argument_anchor(block: Block, name: str) -> Anchor:
    """Return where an argument of a block is written, or the block where it has none of that name."""
    argument = block.body.arguments.get(name)
    if argument is None or argument.syntax.document != block.syntax.document:
        return _anchor(block)
    return Anchor(None, argument.value.start_byte, argument.value.end_byte, *argument.name_span)


def _anchor(block: Block) -> Anchor:
    return Anchor(None, block.node.start_byte, block.node.end_byte)


def block_place(block: Block, address: str, reading: DocumentReading) -> Place:
    """Return the place of a block by its address, which the reading learns."""
    place = Place(block.syntax.document, f"/{escaped(address)}")
    reading.anchors[(0, place.pointer)] = _anchor(block)
    return place


def add_refused_role(resource: ResourceInstance, why: str, planned: str = "") -> None:
    """Add a role to its reading whose policy cannot be one, for a reason that the template shows."""
    place = Place(resource.reading.path, f"/{escaped(resource.address)}/assume_role_policy")
    resource.reading.anchors[(0, place.pointer)] = argument_anchor(resource.block, "assume_role_policy")
    policy = TrustPolicy(None, place, (Flaw("syntax", why),), True, -1)
    resource.reading.roles.append(Role("", resource.address, "", policy, resource.caller, 0, "", resource.address, planned))


def _read_role(resource: ResourceInstance) -> None:
    members = members_of(resource.config)
    written = members.get("assume_role_policy") or members.get("assume_role_policy_document")
    if written is None:
        raise WrongShape(resource.place.pointer, "a role without `assume_role_policy`")
    if isinstance(written.value, Attributes) and written.value.kind == "aws_iam_policy_document":
        add_refused_role(resource, f"{written.value} is assigned, not its JSON: write {written.value}.json")
        return
    longest = members.get("max_session_duration")
    seconds = shapes.number({"": longest.value}, "") if longest else 0
    name, path = resource.text("name") or resource.text("role_name"), resource.text("path") or "/"
    add_role(resource, written, f"{path}{name}".lstrip("/") if name else "", seconds)


def _read_provider(resource: ResourceInstance) -> None:
    url = members_of(resource.config).get("url")
    written = scalar_text(url.value) if url else None
    issuer = without_scheme(written) if written else hole(f"issuer of {resource.address}")
    listed = resource.texts("client_id_list"), resource.texts("thumbprint_list")
    add_provider(resource.reading, issuer, (resource.address, resource.place), *listed)
    for argument in ("url", "client_id_list", "thumbprint_list"):
        if (value := members_of(resource.config).get(argument)) and value.anchor and value.document == resource.place.document:
            resource.reading.anchors[(0, resource.place.at(argument).pointer)] = value.anchor


def _read_cluster(resource: ResourceInstance) -> None:
    mode = written_mode(members_of(resource.config).get("access_config"), "authentication_mode")
    add_cluster(resource.reading, resource.text("name"), (resource.address, resource.place), mode)


class AddonSettings(msgspec.Struct, frozen=True):
    """An add-on of EKS: cluster, name, and its other arguments; `step` tells those of one call of a module apart."""

    cluster: TemplateValue
    name: TemplateValue
    members: Mapping[object, TemplateValue]
    step: str = ""


def _read_addon(resource: ResourceInstance) -> None:
    members = members_of(resource.config)
    cluster, name = (members.get(argument) or TemplateValue(None) for argument in ("cluster_name", "addon_name"))
    add_addon(resource, AddonSettings(cluster, name, members))


def add_addon(resource: ResourceInstance, settings: AddonSettings) -> None:
    """Add the service account and the Pod Identity associations of an add-on to the reading
    (https://docs.aws.amazon.com/eks/latest/userguide/add-ons-iam.html)."""
    role = settings.members.get("service_account_role_arn")
    place = resource.place.at(settings.step) if settings.step else resource.place
    addon = Addon(
        name=scalar_text(settings.name.value) or hole(f"{resource.address}.addon_name"),
        cluster=scalar_text(settings.cluster.value) or hole(f"{resource.address}.cluster_name"),
        place=place,
        role=(scalar_text(role.value) if role else None) or "",
    )
    add_account(addon, resource.reading)
    at = place.at("metadata", "annotations", ROLE_ARN)
    if role and role.anchor and role.document == place.document:
        resource.reading.anchors[(at.part, at.pointer)] = role.anchor
    elif addon.role:
        resource.reading.anchors[(at.part, at.pointer)] = _anchor(resource.block)
    listed = settings.members.get("pod_identity_association") or settings.members.get("pod_identity_associations")
    for block in blocks_of(listed):
        account, arn = (_text_of(members_of(block).get(name)) for name in ("service_account", "role_arn"))
        account = account or hole(f"{resource.address}.service_account")
        add_association(addon, account, arn, resource.place, resource.reading)


def _text_of(written: TemplateValue | None) -> str | Text:
    return (scalar_text(written.value) if written is not None else None) or ""


def _read_association(resource: ResourceInstance) -> None:
    members = members_of(resource.config)
    cluster, namespace, account = (
        _text_of(members.get(name)) or hole(f"{resource.address}.{name}")
        for name in ("cluster_name", "namespace", "service_account")
    )
    on, tags, policy = _text_of(members.get("target_role_arn")), members.get("disable_session_tags"), members.get("policy")
    resource.reading.associations.append(
        PodIdentityAssociation(
            cluster,
            namespace,
            account,
            resource.place,
            _text_of(members.get("role_arn")),
            on,
            session_tags_of(tags),
            narrowed=policy is not None and (policy.made is not None or is_policy(policy.value)),
        )
    )
    if (role := members.get("role_arn")) and role.anchor and role.document == resource.place.document:
        resource.reading.anchors[(0, resource.place.at("role_arn").pointer)] = role.anchor


def _read_access(reader: AccessReader, resource: ResourceInstance) -> None:
    reader(AccessTemplate(resource.address, resource.place, resource.reading), members_of(resource.config))


READERS: Mapping[str, Callable[[ResourceInstance], None]] = {
    "aws_iam_role": _read_role,
    "aws_cloudformation_stack": read_stack,
    "aws_cloudformation_stack_set": read_stack,
    "awscc_cloudformation_stack": read_stack,
    "awscc_cloudformation_stack_set": read_stack,
    "aws_cloudcontrolapi_resource": read_any_kind,
    "aws_iam_openid_connect_provider": _read_provider,
    "aws_eks_cluster": _read_cluster,
    "kubernetes_service_account": read_service_account,
    "kubernetes_service_account_v1": read_service_account,
    "kubernetes_default_service_account": read_service_account,
    "kubernetes_default_service_account_v1": read_service_account,
    "kubernetes_manifest": read_manifest,
    "kubectl_manifest": read_yaml_manifest,
    "helm_release": read_release,
    "aws_eks_addon": _read_addon,
    "aws_eks_pod_identity_association": _read_association,
    "kubernetes_annotations": read_annotations,
    # the provider made of CloudFormation's types (https://registry.terraform.io/providers/hashicorp/awscc/latest/docs)
    "awscc_iam_role": _read_role,
    "awscc_iam_oidc_provider": _read_provider,
    "awscc_eks_cluster": _read_cluster,
    "awscc_eks_addon": _read_addon,
    "awscc_eks_pod_identity_association": _read_association,
    **{kind: partial(_read_access, reader) for kind, reader in ACCESS_READERS_OF_TERRAFORM.items()},
    **CLOUD_READERS_OF_TERRAFORM,
}
