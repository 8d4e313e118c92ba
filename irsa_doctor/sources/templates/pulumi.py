"""Reads what Pulumi knows of resources: states, previews, and programs in YAML.

`pulumi stack export` gives `deployment.resources` with inputs and outputs, `pulumi preview --json` gives `steps` with a
`newState` each (https://www.pulumi.com/docs/iac/cli/commands/); a program in YAML has `resources` by name
(https://www.pulumi.com/docs/iac/languages-sdks/yaml/).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from irsa_doctor.model import (
    Place,
    PodIdentityAssociation,
    Role,
    Text,
    TrustPolicy,
    Unknown,
    is_role_arn,
    parse_arn,
    without_scheme,
)
from irsa_doctor.sources.documents.access import RBAC_GROUP
from irsa_doctor.sources.documents.kubernetes import read_resource
from irsa_doctor.sources.documents.policies import bare_policy, read_policy_text
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.access import AccessTemplate, read_access_manifest
from irsa_doctor.sources.templates.access_entries import read_association, read_component_access, read_entry
from irsa_doctor.sources.templates.addons import Addon, add_account, add_association, is_policy, session_tags_of
from irsa_doctor.sources.templates.clusters import add_cluster
from irsa_doctor.sources.templates.named_accounts import target_namespace
from irsa_doctor.sources.templates.providers import add_provider
from irsa_doctor.sources.templates.releases import ChartValues, read_release_values
from irsa_doctor.sources.templates.values import TemplateValue, hole, written_of
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import value_with_holes, with_holes
from irsa_doctor.text.positions import Anchor

_Members = Mapping[str, object]
_TYPE = re.compile(r"aws(?:-native)?:(?:iam|eks)(?:/\w+)?:(\w+)\Z")
_OBJECT = re.compile(r"kubernetes:[\w./]+:(ServiceAccount|Namespace|Pod|Deployment|StatefulSet|DaemonSet|Job|CronJob)\Z")
_ACCESS_OBJECT = re.compile(
    r"kubernetes:(?:rbac\.authorization\.k8s\.io/\w+:(Role|ClusterRole|RoleBinding|ClusterRoleBinding)|core/v1:(ConfigMap))\Z"
)
_RELEASE = re.compile(r"kubernetes:helm\.sh/v\d:(?:Release|Chart)\Z")
_UNKNOWN = ("04da6b54-80e4-46f7-96ec-b56ff0331ba9", "output<string>")
"""What Pulumi writes for a value that it does not know yet"""
_COMPONENTS = ("eks:Cluster", "eks:index:Cluster")
_LANGUAGES = ("nodejs", "python", "go", "dotnet", "java", "bun")
_POLICY = ("assumeRolePolicy", "assumeRolePolicyDocument")


def is_pulumi(members: _Members) -> bool:
    """Whether a document is a state, a preview or a program of Pulumi."""
    if _runtime(members):
        return True
    deployment, steps, resources = members.get("deployment"), members.get("steps"), members.get("resources")
    if isinstance(deployment, dict) and "manifest" in deployment:
        return True
    if isinstance(steps, list) and any(isinstance(step, dict) and "urn" in step and "op" in step for step in steps):
        return True
    return isinstance(resources, dict) and any(
        isinstance(item, dict) and re.match(r"[\w-]+:[\w/.-]+(?::\w+)?\Z", str(item.get("type"))) for item in resources.values()
    )


def _runtime(members: _Members) -> str:
    """The language of a project whose program is not YAML, "" for any other document
    (https://www.pulumi.com/docs/iac/concepts/projects/project-file/)."""
    runtime = members.get("runtime")
    name = runtime.get("name") if isinstance(runtime, dict) else runtime
    return name if isinstance(name, str) and "name" in members and name in _LANGUAGES else ""


class PulumiResource(msgspec.Struct, frozen=True, kw_only=True):
    """One resource: its properties, where they stand, and what findings call it."""

    address: str
    properties: _Members
    known: _Members
    at: Place
    page: Page
    reading: DocumentReading

    def text(self, *names: str) -> str | Text:
        """A property that is text, perhaps with holes; "" where there is none."""
        for name in names:
            value = self.properties.get(name)
            if isinstance(value, str) and value:
                return hole(f"{self.address}.{name}") if value in _UNKNOWN else with_holes(value)
            if value is not None and not isinstance(value, str):
                return hole(f"{self.address}.{name}")
        return ""


def read_pulumi(page: Page, reading: DocumentReading) -> None:
    """Read every resource that has to do with roles of service accounts."""
    members = shapes.mapping(page.value, page.place)
    for kind, item, at, address, member in _resources(members, page.place):
        properties = item.get(member)
        outputs = item.get("outputs")
        resource = PulumiResource(
            address=address,
            properties=properties if isinstance(properties, dict) else {},
            known=outputs if isinstance(outputs, dict) else {},
            at=at.at(member),
            page=page,
            reading=reading,
        )
        _read(kind, resource)
    if language := _runtime(members):
        reading.passed.append(
            f"a project of Pulumi whose program is not read ({language}): pulumi preview --json | irsa-doctor check -"
        )
    elif not reading.gave_something():
        reading.passed.append("a Pulumi state, preview or program without role, OIDC provider, cluster or service account")


def _resources(members: _Members, place: Place) -> Iterator[tuple[str, _Members, Place, str, str]]:
    """Type, the record of the resource, its place, its name, and the member that holds its properties."""
    deployment, steps, programmed = members.get("deployment"), members.get("steps"), members.get("resources")
    if isinstance(deployment, dict):
        at = place.at("deployment", "resources")
        for number, item in enumerate(shapes.many(deployment, "resources", place.at("deployment"))):
            if isinstance(item, dict) and item.get("delete") is not True:
                yield str(item.get("type")), item, at.at(number), _name(item), "inputs"
    elif isinstance(steps, list):
        for number, step in enumerate(steps):
            state = step.get("newState") if isinstance(step, dict) else None
            if isinstance(state, dict):
                yield str(state.get("type")), state, place.at("steps", number, "newState"), _name(state), "inputs"
    elif isinstance(programmed, dict):
        for name, item in programmed.items():
            if isinstance(item, dict):
                yield str(item.get("type")), _unescaped(item), place.at("resources", str(name)), str(name), "properties"


def _unescaped(value: Any) -> Any:
    """A value of a program with the signs that `$$` stands for
    (https://github.com/pulumi/pulumi-yaml/blob/main/pkg/pulumiyaml/ast/interpolation.go)."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    return {name: _unescaped(item) for name, item in value.items()} if isinstance(value, dict) else value


def _name(item: _Members) -> str:
    """The last part of a URN, which is what the program calls the resource."""
    return str(item.get("urn") or "resource").rpartition("::")[2]


def _read(kind: str, resource: PulumiResource) -> None:
    if kind in _COMPONENTS:
        # a state lists the parts of a component by themselves
        _read_component(resource)
    elif match := _OBJECT.match(kind):
        _read_object(match[1], resource)
    elif match := _ACCESS_OBJECT.match(kind):
        _read_access_object(match[1] or match[2], resource)
    elif _RELEASE.match(kind):
        _read_release(resource)
    elif (match := _TYPE.match(kind)) and (reader := _READERS.get(match[1])):
        resource.reading.attempt(resource, resource.at, lambda value, at: reader(resource))


def _read_object(kind: str, resource: PulumiResource) -> None:
    """An object of Kubernetes; one without a name gets it from Pulumi when it is deployed."""
    metadata = resource.properties.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(with_holes(str(metadata.get("name") or "${x}")), str):
        resource.reading.notes.append(f"{resource.address} has no name before it is deployed")
        return
    resource.reading.attempt(
        resource.properties, resource.at, lambda value, at: read_resource(kind, shapes.mapping(value, at), at, resource.reading)
    )


def _read_release(resource: PulumiResource) -> None:
    """https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/"""
    values = ChartValues(resource.properties.get("values"), resource.at.at("values"))
    read_release_values([values], target_namespace(resource.properties.get("namespace")), resource.reading)


def _read_access_object(kind: str, resource: PulumiResource) -> None:
    """An object of RBAC, or aws-auth."""
    version = "v1" if kind == "ConfigMap" else f"{RBAC_GROUP}/v1"
    written = {**resource.properties, "apiVersion": version, "kind": kind}
    read_access_manifest(_access_of(resource), written_of(value_with_holes(written)))


def _access_of(resource: PulumiResource) -> AccessTemplate:
    return AccessTemplate(resource.address, resource.at, resource.reading)


def _read_entry(resource: PulumiResource) -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/eks/accessentry/, and that of aws-native, which has the policies of
    the entry inside."""
    read_entry(_access_of(resource), resource.properties, _cluster_name(resource), resource.text("principalArn"))


def _read_policy_association(resource: PulumiResource) -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/eks/accesspolicyassociation/"""
    read_association(_access_of(resource), resource.properties, _cluster_name(resource), resource.text("principalArn"))


def _cluster_name(resource: PulumiResource) -> str:
    """The name of a cluster, "" where it is known only later: then it is that of the document."""
    name = resource.text("clusterName")
    return name if isinstance(name, str) else ""


def _read_role(resource: PulumiResource) -> None:
    member = next((name for name in _POLICY if name in resource.properties), "")
    written, at = resource.properties.get(member), resource.at.at(member)
    arn = str(resource.known.get("arn") or "")
    parts = parse_arn(arn) if is_role_arn(arn) else None
    name, path = resource.text("name", "roleName"), resource.text("path") or "/"
    planned = f"{path}{name}".lstrip("/") if name and isinstance(name, str) and isinstance(path, str) else ""
    policy = _policy(written, at, resource)
    resource.reading.roles.append(
        Role(
            arn if parts else "",
            parts.name.rpartition("/")[2] if parts else resource.address,
            parts.account if parts else "",
            policy,
            resource.at,
            shapes.number(resource.properties, "maxSessionDuration"),
            "",
            resource.address,
            planned,
        )
    )


def _policy(written: object, at: Place, resource: PulumiResource) -> TrustPolicy | Unknown:
    """The policy as text, as an object, or as one of a function of the program."""
    if isinstance(written, dict) and len(written) == 1 and "fn::toJSON" in written:
        written, at = written["fn::toJSON"], at.at("fn::toJSON")
    if isinstance(written, str) and "{" in written.replace("${", ""):
        policy = read_policy_text(written, at, template=True)
        if policy.flaws:
            resource.reading.apart.append(policy.place)
        return policy
    if isinstance(written, dict) and "Statement" in written:
        return bare_policy(written, at, resource.page.duplicates)
    return Unknown(f"trust policy of {resource.address}, which is known after it is deployed", "pulumi stack export")


def _read_provider(resource: PulumiResource) -> None:
    url = resource.text("url")
    issuer = without_scheme(url) if url else hole(f"issuer of {resource.address}")
    listed = resource.at.at("client_id_list")
    resource.reading.anchors[(listed.part, listed.pointer)] = Anchor(resource.at.at("clientIdLists").pointer)
    client_ids, prints = (_texts(resource.properties.get(name)) for name in ("clientIdLists", "thumbprintLists"))
    add_provider(resource.reading, issuer, (resource.address, resource.at), client_ids, prints)


def _texts(value: object) -> tuple[str, ...] | None:
    """A list of texts that are all known, else None."""
    if not isinstance(value, list):
        return None
    texts = tuple(item for item in value if isinstance(item, str) and isinstance(with_holes(item), str))
    return texts if len(texts) == len(value) and not set(_UNKNOWN) & set(texts) else None


def _read_cluster(resource: PulumiResource) -> None:
    config = resource.properties.get("accessConfig")
    own = msgspec.structs.replace(resource, properties=config if isinstance(config, dict) else {})
    _add_cluster(resource, None if config is None else own.text("authenticationMode") or ("" if own.properties == {} else None))


def _add_cluster(resource: PulumiResource, mode: str | Text | None) -> None:
    name = resource.text("name")
    known_name = name if isinstance(name, str) else ""
    known_mode = mode if isinstance(mode, str) or mode is None else ""
    add_cluster(resource.reading, known_name, (resource.address, resource.at), known_mode)


def _read_component(resource: PulumiResource) -> None:
    """The cluster of the package `eks`, with its OIDC provider
    (https://www.pulumi.com/registry/packages/eks/api-docs/cluster/)."""
    if resource.at.pointer.endswith("/properties"):
        _add_cluster(resource, resource.text("authenticationMode") or None)
        read_component_access(_access_of(resource), resource.properties)
        if resource.properties.get("createOidcProvider") is True:
            provider = msgspec.structs.replace(resource, properties={"clientIdLists": ["sts.amazonaws.com"]})
            _read_provider(provider)


def _read_association(resource: PulumiResource) -> None:
    names = (resource.text("clusterName"), resource.text("namespace"), resource.text("serviceAccount"))
    if all(names):
        resource.reading.associations.append(
            PodIdentityAssociation(
                *names,
                resource.at,
                resource.text("roleArn"),
                resource.text("targetRoleArn"),
                session_tags_of(_value(resource, "disableSessionTags")),
                narrowed=is_policy(_value(resource, "policy").value),
            )
        )


def _value(resource: PulumiResource, name: str) -> TemplateValue:
    """A property as it is written; a hole where it is text that Pulumi fills in, or the value of a function."""
    value = resource.properties.get(name)
    if isinstance(value, str) or (isinstance(value, dict) and len(value) == 1 and name != "policy"):
        return TemplateValue(resource.text(name) or None)
    return TemplateValue(value)


def _read_addon(resource: PulumiResource) -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/eks/addon/"""
    addon = Addon(
        name=resource.text("addonName") or hole(f"{resource.address}.addonName"),
        cluster=resource.text("clusterName") or hole(f"{resource.address}.clusterName"),
        place=resource.at,
        role=resource.text("serviceAccountRoleArn"),
        role_pointer=resource.at.at("serviceAccountRoleArn").pointer,
    )
    add_account(addon, resource.reading)
    listed = resource.properties.get("podIdentityAssociations")
    for number, item in enumerate(listed if isinstance(listed, list) else ()):
        at = resource.at.at("podIdentityAssociations", number)
        if isinstance(item, dict):
            own = msgspec.structs.replace(resource, properties=item)
            account = own.text("serviceAccount") or hole(f"{resource.address}.serviceAccount")
            add_association(addon, account, own.text("roleArn"), at, resource.reading)


_READERS: Mapping[str, Callable[[PulumiResource], None]] = {
    "Role": _read_role,
    "OpenIdConnectProvider": _read_provider,
    "OIDCProvider": _read_provider,
    "Cluster": _read_cluster,
    "PodIdentityAssociation": _read_association,
    "Addon": _read_addon,
    "AccessEntry": _read_entry,
    "AccessPolicyAssociation": _read_policy_association,
}
