"""What is offered can work, and says where a tool would undo it."""

import pytest

from irsa_doctor.facts import View
from irsa_doctor.remedies import annotation
from irsa_doctor.reports.style import Style
from irsa_doctor.reports.why import render_why_text
from tests.answers.why import world as w
from tests.answers.why.world import ROLE, why, world


def other_subject(documents):
    w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:other"


def tagged(documents):
    w.role(documents)["Tags"] = [{"Key": "ManagedBy", "Value": "terraform"}]


def of_helm(documents):
    documents["account.json"]["metadata"]["annotations"]["meta.helm.sh/release-name"] = "checkout"


def test_a_policy_for_a_role_of_terraform_says_so():
    fix = why(world(other_subject, tagged)).causes[0].fix
    assert fix.policy is not None
    assert fix.managed_by == "terraform"
    assert why(world(other_subject)).causes[0].fix.managed_by == ""
    text = render_why_text(why(world(other_subject, tagged)), Style(colour=False))
    assert "managed by terraform" in " ".join(text.split())


def annotated(*breaks):
    return annotation(View(w.loaded(world(*breaks)).inventory), "payments", "checkout", ROLE)


def test_an_annotation_of_an_account_of_a_chart_says_so():
    assert annotated(of_helm).managed_by == "the Helm release checkout"
    assert annotated().managed_by == ""


MARKS = {
    "a Helm release": ("annotations", "meta.helm.sh/release-name", "shop"),
    "a chart": ("labels", "app.kubernetes.io/managed-by", "Helm"),
    "an application of Argo CD by its id": (
        "annotations",
        "argocd.argoproj.io/tracking-id",
        "shop:/ServiceAccount:a/b",
    ),
    "an application of Argo CD by its label": ("labels", "argocd.argoproj.io/instance", "shop"),
    "a kustomization of Flux": ("labels", "kustomize.toolkit.fluxcd.io/name", "apps"),
    "a HelmRelease of Flux": ("labels", "helm.toolkit.fluxcd.io/name", "shop"),
    "Terraform": ("labels", "app.kubernetes.io/managed-by", "Terraform"),
    "an operator": ("labels", "olm.owner", "checkout.v1"),
}
TAGS = {
    "Terraform by its name": ("ManagedBy", "Terraform"),
    "Terraform by its own tag": ("terraform", "true"),
    "OpenTofu": ("provisioner", "opentofu"),
    "CloudFormation": ("aws:cloudformation:stack-name", "iam"),
    "eksctl": ("alpha.eksctl.io/cluster-name", "prod"),
    "Crossplane": ("crossplane-name", "checkout"),
    "Pulumi": ("pulumi:project", "shop"),
    "ACK": ("services.k8s.aws/controller-version", "iam-v1.3.0"),
}


@pytest.mark.parametrize(("where", "name", "value"), MARKS.values(), ids=MARKS)
def test_no_annotation_of_a_managed_account_is_offered_without_its_tool(where, name, value):
    def marked(documents):
        metadata = documents["account.json"]["metadata"]
        metadata["annotations"] = {}
        metadata.setdefault(where, {})[name] = value

    fixes = [cause.fix for cause in why(world(marked)).causes if cause.fix and cause.fix.commands]
    assert any("annotate" in command for fix in fixes for command in fix.commands)
    assert all(fix.managed_by for fix in fixes)


WRITERS = {
    "Terraform": ("managedFields", {"manager": "Terraform", "operation": "Update"}),
    "an older Terraform": ("managedFields", {"manager": "HashiCorp", "operation": "Update"}),
    "Argo CD": ("managedFields", {"manager": "argocd-controller", "operation": "Apply"}),
    "Flux": ("managedFields", {"manager": "kustomize-controller", "operation": "Apply"}),
    "Helm": ("managedFields", {"manager": "helm", "operation": "Update"}),
    "Pulumi": ("managedFields", {"manager": "pulumi-kubernetes-3f2a", "operation": "Apply"}),
    "Crossplane": ("managedFields", {"manager": "crossplane-kubernetes-provider", "operation": "Update"}),
    "an add-on": ("managedFields", {"manager": "eks", "operation": "Apply"}),
    "ProviderRevision s3-1": ("ownerReferences", {"kind": "ProviderRevision", "name": "s3-1", "controller": True}),
    "Tenant shop": ("ownerReferences", {"kind": "Tenant", "name": "shop", "controller": True}),
}
UNDOING_NOTHING = [
    ("managedFields", {"manager": "kubectl-client-side-apply", "operation": "Update"}),
    ("managedFields", {"manager": "kube-controller-manager", "operation": "Update"}),
    ("ownerReferences", {"kind": "Team", "name": "shop"}),
]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(("where", "entry"), WRITERS.values(), ids=WRITERS)
def test_who_wrote_or_owns_an_account_shows_the_tool_that_undoes_a_command(where, entry, several):
    def written(documents):
        account = documents["account.json"]
        account["metadata"]["annotations"] = {}
        account["metadata"][where] = [{"manager": "kubectl", "kind": "X"}, entry]
        if several:
            documents["account.json"] = {"apiVersion": "v1", "kind": "List", "items": [account]}

    fixes = [cause.fix for cause in why(world(written)).causes if cause.fix and cause.fix.commands]
    assert any("annotate" in command for fix in fixes for command in fix.commands)
    assert all(fix.managed_by for fix in fixes)


@pytest.mark.parametrize(("where", "entry"), UNDOING_NOTHING)
def test_kubectl_and_controllers_of_kubernetes_undo_nothing(where, entry):
    def written(documents):
        documents["account.json"]["metadata"][where] = [entry]

    assert annotated(written).managed_by == ""


@pytest.mark.parametrize(("key", "value"), TAGS.values(), ids=TAGS)
def test_no_command_for_a_managed_role_or_provider_is_offered_without_its_tool(key, value):
    def role_of_tool(documents):
        w.role(documents)["Tags"] = [{"Key": key, "Value": value}]

    def provider_of_tool(documents):
        documents["provider.json"] |= {"ClientIDList": ["other"], "Tags": [{"Key": key, "Value": value}]}

    for breaks in ((other_subject, role_of_tool), (provider_of_tool,)):
        fix = why(world(*breaks)).causes[0].fix
        assert fix.commands
        assert fix.managed_by


def test_a_provider_without_mark_has_no_tool():
    def other_audience(documents):
        documents["provider.json"]["ClientIDList"] = ["other"]

    assert why(world(other_audience)).causes[0].fix.managed_by == ""


def test_no_role_that_trusts_pod_identity_alone_is_annotated():
    def pod_identity_alone(documents):
        trusted = {"Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
        w.role(documents)["AssumeRolePolicyDocument"]["Statement"] = [{"Effect": "Allow", **trusted}]

    assert annotated(pod_identity_alone) is None


def test_no_policy_is_offered_where_the_provider_does_not_exist():
    def gone(documents):
        documents["providers.json"]["OpenIDConnectProviderList"] = []
        del documents["provider.json"]

    found = why(world(other_subject, gone))
    assert w.failed(found) == ["provider", "trust-policy"]
    assert [cause.fix for cause in found.causes if cause.fix and cause.fix.policy] == []


def test_new_pods_are_advised_only_after_the_annotation_that_they_lack():
    def unannotated(documents):
        w.annotations(documents).clear()
        w.unmutated(documents)

    (cause,) = w.why(w.world(unannotated)).causes
    assert cause.id == "sa-annotation-missing"
    first, *rest = cause.commands
    assert first.startswith("kubectl annotate")
    assert w.ROLE in first
    assert any(command.startswith("kubectl delete pod") for command in rest)

    def untrusted(documents):
        unannotated(documents)
        w.equals(documents)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:orders"

    assert not [c for cause in w.why(w.world(untrusted)).causes for c in cause.commands if "delete pod" in c]
