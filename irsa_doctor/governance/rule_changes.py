"""In what a rule requires less than it did: severity, confidence, when it applies, and what must hold."""

from collections.abc import Iterator, Mapping
from typing import Any

from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES, Severity
from irsa_doctor.rulebook.rules import Clause, Graded, Rule

_Schema = Mapping[str, Any]
_OTHERWISE = ""
"""the value of a fact that has no row of its own"""


def relaxations(before: Rule, after: Rule) -> Iterator[str]:
    """Every way in which a rule asks for less than the rule of the same id did, as a sentence."""
    if lower := _lower_severity(before, after):
        yield lower
    if CONFIDENCES.index(after.confidence) > CONFIDENCES.index(before.confidence):
        yield f"the confidence of {before.id} is {after.confidence} and was {before.confidence}"
    if not _asks_as_much(before, after):
        yield f"{before.id} has other conditions"


def _lower_severity(before: Rule, after: Rule) -> str:
    """The first value of the fact that grades a rule for which it counts for less, in words."""
    for value in dict.fromkeys((_OTHERWISE, *_graded(before), *_graded(after))):
        old, new = _severity(before, value), _severity(after, value)
        if isinstance(before.severity, Graded) and isinstance(after.severity, Graded) and _fact(before) != _fact(after):
            old, new = _worst(before), _least(after)
        if SEVERITIES.index(new) > SEVERITIES.index(old):
            return f"{before.id} is {new} and was {old}" + (f" ({value})" if value else "")
    return ""


def _graded(rule: Rule) -> tuple[str, ...]:
    return tuple(rule.severity.values) if isinstance(rule.severity, Graded) else ()


def _fact(rule: Rule) -> str:
    return rule.severity.fact if isinstance(rule.severity, Graded) else ""


def _severity(rule: Rule, value: str) -> Severity:
    if not isinstance(rule.severity, Graded):
        return rule.severity
    return rule.severity.values.get(value, rule.severity.otherwise)


def _worst(rule: Rule) -> Severity:
    return min((_severity(rule, value) for value in (_OTHERWISE, *_graded(rule))), key=SEVERITIES.index)


def _least(rule: Rule) -> Severity:
    return max((_severity(rule, value) for value in (_OTHERWISE, *_graded(rule))), key=SEVERITIES.index)


def least_severity(rule: Rule) -> Severity:
    """The lowest severity that the findings of a rule can have."""
    return _least(rule)


def _asks_as_much(before: Rule, after: Rule) -> bool:
    """Whether a rule applies wherever it did, and fails wherever it did."""
    applies = all(fact in before.when and _implies(before.when[fact], schema) for fact, schema in after.when.items())
    fails = all(any(_is_as_strict(new, old) for new in after.require) for old in before.require)
    return applies and fails and set(before.subject) <= set(after.subject)


def _is_as_strict(new: Clause, old: Clause) -> bool:
    """Whether a clause fails wherever the other does. One of more facts may be unknown where the other fails."""
    return set(new.facts) == set(old.facts) and all(_implies(new.facts[fact], old.facts[fact]) for fact in old.facts)


def _implies(narrow: _Schema, wide: _Schema) -> bool:
    """Whether every value that meets one schema meets the other; false where that is not seen from their form."""
    return all(any(_covers(keyword, wanted, own, value) for own, value in narrow.items()) for keyword, wanted in wide.items())


def _covers(keyword: str, wanted: Any, own: str, value: Any) -> bool:
    """Whether a keyword of the narrower schema leaves only what a keyword of the wider one allows."""
    if keyword in ("const", "enum"):
        return own in ("const", "enum") and _words(own, value) <= _words(keyword, wanted)
    if keyword != own:
        return False
    if keyword == "not":
        return _implies(wanted, value)
    return bool(value >= wanted if keyword == "minimum" else value <= wanted)


def _words(keyword: str, value: Any) -> frozenset[tuple[type, Any]]:
    """The values of `const` or `enum`, with their types: true is not 1."""
    return frozenset((type(item), item) for item in (value if keyword == "enum" else [value]))
