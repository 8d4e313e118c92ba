"""Network policies of Calico that keep a pod from STS, or from the agent of EKS Pod Identity."""

import pytest

from irsa_doctor.sources.documents.calico import pods_selected
from tests.answers.why import world as w
from tests.answers.why.test_pod_identity import pod_identity_world
from tests.answers.why.test_pod_identity_agent import labelled
from tests.answers.why.world import POD, why, world
from tests.sources.templates.made import row_of
from tests.sources.worlds import inventory

DNS = {"action": "Allow", "protocol": "UDP", "destination": {"ports": [53]}}
AGENT = {"action": "Allow", "protocol": "TCP", "destination": {"nets": ["169.254.170.23/32"], "ports": [80]}}
HTTPS = {"action": "Allow", "protocol": "TCP", "destination": {"ports": [443]}}


def policy(egress, kind="NetworkPolicy", api="projectcalico.org/v3", **spec):
    metadata = {"name": "limits"} if kind.startswith("Global") else {"name": "limits", "namespace": "payments"}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": {"types": ["Egress"], "egress": egress, **spec}}


KEPT = {
    "nothing": policy([]),
    "DNS alone": policy([DNS], selector="app == 'checkout'"),
    "of the whole cluster": policy([DNS], "GlobalNetworkPolicy"),
    "as the data store has it": policy([DNS], "GlobalNetworkPolicy", "crd.projectcalico.org/v1"),
    "of one namespace by its name": policy(
        [DNS], "GlobalNetworkPolicy", namespaceSelector="projectcalico.org/name == 'payments'"
    ),
    "pods alone": policy([{"action": "Allow", "destination": {"selector": "all()"}}]),
    "denied before it is allowed": policy([{"action": "Deny"}, {"action": "Allow"}]),
    "logged and denied": policy([{"action": "Log"}, {"action": "Deny", "protocol": "TCP"}, {"action": "Allow"}]),
    "another port": policy([{"action": "Allow", "protocol": "TCP", "destination": {"ports": [53, "8000:9000"]}}]),
    "two terms": policy([], selector="app == 'checkout' && has(tier) && tier in {'back', 'middle'} && !has(x)"),
}
ALLOWED = {
    "everything": policy([{"action": "Allow"}]),
    "HTTPS and the agent": policy([HTTPS, AGENT]),
    "a range of ports": policy([{"action": "Allow", "protocol": "TCP", "destination": {"ports": ["1:1000"]}}]),
    "a port with a name": policy([{"action": "Allow", "protocol": "TCP", "destination": {"ports": ["https"]}}]),
    "handed on to the next tier": policy([{"action": "Pass"}]),
    "other pods are selected": policy([], selector="app == 'web'"),
    "other pods are selected by what they have not": policy([], selector="app != 'checkout'"),
    "another namespace": policy([], "GlobalNetworkPolicy", namespaceSelector="kubernetes.io/metadata.name == 'web'"),
    "ingress alone": policy([], types=["Ingress"]),
    "no types, and no egress": {**policy([]), "spec": {"ingress": [{"action": "Allow"}]}},
}


@pytest.mark.parametrize("name", KEPT)
def test_a_pod_that_no_rule_lets_out_is_never_said_to_work(name):
    documents = labelled(world())
    found = why(dict(documents, **{"policy.json": KEPT[name]}), POD)
    assert (found.verdict, w.causes(found)) == ("unknown", [("proxy-or-mesh-blocks-sts", "likely")])


@pytest.mark.parametrize("name", ALLOWED)
def test_a_rule_that_may_mean_sts_keeps_nobody_out(name):
    found = why(dict(labelled(world()), **{"policy.json": ALLOWED[name]}), POD)
    assert (found.verdict, w.causes(found)) == ("works", [])


@pytest.mark.parametrize("name", sorted(KEPT.keys() - {"another port"}))
def test_a_pod_that_no_rule_lets_to_the_agent_may_not_reach_it(name):
    documents = labelled(pod_identity_world())
    found = why(dict(documents, **{"policy.json": KEPT[name]}), POD)
    assert (found.verdict, w.causes(found)) == ("unknown", [("podid-agent-blocked", "likely")])


@pytest.mark.parametrize("name", ALLOWED)
def test_a_rule_that_may_mean_the_agent_keeps_nobody_from_it(name):
    found = why(dict(labelled(pod_identity_world()), **{"policy.json": ALLOWED[name]}), POD)
    assert (found.verdict, w.causes(found)) == ("works", [])


@pytest.mark.parametrize(
    "spec",
    [
        {"selector": "app == 'a' || app == 'checkout'"},
        {"selector": "!(app == 'a')"},
        {"selector": "projectcalico.org/serviceaccount == 'checkout'"},
        {"selector": "app contains 'check'"},
        {"serviceAccountSelector": "team == 'a'"},
        {"kind": "GlobalNetworkPolicy", "namespaceSelector": "team == 'a'"},
        {"selector": "x" * 5000},
    ],
)
def test_a_policy_of_which_it_is_not_known_whom_it_selects_is_named(spec):
    documents = dict(labelled(world()), **{"policy.json": policy([], **spec)})
    assert why(documents, POD).verdict == "works"
    assert "is not evaluated" in row_of(inventory(documents), "policy.json").why


@pytest.mark.parametrize("rule", [{"destination": 3}, {"action": None}, {"destination": {"ports": [None, "x:y", "9" * 20]}}])
def test_a_broken_rule_allows_nothing_and_breaks_nothing(rule):
    documents = dict(labelled(world()), **{"policy.json": policy([rule])})
    assert why(documents, POD).verdict in ("unknown", "works")


def test_terms_of_a_selector_are_those_of_kubernetes():
    selector = pods_selected("""a == "b" && c not in {'d', "e"} && f != 'g'""")
    assert selector.labels == {"a": "b"}
    assert selector.expressions == (("c", "NotIn", ("d", "e")), ("f", "NotIn", ("g",)))
