"""What is said of how far a statement reaches is what is left of it after the Deny statements of the whole policy."""

import pytest
from hypothesis import given

from irsa_doctor.answers.check.asking import ask
from irsa_doctor.answers.who_can import who_can
from irsa_doctor.facts import GrantFacts, View
from irsa_doctor.model import Unknown, Verdict
from irsa_doctor.rulebook.rules import shipped_rules
from irsa_doctor.trust import decide
from irsa_doctor.trust.subjects import reach_of
from tests.facts.situations import ISSUER, aws, found, policy, provider_arn, role, view
from tests.trust import drawing
from tests.trust.drawing import ACCOUNT, ARN, AUDIENCES, examples, policy_of, request_of

SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
OPEN = [rule for rule in shipped_rules() if rule.family == "open" and "grant" in rule.subject and "{witness}" in rule.message]


def drawn_view(document) -> View:
    """An account with one role of a drawn policy."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/app"
    return view({"roles.json": {"RoleDetailList": [role(Arn=arn, AssumeRolePolicyDocument=document)]}})


def is_admitted(document, subject, audiences, around) -> bool:
    """Whether a subject is allowed with one of some audiences."""
    parsed = policy_of(document)
    return any(
        "allow" in (decision.outcome, decision.otherwise)
        for decision in (decide(parsed, request_of(subject, audience, around)) for audience in audiences)
    )


@examples(400)
@given(drawing.policies(drawing.CLAIMS, plain=True), drawing.surroundings)
def test_the_witness_of_an_open_finding_is_admitted_and_its_scope_is_that_of_who_can(document, around):
    drawn = drawn_view(document)
    (analysed,) = drawn.roles
    by_provider = {grant.provider: grant for grant in who_can(drawn, analysed).grants}
    ours = analysed.by_provider.get(ARN)
    for judged in analysed.grants:
        evidence, facts = judged.evidence(), judged.facts
        assert isinstance(facts, GrantFacts)
        if evidence.names["principal"] != ARN or isinstance(facts.scope, Unknown) or ours is None:
            continue
        # where further keys of the request decide, the reach is that of the best case
        if not ours.depends_on and any((answer := ask(rule, facts)) and answer.verdict is Verdict.FAIL for rule in OPEN):
            cells = [reach_of(audiences, "text").witness or "" for audiences, _ in ours.cells]
            assert is_admitted(document, str(evidence.names["witness"]), [*AUDIENCES, *cells], around)
        if len(ours.allows) == 1 and facts.admits and not ours.unseen:
            assert facts.scope == by_provider[ARN].subjects.scope


def limited(sub, denied, operator="StringNotEquals"):
    """The findings where service accounts of a pattern are allowed and some denied."""
    allowing = policy()["Statement"][0] | {"Condition": {"StringEquals": {AUD: "sts.amazonaws.com"}, "StringLike": {SUB: sub}}}
    denying = {"Effect": "Deny", "Principal": {"Federated": provider_arn()}, "Action": "sts:AssumeRoleWithWebIdentity"}
    document = {"Version": "2012-10-17", "Statement": [allowing, denying | {"Condition": {operator: {SUB: denied}}}]}
    return {rule for rule, _ in found(aws(**{"roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}}))}


@pytest.mark.parametrize(
    ("sub", "denied", "operator", "rules"),
    [
        ("*", "system:serviceaccount:prod:app", "StringNotEquals", {"trust-deny-narrows"}),
        ("system:serviceaccount:*:*", ["system:serviceaccount:prod:app"], "StringNotEquals", {"trust-deny-narrows"}),
        ("system:serviceaccount:prod:*", "system:serviceaccount:prod:app", "StringNotLike", {"trust-deny-narrows"}),
        ("*", "*", "StringLike", {"trust-deny-statement"}),
        ("*", "system:serviceaccount:kube-system:*", "StringLike", {"open-sub-star"}),
        ("*", "system:serviceaccount:prod:*", "StringNotLike", {"open-sub-star"}),
        ("system:serviceaccount:prod:app", "system:serviceaccount:prod:app", "StringNotEquals", set()),
    ],
)
def test_open_findings_are_silent_where_deny_leaves_named_subjects_and_a_note_says_so(sub, denied, operator, rules):
    assert limited(sub, denied, operator) == rules
