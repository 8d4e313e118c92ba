"""Whatever a source refuses makes verdicts unknown: none turns into another, and no cause becomes certain."""

import msgspec
import pytest

from irsa_doctor import api
from irsa_doctor.sources.live import LiveOptions, aws_errors
from irsa_doctor.text.yaml import read_yaml
from tests.servers.aws import denied
from tests.servers.world import account_of, cluster_of
from tests.test_worlds import WORLDS

SHOP = WORLDS / "shop"
CLUSTER = "shop"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"
AGENT = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: eks-pod-identity-agent, namespace: kube-system}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {hostNetwork: true, containers: [{name: agent, image: eks/eks-pod-identity-agent:v0.1.31}]}
"""


@pytest.fixture
def account():
    """The account of the shop, whose ops/backup gets its role by EKS Pod Identity."""
    aws = account_of(SHOP)
    association = {
        "clusterName": CLUSTER,
        "namespace": "ops",
        "serviceAccount": "backup",
        "associationId": "a-1",
        "associationArn": f"arn:aws:eks:eu-west-1:{aws.account}:podidentityassociation/shop/a-1",
        "roleArn": f"arn:aws:iam::{aws.account}:role/shop-backup",
    }
    aws.associations[CLUSTER] = [association]
    aws.addons[CLUSTER] = [{"addonName": "eks-pod-identity-agent", "clusterName": CLUSTER, "status": "ACTIVE"}]
    with aws:
        yield aws


@pytest.fixture
def live(account, tmp_path, monkeypatch):
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aws_errors, "ATTEMPTS", 1)
    with cluster_of(SHOP).add(read_yaml(AGENT.encode())[0].value) as kubernetes:
        yield LiveOptions(aws=True, kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path))


def findings(live):
    """(rule, subject) of all findings; a cluster that is not described is called by its issuer."""
    return {(each.rule, each.subject.id.replace(ISSUER, CLUSTER)) for each in api.check(live=live).findings}


def diagnoses(live):
    """Subject -> (verdict, certain causes)."""
    return {
        msgspec.structs.replace(each.subject, cluster=""): (
            each.verdict,
            {cause.id for cause in each.causes if cause.certainty == "certain"},
        )
        for each in api.why_all(live=live)
    }


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeCluster",
        "DescribePodIdentityAssociation",
        "GetOpenIDConnectProvider",
        "ListAddons",
        "ListClusters",
        "ListOpenIDConnectProviders",
        "ListPodIdentityAssociations",
        "ListRoles",
    ],
)
def test_what_is_refused_makes_verdicts_unknown_and_no_other(account, live, operation):
    all_findings, all_diagnoses = findings(live), diagnoses(live)
    account.faults[operation] = denied(operation)
    assert findings(live) <= all_findings
    for subject, (verdict, certain) in diagnoses(live).items():
        known, causes = all_diagnoses[subject]
        assert verdict in (known, "unknown"), subject
        assert certain <= causes, subject


@pytest.mark.parametrize("operation", ["DescribePodIdentityAssociation", "ListClusters", "ListPodIdentityAssociations"])
def test_a_role_for_pod_identity_is_not_right_where_associations_are_refused(account, live, operation):
    def tally():
        return next(each for each in api.check(live=live).tallies if each.id == "open-podid-trust")

    assert (tally().failed, tally().unknown) == (1, 0)
    account.faults[operation] = denied(operation)
    assert (tally().failed, tally().unknown) == (0, 1)


def test_an_error_of_ours_over_a_list_of_roles_makes_no_role_missing(live, monkeypatch):
    from irsa_doctor.facts.roles import role

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(role, "role_facts", broken)
    rules = {rule for rule, _ in findings(live)}
    assert "input-unreadable" in rules
    assert "role-missing" not in rules
