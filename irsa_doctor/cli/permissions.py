"""`irsa-doctor permissions`: what the live sources must be allowed to read."""

from typing import Annotated

import typer

from irsa_doctor.cli.output import say
from irsa_doctor.cli.wrong import wrong


def permissions(
    command: Annotated[str | None, typer.Argument(help="check, collect, why or who-can; none: all of them.")] = None,
    aws: Annotated[bool, typer.Option("--aws", help="Only the IAM policy, as JSON.")] = False,
    kube: Annotated[bool, typer.Option("--kube", help="Only the ClusterRole, as YAML.")] = False,
    format_: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Print the exact IAM policy and Kubernetes ClusterRole that a command needs for --aws, --kube and --live."""
    import msgspec

    from irsa_doctor.permissions import COMMANDS, cluster_role, iam_policy, yaml_text
    from irsa_doctor.version import __version__

    if command is not None and command not in COMMANDS:
        raise wrong(f"{command} reads nothing live; {', '.join(COMMANDS)} do")
    if format_ not in ("text", "json"):
        raise wrong(f"no format {format_}: text, json")
    commands = (command,) if command else COMMANDS
    policy, role = iam_policy(commands), cluster_role(commands, f"irsa-doctor-{command}" if command else "irsa-doctor")
    if format_ == "json":
        document = {
            "schema": "irsa-doctor.permissions/1",
            "tool": {"version": __version__},
            "commands": list(commands),
            "iam_policy": policy,
            "cluster_role": role,
        }
        say(_json(msgspec.json.encode(document)))
        return
    both = aws == kube
    if both:
        say(f"IAM policy for {', '.join(commands)}:\n\n")
    if aws or both:
        say(_json(msgspec.json.encode(policy)))
    if both:
        say(f"\nKubernetes ClusterRole for {', '.join(commands)}:\n\n")
    if kube or both:
        say(yaml_text(role))


def _json(document: bytes) -> str:
    import msgspec

    return msgspec.json.format(document, indent=2).decode() + "\n"
