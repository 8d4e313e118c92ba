"""What members of an IAM policy of Google Cloud mean."""

import pytest

from irsa_doctor.trust.clouds.members import PodPrincipal, member_match, parse_member

POD = PodPrincipal(pool="acme.svc.id.goog", namespace="web", name="front", uid="u-1", issuer="container.googleapis.com/v1/x")
PRINCIPALS = "principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/acme.svc.id.goog"
SETS = PRINCIPALS.replace("principal:", "principalSet:")


@pytest.mark.parametrize(
    "member",
    [
        "serviceAccount:acme.svc.id.goog[web/front]",
        f"{PRINCIPALS}/subject/ns/web/sa/front",
        f"{PRINCIPALS}/kubernetes.serviceaccount.uid/u-1",
        f"{SETS}/namespace/web",
        f"{SETS}/kubernetes.cluster/https://container.googleapis.com/v1/x",
        f"{SETS}/*",
    ],
)
def test_every_form_of_a_member_means_the_service_account(member):
    assert member_match(parse_member(member), POD) == "matches"


@pytest.mark.parametrize(
    ("member", "match"),
    [
        ("serviceAccount:acme.svc.id.goog[web/back]", "name"),
        ("serviceAccount:other.svc.id.goog[web/front]", "pool"),
        ("serviceAccount:acme.svc.id.goog/web/front", "malformed"),
        (f"{PRINCIPALS}/ns/web/sa/front", "malformed"),
        (f"{PRINCIPALS}/subject/ns/web/sa/front".replace("/42/", "/acme/"), "project-id"),
        (f"{PRINCIPALS}/kubernetes.serviceaccount.uid/u-2", "none"),
        (f"{SETS}/*/", "malformed"),
        (f"{SETS}/*/x", "malformed"),
        ("user:ann@example.com", "none"),
        ("serviceAccount:ci@acme.iam.gserviceaccount.com", "none"),
    ],
)
def test_what_differs_is_told_apart(member, match):
    assert member_match(parse_member(member), POD) == match
