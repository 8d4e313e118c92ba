"""The rules and causes that a diagnosis uses, and what the rules report of everything on the way of one credential."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property

import msgspec

from irsa_doctor.answers.check.choice import choose
from irsa_doctor.answers.check.engine import Locate, answers
from irsa_doctor.facts import Judged
from irsa_doctor.governance.settings import Settings
from irsa_doctor.model.findings import Finding, Missing, Severity
from irsa_doctor.rulebook.causes import Cause, Causes, shipped_causes
from irsa_doctor.rulebook.folders import RulebookFiles
from irsa_doctor.rulebook.messages import Message, shipped_messages
from irsa_doctor.rulebook.rules import Graded, Rule, shipped_rules


class Rulebook(msgspec.Struct, frozen=True):
    """Rules with their severities, and the causes by id, sign and link.

    A link is judged by every rule, so that a selection never makes a broken credential work: `muted` are the rules that the
    settings do not select. They are shown where they prove that a link is broken, and nowhere else.
    """

    rules: Sequence[Rule]
    causes: Causes
    muted: frozenset[str] = frozenset()
    messages: Sequence[Message] = ()


@cache
def shipped_rulebook() -> Rulebook:
    """The built-in rules, causes and messages."""
    return Rulebook(shipped_rules(), shipped_causes(), messages=shipped_messages())


def rulebook_of(rules: Sequence[Rule], settings: Settings, private: Sequence[RulebookFiles] = ()) -> Rulebook:
    """The rules, causes and messages for settings, those of `private` folders among them.

    Rules that the settings do not select are muted. A severity of the settings counts where it gives a rule more weight: with
    less, a broken link would pass. Raises UnknownRule.
    """
    selected = {rule.id for rule in choose(rules, settings)}
    weighed = [msgspec.structs.replace(rule, severity=_severity(rule, settings)) for rule in rules]
    own = [cause for cause in shipped_causes().by_id.values() if not cause.rule]
    own += [file.cause for files in private for file in files.causes]
    messages = [message for files in private for message in files.messages.messages]
    muted = frozenset(rule.id for rule in rules if rule.id not in selected)
    return Rulebook(weighed, Causes(weighed, own), muted, (*messages, *shipped_messages()))


def _severity(rule: Rule, settings: Settings) -> Severity | Graded:
    severity = settings.severity.get(rule.id)
    return rule.severity if severity in (None, "low") else severity


_POLICIES = ("grant", "policy")
_SUBJECTS = frozenset({"workload", "service-account", "cluster", "grant", "role"})


class RuleFindings:
    """What the rules report of the subjects of one case, by rule, by link and by sign."""

    def __init__(self, rulebook: Rulebook, subjects: Iterable[Judged], locate: Locate) -> None:
        self.causes = rulebook.causes
        self.rules = rulebook.rules
        self.muted = rulebook.muted
        self._answers = answers(rulebook.rules, list(subjects), locate)
        self._outcome = self._answers.evaluation(())  # there are hundreds of rules, and nobody wants their tallies of one case

    @cached_property
    def by_rule(self) -> Mapping[str, tuple[Finding, ...]]:
        """The findings of each rule."""
        listed: dict[str, list[Finding]] = {}
        for finding in self._outcome.findings:
            listed.setdefault(finding.rule, []).append(finding)
        return {rule: tuple(findings) for rule, findings in listed.items()}

    @cached_property
    def _by_link(self) -> Mapping[str, tuple[Finding, ...]]:
        listed: dict[str, list[Finding]] = {}
        for finding in self._outcome.findings:
            listed.setdefault(self._link_of(finding), []).append(finding)
        return {link: tuple(findings) for link, findings in listed.items()}

    def _link_of(self, finding: Finding) -> str:
        """The link that a finding is about: an audience may be wrong in the provider, or in the trust policy."""
        link = self.causes.link_of(finding.rule)
        return "trust-policy" if link == "audience" and finding.subject.kind in _POLICIES else link

    def on_link(self, link: str) -> list[Finding]:
        """The findings about a link that say that it is broken: those of low severity do not."""
        return [finding for finding in self._by_link.get(link, ()) if finding.severity != "low"]

    def minor_on(self, link: str) -> list[Finding]:
        """The findings of low severity about a link, in order of their rules; those of muted rules are left out."""
        return [f for f in self._by_link.get(link, ()) if f.severity == "low" and f.rule not in self.muted]

    def of_sign(self, sign: str) -> list[Finding]:
        """The findings of rules whose cause a sign speaks for, in the order of the causes."""
        return [finding for cause in self.causes.by_sign.get(sign, ()) for finding in self.by_rule.get(cause.id, ())]

    def in_order(self, findings: Iterable[Finding]) -> list[Finding]:
        """Findings in the order of their causes, the narrowest first."""
        order = {ident: number for number, ident in enumerate(self.causes.by_id)}
        return sorted(findings, key=lambda finding: order.get(finding.rule, len(order)))

    def missing_on(self, link: str) -> list[Missing]:
        """The inputs without which rules about a link have no answer."""
        return [
            missing for missing in self._outcome.unknown if any(self.causes.link_of(rule) == link for rule in missing.rules)
        ]

    @cached_property
    def ruled_out(self) -> frozenset[str]:
        """The causes whose rules have looked at workloads, service accounts and clusters and reported nothing."""
        held = self._answers.passed.keys() - self._answers.failed.keys() - self._answers.undecided.keys()
        return frozenset(rule.id for rule in self.rules if rule.id in held and set(rule.subject) <= _SUBJECTS)

    def explained_by(self, ident: str) -> Cause | None:
        """The cause of an id."""
        return self.causes.by_id.get(ident)
