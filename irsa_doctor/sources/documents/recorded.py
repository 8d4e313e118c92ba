"""Reads resources of AWS as other services and programs record them: items of AWS Config, answers of Cloud Control, and rows of
inventories such as Steampipe, CloudQuery or Ansible.

Each spells the members of AWS's own answers in its way (`assumeRolePolicyDocument`, `assume_role_policy`), so that they are
found in any case and without regard to `_`. None of them says that it is complete: what it does not have may be there.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import msgspec

from irsa_doctor.model import Place, parse_arn
from irsa_doctor.sources.documents import aws
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import TextError, WrongShape
from irsa_doctor.text.json import read_json

_Members = Mapping[str, object]
_ResourceName = tuple[str, ...]


class Spelled(msgspec.Struct, frozen=True):
    """The members of an object under any spelling of their names."""

    members: _Members
    place: Place
    names: Mapping[str, str]
    """name in small letters and without `_` -> as it is written"""

    @classmethod
    def of(cls, value: object, place: Place) -> "Spelled":
        """The members of an object, or of one that is JSON in a string; raises WrongShape for anything else."""
        if isinstance(value, str):
            scan = read_json(value.encode("utf-8", "surrogatepass"))
            if isinstance(scan, TextError):
                raise WrongShape(place.pointer, f"a text that is no JSON: {scan.why}")
            value = scan.value
        members = shapes.mapping(value, place)
        return cls(members, place, {_plain(str(name)): name for name in members})

    def get(self, *names: str) -> object:
        """The first of some members that is there and not null."""
        found = (self.members[self.names[name]] for name in map(_plain, names) if name in self.names)
        return next((value for value in found if value is not None), None)

    def text(self, name: str) -> str:
        """A member that is a string, "" where it is missing."""
        value = self.get(name)
        return value if isinstance(value, str) else ""

    def at(self, *names: str) -> Place:
        """Where the first of some members is that is there."""
        written = next((self.names[name] for name in map(_plain, names) if name in self.names), None)
        return self.place if written is None else self.place.at(written)

    def as_answered(self, names: Mapping[str, str]) -> dict[str, object]:
        """The members with the names that AWS's own answers have: name -> another one that has it."""
        found = {name: self.get(name, other) for name, other in names.items()}
        return {name: value for name, value in found.items() if value is not None}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


# Ansible's `iam_role_info` has changed the names inside of policies, and kept them in the first of these
# (https://docs.ansible.com/ansible/latest/collections/amazon/aws/iam_role_info_module.html)
_TRUST = ("AssumeRolePolicyDocumentRaw", "AssumeRolePolicyDocument", "AssumeRolePolicy")
_ROLE = {"Arn": "", "RoleName": "Name", "MaxSessionDuration": "", "CreateDate": "", "RoleLastUsed": ""}
_PROVIDER = {"Arn": "", "ClientIDList": "ClientIDs", "ThumbprintList": "Thumbprints", "CreateDate": ""}
_CLUSTER = {"arn": "", "name": "ClusterName", "identity": "", "version": "", "createdAt": ""}
_ASSOCIATION = dict.fromkeys(
    (
        *("clusterName", "namespace", "serviceAccount", "roleArn", "targetRoleArn", "disableSessionTags", "associationId"),
        *("externalId", "associationArn", "createdAt", "policy"),
    ),
    "",
)
"""name in AWS's own answer -> another one that has it"""


def _read_role(record: Spelled, page: Page, reading: DocumentReading) -> None:
    members = record.as_answered(_ROLE)
    if (written := record.get(*_TRUST)) is not None:
        members["AssumeRolePolicyDocument"] = written
    aws.read_role(members, record.place, page, reading, written_at=record.at(*_TRUST))


def _read_provider(record: Spelled, page: Page, reading: DocumentReading) -> None:
    aws.read_provider(record.as_answered(_PROVIDER), record.place, reading)


def _read_cluster(record: Spelled, page: Page, reading: DocumentReading) -> None:
    members = record.as_answered(_CLUSTER)
    if issuer := record.text("OpenIdConnectIssuerUrl") or _issuer_in(members.get("identity"), record.place):
        members["identity"] = {"oidc": {"issuer": issuer}}
    aws.read_cluster(members, record.place, reading)


def _issuer_in(identity: object, place: Place) -> str:
    """The issuer in `identity`, whose members are spelled in any way too."""
    oidc = Spelled.of(identity, place).get("oidc") if isinstance(identity, dict) else None
    return Spelled.of(oidc, place).text("issuer") if isinstance(oidc, dict) else ""


def _read_association(record: Spelled, page: Page, reading: DocumentReading) -> None:
    aws.read_pod_association(record.as_answered(_ASSOCIATION), record.place, reading)


_READERS: Mapping[str, Callable[[Spelled, Page, DocumentReading], None]] = {
    "AWS::IAM::Role": _read_role,
    "AWS::IAM::OIDCProvider": _read_provider,
    "AWS::EKS::Cluster": _read_cluster,
    "AWS::EKS::PodIdentityAssociation": _read_association,
}
"""type of CloudFormation's registry -> who reads a resource of it"""
_NONE = "no role, OIDC provider, cluster or Pod Identity association is among its resources"


def _read(kind: str, record: Spelled, page: Page, reading: DocumentReading) -> bool:
    """Read a resource of a type; whether it is one of those that are read."""
    reader = _READERS.get(kind)
    if reader is not None:
        reader(record, page, reading)
    return reader is not None


def is_eksctl_association(members: _Members) -> bool:
    """Whether an object is an association as `eksctl get podidentityassociation -o json` prints it."""
    return {"AssociationARN", "ServiceAccountName", "Namespace"} <= members.keys()


def read_eksctl_association(page: Page, reading: DocumentReading) -> None:
    """An association of eksctl, in whose ARN alone the cluster is named (`podidentityassociation/CLUSTER/ID`)."""
    record = Spelled.of(page.value, page.place)
    arn = parse_arn(record.text("AssociationARN"))
    if arn is None or "/" not in arn.name:
        raise WrongShape(record.at("AssociationARN").pointer, "not the ARN of a Pod Identity association")
    cluster, _, ident = arn.name.partition("/")
    account = record.get("ServiceAccountName")
    named = {"clusterName": cluster, "associationId": ident, "serviceAccount": account}
    aws.read_pod_association({**record.as_answered(_ASSOCIATION), **named}, page.place, reading)


_ROWS = ("rows", "iam_roles")


def is_inventory(members: _Members) -> bool:
    """Whether an object is a role in an inventory, or has rows among which is one: of Steampipe (`rows`), of Ansible."""
    return any(_is_role(row) for row, _ in _rows(members, Place("")))


def _rows(members: _Members, place: Place) -> Iterator[tuple[object, Place]]:
    yield members, place
    for name in _ROWS:
        rows = members.get(name)
        yield from ((row, place.at(name, number)) for number, row in enumerate(rows if isinstance(rows, list) else ()))


def _is_role(row: object) -> bool:
    """Whether a row is a role: it has the ARN of one, and a trust policy."""
    names = {_plain(str(name)): name for name in row} if isinstance(row, dict) else {}
    if not isinstance(row, dict) or names.keys().isdisjoint(map(_plain, _TRUST)):
        return False
    arn = row.get(names.get("arn"))
    parts = parse_arn(arn) if isinstance(arn, str) else None
    return parts is not None and parts.service == "iam" and parts.kind == "role"


def read_inventory(page: Page, reading: DocumentReading) -> None:
    """The roles among the rows of an inventory."""
    for row, place in _rows(shapes.mapping(page.value, page.place), page.place):
        if _is_role(row):
            reading.attempt(row, place, lambda value, at: _read_role(Spelled.of(value, at), page, reading))


def is_cloud_control(members: _Members) -> bool:
    """Whether an object is an answer of Cloud Control's GetResource or ListResources."""
    return isinstance(members.get("TypeName"), str) and ("ResourceDescription" in members or "ResourceDescriptions" in members)


def read_cloud_control(page: Page, reading: DocumentReading) -> None:
    """An answer of Cloud Control, whose resources are JSON in strings; ListResources gives the identifier of a resource alone
    where its type lists no more (https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ResourceDescription.html)."""
    members, place = shapes.mapping(page.value, page.place), page.place
    kind = shapes.text(members, "TypeName", place)

    def read(value: object, at: Place) -> None:
        properties = Spelled.of(shapes.mapping(value, at).get("Properties"), at.at("Properties"))
        if not _read(kind, properties, page, reading):
            reading.passed.append(_NONE)

    if "ResourceDescription" in members:
        reading.attempt(members["ResourceDescription"], place.at("ResourceDescription"), read)
    reading.each(shapes.many(members, "ResourceDescriptions", place), place.at("ResourceDescriptions"), read)


_ITEM_LISTS = ("configurationItems", "baseConfigurationItems", "Results")
_ITEM = "configurationItem"


def is_config_items(members: _Members) -> bool:
    """Whether an object holds items of AWS Config: a snapshot, a history, a notification, or what its queries answer."""
    names = {_plain(str(name)): name for name in members}
    if "results" in names and not names.keys() >= {"results", "queryinfo"}:
        return False
    lists = (members.get(names.get(_plain(name), "")) for name in _ITEM_LISTS)
    return any(isinstance(listed, list) for listed in lists) or isinstance(
        members.get(names.get("configurationitem", "")), dict
    )


def read_config_items(page: Page, reading: DocumentReading) -> None:
    """Items of AWS Config (https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html), of a history the
    last one of each resource; what was deleted is not there."""
    last: dict[_ResourceName | Place, Spelled] = {}

    def keep(value: object, at: Place) -> None:
        item = Spelled.of(value, at)
        known = last.get(name := _name_of(item))
        if known is None or _captured(item) > _captured(known):
            last[name] = item

    around = Spelled.of(page.value, page.place)
    for name in _ITEM_LISTS:
        listed = around.get(name)
        reading.each(listed if isinstance(listed, list) else (), around.at(name), keep)
    if isinstance(item := around.get(_ITEM), dict):
        reading.attempt(item, around.at(_ITEM), keep)
    read = [_read_item(item, page, reading) for item in last.values()]
    if not any(read):
        reading.passed.append(_NONE)


def _name_of(item: Spelled) -> _ResourceName | Place:
    """What makes two items ones of the same resource: one that was deleted may have no ARN. Its place where it says neither, as
    what a query answers, which has each resource once."""
    account = item.text("accountId") or item.text("awsAccountId")
    name = account, item.text("awsRegion"), item.text("resourceType"), item.text("resourceId")
    return name if all(name) else (item.text("arn"),) if item.text("arn") else item.place


def _captured(item: Spelled) -> float:
    """When an item was captured: a number of seconds, or RFC 3339 in any zone, as the versions of the AWS CLI print it."""
    written = item.get("configurationItemCaptureTime")
    if isinstance(written, int | float):
        return float(written)
    try:
        return datetime.fromisoformat(str(written)).timestamp()
    except (ValueError, OverflowError):
        return -math.inf


def _read_item(item: Spelled, page: Page, reading: DocumentReading) -> bool:
    """Read a resource of AWS Config; whether it is there and of a type that is read."""
    written, kind = item.get("configuration"), item.text("resourceType")
    if written is None or item.text("configurationItemStatus").startswith("ResourceDeleted") or kind not in {"", *_READERS}:
        return False

    def read(value: object, at: Place) -> None:
        record = Spelled.of(value, at)
        if not record.text("arn"):
            record = Spelled.of({**record.members, "arn": item.text("arn")}, at)
        # a query answers the members that it selects, and the type may not be one of them
        _read(kind or ("AWS::IAM::Role" if record.get(*_TRUST) else ""), record, page, reading)

    reading.attempt(written, item.at("configuration"), read)
    return True
