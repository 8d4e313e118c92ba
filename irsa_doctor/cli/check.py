"""`irsa-doctor check`: lint what was given."""

import sys
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
    given_paths,
    governing_settings,
    listed,
    read_stdin,
)
from irsa_doctor.cli.live_options import reads_live
from irsa_doctor.cli.progress import progress
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.model.findings import DocumentRow, Report
    from irsa_doctor.sources.live import Options

_SEVERITIES = ("critical", "high", "medium", "low")
_CONFIDENCES = ("high", "medium", "low")


@reads_live()
def check(
    paths: Paths = None,
    format_: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            help="text, json, sarif, github, junit, gitlab, markdown or html; FORMAT:FILE writes to a file; repeatable.",
        ),
    ] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Write the report to this file.")] = None,
    fail_on: Annotated[
        str | None, typer.Option(help="Exit 1 at this severity and above: low, medium, high, critical or never. [high]")
    ] = None,
    min_severity: Annotated[str | None, typer.Option(help="Show nothing below: low, medium, high or critical.")] = None,
    min_confidence: Annotated[str | None, typer.Option(help="Show nothing below: low, medium or high.")] = None,
    select: Annotated[list[str] | None, typer.Option(help="Only these rules; repeatable, or separated by commas.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Not these rules.")] = None,
    rules: Annotated[list[str] | None, typer.Option(help="A folder with rules of your own; repeatable.")] = None,
    framework: Annotated[
        str | None, typer.Option(help="Only what bears on soc2, iso27001, nist-800-53, pci-dss or cis-eks, by control.")
    ] = None,
    base: Annotated[
        list[str] | None,
        typer.Option(help="What there is: a snapshot (see collect), files or folders. PATHS are judged as laid over it."),
    ] = None,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed",
            help="PATHS are files that changed, of any kind: what is around them (this folder, or --base) is read too, "
            "and what was wrong before is not told. For hooks.",
        ),
    ] = False,
    baseline: Annotated[str | None, typer.Option(help="Do not show what this file says was there before.")] = None,
    write_baseline: Annotated[str | None, typer.Option(help="Write what was found to this file, as the baseline.")] = None,
    no_inline_ignores: Annotated[
        bool, typer.Option("--no-inline-ignores", help="Comments in documents ignore nothing.")
    ] = False,
    complete: Complete = None,
    role: Roles = None,
    cluster: Clusters = None,
    account: Account = None,
    sources: "Options | None" = None,
    config: Config = None,
    no_config: NoConfig = False,
    config_from: Annotated[
        str | None,
        typer.Option(
            "--config-from",
            help="Settings, waivers, rules and baseline of this revision of git; where the work tree has weaker ones, that is "
            "a finding. Comments that are not in it ignore nothing.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 where something needed was unknown.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever was found.")] = False,
) -> None:
    """Check trust policies, OIDC providers, clusters and service accounts.

    Exit 0: nothing at or above --fail-on. 1: findings. 2: wrong call, or nothing could be read. 3: incomplete (--strict).
    """
    import gc

    gc.disable()  # one run, then the process ends: collecting cycles of a large inventory only costs time
    from irsa_doctor import api
    from irsa_doctor.cli.targets import put, targets, write
    from irsa_doctor.governance.baseline import baseline_text, entries_of

    outputs = targets(format_ or ["text"], output)
    given = given_paths(paths, sources)
    around = list(base or (["."] if changed else ()))
    if around and (sources or "-" in around):
        raise wrong("--base and --changed go with files only: collect -o FILE, then --base FILE")
    with governing_settings(
        config_from,
        config,
        no_config,
        complete=listed(complete),
        roles=role,
        clusters=cluster,
        account=account,
        fail_on=_word("--fail-on", fail_on, (*_SEVERITIES, "never")),
        min_severity=_word("--min-severity", min_severity, _SEVERITIES),
        min_confidence=_word("--min-confidence", min_confidence, _CONFIDENCES),
        select=listed(select),
        ignore=listed(ignore),
        rules=tuple(rules or ()),
        baseline=baseline,
        framework=_framework(framework),
        inline_ignores=False if no_inline_ignores else None,
    ) as (settings, proposed):
        try:
            with progress() as on_stage:
                report = api.check(
                    given,
                    stdin=read_stdin(given),
                    settings=settings,
                    live=sources.telling(on_stage) if sources else None,
                    base=around,
                    proposed=proposed,
                    revision=config_from or "",
                    on_stage=on_stage,
                )
        except (api.UnknownRule, api.RuleError, api.BaselineError, api.LiveError) as error:
            raise wrong(str(error)) from error
        controls = api.controls(report, settings)
    if write_baseline:
        put(baseline_text(entries_of(report.findings, report.documents)), write_baseline)
        print(f"irsa-doctor: {write_baseline} holds {len(report.findings)} findings", file=sys.stderr)
        return
    write(outputs, report, controls)
    mine = tuple(row for row in report.documents if not row.base)
    if not changed and not any(row.status == "read" for row in mine):
        raise wrong(_nothing(mine))
    raise typer.Exit(0 if exit_zero else _code(report, settings.fail_on or "high", strict))


def _code(report: "Report", fail_on: str, strict: bool) -> int:
    bar = _SEVERITIES[: _SEVERITIES.index(fail_on) + 1] if fail_on != "never" else ()
    if any(finding.severity in bar for finding in report.findings):
        return 1
    return 3 if strict and report.unknown else 0


def _word(flag: str, value: str | None, words: tuple[str, ...]) -> str | None:
    if value is not None and value not in words:
        raise wrong(f"{flag} {value}: {', '.join(words[:-1])} or {words[-1]}")
    return value


def _framework(name: str | None) -> str | None:
    if name is None:
        return None
    from irsa_doctor.rulebook.frameworks import frameworks

    return _word("--framework", name, tuple(frameworks()))


def _nothing(rows: "tuple[DocumentRow, ...]") -> str:
    if not rows:
        return "nothing to read: no file was found in what was given"
    first, more = rows[0], f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return f"nothing could be read: {first.path}: {first.why}{more}"
