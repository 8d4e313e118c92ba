"""The command line: flags in, one call, print, exit code."""

import errno
import gc
import io
import os
import signal
import sys
import traceback
from typing import Annotated, Any, NoReturn, cast

import typer

from irsa_doctor.cli.arguments import arranged
from irsa_doctor.cli.completion import complete_named_shell
from irsa_doctor.cli.help import Commands, context_settings
from irsa_doctor.cli.output import print_error, print_text
from irsa_doctor.cli.table import CommandTable
from irsa_doctor.cli.wrong import checked_word
from irsa_doctor.version import __version__

COMMAND_HOMES = {
    "check": "check.check",
    "why": "why.why",
    "who-can": "who_can.who_can",
    "reach": "reach.reach",
    "simulate": "simulate.simulate",
    "diff": "diff.diff",
    "fix": "fix.fix",
    "generate": "generate.generate",
    "verify": "verify.verify",
    "infer": "infer.infer",
    "collect": "collect.collect",
    "permissions": "permissions.permissions",
    "explain": "explain.explain",
    "init": "init.init",
    "schema": "schema.schema",
    "mcp": "mcp.mcp",
    "rules": "rules.app",
    "audit": "audit.app",
}
"""every command in the order of the help -> its module, and the function or the group of commands in it"""


class _AllCommands(Commands):
    """The group of all commands; one is loaded when it is called, or listed with the others."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast("Any", CommandTable(COMMAND_HOMES))  # made one by one, while a dict would hold them all


app = typer.Typer(
    name="irsa-doctor",
    help="Lint and diagnose IAM roles for service accounts (IRSA) on Amazon EKS.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=_AllCommands,
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


def _interrupted(number: int, *_: object) -> NoReturn:
    """End the run in order, so that what it has begun is removed, with the exit code that shells give a signal."""
    raise SystemExit(128 + number)


def main() -> NoReturn:
    """Run. An unexpected error is a short message and exit 70, never a verdict; an interrupt is exit 130."""
    _open_streams()
    gc.set_threshold(50_000, 20, 20)  # what is imported stays: looking through it for cycles again and again only costs time
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupted)
    if "--debug" in sys.argv:
        _show_faults()
    try:
        complete_named_shell(sys.argv[1:])
        code = app(arranged(sys.argv[1:], [*COMMAND_HOMES]), prog_name="irsa-doctor", standalone_mode=False)
    except SystemExit as end:
        _leave(end.code)
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends the run with an exit code of its own
        _leave(_failed(error))
    _leave(code if isinstance(code, int) else 0)


def _open_streams() -> None:
    """Give a program that is started without a standard stream (`>&-`) one that leads nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - it is open until the end


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
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        from irsa_doctor import api

        print_error(f"irsa-doctor: the output cannot be written: {api.os_error_reason(error)}")
        return 2
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
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        pass
    except (OSError, ValueError) as error:
        code = _failed(error) if isinstance(error, OSError) else code
    os._exit(code if isinstance(code, int) else int(code is not None))
