"""Explains a rule or a cause by its id."""

from typing import TYPE_CHECKING

from irsa_doctor.api.rules import RulePage, list_rules, show_rule
from irsa_doctor.model.errors import IrsaDoctorError

if TYPE_CHECKING:
    from irsa_doctor.rulebook.causes import Cause


class UnknownId(IrsaDoctorError):
    """No rule and no cause has an id; the text names the nearest that exists."""


def explain(ident: str) -> "RulePage | Cause":
    """The page of a rule, or of a cause that no rule finds. Raises UnknownId."""
    from irsa_doctor.model.nearness import beginning, suggestion
    from irsa_doctor.rulebook.causes import all_causes

    known = {rule.id for rule in list_rules()}
    if ident in known:
        return show_rule(ident)
    if ident in all_causes():
        return all_causes()[ident]
    names = sorted(known | set(all_causes()))
    raise UnknownId(f"no rule or cause named {ident}.{suggestion(ident, names) or beginning(ident, names)}")
