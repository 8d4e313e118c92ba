"""Lists, shows and tests rules."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from irsa_doctor.answers.check.examples import Outcome
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
    from irsa_doctor.facts import did_you_mean

    rules = {rule.id: rule for rule in list_rules()}
    if ident not in rules:
        raise UnknownRule(f"no rule {ident}.{did_you_mean(ident, rules)}")
    return RulePage(rules[ident], illustration_of(rules[ident]))


def verify_rules(folder: str | Path | None = None) -> "Outcome":
    """What the examples of the rule files in a folder, by default the built-in ones, show of the rules. Raises RuleError."""
    from irsa_doctor.answers.check.examples import run_examples
    from irsa_doctor.rulebook.files import read_rule_files, rules_folder
    from irsa_doctor.rulebook.rules import shipped_rules

    files = read_rule_files(Path(folder) if folder is not None else rules_folder())
    ids = {file.rule.id for file in files}
    return run_examples(files, [rule for rule in shipped_rules() if rule.id not in ids])
