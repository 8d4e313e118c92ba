"""Links that rules judge: their findings prove that a link is broken, or leave it in doubt."""

from collections.abc import Callable

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links.state import LinkState, Sign, failed, signs_of, undecided
from irsa_doctor.model.findings import Finding


def by_rules(link: str, *, but: frozenset[str] = frozenset()) -> Callable[[Case], LinkState | None]:
    """What the findings about a link prove: that it is broken, or that it may be; None where there are none.

    `but`: kinds of subjects whose findings the link leaves aside, for it looks more closely itself.
    """

    def disproof(case: Case) -> LinkState | None:
        findings = [finding for finding in case.findings.on_link(link) if finding.subject.kind not in but]
        proofs = [finding for finding in findings if _is_proof(case, finding)]
        doubts = [f for f in findings if f not in proofs and f.rule not in case.rulebook.muted]
        if proofs:
            return failed(proofs[0].message, *signs_of(proofs), *signs_of(doubts, "likely"))
        return undecided(doubts[0].message, *signs_of(doubts, "likely")) if doubts else None

    return disproof


def _is_proof(case: Case, finding: Finding) -> bool:
    """Whether a finding proves that its link is broken; the cause says so where the confidence of the rule is about something
    else: whether it was meant so, or what it was put down to."""
    cause = case.findings.explained_by(finding.rule)
    return finding.confidence == "high" or bool(cause and cause.certainty)


def minor_signs(case: Case, link: str) -> tuple[Sign, ...]:
    """Findings that are mostly harmless, and possible causes where somebody asks why a credential fails."""
    return signs_of(case.findings.minor_on(link), "possible")
