"""Single ways whose conditions depend on what pods hold, or on what exists."""

import pytest

from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.facts.reach.listing import Reachability
from tests.facts.reach.worlds import ACCOUNT, ROLE, binding, cluster_role, group, named, role, view, wide_binding

CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/apollo"
ANNOTATE = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["patch"]}
EXEC = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}


def ways(*objects, who="dev", **options):
    """Kind -> certainty of the direct ways of a group to the role."""
    reachability = Reachability(view(*objects, **options))
    standing = reachability.graph.standing(ClusterIdentity(CLUSTER, "Group", who))
    return {
        kind: way.certainty
        for _, arrival in reachability.graph.arrivals(ROLE)
        for kind, way in arrival.direct.get(standing, {}).items()
    }


def pod(*audiences, name="web-1"):
    sources = [{"serviceAccountToken": {"path": "token", **({"audience": item} if item else {})}} for item in audiences]
    volumes = [{"name": f"v{number}", "projected": {"sources": [item]}} for number, item in enumerate(sources)]
    containers = [{"name": "app", "image": "app"}]
    spec = {"serviceAccountName": "web", "containers": containers, "volumes": volumes, "nodeName": "n1"}
    return named("Pod", name, "shop", api="v1", spec=spec, status={"phase": "Running"})


@pytest.mark.parametrize(
    ("audiences", "kinds"),
    [
        # a token for another program is none that the role takes
        (("vault",), {"annotate": "possible"}),
        (("", "vault"), {"annotate": "possible"}),
        (("sts.amazonaws.com",), {"exec": "certain"}),
        (("", "sts.amazonaws.com"), {"exec": "certain"}),
    ],
)
def test_an_annotation_matters_where_no_pod_has_a_token_that_the_role_takes(audiences, kinds):
    objects = [role("r", ANNOTATE, EXEC), binding("b", "Role/r", group("dev")), pod(*audiences)]
    assert ways(*objects) == kinds


def test_an_annotation_is_no_way_without_code_in_a_pod():
    assert ways(role("r", ANNOTATE), binding("b", "Role/r", group("dev")), pod("")) == {}


@pytest.mark.parametrize(
    ("version", "resources", "kinds"),
    [
        # https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
        ("1.36", ["mutatingadmissionpolicies", "mutatingadmissionpolicybindings"], {"mutating-webhook": "possible"}),
        ("1.36", ["mutatingadmissionpolicies"], {}),
        ("1.36", ["validatingadmissionpolicies", "validatingadmissionpolicybindings"], {}),
        ("1.34", ["mutatingadmissionpolicies", "mutatingadmissionpolicybindings"], {}),
    ],
)
def test_a_policy_that_changes_pods_is_a_way_like_a_webhook(version, resources, kinds):
    create = {"apiGroups": ["admissionregistration.k8s.io"], "resources": resources, "verbs": ["create"]}
    objects = [cluster_role("r", create), wide_binding("b", "r", group("dev"))]
    assert ways(*objects, version=version) == kinds
