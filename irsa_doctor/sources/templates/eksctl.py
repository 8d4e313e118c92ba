"""Reads the ClusterConfig of eksctl: the service accounts, roles and Pod Identity associations that it makes.

https://docs.aws.amazon.com/eks/latest/eksctl/iamserviceaccounts.html
https://docs.aws.amazon.com/eks/latest/eksctl/pod-identity-associations.html
"""

from collections.abc import Mapping
from functools import partial

import msgspec

from irsa_doctor.model import Hole, Place, PodIdentityAssociation, Role, ServiceAccount, Text, TrustPolicy, joined, text_of
from irsa_doctor.sources.documents.kubernetes import annotations_of
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.values import hole
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes
from irsa_doctor.text.positions import Anchor

_ROLE_ARN = "eks.amazonaws.com/role-arn"


def read_cluster_config(page: Page, reading: DocumentReading) -> None:
    """A ClusterConfig; other objects of eksctl have nothing for us."""
    members, place = shapes.mapping(page.value, page.place), page.place
    if members.get("kind") != "ClusterConfig":
        reading.passed.append(f"an eksctl object of kind {members.get('kind')}: only ClusterConfig is read")
        return
    cluster = _cluster(members, place, reading)
    iam = shapes.inner(members, "iam", place)
    at = place.at("iam")
    accounts = shapes.many(iam, "serviceAccounts", at)
    reading.each(accounts, at.at("serviceAccounts"), partial(_read_account, reading, cluster))
    if accounts and iam.get("withOIDC") is not True:
        reading.notes.append("eksctl refuses `iam.serviceAccounts` without `iam.withOIDC`")
    associations = shapes.many(iam, "podIdentityAssociations", at)
    reading.each(associations, at.at("podIdentityAssociations"), partial(_read_association, reading, cluster))
    if not reading.gave_something():
        reading.passed.append("a cluster without name, service account or Pod Identity association")


def _cluster(members: Mapping[str, object], place: Place, reading: DocumentReading) -> str | Text:
    """The name of the cluster, to which all of the document belongs."""
    metadata = shapes.inner(members, "metadata", place)
    name = with_holes(shapes.as_text(metadata.get("name") or ""))
    if isinstance(name, str) and name:
        reading.cluster_names.append((name, place.at("metadata", "name")))
        known = reading.origin.cluster
        if not known or known == name:
            reading.origin = msgspec.structs.replace(reading.origin, cluster=name)
    return name


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
        policy = TrustPolicy(_web_identity(cluster, with_holes(f"system:serviceaccount:{namespace}:{name}")), place, (), True)
        reading.roles.append(Role("", address, "", policy, place, 0, "", address))
    if members.get("roleOnly") is True:
        return
    annotations = annotations_of(metadata, place.at("metadata"))
    annotations[_ROLE_ARN] = role_arn
    at = place.at("metadata", "annotations", _ROLE_ARN)
    source = place.at("attachRoleARN") if attached else place.at("metadata", "name")
    reading.anchors[(at.part, at.pointer)] = Anchor(source.pointer)
    reading.service_accounts.append(ServiceAccount("", namespace, name, place, annotations, template=True))


def _web_identity(cluster: str | Text, subject: str | Text) -> dict[str, object]:
    """The trust policy that eksctl writes for a service account."""
    name = text_of(cluster)
    issuer = Hole(f"${{issuer of {name}}}")
    partition, account = Hole(f"${{partition of {name}}}"), Hole(f"${{account of {name}}}")
    claims: dict[object, object] = {joined((issuer, ":sub")): subject, joined((issuer, ":aud")): "sts.amazonaws.com"}
    statement = {
        "Effect": "Allow",
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Principal": {"Federated": joined(("arn:", partition, ":iam::", account, ":oidc-provider/", issuer))},
        "Condition": {"StringEquals": claims},
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
        statement = {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Principal": {"Service": "pods.eks.amazonaws.com"},
        }
        policy = TrustPolicy({"Version": "2012-10-17", "Statement": [statement]}, place, (), True)
        reading.roles.append(Role("", address, "", policy, place, 0, "", address))
    if members.get("createServiceAccount") is True:
        at = place.at("metadata")
        reading.anchors[(at.part, at.pointer)] = Anchor(place.pointer)
        reading.service_accounts.append(ServiceAccount("", namespace, account, place, template=True))
    if not isinstance(cluster, str) or not cluster:
        reading.notes.append("the name of the cluster of the Pod Identity associations is a placeholder")
        return
    role = with_holes(role_arn) if role_arn else hole(f"{address}.arn")
    tags, target = members.get("disableSessionTags") is not True, shapes.text(members, "targetRoleARN", place)
    reading.associations.append(PodIdentityAssociation(cluster, namespace, account, place, role, target, tags))
