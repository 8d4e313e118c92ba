"""Finds remedies that somebody has tried and that correct nothing, or open the role."""

from collections.abc import Iterator

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.records import MistakenRemedy, quoted_places

_EC2 = "ec2.amazonaws.com"


def mistaken_remedies(case: Case) -> Iterator[MistakenRemedy]:
    """What rules report and name a better remedy for; a role that trusts EC2; a process that runs as root."""
    for rule in case.rulebook.rules:
        if rule.instead and rule.id not in case.rulebook.muted and (finding := case.finding(rule.id)):
            yield MistakenRemedy(rule.id, finding.message, rule.instead.strip(), quoted_places(finding.locations))
    policy = case.analysed.policy if case.analysed else None
    if policy and any(_EC2 in statement.service and statement.allow for statement in policy.statements):
        says = "the role trusts EC2: every pod on a node that has this role can use it, which hides the cause"
        yield MistakenRemedy("trust-service-ec2", says, "Let the role trust the OIDC provider alone.")
    roots = [c.name for w in case.workloads for c in w.containers if (w.user if c.user is None else c.user) == 0]
    if roots and case.finding_of("token-file-unreadable"):
        yield MistakenRemedy("run-as-root", f"{roots[0]} runs as root", "Set securityContext.fsGroup to 65534.")
