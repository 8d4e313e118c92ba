"""What some tests need beside Python, and may be skipped without: $TESTS_REQUIRE names what must be there, as in CI."""

import os

import pytest

PROGRAMS = ("apiserver", "browser", "evidence", "fuzz", "pages", "playground", "sarif")
"""the names that $TESTS_REQUIRE may have, between commas"""


def required(name: str) -> bool:
    """Whether what needs this must not be skipped. Raises ValueError where the environment names what nobody knows."""
    names = {part for part in os.environ.get("TESTS_REQUIRE", "").split(",") if part}
    if unknown := names - set(PROGRAMS):
        raise ValueError(f"TESTS_REQUIRE: {', '.join(sorted(unknown))}; known: {', '.join(PROGRAMS)}")
    return name in names


def skipped_without(name: str, is_there: bool, why: str) -> pytest.MarkDecorator:
    """Skips tests without what they need; where that is required they run, and fail."""
    return pytest.mark.skipif(not is_there and not required(name), reason=why)
