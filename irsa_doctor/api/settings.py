"""Reads the settings of a project, those of the work tree or of a revision of git."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from irsa_doctor.governance.settings import Settings


def load_settings(folder: str = ".", config: str | None = None) -> Settings:
    """The settings that hold in a folder: those of the file `config`, else of the nearest file upward, else none.

    Raises SettingsError.
    """
    from irsa_doctor.governance.settings import load_settings as load

    return load(folder, config)


def settings_at(revision: str, config: str | None = None) -> AbstractContextManager[tuple[Settings, Callable[[str], str]]]:
    """The settings that held in the current folder at a revision of git, and what gives the copy of a file of the revision.

    The copies, those of rules and baseline among them, exist while the context lasts. Raises NoRevision and SettingsError.
    """
    from irsa_doctor.governance.settings_at import settings_at as at

    return at(revision, config)
