"""Evidence as one HTML file, for managers and auditors: no script, no request, printable."""

from collections.abc import Iterator

from irsa_doctor.answers.audit.evidence import AuditEvidence
from irsa_doctor.reports.escape import for_xml
from irsa_doctor.reports.evidence.page import control_anchor, control_section, controls_table, framed, front
from irsa_doctor.reports.evidence.sections import (
    accounts_section,
    method_section,
    scope_section,
    uncontrolled_section,
    waivers_section,
)
from irsa_doctor.reports.evidence.wording import verdict_sentence, verdict_words

_LINKS = {
    "Controls": "#controls",
    "Accounts and units": "#accounts",
    "Waivers": "#waivers",
    "What was not checked": "#scope",
    "Method and hashes": "#method",
}


def html_pieces(evidence: AuditEvidence) -> Iterator[str]:
    """Returns the page, piece by piece."""
    return framed(f"irsa-doctor audit: {verdict_sentence(evidence)}", _body(evidence), evidence)


def _body(evidence: AuditEvidence) -> Iterator[str]:
    yield from front(evidence, _LINKS)
    yield '<h2 id="controls" class="page">Controls</h2>'
    for framework in evidence.frameworks:
        addresses = {control.id: f"#{control_anchor(framework.id, control.id)}" for control in framework.controls}
        yield f"<h3>{for_xml(framework.title)} ({for_xml(framework.version)})</h3><p>{verdict_words(framework)}.</p>"
        yield controls_table(framework.controls, addresses)
        for control in framework.controls:
            yield from control_section(evidence, control, addresses[control.id][1:])
    yield from uncontrolled_section(evidence)
    yield from accounts_section(evidence, {})
    yield from waivers_section(evidence)
    yield from scope_section(evidence)
    yield from method_section(evidence)
