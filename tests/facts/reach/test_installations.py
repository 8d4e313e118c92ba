"""What well-known programs may do as their own manifests install them; the expectation was written before the tool was asked.

The rules are those of the manifests that each test names, in short; names of clusters, accounts and roles are made up.
"""

import pytest

from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.facts.reach.reached import reach_facts
from irsa_doctor.facts.reach.records import IdentityFacts
from tests.facts.reach.worlds import ACCOUNT, RBAC, ROLE, account, binding, cluster_role, group, named, role, view, wide_binding

CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/apollo"
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def rule(verbs, resources, groups="", *names):
    listed = {"apiGroups": groups.split(",") if groups else [""], "resources": resources.split(), "verbs": verbs.split()}
    return listed | ({"resourceNames": list(names)} if names else {})


def own(name, space):
    return named("ServiceAccount", name, space, api="v1")


def pod(space, name, runs_as):
    spec = {"serviceAccountName": runs_as, "containers": [{"name": "app", "image": "app"}], "nodeName": "n1"}
    return named("Pod", name, space, api="v1", spec=spec, status={"phase": "Running"})


def stateful(space, name, runs_as):
    template = {"spec": {"serviceAccountName": runs_as, "containers": [{"name": "app", "image": "app"}]}}
    return named("StatefulSet", name, space, api="apps/v1", spec={"template": template})


class Situation:
    def __init__(self, *objects, **options):
        self.view = view(*objects, **options)
        self.reachability = Reachability(self.view)

    def kinds(self, name, space):
        """Kind -> certainty of the direct ways of a service account to the role."""
        standing = self.reachability.graph.standing(ClusterIdentity(CLUSTER, "ServiceAccount", name, space))
        arrivals = self.reachability.graph.arrivals(ROLE)
        return {kind: way.certainty for _, arrival in arrivals for kind, way in arrival.direct.get(standing, {}).items()}

    def admin(self, name, space):
        return self.reachability.admin_steps(ClusterIdentity(CLUSTER, "ServiceAccount", name, space))

    def concerns(self):
        return {
            judged.id: judged.facts.concern
            for judged in reach_facts(self.view)
            if isinstance(judged.facts, IdentityFacts) and judged.facts.concern != "none"
        }


# https://github.com/argoproj/argo-cd/tree/master/manifests/cluster-rbac: the application controller may do everything, the
# server may get, patch and delete everything. Expected: the first is administrator; the second runs code in the pods that
# exist (exec by get until 1.34, a new image) and changes workloads, and so becomes the first where that has a workload.
ARGO = (
    own("argocd-application-controller", "argocd"),
    own("argocd-server", "argocd"),
    cluster_role("argocd-application-controller", EVERYTHING, {"nonResourceURLs": ["*"], "verbs": ["*"]}),
    cluster_role("argocd-server", rule("delete get patch", "*", "*"), rule("list", "events"), rule("get", "pods pods/log")),
    wide_binding("controller", "argocd-application-controller", account("argocd-application-controller", "argocd")),
    wide_binding("server", "argocd-server", account("argocd-server", "argocd")),
)


def test_the_server_of_argo_cd_becomes_its_controller_where_that_runs():
    alone = Situation(*ARGO)
    assert alone.admin("argocd-application-controller", "argocd") == 0
    assert alone.admin("argocd-server", "argocd") is None
    assert alone.kinds("argocd-server", "argocd") == {}
    running = Situation(*ARGO, stateful("argocd", "argocd-application-controller", "argocd-application-controller"))
    assert running.admin("argocd-server", "argocd") == 1
    assert running.concerns()["apollo/argocd/argocd-server"] == "cluster-admin"
    assert running.concerns()["apollo/argocd/argocd-application-controller"] == "cluster-admin"


def test_the_server_of_argo_cd_runs_code_in_pods_that_exist():
    kinds = Situation(*ARGO, pod("shop", "web-1", "web")).kinds("argocd-server", "argocd")
    # the pod has a token of the API server and none for STS: an annotation and a restart are what is left
    assert kinds == {"annotate": "possible"}


# https://github.com/external-secrets/external-secrets/blob/main/deploy/charts/external-secrets/templates/rbac.yaml: tokens of
# every service account, and secrets. Expected: it reaches every role in one step, and whatever account is an administrator.
SECRETS = (
    own("external-secrets", "external-secrets"),
    cluster_role(
        "external-secrets-controller",
        rule("get list watch", "serviceaccounts namespaces configmaps"),
        rule("get list watch create update delete patch", "secrets"),
        rule("create", "serviceaccounts/token"),
    ),
    wide_binding("external-secrets", "external-secrets-controller", account("external-secrets", "external-secrets")),
)


def test_external_secrets_reaches_every_role_and_every_administrator():
    plain = Situation(*SECRETS)
    assert plain.kinds("external-secrets", "external-secrets") == {"token-request": "certain"}
    assert plain.admin("external-secrets", "external-secrets") is None
    assert plain.concerns() == {"apollo/external-secrets/external-secrets": "account"}
    assert Situation(*SECRETS, *ARGO).admin("external-secrets", "external-secrets") == 1


# https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/examples: patch of jobs, whose
# templates cannot be changed, and create of config maps in kube-system. Expected: nothing, but where aws-auth counts and is
# not there: then it may be made. The account is one of the system's namespace, so there is no finding in any case.
AUTOSCALER = (
    own("cluster-autoscaler", "kube-system"),
    named("Namespace", "kube-system", api="v1"),
    cluster_role(
        "cluster-autoscaler",
        rule("create patch", "events endpoints"),
        rule("create", "pods/eviction"),
        rule("update", "pods/status"),
        rule("watch list get update", "nodes"),
        rule("watch list get", "namespaces pods replicationcontrollers"),
        rule("get list watch patch", "jobs", "batch,extensions"),
        rule("watch list get", "statefulsets replicasets daemonsets", "apps"),
    ),
    role(
        "cluster-autoscaler",
        rule("create list watch", "configmaps"),
        rule("delete get update watch", "configmaps", "", "cluster-autoscaler-status"),
        namespace="kube-system",
    ),
    wide_binding("cluster-autoscaler", "cluster-autoscaler", account("cluster-autoscaler", "kube-system")),
    binding(
        "cluster-autoscaler",
        "Role/cluster-autoscaler",
        account("cluster-autoscaler", "kube-system"),
        namespace="kube-system",
    ),
)
MAP = named("ConfigMap", "aws-auth", "kube-system", api="v1", data={"mapRoles": "[]"})
JOB = named("Job", "j", "shop", api="batch/v1", spec={"template": {"spec": {"serviceAccountName": "web", "containers": []}}})


@pytest.mark.parametrize(
    ("more", "mode", "steps"),
    [((), "API", None), ((), "API_AND_CONFIG_MAP", 1), ((MAP,), "API_AND_CONFIG_MAP", None), ((JOB, MAP), "CONFIG_MAP", None)],
)
def test_the_cluster_autoscaler_makes_aws_auth_where_it_is_not(more, mode, steps):
    seen = Situation(*AUTOSCALER, *more, mode=mode)
    assert seen.admin("cluster-autoscaler", "kube-system") == steps
    assert seen.kinds("cluster-autoscaler", "kube-system") == {}
    assert seen.concerns() == {}


# https://github.com/aws/karpenter-provider-aws/blob/main/charts/karpenter/templates/clusterrole-core.yaml: nodes, evictions and
# its own kinds. Expected: no way, for nodes are out of scope.
def test_karpenter_reaches_nothing():
    rules = (
        rule("get list watch", "pods nodes persistentvolumes replicationcontrollers namespaces podtemplates"),
        rule("create delete update patch", "nodeclaims nodeclaims/status", "karpenter.sh"),
        rule("patch delete update", "nodes"),
        rule("create", "pods/eviction"),
        rule("delete", "pods"),
    )
    objects = (own("karpenter", "karpenter"), cluster_role("karpenter-core", *rules), pod("shop", "web-1", "web"))
    seen = Situation(*objects, wide_binding("karpenter-core", "karpenter-core", account("karpenter", "karpenter")))
    assert seen.concerns() == {}
    assert seen.kinds("karpenter", "karpenter") == {}


# https://github.com/crossplane/crossplane/blob/master/cluster/charts/crossplane/templates/rbac-manager-clusterrole.yaml:
# escalate and bind on ClusterRoles. Expected: administrator in one step, by `bind`; without `bind` by `escalate`, which is
# limited to roles that it has itself, and it has one: its own.
@pytest.mark.parametrize(("bind", "steps"), [(True, 1), (False, 1)])
def test_the_rbac_manager_of_crossplane_becomes_administrator(bind, steps):
    rules = [
        rule("get list watch create update patch escalate", "clusterroles roles", RBAC),
        rule("*", "clusterrolebindings", RBAC),
        *([rule("bind", "clusterroles", RBAC)] if bind else []),
    ]
    objects = (own("rbac-manager", "crossplane-system"), cluster_role("crossplane-rbac-manager", *rules))
    bound = wide_binding("crossplane-rbac-manager", "crossplane-rbac-manager", account("rbac-manager", "crossplane-system"))
    seen = Situation(*objects, bound)
    assert seen.admin("rbac-manager", "crossplane-system") == steps
    assert seen.concerns()["apollo/crossplane-system/rbac-manager"] == "cluster-admin"


# A team of developers with the access policy that the guide proposes, in their namespace, and a deploy role of a pipeline in
# aws-auth as https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html shows it. Expected: both reach the role by
# workloads; the pipeline is an administrator by name and no finding.
def test_a_team_with_an_access_policy_and_a_pipeline_in_the_map():
    team = f"arn:aws:iam::{ACCOUNT}:role/Team"
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"
    scope = {"type": "namespace", "namespaces": ["shop"]}
    files = {
        "entry.json": {"accessEntry": {"clusterName": "apollo", "principalArn": team, "type": "STANDARD"}},
        "policies.json": {
            "clusterName": "apollo",
            "principalArn": team,
            "associatedAccessPolicies": [{"policyArn": policy, "accessScope": scope}],
        },
    }
    row = f"- rolearn: arn:aws:iam::{ACCOUNT}:role/Deploy\n  username: deploy\n  groups: [system:masters]\n"
    auth = named("ConfigMap", "aws-auth", "kube-system", api="v1", data={"mapRoles": row})
    seen = Situation(auth, binding("dev", "ClusterRole/edit", group("dev")), mode="API_AND_CONFIG_MAP", **files)
    assert seen.concerns() == {team: "principal"}
    listed = {entry.identity.name for entry in seen.reachability.listed(ROLE)}
    # the role of the pipeline has nothing that its group has not
    assert listed == {team, "system:masters"}
