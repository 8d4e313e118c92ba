"""From a place to its line and column, looked up in the kept text when a report needs it."""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from irsa_doctor.model import Place
from irsa_doctor.text.json_places import JsonPlaces
from irsa_doctor.text.lines import LineIndex, Span
from irsa_doctor.text.yaml_places import YamlPlaces


class Anchor(msgspec.Struct, frozen=True):
    """Where something stands that a template makes of what is written elsewhere.

    With a `pointer` alone: what stands there. With `start` and `end` too: characters of the text that stands there. Without a
    pointer: bytes of the document. `name` and `name_end` are those of the member's name in the same way, -1 for none.
    `within` is the pointer into that text, where it is YAML of its own.
    """

    pointer: str | None = None
    start: int = -1
    end: int = -1
    name: int = -1
    name_end: int = -1
    within: str | None = None


class Source(msgspec.Struct):
    """The kept text of one document, UTF-8; `ranges` are the byte ranges of its JSON values.

    `anchors` say by (part, pointer) where that stands to which no pointer of the document itself leads.
    """

    text: bytes
    form: Literal["json", "yaml", "hcl", "other"]
    ranges: list[tuple[int, int]] = []
    repeats: bool = False
    """whether a member appears twice somewhere: then the last one counts, as for whoever reads the value"""
    anchors: Mapping[tuple[int, str], Anchor] = {}


class Documents:
    """The texts of all documents that were read, in which places are looked up."""

    def __init__(self, sources: Mapping[str, Source] | None = None) -> None:
        self._finders: dict[str, _Finder] = {}
        self._lines: dict[str, LineIndex] = {}
        self._sources = dict(sources or {})

    def locate(self, place: Place, key: bool = False, *, quote: bool = True) -> Span:
        """Return line and column of the value at a place, with `key` those of the name of the member.

        As deep as the pointer can be followed: a policy inside a JSON string is located at the string. Zeros where the
        document is not known. Without `quote` the text of the line may be left out, which costs more than to find it.
        """
        finder = self._finder(place.document)
        if finder is None:
            return Span()
        if anchors := self._sources[place.document].anchors:
            return self._by_anchor(finder, anchors, place, key)
        return finder.locate(place, key, quote=quote)

    def _by_anchor(self, finder: "_Finder", anchors: Mapping[tuple[int, str], Anchor], place: Place, key: bool) -> Span:
        """The place by the nearest anchor at or above it; the rest of the pointer is followed from where the anchor leads."""
        steps = place.pointer.split("/")
        for size in range(len(steps), 0, -1):
            anchor = anchors.get((place.part, "/".join(steps[:size])))
            if anchor is None:
                continue
            named = key and size == len(steps) and anchor.name >= 0
            start, end = (anchor.name, anchor.name_end) if named else (anchor.start, anchor.end)
            if anchor.pointer is None:
                return self._line_index(place.document, finder).span(start, end) if start >= 0 else finder.locate(place, key)
            below = Place(place.document, "/".join((anchor.pointer, *steps[size:])), place.part)
            if start >= 0 and isinstance(finder, YamlPlaces):
                return finder.inside(below, start, end)
            return finder.locate(below, key)
        return finder.locate(place, key)

    def _line_index(self, document: str, finder: "_Finder") -> LineIndex:
        """The lines of a document, also of one whose form has no places by bytes: a template of Terraform that is no JSON."""
        if isinstance(finder, JsonPlaces | _HclPlaces):
            return finder.lines
        if document not in self._lines:
            self._lines[document] = LineIndex(self._sources[document].text)
        return self._lines[document]

    def _finder(self, document: str) -> "_Finder | None":
        finder = self._finders.get(document)
        source = self._sources.get(document)
        if finder is None and source is not None:
            finder = self._finders[document] = _FINDERS[source.form](source)
        return finder

    def is_text(self, place: Place) -> bool:
        """Whether the value at the place is a string: positions inside it are not positions of the document."""
        finder = self._finder(place.document)
        return finder is not None and finder.is_text(place)

    def form(self, document: str) -> str:
        """Return `json`, `yaml`, `hcl` or `other`; "" where the document was not read."""
        source = self._sources.get(document)
        return source.form if source else ""

    def source(self, document: str) -> Source | None:
        """Return the kept text of a document with what is known of it, None where it was not read."""
        return self._sources.get(document)

    def text(self, document: str) -> bytes | None:
        """Return the kept text of a document (UTF-8), None where it was not read."""
        source = self._sources.get(document)
        return source.text if source else None


class _HclPlaces:
    """The configuration language of Terraform, whose places are all anchors."""

    def __init__(self, text: bytes) -> None:
        self.lines = LineIndex(text)

    def locate(self, place: Place, key: bool, *, quote: bool = True) -> Span:
        return self.lines.span(0, 0, quote=quote)

    def is_text(self, place: Place) -> bool:
        return True


class _OpaquePlaces:
    """A text whose inside is not looked into, a URL-encoded policy say: every place is the whole of it."""

    def __init__(self, text: bytes) -> None:
        self.span = LineIndex(text).span(0, len(text))

    def locate(self, place: Place, key: bool, *, quote: bool = True) -> Span:
        return self.span

    def is_text(self, place: Place) -> bool:
        return True


_Finder = JsonPlaces | YamlPlaces | _HclPlaces | _OpaquePlaces
_FINDERS: Mapping[str, Callable[[Source], _Finder]] = {
    "json": lambda source: JsonPlaces(source.text, source.ranges, source.repeats),
    "yaml": lambda source: YamlPlaces(source.text),
    "hcl": lambda source: _HclPlaces(source.text),
    "other": lambda source: _OpaquePlaces(source.text),
}
