"""Untrusted text made harmless for where it is shown."""

import re

# C0 and C1 controls, line and paragraph separators, and what turns the direction of text or hides
_TERMINAL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def for_terminal(text: str) -> str:
    """Text in one line, every control character shown as its number."""
    return _TERMINAL.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 0x100 else f"\\u{{{ord(m[0]):x}}}", text)


_MARKDOWN = re.compile(r"[^A-Za-z0-9 ./,-]|://|\bwww\.")


def for_markdown(text: str) -> str:
    """Text that Markdown shows as it stands: no markup, no HTML, no links, no mentions."""
    return _MARKDOWN.sub(lambda m: "".join(f"&#{ord(char)};" for char in m[0]), for_terminal(text))


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
