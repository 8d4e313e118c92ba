"""Network policies that keep a pod from STS."""

import pytest

from irsa_doctor.answers.why import symptoms_in
from tests.answers.why import world as w
from tests.answers.why.test_pod_identity_agent import policy
from tests.answers.why.world import POD, why, world

DNS = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
KEPT = {
    "nothing": policy([], policyTypes=["Egress"]),
    "DNS alone": policy([DNS, {"ports": [{"port": 53}]}]),
    "other pods": policy([{"to": [{"podSelector": {}}, {"namespaceSelector": {}}]}]),
    "another port": policy([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 80}]}]),
    "cilium, the cluster": policy([{"toEntities": ["cluster", "host"]}], kind="CiliumNetworkPolicy"),
    "cilium, pods": policy([{"toEndpoints": [{}]}], kind="CiliumClusterwideNetworkPolicy"),
    "cilium, another port": policy(
        [{"toEntities": ["world"], "toPorts": [{"ports": [{"port": "53"}]}]}], kind="CiliumNetworkPolicy"
    ),
}
ALLOWED = {
    "everything": policy([{}]),
    "the VPC": policy([{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 443}]}]),
    "a range of ports": policy([{"ports": [{"port": 400, "endPort": 500}]}]),
    "a port with a name": policy([{"ports": [{"port": "https"}]}]),
    "other pods are selected": policy([], {"app": "web"}, policyTypes=["Egress"]),
    "cilium, a name": policy([{"toFQDNs": [{"matchPattern": "*.amazonaws.com"}]}], kind="CiliumNetworkPolicy"),
    "cilium, the world": policy([{"toEntities": ["world"]}], kind="CiliumNetworkPolicy"),
    "cilium, no default": policy([{"toEntities": ["host"]}], kind="CiliumNetworkPolicy", enableDefaultDeny={"egress": False}),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_pod_that_no_rule_lets_out_is_never_said_to_work(name):
    found = why(dict(world(), **{"policy.json": KEPT[name]}), POD)
    assert found.verdict == "unknown"
    assert w.causes(found) == [("proxy-or-mesh-blocks-sts", "likely")]


@pytest.mark.parametrize("name", ALLOWED)
def test_a_rule_that_may_mean_sts_keeps_nobody_out(name):
    found = why(dict(world(), **{"policy.json": ALLOWED[name]}), POD)
    assert (found.verdict, w.causes(found)) == ("works", [])


def test_a_second_policy_may_allow_it():
    found = why(dict(world(), **{"policy.json": policy([], policyTypes=["Egress"]), "other.json": policy([{}])}), POD)
    assert found.verdict == "works"


def test_the_network_of_the_node_is_under_no_policy():
    documents = world()
    w.spec(documents)["hostNetwork"] = True
    assert why(dict(documents, **{"policy.json": policy([], policyTypes=["Egress"])}), POD).verdict == "works"


def test_a_policy_comes_before_other_causes_of_a_message_that_tells_of_a_timeout():
    text = 'Post "https://sts.eu-west-1.amazonaws.com/": dial tcp 10.0.0.7:443: i/o timeout'
    found = why(dict(world(), **{"policy.json": policy([DNS])}), POD, symptoms=symptoms_in(text), failing=True)
    assert found.verdict == "broken"
    assert w.causes(found)[0] == ("proxy-or-mesh-blocks-sts", "likely")


def test_an_answer_of_sts_shows_that_the_policy_has_no_effect():
    text = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
    found = why(dict(world(), **{"policy.json": policy([DNS])}), POD, symptoms=symptoms_in(text), failing=True)
    assert "proxy-or-mesh-blocks-sts" not in dict(w.causes(found))
