"""The command line: flags in, one call, print, exit code."""

import io
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from irsa_doctor.cli import audit, rules
from irsa_doctor.cli.arguments import arranged
from irsa_doctor.cli.audit import AuditCommands
from irsa_doctor.cli.check import check
from irsa_doctor.cli.collect import collect
from irsa_doctor.cli.diff import diff
from irsa_doctor.cli.explain import explain
from irsa_doctor.cli.fix import fix
from irsa_doctor.cli.generate import generate
from irsa_doctor.cli.help import Command, Commands, context_settings
from irsa_doctor.cli.infer import infer
from irsa_doctor.cli.output import print_error, print_text
from irsa_doctor.cli.permissions import permissions
from irsa_doctor.cli.reach import reach
from irsa_doctor.cli.schema import schema
from irsa_doctor.cli.simulate import simulate
from irsa_doctor.cli.verify import verify
from irsa_doctor.cli.who_can import who_can
from irsa_doctor.cli.why import why
from irsa_doctor.cli.wrong import checked_word
from irsa_doctor.version import __version__

app = typer.Typer(
    name="irsa-doctor",
    help="Lint and diagnose IAM roles for service accounts (IRSA) on Amazon EKS.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=Commands,
    context_settings=context_settings(),
)


def _version(requested: bool) -> None:
    if requested:
        print_text(f"irsa-doctor {__version__}\n")
        raise typer.Exit


def _color(when: str) -> None:
    """Set the variables that a report looks at: a flag takes precedence over the environment."""
    if (chosen := checked_word("--color", when, ("auto", "always", "never"))) != "auto":
        os.environ["NO_COLOR"] = "1" if chosen == "never" else ""
        os.environ["FORCE_COLOR"] = "1" if chosen == "always" else ""


def _no_color(requested: bool) -> None:
    if requested:
        _color("never")


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    color: Annotated[str, typer.Option("--color", metavar="WHEN", help="auto, always or never.", callback=_color)] = "auto",
    no_color: Annotated[bool, typer.Option("--no-color", help="The same as --color never.", callback=_no_color)] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")] = False,
) -> None:
    pass


app.command(cls=Command)(check)
app.command(cls=Command)(why)
app.command("who-can", cls=Command)(who_can)
app.command(cls=Command)(reach)
app.command(cls=Command)(simulate)
app.command(cls=Command)(diff)
app.command(cls=Command)(fix)
app.command(cls=Command)(generate)
app.command(cls=Command)(verify)
app.command(cls=Command)(infer)
app.command(cls=Command)(collect)
app.command(cls=Command)(permissions)
app.add_typer(rules.app, name="rules", cls=Commands)
app.add_typer(audit.app, name="audit", cls=AuditCommands)
app.command(cls=Command)(explain)
app.command(cls=Command)(schema)


def _interrupted(number: int, *_: object) -> NoReturn:
    """End the run in order, so that what it has begun is removed, with the exit code that shells give a signal."""
    raise SystemExit(128 + number)


def main() -> NoReturn:
    """Run. An unexpected error is a short message and exit 70, never a verdict; an interrupt is exit 130."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupted)
    if "--debug" in sys.argv:
        _show_faults()
    try:
        commands = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
        code = app(arranged(sys.argv[1:], [*commands, "rules", "audit"]), prog_name="irsa-doctor", standalone_mode=False)
    except SystemExit as end:
        _leave(end.code)
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends the run with an exit code of its own
        _leave(_failed(error))
    _leave(code if isinstance(code, int) else 0)


def _show_faults() -> None:
    """Print the tracebacks of unexpected errors that cost a document only, line by line as all that goes to standard error."""
    import logging

    class FaultPrinter(logging.Handler):
        """Prints what is logged through the mask of standard error."""

        def emit(self, record: logging.LogRecord) -> None:
            """Print a record with its traceback."""
            for line in self.format(record).splitlines():
                print_error(line)

    logger = logging.getLogger("irsa_doctor")
    logger.addHandler(FaultPrinter())
    logger.setLevel(logging.DEBUG)


def _failed(error: Exception) -> int:
    """Say what went wrong, a wrong call as Click words it, and return the exit code."""
    if (message_of := getattr(error, "format_message", None)) and type(error).__name__ != "NoArgsIsHelpError":
        context = getattr(error, "ctx", None)
        see = f" See: {context.command_path} -h" if context else ""
        words = io.StringIO(f"irsa-doctor: {' '.join(message_of().split())}{see}")
    elif show := getattr(error, "show", None):
        words = io.StringIO()
        show(file=words)
    else:
        what = f"unexpected error: {type(error).__name__}: {error}"
        details = "".join(traceback.format_exception(error)) if "--debug" in sys.argv else what
        words = io.StringIO(f"irsa-doctor: {details}\nirsa-doctor: this is a bug; --debug shows where")
    for line in words.getvalue().splitlines():
        print_error(line)
    return int(getattr(error, "exit_code", 70))


def _leave(code: str | int | None) -> NoReturn:
    """End at once: to take a large inventory apart, object by object, takes a fifth of a run (mypy ends its own so, too)."""
    if isinstance(code, str):
        print_error(code)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
