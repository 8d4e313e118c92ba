"""The corrected trust policy of a role: the one that it has with its defects mended, proved before anybody sees it."""

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from irsa_doctor.facts import AnalysedRole, View
from irsa_doctor.facts.grants.principals import kin
from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.facts.roles.role import analyse, planned_arn
from irsa_doctor.issuers import cluster_profile
from irsa_doctor.model import Issuer, Place, Role, TrustPolicy, Verdict, holes_in, issuer_of_provider, parse_arn
from irsa_doctor.model.once import once
from irsa_doctor.remedies.denials import past_denials
from irsa_doctor.remedies.draft import CannotEdit, Draft, PolicyDocument, statement_count
from irsa_doctor.remedies.mending import (
    NEW_STATEMENT,
    OTHER_SUBJECT,
    Knowledge,
    Mended,
    mend_statement,
    name_users,
)
from irsa_doctor.remedies.proof import Viewpoint
from irsa_doctor.remedies.refusals import without_refusals
from irsa_doctor.remedies.standins import StandIns, standins_for
from irsa_doctor.trust import Admitted, Policy, Request, Statement, admitted, decide, provider_arn_of
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.policy import DEFAULT_QUOTA, WEB_IDENTITY
from irsa_doctor.trust.presented import PresentedToken

_LONGEST, _MOST_STATEMENTS = 4 * DEFAULT_QUOTA, 200
"""characters and statements of a policy that is mended: what is longer cannot be saved, whatever the quota of the account"""
_MOST_TARGETS = 32
"""service accounts of one role for which its policy is mended"""


def provider_for(role: Role, issuer: str) -> str:
    """The provider (ARN) that STS looks for when a token of an issuer (without scheme) asks for a role."""
    arn = parse_arn(role.arn)
    partition = Issuer.of(issuer).partition or (arn.partition if arn else "aws")
    return provider_arn_of(partition, role.account, issuer)


class RolePolicy(msgspec.Struct, frozen=True, dict=True):
    """The policy of a role as it is written, and who uses the role."""

    view: View
    analysed: AnalysedRole
    document: PolicyDocument
    policy: Policy
    standins: StandIns | None = None
    """what stands in the document for what its template leaves open"""
    of_template: Role | None = None
    """the role as its template makes it, where something stands in the document for what it leaves open"""

    @property
    def original(self) -> Role:
        """The role as it was read."""
        return self.of_template or self.analysed.role

    def is_open(self, text: str) -> bool:
        """Whether its template leaves open what a text of the document is."""
        return self.standins is not None and self.standins.is_open(text)

    @property
    def place(self) -> Place:
        """Where the policy is written."""
        source = self.analysed.role.policy
        return source.place if isinstance(source, TrustPolicy) else self.analysed.role.place

    @property
    def account(self) -> str:
        """The account of the role, "" where it is not known."""
        return self.known_role.account

    @once
    def users(self) -> Sequence[RoleUser]:
        """The service accounts that use the role; those of its own template may name it by a reference."""
        arn = self.known_role.arn
        named = self.view.role_users.get(arn, ()) if arn else ()
        if not self.view.users_by_reference:
            return named
        document = self.original.place.document
        address = self.original.id.removeprefix(f"{document}: ")
        return (*named, *self.view.users_by_reference.get((posixpath.dirname(document), f"${{{address}.arn}}"), ()))

    @once
    def known_role(self) -> Role:
        """The role, with the ARN that one of a template will have where that is known."""
        role, planned = self.analysed.role, planned_arn(self.analysed)
        arn = parse_arn(planned)
        if arn is None or self.view.cases_by_arn(planned) == ():
            return role
        return msgspec.structs.replace(role, arn=planned, account=arn.account)

    def admitted_at(self, view: Viewpoint) -> Admitted | None:
        """What the policy admits of the tokens of one provider, None where that is not known yet."""
        known = self.analysed.by_provider.get(view.provider)
        is_same = known is not None and known.profile is view.profile and issuer_of_provider(view.provider) == view.issuer
        return known if is_same else None

    def users_at(self, view: Viewpoint) -> frozenset[str]:
        """The subjects that use the role with tokens of one issuer, and depend on its trust."""
        return frozenset(user.subject for user in self.users if user.issuer == view.issuer and not user.pod_identity)

    def users_of(self, view: Viewpoint) -> list[RoleUser]:
        """The service accounts that use the role and may present tokens to a provider."""
        role = self.known_role
        return [
            user
            for user in self.users
            if (user.issuer == view.issuer and (not role.account or view.provider == provider_for(role, user.issuer)))
            or not user.issuer
        ]

    @once
    def base(self) -> PolicyDocument:
        """The document from which to start: what IAM refuses is mended where that is certain."""
        return without_refusals(self.document) if self.policy.refused else self.document

    def knowledge(self, target: PresentedToken) -> Knowledge:
        """What edits for a token may rely on."""
        users = self.users_at(Viewpoint(target.provider, target.issuer))
        complete = target.issuer in self.view.accounts.listed_whole

        def is_absent(subject: str) -> bool:
            return complete and bool(self.view.accounts.lacking(target.issuer, [subject]))

        def means(principal: str) -> bool:
            near = self.view.meant_provider(principal, target.account)
            return near == target.provider or kin(principal) == kin(target.provider)

        return Knowledge(users, complete, is_absent, means)


def role_policy(view: View, analysed: AnalysedRole) -> RolePolicy | None:
    """The policy of a role for mending; None where it has holes, repeats a member, is not known, or is longer than any account
    can save, so that nothing is won by mending it."""
    source = analysed.role.policy
    if not isinstance(source, TrustPolicy) or analysed.policy is None or source.flaws or _is_oversize(analysed.policy):
        return None
    # what is plain is the text of a document itself: only a template has holes
    may_have_holes = source.template or not source.plain
    if not isinstance(source.document, dict) or (may_have_holes and any(True for _ in holes_in(source.document))):
        return None
    return RolePolicy(view, analysed, source.document, analysed.policy)


def template_policy(view: View, analysed: AnalysedRole) -> RolePolicy | None:
    """The policy of a role of a template for proofs, with texts in the place of what the template leaves open; None where it is
    not known whole, or cannot be saved whatever stands there."""
    source = analysed.role.policy
    if not isinstance(source, TrustPolicy) or analysed.policy is None or source.flaws or _is_oversize(analysed.policy):
        return None
    standins = standins_for(analysed.policy, source.document, analysed.role.account) if analysed.role.address else None
    try:
        document = standins.filled(source.document) if standins else None
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    policy = msgspec.structs.replace(source, document=document, template=False, size=-1)
    filled = analyse(msgspec.structs.replace(analysed.role, policy=policy), view)
    return RolePolicy(view, filled, document, filled.policy, standins, analysed.role) if filled.policy else None


def _is_oversize(policy: Policy) -> bool:
    return policy.size > _LONGEST or len(policy.statements) > _MOST_STATEMENTS


def admits(policy: Policy, target: PresentedToken, language: Admitted | None = None) -> bool:
    """Whether a policy surely admits a token, whatever of its request is not known; `language`: what it admits."""
    language = language or admitted(policy, target.provider, target.issuer, profile=cluster_profile(target.issuer))
    verdict = language.verdict(target.subject, target.audience)
    decisive = {key.lower() for key in language.depends_on} <= target.request.keys() and not (
        language.contested or language.unseen
    )
    if verdict is not Verdict.UNKNOWN or not decisive:
        return verdict is Verdict.PASS
    token = {f"{target.issuer.lower()}:sub": (target.subject,), f"{target.issuer.lower()}:aud": (target.audience,)}
    present = {key: values for key, values in target.request.items() if values}
    decision = decide(policy, Request(target.account, target.provider, {**present, **token}))
    return decision.outcome == "allow" and decision.is_certain


def candidates(role: RolePolicy, target: PresentedToken) -> Iterator[PolicyDocument]:
    """Documents that should admit a token, those with the smallest change first; each is still to be proved.

    A condition on the request (its source, its region, ...) is somebody's restriction: no way past it is opened.
    """
    knowledge = role.knowledge(target)
    mended = {statement.index: _mended(role, statement, target, knowledge) for statement in role.policy.statements}
    restricted = [s for s in role.policy.statements if s.allow and _restricts(s, target)]
    meant = any(option.furthest < OTHER_SUBJECT for statement in restricted for option in mended[statement.index])
    options = [option for listed in mended.values() for option in listed if not meant or option.furthest < OTHER_SUBJECT]
    if not restricted:
        draft = Draft(role.base)
        draft.add_statement(_statement_for(target))
        options.append(Mended(NEW_STATEMENT, NEW_STATEMENT, draft.document))
    for option in sorted(options, key=lambda option: option.weight):
        yield from past_denials(option.document, target, sorted(knowledge.users))


def _restricts(statement: Statement, target: PresentedToken) -> bool:
    """Whether a statement has a condition on something of the request that is not known."""
    issuer = target.issuer.lower()
    return any(
        presence(condition.key, issuer) in ("maybe", "always") and condition.key not in target.request
        for condition in statement.conditions
    )


def _mended(role: RolePolicy, statement: Statement, target: PresentedToken, knowledge: Knowledge) -> list[Mended]:
    """The document with one statement mended, as it is written and with service accounts in the place of wildcards."""
    known = role.policy if role.base is role.document else None
    mended = mend_statement(role.base, statement.index, target, knowledge, known)
    return [mended, *_with_names(mended, statement.index, target, knowledge)] if mended else []


def _with_names(mended: Mended, index: int, target: PresentedToken, knowledge: Knowledge) -> Iterator[Mended]:
    """The same with the service accounts in the place of wildcards, which may admit more than the token."""
    try:
        document = name_users(mended.document, index, target.issuer, knowledge.users | {target.subject})
    except CannotEdit:
        return
    if document != mended.document:
        yield Mended(mended.weight, mended.furthest, document)


def slips_mended(
    role: RolePolicy, index: int, targets: Sequence[PresentedToken], *, by_name: bool
) -> tuple[Iterator[PolicyDocument], list[PresentedToken]]:
    """Documents with the slips of one statement put right that keep tokens out, and the tokens that they then should admit.

    Nobody is added who is not meant by what is written; `by_name`: service accounts take the place of wildcards.
    """
    document, mended_for = role.base, list[PresentedToken]()
    for target in targets[:_MOST_TARGETS]:
        more = statement_count(document) - statement_count(role.base)
        for number in range(index, index + more + 1):
            mended = _slips(role, document, number, target, by_name=by_name)
            if mended is not None:
                document = mended
                mended_for.append(target)
                break
    if not mended_for:
        return iter(()), []
    first = mended_for[0]
    named = {target.subject for target in mended_for if target.provider == first.provider}
    return past_denials(document, first, sorted(role.knowledge(first).users | named)), mended_for


def _slips(
    role: RolePolicy, document: PolicyDocument, index: int, target: PresentedToken, *, by_name: bool
) -> PolicyDocument | None:
    knowledge = role.knowledge(target)
    mended = mend_statement(document, index, target, knowledge, role.policy if document is role.document else None)
    if mended is None or mended.furthest >= OTHER_SUBJECT:
        return None
    named = next(_with_names(mended, index, target, knowledge), None) if by_name else None
    return named.document if named else mended.document


def _statement_for(target: PresentedToken) -> dict[str, Any]:
    """A statement for one token alone, in the form of
    https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html."""
    claims = {f"{target.issuer}:aud": target.audience, f"{target.issuer}:sub": target.subject}
    return {
        "Effect": "Allow",
        "Principal": {"Federated": target.provider},
        "Action": WEB_IDENTITY,
        "Condition": {"StringEquals": claims},
    }
