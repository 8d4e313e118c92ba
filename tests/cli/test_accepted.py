"""Baselines, waivers and comments: they excuse what was accepted, and nothing that became worse."""

import json

import pytest

from tests.cli.running import ISSUER, OPEN, RIGHT, put, role, run
from tests.cli.test_config_from import git, judged, repository

ARN = "arn:aws:iam::111122223333:role/app"
WAIVED = """
[[waivers]]
rule = "open-sub-star"
subject = "{subject}"
owner = "team@example.com"
reason = "known"
expires = 2999-01-01
"""


def like(*subjects, audience="sts.amazonaws.com", **further):
    """A policy that admits the subjects that match, under further conditions."""
    policy = json.loads(json.dumps(RIGHT))
    (statement,) = policy["Statement"]
    issuer = next(key for keys in statement["Condition"].values() for key in keys).rpartition(":")[0]
    statement["Condition"] = {
        "StringLike": {f"{issuer}:sub": list(subjects)},
        "StringEquals": {f"{issuer}:aud": audience},
        **further,
    }
    return role(policy, ARN)


NAMES = like("system:serviceaccount:x:a*")
NAMESPACE = like("system:serviceaccount:x:*")
ALL = like("system:serviceaccount:*")
FEWER = like("system:serviceaccount:x:ab*", "system:serviceaccount:x:ac*")
OTHER = like("system:serviceaccount:y:a*")
LIMITED = like("system:serviceaccount:x:a*", IpAddress={"aws:SourceIp": "203.0.113.0/24"})


def but_for_a_deny(document, **conditions):
    """The same role, with a Deny of some requests."""
    document = json.loads(json.dumps(document))
    statements = document["Role"]["AssumeRolePolicyDocument"]["Statement"]
    statements.append({**statements[0], "Effect": "Deny", "Condition": conditions})
    return document


STOPPED = but_for_a_deny(NAMES, NotIpAddress={"aws:SourceIp": "203.0.113.0/24"})
STOPPED_FOR_ONE = but_for_a_deny(NAMES, StringEquals={f"{ISSUER}:sub": "system:serviceaccount:x:ab", f"{ISSUER}:aud": "other"})
OWN_NAMES = like("system:serviceaccount:x:${sts:RoleSessionName}*")
STOPPED_LESS = but_for_a_deny(NAMES, NotIpAddress={"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]})


def accepted(folder, content):
    """A repository whose base accepts what is found in one role, by a baseline."""
    repository(folder, roles__app_json=content, **{"irsa-doctor_toml": 'fail-on = "low"\nbaseline = "known.json"\n'})
    run("check", "roles", "--no-config", "--write-baseline", "known.json", cwd=folder)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "known")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NAMES, NAMESPACE),
        (NAMES, ALL),
        (NAMES, OTHER),
        (LIMITED, NAMES),
        (STOPPED, NAMES),
        (STOPPED, STOPPED_LESS),
        (STOPPED_FOR_ONE, NAMES),
        (OWN_NAMES, NAMES),
        (NAMESPACE, ALL),
    ],
)
def test_a_baseline_does_not_accept_what_opens_further(tmp_path, before, after):
    accepted(tmp_path, before)
    put(tmp_path / "roles" / "app.json", after)
    code, found = judged(tmp_path)
    assert code == 1
    assert "This was accepted " in found["open-sub-star"]["message"]
    done = run("check", "roles", "-f", "json", cwd=tmp_path)
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NAMES, NAMES),
        (NAMES, FEWER),
        (NAMESPACE, NAMES),
        (ALL, NAMESPACE),
        (NAMES, LIMITED),
        (NAMES, STOPPED),
    ],
)
def test_a_baseline_accepts_what_stays_or_is_narrower(tmp_path, before, after):
    accepted(tmp_path, before)
    put(tmp_path / "roles" / "app.json", after)
    put(tmp_path / "roles" / "new.json", role(RIGHT, "arn:aws:iam::111122223333:role/new"))
    assert judged(tmp_path) == (0, {})


def test_a_severity_that_rises_says_from_what(tmp_path):
    accepted(tmp_path, NAMES)
    put(tmp_path / "roles" / "app.json", ALL)
    assert "This was accepted at medium, is critical." in judged(tmp_path)[1]["open-sub-star"]["message"]


def older(folder):
    """The baseline as older versions wrote it."""
    known = json.loads((folder / "known.json").read_text())
    kept = ("rule", "subject", "fingerprint", "sha256")
    known["findings"] = [{key: entry[key] for key in kept if key in entry} for entry in known["findings"]]
    put(folder / "known.json", known)


@pytest.mark.parametrize(("content", "code"), [(role(OPEN, ARN), 0), (ALL, 1)])
def test_an_older_baseline_holds_at_the_lowest_severity_of_the_rule(tmp_path, content, code):
    accepted(tmp_path, content)
    older(tmp_path)
    done = run("check", "roles", "-f", "json", cwd=tmp_path)
    assert done.returncode == code


def test_a_second_statement_of_a_bare_policy_is_not_behind_the_first(tmp_path):
    statements = [content["Role"]["AssumeRolePolicyDocument"]["Statement"][0] for content in (NAMES, ALL)]
    for several, code in ((statements, 1), (statements[::-1], 1), (statements[:1], 0)):
        put(tmp_path / "p.json", {"Version": "2012-10-17", "Statement": several})
        assert run("check", "p.json", cwd=tmp_path).returncode == code
    put(tmp_path / "p.json", {"Version": "2012-10-17", "Statement": statements[:1]})
    run("check", "p.json", "--write-baseline", "known.json", cwd=tmp_path)
    (further,) = OTHER["Role"]["AssumeRolePolicyDocument"]["Statement"]
    put(tmp_path / "p.json", {"Version": "2012-10-17", "Statement": [statements[0], further]})
    assert run("check", "p.json", "--baseline", "known.json", "--fail-on", "medium", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("subject", [f"{ARN}#*", "*"])
@pytest.mark.parametrize(("before", "after"), [(NAMES, ALL), (NAMES, NAMESPACE), (NAMES, OTHER), (RIGHT, ALL)])
def test_a_waiver_excuses_only_what_it_excused_before_the_change(tmp_path, subject, before, after):
    held = 'fail-on = "low"\n' + WAIVED.format(subject=subject)
    repository(tmp_path, roles__app_json=before if "Role" in before else role(before, ARN), **{"irsa-doctor_toml": held})
    put(tmp_path / "roles" / "app.json", after)
    code, found = judged(tmp_path)
    assert code == 1
    assert "open-sub-star" in found


@pytest.mark.parametrize(("before", "after"), [(NAMES, NAMES), (NAMESPACE, NAMES), (NAMES, FEWER)])
def test_a_waiver_excuses_what_it_did(tmp_path, before, after):
    held = 'fail-on = "low"\n' + WAIVED.format(subject=f"{ARN}#*")
    repository(tmp_path, roles__app_json=before, **{"irsa-doctor_toml": held})
    put(tmp_path / "roles" / "app.json", after)
    put(tmp_path / "roles" / "new.json", role(RIGHT, "arn:aws:iam::111122223333:role/new"))
    assert judged(tmp_path) == (0, {})


NEW = "arn:aws:iam::111122223333:role/app-new"


@pytest.mark.parametrize(("subject", "code"), [("*", 1), (f"{ARN}*", 1), (f"{NEW}#*", 0), (f"{NEW}#0", 0)])
def test_a_waiver_by_pattern_excuses_no_role_that_is_new(tmp_path, subject, code):
    held = 'fail-on = "low"\n' + WAIVED.format(subject=subject) + 'severity = "critical"\n'
    repository(tmp_path, roles__app_json=role(RIGHT, ARN), **{"irsa-doctor_toml": held})
    put(tmp_path / "roles" / "new.json", role(ALL["Role"]["AssumeRolePolicyDocument"], NEW))
    assert judged(tmp_path)[0] == code


@pytest.mark.parametrize(
    ("severity", "code"),
    [
        ("", 1),
        ('severity = "critical"\n', 0),
        ('accepted-by = "head of platform"\n', 0),
        ('accepted-by = "head of platform"\nseverity = "high"\n', 1),
    ],
)
def test_a_waiver_of_a_critical_finding_says_so(tmp_path, severity, code):
    put(tmp_path / "app.json", ALL)
    put(tmp_path / "irsa-doctor.toml", WAIVED.format(subject="*") + severity)
    done = run("check", "app.json", "-f", "json", cwd=tmp_path)
    assert done.returncode == code
    assert ("A waiver accepts it up to high, it is critical." in done.stdout) is (code == 1)


TEMPLATE = """\
resource "aws_iam_role" "{name}" {{
  name = "{name}"
  assume_role_policy = jsonencode({policy}) # irsa-doctor: ignore[open-sub-star] for development
}}
"""


def template(name, content):
    return TEMPLATE.format(name=name, policy=json.dumps(content["Role"]["AssumeRolePolicyDocument"]))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (template("dev", ALL), template("prod", ALL)),
        (template("dev", NAMES), template("dev", ALL)),
        (template("dev", NAMES), template("dev", OTHER)),
        (template("dev", NAMES), template("dev", NAMES) + template("more", NAMES)),
        (template("dev", NAMES).replace(" # irsa", "\n  # irsa"), template("dev", NAMES)),
    ],
)
def test_a_comment_does_not_follow_its_line_to_another_role_or_to_worse(tmp_path, before, after):
    repository(tmp_path, main_tf=before, **{"irsa-doctor_toml": 'fail-on = "low"\n'})
    put(tmp_path / "main.tf", after)
    code, found = judged(tmp_path, path=".")
    assert code == 1
    assert "A comment excuses" in found["open-sub-star"]["message"] or "This was accepted" in found["open-sub-star"]["message"]


@pytest.mark.parametrize(
    "after",
    [
        template("dev", NAMES),
        "# moved\n\n" + template("dev", NAMES),
        template("dev", FEWER),
        template("dev", NAMES).replace("for development", "for the developers"),
        template("dev", NAMES) + "\n",
    ],
)
def test_a_comment_stays_with_its_role(tmp_path, after):
    repository(tmp_path, main_tf=template("dev", NAMES), **{"irsa-doctor_toml": 'fail-on = "low"\n'})
    put(tmp_path / "main.tf", after)
    put(tmp_path / "roles" / "new.json", role(RIGHT, "arn:aws:iam::111122223333:role/new"))
    assert judged(tmp_path, path=".") == (0, {})


def test_a_plan_that_git_does_not_know_does_not_take_the_excuse_from_what_it_knows(tmp_path):
    repository(tmp_path, main_tf=template("dev", NAMES), **{"irsa-doctor_toml": 'fail-on = "low"\n'})
    put(tmp_path / "made" / "b.json", role(RIGHT, "arn:aws:iam::111122223333:role/new"))
    done = run("check", "main.tf", "made/b.json", "--config-from", "HEAD", "-f", "json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["findings"]) == (0, [])


def test_what_a_change_opens_beside_an_excuse_is_told(tmp_path):
    repository(tmp_path, main_tf=template("dev", NAMES))
    put(tmp_path / "roles" / "app.json", role(OPEN))
    assert judged(tmp_path, path=".")[0] == 1
