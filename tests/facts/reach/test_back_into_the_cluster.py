"""Roles that are principals of a cluster: of which of them it is said that they lead a workload back into it."""

import pytest

from irsa_doctor.facts.reach.reached import reach_facts
from irsa_doctor.facts.reach.records import ReachedRoleFacts
from tests.facts.reach.worlds import ACCOUNT, ROLE, iam_role, trust, view, wide_binding

GITHUB = "token.actions.githubusercontent.com"


def allowing(principal, action="sts:AssumeRole", **more):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def leads_back(policy):
    """What is said of a role with a trust policy that an access entry makes administrator of the cluster."""
    entry = {
        "accessEntry": {"clusterName": "apollo", "principalArn": ROLE, "type": "STANDARD", "kubernetesGroups": ["platform"]}
    }
    bound = wide_binding("platform", "cluster-admin", {"kind": "Group", "name": "platform"})
    everything = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "cluster-admin"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
    }
    seen = view(bound, everything, roles=(iam_role(policy),), **{"entry.json": entry})
    (facts,) = [item.facts for item in reach_facts(seen) if item.id == ROLE and isinstance(item.facts, ReachedRoleFacts)]
    return facts.maps_back


@pytest.mark.parametrize(
    "policy",
    [
        trust("system:serviceaccount:shop:web"),
        trust("system:serviceaccount:shop:not-there-yet"),
        trust("system:serviceaccount:shop:*", operator="StringLike"),
        allowing({"Service": "pods.eks.amazonaws.com"}, ["sts:AssumeRole", "sts:TagSession"]),
        allowing({"Service": ["ec2.amazonaws.com", "pods.eks.amazonaws.com"]}),
    ],
)
def test_a_role_that_a_workload_may_have_leads_back(policy):
    assert leads_back(policy) is True


@pytest.mark.parametrize(
    "policy",
    [
        allowing({"Service": "ec2.amazonaws.com"}),
        allowing({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        allowing({"AWS": [f"arn:aws:iam::{ACCOUNT}:user/ann", f"arn:aws:iam::{ACCOUNT}:user/ben"]}),
        allowing(
            {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/people"},
            "sts:AssumeRoleWithSAML",
            Condition={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
        ),
        allowing(
            {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"},
            "sts:AssumeRoleWithWebIdentity",
            Condition={
                "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": "repo:acme/infra:environment:x"}
            },
        ),
    ],
)
def test_a_role_of_people_instances_or_pipelines_leads_no_workload_back(policy):
    assert leads_back(policy) is False
