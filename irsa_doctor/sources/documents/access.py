"""Reads who may do what in a cluster: objects of RBAC, the map aws-auth, and access entries of EKS."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from irsa_doctor.model import Place, Text, text_of
from irsa_doctor.model.access import (
    AccessBinding,
    AccessEntry,
    AccessRole,
    AccessRule,
    AccessSubject,
    AssociatedAccess,
    AssociatedPolicy,
    AuthMap,
    AuthRow,
    SubjectKind,
)
from irsa_doctor.model.kubernetes import LabelSelector
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.aws import is_whole
from irsa_doctor.sources.documents.reading import DocumentReading, Listing, Page
from irsa_doctor.text import shapes
from irsa_doctor.text.errors import TextError, WrongShape
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.yaml import read_yaml

RBAC_GROUP = "rbac.authorization.k8s.io"
_KINDS: Mapping[str, SubjectKind] = {"User": "User", "Group": "Group", "ServiceAccount": "ServiceAccount"}
_LISTS: Mapping[Literal["mapRoles", "mapUsers"], str] = {"mapRoles": "rolearn", "mapUsers": "userarn"}
_ROW = regex(r"^([ ]*)- ", re.MULTILINE)
_NUMBER = regex(r"(?<![\"'\w])0\d{11}(?![\"'\w])")
_LONGEST_MAP = 1_048_576
"""bytes of a config map that the API server takes (https://kubernetes.io/docs/concepts/configuration/configmap/)"""


def is_of_rbac(members: Mapping[str, object]) -> bool:
    """Whether an object is of the API group of RBAC, in whatever version; items of typed lists do not have theirs."""
    version = members.get("apiVersion")
    return not version or str(version).partition("/")[0] == RBAC_GROUP


def read_access_role(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """A Role or ClusterRole (https://kubernetes.io/docs/reference/access-authn-authz/rbac/)."""
    if not is_of_rbac(members):
        return
    metadata, at = shapes.inner(members, "metadata", place), place.at("metadata")
    is_wide = kind == "ClusterRole"
    labels = shapes.inner(metadata, "labels", at)
    reading.access_roles.append(
        AccessRole(
            kind="ClusterRole" if is_wide else "Role",
            namespace="" if is_wide else shapes.text(metadata, "namespace", at) or "default",
            name=_name(metadata, at),
            rules=tuple(_rules(members, place, reading)),
            place=place,
            labels=tuple((name, shapes.as_text(value)) for name, value in labels.items()),
            selectors=_selectors(members, place),
            stored=bool(metadata.get("resourceVersion")),
        )
    )


def _name(metadata: Mapping[str, object], place: Place) -> str:
    """The name of an object; where the API server makes it, the prefix and a star, by which nothing names the object
    (https://kubernetes.io/docs/reference/using-api/api-concepts/#generated-values)."""
    prefix = "" if metadata.get("name") else shapes.text(metadata, "generateName", place)
    return f"{prefix}*" if prefix else shapes.required(metadata, "name", place)


def _rules(members: Mapping[str, object], place: Place, reading: DocumentReading) -> Iterator[AccessRule]:
    """The rules about resources; a broken one is noted, and gives nothing."""
    rules: list[AccessRule] = []

    def read(item: object, at: Place) -> None:
        rule = shapes.mapping(item, at)
        names = ("verbs", "apiGroups", "resources", "resourceNames")
        verbs, groups, resources, objects = (shapes.texts(rule, name, at) for name in names)
        if resources and groups and verbs:
            rules.append(AccessRule(verbs, groups, resources, objects))

    reading.each(shapes.many(members, "rules", place), place.at("rules"), read)
    yield from rules


def _selectors(members: Mapping[str, object], place: Place) -> tuple[LabelSelector, ...] | None:
    if members.get("aggregationRule") is None:
        return None
    rule, at = shapes.inner(members, "aggregationRule", place), place.at("aggregationRule")
    listed = enumerate(shapes.many(rule, "clusterRoleSelectors", at))
    return tuple(_selector(item, at.at("clusterRoleSelectors", number)) for number, item in listed)


def _selector(item: object, place: Place) -> LabelSelector:
    selector = shapes.mapping(item, place)
    labels = {name: shapes.as_text(value) for name, value in shapes.inner(selector, "matchLabels", place).items()}
    expressions = [shapes.mapping(entry, place) for entry in shapes.many(selector, "matchExpressions", place)]
    return LabelSelector(
        labels,
        tuple(
            (shapes.text(entry, "key", place), shapes.text(entry, "operator", place), shapes.texts(entry, "values", place))
            for entry in expressions
        ),
    )


def read_access_binding(kind: str, members: dict[str, object], place: Place, reading: DocumentReading) -> None:
    """A RoleBinding or ClusterRoleBinding."""
    if not is_of_rbac(members):
        return
    metadata, at = shapes.inner(members, "metadata", place), place.at("metadata")
    is_wide = kind == "ClusterRoleBinding"
    namespace = "" if is_wide else shapes.text(metadata, "namespace", at) or "default"
    role = shapes.inner(members, "roleRef", place)
    role_kind = shapes.required(role, "kind", place.at("roleRef"))
    shapes.refuse_open(role_kind, place.at("roleRef", "kind"))
    if role_kind not in ("Role", "ClusterRole") or (is_wide and role_kind == "Role"):
        raise WrongShape(place.at("roleRef", "kind").pointer, f"a {kind} cannot name a {role_kind}")
    reading.access_bindings.append(
        AccessBinding(
            kind="ClusterRoleBinding" if is_wide else "RoleBinding",
            namespace=namespace,
            name=_name(metadata, at),
            role_kind="Role" if role_kind == "Role" else "ClusterRole",
            role=shapes.required(role, "name", place.at("roleRef")),
            subjects=_subjects(members, namespace, place, reading),
            place=place,
        )
    )


def _subjects(
    members: Mapping[str, object], namespace: str, place: Place, reading: DocumentReading
) -> tuple[AccessSubject, ...]:
    subjects: list[AccessSubject] = []
    is_alpha = str(members.get("apiVersion")).endswith("/v1alpha1")

    def read(item: object, at: Place) -> None:
        subject = shapes.mapping(item, at)
        written = shapes.required(subject, "kind", at)
        kind, name = _KINDS.get(written), shapes.required(subject, "name", at)
        if kind is None:
            raise WrongShape(at.at("kind").pointer, f"{written} is not a kind of subject")
        if is_alpha and (kind, name) == ("User", "*"):
            # what the API server made of it, until version 1.21 (pkg/apis/rbac/v1alpha1/conversion.go of Kubernetes)
            kind, name = "Group", "system:authenticated"
        space = (shapes.text(subject, "namespace", at) or namespace) if kind == "ServiceAccount" else ""
        if kind == "ServiceAccount" and not space:
            reading.without_namespace.append(at)
            raise WrongShape(at.pointer, "`namespace` of the service account is missing: the API server refuses the binding")
        subjects.append(AccessSubject(kind, name, space))

    reading.each(shapes.many(members, "subjects", place), place.at("subjects"), read)
    return tuple(subjects)


def read_auth_map(members: Mapping[str, object], place: Place, reading: DocumentReading) -> None:
    """The ConfigMap aws-auth (https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html): texts of YAML lists, one
    of which may be broken without the others."""
    data, at = shapes.inner(members, "data", place), place.at("data")
    rows: list[AuthRow] = []
    broken: list[tuple[str, str]] = []
    for name in _LISTS:
        items = _listed(data, name, at, broken)
        reading.anchors.update(_row_anchors(data.get(name), len(items), at.at(name)))
        for number, item in enumerate(items):
            _add_row(rows, name, number, item, at.at(name, number), reading)
    numbers = frozenset(_NUMBER.findall(str(data.get("mapAccounts"))))
    accounts = tuple(_account(shapes.as_text(item), numbers) for item in _listed(data, "mapAccounts", at, broken))
    unsound = (pair for pair in broken if pair[1] != _UNFILLED)
    reading.broken.extend((at.at(name), f"{why}, so that none of its rows counts") for name, why in unsound)
    reading.auth_maps.append(AuthMap(rows=tuple(rows), accounts=accounts, broken=tuple(broken), place=place))


def _add_row(
    rows: list[AuthRow],
    name: Literal["mapRoles", "mapUsers"],
    number: int,
    item: object,
    place: Place,
    reading: DocumentReading,
) -> None:
    """Add a row; the authenticator takes what is good of a list, without a row or the groups that are of another kind."""
    if not isinstance(item, dict):
        reading.broken.append((place, f"{name}[{number}] is not a row, so that it counts for nobody"))
        return
    rows.append(row := auth_row(name, number, item, place))
    if row.groups_lost:
        reading.broken.append((place, f"`groups` of {name}[{number}] is not a list, so that the row has none"))


def _account(written: str, numbers: frozenset[str]) -> str:
    """An account of mapAccounts: one that is a number, not a text, has no leading zeros."""
    return written.lstrip("0") if written in numbers else written


_UNFILLED = "a template that nothing has filled in"
_IN_TEMPLATE = regex(r"\{%|\{\{-?\s*(?!(?:EC2PrivateDNSName|SessionName|SessionNameRaw|AccountID|AccessKeyID)\s*\}\})")
"""a sign of a template that is none of the placeholders of the authenticator itself
(https://github.com/kubernetes-sigs/aws-iam-authenticator#full-configuration-format)"""


def _row_anchors(text: object, number: int, place: Place) -> Iterator[tuple[tuple[int, str], Anchor]]:
    """Where the rows are in the text of a list: where its lines with the least indent begin, if these are as many."""
    starts = list(_ROW.finditer(text)) if isinstance(text, str) and number else []
    indent = min((len(match[1]) for match in starts), default=0)
    outer = [match.end() - 2 for match in starts if len(match[1]) == indent]
    for index, start in enumerate(outer if len(outer) == number else ()):
        yield (place.part, place.at(index).pointer), Anchor(place.pointer, start, start + 1)


def _listed(data: Mapping[str, object], name: str, place: Place, broken: list[tuple[str, str]]) -> list[object]:
    """The list that the text of a member holds, empty where it is missing or broken."""
    written = data.get(name)
    if written is None or written == "":
        return []
    documents = read_yaml(written.encode()) if isinstance(written, str) and len(written) <= _LONGEST_MAP else None
    if documents is None or isinstance(documents, TextError) or len(documents) > 1:
        is_template = isinstance(written, str) and _IN_TEMPLATE.search(written) is not None
        broken.append((name, _UNFILLED if is_template else f"{name} is not valid YAML"))
        return []
    value = documents[0].value if documents else []
    if not isinstance(value, list | type(None)):
        broken.append((name, f"{name} is not a list"))
    return value if isinstance(value, list) else []


def auth_row(name: Literal["mapRoles", "mapUsers"], index: int, item: Mapping[Any, object], place: Place) -> AuthRow:
    """A row; its members are found in any case, as encoding/json of Go finds them
    (https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/mapper/configmap/configmap.go)."""
    members = {_words(key).lower(): value for key, value in item.items()}
    listed = members.get("groups")
    return AuthRow(
        list=name,
        index=index,
        arn=_words(members.get(_LISTS[name]) or "").strip(),
        username=_words(members.get("username") or ""),
        groups=tuple(_words(group) for group in listed) if isinstance(listed, list) else (),
        place=place,
        is_sso=bool(members.get("sso")),
        groups_lost=listed is not None and not isinstance(listed, list),
    )


def _words(value: object) -> str:
    """A value as text, of templates its holes by their names."""
    return text_of(value) if isinstance(value, Text) else str(value)


def read_list_access_entries(page: Page, reading: DocumentReading) -> None:
    """`aws eks list-access-entries`: ARNs, without the name of the cluster
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_ListAccessEntries.html)."""
    members = shapes.mapping(page.value, page.place)
    arns = shapes.texts(members, "accessEntries", page.place)
    at = page.place.at("accessEntries")
    reading.access_entries.extend(AccessEntry(principal=arn, place=at.at(number)) for number, arn in enumerate(arns))
    reading.answers.append(Listing("entries", frozenset(arns), is_whole(members), page.place))


def read_access_entry(members: Mapping[str, object], place: Place, reading: DocumentReading) -> None:
    """The inside of `aws eks describe-access-entry`
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_AccessEntry.html)."""
    reading.access_entries.append(
        AccessEntry(
            cluster=shapes.text(members, "clusterName", place),
            principal=shapes.required(members, "principalArn", place),
            place=place,
            type=shapes.text(members, "type", place) or "STANDARD",
            username=shapes.text(members, "username", place),
            groups=shapes.texts(members, "kubernetesGroups", place),
        )
    )


def read_associated_policies(page: Page, reading: DocumentReading) -> None:
    """`aws eks list-associated-access-policies`
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_ListAssociatedAccessPolicies.html)."""
    members, place = shapes.mapping(page.value, page.place), page.place
    policies: list[AssociatedPolicy] = []

    def read(item: object, at: Place) -> None:
        policies.append(associated_policy(shapes.mapping(item, at), at))

    reading.each(shapes.many(members, "associatedAccessPolicies", place), place.at("associatedAccessPolicies"), read)
    reading.associated_access.append(
        AssociatedAccess(
            cluster=shapes.text(members, "clusterName", place),
            principal=shapes.required(members, "principalArn", place),
            policies=tuple(policies),
            place=place,
        )
    )


def associated_policy(members: Mapping[str, object], place: Place) -> AssociatedPolicy:
    """One associated policy; its ARN ends in its name (https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html)."""
    scope, at = shapes.inner(members, "accessScope", place), place.at("accessScope")
    is_wide = shapes.text(scope, "type", at) == "cluster"
    name = shapes.required(members, "policyArn", place).rpartition("/")[2]
    return AssociatedPolicy(name, None if is_wide else shapes.texts(scope, "namespaces", at), place)
