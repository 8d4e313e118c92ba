import time

import pytest

from irsa_doctor.model import Hole, Text, text_of
from irsa_doctor.text.placeholders import stands_for_name, value_with_holes, with_holes


@pytest.mark.parametrize(
    ("text", "holes"),
    [
        ("${OidcProvider}", ["${OidcProvider}"]),
        ("${ karpenter_iam_role }", ["${ karpenter_iam_role }"]),
        (
            "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/x",
            ["${data.aws_caller_identity.current.account_id}"],
        ),
        ("arn:aws:iam::${AWS::AccountId}:role/x", ["${AWS::AccountId}"]),
        ("${NAME:-fallback}-x", ["${NAME:-fallback}"]),
        ("arn:aws:iam::$account_id:oidc-provider/$oidc_provider", ["$account_id", "$oidc_provider"]),
        ("arn:aws:iam::<ACCOUNT-ID>>:role/<your role>", ["<ACCOUNT-ID>>", "<your role>"]),
        ("{{ .Values.arn }}", ["{{ .Values.arn }}"]),
        ("%{ if x }y%{ endif }", ["%{ if x }", "%{ endif }"]),
        ("id/F2DXXXXXXXX", ["XXXXXXXX"]),
        ("arn:aws:iam::ACCOUNT_ID:role/x", ["ACCOUNT_ID"]),
        ("arn:aws:iam::my-aws-account-id:role/x", ["my-aws-account-id"]),
        ("system:serviceaccount:YOUR_NAMESPACE:REPLACE_ME", ["YOUR_NAMESPACE", "REPLACE_ME"]),
        ("_CHANGE_ME_", ["_CHANGE_ME_"]),
        ("arn:aws:iam::111122223333:role/{TENANT_ID}-app", ["{TENANT_ID}"]),
        ("ROLE_ARN_PLACEHOLDER", ["ROLE_ARN_PLACEHOLDER"]),
        ("x:__REPLACE_THIS", ["__REPLACE_THIS"]),
        (
            "arn:aws:iam::$(accountId):oidc-provider/$(aws eks describe-cluster)",
            ["$(accountId)", "$(aws eks describe-cluster)"],
        ),
        ("${OIDC_URL#https://}:sub", ["${OIDC_URL#https://}"]),
        ("${OIDC/https:/}:aud", ["${OIDC/https:/}"]),
        ("#{AccountId}/#{Oidc.Provider}#", ["#{AccountId}", "#{Oidc.Provider}#"]),
        ("@ACCOUNT_ID@:@@OIDC@@", ["@ACCOUNT_ID@", "@@OIDC@@"]),
        ("~ACCOUNT~:~~OIDC_URL~~", ["~ACCOUNT~", "~~OIDC_URL~~"]),
        ("%%ACCOUNT%%:%OIDC_URL%", ["%%ACCOUNT%%", "%OIDC_URL%"]),
        ("[ACCOUNT_ID]:[[oidc provider]]", ["[ACCOUNT_ID]", "[[oidc provider]]"]),
        ("{account_id}-{oidc_provider}", ["{account_id}", "{oidc_provider}"]),
    ],
)
def test_what_somebody_still_has_to_fill_in_is_a_hole(text, holes):
    found = with_holes(text)
    assert isinstance(found, Text)
    assert [part.name for part in found.parts if isinstance(part, Hole)] == holes
    assert text_of(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "${aws:username}",
        "${aws:PrincipalTag/team}",
        "${*}",
        "${?}",
        "${$}",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::111122223333:role/account-reader",
        "arn:aws:iam::111122223333:role/XXX",
        "system:serviceaccount:accounts:app",
        "a $ 5 < b",
        '{"A": null}',
        "{}",
        "{a}",
        "{name}",
        "repo:org/caf%C3%A9%20:ref:a%3Ab",
        "someone@example.com",
        "A@B",
        "~/A~B",
        "v1~PROD",
        "arn:aws:iam::111122223333:role/app@PROD@eu",
        "arn:aws:iam::111122223333:role/app@@PROD@@eu",
        "repo:org/[A-Z]*[ABC][0-9]",
        "a $ (b) # {}",
        "${aws:PrincipalTag/a#b}",
        "",
    ],
)
def test_what_iam_and_people_mean_literally_is_text(text):
    assert with_holes(text) == text


def test_braces_that_nobody_closes_cost_no_more_than_their_length():
    text = "{{a" * 30_000
    began = time.process_time()
    assert with_holes(text) == text
    assert time.process_time() - began < 5


def test_equal_placeholders_make_equal_holes_and_names_of_members_have_them_too():
    value = value_with_holes({"$p:sub": ["$p", 1, None], "x": "$p"})
    (key, _) = value
    assert key == Text((Hole("$p"), ":sub"))
    assert value[key][0] == value["x"] == Text((Hole("$p"),))


@pytest.mark.parametrize("word", ["ORG", "MY_REPO", "GITHUB-ORG", "your-org", "Your-Repo"])
def test_a_word_that_asks_for_a_name_stands_for_it(word):
    assert stands_for_name(word)


@pytest.mark.parametrize("word", ["org", "ACME", "ACME-ORG", "my-org", "IT", "yours", ""])
def test_a_name_stands_for_none(word):
    assert not stands_for_name(word)
