"""Roles with a wrong policy, and what is offered for them."""

import json

from irsa_doctor.answers.check.engine import evaluate
from irsa_doctor.facts import derive
from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.remedies import Offers, policy_for
from irsa_doctor.rulebook.rules import shipped_rules
from irsa_doctor.trust import admitted, read_policy
from irsa_doctor.trust.presented import PresentedToken
from tests.facts.situations import ACCOUNT, ISSUER, account, aws, manifests, policy, provider_arn, role, role_arn, view

PREFIX = "system:serviceaccount:"
SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
APP, OTHER = f"{PREFIX}prod:app", f"{PREFIX}prod:other"
WEB = "sts:AssumeRoleWithWebIdentity"
STS = "sts.amazonaws.com"


def given(document, *more, users=("app",), complete=True):
    """The inventory of the account in which the role `app` has a policy, and service accounts of `prod` that name it."""
    roles = {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}
    documents = aws(**{"roles.json": roles, "o.yaml": manifests(*map(account, users))}, **dict(more))
    return view(documents, *(("serviceaccounts",) if complete else ()))


def statement(**changes):
    """The right Allow statement of the role, with members replaced."""
    return {**policy()["Statement"][0], **changes}


def whole(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def conditions(*, sub=APP, aud=STS, operator="StringEquals", **more):
    """A condition by operator; nothing of what is None."""
    block = {name: dict(keys) for name, keys in more.items()}
    for name, key, value in (("StringEquals", AUD, aud), (operator, SUB, sub)):
        if value:
            block.setdefault(name, {})[key] = value
    return {"Condition": block}


def offered(inventory, *rules):
    """What is offered for each finding of an inventory, by rule; of some rules where they are named."""
    outcome = evaluate(shipped_rules(), derive(inventory), lambda *_: (0, 0, 0, 0, "", 0), Offers(inventory))
    return {f.rule: f.fix for f in outcome.findings if not rules or f.rule in rules}


def policies(document, *more, **options):
    """The policies that are offered for a role."""
    return [fix.policy for fix in offered(given(document, *more, **options)).values() if fix and fix.policy is not None]


def target(subject=APP, audience=STS, issuer=ISSUER, known=()):
    known = {**dict(known), "aws:securetransport": ("true",), "aws:resourceaccount": (ACCOUNT,)}
    return PresentedToken(ACCOUNT, provider_arn(issuer=issuer), issuer, subject, audience, known)


def let_in(document, *more, subject=APP, audience=STS, known=(), **options):
    """What is offered to let one token in."""
    inventory = given(document, *more, **options)
    return policy_for(inventory, inventory.role_by_arn[role_arn()], target(subject, audience, known=known))


def reach(document, issuer=ISSUER):
    """What a policy admits for the provider of an issuer."""
    read = read_policy(TrustPolicy(json.loads(json.dumps(document)), Place("p")))
    assert not read.refused, read.problems
    return admitted(read, provider_arn(issuer=issuer), issuer)
