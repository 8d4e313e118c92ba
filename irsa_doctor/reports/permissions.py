"""The permissions that commands need: for people who paste them, and for other programs."""

from collections.abc import Mapping

import msgspec

from irsa_doctor.reports.json import json_text
from irsa_doctor.sources.live.permissions import OrganizationPermissions, Permissions
from irsa_doctor.version import __version__


def render_permissions_json(permissions: Permissions) -> str:
    """The document `irsa-doctor.permissions/1`."""
    document = {
        "schema": "irsa-doctor.permissions/1",
        "tool": {"version": __version__},
        "commands": list(permissions.commands),
        "iam_policy": permissions.iam_policy,
        "cluster_role": permissions.cluster_role,
    }
    return _json(document)


def render_permissions_text(permissions: Permissions) -> str:
    """Both under headings that name the commands."""
    commands = ", ".join(permissions.commands)
    policy, role = render_iam_policy(permissions), render_cluster_role(permissions)
    return f"IAM policy for {commands}:\n\n{policy}\nKubernetes ClusterRole for {commands}:\n\n{role}"


def render_iam_policy(permissions: Permissions) -> str:
    """The IAM policy alone, as JSON."""
    return _json(permissions.iam_policy)


def render_cluster_role(permissions: Permissions) -> str:
    """The ClusterRole alone, as YAML."""
    import yaml

    return str(yaml.safe_dump(permissions.cluster_role, sort_keys=False, default_flow_style=False, width=120))


def _json(document: Mapping[str, object]) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def render_organization_permissions(permissions: OrganizationPermissions) -> str:
    """The permissions to collect an organisation as JSON, `irsa-doctor.organization-permissions/1`."""
    document = {"schema": "irsa-doctor.organization-permissions/1", **msgspec.structs.asdict(permissions)}
    return json_text(document)
