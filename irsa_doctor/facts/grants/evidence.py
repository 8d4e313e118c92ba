"""What messages say of a grant: its names and values, where they stand, and the statement as it should be."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from irsa_doctor.facts.grants.claims import Oddity, oddity
from irsa_doctor.facts.grants.miswritten import miswritten
from irsa_doctor.facts.grants.principals import Form
from irsa_doctor.facts.lookups.surroundings import Surroundings
from irsa_doctor.facts.subject import Evidence, Told
from irsa_doctor.issuers import Profile
from irsa_doctor.model import Issuer, Place, Role, Text, TrustPolicy, parse_arn, text_of
from irsa_doctor.model.once import once
from irsa_doctor.trust import SUBJECT_PREFIX, Grant, Statement, is_subject, spell
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import Finite
from irsa_doctor.trust.policy import Condition, Value
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
}
_NAMED_KEYS = {"aws:sourceip": "source_ip", "aws:requestedregion": "region", "sts:rolesessionname": "session_name"}
_SURE = "sts.amazonaws.com"


def grant_evidence(
    role: Role, source: TrustPolicy, grant: Grant, principal: str, form: Form, profile: Profile, around: Surroundings
) -> Evidence:
    """The evidence of one statement for one principal, which is of a form."""
    scene = _Scene(role, source, grant, principal, form, profile, around)
    return Evidence(Told(_NAMES, scene), Told(_PLACES, scene))


class _Scene(msgspec.Struct, frozen=True, dict=True):
    """One statement for one principal; what several names and places are made of is worked out once."""

    role: Role
    source: TrustPolicy
    grant: Grant
    principal: str
    form: Form
    profile: Profile
    around: Surroundings

    @property
    def statement(self) -> Statement:
        return self.grant.statement

    @once
    def issuer(self) -> str:
        arn = parse_arn(self.principal)
        return arn.name if arn else self.principal

    @once
    def meant(self) -> str:
        """The provider that the principal nearly names, "" where there is none."""
        if self.form in ("provider", "hole"):
            return ""
        return self.around.meant_provider(self.principal, self.role.account)

    @once
    def asked(self) -> Sequence[tuple[Condition, str]]:
        """Conditions, each with the last part of its key."""
        return [(condition, _claim(condition)) for condition in self.statement.conditions]

    @once
    def odd(self) -> Sequence[Condition]:
        return list(_odd_keys(self.grant, self.issuer))

    @once
    def striking(self) -> Mapping[str, list[Condition]]:
        return _striking(self.statement.conditions, self.issuer)

    def values(self, claim: str) -> Iterator[str]:
        return (text_of(value) for condition, of in self.asked if of == claim for value in condition.values)

    def on(self, claim: str) -> list[Condition]:
        return [condition for condition, of in self.asked if of == claim]

    def base(self) -> Place:
        return self.source.place.at(*self.statement.steps)

    def of(self, condition: Condition | None) -> Place:
        """Where a condition stands, or its statement."""
        return self.source.place.at(*condition.steps) if condition else self.base()


def _some(values: Iterable[str]) -> str:
    listed = list(values)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return (", ".join(listed[:_SHOWN]) or "none") + more


def _actions(statement: Statement) -> str:
    if statement.not_actions is None:
        return _some(map(text_of, statement.actions))
    return f"everything but {_some(map(text_of, statement.not_actions))}"


def _without(patterns: Iterable[str]) -> str:
    listed = list(patterns)
    return f" except {_some(listed)}" if listed else ""


def _scope(scope: str | None) -> str:
    return _SCOPES.get(scope or "", scope or "unknown")


def _claim(condition: Condition) -> str:
    """The last part of a key, whatever issuer stands before it."""
    return text_of(condition.raw_key).lower().rpartition(":")[2]


def _odd_keys(grant: Grant, issuer: str) -> Iterator[Condition]:
    """Conditions on keys that are in no request of this issuer."""
    for condition in grant.statement.conditions:
        if condition.key and presence(condition.key, issuer.lower()) == "never":
            yield condition


def _striking(conditions: Iterable[Condition], issuer: str) -> dict[str, list[Condition]]:
    """Conditions that rules speak of, by what strikes in them."""
    found: dict[str, list[Condition]] = {}
    for condition in conditions:
        for name in _strikes(condition, issuer.lower()):
            found.setdefault(name, []).append(condition)
    return found


def _strikes(condition: Condition, issuer: str) -> Iterator[str]:
    use, negated = condition.use, condition.use.operator.negated
    claim = presence(condition.key, issuer) if condition.key else _claim(condition)
    if (name := _NAMED_KEYS.get(condition.key)) and not negated:
        yield name
    if claim not in ("sub", "aud") or use.operator.family == "null":
        return
    if use.qualifier:
        yield "for_all" if use.qualifier == "ForAllValues" else "for_any"
    if claim == "sub" and (negated or use.if_exists):
        yield "negated" if negated else "if_exists"


def _quoted(conditions: Sequence[Condition]) -> str:
    """Conditions as a message quotes them: operator, key and values."""
    return "; ".join(f"{c.use} on {text_of(c.raw_key)} with {_some(map(text_of, c.values))}" for c in conditions[:_SHOWN])


def never_holding(grant: Grant) -> str:
    """Conditions that hold for no service account, whatever else is asked, as a message quotes them; "" where there is none."""
    return _quoted(_never(grant))


def _never(grant: Grant) -> list[Condition]:
    return [
        condition
        for condition, limit in zip(grant.statement.conditions, grant.limits, strict=True)
        if limit.effect == "never" or (limit.effect == "sub" and reach_of(limit.language, "service-account").scope == "nobody")
    ]


def _swapped(asked: Iterable[tuple[Condition, str]]) -> Iterator[str]:
    """Values that belong to the other claim."""
    for condition, claim in asked:
        for value in map(text_of, condition.values):
            if (claim == "aud" and value.startswith(SUBJECT_PREFIX)) or (claim == "sub" and value == _SURE):
                yield f'{claim} with "{value}"'


def _default_accounts(grant: Grant) -> list[str]:
    values = grant.subjects.values if isinstance(grant.subjects, Finite) else ()
    return sorted(value for value in values if value.endswith(":default") and is_subject(value))


def _admitted(scene: _Scene) -> str:
    accounts = scene.around.accounts
    known = accounts.known(scene.issuer)
    if not known:
        return "no service account of this cluster was given"
    return f"{accounts.count(scene.issuer, scene.grant.subjects)} of the {known} service accounts given"


def _absent(scene: _Scene) -> list[str]:
    """Subjects that are trusted by name and not among the service accounts of the cluster."""
    subjects = scene.grant.subjects
    return sorted(scene.around.accounts.lacking(scene.issuer, subjects.values)) if isinstance(subjects, Finite) else []


def _carried(scene: _Scene) -> str:
    return f"tokens of its service accounts carry {_some(sorted(scene.around.audiences_of(scene.issuer)))}"


def _in_tokens(scene: _Scene) -> str:
    arn = parse_arn(scene.meant)
    return arn.name if arn else Issuer.of(scene.issuer).in_tokens


def _odd_clusters(scene: _Scene) -> str:
    return _some(sorted({scene.around.called(text_of(c.raw_key).rpartition(":")[0]) for c in scene.odd}))


def _place_of_sub(name: str, scene: _Scene) -> Place:
    """Where the first value on sub stands that goes by a name, else the first condition on sub."""
    subs = scene.on("sub")
    for condition in subs:
        for number, value in enumerate(condition.values):
            if name in _of_sub(condition, value):
                return _of_value(scene.source, condition, number)
    return scene.of(next(iter(subs), None))


def _place_of_claim(claim: str, scene: _Scene) -> Place | None:
    asking = scene.on(claim)
    return scene.of(asking[0]) if asking else None


def _place_of_striking(name: str, scene: _Scene) -> Place | None:
    return scene.of(scene.striking[name][0]) if name in scene.striking else None


def _place_of_operator(name: str, scene: _Scene) -> Place | None:
    """Where the operator of a striking condition stands."""
    return scene.source.place.at(*scene.striking[name][0].steps[:-1]) if name in scene.striking else None


def _place_of_swapped(scene: _Scene) -> Place | None:
    return next((scene.of(one[0]) for one in scene.asked if any(_swapped([one]))), None)


def _unlimited(scene: _Scene) -> Place:
    """What is missing is missed where the conditions stand, or would."""
    written = _below(_at(scene.source, scene.statement.steps), "Condition") is not None
    return scene.base().at("Condition" if written else "Principal")


def _odd_subs(asked: Iterable[tuple[Condition, str]], kind: Oddity) -> Iterator[str]:
    """Values on sub that no service account has, for this reason."""
    for condition, claim in asked:
        for value in condition.values if claim == "sub" else ():
            if isinstance(value, str) and oddity(condition, value) == kind:
                yield value


def _of_sub(condition: Condition, value: Value) -> Iterator[str]:
    """By which names rules point at a value on sub."""
    if isinstance(value, str) and value.endswith(":default"):
        yield "default"
    if isinstance(value, str) and (odd := oddity(condition, value)):
        yield f"{odd}_sub"
    elif "*" in text_of(value) or "?" in text_of(value):
        yield "pattern"


def _of_principal(scene: _Scene) -> Place:
    """Where a Federated principal stands: in a list, or alone."""
    value = _below(_below(_at(scene.source, scene.statement.steps), "Principal"), "Federated")
    here = scene.base().at("Principal")
    if isinstance(value, list) and scene.principal in (
        texts := [text_of(item) if isinstance(item, str | Text) else "" for item in value]
    ):
        return here.at("Federated", texts.index(scene.principal))
    return here if value is None else here.at("Federated")


def _of_value(source: TrustPolicy, condition: Condition, number: int) -> Place:
    """Where one value of a condition stands: in a list, or alone."""
    here = source.place.at(*condition.steps)
    return here.at(number) if isinstance(_at(source, condition.steps), list) else here


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


def _striking_named(name: str, scene: _Scene) -> str | None:
    return _quoted(scene.striking[name]) if name in scene.striking else None


_STRIKING = ("for_all", "for_any", "negated", "if_exists", *_NAMED_KEYS.values())
_NAMES: Mapping[str, Callable[[_Scene], str | None]] = {
    "role": lambda scene: scene.role.name,
    "account": lambda scene: scene.role.account,
    "principal": lambda scene: scene.principal,
    "provider": lambda scene: f'The principal "{scene.principal}" of {scene.role.name}',
    "tokens": _in_tokens,
    "carried": _carried,
    "issuer": lambda scene: scene.issuer,
    "statement": lambda scene: str(scene.statement.index),
    "cluster": lambda scene: scene.around.called(scene.issuer),
    "actions": lambda scene: _actions(scene.statement),
    "keys": lambda scene: _some(text_of(c.raw_key) for c in scene.statement.conditions),
    "odd_keys": lambda scene: _some(text_of(c.raw_key) for c in scene.odd),
    "home_region": lambda scene: Issuer.of(scene.issuer).region or "of its cluster",
    "swapped": lambda scene: _some(_swapped(scene.asked)),
    "default_accounts": lambda scene: _some(_default_accounts(scene.grant)),
    "odd_clusters": _odd_clusters,
    "subs": lambda scene: _some(scene.values("sub")),
    "wildcard_subs": lambda scene: _some(_odd_subs(scene.asked, "wildcard")),
    "case_subs": lambda scene: _some(_odd_subs(scene.asked, "case")),
    "shape_subs": lambda scene: _some(f'"{value}"' for value in _odd_subs(scene.asked, "shape")),
    "where": lambda scene: f"The aud condition of {scene.role.name} asks for",
    "auds": lambda scene: _some(scene.values("aud")),
    "patterns": lambda scene: _some(spell(scene.grant.subjects, scene.profile.grammar).patterns),
    "except": lambda scene: _without(spell(scene.grant.subjects, scene.profile.grammar).without),
    "scope": lambda scene: _scope(reach_of(scene.grant.subjects, scene.profile.grammar).scope),
    "witness": lambda scene: reach_of(scene.grant.subjects, scene.profile.grammar).witness or "nobody",
    "meant": lambda scene: scene.meant,
    "hint": lambda scene: f' Did you mean "{scene.meant}"?' if scene.meant else "",
    "never": lambda scene: never_holding(scene.grant),
    "miswritten": lambda scene: miswritten(scene.principal, scene.meant),
    "admitted": _admitted,
    "absent": lambda scene: _some(_absent(scene)),
    **{name: partial(_striking_named, name) for name in _STRIKING},
}
_PLACES: Mapping[str, Callable[[_Scene], Place | None]] = {
    "statement": _Scene.base,
    "principal": _of_principal,
    "provider": _of_principal,
    "action": lambda scene: scene.base().at("Action" if scene.statement.not_actions is None else "NotAction"),
    "odd_key": lambda scene: scene.of(next(iter((*scene.odd, *scene.statement.conditions)), None)),
    "unlimited_key": _unlimited,
    "never": lambda scene: scene.of(next(iter(_never(scene.grant)), None)),
    "swapped": _place_of_swapped,
    **{name: partial(_place_of_claim, claim) for claim in ("sub", "aud") for name in (claim, f"{claim}_key")},
    **{name: partial(_place_of_striking, name) for name in _STRIKING},
    **{f"{name}_key": partial(_place_of_operator, name) for name in _STRIKING},
    **{
        name: partial(_place_of_sub, name)
        for name in ("wildcard_sub", "case_sub", "shape_sub", "variable_sub", "pattern", "default")
    },
}
