"""`python -m tools.site.links FOLDER`: what is linked or loaded in a folder of HTML has to be in it, anchors too."""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

_PLACES = {"a": "href", "link": "href", "img": "src", "script": "src", "iframe": "src"}
_AS_IT_IS = "playground"
"""a page that is complete in itself, and checked by its own tests"""


class Html(msgspec.Struct, frozen=True):
    """The anchors of a page, and where it leads."""

    anchors: frozenset[str]
    targets: tuple[str, ...]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {value for key in ("id", "name") if (value := values.get(key))}
        if target := values.get(_PLACES.get(tag, "")):
            self.targets.append(target)


def read_html(path: Path) -> Html:
    """The anchors and targets of a file."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return Html(frozenset(reader.anchors), tuple(reader.targets))


def broken_links(folder: Path) -> Iterator[str]:
    """Every link that does not hold, as `PAGE: TARGET`; addresses on the web are not opened."""
    pages = {
        path: read_html(path) for path in sorted(folder.rglob("*.html")) if _AS_IT_IS not in path.relative_to(folder).parts
    }
    for path, html in pages.items():
        for target in dict.fromkeys(html.targets):
            parts = urlsplit(target)
            place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not (parts.scheme or parts.netloc) and not _holds(place, parts.fragment, pages):
                yield f"{path.relative_to(folder)}: {target}"


def _holds(place: Path, anchor: str, pages: dict[Path, Html]) -> bool:
    if not place.is_file():
        return False
    return not anchor or place not in pages or unquote(anchor) in pages[place].anchors


def main(folder: str) -> int:
    """Print what is broken; the exit code is 1 where anything is."""
    broken = list(broken_links(Path(folder).resolve()))
    print("\n".join(broken or ["every link holds"]))
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
