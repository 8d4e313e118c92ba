"""`irsa-doctor schema`: the JSON Schema of what a command writes."""

from typing import Annotated

import typer

from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.wrong import wrong


def schema(
    name: Annotated[str, typer.Argument(metavar="COMMAND", help="A command that writes JSON, or settings, rule or intent.")],
) -> None:
    """Print the JSON Schema of a report or a written file."""
    from irsa_doctor import api

    try:
        print_text(api.schema(name))
    except api.UnknownSchema as error:
        raise wrong(str(error)) from error
