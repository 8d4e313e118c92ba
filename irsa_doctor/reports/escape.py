"""Escapes untrusted text for the medium in which it is shown."""

import re

from irsa_doctor.model.regex import regex

# printable in Unicode, but invisible: fillers, joiners, variation selectors, the empty braille cell
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0").union(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)


def for_terminal(text: str) -> str:
    """Returns text in one line; characters that move the cursor, turn the direction or are invisible become numbers.

    These are C0 and C1 controls, line separators, spaces but the plain one, formatting and bidirectional controls, lone
    surrogates (of paths that are not UTF-8), private and unassigned characters.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() and char not in _INVISIBLE else _number(char) for char in text)


def _number(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{{{ord(char):x}}}"


_MARKDOWN = regex(r"[^A-Za-z0-9 ./,-]|://|\bwww\.")


def for_markdown(text: str) -> str:
    """Returns text that Markdown shows literally: no markup, no HTML, no links, no mentions."""
    return _MARKDOWN.sub(lambda m: "".join(f"&#{ord(char)};" for char in m[0]), for_terminal(text))


_PLACEHOLDER = regex(r"\{(\d+)\}")


def for_sarif(text: str) -> str:
    """Returns text for a message of SARIF (3.11) that contains no link and no placeholder.

    Other braces and brackets stay: viewers show them literally.
    """
    return _PLACEHOLDER.sub(r"{{\1}}", for_terminal(text)).replace("](", "] (")


def for_workflow_data(text: str) -> str:
    """Returns the message of a workflow command; line breaks become %0A."""
    lines = (for_terminal(line) for line in text.splitlines())
    return "%0A".join(line.replace("%", "%25") for line in lines)


def for_workflow_property(text: str) -> str:
    """Returns a property of a workflow command, with colons and commas escaped."""
    return for_terminal(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


def for_xml(text: str) -> str:
    """Returns text for XML and HTML, in elements and in attributes between double quotes."""
    plain = for_terminal(text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        plain = plain.replace(char, entity)
    return "".join(char for char in plain if char not in "\ufffe\uffff")


_MARKS = regex(r"(?<=#)#(?=\[|vso\[|teamcity\[)|(?<=section_start):(?=\d)|(?<=section_end):(?=\d)", re.IGNORECASE)
_LINE_START = regex(r"^([ \t]*)::", re.MULTILINE)


def without_commands(text: str, *, is_json: bool = False, keeps_own: bool = False) -> str:
    """Returns a text in which no CI system finds a command, wherever it stands; the values of JSON stay what they are.

    GitHub looks for `##[` anywhere and `::` behind white space, Azure for `##vso[` anywhere, TeamCity for `##teamcity[`, GitLab
    for `section_start:` and a number. `keeps_own`: lines that begin with `::` are commands of our own.
    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
    """
    if "##" in text or "section_" in text:
        text = _MARKS.sub(lambda match: f"\\u{ord(match[0]):04x}" if is_json else f"\\x{ord(match[0]):02x}", text)
    if not (is_json or keeps_own) and "::" in text:
        text = _LINE_START.sub(r"\1\\x3a:", text)
    return text
