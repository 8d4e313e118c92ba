"""Ways to fix what is wrong with a trust policy: each yields changed documents, and the safety of each is worked out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain

import msgspec

from irsa_doctor.facts import AnalysedRole
from irsa_doctor.facts.lookups.users import RoleUser
from irsa_doctor.issuers import EKS, cluster_profile, profile_of
from irsa_doctor.model import TrustPolicy, issuer_of_provider
from irsa_doctor.model.commands import shell_command
from irsa_doctor.model.edits import EditKind, Proof
from irsa_doctor.remedies.draft import CannotEdit, Draft, PolicyDocument, read
from irsa_doctor.remedies.edits.records import OpenTexts, Wish
from irsa_doctor.remedies.narrowing import as_written, in_place, to_users, with_audience
from irsa_doctor.remedies.proposals.records import FixCase, Proposal, TemplateOutcome, Unfixable
from irsa_doctor.remedies.refusals import without_refusals
from irsa_doctor.remedies.safety import PolicyChange, Widening, policy_change
from irsa_doctor.remedies.standins import StandIns
from irsa_doctor.remedies.targets import (
    has_unseen_audience,
    indexes,
    is_unused,
    issued_by,
    names_of_binding,
    role_of_finding,
    token_of,
    using,
    written_for,
)
from irsa_doctor.remedies.trust_policy import RolePolicy, candidates, provider_for, role_policy, slips_mended, template_policy
from irsa_doctor.trust import Statement, grant_of
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import Finite, contains

PolicyDocuments = Iterator[PolicyDocument]
_Way = Callable[[FixCase, RolePolicy], PolicyDocuments]


def policy_proposals(way: _Way, case: FixCase) -> Iterator[Proposal]:
    """The proposals of one way to change the policy of a role."""
    role = role_to_fix(case)
    widening = ""
    offered = False
    for document in way(case, role):
        if document == role.document or document in case.tried:
            continue
        case.tried.append(document)
        try:
            yield proposal(role, document)
            offered = True
        except Widening as error:
            widening = str(error)
    if widening and not offered:
        raise Unfixable("would-widen", widening)


def role_to_fix(case: FixCase) -> RolePolicy:
    """The role whose policy a finding is about. Raises Unfixable where not all of it is known."""
    analysed = _role_of(case)
    role = role_policy(case.view, analysed) or template_policy(case.view, analysed)
    if role is None:
        raise Unfixable("value-unknown", "the trust policy has parts that only its template knows, or is not known whole")
    return role


def proposal(role: RolePolicy, document: PolicyDocument) -> Proposal:
    """A changed policy of a role as a proposal. Raises Widening."""
    change = policy_change(role, document)
    if role.standins is not None:
        return _of_template(role, role.standins, document, change)
    return Proposal(
        wishes=(Wish(role.place, role.document, document),),
        safety=change.safety,
        because=change.because,
        change=change,
        policy=document,
        role=role.analysed.role,
    )


def _of_template(role: RolePolicy, standins: StandIns, document: PolicyDocument, change: PolicyChange) -> Proposal:
    """A changed policy of a role whose template leaves something open."""
    source = role.original.policy
    opened = OpenTexts(source.document if isinstance(source, TrustPolicy) else None, standins.all_named, standins.is_open)
    doubts = list(_doubts(role, standins, document))
    if change.safety == "unsafe":
        doubts.insert(0, standins.named(change.because))
    return Proposal(
        wishes=(Wish(role.place, role.document, document, opened=opened),),
        safety="unsafe" if doubts else "safe",
        because=". ".join(doubts) or standins.named(change.because),
        proof_of_template=msgspec.convert(standins.all_named(msgspec.to_builtins(change.proof)), Proof),
        outcome=TemplateOutcome(standins, document),
        role=role.original,
    )


def _doubts(role: RolePolicy, standins: StandIns, document: PolicyDocument) -> Iterator[str]:
    """What may go wrong with a change because of what a template leaves open."""
    unsure = {f"{issuer}:aud" for issuer in standins.unsure}
    keys = _keys_of(document)
    more = sum(key.endswith(":aud") for key in keys) > sum(key.endswith(":aud") for key in _keys_of(role.document))
    if more and unsure.intersection(keys):
        yield "the template leaves open whether the issuer is one of EKS, and so which audience its tokens carry"


def _keys_of(document: PolicyDocument) -> list[str]:
    """The keys of the conditions of a policy."""
    listed = document.get("Statement")
    statements = listed if isinstance(listed, list) else [listed]
    blocks = [s["Condition"] for s in statements if isinstance(s, dict) and isinstance(s.get("Condition"), dict)]
    return [str(key) for block in blocks for keys in block.values() if isinstance(keys, dict) for key in keys]


def _role_of(case: FixCase) -> AnalysedRole:
    analysed = role_of_finding(case.view, case.judged, names_of_binding(case.judged))
    if analysed is None or not isinstance(analysed.role.policy, TrustPolicy):
        raise Unfixable("not-in-source", "the trust policy of the role is not in the input")
    return analysed


# ---- documents


_OfStatement = Callable[[RolePolicy, int], PolicyDocuments]


def _everywhere(case: FixCase, role: RolePolicy, change: _OfStatement) -> PolicyDocuments:
    """A change made in one of the statements that a finding is about, and then in all of them."""
    listed = indexes(case.judged, role)
    for index in listed:
        yield from change(role, index)
    together, changed = role, 0
    for index in reversed(listed):  # a statement may become several, behind which others have another index
        document = next(change(together, index), None)
        if document is not None and document != together.document:
            together, changed = _with_document(together, document), changed + 1
    if changed > 1:
        yield together.document


def _with_document(role: RolePolicy, document: PolicyDocument) -> RolePolicy:
    return msgspec.structs.replace(role, document=document, policy=read(document))


def _mended(case: FixCase, role: RolePolicy, *, by_text: bool) -> PolicyDocuments:
    """What keeps tokens out put right: of the service accounts that use the role, or of the subjects that it names."""
    tokens_of = written_for if by_text else using
    if not by_text and not any(tokens_of(role, index) for index in indexes(case.judged, role)):
        unseen = next((user for user in role.users if has_unseen_audience(role, user)), None)
        raise _not_taken(role, unseen) if unseen else _nobody(case, role)

    def change(now: RolePolicy, index: int) -> PolicyDocuments:
        targets = tokens_of(now, index)
        mended = [*chain.from_iterable(slips_mended(now, index, targets, by_name=by_name)[0] for by_name in (False, True))]
        yield from mended
        if by_text:
            return
        # what kept all tokens out may have hidden that the statement is open
        for document in mended:
            after = _with_document(now, document)
            if issued := _issuer_at(after, index):
                yield from _to_users(after, *issued, _subjects_of_users(after, issued[1]))

    yield from _everywhere(case, role, change)


def _nobody(case: FixCase, role: RolePolicy) -> Unfixable:
    """Why nothing follows from who uses the role; what is listed whole has not to be added."""
    issuers = {issuer for _, issuer in _statements(case, role)}
    if issuers and issuers <= role.view.accounts.listed_whole:
        return Unfixable("nobody-named", "no service account of the cluster names the role: whom it is for is not known")
    return Unfixable(
        "nobody-named",
        "the input has no service account of a known name that names the role, so that whom it is for is not known",
        "add the Kubernetes objects: kubectl get serviceaccounts -A -o yaml",
    )


_ONE_BY_ONE = "the policy names its subjects one by one, and whether one of them is no longer needed is for a person to say"
_CLIENT_IDS = "aws iam get-open-id-connect-provider --open-id-connect-provider-arn {}"


def _not_taken(role: RolePolicy, user: RoleUser) -> Unfixable:
    return Unfixable(
        "value-unknown",
        f"it is not known if the OIDC provider takes the audience {user.audience}; if not, the service account has to change",
        shell_command(_CLIENT_IDS, provider_for(role.known_role, user.issuer)),
    )


def _binding(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    """The service account that names the role is admitted."""
    user = _user(case, role)
    target = token_of(role, user) if user else None
    if user and has_unseen_audience(role, user):
        raise _not_taken(role, user)
    if target is None:
        raise Unfixable("value-unknown", "the issuer or the audience of the service account's tokens is not known")
    yield from candidates(role, target)


def _user(case: FixCase, role: RolePolicy) -> RoleUser | None:
    names = case.judged.evidence().names
    if "subject" not in names:
        return None
    return next((u for u in role.users if (u.subject, u.issuer) == (names["subject"], names["issuer"])), None)


def _statements(case: FixCase, role: RolePolicy) -> Iterator[tuple[Statement, str]]:
    """The Allow statements that a finding is about, with the issuer of the only provider of each."""
    for index in indexes(case.judged, role):
        if issued := _issuer_at(role, index):
            yield issued


def _issuer_at(role: RolePolicy, index: int) -> tuple[Statement, str] | None:
    """An Allow statement with the issuer of its only provider."""
    statement = next((s for s in role.policy.statements if s.index == index), None)
    issued = issued_by(role, statement) if statement else None
    return (statement, issued[1]) if statement and issued else None


def _plain(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    def change(now: RolePolicy, index: int) -> PolicyDocuments:
        issued = _issuer_at(now, index)
        document = as_written(now.document, index, issued[1]) if issued else None
        if document is not None:
            yield document

    yield from _everywhere(case, role, change)


def _narrowed(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    """A statement requires one of the service accounts that use the role: those whom it admits, or all of them."""
    named = is_open = False
    for statement, issuer in _statements(case, role):
        grant = grant_of(role.policy, statement, issuer, profile=cluster_profile(issuer))
        if isinstance(grant.subjects, Finite):
            continue
        is_open = True
        everybody = _subjects_of_users(role, issuer)
        admitted = [subject for subject in everybody if contains(grant.subjects, subject)]
        for users in (admitted, everybody):
            documents = [*_to_users(role, statement, issuer, users)]
            if not documents:
                continue
            named = True
            yield from documents
            if same := in_place(role.document, statement.index, issuer, users):
                yield same
    if not named:
        raise _nobody(case, role) if is_open else Unfixable("no-remedy", _ONE_BY_ONE)


def _subjects_of_users(role: RolePolicy, issuer: str) -> list[str]:
    return sorted({user.subject for user in role.users if user.issuer == issuer and not user.pod_identity})


def _to_users(role: RolePolicy, statement: Statement, issuer: str, users: Sequence[str]) -> PolicyDocuments:
    """The statement requires one of some subjects, and an audience where it requires none."""
    document = to_users(role.document, statement.index, issuer, users) if users else None
    if document is None:
        return
    if not any(presence(condition.key, issuer.lower()) == "aud" for condition in statement.conditions):
        yield from _with_audience(msgspec.structs.replace(role, document=document), statement, issuer)
    yield document


def _audience(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    def change(now: RolePolicy, index: int) -> PolicyDocuments:
        if issued := _issuer_at(now, index):
            yield from _with_audience(now, issued[0], issued[1])

    yield from _everywhere(case, role, change)


def _with_audience(role: RolePolicy, statement: Statement, issuer: str) -> PolicyDocuments:
    """The policy with a condition on the audience that tokens of an EKS issuer carry, in a statement that has none."""
    if profile_of(issuer) is not EKS:
        return
    carried = {user.audience for user in role.users if user.issuer == issuer}
    audiences = sorted(carried or role.view.default_audiences(issuer))
    document = with_audience(role.document, statement.index, issuer, audiences) if "" not in audiences else None
    if document is not None:
        yield document


def _refusals(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    yield without_refusals(role.document)


def _version(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    draft = Draft(role.document)
    draft.document["Version"] = "2012-10-17"
    try:
        gains = bool(policy_change(role, draft.document).proof.gained)
    except Widening:  # it is refused with its reason where it is proposed
        gains = True
    if not gains:
        raise Unfixable(
            "no-remedy", "with the current version the variable has no value either, so that nobody would be admitted"
        )
    yield draft.document


def _of_several(case: FixCase, role: RolePolicy) -> Iterator[tuple[int, list[str]]]:
    """The statements with several providers that a finding is about: their indexes, and the providers."""
    for index in indexes(case.judged, role):
        federated = next((statement.federated for statement in role.policy.statements if statement.index == index), ())
        if len(federated) > 1 and all(isinstance(value, str) for value in federated):
            yield index, [str(value) for value in federated]


def _by_issuer(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    """One statement an issuer, where the keys of a statement are those of several; else of those issuers that are used."""
    for index, providers in _of_several(case, role):
        for kept in ((), [provider for provider in providers if not is_unused(role, issuer_of_provider(provider))]):
            draft = Draft(role.document)
            with suppress(CannotEdit):
                draft.split_by_issuer(index, providers, kept)
                yield draft.document


def _apart(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    """A provider of several whose tokens have none of the keys: its service accounts that use the role get a statement of their
    own. Where all of them are listed and none uses it, the provider goes."""
    provider = str(case.judged.evidence().names.get("principal", ""))
    issuer = issuer_of_provider(provider)
    users = _subjects_of_users(role, issuer)
    for index, providers in _of_several(case, role):
        draft = Draft(role.document)
        with suppress(CannotEdit):
            if users and provider in providers:
                draft.split_by_issuer(index, providers)
                after = _with_document(role, draft.document)
                if issued := _issuer_at(after, index + providers.index(provider)):
                    yield from _to_users(after, *issued, users)
            elif is_unused(role, issuer):
                draft.remove_provider(index, provider)
                yield draft.document


def _pattern(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    """A pattern under StringEquals moves to StringLike, where it is not all of a cluster."""
    for statement, issuer in _statements(case, role):
        for condition in statement.conditions:
            wild = any({"*", "?"} & set(str(value)) for value in condition.values)
            if presence(condition.key, issuer.lower()) == "sub" and wild and str(condition.use) == "StringEquals":
                draft = Draft(role.document)
                with suppress(CannotEdit):
                    draft.replace_operator(statement.index, str(condition.steps[-2]), str(condition.steps[-1]), "StringLike")
                    yield draft.document


def _without_statement(case: FixCase, role: RolePolicy) -> PolicyDocuments:
    """The statement goes, where it is not the last one."""
    listed = role.document.get("Statement")
    for index in indexes(case.judged, role):
        if not isinstance(listed, list) or len(listed) < 2 or index >= len(listed):
            raise Unfixable("no-remedy", "the statement is the only one of the policy")
        yield {**role.document, "Statement": [*listed[:index], *listed[index + 1 :]]}


# ---- members that are written twice


def merged_members(case: FixCase) -> Iterator[Proposal]:
    """Members of one name become one; what IAM makes of them is not known, so that nothing is proved."""
    analysed = _role_of(case)
    policy = analysed.role.policy
    twice = (
        [flaw.pointer for flaw in policy.flaws if flaw.code == "duplicate-member"] if isinstance(policy, TrustPolicy) else []
    )
    if not twice or not isinstance(policy, TrustPolicy):
        raise Unfixable("no-remedy", "the place of the members is not known")
    wish = Wish(policy.place, policy.document, policy.document, tuple(dict.fromkeys(twice)))
    because = "which of the two members IAM has kept is not known"
    yield Proposal(wishes=(wish,), safety="unsafe", because=because, role=analysed.role)


POLICY_WAYS: Mapping[EditKind, _Way] = {
    "users": partial(_mended, by_text=False),
    "written": partial(_mended, by_text=True),
    "binding": _binding,
    "plain": _plain,
    "narrowed": _narrowed,
    "audience": _audience,
    "refusals": _refusals,
    "version": _version,
    "by-issuer": _by_issuer,
    "apart": _apart,
    "pattern": _pattern,
    "statement": _without_statement,
}
"""the ways to change a policy, by name"""
