"""What a token still buys whoever has a copy of it, until when, and what to do now.

Recorded on AWS: radkawar/stackd at commit 9dc356f5, internal/services/sts/testdata/oidc/aws.json and
testdata/aws/eks/irsa_native.json.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from irsa_doctor.answers.why.case import Case
from irsa_doctor.answers.why.evidence.tokens import TOLERANCE, WebIdentityToken
from irsa_doctor.answers.why.records import LeakedRole, TokenLeak
from irsa_doctor.model import Verdict, is_provider_of
from irsa_doctor.model.commands import shell_command

_REVOKE = "aws iam put-role-policy --role-name {} --policy-name AWSRevokeOlderSessions --policy-document {}"
_LONGEST_SESSION = 43_200
"""seconds; MaxSessionDuration of a role where the input does not say
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html)"""


def leak_of(case: Case) -> TokenLeak | None:
    """The answer for the token of a case, None without one, and for a token that no provider of IAM is for."""
    token = case.token
    end = token.time_of("exp") if token else None
    if token is None or not case.issuer or end is None:
        return None
    roles = tuple(_roles(case, token))
    longest = max((role.longest_session or _LONGEST_SESSION for role in roles), default=0)
    until = _time(end + TOLERANCE)
    return TokenLeak(
        taken_until=until,
        sessions_until=_time(end + TOLERANCE + longest) if roles else "",
        ended=case.evidence.now >= end + TOLERANCE,
        bound_to=_bound_to(token),
        roles=roles,
        steps=tuple(_steps(case, roles, until)),
    )


def _roles(case: Case, token: WebIdentityToken) -> Iterator[LeakedRole]:
    """The roles of the input, in every account, whose trust policy admits the subject and an audience of the token."""
    for analysed in case.view.roles:
        for provider, admitted in analysed.by_provider.items():
            if is_provider_of(provider, case.issuer):
                verdicts = {admitted.verdict(case.subject, audience) for audience in token.audiences}
                if verdicts - {Verdict.FAIL}:
                    certain, role = Verdict.PASS in verdicts, analysed.role
                    yield LeakedRole(role=role.id, certain=certain, longest_session=role.max_session, provider=provider)
                    break


def _bound_to(token: WebIdentityToken) -> str:
    """The pod that the token was bound to, "" for none."""
    objects = token.claims.get("kubernetes.io")
    pod = objects.get("pod") if isinstance(objects, dict) else None
    name = pod.get("name") if isinstance(pod, dict) else None
    return name if isinstance(name, str) else ""


def _steps(case: Case, roles: tuple[LeakedRole, ...], until: str) -> Iterator[str]:
    """Stop new sessions, end those that exist, wait, put back: in any other order the token buys sessions again."""
    if not roles:
        return
    names = ", ".join(_role_name(role.role) for role in roles)
    yield (
        f"Stop new sessions: in the trust policy of each role ({names}), remove {case.subject}, or add this statement: "
        f"{json.dumps(_deny(case, roles[0].provider))}"
    )
    for role in roles:
        policy = json.dumps(_revocation(case.evidence.now))
        command = shell_command(_REVOKE, _role_name(role.role), policy)
        yield f"Then end the sessions that exist, also those of other subjects: {command}"
    yield f"Keep the trust policies closed to the subject until {until}: before that, the token gives new sessions."
    yield "Then use a service account of another name, a shorter token-expiration and a lower MaxSessionDuration."
    yield (
        "Look for its use in CloudTrail: AssumeRoleWithWebIdentity with this subject from an address that no node has. "
        "It names neither the pod nor the token."
    )


def _role_name(ident: str) -> str:
    return ident.rpartition("/")[2]


def _deny(case: Case, provider: str) -> dict[str, object]:
    return {
        "Effect": "Deny",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{case.issuer}:sub": case.subject}},
    }


def _revocation(now: float) -> dict[str, object]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html"""
    statement = {
        "Effect": "Deny",
        "Action": ["*"],
        "Resource": ["*"],
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": _time(now)}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""
