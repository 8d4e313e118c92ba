"""The link of the trust policy: it admits the subject and the audience of the token."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import get_args

import msgspec

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.links import needs, skips
from irsa_doctor.answers.why.links.annotated_chain import sign_of_chain
from irsa_doctor.answers.why.links.link import Link
from irsa_doctor.answers.why.links.role import DENIED
from irsa_doctor.answers.why.links.state import LinkState, Sign, at_most_likely, failed, passed, signs_of, undecided
from irsa_doctor.answers.why.links.template_trust import trust_of_template
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.facts.grants.exclusion import Exclusion, exclusions
from irsa_doctor.facts.grants.grant import GrantFacts
from irsa_doctor.facts.lookups.accounts import NO_NAMESPACE
from irsa_doctor.facts.service_accounts.unwritten import is_named_whole, may_be_admitted_anywhere
from irsa_doctor.issuers import EKS
from irsa_doctor.model import TrustPolicy, Unknown, Verdict, parse_arn, text_of
from irsa_doctor.model.moments import rfc3339
from irsa_doctor.rulebook.cause_block import StsError
from irsa_doctor.rulebook.causes import causes_of_sign
from irsa_doctor.trust import Policy, Request, admitted, decide
from irsa_doctor.trust.defect_kinds import DefectKind
from irsa_doctor.trust.keys import request_kind
from irsa_doctor.trust.languages import contains
from irsa_doctor.trust.policy import WEB_IDENTITY, covering
from irsa_doctor.trust.presented import PresentedToken
from irsa_doctor.trust.times import policy_at, reads_time_as_text
from irsa_doctor.trust.windows import time_of_request

_FOR_PODS: DefectKind = "principal-pod-identity"
_CALLS = "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRoleWithWebIdentity"


def _disproof(case: Case) -> LinkState | None:
    """A document that IAM refuses to save is not the one in force, unless it came from IAM: then its effect is unknown."""
    policy = case.analysed.policy if case.analysed else None
    if policy is None:
        return trust_of_template(case, case.audience) if isinstance(case.audience, str) else None
    if case.uses_pod_identity or not case.role_arn:
        return None
    if not policy.refused:
        return None if case.issuer or not case.is_of_cluster else _without_issuer(case, policy)
    if duplicates := case.findings.of_sign("duplicate-member"):
        return _of_assumed_policy(case, undecided(duplicates[0].message, *signs_of(duplicates)))
    findings = case.findings.on_link("trust-policy")
    narrow = [f for f in findings if f.rule not in _general(case)] or findings
    says = narrow[0].message if narrow else "IAM refuses to save the trust policy"
    return _of_assumed_policy(case, failed(says, *signs_of(narrow)))


def _without_issuer(case: Case, policy: Policy) -> LinkState | None:
    absent = _of_absent_providers(case, policy)
    return absent or (_whatever_the_issuer(case, policy) if isinstance(case.audience, str) else None)


def _of_absent_providers(case: Case, policy: Policy) -> LinkState | None:
    """Whatever the issuer of the token: a policy that trusts only providers that its account does not have admits none. Whether
    the provider is lacking, or the policy names the wrong one, shows once the issuer is known."""
    findings = case.findings.of_sign("provider-deleted")
    allowing = [s for s in policy.statements if s.allow and covering(s, WEB_IDENTITY) is not False]
    named = {value for statement in allowing for value in statement.federated}
    unseen = any(statement.unseen or not statement.effect_seen for statement in policy.statements)
    absent = {finding.subject.id for finding in findings}
    every = absent >= {f"{case.role}#{statement.index}" for statement in allowing if statement.federated}
    if not findings or unseen or not every or len(named) != len(findings):
        return None
    return _of_assumed_policy(case, failed(findings[0].message, *map(at_most_likely, signs_of(findings))))


def _whatever_the_issuer(case: Case, policy: Policy) -> LinkState | None:
    """A policy that would not admit the token of any issuer that it names, nor of another, admits it in no cluster. What its
    conditions lack is the likely reason: the issuer may be one that it does not name as well."""
    states = [
        _with_usual_audience(msgspec.structs.replace(case, stated_issuer=issuer), policy)
        for issuer in (*_issuers_of(policy), _NO_ONES)
    ]
    if any(state.verdict != "fail" for state in states) or _may_be_another(case, policy):
        return None
    signs = {sign.id: at_most_likely(sign) for state in states[:-1] or states for sign in state.signs}
    return _of_assumed_policy(case, failed(states[0].because, *signs.values()))


def _may_be_another(case: Case, policy: Policy) -> bool:
    """Whether the input does not say under which name, or in which namespace, the service account will be, and the policy may
    admit it there; or an association supplies its role in a cluster that may be its own."""
    account, view = case.account, case.view
    if (case.namespace, case.service_account) in view.associations_by_account:
        return True
    if account is not None and not is_named_whole(account):
        return True
    return _may_be_elsewhere(case, policy)


def _may_be_elsewhere(case: Case, policy: Policy) -> bool:
    """Whether the manifest has no namespace, and the policy may admit the service account in another than the usual one."""
    made = case.account or case.workload
    return made is not None and made.unplaced and may_be_admitted_anywhere(case.service_account, policy)


def _with_usual_audience(case: Case, policy: Policy) -> LinkState:
    """The judgement of an issuer's tokens. Where it is not known which audience they have, it may be any."""
    if isinstance(case.audience, str):
        return _judged(case, policy, case.audience)
    answer = admitted(policy, case.provider_arn, case.issuer, profile=EKS)
    if contains(answer.subjects, case.subject):
        return _depending(case, (f"{case.issuer}:aud",))
    return _judged(case, policy, min(case.view.default_audiences(case.issuer), default=""))


_NO_ONES = "issuer.invalid"
"""an issuer that no policy names (https://www.rfc-editor.org/rfc/rfc2606#section-2)"""


def _issuers_of(policy: Policy) -> list[str]:
    """The issuers whose providers a policy names."""
    principals = (value for statement in policy.statements for value in statement.federated)
    arns = (parse_arn(text_of(value)) for value in principals)
    return list(dict.fromkeys(arn.name for arn in arns if arn and arn.kind == "oidc-provider"))


def _general(case: Case) -> frozenset[str]:
    """The causes that say only that a document is refused."""
    return frozenset(cause.id for cause in case.rulebook.causes.by_sign.get("document-refused", ()))


def _trust_policy(case: Case) -> LinkState:
    policy = case.analysed.policy if case.analysed else None
    if policy is None or not isinstance(case.audience, str):
        raise ValueError("the needs of the link come first")
    state = _judged(case, policy, case.audience)
    if state.verdict == "fail" and case.token is None and _may_be_elsewhere(case, policy):
        says = f"{state.because}; its manifest has no namespace, and in another one it may be admitted"
        state = undecided(says, *map(at_most_likely, state.signs), settle=fill_command(NO_NAMESPACE.how, case))
    unseen = _refused_association(case) if any(sign.id == _cause(_FOR_PODS) for sign in state.signs) else None
    if unseen is not None:
        says = f"{state.because}; with an association it needs no web identity: {unseen.missing}"
        state = undecided(says, *map(at_most_likely, state.signs), settle=unseen.how)
    return _of_assumed_policy(case, state)


def _refused_association(case: Case) -> Unknown | None:
    """Why EKS Pod Identity may supply the role all the same: a source that was asked for associations refused them."""
    if case.association is not None or case.has_no_association or case.sends_requests:
        return None
    return case.view.inventory.refused("associations", case.cluster_id, case.name)


def _of_assumed_policy(case: Case, state: LinkState) -> LinkState:
    """The state by a bare policy that is taken for the role's own."""
    if not case.assumed_policy:
        return state
    assumed = f"assumed to be the trust policy of {case.role} because it is the only one without a role"
    return LinkState(
        "unknown" if state.verdict == "pass" else state.verdict,
        f"{case.assumed_policy}, {assumed}: {state.because}",
        tuple(at_most_likely(sign) for sign in state.signs),
        fill_command(needs.TRUST_POLICY_INPUT.command, case),
    )


def _judged(case: Case, policy: Policy, audience: str) -> LinkState:
    profile = EKS if case.is_of_cluster else case.profile
    # the other conditions may decide once those on the time are
    today = policy_at(policy, rfc3339(datetime.fromtimestamp(case.evidence.now, tz=UTC)) if case.evidence.now else "")
    answer = admitted(today, case.provider_arn, case.issuer, profile=profile)
    request = _request_values(case, policy)
    verdict = answer.verdict(case.subject, audience)
    if verdict is Verdict.UNKNOWN and answer.depends_on and {key.lower() for key in answer.depends_on} <= request.keys():
        verdict = _decided(case, policy, audience, request)
    if verdict is Verdict.PASS:
        return passed(f"it admits {case.subject} with the audience {audience}")
    if verdict is Verdict.UNKNOWN:
        return _depending(case, (*answer.depends_on, *answer.unseen, *answer.contested))
    return _denied(case, policy, audience, request)


def _denied(case: Case, policy: Policy, audience: str, request: Mapping[str, tuple[str, ...]]) -> LinkState:
    account = case.role_arn.account if case.role_arn else ""
    generated = not (case.account and case.account.template)
    token = PresentedToken(account, case.provider_arn, case.issuer, case.subject, audience, request, generated)
    excluding = exclusions(policy, token, case.view)
    signs = _one_each([_sign(case, exclusion) for exclusion in excluding])
    if _is_refused_before(case, policy, audience):
        # STS refuses the token before it reads the policy, which may be right for the audience that was meant
        signs = tuple(map(at_most_likely, signs))
    says = excluding[0].says if excluding else f"it does not admit {case.subject} with the audience {audience}"
    if not signs:
        return failed(says, Sign("subject-not-admitted", says))
    if instead := _of_annotation(case, signs[0]) or sign_of_chain(case, policy, signs[0]):
        # one mistake: what the finding says of it is the narrower
        return failed(says, *instead, *(sign if sign.finding else at_most_likely(sign) for sign in signs))
    return failed(says, *_of_deleted_provider(case, excluding[0].statement, signs[0]), *signs)


def _is_refused_before(case: Case, policy: Policy, audience: str) -> bool:
    """Whether the provider does not accept an audience, and the policy is right for the one that was meant, or may be."""
    accepted = case.provider.client_ids if case.provider else ()
    if not isinstance(accepted, tuple) or audience in accepted:
        return False
    if not case.is_of_cluster:
        return True
    answer = admitted(policy, case.provider_arn, case.issuer, profile=EKS)
    return any(answer.verdict(case.subject, usual) is Verdict.PASS for usual in case.view.default_audiences(case.issuer))


def _one_each(signs: Sequence[Sign]) -> tuple[Sign, ...]:
    """The signs, those of one cause as one that says what each of them says: two Deny statements refuse independently."""
    by_cause: dict[str, list[Sign]] = {}
    for sign in signs:
        by_cause.setdefault(sign.id, []).append(sign)
    return tuple(
        msgspec.structs.replace(
            same[0],
            because="; ".join(dict.fromkeys(sign.because for sign in same)),
            places=tuple(dict.fromkeys(place for sign in same for place in sign.places)),
        )
        for same in by_cause.values()
    )


def _speaks_for(case: Case, sign: str, ident: str) -> bool:
    return any(cause.id == ident for cause in case.rulebook.causes.by_sign.get(sign, ()))


def _of_annotation(case: Case, first: Sign) -> tuple[Sign, ...]:
    """Another role admits this service account: then the annotation is wrong, more likely than the policy."""
    other = _speaks_for(case, "subject-of-others-admitted", first.id)
    return signs_of(case.findings.of_sign("admitted-by-other-role")) if other else ()


def _of_deleted_provider(case: Case, statement: int, first: Sign) -> tuple[Sign, ...]:
    """A statement that names another provider than the token's may name one that the account does not have: then that is what
    the findings report of it. One for another kind of issuer, as of pipelines, was never meant for a service account."""
    ident = f"{case.role}#{statement}"
    grants = case.analysed.grants if case.analysed else ()
    kinds = [grant.facts.issuer_kind for grant in grants if grant.id == ident and isinstance(grant.facts, GrantFacts)]
    is_meant = first.finding is None and any((kind != "other") is case.is_of_cluster for kind in kinds)
    findings = case.findings.of_sign("provider-deleted") if is_meant else ()
    return signs_of([finding for finding in findings if finding.subject.id == ident])


def _sign(case: Case, exclusion: Exclusion) -> Sign:
    """A failing check, in the words of the rule that reports it of the same statement."""
    ident, statement, wrong = _cause(exclusion.kind), exclusion.statement, exclusion.says
    subjects = (f"{case.role}#{statement}", case.role)
    findings = case.findings.by_rule.get(ident, ())
    finding = next((f for f in findings if f.subject.id in subjects or f.subject.kind == "binding"), None)
    source = case.analysed.role.policy if case.analysed else None
    place = exclusion.defect.places[0]
    places = (case.located(source.place.at(*place), wrong),) if isinstance(source, TrustPolicy) else ()
    says = f"statement {statement} of the trust policy does not admit the token: {wrong}"
    return Sign(ident, finding.message if finding else says, finding, places)


def _cause(kind: DefectKind) -> str:
    return causes_of_sign(kind)[0].id


def _depending(case: Case, keys: tuple[str, ...]) -> LinkState:
    """A verdict that sub and aud alone do not decide."""
    signs: dict[str, Sign] = {}
    for key in keys:
        kind = request_kind(key.lower())
        if kind != "request-other":
            ident = _cause(kind)
            finding = case.finding(ident)
            signs[ident] = Sign(ident, finding.message if finding else "", finding, (), "likely" if finding else "possible")
    contested = signs_of(case.findings.of_sign("contested-semantics"), "possible")
    says = f"whether it admits the token depends on {', '.join(keys) or 'values'}, which the input does not have"
    return undecided(says, *signs.values(), *contested, settle=_CALLS)


def _request_values(case: Case, policy: Policy) -> dict[str, tuple[str, ...]]:
    """What is known of the request beside the token: keys in lower case -> values, () where the key is surely absent."""
    context: dict[str, tuple[str, ...]] = {"aws:securetransport": ("true",), **_of_claims(case)}
    if case.evidence.now and not reads_time_as_text(policy):
        context |= time_of_request(int(case.evidence.now))
    if case.role_arn:
        context["aws:resourceaccount"] = (case.role_arn.account,)
    if case.calls:
        return context | _of_call(case)
    names = _session_names(case)
    return context | ({"sts:rolesessionname": names} if names else {})


def _of_claims(case: Case) -> dict[str, tuple[str, ...]]:
    """The condition keys that come from the claims of a token of another issuer than a cluster."""
    if case.is_of_cluster or case.token is None:
        return {}
    claims, issuer = case.token.claims, case.issuer.lower()
    return {f"{issuer}:{name}": _texts(claims.get(key.key)) for name, key in case.profile.key_by_claim.items()}


def _texts(value: object) -> tuple[str, ...]:
    """The values of a claim as those of a condition key."""
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in listed)


def _of_call(case: Case) -> dict[str, tuple[str, ...]]:
    """What the last call in CloudTrail says of its request."""
    call = case.calls[0]
    values = {
        "aws:sourceip": call.source if not call.endpoint else "",
        "aws:sourcevpce": call.endpoint,
        "aws:requestedregion": call.region,
        "sts:rolesessionname": call.session_name,
    }
    absent: tuple[str, ...] = ("aws:sourceip", "aws:sourcevpce") if call.source else ()
    return {key: (value,) if value else () for key, value in values.items() if value or key in absent}


def _session_names(case: Case) -> tuple[str, ...]:
    """The session name that the environment sets, the same for all containers."""
    values = {container.env.get("AWS_ROLE_SESSION_NAME") for container in case.containers if not container.init}
    value = values.pop() if len(values) == 1 else None
    return (value,) if isinstance(value, str) and "$(" not in value else ()


def _decided(case: Case, policy: Policy, audience: str, request: Mapping[str, tuple[str, ...]]) -> Verdict:
    """The decision where every key that it depends on is known."""
    issuer = case.issuer.lower()
    context = {key: values for key, values in request.items() if values}
    context |= {f"{issuer}:sub": (case.subject,), f"{issuer}:aud": (audience,)}
    decision = decide(policy, Request(case.role_arn.account if case.role_arn else "", case.provider_arn, context))
    if not decision.is_certain:
        return Verdict.UNKNOWN
    return Verdict.PASS if decision.outcome == "allow" else Verdict.FAIL


def _role_absent(case: Case) -> str:
    account = case.role_arn.account if case.role_arn else ""
    gone = case.view.inventory.closed.has_role(account, case.role_name)
    return "the role does not exist" if gone and not (case.analysed and case.analysed.policy) else ""


def _no_issuer(case: Case) -> str:
    """A local cluster on an Outpost has none, so that there is no token to judge."""
    return "the cluster has no issuer" if not case.issuer and case.cluster and case.cluster.on_outpost else ""


def _error(case: Case) -> StsError | None:
    """Without the issuer it is not known whether STS gets to the trust policy: it looks for a provider first."""
    return DENIED if case.issuer else None


TRUST_POLICY_LINK = Link(
    id="trust-policy",
    of_any_issuer=True,
    title="the trust policy admits the service account",
    title_of_run="the trust policy admits the subject of the run",
    signs=(
        "subject-not-admitted",
        "subject-of-others-admitted",
        "admitted-by-other-role",
        "provider-deleted",
        "chain-annotated",
        "document-refused",
        "duplicate-member",
        "contested-semantics",
        *get_args(DefectKind),
    ),
    disproof=_disproof,
    skips=(skips.no_role, skips.pod_identity, _role_absent, _no_issuer),
    needs=(needs.TRUST_POLICY_INPUT, needs.RUN_TOKEN_INPUT, needs.ISSUER_INPUT, needs.AUDIENCE_INPUT),
    examine=_trust_policy,
    decides=frozenset({"web-identity"}),
    after="request",
    error=_error,
)
