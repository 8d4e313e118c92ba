"""`irsa-doctor permissions`: what the live sources must be allowed to read."""

from typing import Annotated

import typer

from irsa_doctor.cli.options import Format
from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.wrong import checked_format, wrong


def permissions(
    command: Annotated[str | None, typer.Argument(help="check, collect, why, who-can or reach; without it, all.")] = None,
    aws: Annotated[bool, typer.Option("--aws", help="Only the IAM policy, as JSON.")] = False,
    kube: Annotated[bool, typer.Option("--kube", help="Only the ClusterRole, as YAML.")] = False,
    token_secrets: Annotated[
        bool, typer.Option("--token-secrets", help="With what --token-secrets of a live read needs.")
    ] = False,
    org: Annotated[bool, typer.Option("--org", help="What collect --org needs, with the template of a StackSet.")] = False,
    format_: Format = "text",
) -> None:
    """Print the IAM policy and ClusterRole that live reads need."""
    from irsa_doctor import api

    if org:
        if command not in (None, "collect"):
            raise wrong("--org is about collect: irsa-doctor permissions collect --org")
        return print_text(api.render_organization_permissions(api.permissions_of_organization()))
    output_format = checked_format("permissions", format_)
    if output_format == "text" and aws != kube:
        output_format = "iam-policy" if aws else "cluster-role"
    try:
        print_text(api.render_permissions(api.permissions(command, secrets=token_secrets), output_format))
    except api.NotLive as error:
        raise wrong(str(error)) from error
