"""Checks documents against the rules."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from irsa_doctor.api.governed import all_rules, change_of, comments_at, findings_of_base, governing_of, input_of, today_here
from irsa_doctor.api.load import NO_SETTINGS, load_files, load_plan
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.findings import Report
from irsa_doctor.model.limits import MAX_MEMORY, MAX_SECONDS

if TYPE_CHECKING:
    from irsa_doctor.answers.check.judge import BaseChange, Input
    from irsa_doctor.api.before import Before
    from irsa_doctor.facts import Unbounded
    from irsa_doctor.governance.governing import Governing
    from irsa_doctor.model import Document
    from irsa_doctor.rulebook.frameworks import FrameworkReport
    from irsa_doctor.sources import Loaded
    from irsa_doctor.sources.live import LiveOptions


def check(  # noqa: PLR0913 - the input, its sources, and what governs the judgement
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = NO_SETTINGS,
    today: date | None = None,
    live: "LiveOptions | None" = None,
    base: Sequence[str] = (),
    proposed: Settings | None = None,
    compared: Sequence[tuple[Settings, Settings]] = (),
    revision: str = "",
    on_stage: Callable[[str], object] = str,
    max_seconds: float | None = None,
    max_memory: int | None = None,
    processes: int = 1,
    suggest: bool = False,
    lean: bool = False,
) -> Report:
    """The findings of the rules about documents, with everything that was not checked.

    `today` decides which waivers have expired; it may be a moment, which the report names then. `live` are sources to
    read over the network. `base` is the current state, a snapshot for example: the paths are judged as laid over it, and
    existing problems of the base are not reported.

    With `proposed`, `settings` are those of a `revision` of git and `proposed` those of the work tree: what they weaken is a
    finding, and comments that are not in the files of the revision ignore nothing. `compared` are pairs of settings, at the
    revision and in the work tree, to compare in place of these two: as files have them, before flags.

    `max_seconds` limits the run, and `max_memory` the bytes that it may need beyond those of now: what is judged until then is
    reported, with `limit` and a finding for every document that is not; None is MAX_SECONDS and MAX_MEMORY. They are looked at
    between documents and subjects and at safe points of long work, and everywhere under `alarms`.

    In up to so many `processes` a large inventory is judged, with the same findings; they are copies of this one, which only a
    program should make of itself, on Linux. Their memory is limited one by one.

    `suggest`: the report has the safe edits of files that fix its findings, where these are not too many; they are worked out
    once more from the files as they then are.

    A `lean` report is for formats other than text and HTML, which quote lines of the documents, and for no baseline.
    `on_stage` is called with the name of each stage as it begins. Raises RuleError, UnknownRule, BaselineError, and LiveError
    where none of the live sources can be read.
    """
    from irsa_doctor.model.limits import limited

    governing = governing_of(settings)
    with limited(MAX_SECONDS if max_seconds is None else max_seconds, MAX_MEMORY if max_memory is None else max_memory):
        on_stage("reading documents")
        loaded = _loaded(paths, stdin, settings, live, base)
        if revision and live is None:
            loaded = msgspec.structs.replace(loaded, inventory=loaded.inventory.doubting_lists())
        on_stage("asking rules")
        pairs = compared or ([(settings, proposed)] if proposed else ())
        change = change_of(governing, pairs, revision, findings_of_base(base, paths, governing, today))
        own = None if live else (*paths, *base)
        judged = _judgement(revision, own, loaded, governing, today or today_here(), change, lean=lean)
        report = judged(loaded, processes)
        return _suggesting(report, loaded, judged, paths, settings, base) if suggest and live is None else report


def _suggesting(
    report: Report,
    loaded: "Loaded",
    judged: "Callable[[Loaded, int], Report]",
    paths: Sequence[str],
    settings: Settings,
    base: Sequence[str],
) -> Report:
    """The report with the safe edits of files that fix its findings."""
    from irsa_doctor.api.fix import with_suggestions

    return with_suggestions(report, input_of(loaded), lambda edited: judged(edited, 1), paths, settings=settings, base=base)


def _refuse_unnamed(baseline: str, loaded: "Loaded") -> None:
    """Refuse to compare with a baseline what has no name of its own; raises BaselineError."""
    from irsa_doctor.governance.baseline import BaselineError
    from irsa_doctor.model import UNNAMED_CLUSTER

    if gap := next((gap for gap in loaded.inventory.gaps if gap.collection == UNNAMED_CLUSTER), None):
        raise BaselineError(f"{baseline}: not compared: not known is {gap.missing}. It takes {gap.how}")


def _judgement(
    revision: str,
    paths: Sequence[str] | None,
    loaded: "Loaded",
    governing: "Governing",
    day: date,
    change: "BaseChange",
    *,
    lean: bool,
) -> "Callable[[Loaded, int], Report]":
    """What judges documents, in so many processes; those of `paths` as a change of a revision of git where one is named."""
    from irsa_doctor.answers.check.judge import judge

    before = _judged_base(revision, paths, loaded, governing, day) if revision and paths is not None else None

    def judged(now: "Loaded", processes: int) -> Report:
        if before is not None:
            return judged_as_change(now, before, governing, day, change, processes=processes, lean=lean)
        comments_of = comments_at(revision, now, governing.settings) if revision else None
        return judge(input_of(now), governing, day, change=change, comments_of=comments_of, processes=processes, lean=lean)

    return judged


def judged_as_change(
    loaded: "Loaded",
    before: "Before",
    governing: "Governing",
    today: date,
    change: "BaseChange | None" = None,
    *,
    processes: int = 1,
    lean: bool = False,
) -> Report:
    """The report about a change beside what was there before it: what was excused before is the most that is excused, and what
    differed, was unreadable or of unknown reach before is not reported again."""
    from irsa_doctor.answers.check.judge import BaseChange, judge

    beside = _beside_base(change or BaseChange(), before, loaded, governing.settings)
    return judge(newly_differing(loaded, before), governing, today, change=beside, processes=processes, lean=lean)


def controls(report: Report, settings: Settings) -> "FrameworkReport | None":
    """The report by control of the framework that the settings name, rules that are off included; None where they name none."""
    from irsa_doctor.rulebook.frameworks import by_control

    return by_control(settings.framework, report, all_rules(settings)) if settings.framework else None


def framework_ids() -> tuple[str, ...]:
    """The ids of the frameworks to the controls of which rules are mapped."""
    from irsa_doctor.rulebook.frameworks import frameworks

    return tuple(frameworks())


def baseline_of(report: Report) -> str:
    """The text of a baseline file that holds the findings of a report. Raises BaselineError where the report is lean."""
    from irsa_doctor.governance.baseline import BaselineError, baseline_text, entries_of

    if report.lean:
        raise BaselineError("a lean report has not what a baseline keeps: who gets in by what each finding is about")
    return baseline_text(entries_of(report.findings, report.documents))


def _loaded(
    paths: Sequence[str], stdin: bytes | None, settings: Settings, live: "LiveOptions | None", base: Sequence[str]
) -> "Loaded":
    if live is None:
        loaded = load_files(paths, stdin=stdin, settings=settings, base=base)
    else:
        from irsa_doctor.sources.live import Plan

        loaded = load_plan(Plan("check"), live, paths, stdin=stdin, settings=settings)
    if settings.baseline:
        _refuse_unnamed(settings.baseline, loaded)
    return loaded


def _excuses(loaded: "Loaded", settings: Settings) -> bool:
    """Whether a waiver or a comment may excuse a finding."""
    from irsa_doctor.answers.check.judge import commented_texts
    from irsa_doctor.governance.comments import comments_of

    own = [row.path for row in loaded.inventory.documents if row.status == "read"]
    return bool(settings.waivers) or bool(comments_of(own, commented_texts(loaded.documents, settings)))


def _judged_base(revision: str, paths: Sequence[str], loaded: "Loaded", governing: "Governing", today: date) -> "Before | None":
    """What was there before a change, None where it does not matter: where nothing may be excused or was there as well."""
    from irsa_doctor.api.before import judged_before

    settings, inventory = governing.settings, loaded.inventory
    unreadable = any(row.status == "unreadable" for row in inventory.documents)
    if not (unreadable or inventory.contradictions or _holes(loaded, settings) or _excuses(loaded, settings)):
        return None
    read = [row.path for row in inventory.documents if row.status == "read"]
    return judged_before(revision, paths, read, governing, today)


def _beside_base(change: "BaseChange", before: "Before", loaded: "Loaded", settings: Settings) -> "BaseChange":
    """The change with what was excused before it, and with the trust policies of which it is newly unknown how far they
    reach."""
    from irsa_doctor.governance.excused import excused

    known = {hole.mark for hole in _holes(before.input, settings)}
    new = [hole.judged(settings.gate_unknown or "fail") for hole in _holes(loaded, settings) if hole.mark not in known]
    return msgspec.structs.replace(change, at_base=excused(before.report.waived), unbounded=new)


def newly_differing(loaded: "Loaded", before: "Before") -> "Input":
    """The documents of a change, without the contradictions that were there before it; those that cannot be read any more
    matter."""
    rows = tuple(_as_of_change(row, before) for row in loaded.inventory.documents)
    known = {contradiction.mark for contradiction in before.input.inventory.contradictions}
    new = tuple(item for item in loaded.inventory.contradictions if item.mark not in known)
    inventory = msgspec.structs.replace(loaded.inventory, contradictions=new, documents=rows)
    return msgspec.structs.replace(input_of(loaded), inventory=inventory)


def _as_of_change(row: "Document", before: "Before") -> "Document":
    """A document that cannot be read matters where it could be read before the change, or had other bytes."""
    if row.status != "unreadable" or row.limited or before.had_unreadable(row):
        return row
    return msgspec.structs.replace(row, matters=True)


def _holes(loaded: "Loaded | Input", settings: Settings) -> "Sequence[Unbounded]":
    """The trust policies of which it is not known how far they reach, each document by itself where they differ."""
    from irsa_doctor.facts import View, unbounded

    try:
        inventories = (loaded.inventory, *loaded.inventory.by_document())
        holes = [hole for inventory in inventories for hole in unbounded(View(inventory, *settings.of_issuers))]
        return list({hole.mark: hole for hole in reversed(holes)}.values())[::-1]
    except Exception:  # noqa: BLE001 - the rules meet the same error, and its document is unreadable then
        return ()
