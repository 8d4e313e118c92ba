"""What the systems have on which the tests run: tests of what Windows or macOS lacks are skipped there."""

import os

import pytest

needs_unix = pytest.mark.skipif(os.name == "nt", reason="needs signals, terminals or permissions of Unix")
needs_a_user = pytest.mark.skipif(
    getattr(os, "geteuid", lambda: 0)() == 0, reason="root reads everything, and Windows has no modes"
)
