"""Reads the holes in the values of a condition as names, so that what is open whatever they hold can be seen."""

from collections.abc import Iterator, Mapping

import msgspec

from irsa_doctor.issuers import SubjectGrammar
from irsa_doctor.model import Hole, Text, holes_in
from irsa_doctor.trust.languages import Like, literal
from irsa_doctor.trust.patterns import glob_of
from irsa_doctor.trust.policy import Condition, Statement
from irsa_doctor.trust.subjects import PREFIX, Reach, Scope, pattern_of, reach_of

_ORDER: tuple[Scope, ...] = ("one", "several", "pattern", "namespace", "namespaces", "cluster", "anyone")
_NAME = "irsa-doctor-hole-"


class NamedHoles(msgspec.Struct, frozen=True):
    """A statement with a name for each hole of the values on sub and aud; `names` are the holes by name."""

    statement: Statement
    names: Mapping[str, str]

    def written(self, text: str) -> str:
        """A text about the statement, with the holes as the document writes them."""
        for name, hole in self.names.items():
            text = text.replace(f"{name}:{name}", hole).replace(name, hole)
        return text


def with_names(statement: Statement, issuer: str, grammar: SubjectGrammar) -> NamedHoles:
    """The statement with its holes taken for names; `issuer` as its keys name it."""
    if Text not in [type(value) for condition in statement.conditions for value in condition.values]:
        return NamedHoles(statement, {})
    claims = {f"{issuer.lower()}:{claim}" for claim in ("sub", "aud")}
    listed = [condition for condition in statement.conditions if condition.key in claims]
    holes = dict.fromkeys(hole for condition in listed for hole in holes_in(condition.values))
    names = {hole: f"{_NAME}{number}" for number, hole in enumerate(holes)}
    conditions = tuple(
        _named(condition, names, grammar) if condition.key in claims else condition for condition in statement.conditions
    )
    shown = {name: hole.name for hole, name in reversed(names.items())}
    return NamedHoles(msgspec.structs.replace(statement, conditions=conditions), shown)


def _named(condition: Condition, names: Mapping[Hole, str], grammar: SubjectGrammar) -> Condition:
    if condition.use.operator.family not in ("string", "arn") or not any(holes_in(condition.values)):
        return condition
    of_subject = condition.key.endswith(":sub") and grammar == "service-account"
    wildcards = condition.use.operator.has_wildcards
    values = tuple(
        value if isinstance(value, str) else _narrowest(value, names, of_subject=of_subject, wildcards=wildcards)
        for value in condition.values
    )
    return msgspec.structs.replace(condition, values=values)


def _narrowest(value: Text, names: Mapping[Hole, str], *, of_subject: bool, wildcards: bool) -> str:
    """The value with names for its holes; of subjects those with which it admits the fewest, but at least one."""
    readings = list(_readings(value, names))
    if not of_subject:
        return readings[0]
    scopes = {text: _reach(text, wildcards=wildcards).scope for text in readings}
    open_to_some = [text for text in readings if scopes[text] in _ORDER]
    if not open_to_some:
        return readings[-1]
    return min(open_to_some, key=lambda text: _ORDER.index(scopes[text] or "anyone"))


def _readings(value: Text, names: Mapping[Hole, str]) -> Iterator[str]:
    """Each hole as one name; the first one as namespace and name; as the prefix of subjects too; all of it as one subject."""
    first = next(holes_in(value))

    def filled(begin: str) -> str:
        texts = [part if isinstance(part, str) else begin if part == first else names[part] for part in value.parts]
        return "".join(texts)

    name = names[first]
    yield filled(name)
    yield filled(f"{name}:{name}")
    yield filled(f"{PREFIX}{name}")
    yield filled(f"{PREFIX}{name}:{name}")


def _reach(text: str, *, wildcards: bool) -> Reach:
    if not wildcards:
        return reach_of(literal(text), "service-account")
    return reach_of(Like(glob_of(pattern_of(text))), "service-account")


def may_hold_wildcards(condition: Condition) -> bool:
    """Whether a hole of its values can hold a wildcard, so that it may admit more than one name in its place."""
    return condition.use.operator.has_wildcards and any(holes_in(condition.values))
