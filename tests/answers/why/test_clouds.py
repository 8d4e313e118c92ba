"""Why a workload of AKS or GKE does not get its identity; the worlds are those of the rules' examples."""

import pytest

from irsa_doctor.answers.check.examples import base_world, documents_of, example_world, named
from irsa_doctor.answers.places import Locator
from irsa_doctor.answers.why import DiagnosisTarget, diagnose, find_case
from irsa_doctor.facts import View
from irsa_doctor.rulebook.files import read_rule_files, rules_folder
from irsa_doctor.sources import load

TARGETS = {"aks": DiagnosisTarget("orders", "api"), "gke": DiagnosisTarget("web", "front")}
FILES = [file for file in read_rule_files(rules_folder() / "clouds") if file.rule.cause]


def diagnosis(patch):
    world = named(example_world(base_world(), patch))
    loaded = load((), memory=documents_of(world), complete=tuple(world.get("complete", ())))
    view = View(loaded.inventory)
    locate = Locator(loaded.documents, loaded.inventory.documents)
    return diagnose(find_case(view, locate, TARGETS[patch["with"][0]]))


@pytest.mark.parametrize("part", ["aks", "gke"])
def test_the_healthy_world_works(part):
    answer = diagnosis({"with": [part]})
    assert (answer.verdict, answer.causes) == ("works", ())
    assert answer.cloud == {"aks": "azure", "gke": "google"}[part]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.rule.id)
def test_check_and_why_name_the_same_cause(file):
    answer = diagnosis(file.examples.bad[0].patch)
    named_causes = [cause.id for cause in answer.causes]
    if file.rule.severity == "low" or file.rule.id in OF_OTHERS:
        assert answer.verdict == ("unknown" if file.rule.id in ROLES_UNSEEN else "works")
    else:
        assert answer.verdict == "broken"
        assert named_causes[0] == file.rule.id


# the example is about another service account than the one that is diagnosed
OF_OTHERS = {"gcp-attribute-unmapped", "gcp-condition-type"}
# pods make requests as themselves, and what they may do is not in the example
ROLES_UNSEEN = {"gke-annotation-missing"}


def test_an_error_of_the_cloud_is_predicted():
    answer = diagnosis({"with": ["aks"], "files": {"aks/credential.json": {"subject": "system:serviceaccount:staging:api"}}})
    assert answer.predicted_error.code == "AADSTS700213"
    assert "system:serviceaccount:orders:api" in answer.predicted_error.message


def test_what_is_not_in_the_input_is_unknown():
    answer = diagnosis({"with": ["aks"], "files": {"aks/credential.json": None}})
    assert answer.verdict == "unknown"
    trust = next(link for link in answer.links if link.id == "trust-policy")
    assert trust.settle.startswith("az identity federated-credential list")


def test_without_the_cluster_nothing_is_certain():
    answer = diagnosis({"with": ["gke"], "files": {"gke/cluster.json": None}})
    assert answer.verdict == "unknown"


def test_a_binding_of_the_account_says_nothing_of_pods_that_are_themselves():
    annotations = {"iam.gke.io/gcp-service-account": None}
    answer = diagnosis({"with": ["gke"], "objects": {"gke": {"account": {"metadata": {"annotations": annotations}}}}})
    assert answer.verdict == "unknown"


def test_the_issuer_of_aks_is_read_as_the_rest_api_names_it():
    cluster = example_world(base_world(), {"with": ["aks"]})["files"]["aks/cluster.json"]
    issuer = cluster["oidcIssuerProfile"]["issuerUrl"]
    profile = {"enabled": True, "issuerUrl": None, "issuerURL": issuer}
    assert diagnosis({"with": ["aks"], "files": {"aks/cluster.json": {"oidcIssuerProfile": profile}}}).verdict == "works"


CLIENT_ID, ROLE_ARN, GOOGLE = (
    "azure.workload.identity/client-id",
    "eks.amazonaws.com/role-arn",
    "iam.gke.io/gcp-service-account",
)


@pytest.mark.parametrize(
    ("annotations", "clouds", "verdicts"),
    [
        ({ROLE_ARN: "arn:aws:iam::111122223333:role/none"}, ["aws", "azure"], {"azure": "works"}),
        ({GOOGLE: "no address"}, ["azure", "google"], {"azure": "works", "google": "broken"}),
    ],
)
def test_an_account_with_identities_of_two_clouds_has_a_chain_for_each(annotations, clouds, verdicts):
    answer = diagnosis({"with": ["aks"], "objects": {"aks": {"account": {"metadata": {"annotations": annotations}}}}})
    chains = {chain.cloud: chain for chain in answer.chains}
    assert sorted(chains) == clouds
    assert {cloud: chains[cloud].verdict for cloud in verdicts} == verdicts
    assert answer.verdict != "works"
    assert {cause.id for chain in answer.chains for cause in chain.causes} <= {cause.id for cause in answer.causes}


def test_an_account_with_one_identity_has_no_chains_beside_its_links():
    assert diagnosis({"with": ["aks"]}).chains == ()


@pytest.mark.parametrize(("driver", "verdict"), [("secrets-store.csi.k8s.io", "unknown"), ("disk.csi.azure.com", "broken")])
def test_a_volume_of_the_secrets_store_needs_no_label(driver, verdict):
    volumes = [{"name": "store", "csi": {"driver": driver}}]
    template = {"metadata": {"labels": {"azure.workload.identity/use": None}}, "spec": {"volumes": volumes}}
    answer = diagnosis({"with": ["aks"], "objects": {"aks": {"deployment": {"spec": {"template": template}}}}})
    assert answer.verdict == verdict
    assert {link.id: link.verdict for link in answer.links}["webhook"] == {"unknown": "unknown", "broken": "fail"}[verdict]
