import os
from pathlib import Path

import pytest

from irsa_doctor.api.governed import all_rules
from irsa_doctor.governance.settings import Settings
from irsa_doctor.rulebook.files import BASE, read_rule_files, read_rules, rules_folder
from irsa_doctor.rulebook.folders import read_private
from irsa_doctor.rulebook.rules import RuleError

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


def put(folder: Path, text: str | bytes, name: str = "some-rule.yaml") -> Path:
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(RuleError) as caught:
        read_rules(folder)
    return str(caught.value)


def test_a_rule_is_read_with_its_family(tmp_path):
    assert [(rule.id, rule.family) for rule in read_rules(put(tmp_path, RULE))] == [("some-rule", "mine")]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("contested: {", "contsted: {", '8: a role has no fact contsted. Did you mean "contested"?'),
        ("subject: role", "subject: rolle", "3: no subject kind rolle: grant, role, "),
        ("subject: role", "subject: []", "3: subject names none"),
        ("subject: role", "subject: [role, grant]", "8: a grant has no fact contested."),
        ("const: false", "pattern: x", "8: pattern is outside the vocabulary of rule schemas (const, enum, not, "),
        ("const: false", "$ref: x", "8: $ref is outside the vocabulary"),
        ("const: false", "not: {$ref: x}", "8: $ref is outside the vocabulary"),
        ("const: false", "not: 5", "8: a schema is a mapping, not 5"),
        ("const: false", "enum: 5", "8: enum is a list of values"),
        ("const: false", "enum: []", "8: enum is a list of values"),
        ("const: false", "enum: [true, true]", "8: True stands twice"),
        ("const: false", "not: {enum: [[a]]}", "8: contested is true, false; never ['a']."),
        ("const: false", "const: 0", "8: contested is true, false; never 0."),
        ("const: false", "const: {a: b}", "8: contested is true, false; never {'a': 'b'}."),
        (
            "contested: {const: false}",
            "mixed: {enum: [acount]}",
            '8: mixed is account, everyone, no, service; never acount. Did you mean "account"?',
        ),
        ("const: false", "minimum: 1", "8: minimum is a whole number, of a fact that is one"),
        ("contested: {const: false}", "clusters: {maximum: x}", "8: maximum is a whole number"),
        ("{const: false}", "{}", "8: an empty schema asks nothing of contested"),
        ("{contested: {const: false}}", "{}", "8: the clause holds asks for no fact"),
        ("facts: {contested: {const: false}}", "facts: [contested]", "8: expected a mapping, found a list (require[0].facts)"),
        ("require:\n", "require:\n- name: holds\n  facts: {contested: {const: false}}\n", "9: two clauses are called holds"),
        ("require:\n- name: holds\n  facts: {contested: {const: false}}", "require: []", "6: require has no clause"),
        ("severity: high", "severity: dire", "4: severity is one of critical, high, medium, low; found 'dire'"),
        ("severity: high", "severity: {fact: mixed, values: {}, else: dire}", "4: else is one of critical, "),
        (
            "severity: high",
            "severity: {fact: moxed, values: {}, else: low}",
            '4: a role has no fact moxed. Did you mean "mixed"?',
        ),
        (
            "severity: high",
            "severity: {fact: mixed, values: {all: low}, else: low}",
            "4: mixed is account, everyone, no, service; never all.",
        ),
        ("severity: high", "severity: high\nseverity: low", "5: severity is given twice, first at line 4"),
        ("confidence: high", "confidence: sky", "5: confidence is one of high, medium, low; found 'sky'"),
        ("id: some-rule", "id: other-rule", "1: id is other-rule, the file name says some-rule"),
        ("title: A title", "titel: A title", '2: unknown key titel. Did you mean "title"?'),
        ("title: A title", "title: 5", "2: expected text, found a number: quote it (title)"),
        ("title: A title", "title: ' '", "2: title is empty"),
        ("title: A title\n", "", "1: title is missing"),
        ("title: A title", "title: A title\nfamily: yours", "3: unknown key family"),
        ("- name: holds\n", "- name: holds\n  fact: {}\n", '8: unknown key fact. Did you mean "facts"?'),
        ("{name: a, patch: {}}", "{name: a, ptch: {}}", '15: unknown key ptch. Did you mean "patch"?'),
        ("{name: a, patch: {}}", "{name: a, patch: 5}", "15: expected a mapping, found a number (examples.bad[0].patch)"),
        ("[{name: a, patch: {}}]", "[]", "15: no bad example"),
        ("[{name: b, patch: {}}]", "[]", "16: no good example"),
        ("  good: [{name: b, patch: {}}]\n", "", "14: good is missing"),
        ("examples:\n  bad: [{name: a, patch: {}}]\n  good: [{name: b, patch: {}}]\n", "", "1: no examples"),
        ("places: {policy: here}", "places: {}", "10: places names none"),
        ("{role} is", "{role.__class__} is", "9: braces hold a name in lower case"),
        ("{role} is", "{role!r} is", "not {role!r}"),
        ("{role} is", "{} is", "not {}"),
        ("{role} is", "{role is", "not {role is wrong."),
        ("policy: here", "policy: 'here {{role}}'", "10: braces hold a name"),
        ("[]\nexamples", "[{title: a, url: 'javascript:x()'}]\nexamples", "13: a reference begins with https://"),
        (
            "[]\nexamples",
            "[]\ncontrols: {soc2: [{id: CC6.1, relation: proves}]}\nexamples",
            "14: relation is one of related, supports",
        ),
        ("[]\nexamples", "[]\ncontrols: {iso27001: [{id: 5.15, relation: related}]}\nexamples", "found a number: quote it"),
        ("subject: role", "subject: [role", "4: not valid YAML: "),
        ("title: A title", "? [a]\n: b", "1: a member whose name is a list or an object"),
        ("[]\nexamples", "[]\n---\nexamples", "1: more than one document"),
        (RULE, "[]", "not a rule"),
        (RULE, "", "not a rule"),
        (RULE, "!!python/object/apply:os.system [id]", "not a rule"),
        (RULE, "[" * 200_000, "1: more than 100 levels deep"),
        (RULE, "a: &a [*a]", "aliases that exceed the limit on the size of a file"),
        (RULE, "\x00", "1: binary"),
    ],
)
def test_a_rule_that_could_not_work_is_refused_with_its_file_line_and_why(tmp_path, old, new, says):
    assert RULE.count(old) == 1
    said = refusal(put(tmp_path, RULE.replace(old, new)))
    assert said.startswith(f"{tmp_path / 'mine' / 'some-rule.yaml'}:")
    assert says in said
    assert "\n" not in said


def test_aliases_that_multiply_are_stopped(tmp_path):
    rows = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert "exceed the limit" in refusal(put(tmp_path, "x0: &x0 [a]\n" + rows + RULE))


def test_a_name_that_no_id_can_be_is_refused(tmp_path):
    said = refusal(put(tmp_path, RULE.replace("some-rule", "Some_Rule"), "Some_Rule.yaml"))
    assert "an id is lower case letters, digits and single dashes" in said


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_rule_may_be_written_in_any_unicode_encoding(tmp_path, encoding):
    assert read_rules(put(tmp_path, RULE.encode(encoding)))[0].title == "A title"


def test_what_is_no_file_or_far_too_large_is_not_waited_for(tmp_path):
    (tmp_path / "mine").mkdir()
    os.mkfifo(tmp_path / "mine" / "some-rule.yaml")
    assert refusal(tmp_path).endswith("some-rule.yaml: no file")
    os.unlink(tmp_path / "mine" / "some-rule.yaml")
    assert "too large for a rule" in refusal(put(tmp_path, RULE + "#" * (1 << 20)))


def test_a_rule_file_with_another_ending_is_not_passed_over(tmp_path):
    assert "the name of a rule file is its id and .yaml" in refusal(put(tmp_path, RULE, "some-rule.yml"))


def test_only_the_base_world_at_the_top_is_no_rule(tmp_path):
    put(tmp_path, RULE)
    (tmp_path / BASE).write_text("roles: {}", encoding="utf-8")
    assert [rule.id for rule in read_rules(tmp_path)] == ["some-rule"]
    assert "mine/base.yaml: not a rule" in refusal(put(tmp_path, "roles: {}", BASE))


@pytest.mark.parametrize("name", ["dependabot.yml", "deployment.yaml"])
def test_what_is_no_rule_is_named_with_the_folder_that_has_rules(tmp_path, name):
    (tmp_path / name).write_text("kind: Deployment", encoding="utf-8")
    assert refusal(tmp_path).endswith(
        f"{name}: not a rule (no subject, no require, no examples), and a folder of rules holds no other YAML files"
    )
    (tmp_path / "rules").mkdir()
    assert refusal(tmp_path).endswith(f". Did you mean the folder {tmp_path / 'rules'}?")


def test_what_begins_with_a_dot_belongs_to_other_tools(tmp_path):
    put(tmp_path, RULE)
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "dependabot.yml").write_text("version: 2", encoding="utf-8")
    assert [rule.id for rule in read_rules(tmp_path)] == ["some-rule"]


def test_a_file_is_no_folder_of_rules(tmp_path):
    put(tmp_path, RULE, "some-rule.yaml")
    with pytest.raises(RuleError, match="a file, not a folder of rules"):
        read_rules(tmp_path / "mine" / "some-rule.yaml")


def test_two_rules_of_one_id_are_refused(tmp_path):
    put(tmp_path, RULE)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "some-rule.yaml").write_text(RULE, encoding="utf-8")
    assert "the id some-rule is that of" in refusal(tmp_path)


def test_a_private_rule_does_not_take_the_id_of_a_built_in_one_or_of_another_folder(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = put(tmp_path / "one", RULE), put(tmp_path / "two", RULE)
    assert [file.rule.id for files in read_private([one]) for file in files.rules] == ["some-rule"]
    assert any(rule.id == "some-rule" for rule in all_rules(Settings(rules=(str(one),))))
    with pytest.raises(RuleError, match=r"two/mine/some-rule.yaml: the id some-rule is that of .*one/mine/some-rule.yaml"):
        read_private([one, two])
    taken = put(tmp_path, RULE.replace("some-rule", "open-no-sub"), "open-no-sub.yaml") / "mine"
    with pytest.raises(RuleError, match="the id open-no-sub is that of a built-in rule"):
        all_rules(Settings(rules=(str(taken),)))


@pytest.mark.parametrize(("folder", "says"), [("not-there", "no such folder"), (".", "no rule in this folder")])
def test_a_folder_without_rules_is_refused(tmp_path, folder, says):
    with pytest.raises(RuleError, match=says):
        read_rules(tmp_path / folder)


def test_the_rules_of_one_family_can_be_read_alone():
    assert {file.rule.family for file in read_rule_files(rules_folder() / "open")} == {"open"}
