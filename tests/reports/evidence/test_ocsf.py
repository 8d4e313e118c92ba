"""Events of OCSF: what an item that passed says, and how large an event can get."""

import json

import pytest

from tests.reports.evidence.stores import rendered, three_runs
from tests.store.runs import OPEN, audited, named

LARGEST_FINDING = 240 * 1024
"""https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html"""


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    return json.loads(rendered(three_runs(tmp_path_factory.mktemp("events")), "ocsf"))


def with_status(events, status):
    return [event for event in events if event["compliance"]["status"] == status]


def test_an_event_of_what_passed_says_nothing_of_what_would_be_wrong(events):
    passed = with_status(events, "Pass")
    assert passed
    for event in passed:
        assert event["finding_info"]["title"] == event["compliance"]["desc"]
        assert not {"remediation"} & event.keys()
        assert "types" not in event["finding_info"]
        assert all(detail.startswith("passed by ") for detail in event["compliance"]["status_details"])


def test_an_event_of_what_failed_has_the_rules_and_what_to_do(events):
    failed = with_status(events, "Fail")
    assert failed
    for event in failed:
        assert event["finding_info"]["types"]
        assert event["remediation"]["desc"]
        assert event["remediation"]["references"]


def test_no_name_makes_an_event_too_long_to_be_taken(tmp_path):
    annotations = {"eks.amazonaws.com/role-arn": f"arn:aws:iam::111122223333:role/{'ab9k' * 60_000}"}
    account = {"kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "app", "annotations": annotations}}
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "account.json").write_text(json.dumps({"apiVersion": "v1", **account}))
    audited(tmp_path, named("open", OPEN))
    text = rendered(str(tmp_path / "audit.db"), "ocsf", lines=True)
    long = [event for line in text.splitlines() if "role/ab9k" in (event := line)]
    assert long
    assert max(map(len, long)) < LARGEST_FINDING / 4
    assert all("(240,0" in json.loads(event)["resources"][0]["name"] for event in long)


def test_events_are_written_without_spaces(events, tmp_path):
    store = three_runs(tmp_path)
    lines = rendered(store, "ocsf", lines=True).splitlines()
    assert len(lines) == len(events)
    assert all(json.dumps(json.loads(line), separators=(",", ":")) == line for line in lines)
