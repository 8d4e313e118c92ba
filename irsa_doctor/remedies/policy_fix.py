"""Fixes: a whole trust policy with the command that saves it, or a command alone."""

from collections.abc import Sequence

from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.commands import policy_text, put_policy_text
from irsa_doctor.remedies.difference import policy_difference
from irsa_doctor.remedies.draft import PolicyDocument
from irsa_doctor.remedies.safety import PolicyChange
from irsa_doctor.remedies.trust_policy import RolePolicy


def policy_fix(role: RolePolicy, change: PolicyChange, *, keeps: int = 0) -> Fix:
    """A proved change of the policy of a role; `keeps` are those who keep the role for another reason than a web identity."""
    text = policy_text(change.document)
    difference = policy_difference(policy_text(role.document), text)
    return whole_policy(role, change.document, text, keeps + change.keeps, change.admits, difference)


def whole_policy(
    role: RolePolicy, document: PolicyDocument, text: str, keeps: int, admits: Sequence[str], difference: str
) -> Fix:
    """A policy of a role with the command that saves it where the role exists; `text` is the policy as people read it,
    `difference` that to the one before."""
    known = role.analysed.role
    command = put_policy_text(known.name.rpartition("/")[2], text) if known.arn else ""
    return Fix(
        policy=document,
        commands=(command,) if command else (),
        keeps=keeps,
        admits=tuple(admits),
        diff=difference,
        managed_by=known.managed_by or (f"the template of {known.address}" if known.address and known.arn else ""),
    )


def command_fix(command: str, managed_by: str = "") -> Fix | None:
    """A fix that is one command, None where there is none; `managed_by` as in Fix."""
    return Fix(None, (command,), managed_by=managed_by) if command else None
