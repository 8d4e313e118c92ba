"""Shows how an input that is missing is got: a command as it is pasted, or a sentence."""

from collections.abc import Iterator

from irsa_doctor.model.commands import is_command
from irsa_doctor.reports.fitting import columns
from irsa_doctor.reports.layout import GOOD, INDENT, clean, pasted_lines, prose
from irsa_doctor.reports.style import Style

_LABEL = "to get it:"


def way_lines(how: str, addition: str, style: Style, command: str = "again") -> Iterator[str]:
    """Yields how one input is got, and what the next call has besides; nothing where there is no way."""
    if is_command(how):
        yield f"{INDENT}{style.paint(_LABEL, GOOD)}"
        yield from pasted_lines(how)
    elif how:
        yield from prose(clean(how), style, INDENT, _LABEL, GOOD)
    if how and addition:
        yield from addition_lines(addition, command, style)


def addition_lines(addition: str, command: str, style: Style) -> Iterator[str]:
    """Yields what the next call of a command has besides; what does not fit into a line is not broken, so that it is pasted."""
    says = f"{INDENT}then run {command} with"
    shown = clean(addition)
    if columns(f"{says} {shown}") <= style.width:
        yield f"{says} {shown}"
    else:
        yield says
        yield from pasted_lines(addition)
