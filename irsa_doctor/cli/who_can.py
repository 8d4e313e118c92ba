"""`irsa-doctor who-can`: who can assume one role."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.limits import RunLimits, governed_limits, limit_options, within
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import Format, Paths, with_options
from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.paths import check_name_first, input_paths
from irsa_doctor.cli.settings_options import settings_options
from irsa_doctor.cli.wrong import checked_format, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions, Settings


@with_options(settings=settings_options, limits=limit_options, live=live_options)
def who_can(
    role: Annotated[str, typer.Argument(help="ARN or name of the role, or path of a bare trust policy.")],
    paths: Paths = None,
    format_: Format = "text",
    *,
    settings: "Settings",
    limits: RunLimits,
    live: "LiveOptions | None",
) -> None:
    """Show exactly which subjects can assume a role.

    Exit 0: shown. 2: wrong call, no such role, or the run reached a limit.
    """
    import gc

    gc.disable()  # one run, then the process ends
    from irsa_doctor import api

    output_format = checked_format("who-can", format_)
    check_name_first("who-can", role, paths or ())
    inputs = input_paths(paths or ([role] if live is None and os.path.isfile(role) else None), live)
    try:
        with within(governed_limits(limits, settings)) as run:
            answer = api.who_can(role, inputs, settings=settings, live=live)
    except (api.NoSuchRole, api.NothingRead, api.LiveError) as error:
        raise wrong(str(error)) from error
    print_text(api.render_who_can(answer, output_format, api.style_for()))
    run.refuse_part()
