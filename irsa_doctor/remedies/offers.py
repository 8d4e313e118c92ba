"""What is offered for a finding or a cause: the corrected policy of a role, or the command that mends something else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal

from irsa_doctor.facts import AnalysedRole, Judged, View
from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.issuers import EKS, cluster_profile, profile_of
from irsa_doctor.model import Role, Unknown, parse_arn
from irsa_doctor.model.findings import Fix, Offer
from irsa_doctor.remedies.alike import AlikeFixes
from irsa_doctor.remedies.commands import add_audience, annotate, create_eks_provider
from irsa_doctor.remedies.draft import PolicyDocument
from irsa_doctor.remedies.narrowing import as_written, to_users, with_audience
from irsa_doctor.remedies.policy_fix import policy_fix
from irsa_doctor.remedies.trust_policy import RolePolicy, admits, candidates, provider_for, role_policy, slips_mended
from irsa_doctor.remedies.verified import Verified, verify
from irsa_doctor.trust import Statement, admitted, grant_of, is_subject
from irsa_doctor.trust.languages import Finite, contains
from irsa_doctor.trust.presented import PresentedToken
from irsa_doctor.trust.subjects import subject_form

FixKind = Literal[
    "policy",
    "narrowed-policy",
    "policy-audience",
    "client-id",
    "provider",
    "annotation",
    "service-account",
    "association-policy",
]
"""what can be corrected"""


class Offers:
    """What is offered for the findings about one inventory; what is proved of one role is not proved again of its like."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._alike = AlikeFixes()

    def __call__(self, kinds: Sequence[str], judged: Judged) -> Offer:
        """What is offered for a finding about a subject; `kinds` are what can be corrected of it, the first that fits the
        subject counts. Nothing is worked out before somebody reads it."""
        kind = next((kind for kind in kinds if judged.kind in _SUBJECTS.get(kind, ())), None)
        return SubjectOffer(self._view, judged, partial(self._fix, kind, judged) if kind else None)

    def _fix(self, kind: str, judged: Judged) -> Fix | None:
        make = partial(_OFFERS[kind], self._view, judged)
        analysed = case_of(self._view, judged) if kind in _POLICIES and judged.kind in _HAVE_POLICIES else None
        role = role_policy(self._view, analysed) if analysed else None
        return self._alike.fix(kind, judged, role, make) if role else make()


class SubjectOffer(Offer):
    """An offer that knows the inventory and the subject of its finding, of which `fix` works out its edits."""

    def __init__(self, view: View, judged: Judged, make: Callable[[], Fix | None] | None) -> None:
        super().__init__(make)
        self.view = view
        self.judged = judged


def policy_for(view: View, analysed: AnalysedRole, target: PresentedToken) -> Fix | None:
    """The policy of a role that admits one more token; None where none is proved, or where it admits it already."""
    role = role_policy(view, analysed)
    if role is None or (not role.policy.refused and admits(role.policy, target)):
        return None
    for document in candidates(role, target):
        if verified := _proved(role, document, [target]):
            return policy_fix(role, verified)
    return None


def case_of(view: View, judged: Judged) -> AnalysedRole | None:
    """The role that a finding is about, in the case that it is about."""
    return next((case for case in view.cases_by_id.get(judged.group, ()) if case.role.case == judged.case), None)


def _proved(role: RolePolicy, document: PolicyDocument, targets: Sequence[PresentedToken] = ()) -> Verified | None:
    """A document with what it comes to, None where it is not proved of every case of the role that it does no harm."""
    verified, known = verify(role, document, targets), role.analysed.role
    if verified is None or not known.case:
        return verified
    others = [case for case in role.view.cases_by_id.get(known.id, ()) if case is not role.analysed]
    return verified if all(_does_no_harm(role.view, case, document, targets) for case in others) else None


def _does_no_harm(view: View, case: AnalysedRole, document: PolicyDocument, targets: Sequence[PresentedToken]) -> bool:
    """Whether a document admits whom another case of the role admits and names, and nobody else."""
    role = role_policy(view, case)
    if role is None or role.document == document:
        return role is not None
    named = [target for s in role.policy.statements if s.allow for target in written_for(role, s.index)]
    kept = [target for target in named if admits(role.policy, target)]
    return verify(role, document, [*targets, *kept]) is not None


def role_users_kept(view: View, role: str) -> int:
    """How many of the service accounts that use a role (ARN) it admits."""
    analysed = view.role_by_arn.get(role)
    if analysed is None or analysed.policy is None:
        return 0
    users = [user for user in view.role_users.get(role, ()) if user.issuer and user.audience]
    return sum(_is_admitted(analysed, user) for user in users)


def _is_admitted(analysed: AnalysedRole, user: RoleUser) -> bool:
    provider = provider_for(analysed.role, user.issuer)
    policy = analysed.policy
    return policy is not None and admitted(policy, provider, user.issuer).admits(user.subject, user.audience)


# ---- policies


def _mended(view: View, judged: Judged) -> Fix | None:
    """The policy with the slips mended that a finding is about."""
    if judged.kind == "binding":
        return _mended_for_binding(view, judged)
    analysed = case_of(view, judged)
    role = role_policy(view, analysed) if analysed else None
    if analysed is None or role is None:
        return None
    for index in indexes(judged, role):
        for verified in _slips_verified(role, index):
            return policy_fix(role, verified)
    return None


def _slips_verified(role: RolePolicy, index: int) -> Iterator[Verified]:
    """Proved documents with the slips of a statement put right: for the service accounts that use the role, else for those that
    the statement names."""
    for tokens in (using, written_for):
        targets = tokens(role, index)
        for by_name in (False, True):
            documents, mended_for = slips_mended(role, index, targets, by_name=by_name)
            for document in documents:
                if verified := _proved(role, document, mended_for):
                    yield verified


def indexes(judged: Judged, role: RolePolicy) -> list[int]:
    """The Allow statements that a finding is about."""
    _, mark, index = judged.id.rpartition("#")
    if judged.kind == "grant" and mark and index.isdigit():
        return [int(index)]
    return [statement.index for statement in role.policy.statements if statement.allow]


def _mended_for_binding(view: View, judged: Judged) -> Fix | None:
    """The policy of the role that a service account names, with the account let in."""
    names = judged.evidence().names
    analysed = view.role_by_arn.get(str(names["role"]))
    users = view.role_users.get(str(names["role"]), ())
    user = next((u for u in users if (u.subject, u.issuer) == (names["subject"], names["issuer"])), None)
    target = token_of(analysed.role, user) if analysed and user else None
    return policy_for(view, analysed, target) if analysed and target else None


def token_of(role: Role, user: RoleUser) -> PresentedToken | None:
    """The token of a service account that uses a role, None where not all of it is known."""
    if not (user.issuer and user.audience and role.account) or user.pod_identity:
        return None
    return PresentedToken(role.account, provider_for(role, user.issuer), user.issuer, user.subject, user.audience, _known(role))


def _known(role: Role) -> Mapping[str, tuple[str, ...]]:
    """What is so in every request: https, and the account of the role."""
    return {"aws:securetransport": ("true",), "aws:resourceaccount": (role.account,)}


def using(role: RolePolicy, index: int) -> list[PresentedToken]:
    """The tokens of the service accounts that use a role, whatever the statement."""
    return [target for user in role.users if (target := token_of(role.known_role, user))]


def written_for(role: RolePolicy, index: int) -> list[PresentedToken]:
    """The tokens that a statement was written for: of the subjects that it names, with its provider."""
    statement = next((s for s in role.policy.statements if s.index == index), None)
    issued = issued_by(role, statement) if statement else None
    if statement is None or issued is None:
        return []
    provider, issuer, account = issued
    view, role_record = role.view, role.known_role
    audiences = view.default_audiences(issuer)
    known = {**_known(role_record), "aws:resourceaccount": (account,)}
    audience = next(iter(audiences)) if len(audiences) == 1 else ""
    subjects = dict.fromkeys(_subjects(statement)) if audience else ()
    return [PresentedToken(account, provider, issuer, subject, audience, known) for subject in subjects]


def issued_by(role: RolePolicy, statement: Statement) -> tuple[str, str, str] | None:
    """Provider, issuer and account that the only principal of a statement names, or was meant to name."""
    named = [value for value in statement.federated if isinstance(value, str)]
    # a provider in the place of an account is still the one that was meant
    named = named or [value for value in statement.aws if isinstance(value, str) and ":oidc-provider/" in value]
    if len(named) != 1:
        return None
    account = role.account
    form = role.view.principals.form(named[0], account)
    provider = named[0] if form in ("provider", "absent") else role.view.meant_provider(named[0], account)
    arn = parse_arn(provider)
    if arn is None or (account and arn.account != account) or arn.kind != "oidc-provider":
        return None
    return provider, arn.name, arn.account


def _subjects(statement: Statement) -> Iterator[str]:
    """The subjects that the conditions of a statement write out, or were meant to."""
    for condition in statement.conditions:
        on_sub = condition.key.endswith(":sub") and not condition.use.operator.negated
        for value in condition.values:
            is_named = isinstance(value, str) and (on_sub or value.startswith("system:serviceaccount:"))
            form, meant = subject_form(str(value)) if is_named else ("", "")
            if is_named and form != "wildcard" and is_subject(meant):
                yield meant


def _narrowed(view: View, judged: Judged) -> Fix | None:
    """The policy with a statement narrowed down to those whom it names, or who use the role."""
    return _of_grant(view, judged, _narrow_documents)


def _with_audience(view: View, judged: Judged) -> Fix | None:
    """The policy with a statement that requires the audience of the tokens."""
    return _of_grant(view, judged, audience_documents)


_Documents = Callable[[RolePolicy, Statement, str, str], Iterator[Mapping[str, object]]]


def _of_grant(view: View, judged: Judged, documents: _Documents) -> Fix | None:
    analysed = case_of(view, judged)
    role = role_policy(view, analysed) if analysed else None
    if analysed is None or role is None or role.policy.refused:
        return None
    for index in indexes(judged, role):
        statement = next((s for s in role.policy.statements if s.index == index), None)
        issued = issued_by(role, statement) if statement else None
        if statement is None or issued is None:
            continue
        provider, issuer, _ = issued
        for document in documents(role, statement, provider, issuer):
            if verified := _proved(role, document):
                return policy_fix(role, verified)
    return None


def _narrow_documents(role: RolePolicy, statement: Statement, provider: str, issuer: str) -> Iterator[Mapping[str, object]]:
    grant = grant_of(role.policy, statement, issuer, profile=cluster_profile(issuer))
    plain = as_written(role.document, statement.index, issuer)
    if plain is not None:
        yield plain
    if issuer not in role.view.accounts.listed_whole or isinstance(grant.subjects, Finite):
        return
    users = sorted({u.subject for u in role.users if u.issuer == issuer and contains(grant.subjects, u.subject)})
    named = to_users(role.document, statement.index, issuer, users) if users else None
    if named is not None:
        yield named


def audience_documents(role: RolePolicy, statement: Statement, provider: str, issuer: str) -> Iterator[Mapping[str, object]]:
    """The policy with a condition on the audience that tokens of an EKS issuer carry, in a statement that has none."""
    if profile_of(issuer) is not EKS:
        return
    carried = {user.audience for user in role.users if user.issuer == issuer}
    audiences = sorted(carried or role.view.default_audiences(issuer))
    document = with_audience(role.document, statement.index, issuer, audiences) if "" not in audiences else None
    if document is not None:
        yield document


# ---- commands


def _client_id(view: View, judged: Judged) -> Fix | None:
    """The audience added to a provider that does not accept it."""
    provider = view.inventory.provider_by_arn.get(judged.id)
    if provider is None or isinstance(provider.client_ids, Unknown):
        return None
    audience = view.audience_of(provider.issuer)
    if audience in provider.client_ids:
        return None
    return command_fix(add_audience(provider.arn, audience), provider.managed_by)


def _create_provider(view: View, judged: Judged) -> Fix | None:
    """The provider of a cluster created."""
    cluster = next((known for known in view.inventory.clusters if known.subject == judged.id), None)
    if cluster is None or not isinstance(cluster.issuer, str) or profile_of(cluster.issuer) is not EKS:
        return None
    return command_fix(create_eks_provider(cluster.name, cluster.region))


def _annotated(view: View, judged: Judged) -> Fix | None:
    """The right role named on a service account."""
    names = judged.evidence().names
    namespace, _, account = str(names["account"]).partition("/")
    return annotation(view, namespace, account, str(names.get("right") or ""))


def annotation(view: View, namespace: str, account: str, role: str) -> Fix | None:
    """A role (ARN) named on a service account.

    None where one of them is not a name that the cluster or IAM takes, or where no web identity may get the role anyway.
    """
    analysed = view.role_by_arn.get(role)
    policy = analysed.policy if analysed else None
    if policy and not policy.refused and not any(s.covers_web_identity or s.unseen for s in policy.statements):
        return None
    command = annotate(namespace, account, role)
    return Fix(None, (command,), role_users_kept(view, role), managed_by=_tool(view, namespace, account)) if command else None


def _tool(view: View, namespace: str, account: str) -> str:
    """The tool that a service account of this name is managed by, in whatever cluster."""
    clusters = ("", *view.inventory.cluster_by_id)
    known = (view.inventory.service_account_by_key.get((cluster, namespace, account)) for cluster in clusters)
    return next((item.managed_by for item in known if item and item.managed_by), "")


def command_fix(command: str, managed_by: str = "") -> Fix | None:
    """A fix that is one command, None where there is none; `managed_by` as in Fix."""
    return Fix(None, (command,), managed_by=managed_by) if command else None


_OFFERS: Mapping[str, Callable[[View, Judged], Fix | None]] = {
    "policy": _mended,
    "narrowed-policy": _narrowed,
    "policy-audience": _with_audience,
    "client-id": _client_id,
    "provider": _create_provider,
    "annotation": _annotated,
}
_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "policy": ("grant", "role", "policy", "binding"),
    "narrowed-policy": ("grant", "policy"),
    "policy-audience": ("grant", "policy"),
    "client-id": ("provider",),
    "provider": ("cluster",),
    "annotation": ("service-account", "binding"),
}
"""the kinds of subjects of which something can be corrected"""
_POLICIES = frozenset({"policy", "narrowed-policy", "policy-audience"})
_HAVE_POLICIES = frozenset({"grant", "role", "policy"})
