"""`irsa-doctor schema`: the JSON Schema of what a command writes."""

from typing import Annotated

import typer

from irsa_doctor.cli.output import say
from irsa_doctor.cli.wrong import wrong


def schema(name: Annotated[str, typer.Argument(metavar="COMMAND", help="A command that writes JSON, or settings.")]) -> None:
    """Print the JSON Schema (draft 2020-12) of a command's JSON, or of the settings."""
    from irsa_doctor.reports.schemas import schema_names, schema_text

    if name not in schema_names():
        raise wrong(f"no schema of {name}: {', '.join(schema_names())}")
    say(schema_text(name))
