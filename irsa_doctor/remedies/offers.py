"""What is offered for a finding or a cause: the first of its proposals that is proved to do no harm, whole and as commands."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, get_args

import msgspec

from irsa_doctor.facts import AnalysedRole, Judged, View
from irsa_doctor.facts.roles.role import analyse
from irsa_doctor.model import TrustPolicy
from irsa_doctor.model.edits import EditKind, Safety
from irsa_doctor.model.findings import Fix, Offer
from irsa_doctor.remedies.alike import AlikeFixes
from irsa_doctor.remedies.draft import PolicyDocument, read_for_iam
from irsa_doctor.remedies.policy_fix import policy_fix
from irsa_doctor.remedies.policy_texts import texts_of
from irsa_doctor.remedies.safety import PolicyChange, Widening, policy_change
from irsa_doctor.remedies.targets import names_of_binding, role_of_finding, token_of, written_for
from irsa_doctor.remedies.trust_policy import RolePolicy, admits, candidates, role_policy
from irsa_doctor.trust import is_subject
from irsa_doctor.trust.presented import PresentedToken

if TYPE_CHECKING:
    from irsa_doctor.remedies.proposals import Proposal, Unfixable

_NARROWING: frozenset[EditKind] = frozenset({"narrowed"})
_HAVE_POLICIES = frozenset({"grant", "role", "policy", "binding"})


class RuleQuestion(msgspec.Struct, frozen=True):
    """What a `rule` (id) asks of a subject: whether it `fails` on its facts."""

    rule: str
    fails: Callable[[msgspec.Struct], bool]


class Offers:
    """What is offered for the findings about one inventory; what is proved of one role is not proved again of its like."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._alike = AlikeFixes(view)

    def __call__(self, ways: Sequence[EditKind], at_most: Safety, judged: Judged, question: RuleQuestion) -> Offer:
        """What is offered for a finding about a subject: `ways` to fix it, none of which is safer than `at_most`; `question` is
        its rule. Nothing is worked out before somebody reads it."""
        return SubjectOffer(self._view, judged, ways, at_most, self._fix, question)

    def _fix(self, offer: "SubjectOffer") -> Fix | None:
        from irsa_doctor.remedies.proposals import SHARED_WAYS

        judged = offer.judged
        make = partial(_first_of_use, offer)
        is_shared = judged.kind in _HAVE_POLICIES and SHARED_WAYS.issuperset(offer.ways)
        names = names_of_binding(judged) if is_shared else {}
        analysed = role_of_finding(self._view, judged, names) if is_shared and offer.ways else None
        role = role_policy(self._view, analysed) if analysed else None
        if role and set(offer.ways) <= _NARROWING and not _may_be_narrowed(role):
            return None
        meant = (str(names.get("subject", "")), str(names.get("issuer", "")))
        asked = offer.question.rule, tuple(offer.ways), offer.at_most
        return self._alike.fix(asked, judged, meant, role, make) if role else make()


_TAKING: frozenset[EditKind] = frozenset(
    ["subject-removed", *(kind for kind in get_args(EditKind) if kind.startswith("issuer-"))]
)
"""ways that may take rights from somebody of whom no input tells: a report never offers them, so that they are worked out for
`fix` alone"""


class SubjectOffer(Offer):
    """An offer that knows the inventory and the subject of its finding; its proposals are worked out once."""

    def __init__(
        self,
        view: View,
        judged: Judged,
        ways: Sequence[EditKind],
        at_most: Safety,
        fix_of: Callable[["SubjectOffer"], Fix | None],
        question: RuleQuestion,
    ) -> None:
        super().__init__(partial(fix_of, self) if set(ways) - _TAKING else None)
        self.view = view
        self.judged = judged
        self.ways = ways
        self.at_most = at_most
        self.question = question
        self._known: list[Proposal] = []
        self._more: Iterator[Proposal] | None = None
        self._why: Unfixable | None = None

    def proposals(self) -> Iterator["Proposal"]:
        """What may be done, the best first. Raises Unfixable where that is nothing."""
        position = 0
        while position < len(self._known) or self._grow():
            yield self._known[position]
            position += 1
        if self._why:
            raise self._why.anew()

    def _grow(self) -> bool:
        """Work out one more proposal; returns whether there is one."""
        from irsa_doctor.remedies.proposals import FixCase, Unfixable, proposals

        if self._more is None:
            self._more = proposals(FixCase(self.view, self.judged), self.ways, self.at_most)
        try:
            self._known.append(next(self._more))
        except StopIteration:
            return False
        except Unfixable as error:
            self._why = error.anew()
            return False
        return True


def policy_for(view: View, analysed: AnalysedRole, target: PresentedToken) -> Fix | None:
    """The policy of a role that admits one more token; None where none is proved, or where it admits it already."""
    role = role_policy(view, analysed)
    if role is None or (not role.policy.refused and admits(role.policy, target)):
        return None
    for document in candidates(role, target):
        if change := _harmless(role, document, [target]):
            return policy_fix(role, change)
    return None


def _may_be_narrowed(role: RolePolicy) -> bool:
    """Whether a narrower policy may be proved to lock nobody out: where service accounts are listed whole, or the text names
    some."""
    return bool(role.view.accounts.listed_whole) or any(map(is_subject, texts_of(role.document)))


def _first_of_use(offer: SubjectOffer) -> Fix | None:
    """The first proposal that does no harm and leaves nothing of the finding, as a fix."""
    from irsa_doctor.remedies.proposals import Unfixable

    try:
        for proposal in offer.proposals():
            fix = _fix_of(proposal)
            if fix and not (proposal.change and _leaves(offer, proposal.change)):
                return fix
    except Unfixable:
        pass
    return None


def _leaves(offer: SubjectOffer, change: PolicyChange) -> bool:
    """Whether the subject of a finding fails its rule with the changed policy, too, or is kept out as before."""
    role, judged = change.role, offer.judged
    source = role.analysed.role.policy
    if not isinstance(source, TrustPolicy):
        return False
    if judged.kind == "binding":
        names = names_of_binding(judged)
        user = next((u for u in role.users if (u.subject, u.issuer) == (names.get("subject"), names.get("issuer"))), None)
        target = token_of(role, user) if user else None
        return target is not None and not admits(read_for_iam(change.document), target)
    policy = msgspec.structs.replace(source, document=change.document, size=-1, plain=False)
    after = analyse(msgspec.structs.replace(role.analysed.role, policy=policy), offer.view)
    # a bare policy and its grants are one subject
    now = [each.facts for each in (*after.grants, after.judged) if (each.kind, each.id) == (judged.kind, judged.id)]
    return any(offer.question.fails(facts) for facts in now if type(facts) is type(judged.facts))


def _fix_of(proposal: "Proposal") -> Fix | None:
    """A proposal as a fix, None where it may do harm, or where the source alone can be edited."""
    change = proposal.change
    if change is None or proposal.policy is None:
        return proposal.offered
    everywhere = change.is_harmless and _does_no_harm_to_cases(change.role, change.document, ())
    return policy_fix(change.role, change) if everywhere else None


def _harmless(role: RolePolicy, document: PolicyDocument, targets: Sequence[PresentedToken]) -> PolicyChange | None:
    """The change to a document, None where it is not proved of every case of the role that it does no harm."""
    if document == role.document:
        return None
    try:
        change = policy_change(role, document, targets)
    except Widening:
        return None
    return change if change.is_harmless and _does_no_harm_to_cases(role, document, targets) else None


def _does_no_harm_to_cases(role: RolePolicy, document: PolicyDocument, targets: Sequence[PresentedToken]) -> bool:
    """Whether a document does no harm where the role is one of several that a template may make."""
    known = role.analysed.role
    if not known.case:
        return True
    others = [case for case in role.view.cases_by_id.get(known.id, ()) if case is not role.analysed]
    return all(_does_no_harm(role.view, case, document, targets) for case in others)


def _does_no_harm(view: View, case: AnalysedRole, document: PolicyDocument, targets: Sequence[PresentedToken]) -> bool:
    """Whether a document admits whom another case of the role admits and names, and nobody else."""
    role = role_policy(view, case)
    if role is None or role.document == document:
        return role is not None
    named = [target for s in role.policy.statements if s.allow for target in written_for(role, s.index)]
    kept = [target for target in named if admits(role.policy, target)]
    try:
        return policy_change(role, document, [*targets, *kept]).is_harmless
    except Widening:
        return False
