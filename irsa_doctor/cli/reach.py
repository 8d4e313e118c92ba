"""`irsa-doctor reach`: what one subject can become."""

from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.limits import RunLimits, limit_options, within
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import Paths, with_options
from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.paths import input_paths
from irsa_doctor.cli.settings_options import DeclaredFlags, declared_settings, file_options, with_clusters
from irsa_doctor.cli.wrong import checked_format, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import LiveOptions


@with_options(declared=file_options, limits=limit_options, live=live_options)
def reach(
    subject: Annotated[
        str, typer.Argument(help="user:NAME, group:NAME, serviceaccount:NAMESPACE/NAME, or the ARN of an IAM principal.")
    ],
    paths: Paths = None,
    format_: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMAT", help="text, json, html, dot or mermaid.")
    ] = "text",
    cluster: Annotated[
        list[str] | None,
        typer.Option(
            "--cluster",
            metavar="NAME[=PATH]",
            help="The cluster of the subject, where several have it; with =PATH, the cluster that Kubernetes documents belong "
            "to; repeatable.",
        ),
    ] = None,
    *,
    declared: DeclaredFlags,
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
    settings = declared_settings(with_clusters(declared, placed or None))
    try:
        with within(limits):
            answer = api.reach(subject, inputs, settings=settings, live=live, cluster=named[-1] if named else "")
    except (api.NoSuchSubject, api.NothingRead, api.LiveError) as error:
        raise wrong(str(error)) from error
    print_text(api.render_reach(answer, output_format, api.style_for()))
