"""Evidence as JSON, `irsa-doctor.audit-report/1`."""

from collections.abc import Iterator
from typing import Any

from irsa_doctor.answers.audit.evidence import (
    NOT_AN_OPINION,
    AuditEvidence,
    ControlEvidence,
    FrameworkEvidence,
)
from irsa_doctor.answers.audit.items import ITEM_RESULTS, EvidenceItem
from irsa_doctor.reports.evidence.streaming import streamed_json
from irsa_doctor.reports.evidence.wording import population_statement, sampling_statement

REPORT_SCHEMA = "irsa-doctor.audit-report/1"


def json_pieces(evidence: AuditEvidence) -> Iterator[str]:
    """Returns the evidence as one JSON document, piece by piece."""
    yield from streamed_json(_document(evidence))
    yield "\n"


def _document(evidence: AuditEvidence) -> dict[str, Any]:
    scope, period = evidence.scope, evidence.period
    common = {
        "schema": REPORT_SCHEMA,
        "statement": NOT_AN_OPINION,
        "store": evidence.store,
        "tool": {"version": evidence.run["tool"], "rules_digest": evidence.run["rules_digest"]},
        "run": dict(evidence.run),
        "period": {
            "from": period.start,
            "to": period.end,
            "runs": list(period.runs),
            "gaps": [{"from": gap.start, "to": gap.end} for gap in period.gaps],
            "pruned": list(period.pruned),
        },
        "account": evidence.account or None,
        "scope": {
            "organization": scope.organization,
            "accounts": [
                {"id": a.id, "name": a.name, "ou": list(a.units), "state": a.state, "why": a.why or None, "taken": a.taken}
                for a in scope.accounts
            ],
            "clusters": [{"arn": c.arn, "state": c.state, "why": c.why or None} for c in scope.clusters],
            "regions": [
                {"account": r.account, "region": r.name, "state": r.state, "why": r.why or None} for r in scope.regions
            ],
            "missing": [
                {"missing": m["missing"], "how": m["how"], "rules": m["rules"], "subjects": m["subjects"]}
                for m in scope.missing
            ],
        },
        "population": population_statement(evidence),
        "sampling": _sampling(evidence),
        "trend": [point._asdict() for point in evidence.trend],
        "waivers": [{name: value for name, value in waiver.items() if name != "run"} for waiver in evidence.waivers],
    }
    if len(evidence.frameworks) == 1:
        return {**common, **_framework(evidence.frameworks[0], evidence)}
    return {**common, "frameworks": (_framework(framework, evidence) for framework in evidence.frameworks)}


def _sampling(evidence: AuditEvidence) -> dict[str, Any] | None:
    if evidence.sampling is None:
        return None
    return {
        "size": evidence.sampling.size,
        "seed": evidence.sampling.seed,
        "head": evidence.head,
        "method": sampling_statement(evidence),
    }


def _framework(framework: FrameworkEvidence, evidence: AuditEvidence) -> dict[str, Any]:
    return {
        "framework": {"id": framework.id, "title": framework.title, "version": framework.version},
        "controls": (_control(control, evidence) for control in framework.controls),
        "uncontrolled": (
            {"key": u.note.key, "kind": u.kind, "subject": u.subject, "rule": u.note.rule, "severity": u.note.severity}
            for u in framework.uncontrolled
        ),
    }


def _control(control: ControlEvidence, evidence: AuditEvidence) -> dict[str, Any]:
    return {
        "id": control.id,
        "title": control.title,
        "verdict": control.verdict,
        "may_lack_items": control.may_lack_items,
        "rules": [relation._asdict() for relation in control.rules],
        "population": control.population,
        **{result.replace("-", "_"): control.counts.get(result, 0) for result in ITEM_RESULTS},
        "items": (_item(item, evidence) for item in control.items()),
        "sample": [_item(item, evidence) for item in control.sample],
    }


def _item(item: EvidenceItem, evidence: AuditEvidence) -> dict[str, Any]:
    shown = {
        "key": item.key,
        "kind": item.kind,
        "subject": item.subject,
        "account": item.account,
        "cluster": item.cluster,
        "rules": list(item.rules),
        "result": item.result,
        "failed_in": list(item.failed_in),
    }
    if evidence.period.is_asked:
        shown |= {"last_result": item.last_result, "examined_in": list(item.examined_in)}
    return shown
