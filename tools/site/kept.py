"""The pages that are kept in the repository, with links to what has a page of its own on the site."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.site.page import Page

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PLAYGROUND = ROOT / "dist" / "playground"
"""what `make playground` builds, complete with all that it loads; it is copied as it is, where it is there"""

_OUTSIDE = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
_OUTSIDE |= {"conformance/README.md": "conformance.md"}
"""files elsewhere in the repository that are pages too"""
_LEFT_OUT = frozenset({"README.md"})
"""the site begins with docs/index.md; what links to the README leads there"""
_LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^)\s]+)\)")
_FENCED = re.compile(r"^(?:(?:```|~~~).*?^(?:```|~~~)|<!--.*?-->)[^\n]*$", re.DOTALL | re.MULTILINE)
_RULE = re.compile(r"rules/[a-z]+/(?P<id>[a-z0-9-]+)\.yaml")
_CAUSE = re.compile(r"causes/(?P<id>[a-z0-9-]+)\.yaml")
_GATHERED = {
    "causes/symptoms.yaml": "errors.md",
    "irsa_doctor/issuers": "issuers/index.md",
    "irsa_doctor/rulebook/frameworks": "frameworks/index.md",
    "irsa_doctor/schemas": "schemas/index.md",
}
"""data that a page lists"""
_ISSUER = re.compile(r"irsa_doctor/issuers/(?P<id>[a-z0-9-]+)\.yaml")

MENU: Mapping[str, tuple[str, ...]] = {
    "Start": ("installation", "refused-workload", "open-role", "before-merging", "errors"),
    "Commands": ("check", "why", "who-can", "reach", "diff", "fix", "simulate", "audit", "intents"),
    "Use it": ("input", "live", "settings", "ci", "output", "private-rules", "api", "agents"),
    "Reference": ("rules", "facts", "issuers/index", "frameworks/index", "schemas/index"),
    "About": ("certainty", "comparison", "conformance", "security", "contributing", "changelog"),
}
"""the menu of the site: headings, and pages below them"""


class BrokenLink(Exception):
    """A page links to what is not in the repository."""


def kept_pages() -> Iterator[Page]:
    """Every kept page; raises BrokenLink."""
    outside = [(ROOT / name, path) for name, path in _OUTSIDE.items() if name not in _LEFT_OUT and (ROOT / name).is_file()]
    pages = [*((path, path.name) for path in sorted(DOCS.glob("*.md"))), *outside]
    for path, name in pages:
        text = linked(path, path.read_text(encoding="utf-8"))
        yield Page(name, text + _menu({name for _, name in pages}) if name == "index.md" else text)


def linked(path: Path, text: str) -> str:
    """The text of a page with links that hold on the site; raises BrokenLink. Code is left alone, comments are left out."""
    pieces: list[str] = []
    start = 0
    for fenced in _FENCED.finditer(text):
        pieces += [
            _LINK.sub(lambda link: _link(path, link), text[start : fenced.start()]),
            fenced[0] if fenced[0][0] != "<" else "",
        ]
        start = fenced.end()
    return "".join([*pieces, _LINK.sub(lambda link: _link(path, link), text[start:])])


def _link(path: Path, link: re.Match[str]) -> str:
    """A link as it is on the site; the text alone where it leads to source."""
    target, mark, anchor = link["target"].partition("#")
    if "://" in target or not target:
        return link[0]
    place = (path.parent / target).resolve()
    if not place.exists():
        raise BrokenLink(f"{path.relative_to(ROOT)} links to {target}")
    there = page_of(place.relative_to(ROOT).as_posix())
    return f"[{link['text']}]({there}{mark}{anchor})" if there else link["text"]


def page_of(name: str) -> str:
    """The page of a file of the repository, "" where it has none."""
    if name in _LEFT_OUT:
        return "index.md"
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    if name in _GATHERED:
        return _GATHERED[name]
    for pattern, folder in ((_RULE, "rules"), (_CAUSE, "causes"), (_ISSUER, "issuers")):
        if match := pattern.fullmatch(name):
            return f"{folder}/{match['id']}.md"
    return name.removeprefix("docs/") if re.fullmatch(r"docs/[a-z-]+\.md", name) else ""


def _menu(kept: set[str]) -> str:
    """The menu, which the first page holds; pages that are not there yet are left out of it."""
    generated = {"errors", "issuers/index", "frameworks/index", "schemas/index"}
    parts: list[str] = []
    for caption, pages in MENU.items():
        listed = [page for page in pages if page in generated or f"{page}.md" in kept]
        parts.append(
            "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *listed, *_playground(caption), "```", ""])
        )
    return "\n".join(parts)


def _playground(caption: str) -> list[str]:
    return ["playground"] if caption == "Start" else []


def playground_page() -> Page:
    """The page that leads to the playground, where there is one."""
    link = '<p><a class="start" href="playground/index.html">Open the playground</a></p>'
    absent = "It is not part of this copy of the documentation."
    about = (
        "Paste a trust policy, a role, a service account or an error message, and see findings, who can assume the role, and "
        "the corrected policy. Everything runs in your browser; nothing is sent anywhere. It is the one page that needs a "
        "script: without one, [install](installation.md) the command, which gives the same answers."
    )
    return Page("playground.md", f"# Playground\n\n{about}\n\n{link if (PLAYGROUND / 'index.html').is_file() else absent}\n")
