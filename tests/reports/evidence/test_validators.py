"""Evidence as others read it: OSCAL by two readers, OCSF by the schema of its version and by py-ocsf-models."""

import json
import re
import subprocess
from collections import Counter

import pytest

from irsa_doctor.reports.evidence.oscal import control_token
from tests.reports.evidence.stores import PYTHON, rendered, three_runs
from tests.servers.programs import skipped_without

TRESTLE = """
import json, sys
from trestle.oscal.assessment_results import Model
print(len(Model.model_validate(json.load(open(sys.argv[1]))).assessment_results.results))
"""
METASCHEMA = """
import sys
from oscal import OSCAL
document = OSCAL.load(sys.argv[1])
assert document is not None and document.is_valid, document and document.validation_errors
"""
OCSF_SCHEMA = """
import json, sys
import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.6.0")).get_class_schema("compliance_finding", profiles=["cloud"])
validator = jsonschema.validators.validator_for(schema)(schema)
errors = [error.message for event in json.load(open(sys.argv[1])) for error in validator.iter_errors(event)]
assert not errors, errors[:3]
"""
OCSF_MODELS = """
import json, sys
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
print(len([ComplianceFinding(**event) for event in json.load(open(sys.argv[1]))]))
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return three_runs(tmp_path_factory.mktemp("validated"))


@pytest.mark.parametrize(
    ("output_format", "reader"),
    [("oscal", TRESTLE), ("oscal", METASCHEMA), ("ocsf", OCSF_SCHEMA), ("ocsf", OCSF_MODELS)],
    ids=["trestle", "metaschema", "ocsf-schema", "ocsf-models"],
)
@skipped_without("evidence", PYTHON.exists(), "the readers of evidence are not there: make validators")
def test_others_read_it(store, tmp_path, output_format, reader):
    file = tmp_path / f"{output_format}.json"
    file.write_text(rendered(store, output_format), encoding="utf-8")
    done = subprocess.run(
        [PYTHON, "-W", "ignore", "-c", reader, file], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_oscal_has_no_satisfied_control_that_is_not_proved(store):
    document = json.loads(rendered(store, "json"))
    result = json.loads(rendered(store, "oscal"))["assessment-results"]["results"][0]
    states = {f["target"]["target-id"]: f["target"]["status"]["state"] for f in result["findings"]}
    verdicts = {control_token(c["id"]): c["verdict"] for c in document["controls"]}
    assert set(states) == {ident for ident, verdict in verdicts.items() if verdict != "not covered"}
    assert all((states[ident] == "satisfied") is (verdicts[ident] == "pass") for ident in states)
    (selection,) = result["reviewed-controls"]["control-selections"]
    assert {c["control-id"] for c in selection["exclude-controls"]} == set(verdicts) - set(states)


def test_every_id_of_oscal_stands_once(store):
    idents = re.findall(r'"uuid": "([^"]+)"', rendered(store, "oscal"))
    assert len(idents) == len(set(idents)) > 3


def test_an_assessment_plan_can_be_named(store):
    results = json.loads(rendered(store, "oscal", plan="https://example.com/plan.json"))["assessment-results"]
    assert results["import-ap"]["href"] == "https://example.com/plan.json"
    assert "back-matter" not in results


@pytest.mark.parametrize(
    ("control", "framework", "token"),
    [("CC6.1", "soc2", "cc6.1"), ("5.15", "iso27001", "c-5.15"), ("AC-2(1)", "nist-800-53", "ac-2.1")],
)
def test_ids_of_controls_become_tokens(control, framework, token):
    assert control_token(control, framework) == token


def test_ocsf_has_an_event_for_each_item_that_was_tested(store):
    document = json.loads(rendered(store, "json"))
    events = json.loads(rendered(store, "ocsf"))
    wanted = {"passed": 1, "unknown": 2, "failed": 3, "waived": 3}
    items = Counter(wanted[i["result"]] for c in document["controls"] for i in c["items"] if i["result"] in wanted)
    assert Counter(event["compliance"]["status_id"] for event in events) == items
    assert {event["metadata"]["version"] for event in events} == {"1.6.0"}
    assert all(event["type_uid"] == 200300 + event["activity_id"] for event in events)
    suppressed = [event for event in events if event["status_id"] == 3]
    assert suppressed
    assert all("head of platform" in event["comment"] for event in suppressed)


def test_ocsf_as_lines(store):
    lines = rendered(store, "ocsf", lines=True).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(rendered(store, "ocsf"))
