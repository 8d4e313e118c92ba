"""The roles that templates make, by what refers to them: a reference to their ARN, or the name that they will have."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from irsa_doctor.model import Inventory, Place, Role, Text, only_hole, parse_arn


class TemplateRoles(msgspec.Struct, frozen=True, dict=True):
    """The roles of an inventory that have an address in a template."""

    inventory: Inventory

    def of(self, value: str | Text, place: Place) -> Role | None:
        """Return the role that a value at a place refers to, None where it is not of a template, or is one of several.

        The value is a reference that a template resolves (`${aws_iam_role.app.arn}`), or an ARN with the name of the role.
        Where the template leaves the account of an ARN open, only a role of the same folder is meant.
        """
        if isinstance(value, Text) and (name := _name_in_arn(value)):
            folder = os.path.dirname(place.document)
            return _nearest([r for r in self._by_name.get(name, ()) if os.path.dirname(r.place.document) == folder], place)
        return _nearest(self._candidates(value), place)

    def _candidates(self, value: str | Text) -> Sequence[Role]:
        if reference := only_hole(value):
            return self._by_reference.get(reference.name.lower(), ())
        arn = parse_arn(value) if isinstance(value, str) else None
        if arn is None or arn.service != "iam" or arn.kind != "role":
            return ()
        return [role for role in self._by_name.get(arn.name, ()) if role.account in ("", arn.account)]

    @cached_property
    def _by_reference(self) -> Mapping[str, Sequence[Role]]:
        """By the reference to their ARN, in lower case: `${aws_iam_role.app.arn}`, `${approle.arn}`."""
        table: dict[str, list[Role]] = {}
        for role in self.inventory.roles:
            if role.address:
                table.setdefault(f"${{{role.address}.arn}}".lower(), []).append(role)
        return table

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[Role]]:
        """By path and name, those without an ARN: of the others the ARN says more."""
        table: dict[str, list[Role]] = {}
        for role in self.inventory.roles:
            if role.planned and not role.arn:
                table.setdefault(role.planned, []).append(role)
        return table


def _name_in_arn(value: Text) -> str:
    """Path and name of the role in an ARN of which partition or account are not known, "" where it is anything else."""
    first, last = value.parts[0], value.parts[-1]
    before, found, name = last.partition(":role/") if isinstance(last, str) else ("", "", "")
    is_arn = isinstance(first, str) and first.startswith("arn:") and not before.strip("0123456789")
    return name if found and is_arn else ""


def _nearest(roles: Sequence[Role], place: Place) -> Role | None:
    """The only role, in whatever cases; of several the one of the same document, else of the same folder: two stacks may use
    one name."""
    folder = os.path.dirname(place.document)
    in_document = [role for role in roles if (role.place.document, role.place.part) == (place.document, place.part)]
    in_folder = [role for role in roles if os.path.dirname(role.place.document) == folder]
    return next((near[0] for near in (roles, in_document, in_folder) if len({role.id for role in near}) == 1), None)
