# Long: the conditions of one trust, each with what why answers
"""EKS Pod Identity is judged as exactly as web identity: the trust of the role and of its target, the pod, the node."""

import copy
import json

import pytest

from irsa_doctor.answers.check.engine import evaluate
from irsa_doctor.answers.why import DiagnosisTarget, diagnose, symptoms_in
from irsa_doctor.facts import View, derive
from irsa_doctor.rulebook.causes import shipped_causes
from irsa_doctor.rulebook.files import read_rule_files, rules_folder
from irsa_doctor.rulebook.rules import shipped_rules
from tests.answers.why import world as w
from tests.answers.why.worlds import case_of

BACKUP = DiagnosisTarget("payments", "backup")
OF_ASSOCIATIONS = {
    "podid-hybrid-node",
    "podid-policy-needs-no-tags",
    "podid-source-no-assume",
    "podid-tags-condition-never",
    "podid-tagsession",
    "podid-target-external-id",
    "podid-target-trust",
    "podid-token-audience",
    "podid-trust-condition",
    "trust-irsa-only-for-pod-identity",
}
EXAMPLES = [
    (file.rule.id, example.name, example.patch)
    for file in read_rule_files(rules_folder())
    if file.rule.id in OF_ASSOCIATIONS
    for example in file.examples.bad
]
LINK_OF = {"tags of the target": "target-role", "no target role": "pod-identity"}


@pytest.mark.parametrize(("rule", "name", "patch"), EXAMPLES, ids=[f"{rule}: {name}" for rule, name, _ in EXAMPLES])
def test_what_keeps_an_association_from_its_role_turns_exactly_its_link_red(rule, name, patch):
    found = diagnose(case_of(patch, BACKUP))
    assert w.failed(found) == [LINK_OF.get(name, shipped_causes().link_of(rule))]
    assert found.verdict == "broken"
    certainty = "likely" if name.startswith("the ARN of the association") else "certain"
    assert w.causes(found) == [(rule, certainty)]
    assert found.causes[0].evidence


ROLE, TARGET_ROLE = f"arn:aws:iam::{w.ACCOUNT}:role/checkout", f"arn:aws:iam::{w.OTHER}:role/shared"
EXTERNAL = f"eu-west-1/{w.ACCOUNT}/prod/payments/checkout"


def trust(principal, *actions, **condition):
    made = {"Effect": "Allow", "Principal": principal, "Action": list(actions or ("sts:AssumeRole", "sts:TagSession"))}
    return {"Version": "2012-10-17", "Statement": [{**made, "Condition": condition} if condition else made]}


PODS = {"Service": "pods.eks.amazonaws.com"}


def association(**more):
    return {
        "association": {
            "clusterName": "prod",
            "namespace": "payments",
            "serviceAccount": "checkout",
            "roleArn": ROLE,
            "associationId": "a-1",
            "associationArn": f"arn:aws:eks:eu-west-1:{w.ACCOUNT}:podidentityassociation/prod/a-1",
            "createdAt": "2025-03-05T08:00:00Z",
            **more,
        }
    }


def pod_identity_world(role_trust=None, target_trust=None, pod=True, **more):
    """The healthy world with an association in place of the annotation."""
    documents = copy.deepcopy(w.healthy())
    w.annotations(documents).clear()
    w.role(documents)["AssumeRolePolicyDocument"] = role_trust or trust(PODS)
    listed = {
        name: value for name, value in association(**more)["association"].items() if name not in ("roleArn", "targetRoleArn")
    }
    documents["associations.json"] = {"associations": [listed]}
    documents["association.json"] = association(**more)
    if target_trust:
        target = {"RoleName": "shared", "Arn": TARGET_ROLE, "AssumeRolePolicyDocument": target_trust}
        documents["target.json"] = {"Role": target}
    w.unmutated(documents)
    documents["agent.json"] = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "eks-pod-identity-agent", "namespace": "kube-system"},
        "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "agent", "image": "x"}]}}},
    }
    if pod:
        injected(documents)
    else:
        del documents["pod.json"]
    return documents


def injected(documents):
    folder = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
    w.set_env(
        documents,
        AWS_CONTAINER_CREDENTIALS_FULL_URI="http://169.254.170.23/v1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=folder + "/eks-pod-identity-token",
    )
    w.container(documents)["volumeMounts"] = [{"name": "eks-pod-identity-token", "mountPath": folder}]
    token = {"audience": "pods.eks.amazonaws.com", "expirationSeconds": 80880, "path": "eks-pod-identity-token"}
    w.spec(documents)["volumes"] = [
        {"name": "eks-pod-identity-token", "projected": {"sources": [{"serviceAccountToken": token}]}}
    ]


def test_a_right_association_works_and_says_so_of_pod_identity():
    found = w.why(pod_identity_world(), w.POD)
    assert (found.verdict, w.failed(found), found.causes) == ("works", [], ())
    assert (found.role, found.roles) == (ROLE, ())
    because = {link.id: link.because for link in found.links}
    assert "EKS Pod Identity" in because["token-volume"]
    assert "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" in because["token-file"]
    assert w.verdicts(found)["target-role"] == "skipped"


@pytest.mark.parametrize(
    ("condition", "verdict", "cause"),
    [
        ({"StringEquals": {"aws:RequestTag/kubernetes-namespace": "payments"}}, "works", None),
        ({"StringEquals": {"aws:RequestTag/kubernetes-namespace": ["a", "payments"]}}, "works", None),
        ({"StringEquals": {"aws:RequestTag/kubernetes-service-account": "check"}}, "broken", "podid-trust-condition"),
        ({"StringLike": {"aws:RequestTag/kubernetes-service-account": "check*"}}, "works", None),
        ({"StringEquals": {"aws:RequestTag/eks-cluster-arn": w.CLUSTER}}, "works", None),
        ({"StringEquals": {"aws:RequestTag/eks-cluster-name": "dev"}}, "broken", "podid-trust-condition"),
        ({"StringEquals": {"aws:RequestTag/team": "red"}}, "broken", "podid-trust-condition"),
        ({"StringEqualsIfExists": {"aws:RequestTag/team": "red"}}, "works", None),
        ({"Null": {"aws:RequestTag/kubernetes-pod-uid": "false"}}, "works", None),
        ({"Null": {"aws:RequestTag/kubernetes-pod-uid": "true"}}, "broken", "podid-trust-condition"),
        ({"StringLike": {"aws:RequestTag/kubernetes-pod-uid": "a*"}}, "unknown", None),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": "kubernetes-namespace"}}, "works", None),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["kubernetes-namespace"]}}, "broken", "podid-trust-condition"),
        ({"StringEquals": {"aws:SourceAccount": w.ACCOUNT}}, "works", None),
        ({"StringEquals": {"aws:SourceAccount": w.OTHER}}, "broken", "podid-trust-condition"),
        ({"StringEquals": {"sts:ExternalId": EXTERNAL}}, "broken", "podid-target-external-id"),
        ({"StringEquals": {"aws:SourceOrgID": "o-1"}}, "unknown", None),
        ({"Bool": {"aws:SecureTransport": "true"}}, "works", None),
    ],
)
def test_conditions_of_the_trust_are_judged_with_the_values_of_the_association(condition, verdict, cause):
    found = w.why(pod_identity_world(trust(PODS, **condition), pod=False))
    assert found.verdict == verdict
    assert [known.id for known in found.causes if known.certainty == "certain"] == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("target_trust", "verdict", "cause"),
    [
        (trust({"AWS": ROLE}, StringEquals={"sts:ExternalId": EXTERNAL}), "unknown", "podid-source-no-assume"),
        (trust({"AWS": f"arn:aws:iam::{w.ACCOUNT}:root"}), "unknown", "podid-source-no-assume"),
        (trust({"AWS": w.ACCOUNT}, ArnEquals={"aws:PrincipalArn": ROLE}), "unknown", "podid-source-no-assume"),
        (trust({"AWS": w.ACCOUNT}, ArnEquals={"aws:PrincipalArn": ROLE + "2"}), "broken", "podid-target-trust"),
        (trust({"AWS": w.OTHER}), "broken", "podid-target-trust"),
        (trust({"AWS": ROLE}, "sts:AssumeRole"), "broken", "podid-target-trust"),
        (trust({"AWS": ROLE}, StringEquals={"sts:ExternalId": EXTERNAL + "2"}), "broken", "podid-target-external-id"),
        (trust({"AWS": ROLE}, StringEquals={"aws:RequestTag/kubernetes-namespace": "dev"}), "broken", "podid-target-trust"),
        (
            trust({"AWS": ROLE}, StringEquals={"aws:PrincipalTag/kubernetes-namespace": "payments"}),
            "unknown",
            "podid-source-no-assume",
        ),
        (trust(PODS), "broken", "podid-target-trust"),
    ],
)
def test_a_target_role_trusts_the_role_of_the_association_with_its_external_id(target_trust, verdict, cause):
    documents = pod_identity_world(target_trust=target_trust, targetRoleArn=TARGET_ROLE, externalId=EXTERNAL)
    found = w.why(documents, w.POD)
    assert (found.verdict, found.causes[0].id) == (verdict, cause)
    assert w.failed(found) == (["target-role"] if verdict == "broken" else [])


def test_the_external_id_is_worked_out_where_the_description_lacks_it():
    wrong = trust({"AWS": ROLE}, StringEquals={"sts:ExternalId": EXTERNAL + "2"})
    found = w.why(pod_identity_world(target_trust=wrong, targetRoleArn=TARGET_ROLE))
    assert EXTERNAL in found.causes[0].because


def test_a_target_role_that_is_not_in_the_input_leaves_it_unknown_with_the_command_for_it():
    found = w.why(pod_identity_world(targetRoleArn=TARGET_ROLE))
    link = next(link for link in found.links if link.id == "target-role")
    assert (found.verdict, link.verdict) == ("unknown", "unknown")
    assert link.settle.startswith("aws iam get-role --role-name shared")


@pytest.mark.parametrize(
    ("created", "cause", "certainty"),
    [
        ("2025-04-02T08:00:00Z", "pod-identity-assoc-race", "certain"),
        ("2025-04-01T07:59:30Z", "pod-identity-assoc-race", "likely"),
        ("2025-03-05T08:00:00Z", "webhook-ignored-failure", "likely"),
    ],
)
def test_a_pod_that_was_not_set_up_is_older_than_its_association_or_was_passed_over(created, cause, certainty):
    documents = pod_identity_world(createdAt=created)
    w.unmutated(documents)
    w.set_env(documents, AWS_CONTAINER_CREDENTIALS_FULL_URI=None, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=None)
    found = w.why(documents, w.POD)
    assert w.failed(found) == ["webhook"]
    assert w.causes(found)[0] == (cause, certainty)
    assert {"token-volume", "token-file"} <= {link.id for link in found.links if link.verdict == "skipped"}


def test_a_pod_with_a_web_identity_keeps_it_until_it_is_created_anew():
    documents = w.world()
    documents["association.json"] = association()
    found = w.why(documents, w.POD)
    assert found.role == ROLE
    assert w.verdicts(found)["trust-policy"] == "pass"
    assert ("pod-identity-assoc-race", "likely") in w.causes(found)


def test_a_pod_of_an_account_without_role_has_no_token_to_look_at():
    documents = w.world()
    w.annotations(documents).clear()
    w.role(documents)["AssumeRolePolicyDocument"] = trust({"Service": "ec2.amazonaws.com"})
    w.unmutated(documents)
    verdicts = w.verdicts(w.why(documents, w.POD))
    assert {verdicts["webhook"], verdicts["token-volume"], verdicts["token-file"]} == {"skipped"}


def account(name):
    metadata = {"name": name, "namespace": "payments", "creationTimestamp": "2025-03-02T08:00:00Z"}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


@pytest.mark.parametrize(("complete", "verdict"), [(w.WHOLE, "broken"), ((), "unknown")])
@pytest.mark.parametrize("name", ["nightly-checkout", "checkout-sa", "chekout"])
def test_an_association_of_a_near_name_that_nothing_has_is_named(name, complete, verdict):
    documents = pod_identity_world(pod=False)
    documents["account.json"] = account(name)
    if not complete:
        del documents["associations.json"]
    found = w.why(documents, f"payments/{name}", complete=complete)
    assert found.verdict == verdict
    assert w.causes(found)[0] == ("podid-association-other-name", "likely")
    assert "payments/checkout" in found.causes[0].because


def test_an_association_in_another_namespace_is_named_where_nothing_has_it_there():
    documents = pod_identity_world(pod=False, namespace="kube-system")
    found = w.why(documents)
    assert w.causes(found) == [("podid-association-other-name", "likely")]
    assert "kube-system/checkout" in found.causes[0].because


def test_containers_with_different_identities_are_named_each_with_its_own():
    documents = pod_identity_world()
    key = {"name": "AWS_ACCESS_KEY_ID", "value": "x"}
    w.spec(documents)["containers"].append({"name": "sidecar", "image": "x", "env": [key]})
    w.spec(documents)["initContainers"] = [{"name": "setup", "image": "x"}]
    found = w.why(documents, w.POD)
    assert {(one.container, one.mechanism, one.role) for one in found.identities} == {
        ("app", "pod-identity", ROLE),
        ("sidecar", "static-keys", ""),
        ("setup", "none", ""),
    }
    assert "different identities" in found.notes[0]


def test_a_template_has_the_identity_that_the_webhook_would_set_up_now():
    documents = pod_identity_world(pod=False)
    w.annotations(documents)[w.ANNOTATION] = ROLE + "-annotated"
    documents["deployment.json"] = w.deployment()
    (identity,) = w.why(documents).identities
    assert (identity.mechanism, identity.role, identity.injected) == ("pod-identity", ROLE, False)
    skipped = {"annotations": {"eks.amazonaws.com/skip-containers": "app"}}
    documents["deployment.json"]["spec"]["template"]["metadata"] = skipped
    assert w.why(documents).identities[0].mechanism == "none"


def of_template(trusting, **members):
    """A role, an association and a target role in one Terraform file, of a cluster that the input has."""
    lines = "".join(f"  {name} = {value}\n" for name, value in members.items())
    document = json.dumps(trusting)
    return f"""
variable "it" {{}}
resource "aws_iam_role" "app" {{
  name = "app"
  assume_role_policy = jsonencode({document})
}}
resource "aws_eks_pod_identity_association" "app" {{
  cluster_name    = "prod"
  namespace       = "payments"
  service_account = "checkout"
  role_arn        = aws_iam_role.app.arn
{lines}}}
"""


def planned(text):
    documents = pod_identity_world(pod=False)
    for name in ("association.json", "associations.json"):
        del documents[name]
    documents["main.tf"] = text.encode()
    return w.why(documents)


@pytest.mark.parametrize(
    ("actions", "members", "verdict"),
    [
        (("sts:AssumeRole", "sts:TagSession"), {}, "pass"),
        (("sts:AssumeRole",), {}, "fail"),
        (("sts:AssumeRole",), {"disable_session_tags": "true"}, "pass"),
        (("sts:AssumeRole",), {"disable_session_tags": "var.it"}, "unknown"),
        (("sts:AssumeRole", "sts:TagSession"), {"disable_session_tags": "var.it"}, "pass"),
    ],
)
def test_session_tags_that_a_template_decides_on_count_both_ways(actions, members, verdict):
    found = planned(of_template(trust(PODS, *actions), **members))
    assert w.verdicts(found)["pod-identity"] == verdict


@pytest.mark.parametrize("target", ["var.it", '"arn:aws:iam::${var.it}:role/shared"'])
def test_a_target_role_that_a_template_fills_in_is_unknown(target):
    found = planned(of_template(trust(PODS), target_role_arn=target))
    assert w.verdicts(found)["target-role"] == "unknown"
    assert found.verdict == "unknown"


def test_a_session_policy_with_session_tags_is_reported_without_the_service_account_too():
    documents = pod_identity_world(pod=False, policy='{"Statement": []}')
    found = w.why(documents)
    assert w.causes(found)[0] == ("podid-policy-needs-no-tags", "certain")
    del documents["account.json"]
    subjects = derive(View(w.loaded(documents).inventory))
    reported = {f.rule for f in evaluate(shipped_rules(), subjects, lambda *_: (0, 0, 0, 0, "", 0)).findings}
    assert "podid-policy-needs-no-tags" in reported


def node(compute_type):
    labels = {"eks.amazonaws.com/compute-type": compute_type}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "labels": labels}}


def affinity(*terms):
    listed = [{"matchExpressions": [{"key": key, "operator": "In", "values": values}]} for key, values in terms]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": listed}}
    return {"nodeAffinity": required}


COMPUTE_TYPE = "eks.amazonaws.com/compute-type"


@pytest.mark.parametrize(
    ("spec", "compute_type", "complete", "verdict"),
    [
        ({"nodeSelector": {COMPUTE_TYPE: "hybrid"}}, "", w.WHOLE, "broken"),
        ({"nodeName": "node-1"}, "hybrid", w.WHOLE, "broken"),
        ({"affinity": affinity((COMPUTE_TYPE, ["hybrid"]))}, "", w.WHOLE, "broken"),
        ({"affinity": affinity((COMPUTE_TYPE, ["hybrid"]), (COMPUTE_TYPE, ["ec2"]))}, "", w.WHOLE, "works"),
        ({"affinity": affinity((COMPUTE_TYPE, ["hybrid", "ec2"]))}, "", w.WHOLE, "works"),
        ({"affinity": affinity((COMPUTE_TYPE, ["hybrid"]), ("zone", ["a"]))}, "", w.WHOLE, "works"),
        ({"nodeName": "node-1"}, "ec2", w.WHOLE, "works"),
        ({"nodeName": "node-2"}, "hybrid", w.WHOLE, "works"),
        ({"nodeName": "node-1"}, "hybrid", ("serviceaccounts", "pods", "mutatingwebhookconfigurations"), "unknown"),
    ],
)
def test_a_hybrid_node_needs_a_daemon_set_of_its_own(spec, compute_type, complete, verdict):
    documents = pod_identity_world()
    w.spec(documents).update(spec)
    documents["node.json"] = node(compute_type)
    found = w.why(documents, w.POD, complete=complete)
    assert found.verdict == verdict
    assert [cause.id for cause in found.causes if cause.certainty == "certain"] == (
        ["podid-hybrid-node"] if verdict == "broken" else []
    )


@pytest.mark.parametrize("name", ["eks-pod-identity-agent-hybrid", "eks-pod-identity-agent-hybrid-bottlerocket"])
def test_the_daemon_set_for_hybrid_nodes_serves_them(name):
    documents = pod_identity_world()
    w.spec(documents)["nodeSelector"] = {COMPUTE_TYPE: "hybrid"}
    documents["hybrid.json"] = copy.deepcopy(documents["agent.json"])
    documents["hybrid.json"]["metadata"]["name"] = name
    assert w.why(documents, w.POD).verdict == "works"


@pytest.mark.parametrize("host_network", [True, False])
def test_pods_with_the_network_of_the_node_can_take_its_role_too(host_network):
    documents = pod_identity_world()
    w.spec(documents)["hostNetwork"] = host_network
    found = w.why(documents, w.POD)
    assert found.verdict == "works"
    assert any("role of the node" in note for note in found.notes) is host_network


# ---- clients that read the annotation, and second roles that nothing configures

READS_ANNOTATION = "an IAM role must be associated with service account checkout (namespace: payments)"


def test_a_client_that_reads_the_annotation_is_the_likely_cause_beside_an_association():
    found = w.why(pod_identity_world(), symptoms=symptoms_in(READS_ANNOTATION), failing=True)
    assert w.causes(found)[0] == ("podid-client-reads-annotation", "likely")
    assert "certain" not in dict(w.causes(found)).values()
    assert found.verdict == "broken"


def test_without_files_the_annotation_and_the_client_are_both_named_and_neither_is_certain():
    found = w.why({}, symptoms=symptoms_in(READS_ANNOTATION), failing=True, complete=())
    assert {ident for ident, _ in w.causes(found)} >= {"sa-annotation-missing", "podid-client-reads-annotation"}
    assert "certain" not in dict(w.causes(found)).values()


def test_without_association_and_annotation_the_annotation_is_proved_to_be_missing():
    documents = w.world(lambda documents: w.annotations(documents).clear())
    found = w.why(documents, symptoms=symptoms_in(READS_ANNOTATION), failing=True)
    assert w.causes(found) == [("sa-annotation-missing", "certain")]


def second(principal, *actions):
    made = {"RoleName": "deploy", "Path": "/", "Arn": f"arn:aws:iam::{w.OTHER}:role/deploy"}
    return {"Role": {**made, "AssumeRolePolicyDocument": trust({"AWS": principal}, *actions)}}


@pytest.mark.parametrize("principal", [ROLE, f"arn:aws:iam::{w.ACCOUNT}:root", w.ACCOUNT])
def test_a_second_role_that_allows_no_session_tags_leaves_it_open(principal):
    documents = pod_identity_world()
    documents["second.json"] = second(principal, "sts:AssumeRole")
    found = w.why(documents)
    assert (found.verdict, w.causes(found)) == ("unknown", [("xacct-chain-missing", "possible")])
    documents["second.json"] = second(principal, "sts:AssumeRole", "sts:TagSession")
    assert w.why(documents).verdict == "works"


def test_without_session_tags_a_second_role_needs_to_allow_none():
    documents = pod_identity_world(disableSessionTags=True)
    documents["second.json"] = second(ROLE, "sts:AssumeRole")
    assert w.why(documents).verdict == "works"


def test_a_role_that_trusts_the_whole_account_may_be_meant_for_another_role_of_it():
    documents = pod_identity_world()
    documents["second.json"] = second(f"arn:aws:iam::{w.ACCOUNT}:root", "sts:AssumeRole")
    documents["third.json"] = {
        "Role": {**second(ROLE)["Role"], "RoleName": "other", "Arn": f"arn:aws:iam::{w.ACCOUNT}:role/other"}
    }
    assert w.why(documents).verdict == "works"
