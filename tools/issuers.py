"""Reads the files of issuers, which are gathered in one index."""

from pathlib import Path
from typing import Any

from irsa_doctor.issuers.profiles import Profile
from irsa_doctor.rulebook.yaml_files import Invalid, converted, read_yaml_file, refused


def read_profiles(folder: Path) -> list[Any]:
    """The files of a folder as they are written, by id; raises RuleError with file and line where one is not a profile."""
    return [_profile(path) for path in sorted(folder.glob("*.yaml"))]


def _profile(path: Path) -> Any:
    value, lines = read_yaml_file(path)
    try:
        profile = converted(value, Profile)
        if profile.id != path.stem:
            raise Invalid(f"id is {profile.id}, the file name says {path.stem}", ("id",))
    except Invalid as invalid:
        raise refused(path, lines, invalid) from invalid
    return value
