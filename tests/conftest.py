"""What holds for all tests."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.systems import needs_unix, uses_unix

# how long an example takes says how busy the machine is, and nothing of the code
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# a shell lets what it starts in the background ignore these, and so would the programs that tests start and then interrupt
for _number in filter(None, (signal.SIGINT, getattr(signal, "SIGHUP", None))):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On Windows, skip tests whose text uses what it lacks."""
    if os.name != "nt":
        return
    for item in items:
        if isinstance(item, pytest.Function) and uses_unix(item.function):
            item.add_marker(needs_unix)
