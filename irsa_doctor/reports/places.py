"""Paths as they read from the folder in which the run began: what code scanning can match with the repository."""

import os


def from_here(path: str) -> str:
    """A path below the current folder relative to it; any other as it was given."""
    if not os.path.isabs(path):
        return path.removeprefix("./")
    here = os.getcwd().rstrip("/") + "/"
    return path.removeprefix(here)
