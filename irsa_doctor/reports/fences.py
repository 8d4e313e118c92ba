"""Blocks of Markdown that hold text as it is."""

from collections.abc import Iterator

from irsa_doctor.reports.escape import for_terminal


def fenced(language: str, text: str) -> Iterator[str]:
    """Yields the lines of a block in a language, behind it an empty one."""
    fence = "`" * max(3, longest_run(text) + 1)
    yield f"{fence}{language}"
    yield from (for_terminal(line) for line in text.splitlines())
    yield from (fence, "")


def longest_run(text: str) -> int:
    """The longest run of backticks: the fence around it must be longer."""
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest
