"""What changes between two intents."""

import json

import pytest

from irsa_doctor.answers.intents.changes import intent_changes
from irsa_doctor.sources.intents import intent_of
from tests.answers.intents.drawing import ACCOUNTS, arn, issuer

CLUSTERS = {"shop": {"arn": arn("shop"), "issuer": issuer(0)}, "lab": issuer(1)}


def intent(roles, **clusters):
    document = {"intent": 1, "account": ACCOUNTS[0], "clusters": clusters or CLUSTERS, "roles": roles}
    return intent_of("intent.yaml", json.dumps(document).encode())


def only(account, **more):
    return {"service-accounts": {"shop": account}, **more}


@pytest.mark.parametrize(
    ("old", "new", "change", "gained", "lost"),
    [
        (only("a/x"), only("a/x"), "same", (), ()),
        (only("a/x"), only(["a/x", "a/y"]), "widened", ("a:y",), ()),
        (only(["a/x", "a/y"]), only("a/x"), "narrowed", (), ("a:y",)),
        (only("a/x"), only("a/y"), "changed", ("a:y",), ("a:x",)),
        (only("a/x"), only("a/x", audience="other"), "changed", ("a:x",), ("a:x",)),
        (only(["a/x", "a/y"]), only(["a/y", "a/x"]), "same", (), ()),
        (only("a/x", **{"max-session": 3600}), only("a/x"), "same", (), ()),
    ],
)
def test_who_is_newly_meant_and_who_no_longer(old, new, change, gained, lost):
    (row,) = intent_changes(intent({"cart": old}), intent({"cart": new}))
    assert (row.change, row.gained.patterns, row.lost.patterns) == (
        change,
        tuple(f"system:serviceaccount:{name}" for name in gained),
        tuple(f"system:serviceaccount:{name}" for name in lost),
    )


def test_who_is_of_a_namespace_that_was_meant_is_not_new():
    whole = {"clusters": ["shop"], "namespaces": {"a": "on demand"}}
    (wider,) = intent_changes(intent({"cart": only("a/x")}), intent({"cart": whole}))
    assert (wider.change, wider.gained.patterns, wider.lost.patterns) == ("widened", ("system:serviceaccount:a:*",), ())
    assert wider.gained.witness == "system:serviceaccount:a:a"
    (narrower,) = intent_changes(intent({"cart": whole}), intent({"cart": only("a/x")}))
    assert (narrower.change, narrower.lost.patterns) == ("narrowed", ("system:serviceaccount:a:*",))


def test_another_cluster_is_a_change_of_its_own_provider():
    rows = intent_changes(intent({"cart": only("a/x")}), intent({"cart": "a/x"}))
    assert {row.provider.rpartition("oidc-provider/")[2]: row.change for row in rows} == {
        issuer(0).removeprefix("https://"): "same",
        issuer(1).removeprefix("https://"): "widened",
    }


def test_roles_come_and_go():
    rows = intent_changes(intent({"old": only("a/x")}), intent({"new": only("a/x")}))
    assert {row.role.rpartition("/")[2]: row.change for row in rows} == {"old": "removed", "new": "added"}


@pytest.mark.parametrize("before", [{"old": arn("shop")}, {"old": {"issuer": issuer(0), "arn": arn("shop")}}])
def test_a_cluster_under_a_new_name_or_with_its_issuer_is_no_change(before):
    (row,) = intent_changes(intent({"cart": "a/x"}, **before), intent({"cart": "a/x"}, shop=CLUSTERS["shop"]))
    assert row.change == "same"


def test_from_web_identity_to_pod_identity_is_one_gained_and_one_lost():
    rows = intent_changes(intent({"cart": only("a/x")}), intent({"cart": only("a/x", via="pod-identity")}))
    assert sorted(row.change for row in rows) == ["narrowed", "widened"]
