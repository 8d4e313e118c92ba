"""Ways to narrow a statement for an issuer of many tenants, each proved not to let in anybody new, and to follow its ids."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from irsa_doctor.facts.grants.ownership import is_one_of
from irsa_doctor.facts.grants.reach import grounds_of
from irsa_doctor.facts.roles.role import analyse
from irsa_doctor.issuers import right_name
from irsa_doctor.model import TrustPolicy, text_of
from irsa_doctor.model.edits import EditKind
from irsa_doctor.remedies.draft import CannotEdit, Draft, PolicyDocument
from irsa_doctor.remedies.issuer_subjects import (
    IssuerStatement,
    closed_subjects,
    for_later_runs,
    has_no_hole,
    known_segments,
    nearest_subject,
    own_subjects,
    ref_keys,
    right_subjects,
    tenant_ids,
    tenant_segments,
    with_ids,
    with_segments,
)
from irsa_doctor.remedies.narrowing import to_users
from irsa_doctor.remedies.proposals.policies import policy_proposals, proposal, role_to_fix
from irsa_doctor.remedies.proposals.records import FixCase, Proposal, Unfixable
from irsa_doctor.remedies.safety import Widening, policy_change
from irsa_doctor.remedies.targets import indexes
from irsa_doctor.remedies.trust_policy import RolePolicy
from irsa_doctor.trust.openings import RINGS
from irsa_doctor.trust.ring import Tenant

_Change = Callable[[Draft, IssuerStatement], bool]
"""an edit of a statement; returns whether it changed anything"""


def _statements(case: FixCase, role: RolePolicy) -> list[IssuerStatement]:
    """The statements that a finding is about, whose issuer is no cluster."""
    numbers = set(indexes(case.judged, role))
    readings = [read for read in role.analysed.readings if read.statement.index in numbers and not read.profile.is_cluster]
    return [IssuerStatement(read) for read in readings]


def _changed(case: FixCase, role: RolePolicy, change: _Change) -> PolicyDocument | None:
    """The policy with a change in every statement that it concerns, None where there is none."""
    document, is_changed = role.document, False
    for of in _statements(case, role):
        draft = Draft(document)
        try:
            if change(draft, of):
                document, is_changed = draft.document, True
        except CannotEdit:
            continue
    return document if is_changed else None


def _narrowed(change: _Change, case: FixCase, role: RolePolicy) -> Iterator[PolicyDocument]:
    """The policy with a change, where it lets in nobody new."""
    document = _changed(case, role, change)
    if document is not None and _lets_nobody_in(role, document):
        yield document


def _lets_nobody_in(role: RolePolicy, document: PolicyDocument) -> bool:
    try:
        return policy_change(role, document).proof.kind in ("same", "narrower")
    except Widening:
        return False


def _require(draft: Draft, of: IssuerStatement, subjects: Sequence[str]) -> bool:
    """Require one of these subjects in the place of whatever is required of sub."""
    operator = "StringLike" if any(char in subject for subject in subjects for char in "*?") else "StringEquals"
    document = to_users(draft.document, of.index, of.issuer, subjects, operator) if subjects else None
    if document is None or document == draft.document:
        return False
    draft.document = dict(document)
    return True


# ---- narrower


def _right(draft: Draft, of: IssuerStatement) -> bool:
    """The vendor's right policy, with what the statement and the settings name."""
    if of.grounds.ring.ring in ("nobody", "workload", "ref"):
        return False
    changed = _require(draft, of, right_subjects(of))
    return _right_keys(draft, of) or changed if changed else False


def _right_keys(draft: Draft, of: IssuerStatement) -> bool:
    """The other keys of the right policy, as far as their values are known."""
    known, changed = known_segments(of), False
    checked = {condition.key for condition in of.read.statement.conditions}
    for operator, claims in of.profile.right.items():
        for claim, text in claims.items():
            key = f"{of.issuer}:{claim}"
            if claim not in ("sub", "aud") and key.lower() not in checked and has_no_hole(value := with_segments(text, known)):
                draft.add_condition(of.index, operator, key, [value])
                changed = True
    return changed


def _closed(draft: Draft, of: IssuerStatement) -> bool:
    return _require(draft, of, closed_subjects(of))


def _owned(draft: Draft, of: IssuerStatement) -> bool:
    """Only the tenants that are declared: by their subjects, where no key names them already."""
    return of.grounds.ring.ring in ("platform", "world") and _require(draft, of, own_subjects(of))


def _owned_by_id(draft: Draft, of: IssuerStatement) -> bool:
    """The ids of the declared tenants, as a key of every token has them."""
    ids = tenant_ids(of, [entry.rpartition("@")[0] for entry in of.declared])
    return of.grounds.ring.ring == "platform" and _require_ids(draft, of, ids)


def _require_ids(draft: Draft, of: IssuerStatement, ids: Sequence[str]) -> bool:
    checked = {condition.key for condition in of.read.statement.conditions}
    keys = of.profile.key_by_claim.values()
    key = next((k.key for k in keys if (k.level, k.kind, k.presence) == ("tenant", "id", "always")), "")
    if not ids or not key or f"{of.issuer}:{key}".lower() in checked:
        return False
    draft.add_condition(of.index, "StringEquals", f"{of.issuer}:{key}", ids)
    return True


def _without_guests(draft: Draft, of: IssuerStatement) -> bool:
    """Only those who signed in: the claim that tells them from guests, which has several values."""
    guests = of.profile.guests
    if guests is None:
        return False
    key = f"{of.issuer}:{guests.claim}"
    for condition in of.read.statement.conditions:
        if condition.key == key.lower():
            draft.drop_condition(of.index, str(condition.steps[-2]), str(condition.steps[-1]))
    draft.add_condition(of.index, "ForAnyValue:StringLike", key, [guests.user])
    return True


def _kept(draft: Draft, of: IssuerStatement, keeps: Callable[[str], bool]) -> bool:
    """Only those of the written subjects that are to stay, where there are such."""
    texts = [written.text for written in of.written]
    left = [text for text in texts if keeps(text)]
    if not left or len(left) == len(texts):
        return False
    for condition in of.on_subject:
        for text in set(map(text_of, condition.values)) - set(left):
            draft.remove_value(of.index, str(condition.steps[-2]), str(condition.steps[-1]), text)
    return True


def _reviewed(draft: Draft, of: IssuerStatement) -> bool:
    """Without the subjects of code that nobody reviewed."""
    unreviewed = {w.text for w in of.written for value in w.values if value.segment.runs_unreviewed(value.value)}
    return _kept(draft, of, lambda text: text not in unreviewed)


def _without_outsiders(draft: Draft, of: IssuerStatement) -> bool:
    """Without the subjects of tenants that are not declared."""
    outside = {w.text for w in of.written for t in _tenants(w.known, of) if not is_one_of(t, tuple(of.declared))}
    return bool(of.declared) and _kept(draft, of, lambda text: text not in outside)


def _tenants(known: Mapping[str, str], of: IssuerStatement) -> Iterator[Tenant]:
    kinds = tenant_segments(of.profile)
    by_kind = {by_id: known[name] for name, by_id in kinds.items() if name in known}
    if by_kind:
        yield Tenant(name=by_kind.get(False), id=by_kind.get(True))


def _whole_names(draft: Draft, of: IssuerStatement) -> bool:
    """Refs as they are written, without the star behind them."""
    opening = of.grounds.ring.widest
    part = opening.segment.part if opening.segment and opening.by == "prefix" else ""
    texts = [w.text.removesuffix("*") if part and w.text.endswith(f"{part}*") else w.text for w in of.written]
    return texts != [w.text for w in of.written] and _require(draft, of, list(dict.fromkeys(texts)))


# ---- put right


def _later_runs(draft: Draft, of: IssuerStatement) -> bool:
    """A star in the place of what is new for every run."""
    return _require(draft, of, list(dict.fromkeys(map(for_later_runs, of.written))))


def _nearest_form(draft: Draft, of: IssuerStatement) -> bool:
    """The form of the issuer that is one word from what is written, where there is one."""
    impossible = set(of.grounds.ring.impossible)
    texts = [nearest_subject(w.text, of.profile) if w.text in impossible else w.text for w in of.written]
    return bool(impossible) and all(texts) and _require(draft, of, list(dict.fromkeys(texts)))


def _own_keys(draft: Draft, of: IssuerStatement) -> bool:
    """The issuer of the principal in the keys that name another one."""
    changed = False
    for condition in of.read.statement.conditions:
        base, _, claim = condition.key.rpartition(":")
        is_claim = of.profile.keys != "any" and of.profile.has_key(claim) and base not in ("aws", "sts")
        if is_claim and base != of.issuer.lower():
            draft.replace_key(of.index, str(condition.steps[-2]), str(condition.steps[-1]), f"{of.issuer}:{claim}")
            changed = True
    return changed


def _right_name(draft: Draft, of: IssuerStatement) -> bool:
    """The issuer as its tokens name it, in the principal and in the keys."""
    name, principal = right_name(of.issuer, of.profile), text_of(of.read.principal)
    if not name or name == of.issuer or not principal.endswith(of.issuer):
        return False
    draft.replace_principal(of.index, "Federated", principal, principal.removesuffix(of.issuer) + name)
    for condition in of.read.statement.conditions:
        key = str(condition.steps[-1])
        if key.lower().startswith(f"{of.issuer.lower()}:"):
            draft.replace_key(of.index, str(condition.steps[-2]), key, f"{name}{key[len(of.issuer) :]}")
    return True


def _ids(draft: Draft, of: IssuerStatement) -> bool:
    """Both forms of each subject that has names alone, with the id of its tenant, which a key requires too."""
    names = [name for written in of.written for name in _named_tenants(written.known, of)]
    ids = tenant_ids(of, names) if len(names) == len(of.written) else ()
    added = [text for w in of.written if (text := with_ids(of, w))] if ids else []
    changed = bool(added) and _require(draft, of, list(dict.fromkeys([*(w.text for w in of.written), *added])))
    if changed:
        _require_refs(draft, of)
    return _require_ids(draft, of, ids if _are_units_of_tenants(of) else ()) or changed


def _require_refs(draft: Draft, of: IssuerStatement) -> None:
    """The refs of the subjects as a key, for a star in the place of an id leaves open what stands behind it."""
    keyed = ref_keys(of)
    checked = {condition.key for condition in of.read.statement.conditions}
    if keyed and f"{of.issuer}:{keyed[0][0]}".lower() not in checked:
        draft.add_condition(of.index, "StringEquals", f"{of.issuer}:{keyed[0][0]}", [value for _, value in keyed])


def _named_tenants(known: Mapping[str, str], of: IssuerStatement) -> list[str]:
    return [tenant.name for tenant in _tenants(known, of) if tenant.name is not None]


def _are_units_of_tenants(of: IssuerStatement) -> bool:
    """Whether no unit of code is in a group of its tenant, which would have an id of its own."""
    return not any("/" in (value.value or value.part) for w in of.written for value in w.values if value.level == "repository")


def _reasoned(change: _Change, because: str, case: FixCase) -> Iterator[Proposal]:
    """A change that lets in other subjects than before, with what may go wrong."""
    role = role_to_fix(case)
    document = _changed(case, role, change)
    if document is None:
        return
    try:
        yield msgspec.structs.replace(proposal(role, document), safety="unsafe", because=because)
    except Widening as error:
        raise Unfixable("would-widen", str(error)) from None


def _with_ids(case: FixCase) -> Iterator[Proposal]:
    """Names with their ids, where the ring becomes no wider and no other tenant gets in."""
    role = role_to_fix(case)
    document = _changed(case, role, _ids)
    if document is None:
        raise Unfixable("value-unknown", "the ids of the tenant are not known", "declare it in [owner] as NAME@ID")
    if not _stays_within(case, role, document):
        raise Unfixable("would-widen", "more than these refs of these tenants would be admitted")
    because = "subjects of the same names with the declared ids are admitted, and of no other tenant"
    yield msgspec.structs.replace(proposal(role, document), safety="unsafe", because=because)


def _stays_within(case: FixCase, role: RolePolicy, document: PolicyDocument) -> bool:
    """Whether no statement of a changed policy reaches further than before, or to a tenant of another name."""
    source = role.analysed.role.policy
    if not isinstance(source, TrustPolicy):
        return False
    policy = msgspec.structs.replace(source, document=document, size=-1)
    changed = analyse(msgspec.structs.replace(role.analysed.role, policy=policy), case.view)
    before = {read.statement.index: grounds_of(read).ring for read in role.analysed.readings}
    for read in changed.readings:
        ring, old = grounds_of(read).ring, before[read.statement.index]
        names = {tenant.name for tenant in ring.tenants} - {tenant.name for tenant in old.tenants}
        if RINGS.index(ring.ring) > RINGS.index(old.ring) or names - {None}:
            return False
    return True


def _template(case: FixCase) -> Iterator[Proposal]:
    """Nothing but the vendor's right policy, with what is known filled in, as the next step for a person."""
    for of in _statements(case, role_to_fix(case)):
        known = known_segments(of)
        claims = {
            operator: {f"{of.issuer}:{claim}": with_segments(text, known) for claim, text in claims.items()}
            for operator, claims in of.profile.right.items()
        }
        if claims:
            because = "which tenant is meant, and which repository or workload of it, is in no input"
            raise Unfixable("value-unknown", because, f"require {json.dumps(claims)}, or declare your tenants in [owner]")
    yield from ()


_NARROWER: Mapping[EditKind, _Change] = {
    "issuer-right": _right,
    "issuer-owned": _owned,
    "issuer-owned-id": _owned_by_id,
    "issuer-closed": _closed,
    "issuer-users": _without_guests,
    "issuer-reviewed": _reviewed,
    "issuer-outsiders": _without_outsiders,
    "issuer-whole": _whole_names,
}
"""changes that are made where they let in nobody new"""
_OTHERWISE: Mapping[EditKind, tuple[_Change, str]] = {
    "issuer-later-runs": (_later_runs, "later runs of the same code are admitted too"),
    "issuer-form": (_nearest_form, "whether this subject was meant is not known"),
    "issuer-keys": (_own_keys, "whoever has the subjects that are written gets the role"),
    "issuer-name": (_right_name, "the provider has to have the same URL, and whoever has the subjects then gets the role"),
}
"""changes that let somebody in, with what may go wrong"""

ISSUER_WAYS: Mapping[EditKind, Callable[[FixCase], Iterator[Proposal]]] = {
    **{kind: partial(policy_proposals, partial(_narrowed, change)) for kind, change in _NARROWER.items()},
    **{kind: partial(_reasoned, change, because) for kind, (change, because) in _OTHERWISE.items()},
    "issuer-ids": _with_ids,
    "issuer-template": _template,
}
"""the ways to change statements for issuers that are no clusters, by name; none is proved safe, for who has their tokens is in
no input"""
