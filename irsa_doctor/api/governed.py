"""What governs a judgement: the rules, what settings and comments make of them, and what was there before a change."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import msgspec

from irsa_doctor.api.load import load_files
from irsa_doctor.governance.settings import Settings

if TYPE_CHECKING:
    from irsa_doctor.answers.check.judge import BaseChange, Input
    from irsa_doctor.governance.baseline import Entry
    from irsa_doctor.governance.comments import TextOf
    from irsa_doctor.governance.governing import Governing
    from irsa_doctor.rulebook.rules import Rule
    from irsa_doctor.sources import Loaded


def governing_of(settings: Settings) -> "Governing":
    """What governs a judgement by settings. Raises RuleError, UnknownRule and BaselineError."""
    from irsa_doctor.answers.check.choice import choose, unfiltered
    from irsa_doctor.governance.baseline import read_baseline
    from irsa_doctor.governance.governing import Governing
    from irsa_doctor.rulebook.rules import shipped_rules

    existing = all_rules(settings)
    rules = choose(existing, settings)
    known = read_baseline(settings.baseline) if settings.baseline else ()
    return Governing(
        settings=settings,
        rules=rules,
        known=known,
        left_out=frozenset(rule.id for rule in existing) - {rule.id for rule in rules},
        unfiltered=unfiltered(shipped_rules(), settings),
    )


def all_rules(settings: Settings) -> "list[Rule]":
    """The built-in rules and those of the private folders of the settings. Raises RuleError."""
    from irsa_doctor.rulebook.rules import shipped_rules

    if not settings.rules:
        return list(shipped_rules())
    from irsa_doctor.answers.why.private import private_files

    return [*shipped_rules(), *(file.rule for files in private_files(settings.rules) for file in files.rules)]


def limited_to(families: Sequence[str], governing: "Governing") -> "Governing":
    """What governs a judgement by the rules of some families alone."""
    rules = [rule for rule in governing.rules if rule.family in families]
    left_out = governing.rule_ids - {rule.id for rule in rules}
    return msgspec.structs.replace(governing, rules=rules, left_out=left_out)


def today_here() -> date:
    """The date of now, in UTC."""
    return datetime.now(tz=UTC).date()


def input_of(loaded: "Loaded") -> "Input":
    """Loaded documents as the rules judge them."""
    from irsa_doctor.answers.check.judge import Input

    return Input(loaded.inventory, loaded.documents, loaded.base)


def change_of(
    governing: "Governing", pairs: Sequence[tuple[Settings, Settings]], revision: str, base_findings: "Sequence[Entry]"
) -> "BaseChange":
    """What is known of a change for its judgement: the settings that it weakens, and the findings of its base alone."""
    from irsa_doctor.answers.check.judge import BaseChange

    if not pairs:
        return BaseChange(base_findings)
    from irsa_doctor.governance.weakening import judged_change

    before, after = pairs[0]
    governings = [(governing if old is governing.settings else governing_of(old), governing_of(new)) for old, new in pairs]
    judged = judged_change(governings, revision, goes_before=before if _goes_before(before, after, revision) else None)
    return BaseChange(base_findings, (judged,), after.waivers)


def _goes_before(before: Settings, after: Settings, revision: str) -> bool:
    """Whether the work tree still has the settings of the revision, and others are nearer."""
    from irsa_doctor.governance.revision import top_of
    from irsa_doctor.governance.settings import has_settings

    if not before.file or not after.file:
        return False
    there = os.path.join(top_of("."), before.file.removeprefix(f"{revision}:"))
    return os.path.realpath(there) != os.path.realpath(after.file) and has_settings(there)


def findings_of_base(
    base: Sequence[str], paths: Sequence[str], governing: "Governing", today: date | None
) -> "Sequence[Entry]":
    """The findings of the base alone, without the files that the change is in."""
    if not base:
        return ()
    from irsa_doctor.answers.check.judge import judge
    from irsa_doctor.governance.baseline import entries_of
    from irsa_doctor.governance.governing import Governing

    settings = governing.settings
    alone = load_files(base, without=paths, settings=settings)
    everything = msgspec.structs.replace(
        settings, baseline="", waivers=(), inline_ignores=False, min_severity=None, min_confidence=None
    )
    report = judge(input_of(alone), Governing(everything, governing.rules), today or today_here())
    return entries_of(report.findings, report.documents)


def comments_at(revision: str, loaded: "Loaded", settings: Settings) -> "TextOf":
    """The texts of documents with those comments only that are in the files of a revision too."""
    from irsa_doctor.answers.check.judge import commented_texts
    from irsa_doctor.governance.comments import without_new_comments

    now = commented_texts(loaded.documents, settings)

    def text_of(path: str) -> bytes | None:
        text = now(path)
        return without_new_comments(text, _content_at(revision, path)) if text else text

    return text_of


def _content_at(revision: str, path: str) -> bytes:
    """A file at a revision, empty where it was not there."""
    from irsa_doctor.governance.revision import NoRevision, files_at

    try:
        return files_at(revision, [path]).get(os.path.relpath(path), b"")
    except NoRevision:
        return b""
