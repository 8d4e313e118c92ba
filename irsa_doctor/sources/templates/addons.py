"""The service accounts that well-known add-ons of EKS bring with them, and what a template says of an add-on.

A row names the page that names the account. An add-on that is not listed here may use any account.
"""

from collections.abc import Mapping

import msgspec

from irsa_doctor.model import ClusterAddon, Place, PodIdentityAssociation, ServiceAccount, Text
from irsa_doctor.model.annotations import ROLE_ARN
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.values import TemplateValue
from irsa_doctor.text.positions import Anchor

_GUIDE = "https://docs.aws.amazon.com/eks/latest/userguide"


class AddonAccount(msgspec.Struct, frozen=True):
    """The service account of an add-on that gets its role, and the page that says so."""

    namespace: str
    name: str
    source: str


ADDON_ACCOUNTS: Mapping[str, AddonAccount] = {
    "vpc-cni": AddonAccount("kube-system", "aws-node", f"{_GUIDE}/cni-iam-role.html"),
    "aws-ebs-csi-driver": AddonAccount("kube-system", "ebs-csi-controller-sa", f"{_GUIDE}/ebs-csi.html"),
    "aws-efs-csi-driver": AddonAccount("kube-system", "efs-csi-controller-sa", f"{_GUIDE}/efs-csi.html"),
    "aws-fsx-csi-driver": AddonAccount("kube-system", "fsx-csi-controller-sa", f"{_GUIDE}/fsx-csi.html"),
    "aws-mountpoint-s3-csi-driver": AddonAccount("kube-system", "s3-csi-driver-sa", f"{_GUIDE}/s3-csi.html"),
    "amazon-cloudwatch-observability": AddonAccount(
        "amazon-cloudwatch",
        "cloudwatch-agent",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/install-CloudWatch-Observability-EKS-addon.html",
    ),
    "external-dns": AddonAccount("external-dns", "external-dns", f"{_GUIDE}/community-addons.html"),
    "cert-manager": AddonAccount("cert-manager", "cert-manager", f"{_GUIDE}/community-addons.html"),
}
"""Name of an add-on -> the service account that its role is for"""


class Addon(msgspec.Struct, frozen=True, kw_only=True):
    """An add-on of a template: `role` is the ARN that its service account is annotated with, written at `role_pointer`."""

    name: str | Text
    cluster: str | Text
    place: Place
    namespace: str = ""
    role: str | Text = ""
    role_pointer: str = ""


def add_account(addon: Addon, reading: DocumentReading) -> None:
    """Add an add-on, and the service account that EKS annotates for it; of an unknown one only the annotation is certain.

    EKS writes the role into the annotation (https://docs.aws.amazon.com/eks/latest/userguide/add-ons-iam.html).
    """
    if isinstance(addon.name, str) and isinstance(addon.cluster, str):
        reading.addons.append(ClusterAddon(cluster=addon.cluster, name=addon.name, place=addon.place))
    if not addon.role:
        return
    known = ADDON_ACCOUNTS.get(addon.name) if isinstance(addon.name, str) else None
    namespace = addon.namespace or (known.namespace if known else "")
    name = known.name if known else f"add-on {addon.name}"
    at = addon.place.at("metadata", "annotations", ROLE_ARN)
    reading.anchors[(at.part, at.pointer)] = Anchor(addon.role_pointer or addon.place.pointer)
    account = ServiceAccount("", namespace, name, addon.place, {ROLE_ARN: addon.role}, template=True)
    (reading.service_accounts if known else reading.account_templates).append(account)


def add_association(addon: Addon, account: str | Text, role: str | Text, place: Place, reading: DocumentReading) -> None:
    """Add a Pod Identity association that an add-on owns; its namespace is that of the add-on's account."""
    known = ADDON_ACCOUNTS.get(addon.name) if isinstance(addon.name, str) else None
    namespace = addon.namespace or (known.namespace if known else "") or unknown_namespace(addon.name)
    reading.associations.append(PodIdentityAssociation(addon.cluster, namespace, account, place, role))


def unknown_namespace(name: str | Text) -> Text:
    """The namespace of an add-on that is not listed, as a hole."""
    from irsa_doctor.sources.templates.values import hole

    return hole(f"namespace of add-on {name}")


def session_tags_of(switch: TemplateValue | None) -> bool | Text:
    """Whether an association has session tags, by the setting that disables them; its text where a template fills it in."""
    value = switch.value if switch is not None else None
    return value if isinstance(value, Text) else value not in (True, "true", "True")


def is_policy(value: object) -> bool:
    """Whether a member is certainly a policy: a value that is filled in later may be none."""
    if isinstance(value, Text):
        return any(isinstance(part, str) and part.strip() for part in value.parts)
    return bool(value)
