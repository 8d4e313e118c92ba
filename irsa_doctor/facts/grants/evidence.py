"""What messages say of a grant: its names and values, and where they stand."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from irsa_doctor.facts.grants.provider_arns import arn_mistakes
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.facts.grants.ring_evidence import RING_NAMES
from irsa_doctor.facts.subject import Evidence, LazyMapping
from irsa_doctor.model import Issuer, Place, Text, TrustPolicy, parse_arn, text_of
from irsa_doctor.trust import Grant, Statement, is_subject, spell
from irsa_doctor.trust.audiences import made_visible
from irsa_doctor.trust.defect_kinds import Defect, DefectKind
from irsa_doctor.trust.languages import Finite
from irsa_doctor.trust.policy import Condition
from irsa_doctor.trust.refusals import Steps
from irsa_doctor.trust.subjects import reach_of

_SHOWN = 6
_SCOPES = {
    "nobody": "nobody",
    "one": "one service account",
    "several": "several service accounts",
    "namespace": "any number of service accounts of one namespace",
    "namespaces": "service accounts of any number of namespaces",
    "cluster": "every service account of the cluster",
    "pattern": "any number of subjects",
    "anyone": "every subject",
}


def grant_evidence(read: GrantReading) -> Evidence:
    """The evidence of one statement for one principal."""
    return Evidence(LazyMapping(_NAMES, read), LazyMapping(_PLACES, read))


def _base(read: GrantReading) -> Place:
    return read.source.place.at(*read.statement.steps)


def _first(read: GrantReading, *kinds: DefectKind) -> Defect | None:
    """The first defect of some kinds, in the order of the statement."""
    return next(iter(read.reading.of(*kinds)), None)


def _values(read: GrantReading, *kinds: DefectKind) -> Iterator[str]:
    """What is wrong, of some kinds, each once."""
    return iter(dict.fromkeys(defect.value for defect in read.reading.of(*kinds)))


def _conditions(read: GrantReading, *kinds: DefectKind) -> list[Condition]:
    """The conditions that have a defect of some kinds."""
    return list({c.steps: c for defect in read.reading.of(*kinds) if (c := defect.condition)}.values())


def _on(read: GrantReading, claim: str) -> list[Condition]:
    """The conditions on a claim, whatever issuer their key names."""
    return [c for c in read.statement.conditions if text_of(c.raw_key).lower().rpartition(":")[2] == claim]


def _requires(read: GrantReading, claim: str) -> str:
    return _listed(text_of(value) for condition in _on(read, claim) for value in condition.values)


def _audiences(read: GrantReading) -> str:
    negated = [c for c in _on(read, "aud") if c.use.operator.negated]
    return f"{'any but ' if negated else ''}{_requires(read, 'aud')}"


def _listed(values: Iterable[str]) -> str:
    listed = list(values)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return (", ".join(listed[:_SHOWN]) or "none") + more


def _actions(statement: Statement) -> str:
    if statement.not_actions is None:
        return _listed(map(text_of, statement.actions))
    return f"everything but {_listed(map(text_of, statement.not_actions))}"


def _named(read: GrantReading, text: str) -> str:
    """A text about subjects, with holes as the document writes them."""
    return read.with_names.written(text)


def _without(patterns: Iterable[str]) -> str:
    listed = list(patterns)
    return f" except {_listed(listed)}" if listed else ""


def _scope(scope: str | None) -> str:
    return _SCOPES.get(scope or "", scope or "unknown")


def _quoted(conditions: Sequence[Condition]) -> str:
    """Conditions as a message quotes them: operator, key and values."""
    return "; ".join(f"{c.use} on {text_of(c.raw_key)} with {_listed(map(text_of, c.values))}" for c in conditions[:_SHOWN])


def never_holding(grant: Grant) -> str:
    """Conditions that hold for no service account, whatever else is asked, as a message quotes them; "" where there is none."""
    return _quoted(_never(grant))


def _never(grant: Grant) -> list[Condition]:
    return [
        condition
        for condition, limit in zip(grant.statement.conditions, grant.limits, strict=True)
        if limit.effect == "never" or (limit.effect == "sub" and reach_of(limit.language, "service-account").scope == "nobody")
    ]


def _swapped(read: GrantReading) -> Iterator[str]:
    """Values that belong to the other claim."""
    for defect in read.reading.of("claims-swapped"):
        claim = text_of(defect.condition.raw_key).lower().rpartition(":")[2] if defect.condition else ""
        yield f'{claim} with "{defect.value}"'


def _default_accounts(read: GrantReading) -> list[str]:
    values = read.subjects.values if isinstance(read.subjects, Finite) else ()
    return sorted(value for value in values if value.endswith(":default") and is_subject(value))


def _witness(read: GrantReading) -> str:
    """One subject that gets in."""
    if read.kind == "other":
        return RING_NAMES["stranger"](read) or "nobody"
    witness = read.reach.witness
    return "nobody" if witness is None else witness or "any text"


def _until(read: GrantReading) -> str:
    """What is still lacking where the provider accepts no audience that the statement does, for the middle of a sentence."""
    wanted = read.client_ids_wanted
    if wanted is None:
        return ""
    named = f'"{_listed(sorted(wanted.values))}" is a client id of' if isinstance(wanted, Finite) else "a client id is added to"
    return f" as soon as {named} the OIDC provider (STS refuses its tokens until then)"


def guard_refusal(read: GrantReading) -> str:
    """What IAM answers on save where it refuses the statement for its shared issuer, "" where it does not."""
    steps = (*read.statement.steps, "Principal")
    problems = read.policy.problems
    return next(
        (problem.message for problem in problems if problem.code == "shared-issuer-control" and problem.steps == steps), ""
    )


def _admitted(read: GrantReading) -> str:
    if not read.profile.is_cluster:
        return "who gets tokens of this issuer is not known"
    accounts = read.lookups.accounts
    known = accounts.known(read.issuer)
    if not known:
        return "no service account of the cluster in the input"
    return f"{accounts.count(read.issuer, read.subjects)} of the {known} service accounts in the input"


def _absent(read: GrantReading) -> list[str]:
    """Subjects that are trusted by name and not among the service accounts of the cluster."""
    subjects = read.subjects
    return sorted(read.lookups.accounts.lacking(read.issuer, subjects.values)) if isinstance(subjects, Finite) else []


def _carried(read: GrantReading) -> str:
    return f"tokens of its service accounts carry {_listed(sorted(read.expected.audiences))}"


def _in_tokens(read: GrantReading) -> str:
    arn = parse_arn(read.expected.provider)
    return arn.name if arn else Issuer.of(read.issuer).in_tokens


def _odd_clusters(read: GrantReading) -> str:
    return _listed(sorted({read.lookups.called(value.rpartition(":")[0]) for value in _values(read, *_OTHER_KEYS)}))


def _place_of(kinds: Sequence[DefectKind], read: GrantReading) -> Place | None:
    """Where the first defect of some kinds stands."""
    defect = _first(read, *kinds)
    return read.source.place.at(*defect.places[0]) if defect else None


def _place_of_sub(name: str, read: GrantReading) -> Place:
    """Where the first value on sub stands that a rule means, else the first condition on sub."""
    subs = _on(read, "sub")
    for condition in subs:
        for number, value in enumerate(condition.values):
            text = text_of(value)
            if text.endswith(":default") if name == "default" else "*" in text or "?" in text:
                return read.source.place.at(*condition.steps_to(number))
    return read.source.place.at(*subs[0].steps) if subs else _base(read)


def _place_of_claim(claim: str, read: GrantReading) -> Place | None:
    conditions = _on(read, claim)
    return read.source.place.at(*conditions[0].steps) if conditions else None


def _place_of_key(read: GrantReading) -> Place:
    first = next(iter((*_conditions(read, *_KEYS), *read.statement.conditions)), None)
    return read.source.place.at(*first.steps) if first else _base(read)


def _place_of_never(read: GrantReading) -> Place:
    never = _never(read.grant)
    return read.source.place.at(*never[0].steps) if never else _base(read)


def _unlimited(read: GrantReading) -> Place:
    """What is missing is missed where the conditions stand, or would."""
    written = _below(_at(read.source, read.statement.steps), "Condition") is not None
    return _base(read).at("Condition" if written else "Principal")


def _of_principal(read: GrantReading) -> Place:
    """Where a Federated principal stands: in a list, or alone."""
    value = _below(_below(_at(read.source, read.statement.steps), "Principal"), "Federated")
    place = _base(read).at("Principal")
    if isinstance(value, list):
        texts = [text_of(item) if isinstance(item, str | Text) else "" for item in value]
        if (name := text_of(read.principal)) in texts:
            return place.at("Federated", texts.index(name))
    return place if value is None else place.at("Federated")


def _denial(read: GrantReading) -> Place | None:
    denials = [statement for statement in read.policy.statements if not statement.allow]
    return read.source.place.at(*denials[0].steps, "Effect") if denials else None


def _at(source: TrustPolicy, steps: Steps) -> object:
    value: object = source.document
    for step in steps:
        value = _below(value, step)
    return value


def _below(value: object, step: str | int) -> object:
    """The member of a step; names of members may have holes."""
    if isinstance(value, list) and isinstance(step, int):
        return value[step] if step < len(value) else None
    return next((item for name, item in value.items() if text_of(name) == step), None) if isinstance(value, dict) else None


def _quoted_defects(kinds: Sequence[DefectKind], read: GrantReading) -> str | None:
    return _quoted(_conditions(read, *kinds)) or None


_OTHER_KEYS: tuple[DefectKind, ...] = ("key-issuer", "key-two-issuers", "key-ignored")
_KEYS: tuple[DefectKind, ...] = (
    "key-scheme",
    "key-arn",
    "key-slash",
    "key-path",
    "key-session",
    "key-absent",
    "subject-variable",
    *_OTHER_KEYS,
)
_BY_CONDITION: Mapping[str, tuple[DefectKind, ...]] = {
    "for_all": ("for-all-values",),
    "for_any": ("for-any-value",),
    "negated": ("negated",),
    "if_exists": ("if-exists",),
    "source_ip": ("source-address",),
    "region": ("region",),
    "session_name": ("session-name",),
    "context": ("context-value", "time-ahead", "role-pinning"),
    "typed": ("typed-operator",),
}
"""names for conditions with a defect; NAME_key is where their operator stands"""
_BY_VALUE: Mapping[str, tuple[DefectKind, ...]] = {
    "wildcard_sub": ("subject-wildcard",),
    "case_sub": ("subject-case", "audience-case"),
    "shape_sub": ("subject-shape",),
    "invisible_sub": ("subject-invisible",),
    "variable_sub": ("subject-version",),
    "swapped": ("claims-swapped",),
}
"""names for the place of the first value with a defect"""


def _hint(read: GrantReading) -> str:
    """The provider that is meant, where the principal is not that one already."""
    meant = read.expected.provider
    return f' Did you mean "{meant}"?' if meant and meant != text_of(read.principal) else ""


_NAMES: Mapping[str, Callable[[GrantReading], str | None]] = {
    "role": lambda read: read.role.name,
    "grantor": lambda read: f"The trust policy of {read.role.name}",
    "account": lambda read: read.role.account,
    "principal": lambda read: text_of(read.principal),
    "provider": lambda read: f'The principal "{text_of(read.principal)}" of {read.role.name}',
    "tokens": _in_tokens,
    "carried": _carried,
    "issuer": lambda read: read.issuer,
    "statement": lambda read: str(read.statement.index),
    "cluster": lambda read: read.lookups.called(read.issuer),
    "actions": lambda read: _actions(read.statement),
    "odd_actions": lambda read: _listed(_values(read, "action-spelling")),
    "guard": lambda read: guard_refusal(read).rstrip("."),
    "keys": lambda read: _listed(text_of(c.raw_key) for c in read.statement.conditions),
    "odd_keys": lambda read: _listed(map(made_visible, _values(read, *_KEYS))),
    "home_region": lambda read: Issuer.of(read.issuer).region or "of its cluster",
    "swapped": lambda read: _listed(_swapped(read)),
    "default_accounts": lambda read: _named(read, _listed(_default_accounts(read))),
    "odd_clusters": _odd_clusters,
    "subs": lambda read: _requires(read, "sub"),
    "wildcard_subs": lambda read: _listed(_values(read, "subject-wildcard")),
    "case_values": lambda read: _listed(_values(read, "subject-case", "audience-case")),
    "shape_subs": lambda read: _listed(f'"{made_visible(value)}"' for value in _values(read, "subject-shape")),
    "invisible_subs": lambda read: _listed(f'"{made_visible(value)}"' for value in _values(read, "subject-invisible")),
    "invisible": lambda read: _listed(f'"{made_visible(value)}"' for value in _values(read, "audience-invisible")),
    "where": lambda read: f"The aud condition of {read.role.name} requires",
    "auds": _audiences,
    "patterns": lambda read: _named(read, _listed(spell(read.subjects, read.profile.grammar).patterns)),
    "except": lambda read: _named(read, _without(spell(read.subjects, read.profile.grammar).without)),
    "scope": lambda read: _scope(read.reach.scope),
    "everybody": lambda read: "Every service account" if read.profile.is_cluster else "Every subject",
    "until": _until,
    "witness": lambda read: _named(read, _witness(read)),
    "allowed": lambda read: _scope(read.reach_before_deny.scope),
    "meant": lambda read: read.expected.provider,
    "hint": _hint,
    "lasting": lambda read: "not true today" if "time-ahead" in read.kinds else "never true",
    "never": lambda read: never_holding(read.grant),
    "miswritten": lambda read: arn_mistakes(text_of(read.principal), read.expected.provider),
    "admitted": _admitted,
    "absent": lambda read: _listed(_absent(read)),
    **{name: partial(_quoted_defects, kinds) for name, kinds in _BY_CONDITION.items()},
    **RING_NAMES,
}
_PLACES: Mapping[str, Callable[[GrantReading], Place | None]] = {
    "statement": _base,
    "principal": _of_principal,
    "provider": _of_principal,
    "action": lambda read: _base(read).at("Action" if read.statement.not_actions is None else "NotAction"),
    "odd_key": _place_of_key,
    "unlimited_key": _unlimited,
    "never": _place_of_never,
    "denial": _denial,
    **{name: partial(_place_of_claim, claim) for claim in ("sub", "aud") for name in (claim, f"{claim}_key")},
    **{name: partial(_place_of_sub, name) for name in ("pattern", "default")},
    **{name: partial(_place_of, kinds) for name, kinds in _BY_VALUE.items()},
    **{name: partial(_place_of, kinds) for name, kinds in _BY_CONDITION.items()},
    **{f"{name}_key": partial(_place_of, kinds) for name, kinds in _BY_CONDITION.items()},
}
