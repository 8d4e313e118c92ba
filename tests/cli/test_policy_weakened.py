"""`policy-weakened`: whatever a change takes away of what judges it fails the build, and nothing filters that away."""

import json
from pathlib import Path

import pytest

from irsa_doctor.governance.governing import Governing
from irsa_doctor.governance.settings import Settings
from irsa_doctor.governance.weakening import weakenings
from tests.cli.running import RIGHT, put, role, run
from tests.cli.test_config_from import WAIVER, judged, own_rule, repository

SCHEMA = json.loads((Path(__file__).parent.parent.parent / "irsa_doctor/schemas/settings.json").read_text(encoding="utf-8"))
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"

# setting -> (what the base has, a weaker value, a stricter one or another writing of the same)
OF_KEY = {
    "fail-on": ('fail-on = "medium"', 'fail-on = "high"', 'fail-on = "low"'),
    "min-severity": ('min-severity = "medium"', 'min-severity = "high"', ""),
    "min-confidence": ('min-confidence = "medium"', 'min-confidence = "high"', ""),
    "select": ("", 'select = ["open-*"]', 'select = ["*"]'),
    "ignore": ('ignore = ["open-aud-missing"]', 'ignore = ["open-aud-missing", "open-*"]', ""),
    "rules": ('rules = ["own"]', "", 'rules = ["./own"]'),
    "complete": ('complete = ["pods"]', "", 'complete = ["serviceaccounts", "pods"]'),
    "account": ('account = "111122223333"', 'account = "444455556666"', 'account = "111122223333" # ours'),
    "severity": (
        'severity = {open-sub-star = "critical"}',
        'severity = {open-sub-star = "high"}',
        'severity.open-sub-star = "critical"',
    ),
    "clusters": ('clusters = {shop = "roles"}', 'clusters = {shop = "own"}', 'clusters = {shop = "./roles/"}'),
    "roles": (
        'roles = {"arn:aws:iam::111122223333:role/r" = "roles/app.json"}',
        "",
        'roles = {"arn:aws:iam::111122223333:role/r" = "./roles/app.json"}',
    ),
    "plans": ('plans = {infra = "plan.json"}', 'plans = {infra = "other.json"}', 'plans = {"./infra" = "./plan.json"}'),
    "parameters": ("", 'parameters = {"t.yaml" = "prod.json"}', "parameters = {}"),
    "max-seconds": ("max-seconds = 100", "max-seconds = 200", "max-seconds = 50"),
    "max-memory": ('max-memory = "1G"', "", 'max-memory = "1024M"'),
    "audiences": (
        f'audiences = {{"{ISSUER}" = ["a", "b"]}}',
        f'audiences = {{"{ISSUER}" = ["a"]}}',
        f'audiences = {{"{ISSUER}" = ["b", "a"]}}',
    ),
    "waivers": ("", WAIVER, ""),
    "baseline": ('baseline = "none.json"', 'baseline = "some.json"', ""),
    "inline-ignores": ("inline-ignores = false", "inline-ignores = true", "inline-ignores = false # never"),
    "gate-unknown": ("", 'gate-unknown = "tell"', 'gate-unknown = "fail"'),
    "rbac": ("[rbac]\nexpected = []", '[rbac]\nexpected = ["group:*"]', "[rbac]\nexpected = []"),
    "owner": ('[owner]\ngithub = ["acme"]', '[owner]\ngithub = ["acme", "evil"]', '[owner]\ngithub = ["acme"] # ours'),
    "issuers": (
        'issuers = {"a.example" = "gitlab"}',
        'issuers = {"a.example" = "kubernetes"}',
        '[issuers]\n"a.example" = "gitlab"',
    ),
    "standards": (
        '[standards]\nmax-role-unused = "90d"\nstatic-keys = "deny"',
        '[standards]\nmax-role-unused = "120d"\nstatic-keys = "deny"',
        '[standards]\nmax-role-unused = "30d"\nstatic-keys = "deny"',
    ),
    "require-accepted-by": ("require-accepted-by = true", "", "require-accepted-by = true # always"),
    "exclude": ('exclude = ["a/"]', 'exclude = ["a/", "b/"]', "exclude = []"),
}
BASELINE = '{"schema": "irsa-doctor.baseline/1", "findings": [%s]}'
ENTRY = '{"rule": "open-sub-star", "subject": "s", "fingerprint": "f"}'


def project(folder, settings):
    own = {"own__first-rule_yaml": own_rule("first-rule")}
    known = {"none_json": BASELINE % "", "some_json": BASELINE % ENTRY}
    repository(folder, **{"irsa-doctor_toml": settings}, **own, **known)


def test_every_setting_has_a_weaker_value_in_this_test():
    assert set(OF_KEY) == set(SCHEMA["properties"])


@pytest.mark.parametrize("key", sorted(SCHEMA["properties"]))
def test_a_weaker_value_of_any_setting_fails_the_build(tmp_path, key):
    before, weaker, _ = OF_KEY[key]
    project(tmp_path, before)
    put(tmp_path / "irsa-doctor.toml", weaker)
    code, found = judged(tmp_path, "--fail-on", "high")
    assert (code, found["policy-weakened"]["severity"]) == (1, "high")


@pytest.mark.parametrize("key", sorted(SCHEMA["properties"]))
def test_a_stricter_value_of_any_setting_or_the_same_in_other_words_passes(tmp_path, key):
    before, _, stricter = OF_KEY[key]
    project(tmp_path, before)
    put(tmp_path / "irsa-doctor.toml", stricter)
    assert "policy-weakened" not in judged(tmp_path)[1]


def test_a_setting_of_which_nobody_said_which_way_is_weaker_is_weaker_when_it_differs(monkeypatch):
    from irsa_doctor.governance import weaker_settings

    monkeypatch.setattr(weaker_settings, "WEAKER", {})
    before, after = Governing(Settings(account="1"), ()), Governing(Settings(account="2"), ())
    assert [weaker.says for weaker in weakenings(before, after)] == ["account is changed"]
    assert weakenings(before, before) == []


FILTERS = [
    (("--select", "open-no-sub"), ""),
    (("--ignore", "policy-weakened"), ""),
    (("--min-severity", "critical"), ""),
    (("--min-confidence", "high", "--framework", "pci-dss"), ""),
    ((), 'min-severity = "critical"\n'),
    ((), 'ignore = ["policy-*"]\n'),
    ((), WAIVER.replace("open-aud-only", "policy-weakened")),
]


@pytest.mark.parametrize(("flags", "held"), FILTERS)
def test_no_filter_hides_it(tmp_path, flags, held):
    repository(tmp_path, **{"irsa-doctor_toml": held})
    put(tmp_path / "irsa-doctor.toml", 'fail-on = "never"\n' + held)
    code, found = judged(tmp_path, *flags)
    assert (code, found["policy-weakened"]["severity"]) == (1, "high")


@pytest.mark.parametrize("weaker", ['ignore = ["policy-weakened"]', '[severity]\npolicy-weakened = "low"'])
def test_a_change_cannot_switch_it_off_for_the_next_one(tmp_path, weaker):
    repository(tmp_path)
    put(tmp_path / "irsa-doctor.toml", weaker)
    code, found = judged(tmp_path)
    assert (code, found["policy-weakened"]["severity"]) == (1, "high")


def test_flags_of_the_command_line_do_not_hide_that_the_file_is_weaker(tmp_path):
    repository(tmp_path)
    put(tmp_path / "irsa-doctor.toml", 'fail-on = "never"\nignore = ["open-*"]\n')
    code, found = judged(tmp_path, "--fail-on", "high", "--ignore", "open-*")
    assert code == 1
    assert "fail-on is never" in found["policy-weakened"]["message"]


def test_the_base_may_lower_it_and_the_command_line_decides_the_exit_code(tmp_path):
    held = '[severity]\npolicy-weakened = "medium"\n'
    repository(tmp_path, **{"irsa-doctor_toml": held})
    put(tmp_path / "irsa-doctor.toml", 'fail-on = "never"\n' + held)
    code, found = judged(tmp_path)
    assert (code, found["policy-weakened"]["severity"]) == (0, "medium")
    assert judged(tmp_path, "--fail-on", "medium")[0] == 1
    assert judged(tmp_path, "--fail-on", "never")[0] == 0


def graded(name, severity="{fact: scope, values: {cluster: critical, namespace: high}, else: low}", confidence="high"):
    text = own_rule(name)
    lines = text.split("\n")
    kept = [
        f"severity: {severity}"
        if line.startswith("severity:")
        else f"confidence: {confidence}"
        if line.startswith("confidence:")
        else line
        for line in lines
    ]
    return "\n".join(kept)


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (graded("own-rule", confidence="low"), "the confidence of own-rule is low and was high"),
        (
            graded("own-rule", "{fact: scope, values: {cluster: high, namespace: high}, else: low}"),
            "is high and was critical (cluster)",
        ),
        (graded("own-rule", "{fact: scope, values: {cluster: critical}, else: low}"), "is low and was high (namespace)"),
        (graded("own-rule", "high"), "own-rule is high and was critical (cluster)"),
        (graded("own-rule").replace("when:\n", "when:\n  has_aud:\n    const: true\n"), "own-rule has other conditions"),
    ],
)
def test_a_private_rule_that_asks_for_less_fails_the_build(tmp_path, after, says):
    repository(tmp_path, **{"own__own-rule_yaml": graded("own-rule"), "irsa-doctor_toml": 'rules = ["own"]\n'})
    put(tmp_path / "own" / "own-rule.yaml", after)
    code, found = judged(tmp_path)
    assert code == 1
    assert says in found["policy-weakened"]["message"]


@pytest.mark.parametrize(
    "after",
    [
        graded("own-rule", "critical"),
        graded("own-rule", "{fact: scope, values: {cluster: critical, namespace: critical}, else: medium}"),
        "# a comment\n" + graded("own-rule").replace("title: ", "title: Now ", 1),
    ],
)
def test_a_private_rule_that_asks_for_more_passes(tmp_path, after):
    repository(tmp_path, **{"own__own-rule_yaml": graded("own-rule"), "irsa-doctor_toml": 'rules = ["own"]\n'})
    put(tmp_path / "own" / "own-rule.yaml", after)
    assert judged(tmp_path) == (0, {})


def test_a_nearer_settings_file_does_not_take_the_place_of_the_base_s(tmp_path):
    shared = '[tool.irsa-doctor]\nfail-on = "high"\n'
    repository(tmp_path, pyproject_toml=shared, infra__x_json={"a": 1})
    put(tmp_path / "irsa-doctor.toml", 'fail-on = "high"\n')
    code, found = judged(tmp_path)
    assert code == 1
    assert "irsa-doctor.toml goes before HEAD:pyproject.toml" in found["policy-weakened"]["message"]
    (tmp_path / "irsa-doctor.toml").unlink()
    put(tmp_path / "infra" / "irsa-doctor.toml", 'fail-on = "high"\n')
    assert judged(tmp_path, path="../roles", cwd="infra")[0] == 1
    assert judged(tmp_path) == (0, {})


def test_settings_that_move_to_another_file_whole_pass(tmp_path):
    repository(tmp_path, pyproject_toml='[tool.irsa-doctor]\nfail-on = "medium"\n')
    put(tmp_path / "pyproject.toml", '[project]\nname = "x"\n')
    put(tmp_path / "irsa-doctor.toml", 'fail-on = "medium"\n')
    assert judged(tmp_path) == (0, {})


def test_a_first_settings_file_that_is_not_weaker_passes(tmp_path):
    repository(tmp_path)
    put(tmp_path / "irsa-doctor.toml", f'fail-on = "medium"\n[audiences]\n"{ISSUER}" = ["sts.amazonaws.com"]\n')
    assert judged(tmp_path) == (0, {})
    put(tmp_path / "roles" / "new.json", role(RIGHT, "arn:aws:iam::111122223333:role/new"))
    put(tmp_path / "irsa-doctor.toml", '[roles]\n"arn:aws:iam::111122223333:role/new" = "roles/new.json"\n')
    assert judged(tmp_path) == (0, {})


def test_every_format_shows_it_where_no_rule_is_chosen_that_speaks_of_settings(tmp_path):
    repository(tmp_path)
    put(tmp_path / "irsa-doctor.toml", 'fail-on = "never"\n')
    for name in ("text", "json", "sarif", "github", "junit", "gitlab", "markdown", "html", "concise"):
        done = run("check", "roles", "--config-from", "HEAD", "--select", "open-no-sub", "-f", name, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, "")
        assert "policy-weakened" in done.stdout or name == "text", name
        assert "fail-on is never" in done.stdout.replace("\n", " "), name
