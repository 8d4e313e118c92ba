"""`make fuzz`: documents drawn anew with each seed, for every reader and every semantic, until the time is up.

Each document must end in an answer, within a time limit, that agrees with what was written apart from the tool; one that is
read takes no other document with it, and no output repeats a secret. What fails is kept; in tests/fuzz_corpus it is a test.

    python -m tests.fuzz --target decide --seconds 300 [--guided]
    python -m tests.fuzz --target decide --seed 1
    python -m tests.fuzz --target decide --document .cache/fuzz/decide-1.json

`--guided` draws by the branches that a document reaches (https://github.com/google/atheris), where that is installed.
"""

import argparse
import io
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

SLOW = 20
"""seconds that one document may take"""
_REPORTED = 1000
"""documents after which their number is printed"""
MEMORY = 3 << 30
"""bytes of address space that all documents may take"""
_BYTES = 8192
"""what a document is drawn from"""
_MOST = 20
"""failures of a target that are kept: most are one and the same"""


class ByteDraw(random.Random):
    """A source of chance that takes what it draws from bytes, and is the same for all when they are used up.

    A change of some bytes changes some of what is drawn, which lets a fuzzer keep what has reached further.
    """

    def __init__(self, raw: bytes) -> None:
        super().__init__(0)
        self._raw, self._at = raw, 0

    def getrandbits(self, k: int, /) -> int:
        """A number of so many bits."""
        size = (k + 7) // 8
        if self._at + size > len(self._raw):
            return super().getrandbits(k)
        self._at += size
        return int.from_bytes(self._raw[self._at - size : self._at], "big") >> (size * 8 - k)

    def random(self) -> float:
        """A number from 0 up to 1."""
        return self.getrandbits(53) / (1 << 53)


class TooSlow(BaseException):
    """That a document took too long; nothing that takes errors for those of a document takes this for one."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """An error where the block takes more processor time: machines are busy with other things too."""

    def late(*_: object) -> None:
        raise TooSlow(f"no answer within {seconds} s of processor time")

    if not hasattr(signal, "setitimer"):  # Windows: the limit of the job is the only one
        yield
        return
    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def drawn(name: str, seed: int) -> Any:
    """The document of a seed."""
    from tests.fuzz_targets import TARGETS

    return TARGETS[name].drawn(ByteDraw(random.Random(seed).randbytes(_BYTES)))  # noqa: S311 - repeatable


def failure(name: str, document: Any) -> str:
    """What went wrong with a document, or nothing."""
    from tests.fuzz_targets import TARGETS

    try:
        with limited(SLOW):
            # a document is judged as it would be kept
            TARGETS[name].holds(json.loads(json.dumps(document)))
    except (Exception, TooSlow) as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return f"{type(error).__name__}: {error}"
    return ""


class Run:
    """The documents of one target, and those that failed."""

    def __init__(self, name: str, seconds: float, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.end = time.monotonic() + seconds
        self.count = self.failures = 0

    def take(self, document: Any, label: str) -> None:
        """Judge a document, and keep it where it failed."""
        self.count += 1
        if why := failure(self.name, document):
            self.failures += 1
            self._keep(document, label, why)
        if self.count % _REPORTED == 0:
            self.report()

    def _keep(self, document: Any, label: str, why: str) -> None:
        if self.failures > _MOST:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.name}-{label}.json"
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print(f"{self.name} {label}: {why[:500]}", flush=True)

    def report(self) -> None:
        """Print how many documents there were."""
        print(f"{self.name}: {self.count} documents, {self.failures} failed", flush=True)


def at_random(run: Run) -> int:
    """The number of failures among documents of fresh seeds."""
    while time.monotonic() < run.end:
        seed = secrets.randbits(48)
        run.take(drawn(run.name, seed), str(seed))
    run.report()
    return run.failures


def by_branches(run: Run, atheris: ModuleType) -> None:
    """Judge what the fuzzer makes up, and end the process, with 1 where something failed."""
    begin = time.monotonic()
    # each module that is instrumented is a line on standard error
    with redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["irsa_doctor"]):
        from tests.fuzz_targets import TARGETS
    run.end += time.monotonic() - begin

    def one(raw: bytes) -> None:
        run.take(TARGETS[run.name].drawn(ByteDraw(raw)), secrets.token_hex(6))
        if time.monotonic() > run.end:
            run.report()
            os._exit(1 if run.failures else 0)

    options = [f"-max_len={_BYTES}", "-len_control=0", "-rss_limit_mb=0", "-timeout=300", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def _guided(run: Run) -> int:
    """The failures of a target, in a process of its own: what is instrumented has to be loaded anew, and the fuzzer ends it."""
    atheris = import_module("atheris")

    if not os.environ.get("FUZZ_GUIDED"):
        seconds = str(run.end - time.monotonic())
        command = [sys.executable, "-m", "tests.fuzz", "--guided", "--target", run.name, "--seconds", seconds]
        return subprocess.run([*command, "--keep", run.folder], env={**os.environ, "FUZZ_GUIDED": "1"}, check=False).returncode
    by_branches(run, atheris)
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", help="one target; all in turn without it")
    parser.add_argument("--seconds", type=float, default=120, help="for all targets together")
    parser.add_argument("--seed", type=int, help="only the document of this seed")
    parser.add_argument("--document", type=Path, help="only this document")
    parser.add_argument("--guided", action="store_true", help="draw by the branches that are reached")
    parser.add_argument("--keep", type=Path, default=Path(".cache/fuzz"))
    return parser.parse_args()


def _only(name: str, options: argparse.Namespace) -> int:
    """The failures of one document, which is named or belongs to a seed."""
    from tests.fuzz_targets import read_document

    run = Run(name, 0, options.keep)
    document = read_document(options.document) if options.document else drawn(name, options.seed)
    run.take(document, options.document.stem if options.document else str(options.seed))
    run.report()
    return run.failures


def main() -> int:
    """0 if everything held of every document, else 1."""
    options = _options()
    with suppress(ImportError):  # Windows has no such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    if os.environ.get("FUZZ_GUIDED"):
        return _guided(Run(options.target, options.seconds, options.keep))
    from tests.fuzz_targets import TARGETS

    names = [options.target] if options.target else [*TARGETS]
    if options.document or options.seed is not None:
        return 1 if _only(names[0], options) else 0
    share = options.seconds / sum(TARGETS[name].share for name in names)
    fuzzed = _guided if options.guided else at_random
    failures = [fuzzed(Run(name, share * TARGETS[name].share, options.keep)) for name in names]
    return 1 if any(failures) else 0


if __name__ == "__main__":
    sys.exit(main())
