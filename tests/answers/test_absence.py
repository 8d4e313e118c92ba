"""`check` and `why` never contradict each other on what is absent, whatever part of a world is in the input."""

import copy
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irsa_doctor.answers.check.judge import Input, judge
from irsa_doctor.answers.why import shipped_rulebook
from irsa_doctor.governance.governing import Governing
from irsa_doctor.governance.settings import Settings
from irsa_doctor.rulebook.rules import shipped_rules
from tests.answers.why import world as w

OTHER = w.ISSUER.replace("5D2A", "6E3B")
INPUTS = {
    "providers": r"OIDC providers? of account",
    "client ids": r"client ids of",
    "role": r"^(the )?roles? (of account|arn:)|trust policy",
    "issuer": r"issuer of (the )?cluster(?! of the service)",
    "webhook": r"mutating webhook",
    "accounts of workloads": r"service accounts of the namespaces",
    "account": r"^the service account ",
}
"""an input -> how `check` and `why` call it where it is missing"""
SETTLED_BY = {
    "provider": ("providers",),
    "audience": ("client ids",),
    "role": ("role",),
    "trust-policy": ("role",),
    "issuer": ("issuer",),
    "webhook": ("webhook",),
    "service-account": ("account", "accounts of workloads"),
}
"""a link -> the inputs without which it cannot be right or wrong"""
CHANGES = {
    "right": lambda d: None,
    "another subject": lambda d: w.equals(d).update({f"{w.ISSUER}:sub": "system:serviceaccount:payments:other"}),
    "another role": lambda d: w.role(d).update({"RoleName": "check", "Arn": w.ROLE[:-3]}),
    "another client id": lambda d: d["provider.json"].update({"ClientIDList": ["x"]}),
    "another provider": lambda d: d["providers.json"].update(
        {"OpenIDConnectProviderList": [{"Arn": w.PROVIDER.replace(w.ISSUER, OTHER)}]}
    ),
    "no annotation": lambda d: d["account.json"]["metadata"].update({"annotations": {}}),
    "a deployment": lambda d: d.update({"pod.json": w.deployment()}),
}


def _stage():
    issuer = {"oidc": {"issuer": f"https://{OTHER}"}}
    return {"cluster": {"name": "stage", "arn": w.CLUSTER.replace("prod", "stage"), "version": "1.33", "identity": issuer}}


@st.composite
def worlds(draw):
    """(documents, kinds that are complete): a part of the healthy world, with at most one change."""
    change = draw(st.sampled_from(sorted(CHANGES)))
    documents = w.world(CHANGES[change])
    kept = draw(st.sets(st.sampled_from(sorted(documents)), min_size=1))
    return {path: documents[path] for path in sorted(kept)}, tuple(draw(st.sets(st.sampled_from(w.WHOLE))))


def checked(documents, complete):
    loaded = w.loaded(copy.deepcopy(documents), complete)
    return judge(Input(loaded.inventory, loaded.documents), Governing(Settings(), list(shipped_rules())), date(2026, 1, 1))


def inputs_in(text):
    return {name for name, pattern in INPUTS.items() if re.search(pattern, text)}


def missing_for(link):
    unknown = link.verdict == "unknown" and link.because.startswith("not in the input: ")
    return inputs_in(link.because.removeprefix("not in the input: ")) if unknown else set()


def contradictions(report, diagnosis):
    """What the report and the diagnosis say of one input and cannot both be true.

    A role that trusts a deleted provider is a finding about the policy; `why` has it under the provider.
    """
    links = {link.id: link for link in diagnosis.links}
    link_of = shipped_rulebook().causes.link_of
    for missing in (row for row in report.unknown if OTHER not in row.missing):
        for link, needs in SETTLED_BY.items():
            if inputs_in(missing.missing) & set(needs) and _is_about_it(links[link], needs):
                yield f"check: {missing.missing} is missing; why: {link} {links[link].verdict}: {links[link].because}"
    for finding in report.findings:
        judged = links.get(link_of(finding.rule))
        passes = judged is not None and judged.verdict == "pass" and diagnosis.verdict != "broken"
        if judged and finding.severity != "low" and (passes or missing_for(judged) & set(SETTLED_BY.get(judged.id, ()))):
            yield f"check: {finding.rule}; why: {judged.id} {judged.verdict}: {judged.because}"
    unseen = set().union(*map(missing_for, diagnosis.links))
    for link, needs in SETTLED_BY.items():
        if unseen & set(needs) and links[link].verdict == "fail" and links[link].because.endswith(ABSENT):
            yield f"why: {sorted(unseen & set(needs))} is not in the input, and {link}: {links[link].because}"


ABSENT = ("does not exist in the cluster",)


def _is_about_it(link, needs):
    """Whether a link is decided by the input itself: a service account that is in the input needs no list."""
    if link.verdict not in ("pass", "fail"):
        return False
    return link.because.endswith(ABSENT) if "account" in needs else link.verdict == "pass"


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_check_and_why_never_contradict_each_other_on_what_is_absent(world):
    documents, complete = world
    report = checked(documents, complete)
    assert [*contradictions(report, w.why(documents, complete=complete))] == []


@pytest.mark.parametrize("cluster", [True, False])
def test_a_complete_list_of_service_accounts_proves_absence_in_both(cluster):
    kept = {"pod.json", "default.json", "roles.json"} | ({"cluster.json"} if cluster else set())
    documents = {path: content for path, content in w.world().items() if path in kept}
    report, diagnosis = checked(documents, ("serviceaccounts",)), w.why(documents, complete=("serviceaccounts",))
    assert ("service-account", "fail") in w.verdicts(diagnosis).items()
    assert not [row.missing for row in report.unknown if row.missing.startswith("service accounts of")]


def test_an_account_of_an_unknown_cluster_may_be_one_of_a_known_cluster():
    documents = w.world()
    own = {f"prod/{path}": documents[path] for path in ("cluster.json", "account.json")}
    stray = {"elsewhere/pod.json": documents["pod.json"], "stage/cluster.json": _stage()}
    for clusters in ({}, own):
        diagnosis = w.why({**stray, **clusters}, "pod/payments/checkout-0", complete=("serviceaccounts",))
        assert w.verdicts(diagnosis)["service-account"] == ("unknown" if clusters else "fail")


def test_what_two_clusters_lack_is_fetched_into_two_files():
    documents = {f"prod/{path}": content for path, content in w.world().items() if path in ("cluster.json", "roles.json")}
    documents["prod/account.json"] = w.world()["account.json"]
    documents["stage/cluster.json"] = _stage()
    documents["stage/account.json"] = w.world()["account.json"]
    rows = {row.missing: row for row in checked(documents, ()).unknown if row.how.startswith("kubectl ")}
    files = [row.file for row in rows.values()]
    assert len(set(files)) == len(files) > 1
    webhooks = rows["mutating webhook configurations of stage"]
    assert webhooks.file == "mutatingwebhookconfigurations-stage.yaml"
    assert webhooks.then == (
        "--complete mutatingwebhookconfigurations --cluster stage=mutatingwebhookconfigurations-stage.yaml"
    )
