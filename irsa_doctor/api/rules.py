"""Lists, shows and tests rules."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from irsa_doctor.answers.check.examples import ExamplesResult
    from irsa_doctor.rulebook.files import Illustration
    from irsa_doctor.rulebook.rules import Rule


class RulePage(msgspec.Struct, frozen=True):
    """A rule, with a short example where its file has one."""

    rule: "Rule"
    example: "Illustration | None" = None


def list_rules() -> "tuple[Rule, ...]":
    """The built-in rules, by family and id."""
    from irsa_doctor.rulebook.rules import shipped_rules

    return tuple(sorted(shipped_rules(), key=lambda rule: (rule.family, rule.id)))


def show_rule(ident: str) -> RulePage:
    """A built-in rule with an example. Raises UnknownRule."""
    from irsa_doctor.answers.check.choice import UnknownRule
    from irsa_doctor.answers.check.examples import illustration_of
    from irsa_doctor.model.nearness import beginning, suggestion

    rules = {rule.id: rule for rule in list_rules()}
    if ident not in rules:
        raise UnknownRule(f"no rule {ident}.{suggestion(ident, rules) or beginning(ident, sorted(rules))}")
    return RulePage(rules[ident], illustration_of(rules[ident]))


def verify_rules(folder: str | Path | None = None) -> "ExamplesResult":
    """What the examples of a folder show of its rules and messages, by default of the built-in ones. Raises RuleError."""
    from irsa_doctor.answers.verify import verify_rulebook
    from irsa_doctor.rulebook.folders import read_folder, read_shipped

    return verify_rulebook(read_shipped() if folder is None else read_folder(Path(folder)), whole=folder is None)
