"""Reads who may do what in a cluster from templates: objects of RBAC, aws-auth, access entries and their policies.

Objects are made into those of Kubernetes and read like manifests. A rule or a subject of which a part is not known before it is
applied is left out and noted: without its names a rule would allow more than it does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from irsa_doctor.model import Place, Text, text_of
from irsa_doctor.model.access import AccessEntry, AssociatedAccess, AssociatedPolicy, AuthMap, AuthRow
from irsa_doctor.sources.documents.access import RBAC_GROUP, auth_row, read_access_binding, read_access_role
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.values import TemplateValue, anchors_of, known, plain, scalar_text, written_yaml

_ROLES = ("Role", "ClusterRole")
_PREFIXES = ("generateName", "generate_name")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
ACCESS_KINDS = frozenset({*_ROLES, *_BINDINGS})
_AUTH_LISTS: tuple[Literal["mapRoles", "mapUsers"], ...] = ("mapRoles", "mapUsers")
_STANDARD = "STANDARD"


class AccessTemplate:
    """What one resource of a template says of access: its address, its place and its reading."""

    def __init__(self, address: str, place: Place, reading: DocumentReading) -> None:
        self.address = address
        self.place = place
        self.reading = reading

    def note(self, what: str) -> None:
        """Note a part that is known only when the template is applied."""
        self.reading.notes.append(f"{self.address} has {what} that is not known before it is applied")

    # objects of RBAC

    def read_manifest(self, written: TemplateValue) -> None:
        """A manifest of RBAC."""
        self.reading.anchors.update(anchors_of(written, self.place))
        value = plain(written)
        if isinstance(value, dict):
            self.read_object(value)

    def read_object(self, members: dict[str, object]) -> None:
        """An object of RBAC, its unknown parts with holes."""
        kind, parts, metadata = str(members.get("kind")), dict(members), members.get("metadata")
        parts["metadata"] = self._metadata(metadata)
        if _has_hole(parts["metadata"]) or _has_hole(members.get("roleRef")) or _is_named_when_made(metadata):
            self.note("a name")
            return
        for name, what in (("rules", "a rule"), ("subjects", "a subject")):
            listed = members.get(name)
            if isinstance(listed, list):
                parts[name] = [item for item in listed if not _has_hole(item)]
                if len(parts[name]) < len(listed):  # type: ignore[arg-type]
                    self.note(what)
            elif _has_hole(listed):
                parts[name] = []
                self.note(what)
        if _has_hole(members.get("aggregationRule")):
            self.note("a selector")
            return
        read = read_access_role if kind in _ROLES else read_access_binding
        self.reading.attempt(parts, self.place, lambda item, place: read(kind, item, place, self.reading))  # type: ignore[arg-type]

    def _metadata(self, written: object) -> dict[str, object]:
        """Metadata without labels that are not known."""
        metadata = dict(written) if isinstance(written, dict) else {}
        labels = metadata.get("labels")
        kept = {name: value for name, value in labels.items() if not _has_hole(value)} if isinstance(labels, dict) else {}
        return {name: metadata[name] for name in ("name", "namespace") if metadata.get(name)} | {"labels": kept}

    # access entries

    def add_entry(self, cluster: object, principal: object, groups: object, username: object = "", kind: object = "") -> None:
        """An access entry; a principal that is made by the template itself is named by the reference to it."""
        named = _text(principal)
        if not named:
            self.note("a principal")
            return
        listed = plain_texts(groups)
        if listed is None:
            self.note("groups")
        self.reading.access_entries.append(
            AccessEntry(
                cluster=_known(cluster),
                principal=named,
                place=self.place,
                type=_known(kind) or _STANDARD,
                username=_text(username),
                groups=listed or (),
            )
        )

    def add_policies(self, cluster: object, principal: object, policies: Iterable[AssociatedPolicy]) -> None:
        """The access policies of a principal that a resource associates."""
        if named := _text(principal):
            associated = AssociatedAccess(cluster=_known(cluster), principal=named, policies=tuple(policies), place=self.place)
            self.reading.associated_access.append(associated)
        else:
            self.note("a principal")

    def policy(self, arn: object, kind: object, namespaces: object) -> Iterator[AssociatedPolicy]:
        """An access policy with its scope; none where a part of it is not known."""
        name, listed = _known(arn).rpartition("/")[2], plain_texts(namespaces)
        is_wide = _known(kind) == "cluster"
        if not name or (not is_wide and listed is None):
            self.note("an access policy")
            return
        yield AssociatedPolicy(name, None if is_wide else listed or (), self.place)

    # aws-auth

    def read_auth_data(self, data: Mapping[object, TemplateValue]) -> None:
        """The members of the ConfigMap aws-auth: texts of YAML lists, or lists where a module takes them."""
        rows: list[AuthRow] = []
        broken: list[tuple[str, str]] = []
        for name in _AUTH_LISTS:
            items = self._items(data.get(name), name, broken)
            rows += [auth_row(name, number, item, self.place) for number, item in enumerate(items) if isinstance(item, dict)]
        accounts = tuple(map(_text, self._items(data.get("mapAccounts"), "mapAccounts", broken)))
        self.add_auth_map(rows, accounts, broken)

    def add_auth_map(
        self, rows: Iterable[AuthRow], accounts: Iterable[str] = (), broken: Iterable[tuple[str, str]] = ()
    ) -> None:
        """The rows of aws-auth that a resource writes."""
        listed, problems = tuple(rows), tuple(broken)
        self.reading.broken.extend((self.place, f"{why}, so that none of its rows counts") for _, why in problems)
        self.reading.auth_maps.append(AuthMap(rows=listed, accounts=tuple(accounts), broken=problems, place=self.place))

    def _items(self, written: TemplateValue | None, name: str, broken: list[tuple[str, str]]) -> list[object]:
        if written is None or written.value in (None, "", ()):
            return []
        documents = (written,) if isinstance(written.value, tuple) else written_yaml(written)
        value = plain(documents[0]) if len(documents) == 1 else None
        if isinstance(value, list):
            return value
        if isinstance(written.value, str):
            broken.append((name, f"{name} is not a list of YAML"))
        else:
            self.note(name)
        return []


def access_manifest(members: Mapping[object, TemplateValue]) -> str:
    """The kind of a manifest of RBAC, or `aws-auth`; "" of any other."""
    kind, version = (known(members[name].value) if name in members else "" for name in ("kind", "apiVersion"))
    if kind in ACCESS_KINDS and version.partition("/")[0] == RBAC_GROUP:
        return kind
    if kind != "ConfigMap":
        return ""
    metadata = members.get("metadata")
    inner = metadata.value if metadata is not None and isinstance(metadata.value, Mapping) else {}
    names = {name: known(inner[name].value) if name in inner else "" for name in ("namespace", "name")}
    return "aws-auth" if names == {"namespace": "kube-system", "name": "aws-auth"} else ""


def read_access_manifest(access: AccessTemplate, written: TemplateValue) -> bool:
    """Read a manifest of RBAC or aws-auth; whether it was one."""
    members = written.value if isinstance(written.value, Mapping) else {}
    kind = access_manifest(members)
    if kind == "aws-auth":
        data = members.get("data")
        access.read_auth_data(data.value if data is not None and isinstance(data.value, Mapping) else {})
    elif kind:
        access.read_manifest(written)
    return bool(kind)


def plain_texts(written: object) -> tuple[str, ...] | None:
    """A list of texts, None where a part of it is not known; a missing list is empty."""
    value = written.value if isinstance(written, TemplateValue) else written
    if value is None:
        return ()
    if not isinstance(value, tuple | list):
        return None
    texts = [_known(item) for item in value]
    return tuple(texts) if all(texts) else None


def _known(written: object) -> str:
    """A text without holes, "" for anything else."""
    return known(written.value if isinstance(written, TemplateValue) else written)


def _text(written: object) -> str:
    """A text, its holes by their names."""
    value = scalar_text(written.value if isinstance(written, TemplateValue) else written)
    return text_of(value) if value is not None else ""


def _is_named_when_made(metadata: object) -> bool:
    """Whether the API server makes the name up from the beginning of it that is written."""
    return isinstance(metadata, dict) and not metadata.get("name") and any(map(metadata.get, _PREFIXES))


def _has_hole(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_hole(item) for item in (*value, *value.values()))
    if isinstance(value, list):
        return any(map(_has_hole, value))
    return isinstance(value, Text)


AccessReader = Callable[[AccessTemplate, Mapping[object, TemplateValue]], None]
"""(what the resource is, its arguments)"""
