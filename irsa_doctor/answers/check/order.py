"""The order of findings: by severity, then by role; the name of a cluster decides nothing that a role or a name decides."""

from collections.abc import Iterable

from irsa_doctor.model.findings import SEVERITIES, Finding
from irsa_doctor.text.surrogates import without_surrogates

_OF_ROLES = ("role", "grant", "policy")
_OTHERS = ("service-account", "binding", "workload", "identity", "provider", "cluster", "document", "waiver", "settings")
_SEVERITY = {severity: number for number, severity in enumerate(SEVERITIES)}
_PARTS = {"service-account": 2, "binding": 2, "workload": 3}
"""names in an id of these kinds, after the name of the cluster"""


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Returns the worst findings first; of one severity by role, then those without a role by kind and name."""
    return tuple(sorted(findings, key=finding_order))


def finding_order(finding: Finding) -> tuple[int, int, str, str, str, str, str]:
    """What a finding is sorted by."""
    kind, ident = finding.subject.kind, finding.subject.id
    name, _, role = ident.partition(" -> ")
    if kind in _OF_ROLES or (kind == "binding" and role):
        rank, first = 0, role or finding.group or ident
    else:
        rank, first = 1 + (_OTHERS.index(kind) if kind in _OTHERS else len(_OTHERS)), _name(kind, name)
    texts = (first, finding.rule, _name(kind, name), finding.group, ident)
    first, rule, name, group, ident = map(without_surrogates, texts)
    return _SEVERITY[finding.severity], rank, first, rule, name, group, ident


def _name(kind: str, ident: str) -> str:
    """The id without the name of the cluster, where it begins with one."""
    parts = ident.split("/")
    return "/".join(parts[-_PARTS[kind] :]) if kind in _PARTS else ident
