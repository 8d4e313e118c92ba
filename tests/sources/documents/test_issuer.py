from tests.facts.situations import found
from tests.sources.worlds import ISSUER, OTHER_ISSUER, cluster, cluster_arn, inventory, service_account

DISCOVERY = {
    "issuer": f"https://{ISSUER}",
    "jwks_uri": f"https://{ISSUER}/keys",
    "response_types_supported": ["id_token"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}
KEYS = {"keys": [{"kid": "1", "kty": "RSA", "alg": "RS256", "n": "x", "e": "AQAB"}, 5]}


def test_a_discovery_document_is_a_cluster_where_nothing_else_describes_it():
    read = inventory({"d.json": DISCOVERY, "sa.json": service_account()})
    assert [(found.id, found.issuer) for found in read.clusters] == [(ISSUER, ISSUER)]
    assert read.discoveries[0].cluster == read.service_accounts[0].cluster == ISSUER
    assert read.discoveries[0].algorithms == ("RS256",)


def test_a_discovery_document_of_a_described_cluster_is_no_second_one():
    read = inventory({"c.json": cluster(), "d/d.json": DISCOVERY, "d/sa.json": service_account()})
    assert [found.id for found in read.clusters] == [cluster_arn()]
    assert read.discoveries[0].cluster == read.service_accounts[0].cluster == cluster_arn()


def test_a_discovery_document_of_another_issuer_is_another_cluster():
    read = inventory({"c.json": cluster(issuer=OTHER_ISSUER), "d.json": DISCOVERY})
    assert len(read.clusters) == 2


def test_the_issuer_of_a_code_host_is_no_cluster():
    claims = ["sub", "aud", "iss", "repository", "actor"]
    read = inventory({"d.json": {**DISCOVERY, "claims_supported": claims}})
    assert read.clusters == ()
    assert len(read.discoveries) == 1


def test_a_placeholder_is_no_algorithm_that_is_not_supported():
    documents = {
        "d.json": {**DISCOVERY, "id_token_signing_alg_values_supported": ["${alg}"]},
        "keys.json": {"keys": [{**KEYS["keys"][0], "alg": "${alg}", "kty": "${kty}"}]},
    }
    read = inventory(documents)
    assert (read.discoveries[0].algorithms, read.signing_keys[0].alg) == (("",), "")
    assert found(documents) == found({"d.json": DISCOVERY})
    documents["keys.json"]["keys"][0]["alg"] = "HS256"
    assert "alg-unsupported" in {rule for rule, _ in found(documents)}


def test_keys_are_read_one_by_one_and_belong_to_the_cluster_of_their_folder():
    read = inventory({"c.json": cluster(), "keys.json": KEYS})
    assert [(key.kid, key.kty, key.alg, key.cluster) for key in read.signing_keys] == [("1", "RSA", "RS256", cluster_arn())]
    assert [row.status for row in read.documents] == ["read", "read", "unreadable"]
