"""Corrected policies of roles that differ in a few names alone: proved for the first, renamed for the others.

The names are those of the only service account, of the account and of the EKS cluster, where each means nothing but itself:
nothing else in the policy has it in it or is near to it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from irsa_doctor.facts import Judged, View
from irsa_doctor.facts.roles.likeness import PolicyShape
from irsa_doctor.model import issuer_of_provider, parse_arn
from irsa_doctor.model.edits import EditKind, Safety
from irsa_doctor.model.findings import Fix
from irsa_doctor.model.once import once
from irsa_doctor.model.regex import regex
from irsa_doctor.remedies.policy_fix import whole_policy
from irsa_doctor.remedies.trust_policy import RolePolicy

_FAR_FROM_QUOTA = 1_200
"""characters of a policy to which no correction adds so much that the length of a name decides whether IAM saves it"""
_KEPT = 4_096
"""corrections that are remembered"""
_CLUSTER = regex(rb"/id/([0-9A-F]{32})(?![0-9A-Za-z])")
"""the id of an EKS cluster in its issuer"""


class _Names(msgspec.Struct, frozen=True, dict=True):
    """The texts in which a role differs from its like; "" where it is the same for all."""

    subject: str
    account: str
    cluster: str

    def marked(self, text: str) -> str:
        """A text with marks in the place of the account and the cluster."""
        text = text.replace(self.cluster, "\1") if self.cluster else text
        return text.replace(self.account, "\2") if self.account else text

    @once
    def _written(self) -> Mapping[str, str]:
        """Each name as it stands in a policy, and what it is."""
        quoted = f'"{self.subject}"' if self.subject else ""
        return {
            text: kind for kind, text in (("subject", quoted), ("account", self.account), ("cluster", self.cluster)) if text
        }

    @once
    def _anywhere(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._written)))

    def renamed(self, text: str, others: "_Names") -> str:
        """A text of a policy with other names."""
        if not self._written:
            return text
        theirs = {kind: written for written, kind in others._written.items()}
        return self._anywhere.sub(lambda match: theirs[self._written[match[0]]], text)


class _Outline(msgspec.Struct, frozen=True):
    """A policy but for its service accounts, with marks for the account and the cluster where these mean nothing but
    themselves; `account` and `cluster` are what the marks stand for, "" where there are none."""

    pieces: tuple[bytes, ...]
    account: str = ""
    cluster: str = ""


class _Issuer(msgspec.Struct, frozen=True):
    """An issuer of a policy or of a user of the role: what its cluster is known to lack, and the audiences of its tokens."""

    issuer: str
    absent: bool
    listed: bool
    audiences: tuple[str, ...]


class _Like(msgspec.Struct, frozen=True):
    """What a correction depends on, but for the names."""

    ways: tuple[EditKind, ...]
    at_most: Safety
    finding: tuple[str, str]
    """the kind of the finding's subject, and the number of the grant"""
    outline: tuple[bytes, ...]
    order: tuple[int, ...]
    account: str
    partition: str
    has: tuple[bool, ...]
    """whether a service account names the role, whether a template makes it, whether its ARN is known"""
    users: tuple[tuple[str, str, bool], ...]
    """issuer, audience and association of each use of the role by the service account"""
    issuers: tuple[_Issuer, ...]
    principals: tuple[tuple[str, str], ...]
    """what each provider in the policy is to the account of the role, and which one was meant"""


class _First(msgspec.Struct, frozen=True):
    """The correction of the first such role, its policy as JSON, and its names."""

    fix: Fix | None
    policy: str
    names: _Names

    def renamed(self, role: RolePolicy, names: _Names) -> Fix | None:
        """The correction of another role."""
        fix = self.fix
        if fix is None:
            return None
        document: dict[str, Any] = msgspec.json.decode(self.names.renamed(self.policy, names))
        difference = self.names.renamed(fix.diff, names)
        return whole_policy(role, document, fix.keeps, [names.subject for _ in fix.admits], difference)


class AlikeFixes:
    """Corrected policies of the roles of one inventory, and of those of its run that were judged before."""

    def __init__(self, view: View) -> None:
        self._known: dict[_Like, _First] = view.corrections
        self._outlines: dict[PolicyShape, _Outline] = {}

    def fix(
        self, ways: Sequence[EditKind], at_most: Safety, judged: Judged, role: RolePolicy, make: Callable[[], Fix | None]
    ) -> Fix | None:
        """Returns what `make` does, which works a correction out."""
        names = self._names(role)
        if names is None:
            return make()
        like = self._like(ways, at_most, judged, role, names)
        if first := self._known.get(like):
            return first.renamed(role, names)
        fix = make()
        if len(self._known) < _KEPT and (fix is None or set(fix.admits) <= {names.subject}):
            self._known[like] = _First(fix, msgspec.json.encode(fix.policy).decode() if fix else "", names)
        return fix

    def _names(self, role: RolePolicy) -> _Names | None:
        """The names of a role; None where more of them counts than where they stand."""
        alike, users = role.analysed.likeness, role.users
        if alike is None or role.policy.size > _FAR_FROM_QUOTA:
            return None
        subjects = {*alike.subjects, *(user.subject for user in users)}
        if len(subjects) > 1 or not all(map(alike.shape.is_indifferent_to, subjects)):
            return None
        outline = self._outline(alike.shape)
        of_users = {found for user in users for found in _CLUSTER.findall(user.issuer.encode())}
        if of_users - {outline.cluster.encode()}:
            return _Names("".join(subjects), "", "")
        return _Names("".join(subjects), outline.account, outline.cluster)

    def _outline(self, shape: PolicyShape) -> _Outline:
        known = self._outlines.get(shape)
        if known is None:
            known = self._outlines[shape] = _outline(shape)
        return known

    def _like(self, ways: Sequence[EditKind], at_most: Safety, judged: Judged, role: RolePolicy, names: _Names) -> _Like:
        alike = role.analysed.likeness
        assert alike is not None  # noqa: S101 - else there are no names
        shape, known = alike.shape, role.known_role
        arn = parse_arn(known.arn)
        return _Like(
            ways=tuple(ways),
            at_most=at_most,
            finding=(judged.kind, judged.id.rpartition("#")[2] if judged.kind == "grant" else ""),
            outline=self._outline(shape).pieces if names.cluster else shape.pieces,
            order=shape.order,
            account=names.marked(known.account),
            partition=arn.partition if arn else "",
            has=(shape.named, bool(known.address), arn is not None),
            users=tuple((names.marked(user.issuer), user.audience, user.pod_identity) for user in role.users),
            issuers=tuple(_issuers(role, names)),
            principals=tuple(_principals(role, names)),
        )


def _issuers(role: RolePolicy, names: _Names) -> Iterator[_Issuer]:
    """The issuers of which a policy or a user of the role speaks."""
    accounts = role.view.accounts
    of_policy = map(issuer_of_provider, role.analysed.by_provider)
    for issuer in dict.fromkeys((*of_policy, *(user.issuer for user in role.users))):
        yield _Issuer(
            issuer=names.marked(issuer),
            absent=bool(names.subject and accounts.lacking(issuer, [names.subject])),
            listed=issuer in accounts.listed_whole,
            audiences=tuple(sorted(role.view.default_audiences(issuer))),
        )


def _principals(role: RolePolicy, names: _Names) -> Iterator[tuple[str, str]]:
    """What each provider in a policy is to the account of the role, and which one was meant."""
    account = role.account
    for statement in role.policy.statements:
        for principal in (*statement.federated, *statement.aws):
            if isinstance(principal, str) and (principal in statement.federated or ":oidc-provider/" in principal):
                form = role.view.principals.form(principal, account)
                yield form, names.marked("" if form == "provider" else role.view.meant_provider(principal, account))


def _outline(shape: PolicyShape) -> _Outline:
    """The policy of a shape with marks; without any where it has none or several clusters, or speaks of one in another way."""
    pieces = shape.pieces
    clusters = {found for piece in pieces for found in _CLUSTER.findall(piece)}
    if len(clusters) != 1 or not shape.account:
        return _Outline(pieces)
    (cluster,), account = clusters, shape.account.encode()
    marked = tuple([piece.replace(cluster, b"\1").replace(account, b"\2") for piece in pieces])
    text = b"".join(marked).lower()
    alone = text.count(b"/id/") == text.count(b"/id/\1") == text.count(b"\1")
    if account in cluster or not alone or cluster.lower() in text or _RUN_ON.search(text):
        return _Outline(pieces)
    return _Outline(marked, shape.account, cluster.decode())


_RUN_ON = regex(rb"[0-9]\x02|\x02[0-9]")
"""an account in a longer number"""
