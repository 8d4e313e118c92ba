"""Runs the programs that sign in to a cluster or an account; nothing of theirs outlives the run."""

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


class AwsProgram(subprocess.Popen[bytes]):
    """A credential_process, as botocore starts one
    (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html).

    It may ask at the terminal for a code, which only the group in the foreground can: where there is one, it has no group of
    its own.
    """

    def __init__(self, command: Sequence[str], **streams: int) -> None:
        super().__init__(command, start_new_session=not _has_terminal(), **streams)  # type: ignore[call-overload]
        _running.add(self)

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:  # noqa: A002 - as there
        """Return what it prints, once it has ended."""
        try:
            return super().communicate(input, timeout)
        except BaseException:
            _end(self)
            raise
        finally:
            _running.discard(self)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True


def end_programs() -> None:
    """End what still runs: the time of the whole run is up, and the threads that wait are left behind."""
    for program in list(_running):
        _end(program)


def _end(program: "subprocess.Popen[bytes]") -> None:
    """End the whole group, or the program alone where it is in ours: asked first, then at once."""
    if not hasattr(os, "killpg"):  # Windows has no groups
        program.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        send = os.killpg if os.getpgid(program.pid) == program.pid else os.kill
        send(program.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            program.wait(_GRACE)
        send(program.pid, signal.SIGKILL)
