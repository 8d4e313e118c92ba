"""What evidence has in common as one page and as the index of a site: frameworks with their controls, and what follows."""

from collections.abc import Iterable, Iterator, Mapping

from irsa_doctor.answers.audit.evidence import AuditEvidence, FrameworkEvidence
from irsa_doctor.reports.escape import for_xml
from irsa_doctor.reports.evidence.page import controls_table
from irsa_doctor.reports.evidence.sections import (
    accounts_section,
    method_section,
    scope_section,
    uncontrolled_section,
    waivers_section,
)
from irsa_doctor.reports.evidence.wording import verdict_sentence, verdict_words


def page_title(evidence: AuditEvidence) -> str:
    """Returns the title of the page."""
    return f"irsa-doctor audit: {verdict_sentence(evidence)}"


def framework_head(framework: FrameworkEvidence, address: Mapping[str, str]) -> Iterator[str]:
    """Returns a framework: its name, its verdict in words, and its controls; `address` is where each control is."""
    yield f"<h3>{for_xml(framework.title)} ({for_xml(framework.version)})</h3><p>{verdict_words(framework)}.</p>"
    yield controls_table(framework.controls, address)


def after_controls(evidence: AuditEvidence, accounts: Mapping[str, str], runs: Iterable[str] = ()) -> Iterator[str]:
    """Returns what follows the controls; `accounts` is where each account is, `runs` what the page says of runs."""
    yield from uncontrolled_section(evidence)
    yield from accounts_section(evidence, accounts)
    yield from runs
    yield from waivers_section(evidence)
    yield from scope_section(evidence)
    yield from method_section(evidence)
