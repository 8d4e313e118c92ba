"""Gives the JSON Schema of what a command writes, and a settings file to begin with."""

from collections.abc import Mapping

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.nearness import suggestion


class UnknownSchema(IrsaDoctorError):
    """There is no schema of a name; the text lists those that exist."""


def schema(name: str) -> str:
    """The JSON Schema (draft 2020-12), as text, of the JSON of a command, or of a file that people write. Raises
    UnknownSchema."""
    from irsa_doctor.reports.schemas import schema_names, schema_text

    if name not in schema_names():
        raise UnknownSchema(f"no schema of {name}: {', '.join(schema_names())}.{suggestion(name, schema_names())}")
    return schema_text(name)


def initial_files(folder: str = ".") -> Mapping[str, str]:
    """What a project begins with, path -> text: `irsa-doctor.toml` with every setting as a comment, then, in `.irsa-doctor`,
    the schemas of settings, rules and intents that editors read."""
    from irsa_doctor.reports.initial_settings import initial_files as files

    return files(folder)


def schema_line(file: str) -> str:
    """The comment by which an editor finds the schema of an intent file, "" where `.irsa-doctor` is in no folder above."""
    from irsa_doctor.reports.initial_settings import schema_line as line

    return line(file)
