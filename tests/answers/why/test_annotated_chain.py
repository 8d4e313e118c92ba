"""A service account that names the role at the end of a chain, where the first one of it is meant."""

import pytest

from tests.answers.why.world import why

HERE, THERE = "111122223333", "444455556666"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"
CLUSTER = {
    "name": "prod",
    "arn": f"arn:aws:eks:eu-west-1:{HERE}:cluster/prod",
    "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
}


def world_of(account, principal, *, cluster=True, action="sts:AssumeRole"):
    """A service account with a role of `account`, which trusts `principal` alone."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action}
    arn = f"arn:aws:iam::{account}:role/target"
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    metadata = {"name": "app", "namespace": "shop", "annotations": {"eks.amazonaws.com/role-arn": arn}}
    documents = {
        "role.json": {"Role": {"RoleName": "target", "Arn": arn, "AssumeRolePolicyDocument": policy}},
        "account.json": {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
    }
    return documents | ({"cluster.json": {"cluster": CLUSTER}} if cluster else {})


def first_of(documents):
    """The first cause that is about the role, with its certainty."""
    causes = why(documents, "shop/app").causes
    return next((c.id, c.certainty) for c in causes if c.id in ("xacct-annotated-directly", "trust-principal-type-aws"))


@pytest.mark.parametrize("principal", [f"arn:aws:iam::{HERE}:role/first", f"arn:aws:iam::{HERE}:root", HERE])
def test_a_role_of_elsewhere_that_trusts_the_account_of_the_cluster_is_the_end_of_a_chain(principal):
    assert first_of(world_of(THERE, principal)) == ("xacct-annotated-directly", "certain")


def test_without_the_account_of_the_cluster_it_is_likely():
    found = first_of(world_of(THERE, f"arn:aws:iam::{HERE}:role/first", cluster=False))
    assert found == ("xacct-annotated-directly", "likely")


@pytest.mark.parametrize(
    ("account", "principal", "action"),
    [
        (HERE, f"arn:aws:iam::{HERE}:role/first", "sts:AssumeRole"),
        (HERE, f"arn:aws:iam::{THERE}:role/first", "sts:AssumeRole"),
        (THERE, f"arn:aws:iam::{THERE}:role/first", "sts:AssumeRole"),
        (THERE, "arn:aws:iam::777788889999:root", "sts:AssumeRole"),
        (THERE, f"arn:aws:iam::{HERE}:root", "sts:AssumeRoleWithWebIdentity"),
    ],
)
def test_any_other_role_for_callers_of_aws_is_a_role_without_a_web_identity(account, principal, action):
    assert first_of(world_of(account, principal, action=action)) == ("trust-principal-type-aws", "certain")
