"""The link about the role: it exists, under exactly this ARN."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import needs, skips
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.provider import PROVIDER_LINK
from irsa_doctor.answers.why.links.state import LinkState, failed, inapplicable, observed, passed, signs_of
from irsa_doctor.model.findings import Finding
from irsa_doctor.rulebook.cause_block import StsError

DENIED = StsError("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity")


def _role_disproof(case: Case) -> LinkState | None:
    if case.uses_pod_identity:
        return _of_association(case)
    if not case.role_arn or (case.analysed and not case.assumed_policy):
        return None
    findings = [f for f in case.findings.on_link("role") if not _explains_provider(case, f)]
    return failed(findings[0].message, *signs_of(findings)) if findings else None


def _explains_provider(case: Case, finding: Finding) -> bool:
    """A wrong account in the ARN is the cause of the missing provider already."""
    return finding in case.findings.of_sign("role-in-other-account") and PROVIDER_LINK.state(case).verdict == "fail"


def _of_association(case: Case) -> LinkState:
    named = case.association.role_arn if case.association else ""
    if isinstance(named, str) and named in case.view.role_by_arn:
        return passed(f"{named}, which EKS Pod Identity supplies, exists")
    return inapplicable("the role of the Pod Identity association is not in the input")


def _role(case: Case) -> LinkState:
    if (case.analysed and not case.assumed_policy) or not case.role_arn:
        return passed(f"{case.role} exists")
    account, name = case.role_arn.account, case.role_name
    says = f"account {account} has no {case.role}"
    namesake = next((r for r in case.view.inventory.roles if (r.account, r.name) == (account, name) and r.arn), None)
    if namesake is None:
        return observed("role-absent", says)
    # a name is unique in an account, whatever its path; no rule reports it where the service account is not in the input
    same = namesake.arn.startswith(f"arn:{case.role_arn.partition}:")
    return observed("role-path-differs" if same else "role-partition-differs", f"{says}; its {name} is {namesake.arn}")


ROLE_LINK = Link(
    id="role",
    of_any_issuer=True,
    title="the role exists",
    signs=("role-absent", "role-path-differs", "role-partition-differs"),
    disproof=_role_disproof,
    skips=(skips.no_role,),
    needs=(needs.ROLE_INPUT,),
    examine=_role,
    decides=frozenset({"web-identity"}),
    after="request",
    error=DENIED,
)
