import json
import shutil

import msgspec
import pytest
from jsonschema import Draft202012Validator

from irsa_doctor.rulebook.files import BASE, rules_folder
from irsa_doctor.rulebook.rules import shipped_rules
from tests.cli.running import run


def test_the_built_in_examples_are_run_where_no_folder_is_given(tmp_path):
    done = run("rules", "test", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{len(shipped_rules())} rules, ")
    assert done.stdout.endswith(" examples: all right\n")


def test_a_folder_of_rules_of_ones_own_is_tested_beside_the_built_in_ones(tmp_path):
    source = (rules_folder() / "open" / "open-aud-only.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine").mkdir()
    mine = source.replace("id: open-aud-only", "id: my-rule").replace(
        "    patch:", "    fires: [my-rule, open-aud-only]\n    patch:", 1
    )
    (tmp_path / "mine" / "my-rule.yaml").write_text(mine, encoding="utf-8")
    done = run("rules", "test", tmp_path, cwd=tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "1 rules, 2 examples: all right\n")


def test_what_is_wrong_is_told_and_exits_1(tmp_path):
    source = (rules_folder() / "open" / "open-aud-only.yaml").read_text(encoding="utf-8")
    (tmp_path / "my-rule.yaml").write_text(source.replace("id: open-aud-only", "id: my-rule"), encoding="utf-8")
    done = run("rules", "test", tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "my-rule: the subject is not checked: fires my-rule, open-aud-only; expected my-rule\n" in done.stderr
    assert done.stdout == "1 rules, 2 examples: 1 wrong\n"


@pytest.mark.parametrize("call", [("rules", "test"), ("check", "-", "--rules")])
def test_a_rule_that_could_not_work_is_one_line_and_exit_2(tmp_path, call):
    (tmp_path / "my-rule.yaml").write_text("id: [\x1b", encoding="utf-8")
    done = run(*call, tmp_path, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "my-rule.yaml:1: " in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("controls", "says"),
    [
        ("soc2:\n  - id: CC6.9\n    relation: related", "soc2 lists no control CC6.9: CC6.1, CC6.2, "),
        ("iso-27001:\n  - id: '5.15'\n    relation: related", 'no framework iso-27001. Did you mean "iso27001"?'),
    ],
)
def test_a_control_that_its_framework_does_not_list_is_exit_2_with_its_line(tmp_path, controls, says):
    source = (rules_folder() / "open" / "open-aud-only.yaml").read_text(encoding="utf-8")
    start, end = source.index("controls:"), source.index("examples:")
    mine = f"{source[:start]}controls:\n  {controls}\n{source[end:]}"
    (tmp_path / "open-aud-only.yaml").write_text(mine, encoding="utf-8")
    line = source[:start].count("\n") + (3 if "CC6.9" in controls else 2)
    done = run("rules", "test", tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert f"open-aud-only.yaml:{line}: {says}" in done.stderr


def test_a_framework_of_ones_own_is_accepted(tmp_path):
    source = (rules_folder() / "open" / "open-aud-only.yaml").read_text(encoding="utf-8")
    mine = source.replace("controls:\n", "controls:\n  our-handbook:\n  - id: A1\n    relation: supports\n")
    (tmp_path / "open-aud-only.yaml").write_text(mine, encoding="utf-8")
    assert run("rules", "test", tmp_path, cwd=tmp_path).returncode == 0


def test_the_list_is_by_family_or_a_document_with_a_schema(tmp_path):
    lines = run("rules", "list", cwd=tmp_path).stdout.splitlines()
    families = [line for line in lines if line and not line.startswith(" ")][:-1]
    assert families == sorted({rule.family for rule in shipped_rules()})
    assert len([line for line in lines if line.startswith("  ")]) == len(shipped_rules())
    document = json.loads(run("rules", "list", "-f", "json", cwd=tmp_path).stdout)
    Draft202012Validator(json.loads(run("schema", "rules", cwd=tmp_path).stdout)).validate(document)
    assert document["schema"] == "irsa-doctor.rules/1"
    assert set(document["tool"]) == {"version", "rules_digest"}
    assert [rule["id"] for rule in document["rules"]] == [r.id for r in sorted(shipped_rules(), key=lambda r: (r.family, r.id))]


@pytest.mark.parametrize("rule", ["open-no-sub", "open-sub-star", "partial-env-role-only", "waiver-unused"])
def test_show_and_explain_say_the_same_of_a_rule(tmp_path, rule):
    shown = run("rules", "show", rule, cwd=tmp_path).stdout
    assert shown == run("explain", rule, cwd=tmp_path).stdout
    known = next(known for known in shipped_rules() if known.id == rule)
    flat = " ".join(shown.split())
    for text in (known.title, known.why, known.remedy, *(reference.url for reference in known.references)):
        assert " ".join(text.split()) in flat
    for framework, controls in known.controls.items():
        assert f"{framework}: {', '.join(f'{c.id} ({c.relation})' for c in controls)}" in flat
    document = json.loads(run("rules", "show", rule, "-f", "json", cwd=tmp_path).stdout)
    assert document["rules"] == [msgspec.json.decode(msgspec.json.encode(known))]


def test_a_page_shows_what_is_wrong_beside_what_is_right(tmp_path):
    page = run("explain", "trust-action-typo", cwd=tmp_path).stdout
    assert page.index("Example: a letter is wrong") < page.index("wrong:") < page.index("WebIdendity") < page.index("right:")
    assert "sts:AssumeRoleWithWebIdentity" in page.partition("right:")[2]
    assert "\u200b" not in run("explain", "aud-invisible-char", cwd=tmp_path).stdout


@pytest.mark.parametrize("call", [("explain",), ("rules", "show")])
def test_an_unknown_name_is_exit_2_with_the_near_miss(tmp_path, call):
    done = run(*call, "open-nosub", cwd=tmp_path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert 'Did you mean "open-no-sub"?' in done.stderr


def test_an_unknown_format_is_exit_2(tmp_path):
    assert run("rules", "list", "-f", "yaml", cwd=tmp_path).returncode == 2


def test_rules_that_are_copied_elsewhere_are_tested_against_the_same_healthy_world(tmp_path):
    shutil.copytree(rules_folder() / "input", tmp_path / "input")
    shutil.copy(rules_folder() / BASE, tmp_path / BASE)
    done = run("rules", "test", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
