"""Explains a rule or a cause by its id."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from irsa_doctor.api.rules import RulePage, list_rules, show_rule
from irsa_doctor.model.errors import IrsaDoctorError

if TYPE_CHECKING:
    from irsa_doctor.rulebook.causes import Cause


_SHOWN = 6


class UnknownId(IrsaDoctorError):
    """No rule and no cause has an id; the text names the nearest that exists."""


def explain(ident: str) -> "RulePage | Cause":
    """The page of a rule, or of a cause that no rule finds. Raises UnknownId."""
    from irsa_doctor.model.nearness import suggestion
    from irsa_doctor.rulebook.causes import all_causes

    known = {rule.id for rule in list_rules()}
    if ident in known:
        return show_rule(ident)
    if ident in all_causes():
        return all_causes()[ident]
    names = sorted(known | set(all_causes()))
    raise UnknownId(f"no rule or cause named {ident}.{suggestion(ident, names) or _beginning(ident, names)}")


def _beginning(start: str, names: Sequence[str]) -> str:
    """The first names that begin with a text, as a sentence with a space before it, "" where none does."""
    found = [name for name in names if name.startswith(start.lower().rstrip("*-") + "-")]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f" These begin with it: {', '.join(found[:_SHOWN])}{more}." if found else ""
