"""Numbers with their words."""

from irsa_doctor.model.findings import Report


def counted(number: int, what: str) -> str:
    """`1 policy`, `2 policies`."""
    return f"{number} {what}" if number == 1 else f"{number} {what[:-1] + 'ies' if what.endswith('y') else what + 's'}"


def looked_at(report: Report) -> str:
    """What a report is about: how many of what in how many documents, and how many more had nothing to judge."""
    counts = report.counts
    kinds = [
        (counts.roles, "role"),
        (counts.policies, "bare policy"),
        (counts.providers, "provider"),
        (counts.clusters, "cluster"),
        (counts.service_accounts, "service account"),
        (counts.workloads, "workload"),
    ]
    things = ", ".join(counted(number, what) for number, what in kinds if number) or "nothing"
    read = {row.path for row in report.documents if row.status == "read"}
    other = len({row.path for row in report.documents if row.status == "ignored"} - read)
    beside = f"; {other} more {'holds' if other == 1 else 'hold'} nothing to judge" if other else ""
    return f"{things} in {counted(len(read), 'document')}{beside}"
