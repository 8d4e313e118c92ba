"""Corrected policies of roles that differ in a few names alone: proved for the first, renamed for the others."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from irsa_doctor.facts import Judged, View
from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.facts.roles.likeness import PolicyShape
from irsa_doctor.model import issuer_of_provider, parse_arn
from irsa_doctor.model.edits import EditKind, Safety
from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.draft import PolicyDocument
from irsa_doctor.remedies.names import Kindred, Outline, RoleNames, clusters_in, kindred_values, outline_of, ranks
from irsa_doctor.remedies.policy_fix import whole_policy
from irsa_doctor.remedies.trust_policy import RolePolicy

_FAR_FROM_QUOTA = 1_200
"""characters of a policy to which no correction adds so much that the length of a name decides whether IAM saves it"""
_KEPT = 4_096
"""corrections that are remembered"""
_SUBJECTS = 4
"""service accounts of a role that are taken for names"""


class _Issuer(msgspec.Struct, frozen=True):
    """An issuer with which a policy or a user of the role has to do: which service accounts its clusters are known to lack,
    whether they are listed whole, whether it is that of a cluster, and the audiences of its tokens."""

    issuer: str
    absent: tuple[bool, ...]
    listed: bool
    is_known: bool
    audiences: tuple[str, ...]


class _User(msgspec.Struct, frozen=True):
    """A service account that uses the role, by number."""

    subject: int
    issuer: str
    audience: str
    pod_identity: bool


class _Like(msgspec.Struct, frozen=True):
    """What a correction depends on, but for the names."""

    ways: tuple[EditKind, ...]
    at_most: Safety
    finding: tuple[str, str]
    """the kind of the finding's subject, and the number of the grant"""
    account_meant: tuple[int, str]
    """number and issuer of the service account that a finding about a binding is about"""
    outline: tuple[str, ...]
    order: tuple[int, ...]
    kindred: tuple[tuple[str, bool], ...]
    """the form of each text that has a part of a service account in it, and whether its subject was meant"""
    ranks: tuple[object, ...]
    """how the names are sorted"""
    account: str
    partition: str
    has: tuple[bool, ...]
    """whether a service account names the role, whether a template makes it, whether its ARN is known"""
    users: tuple[_User, ...]
    issuers: tuple[_Issuer, ...]
    principals: tuple[tuple[str, str], ...]
    """what each provider in the policy is to the account of the role, and which one was meant"""


class _First(msgspec.Struct, frozen=True):
    """The correction of the first such role; its policy as JSON and its difference, with marks; whom it admits, by number."""

    fix: Fix | None
    policy: str = ""
    difference: str = ""
    admits: tuple[int, ...] = ()

    def renamed(self, role: RolePolicy, names: RoleNames) -> Fix | None:
        """The correction of another role."""
        fix = self.fix
        if fix is None:
            return None
        document: dict[str, Any] = msgspec.json.decode(names.filled(self.policy))
        admitted = [names.subjects[number] for number in self.admits]
        return whole_policy(role, document, fix.keeps, admitted, names.filled(self.difference))


def _first(fix: Fix | None, names: RoleNames) -> _First | None:
    """A correction to be renamed; None where it has more of the names in it than where they stand."""
    if fix is None:
        return _First(None)
    policy, difference = (names.marked(text) for text in (msgspec.json.encode(fix.policy).decode(), fix.diff))
    if names.are_in(policy) or names.are_in(difference) or not set(fix.admits) <= set(names.subjects):
        return None
    return _First(fix, policy, difference, tuple(map(names.subjects.index, fix.admits)))


class _Bare(msgspec.Struct, frozen=True):
    """The policy of a role without its names."""

    names: RoleNames
    pieces: tuple[str, ...]
    kindred: Sequence[Kindred]
    unnamed: tuple[str, ...]


class AlikeFixes:
    """Corrected policies of the roles of one inventory, and of those of its run that were judged before."""

    def __init__(self, view: View) -> None:
        self._known: dict[_Like, _First] = view.corrections
        self._outlines: dict[PolicyShape, Outline] = {}

    def fix(
        self, ways: Sequence[EditKind], at_most: Safety, judged: Judged, role: RolePolicy, make: Callable[[], Fix | None]
    ) -> Fix | None:
        """Returns what `make` does, which works a correction out."""
        meant = _account_meant(judged)
        bare = self._bare(role, meant)
        if bare is None:
            return make()
        like = _like(ways, at_most, judged, role, bare, meant)
        if known := self._known.get(like):
            return known.renamed(role, bare.names)
        fix = make()
        if len(self._known) < _KEPT and (first := _first(fix, bare.names)):
            self._known[like] = first
        return fix

    def _bare(self, role: RolePolicy, meant: tuple[str, str]) -> _Bare | None:
        """The policy of a role without its names; None where more of them counts than where they stand."""
        alike, users = role.analysed.likeness, role.users
        if alike is None or role.policy.size > _FAR_FROM_QUOTA:
            return None
        subjects = tuple(dict.fromkeys((*alike.subjects, *(user.subject for user in users), *filter(None, meant[:1]))))
        if len(subjects) > _SUBJECTS:
            return None
        shape, kindred = _without_kindred(alike.shape, role.document, subjects)
        if not all(map(shape.is_indifferent_to, subjects)):
            return None
        outline = self._outline(shape)
        others = clusters_in((*(user.issuer for user in users), meant[1]))
        clusters = tuple(dict.fromkeys((*outline.clusters, *others)))
        values = tuple([value.text for value in kindred])
        if not outline.account or outline.has_to_do_with(others) or _are_declared(clusters, role.view):
            return _Bare(RoleNames(subjects, values), outline.pieces, kindred, outline.unnamed)
        return _Bare(RoleNames(subjects, values, clusters, outline.account), outline.marked, kindred, outline.unnamed)

    def _outline(self, shape: PolicyShape) -> Outline:
        known = self._outlines.get(shape)
        if known is None:
            known = self._outlines[shape] = outline_of(shape)
        return known


def _without_kindred(
    shape: PolicyShape, document: PolicyDocument, subjects: Sequence[str]
) -> tuple[PolicyShape, Sequence[Kindred]]:
    """A policy without what its conditions have of its only service account beside the subject, and these texts."""
    is_needed = len(subjects) == 1 and not shape.is_indifferent_to(subjects[0])
    return kindred_values(shape, document, subjects[0]) if is_needed else (shape, ())


def _account_meant(judged: Judged) -> tuple[str, str]:
    """Subject and issuer of the service account that a finding about a binding is about, "" where it is about another thing."""
    names = judged.evidence().names if judged.kind == "binding" else {}
    return (str(names["subject"]), str(names["issuer"])) if "subject" in names else ("", "")


def _are_declared(clusters: Sequence[str], view: View) -> bool:
    """Whether settings say something of a cluster."""
    return any(cluster in issuer for issuer in view.issuers for cluster in clusters)


def _like(
    ways: Sequence[EditKind], at_most: Safety, judged: Judged, role: RolePolicy, bare: _Bare, meant: tuple[str, str]
) -> _Like:
    alike = role.analysed.likeness
    assert alike is not None  # noqa: S101 - else there are no names
    names, known, arn = bare.names, role.known_role, parse_arn(role.known_role.arn)
    number_of = names.subjects.index
    principals = list(_principals(role))
    return _Like(
        ways=tuple(ways),
        at_most=at_most,
        finding=(judged.kind, judged.id.rpartition("#")[2] if judged.kind == "grant" else ""),
        account_meant=(number_of(meant[0]), names.marked(meant[1])) if meant[0] else (-1, ""),
        outline=bare.pieces,
        order=alike.shape.order,
        kindred=tuple([(value.form, value.is_meant) for value in bare.kindred]),
        ranks=(ranks((*names.subjects, *bare.unnamed)), ranks(names.clusters)),
        account=names.marked(known.account),
        partition=arn.partition if arn else "",
        has=(alike.shape.named, bool(known.address), arn is not None),
        users=tuple([_user(user, names) for user in role.users]),
        issuers=tuple(_issuers(role, names, [*(provider for _, provider in principals), meant[1]])),
        principals=tuple([(form, names.marked(provider)) for form, provider in principals]),
    )


def _user(user: RoleUser, names: RoleNames) -> _User:
    return _User(
        subject=names.subjects.index(user.subject),
        issuer=names.marked(user.issuer),
        audience=names.marked(f'"{user.audience}"'),
        pod_identity=user.pod_identity,
    )


def _issuers(role: RolePolicy, names: RoleNames, more: Sequence[str]) -> Iterator[_Issuer]:
    """The issuers of which a policy or a user of the role speaks, and `more` of them or of providers."""
    accounts, clusters = role.view.accounts, role.view.inventory.clusters_by_issuer
    of_policy = map(issuer_of_provider, (*role.analysed.by_provider, *filter(None, more)))
    for issuer in dict.fromkeys((*of_policy, *(user.issuer for user in role.users))):
        yield _Issuer(
            issuer=names.marked(issuer),
            absent=tuple([bool(accounts.lacking(issuer, [subject])) for subject in names.subjects]),
            listed=issuer in accounts.listed_whole,
            is_known=issuer in clusters,
            audiences=tuple([names.marked(f'"{audience}"') for audience in sorted(role.view.default_audiences(issuer))]),
        )


def _principals(role: RolePolicy) -> Iterator[tuple[str, str]]:
    """What each provider in a policy is to the account of the role, and which one was meant, "" where it is itself."""
    account = role.account
    for statement in role.policy.statements:
        for principal in (*statement.federated, *statement.aws):
            if isinstance(principal, str) and (principal in statement.federated or ":oidc-provider/" in principal):
                form = role.view.principals.form(principal, account)
                yield form, "" if form == "provider" else role.view.meant_provider(principal, account)
