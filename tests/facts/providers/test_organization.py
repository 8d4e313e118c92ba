"""A cluster that nobody may have seen is not deleted, and two clusters of one name are two."""

import msgspec
import pytest

from irsa_doctor.facts import ProviderFacts, View, derive
from irsa_doctor.model import Gap, Unknown
from tests.facts.situations import ACCOUNT, account, manifests, view
from tests.sources.worlds import cluster, cluster_arn, got_provider, listed_providers, loaded, provider_arn

OTHER = "444455556666"
GONE = "oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"


def seen(*accounts, gaps=(), listed=(ACCOUNT,)):
    """Whether the cluster of an issuer is known, of which its own account has none: with the accounts of a manifest."""
    inventory = view(
        {
            "providers.json": listed_providers(provider_arn(issuer=GONE)),
            "provider.json": {**got_provider(), "Url": GONE},
            "manifest.json": {
                "schema": "irsa-doctor.manifest/1",
                "accounts": [{"id": ident, "name": "x", "ou": [], "state": state} for ident, state in accounts],
            },
        }
    ).inventory
    closed = msgspec.structs.replace(inventory.closed, clusters=frozenset((ident, "eu-west-1") for ident in listed))
    inventory = msgspec.structs.replace(inventory, closed=closed, gaps=tuple(gaps))
    (facts,) = [judged.facts for judged in derive(View(inventory)) if isinstance(judged.facts, ProviderFacts)]
    return facts.cluster_known


def gap(name):
    return Gap("clusters", OTHER, name, "eks:ListClusters was denied", "allow it")


def test_a_provider_without_a_cluster_in_sight_is_one_of_a_deleted_cluster():
    assert seen() is False
    assert seen((ACCOUNT, "read")) is False
    assert seen((ACCOUNT, "read"), (OTHER, "read"), listed=(ACCOUNT, OTHER)) is False


@pytest.mark.parametrize("name", ["", "eu-west-1"])
def test_another_account_whose_clusters_could_not_be_listed_may_have_it(name):
    assert seen(gaps=[gap(name)]) == Unknown("eks:ListClusters was denied", "allow it")


def test_a_gap_in_another_region_does_not_matter():
    assert seen(gaps=[gap("us-east-1")]) is False


@pytest.mark.parametrize("state", ["unknown", "partial", "excluded", "pending", "read"])
def test_an_account_of_the_manifest_that_does_not_list_the_region_may_have_it(state):
    assert seen((ACCOUNT, "read"), (OTHER, state)) == Unknown(f"clusters of account {OTHER} in eu-west-1")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"id": "1", "state": "read"}, "twelve digits"),
        ({"id": OTHER, "state": "fine"}, "the state is none of"),
        ({"id": OTHER}, "the state is none of"),
        ("x", "where an object was expected"),
        ({"id": OTHER, "state": "read", "ou": "x"}, "where a list was expected"),
    ],
)
def test_an_account_of_a_wrong_shape_is_named_and_the_others_are_read(entry, why):
    good = {"id": ACCOUNT, "state": "read"}
    inventory = view({"m.json": {"schema": "irsa-doctor.manifest/1", "accounts": [entry, good]}}).inventory
    assert [each.id for each in inventory.organization] == [ACCOUNT]
    assert any(why in (row.why or "") for row in inventory.documents)


def test_a_manifest_of_another_version_is_not_read():
    inventory = view({"m.json": {"schema": "irsa-doctor.manifest/2", "accounts": [{"id": ACCOUNT, "state": "read"}]}}).inventory
    assert inventory.organization == ()
    (row,) = inventory.documents
    assert row.status == "unreadable"
    assert "irsa-doctor.manifest/2" in row.why


# ---- clusters of one name

TYPO = account("app", **{"eks.amazonaws.com/role_arn": "arn:aws:iam::111122223333:role/app"})


def two_clusters(second):
    """Two clusters, each with the same service account with a mistyped annotation."""
    return {"one/cluster.json": cluster(), "two/cluster.json": cluster(second, account=OTHER, issuer=GONE)}


def test_clusters_of_one_name_are_named_by_their_arn():
    inventory = view(two_clusters("prod")).inventory
    names = {View(inventory).label_of(each.id) for each in inventory.clusters}
    assert names == {f"arn:aws:eks:eu-west-1:{ident}:cluster/prod" for ident in (ACCOUNT, OTHER)}
    assert {inventory.distinct(each.id) for each in inventory.clusters} == names


def test_clusters_of_different_names_keep_them():
    inventory = view(two_clusters("dev")).inventory
    assert {View(inventory).label_of(each.id) for each in inventory.clusters} == {"prod", "dev"}
    assert {View(inventory).name_of(each.id) for each in inventory.clusters} == {"prod", "dev"}


def test_clusters_of_one_name_without_arn_are_named_by_their_issuer():
    inventory = view(two_clusters("prod")).inventory
    first, second = inventory.clusters
    renamed = msgspec.structs.replace(inventory, clusters=(first, msgspec.structs.replace(second, arn="")))
    assert {View(renamed).label_of(each.id) for each in renamed.clusters} == {first.arn, GONE}


def test_equal_faults_in_clusters_of_one_name_are_two_findings():
    documents = two_clusters("prod") | {"one/o.yaml": manifests(TYPO), "two/o.yaml": manifests(TYPO)}
    clusters = {"one/o.yaml": cluster_arn(), "two/o.yaml": cluster_arn(account=OTHER)}
    judged = derive(View(loaded(documents, clusters=clusters).inventory))
    assert {each.id for each in judged if each.kind == "service-account"} == {f"{arn}/prod/app" for arn in clusters.values()}
