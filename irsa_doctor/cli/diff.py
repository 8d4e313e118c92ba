"""`irsa-doctor diff`: what a change of trust lets in, and what it keeps out."""

from typing import Annotated

import typer

from irsa_doctor.cli.inputs import Account, Clusters, Complete, Config, NoConfig, Roles, flags_over_settings, listed
from irsa_doctor.cli.output import say
from irsa_doctor.cli.wrong import wrong


def diff(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="OLD NEW", help="A file or folder each; with --git, what to look at.")
    ] = None,
    git: Annotated[str | None, typer.Option(metavar="REVISION", help="Compare the files as they are with a revision.")] = None,
    format_: Annotated[str, typer.Option("--format", "-f", help="text, json or markdown.")] = "text",
    complete: Complete = None,
    role: Roles = None,
    cluster: Clusters = None,
    account: Account = None,
    config: Config = None,
    no_config: NoConfig = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 where something could not be compared.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever changed.")] = False,
) -> None:
    """Compare whom the trust policies of OLD and NEW admit, proved on the languages and not on the text.

    Exit 0: nobody gets in who could not before. 1: somebody does. 2: wrong call. 3: something could not be compared (--strict).
    """
    from irsa_doctor import api
    from irsa_doctor.reports import style_for
    from irsa_doctor.reports.diff import DIFF_FORMATS

    if format_ not in DIFF_FORMATS:
        raise wrong(f"no format {format_}: {', '.join(DIFF_FORMATS)}")
    given = list(paths or ())
    if git is None and len(given) != 2:
        raise wrong("give two files or folders, OLD and NEW; or --git REVISION and what to look at")
    old, new = (given or ["."], given or ["."]) if git is not None else ([given[0]], [given[1]])
    settings = flags_over_settings(config, no_config, complete=listed(complete), roles=role, clusters=cluster, account=account)
    try:
        rows = api.diff(old, new, settings=settings, revision=git)
    except (api.NoRevision, api.NothingRead) as error:
        raise wrong(str(error)) from error
    say(DIFF_FORMATS[format_](rows, style_for()))
    if exit_zero:
        return
    if any(row.opens for row in rows):
        raise typer.Exit(1)
    if strict and any(row.change == "unknown" for row in rows):
        raise typer.Exit(3)
