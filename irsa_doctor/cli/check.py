"""`irsa-doctor check`: check documents against the rules."""

import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from irsa_doctor.cli.destinations import destinations, refuse_targets, write_reports, write_text
from irsa_doctor.cli.limits import PROCESSES, RunLimits, governed_limits, limit_options, within
from irsa_doctor.cli.live_options import live_options
from irsa_doctor.cli.options import AsOf, ExitZero, with_options
from irsa_doctor.cli.output import print_note
from irsa_doctor.cli.paths import checked_paths, nearest_path
from irsa_doctor.cli.presentation_options import presentation_options
from irsa_doctor.cli.progress import progress
from irsa_doctor.cli.settings_options import DeclaredFlags, GoverningSettings, declared_options, governing_settings, listed
from irsa_doctor.cli.wrong import checked_moment, checked_word, wrong

if TYPE_CHECKING:
    from datetime import datetime

    from irsa_doctor.api import DocumentRow, LiveOptions, Presentation, Report

_CheckPaths = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATHS]...", help="Files, folders, or - for standard input; without any, the current folder."),
]
_Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT[:FILE]",
        help="{formats}; with :FILE into that file; repeatable.",
    ),
]
_Output = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report to this file.")]
_FailOn = Annotated[
    str | None,
    typer.Option(metavar="SEVERITY", help="Exit 1 at this severity and above: low, medium, high, critical or never. [high]"),
]
_MinSeverity = Annotated[
    str | None,
    typer.Option(metavar="SEVERITY", help="Report only findings of this severity and above: low, medium, high or critical."),
]
_MinConfidence = Annotated[
    str | None,
    typer.Option(metavar="CONFIDENCE", help="Report only findings of this confidence and above: low, medium or high."),
]
_Select = Annotated[
    list[str] | None,
    typer.Option(metavar="RULE", help="Evaluate only these rules: ids or patterns such as open-*; repeatable, or with commas."),
]
_Ignore = Annotated[
    list[str] | None,
    typer.Option(metavar="RULE", help="Do not evaluate these rules: ids or patterns; repeatable, or with commas."),
]
_RuleFolders = Annotated[list[str] | None, typer.Option(metavar="FOLDER", help="A folder of private rules; repeatable.")]
_Framework = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="Only rules that support a control of {frameworks}; report by control.",
    ),
]
_Base = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH",
        help="Current state: a snapshot (see collect), files or folders. PATHS are evaluated as a change of it; repeatable.",
    ),
]
_Changed = Annotated[
    bool,
    typer.Option(
        "--changed",
        help="PATHS are changed files of any kind; the other files of this folder (or --base) are read as current state. "
        "Existing problems are not reported. For hooks.",
    ),
]
_Baseline = Annotated[str | None, typer.Option(metavar="FILE", help="Do not report findings that this file lists.")]
_WriteBaseline = Annotated[str | None, typer.Option(metavar="FILE", help="Write the findings to this file, as a baseline.")]
_NoInlineIgnores = Annotated[bool, typer.Option("--no-inline-ignores", help="Do not apply comments that ignore findings.")]
_ConfigFrom = Annotated[
    str | None,
    typer.Option(
        "--config-from",
        metavar="REVISION",
        help="Use settings, waivers, rules, baseline and ignoring comments of this git revision; weaker ones in the "
        "work tree are a finding.",
    ),
]
_GateUnknown = Annotated[
    str | None,
    typer.Option(
        metavar="WHAT",
        help="With --config-from, a trust policy of which it is newly unknown how far it reaches: fail (high) or tell "
        "(medium). [fail]",
    ),
]
_Watch = Annotated[
    bool, typer.Option("--watch", help="Check again whenever the files change, until Ctrl-C; each run in a process of its own.")
]
_Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 if a value that a rule needs is unknown.")]


@with_options(declared=declared_options)
def check_options(
    *,
    fail_on: _FailOn = None,
    min_severity: _MinSeverity = None,
    min_confidence: _MinConfidence = None,
    select: _Select = None,
    ignore: _Ignore = None,
    rules: _RuleFolders = None,
    framework: _Framework = None,
    baseline: _Baseline = None,
    no_inline_ignores: _NoInlineIgnores = False,
    declared: DeclaredFlags,
    config_from: _ConfigFrom = None,
    gate_unknown: _GateUnknown = None,
) -> AbstractContextManager[GoverningSettings]:
    """The settings that govern a check, while the context lasts."""
    from irsa_doctor import api

    return governing_settings(
        config_from,
        declared.config,
        declared.no_config,
        **declared.flags,
        fail_on=_word("--fail-on", fail_on, api.FAIL_ON),
        min_severity=_word("--min-severity", min_severity, api.SEVERITIES),
        min_confidence=_word("--min-confidence", min_confidence, api.CONFIDENCES),
        select=_selected(select),
        ignore=listed(ignore),
        rules=tuple(rules or ()),
        baseline=baseline,
        framework=_word("--framework", framework, api.framework_ids() if framework is not None else ()),
        gate_unknown=_word("--gate-unknown", gate_unknown, api.GATE_UNKNOWN),
        inline_ignores=False if no_inline_ignores else None,
    )


def _selected(values: Sequence[str] | None) -> tuple[str, ...]:
    """The rules of `--select`; a wrong call where it names none: then the run would evaluate every one."""
    rules = listed(values)
    if values and not rules:
        raise wrong("--select names no rule; is a variable of the shell not set?")
    return rules


@with_options(live=live_options, flags=limit_options, governing=check_options, presentation=presentation_options)
def check(
    paths: _CheckPaths = None,
    format_: _Formats = None,
    output: _Output = None,
    base: _Base = None,
    changed: _Changed = False,
    write_baseline: _WriteBaseline = None,
    strict: _Strict = False,
    watch: _Watch = False,
    as_of: AsOf = None,
    exit_zero: ExitZero = False,
    *,
    flags: RunLimits,
    governing: AbstractContextManager[GoverningSettings],
    presentation: "Presentation",
    live: "LiveOptions | None",
) -> None:
    """Check roles, providers and workloads against the rules.

    Exit 0: no finding at or above --fail-on. 1: findings. 2: wrong call, no readable input, or the run reached a limit.
    3: incomplete (--strict).
    """
    import gc

    gc.disable()  # one run, then the process ends: collecting cycles of a large inventory only costs time
    from irsa_doctor import api

    reports = destinations(format_ or ["text"], output)
    _refuse_statistics(presentation, [name for name, _ in reports])
    refuse_targets([write_baseline if write_baseline != "-" else None, *(file for _, file in reports)])
    inputs, moment = checked_paths(paths, live), checked_moment("--as-of", as_of)
    laid_over = _base(base, changed, live)
    if watch:
        _watch([*inputs, *laid_over], live, [write_baseline, *(file for _, file in reports)], governing)
    with governing as governed:
        limits = governed_limits(flags, governed.settings, at_base=bool(governed.revision))
        with within(limits):
            settings = _without_baseline(governed) if write_baseline else governed
            suggest = not changed and any(name in api.SUGGESTING_FORMATS for name, _ in reports)
            lean = not write_baseline and not any(name in api.QUOTING_FORMATS for name, _ in reports)
            report = _checked(inputs, laid_over, settings, live, limits, moment, suggest=suggest, lean=lean)
        controls = api.controls(report, governed.settings)
    if write_baseline:
        _write_baseline(report, write_baseline)
        return
    with within(limits):
        write_reports(reports, report, controls, presentation, PROCESSES)
    if report.limit:
        raise wrong(f"not everything was judged: {report.limit}")
    own = [row for row in report.documents if not row.base]
    if not changed and not any(row.status == "read" for row in own):
        raise wrong(_nothing_read(own))
    raise typer.Exit(0 if exit_zero else exit_code(report, governed.settings.fail_on or "high", strict))


def _watch(
    paths: list[str],
    live: "LiveOptions | None",
    written: Sequence[str | None],
    governing: AbstractContextManager[GoverningSettings],
) -> NoReturn:
    """Check again whenever what the run reads changes, the settings and what they name included."""
    from irsa_doctor.cli.watch import watch

    if live or "-" in paths:
        raise wrong("--watch is for files: what is read live or from standard input cannot be watched")
    with governing as governed:
        named = governed.settings
    files = [*paths, named.file, named.baseline, *named.rules]
    for table in (named.roles, named.clusters, named.parameters, named.plans):
        files += table.values()
    watch([word for word in sys.argv[1:] if word != "--watch"], list(filter(None, files)), filter(None, written))


def _without_baseline(governed: GoverningSettings) -> GoverningSettings:
    """The settings without a baseline: one that is written anew has every finding, those of the present one too."""
    import msgspec

    return governed._replace(settings=msgspec.structs.replace(governed.settings, baseline=""))


def _refuse_statistics(presentation: "Presentation", formats: Sequence[str]) -> None:
    from irsa_doctor import api

    if presentation.statistics and not any(name in api.COUNTED_FORMATS for name in formats):
        raise wrong(
            "--statistics is for text, concise and markdown; the other formats count the findings of each rule themselves"
        )


def _write_baseline(report: "Report", file: str) -> None:
    from irsa_doctor import api

    if report.limit:
        raise wrong(f"no baseline of what was not judged: {report.limit}")
    write_text(api.baseline_of(report), file)
    number = len(report.findings)
    print_note(f"{'the baseline' if file == '-' else file} holds {number} finding{'s' * (number != 1)}")


def _base(base: list[str] | None, changed: bool, live: "LiveOptions | None") -> list[str]:
    """What the paths are laid over; with --changed, by default all that is below this folder."""
    paths = list(base or (["."] if changed else ()))
    if absent := next((path for path in paths if path != "-" and not os.path.exists(path)), None):
        revision = f" To compare with a git revision: irsa-doctor diff --git {shlex.quote(absent)}"
        raise wrong(f"--base {absent}: no such file or folder.{nearest_path(absent) or revision}")
    if paths and (live or "-" in paths):
        raise wrong("--base and --changed go with files only: collect -o FILE, then --base FILE")
    return paths


def _checked(
    paths: list[str],
    base: list[str],
    governed: GoverningSettings,
    live: "LiveOptions | None",
    limits: RunLimits,
    moment: "datetime | None",
    *,
    suggest: bool,
    lean: bool,
) -> "Report":
    from irsa_doctor import api

    try:
        with progress() as on_stage:
            return api.check(
                paths,
                settings=governed.settings,
                today=moment,
                live=live.telling(on_stage) if live else None,
                base=base,
                proposed=governed.proposed,
                compared=governed.compared,
                revision=governed.revision,
                on_stage=on_stage,
                max_seconds=limits.seconds,
                max_memory=limits.memory,
                processes=PROCESSES,
                suggest=suggest,
                lean=lean,
            )
    except (api.UnknownRule, api.RuleError, api.BaselineError, api.LiveError, api.NoRevision) as error:
        raise wrong(str(error)) from error


def exit_code(report: "Report", fail_on: str, strict: bool) -> int:
    """The exit code of a report: 1 for findings at or above a severity, 3 where something is unknown under `strict`."""
    from irsa_doctor.api import FAIL_ON

    failing = FAIL_ON[: FAIL_ON.index(fail_on) + 1] if fail_on != "never" else ()
    if any(finding.severity in failing for finding in report.findings):
        return 1
    return 3 if strict and report.unknown else 0


def _word(flag: str, value: str | None, words: Sequence[str]) -> str | None:
    return None if value is None else checked_word(flag, value, words)


def _nothing_read(rows: "Sequence[DocumentRow]") -> str:
    from irsa_doctor.api import NO_KIND, RENDERED_KINDS

    passed_over = sum(row.kind == "passed-over" for row in rows)
    rows = [row for row in rows if row.kind != "passed-over"]
    rendered = [row for row in rows if row.kind in RENDERED_KINDS]
    if passed_over and not rendered and all(row.status == "ignored" for row in rows):
        what = "1 file or folder was" if passed_over == 1 else f"{passed_over} files and folders were"
        return f"nothing could be read: {what} passed over (.gitignore, exclude, or filled by programs); name a file to read it"
    if not rows:
        return "nothing to read: no file was found in what was given"
    telling = [row for row in rows if row.kind not in NO_KIND]
    if not telling and len(rows) > 1:
        return f"nothing could be read: none of {len(rows)} files is a document of a known kind"
    first = [*rendered, *telling, *rows][0]
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    hint = "" if os.path.lexists(first.path) or first.path == "-" else nearest_path(first.path)
    name = "standard input" if first.path == "-" else first.path
    return f"nothing could be read: {name}: {first.why}{more}{'.' if hint else ''}{hint}"
