"""`irsa-doctor why`: name the broken link between a pod and its role."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.inputs import Account, Complete, Config, NoConfig, flags_over_settings, listed, read_stdin
from irsa_doctor.cli.live_options import reads_live
from irsa_doctor.cli.output import say
from irsa_doctor.cli.progress import progress
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.api import Symptoms
    from irsa_doctor.sources.live import Options

_CODES = {"works": 0, "broken": 1, "unknown": 3}


@reads_live()
def why(
    target: Annotated[
        str | None, typer.Argument(help="NAMESPACE/SERVICEACCOUNT, pod/NAMESPACE/POD, or KIND/NAMESPACE/NAME.")
    ] = None,
    paths: Annotated[list[str] | None, typer.Argument(help="Files, folders, or - for standard input.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every service account that has to do with a role.")] = False,
    role: Annotated[str | None, typer.Option(help="The role that is asked for, in place of the one that is named.")] = None,
    cluster: Annotated[
        list[str] | None, typer.Option(help="Name, ARN or issuer of the cluster; NAME=PATH says whose documents are where.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="A file with the token, or - for standard input. It is never shown.")
    ] = None,
    event: Annotated[
        str | None, typer.Option(help="A file with events of CloudTrail: one, an answer of lookup-events, a log (gzip too).")
    ] = None,
    lookup_events: Annotated[
        bool, typer.Option("--lookup-events", help="Look up the last calls for its role in CloudTrail, with --aws or --live.")
    ] = False,
    error: Annotated[str | None, typer.Option(help="The error message, or @FILE: a log will do.")] = None,
    format_: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
    complete: Complete = None,
    account: Account = None,
    policy: Annotated[list[str] | None, typer.Option("--policy", help="ARN=PATH: the role of a bare policy.")] = None,
    sources: "Options | None" = None,
    config: Config = None,
    no_config: NoConfig = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever is wrong.")] = False,
) -> None:
    """Say why a service account or workload does not get the credentials of its role.

    Exit 0: it works. 1: it is broken. 2: wrong call, or the name is not there. 3: it cannot be told from what was given.
    """
    import gc

    gc.disable()  # one run, then the process ends
    from irsa_doctor import api
    from irsa_doctor.answers.why import NoEvents, NoTarget
    from irsa_doctor.reports import style_for
    from irsa_doctor.reports.why import render_all, render_all_json, render_why, render_why_json
    from irsa_doctor.sources.files.evidence import NoEvidence

    if format_ not in ("text", "json"):
        raise wrong(f"no format {format_}: text, json")
    given = list(paths or ())
    alone = all_ or token or event or error
    if target is not None and alone and os.path.exists(target):
        given = [target, *given]
        target = None
    _check_call(target, given, bool(alone), all_, sources is not None)
    if lookup_events and (event or all_ or sources is None or not sources.aws):
        raise wrong("--lookup-events goes with --aws or --live and one target, and without --event")
    named = [value for value in cluster or () if not _is_mapping(value)]
    if len(named) > 1:
        raise wrong("--cluster: one cluster can be asked about")
    settings = flags_over_settings(
        config,
        no_config,
        complete=listed(complete),
        roles=policy,
        clusters=[value for value in cluster or () if _is_mapping(value)],
        account=account,
    )
    _check_stdin(given, token, event, error)
    stdin = read_stdin(given)
    where = named[0] if named else ""
    try:
        with progress() as tell:
            read = sources.telling(tell) if sources else None
            seen = _seen(token, event, error)
            if all_:
                found = api.why_all(given, stdin=stdin, settings=settings, cluster=where, seen=seen, live=read)
            else:
                one = api.why(
                    target or "",
                    given,
                    stdin=stdin,
                    settings=settings,
                    role=role or "",
                    cluster=where,
                    seen=seen,
                    live=read,
                    lookup=lookup_events,
                )
    except (NoTarget, NoEvents, NoEvidence, api.NothingRead, api.LiveError) as problem:
        raise wrong(str(problem)) from problem
    if all_:
        say(render_all_json(found) if format_ == "json" else render_all(found, style_for()))
        verdict = next((v for v in ("broken", "unknown") if any(d.verdict == v for d in found)), "works")
    else:
        say(render_why_json(one) if format_ == "json" else render_why(one, style_for()))
        verdict = one.verdict
    raise typer.Exit(0 if exit_zero else _CODES[verdict])


def _check_call(target: str | None, given: list[str], alone: bool, all_: bool, live: bool) -> None:
    if not target and not alone:
        raise wrong("name a service account as NAMESPACE/SERVICEACCOUNT, or give --all, --token, --event or --error")
    if (target or all_) and not given and not live and not (alone and not all_):
        what = "--all" if all_ else target
        raise wrong(f"nothing to look at; run: irsa-doctor why {what} --live   or: irsa-doctor why {what} FOLDER")


def _is_mapping(value: str) -> bool:
    name, equals, path = value.partition("=")
    return bool(name and equals) and os.path.exists(path)


def _check_stdin(given: list[str], token: str | None, event: str | None, error: str | None) -> None:
    if [*given, token, event, (error or "").removeprefix("@") if (error or "").startswith("@") else ""].count("-") > 1:
        raise wrong("standard input can be read once: give - for one thing")


def _seen(token: str | None, event: str | None, error: str | None) -> "Symptoms":
    from irsa_doctor.api import Symptoms
    from irsa_doctor.sources.files.evidence import chunks, content

    text = error or ""
    if text.startswith("@"):
        text = content(text[1:]).decode(errors="replace")
    return Symptoms(text, content(token) if token else None, chunks(event) if event else ())
