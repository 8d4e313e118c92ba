"""`irsa-doctor who-can`: who can assume one role."""

import sys
from typing import Annotated

import typer


def who_can(
    role: Annotated[str, typer.Argument(help="ARN, name, or path of a bare policy.")],
    paths: Annotated[list[str], typer.Argument(help="Files, folders, or - for standard input.")],
    format_: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Show the exact set of subjects that a role's trust policy admits."""
    import gc

    gc.disable()
    import msgspec

    from irsa_doctor import api
    from irsa_doctor.reports import render_who_can

    try:
        answer = api.who_can(role, paths, stdin=sys.stdin.buffer.read() if "-" in paths else None)
    except api.NoSuchRole as error:
        print(f"irsa-doctor: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    if format_ == "json":
        print(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
    else:
        print(render_who_can(answer), end="")
