"""Adds what a call of a known module makes to the reading of its file: roles, cluster, provider, associations, add-ons."""

from collections.abc import Iterator

import msgspec

from irsa_doctor.model import PodIdentityAssociation, Text
from irsa_doctor.sources.templates.addons import is_policy, session_tags_of
from irsa_doctor.sources.templates.clusters import add_cluster
from irsa_doctor.sources.templates.providers import add_provider
from irsa_doctor.sources.templates.terraform.access import default_mode, read_module_access
from irsa_doctor.sources.templates.terraform.known_modules import KnownModule, KnownRole, ModuleAssociations
from irsa_doctor.sources.templates.terraform.module_statements import STS_AUDIENCE, items_given
from irsa_doctor.sources.templates.terraform.policy_document import members_of
from irsa_doctor.sources.templates.terraform.resource_instance import ResourceInstance
from irsa_doctor.sources.templates.terraform.resources import AddonSettings, add_addon, add_refused_role, add_role
from irsa_doctor.sources.templates.values import TemplateValue, hole, known, scalar_text


def add_known_module(module: KnownModule, resource: ResourceInstance) -> None:
    """Add all that a call makes; `resource` is the call itself."""
    for role in module.roles():
        _add_role(role, resource)
    if module.issuer is not None:
        _add_cluster(module, resource, module.issuer)
    if module.provided:
        listed = module.call.inputs.get("client_id_list")
        _add_provider(module, resource, module.provided, listed if listed and listed.value else STS_AUDIENCE)
    for association in _associations(module, resource):
        resource.reading.associations.append(association)
    if module.kind.access:
        read_module_access(module.call, resource.place, resource.reading)
    for name in module.kind.addons:
        _add_addons(module, resource, module.call.inputs.get(name))


def _add_role(role: KnownRole, resource: ResourceInstance) -> None:
    of_role = msgspec.structs.replace(resource, address=role.address)
    if not role.lacks:
        add_role(of_role, role.policy, role.planned, 0)
        return
    add_refused_role(of_role, f"the module writes no statement: it is called without `{role.lacks}`", role.planned)


def _add_cluster(module: KnownModule, resource: ResourceInstance, issuer: Text) -> None:
    reading, call = resource.reading, module.call
    written = call.inputs.get("authentication_mode")
    mode = None if written is None or written.value is None else known(written.value)
    name = call.text("name", "cluster_name")
    add_cluster(reading, name, (call.address, resource.place), mode, default_mode(call))
    if not module.provider:
        return
    _add_provider(module, resource, issuer, STS_AUDIENCE, call.inputs.get("openid_connect_audiences"))


def _add_provider(
    module: KnownModule, resource: ResourceInstance, issuer: str | Text, *audiences: TemplateValue | None
) -> None:
    """Add a provider with lists of client ids, which are not known where something in them is not."""
    lists = [items_given(written) for written in audiences]
    texts = [known(item.value) for items in lists for item in items or ()]
    client_ids = tuple(dict.fromkeys(texts)) if None not in lists and all(texts) else None
    add_provider(resource.reading, issuer, (module.provider, resource.place), client_ids)


def _associations(module: KnownModule, resource: ResourceInstance) -> Iterator[PodIdentityAssociation]:
    """The Pod Identity associations of the role that a call makes."""
    kind, call = module.kind.associations, module.call
    role = next(module.roles(), None)
    if kind is None or role is None:
        return
    arn = hole(f"{role.address}.arn")
    if kind.entries:
        yield from _of_entries(module, resource, kind, arn)
    elif call.version >= 20 and call.is_on(kind.switch, otherwise=call.version > 20):
        cluster = _text(call.inputs.get("cluster_name"), hole(f"{resource.address}.cluster_name"))
        namespace, account = (
            _text(call.inputs.get(name), default)
            for name, default in (("namespace", kind.namespace), ("service_account", kind.service_account))
        )
        yield PodIdentityAssociation(cluster, namespace, account, resource.place, arn)


def _of_entries(
    module: KnownModule, resource: ResourceInstance, kind: ModuleAssociations, arn: Text
) -> Iterator[PodIdentityAssociation]:
    defaults = members_of(module.call.inputs.get("association_defaults"))
    for key, entry in members_of(module.call.inputs.get(kind.entries)).items():
        members = {**defaults, **members_of(entry)}
        named = members.get("role_arn")
        role = scalar_text(named.value) if named else None
        names = ("cluster_name", "namespace", "service_account")
        cluster, namespace, account = (
            _text(members.get(name), hole(f"{resource.address}.{kind.entries}[{key}].{name}")) for name in names
        )
        policy = members.get("policy")
        yield PodIdentityAssociation(
            cluster,
            namespace,
            account,
            resource.place,
            role or arn,
            _text(members.get("target_role_arn"), ""),
            session_tags_of(members.get("disable_session_tags")),
            narrowed=policy is not None and (policy.made is not None or is_policy(policy.value)),
        )


def _text(written: TemplateValue | None, otherwise: str | Text) -> str | Text:
    return (scalar_text(written.value) if written is not None and written.value is not None else None) or otherwise


def _add_addons(module: KnownModule, resource: ResourceInstance, written: TemplateValue | None) -> None:
    """The add-ons in an input: name -> settings, which may have another name in them."""
    for key, settings in members_of(written).items():
        members = members_of(settings)
        name = members.get("name") or TemplateValue(key)
        cluster = module.call.text("name", "cluster_name") or hole(f"name of {resource.address}")
        add_addon(resource, AddonSettings(TemplateValue(cluster), name, members, f"{key}"))
