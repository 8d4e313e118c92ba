"""Untrusted text made harmless for where it is shown."""

import re

# printable by Unicode, and yet nothing is seen of them: fillers, joiners, variation selectors, the empty braille cell
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0").union(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)


def for_terminal(text: str) -> str:
    """Text in one line: what moves the cursor, turns the direction of text, is not seen or is no character becomes its number.

    These are C0 and C1 controls, line separators, spaces but the plain one, formatting and bidirectional controls, lone
    surrogates (of paths that are no UTF-8), private and unassigned characters.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() and char not in _UNSEEN else _number(char) for char in text)


def _number(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{{{ord(char):x}}}"


_MARKDOWN = re.compile(r"[^A-Za-z0-9 ./,-]|://|\bwww\.")


def for_markdown(text: str) -> str:
    """Text that Markdown shows as it stands: no markup, no HTML, no links, no mentions."""
    return _MARKDOWN.sub(lambda m: "".join(f"&#{ord(char)};" for char in m[0]), for_terminal(text))


_PLACEHOLDER = re.compile(r"\{(\d+)\}")


def for_sarif(text: str) -> str:
    """Text for a message of SARIF (3.11), in which no link and no placeholder can come of it.

    Other braces and brackets stay: there is no viewer that would not show them as they are.
    """
    return _PLACEHOLDER.sub(r"{{\1}}", for_terminal(text)).replace("](", "] (")


def for_workflow_data(text: str) -> str:
    """The message of a workflow command: line breaks stay, as what stands for them."""
    lines = (for_terminal(line) for line in text.splitlines())
    return "%0A".join(line.replace("%", "%25") for line in lines)


def for_workflow_property(text: str) -> str:
    """A property of a workflow command, in which colons and commas mean something."""
    return for_terminal(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


def for_xml(text: str) -> str:
    """Text for XML and HTML, in elements and in attributes between double quotes."""
    plain = for_terminal(text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        plain = plain.replace(char, entity)
    return "".join(char for char in plain if char not in "\ufffe\uffff")
