"""Who may do what in a cluster: RBAC of Kubernetes, and the IAM principals that EKS maps to users of it."""

from typing import Literal

import msgspec

from irsa_doctor.model.kubernetes import LabelSelector
from irsa_doctor.model.place import Place

RoleKind = Literal["Role", "ClusterRole"]
BindingKind = Literal["RoleBinding", "ClusterRoleBinding"]
SubjectKind = Literal["User", "Group", "ServiceAccount"]


class AccessRule(msgspec.Struct, frozen=True):
    """A rule of a role of Kubernetes about resources; `names` empty = every name
    (https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/role-v1/)."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...] = ()


class AccessRole(msgspec.Struct, frozen=True, kw_only=True):
    """A Role or ClusterRole of Kubernetes; `namespace` is "" of a ClusterRole.

    `selectors` are those of an aggregationRule, None where it has none; `stored`: the object is as the API server holds it,
    where a controller has written what the selectors select into `rules`.
    """

    cluster: str = ""
    kind: RoleKind
    namespace: str = ""
    name: str
    rules: tuple[AccessRule, ...]
    place: Place
    labels: tuple[tuple[str, str], ...] = ()
    selectors: tuple[LabelSelector, ...] | None = None
    stored: bool = False


class AccessSubject(msgspec.Struct, frozen=True, order=True):
    """Whom a binding names; `namespace` is that of a service account, "" of others."""

    kind: SubjectKind
    name: str
    namespace: str = ""


class AccessBinding(msgspec.Struct, frozen=True, kw_only=True):
    """A RoleBinding or ClusterRoleBinding; `namespace` is "" of a ClusterRoleBinding."""

    cluster: str = ""
    kind: BindingKind
    namespace: str = ""
    name: str
    role_kind: RoleKind
    role: str
    subjects: tuple[AccessSubject, ...]
    place: Place


class WebhookConfiguration(msgspec.Struct, frozen=True):
    """A MutatingWebhookConfiguration, with webhooks or without."""

    cluster: str
    name: str
    place: Place


class AccessEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An access entry of EKS (eks:DescribeAccessEntry); `type` is "" where only the list names it, and then nothing else of it
    is known."""

    cluster: str = ""
    principal: str
    place: Place
    type: str = ""
    username: str = ""
    groups: tuple[str, ...] = ()


class AssociatedAccess(msgspec.Struct, frozen=True, kw_only=True):
    """The access policies of a principal (eks:ListAssociatedAccessPolicies); none where the list is empty."""

    cluster: str = ""
    principal: str
    policies: tuple["AssociatedPolicy", ...]
    place: Place


class AssociatedPolicy(msgspec.Struct, frozen=True):
    """An access policy by name, in the namespaces of its scope; None = the whole cluster."""

    name: str
    namespaces: tuple[str, ...] | None
    place: Place


class AuthRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of mapRoles or mapUsers of aws-auth; `index` is its number in the list. `is_sso`: it names a permission set instead
    of a principal; `groups_lost`: its `groups` are not a list, and it has none."""

    list: Literal["mapRoles", "mapUsers"]
    index: int
    arn: str
    username: str
    groups: tuple[str, ...]
    place: Place
    is_sso: bool = False
    groups_lost: bool = False


class AuthMap(msgspec.Struct, frozen=True, kw_only=True):
    """The ConfigMap kube-system/aws-auth; `broken` are the members whose text is not a list of rows, with the reason."""

    cluster: str = ""
    rows: tuple[AuthRow, ...] = ()
    accounts: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    place: Place


class ExpectedAccess(msgspec.Struct, frozen=True):
    """Who a project expects to reach roles: the service accounts of the system's `namespaces`, and identities that match one of
    `patterns`, `group:sre` or the ARN of a principal say, with `*` for any run of characters."""

    namespaces: tuple[str, ...] = ("kube-system",)
    patterns: tuple[str, ...] = ()
