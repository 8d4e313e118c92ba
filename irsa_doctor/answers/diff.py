"""Compares what the trust policies of two inventories admit: proved on the languages, not on the text."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Literal

import msgspec

from irsa_doctor.facts import AnalysedRole, View
from irsa_doctor.facts.grants.reading import issuer_kind, profile_for
from irsa_doctor.facts.roles.reached import ring_by
from irsa_doctor.facts.roles.role import PolicyReading
from irsa_doctor.issuers import EKS
from irsa_doctor.model import Text, issuer_in, text_of
from irsa_doctor.model.errors import NotJudged
from irsa_doctor.model.extents import worked_out
from irsa_doctor.model.faults import judged_or_named
from irsa_doctor.trust import Admitted, Policy, Statement, admitted, spell
from irsa_doctor.trust.actions import OF_SESSIONS
from irsa_doctor.trust.admitted import grant_of
from irsa_doctor.trust.association import policy_seen_for
from irsa_doctor.trust.beyond import Beyond, beyond
from irsa_doctor.trust.contested import POINTS
from irsa_doctor.trust.languages import Language, contains, difference, union
from irsa_doctor.trust.openings import RINGS, Ring
from irsa_doctor.trust.policy import Condition, covers
from irsa_doctor.trust.principals import admit_more, named_principals, unseen_statements
from irsa_doctor.trust.restrictions import restriction_of
from irsa_doctor.trust.subjects import reach_of
from irsa_doctor.trust.symbols import issuer_named, policy_seen_through
from irsa_doctor.trust.widening import Gain, further_conditions, widening

ChangeKind = Literal["same", "widened", "narrowed", "changed", "added", "removed", "unknown"]
RoleKey = Callable[[AnalysedRole], str]
_NOT_COMPARED: Mapping[Gain, str] = {
    "too-complex": "the policies are too complex to compare",
    "contested": f"the documentation of AWS does not say {POINTS['P5']} (P5)",
}


class ChangedSubjects(msgspec.Struct, frozen=True):
    """Subjects gained or lost: those of `patterns` without those of `except`.

    `witness` is a shortest one of them, `service_accounts` are those of the input among them. Where the witness is admitted on
    both sides, `witness_audience` is an audience with which it is admitted on one side only, else None.
    """

    patterns: tuple[str, ...] = ()
    without: tuple[str, ...] = msgspec.field(default=(), name="except")
    witness: str | None = None
    service_accounts: tuple[str, ...] = ()
    witness_audience: str | None = None


class Difference(msgspec.Struct, frozen=True):
    """Audiences, conditions or other principals on one side only."""

    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


class RingChange(msgspec.Struct, frozen=True):
    """How far those who are admitted are from the tenant, before and after."""

    before: Ring
    after: Ring


class RoleChange(msgspec.Struct, frozen=True):
    """What changed of one role for one provider; `because` is why the change is unknown, None where it is not.

    `open_by` are the rules by which a new role is open, or by which one that cannot be compared is open and was not before, as
    `check` finds it at severity high or critical. `ring` is there where it is another than before: a wider one is widened. A
    document that cannot be judged any more has a row as well, under its path. What is not `judged` could not be compared
    because of an error of this program, or because the run reached a limit: that is no pass.
    """

    role: str
    provider: str
    change: ChangeKind
    gained: ChangedSubjects = ChangedSubjects()
    lost: ChangedSubjects = ChangedSubjects()
    audiences: Difference = Difference()
    conditions: Difference = Difference()
    others: Difference = Difference()
    maybe_renamed_from: str | None = None
    because: str | None = None
    open_by: tuple[str, ...] = ()
    ring: RingChange | None = None
    judged: bool = True

    @property
    def opens(self) -> bool:
        """Whether a token is or may be admitted that was not before, or in more circumstances; not of a new role."""
        return self.change in ("widened", "changed") or (self.change == "unknown" and bool(self.open_by)) or not self.judged


def compare(old: View, new: View, old_key: RoleKey, new_key: RoleKey) -> tuple[RoleChange, ...]:
    """The changes of two inventories, by role and provider; roles with equal keys are one role."""
    before = {old_key(role): role for role in old.roles}
    after = {new_key(role): role for role in new.roles}
    changes: list[RoleChange] = []
    for name in sorted(before.keys() | after.keys()):
        try:
            changes += judged_or_named(name, partial(_role, name, before.get(name), after.get(name), old, new))
        except NotJudged as error:
            changes.append(RoleChange(name, "", "unknown", because=str(error), judged=False))
    return tuple(_renamed(changes, before, after))


def _role(name: str, before: AnalysedRole | None, after: AnalysedRole | None, old: View, new: View) -> list[RoleChange]:
    providers = sorted({*_providers(before), *_providers(after)})
    if before is None or after is None:
        change: ChangeKind = "added" if before is None else "removed"
        rows = [_provider(name, provider, before, after, old, new) for provider in providers]
        return [msgspec.structs.replace(row, change=change) for row in rows] or [RoleChange(name, "", change)]
    if unreadable := _unreadable(before) or _unreadable(after):
        same = _text(before) is not None and _text(before) == _text(after)
        return [RoleChange(name, "", "same" if same else "unknown", because=None if same else unreadable)]
    rows = [_provider(name, provider, before, after, old, new) for provider in providers]
    others = _others(name, before.policy, after.policy)
    return [*rows, others] if others.change != "same" or not rows else rows


def _others(name: str, before: Policy | None, after: Policy | None) -> RoleChange:
    """What changed of principals that are no web identities."""
    was, now = named_principals(before), named_principals(after)
    change = _change(admit_more(now, was), admit_more(was, now))
    open_before, open_after = unseen_statements(before), unseen_statements(after)
    either = {**open_before, **open_after}
    holes = {hole for key in open_before.keys() ^ open_after.keys() for hole in either[key]}
    if holes and change not in ("widened", "changed"):
        return RoleChange(name, "", "unknown", because=_depending_on(holes))
    before_only, after_only = ({each.text for each in some} for some in (was, now))
    both = Difference(tuple(sorted(after_only - before_only)), tuple(sorted(before_only - after_only)))
    return RoleChange(name, "", change, others=both if change != "same" else Difference())


def _unreadable(role: AnalysedRole) -> str | None:
    if role.policy is None:
        return getattr(role.role.policy, "missing", None) or "the trust policy is not in the input"
    refused = [problem.message for problem in role.policy.problems if problem.refused]
    return f"IAM would refuse the policy: {refused[0]}" if refused else None


def _text(role: AnalysedRole) -> object:
    return getattr(role.role.policy, "document", None)


def _providers(role: AnalysedRole | None) -> set[str]:
    """The providers that a role names, those too of which a template leaves something open."""
    statements = role.policy.statements if role and role.policy else ()
    holes = {text_of(value) for s in statements if s.allow for value in s.federated if isinstance(value, Text)}
    return holes | set(role.by_provider) if role else holes


def _through(role: AnalysedRole | None, provider: str, view: View) -> AnalysedRole | None:
    """The role as it is for a provider that a template leaves open: what has the same name on both sides is the same."""
    if role is None or role.policy is None or provider in role.by_provider:
        return role
    for statement in role.policy.statements:
        for value in statement.federated:
            if isinstance(value, Text) and text_of(value) == provider:
                issuer = issuer_in(value)
                name = issuer if isinstance(issuer, str) else ""
                profile = profile_for(issuer_kind(statement, name, view), name, role.policy.statements, view)
                seen = policy_seen_for(role.policy, value)
                is_own = seen.issuer == issuer_named(provider)
                policy = seen.policy if is_own else policy_seen_through(role.policy, value)
                subjects = admitted(policy, provider, issuer_named(provider), profile=profile)
                seen_so = PolicyReading(policy, {**role.by_provider, provider: subjects}, role.readings)
                return msgspec.structs.replace(role, read=partial(worked_out, seen_so))
    return role


def _provider(
    name: str, provider: str, before: AnalysedRole | None, after: AnalysedRole | None, old: View, new: View
) -> RoleChange:
    before, after = _through(before, provider, old), _through(after, provider, new)
    was, now = _admitted(before, provider, after), _admitted(after, provider, before)
    if unseen := {*was.unseen, *now.unseen}:
        same = before is not None and after is not None and _text(before) == _text(after)
        because = None if same else _depending_on(unseen)
        return RoleChange(name, provider, "same" if same else "unknown", because=because)
    gained, lost = beyond(now, was), beyond(was, now)
    conditions = _conditions(before, after, provider)
    earlier, later = (role.policy if role else None for role in (before, after))
    wider, narrower = widening(earlier, later, provider, now.profile), widening(later, earlier, provider, was.profile)
    if not (gained.certain and lost.certain) or _NOT_COMPARED.keys() & {wider, narrower}:
        because = _NOT_COMPARED[wider if wider in _NOT_COMPARED else narrower if narrower in _NOT_COMPARED else "too-complex"]
        return RoleChange(name, provider, "unknown", conditions=conditions, because=because)
    ring = _ring(before, after, provider)
    return RoleChange(
        role=name,
        provider=provider,
        change=_change(wider == "some" or (ring is not None and _is_wider(ring)), narrower == "some"),
        ring=ring,
        gained=_subjects(gained, provider, new, was),
        lost=_subjects(lost, provider, old, now),
        audiences=Difference(_without(now.audiences, was.audiences), _without(was.audiences, now.audiences)),
        conditions=conditions,
    )


def _depending_on(holes: Iterable[str]) -> str:
    return f"it depends on values that are not known: {', '.join(sorted(holes))}"


def _ring(before: AnalysedRole | None, after: AnalysedRole | None, provider: str) -> RingChange | None:
    """How the ring changed, None where it did not."""
    if before is not None and after is not None and _text(before) == _text(after):
        return None
    was, now = (ring_by(role, provider) if role else "nobody" for role in (before, after))
    return None if was == now else RingChange(was, now)


def _is_wider(ring: RingChange) -> bool:
    return RINGS.index(ring.after) > RINGS.index(ring.before)


def _change(wider: bool, narrower: bool) -> ChangeKind:
    """The kind of a change that admits more, less, both or neither."""
    if wider:
        return "changed" if narrower else "widened"
    return "narrowed" if narrower else "same"


def _admitted(role: AnalysedRole | None, provider: str, other: AnalysedRole | None) -> Admitted:
    """What a role admits for a provider; nothing where it does not name it."""
    known = role.by_provider.get(provider) if role else None
    if known is not None:
        return known
    theirs = other.by_provider[provider] if other and provider in other.by_provider else None
    profile = theirs.profile if theirs else EKS
    issuer = issuer_named(provider)
    # through another principal ("*") tokens of this provider may be let in all the same
    if role and role.policy and issuer:
        return admitted(role.policy, provider, issuer, profile=profile)
    return Admitted((), profile=profile)


def _subjects(changed: Beyond, provider: str, view: View, other: Admitted) -> ChangedSubjects:
    """The subjects of one side, of which the other admits those of `other`."""
    if not changed.cells:
        return ChangedSubjects()
    spelt = spell(changed.subjects, changed.grammar)
    accounts = view.accounts.admitted(issuer_named(provider), changed.subjects)
    witness = changed.reach.witness
    is_on_both_sides = witness is not None and contains(other.subjects, witness)
    return ChangedSubjects(
        patterns=spelt.patterns,
        without=spelt.without,
        witness=witness,
        service_accounts=tuple(sorted(f"{view.label_of(a.cluster)}/{a.namespace}/{a.name}" for a in accounts)),
        witness_audience=_audience_of(changed, witness) if witness is not None and is_on_both_sides else None,
    )


_USUAL_AUDIENCE = "sts.amazonaws.com"


def _audience_of(changed: Beyond, subject: str) -> str | None:
    """An audience with which a subject is among the changed ones: that of the webhook where it is one of several."""
    audiences = union(audiences for audiences, subjects in changed.cells if contains(subjects, subject))
    return _USUAL_AUDIENCE if contains(audiences, _USUAL_AUDIENCE) else reach_of(audiences, "text").witness


def _without(language: Language, other: Language) -> tuple[str, ...]:
    """The patterns of a language without those of another."""
    rest = difference(language, other)
    return () if reach_of(rest, "text").scope == "nobody" else spell(rest).patterns


def _conditions(before: AnalysedRole | None, after: AnalysedRole | None, provider: str) -> Difference:
    """Restrictions beside sub and aud on one side only, as people write them; of a Deny that has some, all that it requires."""
    was, now = _restrictions(before, provider), _restrictions(after, provider)
    gained, lost = [now[key] for key in now.keys() - was.keys()], [was[key] for key in was.keys() - now.keys()]
    return Difference(tuple(sorted(gained)), tuple(sorted(lost)))


def _restrictions(role: AnalysedRole | None, provider: str) -> Mapping[object, str]:
    """The text of each restriction of an Allow, of each Deny with restrictions, and of sessions that are not allowed."""
    policy = role.policy if role else None
    if policy is None:
        return {}
    issuer = issuer_named(provider)
    claims = (f"{issuer}:sub".lower(), f"{issuer}:aud".lower()) if issuer else ()
    profile = role.by_provider[provider].profile if role and provider in role.by_provider else EKS
    texts: dict[object, str] = {}
    allowing = [s for s in policy.statements if s.allow and provider in s.federated]
    for action in OF_SESSIONS if allowing and profile.session_tags else ():
        if not any(covers(statement, action) for statement in allowing):
            texts[action] = f"without {action}"
    for statement in policy.statements:
        deciding = further_conditions(grant_of(policy, statement, issuer, profile=profile, provider=provider))
        further = [condition for condition in statement.conditions if condition.key not in claims or condition in deciding]
        if not further or not _speaks_of(statement, provider):
            continue
        for conditions in [(each,) for each in further] if statement.allow else [statement.conditions]:
            restrictions = frozenset(restriction_of(c, variables=policy.variables) for c in conditions)
            texts[statement.allow, restrictions] = _written(statement, conditions)
    return texts


def _speaks_of(statement: Statement, provider: str) -> bool:
    named = provider in statement.federated or (not statement.allow and "*" in statement.aws)
    return named and statement.covers_web_identity


def _written(statement: Statement, conditions: Iterable[Condition]) -> str:
    """A restriction of an Allow, or a Deny with all of its own."""
    texts = (f"{c.use} {text_of(c.raw_key)} {', '.join(sorted(map(text_of, c.values)))}" for c in conditions)
    return f"{'' if statement.allow else 'Deny where '}{' and '.join(texts)}"


def _renamed(
    rows: Sequence[RoleChange], before: Mapping[str, AnalysedRole], after: Mapping[str, AnalysedRole]
) -> Iterable[RoleChange]:
    """An added role with the policy of a removed one may be that one under a new name."""
    gone = {repr(_text(before[row.role])): row.role for row in reversed(rows) if row.change == "removed"}
    for row in rows:
        twin = gone.get(repr(_text(after[row.role]))) if row.change == "added" else None
        yield msgspec.structs.replace(row, maybe_renamed_from=twin) if twin else row


class LostDocuments(msgspec.Struct, frozen=True):
    """Documents of one side that cannot be read there: `by_name` says why, `any_role` why any role may be in one of them."""

    by_name: Mapping[str, str] = {}
    any_role: str = ""


def with_lost(
    changes: Iterable[RoleChange], documents: Mapping[str, str], before: LostDocuments, after: LostDocuments
) -> tuple[RoleChange, ...]:
    """The changes: a role is not removed or new where a document that cannot be read may hold it.

    `documents` names the document of each role.
    """
    return tuple(_unless_lost(change, documents.get(change.role, ""), before, after) for change in changes)


def _unless_lost(change: RoleChange, document: str, before: LostDocuments, after: LostDocuments) -> RoleChange:
    lost = {"removed": after, "added": before}.get(change.change, LostDocuments())
    because = lost.by_name.get(document) or lost.any_role
    return RoleChange(change.role, change.provider, "unknown", because=because) if because else change


def with_openness(
    changes: Iterable[RoleChange],
    opened: Mapping[str, Sequence[str]],
    was_open: Mapping[str, Sequence[str]],
    names: Mapping[str, str] = {},
) -> Iterable[RoleChange]:
    """The changes: new roles with the rules by which `check` fails them, and those that cannot be compared with the rules by
    which it did not fail them before.

    A bare policy is known by its path alone, and a role of a template by its address: where the same text only moved, once,
    nothing is new, unless the role has another name now (`names`).
    """
    moved: set[str] = set()
    for change in changes:
        origin = change.maybe_renamed_from
        is_same = origin is not None and not change.role.startswith("arn:") and names.get(change.role) == names.get(origin)
        if origin is not None and is_same and origin not in moved:
            moved.add(origin)
            yield change
        else:
            rules = opened.get(change.role, ()) if change.change in ("added", "unknown") else ()
            if change.change == "unknown":
                rules = [*change.open_by, *(rule for rule in rules if rule not in was_open.get(change.role, ()))]
            yield msgspec.structs.replace(change, open_by=tuple(rules)) if rules else change
