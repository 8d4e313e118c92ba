"""Headers, prose, and text to paste, in the width of a terminal."""

from collections.abc import Iterator, Mapping, Sequence

from irsa_doctor.model.findings import AccountList
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.fitting import columns, on_one_line, wrapped
from irsa_doctor.reports.style import Style

COLOURS: Mapping[str, str] = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "unknown": "35"}
STRONG, FAINT, GOOD, OPEN, BAD = "1", "2", "32", "1;35", "31"
INDENT = "  "
_NAMED = 6
"""names that a sentence shows; the others are counted"""
_PASTED = "    "


def clean(text: str) -> str:
    """Returns text in one line, escaped."""
    return on_one_line(text, for_terminal)


def prose(text: str, style: Style, indent: str = INDENT, label: str = "", colour: str = "") -> Iterator[str]:
    """Yields escaped text in the width of the terminal, indented behind a short label."""
    if columns(label) > style.width // 3:
        text, label = f"{label} {text}", ""
    hang = columns(label) + 1 if label else 0
    first, *more = wrapped(text, style.width - len(indent) - hang) or [""]
    if label or first:
        yield f"{indent}{style.paint(label, colour)}{' ' if label else ''}{first}".rstrip()
    yield from (f"{indent}{' ' * hang}{line}" for line in more)


def header(title: str, style: Style, colour: str = STRONG) -> Iterator[str]:
    """Yields a title, followed by a line to the edge of the terminal."""
    first, *more = wrapped(title, style.width - 3) or [""]
    rest = 0 if more else style.width - columns(first) - 4
    line = " " + style.paint(style.dash * rest, FAINT) if rest > 0 else ""
    yield f"{style.paint(style.dash * 2, FAINT)} {style.paint(first, colour)}{line}"
    yield from (f"   {style.paint(line, colour)}" for line in more)


def pasted_lines(text: str) -> Iterator[str]:
    """Yields text to copy: indented by spaces, no line broken."""
    yield from (_PASTED + for_terminal(line) for line in text.splitlines())


def accounts_title(accounts: AccountList) -> str:
    """Returns what the service accounts of a finding about a role have in common."""
    return f"service accounts that {'cannot assume the role' if accounts.kept_out else 'name the role'}"


def accounts_line(accounts: AccountList, most: int) -> str:
    """Returns the first service accounts, and the number of the others."""
    names = accounts.ids[:most]
    more = f" and {accounts.count - len(names)} more" if accounts.count > len(names) else ""
    return ", ".join(names) + more


def accounts_in_short(accounts: AccountList) -> str:
    """Returns the service accounts of a finding about a role as a sentence behind its message, "" where it concerns none."""
    if not accounts.count:
        return ""
    title = accounts_title(accounts)
    return f" {title[:1].upper()}{title[1:]}: {accounts_line(accounts, _NAMED)}."


def shortlist(names: Sequence[str], most: int) -> str:
    """Returns the first names in one line, and the number of the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
