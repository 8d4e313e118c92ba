"""Gives the JSON Schema of what a command writes."""

from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.nearness import suggestion


class UnknownSchema(IrsaDoctorError):
    """There is no schema of a name; the text lists those that exist."""


def schema(name: str) -> str:
    """The JSON Schema (draft 2020-12), as text, of the JSON of a command, or of the settings. Raises UnknownSchema."""
    from irsa_doctor.reports.schemas import schema_names, schema_text

    if name not in schema_names():
        raise UnknownSchema(f"no schema of {name}: {', '.join(schema_names())}.{suggestion(name, schema_names())}")
    return schema_text(name)
