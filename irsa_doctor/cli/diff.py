"""`irsa-doctor diff`: what a change of trust admits, and what it no longer admits."""

import os
import re
from typing import TYPE_CHECKING, Annotated

import typer

from irsa_doctor.cli.limits import RunLimits, governed_limits, limit_options, within
from irsa_doctor.cli.options import with_options
from irsa_doctor.cli.output import print_note, print_text
from irsa_doctor.cli.paths import check_existing, expanded, nearest_path
from irsa_doctor.cli.settings_options import GoverningSettings, SettingsAt, compared_options
from irsa_doctor.cli.wrong import checked_format, wrong

if TYPE_CHECKING:
    from irsa_doctor.api import RoleChange, Settings

_Sides = Annotated[
    list[str] | None, typer.Argument(metavar="OLD NEW", help="A file or folder each; with --git, the paths to compare.")
]
_Git = Annotated[str | None, typer.Option(metavar="REVISION", help="Compare the work tree with this git revision.")]
_Format = Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="text, json or markdown.")]
_Strict = Annotated[bool, typer.Option("--strict", help="Exit 3 if a role cannot be compared.")]
_ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 also where a role was widened.")]
_AllowNew = Annotated[
    bool, typer.Option("--allow-new", help="Exit 0 also where a new role is open: only roles that exist are compared.")
]


@with_options(settings_of=compared_options, limits=limit_options)
def diff(
    paths: _Sides = None,
    git: _Git = None,
    format_: _Format = "text",
    allow_new: _AllowNew = False,
    strict: _Strict = False,
    exit_zero: _ExitZero = False,
    *,
    settings_of: SettingsAt,
    limits: RunLimits,
) -> None:
    """Compare which subjects two sets of trust policies admit.

    The admitted sets are compared, not the text of the policies. With --git the settings are
    those of the revision. Of two intents: who is newly meant, and who no longer.

    Exit 0: no subject is newly admitted. 1: a role was widened, or is open and new or was not open before, or a
    document is not readable any more. 2: wrong call, or the run reached a limit. 3: a role cannot be compared (--strict).
    """
    from irsa_doctor import api

    output_format = checked_format("diff", format_)
    old, new = _sides(list(paths or ()), git)
    try:
        with settings_of(_governing(git, new)) as governed, within(_limits(limits, governed)) as run:
            of_intents = _intents(old, new, git)
            changes = api.diff(old, new, settings=governed.settings, revision=git) if of_intents is None else of_intents
    except (api.IntentError, api.NoRevision, api.NothingRead, api.RuleError, api.UnknownRule, api.BaselineError) as error:
        raise wrong(str(error)) from error
    print_text(api.render_diff(changes, output_format, api.style_for()))
    run.refuse_part()
    raise typer.Exit(0 if exit_zero else _exit_code(changes, allow_new, strict))


def _governing(git: str | None, paths: list[str]) -> str | None:
    """The revision whose settings govern: none where the current folder is not in the repository of the change."""
    from irsa_doctor import api

    return git if git is not None and api.is_in_repository_of(paths) else None


def _limits(flags: RunLimits, governed: GoverningSettings) -> RunLimits:
    """The limits of a comparison, with a note where the settings of the work tree are not those that govern it."""
    if any(_content(now) != _content(then) for then, now in governed.compared):
        print_note(f"settings of {governed.revision} apply: those of the work tree differ, and a change does not set its own")
    return governed_limits(flags, governed.settings, at_base=bool(governed.revision))


def _content(settings: "Settings") -> "Settings":
    """Settings without what follows from where their file lies."""
    import msgspec

    waivers = tuple(msgspec.structs.replace(waiver, file="", line=0) for waiver in settings.waivers)
    rules = tuple(map(os.path.basename, settings.rules))
    baseline = os.path.basename(settings.baseline)
    return msgspec.structs.replace(settings, file="", folder="", rules=rules, baseline=baseline, waivers=waivers)


def _intents(old: list[str], new: list[str], git: str | None) -> "tuple[RoleChange, ...] | None":
    """The changes of two intents; None where the paths are no intents."""
    from irsa_doctor import api

    if len(old) != 1 or len(new) != 1 or not api.is_intent(new[0]):
        return None
    if git is None and not api.is_intent(old[0]):
        raise wrong(f"{new[0]} is an intent and {old[0]} is not: give two intents, or irsa-doctor verify {new[0]} {old[0]}")
    return api.diff_intents(old[0], new[0], revision=git)


def _sides(paths: list[str], git: str | None) -> tuple[list[str], list[str]]:
    if git is not None:
        if "-" in paths:
            raise wrong("--git compares files and folders of a repository, not standard input")
        compared = expanded(paths or ["."])
        return compared, compared
    if paths and _may_be_revision(paths[0]):
        raise wrong(f"{paths[0]}: no such file or folder; to compare with a revision run: irsa-doctor diff --git {paths[0]}")
    if len(paths) != 2:
        raise wrong("give two files or folders, OLD and NEW; or --git REVISION and what to look at")
    check_existing(paths)
    return paths[:1], paths[1:]


def _may_be_revision(path: str) -> bool:
    """Whether what is no path here is written like a revision: `main`, `HEAD~1`, `origin/main`, `main..HEAD`."""
    return not os.path.lexists(path) and re.fullmatch(r"[\w./~^@-]+", path) is not None and not nearest_path(path)


def _exit_code(changes: "tuple[RoleChange, ...]", allow_new: bool, strict: bool) -> int:
    if any(change.opens or (change.open_by and not allow_new) for change in changes):
        return 1
    return 3 if strict and any(change.change == "unknown" for change in changes) else 0
