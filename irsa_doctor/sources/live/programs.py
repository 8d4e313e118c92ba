"""Runs the programs that sign in to a cluster; nothing of theirs outlives the run."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

_GRACE = 2.0
"""seconds between the request to end and the end"""
_running: "set[subprocess.Popen[bytes]]" = set()
"""programs that some thread of the run waits for"""


def run_to_end(command: Sequence[str], environment: Mapping[str, str], limit: float) -> tuple[int, bytes, bytes]:
    """Return exit code, standard output and standard error of a program that the user's own kubeconfig names.

    It gets a process group of its own, and the group ends with it: at the limit (in seconds), a TimeoutError, and when the run
    is interrupted. Raises OSError where it cannot be started.
    """
    with subprocess.Popen(  # noqa: S603 - no shell, and the user's kubeconfig names it, as for kubectl
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as program:
        _running.add(program)
        try:
            printed, complaint = program.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            _end(program)
            raise TimeoutError from error
        except BaseException:
            _end(program)
            raise
        finally:
            _running.discard(program)
        return program.returncode, printed, complaint


def end_programs() -> None:
    """End what still runs: the time of the whole run is up, and the threads that wait are left behind."""
    for program in list(_running):
        _end(program)


def _end(program: "subprocess.Popen[bytes]") -> None:
    """End the whole group: asked first, then at once."""
    if not hasattr(os, "killpg"):  # Windows has no groups
        program.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        program.wait(_GRACE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
