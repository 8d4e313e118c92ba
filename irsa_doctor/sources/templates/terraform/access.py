"""Reads who may do what in a cluster from resources of Terraform, of a configuration or a plan: RBAC, aws-auth, entries."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Literal

from irsa_doctor.model import Place
from irsa_doctor.model.access import AssociatedPolicy, AuthRow
from irsa_doctor.model.aws import DEFAULT_MODE
from irsa_doctor.sources.documents.access import RBAC_GROUP, auth_row
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.access import AccessReader, AccessTemplate, plain_texts
from irsa_doctor.sources.templates.terraform.module_calls import ModuleCall
from irsa_doctor.sources.templates.terraform.policy_document import blocks_of, members_of
from irsa_doctor.sources.templates.values import TemplateValue, hole, known, plain

_RULE = {"api_groups": "apiGroups", "resources": "resources", "resource_names": "resourceNames", "verbs": "verbs"}
_NONE = TemplateValue(None)
_ADMIN_POLICY = "AmazonEKSClusterAdminPolicy"
_Members = Mapping[object, TemplateValue]


def _block(members: _Members, name: str) -> _Members:
    return members_of(next(iter(blocks_of(members.get(name))), None))


def _metadata(members: _Members) -> dict[str, object]:
    """The metadata; a binding or role without namespace is in `default`."""
    return {str(name): plain(item) for name, item in _block(members, "metadata").items() if item.value is not None}


def _role(kind: str, access: AccessTemplate, members: _Members) -> None:
    """https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs/resources/cluster_role"""
    rules = [
        {
            name: plain(inner[argument])
            for argument, name in _RULE.items()
            if argument in inner and inner[argument].value not in (None, ())
        }
        for inner in map(members_of, blocks_of(members.get("rule")))
    ]
    listed: dict[str, object] = {**_head(kind), "metadata": _metadata(members), "rules": rules}
    aggregation = _block(members, "aggregation_rule")
    if aggregation:
        selectors = [_selector(members_of(item)) for item in blocks_of(aggregation.get("cluster_role_selectors"))]
        listed["aggregationRule"] = {"clusterRoleSelectors": selectors}
    access.read_object(listed)


def _selector(members: _Members) -> dict[str, object]:
    labels = members.get("match_labels")
    return {
        "matchLabels": plain(labels) if labels is not None and labels.value is not None else {},
        "matchExpressions": [plain(item) for item in blocks_of(members.get("match_expressions"))],
    }


def _binding(kind: str, access: AccessTemplate, members: _Members) -> None:
    """https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs/resources/role_binding: the provider puts a
    service account without namespace into `default`."""
    subjects = []
    for block in blocks_of(members.get("subject")):
        subject = {str(name): plain(item) for name, item in members_of(block).items() if item.value not in (None, "")}
        if subject.get("kind") == "ServiceAccount":
            subject.setdefault("namespace", "default")
        subjects.append(subject)
    reference = {str(name): plain(item) for name, item in _block(members, "role_ref").items()}
    access.read_object({**_head(kind), "metadata": _metadata(members), "roleRef": reference, "subjects": subjects})


def _head(kind: str) -> dict[str, object]:
    return {"apiVersion": f"{RBAC_GROUP}/v1", "kind": kind}


def _config_map(access: AccessTemplate, members: _Members) -> None:
    """The ConfigMap aws-auth, whole or only its data; any other is none of ours."""
    metadata = _block(members, "metadata")
    names = [known(metadata[name].value) if name in metadata else "" for name in ("namespace", "name")]
    if names == ["kube-system", "aws-auth"]:
        access.read_auth_data(members_of(members.get("data")))


def _entry(access: AccessTemplate, members: _Members) -> None:
    """https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/eks_access_entry"""
    names = ("cluster_name", "principal_arn", "kubernetes_groups", "user_name", "type")
    cluster, principal, groups, user, kind = (members.get(name, _NONE) for name in names)
    user = members.get("username", _NONE) if user.value is None else user
    access.add_entry(cluster, principal, groups, user, kind)
    if policies := members.get("access_policies"):
        # the provider of CloudFormation's types has them in the entry
        listed = [policy for item in blocks_of(policies) for policy in _policy(access, members_of(item))]
        access.add_policies(cluster, principal, listed)


def _policy(access: AccessTemplate, members: _Members) -> Iterator[AssociatedPolicy]:
    scope = _block(members, "access_scope")
    yield from access.policy(members.get("policy_arn"), scope.get("type"), scope.get("namespaces"))


def _association(access: AccessTemplate, members: _Members) -> None:
    """https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/eks_access_policy_association"""
    access.add_policies(members.get("cluster_name"), members.get("principal_arn"), _policy(access, members))


ACCESS_READERS_OF_TERRAFORM: Mapping[str, AccessReader] = {
    **{
        f"kubernetes_{name}{version}": partial(reader, kind)
        for version in ("", "_v1")
        for name, kind, reader in (
            ("role", "Role", _role),
            ("cluster_role", "ClusterRole", _role),
            ("role_binding", "RoleBinding", _binding),
            ("cluster_role_binding", "ClusterRoleBinding", _binding),
        )
    },
    "kubernetes_config_map": _config_map,
    "kubernetes_config_map_v1": _config_map,
    "kubernetes_config_map_v1_data": _config_map,
    "aws_eks_access_entry": _entry,
    "awscc_eks_access_entry": _entry,
    "aws_eks_access_policy_association": _association,
}
"""kind of a resource -> its reader"""


# modules


def read_module_access(call: ModuleCall, place: Place, reading: DocumentReading) -> None:
    """What the inputs of a call of terraform-aws-modules/eks say of access: entries since version 20, aws-auth before
    (https://registry.terraform.io/modules/terraform-aws-modules/eks/aws/latest)."""
    cluster = TemplateValue(call.text("name", "cluster_name"))
    for key, entry in members_of(call.inputs.get("access_entries")).items():
        access = AccessTemplate(f"{call.address}.access_entries[{key}]", place, reading)
        _module_entry(access, cluster, members_of(entry))
    if call.version >= 20 and call.is_on("enable_cluster_creator_admin_permissions", otherwise=False):
        access = AccessTemplate(f"{call.address}.aws_eks_access_entry.this[cluster_creator]", place, reading)
        creator = TemplateValue(hole(f"the principal that applies {call.address}"))
        access.add_entry(cluster, creator, TemplateValue(()))
        access.add_policies(cluster, creator, [AssociatedPolicy(_ADMIN_POLICY, None, place)])
    read_module_map(call, place, reading)


def default_mode(call: ModuleCall) -> str:
    """The authentication mode of a cluster of a call that sets none: both since version 20
    (https://github.com/terraform-aws-modules/terraform-aws-eks/blob/master/docs/UPGRADE-20.0.md)."""
    return "API_AND_CONFIG_MAP" if call.version >= 20 else DEFAULT_MODE


def _module_entry(access: AccessTemplate, cluster: TemplateValue, members: _Members) -> None:
    principal = members.get("principal_arn", _NONE)
    groups, user, kind = (members.get(name, _NONE) for name in ("kubernetes_groups", "user_name", "type"))
    access.add_entry(cluster, principal, groups, user, kind)
    policies = members_of(members.get("policy_associations")).values()
    access.add_policies(cluster, principal, [policy for item in policies for policy in _policy(access, members_of(item))])


_ROWS: tuple[tuple[Literal["mapRoles", "mapUsers"], tuple[str, ...]], ...] = (
    ("mapRoles", ("aws_auth_roles", "map_roles")),
    ("mapUsers", ("aws_auth_users", "map_users")),
)


def read_module_map(call: ModuleCall, place: Place, reading: DocumentReading) -> None:
    """The rows that a module writes into aws-auth, as lists of objects."""
    access = AccessTemplate(f"{call.address}.aws_auth", place, reading)
    rows: list[AuthRow] = []
    for name, inputs in _ROWS:
        written = next((call.inputs[word] for word in inputs if word in call.inputs), _NONE)
        for number, item in enumerate(blocks_of(written)):
            value = plain(item)
            if isinstance(value, dict):
                rows.append(auth_row(name, number, value, place))
            else:
                access.note("a row of aws-auth")
    accounts = next((call.inputs[word] for word in ("aws_auth_accounts", "map_accounts") if word in call.inputs), _NONE)
    listed = plain_texts(accounts) or ()
    if rows or listed:
        access.add_auth_map(rows, listed)
