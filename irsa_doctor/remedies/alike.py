"""Corrected policies of roles that differ in one service account alone: proved for the first, renamed for the others."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from irsa_doctor.facts import Judged
from irsa_doctor.facts.roles.likeness import PolicyShape
from irsa_doctor.model import issuer_of_provider, parse_arn
from irsa_doctor.model.edits import EditKind
from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.policy_fix import whole_policy
from irsa_doctor.remedies.trust_policy import RolePolicy

_FAR_FROM_QUOTA = 1_200
"""characters of a policy to which no correction adds so much that the length of a name decides whether IAM saves it"""
_KEPT = 4_096
"""corrections that are remembered"""


class _Like(msgspec.Struct, frozen=True):
    """What a correction depends on, but for the name of the only service account."""

    ways: tuple[EditKind, ...]
    """how it is corrected"""
    subject: tuple[str, str]
    """the kind of the finding's subject, and the number of the grant"""
    shape: PolicyShape
    partition: str
    users: tuple[tuple[str, str, bool], ...]
    """issuer, audience and association of the service account, where it uses the role"""
    absent: tuple[bool, ...]
    """whether the clusters of each issuer are known to lack it"""


class _First(msgspec.Struct, frozen=True):
    """The correction of the first such role, its policy as JSON, and the service account (subject)."""

    fix: Fix | None
    policy: str
    subject: str

    def renamed(self, role: RolePolicy, subject: str) -> Fix | None:
        """The correction of another role."""
        fix, quoted = self.fix, (f'"{self.subject}"', f'"{subject}"')
        if fix is None:
            return None
        document: dict[str, Any] = msgspec.json.decode(self.policy.replace(*quoted))
        return whole_policy(role, document, fix.keeps, [subject for _ in fix.admits], fix.diff.replace(*quoted))


class AlikeFixes:
    """Corrected policies of the roles of one inventory."""

    def __init__(self) -> None:
        self._known: dict[_Like, _First] = {}

    def fix(self, ways: Sequence[EditKind], judged: Judged, role: RolePolicy, make: Callable[[], Fix | None]) -> Fix | None:
        """Returns what `make` does, which works a correction out."""
        like, subject = _like(ways, judged, role)
        if like is None:
            return make()
        if first := self._known.get(like):
            return first.renamed(role, subject)
        fix = make()
        if len(self._known) < _KEPT and (fix is None or set(fix.admits) <= {subject}):
            self._known[like] = _First(fix, msgspec.json.encode(fix.policy).decode() if fix else "", subject)
        return fix


def _like(ways: Sequence[EditKind], judged: Judged, role: RolePolicy) -> tuple[_Like | None, str]:
    """What a correction depends on, and the only service account; None where more of its name counts than where it stands."""
    alike, users = role.analysed.likeness, role.users
    if alike is None or len(alike.subjects) != 1 or role.policy.size > _FAR_FROM_QUOTA:
        return None, ""
    shape, (subject,) = alike.shape, alike.subjects
    if not shape.is_indifferent_to(subject) or any(user.subject != subject for user in users):
        return None, ""
    issuers = sorted({*map(issuer_of_provider, role.analysed.by_provider), *(user.issuer for user in users)})
    arn = parse_arn(role.analysed.role.arn)
    return _Like(
        ways=tuple(ways),
        subject=(judged.kind, judged.id.rpartition("#")[2] if judged.kind == "grant" else ""),
        shape=shape,
        partition=arn.partition if arn else "",
        users=tuple((user.issuer, user.audience, user.pod_identity) for user in users),
        absent=tuple(bool(role.view.accounts.lacking(issuer, [subject])) for issuer in issuers),
    ), subject
