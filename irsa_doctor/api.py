"""Each command as a function: what other programs call, and all that the command line calls."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from irsa_doctor import waiving
from irsa_doctor.baseline import BaselineError, read_baseline, without
from irsa_doctor.compare import RoleChange, compare
from irsa_doctor.engine import evaluate, sort_findings
from irsa_doctor.facts import AnalysedRole, View, derive, did_you_mean
from irsa_doctor.findings import CONFIDENCES, SEVERITIES, Counts, DocumentRow, Finding, Report, Tally, Waived
from irsa_doctor.ignoring import set_aside as set_ignored_aside
from irsa_doctor.model import Document, Inventory, Place, parse_arn
from irsa_doctor.rulebook import Rule, RuleError, digest, read_rules, shipped_rules
from irsa_doctor.settings import Settings, Waiver
from irsa_doctor.sources import Documents, Loaded, load
from irsa_doctor.sources.revision import NoRevision, files_at
from irsa_doctor.trust import spell
from irsa_doctor.trust.languages import EVERYTHING, Finite, contains
from irsa_doctor.trust.subjects import PREFIX
from irsa_doctor.version import __version__
from irsa_doctor.waiving import set_aside

__all__ = ["BaselineError", "NoRevision", "NoSuchRole", "NothingRead", "RuleError", "UnknownRule", "check", "diff", "who_can"]

_NO_SETTINGS = Settings()


class UnknownRule(Exception):
    """A setting or flag names a rule that does not exist."""


class NothingRead(Exception):
    """Nothing of what was given could be read."""


class NoSuchRole(Exception):
    """The role asked for is not there, or its name is not enough."""


def check(
    paths: Sequence[str],
    *,
    stdin: bytes | None = None,
    settings: Settings = _NO_SETTINGS,
    today: date | None = None,
) -> Report:
    """Load, derive, evaluate, set aside what is waived; `today` decides which waivers have expired.

    Raises RuleError for a folder of rules that could not work, and UnknownRule for an id that is no rule.
    """
    rules = chosen_rules(settings)
    loaded = _load(paths, stdin, settings)
    view = View(loaded.inventory, settings.audiences)
    locate = _Locate(loaded.documents, loaded.inventory.documents, settings.waivers)
    outcome = evaluate(rules, derive(view), locate)
    asked = [rule.id for rule in rules]
    standing = set_aside(outcome.findings, settings.waivers, asked, today or datetime.now(tz=UTC).date())
    of_waivers = evaluate([rule for rule in rules if "waiver" in rule.subject], standing.waivers, locate)
    left, ignored = set_ignored_aside(standing.findings, _comments(loaded.documents, settings))
    rows = tuple(DocumentRow(d.path, d.kind, d.status, d.why, d.sha256) for d in loaded.inventory.documents)
    left, baselined = without(left, rows, read_baseline(settings.baseline) if settings.baseline else ())
    waived = (*standing.waived, *ignored)
    shown = sort_findings(_graded((*left, *of_waivers.findings), settings))
    return Report(
        __version__,
        digest(),
        _counts(loaded.inventory),
        shown,
        tuple(outcome.unknown),
        _tallies(outcome.tallies, of_waivers.tallies, waived),
        waived,
        rows,
        baselined,
        hidden=len(left) + len(of_waivers.findings) - len(shown),
    )


def _comments(documents: Documents, settings: Settings) -> Callable[[str], bytes | None]:
    """The texts in which comments may ignore findings: JSON has none, so an export cannot excuse itself."""

    def text_of(path: str) -> bytes | None:
        return documents.text(path) if settings.inline_ignores and documents.form(path) not in ("", "json") else None

    return text_of


def tool() -> dict[str, str]:
    """What every JSON document says of the program that wrote it."""
    return {"version": __version__, "rules_digest": digest()}


def chosen_rules(settings: Settings) -> list[Rule]:
    """The rules to run, with the severities that the settings give them."""
    rules = [*shipped_rules(), *(rule for folder in settings.rules for rule in read_rules(Path(folder)))]
    known = {rule.id for rule in rules}
    for name in (*settings.select, *settings.ignore, *settings.severity):
        if name not in known:
            raise UnknownRule(f"no rule {name}.{did_you_mean(name, known)}")
    chosen = [rule for rule in rules if (not settings.select or rule.id in settings.select) and rule.id not in settings.ignore]
    return [msgspec.structs.replace(rule, severity=settings.severity.get(rule.id, rule.severity)) for rule in chosen]


def _load(paths: Sequence[str], stdin: bytes | None, settings: Settings) -> Loaded:
    return load(paths, stdin=stdin, **_said(settings))


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

    def __call__(self, place: Place) -> tuple[int, int, int, int, str]:
        if known := self.broken.get(place) or self.waivers.get(place):
            return (*known, 0, 0, "")
        span = self.documents.locate(place)
        return span.line, span.column, span.end_line, span.end_column, span.source


def _graded(findings: Iterable[Finding], settings: Settings) -> list[Finding]:
    """Those at or above the least severity and confidence that are to be shown."""
    severe = SEVERITIES[: SEVERITIES.index(settings.min_severity or SEVERITIES[-1]) + 1]
    sure = CONFIDENCES[: CONFIDENCES.index(settings.min_confidence or CONFIDENCES[-1]) + 1]
    return [finding for finding in findings if finding.severity in severe and finding.confidence in sure]


def _tallies(subjects: Iterable[Tally], waivers: Iterable[Tally], waived: Iterable[Waived]) -> tuple[Tally, ...]:
    aside = Counter(entry.finding.rule for entry in waived)
    of_waivers = {tally.id: tally for tally in waivers}
    return tuple(msgspec.structs.replace(of_waivers.get(tally.id, tally), waived=aside[tally.id]) for tally in subjects)


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
            raise NothingRead(f"nothing could be read of {', '.join(side)}")
    roots = ([], []) if revision else (old, new)
    views = View(before.inventory, settings.audiences), View(after.inventory, settings.audiences)
    return compare(*views, _key(roots[0]), _key(roots[1]))


def _key(roots: Sequence[str]) -> Callable[[AnalysedRole], str]:
    """By what a role is known on both sides: its ARN, else the path of its policy relative to what was given."""

    def key(analysed: AnalysedRole) -> str:
        role = analysed.role
        if role.arn or len(roots) != 1:
            return role.id
        path = os.path.relpath(role.place.document, roots[0])
        return role.id.replace(role.place.document, "policy" if path == "." else path, 1)

    return key


def _counts(inventory: Inventory) -> Counts:
    return Counts(
        len({document.path for document in inventory.documents}),
        sum(bool(role.arn) for role in inventory.roles),
        sum(not role.arn for role in inventory.roles),
        len(inventory.providers),
        len(inventory.clusters),
        len(inventory.service_accounts),
        len(inventory.workloads),
    )


def who_can(role: str, paths: Sequence[str], *, stdin: bytes | None = None) -> dict[str, object]:
    """Who can assume a role (ARN, name, or path of a bare policy): the document of cli.md; raises NoSuchRole."""
    loaded = load(paths, stdin=stdin)
    view = View(loaded.inventory)
    found = [a for a in view.roles if role in (a.role.arn, a.role.id)] or [a for a in view.roles if a.role.name == role]
    if len(found) != 1:
        raise NoSuchRole(
            f"{role}: " + (f"{len(found)} roles have this name, give the ARN" if found else "no such role in what was given")
        )
    analysed = found[0]
    grants = []
    for provider, admitted in sorted(analysed.by_provider.items()):
        arn = parse_arn(provider)
        issuer = arn.name if arn else ""
        spelt, audiences = spell(admitted.subjects), spell(admitted.audiences)
        kind = "other" if not admitted.kubernetes else "eks" if issuer.startswith("oidc.eks.") else "kubernetes"
        pairs = [{"audiences": list(spell(a).patterns), "subjects": list(spell(s).patterns)} for a, s in admitted.cells]
        grants.append(
            {
                "provider": provider,
                "issuer": "https://" + issuer,
                "issuer_kind": kind,
                "audiences": {"any": admitted.audiences == EVERYTHING, "values": list(audiences.patterns)},
                "subjects": {
                    "scope": admitted.reach.scope or "unknown",
                    "patterns": list(spelt.patterns),
                    "except": list(spelt.without),
                    "witness": admitted.reach.witness,
                },
                "by_audience": pairs if len(pairs) > 1 else None,
                "service_accounts": _admitted_accounts(view, issuer, admitted.subjects),
                "depends_on": list(admitted.depends_on),
                "contested": list(admitted.contested),
            }
        )
    others = []
    for statement in analysed.policy.statements if analysed.policy else ():
        if statement.allow:
            others += [{"type": "AWS", "value": str(v)} for v in statement.aws]
            others += [{"type": "Service", "value": str(v)} for v in statement.service]
    return {
        "schema": "irsa-doctor.who-can/1",
        "tool": {"version": __version__, "rules_digest": digest()},
        "role": analysed.role.id,
        "grants": grants,
        "others": sorted(others, key=lambda o: (o["type"], o["value"])),
    }


def _admitted_accounts(view: View, issuer: str, subjects: object) -> list[str]:
    ids = []
    for cluster in view.inventory.clusters_by_issuer.get(issuer, ()):
        if isinstance(subjects, Finite):
            keys = [(cluster.id, *s.removeprefix(PREFIX).split(":", 1)) for s in subjects.values if s.startswith(PREFIX)]
            there = [view.inventory.service_account_by_key[key] for key in keys if key in view.inventory.service_account_by_key]  # type: ignore[index]
        else:
            there = [a for a in view.inventory.service_accounts if a.cluster == cluster.id and contains(subjects, a.subject)]  # type: ignore[arg-type]
        ids += [f"{cluster.name}/{a.namespace}/{a.name}" for a in there]
    return sorted(ids)
