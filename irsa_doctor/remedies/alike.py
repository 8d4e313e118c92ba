"""Corrected policies of roles that differ in a few names alone: proved for the first, renamed for the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.facts import Judged, View
from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.facts.roles.policy_shape import PolicyShape
from irsa_doctor.model import issuer_of_provider, parse_arn
from irsa_doctor.model.edits import EditKind, Safety
from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.commands import policy_text
from irsa_doctor.remedies.names import Kindred, RoleNames, kindred_values, outline_of, places_in, ranks
from irsa_doctor.remedies.policy_fix import whole_policy
from irsa_doctor.remedies.trust_policy import RolePolicy

_FAR_FROM_QUOTA = 1_200
"""characters of a policy to which no correction adds so much that the length of a name decides whether IAM saves it"""
_KEPT = 4_096
"""corrections that are remembered, and settings"""
_SUBJECTS = 4
"""service accounts of a role that are taken for names"""


Asked = tuple[str, tuple[EditKind, ...], Safety]
"""the rule of a finding, the ways to fix it, and how safe they are at most"""


class _Issuer(msgspec.Struct, frozen=True):
    """An issuer with which a policy or a user of the role has to do: whether its service accounts are listed whole, whether it
    is that of a cluster, and the audiences of its tokens."""

    issuer: str
    listed: bool
    is_known: bool
    audiences: tuple[str, ...]


class _Surroundings(msgspec.Struct, frozen=True):
    """What a correction depends on that roles have in common whose policies differ in names alone and which are used from like
    clusters: the policy without its names, and what is known of its account and of the issuers."""

    pieces: tuple[str, ...]
    order: tuple[int, ...]
    named: bool
    """whether a service account names the role"""
    account: str
    places: tuple[int, ...]
    """how the places are sorted"""
    issuers: tuple[_Issuer, ...]
    principals: tuple[tuple[str, str], ...]
    """what each provider in the policy is to the account of the role, and which one was meant"""


class _Setting(msgspec.Struct, frozen=True):
    """The surroundings of the roles of one account that have the same policy and are used from the same clusters."""

    surroundings: _Surroundings
    places: tuple[str, ...]
    account: str
    issuers: Mapping[str, str]
    """each issuer, and its text with marks"""
    unnamed: tuple[str, ...]
    """service accounts that are left in the policy"""

    @property
    def audiences(self) -> Iterator[str]:
        """The audiences of tokens of the issuers."""
        return (audience for issuer in self.surroundings.issuers for audience in issuer.audiences)


class _User(msgspec.Struct, frozen=True):
    """A service account that uses the role, by number."""

    subject: int
    issuer: str
    audience: str
    pod_identity: bool


class _Like(msgspec.Struct, frozen=True):
    """What a correction depends on, but for the names."""

    surroundings: _Surroundings
    asked: Asked
    finding: tuple[str, str]
    """the kind of the finding's subject, and the number of the grant"""
    account_meant: tuple[int, str]
    """number and issuer of the service account that a finding about a binding is about"""
    kindred: tuple[tuple[str, bool], ...]
    """the form of each text that has a part of a service account in it, and whether its subject was meant"""
    subjects: tuple[int, ...]
    """how the service accounts are sorted"""
    absent: tuple[tuple[bool, ...], ...]
    """whether the clusters of each issuer are known to lack each service account"""
    users: tuple[_User, ...]
    partition: str
    has: tuple[bool, bool]
    """whether a template makes the role, whether its ARN is known"""


class _First(msgspec.Struct, frozen=True):
    """The correction of the first such role; its policy as people read it, and its difference, with marks; whom it admits, by
    number."""

    fix: Fix | None
    policy: str = ""
    difference: str = ""
    admits: tuple[int, ...] = ()

    def renamed(self, role: RolePolicy, names: RoleNames) -> Fix | None:
        """The correction of another role."""
        fix = self.fix
        if fix is None:
            return None
        text = names.filled(self.policy)
        admitted = [names.subjects[number] for number in self.admits]
        return whole_policy(role, msgspec.json.decode(text), text, fix.keeps, admitted, names.filled(self.difference))


def _first(fix: Fix | None, names: RoleNames) -> _First | None:
    """A correction to be renamed; None where it has no policy, or has more of the names in it than
    where they stand."""
    if fix is None:
        return _First(None)
    if fix.policy is None:
        return None
    policy, difference = (names.marked(text) for text in (policy_text(fix.policy), fix.diff))
    if names.are_in(policy) or names.are_in(difference) or not set(fix.admits) <= set(names.subjects):
        return None
    return _First(fix, policy, difference, tuple(map(names.subjects.index, fix.admits)))


class AlikeFixes:
    """Corrected policies of the roles of one inventory, and of those of its run that were judged before."""

    def __init__(self, view: View) -> None:
        self._known: dict[_Like, _First] = view.corrections
        self._settings: dict[tuple[PolicyShape, str, tuple[str, ...]], _Setting] = {}

    def fix(
        self,
        asked: Asked,
        judged: Judged,
        meant: tuple[str, str],
        role: RolePolicy,
        make: Callable[[], Fix | None],
    ) -> Fix | None:
        """Returns what `make` does, which works a correction out; `meant` is the service account that a finding about a binding
        is about, and its issuer, "" where it is about another thing."""
        named = self._named(role, meant)
        if named is None:
            return make()
        like = _like(asked, judged, named)
        if known := self._known.get(like):
            return known.renamed(role, named.names)
        fix = make()
        if len(self._known) < _KEPT and (first := _first(fix, named.names)):
            self._known[like] = first
        return fix

    def _named(self, role: RolePolicy, meant: tuple[str, str]) -> "_Named | None":
        """The names of a role and its setting; None where more of the names counts than where they stand."""
        alike, users = role.analysed.likeness, role.users
        if alike is None or role.policy.size > _FAR_FROM_QUOTA:
            return None
        subjects = tuple(dict.fromkeys((*alike.subjects, *(user.subject for user in users), *filter(None, meant[:1]))))
        if len(subjects) > _SUBJECTS:
            return None
        shape, kindred = alike.shape, tuple[Kindred, ...]()
        if not all(map(shape.is_indifferent_to, subjects)):
            shape, kindred = kindred_values(shape, role.document, subjects[0]) if len(subjects) == 1 else (shape, kindred)
            if not kindred or not shape.is_indifferent_to(subjects[0]):
                return None
        setting = self._setting(role, shape, tuple(dict.fromkeys((*(user.issuer for user in users), *filter(None, meant[1:])))))
        values = tuple([value.text for value in kindred])
        if not {*subjects, *values}.isdisjoint((*setting.audiences, *(user.audience for user in users))):
            return None
        return _Named(role, RoleNames(subjects, values, setting.places, setting.account), setting, kindred, meant)

    def _setting(self, role: RolePolicy, shape: PolicyShape, of_users: tuple[str, ...]) -> _Setting:
        key = (shape, role.account, of_users)
        setting = self._settings.get(key)
        if setting is None:
            setting = _setting(role, shape, of_users)
            if len(self._settings) < _KEPT:
                self._settings[key] = setting
        return setting


class _Named(msgspec.Struct, frozen=True):
    """A role with its names; `meant` is the service account that a finding about a binding is about, and its issuer."""

    role: RolePolicy
    names: RoleNames
    setting: _Setting
    kindred: tuple[Kindred, ...]
    meant: tuple[str, str]


def _like(asked: Asked, judged: Judged, named: _Named) -> _Like:
    known, setting, subjects = named.role.known_role, named.setting, named.names.subjects
    arn, lacking = parse_arn(known.arn), named.role.view.accounts.lacking
    subject, issuer = named.meant
    return _Like(
        surroundings=setting.surroundings,
        asked=asked,
        finding=(judged.kind, judged.id.rpartition("#")[2] if judged.kind == "grant" else ""),
        account_meant=(subjects.index(subject), setting.issuers[issuer]) if subject else (-1, ""),
        kindred=tuple([(value.form, value.is_meant) for value in named.kindred]),
        subjects=ranks((*subjects, *setting.unnamed)),
        absent=tuple([tuple([bool(lacking(i, [each])) for each in (*subjects, *setting.unnamed)]) for i in setting.issuers]),
        users=tuple([_user(user, subjects, setting) for user in named.role.users]),
        partition=arn.partition if arn else "",
        has=(bool(known.address), arn is not None),
    )


def _user(user: RoleUser, subjects: Sequence[str], setting: _Setting) -> _User:
    return _User(
        subject=subjects.index(user.subject),
        issuer=setting.issuers[user.issuer],
        audience=user.audience,
        pod_identity=user.pod_identity,
    )


def _setting(role: RolePolicy, shape: PolicyShape, of_users: Sequence[str]) -> _Setting:
    """The setting of a role; `of_users` are issuers of its users. What its account and its clusters are called is no name where
    more of the policy may have to do with it, or where settings say something of a cluster."""
    outline = outline_of(shape)
    others = [place for issuer in of_users for place in places_in(issuer) if place not in outline.places]
    places = tuple(dict.fromkeys((*outline.places, *others)))
    is_marked = outline.account and not outline.has_to_do_with(others) and not _are_declared(places, role.view)
    names = RoleNames(places=places, account=outline.account) if is_marked else RoleNames()
    principals = list(_principals(role))
    issuers = _issuers(role, [provider for _, provider in principals if provider], of_users)
    surroundings = _Surroundings(
        pieces=outline.marked if is_marked else outline.pieces,
        order=shape.order,
        named=shape.named,
        account=names.marked(role.known_role.account),
        places=ranks(names.places),
        issuers=tuple([_issuer(role.view, issuer, names) for issuer in issuers]),
        principals=tuple([(form, names.marked(provider)) for form, provider in principals]),
    )
    marked = {issuer: names.marked(issuer) for issuer in issuers}
    return _Setting(surroundings, tuple(names.places), names.account, marked, outline.unnamed)


def _are_declared(places: Sequence[str], view: View) -> bool:
    return any(place in issuer for issuer in view.issuers for place in places)


def _issuers(role: RolePolicy, meant: Sequence[str], of_users: Sequence[str]) -> list[str]:
    """The issuers of which a policy speaks, or was meant to, and those of users."""
    return list(dict.fromkeys((*map(issuer_of_provider, (*role.analysed.by_provider, *meant)), *of_users)))


def _issuer(view: View, issuer: str, names: RoleNames) -> _Issuer:
    return _Issuer(
        issuer=names.marked(issuer),
        listed=issuer in view.accounts.listed_whole,
        is_known=issuer in view.inventory.clusters_by_issuer,
        audiences=tuple(sorted(view.default_audiences(issuer))),
    )


def _principals(role: RolePolicy) -> Iterator[tuple[str, str]]:
    """What each provider in a policy is to the account of the role, and which one was meant, "" where it is itself."""
    account = role.account
    for statement in role.policy.statements:
        for principal in (*statement.federated, *statement.aws):
            if isinstance(principal, str) and (principal in statement.federated or ":oidc-provider/" in principal):
                form = role.view.principals.form(principal, account)
                yield form, "" if form == "provider" else role.view.meant_provider(principal, account)
