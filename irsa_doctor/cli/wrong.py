"""A wrong call: one plain line on standard error, and exit code 2."""

import typer

from irsa_doctor.cli.output import print_note


def wrong(why: str) -> typer.Exit:
    """Print what is wrong with a call, and return what is to be raised."""
    print_note(why)
    return typer.Exit(2)


def checked_format(command: str, output_format: str) -> str:
    """The format, where the answer of a command has it; else a wrong call."""
    from irsa_doctor import api

    if output_format not in api.ANSWER_FORMATS[command]:
        raise wrong(f"no format {output_format}: {', '.join(api.ANSWER_FORMATS[command])}")
    return output_format
