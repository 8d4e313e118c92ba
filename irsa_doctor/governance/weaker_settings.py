"""Which way each setting is weaker: one row for every key of the settings."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from irsa_doctor.governance.baseline import Entry
from irsa_doctor.governance.governing import Governing
from irsa_doctor.governance.rule_changes import relaxations
from irsa_doctor.governance.settings import FAIL_ON, GATE_KEY, GATE_UNKNOWN, Settings, Waiver
from irsa_doctor.governance.waivers import waiver_place
from irsa_doctor.governance.weaker_owners import weaker_owners
from irsa_doctor.model import Place
from irsa_doctor.model.extents import fits
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES
from irsa_doctor.model.limits import MAX_MEMORY, MAX_SECONDS
from irsa_doctor.model.standards import Standards

_SHOWN = 5


class Weakening(msgspec.Struct, frozen=True):
    """One way in which a change requires less, and the setting that does it."""

    says: str
    place: Place


Weaker = Callable[[Governing, Governing], Iterator[str | Weakening]]
"""(what held, what would hold) -> in what a setting requires less, as sentences"""


def enumeration(texts: Sequence[str], between: str = ", ") -> str:
    """The first of some texts, and the number of the others."""
    more = f"{between}and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return between.join(texts[:_SHOWN]) + more


def differs(key: str) -> Weaker:
    """What is said of a key of which it is not known which way is weaker: any change counts."""

    def compare(before: Governing, after: Governing) -> Iterator[str]:
        name = key.replace("-", "_")
        if _comparable(getattr(before.settings, name)) != _comparable(getattr(after.settings, name)):
            yield f"{key} is changed"

    return compare


def _comparable(value: object) -> object:
    """A value that is equal to another written in another order."""
    return dict(value) if isinstance(value, Mapping) else value


def _threshold(key: str, words: Sequence[str], default: str) -> Weaker:
    """A word further to the left of its list lets more pass."""

    def compare(before: Governing, after: Governing) -> Iterator[str]:
        name = key.replace("-", "_")
        old, new = (getattr(state.settings, name) or default for state in (before, after))
        if words.index(new) < words.index(old):
            yield f"{key} is {new} and was {old}"

    return compare


def _paths(key: str) -> Weaker:
    """What a path stands for is not what it was; a name that is new takes nothing away."""

    def compare(before: Governing, after: Governing) -> Iterator[str]:
        old, new = getattr(before.settings, key), getattr(after.settings, key)
        for name, path in old.items():
            if name not in new:
                yield f"{name} is gone from {key}"
            elif os.path.realpath(path) != os.path.realpath(new[name]):
                yield f"{name} is another path in {key}"

    return compare


def _replaced(key: str) -> Weaker:
    """What a file takes the place of is judged no longer, so that every name counts that is new, gone, or another file."""

    def compare(before: Governing, after: Governing) -> Iterator[str]:
        old, new = (_real_paths(getattr(state.settings, key)) for state in (before, after))
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                change = "new in" if name not in old else "gone from" if name not in new else "another file in"
                yield f"{os.path.relpath(name)} is {change} {key}"

    return compare


def _real_paths(paths: Mapping[str, str]) -> Mapping[str, str]:
    return {os.path.realpath(name): os.path.realpath(path) for name, path in paths.items()}


def _limit(key: str, default: float) -> Weaker:
    """A run that may need more."""

    def compare(before: Governing, after: Governing) -> Iterator[str]:
        old, new = (getattr(state.settings, key.replace("-", "_")) or default for state in (before, after))
        if new > old:
            yield f"{key} is {new:,.12g} and was {old:,.12g}"

    return compare


def _account(before: Governing, after: Governing) -> Iterator[str]:
    old, new = before.settings.account, after.settings.account
    if old and old != new:
        yield f"account is {new} and was {old}" if new else f"account is gone and was {old}"


def _inline_ignores(before: Governing, after: Governing) -> Iterator[str]:
    if after.settings.inline_ignores and not before.settings.inline_ignores:
        yield "comments in documents may ignore findings"


def _require_accepted_by(before: Governing, after: Governing) -> Iterator[str]:
    if before.settings.require_accepted_by and not after.settings.require_accepted_by:
        yield "waivers need not name who accepted the risk"


def _standards(before: Governing, after: Governing) -> Iterator[str]:
    """Standards that are gone or longer; duration 0 is none, and what is denied no more is allowed."""
    for name in Standards.__struct_fields__:
        old, new = (getattr(state.settings.standards, name) for state in (before, after))
        if old and (not new or new > old):
            called = name.replace("_", "-")
            yield f"{called} is {new:,} s and was {old:,} s" if new else f"{called} is gone"


def _rules(before: Governing, after: Governing) -> Iterator[str]:
    """Rules that are no longer evaluated, count for less, or have changed."""
    now = {rule.id: rule for rule in after.rules}
    if gone := [rule.id for rule in before.rules if rule.id not in now]:
        yield f"{enumeration(gone)} {'is' if len(gone) == 1 else 'are'} turned off"
    for rule in (*before.rules, *(rule for rule in before.unfiltered if rule not in before.rules)):
        other = now.get(rule.id) or next((other for other in after.unfiltered if other.id == rule.id), None)
        if other is not None:
            yield from relaxations(rule, other)


def _audiences(before: Governing, after: Governing) -> Iterator[str]:
    """Audiences that are expected of an issuer from now on, or no longer. Those of EKS are expected without being named:
    https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html"""
    old, new = before.settings.audiences, after.settings.audiences
    for issuer, audiences in new.items():
        known: Sequence[str] = old.get(issuer, _OF_EKS)
        if more := [audience for audience in audiences if audience not in known]:
            yield f"{', '.join(more)} is expected of {issuer}"
    for issuer, audiences in old.items():
        if gone := [audience for audience in audiences if audience not in new.get(issuer, ())]:
            yield f"{', '.join(gone)} is no longer expected of {issuer}"


_OF_EKS = ("sts.amazonaws.com",)


def _complete(before: Governing, after: Governing) -> Iterator[str]:
    """Kinds that are no longer declared complete, so that absence proves nothing."""
    if gone := [kind for kind in before.settings.complete if kind not in after.settings.complete]:
        yield f"{', '.join(gone)} may be missing"


def _baseline(before: Governing, after: Governing) -> Iterator[str]:
    """Findings that are accepted from now on."""
    known: dict[str, list[Entry]] = {}
    for entry in before.known:
        known.setdefault(entry.fingerprint, []).append(entry)
    more = [
        f"{entry.rule} of {entry.subject}"
        for entry in after.known
        if not any(old.accepts(entry) for old in known.get(entry.fingerprint, ()))
    ]
    if more:
        yield f"the baseline holds {len(more)} more, {enumeration(more)}"


def _exclude(before: Governing, after: Governing) -> Iterator[str]:
    """Files that are read no longer."""
    old, new = before.settings, after.settings
    added = [pattern for pattern in new.exclude if pattern not in old.exclude and not pattern.startswith("!")]
    dropped = [pattern for pattern in old.exclude if pattern not in new.exclude and pattern.startswith("!")]
    if patterns := [*added, *dropped]:
        yield f"{enumeration(patterns)} {'leaves' if len(patterns) == 1 else 'leave'} out more files"
    elif _order(old.exclude) != _order(new.exclude):
        yield "the patterns of exclude are in another order"


def _order(patterns: Sequence[str]) -> Sequence[str]:
    """What the order of patterns decides: nothing where none takes another back."""
    return patterns if any(pattern.startswith("!") for pattern in patterns) else ()


def _waivers(before: Governing, after: Governing) -> Iterator[Weakening]:
    """Waivers that cover what no waiver covered, or for longer, or more severe findings."""
    by_rule: dict[str, list[Waiver]] = {}
    for waiver in before.settings.waivers:
        by_rule.setdefault(waiver.rule, []).append(waiver)
    for waiver in after.settings.waivers:
        covering = [old for old in by_rule.get(waiver.rule, ()) if fits(old.subject, waiver.subject)]
        as_severe = [old for old in covering if SEVERITIES.index(old.severity) <= SEVERITIES.index(waiver.severity)]
        if not any(old.expires >= waiver.expires for old in as_severe):
            yield Weakening(_waived(waiver, covering), waiver_place(waiver))


def _waived(waiver: Waiver, covering: Sequence[Waiver]) -> str:
    longest = max((old.expires for old in covering), default=None)
    was = f", not {longest}," if longest and longest < waiver.expires else ""
    milder = [old.severity for old in covering if SEVERITIES.index(old.severity) > SEVERITIES.index(waiver.severity)]
    up_to = f" up to {waiver.severity}, not {min(milder, key=SEVERITIES.index)}" if milder and not was else ""
    return f"{waiver.rule} is waived for {waiver.subject} until {waiver.expires}{was}{up_to}"


WEAKER: Mapping[str, Weaker] = {
    "fail-on": _threshold("fail-on", ("never", *FAIL_ON[:-1]), "high"),
    "min-severity": _threshold("min-severity", SEVERITIES, SEVERITIES[-1]),
    "min-confidence": _threshold("min-confidence", CONFIDENCES, CONFIDENCES[-1]),
    GATE_KEY: _threshold(GATE_KEY, tuple(reversed(GATE_UNKNOWN)), GATE_UNKNOWN[0]),
    "inline-ignores": _inline_ignores,
    "require-accepted-by": _require_accepted_by,
    "select": _rules,
    "ignore": _rules,
    "rules": _rules,
    "severity": _rules,
    "audiences": _audiences,
    "complete": _complete,
    "account": _account,
    "clusters": _paths("clusters"),
    "roles": _paths("roles"),
    "plans": _replaced("plans"),
    "parameters": _replaced("parameters"),
    "max-seconds": _limit("max-seconds", MAX_SECONDS),
    "max-memory": _limit("max-memory", MAX_MEMORY),
    "baseline": _baseline,
    "exclude": _exclude,
    "waivers": _waivers,
    "standards": _standards,
    "owner": weaker_owners,
}
"""setting -> in what it requires less; what has no row is weaker when it differs. That is so of `issuers`: who is known to be a
cluster is checked by other rules than who is not, so that either may lose a finding."""
OF_FLAGS_OR_FILE = frozenset(
    {"file", "folder", "framework", "all_folders", "but_tracked", "azure_apps", "iam_policies", "named"}
)
"""fields of the settings that no settings file has"""


def comparisons() -> tuple[Weaker, ...]:
    """One comparison for every setting, each once."""
    keys = [name.replace("_", "-") for name in Settings.__struct_fields__ if name not in OF_FLAGS_OR_FILE]
    return tuple(dict.fromkeys(WEAKER.get(key) or differs(key) for key in keys))
