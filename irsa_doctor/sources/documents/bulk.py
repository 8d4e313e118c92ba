"""Reads big exports without building what nobody asks for: typed decoding, policies left as raw text."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

import msgspec

from irsa_doctor.model import Namespace, Place, Role, RolePermissions, ServiceAccount, TrustPolicy, Unknown, parse_arn
from irsa_doctor.sources.documents.aws import is_whole, policy_missing
from irsa_doctor.sources.documents.chaining import ARGO_LABEL
from irsa_doctor.sources.documents.kinds import has_controller, read_listed
from irsa_doctor.sources.documents.kubernetes import about_aws, read_resource
from irsa_doctor.sources.documents.managing import manager_of_object, manager_of_tags, manager_of_writers
from irsa_doctor.sources.documents.policies import read_policy_bytes
from irsa_doctor.sources.documents.program_files import LONGEST_FILE
from irsa_doctor.sources.documents.reading import DocumentReading, Listing, Page
from irsa_doctor.text.placeholders import with_holes

FROM = 32_768
"""Bytes from which a document is worth it; smaller ones are read strictly throughout."""

_Documents = Mapping[str, tuple[bytes, Place]]
_NOTHING = msgspec.Raw(b"")
_NO_PERMISSIONS = RolePermissions(policies=())
_LONGEST_VALUE = 2 * LONGEST_FILE
"""bytes of a value of a config map that is decoded"""
_AUTH_MEMBERS = frozenset({"mapRoles", "mapUsers", "mapAccounts"})
"""of the config map aws-auth"""
_KIND_OF = {"RoleDetailList": "iam-get-account-authorization-details", "Roles": "iam-list-roles"}


class _Inline(msgspec.Struct, gc=False):
    PolicyDocument: msgspec.Raw = _NOTHING


class _Attached(msgspec.Struct, gc=False):
    PolicyArn: str = ""


class _Boundary(msgspec.Struct, gc=False):
    PermissionsBoundaryArn: str = ""


class _LastUsed(msgspec.Struct, gc=False):
    LastUsedDate: str = ""


class _Version(msgspec.Struct, gc=False):
    IsDefaultVersion: bool = False
    Document: msgspec.Raw = _NOTHING


class _Managed(msgspec.Struct, gc=False):
    Arn: str = ""
    PolicyVersionList: list[_Version] | None = None


class _Role(msgspec.Struct, gc=False):
    Arn: str
    RoleName: str = ""
    AssumeRolePolicyDocument: msgspec.Raw = _NOTHING
    MaxSessionDuration: int = 0
    CreateDate: str = ""
    Tags: list[dict[str, str]] | None = None
    RolePolicyList: list[_Inline] | None = None
    AttachedManagedPolicies: list[_Attached] | None = None
    PermissionsBoundary: _Boundary | None = None
    RoleLastUsed: _LastUsed | None = None


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    generateName: str = ""
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    creationTimestamp: str | None = None
    uid: str = ""
    ownerReferences: msgspec.Raw = _NOTHING
    managedFields: msgspec.Raw = _NOTHING
    resourceVersion: str = ""


class _Status(msgspec.Struct):
    phase: str = ""
    completionTime: str | None = None


class _Object(msgspec.Struct):
    kind: str = ""
    apiVersion: str = ""
    metadata: _Metadata | None = None
    status: _Status | None = None
    spec: msgspec.Raw = _NOTHING
    template: msgspec.Raw = _NOTHING
    webhooks: msgspec.Raw = _NOTHING
    rules: msgspec.Raw = _NOTHING
    aggregationRule: msgspec.Raw = _NOTHING
    roleRef: msgspec.Raw = _NOTHING
    subjects: msgspec.Raw = _NOTHING
    type: str = ""
    automountServiceAccountToken: bool | None = None
    data: dict[str, msgspec.Raw] | None = None
    stringData: dict[str, msgspec.Raw] | None = None
    binaryData: dict[str, msgspec.Raw] | None = None


class _Page(msgspec.Struct):
    RoleDetailList: list[_Role] | None = None
    Roles: list[_Role] | None = None
    Policies: list[_Managed] | None = None
    items: list[_Object] | None = None
    kind: str = ""
    apiVersion: str = ""
    IsTruncated: bool = False
    Marker: str | None = None
    NextToken: str | None = None


class _Items(msgspec.Struct):
    items: list[msgspec.Raw]


_decoder = msgspec.json.Decoder(_Page)
_items_decoder = msgspec.json.Decoder(_Items)
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
        return kind in ("", "kubernetes") and _read_objects(page, text, path, reading)
    for name, roles in (("RoleDetailList", page.RoleDetailList), ("Roles", page.Roles)):
        if roles and kind in ("", _KIND_OF[name]):
            return _read_roles(page, name, roles, text, path, reading)
    return False


def _read_roles(page: _Page, name: str, roles: list[_Role], text: bytes, path: str, reading: DocumentReading) -> bool:
    written = sum(1 for role in roles if role.AssumeRolePolicyDocument is not _NOTHING)
    if text.count(b'"AssumeRolePolicyDocument"') != written or not all(parse_arn(role.Arn) for role in roles):
        return False
    texts: dict[bytes, TrustPolicy] = {}
    managed = _managed(page, path)
    for number, role in enumerate(roles):
        read = _role(role, f"/{name}/{number}", path, texts, managed)
        reading.roles.append(read)
        if isinstance(read.policy, TrustPolicy) and read.policy.flaws:
            reading.apart.append(read.policy.place)
    marks = {"IsTruncated": page.IsTruncated, "Marker": page.Marker, "NextToken": page.NextToken}
    arns = frozenset(role.Arn for role in roles)
    reading.answers.append(Listing("roles", arns, is_whole(marks), Place(path)))
    reading.kinds.append(_KIND_OF[name])
    return True


def _managed(page: _Page, path: str) -> _Documents:
    """ARN of a managed policy -> its default version and where that is."""
    return {
        policy.Arn: (bytes(version.Document), Place(path, f"/Policies/{number}/PolicyVersionList/{order}/Document"))
        for number, policy in enumerate(page.Policies or ())
        for order, version in enumerate(policy.PolicyVersionList or ())
        if version.IsDefaultVersion and version.Document is not _NOTHING
    }


class _Policies(Sequence[TrustPolicy]):
    """The permission policies of a role, looked up and decoded when they are first looked at: few of them ever are."""

    def __init__(self, role: _Role, place: Place, texts: dict[bytes, TrustPolicy], managed: _Documents) -> None:
        self._inline, self._attached = role.RolePolicyList or (), role.AttachedManagedPolicies or ()
        self._place = place
        self._texts = texts
        self._managed = managed

    @cached_property
    def _written(self) -> Sequence[tuple[bytes, Place]]:
        inline = [
            (bytes(policy.PolicyDocument) or b"null", self._place.at("RolePolicyList", number, "PolicyDocument"))
            for number, policy in enumerate(self._inline)
        ]
        return inline + [self._managed[policy.PolicyArn] for policy in self._attached if policy.PolicyArn in self._managed]

    @cached_property
    def _read(self) -> tuple[TrustPolicy, ...]:
        return tuple([_policy(raw, place, self._texts) for raw, place in self._written])

    def starred(self) -> bool:
        """Whether the value `*` may stand in one of them; to decode it would cost a hundred times as much."""
        attached = (self._managed.get(policy.PolicyArn) for policy in self._attached)
        return any(_may_be_starred(bytes(policy.PolicyDocument)) for policy in self._inline) or any(
            _may_be_starred(document[0]) for document in attached if document
        )

    def __iter__(self) -> Iterator[TrustPolicy]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._written)

    @overload
    def __getitem__(self, index: int) -> TrustPolicy: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[TrustPolicy, ...]: ...

    def __getitem__(self, index: int | slice) -> TrustPolicy | tuple[TrustPolicy, ...]:
        return self._read[index]


def _permissions(role: _Role, place: Place, texts: dict[bytes, TrustPolicy], managed: _Documents) -> RolePermissions | None:
    """The permission policies of a role; None where the answer does not list them, as that of ListRoles."""
    inline, attached = role.RolePolicyList, role.AttachedManagedPolicies
    if inline is None or attached is None:
        return None
    boundary = role.PermissionsBoundary.PermissionsBoundaryArn if role.PermissionsBoundary else ""
    if not (inline or attached or boundary):
        return _NO_PERMISSIONS
    policies = _Policies(role, place, texts, managed)
    unread = tuple([policy.PolicyArn for policy in attached if policy.PolicyArn and policy.PolicyArn not in managed])
    return RolePermissions(policies=policies, unread=unread, boundary=boundary, starred=policies.starred)


_STARS_OF_TEXTS = (b"%22*%22", b"%22%2A%22", b"%22%2a%22", b"%25", b"%5C", b"%5c", b"\\")
"""how `*` as a whole value is written in a policy inside a string, URL-encoded; escapes may hide it"""


def _may_be_starred(raw: bytes) -> bool:
    if raw[:1] == b'"':
        return any(sign in raw for sign in _STARS_OF_TEXTS)
    return b'"*"' in raw or b"\\" in raw


def _role(role: _Role, pointer: str, path: str, texts: dict[bytes, TrustPolicy], managed: _Documents) -> Role:
    name = role.RoleName or role.Arn.rsplit("/", 1)[-1]
    policy: TrustPolicy | Unknown
    if role.AssumeRolePolicyDocument is _NOTHING or (raw := bytes(role.AssumeRolePolicyDocument)) == b"null":
        policy = policy_missing(role.Arn, name)
    else:
        policy = _policy(raw, Place(path, pointer + "/AssumeRolePolicyDocument"), texts)
    account, tool = role.Arn.split(":", 5)[4], manager_of_tags(role.Tags or ())
    used = role.RoleLastUsed
    place = Place(path, pointer)
    return Role(
        role.Arn,
        name,
        account,
        policy,
        place,
        role.MaxSessionDuration,
        _moment(role.CreateDate),
        managed_by=tool,
        permissions=_permissions(role, place, texts, managed),
        last_used=None if used is None else _moment(used.LastUsedDate),
    )


def _moment(text: str) -> str:
    """A time, with the `T` that other programs leave out."""
    return f"{text[:10]}T{text[11:]}" if text[10:11] == " " else text


def _policy(raw: bytes, place: Place, texts: dict[bytes, TrustPolicy]) -> TrustPolicy:
    """Roles made by one template share their text, and then the value too; nobody changes it."""
    known = texts.get(raw)
    if known is None:
        known = texts[raw] = read_policy_bytes(raw, place)
        return known
    shared = TrustPolicy(known.document, place, known.flaws, False, known.size, known.plain)
    return shared.encoded_as(known.json) if known.json else shared


def _read_objects(page: _Page, text: bytes, path: str, reading: DocumentReading) -> bool:
    objects = page.items or []
    inner = page.kind.removesuffix("List")
    if not all(item.metadata and (item.metadata.name or item.metadata.generateName) for item in objects):
        return False
    if any(item.kind.endswith("List") for item in objects):
        return False
    reading.kinds.append("kubernetes")
    of_controllers = _of_controllers(page, inner, text)
    for number, item in enumerate(objects):
        if item.apiVersion or number not in of_controllers:
            _read_object(item, item.kind or inner, f"/items/{number}", path, reading)
    for number, members in of_controllers.items():
        reading.attempt(members, Place(path, f"/items/{number}"), lambda value, at: read_listed(Page(value, at), reading))
    return True


def _of_controllers(page: _Page, inner: str, text: bytes) -> Mapping[int, dict[str, object]]:
    """The objects of a list that have a reader of their own, whole, by their numbers: they are few, if there are any."""
    numbers = [
        number
        for number, item in enumerate(page.items or ())
        if has_controller({"apiVersion": item.apiVersion or page.apiVersion, "kind": item.kind or inner})
    ]
    written = _items_decoder.decode(text).items if numbers else []
    return {number: {"apiVersion": page.apiVersion, "kind": inner, **_decode(written[number])} for number in numbers}


def _read_object(item: _Object, kind: str, pointer: str, path: str, reading: DocumentReading) -> None:
    metadata = item.metadata or _Metadata()
    place = Place(path, pointer)
    if kind == "ServiceAccount" and metadata.name:
        annotations = {name: with_holes(value) for name, value in (metadata.annotations or {}).items() if about_aws(name)}
        created = metadata.creationTimestamp or ""
        namespace = metadata.namespace or "default"
        tool = manager_of_object(metadata.labels or {}, metadata.annotations or {})
        tool = tool or manager_of_writers(_plain(metadata.ownerReferences), _plain(metadata.managedFields))
        account = ServiceAccount("", namespace, metadata.name, place, annotations, created, managed_by=tool)
        if item.automountServiceAccountToken is not None:
            account = msgspec.structs.replace(account, automount=item.automountServiceAccountToken)
        reading.service_accounts.append(account)
    elif kind == "Namespace":
        reading.namespaces.append(Namespace("", metadata.name, place))
    else:
        reading.attempt(_members(item, kind, metadata), place, lambda value, at: read_resource(kind, value, at, reading))  # type: ignore[arg-type]


def _plain(raw: msgspec.Raw) -> object:
    return None if raw is _NOTHING else _decode(raw)


def _members(item: _Object, kind: str, metadata: _Metadata) -> dict[str, object]:
    own = {name: getattr(metadata, name) for name in _Metadata.__struct_fields__}
    own["ownerReferences"] = _plain(metadata.ownerReferences)
    del own["managedFields"]
    members: dict[str, object] = {"apiVersion": item.apiVersion, "metadata": own}
    if item.type:
        members["type"] = item.type
    if item.status is not None:
        members["status"] = msgspec.to_builtins(item.status)
    for name in ("spec", "template", "webhooks", "rules", "aggregationRule", "roleRef", "subjects"):
        raw = getattr(item, name)
        if raw is not _NOTHING:
            members[name] = _decode(raw)
    for name in ("data", "stringData", "binaryData"):
        keys = getattr(item, name)
        if keys is not None:
            members[name] = {key: _value(kind, key, value, metadata) for key, value in keys.items()}
    return members


def _value(kind: str, key: str, raw: msgspec.Raw, metadata: _Metadata) -> object:
    """A value that may name a role, None for any other: of a config map, or the settings of a cluster of Argo CD. Nothing else
    of a Secret is decoded."""
    text = bytes(raw)
    if kind == "ConfigMap" and metadata.name == "aws-auth" and key in _AUTH_MEMBERS:
        # however long: whoever reads the map says what is too long for the API server
        return _decode(text)
    is_argo = key == "config" and ARGO_LABEL in (metadata.labels or {})
    is_relevant = is_argo if kind == "Secret" else b":role/" in text
    return _decode(text) if is_relevant and len(text) <= _LONGEST_VALUE else None
