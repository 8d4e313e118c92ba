"""Reads the service accounts that a Terraform configuration makes: resources, manifests, and values of Helm releases."""

import msgspec

from irsa_doctor.sources.templates.manifests import (
    ManifestSource,
    add_template_account,
    read_chart_values,
    read_manifests,
)
from irsa_doctor.sources.templates.terraform.helm_values import release_values
from irsa_doctor.sources.templates.terraform.policy_document import blocks_of, members_of
from irsa_doctor.sources.templates.terraform.resource_instance import ResourceInstance
from irsa_doctor.sources.templates.values import known, written_yaml


def _source(resource: ResourceInstance) -> ManifestSource:
    return ManifestSource(resource.address, resource.place, resource.reading)


def read_service_account(resource: ResourceInstance) -> None:
    """`kubernetes_service_account` and the like."""
    metadata = next(iter(blocks_of(members_of(resource.config).get("metadata"))), None)
    default = "default" if "default_service_account" in resource.block.labels[0] else ""
    add_template_account(_source(resource), metadata, default, resource.place)


def read_annotations(resource: ResourceInstance) -> None:
    """`kubernetes_annotations`: the annotations that it adds to a service account which something else makes
    (https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs/resources/annotations)."""
    members = members_of(resource.config)
    metadata = next(iter(blocks_of(members.get("metadata"))), None)
    annotations = members.get("annotations")
    if "kind" not in members or known(members["kind"].value) != "ServiceAccount" or metadata is None or annotations is None:
        return
    annotated = msgspec.structs.replace(metadata, value={**members_of(metadata), "annotations": annotations})
    add_template_account(_source(resource), annotated, "", resource.place)


def read_manifest(resource: ResourceInstance) -> None:
    """`kubernetes_manifest`, whose manifest is an object."""
    manifest = members_of(resource.config).get("manifest")
    read_manifests(_source(resource), [manifest] if manifest else [])


def read_yaml_manifest(resource: ResourceInstance) -> None:
    """`kubectl_manifest`, whose manifest is a text."""
    text = members_of(resource.config).get("yaml_body")
    documents = written_yaml(text) if text else ()
    if not documents:
        resource.reading.notes.append(f"{resource.address} has a manifest that is not known before it is applied")
    read_manifests(_source(resource), documents)


def read_release(resource: ResourceInstance) -> None:
    """`helm_release`: the service accounts that its values name and annotate. Others a chart may make by itself."""
    namespace = members_of(resource.config).get("namespace")
    read_chart_values(_source(resource), release_values(resource.config), namespace)
