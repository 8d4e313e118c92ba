import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from irsa_doctor.generate import rule_schema
from irsa_doctor.rulebook import BASE, RuleError, read_rule_files, read_rules, rules_folder, shipped_rules

RULE = """\
id: some-rule
title: A title
subject: role
severity: high
confidence: high
require:
- name: holds
  facts: {contested: {const: false}}
message: '{role} is wrong.'
places: {policy: here}
why: Because.
remedy: Mend it.
references: []
examples:
  bad: [{name: a, patch: {}}]
  good: [{name: b, patch: {}}]
"""


def put(folder: Path, text: str, name: str = "some-rule.yaml") -> Path:
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / name).write_text(text, encoding="utf-8")
    return folder


def test_a_rule_is_read_with_its_family(tmp_path):
    assert [(rule.id, rule.family) for rule in read_rules(put(tmp_path, RULE))] == [("some-rule", "mine")]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("contested: {", "contsted: {", 'a role has no fact contsted. Did you mean "contested"?'),
        ("subject: role", "subject: rolle", "no subject kind rolle"),
        ("const: false", "pattern: x", "pattern is outside the vocabulary"),
        ("const: false", "not: {$ref: x}", "$ref is outside the vocabulary"),
        ("severity: high", "severity: dire", "severity is one of"),
        ("id: some-rule", "id: other-rule", "the file name says some-rule"),
        ("title: A title", "titel: A title", "titel"),
        ("[{name: a, patch: {}}]", "[]", "no bad example"),
        ("[{name: b, patch: {}}]", "[]", "no good example"),
        ("require:\n- name: holds\n  facts: {contested: {const: false}}", "require: []", "require has no clause"),
        ("places: {policy: here}", "places: {}", "places names none"),
        ("subject: role", "subject: [role", "some-rule.yaml:4: "),
        (RULE, "[]", "a rule is a mapping"),
        (RULE, "", "a rule is a mapping"),
        (RULE, "!!python/object/apply:os.system [id]", "some-rule.yaml:1: "),
    ],
)
def test_a_rule_that_could_not_work_is_refused_with_its_file_and_why(tmp_path, old, new, says):
    assert old in RULE
    with pytest.raises(RuleError) as caught:
        read_rules(put(tmp_path, RULE.replace(old, new)))
    assert "some-rule.yaml" in str(caught.value)
    assert says in str(caught.value)


def test_two_rules_of_one_id_are_refused(tmp_path):
    put(tmp_path, RULE)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "some-rule.yaml").write_text(RULE, encoding="utf-8")
    with pytest.raises(RuleError, match="the id some-rule is that of"):
        read_rules(tmp_path)


@pytest.mark.parametrize("folder", ["not-there", "."])
def test_a_folder_without_rules_is_refused(tmp_path, folder):
    with pytest.raises(RuleError):
        read_rules(tmp_path / folder)


def test_the_index_holds_every_rule_file():
    assert [rule.id for rule in shipped_rules()] == [file.rule.id for file in read_rule_files(rules_folder())]


def test_every_rule_file_fits_the_schema_that_editors_use():
    validator = Draft202012Validator(rule_schema())
    for path in rules_folder().rglob("*.yaml"):
        if path.name != BASE:
            errors = [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))]
            assert not errors, path


def test_every_rule_says_who_says_so_and_maps_to_controls_that_are_there():
    frameworks = json.loads((Path(__file__).parent.parent / "irsa_doctor/frameworks/frameworks.json").read_text())
    for rule in shipped_rules():
        assert rule.why.strip().endswith((".", "!", "?", ")", "`")), rule.id
        assert rule.remedy.strip(), rule.id
        for reference in rule.references:
            assert reference.url.startswith("https://"), rule.id
        for framework, controls in rule.controls.items():
            for control in controls:
                assert control.id in frameworks[framework]["controls"], (rule.id, framework, control.id)
                assert control.relation in ("supports", "related")
