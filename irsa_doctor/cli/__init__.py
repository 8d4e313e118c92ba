"""The command line: flags in, one call, print, exit code."""

import sys

import typer

from irsa_doctor.cli.check import check
from irsa_doctor.cli.simulate import simulate
from irsa_doctor.cli.who_can import who_can
from irsa_doctor.version import __version__

app = typer.Typer(
    name="irsa-doctor",
    help="Lint and diagnose IAM roles for service accounts (IRSA) on Amazon EKS.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        print(f"irsa-doctor {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version and stop."),
) -> None:
    pass


app.command()(check)
app.command()(simulate)
app.command("who-can")(who_can)


def main() -> None:
    """Run; an unexpected error is a short message and exit 70, never a verdict."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None
    except Exception as error:
        print(f"irsa-doctor: unexpected error: {type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(70) from error
