"""Guardrails of an organisation: who may be admitted by web identity at all, and which issuers may be made trusted."""

import json
from typing import Any

from irsa_doctor.answers.intents.dialects.written import Choices, Writing, made_file
from irsa_doctor.answers.intents.plan import IntentPlan, IntentProblem
from irsa_doctor.answers.intents.policies import POLICY_VERSION
from irsa_doctor.trust.policy import WEB_IDENTITY

_LONGEST = 5_120
"""characters of an RCP or SCP
(https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html); white space counts"""
_ACTIONS = (
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:UpdateOpenIDConnectProviderThumbprint",
)
"""what makes an issuer trusted, or more of its tokens"""


def rcp(plan: IntentPlan, choices: Choices) -> Writing:
    """A resource control policy that denies tokens of every issuer but those of the intent, and those that are kept.

    The keys stand in one block, so that all of them have to be absent.
    """
    issuers = _issuers(plan, choices)
    if not issuers:
        return _without_issuers("rcp", plan)
    statement = {
        "Sid": "OnlyTheseIssuers",
        "Effect": "Deny",
        "Principal": "*",
        "Action": WEB_IDENTITY,
        "Resource": "*",
        "Condition": {"Null": {f"{issuer}:sub": "true" for issuer in issuers}},
    }
    return _guardrail("rcp", "rcp/trusted-issuers.json", statement, plan, f"{len(issuers)} issuers")


def scp(plan: IntentPlan, choices: Choices) -> Writing:
    """A service control policy that denies making other issuers trusted than those of the intent, and those that are kept."""
    partitions = list(dict.fromkeys(role.intended.partition for role in plan.roles if role.via == "irsa")) or ["aws"]
    providers = [
        f"arn:{partition}:iam::*:oidc-provider/{issuer}" for partition in partitions for issuer in _issuers(plan, choices)
    ]
    if not providers:
        return _without_issuers("scp", plan)
    statement = {"Sid": "OnlyTheseIssuers", "Effect": "Deny", "Action": list(_ACTIONS), "NotResource": providers}
    return _guardrail("scp", "scp/trusted-issuers.json", statement, plan, f"{len(providers)} providers")


def _issuers(plan: IntentPlan, choices: Choices) -> list[str]:
    used = [pair.cluster.issuer for role in plan.roles if role.via == "irsa" for pair in role.pairs]
    known = [cluster.issuer for cluster in plan.clusters if cluster.issuer]
    return list(dict.fromkeys((*used, *known, *choices.keep_issuers)))


def _without_issuers(name: str, plan: IntentPlan) -> Writing:
    """An empty list of issuers would deny every one of them, or nothing."""
    says = f"no issuer is known, so an {name} has nobody to let through: give the issuer of a cluster, or --keep-issuer"
    role = plan.roles[0] if plan.roles else None
    problem = IntentProblem("not-in-this-format", role.role if role else "", role.intended.line if role else 0, says)
    return Writing(problems=(problem,))


def _guardrail(name: str, path: str, statement: dict[str, Any], plan: IntentPlan, of_what: str) -> Writing:
    """One policy: two would deny what either of them does not list."""
    text = json.dumps({"Version": POLICY_VERSION, "Statement": [statement]}, separators=(",", ":"))
    if len(text) > _LONGEST:
        says = (
            f"the {name} for {of_what} has {len(text)} characters, at most {_LONGEST}; it cannot be split: two would deny all"
        )
        role = plan.roles[0] if plan.roles else None
        problem = IntentProblem("size-limit", role.role if role else "", role.intended.line if role else 0, says)
        return Writing(problems=(problem,))
    return Writing(files=(made_file(path, name, text + "\n"),))
