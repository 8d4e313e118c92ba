"""Asks an evaluator every vector and prints where it answers otherwise: python -m conformance [--all] COMMAND...

The command gets one JSON object a line, and answers each with one. Exit 0: all as expected. 1: not. 2: it did not answer.
"""

import json
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.vectors import as_lines, vectors

ASKED = ("id", "policy", "request")


def answers(command: Sequence[str], rows: Sequence[Mapping[str, Any]], seconds: float = 300) -> dict[str, str]:
    """What an evaluator decides, by the id of the vector. Raises ValueError for a line that is no answer."""
    lines = as_lines([{key: row[key] for key in ASKED} for row in rows])
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603
    decided: dict[str, str] = {}
    for line in filter(None, done.stdout.splitlines()):
        try:
            answer = json.loads(line)
            decided[answer["id"]] = answer["decision"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"not an answer: {line[:200]}") from error
    if not decided:
        raise ValueError(f"no answer from {shlex.join(command)}: {done.stderr.strip()[-500:]}")
    return decided


def compared(rows: Sequence[Mapping[str, Any]], decided: Mapping[str, str]) -> list[tuple[Mapping[str, Any], str]]:
    """The vectors that are answered otherwise, with that answer; "" for none."""
    return [(row, decided.get(row["id"], "")) for row in rows if decided.get(row["id"], "") != row["expect"]]


def summary(rows: Sequence[Mapping[str, Any]], wrong: Sequence[tuple[Mapping[str, Any], str]]) -> str:
    """How many vectors of each grade are answered as expected."""
    asked, missed = Counter(row["grade"] for row in rows), Counter(row["grade"] for row, _ in wrong)
    parts = [f"{grade} {number - missed[grade]}/{number}" for grade, number in sorted(asked.items())]
    return f"{len(rows) - len(wrong)}/{len(rows)} as expected: {', '.join(parts)}"


def main(arguments: Sequence[str]) -> int:
    """Run the suite; returns the exit code."""
    rows = vectors()
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 2
    if arguments[0] == "--lines":
        sys.stdout.write(as_lines(rows))
        return 0
    try:
        decided = answers(arguments, rows)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    wrong = compared(rows, decided)
    for row, answer in wrong:
        print(f"{row['id']}: {answer or 'no answer'}, expected {row['expect']} ({row['grade']}): {row['title']}")
        print(f"  {row['source']}")
    print(summary(rows, wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
