import msgspec
import pytest

from irsa_doctor.answers.check.examples import base_world, documents_of, illustrate, patched, run_examples
from irsa_doctor.rulebook.files import Example, Examples, RuleFile, read_rule_files, rules_folder
from irsa_doctor.rulebook.rules import Clause, shipped_rules
from tests.cli.running import run

FILES = {file.rule.id: file for file in read_rule_files(rules_folder())}


def outcome(file: RuleFile):
    return run_examples([file], [rule for rule in shipped_rules() if rule.id != file.rule.id])


def test_all_examples_of_all_rules_say_the_truth():
    assert run_examples(list(FILES.values())).failures == ()


@pytest.mark.parametrize("rule", FILES)
def test_no_clause_of_a_rule_can_be_left_out(rule):
    file = FILES[rule]
    for clause in file.rule.require:
        kept = [other for other in file.rule.require if other is not clause]
        broken = msgspec.structs.replace(file, rule=msgspec.structs.replace(file.rule, require=kept))
        assert outcome(broken).failures, clause.name


def changed(rule: str, **examples) -> RuleFile:
    file = FILES[rule]
    return msgspec.structs.replace(file, examples=msgspec.structs.replace(file.examples, **examples))


HARMLESS = Example("nothing that matters", {"files": {"other.json": {"Roles": []}}})


@pytest.mark.parametrize(
    ("examples", "says"),
    [
        ({"bad": [HARMLESS]}, "fires nothing; expected open-aud-only"),
        ({"good": FILES["open-aud-only"].examples.bad}, "fires open-aud-only; expected nothing"),
        ({"good": [Example("empty", {})]}, "an example without a patch"),
        ({"good": [Example("nothing to examine", {"roles": None, "objects": None})]}, "examined nothing"),
        ({"bad": [msgspec.structs.replace(FILES["open-no-sub"].examples.bad[0], fires=["open-no-sub"])]}, "fires its own rule"),
    ],
)
def test_an_example_that_is_not_what_it_says_is_told(examples, says):
    assert any(says in failure.says for failure in outcome(changed("open-aud-only", **examples)).failures)


def test_a_name_that_the_evidence_does_not_have_is_told():
    file = FILES["open-aud-only"]
    broken = msgspec.structs.replace(file, rule=msgspec.structs.replace(file.rule, message="{rolle} is wrong"))
    assert any("the evidence has no rolle" in failure.says for failure in outcome(broken).failures)


def test_a_bad_value_without_an_example_is_told():
    file = FILES["trust-principal-wrong-arn"]
    one = Examples(file.examples.bad[:1], file.examples.good)
    assert any("which the clause" in f.says for f in outcome(msgspec.structs.replace(file, examples=one)).failures)


def weakened(rule: str, number: int, **schemas) -> RuleFile:
    """A rule file in which some facts of one clause are asked for in other words."""
    file = FILES[rule]
    clause = file.rule.require[number]
    clause = msgspec.structs.replace(clause, facts={**clause.facts, **schemas})
    require = [*file.rule.require[:number], clause, *file.rule.require[number + 1 :]]
    return msgspec.structs.replace(file, rule=msgspec.structs.replace(file.rule, require=require))


def with_clause(rule: str, **facts) -> RuleFile:
    file = FILES[rule]
    require = [*file.rule.require, Clause("more", facts)]
    return msgspec.structs.replace(file, rule=msgspec.structs.replace(file.rule, require=require))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (with_clause("open-aud-only", if_exists={"const": False}), "violates the clause more"),
        (
            weakened("open-aud-only", 0, scope={"not": {"const": "nobody"}}),
            "has another scope, which the clause holds excludes",
        ),
        (weakened("open-aud-only", 0, reach_by={"not": {"enum": ["aud-only", "pattern"]}}), "has reach_by = pattern"),
        (weakened("open-aud-only", 0, reach_by={"enum": ["named", "pattern"]}), "has reach_by = negation"),
        (weakened("oidc-limit-100", 0, near_limit={"const": False, "enum": [False]}), "violates the enum of near_limit"),
    ],
)
def test_a_part_of_a_rule_that_no_bad_example_needs_is_told(file, says):
    failures = [failure.says for failure in outcome(file).failures]
    assert any(f"no bad example {says}" in failure for failure in failures), failures


def test_a_place_that_the_evidence_does_not_have_is_told():
    file = FILES["open-aud-only"]
    broken = msgspec.structs.replace(file, rule=msgspec.structs.replace(file.rule, places={"satement": "here"}))
    assert any("the evidence has no place satement" in failure.says for failure in outcome(broken).failures)


def test_a_rule_that_fires_on_the_healthy_world_is_told():
    file = weakened("open-aud-only", 0, has_sub={"const": False})
    assert any(failure.says == "fires on the healthy world" for failure in outcome(file).failures)


def test_rules_about_waivers_are_held_to_the_same():
    file = FILES["waiver-expired"]
    everything = msgspec.structs.replace(file.rule.require[0], facts={"state": {"not": {"enum": ["expired", "unused"]}}})
    broken = msgspec.structs.replace(file, rule=msgspec.structs.replace(file.rule, require=[everything]))
    assert any("has state = unused" in failure.says for failure in outcome(broken).failures)


def test_a_merge_patch_removes_by_null_and_replaces_lists():
    assert patched({"a": {"b": 1, "c": [1]}}, {"a": {"b": None, "c": [2]}, "d": 3}) == {"a": {"c": [2]}, "d": 3}


def test_the_healthy_world_is_of_native_documents():
    names = set(documents_of(base_world()))
    assert {"roles.json", "oidc-providers.json", "prod/cluster.json", "prod/objects.json"} <= names


@pytest.mark.parametrize("rule", FILES)
def test_an_illustration_shows_little_and_what_is_wrong_is_not_what_is_right(rule):
    shown = illustrate(FILES[rule])
    if shown:
        assert shown.wrong != shown.right
        assert not any(name in shown.wrong + shown.right for name in base_world()["names"])
        assert all(len(text.splitlines()) <= 20 for text in (shown.wrong, shown.right))


def test_an_illustration_is_the_place_that_an_example_changes_beside_the_healthy_one():
    shown = illustrate(FILES["sa-annotation-key-typo"])
    assert shown is not None
    assert shown.where == "ServiceAccount checkout, metadata.annotations"
    assert (shown.wrong, shown.right) == ("eks.amazonaws.com/role_arn: ROLE", "eks.amazonaws.com/role-arn: ROLE")
    shown = illustrate(FILES["trust-action-typo"])
    assert shown is not None
    assert (shown.where, shown.right) == (
        "role checkout, AssumeRolePolicyDocument.Statement",
        '{\n  "Action": "sts:AssumeRoleWithWebIdentity"\n}',
    )


def test_what_takes_many_lines_is_not_shown():
    assert illustrate(FILES["oidc-limit-100"]) is None


def test_the_command_tells_what_is_wrong_and_exits_1(tmp_path):
    source = (rules_folder() / "open" / "open-aud-only.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "my-rule.yaml").write_text(
        source.replace("id: open-aud-only", "id: my-rule").replace("sub: null", "sub: x"), encoding="utf-8"
    )
    done = run("rules", "test", tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "my-rule: the subject is not checked: fires " in done.stderr
    assert done.stdout.startswith("1 rules, ")


def test_the_command_refuses_what_is_no_folder_of_rules(tmp_path):
    done = run("rules", "test", tmp_path / "not-there", cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
