"""Explains a rule or a cause by its id."""

from typing import TYPE_CHECKING

from irsa_doctor.api.rules import RulePage, list_rules, show_rule
from irsa_doctor.model.errors import IrsaDoctorError

if TYPE_CHECKING:
    from irsa_doctor.answers.why.modes import Mode


class UnknownId(IrsaDoctorError):
    """No rule and no cause has an id; the text names the nearest that exists."""


def explain(ident: str) -> "RulePage | Mode":
    """The page of a rule, or of a cause that no rule finds. Raises UnknownId."""
    from irsa_doctor.answers.why.modes import modes
    from irsa_doctor.facts import did_you_mean

    if any(rule.id == ident for rule in list_rules()):
        return show_rule(ident)
    if ident in modes():
        return modes()[ident]
    raise UnknownId(f"nothing is called {ident}.{did_you_mean(ident, modes())}")
