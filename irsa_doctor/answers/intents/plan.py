"""What an intent comes to: roles with their policies, providers, annotations and associations, or why it cannot be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from irsa_doctor.answers.intents.clusters import ResolvedCluster, resolved
from irsa_doctor.answers.intents.policies import Pair, trust_policy_for
from irsa_doctor.model import Inventory
from irsa_doctor.model.intents import IntendedRole, Intent, Via
from irsa_doctor.trust.refusals import DEFAULT_QUOTA, document_size

ProblemCode = Literal[
    "issuer-unknown",
    "two-roles",
    "size-limit",
    "partition-mismatch",
    "subject-too-long",
    "name-too-long",
    "pod-identity-account",
    "not-in-this-format",
]
LONGEST_SUBJECT = 255
"""characters that a subject of OpenID Connect may have (https://openid.net/specs/openid-connect-core-1_0.html#IDToken)"""
LONGEST_NAME = 64
"""characters of the name of a role (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)"""


class IntentProblem(msgspec.Struct, frozen=True):
    """Why something cannot be made as an intent asks; `role` is its ARN, `line` that of the role in the file."""

    code: ProblemCode
    role: str
    line: int
    says: str


class MadeRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role to be made: `size` counts the characters of its policy that IAM counts, `limit` is its quota.

    `split_of` is the ARN of the role of the intent of which it holds a part, None where it is that role. `pairs` are those who
    may be it.
    """

    role: str
    account: str
    via: Via
    size: int
    limit: int
    split_of: str | None
    policy: Mapping[str, Any]
    name: str
    intended: IntendedRole
    pairs: tuple[Pair, ...]


class MadeAnnotation(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """The annotation of a service account; `audience` is that of its tokens where it is not the default."""

    cluster: str
    namespace: str
    service_account: str
    value: str
    audience: str = ""


class MadeProvider(msgspec.Struct, frozen=True, kw_only=True):
    """An OIDC provider, with the audiences that it accepts and the first cluster (by name) for which it is made."""

    arn: str
    account: str
    url: str
    client_ids: tuple[str, ...]
    cluster: str


class MadeAssociation(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A Pod Identity association."""

    cluster: str
    namespace: str
    service_account: str
    role: str


class IntentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that an intent comes to, in the order of the file. With `problems` nothing of it is made."""

    intent: Intent
    clusters: tuple[ResolvedCluster, ...]
    roles: tuple[MadeRole, ...]
    annotations: tuple[MadeAnnotation, ...]
    providers: tuple[MadeProvider, ...]
    associations: tuple[MadeAssociation, ...]
    problems: tuple[IntentProblem, ...]

    def cluster(self, name: str) -> ResolvedCluster:
        """The cluster of a name, which is one of the intent."""
        return next(cluster for cluster in self.clusters if cluster.name == name)

    @property
    def clusters_in_use(self) -> list[str]:
        """The names of the clusters with a service account that has a role."""
        annotated, associated = [a.cluster for a in self.annotations], [a.cluster for a in self.associations]
        return list(dict.fromkeys((*annotated, *associated)))


def plan_of(intent: Intent, inventory: Inventory) -> IntentPlan:
    """What an intent comes to; issuers of clusters of which it only has the ARN are those of the inventory."""
    clusters = tuple([resolved(cluster, inventory) for cluster in intent.clusters])
    problems = list[IntentProblem]()
    roles = list[MadeRole]()
    taken = {(role.account, role.name.lower()) for role in intent.roles}
    for role in intent.roles:
        pairs = _pairs(role, clusters)
        faults = list(_faults(role, pairs))
        made, too_big = ([], []) if faults else _made(role, pairs, taken)
        problems += (*faults, *too_big)
        roles += made
    problems += _in_two_roles(intent.roles, clusters)
    return IntentPlan(
        intent=intent,
        clusters=clusters,
        roles=tuple(roles),
        annotations=tuple(_annotations(roles)),
        providers=tuple(_providers(roles)),
        associations=tuple(_associations(roles)),
        problems=tuple(problems),
    )


def _pairs(role: IntendedRole, clusters: Sequence[ResolvedCluster]) -> tuple[Pair, ...]:
    by_name = {cluster.name: cluster for cluster in clusters}
    return tuple([Pair(by_name[subject.cluster], subject, role.audience) for subject in role.subjects])


def _faults(role: IntendedRole, pairs: Sequence[Pair]) -> Iterator[IntentProblem]:
    """What stands in the way of a role, each kind once a cluster."""
    for cluster in {pair.cluster.name: pair.cluster for pair in pairs}.values():
        if cluster.partition not in ("", role.partition):
            says = (
                f"{role.arn} is in partition {role.partition}, cluster {cluster.name} in {cluster.partition}: no trust between"
            )
            yield IntentProblem("partition-mismatch", role.arn, role.line, says)
        elif role.via == "irsa" and not cluster.issuer:
            says = f"the issuer of cluster {cluster.name} is not known. {cluster.how_to_tell}"
            yield IntentProblem("issuer-unknown", role.arn, role.line, says)
        elif role.via == "pod-identity" and cluster.account not in ("", role.account):
            says = (
                f"cluster {cluster.name} is in account {cluster.account}, and Pod Identity hands out roles of that account"
                f" alone: put the role there, or leave `via` out"
            )
            yield IntentProblem("pod-identity-account", role.arn, role.line, says)
    for pair in pairs:
        if len(pair.subject.subject) > LONGEST_SUBJECT:
            says = (
                f"the subject of {pair.subject.account} has {len(pair.subject.subject)} characters, at most {LONGEST_SUBJECT}"
            )
            yield IntentProblem("subject-too-long", role.arn, role.line, says)
        if role.via == "pod-identity" and not pair.subject.name:
            says = f"EKS has no association for all of namespace {pair.subject.namespace}: name its service accounts"
            yield IntentProblem("not-in-this-format", role.arn, role.line, says)


def _made(
    role: IntendedRole, pairs: tuple[Pair, ...], taken: set[tuple[str, str]]
) -> tuple[list[MadeRole], list[IntentProblem]]:
    """A role, or the roles into which it is split, and what stands in the way of them."""
    limit = role.limit or DEFAULT_QUOTA
    size = document_size(trust_policy_for(role, pairs))
    if size <= limit:
        return [_role(role, pairs, role.name, limit)], []
    if not role.split:
        says = (
            f"the trust policy of {role.name} has {size} characters, the quota is {limit}: raise the quota and"
            " `max-policy-size` (to 8192 at most), let it be several roles with `split: true`, or give each cluster a role"
        )
        return [], [IntentProblem("size-limit", role.arn, role.line, says)]
    parts = _split(role, pairs, limit)
    names = [role.name if number == 1 else f"{role.name}-{number}" for number in range(1, len(parts) + 1)]
    problems = list(_faults_of_parts(role, parts, names, limit, taken))
    return ([] if problems else [_role(role, part, name, limit) for part, name in zip(parts, names, strict=True)]), problems


def _split(role: IntendedRole, pairs: Sequence[Pair], limit: int) -> list[tuple[Pair, ...]]:
    """The pairs in parts whose policies are within a limit, in order, so that one more at the end moves none."""
    parts: list[tuple[Pair, ...]] = []
    for pair in pairs:
        if parts and document_size(trust_policy_for(role, (*parts[-1], pair))) <= limit:
            parts[-1] = (*parts[-1], pair)
        else:
            parts.append((pair,))
    return parts


def _faults_of_parts(
    role: IntendedRole, parts: Sequence[tuple[Pair, ...]], names: Sequence[str], limit: int, taken: set[tuple[str, str]]
) -> Iterator[IntentProblem]:
    for part, name in zip(parts, names, strict=True):
        size = document_size(trust_policy_for(role, part))
        if size > limit:
            says = f"the trust policy for {part[0].subject.account} alone has {size} characters, the quota is {limit}"
            yield IntentProblem("size-limit", role.arn, role.line, says)
        if len(name) > LONGEST_NAME:
            says = (
                f"{name} has {len(name)} characters, the name of a role at most {LONGEST_NAME}: give {role.name} a shorter one"
            )
            yield IntentProblem("name-too-long", role.arn, role.line, says)
        if name != role.name and (role.account, name.lower()) in taken:
            says = f"{role.name} would be split into {name}, which is a role of the intent itself: rename one of them"
            yield IntentProblem("two-roles", role.arn, role.line, says)


def _role(role: IntendedRole, pairs: tuple[Pair, ...], name: str, limit: int) -> MadeRole:
    named = msgspec.structs.replace(role, name=name)
    policy = trust_policy_for(role, pairs)
    return MadeRole(
        role=named.arn,
        account=role.account,
        via=role.via,
        size=document_size(policy),
        limit=limit,
        split_of=role.arn if name != role.name else None,
        policy=policy,
        name=name,
        intended=named,
        pairs=pairs,
    )


def _in_two_roles(roles: Sequence[IntendedRole], clusters: Sequence[ResolvedCluster]) -> Iterator[IntentProblem]:
    """Service accounts of which an annotation, or an association, would have to name two roles."""
    same = {cluster.name: cluster.identity for cluster in clusters}
    first: dict[tuple[str, str, str], IntendedRole] = {}
    for role in roles:
        for subject in role.subjects:
            key = (role.via, same[subject.cluster], subject.account)
            other = first.setdefault(key, role) if subject.name else role
            if other is not role:
                one = "an annotation" if role.via == "irsa" else "an association"
                says = (
                    f"{subject.account} of cluster {subject.cluster} is in {other.name} and {role.name}: {one} holds one role"
                )
                yield IntentProblem("two-roles", role.arn, role.line, says)


def _annotations(roles: Sequence[MadeRole]) -> Iterator[MadeAnnotation]:
    for role in roles:
        for pair in role.pairs if role.via == "irsa" else ():
            if pair.subject.name:
                yield MadeAnnotation(
                    cluster=pair.cluster.name,
                    namespace=pair.subject.namespace,
                    service_account=pair.subject.name,
                    value=role.role,
                    audience="" if pair.audience == pair.cluster.usual_audience else pair.audience,
                )


def _providers(roles: Sequence[MadeRole]) -> Iterator[MadeProvider]:
    """The providers of all roles, each once, with the audiences of all."""
    audiences: dict[str, dict[str, None]] = {}
    first: dict[str, tuple[MadeRole, Pair]] = {}
    for role in roles:
        for pair in role.pairs if role.via == "irsa" else ():
            arn = role.intended.provider(pair.cluster.issuer)
            audiences.setdefault(arn, {})[pair.audience] = None
            first.setdefault(arn, (role, pair))
    for arn, (role, pair) in first.items():
        yield MadeProvider(
            arn=arn,
            account=role.account,
            url=f"https://{pair.cluster.issuer}",
            client_ids=tuple(audiences[arn]),
            cluster=pair.cluster.name,
        )


def _associations(roles: Sequence[MadeRole]) -> Iterator[MadeAssociation]:
    for role in roles:
        for pair in role.pairs if role.via == "pod-identity" else ():
            yield MadeAssociation(
                cluster=pair.cluster.name,
                namespace=pair.subject.namespace,
                service_account=pair.subject.name,
                role=role.role,
            )
