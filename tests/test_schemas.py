import json

import pytest
from jsonschema import Draft202012Validator

from irsa_doctor.reports import Style
from irsa_doctor.reports.json import render_json
from irsa_doctor.reports.schemas import made_schemas, schema_names, schema_text
from tests.cli.running import RIGHT, put, run
from tests.reports.saying import REPORTS, WORLDS

CHECKED = ("check", "who-can", "rules", "diff")

CALLS = [
    ("check", ("check", "shop", "--exit-zero")),
    ("check", ("check", "shop", "--exit-zero", "--framework", "soc2", "--ignore", "open-aud-only")),
    ("check", ("check", "healthy", "--complete", "serviceaccounts")),
    ("who-can", ("who-can", "shop-batch-reports", "shop")),
    ("who-can", ("who-can", "shop-node", "shop")),
    ("rules", ("rules", "list")),
    ("diff", ("diff", "shop", "healthy", "--exit-zero")),
]


def validator(name):
    schema = json.loads(schema_text(name))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize(("name", "call"), CALLS, ids=lambda part: part if isinstance(part, str) else " ".join(part))
def test_what_a_command_writes_fits_its_schema(name, call):
    done = run(*call, "-f", "json", cwd=WORLDS)
    document = json.loads(done.stdout)
    assert document["schema"] == f"irsa-doctor.{name}/1"
    assert set(document["tool"]) == {"version", "rules_digest"}
    assert [error.message for error in validator(name).iter_errors(document)] == []


@pytest.mark.parametrize("name", REPORTS)
def test_whatever_was_found_fits_the_schema(name):
    document = json.loads(render_json(REPORTS[name](), Style()))
    assert [error.message for error in validator("check").iter_errors(document)] == []


@pytest.mark.parametrize("name", CHECKED)
def test_a_schema_wants_every_field_and_lets_fields_be_added(name):
    schema = json.loads(schema_text(name))
    document = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    document_fields = {field for field, part in document["properties"].items() if "default" not in part}
    assert set(document["required"]) == document_fields
    assert schema["title"]
    for part in schema["$defs"].values():
        assert part["title"]
        assert part["description"]
        assert part.get("additionalProperties") is not False


def test_what_simulate_answers_fits_its_schema(tmp_path):
    request = {"account": "111122223333", "issuer": "https://oidc.example.com", "context": {}}
    lines = [{"id": 1, "policy": RIGHT, "request": request}, {"id": 2}, {"id": 3, "policy_text": "{", "request": request}]
    file = put(tmp_path / "in.jsonl", "\n".join(map(json.dumps, lines)))
    answers = [json.loads(line) for line in run("simulate", "--vectors", file, cwd=tmp_path).stdout.splitlines()]
    assert len(answers) == 3
    for answer in answers:
        assert [error.message for error in validator("simulate").iter_errors(answer)] == []


@pytest.mark.parametrize("name", schema_names())
def test_the_command_prints_every_schema(name, tmp_path):
    done = run("schema", name, cwd=tmp_path)
    assert name in json.loads(done.stdout)["$id"]


def test_a_schema_that_is_not_there_is_met_by_those_that_are(tmp_path):
    done = run("schema", "cheque", cwd=tmp_path)
    assert done.returncode == 2
    assert "check, " in done.stderr


def test_what_is_shipped_is_what_the_records_say():
    for name, schema in made_schemas().items():
        assert in_any_order(json.loads(schema_text(name))) == in_any_order(json.loads(json.dumps(schema)))


def in_any_order(schema):
    """A schema whose alternatives are sorted: versions of msgspec list them in different orders, which means the same."""
    if isinstance(schema, dict):
        values = {key: in_any_order(value) for key, value in schema.items()}
        return values | ({"anyOf": sorted(values["anyOf"], key=json.dumps)} if isinstance(values.get("anyOf"), list) else {})
    return [in_any_order(item) for item in schema] if isinstance(schema, list) else schema
