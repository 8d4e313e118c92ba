"""Fills the holes of a change with values of the current state: account, partition, issuers, ARNs of roles."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from irsa_doctor.model import Hole, Role, ServiceAccount, Text, TrustPolicy, joined, only_hole
from irsa_doctor.model.regex import regex
from irsa_doctor.sources.documents.reading import DocumentReading
from irsa_doctor.text.scanner import escaped

# a role can trust only OIDC providers of its own account, so their account is the role's
_DATA = r"(?:module\.[^{}]+\.)?data\.aws_%s\.[\w-]+(?:\[0\])?\.(?:%s|id)"
_ACCOUNT = regex(rf"\$\{{(?:AWS::AccountId|account of [^{{}}]+|{_DATA % ('caller_identity', 'account_id')})\}}")
_PARTITION = regex(rf"\$\{{(?:AWS::Partition|partition of [^{{}}]+|{_DATA % ('partition', 'partition')})\}}")
_ISSUER = regex(r"\$\{issuer of ([^{}]+)\}")


class HoleValues(msgspec.Struct, frozen=True):
    """The values for the holes of one document, "" where they are not known."""

    account: str
    partition: str
    issuer_of: Callable[[str], str]
    """name of a cluster -> its issuer"""

    def of(self, hole: Hole) -> str:
        """Return the value of a hole, "" where it is not known."""
        if _ACCOUNT.fullmatch(hole.name):
            return self.account
        if _PARTITION.fullmatch(hole.name):
            return self.partition
        cluster = cluster_named(hole)
        return self.issuer_of(cluster) if cluster else ""


def cluster_named(hole: Hole) -> str:
    """Return the cluster whose issuer a hole stands for, "" where it stands for anything else."""
    match = _ISSUER.fullmatch(hole.name)
    return match[1] if match else ""


def fill_holes(readings: Sequence[DocumentReading], known_of: Callable[[str], HoleValues]) -> None:
    """Fill the trust policies of the roles of a change, and the annotations and associations that name these roles."""
    if not any(reading.base for reading in readings):
        return
    change = [reading for reading in readings if not reading.base]
    arns = _arns(role for reading in change for role in reading.roles)
    moved: dict[str, dict[str, str]] = {}
    for reading in change:
        filler = _Filler(known_of(reading.path), arns)
        for number, role in enumerate(reading.roles):
            if role.address and isinstance(role.policy, TrustPolicy):
                policy = msgspec.structs.replace(role.policy, document=filler.value(role.policy.document))
                reading.roles[number] = msgspec.structs.replace(role, policy=policy)
                moved.setdefault(policy.place.document, {}).update(filler.filled)
        reading.service_accounts[:] = [filler.service_account(record) for record in reading.service_accounts]
        reading.associations[:] = [
            msgspec.structs.replace(record, role_arn=filler.text(record.role_arn)) for record in reading.associations
        ]
    for reading in change:
        _move_anchors(reading, moved.get(reading.path, {}))


def _arns(roles: Iterable[Role]) -> Mapping[str, str]:
    """The reference to the ARN of a role, in lower case -> the ARN; of several roles of one address none."""
    arns: dict[str, str] = {}
    for role in roles:
        if role.address:
            name = f"${{{role.address}.arn}}".lower()
            arns[name] = role.arn if arns.get(name, role.arn) == role.arn else ""
    return arns


class _Filler:
    """Fills values of one document; `filled` are the holes that it could fill."""

    def __init__(self, known: HoleValues, arns: Mapping[str, str]) -> None:
        self.known = known
        self.arns = arns
        self.filled: dict[str, str] = {}

    def value(self, value: object) -> object:
        """A JSON value, names of members too."""
        if isinstance(value, Text):
            return joined(self.part(part) for part in value.parts)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.value(name): self.value(item) for name, item in value.items()}
        return value

    def part(self, part: str | Hole) -> str | Hole:
        """A part of a text."""
        value = self.known.of(part) if isinstance(part, Hole) else ""
        if value and isinstance(part, Hole):
            self.filled[part.name] = value
        return value or part

    def text(self, value: str | Text) -> str | Text:
        """A text that may be the ARN of a role."""
        hole = only_hole(value)
        return (self.arns.get(hole.name.lower()) or value) if hole else value

    def service_account(self, account: ServiceAccount) -> ServiceAccount:
        """A service account whose annotations name the roles by their ARNs."""
        if not any(isinstance(value, Text) for value in account.annotations.values()):
            return account
        annotations = {name: self.text(value) for name, value in account.annotations.items()}
        return msgspec.structs.replace(account, annotations=annotations)


def _move_anchors(reading: DocumentReading, filled: Mapping[str, str]) -> None:
    """Names of members that had holes are found where they were."""
    if not filled:
        return
    names = re.compile("|".join(re.escape(escaped(name)) for name in filled))
    values = {escaped(name): escaped(value) for name, value in filled.items()}
    for (part, pointer), anchor in list(reading.anchors.items()):
        if "${" in pointer:
            reading.anchors[(part, names.sub(lambda match: values[match[0]], pointer))] = anchor
