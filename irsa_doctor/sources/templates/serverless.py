"""Reads the resources of configurations of the Serverless Framework: CloudFormation with variables of the framework.

https://www.serverless.com/framework/docs/providers/aws/guide/resources and .../guide/variables
"""

import re
from collections.abc import Mapping
from functools import partial

from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.reading import DocumentReading, Page
from irsa_doctor.sources.templates.cloudformation.template import read_template
from irsa_doctor.sources.templates.values import scalar_text
from irsa_doctor.text import shapes

# of `${AWS::Region}` the second colon shows that it is CloudFormation's
_VARIABLE = regex(r"\$\{(\w+(?:\([^(){}]*\))?):(?!:)((?:[^{}]|\{\{[^{}]*\}\})*)\}")
_DEEP = 20
_MOST = 1_000_000
"""Characters that the variables of a document are filled in with"""


def is_serverless(members: Mapping[str, object]) -> bool:
    """Whether a document configures a service on AWS."""
    provider = members.get("provider")
    name = provider.get("name") if isinstance(provider, dict) else provider
    return "service" in members and name == "aws"


def read_serverless(page: Page, reading: DocumentReading) -> None:
    """Read `resources`, an object or a list of them, as the template that they are; other files of it are not followed."""
    members = shapes.mapping(page.value, page.place)
    resources, place = members.get("resources"), page.place.at("resources")
    filling = _Filling(members)
    listed = resources if isinstance(resources, list) else [resources]
    for number, item in enumerate(listed):
        at = place.at(number) if isinstance(resources, list) else place
        if isinstance(item, dict) and isinstance(item.get("Resources"), dict):
            read_template(Page(filling.value(item), at, page.duplicates), reading)
        elif isinstance(item, str):
            reading.notes.append(f"the resources of {item} are not read: check what `serverless package` writes")
    if not reading.gave_something():
        reading.passed += reading.notes or ["a service without roles, OIDC providers, clusters or Pod Identity associations"]


class _Filling:
    """Fills in the variables of a document: what it holds itself in their place, else they are marked as placeholders that
    CloudFormation has not."""

    def __init__(self, members: Mapping[str, object]) -> None:
        self.members = members
        self.left = _MOST

    def value(self, value: object, depth: int = 0) -> object:
        """A value with its variables."""
        if depth > _DEEP:
            return value
        if isinstance(value, str):
            return self.text(value, depth)
        if isinstance(value, list):
            return [self.value(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {self.text(str(name), depth): self.value(item, depth + 1) for name, item in value.items()}
        return value

    def text(self, text: str, depth: int) -> str:
        """A text with its variables."""
        for _ in range(_DEEP):
            filled = _VARIABLE.sub(partial(self.variable, depth), text)
            if filled == text:
                break
            text = filled
        return text

    def variable(self, depth: int, match: re.Match[str]) -> str:
        """What stands in the place of a variable."""
        source, address = match[1], match[2].strip()
        if source == "self" and depth < _DEEP and self.left > 0:
            value: object = self.members
            for step in address.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None and isinstance(known := scalar_text(value), str):
                self.left -= len(known) + 1
                return self.text(known, depth + 1)
        # one within another is part of its name
        return f"{{{{{source}:{address.replace('{{', '').replace('}}', '')}}}}}"
