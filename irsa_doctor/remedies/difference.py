"""The difference of two policy documents as lines of JSON."""

import difflib
from collections.abc import Iterator

_CONTEXT = 2
"""lines that are shown before and after a change"""


def policy_difference(before: str, after: str) -> str:
    """Returns the lines that differ of two policies as people read them, each after `-` or `+`, with those around them after a
    space; hunks end with `...`.

    A comma that only moves to another line is no difference.
    """
    old, new = before.splitlines(), after.splitlines()
    before_lines, after_lines = ([line.removesuffix(",") for line in lines] for lines in (old, new))
    matcher = difflib.SequenceMatcher(None, before_lines, after_lines, autojunk=False)
    hunks = ["\n".join(_hunk(codes, old, new)) for codes in matcher.get_grouped_opcodes(_CONTEXT)]
    return "\n ...\n".join(hunks)


def _hunk(codes: list[tuple[str, int, int, int, int]], old: list[str], new: list[str]) -> Iterator[str]:
    for tag, old_start, old_end, new_start, new_end in codes:
        if tag == "equal":
            yield from (f" {line}" for line in new[new_start:new_end])
            continue
        yield from (f"-{line}" for line in old[old_start:old_end])
        yield from (f"+{line}" for line in new[new_start:new_end])
