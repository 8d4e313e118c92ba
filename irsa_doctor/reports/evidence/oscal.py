"""Evidence as OSCAL assessment results 1.2.1 (https://pages.nist.gov/OSCAL/reference/latest/assessment-results/json-reference/).

OSCAL has no verdict for "unknown": a control that is not proved is `not-satisfied`, with the reason `other` and the verdict as
a property.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from irsa_doctor.answers.audit.evidence import NOT_AN_OPINION, AuditEvidence, ControlEvidence, FrameworkEvidence
from irsa_doctor.answers.audit.items import ITEM_RESULTS, EvidenceItem, ItemResult
from irsa_doctor.model.audited import FindingNote
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.evidence.streaming import streamed_json
from irsa_doctor.reports.evidence.wording import (
    acceptance_of,
    counts_line,
    lacking_statement,
    period_words,
    population_statement,
    rule_title,
    sampling_statement,
    verdict_sentence,
)

OSCAL_VERSION = "1.2.1"
_NAMESPACE = "urn:irsa-doctor"
_TOLD: tuple[ItemResult, ...] = ("failed", "waived", "unknown")
"""results of which each item is an observation; the others are counted"""
_NIST = re.compile(r"^([A-Z]{2}-[0-9]+)\(([0-9]+)\)$")
_REASON = {"pass": "pass", "fail": "fail"}
_NO_PLAN = "No assessment plan was given to irsa-doctor; --ap names one."


def control_token(control: str, framework: str = "") -> str:
    """Returns the id of a control as a token of OSCAL; those of NIST as its catalogs write them, `ac-2.1`."""
    if framework in ("nist-800-53", "fedramp-20x") and (match := _NIST.match(control)):
        return f"{match[1]}.{match[2]}".lower()
    named = control if re.match(r"[A-Za-z_]", control) else f"c-{control}"
    return re.sub(r"[^A-Za-z0-9._-]", "-", named).lower()


def oscal_pieces(evidence: AuditEvidence, plan: str = "") -> Iterator[str]:
    """Returns one document with one result; `plan` is where the assessment plan is. The same run gives the same bytes."""
    yield from streamed_json({"assessment-results": _Writer(evidence).document(plan)})
    yield "\n"


class _Acceptance(NamedTuple):
    """A finding that somebody has accepted, its subject, and the observations of it."""

    note: FindingNote
    subject: str
    observations: list[str]


class _Writer:
    """Writes the parts, whose ids depend on the head of the store and on what they are about alone."""

    def __init__(self, evidence: AuditEvidence) -> None:
        self._evidence = evidence
        self._several = len(evidence.frameworks) > 1
        self._keys: dict[tuple[str, str], list[str]] = {}
        """framework and control -> the keys of the items that are observations, which are written before the findings"""
        self._waived: dict[str, _Acceptance] = {}
        """the key of a finding that somebody has accepted -> what is written of it, after the observations"""

    def _id(self, *path: str) -> str:
        scope = (self._evidence.head, *map(str, self._evidence.period.runs), self._evidence.account)
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join((_NAMESPACE, *scope, *path))))

    def document(self, plan: str) -> dict[str, Any]:
        run = self._evidence.run
        resource = self._id("resource", "plan")
        document = {
            "uuid": self._id("document"),
            "metadata": {
                "title": "Evidence about workload identities of AWS, by irsa-doctor",
                "last-modified": run["finished"],
                "version": f"run-{run['id']}",
                "oscal-version": OSCAL_VERSION,
                "props": [_prop("head", run["hash"]), _prop("tool-version", run["tool"])],
                "remarks": NOT_AN_OPINION,
            },
            "import-ap": {"href": plan or f"#{resource}"},
            "results": [self._result()],
        }
        if not plan:
            document["back-matter"] = {"resources": [{"uuid": resource, "title": "Assessment plan", "description": _NO_PLAN}]}
        return document

    def _result(self) -> dict[str, Any]:
        evidence = self._evidence
        told = any(control.counts.get(result) for control in self._covered() for result in _TOLD)
        waived = any(control.counts.get("waived") for control in self._covered())
        result: dict[str, Any] = {
            "uuid": self._id("result"),
            "title": period_words(evidence),
            "description": " ".join(filter(None, (verdict_sentence(evidence), *_method(evidence)))),
            "start": evidence.run["started"] if not evidence.period.is_asked else evidence.period.start,
            "end": evidence.run["finished"] if not evidence.period.is_asked else evidence.period.end,
            "props": [
                *(_prop(name, evidence.run[name]) for name in ("rules_digest", "settings", "inputs")),
                *(
                    _prop(f"account-{account.state}", f"{account.id}: {account.why}")
                    for account in evidence.scope.unread_accounts
                ),
            ],
            "reviewed-controls": {"control-selections": [self._selection(f) for f in evidence.frameworks]},
        }
        if told:
            result["local-definitions"] = {"inventory-items": self._inventory()}
            result["observations"] = self._observations()
        if waived:
            result["risks"] = self._risks()
        result["findings"] = (
            self._finding(f, control) for f in evidence.frameworks for control in f.controls if control.is_covered
        )
        return result

    def _covered(self) -> Iterator[ControlEvidence]:
        return (c for framework in self._evidence.frameworks for c in framework.controls if c.is_covered)

    def _selection(self, framework: FrameworkEvidence) -> dict[str, Any]:
        """The controls that a rule bears on; the others are excluded by name, so that none is dropped silently."""
        included = [c.id for c in framework.controls if c.is_covered]
        excluded = [c.id for c in framework.controls if not c.is_covered]
        selection: dict[str, Any] = {"description": f"{framework.title} {framework.version}"}
        if included:
            selection["include-controls"] = [{"control-id": self._token(ident, framework)} for ident in included]
        if excluded:
            selection["exclude-controls"] = [{"control-id": self._token(ident, framework)} for ident in excluded]
            selection["remarks"] = "Excluded: no rule of irsa-doctor bears on these controls."
        return selection

    def _token(self, control: str, framework: FrameworkEvidence) -> str:
        token = control_token(control, framework.id)
        return f"{control_token(framework.id)}_{token}" if self._several else token

    def _told(self) -> Iterator[tuple[FrameworkEvidence, ControlEvidence, EvidenceItem]]:
        return (row for row in self._evidence.items_by_subject() if row[2].result in _TOLD)

    def _inventory(self) -> Iterator[dict[str, Any]]:
        known = set()
        for _, _, item in self._told():
            if item.key not in known:
                known.add(item.key)
                account = self._evidence.account_named(item.account)
                props = [
                    ("kind", item.kind),
                    ("account", item.account),
                    ("account-name", account.name),
                    ("cluster", item.cluster),
                ]
                yield {
                    "uuid": self._id("item", item.key),
                    "description": _line(item.subject),
                    "props": [_prop(name, value) for name, value in (*props, ("key", item.key)) if value],
                }

    def _observations(self) -> Iterator[dict[str, Any]]:
        for framework, control, item in self._told():
            observation = self._observation(framework.id, control.id, item.key)
            self._keys.setdefault((framework.id, control.id), []).append(item.key)
            if item.result == "waived" and (note := acceptance_of(item)):
                self._waived.setdefault(note.key, _Acceptance(note, item.subject, [])).observations.append(observation)
            titles = "; ".join(rule_title(rule) for rule in item.rules)
            yield {
                "uuid": observation,
                "title": _line(f"{control.id}: {item.result}"),
                "description": _line(f"{item.subject}: {item.result} by {titles}"),
                "props": [
                    _prop("result", item.result),
                    _prop("control", self._token(control.id, framework)),
                    *(_prop("rule", rule) for rule in item.rules),
                    *(_prop("failed-in-run", str(run)) for run in item.failed_in),
                ],
                "methods": ["TEST-AUTOMATED"],
                "types": ["control-objective"],
                "subjects": [{"subject-uuid": self._id("item", item.key), "type": "inventory-item"}],
                "collected": self._evidence.run["as_of"],
            }

    def _observation(self, framework: str, control: str, key: str) -> str:
        return self._id("observation", framework, control, key)

    def _risks(self) -> Iterator[dict[str, Any]]:
        """What somebody has accepted: one risk a waived finding."""
        for note, subject, observations in self._waived.values():
            yield {
                "uuid": self._id("risk", note.key),
                "title": _line(f"{note.rule} accepted for {subject}"),
                "description": _line(f"{rule_title(note.rule)}: {subject}"),
                "statement": _line(note.reason) or "no reason",
                "props": [
                    _prop(name, value)
                    for name, value in (("owner", note.owner), ("accepted-by", note.accepted_by), ("expires", note.expires))
                    if value
                ]
                or [_prop("owner", "nobody")],
                "status": "deviation-approved",
                "related-observations": [{"observation-uuid": each} for each in observations],
            }

    def _finding(self, framework: FrameworkEvidence, control: ControlEvidence) -> dict[str, Any]:
        state = "satisfied" if control.verdict == "pass" else "not-satisfied"
        token, lacking = self._token(control.id, framework), lacking_statement(control)
        finding: dict[str, Any] = {
            "uuid": self._id("finding", framework.id, control.id),
            "title": _line(f"{control.id} {control.title or ''}"),
            "description": " ".join(
                filter(None, (f"{control.verdict}: {counts_line(control)} of {control.population} items.", lacking))
            ),
            "target": {
                "type": "objective-id",
                "target-id": token,
                "props": [
                    _prop("verdict", control.verdict.replace(" ", "-")),
                    _prop("population", str(control.population)),
                    *(_prop(result, str(control.counts.get(result, 0))) for result in ITEM_RESULTS),
                    *(_prop("sampled", item.key) for item in control.sample),
                ],
                "status": {"state": state, "reason": _REASON.get(control.verdict, "other")},
            },
        }
        if keys := self._keys.get((framework.id, control.id)):
            finding["related-observations"] = (
                {"observation-uuid": self._observation(framework.id, control.id, key)} for key in keys
            )
        return finding


def _method(evidence: AuditEvidence) -> tuple[str, str]:
    return population_statement(evidence), sampling_statement(evidence)


def _prop(name: str, value: str) -> dict[str, str]:
    """A property; its value has neither line breaks nor spaces at its ends."""
    return {"name": name.replace("_", "-"), "ns": _NAMESPACE, "value": _line(value) or "-"}


def _line(text: str) -> str:
    return for_terminal(text).strip()
