"""What a change takes away of the settings, waivers, rules and baseline by which changes are judged."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.facts import Evidence, Judged, SettingsFacts
from irsa_doctor.governance.baseline import Entry
from irsa_doctor.governance.settings import FAIL_ON, Settings, Waiver, fits
from irsa_doctor.governance.waivers import waiver_place
from irsa_doctor.model import Place
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES, Severity
from irsa_doctor.rulebook.rules import Graded, Rule

_SHOWN = 5


class Governing(msgspec.Struct, frozen=True):
    """By what findings are judged: settings, the rules that they choose (with their severities), and the baseline.

    `left_out` are the ids of the rules that exist and are not chosen.
    """

    settings: Settings
    rules: Sequence[Rule]
    known: Collection[Entry] = ()
    left_out: Collection[str] = ()

    @property
    def rule_ids(self) -> frozenset[str]:
        """The ids of all rules, chosen or not."""
        return frozenset((*(rule.id for rule in self.rules), *self.left_out))


class Weakening(msgspec.Struct, frozen=True):
    """One way in which a change requires less, and the setting that does it."""

    says: str
    place: Place


def weakenings(before: Governing, after: Governing) -> list[Weakening]:
    """Everything for which `after` requires less than `before`."""
    file = Place(after.settings.file or before.settings.file)
    said = (text for compare in _COMPARED for text in compare(before, after))
    return [*(Weakening(text, file) for text in said), *_waivers(before.settings, after.settings)]


def judged_change(before: Governing, after: Governing, revision: str) -> Judged:
    """The settings file of a change as a subject."""
    found = weakenings(before, after)
    name = after.settings.file or before.settings.file
    names = {"settings": name, "revision": revision, "weakenings": _some([one.says for one in found], "; ")}
    places = {"settings": found[0].place if found else Place(name)}
    return Judged("document", name, name, SettingsFacts(bool(found)), lambda: Evidence(names, places))


def _some(texts: Sequence[str], between: str) -> str:
    more = f"{between}and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return between.join(texts[:_SHOWN]) + more


def _thresholds(before: Governing, after: Governing) -> Iterator[str]:
    """Numbers that leave more out: a word further to the left of its list lets more pass."""
    old, new = before.settings, after.settings
    for name, words, one, other in (
        ("fail-on", ("never", *FAIL_ON[:-1]), old.fail_on or "high", new.fail_on or "high"),
        ("min-severity", SEVERITIES, old.min_severity or SEVERITIES[-1], new.min_severity or SEVERITIES[-1]),
        ("min-confidence", CONFIDENCES, old.min_confidence or CONFIDENCES[-1], new.min_confidence or CONFIDENCES[-1]),
    ):
        if words.index(other) < words.index(one):
            yield f"{name} is {other} and was {one}"
    if new.inline_ignores and not old.inline_ignores:
        yield "comments in documents may ignore findings"


def _rules(before: Governing, after: Governing) -> Iterator[str]:
    """Rules that are no longer evaluated, count for less, or have changed."""
    now = {rule.id: rule for rule in after.rules}
    if gone := [rule.id for rule in before.rules if rule.id not in now]:
        yield f"{_some(gone, ', ')} {'is' if len(gone) == 1 else 'are'} turned off"
    for rule in before.rules:
        other = now.get(rule.id)
        if other is None:
            continue
        worst, least = _worst(rule), _worst(other)
        if SEVERITIES.index(least) > SEVERITIES.index(worst):
            yield f"{rule.id} is {least} and was {worst}"
        if _asks(rule) != _asks(other):
            yield f"{rule.id} has other conditions"


def _worst(rule: Rule) -> Severity:
    if not isinstance(rule.severity, Graded):
        return rule.severity
    return min((*rule.severity.values.values(), rule.severity.otherwise), key=SEVERITIES.index)


def _asks(rule: Rule) -> tuple[object, ...]:
    return rule.subject, rule.when, [(clause.name, clause.facts) for clause in rule.require]


def _audiences(before: Governing, after: Governing) -> Iterator[str]:
    """Audiences that are expected for an issuer from now on."""
    for issuer, audiences in after.settings.audiences.items():
        known: Iterable[str] = before.settings.audiences.get(issuer, ())
        if more := [audience for audience in audiences if audience not in set(known)]:
            yield f"{', '.join(more)} is expected of {issuer}"


def _complete(before: Governing, after: Governing) -> Iterator[str]:
    """Kinds that are no longer declared complete, so that absence proves nothing."""
    if gone := [kind for kind in before.settings.complete if kind not in after.settings.complete]:
        yield f"{', '.join(gone)} may be missing"


def _baseline(before: Governing, after: Governing) -> Iterator[str]:
    """Findings that are known from now on."""
    known = {entry.fingerprint for entry in before.known}
    if more := [f"{entry.rule} of {entry.subject}" for entry in after.known if entry.fingerprint not in known]:
        yield f"the baseline holds {len(more)} more, {_some(more, ', ')}"


def _exclude(before: Governing, after: Governing) -> Iterator[str]:
    """Files that are read no longer."""
    old, new = before.settings, after.settings
    added = [pattern for pattern in new.exclude if pattern not in old.exclude and not pattern.startswith("!")]
    dropped = [pattern for pattern in old.exclude if pattern not in new.exclude and pattern.startswith("!")]
    if patterns := [*added, *dropped]:
        yield f"{_some(patterns, ', ')} {'leaves' if len(patterns) == 1 else 'leave'} out more files"


_COMPARED: Sequence[Callable[[Governing, Governing], Iterator[str]]] = (
    _thresholds,
    _rules,
    _audiences,
    _complete,
    _baseline,
    _exclude,
)


def _waivers(before: Settings, after: Settings) -> Iterator[Weakening]:
    """Waivers that cover what no waiver covered, or for longer."""
    by_rule: Mapping[str, list[Waiver]] = {waiver.rule: [] for waiver in before.waivers}
    for waiver in before.waivers:
        by_rule[waiver.rule].append(waiver)
    for waiver in after.waivers:
        covering = [one for one in by_rule.get(waiver.rule, ()) if fits(one.subject, waiver.subject)]
        if not any(one.expires >= waiver.expires for one in covering):
            longest = max((one.expires for one in covering), default=None)
            was = f", not {longest}," if longest else ""
            yield Weakening(f"{waiver.rule} is waived for {waiver.subject} until {waiver.expires}{was}", waiver_place(waiver))
