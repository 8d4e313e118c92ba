"""Reads the roles of Terraform configuration, with the texts that edits need."""

from collections.abc import Callable, Mapping

from irsa_doctor.answers.fix.texts import Texts
from irsa_doctor.model import Role
from irsa_doctor.remedies.edits.records import SourceText
from irsa_doctor.sources import load


def read_roles(texts: Mapping[str, str]) -> tuple[dict[str, Role], Callable[[str], SourceText | None]]:
    """The roles of files by their addresses, and the texts of the files by path."""
    memory = {path: text.encode() for path, text in texts.items()}
    made = load([], memory=memory)
    sources = Texts(memory)
    sources.now(made.documents)
    return {role.address: role for role in made.inventory.roles}, sources.text
