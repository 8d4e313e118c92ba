"""`irsa-doctor infer`: the intent that an estate follows."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.destinations import refuse_targets, write_text
from irsa_doctor.cli.limits import RunLimits, governed_limits, limit_options, within
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import Paths, with_options
from irsa_doctor.cli.output import print_note, print_text
from irsa_doctor.cli.paths import checked_paths
from irsa_doctor.cli.settings_options import settings_options
from irsa_doctor.cli.wrong import checked_format, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions, Settings

_Format = Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text (the intent file) or json.")]
_Output = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the intent to this file.")]
_Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]
_Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 if there are questions, or roles are left out.")]


@with_options(settings=settings_options, limits=limit_options, live=live_options)
def infer(
    paths: Paths = None,
    format_: _Format = "text",
    output: _Output = None,
    force: _Force = False,
    strict: _Strict = False,
    *,
    settings: "Settings",
    limits: RunLimits,
    live: "LiveOptions | None",
) -> None:
    """Write the intent that policies and service accounts follow.

    Who names a role and is admitted to it is in the intent. What a person has to decide is a comment above the role.

    Exit 0: written, also with questions. 2: wrong call, nothing read, or the file is there. 3: questions, or roles that are
    left out (--strict).
    """
    from irsa_doctor import api

    output_format = checked_format("infer", format_)
    if output is not None and os.path.lexists(output) and not force:
        raise wrong(f"{output} is there: --force replaces it")
    refuse_targets([output])
    try:
        with within(governed_limits(limits, settings)):
            answer = api.infer(checked_paths(paths, live), settings=settings, live=live)
    except (api.NothingRead, api.LiveError) as error:
        raise wrong(str(error)) from error
    if output is not None:
        write_text(api.schema_line(output) + api.render_inference(answer), output)
        questions = f", with {len(answer.questions)} questions to answer" if answer.questions else ""
        print_note(f"{output} written{questions}")
    if output is None or output_format == "json":
        print_text(api.render_inference(answer, output_format))
    raise typer.Exit(3 if strict and (answer.questions or answer.unnamed) else 0)
