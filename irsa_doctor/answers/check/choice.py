"""Chooses the rules that the settings select, with the severities that they give them."""

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec

from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.model.nearness import suggestion
from irsa_doctor.rulebook.frameworks import rules_of
from irsa_doctor.rulebook.rules import Rule


class UnknownRule(IrsaDoctorError):
    """A setting, flag or argument names a rule that does not exist; the text names the nearest that does."""


def choose(rules: Sequence[Rule], settings: Settings) -> list[Rule]:
    """The rules that the settings select, with the severities that they give them.

    `select` and `ignore` hold ids and patterns (`open-*`); each of them must match a rule. Raises UnknownRule, also where no
    rule is left.
    """
    known = [rule.id for rule in rules]
    selected, ignored = matching(settings.select, known), matching(settings.ignore, known)
    matching(settings.severity, known)
    if settings.framework:
        rules = rules_of(settings.framework, rules)
    chosen = [rule for rule in rules if (not settings.select or rule.id in selected) and rule.id not in ignored]
    if not chosen:
        raise UnknownRule("no rule is left to evaluate: select, ignore and framework leave out every one")
    return [msgspec.structs.replace(rule, severity=settings.severity.get(rule.id, rule.severity)) for rule in chosen]


def unfiltered(rules: Iterable[Rule], settings: Settings) -> tuple[Rule, ...]:
    """The rules about a change of the settings, which no setting leaves out: it could be the one that hides what it does. Only
    `severity` counts."""
    about = (rule for rule in rules if "settings" in rule.subject)
    return tuple(msgspec.structs.replace(rule, severity=settings.severity.get(rule.id, rule.severity)) for rule in about)


def matching(patterns: Iterable[str], known: Collection[str]) -> frozenset[str]:
    """The ids that any pattern matches. Raises UnknownRule for one that matches none."""
    matched: set[str] = set()
    for pattern in patterns:
        ids = [ident for ident in known if fnmatchcase(ident, pattern)]
        if not ids:
            raise UnknownRule(_no_match(pattern, known))
        matched.update(ids)
    return frozenset(matched)


def _no_match(pattern: str, known: Collection[str]) -> str:
    """What a pattern that matches no rule may have meant."""
    if any(character in pattern for character in "*?["):
        return f"no rule matches {pattern}.{suggestion(pattern, sorted(_beginnings(known)))}"
    if pattern.lower() == "all":
        return f'no rule {pattern}. Did you mean "*"?'
    begun = pattern.lower().rstrip("-") + "-*"
    meant = begun if begun in _beginnings(known) else ""
    return f"no rule {pattern}." + (f' Did you mean "{meant}"?' if meant else suggestion(pattern, known))


def _beginnings(known: Iterable[str]) -> set[str]:
    """The patterns of all ids that begin with the same words, such as `open-*`."""
    return {ident[:end] + "-*" for ident in known for end, letter in enumerate(ident) if letter == "-"}
