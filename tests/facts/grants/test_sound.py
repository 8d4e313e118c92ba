"""What is said of a statement that is right, seen at a glance, is what looking into all of it says."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.facts.grants.grant import facts_in_full, grant_facts
from irsa_doctor.facts.grants.reading import GrantReading
from irsa_doctor.trust.defects import reading_of
from tests.facts.situations import ISSUER, provider_arn, role, view
from tests.trust.drawing import examples

SUBJECT = "system:serviceaccount:payments:api"
VALUES = [SUBJECT, "system:serviceaccount:p:default", [SUBJECT], [SUBJECT, "x"], "sts.amazonaws.com", "${aws:sourceip}", "*"]
operators = st.sampled_from(["StringEquals", "StringEquals", "StringLike", "StringNotEquals", "ForAnyValue:StringEquals"])
keys = st.sampled_from([f"{ISSUER}:sub", f"{ISSUER}:aud", f"{ISSUER}:AUD", f"https://{ISSUER}:sub", "aws:SourceIp"])
plain_blocks = st.builds(
    lambda subject, audience, kind: {kind: {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": audience}},
    st.sampled_from(VALUES),
    st.sampled_from(["sts.amazonaws.com", "sts.amazonaws.com", "other"]),
    operators,
)
blocks = plain_blocks | st.dictionaries(operators, st.dictionaries(keys, st.sampled_from(VALUES), min_size=1), max_size=2)


def readings(conditions) -> list[GrantReading]:
    """The grants of a role whose policy has these conditions."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn()},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": conditions,
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    (analysed,) = view({"roles.json": {"RoleDetailList": [role(AssumeRolePolicyDocument=document)]}}).roles
    return [judged.evidence.args[0] for judged in analysed.grants if isinstance(judged.evidence, partial)]


def test_a_right_statement_is_sound():
    (read,) = readings({"StringEquals": {f"{ISSUER}:sub": SUBJECT, f"{ISSUER}:aud": "sts.amazonaws.com"}})
    assert read.sound_subject == SUBJECT


@examples(400)
@given(blocks)
def test_what_is_said_of_a_sound_statement_is_what_all_of_it_says(conditions):
    for read in readings(conditions):
        assert grant_facts(read) == facts_in_full(read)
        assert read.reading == reading_of(read.policy, read.grant, read.expected)
