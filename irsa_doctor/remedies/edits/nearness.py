"""Which of several references that have one text belongs to a place: those of two clusters may have one default."""

from collections.abc import Iterable, Sequence

import msgspec


class PlacedReference(msgspec.Struct, frozen=True):
    """A reference, the text that it is, where it stands, and whether that is (in) the name of a member."""

    text: str
    source: str
    start: int
    is_name: bool = False


TextSpan = tuple[int, int]


def brace_spans(text: bytes) -> list[TextSpan]:
    """The ranges of a text between a brace and the one that closes it, braces with them."""
    spans, opened = list[TextSpan](), list[int]()
    for offset, sign in enumerate(text):
        if sign == ord("{"):
            opened.append(offset)
        elif sign == ord("}") and opened:
            spans.append((opened.pop(), offset + 1))
    return spans


def nearest_references(rows: Iterable[PlacedReference], spans: Sequence[TextSpan], position: int) -> dict[str, str]:
    """The reference of each text that a place takes, the longest text first: of those in the smallest range that has the place
    and one of them, the name of a member first, then the one at the smallest distance."""
    around = [span for span in spans if span[0] <= position <= span[1]]

    def rank(row: PlacedReference) -> tuple[float, bool, int]:
        sizes = [end - start for start, end in around if start <= row.start < end]
        return min(sizes, default=float("inf")), not row.is_name, abs(row.start - position)

    chosen: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (-len(row.text), *rank(row))):
        chosen.setdefault(row.text, row.source)
    return chosen
