"""Reads the control planes of EKS that Cluster API makes, with their OIDC provider and the roles of their add-ons.

https://cluster-api-aws.sigs.k8s.io/topics/eks/
"""

from irsa_doctor.model import Text
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.addons import Addon, add_account
from irsa_doctor.sources.templates.clusters import add_cluster
from irsa_doctor.sources.templates.providers import add_provider
from irsa_doctor.sources.templates.values import hole
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes


def read_control_plane(page: Page, reading: DocumentReading) -> None:
    """Read an AWSManagedControlPlane, or a template of one."""
    members = shapes.mapping(page.value, page.place)
    spec, at = shapes.inner(members, "spec", page.place), page.place.at("spec")
    if str(members.get("kind")).endswith("Template"):
        template = shapes.inner(spec, "template", at)
        spec, at = shapes.inner(template, "spec", at.at("template")), at.at("template", "spec")
    called = shapes.as_text(shapes.inner(members, "metadata", page.place).get("name") or "without name")
    address = f"{members.get('kind')} {called}"
    written = with_holes(shapes.text(spec, "eksClusterName", at))
    name = written if isinstance(written, str) else ""
    mode = shapes.text(shapes.inner(spec, "accessConfig", at), "authenticationMode", at.at("accessConfig"))
    add_cluster(reading, name, (address, page.place), mode.upper())
    if spec.get("associateOIDCProvider") is True:
        issuer = hole(f"issuer of {name or address}")
        # the only audience that the controller gives to it (`pkg/cloud/services/eks/iam` of the project)
        add_provider(reading, issuer, (address, at.at("associateOIDCProvider")), ("sts.amazonaws.com",))
    cluster: str | Text = name or hole(f"name of {address}")
    for number, item in enumerate(shapes.many(spec, "addons", at)):
        place = at.at("addons", number)
        addon = shapes.mapping(item, place)
        role, pointer = (
            with_holes(shapes.text(addon, "serviceAccountRoleARN", place)),
            place.at("serviceAccountRoleARN").pointer,
        )
        named = with_holes(shapes.text(addon, "name", place))
        add_account(Addon(name=named, cluster=cluster, place=place, role=role, role_pointer=pointer), reading)
