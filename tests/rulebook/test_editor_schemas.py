"""The schemas for editors accept every file that is shipped, and refuse what the loader refuses."""

import json

import pytest
from jsonschema import Draft202012Validator

from irsa_doctor.rulebook.cause_files import causes_folder
from irsa_doctor.rulebook.files import BASE, rules_folder
from irsa_doctor.rulebook.yaml_files import read_yaml_file

RULES = sorted(path for path in rules_folder().rglob("*.yaml") if path.name != BASE)
CAUSES = sorted(causes_folder().glob("*.yaml"))


def validator(path):
    schema = json.loads(path.read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


RULE, CAUSE = validator(rules_folder() / "schema.json"), validator(causes_folder() / "schema.json")
SYMPTOMS = validator(causes_folder() / "symptoms-schema.json")


def schema_for(path):
    if path in RULES:
        return RULE
    return SYMPTOMS if path.name == "symptoms.yaml" else CAUSE


@pytest.mark.parametrize("path", [*RULES, *CAUSES], ids=lambda path: path.stem)
def test_a_shipped_file_fits_its_schema(path):
    assert [error.message for error in schema_for(path).iter_errors(read_yaml_file(path)[0])] == []


@pytest.mark.parametrize(
    "change",
    [{"link": "moon"}, {"signs": {"moon": "certain"}}, {"only": ["moon"]}, {"certainty": "sure"}, {"fix": ["moon"]}, {"x": 1}],
)
def test_a_word_that_there_is_not_is_refused(change):
    value = read_yaml_file(causes_folder() / "vpce-policy.yaml")[0] | change
    assert not CAUSE.is_valid(value)
