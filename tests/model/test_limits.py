"""A run has a limit of time and of memory, which ends the work that is under way and begins no other."""

import signal
import time

from irsa_doctor.model.limits import RunLimit, alarms, attempt, limited, pause, reached, renew, resident

LARGE = 8 << 30


def test_without_limits_work_goes_on_and_nothing_is_reached():
    assert attempt(lambda: 5) == 5
    assert reached() == ""


def test_what_takes_too_long_is_given_up_and_nothing_is_begun_after_it():
    def endless() -> int:
        number = 0
        while True:
            number += 1

    with limited(0.3, LARGE), alarms():
        begun = time.monotonic()
        ended = attempt(endless)
        assert isinstance(ended, RunLimit)
        assert "0.3 seconds" in ended.why
        assert time.monotonic() - begun < 30
        assert attempt(lambda: 5) == ended
        assert reached() == ended.why
    assert reached() == ""


def test_memory_that_grows_too_much_is_a_limit():
    def growing() -> list[bytes]:
        held: list[bytes] = []
        while True:
            held.append(bytes(1 << 20))
            held[-1] = held[-1].replace(b"\0", b"a")
            time.sleep(0.005)

    with limited(60, 16 << 20), alarms():
        ended = attempt(growing)
        assert isinstance(ended, RunLimit)
        assert "16 MiB" in ended.why


def test_a_report_has_time_after_the_limit():
    with limited(0, LARGE):
        time.sleep(0.3)
        assert reached()
        renew()
        assert reached() == ""
        assert attempt(lambda: 5) == 5


def test_memory_that_is_not_there_is_a_limit():
    def wanting() -> None:
        raise MemoryError

    with limited(60, LARGE):
        assert attempt(wanting) == RunLimit("there was not enough memory")
    assert resident() > 0


def test_a_library_sets_no_alarm_and_gives_up_work_at_its_safe_points():
    before = signal.getsignal(signal.SIGALRM)

    def endless() -> int:
        number = 0
        while True:
            number += 1
            pause()

    with limited(0.3, LARGE):
        assert signal.getsignal(signal.SIGALRM) is before
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert isinstance(attempt(endless), RunLimit)


def test_the_alarms_of_a_caller_are_as_they_were():
    before = signal.getsignal(signal.SIGALRM)
    with limited(60, LARGE), alarms():
        assert signal.getitimer(signal.ITIMER_REAL) != (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_work_inside_of_other_work_ends_alone():
    def inner() -> int:
        assert isinstance(attempt(endless), RunLimit)
        renew()
        return 7

    def endless() -> None:
        while True:
            pause()

    with limited(0.2, LARGE):
        assert attempt(inner) == 7
