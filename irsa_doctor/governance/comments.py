"""Findings that a comment beside them sets aside: `# irsa-doctor: ignore[rule, ...] reason`."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from irsa_doctor.model.findings import Finding, Location, Waived

_COMMENT = re.compile(
    rb"^(?P<before>[^\n]*?)(?:#|//)[ \t]*irsa-doctor:[ \t]*ignore\[(?P<rules>[\w, \t-]+)\][ \t]*(?P<reason>[^\n]*)",
    re.MULTILINE,
)
Ignores = Mapping[int, Mapping[str, str]]
"""line -> rule -> reason"""


def ignores_in(text: bytes) -> Ignores:
    """The comments of a text, by the line that they speak of: their own, or the next where they stand alone.

    One without a reason ignores nothing.
    """
    found: dict[int, dict[str, str]] = {}
    line = at = 0
    for match in _COMMENT.finditer(text):
        line += text.count(b"\n", at, match.start())
        at = match.start()
        reason = match["reason"].decode(errors="replace").strip()
        own = line + 1 if match["before"].strip() else line + 2
        if reason:
            rules = (rule.strip().decode() for rule in match["rules"].split(b","))
            found.setdefault(own, {}).update(dict.fromkeys(rules, reason))
    return found


def without_new_comments(text: bytes, before: bytes) -> bytes:
    """The text without the comments that ignore something and were not there before, each with what it speaks of.

    The lines stay where they are.
    """
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
    """Each comment with the whole line, and the next where it stands alone and speaks of that."""
    for match in _COMMENT.finditer(text):
        key = match[0].strip()
        if not match["before"].strip():
            key += b"\n" + text[match.end() + 1 :].partition(b"\n")[0].strip()
        yield match, key


def apply_comments(
    findings: Iterable[Finding], text_of: Callable[[str], bytes | None]
) -> tuple[tuple[Finding, ...], tuple[Waived, ...]]:
    """Findings that stand, and those that a comment ignores, at the line of any of their places."""
    comments: dict[str, Ignores] = {}
    standing: list[Finding] = []
    ignored: list[Waived] = []
    for finding in findings:
        for location in finding.locations:
            if location.file not in comments:
                text = text_of(location.file)
                comments[location.file] = ignores_in(text) if text and b"irsa-doctor:" in text else {}
        hit = next(((at, reason) for at in finding.locations if (reason := _reason(finding, at, comments))), None)
        if hit is None:
            standing.append(finding)
        else:
            ignored.append(Waived(finding, f"comment in {hit[0].file}:{hit[0].line}", hit[1], ""))
    return tuple(standing), tuple(ignored)


def _reason(finding: Finding, location: Location, comments: Mapping[str, Ignores]) -> str:
    return comments[location.file].get(location.line, {}).get(finding.rule, "")
