"""Compares what a template may leave open with a value."""

from irsa_doctor.model import Text, Unknown

PLACEHOLDERS_OF_CLOUD = Unknown("values of the template's placeholders")


def equals(written: str | Text, value: str) -> bool | None:
    """Whether a text is a value; None where it depends on what a template fills in."""
    if isinstance(written, str):
        return written == value
    first, last = written.parts[0], written.parts[-1]
    starts = not isinstance(first, str) or value.startswith(first)
    ends = not isinstance(last, str) or value.endswith(last)
    known = sum(len(part) for part in written.parts if isinstance(part, str))
    return None if starts and ends and known <= len(value) else False
