"""The names nearest to one that does not exist, by the number of edits between them."""

from collections.abc import Iterable, Sequence

_SHOWN = 6
_MOST = 2_000
"""names beyond which a search takes longer than it is worth"""


def nearest(word: str, names: Iterable[str], most: int = 1) -> tuple[str, ...]:
    """The names that a third of the letters of a word separates at most, the nearest first; upper and lower case are one."""
    known = list(dict.fromkeys(names))
    limit = max(1, len(word) // 3)
    if len(known) > _MOST:
        return ()
    near = ((edits(word.lower(), name.lower(), limit), name) for name in known if abs(len(name) - len(word)) <= limit)
    return tuple(name for distance, name in sorted(near) if distance <= limit)[:most]


def edits(word: str, other: str, limit: int) -> int:
    """The letters to insert, delete, replace or swap with a neighbour (optimal string alignment); `limit` + 1 for any more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(word, 1):
        last, before, row = before, row, [at]
        for end, char in enumerate(other, 1):
            cost = min(before[end] + 1, row[end - 1] + 1, before[end - 1] + (letter != char))
            if at > 1 and end > 1 and letter == other[end - 2] and word[at - 2] == char:
                cost = min(cost, last[end - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def suggestion(word: str, names: Iterable[str], most: int = 1) -> str:
    """The nearest names as a question with a space before it, "" where none is near."""
    near = nearest(word, names, most)
    quoted = " or ".join(f'"{name}"' for name in near)
    return f" Did you mean {quoted}?" if near else ""


def beginning(start: str, names: Sequence[str]) -> str:
    """The first names that begin with a text, as a sentence with a space before it, "" where none does."""
    begun = [name for name in names if name.startswith(start.lower().rstrip("*-") + "-")]
    more = f" and {len(begun) - _SHOWN} more" if len(begun) > _SHOWN else ""
    return f" These begin with it: {', '.join(begun[:_SHOWN])}{more}." if begun else ""
