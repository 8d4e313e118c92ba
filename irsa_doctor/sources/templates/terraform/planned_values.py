"""Puts holes into the values of a plan where they are known only after apply."""

import re
from collections.abc import Mapping

import msgspec

from irsa_doctor.model import Text
from irsa_doctor.sources.templates.terraform.references import References
from irsa_doctor.sources.templates.values import TemplateValue, hole, template_provider_arn
from irsa_doctor.text.positions import Anchor
from irsa_doctor.text.scanner import escaped

_IDENTIFIERS = re.compile(r"(?P<block>(?P<blocks>statement\[\d+\]\.principals)\[0\])\.identifiers(\[\d+\])?")
_ROLE_ARNS = ("service_account_role_arn", "annotations", "principal_arn")


class PlannedValues(msgspec.Struct, frozen=True):
    """Puts holes where a value is known only after apply.

    A hole is named by the single reference of its argument where the argument can hardly be anything else, an ARN say;
    else by its place, because equal holes are equal and one reference can appear in many texts.
    """

    address: str
    references: References
    providers: Mapping[str, str]
    document: str

    def value(self, after: object, unknown: object, path: str, pointer: str) -> TemplateValue:
        """A value of the arguments with what `after_unknown` says of it."""
        anchor = Anchor(pointer)
        if unknown is True:
            return TemplateValue(self._hole(path), anchor, self.document)
        if isinstance(after, dict):
            below = unknown if isinstance(unknown, dict) else {}
            members: dict[object, TemplateValue] = {
                name: self.value(item, below.get(name), f"{path}.{name}" if path else name, f"{pointer}/{escaped(name)}")
                for name, item in after.items()
            }
            for name, mark in below.items():
                if mark is True and name not in members:
                    members[name] = TemplateValue(self._hole(f"{path}.{name}" if path else name))
            return TemplateValue(members, anchor, self.document)
        if isinstance(after, list):
            marks = unknown if isinstance(unknown, list) else []
            items = (
                self.value(item, marks[number] if number < len(marks) else None, f"{path}[{number}]", f"{pointer}/{number}")
                for number, item in enumerate(after)
            )
            return TemplateValue(tuple(items), anchor, self.document)
        return TemplateValue(after, anchor, self.document)

    def _hole(self, path: str) -> Text:
        if match := _IDENTIFIERS.fullmatch(path):
            # the blocks are a set, so only a single one is surely the one of the configuration
            block = match["block"] if self.references.count(self.address, match["blocks"]) == 1 else ""
            if block and (reference := self.references.only(self.address, f"{block}.identifiers")):
                url = self.providers.get(reference.removesuffix(".arn")) if reference.endswith(".arn") else None
                return template_provider_arn(reference, url) if url else hole(reference)
        reference = self.references.role_arn(self.address, path) if path in _ROLE_ARNS else ""
        return hole(reference or f"{self.address}.{path}")
