# Long: what can keep a pod from the agent, case by case
"""The agent of EKS Pod Identity: whether it runs, whether a pod reaches it, and what its node may do."""

import pytest

from irsa_doctor.answers.why.symptoms import symptoms_in
from tests.answers.why import world as w
from tests.answers.why.test_pod_identity import PODS, node, pod_identity_world, trust

AGENT = "eks-pod-identity-agent"
TIMEOUT = 'Connect timeout on endpoint URL: "http://169.254.170.23/v1/credentials"'
NODE_ROLE = f"arn:aws:iam::{w.ACCOUNT}:role/nodes"


def refused(message):
    return {"symptoms": symptoms_in(message), "failing": True}


def policy(egress, labels=None, kind="NetworkPolicy", **spec):
    api = "cilium.io/v2" if kind.startswith("Cilium") else "networking.k8s.io/v1"
    selector = "endpointSelector" if kind.startswith("Cilium") else "podSelector"
    metadata = {"name": "limits"} if "Clusterwide" in kind else {"name": "limits", "namespace": "payments"}
    chosen = {"matchLabels": labels} if labels else {}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": {selector: chosen, "egress": egress, **spec}}


def labelled(documents):
    documents["pod.json"]["metadata"]["labels"] = {"app": "checkout", "tier": "back"}
    return documents


BLOCKING = {
    "nothing is allowed": policy([], policyTypes=["Ingress", "Egress"]),
    "names and the cluster alone": policy([{"to": [{"namespaceSelector": {}}]}, {"ports": [{"port": 53, "protocol": "UDP"}]}]),
    "the private network": policy([{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}], {"app": "checkout"}),
    "https alone": policy([{"ports": [{"port": 443}]}], {"tier": "back"}),
    "the metadata services are excepted": policy([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]}]),
    "cilium": policy([{"toEntities": ["cluster", "world"]}], {"k8s:app": "checkout"}, "CiliumNetworkPolicy"),
    "cilium, for the cluster": policy([{"toCIDR": ["169.254.170.23/32"]}], kind="CiliumClusterwideNetworkPolicy"),
}
ALLOWING = {
    "the address": policy([{"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}], "ports": [{"port": 80}]}]),
    "the address of IPv6": policy([{"to": [{"ipBlock": {"cidr": "fd00:ec2::23/128"}}]}]),
    "a range of ports": policy([{"ports": [{"port": 1, "endPort": 1024}]}]),
    "a port with a name": policy([{"ports": [{"port": "http"}]}]),
    "everything": policy([{}], policyTypes=["Egress"]),
    "ingress alone": policy([], policyTypes=["Ingress"]),
    "no type and no rule": policy([]),
    "other pods": policy([], {"app": "web"}, policyTypes=["Egress"]),
    "cilium, the node": policy([{"toEntities": ["host"]}], kind="CiliumNetworkPolicy"),
}


@pytest.mark.parametrize("name", BLOCKING)
def test_a_policy_without_the_agent_makes_it_likely_that_the_pod_does_not_reach_it(name):
    documents = labelled(pod_identity_world())
    documents["policy.json"] = BLOCKING[name]
    found = w.why(documents, w.POD)
    assert (found.verdict, w.causes(found)) == ("unknown", [("podid-agent-blocked", "likely")])
    assert {place.file for place in found.causes[0].evidence} >= {"policy.json"}
    found = w.why(documents, w.POD, **refused(TIMEOUT))
    assert (found.verdict, found.causes[0].id, found.causes[0].certainty) == ("broken", "podid-agent-blocked", "likely")


@pytest.mark.parametrize("name", ALLOWING)
def test_a_policy_that_allows_the_agent_or_is_for_others_says_nothing(name):
    documents = labelled(pod_identity_world())
    documents["policy.json"] = ALLOWING[name]
    assert (found := w.why(documents, w.POD)).verdict == "works", w.causes(found)


DENYING = {"egressDeny": [{"toEntities": ["host"]}]}


def cilium():
    containers = [{"name": "cilium-agent", "image": "quay.io/cilium/cilium:v1.14.13@sha256:0"}]
    metadata = {"name": "cilium", "namespace": "kube-system"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": metadata,
        "spec": {"template": {"spec": {"containers": containers}}},
    }


@pytest.mark.parametrize("name", ["the address", "the address of IPv6"])
def test_for_cilium_no_block_of_addresses_is_the_agent(name):
    documents = labelled(pod_identity_world())
    documents |= {"policy.json": ALLOWING[name], "cilium.json": cilium()}
    assert w.causes(w.why(documents, w.POD)) == [("podid-agent-blocked", "likely")]


@pytest.mark.parametrize("name", ["everything", "a range of ports", "cilium, the node"])
def test_for_cilium_what_is_allowed_everywhere_reaches_the_agent(name):
    documents = labelled(pod_identity_world())
    documents |= {"policy.json": ALLOWING[name], "cilium.json": cilium()}
    assert w.why(documents, w.POD).verdict == "works"


@pytest.mark.parametrize("egress", [[{}], [{"toEntities": ["host"]}]])
def test_a_rule_of_cilium_that_denies_the_node_counts_whatever_others_allow(egress):
    documents = labelled(pod_identity_world())
    documents["policy.json"] = policy(egress, kind="CiliumNetworkPolicy", **DENYING)
    assert w.causes(w.why(documents, w.POD)) == [("podid-agent-blocked", "likely")]
    others = {"egressDeny": [{"toEntities": ["world"]}, {"toEntities": ["host"], "toPorts": [{"ports": [{"port": "443"}]}]}]}
    documents["policy.json"] = policy(egress, kind="CiliumNetworkPolicy", **others)
    assert w.why(documents, w.POD).verdict == "works"


def test_rules_of_cilium_that_deny_alone_limit_the_rest_unless_that_is_off():
    documents = labelled(pod_identity_world())
    made = policy([], kind="CiliumNetworkPolicy", egressDeny=[{"toEntities": ["world"]}])
    del made["spec"]["egress"]
    documents["policy.json"] = made
    assert w.causes(w.why(documents, w.POD)) == [("podid-agent-blocked", "likely")]
    made["spec"]["enableDefaultDeny"] = {"egress": False}
    assert w.why(documents, w.POD).verdict == "works"


def test_of_several_policies_one_that_allows_the_agent_is_enough():
    documents = labelled(pod_identity_world())
    documents["policies.json"] = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            policy([], policyTypes=["Egress"]),
            {**ALLOWING["the address"], "metadata": {"name": "x", "namespace": "payments"}},
        ],
    }
    assert w.why(documents, w.POD).verdict == "works"


def test_a_pod_in_the_network_of_its_node_has_no_policy():
    documents = labelled(pod_identity_world())
    documents["policy.json"] = BLOCKING["nothing is allowed"]
    w.spec(documents)["hostNetwork"] = True
    assert w.why(documents, w.POD).verdict == "works"


PROXY = {"HTTP_PROXY": "http://proxy:3128"}


@pytest.mark.parametrize(
    "env",
    [
        PROXY,
        {"http_proxy": "http://proxy:3128", "no_proxy": "localhost,.svc,10.0.0.0/8"},
        {"ALL_PROXY": "socks5://proxy:1080", "NO_PROXY": "169.254.169.254"},
        {**PROXY, "NO_PROXY": "fd00:ec2::23"},
        {**PROXY, "NO_PROXY": ""},
    ],
)
def test_a_proxy_from_which_the_agent_is_not_exempt_is_likely_to_get_its_requests(env):
    documents = pod_identity_world()
    w.set_env(documents, **env)
    found = w.why(documents, w.POD)
    assert (found.verdict, w.causes(found)) == ("unknown", [("podid-agent-proxied", "likely")])


@pytest.mark.parametrize(
    "env",
    [
        {"HTTPS_PROXY": "http://proxy:3128"},
        {**PROXY, "NO_PROXY": "localhost, 169.254.170.23"},
        {**PROXY, "no_proxy": "169.254.0.0/16"},
        {**PROXY, "NO_PROXY": "*"},
        {**PROXY, "NO_PROXY": "169.254.170.23:80,[fd00:ec2::23]:80"},
    ],
)
def test_a_proxy_from_which_the_agent_is_exempt_says_nothing(env):
    documents = pod_identity_world()
    w.set_env(documents, **env)
    assert w.why(documents, w.POD).verdict == "works"


def test_no_value_of_a_proxy_variable_is_kept():
    documents = pod_identity_world()
    w.set_env(documents, HTTP_PROXY="http://user:hunter2@proxy", NO_PROXY="inside.example")
    text = repr(w.loaded(documents).inventory)
    assert "hunter2" not in text
    assert "inside.example" not in text


# ---- the add-on


def addon(status="ACTIVE", **more):
    return {
        "addon": {"addonName": AGENT, "clusterName": "prod", "status": status, "addonVersion": "v1.3.10-eksbuild.3", **more}
    }


def test_without_daemon_set_the_agent_is_certainly_missing_where_the_daemon_sets_are_complete():
    documents = pod_identity_world()
    del documents["agent.json"]
    found = w.why(documents, w.POD)
    assert (found.verdict, w.causes(found)) == ("broken", [("podid-agent-missing", "certain")])


def test_an_agent_under_another_name_is_known_by_its_image():
    documents = pod_identity_world()
    documents["agent.json"]["metadata"]["name"] = "pod-identity"
    documents["agent.json"]["spec"]["template"]["spec"]["containers"][0]["image"] = f"example.com/eks/{AGENT}:v0.1.10"
    assert w.why(documents, w.POD).verdict == "works"


def test_without_the_add_on_the_agent_is_likely_to_be_missing_and_a_daemon_set_would_do():
    documents = pod_identity_world()
    del documents["agent.json"]
    documents["addons.json"] = {"addons": ["vpc-cni", "coredns"]}
    found = w.why(documents, w.POD, complete=("serviceaccounts", "pods"))
    assert (found.verdict, w.causes(found)) == ("unknown", [("podid-agent-missing", "likely")])
    documents["addons.json"]["nextToken"] = "more"
    assert w.why(documents, w.POD, complete=("serviceaccounts", "pods")).causes == ()
    documents["addons.json"] = {"addons": ["vpc-cni", AGENT]}
    assert w.why(documents, w.POD, complete=("serviceaccounts", "pods")).verdict == "works"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("ACTIVE", "works"),
        ("UPDATING", "works"),
        ("DEGRADED", "unknown"),
        ("CREATE_FAILED", "unknown"),
        ("DELETING", "unknown"),
    ],
)
def test_an_add_on_with_errors_is_likely_to_be_the_cause(status, verdict):
    documents = pod_identity_world()
    documents["addon.json"] = addon(status, health={"issues": [{"code": "InsufficientNumberOfReplicas", "message": "x"}]})
    found = w.why(documents, w.POD)
    assert found.verdict == verdict
    assert w.causes(found) == ([] if verdict == "works" else [("podid-agent-degraded", "likely")])
    if found.causes:
        assert f"{status} (version v1.3.10-eksbuild.3): InsufficientNumberOfReplicas" in found.causes[0].because


# ---- nodes


@pytest.mark.parametrize(
    "settings", ['{"daemonsets": {"hybrid": {"create": true}}}', "daemonsets:\n  hybrid:\n    create: true\n"]
)
def test_the_configuration_of_the_add_on_shows_the_agent_of_hybrid_nodes(settings):
    documents = pod_identity_world()
    w.spec(documents)["nodeSelector"] = {"eks.amazonaws.com/compute-type": "hybrid"}
    documents["addon.json"] = addon(configurationValues=settings)
    assert w.why(documents, w.POD).verdict == "works"
    documents["addon.json"] = addon()
    assert w.causes(w.why(documents, w.POD)) == [("podid-hybrid-node", "certain")]


@pytest.mark.parametrize(("hybrid", "verdict"), [({"enableCredentialsFile": True}, "works"), ({}, "unknown")])
def test_hybrid_nodes_need_the_credentials_file(hybrid, verdict):
    documents = pod_identity_world()
    w.spec(documents)["nodeSelector"] = {"eks.amazonaws.com/compute-type": "hybrid"}
    documents["addon.json"] = addon(configurationValues='{"daemonsets": {"hybrid": {"create": true}}}')
    spec = {"cluster": {"name": "prod", "region": "eu-west-1"}, "hybrid": {"ssm": {}, **hybrid}}
    documents["node-config.json"] = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": spec}
    found = w.why(documents, w.POD)
    assert (found.verdict, w.causes(found)) == (verdict, [] if verdict == "works" else [("podid-hybrid-node", "likely")])


UNSUPPORTED = {
    "a Windows node": ({"nodeName": "mi-1"}, {"kubernetes.io/os": "windows"}),
    "a Fargate node": ({"nodeName": "mi-1"}, {"eks.amazonaws.com/compute-type": "fargate"}),
    "a selector of Fargate": ({"nodeSelector": {"eks.amazonaws.com/compute-type": "fargate"}}, {}),
    "the operating system of the pod": ({"os": {"name": "windows"}}, {}),
    "two terms for Windows": (
        {
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["windows"]}]},
                            {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["windows"]}]},
                        ]
                    }
                }
            }
        },
        {},
    ),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_where_the_agent_never_runs_an_association_has_no_effect(name):
    spec, labels = UNSUPPORTED[name]
    documents = pod_identity_world()
    w.spec(documents).update(spec)
    documents["node.json"] = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "mi-1", "labels": labels}}
    assert w.causes(w.why(documents, w.POD)) == [("podid-unsupported-node", "certain")]


def test_a_term_for_linux_beside_one_for_windows_leaves_the_node_open():
    documents = pod_identity_world()
    terms = [{"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": [v]}]} for v in ("windows", "linux")]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    w.spec(documents)["affinity"] = {"nodeAffinity": required}
    assert w.why(documents, w.POD).verdict == "works"


@pytest.mark.parametrize("compute_type", ["auto", "ec2", ""])
def test_on_other_nodes_nothing_is_missing(compute_type):
    documents = pod_identity_world()
    documents["node.json"] = node(compute_type)
    w.spec(documents)["nodeName"] = "mi-1"
    assert w.why(documents, w.POD).verdict == "works"


# ---- the role of the node


def node_role_world(attached=(), inline=(), group=True, **role):
    documents = pod_identity_world()
    permissions = [{"PolicyName": f"p{n}", "PolicyDocument": document} for n, document in enumerate(inline)]
    managed = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached]
    detail = {"RoleName": "nodes", "Arn": NODE_ROLE, "AssumeRolePolicyDocument": trust({"Service": "ec2.amazonaws.com"})}
    documents["details.json"] = {
        "RoleDetailList": [{**detail, "RolePolicyList": permissions, "AttachedManagedPolicies": managed, **role}]
    }
    documents["group.json"] = {"nodegroup": {"nodegroupName": "main", "clusterName": "prod", "nodeRole": NODE_ROLE}}
    if group:
        labels = {"eks.amazonaws.com/nodegroup": "main"}
        documents["node.json"] = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "ip-1", "labels": labels}}
        w.spec(documents)["nodeName"] = "ip-1"
    return documents


def allow(action, resource="*", effect="Allow"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]}


OWN = f"arn:aws:iam::{w.ACCOUNT}:policy/AmazonEKSWorkerNodePolicy"
MANAGED = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
PERMITTED = {
    "the managed policy": {"attached": [MANAGED]},
    "the minimal policy": {"attached": ["arn:aws:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy"]},
    "a policy of one's own": {"inline": [allow("eks-auth:*")]},
    "this cluster": {"inline": [allow("eks-auth:AssumeRoleForPodIdentity", w.CLUSTER)]},
    "a policy that is not in the input": {"attached": [OWN]},
    "a boundary that is not in the input": {
        "inline": [],
        "PermissionsBoundary": {"PermissionsBoundaryArn": OWN, "PermissionsBoundaryType": "Policy"},
    },
}
REFUSED = {
    "nothing": {},
    "other actions": {"inline": [allow("ec2:DescribeInstances")]},
    "another cluster": {"inline": [allow("eks-auth:*", w.CLUSTER + "-old")]},
    "denied": {"attached": [MANAGED], "inline": [allow("eks-auth:*", effect="Deny")]},
}


@pytest.mark.parametrize("name", PERMITTED)
def test_a_node_role_that_may_call_eks_or_may_be_so_says_nothing(name):
    assert w.why(node_role_world(**PERMITTED[name]), w.POD).verdict == "works"


@pytest.mark.parametrize("name", REFUSED)
def test_the_role_of_the_node_needs_its_permission(name):
    found = w.why(node_role_world(**REFUSED[name]), w.POD)
    assert (found.verdict, w.causes(found)) == ("broken", [("podid-node-role-denied", "certain")])
    found = w.why(node_role_world(**REFUSED[name], group=False), w.POD)
    assert (found.verdict, w.causes(found)) == ("unknown", [("podid-node-role-denied", "likely")])


def test_the_role_of_hybrid_nodes_is_that_of_their_access_entry():
    documents = node_role_world(group=False)
    del documents["group.json"]
    entry = {"clusterName": "prod", "principalArn": NODE_ROLE, "type": "HYBRID_LINUX"}
    documents["entry.json"] = {"accessEntry": entry}
    assert w.why(documents, w.POD).verdict == "works"
    w.spec(documents)["nodeSelector"] = {"eks.amazonaws.com/compute-type": "hybrid"}
    documents["addon.json"] = addon(configurationValues='{"daemonsets": {"hybrid": {"create": true}}}')
    assert w.causes(w.why(documents, w.POD)) == [("podid-node-role-denied", "likely")]
    documents["entry.json"] = {"accessEntry": {**entry, "type": "STANDARD"}}
    assert w.why(documents, w.POD).verdict == "works"


def test_a_refusal_of_the_agent_itself_names_the_role_of_the_node():
    text = (
        "AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0 is not authorized to "
        "perform: eks-auth:AssumeRoleForPodIdentity on resource: arn:aws:eks:eu-west-1:111122223333:cluster/prod"
    )
    found = w.why(pod_identity_world(), w.POD, **refused(text))
    assert (found.verdict, w.causes(found)) == ("broken", [("podid-node-role-denied", "certain")])


# ---- other associations


def test_an_association_in_another_cluster_is_likely_to_be_the_cause_where_this_one_has_none():
    documents = pod_identity_world(pod=False)
    del documents["association.json"]
    documents["associations.json"] = {"associations": []}
    other = {"clusterName": "staging", "namespace": "payments", "serviceAccount": "checkout"}
    arn = f"arn:aws:eks:us-east-1:{w.ACCOUNT}:podidentityassociation/staging/a-2"
    documents["staging/association.json"] = {"association": {**other, "associationArn": arn, "associationId": "a-2"}}
    found = w.why(documents, w.TARGET)
    assert (found.verdict, w.causes(found)) == ("broken", [("podid-association-other-cluster", "likely")])
    del documents["associations.json"]
    found = w.why(documents, w.TARGET)
    assert found.verdict == "unknown"
    assert ("podid-association-other-cluster", "possible") in w.causes(found)


def test_what_eks_has_otherwise_than_the_template_is_a_possible_cause_where_something_fails():
    documents = pod_identity_world(disableSessionTags=True)
    properties = {"ClusterName": "prod", "Namespace": "payments", "ServiceAccount": "checkout"}
    properties |= {"RoleArn": documents["association.json"]["association"]["roleArn"]}
    documents["template.json"] = {
        "Resources": {"Association": {"Type": "AWS::EKS::PodIdentityAssociation", "Properties": properties}}
    }
    assert w.why(documents, w.POD).verdict == "works"
    found = w.why(documents, w.POD, **refused("An error occurred (AccessDenied) when calling the GetObject operation: no tag"))
    assert "podid-request-token-reused" in {cause.id for cause in found.causes}
    assert all(cause.certainty != "certain" for cause in found.causes)


@pytest.mark.parametrize(("audience", "wrong"), [("pods.eks.amazonaws.com", False), ("sts.amazonaws.com", True), (None, True)])
def test_the_token_for_the_agent_has_its_audience(audience, wrong):
    documents = pod_identity_world()
    token = w.spec(documents)["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]
    token.pop("audience")
    if audience:
        token["audience"] = audience
    found = w.why(documents, w.POD)
    assert w.causes(found) == ([("podid-token-audience", "certain")] if wrong else [])


OTHER = "http://127.0.0.1:9911/creds"
BY_HAND = [
    {"name": "AWS_ROLE_ARN", "value": f"arn:aws:iam::{w.ACCOUNT}:role/side"},
    {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/token"},
]


@pytest.mark.parametrize(
    "variable", [{"AWS_CONTAINER_CREDENTIALS_FULL_URI": OTHER}, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}]
)
def test_a_container_with_another_agent_does_not_use_the_association(variable):
    documents = pod_identity_world()
    w.set_env(documents, **variable)
    found = w.why(documents, w.POD)
    assert [(i.mechanism, i.role) for i in found.identities] == [("other-agent", "")]
    assert (found.verdict, w.causes(found)) == ("unknown", [("podid-chain-order", "likely")])


@pytest.mark.parametrize("member", ["containers", "initContainers"])
def test_a_container_with_a_web_identity_of_its_own_leaves_the_association_to_the_others(member):
    documents = pod_identity_world()
    w.spec(documents).setdefault(member, []).append({"name": "side", "image": "x", "env": BY_HAND})
    found = w.why(documents, w.POD)
    assert {(i.container, i.mechanism) for i in found.identities} == {("app", "pod-identity"), ("side", "web-identity")}
    assert (found.verdict, w.causes(found)) == ("unknown", [("podid-chain-order", "likely")])


def test_where_every_container_has_a_web_identity_of_its_own_the_association_has_no_effect():
    documents = pod_identity_world()
    w.container(documents)["env"] += BY_HAND
    assert w.causes(w.why(documents, w.POD)) == [("podid-chain-order", "certain")]


def test_static_keys_of_a_secret_come_before_the_association():
    documents = pod_identity_world()
    w.container(documents)["envFrom"] = [{"secretRef": {"name": "keys"}}]
    metadata = {"name": "keys", "namespace": "payments"}
    documents["keys.json"] = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"AWS_ACCESS_KEY_ID": "eA=="}}
    found = w.why(documents, w.POD)
    assert [i.mechanism for i in found.identities] == ["static-keys"]
    assert w.causes(found) == [("static-keys-shadow", "certain")]


@pytest.mark.parametrize("annotated", [True, False])
def test_a_pod_that_is_older_than_the_deletion_of_its_association_needs_one(annotated):
    documents = pod_identity_world()
    del documents["association.json"]
    documents["associations.json"] = {"associations": []}
    if annotated:
        w.annotations(documents)[w.ANNOTATION] = w.ROLE
    found = w.why(documents, w.POD)
    assert found.verdict == "broken"
    expected = ("pod-older-than-annotation", "likely") if annotated else ("podid-association-deleted", "certain")
    assert expected in w.causes(found)
    if not annotated:
        del documents["associations.json"]
        assert w.why(documents, w.POD).verdict == "unknown"


@pytest.mark.parametrize("mounts", [[{"name": "data", "mountPath": "/data"}], []])
def test_a_token_file_outside_of_every_volume_is_likely_to_be_missing(mounts):
    documents = pod_identity_world()
    w.container(documents)["volumeMounts"] = mounts
    found = w.why(documents, w.POD)
    assert w.causes(found) == ([("podid-token-not-mounted", "likely")] if mounts else [])


def test_the_trust_of_the_healthy_world_is_that_of_pod_identity():
    assert w.role(pod_identity_world())["AssumeRolePolicyDocument"] == trust(PODS)


def test_an_agent_that_no_file_shows_is_named_where_the_role_is_right():
    def notes(*paths):
        documents = {path: content for path, content in pod_identity_world().items() if path not in paths}
        return [note for note in w.why(documents, complete=()).notes if "Agent runs" in note]

    agents = [path for path, content in pod_identity_world().items() if "eks-pod-identity-agent" in str(content)]
    assert agents
    assert notes() == []
    assert "daemon sets" in notes(*agents)[0]
