"""The edits that let one token in: for each defect in its way, the change of the document that mends it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from irsa_doctor.issuers import cluster_profile
from irsa_doctor.model.once import once
from irsa_doctor.remedies.draft import CannotEdit, Draft, DraftEdit, PolicyDocument, read, statement_count
from irsa_doctor.trust import Policy, Statement, grant_of, is_subject
from irsa_doctor.trust.defect_kinds import Defect, DefectKind
from irsa_doctor.trust.defects import Expected, defects_of
from irsa_doctor.trust.holding import holds
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import Like, contains
from irsa_doctor.trust.patterns import glob_of
from irsa_doctor.trust.policy import WEB_IDENTITY, Condition, covering
from irsa_doctor.trust.presented import PresentedToken
from irsa_doctor.trust.subjects import pattern_of

_ROUNDS = 64
"""edits of one statement before it is given up"""
SLIP, REMOVAL, OTHER_SUBJECT, OTHER_PROVIDER, NEW_STATEMENT = 1, 2, 10, 20, 100
"""how far an edit goes: a slip put right, a condition removed, somebody else let in too, another provider, all of it new"""


class Knowledge(msgspec.Struct, frozen=True):
    """What edits may rely on, for the tokens of one provider.

    `users` are the subjects that use the role, all of them where `complete`. `is_absent` says whether a service account of a
    subject surely does not exist, `means` whether a principal was meant to be the provider.
    """

    users: frozenset[str]
    complete: bool
    is_absent: Callable[[str], bool]
    means: Callable[[str], bool]


class Step(msgspec.Struct, frozen=True):
    """One edit, and how far it goes."""

    weight: int
    edit: DraftEdit


class Mended(msgspec.Struct, frozen=True):
    """A document in which a statement admits the token, as far as the statement alone decides."""

    weight: int
    furthest: int
    """the weight of its heaviest edit, 0 where the statement admits the token as it is"""
    document: PolicyDocument


def mend_statement(
    document: PolicyDocument, index: int, target: PresentedToken, knowledge: Knowledge, policy: Policy | None = None
) -> Mended | None:
    """The document with all mended that keeps a token out of one Allow statement; None where that cannot be done.

    `policy` is the document taken apart, where somebody has done that already.
    """
    draft, weights, before = Draft(document), [0], statement_count(document)
    for _ in range(_ROUNDS):
        policy = policy if policy and len(weights) == 1 else read(draft.document)
        statement = _part(policy, index, statement_count(draft.document) - before, target)
        if statement is None or not statement.allow:
            return None
        try:
            step = _next_step(_Scene(policy, statement, target, knowledge))
            if step is None:
                return Mended(sum(weights), max(weights), draft.document)
            step.edit(draft)
        except CannotEdit:
            return None
        weights.append(step.weight)
    return None


def _part(policy: Policy, index: int, more: int, target: PresentedToken) -> Statement | None:
    """A statement by index; of the parts into which it was split, `more` than one, that of the token's provider."""
    parts = [statement for statement in policy.statements if index <= statement.index <= index + more]
    return next((part for part in parts if more and target.provider in part.federated), parts[0] if parts else None)


class _Scene(msgspec.Struct, frozen=True, dict=True):
    """A statement as it stands in the draft, and the token that should get in."""

    policy: Policy
    statement: Statement
    target: PresentedToken
    knowledge: Knowledge

    @property
    def index(self) -> int:
        return self.statement.index

    def claim(self, condition: Condition) -> str:
        return presence(condition.key, self.target.issuer.lower()) if condition.key else "maybe"

    def checks(self, claim: str) -> bool:
        """Whether some condition checks the value of a claim of the token."""
        conditions = self.statement.conditions
        return any(self.claim(c) == claim and c.use.operator.family != "null" for c in conditions)

    def defects(self) -> tuple[Defect, ...]:
        target = self.target
        profile = cluster_profile(target.issuer)
        grant = grant_of(self.policy, self.statement, target.issuer, profile=profile, provider=target.provider)
        audiences = frozenset({target.audience})
        return defects_of(self.policy, grant, Expected(issuer=target.issuer, profile=profile, audiences=audiences))

    def holds(self, condition: Condition) -> bool | None:
        is_absent = condition.key and condition.key not in self.context and self.claim(condition) == "never"
        context = {condition.key: (), **self.context} if is_absent else self.context
        return holds(condition, context, variables=self.policy.variables)

    @once
    def context(self) -> Mapping[str, tuple[str, ...]]:
        """What is known of the token's request."""
        return self.target.context()


def _next_step(scene: _Scene) -> Step | None:
    """What to do next; None where the statement admits the token. Raises CannotEdit where nothing helps."""
    step = _principal(scene) or _action(scene)
    if step:
        return step
    held = [(condition, scene.holds(condition)) for condition in scene.statement.conditions]
    failing = [condition for condition, holds_so in held if holds_so is False]
    # a variable or a contested point decides: the token is let in by name
    failing += [condition for condition, holds_so in held if holds_so is None and scene.claim(condition) in ("sub", "aud")]
    return _of_condition(scene, failing[0], scene.defects()) if failing else None


# ---- principal and action


def _principal(scene: _Scene) -> Step | None:
    statement, target = scene.statement, scene.target
    if target.provider in statement.federated:
        return None
    for value in statement.federated:
        if isinstance(value, str) and scene.knowledge.means(value):
            return Step(SLIP, partial(_put_principal, scene.index, "Federated", value, target.provider))
    if len(statement.federated) == 1 and _is_for(statement, target) and isinstance(statement.federated[0], str):
        return Step(OTHER_PROVIDER, partial(_put_principal, scene.index, "Federated", statement.federated[0], target.provider))
    web_identity = any(str(action).lower() == WEB_IDENTITY.lower() for action in statement.actions)
    others = [(kind, v) for kind, listed in (("AWS", statement.aws), ("Service", statement.service)) for v in listed]
    if len(others) == 1 and (web_identity or _is_for(statement, target)) and not statement.federated:
        return Step(SLIP, partial(_put_principal, scene.index, others[0][0], str(others[0][1]), target.provider))
    raise CannotEdit("the principal is somebody else")


def _put_principal(index: int, kind: str, old: str, new: str, draft: Draft) -> None:
    draft.replace_principal(index, kind, old, new)


def _is_for(statement: Statement, target: PresentedToken) -> bool:
    """Whether the keys of a statement are those of the token's issuer."""
    issuer = target.issuer.lower()
    return any(presence(condition.key, issuer) in ("sub", "aud") for condition in statement.conditions if condition.key)


def _action(scene: _Scene) -> Step | None:
    statement, index = scene.statement, scene.index
    if covering(statement, WEB_IDENTITY) is not False:
        return None
    if statement.not_actions is not None:
        raise CannotEdit("NotAction leaves it out")
    wrong = next((d for d in scene.defects() if d.kind in ("action-unknown", "action-other")), None)
    if wrong is None:
        raise CannotEdit("the statement is for another action")
    if wrong.value in statement.actions and not (statement.aws or statement.service):
        return Step(SLIP, lambda draft: draft.replace_action(index, wrong.value, WEB_IDENTITY))
    return Step(SLIP, lambda draft: draft.add_action(index, WEB_IDENTITY))


# ---- conditions


class _Place(msgspec.Struct, frozen=True):
    """Where a condition stands: statement, operator and key as written."""

    index: int
    operator: str
    key: str

    def edit(self, name: str, *values: Any) -> DraftEdit:
        """An edit of the draft at this place, by the name of its method."""
        return lambda draft: getattr(draft, name)(self.index, self.operator, self.key, *values)


_Table = Mapping[DefectKind, Callable[[_Scene, _Place, Defect], "Step | None"]]


def _of_condition(scene: _Scene, condition: Condition, defects: tuple[Defect, ...]) -> Step:
    """What to do about a condition that the token does not meet: its defects first, those that were meant for the token before
    others, then what lets the token in beside those whom the condition admits."""
    place = _Place(scene.index, str(condition.steps[-2]), str(condition.steps[-1]))
    own = [defect for defect in defects if defect.condition is not None and defect.condition.steps == condition.steps]
    for defect in sorted(own, key=lambda d: d.meant != scene.target.subject):
        if (edit := EDITS.get(defect.kind)) and (step := edit(scene, place, defect)):
            return step
    claim = scene.claim(condition)
    if claim == "never":
        return Step(REMOVAL, place.edit("drop_condition"))
    if claim not in ("sub", "aud"):
        raise CannotEdit("a condition on something else than the token")
    if any(defect.kind == "subject-conflict" for defect in defects):
        # which of the two was meant only those show who use the role
        is_user = scene.target.subject in scene.knowledge.users
        return Step(REMOVAL if is_user else OTHER_SUBJECT, place.edit("drop_condition"))
    return _of_claim(scene, place, condition, claim)


def _of_claim(scene: _Scene, place: _Place, condition: Condition, claim: str) -> Step:
    operator = condition.use.operator
    value = scene.target.audience if claim == "aud" else scene.target.subject
    if operator.family == "null" and scene.checks(claim):
        return Step(REMOVAL, place.edit("drop_condition"))
    if operator.family == "null":
        return Step(REMOVAL, place.edit("replace_operator", "StringEquals"))
    if operator.negated:
        return _of_negated(scene, place, condition, value, SLIP if claim == "aud" else OTHER_SUBJECT)
    if operator.family != "string":
        wild = any("*" in str(v) or "?" in str(v) for v in condition.values)
        return Step(SLIP, place.edit("replace_operator", "StringLike" if wild else "StringEquals"))
    absent = [str(v) for v in condition.values if claim == "sub" and scene.knowledge.is_absent(str(v))]
    if len(absent) == 1:
        return Step(OTHER_SUBJECT, place.edit("replace_value", absent[0], (value,)))
    return Step(OTHER_SUBJECT, place.edit("add_value", (value,)))


def _of_negated(scene: _Scene, place: _Place, condition: Condition, value: str, weight: int) -> Step:
    """A token that is excluded is excluded no longer. Where nobody else is, the condition was meant to require it: without the
    condition everybody would get in."""
    if value not in condition.values:
        raise CannotEdit("a pattern excludes the token")
    if any(other != value for other in condition.values):
        return Step(weight, place.edit("remove_value", value))
    if not scene.knowledge.complete:
        raise CannotEdit("whom else it admits is not known")
    operator = condition.use.operator
    positive = operator.name.replace("Not", "", 1) if operator.family == "string" else "StringEquals"
    return Step(weight, place.edit("replace_operator", positive))


def _key(scene: _Scene, place: _Place, defect: Defect) -> Step | None:
    return Step(SLIP, place.edit("replace_key", defect.meant)) if defect.meant else None


def _absent_key(scene: _Scene, place: _Place, defect: Defect) -> Step:
    """The claim that was meant, where no other condition checks it; else the condition goes."""
    claim = defect.meant.rpartition(":")[2]
    if claim and not scene.checks(claim):
        return Step(SLIP, place.edit("replace_key", defect.meant))
    return Step(REMOVAL, place.edit("drop_condition"))


def _audience(scene: _Scene, place: _Place, defect: Defect) -> Step | None:
    if defect.value == scene.target.audience:
        return None  # the value is right, and its operator excludes it
    return Step(SLIP, place.edit("replace_value", defect.value, (scene.target.audience,)))


def _swapped(scene: _Scene, place: _Place, defect: Defect) -> Step | None:
    """The two keys change places; where there is only one of them, it is the other one."""
    claim = place.key.rpartition(":")[2].lower()
    other = "aud" if claim == "sub" else "sub"
    pairs = [
        (str(condition.steps[-2]), str(condition.steps[-1]))
        for condition in scene.statement.conditions
        if scene.claim(condition) == other and condition.use.operator.family == "string"
    ]
    if not pairs:
        return Step(SLIP, place.edit("replace_key", f"{scene.target.issuer}:{other}"))
    index, mine = place.index, (place.operator, place.key)
    return Step(SLIP, lambda draft: draft.swap_keys(index, mine, pairs[0])) if len(pairs) == 1 else None


def _subject(scene: _Scene, place: _Place, defect: Defect) -> Step | None:
    """A value that no token has: the subject that was meant for this token, or that nobody else is known to be meant by."""
    meant = defect.meant
    if meant and not is_subject(meant):
        return Step(SLIP, place.edit("replace_value", defect.value, (meant,))) if _fits(meant, scene.target.subject) else None
    if meant and meant != scene.target.subject:
        return None
    return Step(SLIP if meant else OTHER_SUBJECT, place.edit("replace_value", defect.value, (scene.target.subject,)))


def _wildcard(scene: _Scene, place: _Place, defect: Defect) -> Step | None:
    """A pattern without an operator that knows wildcards: the service accounts that use the role and match it are named."""
    pattern = defect.meant or defect.value
    if not _fits(pattern, scene.target.subject):
        return None
    named = sorted({s for s in scene.knowledge.users if _fits(pattern, s)} | {scene.target.subject})
    return Step(SLIP, place.edit("replace_value", defect.value, named))


def _two_issuers(scene: _Scene, place: _Place, defect: Defect) -> Step | None:
    """One statement an issuer, where the principals are those of the keys; else the condition of the other issuer goes."""
    statement = scene.statement
    if len(statement.federated) < 2 or not all(isinstance(value, str) for value in statement.federated):
        return _absent_key(scene, place, defect)
    providers = [str(value) for value in statement.federated]
    return Step(SLIP, lambda draft: draft.split_by_issuer(scene.index, providers))


EDITS: _Table = {
    "key-scheme": _key,
    "key-arn": _key,
    "key-slash": _key,
    "key-path": _key,
    "key-issuer": _key,
    "key-two-issuers": _two_issuers,
    "key-session": _absent_key,
    "key-absent": _absent_key,
    "context-value": _absent_key,
    "role-pinning": _absent_key,
    "audience-china": _audience,
    "audience-endpoint": _audience,
    "audience-invisible": _audience,
    "audience-case": _audience,
    "audience-other": _audience,
    "claims-swapped": _swapped,
    "subject-wildcard": _wildcard,
    "subject-case": _subject,
    "subject-invisible": _subject,
    "subject-shape": _subject,
    "subject-version": _subject,
    "subject-variable": _subject,
    "subject-unreplaced": _subject,
}
"""the edit for each kind of defect that stands in a condition"""


def _fits(pattern: str, subject: str) -> bool:
    """Whether a subject fits a value read as StringLike reads it."""
    return contains(Like(glob_of(pattern_of(pattern))), subject)


def name_users(document: PolicyDocument, index: int, issuer: str, users: frozenset[str]) -> PolicyDocument:
    """The document with the wildcards on sub of one statement replaced by the users that match them; raises CannotEdit."""
    draft = Draft(document)
    low = issuer.lower()
    for statement in read(document).statements:
        for condition in statement.conditions if statement.index == index else ():
            use = condition.use
            is_pattern = use.operator.has_wildcards and use.operator.family == "string" and not use.operator.negated
            if not is_pattern or presence(condition.key, low) != "sub":
                continue
            place = _Place(index, str(condition.steps[-2]), str(condition.steps[-1]))
            values = [name for value in map(str, condition.values) for name in _named(value, users)]
            if not values:
                raise CannotEdit("nobody is named")
            place.edit("set_values", values)(draft)
            place.edit("replace_operator", place.operator.replace("StringLike", "StringEquals"))(draft)
    return draft.document


def _named(value: str, users: frozenset[str]) -> list[str]:
    return sorted(user for user in users if _fits(value, user)) if "*" in value or "?" in value else [value]
