"""What roles have in common whose trust policies differ in the service accounts that they name alone."""

import msgspec

from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.model import Role, TrustPolicy
from irsa_doctor.model.once import once
from irsa_doctor.trust.policy import DEFAULT_QUOTA
from irsa_doctor.trust.subjects import NAMES_OF_SUBJECT, PREFIX

_RELATED = (b"serviceaccount", b"$", b"ignorecase")
"""what may compare a service account with something else than itself"""


class PolicyShape(msgspec.Struct, frozen=True, dict=True):
    """A trust policy but for the service accounts that it names, and what else of a role its analysis depends on."""

    pieces: tuple[bytes, ...]
    order: tuple[int, ...]
    """the number of the service account behind each piece but the last"""
    account: str
    named: bool
    written: str
    """the extension of the document's name, "" where a template made the role"""

    @once
    def relates(self) -> bool:
        """Whether something in the policy may compare service accounts with others than those that it names one by one."""
        return any(word in self._text for word in _RELATED)

    def is_indifferent_to(self, subject: str) -> bool:
        """Whether nothing else in the policy has to do with the names of a service account: neither has them in it, nor a
        pattern that some names match and others do not."""
        names = subject.encode().split(b":")[2:]
        return self._is_plain and not any(name in self._text for name in names)

    @once
    def _is_plain(self) -> bool:
        """Whether nothing compares service accounts, and nothing is a pattern that only some texts match."""
        text = self._text.replace(b'"*"', b"")
        return not self.relates and b"*" not in text and b"?" not in text

    @once
    def _text(self) -> bytes:
        return b"".join(self.pieces).lower()


class Likeness(msgspec.Struct, frozen=True):
    """The shape of a role's policy, the policy, and the service accounts (subjects) that it names, in order."""

    shape: PolicyShape
    source: TrustPolicy
    subjects: list[str]


def likeness(role: Role, lookups: Lookups) -> Likeness | None:
    """Returns the shape of a role and the subjects that its policy names; None where the policy has holes, or the role has to
    do with more than it."""
    source = role.policy
    if not isinstance(source, TrustPolicy) or source.flaws or not source.plain or role.is_bare or role.case:
        return None
    if source.size < 0 or is_near_quota(source.size) or is_long_session(role.max_session):
        return None
    if _is_handed_out(role, lookups):
        return None
    text = source.json
    if text is None:
        return None
    pieces, order, subjects = _without_subjects(text)
    written = "" if role.address else source.place.document.rpartition(".")[2]
    shape = PolicyShape(pieces, order, role.account, role.arn in lookups.naming, written)
    return Likeness(lookups.shapes.setdefault(shape, shape), source, subjects)


def _is_handed_out(role: Role, lookups: Lookups) -> bool:
    """Whether facts of a role depend on what else names it: an association, a capability, or a chain of roles."""
    capabilities = lookups.inventory.capabilities
    if capabilities and any(item.role_arn == role.arn for item in capabilities):
        return True
    associated = role.id in lookups.associations_of_role or role.arn in lookups.associations_of_target
    return associated or role.arn in lookups.chains.by_target


def _without_subjects(text: bytes) -> tuple[tuple[bytes, ...], tuple[int, ...], list[str]]:
    """A text around the subjects in it, the number of each, and these. Service accounts named `default` stay in it: of them
    more is true than of others."""
    begin, *rest = text.split(_QUOTED_PREFIX)
    pieces = [begin]
    order: list[int] = []
    subjects: dict[bytes, int] = {}
    for part in rest:
        names, quote, after = part.partition(b'"')
        if quote and NAMES_OF_SUBJECT.fullmatch(names) and not names.endswith(b":default"):
            order.append(subjects.setdefault(names, len(subjects)))
            pieces.append(after)
        else:
            pieces[-1] += _QUOTED_PREFIX + part
    return tuple(pieces), tuple(order), [PREFIX + names.decode() for names in subjects]


_QUOTED_PREFIX = b'"' + PREFIX.encode()


def is_long_session(seconds: int) -> bool:
    """Whether sessions may be longer than AWS makes them where nobody asks for more
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html#id_roles_update-session-duration)."""
    return seconds > _USUAL_SESSION


_USUAL_SESSION = 3600


def is_near_quota(size: int) -> bool:
    """Whether a policy of a size has little room left before IAM refuses it."""
    return size > DEFAULT_QUOTA * 9 // 10
