"""`irsa-doctor who-can`: who can assume one role."""

from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.inputs import (
    Account,
    Clusters,
    Complete,
    Config,
    NoConfig,
    Paths,
    Roles,
    flags_over_settings,
    given_paths,
    listed,
    read_stdin,
)
from irsa_doctor.cli.live_options import reads_live
from irsa_doctor.cli.output import say
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.sources.live import Options


@reads_live()
def who_can(
    role: Annotated[str, typer.Argument(help="ARN, name, or path of a bare policy.")],
    paths: Paths = None,
    format_: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    complete: Complete = None,
    roles: Roles = None,
    cluster: Clusters = None,
    account: Account = None,
    sources: "Options | None" = None,
    config: Config = None,
    no_config: NoConfig = False,
) -> None:
    """Show the exact set of subjects that a role's trust policy admits."""
    import gc

    gc.disable()  # one run, then the process ends
    from irsa_doctor import api
    from irsa_doctor.reports import style_for
    from irsa_doctor.reports.who_can import render_who_can, render_who_can_json

    renderers = {"text": render_who_can, "json": render_who_can_json}
    if format_ not in renderers:
        raise wrong(f"no format {format_}: text, json")
    settings = flags_over_settings(config, no_config, complete=listed(complete), roles=roles, clusters=cluster, account=account)
    given = given_paths(paths, sources)
    try:
        answer = api.who_can(role, given, stdin=read_stdin(given), settings=settings, live=sources)
    except (api.NoSuchRole, api.NothingRead, api.LiveError) as error:
        raise wrong(str(error)) from error
    say(renderers[format_](answer, style_for()))
