"""Edits put together and carried out."""

from collections.abc import Iterable, Sequence

from irsa_doctor.remedies.edits.records import Edit


def spliced(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The text with edits carried out, which do not overlap."""
    parts, offset = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += [content[offset : edit.start], edit.new.encode()]
        offset = edit.end
    return b"".join([*parts, content[offset:]])


def merged_edits(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits in order, those that touch each other as one; an edit that stands in another one is part of it already."""
    together: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.document, edit.start, edit.end)):
        last = together[-1] if together else None
        if last is None or last.document != edit.document or edit.start > last.end:
            together.append(edit)
        elif edit.start == last.end:
            together[-1] = Edit(edit.document, last.start, edit.end, last.old + edit.old, last.new + edit.new)
        else:
            raise ValueError("overlapping edits of one text")
    return tuple(edit for edit in together if edit.old != edit.new)


def touch(edits: Sequence[Edit], others: Sequence[Edit]) -> bool:
    """Whether edits of one list overlap or touch those of another."""
    return any(
        edit.document == other.document and edit.start <= other.end and other.start <= edit.end
        for edit in edits
        for other in others
    )
