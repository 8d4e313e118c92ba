"""What is offered for a role does not hang on the roles that were corrected before it."""

import hashlib
import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.answers.check.engine import evaluate
from irsa_doctor.facts import derive
from irsa_doctor.remedies import Offers, offers
from irsa_doctor.rulebook.rules import shipped_rules
from tests.facts.roles.test_alike import AUD, MARK, SUB, open_to_all, shut, sound, statements
from tests.facts.situations import ACCOUNT, ISSUER, account, aws, manifests, plain_account, provider_arn, role, role_arn, view
from tests.trust.drawing import examples

ID = ISSUER.rpartition("/")[2]
PLACES = (
    (ACCOUNT, ID, "eu-west-1"),
    ("222233334444", "A" * 32, "us-east-1"),
    ("333344445555", ID.replace("0000", "F00F"), "eu-west-1"),
)
"""accounts, each with its cluster and the region of that"""


def documents_of(policies, leaving=()):
    """An account with role and service account of each (name, policy), which uses the role; without some documents."""
    roles = [
        role(Arn=role_arn(name), RoleName=name, AssumeRolePolicyDocument=json.dumps(document)) for name, document in policies
    ]
    known = policies if "some accounts" not in leaving else policies[:1]
    made = plain_account if "annotations" in leaving else lambda name: account(name, role_arn=role_arn(name))
    accounts = [made(name) for name, _ in known]
    everything = aws(**{"roles.json": {"RoleDetailList": roles}, "accounts.yaml": manifests(*accounts)})
    return {path: content for path, content in everything.items() if path not in leaving}


def estate(policies):
    """The inventory of one account."""
    return view(documents_of(policies), "serviceaccounts")


def estates(accounts, *complete):
    """The inventory of several accounts, each with documents that name the first account and cluster."""
    documents = {}
    for (number, cluster, region), of_account in zip(PLACES, accounts, strict=False):
        for path, content in of_account.items():
            text = content if isinstance(content, str) else json.dumps(content)
            text = text.replace(ACCOUNT, number).replace(ID, cluster).replace("eu-west-1", region)
            documents[f"{number}/{path}"] = text.replace(OTHER_ID, hashlib.sha256(number.encode()).hexdigest()[:32].upper())
    return view(documents, *complete)


def fixes(inventory, offering):
    """(rule, subject, fix) of every finding."""
    judged = list(derive(inventory))
    outcome = evaluate(shipped_rules(), judged, lambda *_: (0, 0, 0, 0, "", 0), offering)
    return [(finding.rule, finding.subject, finding.fix) for finding in outcome.findings]


def offered_alone(inventory, *asked):
    """What is offered for the first finding that anybody asks about."""
    return Offers(inventory)(*asked)


names = st.lists(st.sampled_from(["api", "worker", "default", "a.b", "prod", "sub", "w"]), min_size=2, max_size=4, unique=True)


@examples(150)
@given(statements(), names, st.booleans())
def test_a_role_like_another_is_offered_what_it_would_be_offered_alone(drawn, named, other_namespace):
    text = json.dumps({"Version": "2012-10-17", "Statement": drawn})
    namespace = "elsewhere" if other_namespace else "prod"
    documents = [(name, json.loads(text.replace(MARK, f"system:serviceaccount:{namespace}:{name}"))) for name in named]
    inventory = estate(documents)
    assert fixes(inventory, Offers(inventory)) == fixes(inventory, partial(offered_alone, inventory))


_PROVIDER = ("provider.json", "providers.json")
left_out = st.sampled_from(
    [
        (),
        ("accounts.yaml",),
        _PROVIDER,
        ("cluster.json",),
        (*_PROVIDER, "cluster.json"),
        ("annotations",),
        ("annotations", "some accounts"),
    ]
)
"""what an account lacks that another one has"""


@examples(60)
@given(statements(), names, st.lists(left_out, min_size=3, max_size=3), st.booleans(), st.sampled_from([ISSUER, ID, "prod"]))
def test_a_role_of_another_account_is_offered_what_it_would_be_offered_alone(drawn, named, leaving, listed, written):
    text = json.dumps({"Version": "2012-10-17", "Statement": drawn}).replace("https://" + ISSUER, "https://" + written)
    policies = [(name, json.loads(text.replace(MARK, f"system:serviceaccount:prod:{name}"))) for name in named]
    accounts = [documents_of(policies, without) for without in leaving]
    inventory = estates(accounts, *(("serviceaccounts",) if listed else ()))
    assert fixes(inventory, Offers(inventory)) == fixes(inventory, partial(offered_alone, inventory))


def wrong_provider(name: str) -> dict:
    document = sound(name)
    document["Statement"][0]["Principal"]["Federated"] = provider_arn().replace("oidc-provider/", "oidc-provider/https://")
    return document


def swapped(name: str) -> dict:
    document = sound(name)
    document["Statement"][0]["Condition"]["StringEquals"] = {
        AUD: f"system:serviceaccount:prod:{name}",
        SUB: "sts.amazonaws.com",
    }
    return document


@pytest.fixture
def proved(monkeypatch):
    """The grants for which a correction was worked out."""
    grants = []
    make = offers._first_of_use

    def counting(offer):
        grants.extend([offer.judged.id] if offer.judged.kind == "grant" else [])
        return make(offer)

    monkeypatch.setattr(offers, "_first_of_use", counting)
    return grants


@pytest.mark.parametrize("policy", [wrong_provider, swapped])
def test_of_many_roles_with_one_slip_one_is_proved(proved, policy):
    documents = [(f"app-{n}", json.loads(json.dumps(policy(f"app-{n}")).replace(":payments:", ":prod:"))) for n in range(30)]
    inventory = estate(documents)
    offered = [fix for _, subject, fix in fixes(inventory, Offers(inventory)) if subject.kind == "grant" and fix]
    assert len(offered) == 30
    assert {json.dumps(fix.policy) for fix in offered} == {
        json.dumps(json.loads(fix.commands[0].split("'")[1])) for fix in offered
    }
    assert len(proved) == 1


def without_subject(name: str) -> dict:
    document = sound(name)
    document["Statement"][0]["Condition"]["StringEquals"] = {AUD: "sts.amazonaws.com"}
    return document


@pytest.mark.parametrize("policy", [wrong_provider, swapped, without_subject])
def test_of_roles_with_one_slip_in_several_accounts_one_is_proved(proved, policy):
    slips = [(name, json.loads(json.dumps(policy(name)).replace(":payments:", ":prod:"))) for name in ("api", "worker")]
    inventory = estates([documents_of(slips)] * 3, "serviceaccounts")
    offered = [fix for _, subject, fix in fixes(inventory, Offers(inventory)) if subject.kind == "grant" and fix]
    assert len(offered) == 6
    assert len(proved) == 1
    for (number, cluster, _), n in zip(PLACES, (0, 2, 4), strict=True):
        assert all(number in json.dumps(fix.policy) and cluster in json.dumps(fix.policy) for fix in offered[n : n + 2])


@pytest.mark.parametrize("policy", [open_to_all, shut])
def test_what_cannot_be_shared_is_offered_all_the_same(policy):
    inventory = estate([(f"app-{n}", policy(f"app-{n}")) for n in range(3)])
    assert fixes(inventory, Offers(inventory)) == fixes(inventory, partial(offered_alone, inventory))


OTHER_ID = "D" * 32
OTHER = ISSUER.replace(ID, OTHER_ID)
written = st.sampled_from(
    [
        "SUBJECT",
        "SUBJECT",
        ["SUBJECT", "SECOND"],
        ["SECOND", "system:serviceaccount:m:default"],
        "SECOND",
        "SPACE",
        "NAME",
        "SPACE:NAME",
        "NAME:SPACE",
        "system:serviceaccount:SPACE",
        "system:serviceaccount:SPACE:*",
        "system:serviceaccount:SPACE:NAME-*",
        "system:serviceaccount:SPACE:CAPITAL",
        "system:serviceaccount:SPACE:${aws:PrincipalTag/team}",
        "system:serviceaccount:SPACE:default",
        ["SUBJECT", "system:serviceaccount:SPACE:NAME-*"],
        "system:serviceaccount:else*:*",
        "sts.amazonaws.com",
        "*",
    ]
)
"""texts of conditions, with marks for the parts of service accounts"""
keys = st.sampled_from([SUB, SUB, SUB, AUD, f"{ISSUER}:namespace", f"{OTHER}:sub", "aws:PrincipalTag/team"])
compared = st.dictionaries(keys, written, min_size=1, max_size=2)
by_operator = st.dictionaries(
    st.sampled_from(["StringEquals", "StringLike", "StringNotEquals", "ForAllValues:StringEquals", "Bool"]),
    compared,
    max_size=2,
)
principals = st.sampled_from(
    [
        {"Federated": provider_arn()},
        {"Federated": provider_arn()},
        {"Federated": provider_arn().replace("/id/", "/")},
        {"Federated": [provider_arn(), provider_arn().replace(ID, OTHER_ID)]},
        {"Federated": provider_arn().replace(ID, OTHER_ID)},
        {"Service": "pods.eks.amazonaws.com"},
    ]
)
effects = st.sampled_from(["Allow", "Allow", "Allow", "Deny"])
documents = st.builds(
    lambda version, drawn: {"Version": version, "Statement": drawn},
    st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"]),
    st.lists(
        st.builds(
            lambda effect, principal, more: {
                "Effect": effect,
                "Principal": principal,
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {**({} if "StringEquals" in more else {"StringEquals": {AUD: "sts.amazonaws.com"}}), **more},
            },
            effects,
            principals,
            by_operator,
        ),
        min_size=1,
        max_size=2,
    ),
)
accounts_named = st.lists(
    st.tuples(
        st.sampled_from(["payments", "prod", "sa", "a", "true", "shop-1", "m"]),
        st.sampled_from(["payments", "worker", "api", "api-x", "default", "z.y", "1", "default-x"]),
        st.sampled_from(["payments:old-api", "prod:worker", "zoo:z", "a:worker-2"]),
        st.sampled_from(["first", "first", "second", "both", "none"]),
    ),
    min_size=2,
    max_size=4,
    unique_by=lambda drawn: drawn[:2],
)
"""namespace, name, another service account, and which of them use the role"""


def policy_naming(text, namespace, name, second):
    """A drawn policy with the names of a role."""
    marks = {
        "SUBJECT": f"system:serviceaccount:{namespace}:{name}",
        "SECOND": f"system:serviceaccount:{second}",
        "SPACE": namespace,
        "CAPITAL": name.capitalize(),
        "NAME": name,
    }
    for mark, meant in marks.items():
        text = text.replace(mark, meant)
    return json.loads(text)


def documents_naming(document, named, leaving, **annotations):
    """An account with a role for each of several service accounts."""
    text, policies, users = json.dumps(document), [], []
    for number, (namespace, name, second, who) in enumerate(named):
        policies.append((f"r{number}", policy_naming(text, namespace, name, second)))
        first_uses, second_uses = who in ("first", "both"), who in ("second", "both")
        for uses, full in ((first_uses, f"{namespace}:{name}"), (second_uses, second)):
            if uses:
                user = account(full.partition(":")[2], role_arn=role_arn(f"r{number}"), **annotations)
                user["metadata"]["namespace"] = full.partition(":")[0]
                users.append(user)
    return {**documents_of(policies, leaving), "accounts.yaml": manifests(*users)}


@examples(120)
@given(documents, accounts_named, st.lists(left_out, min_size=2, max_size=2), st.booleans())
def test_a_role_with_other_names_in_the_same_forms_is_offered_what_it_would_be_offered_alone(document, named, leaving, listed):
    accounts = [documents_naming(document, named, without) for without in leaving]
    inventory = estates(accounts, *(("serviceaccounts",) if listed else ()))
    assert fixes(inventory, Offers(inventory)) == fixes(inventory, partial(offered_alone, inventory))


def allowing(conditions, *more, principal=None, version="2012-10-17", **members):
    """A policy that allows one provider under conditions, with more statements."""
    federated = principal or {"Federated": provider_arn()}
    own = {"Effect": "Allow", "Principal": federated, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": conditions}
    return {"Version": version, "Statement": [{**own, **members}, *more]}


def equal(**conditions):
    """Conditions on sub, aud and the namespace, by StringEquals."""
    names = {"sub": SUB, "aud": AUD, "namespace": f"{ISSUER}:kubernetes.io/namespace"}
    return {"StringEquals": {names[claim]: value for claim, value in {"aud": "sts.amazonaws.com", **conditions}.items()}}


def denied(operator, *subjects):
    return {**allowing({operator: {SUB: [*subjects]}})["Statement"][0], "Effect": "Deny"}


OF_OTHER = {"StringEquals": {f"{OTHER}:sub": "SUBJECT", f"{OTHER}:aud": "sts.amazonaws.com"}}
TEAM = "system:serviceaccount:SPACE:${aws:PrincipalTag/team}"
SLIPS = {
    "namespace beside the subject": allowing(equal(sub="SUBJECT", namespace="SPACE")),
    "capital letter": allowing(equal(sub="system:serviceaccount:SPACE:CAPITAL")),
    "no prefix": allowing(equal(sub="SPACE:NAME")),
    "parts exchanged": allowing(equal(sub="system:serviceaccount:NAME:SPACE")),
    "literal wildcard": allowing(equal(sub="system:serviceaccount:SPACE:*")),
    "old version": allowing(equal(sub=TEAM), version="2008-10-17"),
    "pattern of the name": allowing({"StringLike": {SUB: ["SUBJECT", "system:serviceaccount:SPACE:NAME-*"]}}),
    "all but another": allowing({**equal(), "StringNotEquals": {SUB: "SECOND"}}),
    "all but both": allowing({**equal(), "StringNotEquals": {SUB: ["SECOND", "SUBJECT"]}}),
    "another": allowing(equal(sub="SECOND")),
    "another and one by default": allowing(equal(sub=["SECOND", "system:serviceaccount:m:default"], namespace="x")),
    "two with a slip": allowing(equal(sub=["SUBJECT", "SECOND"], namespace="x")),
    "key of another cluster": allowing(OF_OTHER),
    "another cluster": allowing(OF_OTHER, principal={"Federated": provider_arn().replace(ID, OTHER_ID)}),
    "two clusters": allowing(
        {"StringEquals": {**equal(sub="SUBJECT")["StringEquals"], **OF_OTHER["StringEquals"]}},
        principal={"Federated": [provider_arn(), provider_arn().replace(ID, OTHER_ID)]},
    ),
    "provider without path": allowing(equal(sub="SUBJECT"), principal={"Federated": provider_arn().replace("/id/", "/")}),
    "pods": allowing({}, principal={"Service": "pods.eks.amazonaws.com"}, Action="sts:AssumeRole"),
    "claims exchanged": allowing(equal(sub="sts.amazonaws.com", aud="SUBJECT")),
    "namespace as audience": allowing(equal(sub="SUBJECT", aud="SPACE")),
    "all but both denied": allowing(equal(sub=["SUBJECT", "SECOND"]), denied("StringNotEquals", "SECOND")),
    "both denied": allowing(equal(sub=["SUBJECT", "SECOND"]), denied("StringEquals", "SECOND", "SUBJECT")),
    "one of two denied": allowing(equal(sub="SUBJECT"), denied("StringEquals", "SUBJECT", "SECOND")),
    "all denied": allowing(equal(sub="SUBJECT"), denied("StringLike", "*")),
    "no subject": allowing(equal()),
    "pattern of others": allowing({**equal(sub="SUBJECT"), "StringLike": {SUB: "system:serviceaccount:else*:*"}}),
    "pattern of some": allowing({**equal(sub="SUBJECT"), "StringLike": {SUB: "system:serviceaccount:sh*:*"}}),
    "literal pattern of some": allowing(equal(sub="system:serviceaccount:sh*:*")),
    "endpoint": allowing(equal(sub="SUBJECT", aud="sts.eu-west-1.amazonaws.com")),
    "region": allowing({"StringEquals": {**equal(sub="SPACE:NAME")["StringEquals"], "aws:RequestedRegion": "us-east-1"}}),
    "session name": allowing({**equal(sub="SUBJECT"), "StringLike": {"sts:RoleSessionName": "SPACE"}}),
    "truth": allowing({**equal(sub="SUBJECT"), "Bool": {"aws:SecureTransport": "SPACE"}}),
    "plain": allowing({"StringEqualsIfExists": {SUB: "SUBJECT"}, "ForAllValues:StringEquals": {AUD: "sts.amazonaws.com"}}),
    "Sid twice": allowing(equal(sub="SUBJECT"), *allowing(equal(sub="SECOND"), Sid="SPACE")["Statement"], Sid="SPACE"),
}
"""policies that are wrong, with marks for the parts of service accounts"""
NAMED = [
    (namespace, name, second, who)
    for who in ("first", "second", "both", "none")
    for namespace, name, second in [
        ("shop", "worker", "prod:old-api"),
        ("till", "api-x", "zoo:z"),
        ("sa", "stock", "shop:worker-2"),
        ("true", "1", "a:b"),
        ("payments", "payments", "payments:old-payments"),
        ("zoo", "default", "prod:default"),
        ("shop", "sts.amazonaws.com", "a:b"),
        ("m", "y", "a:b"),
    ]
]
"""namespace, name, another service account, and which of them use the role"""
LEAVING = [((), {}), (("providers.json", "provider.json"), {}), ((), {"audience": "shop"})]
"""what an account lacks, and annotations of its service accounts"""


@pytest.mark.parametrize("listed", [(), ("serviceaccounts",)])
@pytest.mark.parametrize("slip", SLIPS)
def test_roles_with_one_slip_and_other_names_are_each_offered_what_they_would_be_offered_alone(slip, listed):
    accounts = [documents_naming(SLIPS[slip], NAMED, leaving, **annotations) for leaving, annotations in LEAVING]
    inventory = estates(accounts, *listed)
    assert fixes(inventory, Offers(inventory)) == fixes(inventory, partial(offered_alone, inventory))
