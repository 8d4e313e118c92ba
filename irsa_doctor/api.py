"""Each command as a function: what other programs call, and all that the command line calls."""

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from irsa_doctor.answers.check.engine import evaluate, sort_findings
from irsa_doctor.answers.diff import RoleChange, compare
from irsa_doctor.answers.who_can import NoSuchRole, WhoCan, find_role
from irsa_doctor.answers.who_can import who_can as who_can_of
from irsa_doctor.facts import AnalysedRole, Judged, View, derive, did_you_mean
from irsa_doctor.governance import waivers as waiving
from irsa_doctor.governance.baseline import BaselineError, Entry, entries_of, read_baseline, without
from irsa_doctor.governance.comments import set_aside as set_ignored_aside
from irsa_doctor.governance.comments import without_new_comments
from irsa_doctor.governance.revision import NoRevision, files_at
from irsa_doctor.governance.settings import Settings, Waiver
from irsa_doctor.governance.waivers import set_aside
from irsa_doctor.governance.weakening import Governing, judged_change
from irsa_doctor.model import Document, Inventory, Place
from irsa_doctor.model.findings import CONFIDENCES, SEVERITIES, Counts, DocumentRow, Finding, Missing, Report, Tally, Waived
from irsa_doctor.rulebook.files import read_private_rules
from irsa_doctor.rulebook.frameworks import FrameworkReport, by_control, rules_of
from irsa_doctor.rulebook.rules import Rule, RuleError, digest, shipped_rules
from irsa_doctor.sources import Documents, Loaded, load
from irsa_doctor.text.errors import LiveError
from irsa_doctor.version import __version__

if TYPE_CHECKING:
    from irsa_doctor.answers.why import Asked, Case, Diagnosis, Evidence
    from irsa_doctor.sources.live import Options

__all__ = [
    "BaselineError",
    "LiveError",
    "NoRevision",
    "NoSuchRole",
    "NothingRead",
    "RuleError",
    "Symptoms",
    "UnknownRule",
    "check",
    "diff",
    "who_can",
    "why",
    "why_all",
]

_NO_SETTINGS = Settings()


class NothingRead(Exception):
    """Nothing of what was given could be read."""


class UnknownRule(Exception):
    """A setting or flag names a rule that does not exist."""


class Symptoms(msgspec.Struct, frozen=True):
    """What somebody has at hand beside files: an error message, a token, a log of CloudTrail in pieces; "", None and () for
    nothing."""

    error: str = ""
    token: bytes | None = None
    event: Iterable[bytes] = ()


_NOTHING_SEEN = Symptoms()


def check(  # noqa: PLR0913 - all that a judgement hangs on
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = _NO_SETTINGS,
    today: date | None = None,
    live: "Options | None" = None,
    base: Sequence[str] = (),
    proposed: Settings | None = None,
    revision: str = "",
    on_stage: Callable[[str], object] = str,
) -> Report:
    """Load, derive, evaluate, set aside what is waived; `today` decides which waivers have expired.

    With `proposed`, `settings` are those of a `revision` of git, and `proposed` what a change makes of them, which is judged
    too; comments that are not in the revision's files ignore nothing.

    `live` are sources to read over the network, `on_stage` is called with the name of every stage as it begins. Raises
    LiveError where none of the live sources could be asked. `base` is what is there, a snapshot say: the paths are judged as
    laid over it, and of the base only what is wrong because of them is told.

    Raises RuleError for a folder of rules that could not work, and UnknownRule for an id that is no rule.
    """
    rules = chosen_rules(settings)
    on_stage("reading documents")
    loaded = _load(paths, stdin, settings, live, "check", base=base)
    on_stage("asking rules")
    change = (judged_change(_governing(settings), _governing(proposed), revision),) if proposed else ()
    of_base = _entries_of_base(base, paths, rules, settings, today)
    return judge(loaded, rules, settings, today, Beside(of_base, change, proposed.waivers if proposed else (), revision))


class Beside(msgspec.Struct, frozen=True):
    """What there is to a judgement beside what was loaded: what is wrong with the base alone, and what a change makes of the
    settings of a revision; the waivers that it proposes are there for their lines only."""

    of_base: Sequence[Entry] = ()
    change: Sequence[Judged] = ()
    proposed: Sequence[Waiver] = ()
    revision: str = ""


_NOTHING_BESIDE = Beside()


def _governing(settings: Settings) -> Governing:
    known = read_baseline(settings.baseline) if settings.baseline else ()
    return Governing(settings, chosen_rules(settings), known)


def _entries_of_base(
    base: Sequence[str], paths: Sequence[str], rules: Sequence[Rule], settings: Settings, today: date | None
) -> list[Entry]:
    """All that is wrong with the base alone, the change in it left out."""
    if not base:
        return []
    alone = load(base, without=paths, **_said(settings))
    plain = msgspec.structs.replace(
        settings, baseline=None, waivers=(), inline_ignores=False, min_severity=None, min_confidence=None
    )
    report = judge(alone, rules, plain, today)
    return entries_of(report.findings, report.documents)


def judge(
    loaded: Loaded, rules: Sequence[Rule], settings: Settings, today: date | None = None, beside: Beside = _NOTHING_BESIDE
) -> Report:
    """All that `check` has to say of what was loaded."""
    view = View(loaded.inventory, settings.audiences)
    locate = _Locate(loaded.documents, loaded.inventory.documents, (*settings.waivers, *beside.proposed))
    outcome = evaluate(rules, derive(view), locate)
    asked = [rule.id for rule in rules]
    standing = set_aside(outcome.findings, settings.waivers, asked, today or datetime.now(tz=UTC).date())
    about_us = [rule for rule in rules if {"waiver", "settings"} & set(rule.subject)]
    of_waivers = evaluate(about_us, (*standing.waivers, *beside.change), locate)
    left, ignored = set_ignored_aside(standing.findings, _comments(loaded.documents, settings, beside.revision))
    rows = tuple(
        DocumentRow(d.path, d.kind, d.status, d.why, d.sha256, d.path in loaded.base) for d in loaded.inventory.documents
    )
    standing_rules = Counter(finding.rule for finding in (*left, *of_waivers.findings))
    left, baselined = without(left, rows, read_baseline(settings.baseline) if settings.baseline else ())
    left, old = _because_of_change(left, loaded.base, rows, beside.of_base)
    waived = (*standing.waived, *ignored)
    shown = sort_findings(_graded((*left, *of_waivers.findings), settings))
    return Report(
        __version__,
        digest(),
        _counts(loaded.inventory),
        shown,
        (*_without_base(loaded), *_gaps(loaded.inventory, outcome.unknown), *outcome.unknown),
        _tallies(outcome.tallies, of_waivers.tallies, waived),
        waived,
        rows,
        baselined + old,
        hidden=len(left) + len(of_waivers.findings) - len(shown),
        unshown=standing_rules - Counter(finding.rule for finding in shown),
    )


def _because_of_change(
    findings: Iterable[Finding], base: Collection[str], rows: Sequence[DocumentRow], known: Sequence[Entry]
) -> tuple[tuple[Finding, ...], int]:
    """What a change says, or makes of the base; and how much more is wrong with the base, as it was before."""
    mine: list[Finding] = []
    elsewhere: list[Finding] = []
    for finding in findings:
        (elsewhere if base and all(place.file in base for place in finding.locations) else mine).append(finding)
    new, old = without(elsewhere, rows, known)
    return (*mine, *new), old


_AROUND_TEMPLATES = Missing(
    "not checked: the templates against the OIDC providers and clusters that they rely on; add --base",
    "irsa-doctor collect -o live.json",
    (),
    0,
    "--base live.json",
)


def _without_base(loaded: Loaded) -> tuple[Missing, ...]:
    """A template is a part of something: what it relies on and nobody gave is said once."""
    inventory = loaded.inventory
    templates = any(role.address and not role.arn for role in inventory.roles)
    alone = templates and not loaded.base and not (inventory.providers and inventory.clusters)
    return (_AROUND_TEMPLATES,) if alone else ()


def _gaps(inventory: Inventory, known: Iterable[Missing]) -> list[Missing]:
    """What a live source did not give, where no rule has asked for it already."""
    said = {missing.missing for missing in known}
    gaps = {gap.missing: gap.how for gap in inventory.gaps if gap.missing not in said}
    return [Missing(missing, how, (), 0) for missing, how in sorted(gaps.items())]


def _comments(documents: Documents, settings: Settings, revision: str = "") -> Callable[[str], bytes | None]:
    """The texts in which comments may ignore findings: JSON has none, so an export cannot excuse itself.

    With a revision only comments count that are there too.
    """

    def text_of(path: str) -> bytes | None:
        text = documents.text(path) if settings.inline_ignores and documents.form(path) not in ("", "json") else None
        return without_new_comments(text, _before(path, revision)) if text and revision else text

    return text_of


def _before(path: str, revision: str) -> bytes:
    """A file at a revision, empty where it was not there."""
    try:
        return files_at(revision, [path]).get(os.path.relpath(path), b"")
    except NoRevision:
        return b""


def chosen_rules(settings: Settings) -> list[Rule]:
    """The rules to run, with the severities that the settings give them."""
    return of_these(_all_rules(settings), settings)


def of_these(rules: Sequence[Rule], settings: Settings) -> list[Rule]:
    """Those that the settings choose, with the severities that they give them."""
    known = {rule.id for rule in rules}
    for name in (*settings.select, *settings.ignore, *settings.severity):
        if name not in known:
            raise UnknownRule(f"no rule {name}.{did_you_mean(name, known)}")
    if settings.framework:
        rules = rules_of(settings.framework, rules)
    chosen = [rule for rule in rules if (not settings.select or rule.id in settings.select) and rule.id not in settings.ignore]
    return [msgspec.structs.replace(rule, severity=settings.severity.get(rule.id, rule.severity)) for rule in chosen]


def _all_rules(settings: Settings) -> list[Rule]:
    return [*shipped_rules(), *read_private_rules(map(Path, settings.rules))]


def controls(report: Report, settings: Settings) -> FrameworkReport | None:
    """The report by control of the framework that the settings name, rules that are off included; None where they name none."""
    return by_control(settings.framework, report, _all_rules(settings)) if settings.framework else None


def _load(
    paths: Sequence[str],
    stdin: bytes | None,
    settings: Settings,
    live: "Options | None" = None,
    command: str = "",
    *roles: str,
    base: Sequence[str] = (),
) -> Loaded:
    if live is None:
        return load(paths, stdin=stdin, base=base, **_said(settings))
    from irsa_doctor.sources.live import Plan, load_live

    return load_live(Plan(command, roles=roles, everything=not roles), live, paths, stdin=stdin, **_said(settings))


def _said(settings: Settings) -> dict[str, Any]:
    """What the user says of documents that do not say it themselves."""
    return {
        "roles": {path: arn for arn, path in settings.roles.items()},
        "clusters": {path: name for name, path in settings.clusters.items()},
        "account": settings.account or None,
        "complete": settings.complete,
    }


class _Locate:
    """Where a place is: in a document that was read, else at the line where a document is broken or a waiver stands."""

    def __init__(self, documents: Documents, rows: Sequence[Document], waivers: Sequence[Waiver]) -> None:
        self.documents = documents
        self.broken = {Place(row.path): (row.line, row.column) for row in rows if row.status == "unreadable"}
        self.waivers = {waiving.place_of(waiver): (waiver.line, 1) for waiver in waivers}

    def __call__(self, place: Place, key: bool) -> tuple[int, int, int, int, str, int]:
        if known := self.broken.get(place) or self.waivers.get(place):
            return (*known, 0, 0, "", 0)
        span = self.documents.locate(place, key)
        return span.line, span.column, span.end_line, span.end_column, span.source, span.offset


def _graded(findings: Iterable[Finding], settings: Settings) -> list[Finding]:
    """Those at or above the least severity and confidence that are to be shown."""
    severe = SEVERITIES[: SEVERITIES.index(settings.min_severity or SEVERITIES[-1]) + 1]
    sure = CONFIDENCES[: CONFIDENCES.index(settings.min_confidence or CONFIDENCES[-1]) + 1]
    return [finding for finding in findings if finding.severity in severe and finding.confidence in sure]


def _tallies(subjects: Iterable[Tally], waivers: Iterable[Tally], waived: Iterable[Waived]) -> tuple[Tally, ...]:
    aside = Counter(entry.finding.rule for entry in waived)
    of_waivers = {tally.id: tally for tally in waivers}
    return tuple(msgspec.structs.replace(of_waivers.get(tally.id, tally), waived=aside[tally.id]) for tally in subjects)


def why(  # noqa: PLR0913 - all that can be known of one credential
    target: str = "",
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = _NO_SETTINGS,
    role: str = "",
    cluster: str = "",
    seen: Symptoms = _NOTHING_SEEN,
    live: "Options | None" = None,
    lookup: bool = False,
    now: float | None = None,
) -> "Diagnosis":
    """Why a service account or workload does not get the credentials of its role; without a target, what was seen says whose.

    `role` and `cluster` say what cannot be told, `now` (seconds since 1970) is the time to judge a token by; `lookup`: the last
    calls are looked up in CloudTrail, where AWS is read live. Raises NoTarget, NoEvents, NothingRead and LiveError.
    """
    from irsa_doctor.answers.why import asked_about, case_for, diagnose

    evidence = _evidence(seen, now)
    asked = asked_about(target, role, evidence)
    loaded = _load_for(asked, paths, stdin, settings, live, cluster, evidence)
    case = case_for(_view(loaded, settings), _locate(loaded), asked, cluster, evidence)
    if case.analysed is None and case.role_arn and (bare := _only_bare_policy(loaded.inventory)):
        # the only policy without a role, and a role without its policy: most likely they are each other's
        settings = msgspec.structs.replace(settings, roles={**settings.roles, case.role: bare})
        loaded = _load(paths, stdin, settings) if live is None else loaded
        case = case_for(_view(loaded, settings), _locate(loaded), asked, cluster, evidence)
        case = msgspec.structs.replace(case, assumed_policy=bare)
    return _diagnosed_with_events(case, live) if lookup and live else diagnose(case)


def _diagnosed_with_events(case: "Case", live: "Options") -> "Diagnosis":
    """The diagnosis with the last calls that CloudTrail has; that it cannot be asked changes nothing, and is said."""
    from irsa_doctor.answers.why import NoEvents, Trail, diagnose, read_events
    from irsa_doctor.model import Issuer
    from irsa_doctor.sources.live import lookup_events

    # logged in the region of the endpoint that was asked: that of the cluster, or of the global one
    own = (case.cluster.region if case.cluster else "") or Issuer.of(case.issuer).region
    try:
        trail = read_events([lookup_events(live, case.role, dict.fromkeys(filter(None, (own, "us-east-1"))))])
    except NoEvents:
        trail = Trail((), 0)
    except LiveError as error:
        found = diagnose(case)
        return msgspec.structs.replace(found, notes=(*found.notes, f"CloudTrail was not asked: {error}."))
    seen = msgspec.structs.replace(case, evidence=msgspec.structs.replace(case.evidence, trail=trail))
    last = next(iter(seen.events), None)
    if last is None or (last.error and _age(last.time, case.evidence.now) < _FRESH):
        return diagnose(seen)
    # an answer of the past proves nothing about what is there now
    found = diagnose(case)
    note = f"The last call in CloudTrail, at {last.time}: {last.error or 'it succeeded'}."
    return msgspec.structs.replace(found, notes=(*found.notes, note))


_FRESH = 3600.0
"""seconds for which a call that failed tells of what is there now"""


def _age(moment: str, now: float) -> float:
    """Seconds since a time of CloudTrail; without end where it is none."""
    try:
        return now - datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError):
        return float("inf")


def why_all(
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = _NO_SETTINGS,
    cluster: str = "",
    seen: Symptoms = _NOTHING_SEEN,
    live: "Options | None" = None,
    now: float | None = None,
) -> "list[Diagnosis]":
    """Every service account and workload that has to do with a role, the broken first; raises as `why` does."""
    from irsa_doctor.answers.why import cases_of, diagnose

    evidence = _evidence(seen, now)
    loaded = _load(paths, stdin, settings, live, "why")
    _must_have_read(loaded, paths, live)
    found = [diagnose(case) for case in cases_of(_view(loaded, settings), _locate(loaded), cluster, evidence)]
    order = ("broken", "unknown", "works")
    return sorted(
        found, key=lambda d: (order.index(d.verdict), d.subject.cluster, d.subject.namespace, d.subject.service_account)
    )


def _evidence(seen: Symptoms, now: float | None) -> "Evidence":
    from irsa_doctor.answers.why import Evidence, read_events, read_token, symptoms_in

    trail = None if seen.event == () else read_events(seen.event)
    found = symptoms_in(seen.error) if seen.error else ()
    token = read_token(seen.token) if seen.token is not None else None
    others = trail.others if trail else ()
    return Evidence((*found, *others), token, trail, bool(seen.error.strip()), time.time() if now is None else now)


def _load_for(
    asked: "Asked | None",
    paths: Sequence[str],
    stdin: bytes | None,
    settings: Settings,
    live: "Options | None",
    cluster: str,
    evidence: "Evidence",
) -> Loaded:
    if live is None:
        loaded = _load(paths, stdin, settings)
    else:
        from irsa_doctor.answers.why import Token
        from irsa_doctor.sources.live import Plan, Target, load_live

        issuer = evidence.token.issuer if isinstance(evidence.token, Token) else ""
        plan = Plan(
            "why",
            target=Target(asked.namespace, asked.name, asked.kind or "ServiceAccount") if asked else None,
            roles=(asked.role,) if asked and asked.role else (),
            issuers=(issuer,) if issuer else (),
            cluster=cluster,
            everything=asked is None,
        )
        loaded = load_live(plan, live, paths, stdin=stdin, **_said(settings))
    _must_have_read(loaded, paths, live)
    return loaded


def _must_have_read(loaded: Loaded, paths: Sequence[str], live: object) -> None:
    if paths and not live and not any(document.status == "read" for document in loaded.inventory.documents):
        raise NothingRead(_nothing(loaded, paths))


def _nothing(loaded: Loaded, paths: Sequence[str]) -> str:
    """That nothing of what was given could be read, and why not the first of it."""
    given = ", ".join(paths)
    first = next((row for row in loaded.inventory.documents if row.why), None)
    why = f": {first.path}: {first.why}" if first and first.path != given else f": {first.why}" if first else ""
    return f"nothing could be read of {given}{why}"


def _view(loaded: Loaded, settings: Settings) -> View:
    return View(loaded.inventory, settings.audiences)


def _locate(loaded: Loaded) -> "_Locate":
    return _Locate(loaded.documents, loaded.inventory.documents, ())


def _only_bare_policy(inventory: Inventory) -> str:
    bare = [role for role in inventory.roles if role.is_bare]
    return bare[0].place.document if len(bare) == 1 else ""


def diff(
    old: Sequence[str], new: Sequence[str], *, settings: Settings = _NO_SETTINGS, revision: str | None = None
) -> tuple[RoleChange, ...]:
    """What the trust of `new` admits beyond that of `old`, and the reverse; with `revision`, `old` are paths at that revision.

    Raises NoRevision, and NothingRead where one of the two sides holds nothing that could be read.
    """
    before = load((), memory=files_at(revision, old), **_said(settings)) if revision else _load(old, None, settings)
    after = _load(new, None, settings)
    for side, loaded in ((old, before), (new, after)):
        if not any(document.status == "read" for document in loaded.inventory.documents) and not (revision and side is old):
            raise NothingRead(_nothing(loaded, side))
    roots = ([], []) if revision else (old, new)
    views = View(before.inventory, settings.audiences), View(after.inventory, settings.audiences)
    return compare(*views, _key(roots[0], views[0]), _key(roots[1], views[1]))


def _key(roots: Sequence[str], view: View) -> Callable[[AnalysedRole], str]:
    """By what a role is known on both sides: its ARN, else its address in a template, else the path of its policy.

    Paths are relative to what was given; they tell addresses apart of which there are several.
    """
    addresses = Counter(role.address for role in view.inventory.roles if not role.arn)

    def key(analysed: AnalysedRole) -> str:
        role = analysed.role
        if not role.arn and role.address and addresses[role.address] == 1:
            return role.address
        if role.arn or len(roots) != 1:
            return role.id
        path = os.path.relpath(role.place.document, roots[0])
        return role.id.replace(role.place.document, "policy" if path == "." else path, 1)

    return key


def _counts(inventory: Inventory) -> Counts:
    return Counts(
        len({document.path for document in inventory.documents}),
        sum(not role.is_bare for role in inventory.roles),
        sum(role.is_bare for role in inventory.roles),
        len(inventory.providers),
        len(inventory.clusters),
        len(inventory.service_accounts),
        len(inventory.workloads),
    )


def who_can(
    role: str,
    paths: Sequence[str] = (),
    *,
    stdin: bytes | None = None,
    settings: Settings = _NO_SETTINGS,
    live: "Options | None" = None,
) -> WhoCan:
    """Who can assume a role (ARN, name, or path of a bare policy); raises NoSuchRole, NothingRead and LiveError."""
    loaded = _load(paths, stdin, settings, live, "who-can", role)
    if not any(document.status == "read" for document in loaded.inventory.documents):
        raise NothingRead(_nothing(loaded, paths))
    view = View(loaded.inventory, settings.audiences)
    return who_can_of(view, find_role(view, role))
