"""What messages say of a grant: its names and values, where they stand, and the statement as it should be."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from irsa_doctor.facts.claims import Oddity, oddity
from irsa_doctor.facts.correction import correction
from irsa_doctor.facts.miswritten import miswritten
from irsa_doctor.facts.principals import Form
from irsa_doctor.facts.subject import Evidence
from irsa_doctor.facts.surroundings import Surroundings
from irsa_doctor.model import Issuer, Place, Role, Text, TrustPolicy, parse_arn, text_of
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
    role: Role, source: TrustPolicy, grant: Grant, principal: str, form: Form, kubernetes: bool, around: Surroundings
) -> Evidence:
    """The evidence of one statement for one principal, which is of a form."""
    arn = parse_arn(principal)
    issuer = arn.name if arn else principal
    eks = Issuer.of(issuer).form != "other"
    conditions = grant.statement.conditions
    asked = [(condition, _claim(condition)) for condition in conditions]
    subs = [text_of(v) for c, claim in asked if claim == "sub" for v in c.values]
    odd = list(_odd_keys(grant, issuer))
    striking = _striking(conditions, issuer)
    meant = "" if form in ("provider", "hole") else around.meant_provider(principal, role.account)
    names: dict[str, str | Callable[[], str]] = {
        "role": role.name,
        "account": role.account,
        "principal": principal,
        "provider": f'The principal "{principal}" of {role.name}',
        "tokens": lambda: right_arn.name if (right_arn := parse_arn(meant)) else Issuer.of(issuer).in_tokens,
        "carried": lambda: f"tokens of its service accounts carry {_some(sorted(around.audiences_of(issuer, eks=eks)))}",
        "issuer": issuer,
        "statement": lambda: str(grant.statement.index),
        "cluster": lambda: around.called(issuer),
        "actions": lambda: _actions(grant.statement),
        "keys": lambda: _some(text_of(c.raw_key) for c in conditions),
        "odd_keys": lambda: _some(text_of(c.raw_key) for c in odd),
        **{name: _quoted(found) for name, found in striking.items()},
        "home_region": Issuer.of(issuer).region or "of its cluster",
        "swapped": lambda: _some(_swapped(asked)),
        "default_accounts": lambda: _some(_default_accounts(grant)),
        "odd_clusters": lambda: _some(sorted({around.called(text_of(c.raw_key).rpartition(":")[0]) for c in odd})),
        "subs": lambda: _some(subs),
        "wildcard_subs": lambda: _some(_odd_subs(asked, "wildcard")),
        "case_subs": lambda: _some(_odd_subs(asked, "case")),
        "shape_subs": lambda: _some(f'"{value}"' for value in _odd_subs(asked, "shape")),
        "where": f"The aud condition of {role.name} asks for",
        "auds": lambda: _some(text_of(v) for c, claim in asked if claim == "aud" for v in c.values),
        "patterns": lambda: _some(spell(grant.subjects, kubernetes).patterns),
        "except": lambda: _without(spell(grant.subjects, kubernetes).without),
        "scope": lambda: _scope(reach_of(grant.subjects, kubernetes).scope),
        "witness": lambda: reach_of(grant.subjects, kubernetes).witness or "nobody",
        "meant": meant,
        "hint": f' Did you mean "{meant}"?' if meant else "",
        "never": lambda: never_holding(grant),
        "miswritten": lambda: miswritten(principal, meant),
        "admitted": lambda: _admitted(around, issuer, grant),
        "absent": lambda: _some(_absent(around, issuer, grant)),
    }
    return Evidence(
        names,
        _places(source, grant, principal, asked, odd, striking),
        lambda: correction(role, grant, form, principal, meant, kubernetes=kubernetes, around=around),
    )


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


def _quoted(conditions: list[Condition]) -> Callable[[], str]:
    """Conditions as a message quotes them: operator, key and values."""
    return lambda: "; ".join(
        f"{c.use} on {text_of(c.raw_key)} with {_some(map(text_of, c.values))}" for c in conditions[:_SHOWN]
    )


def never_holding(grant: Grant) -> str:
    """Conditions that hold for no service account, whatever else is asked, as a message quotes them; "" where there is none."""
    return _quoted(_never(grant))()


def _never(grant: Grant) -> list[Condition]:
    return [
        condition
        for condition, limit in zip(grant.statement.conditions, grant.limits, strict=True)
        if limit.effect == "never" or (limit.effect == "sub" and reach_of(limit.language, True).scope == "nobody")
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


def _admitted(around: Surroundings, issuer: str, grant: Grant) -> str:
    known = around.accounts.known(issuer)
    if not known:
        return "no service account of this cluster was given"
    return f"{around.accounts.count(issuer, grant.subjects)} of the {known} service accounts given"


def _absent(around: Surroundings, issuer: str, grant: Grant) -> list[str]:
    """Subjects that are trusted by name and not among the service accounts of the cluster."""
    if not isinstance(grant.subjects, Finite):
        return []
    there = {account.subject for account in around.accounts.admitted(issuer, grant.subjects)}
    return sorted(subject for subject in grant.subjects.values if is_subject(subject) and subject not in there)


def _places(
    source: TrustPolicy,
    grant: Grant,
    principal: str,
    asked: Sequence[tuple[Condition, str]],
    odd: list[Condition],
    striking: Mapping[str, list[Condition]],
) -> dict[str, Place | Callable[[], Place]]:
    statement = grant.statement
    base = source.place.at(*statement.steps)

    def of(condition: Condition | None) -> Place:
        return source.place.at(*condition.steps) if condition else base

    places: dict[str, Place | Callable[[], Place]] = {
        "statement": base,
        "principal": partial(_of_principal, source, statement, principal),
        "provider": partial(_of_principal, source, statement, principal),
        "action": lambda: base.at("Action" if statement.not_actions is None else "NotAction"),
        "odd_key": lambda: of(next(iter((*odd, *statement.conditions)), None)),
        "unlimited_key": partial(_unlimited, source, statement, base),
        "never": lambda: of(next(iter(_never(grant)), None)),
    }
    for name, found in striking.items():
        places[name] = partial(of, found[0])
        places[f"{name}_key"] = partial(source.place.at, *found[0].steps[:-1])
    for condition, claim in asked:
        if claim in ("sub", "aud"):
            places.setdefault(claim, partial(of, condition))
            places.setdefault(f"{claim}_key", partial(of, condition))
            if any(_swapped([(condition, claim)])):
                places.setdefault("swapped", partial(of, condition))
    subs = [condition for condition, claim in asked if claim == "sub"]
    for name in ("wildcard_sub", "case_sub", "shape_sub", "variable_sub", "pattern", "default"):
        places[name] = partial(_place_of_sub, source, subs, base, name)
    return places


def _place_of_sub(source: TrustPolicy, subs: Sequence[Condition], base: Place, name: str) -> Place:
    """Where the first value on sub stands that goes by a name, else the first condition on sub."""
    for condition in subs:
        for number, value in enumerate(condition.values):
            if name in _of_sub(condition, value):
                return _of_value(source, condition, number)
    return source.place.at(*subs[0].steps) if subs else base


def _unlimited(source: TrustPolicy, statement: Statement, base: Place) -> Place:
    """What is missing is missed where the conditions stand, or would."""
    written = _below(_at(source, statement.steps), "Condition") is not None
    return base.at("Condition" if written else "Principal")


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


def _of_principal(source: TrustPolicy, statement: Statement, principal: str) -> Place:
    """Where a Federated principal stands: in a list, or alone."""
    value = _below(_below(_at(source, statement.steps), "Principal"), "Federated")
    here = source.place.at(*statement.steps, "Principal")
    if isinstance(value, list) and principal in (
        texts := [text_of(item) if isinstance(item, str | Text) else "" for item in value]
    ):
        return here.at("Federated", texts.index(principal))
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
