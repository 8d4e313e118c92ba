"""Audits as JSON and text: one run, the history of a store, and what changed."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from irsa_doctor.model.findings import SEVERITIES
from irsa_doctor.reports.counting import counted
from irsa_doctor.reports.json import json_text
from irsa_doctor.reports.layout import COLOURS, clean, prose
from irsa_doctor.reports.style import Style
from irsa_doctor.store.integrity import StoreVerification
from irsa_doctor.store.reading import ChangeRow, RunHeader

AUDIT_SCHEMA = "irsa-doctor.audit/1"
HISTORY_SCHEMA = "irsa-doctor.audit-history/1"
CHANGES_SCHEMA = "irsa-doctor.audit-changes/1"
VERIFY_SCHEMA = "irsa-doctor.audit-verify/1"
_COUNTED = ("new", "fixed", "gone", "reopened", "waived", "expired", "unseen")
SightingsOf = Callable[[str], Iterable[dict[str, Any]]]
"""the findings of a run by their status, open or waived, as JSON"""
_WAIVED = ("owner", "reason", "expires", "accepted_by")


class Counted(NamedTuple):
    """What a run counts: its findings by severity, those that are waived, what has changed."""

    findings: Mapping[str, int]
    waived: int
    changes: Mapping[str, int]


def audit_members(
    run: RunHeader, counted: Counted, sightings: SightingsOf, tables: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """Returns the members of a run as JSON says it, `irsa-doctor.audit/1`; those of which there may be many are iterators."""
    return {
        "schema": AUDIT_SCHEMA,
        "tool": {"version": run.tool, "rules_digest": run.rules_digest},
        "run": {name: getattr(run, name) for name in _RUN},
        "scope": _scope(run, tables["scope"]),
        "summary": {
            **run.options.get("summary", {}),
            "findings": {severity: counted.findings.get(severity, 0) for severity in SEVERITIES},
            "unknown": len(tables["unknown"]),
            "waived": counted.waived,
        },
        "findings": (_without(sighting, "waiver", *_WAIVED) for sighting in sightings("open")),
        "unknown": [_unknown(row) for row in tables["unknown"]],
        "rules": [{"id": row["rule"], **_without(row, "run", "rule")} for row in tables["tally"]],
        "waived": iter(sightings("waived")),
        "changes": {**dict.fromkeys(_COUNTED, 0), **counted.changes},
    }


_RUN = ("id", "state", "started", "finished", "as_of", "previous", "hash", "settings", "inputs")


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Returns a row without some members."""
    return {name: value for name, value in row.items() if name not in names}


def _scope(run: RunHeader, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    accounts = [
        {"id": r["id"], "name": r["name"], "ou": json.loads(r["ou"]), "state": r["state"], "why": r["why"], "taken": r["taken"]}
        for r in rows
        if r["kind"] == "account"
    ]
    shards = run.options.get("shards", 0)
    reused = run.options.get("reused", 0)
    return {
        "organization": run.options.get("organization", ""),
        "accounts": accounts,
        "clusters": [{"arn": r["id"], "state": r["state"], "why": r["why"]} for r in rows if r["kind"] == "cluster"],
        "regions": [
            {"account": r["id"].partition("/")[0], "region": r["name"], "state": r["state"], "why": r["why"]}
            for r in rows
            if r["kind"] == "region"
        ],
        "shards": {"given": shards, "judged": shards - reused, "reused": reused},
    }


def _unknown(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: row[name] for name in ("missing", "how")}
    return {**shown, "rules": json.loads(row["rules"]), "subjects": row["subjects"], "then": row["then_"], "file": row["file"]}


def render_audit(answer: Mapping[str, Any], output_format: str, style: Style) -> str:
    """Returns a run: JSON, a finding a line, or text."""
    return "".join(audit_pieces(answer, output_format, style))


def audit_pieces(members: Mapping[str, Any], output_format: str, style: Style, *, is_kept: bool = True) -> Iterator[str]:
    """Returns the pieces of a run: JSON, a finding a line, or text; of one that is not kept, text has no history."""
    if output_format == "json":
        return _json_pieces(members)
    if output_format == "jsonl":
        return (json.dumps(finding) + "\n" for finding in members["findings"])
    return (f"{line}\n" for line in _audit_lines(members, style, is_kept))


def _json_pieces(members: Mapping[str, Any]) -> Iterator[str]:
    """The text of `json_text`, a list item by item."""
    before = "{\n"
    for name, value in members.items():
        yield f"{before} {json.dumps(name)}: "
        if isinstance(value, dict | str):
            yield _indented(value, 1)
        else:
            yield from _list_pieces(iter(value))
        before = ",\n"
    yield "\n}\n"


def _list_pieces(items: Iterator[Any]) -> Iterator[str]:
    before = "[\n"
    while some := list(islice(items, _AT_ONCE)):
        # as a list they stand one deeper, between brackets
        yield f"{before} {_indented(some, 1)[3:-3]}"
        before = ",\n"
    yield "[]" if before == "[\n" else "\n ]"


_AT_ONCE = 50
"""items of a list that are written at once"""


def _indented(value: object, depth: int) -> str:
    return json_text(value).rstrip("\n").replace("\n", "\n" + " " * depth)


def _audit_lines(answer: Mapping[str, Any], style: Style, is_kept: bool) -> Iterator[str]:
    run, scope, summary = answer["run"], answer["scope"], answer["summary"]
    has_findings = False
    for finding in answer["findings"]:
        has_findings = True
        where = f" in {finding['account']}" if finding["account"] else ""
        words = clean(f"{finding['rule']}{where}: {finding['message']}")
        yield from prose(words, style, "", finding["severity"], COLOURS[finding["severity"]])
    if has_findings:
        yield ""
    unseen = [account for account in scope["accounts"] if account["state"] != "read"]
    for account in unseen:
        yield from prose(clean(f"account {account['id']} ({account['name']}): {account['why']}"), style, "", account["state"])
    number = len(scope["accounts"])
    clusters = [cluster["state"] == "read" for cluster in scope["clusters"]]
    read = f"{number - len(unseen)} of {number} accounts and {sum(clusters)} of {len(clusters)} clusters"
    yield from prose(f"Read in full: {read}.", style, "")
    counts = ", ".join(f"{summary['findings'][severity]} {severity}" for severity in SEVERITIES)
    yield from prose(f"Found {counts}; {summary['waived']} waived, {summary['unknown']} inputs missing.", style, "")
    if not is_kept:
        yield from prose(f"As of {run['as_of']}. Nothing is kept (--no-store).", style, "")
        return
    changed = ", ".join(f"{count} {change}" for change, count in answer["changes"].items() if count)
    since = "Since the run before" if run["previous"] else "In the first run"
    yield from prose(f"{since}: {changed or 'nothing has changed'}.", style, "")
    yield from prose(f"Run {run['id']} as of {run['as_of']}, {run['hash']}", style, "")


def render_history(runs: Sequence[tuple[RunHeader, Mapping[str, int]]], output_format: str, style: Style) -> str:
    """Returns the runs of a store, oldest first."""
    if output_format == "json":
        rows = [
            {
                **{name: getattr(run, name) for name in _HISTORY},
                "summary": run.options.get("summary", {}),
                "scope": dict(states),
            }
            for run, states in runs
        ]
        return json_text({"schema": HISTORY_SCHEMA, "runs": rows})
    lines: list[str] = []
    for run, states in runs:
        lines += prose(f"{run.as_of or run.started}  {_history_words(run, states)}  {run.hash}", style, "", str(run.id))
    return "".join(f"{line}\n" for line in lines) or "no runs\n"


def _history_words(run: RunHeader, states: Mapping[str, int]) -> str:
    if run.state != "complete":
        return f"{run.state}, no details"
    read = ", ".join(f"{count} {state}" for state, count in states.items()) or "none"
    numbers = run.options.get("summary", {}).get("findings", {})
    found = ", ".join(f"{numbers[severity]} {severity}" for severity in SEVERITIES if numbers.get(severity))
    return f"accounts: {read}; open findings: {found or 'none'}"


_HISTORY = ("id", "state", "started", "finished", "as_of", "previous", "hash")


def render_changes(since: int, until: int, rows: Sequence[ChangeRow], output_format: str, style: Style) -> str:
    """Returns what changed between two runs; in text the worst first."""
    if output_format == "json":
        changes = [
            {
                "change": row.change,
                "run": row.run,
                "rule": row.rule,
                "subject": row.body.get("subject") or {"kind": row.kind, "id": row.subject},
                "key": row.key,
                "fingerprint": row.body.get("fingerprint", ""),
                "severity": row.severity,
                "account": row.account,
                "waiver": row.waiver,
            }
            for row in rows
        ]
        return json_text({"schema": CHANGES_SCHEMA, "from": since, "to": until, "changes": changes})
    worst = sorted(rows, key=_change_order)
    lines = [
        line
        for row in worst
        for line in prose(
            clean(f"{row.change} in run {row.run}: {row.rule} {row.subject}"),
            style,
            "",
            row.severity,
            COLOURS.get(row.severity, ""),
        )
    ]
    return "".join(f"{line}\n" for line in lines) or "nothing has changed\n"


def _change_order(row: ChangeRow) -> tuple[int, int, str, str, str]:
    """The worst first, then by run, rule and subject."""
    severity = SEVERITIES.index(row.severity) if row.severity in SEVERITIES else len(SEVERITIES)
    return severity, row.run, row.rule, row.subject, row.change


def render_store_verification(found: StoreVerification, output_format: str, style: Style) -> str:
    """Returns whether a store is whole."""
    if output_format == "json":
        tampering = [row._asdict() for row in found.tampering]
        whole = {"runs": found.runs, "headers_only": list(found.headers_only), "head": found.head}
        return json_text({"schema": VERIFY_SCHEMA, "whole": not tampering, **whole, "changed": tampering})
    lines: list[str] = []
    for row in found.tampering:
        words = f"{row.table}: {row.row}" if row.run else row.row
        lines += prose(clean(words), style, "", f"run {row.run}" if row.run else "store")
    if found.headers_only:
        pruned = ", ".join(map(str, found.headers_only))
        lines += prose(f"The details were pruned of run {pruned}: only the hashes are left.", style, "")
    verdict = "The store was changed." if found.tampering else f"The store is whole: {counted(found.runs, 'run')}."
    lines += prose(verdict, style, "")
    if found.head and not found.tampering:
        lines.append(f"Head: {found.head}")
    return "".join(f"{line}\n" for line in lines)


def render_waivers(waivers: Sequence[Mapping[str, Any]], output_format: str, style: Style) -> str:
    """Returns the waivers of the last run."""
    if output_format == "json":
        return json_text(
            {"schema": f"{AUDIT_SCHEMA.partition('/')[0]}-waivers/1", "waivers": [_without(w, "run") for w in waivers]}
        )
    lines: list[str] = []
    for waiver in sorted(waivers, key=lambda each: each["expires"]):
        by = f", accepted by {waiver['accepted_by']}" if waiver["accepted_by"] else ""
        says = f"{waiver['rule']} {waiver['subject']}: {waiver['reason']} ({waiver['owner']}{by})"
        lines += prose(clean(says), style, "", f"until {waiver['expires']}")
    return "".join(f"{line}\n" for line in lines) or "no waivers\n"
