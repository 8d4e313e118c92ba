"""What roles have in common whose trust policies differ in the service accounts that they name alone."""

import msgspec

from irsa_doctor.facts.lookups.lookups import Lookups
from irsa_doctor.facts.roles.policy_shape import PolicyShape
from irsa_doctor.model import Role, TrustPolicy
from irsa_doctor.trust.policy import DEFAULT_QUOTA
from irsa_doctor.trust.subjects import NAMES_OF_SUBJECT, PREFIX


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
