"""What a rule says of the edits that fix its findings."""

from collections.abc import Mapping, Sequence

import msgspec

from irsa_doctor.model.edits import EditKind, EditStep, FixKind, Safety, UnfixedReason


class EditBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How `fix` edits the sources of a finding: the ways, in the order in which they are tried, and the step of all fixes.

    Without ways nothing is edited, for the `reason` and `because` of the block.
    """

    ways: tuple[EditKind, ...] = ()
    step: EditStep = "values"
    at_most: Safety = "safe"
    """`unsafe`: its edits are never safe, whatever is proved"""
    uncovers: tuple[str, ...] = ()
    """ids and patterns of the rules whose findings an edit may uncover"""
    reason: UnfixedReason = "no-remedy"
    because: str = ""
    how: str = ""
    """the next step for a person, "" for the remedy of the rule"""


NO_EDITS = EditBlock()

OLDER_FORMS: Mapping[FixKind, Sequence[EditKind]] = {
    "policy": ("binding", "users", "written"),
    "narrowed-policy": ("plain", "narrowed"),
    "policy-audience": ("audience",),
    "client-id": ("client-id-added",),
    "provider": ("provider-added",),
    "annotation": ("annotation-right",),
    "service-account": (),
    "association-policy": ("association",),
}
"""the ways of what a rule of an older form says that can be corrected"""
