"""Evidence as one HTML file, for managers and auditors: no script, no request, printable."""

from collections.abc import Iterator

from irsa_doctor.answers.audit.evidence import AuditEvidence
from irsa_doctor.reports.evidence.overview import after_controls, framework_head, page_title
from irsa_doctor.reports.evidence.page import control_anchor, control_section, framed, front

_LINKS = {
    "Controls": "#controls",
    "Accounts and units": "#accounts",
    "Waivers": "#waivers",
    "What was not checked": "#scope",
    "Method and hashes": "#method",
}


def html_pieces(evidence: AuditEvidence) -> Iterator[str]:
    """Returns the page, piece by piece."""
    return framed(page_title(evidence), _body(evidence), evidence)


def _body(evidence: AuditEvidence) -> Iterator[str]:
    yield from front(evidence, _LINKS)
    yield '<h2 id="controls" class="page">Controls</h2>'
    for framework in evidence.frameworks:
        addresses = {control.id: f"#{control_anchor(framework.id, control.id)}" for control in framework.controls}
        yield from framework_head(framework, addresses)
        for control in framework.controls:
            yield from control_section(evidence, control, addresses[control.id][1:])
    yield from after_controls(evidence, {})
