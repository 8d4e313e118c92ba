"""Numbers with their nouns."""

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
    ]
    subjects = ", ".join(counted(number, what) for number, what in kinds if number) or "nothing"
    read = {row.path for row in report.documents if row.status == "read"}
    other = len({row.path for row in report.documents if row.status == "ignored"} - read)
    rest = f"; {counted(other, 'document')} ignored" if other else ""
    return f"{subjects} in {counted(len(read), 'document')}{rest}"
