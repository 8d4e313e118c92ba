"""Runs the programs that sign in to a cluster or an account; nothing of theirs outlives a run that ends them."""

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

_GRACE = 2.0
"""seconds between the request to end and the end"""
_MARK = "IRSA_DOCTOR_PROGRAM"
"""the variable by which the children of a program are known, also those that left its group for a session of their own"""
_SWEEPS = 20
"""how often children are looked for that were born while others ended"""
_running: "dict[subprocess.Popen[bytes], str]" = {}
"""programs that some thread of the run waits for, each with the value of its mark"""


def run_to_end(command: Sequence[str], environment: Mapping[str, str], limit: float) -> tuple[int, bytes, bytes]:
    """Return exit code, standard output and standard error of a program that the user's own kubeconfig names.

    It gets a process group of its own. At the limit (in seconds), a TimeoutError, and when the run is interrupted, the group
    ends, and on Linux every child of the program that has its environment, in whatever session. Raises OSError where it
    cannot be started.
    """
    mark = secrets.token_hex(16)
    with subprocess.Popen(  # noqa: S603 - no shell, and the user's kubeconfig names it, as for kubectl
        command,
        env={**environment, _MARK: mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as program:
        _running[program] = mark
        try:
            printed, complaint = program.communicate(timeout=limit)
        except subprocess.TimeoutExpired as error:
            _end(program, mark)
            raise TimeoutError from error
        except BaseException:
            _end(program, mark)
            raise
        finally:
            _running.pop(program, None)
        return program.returncode, printed, complaint


class AwsProgram(subprocess.Popen[bytes]):
    """A credential_process, as botocore starts one
    (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html).

    It may ask at the terminal for a code, which only the group in the foreground can: where there is one, it has no group of
    its own.
    """

    def __init__(self, command: Sequence[str], **streams: int) -> None:
        self._mark = secrets.token_hex(16)
        environment = {**os.environ, _MARK: self._mark}
        super().__init__(command, start_new_session=not _has_terminal(), env=environment, **streams)  # type: ignore[call-overload]
        _running[self] = self._mark

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:  # noqa: A002 - as there
        """Return what it prints, once it has ended."""
        try:
            return super().communicate(input, timeout)
        except BaseException:
            _end(self, self._mark)
            raise
        finally:
            _running.pop(self, None)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True


def end_programs() -> None:
    """End what still runs: the time of the whole run is up, and the threads that wait are left behind."""
    for program, mark in list(_running.items()):
        _end(program, mark)


def _end(program: "subprocess.Popen[bytes]", mark: str) -> None:
    """End the whole group, or the program alone where it is in ours, and its children elsewhere: asked first, then at once."""
    if not hasattr(os, "killpg"):  # Windows has no groups
        program.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        send = os.killpg if os.getpgid(program.pid) == program.pid else os.kill
        send(program.pid, signal.SIGTERM)
        _signal_children(mark, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            program.wait(_GRACE)
        send(program.pid, signal.SIGKILL)
    for _ in range(_SWEEPS):
        if not _signal_children(mark, signal.SIGKILL):
            return


def _signal_children(mark: str, number: signal.Signals) -> bool:
    """Signal the processes with a mark; whether there is one. Each is held first, so that no other has its id meanwhile."""
    seen = False
    for pid in _processes():
        with suppress(OSError):
            process = os.pidfd_open(pid)
            try:
                if _has_mark(pid, mark):
                    signal.pidfd_send_signal(process, number)
                    seen = True
            finally:
                os.close(process)
    return seen


def _processes() -> Iterator[int]:
    """The ids of all other processes; none where a system does not list them as Linux does."""
    if hasattr(os, "pidfd_open") and os.path.isdir("/proc/self"):
        yield from (int(name) for name in os.listdir("/proc") if name.isdecimal() and int(name) != os.getpid())


def _has_mark(pid: int, mark: str) -> bool:
    with open(f"/proc/{pid}/environ", "rb") as environment:
        return f"{_MARK}={mark}".encode() in environment.read().split(b"\0")
