"""`irsa-doctor fix`: edit the sources of findings."""

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.check import check_options, exit_code
from irsa_doctor.cli.limits import RunLimits, governed_limits, limit_options, within
from irsa_doctor.cli.options import ExitZero, with_options
from irsa_doctor.cli.output import print_bytes, print_error, print_note, print_text
from irsa_doctor.cli.paths import checked_paths
from irsa_doctor.cli.settings_options import GoverningSettings
from irsa_doctor.cli.wrong import checked_format, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import FixAnswer, Written

_FixPaths = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATHS]...", help="Files and folders to edit; without any, the current folder."),
]
_Diff = Annotated[bool, typer.Option("--diff", help="Print a unified diff, which git apply takes, and write nothing.")]
_Write = Annotated[bool, typer.Option("--write", help="Edit the files.")]
_Commands = Annotated[
    bool, typer.Option("--commands", help="Print commands that change what has no source here: exports and live objects.")
]
_Unsafe = Annotated[
    bool, typer.Option("--unsafe-fixes", help="Also make edits of which it is not proved that no access is gained or lost.")
]
_FixFormat = Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text or json.")]
_FixBase = Annotated[
    list[str] | None,
    typer.Option("--base", metavar="PATH", help="Current state, which is only read: a snapshot, files or folders; repeatable."),
]


@with_options(limits=limit_options, governing=check_options)
def fix(
    paths: _FixPaths = None,
    diff: _Diff = False,
    write: _Write = False,
    commands: _Commands = False,
    unsafe_fixes: _Unsafe = False,
    format_: _FixFormat = "text",
    base: _FixBase = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if a value that a rule needs is unknown.")] = False,
    exit_zero: ExitZero = False,
    *,
    limits: RunLimits,
    governing: AbstractContextManager[GoverningSettings],
) -> None:
    """Fix findings in their sources with the smallest edits.

    An edit is made if it is proved that no other subject is admitted and that no service account loses the role.

    Exit: as check on the files as the command leaves them. 2: wrong call, no readable input, or no file could be written.
    """
    from irsa_doctor import api

    if diff + write + commands > 1:
        raise wrong("--diff, --write and --commands exclude each other")
    output_format = checked_format("fix", format_)
    inputs = checked_paths(paths, None)
    for path in base or ():
        if not os.path.exists(path):
            raise wrong(f"--base {path}: no such file or folder")
    with governing as governed:
        settings = governed.settings
        try:
            with within(governed_limits(limits, settings, at_base=bool(governed.revision))):
                answer = api.fix(
                    inputs,
                    settings=settings,
                    base=base or (),
                    unsafe=unsafe_fixes,
                    revision=governed.revision,
                    compared=governed.compared or ([(settings, governed.proposed)] if governed.proposed else ()),
                )
        except (api.UnknownRule, api.RuleError, api.BaselineError) as error:
            raise wrong(str(error)) from error
    if not any(row.status == "read" for row in answer.before.documents):
        raise wrong("nothing could be read of " + ", ".join(inputs))
    written = api.write_fixes(answer.fixing) if write else None
    _print(answer, written, output_format, diff=diff, commands=commands)
    failed = bool(written and written.failed)
    if written and failed and not written.files:
        raise typer.Exit(2)
    left = answer.after if written and not failed else answer.before
    raise typer.Exit(0 if exit_zero else exit_code(left, settings.fail_on or "high", strict))


def _print(answer: "FixAnswer", written: "Written | None", output_format: str, *, diff: bool, commands: bool) -> None:
    from irsa_doctor import api

    if diff:
        content, wide = api.render_unified_diff(answer.fixing)
        print_bytes(content)
        for path in wide:
            print_note(f"{path} is UTF-16, which a diff cannot show; --write edits it")
        if not content and not wide:
            why = "; without --diff, fix says of each finding why" if answer.fixing.fixes or answer.fixing.unfixed else ""
            print_note(f"no file is edited{why or ': nothing was found'}")
        return
    for why in written.failed.values() if written else ():
        print_error(f"irsa-doctor: {why}")
    is_written = written is not None and bool(written.files)
    if commands and output_format == "text":
        print_text(api.render_fix_commands(answer.fixing))
        if not answer.fixing.commands:
            is_about = answer.fixing.fixes or answer.fixing.unfixed
            print_note(f"no command: {'the comments say why' if is_about else 'nothing was found'}")
        return
    print_text(api.render_fix(answer.fixing, output_format, written=is_written, style=api.style_for()))
