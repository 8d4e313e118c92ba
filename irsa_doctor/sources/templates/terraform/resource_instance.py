"""One instance of a Terraform resource, as the readers of resources get it."""

from collections.abc import Mapping

import msgspec

from irsa_doctor.model import Place
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.sources.templates.terraform.policy_document import members_of
from irsa_doctor.sources.templates.terraform.syntax import Block
from irsa_doctor.sources.templates.values import TemplateValue, known


class ResourceInstance(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a resource: its block, its address from the root module, and its evaluated arguments."""

    block: Block
    address: str
    config: TemplateValue
    place: Place
    caller: Place
    """the call of the outermost module that it is in, else its own place"""
    reading: DocumentReading
    """of its own file"""
    readings: Mapping[str, DocumentReading]
    """of all files, by path: a policy may be written in another one"""

    def text(self, name: str) -> str:
        """An argument that is text without holes, else ""."""
        argument = members_of(self.config).get(name)
        return known(argument.value) if argument else ""

    def texts(self, name: str) -> tuple[str, ...] | None:
        """An argument that is a list of texts, None where some of it is not known."""
        argument = members_of(self.config).get(name)
        if argument is None or not isinstance(argument.value, tuple):
            return None
        values = [known(item.value) for item in argument.value]
        return tuple(values) if all(values) else None
