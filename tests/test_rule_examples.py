import msgspec
import pytest

from irsa_doctor.rule_examples import base_world, documents_of, patched, run_examples
from irsa_doctor.rulebook import Example, Examples, RuleFile, read_rule_files, rules_folder, shipped_rules
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


def test_a_merge_patch_removes_by_null_and_replaces_lists():
    assert patched({"a": {"b": 1, "c": [1]}}, {"a": {"b": None, "c": [2]}, "d": 3}) == {"a": {"c": [2]}, "d": 3}


def test_the_healthy_world_is_of_native_documents():
    names = set(documents_of(base_world()))
    assert {"roles.json", "oidc-providers.json", "prod/cluster.json", "prod/objects.json"} <= names


def test_the_command_tells_what_is_wrong_and_exits_1(tmp_path):
    source = (rules_folder() / "open" / "open-aud-only.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "my-rule.yaml").write_text(
        source.replace("id: open-aud-only", "id: my-rule").replace("sub: null", "sub: x"), encoding="utf-8"
    )
    done = run("rules", "test", tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "my-rule: the subject is not asked: fires " in done.stderr
    assert done.stdout.startswith("1 rules, ")


def test_the_command_refuses_what_is_no_folder_of_rules(tmp_path):
    done = run("rules", "test", tmp_path / "not-there", cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
