"""Evidence as events of OCSF 1.6.0, class Compliance Finding: the version that AWS Security Hub reads.

Every event stands alone, and most are of items that passed: these say what was examined, and nothing of what would be wrong.

https://schema.ocsf.io/1.6.0/classes/compliance_finding
https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-ocsf.html
"""

import json
from collections.abc import Iterator
from typing import Any

from irsa_doctor.answers.audit.evidence import AuditEvidence, ControlEvidence, FrameworkEvidence
from irsa_doctor.answers.audit.items import EvidenceItem
from irsa_doctor.model.moments import moment_of
from irsa_doctor.reports.evidence.wording import (
    acceptance_of,
    first_run,
    last_run_seen,
    rule_title,
    rules_by_id,
    worst_severity,
)

OCSF_VERSION = "1.6.0"
_CLASS = 2003
_COMPLIANCE = {"passed": (1, "Pass"), "unknown": (2, "Warning"), "failed": (3, "Fail"), "waived": (3, "Fail")}
"""result -> compliance.status_id and its caption"""
_SEVERITIES = {
    "": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_ACTIVITIES = {1: "Create", 2: "Update", 3: "Close"}
_LONGEST = 4096
"""characters of a name: Security Hub takes no finding above 240 KB, and an annotation, which may be larger, is part of names
(https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html)"""


def ocsf_pieces(evidence: AuditEvidence, *, lines: bool = False) -> Iterator[str]:
    """Returns an array of events, or with `lines` one a line: one event an item and control, but for what was not tested."""
    events = (json.dumps(event, separators=(",", ":")) for event in _events(evidence))
    if lines:
        yield from (f"{event}\n" for event in events)
        return
    yield "["
    yield from (f"{',' if number else ''}\n{event}" for number, event in enumerate(events))
    yield "\n]\n"


def _events(evidence: AuditEvidence) -> Iterator[dict[str, Any]]:
    for framework in evidence.frameworks:
        for control in framework.controls:
            for item in control.items():
                if item.result in _COMPLIANCE:
                    yield _event(evidence, framework, control, item)


def _event(
    evidence: AuditEvidence, framework: FrameworkEvidence, control: ControlEvidence, item: EvidenceItem
) -> dict[str, Any]:
    activity = _activity(item, evidence)
    severity_id, severity = _SEVERITIES[worst_severity(item) if item.result in ("failed", "waived") else ""]
    status_id, status = {"waived": (3, "Suppressed")}.get(item.result, (1, "New") if activity == 1 else (2, "In Progress"))
    if activity == 3:
        status_id, status = 4, "Resolved"
    moment, name = _milliseconds(str(evidence.run["as_of"])), _shortened(item.subject)
    return {
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"Compliance Finding: {_ACTIVITIES[activity]}",
        "time": moment,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": f"{control.id}: {name} {item.result}",
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["cloud"],
            "product": {"name": "irsa-doctor", "vendor_name": "irsa-doctor", "version": evidence.run["tool"]},
            "uid": f"{evidence.head}/{framework.id}/{control.id}/{item.key}",
        },
        "cloud": _cloud(item, evidence),
        "compliance": _compliance(framework, control, item),
        "finding_info": _finding_info(item, control, evidence, moment),
        "resources": [
            {"uid": name, "type": item.kind, "name": name, **({"labels": [f"cluster:{item.cluster}"]} if item.cluster else {})}
        ],
        **_remediation(item),
        **_acceptance(item),
    }


def _shortened(name: str) -> str:
    """A name that no event is too long for; what tells two apart is the key."""
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}... ({len(name):,} characters)"


def _activity(item: EvidenceItem, evidence: AuditEvidence) -> int:
    """1 where a finding of the item is new in the last run, 3 where it failed earlier in the period and does not any more."""
    first = first_run(item)
    if item.result in ("failed", "waived"):
        closed = item.failed_in and item.last_result not in ("failed", "waived")
        return 3 if closed else 1 if first == evidence.period.last else 2
    return 1 if evidence.run["previous"] is None else 2


def _cloud(item: EvidenceItem, evidence: AuditEvidence) -> dict[str, Any]:
    cloud: dict[str, Any] = {"provider": "AWS"}
    if item.account:
        name = evidence.account_named(item.account).name
        cloud["account"] = {"uid": item.account, "type": "AWS Account", "type_id": 10, **({"name": name} if name else {})}
    if evidence.scope.organization:
        cloud["org"] = {"uid": evidence.scope.organization}
    return cloud


def _compliance(framework: FrameworkEvidence, control: ControlEvidence, item: EvidenceItem) -> dict[str, Any]:
    status_id, status = _COMPLIANCE[item.result]
    return {
        "standards": [f"{framework.title} {framework.version}"],
        "control": control.id,
        "requirements": [control.id],
        "desc": control.title or control.id,
        "status_id": status_id,
        "status": status,
        "status_details": [f"{item.result} by {rule}" for rule in item.rules],
    }


def _finding_info(item: EvidenceItem, control: ControlEvidence, evidence: AuditEvidence, moment: int) -> dict[str, Any]:
    info: dict[str, Any] = {"uid": item.key, "title": control.title or control.id, "created_time": moment}
    if item.result in ("failed", "waived"):
        info |= {"title": "; ".join(map(rule_title, item.rules)), "types": list(item.rules)}
    for name, run in (("first_seen_time", first_run(item)), ("last_seen_time", last_run_seen(item))):
        if run is not None and run in evidence.moments:
            info[name] = _milliseconds(evidence.moments[run])
    return info


def _remediation(item: EvidenceItem) -> dict[str, Any]:
    if item.result not in ("failed", "waived"):
        return {}
    rules = [rules_by_id()[ident] for ident in item.rules]
    references = list(dict.fromkeys(rule.url for rule in rules if rule.url))
    desc = " ".join(rule.remedy.strip() for rule in rules)
    return {"remediation": {"desc": desc, **({"references": references} if references else {})}}


def _acceptance(item: EvidenceItem) -> dict[str, str]:
    note = acceptance_of(item) if item.result == "waived" else None
    if note is None:
        return {}
    by = f", accepted by {note.accepted_by}" if note.accepted_by else ""
    return {"comment": f"Waived until {note.expires} by {note.owner}{by}: {note.reason}"}


def _milliseconds(text: str) -> int:
    moment = moment_of(text)
    return int(moment.timestamp() * 1000) if moment else 0
