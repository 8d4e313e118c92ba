"""Fixes what `check` finds, in the sources."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from irsa_doctor.api.governed import all_rules, change_of, comments_at, findings_of_base, governing_of, today_here
from irsa_doctor.api.load import NO_SETTINGS, declared_of
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.errors import NotJudged
from irsa_doctor.model.findings import NO_OFFER, Offer, Report
from irsa_doctor.text.edited_files import ChangedSince, barrier_to_edits, replace_bytes

if TYPE_CHECKING:
    from irsa_doctor.answers.check.judge import Input
    from irsa_doctor.answers.fix.records import Fixing
    from irsa_doctor.answers.fix.rounds import FixPlan, Reload
    from irsa_doctor.model.edits import UnfixedReason
    from irsa_doctor.sources import Loaded


class FixAnswer(msgspec.Struct, frozen=True):
    """What `fix` has worked out; `before` is the report of `check` on the files as they are, `after` with the edits."""

    fixing: "Fixing"
    before: Report
    after: Report


class Written(msgspec.Struct, frozen=True):
    """What became of the files with edits: those that have them now, and those that do not, each with the reason."""

    files: tuple[str, ...]
    failed: Mapping[str, str]


def fix(
    paths: Sequence[str],
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    today: date | None = None,
    base: Sequence[str] = (),
    unsafe: bool = False,
    revision: str = "",
    compared: Sequence[tuple[Settings, Settings]] = (),
) -> FixAnswer:
    """The edits that fix the findings about documents; nothing is written.

    `revision` and `compared` are those of `check`. Only files at or below `paths` are edited; those of `base` are only read.
    `unsafe`: edits are made, too, of which it is not proved that nobody else is admitted and that nobody loses a role. Raises
    RuleError, UnknownRule and BaselineError, and NotJudged where the run reached a limit: what was not judged cannot be proved.
    """
    from irsa_doctor.answers.check.judge import Input, judge
    from irsa_doctor.answers.fix import fixed
    from irsa_doctor.sources import Declared, Loading, input_files
    from irsa_doctor.sources.files.git_index import uncommitted

    governed, day = governing_of(settings), today or today_here()
    declared = Declared(**declared_of(settings))
    files = list(input_files(paths, base, stdin, exclude=declared.exclude))
    change = change_of(governed, compared, revision, findings_of_base(base, paths, governed, day))

    def reload(changed: Mapping[str, bytes]) -> tuple["Input", Report]:
        now = [msgspec.structs.replace(file, content=changed.get(file.path, file.content)) for file in files]
        loaded = Loading(now, declared).loaded()
        judged = Input(loaded.inventory, loaded.documents, loaded.base)
        comments_of = comments_at(revision, loaded, settings) if revision else None
        report = judge(judged, governed, day, change=change, comments_of=comments_of)
        if report.limit:
            raise NotJudged(f"not everything was judged: {report.limit}")
        return judged, report

    plan = _plan(settings, paths, [file.path for file in files if file.base], reload, unsafe=unsafe)
    judged, before = reload({})
    fixing, after = fixed(plan, {file.path: file.content for file in files}, judged, before)
    return FixAnswer(msgspec.structs.replace(fixing, uncommitted=uncommitted(fixing.before)), before, after)


def _plan(
    settings: Settings, paths: Sequence[str], base: Collection[str], reload: "Reload", *, unsafe: bool = False
) -> "FixPlan":
    from irsa_doctor.answers.fix.rounds import FixPlan

    return FixPlan(
        rules={rule.id: rule for rule in all_rules(settings)},
        unsafe=unsafe,
        reload=reload,
        barrier=lambda path: _barrier(path, paths, path in base),
    )


_MOST = 200
"""findings of a report for which suggestions are worked out"""


def with_suggestions(
    report: Report,
    judged: "Input",
    judged_again: "Callable[[Loaded], Report]",
    paths: Sequence[str],
    *,
    settings: Settings = NO_SETTINGS,
    base: Sequence[str] = (),
) -> Report:
    """The report of `check` about files with the safe edits that fix its findings, where these are not too many.

    `judged` is the input of the report, whose proposals count, and `judged_again` judges the files with edits like it. Without
    them where the run reaches a limit meanwhile: they belong to the findings, but are none.
    """
    from irsa_doctor.answers.check.judge import Input
    from irsa_doctor.answers.fix import first_fixed
    from irsa_doctor.answers.fix.suggestions import suggestions_of
    from irsa_doctor.sources import Declared, Loading, input_files

    if not report.findings or len(report.findings) > _MOST or report.limit or "-" in paths:
        return report
    declared = Declared(**declared_of(settings))
    files = list(input_files(paths, base, None, exclude=declared.exclude))

    def reload(changed: Mapping[str, bytes]) -> tuple["Input", Report]:
        now = [msgspec.structs.replace(file, content=changed.get(file.path, file.content)) for file in files]
        loaded = Loading(now, declared).loaded()
        again = judged_again(loaded)
        if again.limit:
            raise NotJudged(f"not everything was judged: {again.limit}")
        return Input(loaded.inventory, loaded.documents, loaded.base), again

    plan = _plan(settings, paths, judged.base, reload)
    try:
        if any(type(finding.offer) is Offer for finding in report.findings if finding.offer is not NO_OFFER):
            judged, report = reload({})  # another process has judged it, whose proposals are not here
        fixing = first_fixed(plan, {file.path: file.content for file in files}, judged, report)
    except NotJudged:
        return report
    return msgspec.structs.replace(report, suggestions=suggestions_of(fixing))


def _barrier(path: str, paths: Sequence[str], is_base: bool) -> "tuple[UnfixedReason, str] | None":
    if is_base:
        return "outside", f"{path} is only read, as the current state"
    return barrier_to_edits(path, [each for each in paths if each != "-"])


def write_fixes(fixing: "Fixing") -> Written:
    """Write the edited files, each whole or not at all; one that has changed since it was read is left alone."""
    files: list[str] = []
    failed: dict[str, str] = {}
    for path, content in fixing.after.items():
        try:
            replace_bytes(path, fixing.before[path], content)
            files.append(path)
        except ChangedSince as error:
            failed[path] = str(error)
        except (OSError, ValueError) as error:
            failed[path] = f"{path}: {getattr(error, 'strerror', None) or error}"
    return Written(tuple(files), failed)
