"""Whom the trust policy of a finding is about: its statements, and the tokens that each of them is meant for."""

from collections.abc import Iterator, Mapping

from irsa_doctor.facts import AnalysedRole, Judged, View
from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.model import Role, Unknown, parse_arn
from irsa_doctor.remedies.trust_policy import RolePolicy, provider_for
from irsa_doctor.trust import Statement, admitted, is_subject
from irsa_doctor.trust.presented import PresentedToken
from irsa_doctor.trust.subjects import subject_form


def case_of(view: View, judged: Judged) -> AnalysedRole | None:
    """The role that a finding is about, in the case that it is about."""
    return next((case for case in view.cases_by_id.get(judged.group, ()) if case.role.case == judged.case), None)


def names_of_binding(judged: Judged) -> Mapping[str, object]:
    """What the evidence of a finding about a binding names; nothing where it is about another thing."""
    return judged.evidence().names if judged.kind == "binding" else {}


def role_of_finding(view: View, judged: Judged, names: Mapping[str, object]) -> AnalysedRole | None:
    """The role that a finding is about, or to which the binding is that has these names."""
    return view.role_by_arn.get(str(names["role"])) if judged.kind == "binding" else case_of(view, judged)


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


def indexes(judged: Judged, role: RolePolicy) -> list[int]:
    """The Allow statements that a finding is about."""
    _, mark, index = judged.id.rpartition("#")
    if judged.kind == "grant" and mark and index.isdigit():
        return [int(index)]
    return [statement.index for statement in role.policy.statements if statement.allow]


def token_of(policy: RolePolicy, user: RoleUser) -> PresentedToken | None:
    """The token of a service account that uses a role, None where not all of it is known, or not if STS takes it."""
    role = policy.known_role
    if not (user.issuer and user.audience and role.account) or user.pod_identity or has_unseen_audience(policy, user):
        return None
    return PresentedToken(role.account, provider_for(role, user.issuer), user.issuer, user.subject, user.audience, _known(role))


def has_unseen_audience(policy: RolePolicy, user: RoleUser) -> bool:
    """Whether tokens have an unusual audience that the policy does not name, and the client ids of the provider were not seen:
    if it does not take that, a role that requires it admits nobody."""
    if not user.audience or user.audience in policy.view.default_audiences(user.issuer):
        return False
    if any(user.audience in condition.values for statement in policy.policy.statements for condition in statement.conditions):
        return False
    provider = policy.view.inventory.provider_by_arn.get(provider_for(policy.known_role, user.issuer))
    return provider is None or isinstance(provider.client_ids, Unknown)


def _known(role: Role) -> Mapping[str, tuple[str, ...]]:
    """What is so in every request: https, and the account of the role."""
    return {"aws:securetransport": ("true",), "aws:resourceaccount": (role.account,)}


def using(role: RolePolicy, index: int) -> list[PresentedToken]:
    """The tokens of the service accounts that use a role, whatever the statement."""
    return [target for user in role.users if (target := token_of(role, user))]


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


def is_unused(role: RolePolicy, issuer: str) -> bool:
    """Whether surely no service account of an issuer uses a role."""
    is_listed = bool(role.known_role.arn) and issuer in role.view.accounts.listed_whole
    return is_listed and not any(user.issuer == issuer and not user.pod_identity for user in role.users)


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
