"""Controls of which items may be in what could not be read, and controls that have none."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from irsa_doctor import api
from tests.cli.running import RIGHT, put
from tests.reports.evidence.stores import rendered, three_runs
from tests.store.runs import named

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return three_runs(tmp_path_factory.mktemp("unread"))


@pytest.fixture(scope="module")
def document(store):
    return json.loads(rendered(store, "json"))


def one_account(folder, *, state, missing=()):
    """A store of one run over an account that is right, and one more of some state of which nothing was read."""
    accounts = ("111122223333", "444455556666")
    origin = {"account": accounts[0], "cluster": ""}
    roles = {"Roles": [named("right", RIGHT)], "IsTruncated": False}
    documents = [{"path": "aws://111122223333/iam/roles", "origin": origin, "kind": "iam-list-roles", "document": roles}]
    snapshot = {
        "schema": "irsa-doctor.snapshot/1",
        "tool": {"version": "0"},
        "taken": "2026-01-05T06:00:00Z",
        "redacted": False,
    }
    put(folder / "in" / "aws.json", {**snapshot, "documents": documents, "asked": [], "missing": list(missing)})
    rows = [{"id": ident, "name": "", "ou": ["r-1"], "state": "read", "taken": snapshot["taken"]} for ident in accounts[:1]]
    rows += [{"id": accounts[1], "name": "", "ou": ["r-1"], "state": state, "why": "no", "taken": ""}] if state else []
    put(folder / "in" / "manifest.json", {"schema": "irsa-doctor.manifest/1", "accounts": rows, "shards": []})
    store = str(folder / "audit.db")
    api.audit([str(folder / "in")], store=store, as_of=BEGIN + timedelta(days=4), max_age=timedelta(days=400))
    return store


REGION = {"collection": "clusters", "owner": "111122223333", "name": "us-east-1", "missing": "clusters: denied", "how": ""}
ROLES = {"collection": "roles", "owner": "111122223333", "name": "", "missing": "roles: denied", "how": ""}


@pytest.mark.parametrize(
    ("state", "missing", "kinds"),
    [
        ("", [], set()),
        ("excluded", [], set()),
        ("unknown", [], {"role", "grant", "provider", "cluster", "service-account"}),
        ("", [REGION], {"cluster", "service-account"}),
        ("", [ROLES], {"role", "grant", "policy"}),
    ],
)
def test_what_could_not_be_read_may_have_more_items(tmp_path, state, missing, kinds):
    evidence = api.audit_report(store=one_account(tmp_path, state=state, missing=missing), frameworks=["soc2"])
    hidden = evidence.scope.hidden_kinds()
    assert kinds <= hidden
    assert bool(hidden) == bool(kinds)
    assert ("role" in hidden) == ("role" in kinds)
    # what is not of the account is not hidden from a report of it
    assert not evidence.scope.hidden_kinds("999900001111")


def test_a_control_does_not_pass_while_an_account_is_unread(tmp_path):
    """All that was seen passed; what was not seen is unknown, and no pass."""
    from irsa_doctor.answers.audit import evidence as module

    passed = {"passed": 3}
    relations = (module.RuleRelation("open-aud-only", "supports"),)
    assert module._verdict(relations, passed, may_lack_items=False) == "pass"
    assert module._verdict(relations, passed, may_lack_items=True) == "unknown"
    assert module._verdict(relations, {"waived": 1}, may_lack_items=True) == "unknown"
    assert module._verdict(relations, {"failed": 1}, may_lack_items=True) == "fail"
    store = one_account(tmp_path, state="unknown")
    document = json.loads(rendered(store, "json"))
    assert not [c["id"] for c in document["controls"] if c["verdict"] == "pass"]
    assert all(c["may_lack_items"] for c in document["controls"] if c["population"])
    for output_format in ("html", "markdown", "oscal"):
        assert "could not be read may have more items" in rendered(store, output_format)


def test_csv_of_a_framework_without_items_has_a_row_for_each_control(store, document):
    rows = list(csv.DictReader(io.StringIO(rendered(store, "csv", account="444455556666").removeprefix("\ufeff"))))
    assert {row["control"] for row in rows} == {c["id"] for c in document["controls"]}
    assert {row["result"] for row in rows} == {"not covered", "not examined"}
