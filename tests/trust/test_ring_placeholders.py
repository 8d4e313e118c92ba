"""What placeholders in subjects leave of the ring: what they may hold opens nothing, a wildcard behind one does."""

import pytest

from irsa_doctor.issuers.recognition import profile_of
from irsa_doctor.model import Place, TrustPolicy
from irsa_doctor.trust import grant_of, read_policy
from irsa_doctor.trust.admitted import share_of
from irsa_doctor.trust.claim_sets import box_of, boxes_of
from irsa_doctor.trust.patterns import pieces_of, widest
from irsa_doctor.trust.ring import Circumstances, ring_of
from irsa_doctor.trust.segments import laid_beside, tokens_of

ACCOUNT = "111122223333"
GITHUB = "token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("issuer", "value", "ring"),
    [
        ("gitlab.com", "project_id:HOLE:*", "repository"),
        ("gitlab.com", "project_id:HOLE:r*", "repository"),
        ("gitlab.com", "project_id:HOLE:ref_type:branch:ref:*", "repository"),
        ("gitlab.com", "project_id:HOLE:ref_type:branch:ref:main", "ref"),
        ("gitlab.com", "project_path:acme/HOLE:*", "repository"),
        ("gitlab.com", "project_path:HOLE/shop:*", "repository"),
        ("token.actions.githubusercontent.com", "repo:acme/HOLE:*", "repository"),
        ("app.terraform.io", "organization:HOLE:*", "organisation"),
        ("app.terraform.io", "organization:acme:project:HOLE:*", "group"),
    ],
)
def test_a_placeholder_before_what_a_star_begins_is_the_value_of_its_segment(issuer, value, ring):
    reading = _with_placeholder(issuer, value)
    assert (reading.ring, reading.impossible) == (ring, ())


@pytest.mark.parametrize(
    ("issuer", "value", "ring", "by"),
    [
        (GITHUB, "HOLE", "ref", ""),
        (GITHUB, "repo:HOLE", "ref", ""),
        (GITHUB, "repo:acme/shop:HOLE", "ref", ""),
        (GITHUB, "repo:acme/shop:ref:HOLE", "ref", ""),
        (GITHUB, "repo:HOLE:ref:refs/heads/main", "ref", ""),
        (GITHUB, "repo:HOLE:environment:prod", "ref", ""),
        (GITHUB, "repo:HOLE:pull_request", "repository", "unreviewed"),
        (GITHUB, "repo:acme/shop:ref:refs/pull/HOLE/merge", "repository", "unreviewed"),
        ("gitlab.com", "project_path:HOLE:ref:main", "ref", ""),
        ("app.terraform.io", "HOLE:run_phase:apply", "workload", ""),
        ("app.terraform.io", "HOLE:run_phase:plan", "repository", "unreviewed"),
    ],
)
def test_what_a_placeholder_may_hold_of_a_form_opens_nothing(issuer, value, ring, by):
    reading = _with_placeholder(issuer, value)
    assert (reading.ring, reading.widest.by, reading.impossible) == (ring, by, ())


@pytest.mark.parametrize(
    ("issuer", "value", "ring", "by"),
    [
        (GITHUB, "repo:acme/HOLE-*:*", "group", ""),
        (GITHUB, "repo:acme/HOLE*:ref:refs/heads/main", "group", ""),
        (GITHUB, "repo:HOLE-*/shop:*", "platform", "crossing"),
        (GITHUB, "repo:HOLE*/shop:ref:refs/heads/main", "platform", "crossing"),
        (GITHUB, "repo:acme/HOLE-HOLE:*", "repository", ""),
        (GITHUB, "repo:HOLEHOLE:*", "repository", ""),
        (GITHUB, "repo:acme/shop:ref:refs/heads/HOLE*", "ref", "prefix"),
        (GITHUB, "repo:HOLE/HOLE:environment:HOLE*", "ref", "prefix"),
        (GITHUB, "repo:acme/shop:HOLE:*", "repository", ""),
        ("app.terraform.io", "organization:HOLE-*:project:shop:workspace:w:run_phase:*", "platform", "crossing"),
        # here the placeholder decides how much the wildcard opens
        (GITHUB, "HOLE*", "unknown", "placeholder"),
        (GITHUB, "repo:HOLE*", "unknown", "placeholder"),
        (GITHUB, "repo:HOLE?", "unknown", "placeholder"),
        (GITHUB, "repo:acme/HOLE*", "unknown", "placeholder"),
        ("gitlab.com", "project_path:HOLE*", "unknown", "placeholder"),
        ("app.terraform.io", "organization:HOLE*", "unknown", "placeholder"),
    ],
)
def test_a_wildcard_behind_a_placeholder_opens_what_it_can_or_is_unknown(issuer, value, ring, by):
    reading = _with_placeholder(issuer, value)
    assert (reading.ring, reading.widest.by, reading.impossible) == (ring, by, ())


def test_what_is_open_for_sure_counts_beside_what_a_placeholder_decides():
    reading = _with_placeholder(GITHUB, ["repo:HOLE*", "repo:*"])
    assert reading.ring == "platform"


@pytest.mark.parametrize("value", ["repo:HOLE/*", "repo:HOLE/shop-*:*", "repo:HOLE/HOLE-*:*", "repo:HOLEHOLE:*"])
def test_a_placeholder_for_a_name_is_no_id_of_the_tenant_too(value):
    assert [tenant.id for tenant in _with_placeholder(GITHUB, value).tenants] == [None]


def _with_placeholder(issuer, value):
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {f"{issuer}:sub": value}},
    }
    policy = read_policy(TrustPolicy({"Version": "2012-10-17", "Statement": [statement]}, Place("trust.json")))
    profile, principal = profile_of(issuer), statement["Principal"]["Federated"]
    grant = grant_of(policy, policy.statements[0], issuer, profile=profile, provider=principal)
    share = share_of(policy, 0, principal, issuer, profile=profile)
    box = box_of(policy, grant, share.subjects, share.audiences, issuer, profile)
    return ring_of(tuple(boxes_of(policy, box, principal, issuer, profile)), profile, Circumstances(holes=("HOLE",)))


@pytest.mark.parametrize("value", ["project_id:HOLE:x*", "project_id:aHOLE:*", "project_id:12x:*"])
def test_a_placeholder_before_what_no_subject_has_there_leaves_it_impossible(value):
    template = profile_of("gitlab.com").subject[1]
    tokens = tokens_of(widest(pieces_of(value, wildcards=True, variables=True)), ("HOLE",))
    assert laid_beside(tokens, template) is None
