"""`irsa-doctor audit`: check an organisation, keep a record of the runs, and report what changed."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from irsa_doctor.cli.ages import age_of
from irsa_doctor.cli.check import check_options
from irsa_doctor.cli.destinations import refuse_targets, write_folder, write_text_pieces
from irsa_doctor.cli.help import Command, Commands
from irsa_doctor.cli.limits import RunLimits, governed_limits, limit_options
from irsa_doctor.cli.options import AsOf, with_options
from irsa_doctor.cli.output import print_text
from irsa_doctor.cli.paths import input_paths
from irsa_doctor.cli.progress import counted_progress
from irsa_doctor.cli.wrong import checked_format, checked_moment, checked_word, wrong

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from irsa_doctor.api import AuditRun
    from irsa_doctor.cli.settings_options import GoverningSettings

_RUN = "run"


class AuditCommands(Commands):
    """The group of the commands on a store; everything else is the audit itself."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments: folders and options are those of the audit itself."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


@contextmanager
def _readable() -> Iterator[None]:
    """While the context lasts, a store that cannot be used is exit 2."""
    from irsa_doctor import api

    try:
        yield
    except api.StoreError as error:
        raise wrong(str(error)) from error


app = typer.Typer(
    help="Check an organisation, and keep a record of the runs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    cls=AuditCommands,
)

_Store = Annotated[str, typer.Option("--store", metavar="FILE", help="The file that keeps the runs.")]
_Format = Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text or json.")]


@app.command(_RUN, cls=Command)
@with_options(flags=limit_options, governing=check_options)
def run_audit(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATHS]...", help="Folders of shards, files, or a manifest.")
    ] = None,
    store: _Store = "audit.db",
    format_: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text, json or jsonl.")] = "text",
    output: Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the answer to this file.")] = None,
    max_age: Annotated[str, typer.Option(metavar="AGE", help="Treat older shards as unread: 12h, 7d.")] = "7d",
    no_store: Annotated[bool, typer.Option("--no-store", help="Report without keeping anything.")] = False,
    head_file: Annotated[str | None, typer.Option(metavar="FILE", help="Append the hash of the run to this file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 if a value that a rule needs is unknown.")] = False,
    as_of: AsOf = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=256, help="Check so many accounts at a time; one a processor.")
    ] = None,
    dask: Annotated[str, typer.Option("--dask", metavar="ADDRESS", help="Check on the workers of this Dask scheduler.")] = "",
    dask_ship: Annotated[bool, typer.Option("--dask-ship", help="Send shards to workers that do not see them.")] = False,
    work: Annotated[str, typer.Option("--work", metavar="DIR", help="Keep the index here; beside the store.")] = "",
    *,
    flags: RunLimits,
    governing: "AbstractContextManager[GoverningSettings]",
) -> None:
    """Check shards, keep the findings, and report what changed.

    Exit codes are those of check. For the other commands: irsa-doctor audit --help.
    """
    from irsa_doctor import api

    output_format, moment = checked_format("audit", format_), checked_moment("--as-of", as_of)
    inputs, oldest = input_paths(paths, None), age_of("--max-age", max_age)
    _refuse_absent(inputs)
    refuse_targets([output, head_file])
    if no_store and head_file:
        raise wrong("--no-store keeps no run, and --head-file has nothing to append")
    with governing as governed:
        limits = governed_limits(flags, governed.settings, at_base=bool(governed.revision))
        with counted_progress() as on_stage:
            try:
                done = api.audit(
                    inputs,
                    settings=governed.settings,
                    store=None if no_store else store,
                    as_of=moment,
                    max_age=oldest,
                    max_seconds=limits.seconds,
                    max_memory=limits.memory,
                    jobs=jobs,
                    dask=dask,
                    dask_ship=dask_ship,
                    work=work,
                    on_stage=on_stage,
                )
            except (api.StoreError, api.AuditError, api.UnknownRule, api.RuleError, api.BaselineError) as error:
                raise wrong(str(error)) from error
    with _readable():
        if head_file:
            _append(head_file, done.head)
        write_text_pieces(done.pieces(output_format, api.style_for()), output)
    _end(done, governed.settings.fail_on or "high", strict)


def _refuse_absent(paths: list[str]) -> None:
    """End with exit 2 where none of the paths is there: one may be a misspelt command."""
    if not any(path == "-" or os.path.lexists(path) for path in paths):
        from difflib import get_close_matches

        commands = [command.name or "" for command in app.registered_commands]
        near = get_close_matches(paths[0], commands, 1)
        hint = f" Did you mean irsa-doctor audit {near[0]}?" if near else ""
        raise wrong(f"{paths[0]}: no such file or folder.{hint}")


def _append(file: str, line: str) -> None:
    from irsa_doctor import api

    try:
        api.refuse_target(file)
        with open(file, "a", encoding="utf-8") as heads:
            heads.write(f"{line}\n")
    except (OSError, ValueError) as error:
        raise wrong(f"{file}: {api.os_error_reason(error)}") from error


def _end(done: "AuditRun", fail_on: str, strict: bool) -> None:
    from irsa_doctor import api

    outcome = done.outcome
    if outcome is None:
        return
    if outcome.limit:
        raise wrong(f"not everything was judged: {outcome.limit}")
    if not outcome.has_read:
        raise wrong("nothing could be read")
    failing = api.SEVERITIES[: api.SEVERITIES.index(fail_on) + 1] if fail_on in api.SEVERITIES else ()
    if any(outcome.findings.get(severity) for severity in failing):
        raise typer.Exit(1)
    raise typer.Exit(3 if strict and outcome.unknown else 0)


@app.command("history", cls=Command)
def show_history(
    store: _Store = "audit.db",
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Show the last runs only.")] = None,
    format_: _Format = "text",
) -> None:
    """List the runs of a store, oldest first."""
    from irsa_doctor import api

    output_format = checked_format("audit-store", format_)
    with _readable():
        runs = api.audit_history(store=store, limit=limit)
    print_text(api.render_history(runs, output_format, api.style_for()))


@app.command("changes", cls=Command)
def show_changes(
    since: Annotated[str, typer.Option(metavar="RUN", help="The run, or the time, since which.")],
    until: Annotated[str | None, typer.Option(metavar="RUN", help="The run, or the time, until which; the last one.")] = None,
    account: Annotated[str, typer.Option(metavar="ID", help="Only changes in this account.")] = "",
    fail_on: Annotated[
        str, typer.Option(metavar="SEVERITY", help="Exit 1 if something of this severity or above is new or reopened.")
    ] = "high",
    store: _Store = "audit.db",
    format_: _Format = "text",
) -> None:
    """Show what is new, fixed, gone or unseen since a run.

    Exit 0: nothing new or reopened at or above --fail-on. 1: something is. 2: wrong call, or no store.
    """
    from irsa_doctor import api

    output_format = checked_format("audit-store", format_)
    checked_word("--fail-on", fail_on, (*api.SEVERITIES, "never"))
    with _readable():
        first, last, rows = api.audit_changes(
            _moment_or_run("--since", since),
            None if until is None else _moment_or_run("--until", until),
            store=store,
            account=account,
        )
    print_text(api.render_changes(first, last, rows, output_format, api.style_for()))
    failing = api.SEVERITIES[: api.SEVERITIES.index(fail_on) + 1] if fail_on in api.SEVERITIES else ()
    worse = any(row.change in ("new", "reopened") and row.severity in failing for row in rows)
    raise typer.Exit(1 if worse else 0)


def _moment_or_run(flag: str, value: str) -> int | datetime:
    if value.isascii() and value.isdigit():
        return int(value)
    day = f"{value}T23:59:59Z" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else value
    moment = checked_moment(flag, day)
    if moment is None:
        raise wrong(f"{flag}: a run or a time is expected")
    return moment


@app.command("show", cls=Command)
def show_run(
    run: Annotated[int, typer.Argument(metavar="RUN", help="The number of the run.")],
    store: _Store = "audit.db",
    format_: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text, json or jsonl.")] = "text",
) -> None:
    """Show a run as it was reported when it ended."""
    from irsa_doctor import api

    output_format = checked_format("audit", format_)
    with _readable():
        done = api.audit_show(run, store=store)
        write_text_pieces(done.pieces(output_format, api.style_for()), None)


@app.command("verify", cls=Command)
def verify_store(
    head: Annotated[str, typer.Option(metavar="HASH", help="A hash that was kept elsewhere: the store must contain it.")] = "",
    store: _Store = "audit.db",
    format_: _Format = "text",
) -> None:
    """Verify that nobody has changed the store.

    Exit 0: it is whole. 1: it was changed. 2: there is no store.
    """
    from irsa_doctor import api

    output_format = checked_format("audit-store", format_)
    with _readable():
        found = api.audit_verify(store=store, head=head)
    print_text(api.render_store_verification(found, output_format, api.style_for()))
    raise typer.Exit(1 if found.tampering else 0)


@app.command("prune", cls=Command)
def prune_store(
    keep: Annotated[str, typer.Option(metavar="AGE", help="Keep the details of runs that are younger: 400d.")],
    keep_last: Annotated[
        int, typer.Option(metavar="N", min=1, help="Keep the details of so many runs whatever their age.")
    ] = 1,
    store: _Store = "audit.db",
    as_of: AsOf = None,
) -> None:
    """Remove the details of old runs, not their hashes."""
    from irsa_doctor import api

    with _readable():
        runs = api.audit_prune(age_of("--keep", keep), store=store, keep_last=keep_last, as_of=checked_moment("--as-of", as_of))
    print_text(f"Removed the details of {len(runs)} run{'s' * (len(runs) != 1)}.\n")


@app.command("waivers", cls=Command)
def show_waivers(
    expiring: Annotated[str | None, typer.Option(metavar="AGE", help="Only those that end within this time: 30d.")] = None,
    store: _Store = "audit.db",
    format_: _Format = "text",
) -> None:
    """List the waivers of the last run and their owners."""
    from irsa_doctor import api

    output_format = checked_format("audit-store", format_)
    with _readable():
        rows = api.audit_waivers(store=store, expiring=None if expiring is None else age_of("--expiring", expiring))
    print_text(api.render_waivers(rows, output_format, api.style_for()))


_Frameworks = Annotated[list[str] | None, typer.Option("--framework", metavar="ID", help="Controls of {frameworks}; all.")]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@app.command("report", cls=Command)
def report_evidence(
    format_: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMAT", help="html, csv, json, oscal, ocsf, markdown or site.")
    ] = "html",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="PATH", help="Write to this file, or folder (site).")
    ] = None,
    framework: _Frameworks = None,
    run: Annotated[int | None, typer.Option(metavar="N", min=1, help="Report this run; the last complete one.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Report every run of a period from this day.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Report every run of a period to this day.")] = None,
    sample: Annotated[int | None, typer.Option(metavar="N", min=1, help="Draw so many items of each control.")] = None,
    seed: Annotated[str, typer.Option(metavar="TEXT", help="The seed with which items are drawn.")] = "0",
    account: Annotated[str, typer.Option(metavar="ID", help="Only this account.")] = "",
    plan: Annotated[str, typer.Option("--ap", metavar="HREF", help="Where the assessment plan is (oscal).")] = "",
    lines: Annotated[bool, typer.Option("--lines", help="Write one event a line (ocsf).")] = False,
    store: _Store = "audit.db",
) -> None:
    """Report the evidence of a run or period by control.

    It is read from the store alone. Exit 0: written. 2: wrong call, no store, or no complete run.
    """
    from irsa_doctor import api

    output_format = checked_format("audit-report", format_)
    ids = [checked_word("--framework", ident, api.framework_ids()) for ident in framework or ()]
    start, end = _day("--from", from_, "T00:00:00Z"), _day("--to", to, "T23:59:59Z")
    if run is not None and (start or end):
        raise wrong("--run and a period exclude each other")
    if start and end and start > end:
        raise wrong("the period ends (--to) before it begins (--from)")
    for flag, value, needs in (("--lines", lines, "ocsf"), ("--ap", plan, "oscal")):
        if value and output_format != needs:
            raise wrong(f"{flag} is for -f {needs}")
    if output_format == "site" and not output:
        raise wrong("-f site: -o takes the folder of the pages")
    with _readable():
        evidence = api.audit_report(
            store=store,
            frameworks=ids,
            run=run,
            start=start,
            end=end,
            sampling=api.Sampling(sample, seed) if sample else None,
            account=account,
        )
        if output_format == "site":
            write_folder(api.render_evidence_pages(evidence), output or "")
        else:
            write_text_pieces(api.render_evidence(evidence, output_format, plan=plan, lines=lines), output)


def _day(flag: str, value: str | None, time: str) -> datetime | None:
    return checked_moment(flag, f"{value}{time}" if value and _DAY.fullmatch(value) else value)
