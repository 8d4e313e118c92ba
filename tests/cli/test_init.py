"""`init` writes settings that are all comments, and become settings when the comments are taken away."""

import json
import tomllib

import pytest
import yaml
from jsonschema import Draft202012Validator

from irsa_doctor import api
from tests.cli.running import OPEN, RIGHT, put, role, run


def uncommented(text):
    """The settings with every example in force: what follows `# ` and is no sentence."""
    lines = [line.removeprefix("# ") for line in text.splitlines()[1:]]
    return "\n".join(line for line in lines if line.startswith(("[", "]")) or " = " in line)


def without_dates(value):
    if isinstance(value, dict):
        return {key: without_dates(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_dates(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def test_the_file_sets_nothing_and_has_every_setting_of_the_schema(tmp_path):
    done = run("init", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    text = (tmp_path / "irsa-doctor.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text) == {}
    properties = json.loads(api.schema("settings"))["properties"]
    assert set(tomllib.loads(uncommented(text))) == set(properties)
    standards = properties["standards"]["properties"]
    assert set(tomllib.loads(uncommented(text))["standards"]) == set(standards)


def test_every_example_fits_the_schema_and_is_accepted(tmp_path):
    run("init", cwd=tmp_path)
    file = tmp_path / "irsa-doctor.toml"
    file.write_text(uncommented(file.read_text(encoding="utf-8")), encoding="utf-8")
    schema = Draft202012Validator(json.loads(api.schema("settings")))
    settings = without_dates(tomllib.loads(file.read_text(encoding="utf-8")))
    assert [error.message for error in schema.iter_errors(settings)] == []
    assert api.load_settings(str(tmp_path)).standards.max_session_duration == 3600


def test_a_run_with_the_new_file_is_that_without_it(tmp_path):
    put(tmp_path / "role.json", role(OPEN))
    before = run("check", "-f", "json", cwd=tmp_path)
    run("init", cwd=tmp_path)
    after = run("check", "-f", "json", cwd=tmp_path)
    assert (before.returncode, after.returncode) == (1, 1)
    assert json.loads(before.stdout)["findings"] == json.loads(after.stdout)["findings"]


def test_an_editor_finds_the_schema_that_the_first_line_names(tmp_path):
    run("init", cwd=tmp_path)
    first = (tmp_path / "irsa-doctor.toml").read_text(encoding="utf-8").splitlines()[0]
    named = tmp_path / first.removeprefix("#:schema ")
    assert json.loads(named.read_bytes()) == json.loads(api.schema("settings"))
    assert sorted(path.name for path in named.parent.iterdir()) == [
        "intent.schema.json",
        "rule.schema.json",
        "settings.schema.json",
    ]


def test_a_file_that_is_there_stays_without_force(tmp_path):
    put(tmp_path / "infra" / "irsa-doctor.toml", "fail-on = 'low'\n")
    refused = run("init", "infra", cwd=tmp_path)
    assert (refused.returncode, "--force" in refused.stderr) == (2, True)
    assert (tmp_path / "infra" / "irsa-doctor.toml").read_text() == "fail-on = 'low'\n"
    assert not (tmp_path / "infra" / ".irsa-doctor").exists()
    assert run("init", "infra", "--force", cwd=tmp_path).returncode == 0
    assert tomllib.loads((tmp_path / "infra" / "irsa-doctor.toml").read_text(encoding="utf-8")) == {}


def test_a_folder_that_is_not_there_is_a_wrong_call(tmp_path):
    assert run("init", "nowhere", cwd=tmp_path).returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_folders_of_tests_and_plans_that_are_there_are_the_examples(tmp_path):
    put(tmp_path / "tests" / "x.json", "{}")
    put(tmp_path / "infra" / "main.tf", "")
    put(tmp_path / "infra" / "plan.json", "{}")
    run("init", cwd=tmp_path)
    settings = tomllib.loads(uncommented((tmp_path / "irsa-doctor.toml").read_text(encoding="utf-8")))
    assert (settings["exclude"], settings["plans"]) == (["tests/"], {"infra": "infra/plan.json"})


def test_an_intent_names_the_schema_that_lies_in_a_folder_above_and_no_other(tmp_path):
    put(tmp_path / "role.json", role(RIGHT))
    run("infer", "role.json", "-o", "alone.yaml", cwd=tmp_path)
    run("init", cwd=tmp_path)
    (tmp_path / "intents").mkdir()
    run("infer", "role.json", "-o", "intents/shop.yaml", cwd=tmp_path)
    text = (tmp_path / "intents" / "shop.yaml").read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    assert first == "# yaml-language-server: $schema=../.irsa-doctor/intent.schema.json"
    assert rest == (tmp_path / "alone.yaml").read_text(encoding="utf-8")
    schema = json.loads((tmp_path / "intents" / first.partition("=")[2]).read_bytes())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("name", ["rule", "cause", "messages", "settings", "intent"])
def test_the_schema_of_what_people_write_is_printed(tmp_path, name):
    Draft202012Validator.check_schema(json.loads(run("schema", name, cwd=tmp_path).stdout))
