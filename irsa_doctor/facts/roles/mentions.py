"""Which roles write a service account into their trust policy: none else can admit it by name."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from irsa_doctor.model import Role, TrustPolicy
from irsa_doctor.trust.subjects import PREFIX

_BEFORE, _AFTER = b'"' + PREFIX.encode(), b'"'


class Mentions(msgspec.Struct, frozen=True):
    """The roles of an inventory, by their number in order of reading, by the service accounts (subjects) in their policies.

    `computing` are those that may admit a service account by name that is not written in them. It is plain data, which a
    process or a shard can hand to another.
    """

    by_subject: Mapping[str, Sequence[int]]
    computing: Sequence[int]


def mentions(roles: Iterable[Role]) -> Mentions:
    """Returns the service accounts that the policies of roles write out; nothing is analysed for it."""
    by_subject: dict[str, list[int]] = {}
    computing: list[int] = []
    for number, role in enumerate(roles):
        if not isinstance(role.policy, TrustPolicy):
            continue
        text = role.policy.json
        if text is None or _may_compute(text):
            computing.append(number)
            continue
        for subject in {_BEFORE[1:] + part.partition(_AFTER)[0] for part in text.split(_BEFORE)[1:]}:
            by_subject.setdefault(subject.decode(), []).append(number)
    return Mentions(by_subject, tuple(computing))


def _may_compute(text: bytes) -> bool:
    """Whether something in a policy may make a name of another text: a variable, an escape, letters of either case."""
    return b"$" in text or b"\\" in text or b"ignorecase" in text.lower()
