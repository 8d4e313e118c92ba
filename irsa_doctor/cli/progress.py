"""What a person sees who waits for more than a second: the stage that a run is at."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PATIENCE = 1.0
"""seconds before anything is shown"""


class _Stages:
    """The stages of one run; a timer shows them when it has gone on for long enough."""

    def __init__(self) -> None:
        self.stage = "starting"
        self.lock = threading.Lock()
        self.stop: Callable[[], None] | None = None
        self.tell: Callable[[str], None] | None = None
        self.timer = threading.Timer(_PATIENCE, self._show)
        self.timer.daemon = True

    def __call__(self, stage: str) -> None:
        with self.lock:
            self.stage = stage
            if self.tell:
                self.tell(stage)

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.table import Column

        # a long stage is cut, never the time
        stage = TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
        columns = (SpinnerColumn(), TimeElapsedColumn(), stage)
        shown = Progress(*columns, console=Console(stderr=True), transient=True, expand=True)
        with self.lock:
            if self.stop:
                return
            task = shown.add_task(self.stage, total=None)
            self.tell = lambda stage: shown.update(task, description=stage)
            self.stop = shown.stop
            shown.start()

    def end(self) -> None:
        self.timer.cancel()
        with self.lock:
            if self.stop:
                self.stop()
            self.tell, self.stop = None, lambda: None


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A function to be called with the name of every stage. Nothing is shown unless standard error is a terminal."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda stage: None
        return
    stages = _Stages()
    stages.timer.start()
    try:
        yield stages
    finally:
        stages.end()


@contextmanager
def counted_progress() -> Iterator[Callable[[str], None]]:
    """As `progress`, of a run that says itself how far it is: no thread draws, so that the run may be copied."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda stage: None
        return

    def show(stage: str) -> None:
        sys.stderr.write(f"\r\x1b[K{stage}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        show("")
