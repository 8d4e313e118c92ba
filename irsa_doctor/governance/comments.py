"""Applies comments that ignore findings: `# irsa-doctor: ignore[rule, ...] reason`."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import msgspec

from irsa_doctor.facts import Evidence, Judged, WaiverFacts
from irsa_doctor.governance.baseline import told_as
from irsa_doctor.governance.excused import Excused
from irsa_doctor.model import Place
from irsa_doctor.model.findings import Finding, Waived
from irsa_doctor.model.nearness import suggestion
from irsa_doctor.model.regex import regex

_COMMENT = regex(
    rb"^(?P<before>[^\n]*?)(?:#|//)[ \t]*irsa-doctor:[ \t]*ignore\b(?:\[(?P<rules>[^\]\n]*)\])?[ \t]*(?P<reason>[^\n]*)",
    re.MULTILINE,
)
TextOf = Callable[[str], bytes | None]
"""path -> the text of a document whose comments may ignore findings, None where they may not"""


class IgnoreComment(msgspec.Struct, frozen=True):
    """One rule of a comment that ignores it: `line` is that of the comment, `target` the one whose findings it ignores.

    Lines are 1-based. `number` counts the comments of a file with the same rule, from 0.
    """

    file: str
    rule: str
    reason: str
    line: int
    target: int
    number: int = 0

    @property
    def place(self) -> Place:
        """Where it is: in a text, which no pointer leads into."""
        return Place(self.file, f"/comments/{self.line}/{self.rule}")


class CommentedFindings(msgspec.Struct, frozen=True):
    """The findings that remain, those that a comment ignores, and the comments as subjects of rules of their own."""

    findings: tuple[Finding, ...]
    ignored: tuple[Waived, ...]
    comments: tuple[Judged, ...]


def comments_in(file: str, text: bytes) -> Iterator[IgnoreComment]:
    """The comments of a text, each with the line that it applies to: its own, or the next where nothing else is on its line.
    A comment that names no rule has the rule ""."""
    numbers: Counter[str] = Counter()
    line = at = 0
    for match in _COMMENT.finditer(text) if b"irsa-doctor:" in text else ():
        line += text.count(b"\n", at, match.start())
        at = match.start()
        reason = match["reason"].decode(errors="replace").strip()
        target = line + 1 if match["before"].strip() else line + 2
        for rule in _rules_of(match):
            yield IgnoreComment(file, rule, reason, line + 1, target, numbers[rule])
            numbers[rule] += 1


def _rules_of(match: re.Match[bytes]) -> tuple[str, ...]:
    names = (name.strip().decode(errors="replace") for name in (match["rules"] or b"").split(b","))
    return tuple(dict.fromkeys(filter(None, names))) or ("",)


def comments_of(paths: Iterable[str], text_of: TextOf) -> tuple[IgnoreComment, ...]:
    """The comments of documents, in order."""
    return tuple(comment for path in dict.fromkeys(paths) for comment in comments_in(path, text_of(path) or b""))


def without_new_comments(text: bytes, before: bytes) -> bytes:
    """The text without the comments that ignore something and are new, each with the line that it applies to. Line numbers
    are kept."""
    if b"irsa-doctor:" not in text:
        return text
    known = Counter(key for _, key in _keyed(before))
    parts: list[bytes] = []
    at = 0
    for match, key in _keyed(text):
        if known[key] > 0:
            known[key] -= 1
            continue
        parts += [text[at : match.end("before")], b"#"]
        at = match.end()
    return b"".join((*parts, text[at:]))


def _keyed(text: bytes) -> Iterator[tuple[re.Match[bytes], bytes]]:
    """Each comment with its whole line, and the next line where the comment applies to that."""
    for match in _COMMENT.finditer(text):
        key = match[0].strip()
        if not match["before"].strip():
            key += b"\n" + text[match.end() + 1 :].partition(b"\n")[0].strip()
        yield match, key


def apply_comments(
    findings: Iterable[Finding],
    comments: Iterable[IgnoreComment],
    chosen: Collection[str],
    known: Collection[str],
    at_base: Excused | None = None,
) -> CommentedFindings:
    """The findings without those that a comment with a reason ignores, at the line of any of their places.

    `chosen` are the ids of the rules of this run, `known` those of all rules. Nothing is said of a comment whose rule was left
    out of this run. `at_base` is what was excused before a change: a comment excuses that, and no more.
    """
    listed = tuple(comments)
    by_target = {(comment.file, comment.target, comment.rule): comment for comment in reversed(listed)}
    standing: list[Finding] = []
    ignored: list[Waived] = []
    used: set[IgnoreComment] = set()
    for finding in findings:
        keys = ((place.file, place.line, finding.rule) for place in finding.locations)
        fitting = list(filter(None, map(by_target.get, keys)))
        used.update(fitting)
        holding = next((comment for comment in fitting if comment.reason), None)
        beyond = at_base.beyond_comment(finding) if at_base and holding else ""
        if holding and not beyond:
            ignored.append(Waived(finding, f"comment in {holding.file}:{holding.target}", holding.reason, ""))
        else:
            standing.append(told_as(finding, beyond))
    about = [comment for comment in listed if comment.rule in chosen or comment.rule not in known]
    judged = tuple(_judged(comment, _facts(comment, comment in used, known), known) for comment in about)
    return CommentedFindings(tuple(standing), tuple(ignored), judged)


def _facts(comment: IgnoreComment, is_used: bool, known: Collection[str]) -> WaiverFacts:
    if comment.rule not in known:
        return WaiverFacts("unknown-rule")
    if not comment.reason:
        return WaiverFacts("unexplained")
    return WaiverFacts("used" if is_used else "unused")


def _judged(comment: IgnoreComment, facts: WaiverFacts, known: Collection[str]) -> Judged:
    names: Mapping[str, str] = {
        "rule": comment.rule or "no rule",
        "named": f"{comment.rule}, which is not a rule" if comment.rule else "no rule in brackets",
        "subject": f"line {comment.target} of {comment.file}",
        "owner": "whoever wrote the comment",
        "reason": comment.reason,
        "expires": "never",
        "waiver": "comment",
        "hint": suggestion(comment.rule, known),
    }
    number = f"#{comment.number}" if comment.number else ""
    ident = f"{comment.rule}:{comment.file}{number}"
    return Judged("waiver", ident, comment.file, facts, lambda: Evidence(names, {"waiver": comment.place}))
