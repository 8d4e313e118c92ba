"""Every command keeps to the limits of its run, and names what it has not judged."""

import json

import pytest

from irsa_doctor import api
from irsa_doctor.answers import why
from irsa_doctor.api import NotJudged, limited
from irsa_doctor.cli import app
from tests.cli.running import run

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:a:b", f"{ISSUER}:aud": "sts.amazonaws.com"}},
        }
    ],
}
INTENT = f'intent: 1\naccount: "111122223333"\nclusters: {{shop: "https://{ISSUER}"}}\nroles:\n  app: a/b\n'


@pytest.fixture
def folder(tmp_path):
    for name in ("app", "other"):
        arn = f"arn:aws:iam::111122223333:role/{name}"
        role = {"RoleName": name, "Arn": arn, "RoleId": "A", "AssumeRolePolicyDocument": POLICY}
        (tmp_path / f"{name}.json").write_text(json.dumps({"Role": role}))
        annotations = {"eks.amazonaws.com/role-arn": arn}
        metadata = {"name": name, "namespace": "a", "annotations": annotations}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        (tmp_path / f"{name}.yaml").write_text(json.dumps(account))
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    (tmp_path / "intent").mkdir()
    (tmp_path / "intent" / "intent.yaml").write_text(INTENT)
    return tmp_path


def calls(folder):
    here, policy = str(folder), str(folder / "policy.json")
    simulated = ["--trust-policy", policy, "--issuer", f"https://{ISSUER}", "--account", "111122223333", "--sub", "x"]
    return {
        "check": ["check", here],
        "why": ["why", "a/app", here],
        "why --all": ["why", "--all", here],
        "who-can": ["who-can", "app", here],
        "diff": ["diff", here, here],
        "simulate": ["simulate", *simulated],
        "fix": ["fix", here],
        "verify": ["verify", f"{here}/intent/intent.yaml", here],
        "infer": ["infer", here],
        "generate": ["generate", f"{here}/intent/intent.yaml", here],
    }


COMMANDS = ["check", "why", "why --all", "who-can", "diff", "simulate", "fix", "verify", "infer", "generate"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_run_without_time_is_a_wrong_call_and_not_an_answer(folder, name):
    done = run(*calls(folder)[name], "--max-seconds", "0", cwd=folder)
    assert done.returncode == 2
    assert "limit of 0 seconds" in done.stderr


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "check"])
def test_limits_that_are_not_reached_change_nothing(folder, name):
    call = calls(folder)[name]
    within = run(*call, "--max-seconds", "100", "--max-memory", "1G", cwd=folder)
    assert "limit" not in within.stderr
    assert run(*call, cwd=folder).stdout == within.stdout


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "simulate"])
def test_limits_of_the_settings_of_a_work_tree_do_not_count_and_are_named(folder, name):
    (folder / "irsa-doctor.toml").write_text("max-seconds = 0.0001\n")
    done = run(*calls(folder)[name], cwd=folder)
    assert "max-seconds and max-memory of irsa-doctor.toml apply only with" in done.stderr
    assert "limit of" not in done.stderr


LARGE = 1 << 40


@pytest.fixture
def interrupted(folder):
    """A folder of which all but one document is read within the limit: that one takes longer."""
    slow = folder / "slow"
    slow.mkdir()
    (slow / "app.json").write_text((folder / "app.json").read_text())
    for number in range(400):
        (slow / f"later{number:03}.yaml").write_text("".join(f"a{line}: [b, c, {{d: e}}]\n" for line in range(3000)))
    (slow / "zz.json").write_text((folder / "other.json").read_text())
    api.who_can("app", [str(folder)])
    return slow


def test_a_role_that_was_read_is_answered_though_other_documents_were_not(interrupted):
    with limited(1.5, LARGE):
        answer = api.who_can("app", [str(interrupted)])
    assert [grant.subjects.patterns for grant in answer.grants] == [("system:serviceaccount:a:b",)]
    assert "not read: the run reached its limit" in answer.unknown[-1].missing


def test_a_role_that_may_be_in_a_document_that_was_not_read_is_not_said_to_be_missing(interrupted):
    with limited(1.5, LARGE), pytest.raises(NotJudged, match="not read: the run reached its limit"):
        api.who_can("other", [str(interrupted)])


def test_a_comparison_judges_what_was_read_and_says_of_no_other_role_that_it_is_gone(interrupted, folder):
    (interrupted / "app.json").write_text((folder / "app.json").read_text().replace("serviceaccount:a:b", "serviceaccount:a:c"))
    old = folder / "old"
    old.mkdir()
    for name in ("app", "other"):
        (old / f"{name}.json").write_text((folder / f"{name}.json").read_text())
    with limited(1.5, LARGE):
        changes = {change.role.rpartition("/")[2]: change for change in api.diff([str(old)], [str(interrupted)])}
    assert (changes["app"].change, changes["app"].gained.patterns) == ("changed", ("system:serviceaccount:a:c",))
    assert (changes["other"].change, "not read: the run reached its limit" in changes["other"].because) == ("unknown", True)


def test_an_answer_that_a_limit_has_cut_is_shown_and_ends_with_2(interrupted):
    done = run("who-can", "app", interrupted, "--max-seconds", "2", cwd=interrupted)
    assert (done.returncode, "system:serviceaccount:a:b" in done.stdout) == (2, True), done.stderr
    assert "not everything was judged: the run reached its limit of 2 seconds" in done.stderr


def test_what_a_limit_has_cut_of_all_diagnoses_is_named_and_ends_with_2(folder, monkeypatch, capsys):
    whole = why.diagnose

    def interrupted_at(case):
        if case.service_account == "other":
            raise NotJudged("a/other: not judged: the run reached its limit of 1 second (--max-seconds)")
        return whole(case)

    monkeypatch.setattr(why, "diagnose", interrupted_at)
    monkeypatch.setattr(api, "ever_reached", lambda: "the run reached its limit of 1 second (--max-seconds)")
    assert app(["why", "--all", str(folder)], standalone_mode=False) == 2
    printed = capsys.readouterr()
    assert [line.split() for line in printed.out.splitlines() if "a/other" in line] == [
        ["undetermined", "/a/other", "not", "judged"]
    ]
    assert "not everything was judged: the run reached its limit of 1 second" in printed.err
