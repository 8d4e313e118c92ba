"""Offered policies, compared with what the plain evaluator of the tests says of the one before and the one after."""

from itertools import product

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.facts import View
from irsa_doctor.model import Closed, Cluster, Inventory, Place, Role, ServiceAccount
from irsa_doctor.remedies import policy_for
from irsa_doctor.remedies.draft import read_for_iam
from irsa_doctor.sources import read_policy_text as read_text
from irsa_doctor.trust.presented import PresentedToken
from tests.remedies.offering import offered as of_findings
from tests.trust import drawing, reference
from tests.trust.drawing import ACCOUNT, ARN, AUD, AUDIENCES, ISSUER, OTHER, PREFIX, SUB, SUBJECTS, arn_of, examples

ROLE = f"arn:aws:iam::{ACCOUNT}:role/drawn"
STS = "sts.amazonaws.com"
KNOWN = {"aws:securetransport": ("true",), "aws:resourceaccount": (ACCOUNT,)}
RECORDED = {
    "aws:principalaccount": (ACCOUNT,),
    "aws:principaltype": ("User",),
    "aws:userid": (ARN,),
    "aws:principalisawsservice": ("false",),
    "sts:roleauthorizedbyidp": ("false",),
}
"""what every request of a token of the provider has (K3)"""
STRANGERS = (f"{PREFIX}zz:nobody", f"{PREFIX}a:zz", f"{PREFIX}zz:x")
NAMED = st.lists(st.sampled_from(SUBJECTS), max_size=4, unique=True)


def world(document, users, *, complete=False):
    """The role with a policy, and the service accounts of the cluster that name it."""
    place = Place("drawn.json")
    source = read_text(msgspec.json.encode(document), place)
    accounts = tuple(
        ServiceAccount("c", *subject.removeprefix(PREFIX).split(":"), place, {"eks.amazonaws.com/role-arn": ROLE})
        for subject in users
    )
    cluster = Cluster("c", "c", ISSUER, place)
    closed = Closed(kinds={"c": frozenset({"serviceaccounts"})} if complete else {})
    role = Role(ROLE, "drawn", ACCOUNT, source, place)
    return View(Inventory(roles=(role,), clusters=(cluster,), service_accounts=accounts, closed=closed))


USUAL = reference.Reading()


def decided(document, subject, audience, surroundings, provider=ARN, reading=USUAL):
    issuer = provider.partition("oidc-provider/")[2].lower()
    context = {key.lower(): list(values) for key, values in surroundings.items()}
    context |= {f"{issuer}:sub": [subject], f"{issuer}:aud": [audience]}
    return reference.decide(document, reference.Call(provider, context), reading) == "allow"


def written(document):
    """The subjects that a policy writes out."""
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    blocks = [keys for s in statements for keys in (s.get("Condition") or {}).values()]
    values = [value for keys in blocks for listed in keys.values() for value in reference.as_list(listed)]
    return {str(value) for value in values}


# ---- policies with slips in them

KEYS = (
    SUB,
    SUB,
    SUB,
    f"https://{SUB}",
    f"{ISSUER}/:sub",
    f"{ARN}:sub",
    f"{OTHER}:sub",
    "oidc.eks.eu-north-1.amazonaws.com:sub",
)
AUD_KEYS = (AUD, AUD, AUD, f"https://{AUD}", f"{ISSUER}/:aud", f"{OTHER}:aud", SUB)
VALUES = (
    *SUBJECTS,
    "a/x",
    "a:x",
    f"{PREFIX}A:x",
    f"{PREFIX}a/x",
    f"{PREFIX}a:x ",
    f"{PREFIX}a:*",
    f"{PREFIX}*:x",
    "*",
    STS,
    f"{PREFIX}a:${{aws:PrincipalTag/t}}",
)
OPERATORS = (
    "StringEquals",
    "StringEquals",
    "StringLike",
    "ForAllValues:StringEquals",
    "StringEqualsIfExists",
    "StringNotEquals",
)
AUD_VALUES = (
    STS,
    STS,
    "sts.eu-west-1.amazonaws.com",
    "https://sts.amazonaws.com",
    "STS.amazonaws.com",
    "amazonaws.com",
    f"{PREFIX}a:x",
)
PRINCIPALS = (
    {"Federated": ARN},
    {"Federated": ARN},
    {"Federated": ARN},
    {"Federated": [ARN, arn_of(OTHER)]},
    {"Federated": ARN + "/"},
    {"Federated": ISSUER},
    {"Federated": arn_of(ISSUER, "999900001111")},
    {"Federated": arn_of(OTHER)},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    {"Service": "pods.eks.amazonaws.com"},
)
ACTIONS = (
    "sts:AssumeRoleWithWebIdentity",
    "sts:AssumeRoleWithWebIdentity",
    "sts:AssumeRoleWithWebIdentity",
    "sts:AssumeRole",
    ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
    ["sts:AssumeRole", "sts:TagSession"],
    "sts:AssumeRoleWithWebIdentiy",
)
EXTRA = (
    None,
    None,
    None,
    None,
    ("StringEquals", "aws:PrincipalOrgID", "o-1"),
    ("IpAddress", "aws:SourceIp", "192.0.2.0/24"),
    ("Bool", "aws:SecureTransport", "true"),
    ("StringLike", SUB, f"{PREFIX}b:*"),
    ("StringEquals", f"{OTHER}:sub", f"{PREFIX}a:x"),
    ("Null", SUB, "true"),
)


@st.composite
def slipped_statements(draw):
    """A statement that was meant to be right."""
    entries = []
    if draw(st.integers(0, 9)):
        values = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=3, unique=True))
        entries.append(
            (draw(st.sampled_from(OPERATORS)), draw(st.sampled_from(KEYS)), values[0] if len(values) == 1 else values)
        )
    if draw(st.integers(0, 4)):
        entries.append(("StringEquals", draw(st.sampled_from(AUD_KEYS)), draw(st.sampled_from(AUD_VALUES))))
    entries += filter(None, [draw(st.sampled_from(EXTRA))])
    effect = draw(st.sampled_from(("Allow", "Allow", "Allow", "Deny")))
    principal, action = draw(st.sampled_from(PRINCIPALS)), draw(st.sampled_from(ACTIONS))
    found = drawing.statement(effect, principal, {"Action": action}, entries)
    return {**({"Sid": "A"} if draw(st.booleans()) else {}), **found}


slipped = st.builds(
    lambda version, listed: {
        "Version": version,
        "Statement": [{k: v for k, v in s.items() if k != "Sid" or n == 0} for n, s in enumerate(listed)],
    },
    st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17")),
    st.lists(slipped_statements(), min_size=1, max_size=3),
)


# ---- what must hold


def is_proved(document, users, subject, surroundings, *, complete):
    """The offered policy, held against the one before; None where nothing is offered."""
    view = world(document, users, complete=complete)
    target = PresentedToken(ACCOUNT, ARN, ISSUER, subject, STS, KNOWN)
    fix = policy_for(view, view.roles[0], target)
    if fix is None:
        return None
    new = fix.policy
    assert not read_for_iam(new).refused
    request = {**surroundings, **KNOWN, **RECORDED}
    assert all(decided(new, subject, STS, request, reading=reading) for reading in reference.all_readings())
    was_refused = view.roles[0].policy.refused
    for other, audience in product({*SUBJECTS[::3], *users, subject, *STRANGERS}, AUDIENCES[::2]):
        for around in (request, surroundings):
            before, after = (decided(each, other, audience, around) for each in (document, new))
            if after and (was_refused or not before):
                assert other in {subject, *users, *written(new)}
                assert other in fix.admits or was_refused
            if before and other in users and audience == STS:
                assert after
        # tokens of another issuer
        before, after = (decided(each, other, audience, request, arn_of(OTHER)) for each in (document, new))
        assert not (after and not before) or other in written(new) or was_refused
    again = world(new, users, complete=complete)
    assert policy_for(again, again.roles[0], target) is None
    return fix


def finds_no_harm(document, users, surroundings, *, complete):
    """What findings offer, held against the policy before; returns how many policies they offer."""
    view = world(document, users, complete=complete)
    fixes = [fix for fix in of_findings(view).values() if fix and fix.policy is not None]
    request = {**surroundings, **KNOWN, **RECORDED}
    refused = view.roles[0].policy.refused
    for fix in fixes:
        assert not read_for_iam(fix.policy).refused
        named = {*users, *written(fix.policy)}
        for other, audience in product({*SUBJECTS[::3], *users, *STRANGERS}, AUDIENCES[::2]):
            before, after = (decided(each, other, audience, request) for each in (document, fix.policy))
            assert not after or other in named or (before and not refused)
            assert after or not before or other not in users or audience != STS
    return len(fixes)


@examples(200)
@given(slipped, NAMED, drawing.surroundings, st.booleans())
def test_what_findings_offer_does_no_harm(document, users, surroundings, complete):
    finds_no_harm(document, users, surroundings, complete=complete)


@examples(200)
@given(drawing.policies(drawing.ANYTHING), NAMED, drawing.surroundings, st.booleans())
def test_what_findings_offer_for_any_policy_does_no_harm(document, users, surroundings, complete):
    finds_no_harm(document, users, surroundings, complete=complete)


@examples(500)
@given(slipped, NAMED, st.sampled_from(SUBJECTS), drawing.surroundings, st.booleans())
def test_a_policy_with_slips_is_mended_without_harm(document, users, subject, surroundings, complete):
    is_proved(document, users, subject, surroundings, complete=complete)


@examples(250)
@given(drawing.policies(drawing.ANYTHING), NAMED, st.sampled_from(SUBJECTS), drawing.surroundings, st.booleans())
def test_any_policy_at_all_is_mended_without_harm(document, users, subject, surroundings, complete):
    is_proved(document, users, subject, surroundings, complete=complete)
