"""`generate`, `verify`, `infer` and `diff` of intents, as they are called."""

import json
import os
import subprocess

import pytest

from tests.cli.running import ISSUER, OPEN, RIGHT, put, role, run
from tests.reports.test_sarif import find

HEAD = f'intent: 1\naccount: "111122223333"\nclusters: {{shop: "https://{ISSUER}"}}\nroles:\n'
INTENT = HEAD + "  checkout: payments/checkout\n"
WIDER = HEAD + "  checkout: [payments/checkout, payments/web]\n"


@pytest.fixture
def folder(tmp_path):
    put(tmp_path / "intent.yaml", INTENT)
    put(tmp_path / "role.json", role(RIGHT))
    put(tmp_path / "open.json", role(OPEN))
    return tmp_path


def git(folder, *arguments):
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)


# ---------------------------------------------------------------- generate


def test_files_are_written_below_the_folder_and_again_without_a_word(folder):
    for _ in range(2):
        done = run("generate", "intent.yaml", "-f", "terraform", "-f", "cli", "-o", "out", cwd=folder)
        assert (done.returncode, done.stdout) == (0, "")
    assert sorted(path.name for path in (folder / "out").rglob("*") if path.is_file()) == ["irsa.sh", "irsa.tf"]


def test_the_json_says_the_audience_that_an_account_has_to_name(folder):
    put(
        folder / "odd.yaml", HEAD + "  other: {service-accounts: a/b, audience: other.example}\n  checkout: payments/checkout\n"
    )
    made = json.loads(run("generate", "odd.yaml", "-f", "json", cwd=folder).stdout)
    assert {row["service_account"]: row["audience"] for row in made["annotations"]} == {"b": "other.example", "checkout": ""}


WIDE = (
    HEAD
    + """  runner:
    namespaces: {builds: runners are made on demand, kube-system: its operators, ci: runners are made on demand}
"""
)
ODD_AUDIENCE = HEAD.replace(f'"https://{ISSUER}"', f'{{issuer: "https://{ISSUER}", audience: vault.example.net}}') + (
    "  checkout: {service-accounts: [payments/checkout, payments/default]}\n"
)


@pytest.mark.parametrize("intent", [WIDE, ODD_AUDIENCE], ids=["several namespaces", "audience"])
@pytest.mark.parametrize("dialect", ["trust-policy", "terraform", "cloudformation", "crossplane", "ack", "kubernetes"])
def test_what_an_intent_asks_for_with_its_reason_is_no_fault_of_the_text(folder, intent, dialect):
    put(folder / "intent.yaml", intent)
    done = run("generate", "intent.yaml", "-f", dialect, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_that_differs_is_replaced_by_force_alone_and_then_nothing_else_is_written(folder):
    mine = put(folder / "out" / "terraform" / "irsa.tf", "# mine\n")
    done = run("generate", "intent.yaml", "-f", "cli", "-f", "terraform", "-o", "out", cwd=folder)
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert mine.read_text() == "# mine\n"
    assert not (folder / "out" / "cli").exists()
    assert run("generate", "intent.yaml", "-f", "terraform", "-o", "out", "--force", cwd=folder).returncode == 0
    assert "aws_iam_role" in mine.read_text()


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "fifo", "linked folder", "file as folder"])
def test_nothing_is_written_through_what_is_no_file(folder, kind):
    target = put(folder / "elsewhere" / "target", "mine\n")
    place = folder / "out" / "terraform" / "irsa.tf"
    if kind in ("linked folder", "file as folder"):
        (folder / "out").mkdir()
    else:
        place.parent.mkdir(parents=True)
    if kind == "link":
        place.symlink_to(target)
    elif kind == "dangling":
        place.symlink_to(folder / "elsewhere" / "none")
    elif kind == "folder":
        place.mkdir()
    elif kind == "fifo":
        os.mkfifo(place)
    elif kind == "linked folder":
        place.parent.symlink_to(folder / "elsewhere")
    else:
        put(place.parent, "mine\n")
    done = run("generate", "intent.yaml", "-f", "terraform", "-o", "out", "--force", cwd=folder)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in (folder / "elsewhere").iterdir()) == ["target"]
    assert target.read_text() == "mine\n"


def test_what_cannot_be_made_is_said_and_nothing_is_written(folder):
    put(folder / "intent.yaml", INTENT.replace(f'"https://{ISSUER}"', "arn:aws:eks:eu-west-1:111122223333:cluster/shop"))
    done = run("generate", "intent.yaml", "-f", "json", "-f", "cli", "-o", "out", cwd=folder)
    answer = json.loads(done.stdout)
    assert (done.returncode, [p["code"] for p in answer["problems"]], answer["files"]) == (1, ["issuer-unknown"], [])
    assert "describe-cluster" in done.stderr
    assert not (folder / "out").exists()


def test_a_mistake_is_one_line_whatever_is_in_it(folder):
    put(folder / "intent.yaml", HEAD + '  "a\\nb\\e[31m": payments/checkout\n')
    done = run("generate", "intent.yaml", cwd=folder)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "\x1b" not in done.stderr


# ---------------------------------------------------------------- verify


def test_the_exit_code_follows_the_bar(folder):
    complete = ("--complete", "serviceaccounts")
    assert run("verify", "intent.yaml", "role.json", cwd=folder).returncode == 0
    assert run("verify", "intent.yaml", "role.json", "--strict", cwd=folder).returncode == 3
    assert run("verify", "intent.yaml", "open.json", *complete, cwd=folder).returncode == 1
    assert run("verify", "intent.yaml", "open.json", "--fail-on", "never", cwd=folder).returncode == 0
    assert run("verify", "intent.yaml", "none.json", cwd=folder).returncode == 2
    assert run("verify", "none.yaml", "role.json", cwd=folder).returncode == 2


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_text_fits_the_terminal_as_far_as_names_do(folder, width):
    text = run("verify", "intent.yaml", "open.json", cwd=folder, COLUMNS=width).stdout
    assert "wider" in text
    # commands stay on one line, for copying
    long = [line for line in text.splitlines() if len(line) > int(width) and not line.startswith(("    aws ", "    kubectl "))]
    assert long == []


def test_code_scanning_and_workflow_commands_name_the_difference(folder):
    sarif = json.loads(run("verify", "intent.yaml", "open.json", "-f", "sarif", cwd=folder).stdout)
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["intent-wider"]
    assert "::error file=open.json," in run("verify", "intent.yaml", "open.json", "-f", "github", cwd=folder).stdout


def test_the_schema_of_sarif_accepts_the_differences(folder):
    from jsonschema import Draft4Validator

    text = run("verify", "intent.yaml", "open.json", "--complete", "serviceaccounts", "-f", "sarif", cwd=folder).stdout
    schema = json.loads(find("sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    assert [error.message for error in Draft4Validator(schema).iter_errors(json.loads(text))] == []


# ---------------------------------------------------------------- infer


def test_an_intent_is_never_overwritten_without_force(folder):
    mine = put(folder / "mine.yaml", "# mine\n")
    done = run("infer", "role.json", "-o", "mine.yaml", cwd=folder)
    assert (done.returncode, mine.read_text()) == (2, "# mine\n")
    (folder / "link.yaml").symlink_to(folder / "nowhere.yaml")
    assert run("infer", "role.json", "-o", "link.yaml", "--force", cwd=folder).returncode == 2
    assert not (folder / "nowhere.yaml").exists()
    assert run("infer", "role.json", "-o", "mine.yaml", "--force", cwd=folder).returncode == 0
    assert mine.read_text().startswith("# who may be which role")


# ---------------------------------------------------------------- diff


def test_two_intents_are_compared_by_whom_they_mean(folder):
    put(folder / "new.yaml", WIDER)
    done = run("diff", "intent.yaml", "new.yaml", "-f", "json", cwd=folder)
    (row,) = json.loads(done.stdout)["roles"]
    assert (done.returncode, row["change"]) == (1, "widened")
    assert row["gained"]["patterns"] == ["system:serviceaccount:payments:web"]
    assert run("diff", "new.yaml", "intent.yaml", cwd=folder).returncode == 0
    for form in ("text", "markdown"):
        assert "payments" in run("diff", "intent.yaml", "new.yaml", "-f", form, cwd=folder).stdout


def test_an_intent_is_compared_with_what_it_was_at_a_revision(folder):
    git(folder, "init", "-q")
    git(folder, "add", "intent.yaml")
    git(folder, "commit", "-qm", "one")
    assert run("diff", "--git", "HEAD", "intent.yaml", cwd=folder).returncode == 0
    put(folder / "intent.yaml", WIDER)
    done = run("diff", "--git", "HEAD", "intent.yaml", cwd=folder)
    assert done.returncode == 1
    assert "payments:web" in done.stdout
    put(folder / "later.yaml", INTENT)
    assert "is new" in run("diff", "--git", "HEAD", "later.yaml", cwd=folder).stdout


def test_an_intent_beside_a_policy_is_a_wrong_call_that_names_verify(folder):
    done = run("diff", "role.json", "intent.yaml", cwd=folder)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "irsa-doctor verify" in done.stderr


def test_a_mistake_in_an_intent_is_told_by_diff_too(folder):
    put(folder / "new.yaml", INTENT.replace("checkout: ", "checkout: ?"))
    done = run("diff", "intent.yaml", "new.yaml", cwd=folder)
    assert done.returncode == 2
    assert "new.yaml:5:" in done.stderr


CHOSEN = """intent: 1
account: "111122223333"
clusters:
  blue: {issuer: https://oidc.eks.eu-west-1.amazonaws.com/id/00000000000000000000000000000001}
  green: {issuer: https://oidc.eks.eu-west-1.amazonaws.com/id/00000000000000000000000000000002, audience: vault}
  metal: {issuer: https://oidc.example.net/metal, audience: irsa.example.net}
roles:
  own: {service-accounts: {blue: shop/own}, audience: own}
  green: {service-accounts: {green: shop/green, metal: shop/green}}
  metal: {service-accounts: {metal: shop/metal}, audience: other}
"""


@pytest.mark.parametrize("formats", [["trust-policy"], ["terraform"], ["cloudformation"], ["trust-policy", "kubernetes"]])
def test_nothing_is_found_in_what_is_written_for_an_audience_that_somebody_chose(tmp_path, formats):
    (tmp_path / "intent.yaml").write_text(CHOSEN)
    options = [option for name in formats for option in ("-f", name)]
    assert run("generate", "intent.yaml", *options, "-o", "made", cwd=tmp_path).returncode == 0
    done = run("check", "made", "--no-config", "--min-severity", "high", "-f", "concise", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
