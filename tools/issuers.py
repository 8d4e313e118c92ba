"""Reads the files of issuers and of their guards, which are gathered in indexes."""

from pathlib import Path
from typing import Any

from irsa_doctor.issuers.guards import GuardFile
from irsa_doctor.issuers.profiles import Profile
from irsa_doctor.rulebook.yaml_files import Invalid, converted, read_yaml_file, refused

_GUARDS = "guards.yaml"


def read_profiles(folder: Path) -> list[Any]:
    """The files of a folder as they are written, by id; raises RuleError with file and line where one is not a profile."""
    return [_profile(path) for path in sorted(folder.glob("*.yaml")) if path.name != _GUARDS]


def read_guards(folder: Path) -> Any:
    """The file of the guards as it is written; raises RuleError with file and line where it is none."""
    path = folder / _GUARDS
    value, lines = read_yaml_file(path)
    try:
        converted(value, GuardFile)
    except Invalid as invalid:
        raise refused(path, lines, invalid) from invalid
    return value


def _profile(path: Path) -> Any:
    value, lines = read_yaml_file(path)
    try:
        profile = converted(value, Profile)
        if profile.id != path.stem:
            raise Invalid(f"id is {profile.id}, the file name says {path.stem}", ("id",))
    except Invalid as invalid:
        raise refused(path, lines, invalid) from invalid
    return value
