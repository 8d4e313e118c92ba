"""How a document is taken apart, and what IAM would refuse about it."""

import pytest

from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.trust import read_policy
from irsa_doctor.trust.policy import covering, covers
from tests.trust.asking import ACCOUNT, API, PROVIDER, SUB, WEB_IDENTITY, deny, hole, policy, policy_of_text, statement


def problems(*statements: object, version: object = "2012-10-17") -> dict[str, bool]:
    """Code -> whether it is a refusal."""
    return {problem.code: problem.refused for problem in policy(*statements, version=version).problems}


def document(value: object) -> TrustPolicy:
    return TrustPolicy(value, Place("policy.json"))


@pytest.mark.parametrize("version", ["2012-10-17", "2008-10-17", None])
def test_the_usual_policy_has_no_problem(version):
    assert problems(statement({"StringEquals": {SUB: API}}), deny(), version=version) == {}


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (statement(Resource="*", Action=WEB_IDENTITY), "prohibited-resource"),
        (statement(NotResource="*", Action=WEB_IDENTITY), "prohibited-resource"),
        ({"Effect": "Allow", "Action": WEB_IDENTITY}, "no-principal"),
        ({"Effect": "Allow", "Action": WEB_IDENTITY, "NotPrincipal": {"AWS": ACCOUNT}}, "not-principal"),
        (statement(principal="*"), "star-principal"),
        (statement(principal=PROVIDER), "bad-principal"),
        (statement(principal=[PROVIDER]), "bad-principal"),
        (statement(principal={"federated": PROVIDER}), "bad-principal-type"),
        (statement(principal={"Group": "x"}), "bad-principal-type"),
        (statement(principal={"AWS": []}), "empty-principal"),
        (statement(principal={"AWS": [], "Federated": []}), "empty-principal"),
        (statement(principal={"Federated": ""}), "bad-federated"),
        (statement(principal={"Federated": "https://" + PROVIDER.partition("/")[2]}), "bad-federated"),
        (statement(principal={"Federated": f"arn:aws:iam::{ACCOUNT}:role/app"}), "bad-federated"),
        (statement(principal={"Federated": PROVIDER.replace(ACCOUNT, "12345")}), "bad-federated"),
        (statement(principal={"Federated": PROVIDER.replace(ACCOUNT, "\u0661" * 12)}), "bad-federated"),
        (statement(principal={"Federated": [PROVIDER, "arn:aws:iam::x:oidc-provider/y"]}), "bad-federated"),
        (statement(principal={"Federated": {"x": "y"}}), "bad-value"),
        (statement(principal={"Federated": None}), "bad-value"),
        (statement(Action="sts:AssumeRoleWithWebIdentiy"), "unknown-action"),
        (statement(Action="STS:AssumeRoleWithWebIdentiy"), "unknown-action"),
        (statement(Action="sts:*"), "action-spelling"),
        (statement(Action=[WEB_IDENTITY, "sts:*"]), "action-spelling"),
        (statement(Action="STS:assumerolewithwebidentity"), "action-spelling"),
        (deny(Action="sts:*"), "action-spelling"),
        (statement({"NumericEquals": {SUB: "NaN"}}), "bad-typed-value"),
        (statement({"NumericEquals": {SUB: ["5", "five"]}}), "bad-typed-value"),
        (statement({"NumericEquals": {SUB: True}}), "bad-typed-value"),
        (statement({"DateLessThan": {SUB: "not-a-date"}}), "bad-typed-value"),
        (statement({"ForAnyValue:DateEqualsIfExists": {SUB: "soon"}}), "bad-typed-value"),
        (statement({"IpAddress": {SUB: "not-an-ip"}}), "bad-typed-value"),
        (statement({"NotIpAddress": {SUB: "10.0.0.0/33"}}), "bad-typed-value"),
        (statement({"IpAddress": {SUB: "10.0.0.256"}}), "bad-typed-value"),
        (statement({"BinaryEquals": {SUB: "no-binary"}}), "bad-typed-value"),
        (statement({"ArnLike": {SUB: API}}), "bad-typed-value"),
        (statement({"ArnNotEquals": {"aws:PrincipalArn": ["arn:aws:iam::1:role/x", "x"]}}), "bad-typed-value"),
        (statement(Action="AssumeRoleWithWebIdentity"), "action-without-vendor"),
        (statement(Action=":AssumeRole"), "action-without-vendor"),
        (statement(Action=WEB_IDENTITY, NotAction="sts:TagSession"), "action-and-not-action"),
        ({"Effect": "Allow", "Principal": {"Federated": PROVIDER}}, "no-action"),
        (statement(effect="Permit"), "bad-effect"),
        ({"Principal": {"Federated": PROVIDER}, "Action": WEB_IDENTITY}, "bad-effect"),
        (statement({"stringEquals": {SUB: API}}), "bad-operator"),
        (statement({"StringEqual": {SUB: API}}), "bad-operator"),
        (statement({"NullIfExists": {SUB: "true"}}), "bad-operator"),
        (statement({"ForSomeValues:StringEquals": {SUB: API}}), "bad-operator"),
        (statement({"forAllValues:StringEquals": {SUB: API}}), "bad-operator"),
        (statement({":StringEquals": {SUB: API}}), "bad-operator"),
        (statement({"StringEqualsIfExistsIfExists": {SUB: API}}), "bad-operator"),
        (statement({"StringEquals": API}), "bad-condition"),
        (statement({"StringEquals": [SUB, API]}), "bad-condition"),
        ({**statement(), "Condition": ["StringEquals"]}, "bad-condition"),
        ({**statement(), "Condition": None}, "bad-condition"),
        (statement({"StringEquals": {SUB: None}}), "bad-value"),
        (statement({"StringEquals": {SUB: [[API]]}}), "bad-value"),
        (statement({"StringEquals": {SUB: {"in": API}}}), "bad-value"),
        ({**statement(), "Sid": "no-dashes"}, "bad-sid"),
        ({**statement(), "Sid": 5}, "bad-sid"),
        ({**statement(), "condition": {}}, "unknown-element"),
        ("Allow", "bad-statement"),
        (None, "bad-statement"),
        (statement({"StringEquals": {SUB: "\u20ac"}}), "bad-character"),
        (statement({"StringEquals": {"a\x00b": API}}), "bad-character"),
    ],
)
def test_iam_refuses(broken, code):
    found = problems(statement(), broken)
    assert found[code] is True
    assert policy(statement(), broken).refused


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        (statement(principal={}), "empty-principal"),
        (statement(principal={"Federated": "*"}), "federated-star"),
        (statement(principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/app"}), "principal-must-exist"),
        (statement(NotAction="sts:AssumeRole"), "not-action"),
        (statement(Action="s3:GetObject"), "foreign-action"),
        (statement(Action="*"), "action-wildcard"),
        (statement(Action="sts:AssumeRole*"), "action-wildcard"),
        (statement(Action="STS:*"), "action-wildcard"),
        (statement(Action="sts:assumeRoleWithWebIdentity"), "action-case"),
        (statement({"NumericEquals": {SUB: "${aws:userid}"}}), "doubtful-value"),
        (statement({"NumericEquals": {SUB: "1_000"}}), "doubtful-value"),
        (statement({"DateEquals": {SUB: "20250505T100000Z"}}), "doubtful-value"),
        (statement({"DateEquals": {SUB: "2025-13-05"}}), "doubtful-value"),
        (statement({"IpAddress": {SUB: "10.0.0.0/255.0.0.0"}}), "doubtful-value"),
        (statement({"IpAddress": {SUB: "fe80::1%eth0"}}), "doubtful-value"),
        (statement({"BinaryEquals": {SUB: "YQ"}}), "doubtful-value"),
        (statement({"ArnLike": {"aws:SourceArn": "*"}}), "doubtful-value"),
        (statement({"ArnLike": {"aws:SourceArn": "arn:aws:eks:*"}}), "doubtful-value"),
        (statement({"StringEquals": {SUB: API, SUB.upper(): API}}), "two-spellings"),
        (statement({"StringEquals": {SUB: [API, 5]}}), "mixed-types"),
        (statement(effect="allow"), "effect-case"),
        (statement(effect="DENY"), "effect-case"),
        (statement({"StringEquals": {SUB: ["x" * 3000]}}), "over-default-quota"),
    ],
)
def test_what_may_be_refused_or_is_odd_is_only_listed(odd, code):
    assert problems(odd)[code] is False
    assert not policy(odd).refused


@pytest.mark.parametrize(
    "fine",
    [
        statement({"StringEquals": {"https://" + SUB: API}}),
        statement({"StringEquals": {SUB: "system:serviceaccount:*:*"}}),
        statement({"ForAllValues:StringLikeIfExists": {SUB: "*"}}),
        statement({"StringEquals": {SUB: []}}),
        statement({"StringEquals": {"": API}}),
        statement({}),
        statement(),
        statement(principal={"Federated": "token.example.com/tenant/1"}),
        statement(principal={"Federated": PROVIDER + "*"}),
        statement(principal={"Federated": PROVIDER.replace("oidc-provider/", "oidc-provider/https://")}),
        statement(principal={"AWS": "*"}),
        statement(principal={"AWS": [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"]}),
        statement(principal={"AWS": [], "Federated": PROVIDER}),
        statement(principal={"Service": "ec2.amazonaws.com"}),
        statement(Action=["sts:TagSession", "sts:AssumeRole", WEB_IDENTITY]),
        statement({"Bool": {SUB: "yes"}}),
        statement({"Bool": {SUB: "TRUE"}}),
        statement({"Null": {SUB: "yes"}}),
        statement({"NumericEquals": {SUB: ["01", "+1", "1.", ".5e-3"]}}),
        statement({"NumericEquals": {SUB: [5, 1.5]}}),
        statement({"DateEquals": {SUB: ["2025", "2025-05", "2025-05-05", "2025-05-05T10:00Z", "1746439200"]}}),
        statement({"IpAddress": {SUB: ["192.000.002.0/024", "192.0.2.5/+24", "::/0", "2001:db8::1"]}}),
        statement({"BinaryEquals": {SUB: ["YQ==", "YR==", ""]}}),
        statement({"ArnLike": {"aws:PrincipalArn": ["arn:*:iam::*:role/x", "arn:aws:iam::${aws:PrincipalAccount}:*"]}}),
        statement(Action=[]),
        {**statement(), "Sid": ""},
        {**statement(), "Sid": "Abc123"},
        statement({"StringEquals": {SUB: "caf\xe9 \xff\t"}}),
    ],
)
def test_iam_saves_without_a_word(fine):
    assert problems(fine, fine | ({"Sid": "Other"} if fine.get("Sid") else {})) == {}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"Version": "2012-10-17"}, "no-statement"),
        ({"Statement": []}, "no-statement"),
        ({"Statement": "x"}, "no-statement"),
        ({"Version": "2025-01-01", "Statement": [statement()]}, "bad-version"),
        ({"Version": 20121017, "Statement": [statement()]}, "bad-version"),
        ({"Version": ["2012-10-17"], "Statement": [statement()]}, "bad-version"),
        ({"version": "2012-10-17", "Statement": [statement()]}, "unknown-element"),
        ([statement()], "not-an-object"),
        ("text", "not-an-object"),
        (None, "not-an-object"),
        (5, "not-an-object"),
        ({"Statement": [statement() | {"Sid": "A"}, statement() | {"Sid": "A"}]}, "duplicate-sid"),
    ],
)
def test_the_document_itself_is_refused(value, code):
    found = read_policy(document(value))
    assert [problem.code for problem in found.problems if problem.refused] == [code]


def test_several_statements_may_have_an_empty_sid():
    assert problems({**statement(), "Sid": ""}, {**statement(), "Sid": ""}) == {}


def test_a_member_given_twice_is_refused_wherever_it_is():
    members = f'"Effect": "Deny", "Effect": "Allow", "Principal": {{"Federated": "{PROVIDER}"}}, "Action": "sts:AssumeRole"'
    text = f'{{"Statement": [{{{members}}}]}}'
    (problem,) = policy_of_text(text).problems
    assert (problem.code, problem.refused, problem.steps) == ("duplicate-member", True, ("Statement", "0", "Effect"))
    assert (problem.line, problem.column) == (1, 35)


def test_problems_lead_to_their_place():
    found = {
        problem.code: problem.steps for problem in policy(statement({"Foo": {}}), {**statement(Action="x"), "A/b": 1}).problems
    }
    assert found == {
        "bad-operator": ("Statement", 0, "Condition", "Foo"),
        "unknown-element": ("Statement", 1, "A/b"),
        "action-without-vendor": ("Statement", 1, "Action"),
    }


def test_the_size_is_that_of_the_text_without_white_space():
    assert policy_of_text('{ "Statement":\n\t[ ] }').size == len('{"Statement":[]}')


def test_values_become_text_and_keys_lower_case():
    (found,) = policy(statement({"Bool": {"aws:SecureTransport": [True, 1, "x"]}})).statements
    (condition,) = found.conditions
    assert (condition.key, condition.raw_key, condition.values) == (
        "aws:securetransport",
        "aws:SecureTransport",
        ("true", "1", "x"),
    )
    assert condition.steps == ("Statement", 0, "Condition", "Bool", "aws:SecureTransport")


# ---- holes are no refusals


@pytest.mark.parametrize(
    "part",
    [
        statement(principal=hole("<principal>")),
        statement(principal={hole("<type>"): PROVIDER}),
        statement(principal={"Federated": hole("<arn>")}),
        statement(principal={"AWS": [hole("<arn>")]}),
        statement(effect=hole("<effect>")),
        statement(Action=hole("<action>")),
        statement({hole("<operator>"): {SUB: API}}),
        statement({"StringEquals": hole("<keys>")}),
        statement({"StringEquals": {hole("<issuer>", ":sub"): API}}),
        statement({"StringEquals": {SUB: hole("<sub>")}}),
        {**statement(), "Condition": hole("<condition>")},
        {**statement(), "Sid": hole("<sid>")},
        {**statement(), hole("<member>"): "x"},
        hole("<statement>"),
    ],
)
def test_a_hole_is_no_refusal(part):
    assert not policy(part).refused


def test_a_policy_of_holes_is_no_refusal():
    text = hole("<text>")
    assert not read_policy(document({"Version": text, "Statement": text, text: text})).refused


def test_a_statement_tells_its_holes():
    (found,) = policy(statement({"StringEquals": hole("<keys>"), hole("<op>"): {}}, effect=hole("<effect>"))).statements
    assert (found.unseen, found.effect_seen, found.allow) == (("<effect>", "<keys>", "<op>"), False, False)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"Action": WEB_IDENTITY}, True),
        ({"Action": "sts:TagSession"}, False),
        ({"Action": hole("<action>")}, None),
        ({"Action": ["sts:*", hole("<action>")]}, True),
        ({"Action": hole("s3:", "<action>")}, False),
        ({"NotAction": "sts:TagSession"}, True),
        ({"NotAction": hole("<action>")}, None),
        ({"NotAction": [hole("<action>"), "*"]}, False),
    ],
)
def test_whether_an_action_is_covered_may_hang_on_a_hole(members, expected):
    (found,) = policy(statement(**members)).statements
    assert covering(found, WEB_IDENTITY) is expected
    assert covers(found, WEB_IDENTITY) is (expected is True)
    assert found.covers_web_identity is (expected is True)
