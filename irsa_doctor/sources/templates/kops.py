"""Reads the Cluster of kOps: the roles that it makes for service accounts, and the OIDC provider of the cluster.

https://kops.sigs.k8s.io/cluster_spec/#service-account-issuer-discovery-and-aws-iam-roles-for-service-accounts-irsa; the names,
the trust policies and the client ids are those of `pkg/model/iam` and `pkg/model/awsmodel` of the project.
"""

import base64
from collections.abc import Mapping

from irsa_doctor.model import Hole, MappedAccount, Place, Role, Text, TrustPolicy, joined, text_of, without_scheme
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.providers import add_provider
from irsa_doctor.sources.templates.values import hole
from irsa_doctor.text import shapes
from irsa_doctor.text.placeholders import with_holes

_AUDIENCE = "amazonaws.com"
_STORE = "s3://"
_LONGEST_NAME = 64
_HASH = 6
"""characters of the hash that ends a name which is cut (`pkg/truncate`)"""


def read_kops_cluster(page: Page, reading: DocumentReading) -> None:
    """Read a Cluster of kOps."""
    members, place = shapes.mapping(page.value, page.place), page.place
    cluster = with_holes(shapes.as_text(shapes.inner(members, "metadata", place).get("name") or ""))
    spec, at = shapes.inner(members, "spec", place), place.at("spec")
    issuer = _issuer(spec, at, cluster)
    discovery, of_discovery = shapes.inner(spec, "serviceAccountIssuerDiscovery", at), at.at("serviceAccountIssuerDiscovery")
    if discovery.get("enableAWSOIDCProvider") is True:
        audiences = (_AUDIENCE, *shapes.texts(discovery, "additionalAudiences", of_discovery))
        address = f"OIDC provider of {text_of(cluster) or 'the cluster'}"
        add_provider(reading, issuer, (address, of_discovery.at("enableAWSOIDCProvider")), audiences)
    iam, of_iam = shapes.inner(spec, "iam", at), at.at("iam")

    webhook = shapes.inner(spec, "podIdentityWebhook", at)

    def read(item: object, where: Place) -> None:
        entry = shapes.mapping(item, where)
        _add_role(entry, where, (cluster, issuer), reading)
        if webhook.get("enabled") is True:
            reading.mapped_accounts.append(MappedAccount(issuer, str(entry["namespace"]), str(entry["name"]), where))

    permissions = "serviceAccountExternalPermissions"
    reading.each(shapes.many(iam, permissions, of_iam), of_iam.at(permissions), read)
    if iam.get("useServiceAccountExternalPermissions") is True:
        reading.notes.append(
            "the roles that kOps makes for its own add-ons are not read: check the output of `--target=terraform`"
        )
    if not reading.gave_something():
        reading.passed.append("a cluster of kOps without roles for service accounts and without an OIDC provider")


def _add_role(members: Mapping[str, object], place: Place, of: tuple[str | Text, str | Text], reading: DocumentReading) -> None:
    """The role of one service account, or of one name in every namespace that fits a pattern."""
    cluster, issuer = of
    name, namespace = shapes.required(members, "name", place), shapes.required(members, "namespace", place)
    written = with_holes(f"{name}.{namespace.replace('*', 'wildcard')}.sa.{text_of(cluster)}")
    planned = _cut(written) if isinstance(written, str) and isinstance(cluster, str) and cluster else ""
    address = f"serviceaccount {namespace}/{name}"
    policy = TrustPolicy(_web_identity(cluster, issuer, f"system:serviceaccount:{namespace}:{name}"), place, (), True)
    reading.roles.append(Role("", address, "", policy, place, 0, "", address, planned))


def _web_identity(cluster: str | Text, issuer: str | Text, subject: str) -> dict[str, object]:
    """The trust policy that kOps writes: no audience, and a pattern where the namespace has a wildcard."""
    partition, account = Hole(f"${{partition of {text_of(cluster)}}}"), Hole(f"${{account of {text_of(cluster)}}}")
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": joined(("arn:", partition, ":iam::", account, ":oidc-provider/", issuer))},
        "Condition": {"StringLike" if "*" in subject else "StringEquals": {joined((issuer, ":sub")): with_holes(subject)}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _issuer(spec: Mapping[str, object], at: Place, cluster: str | Text) -> str | Text:
    """The issuer without scheme: as written, else where the discovery documents are; of a bucket the region is not known."""
    written = shapes.text(shapes.inner(spec, "kubeAPIServer", at), "serviceAccountIssuer", at.at("kubeAPIServer"))
    discovery, place = shapes.inner(spec, "serviceAccountIssuerDiscovery", at), at.at("serviceAccountIssuerDiscovery")
    service = shapes.inner(discovery, "discoveryService", place)
    written = written or shapes.text(service, "url", place.at("discoveryService"))
    store = shapes.text(discovery, "discoveryStore", place)
    if written or not store.startswith(_STORE):
        return without_scheme(with_holes(written)) if written else hole(f"service account issuer of {text_of(cluster)}")
    bucket, slash, key = store.removeprefix(_STORE).strip("/").partition("/")
    region = Hole(f"${{region of bucket {bucket}}}")
    return joined((with_holes(bucket), ".s3.", region, ".amazonaws.com", with_holes(slash + key)))


def _cut(name: str) -> str:
    """A name as kOps cuts it: what is too long ends in a hash (FNV-1a) of the whole."""
    if len(name) <= _LONGEST_NAME:
        return name
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    ending = base64.b32hexencode(value.to_bytes(4)).decode().lower()[:_HASH]
    return f"{name[: _LONGEST_NAME - _HASH - 1]}-{ending}"
