"""`admitted` and `decide` are two views of one semantics: what the one says of all requests the other says of each."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.issuers import EKS, OTHER
from irsa_doctor.model import Verdict
from irsa_doctor.trust import admitted, decide, is_subject
from irsa_doctor.trust.languages import contains
from irsa_doctor.trust.subjects import reach_of
from tests.trust import drawing
from tests.trust.drawing import ARN, AUD, AUDIENCES, ISSUER, ODD_SUBJECTS, SUB, SUBJECTS, examples, policy_of, request_of

PAIRS = tuple(product((*SUBJECTS, *ODD_SUBJECTS), AUDIENCES))
pairs = st.lists(st.sampled_from(PAIRS), min_size=8, max_size=8, unique=True)


@examples(2500)
@given(drawing.policies(drawing.ANYTHING), pairs, drawing.surroundings, st.sampled_from([EKS, OTHER]))
def test_a_pair_is_admitted_where_a_request_is_allowed(document, some, around, profile):
    is_admitted_where_allowed(document, some, around, profile)


def is_admitted_where_allowed(document, some, around, profile):
    """Pairs of subject and audience, held against the decision about each."""
    policy = policy_of(document)
    found = admitted(policy, ARN, ISSUER, profile=profile)
    assert not found.too_complex
    for subject, audience in some:
        decision = decide(policy, request_of(subject, audience, around))
        allowed = "allow" in (decision.outcome, decision.otherwise)
        admits, verdict = found.admits(subject, audience), found.verdict(subject, audience)
        assert admits or not allowed
        assert admits == (verdict != Verdict.FAIL)
        if verdict == Verdict.PASS:
            assert decision.outcome == "allow"
            assert decision.is_certain
        # which texts are numbers or dates is bounded where none of a cluster's subjects is
        can_be_minted = not profile.is_cluster or is_subject(subject)
        if can_be_minted and not found.depends_on and not found.contested:
            assert verdict != Verdict.UNKNOWN
            assert admits == (decision.outcome == "allow")


@examples(2500)
@given(drawing.policies(drawing.CLAIMS, plain=True, statements=4), st.sampled_from(AUDIENCES))
def test_the_reach_is_that_of_the_subjects_allowed(document, audience):
    has_the_reach_of_those_allowed(document, audience)


def has_the_reach_of_those_allowed(document, audience):
    """The reach of a plain policy, held against the decision about each subject of the vocabulary."""
    policy = policy_of(document)
    found = admitted(policy, ARN, ISSUER)
    if found.depends_on or found.contested:
        return
    one_of_each = [reach_of(audiences, "text").witness or "" for audiences, _ in found.cells]
    for subject in SUBJECTS:
        assert contains(found.subjects, subject) == any(found.admits(subject, each) for each in one_of_each)
        assert found.admits(subject, audience) == (decide(policy, request_of(subject, audience)).outcome == "allow")
    allowed = {subject for subject in SUBJECTS if contains(found.subjects, subject)}
    reach = found.reach
    if reach.witness is None:
        assert reach.scope == "nobody"
    else:
        assert is_subject(reach.witness)
        assert contains(found.subjects, reach.witness)
    if reach.scope == "nobody":
        assert not allowed
    elif reach.scope == "one":
        assert allowed <= {reach.witness}
    elif reach.scope == "cluster":
        assert allowed == set(SUBJECTS)
    elif reach.scope == "namespace":
        assert len({subject.split(":")[2] for subject in (*allowed, reach.witness)}) == 1


@examples(1500)
@given(drawing.policies(drawing.CLAIMS, plain=True, statements=4))
def test_cells_are_not_empty_and_have_disjoint_audiences(document):
    has_disjoint_cells(document)


def has_disjoint_cells(document):
    """The cells of a policy are not empty, and no audience is in two."""
    found = admitted(policy_of(document), ARN, ISSUER)
    for cell in found.cells:
        assert all(reach_of(side, "text").scope != "nobody" for side in cell)
    for audience in (*AUDIENCES, "other", "", "STS", "a", "zzz"):
        assert sum(contains(audiences, audience) for audiences, _ in found.cells) <= 1
        assert contains(found.audiences, audience) == any(contains(audiences, audience) for audiences, _ in found.cells)


SURROUNDINGS = {
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8"): [(), ("10.0.0.1",), ("192.0.2.1",)],
    ("NotIpAddress", "aws:VpcSourceIp", "10.0.0.0/8"): [(), ("10.0.0.1",), ("192.0.2.1",)],
    ("StringLikeIfExists", "aws:UserAgent", "x*"): [(), ("xy",), ("y",)],
    ("Null", "aws:Referer", "true"): [(), ("here",)],
    ("StringEquals", "sts:RoleSessionName", ("a", "b")): [("a",), ("c",)],
    ("ForAllValues:StringEquals", "aws:CalledVia", "x"): [(), ("x", "x"), ("x", "y")],
    ("DateLessThan", "aws:CurrentTime", "2030-01-01"): [("2029-01-01",), ("2031-01-01",)],
}
others = st.lists(
    st.sampled_from([None, None, *SURROUNDINGS]), min_size=3, max_size=3, unique_by=lambda entry: entry or object()
)
plain_claims = tuple(
    entry for entry in drawing.CLAIMS if "${" not in str(entry[2]) and entry[2] != [] and entry[1] in (SUB, AUD)
)


heads = st.lists(
    st.tuples(st.sampled_from(["Allow", "Allow", "Deny"]), st.lists(st.sampled_from(plain_claims), max_size=2)),
    min_size=3,
    max_size=3,
)


@examples(1200)
@given(
    heads,
    others,
    pairs,
)
def test_what_depends_on_other_keys_is_admitted_with_some_of_their_values(heads, conditions, some):
    document = {
        "Version": "2012-10-17",
        "Statement": [
            drawing.statement(
                effect,
                {"Federated": ARN},
                {"Action": "sts:AssumeRoleWithWebIdentity"},
                [*claims, *([entry] if entry else [])],
            )
            for (effect, claims), entry in zip(heads, conditions, strict=True)
        ],
    }
    policy = policy_of(document)
    found = admitted(policy, ARN, ISSUER)
    assert not found.contested
    asked = [entry for entry in conditions if entry]
    assert set(found.depends_on) <= {key for _, key, _ in asked}
    worlds = [
        {key: values for (_, key, _), values in zip(asked, chosen, strict=True) if values}
        for chosen in product(*(SURROUNDINGS[entry] for entry in asked))
    ]
    for subject, audience in some:
        outcomes = {decide(policy, request_of(subject, audience, world)).outcome == "allow" for world in worlds}
        assert found.admits(subject, audience) == (True in outcomes)
        verdict = Verdict.UNKNOWN if len(outcomes) == 2 else Verdict.PASS if True in outcomes else Verdict.FAIL
        assert found.verdict(subject, audience) == verdict or found.verdict(subject, audience) == Verdict.UNKNOWN
