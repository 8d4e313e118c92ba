"""Paths relative to the current folder, which code scanning can match with the repository."""

import os


def from_here(path: str) -> str:
    """Returns a path below the current folder relative to it, and any other path unchanged."""
    if not os.path.isabs(path):
        return path.removeprefix("./")
    folder = os.getcwd().rstrip("/") + "/"
    return path.removeprefix(folder)
