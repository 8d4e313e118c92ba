"""Evidence as CSV: one row an item and control, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterator

from irsa_doctor.answers.audit.evidence import AuditEvidence, ControlEvidence, FrameworkEvidence
from irsa_doctor.answers.audit.items import EvidenceItem
from irsa_doctor.reports.escape import for_terminal
from irsa_doctor.reports.evidence.wording import acceptance_of, first_run, last_run_seen

_COLUMNS = (
    *("control", "title", "result", "rule", "subject", "kind", "account", "account_name", "ou", "cluster"),
    *("first_seen", "last_seen", "owner", "accepted_by", "expires", "key"),
    *("framework", "failed_in", "in_sample", "not_covered", "not_examined"),
)
"""`not_covered` are the controls of the framework that no rule bears on, `not_examined` those of which there is no item: they
have no rows, unless all controls of the framework are such"""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
"""how a cell begins that a spreadsheet would compute; an apostrophe before it makes it a text (OWASP ASVS 5, 1.2.10)"""


def csv_pieces(evidence: AuditEvidence) -> Iterator[str]:
    """Returns the rows, by framework and control; RFC 4180, with a byte order mark, so that Excel reads UTF-8."""
    yield "\ufeff" + _line(_COLUMNS)
    for framework in evidence.frameworks:
        for control in framework.controls:
            sample = frozenset(item.key for item in control.sample)
            for item in control.items():
                yield _line(_cells(item, control, framework, evidence, "yes" if item.key in sample else ""))
        if not any(control.population for control in framework.controls):
            yield from (_line(_without_items(control, framework)) for control in framework.controls)


def _without_items(control: ControlEvidence, framework: FrameworkEvidence) -> tuple[str, ...]:
    """The row of a control where no row of the framework would name it."""
    cells = dict.fromkeys(_COLUMNS, "")
    cells |= {"control": control.id, "title": control.title or "", "result": control.verdict, "framework": framework.id}
    return tuple(cells.values())


def _cells(
    item: EvidenceItem, control: ControlEvidence, framework: FrameworkEvidence, evidence: AuditEvidence, sampled: str
) -> tuple[str, ...]:
    account, accepted = evidence.account_named(item.account), acceptance_of(item)
    return (
        control.id,
        control.title or "",
        item.result,
        " ".join(item.rules),
        item.subject,
        item.kind,
        item.account,
        account.name,
        "/".join(account.units),
        item.cluster,
        str(first_run(item) or ""),
        str(last_run_seen(item) or ""),
        accepted.owner if accepted else "",
        accepted.accepted_by if accepted else "",
        accepted.expires if accepted else "",
        item.key,
        framework.id,
        " ".join(map(str, item.failed_in)),
        sampled,
        " ".join(each.id for each in framework.controls if not each.is_covered),
        " ".join(each.id for each in framework.controls if each.is_covered and not each.population),
    )


def _line(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_as_text(cell) for cell in cells])
    return text.getvalue()


def _as_text(cell: str) -> str:
    return f"'{for_terminal(cell)}" if cell.startswith(_FORMULA) else for_terminal(cell)
