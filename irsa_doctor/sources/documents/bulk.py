"""Reads big exports without building what nobody asks for: typed decoding, policies left as raw text."""

import msgspec

from irsa_doctor.model import Namespace, Place, Role, ServiceAccount, TrustPolicy, Unknown, parse_arn
from irsa_doctor.sources.documents.aws import is_whole, policy_missing
from irsa_doctor.sources.documents.kubernetes import about_aws, read_resource
from irsa_doctor.sources.documents.managing import manager_of_object, manager_of_tags
from irsa_doctor.sources.documents.policies import read_policy_bytes
from irsa_doctor.sources.documents.reading import DocumentReading, Listing
from irsa_doctor.text.placeholders import with_holes

FROM = 32_768
"""Bytes from which a document is worth it; smaller ones are read strictly throughout."""

_NOTHING = msgspec.Raw(b"")
_KIND_OF = {"RoleDetailList": "iam-get-account-authorization-details", "Roles": "iam-list-roles"}


class _Role(msgspec.Struct, gc=False):
    Arn: str
    RoleName: str = ""
    AssumeRolePolicyDocument: msgspec.Raw = _NOTHING
    MaxSessionDuration: int = 0
    CreateDate: str = ""
    Tags: list[dict[str, str]] | None = None


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    generateName: str = ""
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    creationTimestamp: str | None = None


class _Object(msgspec.Struct):
    kind: str = ""
    apiVersion: str = ""
    metadata: _Metadata | None = None
    spec: msgspec.Raw = _NOTHING
    template: msgspec.Raw = _NOTHING
    webhooks: msgspec.Raw = _NOTHING
    data: dict[str, msgspec.Raw] | None = None
    stringData: dict[str, msgspec.Raw] | None = None
    binaryData: dict[str, msgspec.Raw] | None = None


class _Page(msgspec.Struct):
    RoleDetailList: list[_Role] | None = None
    Roles: list[_Role] | None = None
    items: list[_Object] | None = None
    kind: str = ""
    apiVersion: str = ""
    IsTruncated: bool = False
    Marker: str | None = None
    NextToken: str | None = None


_decoder = msgspec.json.Decoder(_Page)
_decode = msgspec.json.Decoder().decode


def read_bulk(text: bytes, path: str, reading: DocumentReading, kind: str = "") -> bool:
    """Read a big export, only one of `kind` where that is known; False, and nothing read, where it is none or not perfectly
    shaped: then the slow way tells why.

    A member given twice outside a policy is not seen here, but no API writes one.
    """
    try:
        page = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if page.kind.endswith("List") and page.apiVersion and page.items is not None:
        return kind in ("", "kubernetes") and _read_objects(page, path, reading)
    for name, roles in (("RoleDetailList", page.RoleDetailList), ("Roles", page.Roles)):
        if roles and kind in ("", _KIND_OF[name]):
            return _read_roles(page, name, roles, text, path, reading)
    return False


def _read_roles(page: _Page, name: str, roles: list[_Role], text: bytes, path: str, reading: DocumentReading) -> bool:
    written = sum(1 for role in roles if role.AssumeRolePolicyDocument is not _NOTHING)
    if text.count(b'"AssumeRolePolicyDocument"') != written or not all(parse_arn(role.Arn) for role in roles):
        return False
    texts: dict[bytes, TrustPolicy] = {}
    for number, role in enumerate(roles):
        read = _role(role, f"/{name}/{number}", path, texts)
        reading.roles.append(read)
        if isinstance(read.policy, TrustPolicy) and read.policy.flaws:
            reading.apart.append(read.policy.place)
    marks = {"IsTruncated": page.IsTruncated, "Marker": page.Marker, "NextToken": page.NextToken}
    arns = frozenset(role.Arn for role in roles)
    reading.answers.append(Listing("roles", arns, is_whole(marks), Place(path)))
    reading.kinds.append(_KIND_OF[name])
    return True


def _role(role: _Role, pointer: str, path: str, texts: dict[bytes, TrustPolicy]) -> Role:
    name = role.RoleName or role.Arn.rsplit("/", 1)[-1]
    policy: TrustPolicy | Unknown
    if role.AssumeRolePolicyDocument is _NOTHING or (raw := bytes(role.AssumeRolePolicyDocument)) == b"null":
        policy = policy_missing(role.Arn, name)
    else:
        policy = _policy(raw, Place(path, pointer + "/AssumeRolePolicyDocument"), texts)
    account, tool = role.Arn.split(":", 5)[4], manager_of_tags(role.Tags or ())
    created = f"{role.CreateDate[:10]}T{role.CreateDate[11:]}" if role.CreateDate[10:11] == " " else role.CreateDate
    return Role(role.Arn, name, account, policy, Place(path, pointer), role.MaxSessionDuration, created, managed_by=tool)


def _policy(raw: bytes, place: Place, texts: dict[bytes, TrustPolicy]) -> TrustPolicy:
    """Roles made by one template share their text, and then the value too; nobody changes it."""
    known = texts.get(raw)
    if known is None:
        known = texts[raw] = read_policy_bytes(raw, place)
        return known
    return TrustPolicy(known.document, place, known.flaws, False, known.size, known.plain)


def _read_objects(page: _Page, path: str, reading: DocumentReading) -> bool:
    objects = page.items or []
    inner = page.kind.removesuffix("List")
    if not all(item.metadata and (item.metadata.name or item.metadata.generateName) for item in objects):
        return False
    if any(item.kind.endswith("List") for item in objects):
        return False
    for number, item in enumerate(objects):
        _read_object(item, item.kind or inner, f"/items/{number}", path, reading)
    reading.kinds.append("kubernetes")
    return True


def _read_object(item: _Object, kind: str, pointer: str, path: str, reading: DocumentReading) -> None:
    metadata = item.metadata or _Metadata()
    place = Place(path, pointer)
    if kind == "ServiceAccount" and metadata.name:
        annotations = {name: with_holes(value) for name, value in (metadata.annotations or {}).items() if about_aws(name)}
        created = metadata.creationTimestamp or ""
        namespace = metadata.namespace or "default"
        tool = manager_of_object(metadata.labels or {}, metadata.annotations or {})
        account = ServiceAccount("", namespace, metadata.name, place, annotations, created, managed_by=tool)
        reading.service_accounts.append(account)
    elif kind == "Namespace":
        reading.namespaces.append(Namespace("", metadata.name, place))
    else:
        reading.attempt(_members(item, metadata), place, lambda value, at: read_resource(kind, value, at, reading))  # type: ignore[arg-type]


def _members(item: _Object, metadata: _Metadata) -> dict[str, object]:
    members: dict[str, object] = {"apiVersion": item.apiVersion, "metadata": msgspec.to_builtins(metadata)}
    for name in ("spec", "template", "webhooks"):
        raw = getattr(item, name)
        if raw is not _NOTHING:
            members[name] = _decode(raw)
    for name in ("data", "stringData", "binaryData"):
        keys = getattr(item, name)
        if keys is not None:
            members[name] = dict.fromkeys(keys)
    return members
