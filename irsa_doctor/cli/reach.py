"""`irsa-doctor reach`: what one subject can become."""

from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.limits import RunLimits, limit_options, within
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import AccountId, AllFolders, Complete, Config, NoConfig, Paths, Roles, with_options
from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.paths import input_paths
from irsa_doctor.cli.settings_options import settings_options
from irsa_doctor.cli.wrong import checked_format, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions, Settings


def _settings(
    complete: Complete = None,
    roles: Roles = None,
    account: AccountId = None,
    config: Config = None,
    no_config: NoConfig = False,
    all_folders: AllFolders = False,
    *,
    cluster: list[str] | None = None,
) -> "Settings":
    return settings_options(
        complete=complete,
        role=roles,
        cluster=cluster,
        account=account,
        config=config,
        no_config=no_config,
        all_folders=all_folders,
    )


@with_options(limits=limit_options, live=live_options)
def reach(
    subject: Annotated[
        str, typer.Argument(help="user:NAME, group:NAME, serviceaccount:NAMESPACE/NAME, or the ARN of an IAM principal.")
    ],
    paths: Paths = None,
    format_: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMAT", help="text, json, html, dot or mermaid.")
    ] = "text",
    complete: Complete = None,
    roles: Roles = None,
    cluster: Annotated[
        list[str] | None,
        typer.Option(
            "--cluster",
            metavar="NAME[=PATH]",
            help="The cluster of the subject, where several have it; with =PATH, the cluster that Kubernetes documents belong "
            "to; repeatable.",
        ),
    ] = None,
    account: AccountId = None,
    config: Config = None,
    no_config: NoConfig = False,
    all_folders: AllFolders = False,
    *,
    limits: RunLimits,
    live: "LiveOptions | None",
) -> None:
    """Show what a subject can become through Kubernetes.

    Exit 0: shown. 2: wrong call, or no such subject.
    """
    import gc

    gc.disable()  # one run, then the process ends
    from irsa_doctor import api

    output_format = checked_format("reach", format_)
    inputs = input_paths(paths, live)
    named = [name for name in cluster or () if "=" not in name]
    placed = [name for name in cluster or () if "=" in name]
    settings = _settings(complete, roles, account, config, no_config, all_folders, cluster=placed or None)
    try:
        with within(limits):
            answer = api.reach(subject, inputs, settings=settings, live=live, cluster=named[-1] if named else "")
    except (api.NoSuchSubject, api.NothingRead, api.LiveError) as error:
        raise wrong(str(error)) from error
    print_text(api.render_reach(answer, output_format, api.style_for()))
