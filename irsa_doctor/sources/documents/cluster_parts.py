"""Reads answers of EKS and EC2 about parts of a cluster: its add-ons, the roles of its nodes, and their launch templates."""

from collections.abc import Mapping
from functools import partial

from irsa_doctor.model import ClusterAddon, ClusterCapability, NodeMetadata, NodeRole, Place
from irsa_doctor.sources.documents.access import read_access_entry
from irsa_doctor.sources.documents.aws import is_whole
from irsa_doctor.sources.documents.reading import DocumentReading, Listing, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import TextError
from irsa_doctor.text.yaml import read_yaml

_HYBRID = "HYBRID_LINUX"
_NODE_ENTRIES = frozenset({"EC2_LINUX", "EC2_WINDOWS", "EC2", "HYBRID_LINUX"})
"""types of access entries that are for nodes (https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html); those for
nodes of Fargate are left out, for no agent runs there"""


def read_list_addons(page: Page, reading: DocumentReading) -> None:
    """`aws eks list-addons`: names, without that of the cluster
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_ListAddons.html)."""
    members = shapes.mapping(page.value, page.place)
    names = shapes.texts(members, "addons", page.place)
    at = page.place.at("addons")
    reading.addons.extend(ClusterAddon(name=name, place=at.at(number)) for number, name in enumerate(names))
    reading.answers.append(Listing("addons", frozenset(names), is_whole(members), page.place))


def read_describe_addon(page: Page, reading: DocumentReading) -> None:
    """`aws eks describe-addon` (https://docs.aws.amazon.com/eks/latest/APIReference/API_Addon.html)."""
    place = page.place.at("addon")
    members = shapes.mapping(shapes.mapping(page.value, page.place)["addon"], place)
    health = shapes.inner(members, "health", place)
    listed = health.get("issues")
    issues = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    reading.addons.append(
        ClusterAddon(
            cluster=shapes.text(members, "clusterName", place),
            name=shapes.required(members, "addonName", place),
            place=place,
            status=shapes.text(members, "status", place),
            version=shapes.text(members, "addonVersion", place),
            issues=tuple(dict.fromkeys(str(item.get("code")) for item in issues if item.get("code"))),
            daemonsets=_daemonsets(members, place),
        )
    )


def _daemonsets(members: Mapping[str, object], place: Place) -> tuple[str, ...] | None:
    """The daemon sets that the configuration creates; EKS answers without the member where there is none."""
    text = shapes.text(members, "configurationValues", place)
    settings = addon_settings(text) if text else {}
    if settings is None:
        return None
    listed = settings.get("daemonsets")
    created = listed.items() if isinstance(listed, dict) else ()
    return tuple(str(name) for name, item in created if isinstance(item, dict) and item.get("create") is True)


def addon_settings(text: str) -> dict[str, object] | None:
    """The configuration values of an add-on, JSON or YAML; None where they cannot be read."""
    # most JSON is YAML
    documents = read_yaml(text.encode())
    value = documents[0].value if not isinstance(documents, TextError) and len(documents) == 1 else None
    return value if isinstance(value, dict) else None


def read_describe_nodegroup(page: Page, reading: DocumentReading) -> None:
    """`aws eks describe-nodegroup`: the role of its nodes
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html)."""
    place = page.place.at("nodegroup")
    members = shapes.mapping(shapes.mapping(page.value, page.place)["nodegroup"], place)
    reading.node_roles.append(
        NodeRole(
            cluster=shapes.required(members, "clusterName", place),
            arn=shapes.required(members, "nodeRole", place),
            compute_type="ec2",
            place=place.at("nodeRole"),
            group=shapes.text(members, "nodegroupName", place),
            launch_template=_launch_template(shapes.inner(members, "launchTemplate", place)),
        )
    )


def _launch_template(members: Mapping[str, object]) -> tuple[str, str] | None:
    ident, version = members.get("id") or members.get("name"), members.get("version")
    return (str(ident), str(version)) if ident and version else None


def read_launch_template_versions(page: Page, reading: DocumentReading) -> None:
    """`aws ec2 describe-launch-template-versions`: how the metadata service of nodes answers
    (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html).

    A template that leaves the hop limit to the AMI or the account is left out: the default differs
    (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html).
    """
    members = shapes.mapping(page.value, page.place)
    listed = shapes.many(members, "LaunchTemplateVersions", page.place)
    reading.empty = True
    reading.each(listed, page.place.at("LaunchTemplateVersions"), partial(_read_template_version, reading))


def _read_template_version(reading: DocumentReading, item: object, place: Place) -> None:
    members = shapes.mapping(item, place)
    data = shapes.inner(members, "LaunchTemplateData", place)
    options = shapes.inner(data, "MetadataOptions", place.at("LaunchTemplateData"))
    limit = 0 if options.get("HttpEndpoint") == "disabled" else options.get("HttpPutResponseHopLimit")
    if not isinstance(limit, int) or isinstance(limit, bool):
        return
    ids = tuple(str(members[name]) for name in ("LaunchTemplateId", "LaunchTemplateName") if members.get(name))
    version = str(members.get("VersionNumber", ""))
    reading.node_metadata.append(
        NodeMetadata(
            name=ids[-1] if ids else "",
            hop_limit=limit,
            place=place.at("LaunchTemplateData", "MetadataOptions"),
            kind="launch template",
            ids=ids,
            version=version,
        )
    )


def read_describe_capability(page: Page, reading: DocumentReading) -> None:
    """`aws eks describe-capability`: the role of a managed capability
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_Capability.html)."""
    place = page.place.at("capability")
    members = shapes.mapping(shapes.mapping(page.value, page.place)["capability"], place)
    reading.capabilities.append(
        ClusterCapability(
            cluster=shapes.text(members, "clusterName", place),
            name=shapes.text(members, "capabilityName", place),
            role_arn=shapes.required(members, "roleArn", place),
            place=place.at("roleArn"),
        )
    )


def read_describe_access_entry(page: Page, reading: DocumentReading) -> None:
    """`aws eks describe-access-entry`, of an entry for nodes their role too
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_AccessEntry.html)."""
    place = page.place.at("accessEntry")
    members = shapes.mapping(shapes.mapping(page.value, page.place)["accessEntry"], place)
    read_access_entry(members, place, reading)
    kind = shapes.text(members, "type", place)
    if kind not in _NODE_ENTRIES:
        return
    reading.node_roles.append(
        NodeRole(
            cluster=shapes.required(members, "clusterName", place),
            arn=shapes.required(members, "principalArn", place),
            compute_type="hybrid" if kind == _HYBRID else "ec2",
            place=place.at("principalArn"),
        )
    )
