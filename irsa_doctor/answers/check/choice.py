"""Chooses the rules that the settings select, with the severities that they give them."""

from collections.abc import Sequence

import msgspec

from irsa_doctor.facts import did_you_mean
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.rulebook.frameworks import rules_of
from irsa_doctor.rulebook.rules import Rule


class UnknownRule(IrsaDoctorError):
    """A setting, flag or argument names a rule that does not exist; the text names the nearest that does."""


def choose(rules: Sequence[Rule], settings: Settings) -> list[Rule]:
    """The rules that the settings select, with the severities that they give them. Raises UnknownRule."""
    known = {rule.id for rule in rules}
    for name in (*settings.select, *settings.ignore, *settings.severity):
        if name not in known:
            raise UnknownRule(f"no rule {name}.{did_you_mean(name, known)}")
    if settings.framework:
        rules = rules_of(settings.framework, rules)
    chosen = [rule for rule in rules if (not settings.select or rule.id in settings.select) and rule.id not in settings.ignore]
    return [msgspec.structs.replace(rule, severity=settings.severity.get(rule.id, rule.severity)) for rule in chosen]
