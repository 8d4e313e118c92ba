"""Reads the ClusterConfig of eksctl: the service accounts, roles and Pod Identity associations that it makes.

https://docs.aws.amazon.com/eks/latest/eksctl/iamserviceaccounts.html
https://docs.aws.amazon.com/eks/latest/eksctl/pod-identity-associations.html
https://docs.aws.amazon.com/eks/latest/eksctl/addons.html
"""

from collections.abc import Mapping
from functools import partial
from typing import Literal

import msgspec

from irsa_doctor.model import (
    Hole,
    Place,
    PlannedCluster,
    PodIdentityAssociation,
    Role,
    ServiceAccount,
    Text,
    TrustPolicy,
    joined,
    text_of,
)
from irsa_doctor.model.access import AccessEntry, AssociatedAccess, AuthMap, AuthRow
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.sources.documents.access import associated_policy, auth_row
from irsa_doctor.sources.documents.kubernetes import annotations_of
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.addons import ADDON_ACCOUNTS, Addon, add_account, add_association
from irsa_doctor.sources.templates.clusters import add_mode
from irsa_doctor.sources.templates.providers import add_provider
from irsa_doctor.sources.templates.values import hole
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes
from irsa_doctor.text.positions import Anchor

_DEFAULT_MODE = "API_AND_CONFIG_MAP"
"""of a cluster that eksctl makes (https://docs.aws.amazon.com/eks/latest/eksctl/access-entries.html)"""


def read_cluster_config(page: Page, reading: DocumentReading) -> None:
    """A ClusterConfig; other objects of eksctl have nothing for us."""
    members, place = shapes.mapping(page.value, page.place), page.place
    if members.get("kind") != "ClusterConfig":
        reading.passed.append(f"an eksctl object of kind {members.get('kind')}: only ClusterConfig is read")
        return
    cluster = _cluster(members, place, reading)
    iam = shapes.inner(members, "iam", place)
    at = place.at("iam")
    if iam.get("withOIDC") is True:
        _add_provider(cluster, at, reading)
    accounts = shapes.many(iam, "serviceAccounts", at)
    reading.each(accounts, at.at("serviceAccounts"), partial(_read_account, reading, cluster))
    if accounts and iam.get("withOIDC") is not True:
        reading.notes.append("eksctl refuses `iam.serviceAccounts` without `iam.withOIDC`")
    associations = shapes.many(iam, "podIdentityAssociations", at)
    reading.each(associations, at.at("podIdentityAssociations"), partial(_read_association, reading, cluster))
    addons = _Addons(reading, cluster, iam.get("withOIDC") is True)
    reading.each(shapes.many(members, "addons", place), place.at("addons"), addons.read)
    _read_access(members, place, reading)
    if not reading.gave_something():
        reading.passed.append("a cluster without name, service account or Pod Identity association")


def _read_access(members: Mapping[str, object], place: Place, reading: DocumentReading) -> None:
    """Who is let into the cluster: access entries (https://docs.aws.amazon.com/eks/latest/eksctl/access-entries.html), and rows
    of aws-auth (https://docs.aws.amazon.com/eks/latest/eksctl/iam-identity-mappings.html)."""
    config, at = shapes.inner(members, "accessConfig", place), place.at("accessConfig")
    mode = shapes.text(config, "authenticationMode", at)
    add_mode(reading, "", mode or None, _DEFAULT_MODE)
    reading.each(shapes.many(config, "accessEntries", at), at.at("accessEntries"), partial(_read_entry, reading))
    rows: list[AuthRow] = []
    accounts: list[str] = []
    at = place.at("iamIdentityMappings")

    def read(item: object, where: Place) -> None:
        row = shapes.mapping(item, where)
        accounts.extend([shapes.text(row, "account", where)] if row.get("account") else [])
        arn = shapes.text(row, "arn", where)
        if arn:
            name: Literal["mapRoles", "mapUsers"] = "mapUsers" if ":user/" in arn else "mapRoles"
            rows.append(auth_row(name, len(rows), {**row, "rolearn": arn, "userarn": arn}, where))

    reading.each(shapes.many(members, "iamIdentityMappings", place), at, read)
    if rows or accounts:
        reading.auth_maps.append(AuthMap(rows=tuple(rows), accounts=tuple(accounts), place=at))


def _read_entry(reading: DocumentReading, item: object, place: Place) -> None:
    members = shapes.mapping(item, place)
    principal = shapes.required(members, "principalARN", place)
    reading.access_entries.append(
        AccessEntry(
            principal=principal,
            place=place,
            type=shapes.text(members, "type", place) or "STANDARD",
            username=shapes.text(members, "kubernetesUsername", place),
            groups=shapes.texts(members, "kubernetesGroups", place),
        )
    )
    at = place.at("accessPolicies")
    policies = [
        associated_policy({**inner, "policyArn": inner.get("policyARN")}, at.at(number))
        for number, each in enumerate(shapes.many(members, "accessPolicies", place))
        for inner in [shapes.mapping(each, at.at(number))]
    ]
    reading.associated_access.append(AssociatedAccess(principal=principal, policies=tuple(policies), place=place))


def _cluster(members: Mapping[str, object], place: Place, reading: DocumentReading) -> str | Text:
    """The name of the cluster, to which all of the document belongs."""
    metadata = shapes.inner(members, "metadata", place)
    name = with_holes(shapes.as_text(metadata.get("name") or ""))
    if isinstance(name, str) and name:
        reading.cluster_names.append((name, place.at("metadata", "name")))
        known = reading.origin.cluster
        if not known or known == name:
            reading.origin = msgspec.structs.replace(reading.origin, cluster=name)
    elif name:
        config = shapes.inner(members, "accessConfig", place)
        mode = shapes.text(config, "authenticationMode", place.at("accessConfig")) or _DEFAULT_MODE
        reading.planned_clusters.append(PlannedCluster(text_of(name), place.at("metadata", "name"), mode))
    return name


def _add_provider(cluster: str | Text, place: Place, reading: DocumentReading) -> None:
    """The OIDC provider that eksctl makes, with the only audience that it gives to it
    (https://github.com/eksctl-io/eksctl/blob/main/pkg/iam/oidc/api.go)."""
    issuer, address = hole(f"issuer of {text_of(cluster)}"), f"OIDC provider of {text_of(cluster) or 'the cluster'}"
    add_provider(reading, issuer, (address, place.at("withOIDC")), ("sts.amazonaws.com",))


def _read_account(reading: DocumentReading, cluster: str | Text, item: object, place: Place) -> None:
    """A service account with the role that eksctl makes for it, or one that is there already."""
    members = shapes.mapping(item, place)
    metadata = shapes.inner(members, "metadata", place)
    name = shapes.required(metadata, "name", place.at("metadata"))
    namespace = shapes.text(metadata, "namespace", place.at("metadata")) or "default"
    address = f"iamserviceaccount {namespace}/{name}"
    attached = shapes.text(members, "attachRoleARN", place)
    role_arn = with_holes(attached) if attached else hole(f"{address}.arn")
    if not attached:
        document = _web_identity(cluster, with_holes(f"system:serviceaccount:{namespace}:{name}"))
        _add_role(address, document, members.get("roleName"), place, reading)
    if members.get("roleOnly") is True:
        return
    annotations = annotations_of(metadata, place.at("metadata"))
    annotations[ROLE_ARN] = role_arn
    at = place.at("metadata", "annotations", ROLE_ARN)
    source = place.at("attachRoleARN") if attached else place.at("metadata", "name")
    reading.anchors[(at.part, at.pointer)] = Anchor(source.pointer)
    reading.service_accounts.append(ServiceAccount("", namespace, name, place, annotations, template=True))


def _add_role(address: str, document: object, name: object, place: Place, reading: DocumentReading) -> None:
    """A role that eksctl makes, by the name that the file gives it."""
    planned = name if isinstance(name, str) and isinstance(with_holes(name), str) else ""
    reading.roles.append(Role("", address, "", TrustPolicy(document, place, (), True), place, 0, "", address, planned))


def _web_identity(cluster: str | Text, subject: str | Text | None) -> dict[str, object]:
    """The trust policy that eksctl writes for a service account; without `subject`, for any one that has the audience."""
    name = text_of(cluster)
    issuer = Hole(f"${{issuer of {name}}}")
    partition, account = Hole(f"${{partition of {name}}}"), Hole(f"${{account of {name}}}")
    claims: dict[object, object] = {joined((issuer, ":sub")): subject} if subject else {}
    claims[joined((issuer, ":aud"))] = "sts.amazonaws.com"
    statement = {
        "Effect": "Allow",
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Principal": {"Federated": joined(("arn:", partition, ":iam::", account, ":oidc-provider/", issuer))},
        "Condition": {"StringEquals": claims},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _for_pods() -> dict[str, object]:
    """The trust policy that eksctl writes for EKS Pod Identity."""
    statement = {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": "pods.eks.amazonaws.com"},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _read_association(reading: DocumentReading, cluster: str | Text, item: object, place: Place) -> None:
    """A Pod Identity association, and the role that eksctl makes for it where none is given."""
    members = shapes.mapping(item, place)
    namespace = shapes.required(members, "namespace", place)
    account = shapes.required(members, "serviceAccountName", place)
    address = f"podidentityassociation {namespace}/{account}"
    role_arn = shapes.text(members, "roleARN", place)
    if not role_arn:
        _add_role(address, _for_pods(), members.get("roleName"), place, reading)
    if members.get("createServiceAccount") is True:
        at = place.at("metadata")
        reading.anchors[(at.part, at.pointer)] = Anchor(place.pointer)
        reading.service_accounts.append(ServiceAccount("", namespace, account, place, template=True))
    role = with_holes(role_arn) if role_arn else hole(f"{address}.arn")
    tags, target = members.get("disableSessionTags") is not True, with_holes(shapes.text(members, "targetRoleARN", place))
    names, narrowed = (with_holes(namespace), with_holes(account)), bool(members.get("policy"))
    reading.associations.append(PodIdentityAssociation(cluster, *names, place, role, target, tags, narrowed=narrowed))


_POLICIES = ("attachPolicyARNs", "attachPolicy", "wellKnownPolicies")
"""Members of an add-on for which eksctl makes a role"""
_WITH_SUBJECT = "vpc-cni"
"""The only add-on of which eksctl knows the service account; the roles of all others check the audience alone"""


class _Addons(msgspec.Struct, frozen=True):
    """The add-ons of one cluster; without OIDC eksctl makes no role for web identity."""

    reading: DocumentReading
    cluster: str | Text
    with_oidc: bool

    def read(self, item: object, place: Place) -> None:
        """One add-on: its role by ARN, the role that eksctl makes of its policies, or its Pod Identity associations."""
        members = shapes.mapping(item, place)
        name = shapes.required(members, "name", place)
        address = f"addon {name}"
        arn = shapes.text(members, "serviceAccountRoleARN", place)
        associations = shapes.many(members, "podIdentityAssociations", place)
        makes_role = not arn and not associations and any(members.get(policies) for policies in _POLICIES)
        if makes_role and not self.with_oidc:
            self.reading.notes.append(f"eksctl makes no role for the policies of {name} without `iam.withOIDC`")
            makes_role = False
        addon = Addon(
            name=with_holes(name),
            cluster=self.cluster,
            place=place,
            role=with_holes(arn) if arn else hole(f"{address}.arn") if makes_role else "",
            role_pointer=place.at("serviceAccountRoleARN" if arn else "name").pointer,
        )
        if makes_role:
            account = ADDON_ACCOUNTS[_WITH_SUBJECT] if name.lower() == _WITH_SUBJECT else None
            subject = f"system:serviceaccount:{account.namespace}:{account.name}" if account else None
            _add_role(address, _web_identity(self.cluster, subject), None, place, self.reading)
        add_account(addon, self.reading)
        at = place.at("podIdentityAssociations")
        self.reading.each(associations, at, partial(self._read_association, addon))

    def _read_association(self, addon: Addon, item: object, place: Place) -> None:
        """An association of an add-on, and the role that eksctl makes for it where none is given."""
        members = shapes.mapping(item, place)
        account = shapes.required(members, "serviceAccountName", place)
        arn = shapes.text(members, "roleARN", place)
        address = f"addon {addon.name} {account}"
        if not arn:
            _add_role(address, _for_pods(), members.get("roleName"), place, self.reading)
        namespace = shapes.text(members, "namespace", place)
        own = msgspec.structs.replace(addon, namespace=namespace) if namespace else addon
        role = with_holes(arn) if arn else hole(f"{address}.arn")
        add_association(own, with_holes(account), role, place, self.reading)
