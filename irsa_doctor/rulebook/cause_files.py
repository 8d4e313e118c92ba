"""Reads the files of `causes/`, and refuses those that could not work, with line and reason."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from irsa_doctor.rulebook.causes import Cause
from irsa_doctor.rulebook.files import ID
from irsa_doctor.rulebook.yaml_files import Invalid, Way, converted, read_yaml_file, refused

SYMPTOMS = "symptoms.yaml"
"""the messages and what they mean, beside the causes"""


def causes_folder() -> Path:
    """Where the cause files are: inside the package once it is installed, at the top of the repository in a clone."""
    installed = Path(__file__).parent.parent / "_causes"
    return installed if installed.is_dir() else Path(__file__).parent.parent.parent / "causes"


class CauseFile(msgspec.Struct, frozen=True):
    """A cause, and the line of each part of its file."""

    path: Path
    cause: Cause
    lines: Mapping[Way, int]


def read_cause_files(folder: Path) -> list[CauseFile]:
    """Every cause file of a folder, each checked alone; raises RuleError."""
    return [read_cause_file(path) for path in sorted(folder.glob("*.yaml")) if path.name != SYMPTOMS]


def read_cause_file(path: Path) -> CauseFile:
    """One cause file, checked alone; raises RuleError."""
    value, lines = read_yaml_file(path)
    try:
        if not isinstance(value, dict):
            raise Invalid("a cause is a mapping")
        if "rule" in value:
            raise Invalid("unknown key rule", ("rule",))
        cause = converted(value, Cause, keys=_KEYS)
        _check(path, cause)
    except Invalid as wrong:
        raise refused(path, lines, wrong) from wrong
    return CauseFile(path, cause, lines)


_KEYS = tuple(key for key in Cause.__struct_encode_fields__ if key != "rule")


def _check(path: Path, cause: Cause) -> None:
    if cause.id != path.stem:
        raise Invalid(f"id is {cause.id}, the file name is {path.stem}", ("id",))
    if not ID.fullmatch(cause.id):
        raise Invalid(f"an id is lower case letters, digits and single dashes, not {cause.id}", ("id",))
    for name in ("title", "why", "remedy"):
        if not getattr(cause, name).strip():
            raise Invalid(f"{name} is empty", (name,))
    if bool(cause.link) == cause.fact:
        raise Invalid("a cause breaks a link, and a fact none", ("link",))
    for number, reference in enumerate(cause.references):
        if not reference.url.startswith("https://"):
            raise Invalid(f"a reference begins with https://, not {reference.url}", ("references", number, "url"))


def index_of_causes(folder: Path) -> bytes:
    """The index of a folder of causes, which is shipped."""
    return msgspec.json.format(msgspec.json.encode([file.cause for file in read_cause_files(folder)]), indent=1) + b"\n"
