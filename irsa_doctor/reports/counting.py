"""Numbers with their nouns."""

import os

from irsa_doctor.model import PASSED_OVER
from irsa_doctor.model.findings import SEVERITIES, Report


def counted(number: int, what: str) -> str:
    """Returns a number with its noun: `1 policy`, `2 policies`."""
    return f"{number} {what}" if number == 1 else f"{number} {what[:-1] + 'ies' if what.endswith('y') else what + 's'}"


def by_severity(report: Report) -> str:
    """Returns the number of findings of each severity: `1 critical, 2 high`, or `no findings`."""
    numbers = [(severity, sum(finding.severity == severity for finding in report.findings)) for severity in SEVERITIES]
    return ", ".join(f"{number} {severity}" for severity, number in numbers if number) or "no findings"


def checked(report: Report) -> str:
    """Returns what was checked: the number of subjects of each kind and of documents, and of documents without a subject."""
    counts = report.counts
    kinds = [
        (counts.roles, "role"),
        (counts.policies, "bare policy"),
        (counts.providers, "provider"),
        (counts.clusters, "cluster"),
        (counts.service_accounts, "service account"),
        (counts.workloads, "workload"),
        (counts.associations, "Pod Identity association"),
    ]
    subjects = ", ".join(counted(number, what) for number, what in kinds if number) or "nothing"
    read = {row.path for row in report.documents if row.status == "read"}
    ignored = {row.path for row in report.documents if row.status == "ignored" and row.kind != PASSED_OVER}
    other = len(ignored - read)
    rest = f"; {counted(other, 'document')} ignored" if other else ""
    return f"{subjects} in {counted(len(read), 'document')}{rest}"


_RENDERED = ("helm-chart", "kustomization", "cdk", "pulumi")
_RENDERING = ("helm template", "kustomize build", "cdk synth", "cdktf synth", "pulumi preview")


def renderings(report: Report) -> str:
    """Returns how the charts, kustomizations and programs of the input are read: the commands, of several the first."""
    whys = [row.why for row in report.documents if row.kind in _RENDERED and row.why and not row.base]
    commands = [why[why.find(start) :] for why in whys for start in _RENDERING if start in why]
    more = f" (and {len(commands) - 1} more)" if len(commands) > 1 else ""
    return f"Not rendered: {commands[0]}{more}" if commands else ""


def passed_over(report: Report) -> str:
    """Returns what the walk through folders left out, `2 folders and 1 file passed over`, or ""."""
    paths = [row.path for row in report.documents if row.kind == PASSED_OVER]
    folders = sum(path.endswith(os.sep) for path in paths)
    numbers = [(folders, "folder"), (len(paths) - folders, "file")]
    what = " and ".join(counted(number, noun) for number, noun in numbers if number)
    return f"{what} passed over" if what else ""
