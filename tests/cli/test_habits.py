"""What people expect of a command line who know ruff, zizmor, trivy, kubectl, terraform or eslint, one row each."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.running import OPEN, RIGHT, ROLE, put, role, run
from tests.systems import needs_a_user

FINDING = "open-aud-only"
COLOUR = "\x1b["


@pytest.fixture
def world(tmp_path):
    """An open role in a folder, a right one beside it, an empty folder, and a home with an open role."""
    put(tmp_path / "roles" / "open.json", role(OPEN))
    put(tmp_path / "right" / "role.json", role(RIGHT, ROLE + "-2"))
    put(tmp_path / "two words" / "Bücher.json", role(OPEN))
    put(tmp_path / "home" / "mine.json", role(OPEN))
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.fixture
def odd(world):
    """The same with a folder whose only file git ignores, and a link that leads nowhere."""
    put(world / "ignored" / "open.json", role(OPEN))
    put(world / "-odd.json", role(OPEN))
    put(world / "ignored" / ".gitignore", "*.json")
    (world / "ignored" / ".git").mkdir()
    (world / "broken.json").symlink_to("nowhere")
    return world


HABITS = [
    ("a folder is checked", "check roles", 1, FINDING),
    ("a file is checked", "check roles/open.json", 1, FINDING),
    ("without a path the current folder is checked", "check", 1, FINDING),
    ("a path with a slash at its end is the same folder", "check roles/", 1, FINDING),
    ("several paths are checked together", "check right roles", 1, FINDING),
    ("the same path twice is read once", "check roles roles -f concise", 1, FINDING),
    ("a path in quotes may have spaces and letters of any language", "check 'two words/Bücher.json'", 1, FINDING),
    ("a pattern that no shell expanded is expanded", "check 'roles/*.json'", 1, FINDING),
    ("a pattern may cross folders", "check '**/open.json'", 1, FINDING),
    ("a pattern that matches nothing is an error", "check '*.nothing'", 2, "*.nothing: no such file or folder"),
    ("a tilde is the home folder", "check '~/mine.json'", 1, FINDING),
    ("a misspelt path is answered with the nearest", "check rolse", 2, 'Did you mean "roles"?'),
    ("a path with backslashes is answered with the one with slashes", r"check 'roles\open.json'", 2, '"roles/open.json"?'),
    ("an empty folder is an error, not a success", "check empty", 2, "an empty folder"),
    ("options may follow paths", "check roles --exit-zero", 0, FINDING),
    ("options may precede paths", "check --exit-zero roles", 0, FINDING),
    ("after two dashes everything is a path", "check -- roles", 1, FINDING),
    ("a value may follow an equals sign", "check roles --format=json", 1, '"schema"'),
    ("a value may follow a short option without a space", "check roles -fjson", 1, '"schema"'),
    ("the last of two equal thresholds counts", "check roles --fail-on low --fail-on never", 0, FINDING),
    ("the name of a format may be in capitals", "check roles -f SARIF", 1, "sarif"),
    ("a misspelt format is answered with the nearest", "check roles -f jsno", 2, 'Did you mean "json"?'),
    ("a misspelt option is answered with the nearest", "check roles --formt json", 2, "--format"),
    ("a misspelt command is answered with the nearest", "chekc roles", 2, "check"),
    ("a path in the place of a command is answered with the command for it", "roles", 2, "irsa-doctor check roles"),
    ("-h is help", "-h", 0, "check"),
    ("--help after a command is the help of the command", "check --help", 0, "--fail-on"),
    ("--help after paths and options is help as well", "check roles -f json --help", 0, "--fail-on"),
    ("help COMMAND is the help of the command", "help check", 0, "--fail-on"),
    ("help alone is help", "help", 0, "check"),
    ("--version is the version", "--version", 0, "irsa-doctor "),
    ("-V is the version", "-V", 0, "irsa-doctor "),
    ("version is the version", "version", 0, "irsa-doctor "),
    ("a group without a command shows its help", "rules", 2, "list"),
    ("--color always colours what goes to a file", "check roles --color always", 1, COLOUR),
    ("--color may stand before the command", "--color=always check roles", 1, COLOUR),
    ("an unknown word for --color is an error", "check roles --color sometimes", 2, "auto, always or never"),
    ("--debug may follow the command", "check roles --debug", 1, FINDING),
    ("a report into a folder that does not exist is an error", "check roles -o no/such/report.txt", 2, "no/such/report.txt"),
    ("a settings file that does not exist is an error", "check roles --config none.toml", 2, "none.toml"),
    ("a rule is explained", "explain open-aud-only", 0, FINDING),
    ("a rule in capitals is answered with its name", "explain OPEN-AUD-ONLY", 2, 'Did you mean "open-aud-only"?'),
    ("the beginning of an id lists what begins with it", "explain open", 2, "These begin with it: open-aud-missing"),
    ("permissions of a misspelt command are answered with the nearest", "permissions chck", 2, 'Did you mean "check"?'),
    ("a side of a diff that is misspelt is answered with the nearest", "diff roles rihgt", 2, 'Did you mean "right"?'),
    ("a dash is standard output", "check roles -o - -f json", 1, '"schema"'),
    ("a dash after a format is standard output", "check roles -f json:- -f text:report.txt", 1, '"schema"'),
    ("a dash is standard output for a baseline", "check roles --write-baseline -", 0, "irsa-doctor.baseline/1"),
    ("a URL is not read, and not called a file", "check https://example.com/role.json", 2, "a URL is not read"),
    ("a misspelt option is one line", "check roles --formt json", 2, 'check has no option --formt. Did you mean "--format"?'),
    ("an option of other linters is answered with what does it here", "check roles --fix", 2, "--show-fixes"),
    ("excluding is a setting", "check roles --exclude x", 2, 'exclude = ["PATTERN"]'),
    ("a command of other linters is answered with what does it here", "lint roles", 2, "irsa-doctor check roles"),
    ("completion is an option", "completion bash", 2, "irsa-doctor --show-completion bash"),
    ("the script for completion is printed", "--show-completion bash", 0, "complete_bash"),
    ("a shell is named in any way", "--show-completion=Zsh", 0, "complete_zsh"),
    ("a shell that has no completion is named", "--show-completion tcsh", 2, "expected bash, zsh, fish"),
    ("a base that is a revision is answered with diff", "check roles --base main", 2, "irsa-doctor diff --git main"),
    ("a folder whose files are all ignored says so", "check ignored", 2, "passed over (.gitignore"),
    ("a file that git ignores is read where it is named", "check ignored/open.json", 1, FINDING),
    ("a link that leads nowhere is called one", "check broken.json", 2, "a link to nowhere"),
    ("a pattern is expanded by why as well", "why --all 'rol*/*.json'", 0, "no service account"),
    (
        "an option before the command is answered with the right order",
        "-f json check roles",
        2,
        "irsa-doctor check -f json roles",
    ),
    ("a flag before the command is answered too", "-q check roles", 2, "irsa-doctor check -q roles"),
    ("an empty path is no folder", "check ''", 2, "an empty path"),
    ("an empty path beside others is an error", "check roles ''", 2, "an empty path"),
    ("an empty side of a diff is an error", "diff '' roles", 2, "an empty path"),
    ("a revision alone is answered with the option for it", "diff main", 2, "irsa-doctor diff --git main"),
    ("two revisions are answered with the option", "diff HEAD~1 HEAD", 2, "irsa-doctor diff --git HEAD~1"),
    ("a branch of a remote is a revision", "diff origin/main roles", 2, "irsa-doctor diff --git origin/main"),
    ("one existing side of a diff is not a revision", "diff roles", 2, "give two files or folders"),
    ("a role in a file is named by its path alone", "who-can roles/open.json", 0, "can be assumed by"),
    ("a missing argument is one line", "explain", 2, "irsa-doctor: Missing argument"),
    ("a second argument that is too many is one line", "explain open-no-sub open-aud-only", 2, "See: irsa-doctor explain -h"),
    ("an option without its value is one line", "check roles --config", 2, "irsa-doctor: Option '--config' requires"),
    ("an argument that a command does not take is one line", "simulate roles", 2, "See: irsa-doctor simulate -h"),
    ("an unknown command is one line", "frobnicate", 2, "See: irsa-doctor -h"),
    ("-- before the command changes nothing", "--version check", 0, "irsa-doctor "),
    ("-o with the name of a format is answered with -f", "check roles -o json", 2, "For the format: -f json"),
    ("-o with the name of a format needs no space", "check roles -ojson", 2, "For the format: -f json"),
    ("a file with the name of a format is written where it is a path", "check roles -o ./json", 1, ""),
    ("a file that begins with -o is not written over", "check -odd.json", 2, "To read the file of this name: ./-odd.json"),
    ("a family of rules is answered with its pattern", "check roles --select open", 2, 'Did you mean "open-*"?'),
    ("every rule is a pattern", "check roles --select ALL", 2, 'no rule ALL. Did you mean "*"?'),
    ("a misspelt pattern is answered with the nearest", "check roles --select 'opne-*'", 2, 'Did you mean "open-*"?'),
    ("a selection that is empty is an error", "check roles --select ''", 2, "--select names no rule"),
    ("an ignore list that is empty ignores nothing", "check roles --ignore ''", 1, FINDING),
    ("the beginning of an id lists what rules begin with it", "rules show open", 2, "These begin with it: open-aud-missing"),
    ("a message is answered with the command for it", "explain 'is not authorized'", 2, "why --error 'is not authorized'"),
    ("an error code is answered with the command for it", "explain AccessDenied", 2, "irsa-doctor why --error AccessDenied"),
    ("no settings are an option", "check roles --config /dev/null", 2, "to read no settings: --no-config"),
    ("the version after a command is answered", "check --version", 2, "run irsa-doctor --version"),
    ("-V after a command is answered", "diff -V", 2, "run irsa-doctor --version"),
    ("--json is answered with the format", "permissions why --json", 2, "-f json does that"),
    ("-r is answered", "check -r roles", 2, "folders are read with all that is in them"),
    ("-c is answered with the option for settings", "check roles -c x.toml", 2, "--config takes a settings file"),
    ("--exit-code is answered", "check roles --exit-code 1", 2, "--fail-on"),
    ("--list-rules is answered with the command for it", "check --list-rules", 2, "irsa-doctor rules list"),
    ("--show-files is answered", "check roles --show-files", 2, "-f json lists them under documents"),
    ("--add-noqa is answered with the baseline", "check roles --add-noqa", 2, "--write-baseline"),
    ("--diff is answered with the command for it", "check roles --diff", 2, "irsa-doctor diff --git REVISION"),
    ("--staged is answered with a revision", "diff --staged", 2, "--git HEAD"),
    ("-n is answered with the form of a target", "why -n app web roles", 2, "NAMESPACE/SERVICEACCOUNT"),
    ("paths with commas are answered with a list", "check roles,right", 2, "Did you mean: roles right?"),
    ("a role behind the paths is answered with the right order", "who-can roles checkout", 2, "who-can checkout roles"),
    ("a target behind the paths is answered with the right order", "why right app/web", 2, "why app/web right"),
    ("a kind with its group is a kind", "why deployment.apps/app/web roles", 3, "deployment/app/web is not in the"),
    ("a plural kind with its group is a kind", "why statefulsets.apps/app/web roles", 3, "statefulset/app/web is not in the"),
    ("a threshold of other linters is answered with what it is here", "check roles --fail-on none", 2, 'Did you mean "never"?'),
    ("a severity of other linters is answered too", "check roles --fail-on error", 2, 'Did you mean "high"?'),
    ("a severity called warning is answered too", "check roles --min-severity warning", 2, 'Did you mean "medium"?'),
    ("a format of other linters is answered with what it is here", "check roles -f table", 2, 'Did you mean "text"?'),
    ("a short name of a format is answered", "check roles -f md", 2, 'Did you mean "markdown"?'),
    ("a rule behind the list of --ignore is no path", "check roles --ignore open-no-sub open-aud-only", 2, "A,open-aud-only"),
    ("a rule in place of a path is no path", "check open-aud-only", 2, "open-aud-only is a rule, not a path"),
    ("a file with the name of a rule is a path", "check roles open-no-such-rule", 1, "open-no-such-rule"),
    ("a region without a live read is an error", "check roles --region eu-west-1", 2, "--region does nothing without --aws"),
    ("explain all is answered with the command for it", "explain all", 2, "irsa-doctor rules list"),
    ("explain --list is answered with the command for it", "explain --list", 2, "irsa-doctor rules list"),
    ("explain -f json is answered with the command for it", "explain open-no-sub -f json", 2, "rules show ID -f json"),
    ("a schema has one form", "schema check -f json", 2, "its output has one form"),
    ("--watch takes no standard input", "check - --watch", 2, "--watch"),
    ("--max-warnings is answered", "check roles --max-warnings 0", 2, "--fail-on low"),
    ("a target with a colon is answered with the one with a slash", "why app:web roles", 2, 'Did you mean "app/web"?'),
    ("a range of revisions is answered with one", "diff --git HEAD..HEAD", 2, "repository"),
    ("a severity may be in capitals", "check roles --min-severity HIGH", 1, FINDING),
    ("quiet twice is quiet", "check roles -qq", 1, FINDING),
    ("a subject of a token is a target", "why system:serviceaccount:app:web roles", 3, "app/web"),
    ("a path through another folder is the same", "check right/../roles -f concise", 1, FINDING),
    ("a role that is misspelt is answered with the nearest", "who-can checkuot roles", 2, "Did you mean"),
    ("--no-colour is answered", "check roles --no-colour", 2, "--no-color does that"),
    ("statistics of no finding say so", "check right --statistics", 0, ""),
    ("two formats may be one command", "check roles -f concise -f json:r.json", 1, FINDING),
    ("a framework in capitals is taken", "check roles --framework SOC2", 1, ""),
    ("a framework that is misspelt is answered with the nearest", "check roles --framework soc3", 2, 'Did you mean "soc2"?'),
    ("--complete of an unknown kind is answered", "check roles --complete podz", 2, 'Did you mean "pods"?'),
    ("--show-unknown lists the commands", "check roles --show-unknown", 1, "> "),
    ("empty standard input is named so", "check -", 2, "nothing could be read: standard input: empty"),
    ("a schema of a misspelt command is answered with the nearest", "schema chekc", 2, 'Did you mean "check"?'),
    ("a folder with two slashes is the same", "check roles//", 1, FINDING),
    ("a path with dots between is the same", "check ./right/./../roles", 1, FINDING),
    ("a pattern with one sign is expanded", "check 'roles/ope?.json'", 1, FINDING),
    ("rules in a list may have spaces", "check roles --select 'open-no-sub, open-aud-only'", 1, FINDING),
    ("rules may be selected in two options", "check roles --select open-no-sub --select open-aud-only", 1, FINDING),
    ("a rule in capitals is answered with its id", "check roles --select OPEN-AUD-ONLY", 2, 'Did you mean "open-aud-only"?'),
    ("--output-format is answered with what it is here", "check roles --output-format json", 2, "--format chooses the format"),
    ("-o - is standard output", "check roles -f json -o -", 1, '"schema"'),
    (
        "two thresholds at once are an error",
        "check roles --fail-on high,critical",
        2,
        "expected critical, high, medium, low or never",
    ),
    ("--verbose is answered with what shows more", "check roles --verbose", 2, "--show-unknown"),
    ("--stdin-filename is answered", "check - --stdin-filename x.json", 2, "what it is shows from its content"),
    ("the short form of a flag with an equals sign is answered", "check roles -f=json", 2, 'Did you mean "json"?'),
    ("-- before a flag makes it a path", "check roles -- --exit-zero", 1, "--exit-zero"),
    ("help of a command that is not there is an error", "help frobnicate", 2, "No such command"),
    ("a base that is the same as the paths hides nothing", "check roles --base roles", 1, FINDING),
    ("a comparison of a folder with itself is no change", "diff roles roles", 0, "no change"),
    ("--list-files is answered", "check roles --list-files", 2, "-f json lists them under documents"),
    ("settings that are there are not written over", "init --force --force", 0, ""),
]


@pytest.mark.parametrize(("sentence", "call", "code", "text"), HABITS, ids=[habit[0].replace(" ", "-") for habit in HABITS])
def test_a_habit_holds(odd, sentence, call, code, text):
    done = run(*shlex.split(call), cwd=odd, NO_COLOR="", HOME=str(odd / "home"))
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert text in done.stdout + done.stderr, sentence


@pytest.mark.parametrize(
    ("environment", "flags", "coloured"),
    [
        ({"NO_COLOR": ""}, (), False),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, (), True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, (), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, ("--no-color",), False),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, ("--color=never",), False),
        ({"NO_COLOR": "", "FORCE_COLOR": "1"}, ("--color", "auto"), True),
    ],
)
def test_a_flag_for_colour_takes_precedence_over_the_environment(world, environment, flags, coloured):
    assert (COLOUR in run("check", "roles", *flags, cwd=world, **environment).stdout) is coloured


@pytest.mark.parametrize(
    "call", ["explain", "who-can", "explain a b", "check --config", "frobnicate", "rules shwo x", "-q check roles"]
)
def test_a_wrong_call_is_one_line_whichever_part_is_wrong(world, call):
    done = run(*call.split(), cwd=world)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr


def test_standard_input_is_a_path(world):
    done = run("check", "-", cwd=world, stdin=json.dumps(role(OPEN)).encode())
    assert (done.returncode, FINDING in done.stdout) == (1, True)


def test_findings_go_to_standard_output_and_errors_to_standard_error(world):
    assert run("check", "roles", cwd=world).stderr == ""
    assert run("check", "roles", "--fail-on", "x", cwd=world).stdout == ""


def test_settings_of_a_folder_above_hold_up_to_the_repository(world):
    put(world / "irsa-doctor.toml", 'fail-on = "never"')
    assert run("check", "open.json", cwd=world / "roles").returncode == 0
    (world / "roles" / ".git").mkdir()
    assert run("check", "open.json", cwd=world / "roles").returncode == 1


def started(folder, *arguments):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-m", "irsa_doctor", *arguments], cwd=folder, **pipes)


def test_a_reader_that_has_enough_ends_the_run_silently(world):
    with started(world, "check", "roles", "-f", "json") as process:
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 141)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a shell and the full device of Linux")
@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        ("check roles >&-", 1, ""),
        ("check roles -f concise 2>&-", 1, FINDING),
        ("check roles >&- 2>&-", 1, ""),
        ("check - <&-", 2, "standard input: empty"),
        ("check roles > /dev/full", 2, "the output cannot be written: no space is left on the device"),
        ("explain open-no-sub > /dev/full", 2, "the output cannot be written"),
    ],
)
def test_a_stream_that_is_closed_or_full_is_no_error_of_ours(world, call, code, says):
    line = f"{shlex.quote(sys.executable)} -m irsa_doctor {call}"
    done = subprocess.run(["sh", "-c", line], cwd=world, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, says in done.stdout + done.stderr) == (code, True), done.stderr
    assert "bug" not in done.stderr


def test_an_interrupt_ends_the_run_with_130_and_no_traceback(world):
    with started(world, "check", "-") as process:
        time.sleep(2)  # it waits for standard input by then
        process.send_signal(signal.SIGINT)
        assert (process.stderr.read(), process.wait()) == (b"", 130)


@needs_a_user
def test_a_folder_of_unreadable_files_is_no_success(world):
    (world / "roles" / "open.json").chmod(0)
    assert run("check", "roles", cwd=world).returncode == 2


def test_every_format_goes_to_its_file_in_one_run(world):
    done = run("check", "roles", "-f", "json:a.json", "-f", "sarif:b.sarif", "-f", "concise", cwd=world)
    assert (done.returncode, FINDING in done.stdout) == (1, True)
    assert (world / "a.json").exists()
    assert (world / "b.sarif").exists()


FORMS = ["roles", "./roles", "roles/", "roles/open.json", "./roles/open.json", "{top}/roles", "{top}/roles/open.json", "."]


@pytest.mark.parametrize("kind", ["role", "policy", "template"])
def test_findings_and_fingerprints_do_not_depend_on_how_a_path_is_written(world, kind):
    for folder in ("right", "two words", "home"):
        for file in (world / folder).iterdir():
            file.unlink()
    (world / "roles" / "open.json").unlink()
    content = {"role": role(OPEN), "policy": OPEN, "template": _template()}[kind]
    put(world / "roles" / "open.json", content)
    results = [_findings(form.format(top=world), world) for form in FORMS]
    assert results[0]
    assert [result == results[0] for result in results] == [True] * len(FORMS), list(zip(FORMS, results, strict=True))


def _template():
    role_of = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": OPEN}}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"App": role_of}}


def _findings(path, folder):
    report = json.loads(run("check", "-f", "json", "--exit-zero", path, cwd=folder).stdout)
    return sorted((finding["rule"], finding["fingerprint"]) for finding in report["findings"])


def test_a_baseline_that_is_written_anew_has_the_known_findings_too(world):
    put(world / "irsa-doctor.toml", 'baseline = "known.json"')
    for flags in ((), ("--baseline", "known.json"), ()):
        done = run("check", "roles", "--write-baseline", "known.json", *flags, cwd=world)
        assert (done.returncode, done.stderr) == (0, "irsa-doctor: known.json holds 1 finding\n")
    assert run("check", "roles", cwd=world).returncode == 0


def test_a_comment_that_names_no_rule_is_reported_in_one_sentence_that_is_true(world):
    broken = "arn:aws:iam::111122223333:rol/x"
    metadata = f"{{name: a, namespace: b, annotations: {{eks.amazonaws.com/role-arn: {broken}}}}}"
    put(world / "sa.yaml", f"apiVersion: v1\nkind: ServiceAccount\nmetadata: {metadata}  # irsa-doctor: ignore\n")
    shown = run("check", "sa.yaml", "-f", "concise", cwd=world).stdout
    assert "names no rule in brackets. It ignores no finding." in shown
