"""Situations of public threads, the expectation written before the tool was asked. Names and accounts are made up."""

import json

import pytest

from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.facts import View
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.facts.reach.reached import reach_facts
from irsa_doctor.facts.reach.records import AuthMapFacts, IdentityFacts
from irsa_doctor.sources import load
from tests.facts.reach.worlds import (
    ACCOUNT,
    COMPLETE,
    RBAC,
    ROLE,
    account,
    binding,
    cluster_role,
    documents,
    group,
    inventory,
    role,
    view,
    wide_binding,
    written,
)

CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/apollo"
SSO = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_PowerUser_0123456789abcdef"


def concerns(*objects, **options):
    """Subject -> the concern of the rules about identities."""
    subjects = reach_facts(view(*objects, **options))
    return {judged.id: judged.facts.concern for judged in subjects if isinstance(judged.facts, IdentityFacts)}


def admin_steps(who, *objects):
    reachability = Reachability(view(*objects))
    return reachability.admin_steps(ClusterIdentity(CLUSTER, *who))


# https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2682 and /2292: the role of an SSO permission set has
# a path, and the module writes its ARN as it is. Expected: nobody is administrator by that row, and the row is a finding.
@pytest.mark.parametrize("arn", [SSO, SSO.replace("aws-reserved/sso.amazonaws.com/eu-west-1/", "")])
def test_an_sso_role_in_aws_auth_of_a_module(arn):
    module = f"""
module "eks" {{
  source                    = "terraform-aws-modules/eks/aws"
  version                   = "19.15.3"
  cluster_name              = "apollo"
  manage_aws_auth_configmap = true
  aws_auth_roles = [{{
    rolearn  = "{arn}"
    username = "PowerUsers"
    groups   = ["system:masters"]
  }}]
}}
"""
    files = documents(role("none"), mode="CONFIG_MAP") | {"main.tf": module}
    memory = {name: written(value) for name, value in files.items()}
    seen = View(load((), memory=memory, complete=COMPLETE).inventory)
    (facts,) = [judged.facts for judged in reach_facts(seen) if isinstance(judged.facts, AuthMapFacts)]
    principals = Reachability(seen).graph.clusters[CLUSTER].principals
    assert facts.path_in_arn is (arn == SSO)
    assert [item.groups for item in principals] == ([] if arn == SSO else [("system:masters",)])


# https://github.com/v6d-io/v6d/issues/1280: the `default` account of a namespace has every verb on clusterroles and
# clusterrolebindings. Expected: `*` is bind and escalate too, so every pod there becomes administrator in one step.
def test_every_verb_on_bindings_makes_the_default_account_administrator():
    every = {"apiGroups": [RBAC], "resources": ["clusterrolebindings", "clusterroles"], "verbs": ["*"]}
    objects = [cluster_role("manager", every), wide_binding("sample", "manager", account("ci"))]
    assert admin_steps(("ServiceAccount", "ci", "shop"), *objects) == 1
    assert concerns(*objects)["apollo/shop/ci"] == "cluster-admin"


# https://github.com/gke-labs/kube-agents/issues/331: an operator may bind every ClusterRole. Expected: it becomes
# administrator; with `bind` limited to `view`, as the thread proposes, it does not, and reaches no role of AWS.
@pytest.mark.parametrize(("names", "steps"), [([], 1), (["view"], None), (["view", "cluster-admin"], 1)])
def test_bind_that_is_limited_to_view_gives_no_more_than_view(names, steps):
    write = {"apiGroups": [RBAC], "resources": ["clusterrolebindings"], "verbs": ["create", "patch", "update"]}
    bind = {"apiGroups": [RBAC], "resources": ["clusterroles"], "verbs": ["bind"]} | ({"resourceNames": names} if names else {})
    see = cluster_role("view", {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", "list"]})
    objects = [see, cluster_role("operator", write, bind), wide_binding("operator", "operator", account("ci"))]
    assert admin_steps(("ServiceAccount", "ci", "shop"), *objects) == steps
    assert ("apollo/shop/ci" in concerns(*objects)) is (steps is not None)


# https://github.com/kubernetes/kubernetes/issues/138315: `edit` has impersonate on service accounts. Expected: a
# developer takes the deploy account of the namespace and by it the role, in two steps, though nothing lets the group
# create pods or tokens.
def test_a_developer_becomes_the_role_through_the_deploy_account():
    impersonate = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]}
    deploy = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "patch"]}
    objects = [
        role("edit-like", impersonate),
        binding("developers", "Role/edit-like", group("dev")),
        role("deploy", deploy),
        binding("deploy", "Role/deploy", account("ci")),
    ]
    reachability = Reachability(view(*objects))
    identity = ClusterIdentity(CLUSTER, "Group", "dev", "")
    standing = reachability.graph.standing(identity)
    (target,) = [arrival for account_, arrival in reachability.graph.arrivals(ROLE) if account_.name == "web"]
    assert target.steps(identity, standing) == 2
    assert concerns(*objects)["apollo/group/dev"] == "group"


# https://github.com/redhat-appstudio/infra-deployments/pull/12563: `serviceaccounts/tokens` in a role, corrected later to
# `serviceaccounts/token`. Expected: the misspelt subresource gives nothing.
@pytest.mark.parametrize(("resource", "reaches"), [("serviceaccounts/tokens", False), ("serviceaccounts/token", True)])
def test_a_misspelt_subresource_gives_nothing(resource, reaches):
    rule = {"apiGroups": [""], "resources": [resource], "verbs": ["create"]}
    assert ("apollo/group/perf" in concerns(role("tokens", rule), binding("perf", "Role/tokens", group("perf")))) is reaches


# https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2915: EKS refuses an access entry with the group
# system:masters. Expected: a template with one is no administrator by it, for the entry will not exist.
def test_an_entry_cannot_be_system_masters():
    entry = {"clusterName": "apollo", "principalArn": SSO, "type": "STANDARD", "kubernetesGroups": ["system:masters", "dev"]}
    read = inventory(role("none"), **{"entry.json": {"accessEntry": entry}})
    (principal,) = Reachability(View(read)).graph.clusters[CLUSTER].principals
    assert principal.groups == ("dev",)
    assert json.dumps(entry)
