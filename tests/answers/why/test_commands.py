"""The commands of a diagnosis can be pasted: no placeholders, and what they write settles what they are shown for."""

import json
import re
import subprocess

import pytest

from irsa_doctor.answers.why import Case
from irsa_doctor.answers.why.placeholders import fill_command
from irsa_doctor.facts import View
from irsa_doctor.model import Inventory
from irsa_doctor.rulebook.causes import shipped_causes
from tests.answers.check.test_fetching import shell
from tests.answers.why import world as w

RUNNABLE = ("aws ", "kubectl ", "curl ", "nslookup ", "irsa-doctor ", "az ", "gcloud ")
PLACEHOLDER = re.compile(r"\{[a-z_]+\}|\b(CLUSTER|REGION|POD|NAMESPACE|ARN|ID|FILE|ROLE|NAME|[A-Z]+_(NAME|ARN|ACCOUNT))\b")
ANSWERS = {
    "describe-cluster": "cluster.json",
    "get-open-id-connect-provider": "provider.json",
    "list-open-id-connect-providers": "providers.json",
    "list-pod-identity-associations": "associations.json",
    "get serviceaccount": "account.json",
    "get mutatingwebhookconfigurations": "webhook.json",
    "get pod": "pod.json",
}


def answer_of(command):
    """What AWS or the cluster of the healthy world answers to a command."""
    healthy = w.healthy()
    if "get-role" in command or "get-account-authorization-details" in command:
        role = healthy["roles.json"]["RoleDetailList"][0]
        return {"Role": role} if "get-role" in command else healthy["roles.json"]
    if "openid-configuration" in command:
        return {"issuer": f"https://{w.ISSUER}", "jwks_uri": f"https://{w.ISSUER}/keys"}
    return healthy[next(path for words, path in ANSWERS.items() if words in command)]


def written(command, folder):
    """The files that a command writes, by path."""
    shell(command, folder, json.dumps(answer_of(command)))
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


ABSENT = [
    *(("cluster.json",), ("provider.json",), ("providers.json", "provider.json"), ("roles.json",), ("account.json",)),
    *(("webhook.json", "pod.json"), ("account.json", "roles.json"), ("cluster.json", "clusters.json")),
]


@pytest.mark.parametrize("absent", ABSENT, ids="-".join)
def test_what_the_command_of_a_link_writes_settles_the_link(absent, tmp_path):
    documents = {path: content for path, content in w.world().items() if path not in absent}
    before = w.why(documents, complete=())
    writing = [link for link in before.links if link.verdict == "unknown" and " > " in link.settle]
    assert writing
    for number, link in enumerate(writing):
        (tmp_path / str(number)).mkdir()
        files = written(link.settle, tmp_path / str(number))
        assert files, link.settle
        after = w.why({**documents, **files}, complete=())
        assert w.verdicts(after)[link.id] != "unknown", link.settle


def test_the_issuer_of_an_unknown_cluster_is_read_from_the_cluster_itself(tmp_path):
    documents = {path: content for path, content in w.world().items() if path not in ("cluster.json", "clusters.json")}
    issuer = next(link for link in w.why(documents).links if link.id == "issuer")
    assert issuer.settle == "kubectl get --raw /.well-known/openid-configuration > openid-configuration.json"
    after = w.why({**documents, **written(issuer.settle, tmp_path)})
    assert w.verdicts(after)["issuer"] == "pass"


KNOWN = {"nothing": {}, "a namespace": {"namespace": "a b"}, "an account": {"namespace": "payments", "service_account": "web"}}


def commands_of_the_rulebook():
    return sorted({cause.settle for cause in shipped_causes().by_id.values() if cause.settle})


@pytest.mark.parametrize("template", commands_of_the_rulebook())
@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN)
def test_a_command_of_a_cause_has_no_placeholders_whatever_is_known(template, known):
    filled = fill_command(template, Case(view=View(Inventory()), locate=lambda place, key: (0, 0, 0, 0, "", 0), **known))
    assert not filled.startswith(RUNNABLE) or not PLACEHOLDER.search(filled), filled
    if filled.startswith(RUNNABLE):
        assert subprocess.run(["/bin/sh", "-n", "-c", filled], check=False, capture_output=True).returncode == 0


def test_no_command_of_a_diagnosis_has_placeholders():
    for absent in w.world():
        documents = {path: content for path, content in w.world().items() if path != absent}
        diagnosis = w.why(documents, complete=())
        commands = [*(link.settle for link in diagnosis.links), *(cause.settle for cause in diagnosis.causes)]
        commands += [need.command for link in diagnosis.links for need in link.needs]
        assert [command for command in commands if command.startswith(RUNNABLE) and PLACEHOLDER.search(command)] == []


def test_a_deployment_is_named_where_no_pod_is_in_the_input():
    documents = {**w.world(), "pod.json": w.deployment()}
    sdk = next(link for link in w.why(documents, "deployment/payments/checkout").links if link.id == "sdk")
    assert sdk.settle == "kubectl exec -n payments deployment/checkout -- aws sts get-caller-identity"


def test_a_region_that_is_not_known_is_that_of_the_container():
    documents = {path: content for path, content in w.world().items() if path not in ("cluster.json", "clusters.json")}
    endpoint = next(link for link in w.why(documents).links if link.id == "sts-endpoint")
    assert endpoint.settle == "kubectl exec -n payments checkout-0 -- sh -c 'curl -sS https://sts.$AWS_REGION.amazonaws.com'"
