"""The intent that an estate follows: who names a role and is admitted to it, and what a person has to decide."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from irsa_doctor.answers.intents.intent_text import RoleEntry, intent_text
from irsa_doctor.answers.intents.policies import POD_IDENTITY
from irsa_doctor.facts import AnalysedRole, View
from irsa_doctor.facts.lookups.associations import role_answer
from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.issuers import profile_of
from irsa_doctor.model import Cluster, Text, is_role_arn, issuer_of_provider, text_of
from irsa_doctor.trust import Admitted, Policy, is_subject, spell
from irsa_doctor.trust.languages import Finite, contains

QuestionCode = Literal["broken", "wildcard", "unused-subject", "no-service-account", "other-principal", "conditions"]
_NAMED = 6
"""names that a question holds"""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What an estate leaves open; `subject` is the service account (cluster/namespace/name) or subject that it is about, `line`
    that of its comment in the file."""

    code: QuestionCode
    role: str
    subject: str | None = None
    says: str
    line: int = 0


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """An intent as JSON and as the text of a file, with the questions that stand in it; `unnamed` are the roles that it leaves
    out because the input does not say their ARN, those of templates."""

    intent: Mapping[str, Any]
    text: str
    questions: tuple[Question, ...]
    unnamed: tuple[str, ...] = ()


def inferred(view: View) -> Inference:
    """The intent of an inventory: a pair is in it exactly where a service account names a role and its policy admits it."""
    names = _cluster_names(view)
    entries = [_entry(view, analysed, names) for analysed in view.roles if is_role_arn(analysed.role.arn) and analysed.policy]
    entries = sorted((entry for entry in entries if entry.pairs or entry.questions), key=lambda entry: entry.role)
    named = _with_audiences(names, {(pair.cluster, pair.audience) for entry in entries for pair in entry.pairs})
    clusters = {name: _written(view.inventory.cluster_by_id[ident], audience) for (ident, audience), name in named.items()}
    used = list(dict.fromkeys(ident for ident, _ in named))
    written = [
        RoleEntry(
            role=entry.role,
            value=_value(entry, named, len(clusters)),
            questions=tuple([f"{question.code}: {question.says}" for question in entry.questions]),
        )
        for entry in entries
    ]
    unnamed = tuple(sorted({analysed.role.id for analysed in view.roles if _is_unnamed(analysed)}))
    text, lines = intent_text(clusters, written, list(_unlisted(view, used, names)), _listed(unnamed))
    by_line = {(role, number): line for role, number, line in lines}
    numbered = [
        msgspec.structs.replace(question, line=by_line[question.role, number])
        for entry in entries
        for number, question in enumerate(entry.questions)
    ]
    roles = {entry.role: entry.value for entry in written if entry.value is not None}
    return Inference(
        intent={"intent": 1, "clusters": clusters, "roles": roles},
        text=text,
        questions=tuple(numbered),
        unnamed=unnamed,
    )


def _is_unnamed(analysed: AnalysedRole) -> bool:
    """Whether service accounts may use a role, and its ARN is not known."""
    policy = analysed.policy
    if policy is None or is_role_arn(analysed.role.arn):
        return False
    trusted = {value for statement in policy.statements if statement.allow for value in statement.federated}
    of_clusters = any(isinstance(value, Text) or ":oidc-provider/" in value for value in trusted)
    return of_clusters or POD_IDENTITY in _other_principals(policy)


class _Pair(msgspec.Struct, frozen=True):
    """A service account (NAMESPACE/NAME) of a cluster by its id; `audience` is that of its tokens where the intent has to say
    it beside the cluster."""

    cluster: str
    account: str
    audience: str = ""


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A role with those who use it, and questions."""

    role: str
    pairs: tuple[_Pair, ...]
    questions: tuple[Question, ...]
    via: Literal["irsa", "pod-identity"] = "irsa"
    audience: str = ""


def _cluster_names(view: View) -> dict[str, str]:
    """Cluster id -> the name in the intent, of the clusters whose issuer is known or that EKS knows."""
    names: dict[str, str] = {}
    for cluster in sorted(view.inventory.clusters, key=lambda c: (c.name, c.id)):
        plain = _ODD.sub("-", cluster.name)[:_LONGEST] or "cluster"
        name, number = plain, 2
        while name in names.values():
            name, number = f"{plain}-{number}", number + 1
        if _cluster(cluster):
            names[cluster.id] = name
    return names


def _with_audiences(names: Mapping[str, str], used: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(cluster id, audience) -> the name in the intent: a cluster has one more for each audience beside its first."""
    named: dict[tuple[str, str], str] = {}
    taken = set(names.values())
    for ident, plain in names.items():
        for position, audience in enumerate(sorted(audience for cluster, audience in used if cluster == ident)):
            name, number = plain, 2
            while position and name in taken:
                name, number = f"{plain}-{number}", number + 1
            taken.add(name)
            named[ident, audience] = name
    return named


def _written(cluster: Cluster, audience: str) -> Any:
    """A cluster as it stands in an intent."""
    value = _cluster(cluster)
    if not audience:
        return value
    both = value if isinstance(value, dict) else {"arn" if value.startswith("arn:") else "issuer": value}
    return {**both, "audience": audience}


_ODD = re.compile(r"^[^A-Za-z0-9]+|[^A-Za-z0-9._-]+")
_LONGEST = 90
"""of what a name in an intent has none, and how long it may be, with room for a number"""


def _cluster(cluster: Cluster) -> Any:
    issuer = f"https://{cluster.issuer}" if isinstance(cluster.issuer, str) and cluster.issuer else ""
    if cluster.arn and issuer:
        return {"arn": cluster.arn, "issuer": issuer}
    return cluster.arn or issuer


def _entry(view: View, analysed: AnalysedRole, names: Mapping[str, str]) -> _Entry:
    """What a role is used for, and what is open about it."""
    arn, policy = analysed.role.arn, analysed.policy
    associated = _associated(view, analysed, names)
    users = [_with_audience(view, analysed, user) for user in view.role_users.get(arn, ()) if not user.pod_identity]
    admitted_users = [user for user in users if _is_admitted(analysed, user)]
    role_audience = _one_audience(view, admitted_users)
    pairs = [pair for user in admitted_users for pair in _pairs(view, user, names, own_audience=not role_audience)]
    if policy is None or not (analysed.by_provider or associated or users):
        return _Entry(role=arn, pairs=(), questions=())
    if not pairs and associated:
        return _Entry(role=arn, pairs=tuple([_Pair(*pair) for pair in associated]), questions=(), via="pod-identity")
    questions = list(_questions(view, analysed, users, admitted_users)) if analysed.by_provider or users else []
    if associated:
        says = f"EKS Pod Identity hands it out too, to {', '.join(account for _, account in associated[:_NAMED])}"
        questions.append(Question(code="other-principal", role=arn, says=says))
    return _Entry(role=arn, pairs=tuple(dict.fromkeys(pairs)), questions=tuple(questions), audience=role_audience)


def _one_audience(view: View, users: Sequence[RoleUser]) -> str:
    """The audience that all who use a role ask for, where it is not the usual one."""
    audiences = {user.audience for user in users if user.audience}
    odd = audiences - {audience for user in users for audience in view.default_audiences(user.issuer)}
    return odd.pop() if len(audiences) == 1 and odd else ""


def _associated(view: View, analysed: AnalysedRole, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """(cluster id, NAMESPACE/NAME) of the associations that can hand a role out."""
    policy = analysed.policy
    return [
        (text_of(a.cluster), f"{text_of(a.namespace)}/{text_of(a.service_account)}")
        for a in view.associations_of_role.get(analysed.role.id, ())
        if policy and text_of(a.cluster) in names and role_answer(policy, a, view).state == "served"
        if is_subject(f"system:serviceaccount:{text_of(a.namespace)}:{text_of(a.service_account)}")
    ]


def _is_admitted(analysed: AnalysedRole, user: RoleUser) -> bool:
    if analysed.policy is None or analysed.policy.refused or not (user.issuer and user.audience and is_subject(user.subject)):
        return False
    return any(
        issuer_of_provider(provider) == user.issuer and known.admits(user.subject, user.audience)
        for provider, known in analysed.by_provider.items()
    )


def _with_audience(view: View, analysed: AnalysedRole, user: RoleUser) -> RoleUser:
    """A user whose audience nobody has said, with the one with which the policy admits it: of several the usual one."""
    if user.audience or analysed.policy is None:
        return user
    cells = [
        audiences
        for provider, known in analysed.by_provider.items()
        if issuer_of_provider(provider) == user.issuer
        for audiences, subjects in known.cells
        if contains(subjects, user.subject)
    ]
    usual = view.audience_of(user.issuer)
    named = {value for audiences in cells if isinstance(audiences, Finite) for value in audiences.values}
    if any(contains(audiences, usual) for audiences in cells):
        return msgspec.structs.replace(user, audience=usual)
    return msgspec.structs.replace(user, audience=named.pop()) if len(named) == 1 else user


def _pairs(view: View, user: RoleUser, names: Mapping[str, str], *, own_audience: bool) -> Iterator[_Pair]:
    _, namespace, name = user.id.rsplit("/", 2)
    is_odd = own_audience and user.audience not in view.default_audiences(user.issuer)
    for ident in names:
        if view.issuer_of(ident) == user.issuer:
            yield _Pair(ident, f"{namespace}/{name}", (user.audience or "") if is_odd else "")


def _questions(
    view: View, analysed: AnalysedRole, users: Sequence[RoleUser], admitted_users: Sequence[RoleUser]
) -> Iterator[Question]:
    """The first question about who uses a role, and those about what an intent cannot say."""
    first = (
        _broken(analysed, users, admitted_users)
        or _wildcard(view, analysed, admitted_users)
        or _unused(view, analysed, admitted_users)
        or _without_users(analysed, users)
    )
    if first:
        yield first
    policy = analysed.policy
    if policy is None or not (users or admitted_users):
        return
    issuers = {issuer_of_provider(p) for p, known in analysed.by_provider.items() if known.reach.scope != "nobody"}
    # their tokens are not of service accounts
    others = sorted({*_other_principals(policy), *(issuer for issuer in issuers if not _is_of_cluster(view, issuer))})
    if others:
        says = f"it may also be assumed by {', '.join(others[:_NAMED])}, which an intent does not say"
        yield Question(code="other-principal", role=analysed.role.arn, says=says)
    keys = sorted({key for known in analysed.by_provider.values() for key in known.depends_on})
    if keys:
        says = f"its policy also asks for {', '.join(keys[:_NAMED])}, which an intent does not say and generate would drop"
        yield Question(code="conditions", role=analysed.role.arn, says=says)


def _broken(analysed: AnalysedRole, users: Sequence[RoleUser], admitted_users: Sequence[RoleUser]) -> Question | None:
    left = [user for user in users if user not in admitted_users and user.issuer]
    if not left:
        return None
    says = f"{_listed([user.id for user in left])} names it and is not admitted: is it meant to be?"
    return Question(code="broken", role=analysed.role.arn, subject=left[0].id, says=says)


def _wildcard(view: View, analysed: AnalysedRole, admitted_users: Sequence[RoleUser]) -> Question | None:
    """More is admitted than subjects that are named one by one."""
    used = {(user.issuer, user.subject) for user in admitted_users}
    wide = {
        p: known for p, known in analysed.by_provider.items() if _is_wide(known) and _is_of_cluster(view, issuer_of_provider(p))
    }
    if not wide or not admitted_users:
        return None
    more = sum(
        (issuer_of_provider(provider), account.subject) not in used
        for provider, known in wide.items()
        for account in view.accounts.admitted(issuer_of_provider(provider), known.subjects)
    )
    patterns = [p for known in wide.values() for p in spell(known.subjects, known.profile.grammar).patterns]
    says = f"it admits {_listed(patterns)}, so {more} more of the service accounts given than use it"
    return Question(code="wildcard", role=analysed.role.arn, says=says)


def _is_of_cluster(view: View, issuer: str) -> bool:
    """Whether an issuer is that of a cluster, by the input or by its name."""
    profile = profile_of(issuer)
    return issuer in view.inventory.clusters_by_issuer or (profile is not None and profile.grammar == "service-account")


def _is_wide(known: Admitted) -> bool:
    return known.reach.scope not in ("nobody", "one") and not isinstance(known.subjects, Finite)


def _unused(view: View, analysed: AnalysedRole, admitted_users: Sequence[RoleUser]) -> Question | None:
    """A subject that the policy lists, and that does not use the role, or is not there."""
    if not admitted_users:
        return None
    used = {(user.issuer, user.subject) for user in admitted_users}
    listed = [
        (issuer_of_provider(provider), subject)
        for provider, known in analysed.by_provider.items()
        if isinstance(known.subjects, Finite) and _is_of_cluster(view, issuer_of_provider(provider))
        for subject in sorted(known.subjects.values)
    ]
    unused = [subject for issuer, subject in listed if (issuer, subject) not in used]
    if not unused:
        return None
    says = f"it admits {_listed(unused)}, which does not use it"
    return Question(code="unused-subject", role=analysed.role.arn, subject=unused[0], says=says)


def _without_users(analysed: AnalysedRole, users: Sequence[RoleUser]) -> Question | None:
    if [user for user in users if user.issuer]:
        return None
    trusted = sorted(issuer_of_provider(provider) for provider in analysed.by_provider)
    if users:
        says = f"{_listed([user.id for user in users])} names it, and the issuer of its cluster is not known"
    else:
        says = f"it trusts {_listed(trusted)}, and no service account names it: it is left out"
    return Question(code="no-service-account", role=analysed.role.arn, says=says)


def _other_principals(policy: Policy) -> Iterator[str]:
    for statement in policy.statements:
        for value in (*statement.aws, *statement.service) if statement.allow else ():
            yield text_of(value)


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more


def _value(entry: _Entry, names: Mapping[tuple[str, str], str], clusters: int) -> Any:
    """What stands behind the name of a role; None where nobody may be it."""
    by_cluster: dict[str, list[str]] = {}
    for pair in entry.pairs:
        by_cluster.setdefault(names[pair.cluster, pair.audience], []).append(pair.account)
    if not by_cluster:
        return None
    same = len(by_cluster) == clusters and len({tuple(accounts) for accounts in by_cluster.values()}) == 1
    accounts: Any = next(iter(by_cluster.values())) if same else {c: _one_or_all(a) for c, a in by_cluster.items()}
    accounts = _one_or_all(accounts) if isinstance(accounts, list) else accounts
    options: dict[str, Any] = {"via": entry.via} if entry.via != "irsa" else {}
    options |= {"audience": entry.audience} if entry.audience else {}
    return {**options, "service-accounts": accounts} if options or isinstance(accounts, dict) else accounts


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _unlisted(view: View, used: Sequence[str], names: Mapping[str, str]) -> Iterator[str]:
    """The clusters whose service accounts were not listed whole: who was not seen is not in the intent."""
    for ident in used or names:
        if not view.inventory.closed.has_kind(ident, "serviceaccounts"):
            yield names[ident]
