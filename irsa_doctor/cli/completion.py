"""Completion for a shell that the call names. The options of typer know the shell around the process alone: they pass over a
name behind them, and fail where there is no shell, in a package build say."""

from collections.abc import Sequence

from irsa_doctor.cli.output import print_note, print_text

_SHOW, _INSTALL = "--show-completion", "--install-completion"
_SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
_PROGRAM, _VARIABLE = "irsa-doctor", "_IRSA_DOCTOR_COMPLETE"


def complete_named_shell(arguments: Sequence[str]) -> None:
    """Print or install the completion for the shell that is named, and end the run: with 2 for a shell that has none, or a home
    that cannot be written. Nothing where the call is another one."""
    option, _, value = arguments[0].partition("=") if arguments else ("", "", "")
    named = [value, *arguments[1:]] if value else list(arguments[1:])
    if option not in (_SHOW, _INSTALL) or len(named) != 1:
        return
    if (shell := named[0].lower()) not in _SHELLS:
        print_note(f"{option} {named[0]}: expected {', '.join(_SHELLS[:-1])} or {_SHELLS[-1]}")
        raise SystemExit(2)
    from typer._completion_shared import get_completion_script, install

    if option == _SHOW:
        print_text(get_completion_script(prog_name=_PROGRAM, complete_var=_VARIABLE, shell=shell) + "\n")
        raise SystemExit(0)
    try:
        _, path = install(shell, _PROGRAM, _VARIABLE)
    except OSError as error:
        from irsa_doctor.api import os_error_reason

        print_note(f"completion cannot be installed: {error.filename}: {os_error_reason(error)}")
        raise SystemExit(2) from error
    print_text(f"completion for {shell} is in {path}; it takes effect in the next shell\n")
    raise SystemExit(0)
