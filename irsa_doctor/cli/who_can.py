"""`irsa-doctor who-can`: who can assume one role."""

from typing import Annotated

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
from irsa_doctor.cli.live_options import (
    AssumeRoles,
    Aws,
    FetchIssuer,
    Kube,
    Kubeconfig,
    KubeContexts,
    Live,
    Profiles,
    Regions,
    Timeout,
    live_options,
)
from irsa_doctor.cli.output import say
from irsa_doctor.cli.wrong import wrong


def who_can(
    role: Annotated[str, typer.Argument(help="ARN, name, or path of a bare policy.")],
    paths: Paths = None,
    format_: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    complete: Complete = None,
    roles: Roles = None,
    cluster: Clusters = None,
    account: Account = None,
    aws: Aws = False,
    kube: Kube = False,
    live: Live = False,
    kube_context: KubeContexts = None,
    kubeconfig: Kubeconfig = None,
    profile: Profiles = None,
    assume_role: AssumeRoles = None,
    region: Regions = None,
    timeout: Timeout = None,
    fetch_issuer: FetchIssuer = False,
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
    sources = live_options(
        aws=aws,
        kube=kube,
        live=live,
        kube_context=kube_context,
        kubeconfig=kubeconfig,
        profile=profile,
        assume_role=assume_role,
        region=region,
        timeout=timeout,
        fetch_issuer=fetch_issuer,
    )
    given = given_paths(paths, sources)
    try:
        answer = api.who_can(role, given, stdin=read_stdin(given), settings=settings, live=sources)
    except (api.NoSuchRole, api.NothingRead, api.LiveError) as error:
        raise wrong(str(error)) from error
    say(renderers[format_](answer, style_for()))
