# Long: whole policies, each beside what it admits
"""What whole policies admit, by example; the random tests stand beside this file."""

import pytest

from irsa_doctor.issuers import EKS, OTHER
from irsa_doctor.model import Verdict
from irsa_doctor.trust import grant_of, spell
from irsa_doctor.trust.keys import presence
from irsa_doctor.trust.languages import EVERYTHING, NOTHING, Finite, literal
from tests.trust.asking import ACCOUNT, API, AUD, ELSEWHERE, ISSUER, PROVIDER, STS, SUB, admit, deny, hole, policy, statement

PREFIX = "system:serviceaccount:"
ANYBODY = {"AWS": "*"}


def scope(*conditions: dict, **options) -> str | None:
    return admit(*map(statement, conditions), **options).reach.scope


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"StringEquals": {SUB: API}}, "one"),
        ({"StringEquals": {SUB: [API, PREFIX + "shop:web"]}}, "several"),
        ({"StringEquals": {SUB: [API, "no subject of a cluster"]}}, "one"),
        ({"StringEquals": {SUB: PREFIX + "shop:*"}}, "nobody"),
        ({"StringEquals": {SUB: []}}, "cluster"),
        ({"StringLike": {SUB: PREFIX + "shop:*"}}, "namespace"),
        ({"StringLike": {SUB: PREFIX + "shop:api-?"}}, "several"),
        ({"StringLike": {SUB: PREFIX + "shop-?:api"}}, "several"),
        ({"StringLike": {SUB: PREFIX + "shop*:*"}}, "namespaces"),
        ({"StringLike": {SUB: PREFIX + "*:api"}}, "namespaces"),
        ({"StringLike": {SUB: PREFIX + "*"}}, "cluster"),
        ({"StringLike": {SUB: PREFIX + "*:*"}}, "cluster"),
        ({"StringLike": {SUB: PREFIX + "?*:*"}}, "cluster"),
        ({"StringLike": {SUB: "*"}}, "cluster"),
        ({"StringLike": {SUB: [PREFIX + "shop:*", PREFIX + "shop:api"]}}, "namespace"),
        ({"StringLike": {SUB: [PREFIX + "shop:*", PREFIX + "web:api"]}}, "namespaces"),
        ({"StringNotEquals": {SUB: API}}, "namespaces"),
        ({"StringNotLike": {SUB: "*"}}, "nobody"),
        ({"StringNotLike": {SUB: "*"}, "StringEquals": {AUD: STS}}, "nobody"),
        ({"StringLike": {SUB: PREFIX + "shop:*"}, "StringNotLike": {SUB: "*:api"}}, "namespace"),
        ({"StringLike": {SUB: PREFIX + "shop:a*"}, "StringNotLike": {SUB: "*:a?*"}}, "one"),
        ({"StringLike": {SUB: PREFIX + "shop:*"}, "StringEquals": {SUB: API}}, "one"),
        ({"StringEqualsIgnoreCase": {SUB: API.upper()}}, "one"),
        ({"StringEquals": {f"{ELSEWHERE}:sub": API}}, "nobody"),
        ({"StringNotEquals": {f"{ELSEWHERE}:sub": API}}, "cluster"),
        ({"StringEqualsIfExists": {f"https://{SUB}": API}}, "cluster"),
        ({"ForAllValues:StringEquals": {f"{ISSUER}:groups": "x"}}, "cluster"),
        ({"ForAllValues:StringEquals": {SUB: API}}, "one"),
        ({"Null": {SUB: "false"}}, "cluster"),
        ({"Null": {SUB: "true"}}, "nobody"),
        ({"Null": {"aws:PrincipalArn": "true"}}, "cluster"),
        ({"NumericEquals": {SUB: "5"}}, "nobody"),
        ({"ArnLike": {SUB: PREFIX + "shop:*"}}, "nobody"),
        ({"StringEquals": {SUB: f"${{{SUB}}}"}}, "cluster"),
        ({"StringEquals": {SUB: f"x${{{SUB}}}"}}, "nobody"),
        ({"StringLike": {SUB: f"?${{{SUB}}}"}}, "nobody"),
        ({"StringLike": {SUB: f"*${{{SUB}}}*"}}, "cluster"),
        ({"StringEquals": {SUB: f"${{{SUB}}}${{{SUB}}}"}}, "nobody"),
        ({"StringNotEquals": {SUB: f"${{{SUB}}}"}}, "nobody"),
        ({"ArnLike": {SUB: f"${{{SUB}}}"}}, "nobody"),
        ({"StringEquals": {SUB: f"${{{SUB}}}${{aws:PrincipalTag/app, ''}}"}}, "cluster"),
        ({"StringEquals": {SUB: f"${{{SUB}}}${{aws:PrincipalTag/app, 'x'}}"}}, "nobody"),
        ({"StringEquals": {SUB: f"${{{SUB}}}${{aws:PrincipalTag/app}}"}}, "nobody"),
        ({"StringEquals": {SUB: PREFIX + "shop:${aws:PrincipalTag/app}"}}, "nobody"),
        ({"StringEquals": {SUB: PREFIX + "shop:${aws:PrincipalTag/app, 'api'}"}}, "one"),
        ({"StringNotEquals": {SUB: "${aws:PrincipalTag/app}"}}, "cluster"),
        ({"StringNotLike": {AUD: "*"}}, "nobody"),
        ({"StringEquals": {AUD: STS}}, "cluster"),
        ({}, "cluster"),
    ],
)
def test_the_scope_of_one_statement(conditions, expected):
    assert scope(conditions) == expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"StringEquals": {SUB: "repo:org/app:ref:refs/heads/main"}}, "one"),
        ({"StringLike": {SUB: "repo:org/*"}}, "pattern"),
        ({"StringLike": {SUB: "repo:org/?"}}, "several"),
        ({"StringEqualsIgnoreCase": {SUB: "Org"}}, "several"),
        ({"StringNotEquals": {SUB: "x"}}, "pattern"),
        ({"StringLike": {SUB: "*"}}, "anyone"),
        ({}, "anyone"),
        ({"StringNotLike": {SUB: "*"}}, "nobody"),
    ],
)
def test_tokens_of_other_issuers_have_any_subject(conditions, expected):
    assert scope(conditions, profile=OTHER) == expected


def test_the_witness_is_a_shortest_subject_that_exists():
    assert admit(statement({"StringLike": {SUB: "*-prod-*:*.b"}})).reach.witness == PREFIX + "a-prod-a:a.b"
    assert admit(statement({"StringEquals": {SUB: [API, PREFIX + "s:a", "s:b"]}})).reach.witness == PREFIX + "s:a"
    assert admit(statement({"StringEquals": {SUB: "s:b"}})).reach.witness is None


def test_deny_is_taken_out():
    found = admit(statement({"StringLike": {SUB: PREFIX + "shop:*"}}), deny({"StringLike": {SUB: "*:api"}}))
    assert not found.admits(API, STS)
    assert found.admits(PREFIX + "shop:web", STS)
    assert spell(found.subjects) == spell(found.subjects, "service-account")
    assert (spell(found.subjects).patterns, spell(found.subjects).without) == ((PREFIX + "shop:*",), ("*:api",))


def test_deny_on_a_key_that_is_never_there_denies_everybody_if_negated():
    assert admit(statement(), deny({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})).reach.scope == "nobody"
    assert admit(statement(), deny({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})).reach.scope == "cluster"


def test_audiences_and_subjects_belong_together():
    found = admit(
        statement({"StringEquals": {SUB: API, AUD: "a"}}),
        statement({"StringLike": {SUB: PREFIX + "web:*", AUD: "b*"}}),
        deny({"StringEquals": {AUD: "bad"}}),
    )
    pairs = {aud: [sub for sub in (API, PREFIX + "web:x") if found.admits(sub, aud)] for aud in ("a", "b", "bx", "bad", "c")}
    assert pairs == {"a": [API], "b": [PREFIX + "web:x"], "bx": [PREFIX + "web:x"], "bad": [], "c": []}
    assert len(found.cells) == 2
    assert spell(found.audiences).patterns == ("a", "b*")
    assert spell(found.audiences).without == ("bad",)


@pytest.mark.parametrize(
    "statements",
    [
        [statement()],
        [statement({"StringLike": {AUD: "*"}})],
        [statement({"StringEquals": {AUD: "a", SUB: API}}), statement({"StringLike": {SUB: PREFIX + "b:*"}})],
        [statement({"StringLike": {AUD: "a*", SUB: PREFIX + "b:*"}}), statement({"StringNotLike": {AUD: "a*"}})],
        [statement(), deny({"StringEquals": {AUD: "a", SUB: API}})],
    ],
)
def test_any_audience_is_everything(statements):
    assert admit(*statements).audiences == EVERYTHING


def test_statements_for_other_providers_and_actions_say_nothing():
    other = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ELSEWHERE}"}
    assert admit(statement(principal=other)).cells == ()
    assert admit(statement(Action="sts:AssumeRole")).cells == ()
    assert admit(statement(), deny(principal=other), deny(Action="sts:AssumeRole")).reach.scope == "cluster"


# ---- what it depends on


@pytest.mark.parametrize(
    ("conditions", "keys"),
    [
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, ("aws:SourceIp",)),
        (
            {"StringEquals": {"STS:RoleSessionName": "x"}, "StringLike": {"aws:UserAgent": "a*"}},
            ("STS:RoleSessionName", "aws:UserAgent"),
        ),
        ({"Null": {"aws:SourceVpce": "false"}}, ("aws:SourceVpce",)),
        ({"StringEqualsIfExists": {"aws:SourceVpce": []}}, ("aws:SourceVpce",)),
        ({"StringEquals": {SUB: PREFIX + "${sts:RoleSessionName}:${aws:UserAgent}"}}, ("aws:useragent", "sts:rolesessionname")),
        ({"StringEquals": {SUB: f"${{{AUD}}}"}}, (AUD.lower(),)),
        ({"Null": {"aws:SourceVpce": ["true", "false"]}}, ()),
        ({"Null": {"aws:CurrentTime": "false"}}, ()),
        ({"ForAnyValue:StringEquals": {"aws:SourceVpce": []}}, ()),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:userid": "x"}}, ()),
    ],
)
def test_other_keys_on_which_it_depends_are_named(conditions, keys):
    found = admit(statement(conditions))
    assert found.depends_on == keys
    assert found.contested == found.unseen == ()


def test_a_deny_that_depends_takes_nobody_out_for_certain():
    found = admit(statement(), deny({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    assert (found.reach.scope, found.depends_on) == ("cluster", ("aws:SourceIp",))
    assert found.verdict(API, STS) == Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("conditions", "verdicts"),
    [
        ({"StringLike": {SUB: PREFIX + "shop:${aws:UserAgent}"}}, (Verdict.UNKNOWN, Verdict.FAIL)),
        ({"StringNotLike": {SUB: PREFIX + "shop:${aws:UserAgent}"}}, (Verdict.UNKNOWN, Verdict.PASS)),
        ({"StringNotLike": {SUB: [PREFIX + "shop:${aws:UserAgent}", API]}}, (Verdict.FAIL, Verdict.PASS)),
        ({"StringEquals": {SUB: f"${{{SUB}}}${{aws:Referer}}"}}, (Verdict.UNKNOWN, Verdict.UNKNOWN)),
        ({"ArnLike": {SUB: "arn:${aws:Referer}"}}, (Verdict.FAIL, Verdict.FAIL)),
    ],
)
def test_a_variable_leaves_open_only_what_its_pattern_could_match(conditions, verdicts):
    found = admit(statement(conditions))
    assert (found.verdict(API, STS), found.verdict(PREFIX + "web:api", STS)) == verdicts


def test_an_arn_with_a_variable_may_be_any_arn():
    found = admit(statement({"ArnEquals": {AUD: "arn:${aws:Referer}:x"}}))
    assert found.verdict(API, "arn:a:b:c:d:e") == Verdict.UNKNOWN
    assert found.verdict(API, "no arn") == Verdict.FAIL


def test_values_that_are_denied_in_any_case_are_taken_out_though_others_depend():
    found = admit(statement(), deny({"StringEquals": {SUB: [API, "${aws:UserAgent}"]}}))
    assert found.verdict(API, STS) == Verdict.FAIL
    assert not found.admits(API, STS)
    assert found.verdict(PREFIX + "shop:web", STS) == Verdict.UNKNOWN


# ---- contested points


@pytest.mark.parametrize(
    ("statements", "points", "expected"),
    [
        ([statement(principal=ANYBODY)], (), "nobody"),
        ([statement(), deny(principal=ANYBODY)], ("P5",), "cluster"),
        ([statement({"StringEquals": {SUB: API}}), statement({"StringEquals": {SUB: []}})], ("C11",), "cluster"),
        ([statement({"StringNotEquals": {SUB: []}})], ("C11",), "cluster"),
        ([statement({"Null": {"aws:SourceVpce": []}})], ("C11",), "cluster"),
        ([statement({"ArnNotLike": {SUB: "arn:aws:iam::1:*"}})], (), "nobody"),
        ([statement({"NotIpAddress": {SUB: "::/0"}})], (), "nobody"),
        ([statement({"DateNotEquals": {SUB: "2025-01-01"}})], (), "cluster"),
        ([statement({"NumericNotEquals": {SUB: "5"}})], (), "cluster"),
        ([statement({"Bool": {SUB: "false"}})], (), "cluster"),
        ([statement({"Bool": {SUB: "true"}})], (), "nobody"),
        ([statement({"Null": {SUB: "neither"}})], (), "cluster"),
        ([statement({"StringEquals": {SUB: API, SUB.upper(): PREFIX + "shop:web"}})], ("K2",), "several"),
        ([statement({"StringEquals": {SUB: API, SUB.upper(): API}})], (), "one"),
        ([statement(effect="allow")], ("G1",), "cluster"),
        ([statement({"StringEquals": {SUB: API}}, effect="ALLOW")], ("G1",), "one"),
        ([statement(), statement(effect="DENY")], ("G1",), "cluster"),
        (
            [statement({"StringEquals": {SUB: API, AUD: STS}}), deny({"StringNotEquals": {AUD: STS}}, principal=ANYBODY)],
            (),
            "one",
        ),
        (
            [statement({"StringEquals": {SUB: API, AUD: STS}}), deny({"StringLike": {AUD: "*"}}, principal=ANYBODY)],
            ("P5",),
            "one",
        ),
        ([statement({"StringEquals": {"aws:PrincipalArn": []}})], (), "nobody"),
        ([statement({"StringEquals": {"aws:userid": "x"}}, principal=ANYBODY)], (), "nobody"),
        ([deny(principal=ANYBODY)], (), "nobody"),
        ([statement(principal={**ANYBODY, "Federated": PROVIDER})], (), "cluster"),
        ([statement(), deny(principal={**ANYBODY, "Federated": PROVIDER})], (), "nobody"),
    ],
)
def test_contested_points_count_as_admitting_and_are_named(statements, points, expected):
    found = admit(*statements)
    assert (found.contested, found.reach.scope) == (points, expected)
    if points and expected == "cluster":
        assert found.verdict(PREFIX + "shop:other", STS) == Verdict.UNKNOWN


def test_a_grant_tells_on_what_it_hangs():
    (found,) = (
        grant_of(found, found.statements[0], ISSUER, profile=EKS)
        for found in [policy(statement({"StringNotEquals": {SUB: []}}))]
    )
    assert found.contested == ("C11",)
    assert (found.subjects, found.sure_subjects, found.never) == (EVERYTHING, NOTHING, False)


# ---- typed operators on claims


def test_which_subjects_of_another_issuer_are_numbers_is_bounded():
    found = admit(statement({"NumericEquals": {SUB: "5"}}), profile=OTHER)
    assert found.depends_on == (SUB,)
    assert [found.verdict(subject, STS) for subject in ("5.0", "five")] == [Verdict.UNKNOWN, Verdict.FAIL]
    found = admit(statement({"NumericNotEquals": {SUB: "5"}}), profile=OTHER)
    assert [found.verdict(subject, STS) for subject in ("5.0", "five")] == [Verdict.UNKNOWN, Verdict.PASS]


def test_what_reads_as_true_is_worked_out():
    found = admit(statement({"Bool": {SUB: "true"}}), profile=OTHER)
    assert (found.depends_on, found.verdict("TRUE", STS), found.verdict("yes", STS)) == ((), Verdict.PASS, Verdict.FAIL)


# ---- keys with a value that is known


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, "cluster"),
        ({"StringEquals": {"aws:PrincipalAccount": "111122223333"}}, "nobody"),
        ({"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}, "cluster"),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, "cluster"),
        ({"StringEquals": {"aws:PrincipalType": ["FederatedUser", "AssumedRole"]}}, "nobody"),
        ({"ArnLike": {"aws:userid": "arn:aws:iam::*:oidc-provider/*"}}, "cluster"),
        ({"StringLike": {"aws:userid": f"*:{API}"}}, "nobody"),
        ({"StringEquals": {"aws:userid": PROVIDER}}, "cluster"),
        ({"StringEquals": {"aws:userid": "arn:aws:iam::${aws:PrincipalAccount}:oidc-provider/" + ISSUER}}, "cluster"),
        ({"Bool": {"sts:RoleAuthorizedByIdp": "true"}}, "nobody"),
        ({"Bool": {"sts:RoleAuthorizedByIdp": "false"}}, "cluster"),
        ({"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}, "cluster"),
        ({"StringLike": {SUB: PREFIX + "a:${aws:PrincipalType}"}}, "nobody"),
        ({"StringEqualsIgnoreCase": {SUB: PREFIX + "a:${aws:PrincipalType}"}}, "one"),
    ],
)
def test_keys_of_every_request_are_compared_with_their_value(conditions, expected):
    found = admit(statement(conditions))
    assert (found.depends_on, found.contested, found.reach.scope) == ((), (), expected)


def test_whether_another_issuer_authorises_a_role_is_not_known():
    assert admit(statement({"Bool": {"sts:RoleAuthorizedByIdp": "true"}}), profile=OTHER).depends_on == (
        "sts:RoleAuthorizedByIdp",
    )


def test_an_operator_for_one_value_never_holds_for_a_key_of_several():
    assert admit(statement({"StringEquals": {"aws:CalledVia": "x"}})).reach.scope == "nobody"


# ---- holes


@pytest.mark.parametrize(
    ("statements", "unseen"),
    [
        ([statement({"StringEquals": {SUB: hole(PREFIX, "<ns>", ":api")}})], ("<ns>",)),
        ([statement({"StringEquals": {hole("<issuer>", ":sub"): API}})], ("<issuer>",)),
        ([statement({"Null": {"aws:SourceVpce": hole("<flag>")}})], ("<flag>",)),
        ([statement({"Null": {"aws:SourceVpce": [hole("<flag>"), "true"]}})], ("<flag>",)),
        ([statement({hole("<operator>"): {SUB: API}})], ("<operator>",)),
        ([statement(), deny({"StringEquals": {SUB: hole("<sub>")}})], ("<sub>",)),
        ([statement(), deny(principal={"Federated": hole("<provider>")})], ("<provider>",)),
        ([statement(), deny(Action=hole("sts:", "<action>"))], ("<action>",)),
        ([statement({"StringEquals": {SUB: API}}), statement(effect=hole("<effect>"))], ("<effect>",)),
        ([statement({"StringEquals": {SUB: API}}), hole("<statement>")], ("<statement>",)),
    ],
)
def test_where_values_are_not_seen_there_is_no_scope(statements, unseen):
    found = admit(*statements)
    assert found.unseen == unseen
    assert found.reach.scope is None
    assert found.verdict(PREFIX + "shop:other", STS) == Verdict.UNKNOWN


@pytest.mark.parametrize(
    "statements",
    [
        [statement({"StringEquals": {SUB: hole("<sub>"), "aws:userid": "x"}})],
        [statement(principal={"Federated": hole("arn:aws:iam::", "<account>", ":saml-provider/x")})],
        [statement(principal={"AWS": hole("arn:aws:iam::", "<account>", ":root")})],
        [statement(Action=hole("s3:", "<action>"))],
        [deny({"StringEquals": {SUB: hole("<sub>")}})],
    ],
)
def test_holes_that_cannot_matter_do_not(statements):
    found = admit(*statements)
    assert (found.unseen, found.reach.scope) == ((), "nobody")
    assert found.verdict(API, STS) == Verdict.FAIL


def test_who_is_denied_in_any_case_stays_out_whatever_a_hole_holds():
    found = admit(statement({"StringEquals": {SUB: hole("<sub>")}}), deny({"StringEquals": {SUB: API}}))
    assert found.verdict(API, STS) == Verdict.FAIL


# ---- keys


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (SUB, "sub"),
        (AUD, "aud"),
        (f"{ISSUER}:amr", "never"),
        (f"{ISSUER}:kubernetes.io/namespace", "never"),
        (f"{ISSUER}/:sub", "never"),
        (f"{ISSUER}x:sub", "never"),
        (f"https://{SUB}", "never"),
        (f"{ELSEWHERE}:sub", "never"),
        ("sub", "never"),
        ("", "never"),
        ("sts:RoleSessionName", "always"),
        ("aws:CurrentTime", "always"),
        ("aws:EpochTime", "always"),
        ("aws:SecureTransport", "always"),
        ("aws:RequestedRegion", "always"),
        ("aws:FederatedProvider", "always"),
        ("aws:ResourceAccount", "always"),
        ("aws:ResourceOrgID", "maybe"),
        ("aws:SourceIp", "maybe"),
        ("aws:SourceVpce", "maybe"),
        ("aws:ResourceTag/team", "maybe"),
        ("aws:SomethingNew", "maybe"),
        ("sts:SomethingNew", "maybe"),
        ("aws:PrincipalTag/team", "never"),
        ("aws:PrincipalOrgID", "never"),
        ("aws:MultiFactorAuthAge", "never"),
        ("aws:RequestTag/team", "never"),
        ("aws:TagKeys", "never"),
        ("aws:userid", "always"),
        ("aws:PrincipalAccount", "always"),
        ("aws:PrincipalType", "always"),
        ("sts:RoleAuthorizedByIdp", "always"),
        ("aws:username", "never"),
        ("sts:ExternalId", "never"),
        ("sts:SourceIdentity", "never"),
        ("ec2:Region", "never"),
    ],
)
def test_which_keys_a_request_has(key, expected):
    assert presence(key.lower(), ISSUER.lower()) == expected


def test_other_issuers_may_bring_further_claims():
    repository = "tokens.example/x:repository"
    assert presence(repository, "tokens.example/x", profile=OTHER) == "maybe"
    assert presence(repository, "tokens.example/x") == "never"
    assert presence(repository, "", profile=OTHER) == "never"


def test_literals_build_no_automaton():
    found = admit(statement({"StringEquals": {SUB: API, AUD: [STS, "x"]}}), deny({"StringEquals": {AUD: "x"}}))
    assert found.cells == ((literal(STS), literal(API)),)
    assert isinstance(found.subjects, Finite)
