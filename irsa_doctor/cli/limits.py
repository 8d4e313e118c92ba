"""The options that limit a run, and the context that keeps to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from irsa_doctor.cli.output import print_note
from irsa_doctor.cli.wrong import wrong

if TYPE_CHECKING:
    from irsa_doctor.api import Settings

_MaxSeconds = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", min=0, help="End the run after this time: what is judged is reported, and exit 2. [300]"),
]
_MaxMemory = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="End the run, as --max-seconds does, when it needs so much memory: 512M, 2G. [2G]"),
]

PROCESSES = 4
"""of one run at most: more are not worth their beginning, for reading is the work of one"""


class RunLimits(NamedTuple):
    """What a run may take: seconds, and bytes of memory; None is the default."""

    seconds: float | None
    memory: int | None


def limit_options(*, max_seconds: _MaxSeconds = None, max_memory: _MaxMemory = None) -> RunLimits:
    """The limits of a run, as flags give them."""
    return RunLimits(max_seconds, None if max_memory is None else _bytes_of(max_memory))


def _bytes_of(size: str) -> int:
    """The bytes of a size such as 512M."""
    from irsa_doctor import api

    number = api.bytes_of(size)
    if number is None:
        raise wrong(f"--max-memory {size}: a size such as 512M or 2G is expected")
    return number


def governed_limits(flags: RunLimits, settings: "Settings", *, at_base: bool = False) -> RunLimits:
    """The limits of the flags, else of the settings where these are those of a base.

    Settings of the work tree do not set limits, for the author of a change writes them: a note says so.
    """
    if at_base:
        return RunLimits(
            settings.max_seconds if flags.seconds is None else flags.seconds,
            settings.max_memory if flags.memory is None else flags.memory,
        )
    if settings.max_seconds is not None or settings.max_memory is not None:
        print_note(f"max-seconds and max-memory of {settings.file} apply only with --config-from and diff --git")
    return flags


class LimitedRun:
    """A run within limits; `limit` is the one that it reached, "" for none, once the context is left."""

    limit = ""

    def refuse_part(self) -> None:
        """End the run with exit 2 where a limit was reached: the answer is not whole."""
        if self.limit:
            raise wrong(f"not everything was judged: {self.limit}")


@contextmanager
def within(limits: RunLimits) -> Iterator[LimitedRun]:
    """While the context lasts, a run keeps to its limits; a question that they leave without an answer is exit 2."""
    from irsa_doctor import api

    seconds = api.MAX_SECONDS if limits.seconds is None else limits.seconds
    memory = api.MAX_MEMORY if limits.memory is None else limits.memory
    run = LimitedRun()
    try:
        with api.limited(seconds, memory), api.alarms():
            yield run
            run.limit = api.ever_reached()
    except api.NotJudged as error:
        raise wrong(str(error)) from error
