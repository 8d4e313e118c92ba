import copy

import pytest

from irsa_doctor.answers.why import DiagnosisTarget, NoTarget, cases_of, diagnose, parse_target
from irsa_doctor.facts import View
from tests.answers.why import world as w
from tests.answers.why.world import OTHER, POD, ROLE, TARGET, loaded, why, world


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("payments/checkout", DiagnosisTarget("payments", "checkout")),
        ("system:serviceaccount:payments:checkout", DiagnosisTarget("payments", "checkout")),
        ("sa/payments/checkout", DiagnosisTarget("payments", "checkout")),
        ("ServiceAccount/payments/checkout", DiagnosisTarget("payments", "checkout")),
        ("pod/payments/checkout-0", DiagnosisTarget("payments", "checkout-0", "pod")),
        ("pods/payments/checkout-0", DiagnosisTarget("payments", "checkout-0", "pod")),
        ("po/payments/checkout-0", DiagnosisTarget("payments", "checkout-0", "pod")),
        ("deploy/payments/checkout", DiagnosisTarget("payments", "checkout", "deployment")),
        ("deployments/payments/checkout", DiagnosisTarget("payments", "checkout", "deployment")),
        ("sts/payments/checkout", DiagnosisTarget("payments", "checkout", "statefulset")),
        ("ds/payments/checkout", DiagnosisTarget("payments", "checkout", "daemonset")),
        ("cj/payments/checkout", DiagnosisTarget("payments", "checkout", "cronjob")),
        ("Rollout/payments/checkout", DiagnosisTarget("payments", "checkout", "rollout")),
    ],
)
def test_a_target_is_named_as_people_name_it(text, asked):
    assert parse_target(text) == asked


@pytest.mark.parametrize("text", ["", "checkout", "/checkout", "payments/", "a//b", "a/b/c/d", "system:serviceaccount:a"])
def test_what_names_no_target_is_said(text):
    with pytest.raises(NoTarget, match="NAMESPACE/SERVICEACCOUNT"):
        parse_target(text)


def second_cluster(documents):
    """A second cluster that has the same service account."""
    dev = copy.deepcopy(documents["cluster.json"])
    dev["cluster"].update({"name": "dev", "arn": w.CLUSTER.replace("prod", "dev")})
    dev["cluster"]["identity"]["oidc"]["issuer"] = f"https://{w.ELSEWHERE}"
    for path in [path for path in documents if path.split(".")[0] in ("cluster", "account", "default", "pod", "webhook")]:
        documents[f"prod/{path}"] = documents.pop(path)
    documents["dev/cluster.json"] = dev
    documents["dev/account.json"] = copy.deepcopy(documents["prod/account.json"])


def test_a_target_in_several_clusters_has_to_be_told_apart():
    with pytest.raises(NoTarget, match="dev, prod"):
        why(world(second_cluster))


@pytest.mark.parametrize("name", ["prod", w.CLUSTER, f"https://{w.ISSUER}", w.ISSUER])
def test_a_cluster_is_named_by_name_arn_or_issuer(name):
    found = why(world(second_cluster), cluster=name)
    assert (found.subject.cluster, found.verdict) == ("prod", "works")


def test_a_subject_as_findings_write_it_names_its_cluster():
    assert why(world(second_cluster), "dev/payments/checkout").subject.cluster == "dev"


def test_a_target_that_only_one_cluster_has_needs_no_name():
    found = why(world(second_cluster), "pod/payments/checkout-0")
    assert found.subject.cluster == "prod"


def test_a_cluster_that_is_not_there_is_met_by_those_that_are():
    with pytest.raises(NoTarget, match="known clusters: dev, prod"):
        why(world(second_cluster), cluster="test")


def test_an_issuer_that_no_document_names_may_be_stated():
    def without_cluster(documents):
        del documents["cluster.json"], documents["clusters.json"], documents["associations.json"]

    assert why(world(without_cluster)).verdict == "unknown"
    found = why(world(without_cluster), cluster=f"https://{w.ISSUER}")
    assert w.verdicts(found)["trust-policy"] == "pass"


def test_a_workload_that_is_not_there_is_broken_where_all_were_given():
    found = why(world(), "pod/payments/checkout-1")
    assert found.verdict == "broken"
    assert found.causes[0].id == "workload-missing"
    assert "checkout-0" in found.causes[0].because


def test_a_workload_that_is_not_there_is_unknown_where_not_all_were_given():
    found = why(world(), "deployment/payments/checkout")
    assert found.verdict == "unknown"
    assert w.verdicts(found)["workload"] == "unknown"


def test_an_account_that_is_not_there_is_unknown_where_not_all_were_given():
    found = why(world(), "payments/gone", complete=())
    assert found.verdict == "unknown"
    assert "kubectl get serviceaccount" in next(link.settle for link in found.links if link.id == "service-account")


def test_an_account_of_that_name_elsewhere_is_a_hint():
    found = why(world(), "billing/checkout")
    assert found.causes[0].id == "service-account-missing"
    assert "payments" in found.causes[0].because


# ---- the role


def second_role(documents):
    other = copy.deepcopy(w.role(documents))
    other.update({"RoleName": "orders", "Arn": ROLE.replace("checkout", "orders")})
    documents["roles.json"]["RoleDetailList"].append(other)


def test_the_pod_is_asked_for_the_role_that_it_runs_with():
    def annotated_anew(documents):
        second_role(documents)
        w.annotations(documents)[w.ANNOTATION] = ROLE.replace("checkout", "orders")

    assert why(world(annotated_anew), POD).role == ROLE
    assert why(world(annotated_anew), TARGET).role == ROLE.replace("checkout", "orders")


def test_without_a_role_those_that_admit_it_are_listed():
    def unannotated(documents):
        second_role(documents)
        del documents["pod.json"]
        w.annotations(documents).clear()

    found = why(world(unannotated))
    assert found.role == ""
    assert found.roles == (ROLE, ROLE.replace("checkout", "orders"))
    assert w.verdicts(found)["trust-policy"] == "skipped"


def test_an_account_without_annotation_may_have_an_association_that_nobody_gave():
    def unannotated(documents):
        del documents["pod.json"], documents["associations.json"]
        w.annotations(documents).clear()
        w.role(documents)["AssumeRolePolicyDocument"]["Statement"] = []

    found = why(world(unannotated))
    assert found.verdict == "unknown"
    assert w.causes(found)[0] == ("sa-annotation-missing", "likely")
    assert why(world(unannotated), failing=True).verdict == "broken"


# ---- everything at once


def everything(*breaks):
    view = View(loaded(world(*breaks)).inventory)
    return [diagnose(case) for case in cases_of(view, lambda place, key: (0, 0, 0, 0, "", 0))]


def test_everything_is_what_has_to_do_with_a_role():
    assert [(d.subject.namespace, d.subject.service_account) for d in everything()] == [("payments", "checkout")]


def test_a_workload_that_sets_its_role_itself_is_part_of_everything():
    def by_hand(documents):
        documents["deployment.json"] = w.deployment("job", None)
        inside = documents["deployment.json"]["spec"]["template"]["spec"]["containers"][0]
        inside["env"] = [{"name": "AWS_ROLE_ARN", "value": ROLE}]

    found = everything(by_hand)
    assert [d.subject.workload for d in found] == ["", "deployment/job"]
    assert found[1].verdict == "broken"


# ---- Pod Identity


def associated(documents):
    one = {"clusterName": "prod", "namespace": "payments", "serviceAccount": "checkout", "associationId": "a-1"}
    documents["associations.json"] = {"associations": [one]}
    documents["association.json"] = {"association": {**one, "roleArn": ROLE}}
    actions = ["sts:AssumeRole", "sts:TagSession"]
    statement = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": actions}
    w.role(documents)["AssumeRolePolicyDocument"]["Statement"] = [statement]
    w.annotations(documents).clear()
    w.unmutated(documents)
    w.set_env(
        documents,
        AWS_CONTAINER_CREDENTIALS_FULL_URI="http://169.254.170.23/v1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/token",
    )
    documents["agent.json"] = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "eks-pod-identity-agent", "namespace": "kube-system"},
        "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "agent", "image": "x"}]}}},
    }


@pytest.mark.parametrize("target", [TARGET, POD])
def test_an_association_needs_neither_annotation_nor_provider(target):
    found = why(world(associated, lambda documents: documents.pop("provider.json")), target)
    assert found.verdict == "works"
    assert w.verdicts(found)["provider"] == "skipped"
    assert w.verdicts(found)["pod-identity"] == "pass"
    assert ROLE in next(link.because for link in found.links if link.id == "pod-identity")


def test_an_association_that_somebody_passes_by_is_looked_at_as_web_identity():
    from irsa_doctor.answers.why import symptoms_in

    text = f"No OpenIDConnect provider found in your account for https://{w.ISSUER}"
    found = why(world(associated, lambda documents: documents.pop("pod.json")), symptoms=symptoms_in(text), failing=True)
    assert found.verdict == "broken"
    assert "pod-identity-assoc-race" in {cause.id for cause in found.causes}


# ---- a policy that names no role


def test_another_account_is_another_provider():
    def elsewhere(documents):
        moved = ROLE.replace(w.ACCOUNT, OTHER)
        w.annotations(documents)[w.ANNOTATION] = moved
        del documents["pod.json"]
        documents["more.json"] = {"OpenIDConnectProviderList": [{"Arn": w.PROVIDER.replace(w.ACCOUNT, OTHER) + "x"}]}

    found = why(world(elsewhere))
    assert w.failed(found) == ["provider"]
    assert w.causes(found)[0] == ("oidc-provider-other-account", "certain")
    assert "create-open-id-connect-provider" in found.causes[0].commands[0]
