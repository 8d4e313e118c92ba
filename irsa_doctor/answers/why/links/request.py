"""The links about what the request says: its form, and how long the session is to last."""

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence.tokens import BadToken
from irsa_doctor.answers.why.hops import broken_hop, open_hop, repeated_hop
from irsa_doctor.answers.why.links import needs, skips
from irsa_doctor.answers.why.links.by_rules import by_rules
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.state import LinkState, failed, inapplicable, observed, passed, signs_of
from irsa_doctor.model.findings import Finding
from irsa_doctor.rulebook.cause_block import StsError

# RoleArn and DurationSeconds: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
_LONGEST_ARN, _SHORTEST_ARN = 2048, 20
_SHORTEST_SESSION, _LONGEST_SESSION = 900, 43_200
_SHOWN = 200


def _request_disproof(case: Case) -> LinkState | None:
    token = case.evidence.token
    if isinstance(token, BadToken):
        return observed(token.sign, f"the value is not a token: {token.says}")
    if case.uses_pod_identity:
        return None
    findings = [f for f in case.findings.on_link("request") if f.confidence != "low" and not _of_other_role(case, f)]
    return failed(findings[0].message, *signs_of(findings)) if findings else None


def _of_other_role(case: Case, finding: Finding) -> bool:
    """A finding about the annotation, where the user names a role in its place."""
    return bool(case.stated_role) and finding.subject.kind == "service-account"


def _request(case: Case) -> LinkState:
    if case.role_arn is None or len(case.role) > _LONGEST_ARN:
        return observed("role-not-an-arn", f'"{case.role[:_SHOWN]}" is not the ARN of a role')
    return passed(f"{case.role} is the ARN of a role")


def _validation_error(case: Case) -> StsError:
    """STS reports a RoleArn that is too short in other words."""
    return StsError("ValidationError", 400, "Request ARN is invalid" if len(case.role) >= _SHORTEST_ARN else "")


REQUEST_LINK = Link(
    id="request",
    title="the request is valid",
    signs=("not-a-token", "path-in-place-of-token", "role-not-an-arn"),
    disproof=_request_disproof,
    skips=(skips.no_request, skips.no_role_named),
    needs=(needs.TEMPLATE_ROLE_INPUT,),
    examine=_request,
    decides=frozenset({"web-identity"}),
    reads_token=True,
    error=_validation_error,
)


def _requested_duration(case: Case) -> int:
    """Seconds, 0 where no call names a duration."""
    return next((call.duration for call in case.calls if call.duration), 0)


def _session(case: Case) -> LinkState:
    requested, longest = _requested_duration(case), case.analysed.role.max_session if case.analysed else 0
    if not _SHORTEST_SESSION <= requested <= _LONGEST_SESSION:
        says = f"the request is for {requested} seconds; STS accepts {_SHORTEST_SESSION} to {_LONGEST_SESSION}"
        return observed("duration-not-valid", says)
    if longest and requested > longest:
        return observed("duration-over-maximum", f"the request is for {requested} seconds; the role allows {longest}")
    return passed(f"the request is for {requested} of {longest} seconds") if longest else _unknown_maximum(requested)


def _unknown_maximum(requested: int) -> LinkState:
    return inapplicable(f"the request is for {requested} seconds; the maximum of the role is not in the input")


def _no_duration(case: Case) -> str:
    return "" if _requested_duration(case) else "the requested session duration is not in the input"


SESSION_LINK = Link(
    id="session",
    title="the role allows the session duration",
    signs=("duration-not-valid", "duration-over-maximum"),
    disproof=by_rules("session"),
    skips=(_no_duration,),
    examine=_session,
)


def _permissions(case: Case) -> LinkState:
    return repeated_hop(case) or open_hop(case) or inapplicable("the permissions of the role are not examined")


PERMISSIONS_LINK = Link(
    id="permissions",
    title="the role has the permission",
    signs=(
        "chain-target",
        "chain-permission",
        "chain-source",
        "chain-above",
        "chain-conditions",
        "chain-unseen",
        "chain-tags-not-allowed",
        "chain-self",
    ),
    # a rule reports a role that a chain ends in, whatever chain: that of the case is followed by itself
    disproof=lambda case: by_rules("permissions", but=frozenset({"role"}))(case) or broken_hop(case),
    examine=_permissions,
)
