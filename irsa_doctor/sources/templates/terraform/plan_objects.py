"""Reads what a Terraform plan or state applies to clusters beside service accounts: manifests, releases, add-ons."""

from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from irsa_doctor.model import Text
from irsa_doctor.sources.templates.access import AccessReader, AccessTemplate
from irsa_doctor.sources.templates.addons import Addon, add_account, add_association
from irsa_doctor.sources.templates.manifests import ManifestSource, add_template_account, read_chart_values, read_manifests
from irsa_doctor.sources.templates.terraform.access import ACCESS_READERS_OF_TERRAFORM
from irsa_doctor.sources.templates.terraform.helm_values import release_values
from irsa_doctor.sources.templates.terraform.policy_document import blocks_of, members_of
from irsa_doctor.sources.templates.values import TemplateValue, hole, known, scalar_text, written_yaml

PlanObjectReader = Callable[[ManifestSource, TemplateValue], None]
"""(the resource, its values with holes where they are known after apply)"""


def _read_manifest(source: ManifestSource, values: TemplateValue) -> None:
    manifest = members_of(values).get("manifest")
    read_manifests(source, [manifest] if manifest else [])


def _read_yaml_manifest(source: ManifestSource, values: TemplateValue) -> None:
    text = members_of(values).get("yaml_body")
    documents = written_yaml(text) if text else ()
    if not documents:
        source.reading.notes.append(f"{source.address} has a manifest that is not known before it is applied")
    read_manifests(source, documents)


def _read_release(source: ManifestSource, values: TemplateValue) -> None:
    read_chart_values(source, release_values(values), members_of(values).get("namespace"))


def _read_annotations(source: ManifestSource, values: TemplateValue) -> None:
    members = members_of(values)
    metadata, annotations = next(iter(blocks_of(members.get("metadata"))), None), members.get("annotations")
    if "kind" in members and known(members["kind"].value) == "ServiceAccount" and metadata is not None and annotations:
        annotated = msgspec.structs.replace(metadata, value={**members_of(metadata), "annotations": annotations})
        add_template_account(source, annotated, "", source.place)


def _read_addon(source: ManifestSource, values: TemplateValue) -> None:
    members = members_of(values)

    def text(name: str) -> str | Text:
        return (scalar_text(members[name].value) if name in members else None) or ""

    addon = Addon(
        name=text("addon_name") or hole(f"{source.address}.addon_name"),
        cluster=text("cluster_name") or hole(f"{source.address}.cluster_name"),
        place=source.place,
        role=text("service_account_role_arn"),
        role_pointer=source.place.at("service_account_role_arn").pointer,
    )
    add_account(addon, source.reading)
    for number, block in enumerate(blocks_of(members.get("pod_identity_association"))):
        inner = members_of(block)
        account, role = (scalar_text(inner[name].value) if name in inner else None for name in ("service_account", "role_arn"))
        at = source.place.at("pod_identity_association", number)
        add_association(addon, account or hole(f"{source.address}.service_account"), role or "", at, source.reading)


def _read_access(reader: AccessReader, source: ManifestSource, values: TemplateValue) -> None:
    reader(AccessTemplate(source.address, source.place, source.reading), members_of(values))


PLAN_OBJECT_READERS: Mapping[str, PlanObjectReader] = {
    "kubernetes_manifest": _read_manifest,
    "kubectl_manifest": _read_yaml_manifest,
    "kubernetes_annotations": _read_annotations,
    "helm_release": _read_release,
    "aws_eks_addon": _read_addon,
    **{kind: partial(_read_access, reader) for kind, reader in ACCESS_READERS_OF_TERRAFORM.items()},
}
