"""A wrong call: one plain line on standard error, and exit code 2."""

import sys

import typer


def wrong(why: str) -> typer.Exit:
    """Say what is wrong, and return what is to be raised."""
    from irsa_doctor.reports.escape import for_terminal

    print(f"irsa-doctor: {for_terminal(why)}", file=sys.stderr)
    return typer.Exit(2)
