"""What may be done about a finding: the values that should stand in sources, and what that comes to.

Whoever adds a way to fix something writes one function `(FixCase) -> Iterator[Proposal]` and gives it a row in the table `WAYS`
of `irsa_doctor.remedies.proposals`; the `edit` block of a rule names the ways in the order in which they are tried. A function
that has nothing to propose raises Unfixable with a reason of the closed list, or yields nothing.
"""

from collections.abc import Sequence

import msgspec

from irsa_doctor.facts import Judged, View
from irsa_doctor.model import Role
from irsa_doctor.model.edits import UNCHANGED, EditStep, Proof, Safety, UnfixedReason
from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.commands import put_trust_policy
from irsa_doctor.remedies.draft import PolicyDocument
from irsa_doctor.remedies.edits.records import Wish
from irsa_doctor.remedies.safety import PolicyChange
from irsa_doctor.remedies.standins import StandIns

STEPS: tuple[EditStep, ...] = ("structure", "keys", "operators", "values", "narrowing", "additions", "kubernetes")


class Unfixable(Exception):
    """That nothing follows from the input, with a reason of the closed list, why that is so, and the next step for a person."""

    def __init__(self, reason: UnfixedReason, because: str, how: str = "") -> None:
        super().__init__(because)
        self.reason: UnfixedReason = reason
        self.because = because
        self.how = how

    def anew(self) -> "Unfixable":
        """The same without its traceback: who keeps that, keeps everything that was looked at."""
        return Unfixable(self.reason, self.because, self.how)


class FixCase(msgspec.Struct, frozen=True):
    """A finding to fix: the inventory, and the subject that it is about."""

    view: View
    judged: Judged
    tried: list[PolicyDocument] = msgspec.field(default_factory=list)
    """the policies that were worked out already: no other way comes back to them"""


class TemplateOutcome(msgspec.Struct, frozen=True):
    """The policy that a template makes once it is changed, with texts in the place of what it leaves open."""

    standins: StandIns
    document: PolicyDocument

    def is_made(self, document: object) -> bool:
        """Whether a policy that was read of the template is this one, whatever stands for what is left open."""
        try:
            return bool(self.standins.filled(document) == self.document)
        except ValueError:
            return False


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One way to fix a finding: the `wishes` that it comes down to, all of them or none.

    `policy` is the whole corrected trust policy of `role`, of a template that leaves something open its `outcome`, and
    `commands` are what changes the live objects instead, quoted for a POSIX shell. `last_resort`: it is made where unsafe fixes
    are, and not even offered else.
    """

    wishes: tuple[Wish, ...]
    safety: Safety
    because: str
    change: PolicyChange | None = None
    """what the corrected policy comes to, where it has no holes"""
    proof_of_template: Proof | None = None
    policy: PolicyDocument | None = None
    outcome: TemplateOutcome | None = None
    role: Role | None = None
    commands: tuple[str, ...] = ()
    last_resort: bool = False
    unwritten: UnfixedReason = "not-in-source"
    """why nothing is edited, where there are commands alone"""
    offered: Fix | None = None
    """what is offered of it where no `change` is proved: commands by which nobody loses a role or newly gets one"""

    @property
    def shell(self) -> tuple[str, ...]:
        """The commands, of a corrected policy the one that saves it."""
        known = self.role
        if self.commands or self.change is None or self.policy is None or known is None or not known.arn:
            return self.commands
        command = put_trust_policy(known.name.rpartition("/")[2], self.policy)
        return (command,) if command else ()

    @property
    def proof(self) -> Proof:
        """How those who are admitted are related to those before."""
        return self.proof_of_template or (self.change.proof if self.change else UNCHANGED)

    @property
    def changes_policy(self) -> bool:
        """Whether the trust policy of the role becomes another one that is known."""
        return self.policy is not None or self.outcome is not None

    def is_made_by(self, documents: Sequence[object]) -> bool:
        """Whether one of the policies that the role then has, in its several cases, is the one that was meant."""
        if self.outcome is not None:
            return any(map(self.outcome.is_made, documents))
        return self.policy is None or self.policy in documents
