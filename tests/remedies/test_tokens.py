"""A policy that lets one token in has the slip mended and nothing else changed."""

import json

import msgspec
import pytest

from irsa_doctor.facts import View
from irsa_doctor.model import Place
from irsa_doctor.remedies import policy_for
from irsa_doctor.sources import read_policy_text as read_text
from tests.facts.situations import ACCOUNT, ISSUER, association, policy, provider_arn, role_arn, trusting_pods
from tests.remedies.offering import (
    APP,
    AUD,
    OTHER,
    PREFIX,
    STS,
    SUB,
    WEB,
    conditions,
    given,
    let_in,
    offered,
    reach,
    statement,
    target,
    whole,
)

SECOND = ISSUER.replace("AAAA", "BBBB")


def mended(document, *more, **options):
    """The policy that is offered, the only one."""
    fix = let_in(document, *more, **options)
    assert fix is not None
    return fix.policy


def changed(before, after):
    """The paths of a document that differ, with what they hold now."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = dict.fromkeys((*before, *after))
        return {f"{n}/{path}".rstrip("/"): v for n in names for path, v in changed(before.get(n), after.get(n)).items()}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return {f"{n}/{path}".rstrip("/"): v for n, (b, a) in pairs for path, v in changed(b, a).items()}
    return {} if before == after else {"": after}


# ---- one slip, one change


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        (conditions(sub="prod/app"), {f"Statement/0/Condition/StringEquals/{SUB}": APP}),
        (conditions(sub=f"{PREFIX}prod:app "), {f"Statement/0/Condition/StringEquals/{SUB}": APP}),
        (conditions(sub=f"{PREFIX}prod:*"), {f"Statement/0/Condition/StringEquals/{SUB}": APP}),
        (conditions(aud="sts.amazonaws.com.cn"), {f"Statement/0/Condition/StringEquals/{AUD}": STS}),
        ({"Action": "sts:AssumeRole"}, {"Statement/0/Action": WEB}),
        ({"Action": ["sts:AssumeRole", "sts:TagSession"]}, {"Statement/0/Action": ["sts:AssumeRole", "sts:TagSession", WEB]}),
        ({"Principal": {"Federated": provider_arn() + "/"}}, {"Statement/0/Principal/Federated": provider_arn()}),
        ({"Principal": {"Federated": [ISSUER]}}, {"Statement/0/Principal/Federated/0": provider_arn()}),
        (
            {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
            {"Statement/0/Principal/AWS": None, "Statement/0/Principal/Federated": provider_arn()},
        ),
        (conditions(Bool={"aws:MultiFactorAuthPresent": "true"}), {"Statement/0/Condition/Bool": None}),
        (conditions(sub=OTHER), {f"Statement/0/Condition/StringEquals/{SUB}": [OTHER, APP]}),
        (
            conditions(sub=[APP], operator="ArnEquals"),
            {"Statement/0/Condition/ArnEquals": None, f"Statement/0/Condition/StringEquals/{SUB}": [APP]},
        ),
    ],
)
def test_only_what_is_wrong_changes(changes, difference):
    before = whole({"Sid": "Pods", **statement(**changes)})
    after = mended(before, complete=False)
    assert changed(before, after) == difference
    assert list(after["Statement"][0]) == ["Sid", *statement()]


def test_the_order_of_conditions_stays():
    block = {"StringLike": {"aws:UserAgent": "*", f"https://{SUB}": APP}, "StringEquals": {AUD: STS}}
    found = mended(
        whole(statement(Condition={**block, "Bool": {"aws:SecureTransport": "true"}})), known={"aws:useragent": ("x",)}
    )
    assert list(found["Statement"][0]["Condition"]) == ["StringLike", "StringEquals", "Bool"]
    assert list(found["Statement"][0]["Condition"]["StringLike"]) == ["aws:UserAgent", SUB]


def test_a_right_policy_is_left_alone():
    assert let_in(policy()) is None


# ---- who else has the role


def test_every_service_account_that_was_admitted_and_uses_the_role_keeps_it():
    fix = let_in(whole(statement(**conditions(sub=["prod/app", OTHER, f"{PREFIX}prod:gone"]))), users=("app", "other"))
    assert fix.policy["Statement"][0]["Condition"]["StringEquals"][SUB] == [APP, OTHER, f"{PREFIX}prod:gone"]
    assert (fix.keeps, fix.admits) == (1, (APP,))


def test_a_subject_that_surely_does_not_exist_makes_room():
    gone = whole(statement(**conditions(sub=[f"{PREFIX}prod:gone", OTHER])))
    found = mended(gone, users=("app", "other"))
    assert found["Statement"][0]["Condition"]["StringEquals"][SUB] == [APP, OTHER]
    found = mended(gone, users=("app", "other"), complete=False)
    assert found["Statement"][0]["Condition"]["StringEquals"][SUB] == [f"{PREFIX}prod:gone", OTHER, APP]


def test_other_statements_and_principals_stay_as_they_are():
    others = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"},
        *trusting_pods("sts:AssumeRole", "sts:TagSession")["Statement"],
        statement(Principal={"Federated": "cognito-identity.amazonaws.com"}, Condition={}),
    ]
    before = whole(*others, statement(**conditions(sub="prod/app")))
    assert mended(before)["Statement"][:3] == others


def test_a_role_for_pod_identity_alone_gets_a_statement_of_its_own():
    before = trusting_pods("sts:AssumeRole", "sts:TagSession")
    after = mended(before)
    assert after["Statement"][0] == before["Statement"][0]
    assert reach(after).reach.scope == "one"


def test_the_statement_of_another_cluster_stays_and_a_new_one_is_added():
    elsewhere = statement(
        Principal={"Federated": provider_arn(issuer=SECOND)},
        Condition={"StringEquals": {f"{SECOND}:sub": APP, f"{SECOND}:aud": STS}},
    )
    after = mended(whole(elsewhere))
    assert after["Statement"][0] == elsewhere
    assert reach(after).reach.scope == reach(after, SECOND).reach.scope == "one"


def test_two_clusters_in_one_statement_become_two_statements():
    both = statement(
        Principal={"Federated": [provider_arn(), provider_arn(issuer=SECOND)]},
        Condition={"StringEquals": {SUB: APP, AUD: STS, f"{SECOND}:sub": APP, f"{SECOND}:aud": STS}},
    )
    after = mended(whole({"Sid": "Pods", **both}))
    assert [s["Sid"] for s in after["Statement"]] == ["Pods", "Pods2"]
    assert [s["Principal"]["Federated"] for s in after["Statement"]] == both["Principal"]["Federated"]
    assert reach(after).reach.scope == reach(after, SECOND).reach.scope == "one"


def test_a_service_account_of_pod_identity_does_not_have_to_be_let_in():
    inventory = given(whole(statement(**conditions(sub="prod/app"))), ("assoc.json", association()))
    fix = offered(inventory).get("trust-sub-prefix-missing")
    # it is what the statement says that is put right
    assert fix is None or fix.policy["Statement"][0]["Condition"]["StringEquals"][SUB] == APP


# ---- patterns


def test_a_pattern_is_kept_where_it_admits_already():
    wide = whole(statement(**conditions(sub=[f"{PREFIX}jobs:*", "prod/app"], operator="StringLike")))
    found = mended(wide)
    assert found["Statement"][0]["Condition"]["StringLike"][SUB] == [f"{PREFIX}jobs:*", APP]


def test_a_pattern_that_admitted_nobody_does_not_come_to_life():
    wide = whole(statement(**conditions(sub=[f"{PREFIX}*", APP], operator="StringLike", aud="x")))
    fix = let_in(wide, users=("app", "other"))
    assert reach(fix.policy).reach.scope == "several"
    assert set(fix.admits) == {APP, OTHER}


# ---- Deny


_GUARDRAILS = [
    {"DateGreaterThan": {"aws:CurrentTime": "2021-01-01T00:00:00Z"}},
    {"DateGreaterThan": {"aws:CurrentTime": "1609459200"}},
    {"NumericGreaterThan": {"aws:EpochTime": "1609459200"}},
    {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
    {"StringNotEquals": {"aws:SourceVpc": "vpc-0a1b2c3d"}},
    {"StringNotEqualsIfExists": {"aws:RequestedRegion": "eu-west-1"}},
    {"StringNotLike": {"aws:UserAgent": "*aws-sdk*"}},
    {"StringLike": {"sts:RoleSessionName": "*-admin"}},
    {"StringLike": {SUB: f"{PREFIX}*"}, "NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
]


@pytest.mark.parametrize("guardrail", _GUARDRAILS)
@pytest.mark.parametrize("sub", [APP, "prod/app"])
def test_a_deny_that_depends_on_the_request_is_not_got_around(guardrail, sub):
    deny = {"Effect": "Deny", "Principal": {"Federated": provider_arn()}, "Action": WEB, "Condition": guardrail}
    before = whole(statement(**conditions(sub=sub)), deny)
    fix = let_in(before)
    assert fix is None or fix.policy["Statement"][1] == before["Statement"][1]


def test_a_deny_lets_past_who_uses_the_role_and_denies_all_others():
    deny = {"Effect": "Deny", **{k: v for k, v in statement().items() if k in ("Principal", "Action")}}
    open_to_all = statement(**conditions(sub=f"{PREFIX}*", operator="StringLike"))
    before = whole(open_to_all, {**deny, "Condition": {"StringNotEquals": {SUB: OTHER}}})
    fix = let_in(before, users=("app", "other"))
    assert fix.policy["Statement"][1]["Condition"] == {"StringNotEquals": {SUB: [OTHER, APP]}}
    assert (fix.keeps, fix.admits) == (1, (APP,))


def test_a_deny_of_a_key_that_is_never_there_is_limited_to_where_it_is():
    deny = {"Effect": "Deny", "Principal": {"Federated": provider_arn()}, "Action": WEB}
    before = whole(statement(), {**deny, "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}})
    found = mended(before)
    assert found["Statement"][1]["Condition"]["Null"] == {"aws:PrincipalOrgID": "false"}


def test_a_deny_of_everybody_keeps_denying_whom_nobody_names():
    deny = {"Effect": "Deny", "Principal": {"Federated": provider_arn()}, "Action": WEB}
    wide = statement(**conditions(sub=f"{PREFIX}*", operator="StringLike"))
    found = mended(whole(wide, deny))
    assert found["Statement"][1]["Condition"] == {"StringNotEquals": {SUB: APP}}
    assert reach(found).reach.scope == "one"


# ---- what nobody may decide for its author


@pytest.mark.parametrize(
    "source",
    [
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        {"StringLike": {"sts:RoleSessionName": "ci-*"}},
    ],
)
def test_a_condition_on_the_request_is_not_gone_around(source):
    assert let_in(whole(statement(**conditions(**source)))) is None
    assert let_in(whole(statement(**conditions(sub="prod/app", **source)))) is None


def test_a_condition_that_surely_holds_stays():
    found = mended(whole(statement(**conditions(sub="prod/app", Bool={"aws:SecureTransport": "true"}))))
    assert found["Statement"][0]["Condition"]["Bool"] == {"aws:SecureTransport": "true"}


def test_a_member_given_twice_is_for_a_person():
    text = json.dumps(whole(statement(**conditions(sub="prod/app"))))[:-1] + ', "Version": "2008-10-17"}'
    inventory = given(policy())
    (role,) = inventory.inventory.roles
    twice = msgspec.structs.replace(role, policy=read_text(text.encode(), Place("p")))
    changed_view = View(msgspec.structs.replace(inventory.inventory, roles=(twice,)))
    assert twice.policy.flaws
    assert policy_for(changed_view, changed_view.roles[0], target()) is None


# ---- documents that IAM refuses


@pytest.mark.parametrize(
    ("change", "path", "right"),
    [
        ({"Effect": "Allow "}, "Effect", "Allow"),
        ({"Resource": "*"}, "Resource", None),
        ({"Condition": {"stringequals": {SUB: APP, AUD: STS}}}, "Condition", {"StringEquals": {SUB: APP, AUD: STS}}),
    ],
)
def test_a_refusal_with_one_remedy_is_mended(change, path, right):
    found = mended(whole(statement(**change)))
    assert found["Statement"][0].get(path) == right


def test_a_repeated_sid_gets_a_number():
    second = statement(**conditions(sub=OTHER))
    found = mended(whole({"Sid": "A", **statement()}, {"Sid": "A", **second}), users=("app", "other"))
    assert [s["Sid"] for s in found["Statement"]] == ["A", "A2"]


def test_a_version_that_is_none_becomes_the_current_one():
    found = mended({**policy(), "Version": "2012-10-18"})
    assert found["Version"] == "2012-10-17"


def test_a_refusal_whose_remedy_is_not_known_is_for_a_person():
    assert let_in(whole(statement(), {"Effect": "Perhaps", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})) is None


def test_text_without_an_encoding_is_in_no_offered_policy():
    lone = chr(0xD800)
    assert let_in(whole({"Sid": "A", **statement(**conditions(sub=["prod/app", lone]))})) is None
    assert let_in(whole(statement()), subject=f"{PREFIX}prod:{lone}") is None


def test_no_policy_grows_past_the_quota():
    many = [f"{PREFIX}prod:app-{number:02}" for number in range(60)]
    assert let_in(whole(statement(**conditions(sub=many)))) is None


def test_a_policy_variable_of_an_old_version_is_replaced_by_the_name():
    old = {**whole(statement(**conditions(sub=f"{PREFIX}prod:${{aws:PrincipalTag/app}}"))), "Version": "2008-10-17"}
    found = mended(old)
    assert found["Version"] == "2008-10-17"
    assert found["Statement"][0]["Condition"]["StringEquals"][SUB] == APP


GREEN = ISSUER.replace("eu-west-1", "eu-central-1")
ANY = {SUB: APP, AUD: STS}
NEGATED = {"StringNotEquals": {SUB: APP}, "StringEquals": {AUD: STS}}


def test_a_token_that_alone_is_excluded_is_required_and_nobody_else_gets_in():
    fix = let_in(whole(statement(Condition=NEGATED)))
    assert reach(fix.policy).admits(APP, STS)
    assert reach(fix.policy).reach.scope == "one"


def test_a_role_is_not_opened_to_everybody_for_one_that_is_excluded():
    assert let_in(whole(statement(Condition=NEGATED)), complete=False) is None


@pytest.mark.parametrize("claim", [SUB, AUD])
def test_a_claim_that_must_be_absent_is_checked_in_the_offered_policy(claim):
    other = AUD if claim == SUB else SUB
    block = {"StringEquals": {other: ANY[other]}, "Null": {claim: "true"}}
    fix = let_in(whole(statement(Condition=block)))
    assert fix.policy["Statement"][0]["Condition"] == {
        "StringEquals": {other: block["StringEquals"][other]} | {claim: ANY[claim]}
    }


@pytest.mark.parametrize("claim", [SUB, AUD])
def test_a_claim_of_another_issuer_is_not_dropped_where_nothing_else_checks_it(claim):
    block = {SUB: APP, AUD: STS}
    block[claim.replace("eu-west-1", "eu-west-2")] = block.pop(claim)
    fix = let_in(whole(statement(Condition={"StringEquals": block})))
    assert fix.policy["Statement"][0]["Condition"]["StringEquals"] == {SUB: APP, AUD: STS}


def test_a_number_in_the_place_of_the_audience_is_replaced():
    fix = let_in(whole(statement(**conditions(aud=5))))
    assert fix.policy["Statement"][0]["Condition"]["StringEquals"] == {SUB: APP, AUD: STS}


@pytest.mark.parametrize("group", ["system:serviceaccounts", "system:authenticated", "system:serviceaccounts:prod"])
def test_a_group_of_kubernetes_is_not_taken_for_a_service_account(group):
    fix = let_in(whole(statement(**conditions(sub=group))))
    assert fix.policy["Statement"][0]["Condition"]["StringEquals"][SUB] == APP
    assert fix.admits == (APP,)


@pytest.mark.parametrize("issuer", [ISSUER, GREEN])
def test_a_statement_of_two_clusters_is_split_whichever_of_them_asks(issuer):
    both = {f"{name}:{claim}": value for name in (ISSUER, GREEN) for claim, value in (("sub", APP), ("aud", STS))}
    principals = [provider_arn(issuer=name) for name in (ISSUER, GREEN)]
    inventory = given(whole(statement(Principal={"Federated": principals}, Condition={"StringEquals": both})))
    fix = policy_for(inventory, inventory.role_by_arn[role_arn()], target(issuer=issuer))
    assert [part["Principal"]["Federated"] for part in fix.policy["Statement"]] == principals
    assert all(reach(fix.policy, name).admits(APP, STS) for name in (ISSUER, GREEN))


def test_a_deny_that_names_the_subject_is_not_passed_by():
    denial = statement(Effect="Deny", Condition={"StringEquals": {SUB: APP}})
    assert let_in(whole(statement(), denial)) is None
