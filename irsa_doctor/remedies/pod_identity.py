"""The corrected trust policy of a role that EKS Pod Identity hands out, or of a target role, proved before anybody sees it.

https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

import msgspec

from irsa_doctor.facts import AnalysedRole, View
from irsa_doctor.facts.lookups.associations import (
    ASSUME_ROLE,
    SERVICE,
    TAG_SESSION,
    TrustAnswer,
    cluster_of,
    external_id,
    role_answer,
    service_call,
    target_answer,
    target_call,
)
from irsa_doctor.model import Arn, PodIdentityAssociation, text_of
from irsa_doctor.model.findings import Fix
from irsa_doctor.remedies.draft import CannotEdit, Draft, Json, PolicyDocument, read_for_iam
from irsa_doctor.remedies.policy_fix import policy_fix
from irsa_doctor.remedies.safety import PolicyChange, Widening, policy_change
from irsa_doctor.remedies.trust_policy import RolePolicy, role_policy
from irsa_doctor.trust import Policy, Statement
from irsa_doctor.trust.policy import covers
from irsa_doctor.trust.services import AssumeCall, CallMiss, may_assume

_TAG = "aws:RequestTag/"
_OTHERS = ("another-namespace", "another-account", "000000000000", "another-cluster")
_SOME_CLUSTER = Arn("aws", "eks", "eu-west-1", "111111111111", "cluster/some-cluster")


class Handout(msgspec.Struct, frozen=True, kw_only=True):
    """An association, and the step of it that a trust policy answers: of EKS to its role, or of its role to the target."""

    view: View
    association: PodIdentityAssociation
    target: bool

    def answer(self, policy: Policy, association: PodIdentityAssociation) -> TrustAnswer:
        """What a policy answers to this step of an association."""
        return (target_answer if self.target else role_answer)(policy, association, self.view)

    def call(self, policy: Policy) -> AssumeCall:
        """The request of this step."""
        return (target_call if self.target else service_call)(self.association, self.view, policy)

    @property
    def actions(self) -> list[str]:
        """The actions that the step needs."""
        return [ASSUME_ROLE, TAG_SESSION] if self.association.session_tags else [ASSUME_ROLE]

    def statement(self) -> Json | None:
        """A statement for this association alone, None where too little of it is known to name no other."""
        equals = self._external_id() if self.target else self._tags()
        principal = {"AWS": text_of(self.association.role_arn)} if self.target else {"Service": SERVICE}
        statement = {"Effect": "Allow", "Principal": principal, "Action": self.actions}
        return {**statement, "Condition": {"StringEquals": equals}} if equals else None

    def cluster(self) -> dict[str, str]:
        """The condition on the cluster of the association."""
        return {key: value for key, value in self._tags().items() if key.endswith("/eks-cluster-arn") and not self.target}

    def _tags(self) -> dict[str, str]:
        """https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html; without tags only the account is there."""
        cluster, association = cluster_of(self.association, self.view), self.association
        if cluster is None:
            return {}
        if not association.session_tags:
            return {"aws:SourceAccount": cluster.account}
        named = {"namespace": association.namespace, "service-account": association.service_account}
        return {f"{_TAG}eks-cluster-arn": str(cluster), **{f"{_TAG}kubernetes-{n}": text_of(v) for n, v in named.items()}}

    def _external_id(self) -> dict[str, str]:
        ident = external_id(self.association, self.view)
        return {"sts:ExternalId": ident} if ident else {}

    def strangers(self) -> Iterator[PodIdentityAssociation]:
        """Associations that nobody meant: of another namespace, service account, cluster or account."""
        own, cluster = self.association, cluster_of(self.association, self.view) or _SOME_CLUSTER
        mine = text_of(own.namespace), text_of(own.service_account), cluster.account, cluster.name
        for others in product(*zip(mine, _OTHERS, strict=True)):
            if others == mine:
                continue
            namespace, service_account, account, name = others
            arn = msgspec.structs.replace(cluster, account=account, resource=f"podidentityassociation/{name}/a-0")
            stranger = msgspec.structs.replace(own, cluster="", arn=str(arn), external_id="")
            for tags in (True, False):
                yield msgspec.structs.replace(stranger, namespace=namespace, service_account=service_account, session_tags=tags)


def association_policy_for(
    view: View, analysed: AnalysedRole, association: PodIdentityAssociation, *, target: bool = False
) -> Fix | None:
    """The trust policy of a role that lets EKS Pod Identity hand it out for an association; None where none is proved.

    `target`: the role is the target role of the association. Proved is that the association gets the role, that everybody who
    was admitted still is, and that no other namespace, service account, cluster or account is admitted that was not.
    """
    role = role_policy(view, analysed)
    if role is None or role.policy.refused or not all(isinstance(v, str) for v in _names(association)):
        return None
    handout = Handout(view=view, association=association, target=target)
    answer = handout.answer(role.policy, association)
    for document in _documents(role, handout, answer):
        if proved := _proved(role, handout, document):
            change, kept = proved
            return policy_fix(role, change, keeps=kept)
    return None


def _names(association: PodIdentityAssociation) -> Sequence[object]:
    return association.namespace, association.service_account, association.role_arn, association.target_role_arn


def _documents(role: RolePolicy, handout: Handout, answer: TrustAnswer) -> Iterator[PolicyDocument]:
    """Documents that should admit the association, the smallest change first."""
    edits: list[Callable[[Draft], None]] = []
    call = handout.call(role.policy)
    if answer.action == TAG_SESSION and not answer.misses:
        edits += [_adding_tags(s) for s in role.policy.statements if _is_for(s, handout) and covers(s, ASSUME_ROLE)]
    if answer.misses and not answer.presumed and all(_is_for(miss.statement, handout) for miss in answer.misses):
        edits += [_mending(answer.misses, call, more) for more in ({}, handout.cluster())]
    if (statement := handout.statement()) and not answer.presumed:
        edits.append(lambda draft: draft.add_statement(statement))
    for edit in edits:
        draft = Draft(role.document)
        try:
            edit(draft)
        except CannotEdit:
            continue
        yield draft.document


def _is_for(statement: Statement, handout: Handout) -> bool:
    """Whether a statement names this caller and no other principal."""
    caller = text_of(handout.association.role_arn) if handout.target else SERVICE
    return statement.allow and (*statement.aws, *statement.service, *statement.federated) == (caller,)


def _adding_tags(statement: Statement) -> Callable[[Draft], None]:
    return lambda draft: draft.add_action(statement.index, TAG_SESSION)


def _mending(misses: Sequence[CallMiss], call: AssumeCall, more: Mapping[str, str]) -> Callable[[Draft], None]:
    """The values of the conditions that do not hold, put right with those of the request; `more`: further conditions on keys
    that the statement does not check."""

    def edit(draft: Draft) -> None:
        for miss in misses:
            condition = miss.condition
            if condition is None or miss.denied or condition.use.qualifier or condition.use.operator.negated:
                raise CannotEdit("no value that holds")
            values = call.known.get(condition.key, ())
            if len(values) != 1 or condition.use.operator.family not in ("string", "arn"):
                raise CannotEdit("no single value that holds")
            draft.set_values(miss.statement.index, str(condition.use), text_of(condition.raw_key), values)
        for key, value in more.items():
            draft.add_condition(misses[0].statement.index, "StringEquals", key, (value,))

    return edit


def _proved(role: RolePolicy, handout: Handout, document: PolicyDocument) -> tuple[PolicyChange, int] | None:
    """The change to a document, and how many associations keep the role; None where it is not proved that it does no harm."""
    new = read_for_iam(document)
    if handout.answer(new, handout.association).state != "served":
        return None
    view, known = handout.view, role.analysed.role
    listed = view.associations_of_target.get(known.arn, ()) if handout.target else view.associations_of_role.get(known.id, ())
    kept = [a for a in listed if handout.answer(role.policy, a).state == "served"]
    if any(handout.answer(new, a).state != "served" for a in kept):
        return None
    if any(_is_opened(role.policy, new, handout, stranger) for stranger in handout.strangers()):
        return None
    try:
        change = policy_change(role, document, handed_out=True)
    except Widening:
        return None
    return (change, len(kept)) if document != role.document and change.is_harmless else None


def _is_opened(old: Policy, new: Policy, handout: Handout, stranger: PodIdentityAssociation) -> bool:
    """Whether a stranger may assume the role who might not before, tags set aside: who may assume a role may tag it too."""
    asking = Handout(view=handout.view, association=stranger, target=handout.target)
    before, after = (may_assume(policy, ASSUME_ROLE, asking.call(policy)) for policy in (old, new))
    return after is not False and before is False
