"""`irsa-doctor check`: check documents against the rules."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.destinations import destinations, write_reports, write_text
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import Account, Clusters, Complete, Config, ExitZero, NoConfig, Paths, Roles, with_options
from irsa_doctor.cli.output import print_note
from irsa_doctor.cli.paths import input_paths, read_stdin
from irsa_doctor.cli.progress import progress
from irsa_doctor.cli.settings_options import Governing, governing_settings, listed
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.api import DocumentRow, Options, Report

Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        "-f",
        help="text, json, sarif, github, junit, gitlab, markdown or html; FORMAT:FILE writes to a file; repeatable.",
    ),
]
Output = Annotated[str | None, typer.Option("--output", "-o", help="Write the report to this file.")]
FailOn = Annotated[
    str | None, typer.Option(help="Exit 1 at this severity and above: low, medium, high, critical or never. [high]")
]
MinSeverity = Annotated[str | None, typer.Option(help="Show nothing below: low, medium, high or critical.")]
MinConfidence = Annotated[str | None, typer.Option(help="Show nothing below: low, medium or high.")]
Select = Annotated[list[str] | None, typer.Option(help="Only these rules; repeatable, or separated by commas.")]
Ignore = Annotated[list[str] | None, typer.Option(help="Not these rules.")]
RuleFolders = Annotated[list[str] | None, typer.Option(help="A folder with rules of your own; repeatable.")]
Framework = Annotated[
    str | None, typer.Option(help="Only what bears on soc2, iso27001, nist-800-53, pci-dss or cis-eks, by control.")
]
Base = Annotated[
    list[str] | None,
    typer.Option(help="What there is: a snapshot (see collect), files or folders. PATHS are judged as laid over it."),
]
Changed = Annotated[
    bool,
    typer.Option(
        "--changed",
        help="PATHS are files that changed, of any kind: what is around them (this folder, or --base) is read too, "
        "and what was wrong before is not told. For hooks.",
    ),
]
Baseline = Annotated[str | None, typer.Option(help="Do not show what this file says was there before.")]
WriteBaseline = Annotated[str | None, typer.Option(help="Write what was found to this file, as the baseline.")]
NoInlineIgnores = Annotated[bool, typer.Option("--no-inline-ignores", help="Comments in documents ignore nothing.")]
ConfigFrom = Annotated[
    str | None,
    typer.Option(
        "--config-from",
        help="Settings, waivers, rules and baseline of this revision of git; where the work tree has weaker ones, that is "
        "a finding. Comments that are not in it ignore nothing.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 where something needed was unknown.")]


def check_options(
    *,
    fail_on: FailOn = None,
    min_severity: MinSeverity = None,
    min_confidence: MinConfidence = None,
    select: Select = None,
    ignore: Ignore = None,
    rules: RuleFolders = None,
    framework: Framework = None,
    baseline: Baseline = None,
    no_inline_ignores: NoInlineIgnores = False,
    complete: Complete = None,
    role: Roles = None,
    cluster: Clusters = None,
    account: Account = None,
    config: Config = None,
    no_config: NoConfig = False,
    config_from: ConfigFrom = None,
) -> AbstractContextManager[Governing]:
    """The settings that govern a check, while the context lasts."""
    from irsa_doctor import api

    return governing_settings(
        config_from,
        config,
        no_config,
        complete=listed(complete),
        roles=role,
        clusters=cluster,
        account=account,
        fail_on=_word("--fail-on", fail_on, api.FAIL_ON),
        min_severity=_word("--min-severity", min_severity, api.SEVERITIES),
        min_confidence=_word("--min-confidence", min_confidence, api.CONFIDENCES),
        select=listed(select),
        ignore=listed(ignore),
        rules=tuple(rules or ()),
        baseline=baseline,
        framework=_word("--framework", framework, api.frameworks()) if framework is not None else None,
        inline_ignores=False if no_inline_ignores else None,
    )


@with_options(live=live_options, governing=check_options)
def check(
    paths: Paths = None,
    format_: Formats = None,
    output: Output = None,
    base: Base = None,
    changed: Changed = False,
    write_baseline: WriteBaseline = None,
    strict: Strict = False,
    exit_zero: ExitZero = False,
    *,
    governing: AbstractContextManager[Governing],
    live: "Options | None",
) -> None:
    """Check trust policies, OIDC providers, clusters and service accounts.

    Exit 0: nothing at or above --fail-on. 1: findings. 2: wrong call, or nothing could be read. 3: incomplete (--strict).
    """
    import gc

    gc.disable()  # one run, then the process ends: collecting cycles of a large inventory only costs time
    from irsa_doctor import api

    reports = destinations(format_ or ["text"], output)
    inputs = input_paths(paths, live)
    laid_over = _base(base, changed, live)
    with governing as governed:
        report = _checked(inputs, laid_over, governed, live)
        controls = api.controls(report, governed.settings)
    if write_baseline:
        write_text(api.baseline_text(report), write_baseline)
        print_note(f"{write_baseline} holds {len(report.findings)} findings")
        return
    write_reports(reports, report, controls)
    own = [row for row in report.documents if not row.base]
    if not changed and not any(row.status == "read" for row in own):
        raise wrong(_nothing_read(own))
    raise typer.Exit(0 if exit_zero else _exit_code(report, governed.settings.fail_on or "high", strict))


def _base(base: list[str] | None, changed: bool, live: "Options | None") -> list[str]:
    """What the paths are laid over; with --changed, by default all that is below this folder."""
    paths = list(base or (["."] if changed else ()))
    if paths and (live or "-" in paths):
        raise wrong("--base and --changed go with files only: collect -o FILE, then --base FILE")
    return paths


def _checked(paths: list[str], base: list[str], governed: Governing, live: "Options | None") -> "Report":
    from irsa_doctor import api

    try:
        with progress() as on_stage:
            return api.check(
                paths,
                stdin=read_stdin(paths),
                settings=governed.settings,
                live=live.telling(on_stage) if live else None,
                base=base,
                proposed=governed.proposed,
                revision=governed.revision,
                on_stage=on_stage,
            )
    except (api.UnknownRule, api.RuleError, api.BaselineError, api.LiveError) as error:
        raise wrong(str(error)) from error


def _exit_code(report: "Report", fail_on: str, strict: bool) -> int:
    from irsa_doctor.api import FAIL_ON

    failing = FAIL_ON[: FAIL_ON.index(fail_on) + 1] if fail_on != "never" else ()
    if any(finding.severity in failing for finding in report.findings):
        return 1
    return 3 if strict and report.unknown else 0


def _word(flag: str, value: str | None, words: Sequence[str]) -> str | None:
    if value is not None and value not in words:
        raise wrong(f"{flag} {value}: {', '.join(words[:-1])} or {words[-1]}")
    return value


def _nothing_read(rows: "Sequence[DocumentRow]") -> str:
    if not rows:
        return "nothing to read: no file was found in what was given"
    first, more = rows[0], f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return f"nothing could be read: {first.path}: {first.why}{more}"
