"""`make fuzz`: documents of the fixtures broken anew with each seed, read and judged until the time is up.

Every document must end in a report that names it, in every format, within a time limit. What fails is kept with its seed.
"""

import argparse
import random
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.test_hostile import CODE, FILES, broken, check

SLOW = 20
"""seconds that one document may take"""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """An error where the block takes longer."""

    def late(*_: object) -> None:
        raise TimeoutError(f"no report within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def mangled(raw: bytes, draw: random.Random) -> bytes:
    """Bytes of a document cut, doubled, exchanged and replaced."""
    parts = bytearray(raw)
    for _ in range(draw.randint(1, 6)):
        begin, end = sorted(draw.randrange(len(parts) + 1) for _ in range(2))
        piece = bytes(parts[begin : min(end, begin + 200)])
        at = draw.randrange(len(parts) + 1)
        parts[at : at + draw.choice((0, 1, 2, len(piece)))] = draw.choice(
            (b"", piece, piece * 3, draw.randbytes(4), b'"', b"{", b"${")
        )
    return bytes(parts) or b" "


def document(seed: int) -> tuple[str, bytes]:
    """The ending and the bytes of the document that belongs to a seed."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    source = draw.choice([*FILES, *CODE])
    raw = broken(source, seed) if source in FILES and draw.random() < 0.5 else source.read_bytes()
    return source.suffix, mangled(raw, draw) if draw.random() < 0.7 else raw


def failure(seed: int, folder: Path) -> str:
    """What went wrong with the document of a seed, or nothing."""
    suffix, raw = document(seed)
    try:
        with limited(SLOW):
            check(folder / ("fuzz" + suffix), raw)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return f"{type(error).__name__}: {error}"
    return ""


def keep(seed: int, why: str, folder: Path) -> None:
    """Write the document that failed where it stays."""
    suffix, raw = document(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{seed}{suffix}").write_bytes(raw)
    print(f"seed {seed}: {why[:500]}")


def main() -> int:
    """0 if every document was reported, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, help="only the document of this seed")
    parser.add_argument("--keep", type=Path, default=Path(".cache/fuzz"))
    options = parser.parse_args()
    end, count, failures = time.monotonic() + options.seconds, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        while time.monotonic() < end and not (options.seed is not None and count):
            seed = secrets.randbits(48) if options.seed is None else options.seed
            why, count = failure(seed, Path(scratch)), count + 1
            if why:
                failures += 1
                keep(seed, why, options.keep)
    print(f"{count} documents, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
