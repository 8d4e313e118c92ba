"""The safe edits of `fix` as suggestions of reports."""

from collections.abc import Iterator, Mapping

from irsa_doctor.answers.fix.records import Fixing
from irsa_doctor.model.edits import FileEdit, Suggestion
from irsa_doctor.text.encoding import settle


def suggestions_of(fixing: Fixing) -> Mapping[str, Suggestion]:
    """The edits by the fingerprint of their finding: safe ones, of one file, at positions of the file as it is."""
    return dict(_suggestions(fixing))


def _suggestions(fixing: Fixing) -> Iterator[tuple[str, Suggestion]]:
    for fix in fixing.fixes:
        files = {edit.file for edit in fix.edits}
        if fix.safety != "safe" or not fix.applied or not fix.in_original or len(files) != 1:
            continue
        file = files.pop()
        text = settle(fixing.before.get(file, b""))
        if isinstance(text, bytes) and text:
            yield fix.fingerprint, _suggestion(file, text.decode().split("\n"), fix.edits, fix.because)


def _suggestion(file: str, lines: list[str], edits: tuple[FileEdit, ...], because: str) -> Suggestion:
    """The lines from the first to the last edit, with the edits."""
    first, last = min(edit.start.line for edit in edits), max(edit.end.line for edit in edits)
    text, offsets = "", [0]
    for line in lines[first - 1 : last]:
        offsets.append(offsets[-1] + len(line) + 1)
    text = "\n".join(lines[first - 1 : last])
    for edit in sorted(edits, key=lambda edit: (edit.start.line, edit.start.column), reverse=True):
        start, end = (offsets[at.line - first] + at.column - 1 for at in (edit.start, edit.end))
        text = text[:start] + edit.new + text[end:]
    return Suggestion(file=file, first=first, last=last, lines=text.replace("\r", ""), because=because, edits=edits)
