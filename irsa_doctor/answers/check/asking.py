"""What one rule says of the facts of one subject."""

from collections.abc import Mapping
from typing import Any

import msgspec

from irsa_doctor.model import Unknown, Verdict
from irsa_doctor.rulebook.rules import Rule


class RuleAnswer(msgspec.Struct, frozen=True):
    """What one rule says of one fact record."""

    verdict: Verdict
    clause: str = ""
    missing: tuple[Unknown, ...] = ()


def meets(schema: Mapping[str, Any], value: object) -> bool:
    """Whether a known fact meets a schema of the small vocabulary (JSON Schema: const, enum, not, minimum, maximum)."""
    for keyword, wanted in schema.items():
        if keyword == "const":
            good = _is(value, wanted)
        elif keyword == "enum":
            good = any(_is(value, one) for one in wanted)
        elif keyword == "not":
            good = not meets(wanted, value)
        elif keyword == "minimum":
            good = type(value) is not int or value >= wanted
        else:
            good = type(value) is not int or value <= wanted
        if not good:
            return False
    return True


def _is(value: object, wanted: object) -> bool:
    """Equal as JSON: true is not 1."""
    return type(value) is type(wanted) and value == wanted


def ask(rule: Rule, facts: msgspec.Struct) -> RuleAnswer | None:
    """What a rule says of a subject; None where it does not apply."""
    missing: list[Unknown] = []
    for fact, schema in rule.when.items():
        value = getattr(facts, fact)
        if isinstance(value, Unknown):
            missing.append(value)
        elif not meets(schema, value):
            return None
    if missing:
        return RuleAnswer(Verdict.UNKNOWN, "", tuple(missing))
    for clause in rule.require:
        values = {fact: getattr(facts, fact) for fact in clause.facts}
        unseen = [value for value in values.values() if isinstance(value, Unknown)]
        if unseen:
            missing += unseen
        elif not all(meets(schema, values[fact]) for fact, schema in clause.facts.items()):
            return RuleAnswer(Verdict.FAIL, clause.name)
    return RuleAnswer(Verdict.UNKNOWN, "", tuple(missing)) if missing else RuleAnswer(Verdict.PASS)


def is_failed_by(rule: Rule, facts: msgspec.Struct) -> bool:
    """Whether a subject fails a rule."""
    answer = ask(rule, facts)
    return answer is not None and answer.verdict is Verdict.FAIL
