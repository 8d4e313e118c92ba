"""The fix that is a whole trust policy, with the command that saves it."""

from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.commands import put_trust_policy
from irsa_doctor.remedies.difference import policy_difference
from irsa_doctor.remedies.trust_policy import RolePolicy
from irsa_doctor.remedies.verified import Verified


def policy_fix(role: RolePolicy, verified: Verified, difference: str = "") -> Fix:
    """A proved policy of a role, with the command that saves it where the role exists; `difference` to the policy that
    it has, where that is known already."""
    known = role.analysed.role
    command = put_trust_policy(known.name.rpartition("/")[2], verified.document) if known.arn else ""
    return Fix(
        policy=verified.document,
        commands=(command,) if command else (),
        keeps=verified.keeps,
        admits=verified.admits,
        diff=difference or policy_difference(role.document, verified.document),
        managed_by=known.managed_by or (f"the template of {known.address}" if known.address and known.arn else ""),
    )
