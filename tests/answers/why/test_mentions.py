import pytest

from irsa_doctor import api
from irsa_doctor.answers.why.mentions import mentions_in

ROLE = "arn:aws:iam::111122223333:role/team/app"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nothing", ""),
        (f"cannot use {ROLE}", f"the role {ROLE}"),
        (f'{{"error":"x\\n{ROLE}\\n\\tstatus code: 500, request id: 6590368e-e19b"}}', "the request 6590368e-e19b"),
        ("User: arn:aws:sts::111122223333:assumed-role/app/botocore-session-1 failed", "assumed-role/app/botocore-session-1"),
        ("token of system:serviceaccount:payments:checkout", "the subject system:serviceaccount:payments:checkout"),
        ("from https://oidc.eks.eu-west-1.amazonaws.com/id/5D2A7C1E9B8F4036", "the issuer https://oidc.eks.eu-west-1"),
        ("Post https://sts.eu-west-1.amazonaws.com: x", "the endpoint sts.eu-west-1.amazonaws.com"),
    ],
)
def test_a_message_names_what_it_is_about(text, named):
    assert named in mentions_in(text)
    assert bool(named) == bool(mentions_in(text))


def test_a_message_that_is_not_recognised_says_what_it_names_and_what_tells_more():
    found = api.why(symptoms=api.Symptoms(error=f"operation error Foo: bar {ROLE} , RequestID: 6590368e-e19b"))
    assert (found.verdict, found.causes) == ("unknown", ())
    assert any(note.startswith(f"It names the role {ROLE}, ") for note in found.notes)
    assert "get-caller-identity" in found.notes[-1]


def test_a_token_of_a_megabyte_is_named_and_not_shown():
    found = api.why(symptoms=api.Symptoms(token=b"eyJ" + b"a" * (1 << 20)))
    assert [cause.id for cause in found.causes][:1] == ["token-malformed"]
    assert "aaaa" not in repr(found)
