"""Reads the resources of AWS that Crossplane and the AWS controllers for Kubernetes (ACK) manage.

A kind is one function and one row of `_READERS`. Both write the members of AWS's API, ACK below `spec`, Crossplane below
`spec.forProvider`; the spelling differs in a few letters.
https://marketplace.upbound.io/providers/upbound/provider-aws-iam, https://aws-controllers-k8s.github.io/community/reference/
"""

from collections.abc import Callable, Mapping

import msgspec

from irsa_doctor.model import (
    PodIdentityAssociation,
    Role,
    Text,
    TrustPolicy,
    Unknown,
    is_role_arn,
    joined,
    parse_arn,
    without_scheme,
)
from irsa_doctor.model.place import Place
from irsa_doctor.sources.documents.policies import bare_policy, read_policy_text
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.access import AccessTemplate
from irsa_doctor.sources.templates.access_entries import read_association, read_entry
from irsa_doctor.sources.templates.addons import Addon, add_account, add_association, is_policy
from irsa_doctor.sources.templates.clusters import add_cluster, written_mode
from irsa_doctor.sources.templates.providers import add_provider
from irsa_doctor.sources.templates.values import hole, written_of
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import WrongShape
from irsa_doctor.text.placeholders import value_with_holes, with_holes
from irsa_doctor.text.positions import Anchor

_EXTERNAL_NAME = "crossplane.io/external-name"
_CLIENT_IDS = ("clientIDs", "clientIDList", "clientIdList")
_POLICY = ("assumeRolePolicyDocument", "assumeRolePolicy")
_OF_THE_SERVICE = {
    "Role": "iam",
    "OpenIDConnectProvider": "iam",
    "Cluster": "eks",
    "Addon": "eks",
    "PodIdentityAssociation": "eks",
    "AccessEntry": "eks",
    "AccessPolicyAssociation": "eks",
}


class ManagedResource(msgspec.Struct, frozen=True, kw_only=True):
    """One resource: its metadata, its members as AWS has them, and where these stand."""

    kind: str
    metadata: Mapping[str, object]
    members: Mapping[str, object]
    status: Mapping[str, object]
    policies: object
    page: Page
    at: Place
    reading: DocumentReading
    is_of_ack: bool = False

    @property
    def name(self) -> str:
        """What the object is called, "" where that is not known yet."""
        return shapes.as_text(self.metadata.get("name") or "")

    @property
    def is_observed(self) -> bool:
        """Whether the controller only observes it, or nothing but its status was written
        (https://docs.crossplane.io/latest/managed-resources/managed-resources/#managementpolicies)."""
        return not self.members or self.policies == ["Observe"]

    @property
    def address(self) -> str:
        """What findings call it."""
        namespace = shapes.as_text(self.metadata.get("namespace") or "")
        # a placeholder alone is the name that a composition gives to it
        is_whole = self.name.startswith("${") and self.name.find("}") == len(self.name) - 1
        name = (self.name.removeprefix("${").removesuffix("}") if is_whole else self.name) or "without name"
        return f"{self.kind} {namespace}/{name}" if namespace else f"{self.kind} {name}"

    def text(self, *names: str) -> str | Text:
        """A member that is text, by any of its names; "" where there is none."""
        for name in names:
            if name in self.members:
                return with_holes(shapes.text(self.members, name, self.at))
        return ""

    def texts(self, *names: str) -> tuple[str, ...] | None:
        """A list of texts, None where there is none or a part of it is not known."""
        for name in names:
            if name in self.members:
                listed = shapes.texts(self.members, name, self.at)
                return listed if all(isinstance(with_holes(item), str) for item in listed) else None
        return None

    def reference(self, member: str) -> str | Text:
        """An ARN, or the reference to the Role object that has it (`roleRef`, `roleArnRef`)."""
        for name in (member, member.replace("Arn", "ARN")):
            if arn := self.text(name):
                return arn
        for name in (f"{member}Ref", member.removesuffix("Arn") + "Ref"):
            reference = shapes.inner(self.members, name, self.at)
            inner = reference.get("from", reference)
            if isinstance(inner, dict) and isinstance(inner.get("name"), str):
                space = inner.get("namespace") or self.metadata.get("namespace")
                return hole(f"Role {space}/{inner['name']}.arn" if space else f"Role {inner['name']}.arn")
        return hole(f"{self.address}.{member}") if any(name.startswith(member) for name in self.members) else ""


def read_managed(page: Page, reading: DocumentReading) -> None:
    """Read one resource; a kind that has nothing to do with roles of service accounts is passed over."""
    members = shapes.mapping(page.value, page.place)
    kind, group = shapes.text(members, "kind", page.place), str(members.get("apiVersion")).partition("/")[0]
    reader = _READERS.get(kind) if group.partition(".")[0] == _OF_THE_SERVICE.get(kind) else None
    if reader is None:
        reading.passed.append(f"a resource of {group} of kind {kind}, which is not read")
        return
    spec, at = shapes.inner(members, "spec", page.place), page.place.at("spec")
    policies = spec.get("managementPolicies")
    if "forProvider" in spec or "services.k8s.aws" not in group:
        spec, at = shapes.inner(spec, "forProvider", at), at.at("forProvider")
    status = shapes.inner(members, "status", page.place)
    reader(
        ManagedResource(
            kind=kind,
            metadata=shapes.inner(members, "metadata", page.place),
            members=spec,
            status=_observed(status),
            policies=policies,
            page=page,
            at=at,
            reading=reading,
            is_of_ack="services.k8s.aws" in group,
        )
    )


def _observed(status: Mapping[str, object]) -> Mapping[str, object]:
    """What the controller saw of the resource."""
    inner = status.get("atProvider", status.get("ackResourceMetadata"))
    return inner if isinstance(inner, dict) else {}


def _read_role(resource: ManagedResource) -> None:
    member = next((name for name in _POLICY if name in resource.members), "")
    if not member and not resource.is_observed:
        raise WrongShape(resource.at.pointer, f"a role without `{_POLICY[0]}` or `{_POLICY[1]}`")
    at = resource.at.at(member)
    policy = _policy(resource.members[member], at, resource) if member else _observed_only(resource)
    arn = shapes.as_text(resource.status.get("arn") or "")
    arn = arn if is_role_arn(arn) else ""
    parts = parse_arn(arn)
    resource.reading.roles.append(
        Role(
            arn,
            parts.name.rpartition("/")[2] if parts else resource.address,
            parts.account if parts else "",
            policy,
            resource.page.place,
            shapes.number(resource.members, "maxSessionDuration"),
            "",
            resource.address,
            _planned(resource),
        )
    )


def _observed_only(resource: ManagedResource) -> Unknown:
    return Unknown(
        f"trust policy of {resource.address}, which the controller observes only",
        "run aws iam get-role with the name of the role",
    )


def _policy(written: object, at: Place, resource: ManagedResource) -> TrustPolicy | Unknown:
    """A policy as text or as an object, with holes for its placeholders."""
    if isinstance(written, str):
        if not isinstance(with_holes(written), str) and "{" not in written.replace("${", "").replace("{{", ""):
            return Unknown(
                f"trust policy of {resource.address}, which is filled in later", "run kubectl get -o yaml for the object"
            )
        policy = read_policy_text(written, at, template=True)
        if policy.flaws:
            resource.reading.apart.append(policy.place)
        return policy
    return bare_policy(written, at, resource.page.duplicates)


def _planned(resource: ManagedResource) -> str:
    """Path and name that the role will have: ACK's `name`, or Crossplane's external name, by default that of the object."""
    annotations = resource.metadata.get("annotations")
    external = annotations.get(_EXTERNAL_NAME) if isinstance(annotations, dict) else None
    name = resource.text("name") or with_holes(shapes.as_text(external or "")) or with_holes(resource.name)
    path = resource.text("path") or "/"
    return f"{path}{name}".lstrip("/") if name and isinstance(name, str) and isinstance(path, str) else ""


def _read_provider(resource: ManagedResource) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html"""
    url = resource.text("url")
    issuer = without_scheme(url) if url else hole(f"issuer of {resource.address}")
    client_ids = resource.texts(*_CLIENT_IDS)
    if member := next((member for member in _CLIENT_IDS if member in resource.members), ""):
        listed = resource.page.place.at("client_id_list")
        resource.reading.anchors[(listed.part, listed.pointer)] = Anchor(resource.at.at(member).pointer)
    thumbprints = resource.texts("thumbprints", "thumbprintList")
    add_provider(resource.reading, issuer, (resource.address, resource.page.place), client_ids, thumbprints)


def _read_cluster(resource: ManagedResource) -> None:
    annotations = shapes.inner(resource.metadata, "annotations", resource.at)
    external = with_holes(shapes.as_text(annotations.get(_EXTERNAL_NAME) or ""))
    name = resource.text("name") or external or with_holes(resource.name)
    config = resource.members.get("accessConfig")
    mode = written_mode(None if config is None else written_of(value_with_holes(config)), "authenticationMode")
    is_made = None if mode is not None or not resource.is_observed else ""
    planned = (resource.address, resource.page.place)
    add_cluster(resource.reading, name if isinstance(name, str) else "", planned, is_made if mode is None else mode)


def _cluster_of(resource: ManagedResource) -> str | Text:
    """The name of a cluster; a reference to an object of the cluster is not its name."""
    return resource.text("clusterName") or hole(f"cluster of {resource.address}")


def _read_association(resource: ManagedResource) -> None:
    namespace, account = resource.text("namespace"), resource.text("serviceAccount")
    if not (namespace and account):
        if resource.is_observed:
            resource.reading.notes.append(f"{resource.address} is observed only: what it associates is not in the file")
            return
        raise WrongShape(resource.at.pointer, "an association without `namespace` or `serviceAccount`")
    role = resource.reference("roleArn")
    tags = resource.members.get("disableSessionTags") is not True
    target = resource.text("targetRoleARN", "targetRoleArn")
    resource.reading.associations.append(
        PodIdentityAssociation(
            _cluster_of(resource),
            namespace,
            account,
            resource.page.place,
            role,
            target,
            tags,
            narrowed=is_policy(resource.text("policy")),
        )
    )


def _read_entry(resource: ManagedResource) -> None:
    """https://aws-controllers-k8s.github.io/community/reference/eks/v1alpha1/accessentry"""
    if resource.is_observed:
        resource.reading.notes.append(f"{resource.address} is observed only: whom it lets in is not in the file")
        return
    access = AccessTemplate(resource.address, resource.page.place, resource.reading)
    # ACK has all policies in the entry; of Crossplane they are resources of their own
    policies: Mapping[str, object] = {"accessPolicies": []} if resource.is_of_ack else {}
    read_entry(access, {**policies, **resource.members}, _cluster_name(resource), resource.reference("principalArn"))


def _read_policy_association(resource: ManagedResource) -> None:
    """https://marketplace.upbound.io/providers/upbound/provider-aws-eks"""
    access = AccessTemplate(resource.address, resource.page.place, resource.reading)
    read_association(access, resource.members, _cluster_name(resource), resource.reference("principalArn"))


def _cluster_name(resource: ManagedResource) -> str | Text:
    """The name of a cluster, "" where an object names it: then it is the cluster of the document."""
    return resource.text("clusterName")


def _read_addon(resource: ManagedResource) -> None:
    member = next((name for name in ("serviceAccountRoleARN", "serviceAccountRoleArn") if name in resource.members), "")
    addon = Addon(
        name=resource.text("addonName", "name"),
        cluster=_cluster_of(resource),
        place=resource.page.place,
        role=resource.reference("serviceAccountRoleArn"),
        role_pointer=resource.at.at(member).pointer if member else resource.at.pointer,
    )
    add_account(addon, resource.reading)
    place = resource.at.at("podIdentityAssociations")
    for number, item in enumerate(shapes.many(resource.members, "podIdentityAssociations", resource.at)):
        at = place.at(number)
        inner = msgspec.structs.replace(resource, members=shapes.mapping(item, at), at=at)
        account = inner.text("serviceAccount") or joined([hole(f"{resource.address}.serviceAccount")])
        add_association(addon, account, inner.reference("roleArn"), at, resource.reading)


_READERS: Mapping[str, Callable[[ManagedResource], None]] = {
    "Role": _read_role,
    "OpenIDConnectProvider": _read_provider,
    "Cluster": _read_cluster,
    "PodIdentityAssociation": _read_association,
    "Addon": _read_addon,
    "AccessEntry": _read_entry,
    "AccessPolicyAssociation": _read_policy_association,
}
