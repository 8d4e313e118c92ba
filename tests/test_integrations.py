"""What other programs run of us: the files are there for them, so they are read and run as those programs would."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.cli.running import OPEN, RIGHT, put, role, run

ROOT = Path(__file__).parent.parent
MINE = {"irsa_doctor", "rules", "causes", "requirements", "pyproject.toml", "README.md", "LICENSE", "NOTICE"}
MINE |= {".pre-commit-hooks.yaml"}


def action():
    return yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def gitlab():
    return yaml.safe_load((ROOT / "integrations" / "gitlab-ci.yml").read_text(encoding="utf-8"))


def hooks():
    return yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def step(name):
    (found,) = [one for one in action()["runs"]["steps"] if one.get("id") == name]
    return found


def scripts():
    job = gitlab()["irsa-doctor"]
    return {
        "action.yml": step("check")["run"],
        "gitlab-ci.yml": "\n".join(job["script"]),
        **{hook["id"]: " ".join([hook["entry"], *hook.get("args", [])]) for hook in hooks()},
    }


@pytest.mark.parametrize("name", list(scripts()))
def test_every_flag_they_use_is_one(name, tmp_path):
    known = set(re.findall(r"--[a-z][a-z-]+", run("check", "--help", cwd=tmp_path, COLUMNS="200").stdout))
    calls = [line for line in scripts()[name].splitlines() if "irsa_doctor check" in line or "flags" in line]
    used = {flag for line in calls for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)}
    assert calls
    assert used <= known


def shell(script, folder, **environment):
    """A step as runners run it, with the Python that the step before it has set up."""
    python = put(folder / "env" / "bin" / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    places = {"TMPDIR": folder, "RUNNER_TEMP": folder, "IRSA_DOCTOR_HOME": folder, "CI_PROJECT_DIR": folder / "repository"}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder / "repository",
        env={**os.environ, "NO_COLOR": "1", **{name: str(path) for name, path in places.items()}, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def repository(folder, policy):
    put(folder / "repository" / "roles" / "app role.json", role(policy))
    return folder / "repository"


def run_action(folder, **inputs):
    declared = {name: given.get("default", "") for name, given in action()["inputs"].items()}
    declared["config-from"] = ""  # of a push
    given = {**declared, **{name.replace("_", "-"): value for name, value in inputs.items()}}
    environment = {}
    environment["PYTHON"] = sys.executable
    for name, value in step("check")["env"].items():
        if name == "PYTHON":
            continue
        (wanted,) = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", value).groups()
        environment[name] = given[wanted]
    files = {"GITHUB_STEP_SUMMARY": folder / "summary.md", "GITHUB_OUTPUT": folder / "output"}
    done = shell(step("check")["run"], folder, **environment, **{name: str(path) for name, path in files.items()})
    said = [path.read_text(encoding="utf-8") if path.exists() else "" for path in files.values()]
    return done, *said


def test_the_action_fails_on_findings_annotates_and_writes_both_reports(tmp_path):
    repository(tmp_path, OPEN)
    put(tmp_path / "summary.md", "of a step before\n")
    done, summary, output = run_action(tmp_path)
    assert done.returncode == 1
    code, report = output.splitlines()
    assert code == "exit-code=1"
    assert "::error file=roles/app role.json," in done.stdout
    assert summary.startswith("of a step before\n")
    assert "open-aud-only" in summary
    written = Path(report.removeprefix("sarif-file="))
    assert not written.is_relative_to(tmp_path / "repository")
    sarif = json.loads(written.read_text(encoding="utf-8"))
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["open-aud-only"]


def test_the_action_is_content_with_what_is_right_and_with_what_is_below_the_bar(tmp_path):
    repository(tmp_path, RIGHT)
    done, _, output = run_action(tmp_path, summary="false", sarif_file="own.sarif")
    assert (done.returncode, output, (tmp_path / "summary.md").exists()) == (0, "exit-code=0\nsarif-file=own.sarif\n", False)
    repository(tmp_path, OPEN)
    assert run_action(tmp_path, fail_on="never")[0].returncode == 0


WAIVED = """
[[waivers]]
rule = "open-aud-only"
subject = "*"
owner = "me"
reason = "mine"
severity = "critical"
expires = 2999-01-01
"""


def test_a_pull_request_cannot_excuse_itself(tmp_path):
    folder = repository(tmp_path, RIGHT)
    before = committed(folder)
    repository(tmp_path, OPEN)
    put(folder / "irsa-doctor.toml", WAIVED)
    assert run_action(tmp_path)[0].returncode == 0
    done, summary, _ = run_action(tmp_path, config_from=before)
    assert done.returncode == 1
    assert "policy-weakened" in summary
    job = gitlab()["irsa-doctor"]
    script = "\n".join(job["script"])
    assert shell(script, tmp_path, **{**job["variables"], "IRSA_DOCTOR_CONFIG_FROM": ""}).returncode == 0
    done = shell(script, tmp_path, **{**job["variables"], "IRSA_DOCTOR_CONFIG_FROM": before})
    assert (done.returncode, "policy-weakened" in done.stdout) == (1, True)


def test_a_shallow_clone_fetches_the_revision(tmp_path):
    folder = repository(tmp_path, RIGHT)
    before = committed(folder)
    put(folder / "irsa-doctor.toml", WAIVED)
    repository(tmp_path, OPEN)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "change")
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    folder.rename(tmp_path / "origin")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{tmp_path / 'origin'}", "repository")
    done, _, _ = run_action(tmp_path, config_from=before)
    assert (done.returncode, done.stderr) == (1, "")


def test_the_action_tells_a_wrong_call(tmp_path):
    repository(tmp_path, RIGHT)
    # a report that the pull request brought is not taken for that of this run
    put(tmp_path / "repository" / "own.sarif", "{}")
    done, _, output = run_action(tmp_path, args="--no-such-flag", sarif_file="own.sarif")
    assert (done.returncode, output) == (2, "exit-code=2\n")


@pytest.mark.parametrize("name", ["paths", "fail_on", "config_from", "base", "args", "sarif_file"])
def test_what_inputs_of_the_action_hold_is_never_run(name, tmp_path):
    repository(tmp_path, RIGHT)
    run_action(tmp_path, **{name: '$(touch pwned) `touch pwned` "; touch pwned #'})
    assert not list(tmp_path.rglob("pwned"))
    for one in action()["runs"]["steps"]:
        assert "${{" not in one.get("run", "")


def test_the_action_takes_paths_with_a_base(tmp_path):
    repository(tmp_path, OPEN)
    put(tmp_path / "repository" / "live.json", role(RIGHT, "arn:aws:iam::111122223333:role/other"))
    done, _, _ = run_action(tmp_path, base="live.json", paths="roles\nmissing")
    assert done.returncode == 1
    assert "open-aud-only" in done.stdout


def test_the_action_runs_strangers_code_nowhere():
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert action()["runs"]["using"] == "composite"
    assert [line for line in text.splitlines() if "pull_request_target" in line and not line.startswith("#")] == []


def test_the_gitlab_job_leaves_both_reports_and_the_exit_code(tmp_path):
    import junitparser

    job = gitlab()["irsa-doctor"]
    repository(tmp_path, OPEN)
    said = {**job["variables"], "IRSA_DOCTOR_CONFIG_FROM": ""}
    done = shell("\n".join(job["script"]), tmp_path, **said)
    assert done.returncode == 1
    assert "open-aud-only" in done.stdout
    reports = {kind: tmp_path / "repository" / path for kind, path in job["artifacts"]["reports"].items()}
    assert json.loads(reports["codequality"].read_text(encoding="utf-8"))[0]["check_name"] == "open-aud-only"
    assert junitparser.JUnitXml.fromfile(str(reports["junit"])).failures == 1
    repository(tmp_path, RIGHT)
    assert shell("\n".join(job["script"]), tmp_path, **said).returncode == 0


INTENT = """intent: 1
account: "111122223333"
clusters: {shop: "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"}
roles: {checkout: payments/NAME}
"""


@pytest.mark.parametrize(("name", "code"), [("checkout", 0), ("other", 1)])
def test_both_hold_the_paths_against_an_intent(name, code, tmp_path):
    put(repository(tmp_path, RIGHT) / "an intent.yaml", INTENT.replace("NAME", name))
    done, _, output = run_action(tmp_path, intent="an intent.yaml", paths="roles")
    assert (done.returncode, f"exit-code={code}" in output) == (code, True)
    assert ("intent-wider" in done.stdout) is (code == 1)
    job = gitlab()["irsa-doctor"]
    said = {
        **job["variables"],
        "IRSA_DOCTOR_CONFIG_FROM": "",
        "IRSA_DOCTOR_INTENT": "an intent.yaml",
        "IRSA_DOCTOR_PATHS": "roles",
    }
    assert shell("\n".join(job["script"]), tmp_path, **said).returncode == code


def test_the_image_runs_as_nobody_and_holds_what_the_package_needs():
    lines = [line.split() for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines() if line.strip()]
    stages = [n for n, words in enumerate(lines) if words[0] == "FROM"]
    last = lines[stages[-1] :]
    assert all("-slim-" in lines[n][1] for n in stages)
    (user,) = [words[1] for words in last if words[0] == "USER"]
    assert user.split(":")[0].isdecimal()
    assert int(user.split(":")[0]) > 0
    assert ["ENTRYPOINT", '["irsa-doctor"]'] in last
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    assert kept == MINE - {".pre-commit-hooks.yaml"}
    assert all((ROOT / name).exists() for name in kept)


def git(folder, *arguments):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def committed(folder):
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "all")
    return git(folder, "rev-parse", "HEAD").strip()


@pytest.fixture(scope="module")
def hooked(tmp_path_factory):
    """A repository whose pre-commit takes the hook from a checkout of ours, installed by pre-commit itself."""
    if shutil.which("pre-commit") is None and not (Path(sys.executable).parent / "pre-commit").exists():
        pytest.skip("pre-commit is not there: pip install pre-commit")
    folder = tmp_path_factory.mktemp("hooked")
    (folder / "ours").mkdir()
    for name in sorted(MINE):
        source, copy = ROOT / name, folder / "ours" / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    revision = committed(folder / "ours")
    used = {"repo": str(folder / "ours"), "rev": revision, "hooks": [{"id": "irsa-doctor"}, {"id": "irsa-doctor-all"}]}
    put(folder / "theirs" / ".pre-commit-config.yaml", yaml.safe_dump({"repos": [used]}))
    put(folder / "theirs" / "roles" / "old.json", role(OPEN))
    committed(folder / "theirs")
    home = {"PRE_COMMIT_HOME": str(folder / "home")}
    done = pre_commit(folder / "theirs", "install-hooks", **home)
    if done.returncode and re.search(r"(?i)connection|resolve|no matching distribution|timed out", done.stdout + done.stderr):
        pytest.skip("no package index: pre-commit cannot install the hook")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "theirs", home


def pre_commit(folder, *arguments, **environment):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("GIT_")}
    return subprocess.run(
        ["pre-commit", *arguments],
        cwd=folder,
        env={**inherited, "PATH": path, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_pre_commit_stops_a_commit_that_opens_a_role_and_no_other(hooked):
    folder, home = hooked
    put(folder / "roles" / "right.json", role(RIGHT, "arn:aws:iam::111122223333:role/right"))
    put(folder / "package.json", {"name": "of no kind that is read"})
    git(folder, "add", "-A")
    done = pre_commit(folder, "run", "irsa-doctor", **home)
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout
    git(folder, "commit", "-qm", "right")
    put(folder / "roles" / "open.json", role(OPEN, "arn:aws:iam::111122223333:role/open"))
    git(folder, "add", "-A")
    done = pre_commit(folder, "run", "irsa-doctor", **home)
    assert done.returncode == 1
    assert "open.json" in done.stdout
    assert "old.json" not in done.stdout


def test_the_other_hook_judges_everything(hooked):
    folder, home = hooked
    done = pre_commit(folder, "run", "irsa-doctor-all", "--all-files", **home)
    assert done.returncode == 1
    assert "old.json" in done.stdout


def test_the_hook_has_the_versions_of_its_lock(hooked):
    _, home = hooked
    (python,) = Path(home["PRE_COMMIT_HOME"]).glob("repo*/py_env-*/bin/python")
    done = subprocess.run([python, "-I", "-m", "pip", "freeze"], capture_output=True, text=True, timeout=60, check=True)
    held = re.findall(r"^([a-z][\w-]*==\S+)", (ROOT / "requirements" / "hook.txt").read_text(encoding="utf-8"), re.MULTILINE)
    installed = {line.lower().replace("_", "-") for line in done.stdout.splitlines() if "==" in line}
    assert installed
    assert installed <= {*held}


def test_pre_commit_knows_the_manifest(hooked):
    assert pre_commit(ROOT, "validate-manifest", ".pre-commit-hooks.yaml").returncode == 0


def test_an_image_and_a_hook_are_built_from_all_that_the_wheel_takes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {Path(path).parts[0] for path in (*wheel["packages"], *wheel["force-include"])}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    assert needed <= kept & MINE
