"""What the systems have on which the tests run: tests of what Windows or macOS lacks are skipped there."""

import inspect
import os
import re
from collections.abc import Callable
from typing import Any

import pytest

needs_unix = pytest.mark.skipif(os.name == "nt", reason="needs signals, terminals or permissions of Unix")
needs_a_user = pytest.mark.skipif(
    getattr(os, "geteuid", lambda: 0)() == 0, reason="root reads everything, and Windows has no modes"
)

_UNIX = re.compile(
    r"mkfifo|preexec_fn|AF_UNIX|setsid|SIGKILL|SIGHUP|os\.fork|#!/bin/sh|chmod\(|/dev/(?:null|zero|fd|std)|symlink_to|[\"']sh[\"']|bash"
)


def uses_unix(function: Callable[..., Any]) -> bool:
    """Whether the text of a test uses links, modes, devices, signals or shells of Unix, which Windows has otherwise or not."""
    return _UNIX.search(inspect.getsource(function)) is not None
