import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.running import ACCOUNT, ISSUER, OPEN, PROVIDER, RIGHT, ROLE, check, put, role, run

WAIVER = """
[[waivers]]
rule = "{rule}"
subject = "{subject}"
owner = "team@example.com"
reason = "known"
expires = {expires}
severity = "critical"
"""


@pytest.fixture
def right(tmp_path):
    return put(tmp_path / "role.json", role(RIGHT))


@pytest.fixture
def wide(tmp_path):
    return put(tmp_path / "role.json", role(OPEN))


def test_a_right_role_is_silent_and_exits_0(right, tmp_path):
    done = run("check", right, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_role_open_to_the_cluster_is_critical_and_exits_1(wide, tmp_path):
    report = check(wide, cwd=tmp_path)
    assert [(f["rule"], f["severity"], f["subject"]["id"]) for f in report["findings"]] == [
        ("open-aud-only", "critical", ROLE + "#0")
    ]
    assert run("check", wide, cwd=tmp_path).returncode == 1


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ((), 1),
        (("--fail-on", "never"), 0),
        (("--fail-on", "critical"), 1),
        (("--exit-zero",), 0),
        (("--ignore", "open-aud-only"), 0),
        (("--select", "open-no-sub"), 0),
        (("--fail-on", "sometimes"), 2),
        (("--select", "open-nosub"), 2),
        (("--ignore", "no-such-rule"), 2),
        (("--format", "xml"), 2),
        (("--format", "json", "--format", "text"), 2),
        (("--format", "json:"), 2),
        (("--role", "nonsense"), 2),
        (("--role", f"{ROLE}=not-there.json"), 2),
        (("--account", "12"), 2),
        (("--config", "a.toml", "--no-config"), 2),
        (("--config", "not-there.toml"), 2),
        (("--rules", "not-there"), 2),
        (("--no-such-flag",), 2),
    ],
)
def test_the_exit_code_says_what_happened(wide, tmp_path, flags, code):
    done = run("check", wide, *flags, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_unknown_fails_a_strict_run(right, tmp_path):
    assert run("check", right, cwd=tmp_path).returncode == 0
    assert run("check", right, "--strict", cwd=tmp_path).returncode == 3
    assert run("check", right, "--strict", "--exit-zero", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--fail-on", "hihg"), '--fail-on hihg: expected critical, high, medium, low or never. Did you mean "high"?'),
        (("--min-severity", "mediun"), 'Did you mean "medium"?'),
        (("--min-confidence", "hgh"), 'Did you mean "high"?'),
        (("--framework", "soc-2"), 'Did you mean "soc2"?'),
        (("--format", "sariff"), 'Did you mean "sarif"?'),
        (("--complete", "service-accounts"), 'no Kubernetes kind service-accounts. Did you mean "serviceaccounts"?'),
        (("--complete", "sa,unicorns"), "no Kubernetes kind unicorns. Kinds are "),
        (("--select", "opne-no-sub"), 'no rule opne-no-sub. Did you mean "open-no-sub"?'),
        (("--ignore", "open-aud-onyl"), 'no rule open-aud-onyl. Did you mean "open-aud-only"?'),
        (("--select", "opne-*"), "no rule matches opne-*"),
        (("--ignore", "nothing?"), "no rule matches nothing?"),
        (("--select", "open-*", "--ignore", "open-*"), "no rule is left to evaluate"),
        (("--base", "rloe.json"), '--base rloe.json: no such file or folder. Did you mean "role.json"?'),
        (("--base", "no/such/folder"), "--base no/such/folder: no such file or folder."),
    ],
)
def test_a_name_that_does_not_exist_is_one_line_with_the_nearest(wide, tmp_path, flags, says):
    done = run("check", wide, *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--select", "open-*"), 1),
        (("--select", "trust-*"), 0),
        (("--ignore", "open-*"), 0),
        (("--select", "*", "--ignore", "open-aud-[a-z]*"), 0),
        (("--select", "open-aud-onl?,trust-*"), 1),
    ],
)
def test_patterns_select_and_ignore_rules(wide, tmp_path, flags, code):
    assert run("check", wide, *flags, cwd=tmp_path).returncode == code


def test_patterns_hold_in_settings_as_well(wide, tmp_path):
    put(tmp_path / "irsa-doctor.toml", 'ignore = ["open-*"]\ncomplete = ["ServiceAccount"]')
    assert run("check", wide, cwd=tmp_path).returncode == 0
    put(tmp_path / "irsa-doctor.toml", 'ignore = ["opne-*"]')
    assert "no rule matches opne-*" in run("check", wide, cwd=tmp_path).stderr
    put(tmp_path / "irsa-doctor.toml", 'fail-on = "high"\ncomplete = ["serviceacounts"]')
    done = run("check", wide, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "irsa-doctor.toml:2: complete[0] is not valid: no Kubernetes kind serviceacounts. Did you mean" in done.stderr


def test_words_of_a_list_are_taken_in_any_case(wide, tmp_path):
    assert run("check", wide, "--fail-on", "CRITICAL", "-f", "JSON", cwd=tmp_path).stdout.startswith("{")


def test_a_wrong_rule_name_is_met_by_the_nearest(wide, tmp_path):
    done = run("check", wide, "--select", "open-no-sup", cwd=tmp_path)
    assert done.stderr == 'irsa-doctor: no rule open-no-sup. Did you mean "open-no-sub"?\n'


def test_a_broken_document_is_a_finding_with_its_line_and_the_rest_is_checked(wide, tmp_path):
    put(tmp_path / "broken.json", '{\n "Statement": [{"Action": "sts:AssumeRoleWithWebIdentity"},\n  oops\n ]}')
    report = check(".", cwd=tmp_path)
    found = {f["rule"]: f for f in report["findings"]}
    assert set(found) == {"open-aud-only", "input-unreadable"}
    place = found["input-unreadable"]["locations"][0]
    assert (place["file"].removeprefix("./"), place["line"]) == ("broken.json", 3)
    assert found["input-unreadable"]["severity"] == "high"
    assert {row["path"].removeprefix("./"): row["status"] for row in report["documents"]} == {
        "broken.json": "unreadable",
        "role.json": "read",
    }


def test_a_report_for_every_format_goes_to_its_file(wide, tmp_path):
    done = run("check", wide, "-f", "json:out.json", "-f", "text", cwd=tmp_path)
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == "irsa-doctor.check/1"
    assert "open-aud-only" in done.stdout


def test_a_report_that_cannot_be_written_is_said(wide, tmp_path):
    done = run("check", wide, "-o", "no/such/folder/out.txt", cwd=tmp_path)
    assert done.returncode == 2
    assert "no/such/folder/out.txt" in done.stderr


def test_standard_input_is_read_where_a_dash_stands(tmp_path):
    report = check("-", cwd=tmp_path, stdin=json.dumps(OPEN).encode())
    assert [f["subject"] for f in report["findings"]] == [{"kind": "policy", "id": "-#0"}]


def test_settings_are_read_and_flags_go_before_them(wide, tmp_path):
    put(tmp_path / "irsa-doctor.toml", 'fail-on = "never"\n[severity]\nopen-aud-only = "low"\n')
    assert run("check", wide, cwd=tmp_path).returncode == 0
    assert run("check", wide, "--fail-on", "low", cwd=tmp_path).returncode == 1
    assert run("check", wide, "--no-config", cwd=tmp_path).returncode == 1
    assert check(wide, cwd=tmp_path)["findings"][0]["severity"] == "low"


def test_an_audience_that_is_expected_here_is_no_mismatch(tmp_path):
    text = json.dumps(role(RIGHT)).replace("sts.amazonaws.com", "sts.amazon.com")
    file = put(tmp_path / "role.json", text)
    assert [f["rule"] for f in check(file, cwd=tmp_path)["findings"]] == ["trust-aud-mismatch"]
    put(tmp_path / "irsa-doctor.toml", f'[audiences]\n"{ISSUER}" = ["sts.amazon.com"]\n')
    assert check(file, cwd=tmp_path)["findings"] == []


def test_an_audience_that_somebody_chose_is_open_where_no_service_account_is_in_sight(tmp_path):
    text = json.dumps(role(RIGHT)).replace("sts.amazonaws.com", "vault")
    report = check(put(tmp_path / "role.json", text), cwd=tmp_path)
    assert report["findings"] == []
    (missing,) = [row for row in report["unknown"] if "trust-aud-mismatch" in row["rules"]]
    assert missing["how"].startswith("kubectl get serviceaccounts -A")


def test_what_is_below_the_least_severity_is_counted_not_shown(wide, tmp_path):
    put(tmp_path / "irsa-doctor.toml", '[severity]\nopen-aud-only = "low"\n')
    done = run("check", wide, "--min-severity", "medium", cwd=tmp_path)
    assert "open-aud-only" not in done.stdout
    assert "1 hidden" in done.stdout


def test_a_waived_finding_is_set_aside_with_its_owner(wide, tmp_path):
    put(tmp_path / "irsa-doctor.toml", WAIVER.format(rule="open-aud-only", subject=ROLE + "#*", expires="2999-01-01"))
    report = check(wide, cwd=tmp_path)
    assert report["findings"] == []
    assert [(w["rule"], w["owner"], w["expires"]) for w in report["waived"]] == [
        ("open-aud-only", "team@example.com", "2999-01-01")
    ]
    assert next(r for r in report["rules"] if r["id"] == "open-aud-only")["waived"] == 1
    assert "1 waived" in run("check", wide, cwd=tmp_path).stdout


def test_an_expired_waiver_waives_nothing_and_is_a_finding(wide, tmp_path):
    put(tmp_path / "irsa-doctor.toml", WAIVER.format(rule="open-aud-only", subject=ROLE + "#0", expires="2001-01-01"))
    found = {f["rule"]: f for f in check(wide, cwd=tmp_path)["findings"]}
    assert set(found) == {"open-aud-only", "waiver-expired"}
    assert found["waiver-expired"]["subject"]["kind"] == "waiver"
    assert found["waiver-expired"]["locations"][0]["line"] == 2


def test_a_waiver_that_nothing_needs_is_a_finding_unless_its_rule_was_not_asked(right, tmp_path):
    put(tmp_path / "irsa-doctor.toml", WAIVER.format(rule="open-no-sub", subject="*", expires="2999-01-01"))
    assert [f["rule"] for f in check(right, cwd=tmp_path)["findings"]] == ["waiver-unused"]
    assert check(right, "--ignore", "open-no-sub", cwd=tmp_path)["findings"] == []


def test_what_was_not_given_is_unknown_with_the_command_that_fetches_it(right, tmp_path):
    put(tmp_path / "providers.json", {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]})
    report = check(".", cwd=tmp_path)
    assert report["findings"] == []
    commands = [row["how"] for row in report["unknown"] if "client ids" in row["missing"]]
    assert commands
    assert all(command.startswith("aws iam get-open-id-connect-provider") for command in commands)


def test_a_bare_policy_belongs_to_the_role_that_is_named_for_it(tmp_path):
    file = put(tmp_path / "policy.json", OPEN)
    assert check(file, "--role", f"{ROLE}={file}", cwd=tmp_path)["findings"][0]["subject"]["id"] == ROLE + "#0"


@pytest.mark.parametrize("buffering", ["", "1"])
def test_a_slow_reader_gets_all_of_a_long_report(tmp_path, buffering):
    roles = [role(OPEN, f"arn:aws:iam::{ACCOUNT}:role/r{n}")["Role"] for n in range(400)]
    put(tmp_path / "roles.json", {"Roles": roles, "IsTruncated": False})
    done = run("check", "roles.json", "-f", "json", cwd=tmp_path, PYTHONUNBUFFERED=buffering)
    assert len(json.loads(done.stdout)["findings"]) == 400


def test_a_reader_that_goes_away_ends_the_run_with_141(tmp_path):
    roles = [role(OPEN, f"arn:aws:iam::{ACCOUNT}:role/r{n}")["Role"] for n in range(400)]
    put(tmp_path / "roles.json", {"Roles": roles, "IsTruncated": False})
    call = [sys.executable, "-m", "irsa_doctor", "check", "roles.json", "-f", "json"]
    with subprocess.Popen(call, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout
        assert started.stderr
        started.stdout.read(1)
        started.stdout.close()
        assert started.wait(timeout=60) == 141
        assert started.stderr.read() == b""


def test_an_interrupt_ends_the_run_with_130(tmp_path):
    call = [sys.executable, "-c", "import irsa_doctor.cli as c; print('up', flush=True); c.main()", "check", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(call, cwd=tmp_path, stdin=pipe, stdout=pipe, stderr=pipe) as started:
        assert started.stdout
        assert started.stderr
        started.stdout.readline()
        time.sleep(0.5)  # it waits for standard input, which never ends
        started.send_signal(signal.SIGINT)
        assert started.wait(timeout=60) == 130
        assert b"Traceback" not in started.stderr.read()


def test_what_a_baseline_holds_is_counted_not_shown(wide, tmp_path):
    written = run("check", wide, "--write-baseline", "known.json", cwd=tmp_path)
    assert (written.returncode, "1 finding" in written.stderr) == (0, True)
    report = check(wide, "--baseline", "known.json", cwd=tmp_path)
    assert (report["findings"], report["summary"]["baselined"]) == ([], 1)
    put(tmp_path / "more.json", role(OPEN, f"arn:aws:iam::{ACCOUNT}:role/new"))
    assert [f["subject"]["id"] for f in check(".", "--baseline", "known.json", cwd=tmp_path)["findings"]] == [
        f"arn:aws:iam::{ACCOUNT}:role/new#0"
    ]


def test_a_bare_policy_in_a_baseline_may_move(tmp_path):
    put(tmp_path / "policy.json", OPEN)
    run("check", "policy.json", "--write-baseline", "known.json", cwd=tmp_path)
    (tmp_path / "policy.json").rename(tmp_path / "moved.json")
    assert check("moved.json", "--baseline", "known.json", cwd=tmp_path)["findings"] == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": "other", "findings": []}', "{"])
def test_a_file_that_is_no_baseline_is_said(wide, tmp_path, content):
    put(tmp_path / "known.json", content)
    done = run("check", wide, "--baseline", "known.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "not a baseline" in done.stderr


def test_a_baseline_that_is_a_pipe_or_a_device_is_refused_at_once(wide, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, words in (("pipe", "a named pipe, not a file"), ("/dev/zero", "a device, not a file")):
        done = run("check", wide, "--baseline", path, cwd=tmp_path)
        assert (done.returncode, words in done.stderr) == (2, True)


ACCOUNT_YAML = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: checkout
  namespace: payments
  annotations:
    eks.amazonaws.com/role-arn: checkout{comment}
"""


@pytest.mark.parametrize(
    ("comment", "flags", "shown"),
    [
        ("", (), ["role-arn-bare-name"]),
        ("  # irsa-doctor: ignore[role-arn-bare-name] composed by our webhook", (), []),
        ("  # irsa-doctor: ignore[open-default-sa, role-arn-bare-name] composed by our webhook", (), ["waiver-unused"]),
        (
            "  # irsa-doctor: ignore[role-arn-bare-name] composed by our webhook",
            ("--no-inline-ignores",),
            ["role-arn-bare-name"],
        ),
        ("  # irsa-doctor: ignore[role-arn-bare-name]", (), ["role-arn-bare-name", "ignore-without-reason"]),
        ("  # irsa-doctor: ignore[open-default-sa] no", (), ["role-arn-bare-name", "waiver-unused"]),
        ("  # irsa-doctor: ignore[open-default-sa] no", ("--ignore", "open-default-sa"), ["role-arn-bare-name"]),
        ("  # irsa-doctor: ignore[role-arn-bare-nmae] no", (), ["role-arn-bare-name", "ignore-unknown-rule"]),
        ("  # irsa-doctor: ignore[role-arn-*] no", (), ["role-arn-bare-name", "ignore-unknown-rule"]),
        ("  # irsa-doctor: ignore no", (), ["role-arn-bare-name", "ignore-unknown-rule"]),
        ("  # irsa-doctor: ignore[] no", (), ["role-arn-bare-name", "ignore-unknown-rule"]),
    ],
)
def test_a_comment_with_a_reason_ignores_its_rule_on_its_line(tmp_path, comment, flags, shown):
    file = put(tmp_path / "account.yaml", ACCOUNT_YAML.format(comment=comment))
    report = check(file, *flags, cwd=tmp_path)
    assert sorted(finding["rule"] for finding in report["findings"]) == sorted(shown)
    assert len(report["waived"]) == ("role-arn-bare-name" not in shown)


def test_an_ignoring_comment_that_does_nothing_is_shown_at_its_line_with_the_nearest_rule(tmp_path):
    text = ACCOUNT_YAML.format(comment="  # irsa-doctor: ignore[role-arn-bare-nmae] no")
    found = check(put(tmp_path / "account.yaml", text), "--select", "ignore-*", cwd=tmp_path)["findings"]
    assert [(finding["severity"], finding["locations"][0]["line"]) for finding in found] == [("medium", 7)]
    assert 'Did you mean "role-arn-bare-name"?' in found[0]["message"]


def test_a_waiver_of_an_unknown_rule_is_a_finding(right, tmp_path):
    put(tmp_path / "irsa-doctor.toml", WAIVER.format(rule="open-aud-onyl", subject="*", expires="2999-01-01"))
    found = check(right, cwd=tmp_path)["findings"]
    assert [finding["rule"] for finding in found] == ["ignore-unknown-rule"]
    assert 'Did you mean "open-aud-only"?' in found[0]["message"]


def test_a_comment_on_a_line_of_its_own_speaks_of_the_next(tmp_path):
    line = "    # irsa-doctor: ignore[role-arn-bare-name] composed by our webhook\n    eks.amazonaws.com/role-arn"
    text = ACCOUNT_YAML.format(comment="").replace("    eks.amazonaws.com/role-arn", line)
    assert check(put(tmp_path / "account.yaml", text), cwd=tmp_path)["findings"] == []


def test_an_export_cannot_excuse_itself(tmp_path):
    text = json.dumps(role(OPEN)).replace("sts.amazonaws.com", "sts.amazonaws.com # irsa-doctor: ignore[trust-aud-mismatch] x")
    assert check(put(tmp_path / "role.json", text), cwd=tmp_path)["waived"] == []


def test_what_a_folder_passes_over_is_counted_in_one_line_and_listed_in_json(tmp_path):
    put(tmp_path / "roles" / "app.json", role(RIGHT))
    put(tmp_path / "examples" / "open.json", role(OPEN))
    put(tmp_path / "made" / "open.json", role(OPEN))
    put(tmp_path / "node_modules" / "open.json", role(OPEN))
    put(tmp_path / ".gitignore", "/made/*\n")
    put(tmp_path / "irsa-doctor.toml", 'exclude = ["examples/"]\n')
    done = run("check", ".", cwd=tmp_path)
    assert done.returncode == 0
    assert "2 folders and 1 file passed over" in done.stdout
    report = json.loads(run("check", ".", "-f", "json", cwd=tmp_path).stdout)
    passed = {row["path"]: row["status"] for row in report["documents"] if row["kind"] == "passed-over"}
    assert passed == dict.fromkeys(["examples/", "made/open.json", "node_modules/"], "ignored")
    assert run("check", "made/open.json", cwd=tmp_path).returncode == 1
