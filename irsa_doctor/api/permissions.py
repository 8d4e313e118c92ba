"""Gives the permissions that commands need to read live sources."""

from typing import TYPE_CHECKING

from irsa_doctor.model.errors import IrsaDoctorError

if TYPE_CHECKING:
    from irsa_doctor.sources.live.permissions import OrganizationPermissions, Permissions


class NotLive(IrsaDoctorError):
    """A command that reads nothing live; the text lists those that do."""


def permissions(command: str | None = None, *, secrets: bool = False) -> "Permissions":
    """The IAM policy and the ClusterRole that a command needs, without a name all commands; `secrets`: with what the names of
    Secrets need. Raises NotLive."""
    from irsa_doctor.sources.live.permissions import COMMANDS, permissions_for

    if command is not None and command not in COMMANDS:
        from irsa_doctor.model.nearness import suggestion

        raise NotLive(f"{command} reads nothing live; {', '.join(COMMANDS)} do.{suggestion(command, COMMANDS)}")
    name = f"irsa-doctor-{command}" if command else "irsa-doctor"
    return permissions_for((command,) if command else COMMANDS, name, secrets=secrets)


def permissions_of_organization(role: str = "irsa-doctor-read") -> "OrganizationPermissions":
    """What `collect --org` needs: the policy of the caller, the role for each account as a CloudFormation template, and the
    ClusterRole."""
    from irsa_doctor.sources.live.permissions import organization_permissions

    return organization_permissions(role)
