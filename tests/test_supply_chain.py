"""What reaches our users and our own CI from elsewhere is fixed by digest, and nothing of a change is run on the way."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from irsa_doctor.version import __version__
from tests.cli.running import put
from tests.servers.programs import PROGRAMS

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"
GITLAB = ROOT / "integrations" / "gitlab-ci.yml"
DOCKERFILE = ROOT / "Dockerfile"
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
HASHED = [path for path in LOCKS if path.name != "hook.txt"]
SHELL = [ACTION, GITLAB, DOCKERFILE, ROOT / ".ci" / "run", ROOT / "Makefile", *WORKFLOWS]


def read(path):
    return path.read_text(encoding="utf-8")


def name(path):
    return path.relative_to(ROOT).as_posix()


def members(value):
    """Every mapping inside a document."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from members(child)


def workflow(path):
    """A workflow, with `on` under its name: YAML 1.1 takes the word for a truth value."""
    document = yaml.safe_load(read(path))
    return {"on" if key is True else key: value for key, value in document.items()}


def jobs():
    return [pytest.param(job, id=f"{path.stem}-{ident}") for path in WORKFLOWS for ident, job in workflow(path)["jobs"].items()]


USES = re.compile(r"^\s*-?\s*uses:\s*(\S+)(.*)$", re.MULTILINE)


def test_every_action_is_a_commit_with_its_version_beside_and_the_same_everywhere():
    commits = {}
    for path in [ACTION, *WORKFLOWS]:
        lines = USES.findall(read(path))
        assert lines
        for action, comment in lines:
            if action.startswith("./"):
                continue
            assert re.fullmatch(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40}", action), name(path)
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{name(path)}: {action}"
            repository, _, commit = action.partition("@")
            commits.setdefault("/".join(repository.split("/")[:2]), set()).add((commit, comment))
    assert [action for action, pins in commits.items() if len(pins) > 1] == []


def test_every_image_is_a_digest_of_one_python():
    images = re.findall(r"^FROM (\S+)", read(DOCKERFILE), re.MULTILINE)
    for path in [GITLAB, *WORKFLOWS]:
        documents = [member for member in members(yaml.safe_load(read(path))) if isinstance(member, dict)]
        images += [member[key] for member in documents for key in ("image", "container") if isinstance(member.get(key), str)]
    pinned = [re.fullmatch(r"python:([\d.]+)-[a-z-]+@sha256:[0-9a-f]{64}", image) for image in images]
    assert len(images) >= 4
    assert all(pinned)
    assert len({match[1] for match in pinned}) == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_a_workflow_has_no_rights_of_its_own_and_never_those_of_the_base_for_a_change(path):
    document = workflow(path)
    assert document["permissions"] == {}
    triggers = document["on"]
    assert set(triggers).isdisjoint({"pull_request_target", "workflow_run", "issue_comment"})


@pytest.mark.parametrize("job", jobs())
def test_a_job_says_what_it_may_do_and_keeps_no_credentials(job):
    assert isinstance(job["permissions"], dict)
    assert set(job["permissions"].values()) <= {"read", "write"}
    if "uses" not in job:
        assert job["timeout-minutes"] <= 90
    for step in job.get("steps", []):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_only_a_release_and_the_pages_write_and_no_job_both_writes_and_runs_the_source():
    writing = {"contents", "id-token", "attestations", "packages", "pages"}
    for path in WORKFLOWS:
        for job in workflow(path)["jobs"].values():
            rights = {right for right, level in job["permissions"].items() if level == "write"} & writing
            checkout = any(step.get("uses", "").startswith("actions/checkout@") for step in job.get("steps", []))
            # scorecard signs its results, and runs nothing of the source
            assert not rights or path.stem in ("release", "docs", "scorecard")
            assert not (rights and checkout and path.stem != "scorecard")


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=name)
def test_no_expression_stands_in_a_script(path):
    scripts = [member["run"] for member in members(yaml.safe_load(read(path))) if isinstance(member.get("run"), str)]
    assert [script for script in scripts if "${{" in script] == []


MODULES = re.compile(r" -m (?:pip|venv|zipfile|irsa_doctor)\b")
COMMENT = re.compile(r"\s*#")
FREE = ("--editable '.[dev]'", "'.[bench]'")
"""environments of the Makefile that are there to be free of the lock"""


@pytest.mark.parametrize("path", SHELL, ids=name)
def test_python_is_started_isolated_and_pip_takes_what_a_lock_names(path):
    commands = re.split(r"&&|\n", read(path).replace("\\\n", " "))
    modules = [line for line in commands if re.search(r"python3?[\"}]*|PYTHON[\")]*", line) and re.search(MODULES, line)]
    if path.name not in ("Makefile", "run"):
        assert [line for line in modules if " -I -m " not in line] == []
    installs = [
        line for line in commands if re.search(r"\bpip\b.* (?:install|download|wheel) ", line) and not COMMENT.match(line)
    ]
    for line in installs:
        locked = "--require-hashes" in line and "--only-binary :all:" in line
        local = "--no-index" in line or "--no-build-isolation --editable ." in line
        assert ("--no-deps" in line and (locked or local)) or any(words in line for words in FREE), line


def test_make_installs_with_an_isolated_pip():
    text = read(ROOT / "Makefile")
    assert "PIP    := -I -m pip" in text
    assert "LOCKED := install --require-hashes --only-binary :all: --no-deps --requirement\n" in text


def pins(path):
    """(requirement, its hashes) of a lock."""
    text = re.sub(r"^#.*$", "", read(path), flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement, *hashes = re.split(r"\s+--hash=", line)
        yield Requirement(requirement), hashes


def versions(path):
    return {requirement.name: str(requirement.specifier) for requirement, _ in pins(path)}


@pytest.mark.parametrize("path", HASHED, ids=name)
def test_every_line_of_a_lock_is_one_version_with_its_hashes(path):
    rows = list(pins(path))
    assert rows
    for requirement, hashes in rows:
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest.strip()) for digest in hashes), requirement


@pytest.mark.parametrize("path", LOCKS, ids=name)
def test_a_lock_names_no_place_to_fetch_from(path):
    text = "\n".join(line for line in read(path).splitlines() if not line.startswith("#"))
    assert "://" not in text
    assert not re.search(r"^\s*-", text.replace("    --hash", "    hash"), re.MULTILINE)


def test_the_locks_agree_and_hold_all_that_is_declared():
    folder = ROOT / "requirements"
    run, dev, hook = (versions(folder / f"{lock}.txt") for lock in ("run", "dev", "hook"))
    assert run == hook
    assert run.items() <= dev.items()
    assert versions(folder / "build.txt").items() <= dev.items()
    project = tomllib.loads(read(ROOT / "pyproject.toml"))
    groups = project["dependency-groups"]
    declared = {"run": project["project"]["dependencies"], "build": groups["build"], "ci": groups["ci"]}
    for lock, lines in declared.items():
        locked = versions(folder / f"{lock}.txt")
        for line in lines:
            requirement = Requirement(line)
            assert requirement.specifier.contains(locked[requirement.name].removeprefix("==")), line
    assert {Requirement(line).name for line in project["build-system"]["requires"]} <= versions(folder / "build.txt").keys()


def test_updates_wait_a_week():
    updates = yaml.safe_load(read(ROOT / ".github" / "dependabot.yml"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"pip", "npm", "github-actions", "docker"}
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)
    assert 'COOLDOWN = "7 days"' in read(ROOT / "tools" / "locks.py")


def test_the_gitlab_template_names_this_version():
    (job,) = yaml.safe_load(read(GITLAB)).values()
    assert job["variables"]["IRSA_DOCTOR_PACKAGE"] == f"irsa-doctor=={__version__}"
    assert re.fullmatch(r"(sha256:[0-9a-f]{64})?", job["variables"]["IRSA_DOCTOR_HASH"])


def test_the_security_policy_supports_this_version():
    assert f"| {__version__.rpartition('.')[0]}.x | yes |" in read(ROOT / "SECURITY.md")


HOSTILE = ("pip.py", "pip/__init__.py", "pip/__main__.py", "venv.py", "json.py", "sitecustomize.py", "irsa_doctor/__init__.py")


class Runner:
    """A job of a CI system in the checkout of a change whose author wants to be run, and a job that sets PYTHONPATH."""

    def __init__(self, folder):
        self.folder = folder
        self.checkout = folder / "checkout"
        for path in HOSTILE:
            put(self.checkout / path, f"open({str(folder / 'PWNED')!r}, 'w')\n")
        put(self.checkout / "roles.json", {"Roles": [], "IsTruncated": False})
        for alias in ("python", "python3"):
            put(folder / "bin" / alias, f'#!/bin/sh\nexec {sys.executable} "$@"\n').chmod(0o755)
        (folder / "temp").mkdir()

    def shell(self, script, cwd, **environment):
        paths = {"TMPDIR": "temp", "RUNNER_TEMP": "temp", "GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
        known = {variable: str(self.folder / path) for variable, path in paths.items()}
        known |= {"PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "CI_PROJECT_DIR": str(self.checkout)}
        known |= {"PYTHONPATH": str(self.checkout), "GITHUB_ACTION_PATH": str(ROOT), "NO_COLOR": "1"}
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=cwd,
            env={**os.environ, **known, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode and re.search(r"(?i)connection|resolve|no matching distribution|timed out", done.stderr):
            pytest.skip("no package index: nothing can be installed")
        return done

    @property
    def was_had(self):
        return (self.folder / "PWNED").exists()


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    return Runner(tmp_path_factory.mktemp("runner"))


def steps():
    return {step["id"]: step for step in yaml.safe_load(read(ACTION))["runs"]["steps"] if "id" in step}


@pytest.fixture(scope="module")
def installed(runner):
    """The Python that the action's install step has set up."""
    assert steps()["install"]["working-directory"] == "${{ runner.temp }}"
    done = runner.shell(steps()["install"]["run"], runner.folder / "temp")
    assert done.returncode == 0, done.stderr
    (line,) = read(runner.folder / "output").splitlines()
    return Path(line.removeprefix("python="))


def test_the_action_runs_nothing_of_the_checkout(runner, installed):
    inputs = {"PATHS": ".", "FAIL_ON": "high", "CONFIG_FROM": "", "BASE": "", "ARGS": "", "SARIF": "", "SUMMARY": "true"}
    done = runner.shell(steps()["check"]["run"], runner.checkout, PYTHON=str(installed), **inputs)
    assert done.returncode == 0, done.stderr
    assert "exit-code=0" in read(runner.folder / "output")
    assert not runner.was_had
    assert not list(runner.checkout.glob("*.sarif"))
    version = subprocess.run([installed, "-I", "-m", "irsa_doctor", "--version"], capture_output=True, text=True, check=True)
    assert __version__ in version.stdout


def test_the_gitlab_job_takes_the_wheel_of_the_hash_and_runs_nothing_of_the_checkout(runner, installed):
    (wheel,) = installed.parents[2].glob("*.whl")
    (job,) = yaml.safe_load(read(GITLAB)).values()
    script = "\n".join([*job["before_script"], *job["script"]])
    variables = {**job["variables"], "IRSA_DOCTOR_CONFIG_FROM": "", "PIP_FIND_LINKS": str(wheel.parent)}
    refused = runner.shell(script, runner.checkout, **variables)
    assert (refused.returncode, "IRSA_DOCTOR_HASH" in refused.stdout) == (1, True)
    other = runner.shell(script, runner.checkout, **variables | {"IRSA_DOCTOR_HASH": "sha256:" + "0" * 64})
    assert other.returncode != 0
    assert "do not match" in other.stderr.replace("\n", " ").lower()
    done = runner.shell(script, runner.checkout, **variables | {"IRSA_DOCTOR_HASH": f"sha256:{digest(wheel)}"})
    assert done.returncode == 0, done.stderr
    assert (runner.checkout / "gl-code-quality-report.json").exists()
    assert not runner.was_had


def digest(path):
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("required", "code", "outcome"), [("apiserver", 1, "error"), ("", 0, "skipped")])
def test_without_an_api_server_its_tests_fail_where_it_is_required_and_are_skipped_elsewhere(tmp_path, required, code, outcome):
    environment = {**os.environ, "KUBEBUILDER_ASSETS": str(tmp_path), "TESTS_REQUIRE": required}
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "printed_cluster_role"]
    done = subprocess.run(
        [*call, "tests/sources/live/test_apiserver.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, f"1 {outcome}" in done.stdout) == (code, True), done.stdout


def test_ci_requires_all_that_tests_need():
    steps = [step for job in workflow(ROOT / ".github" / "workflows" / "ci.yml")["jobs"].values() for step in job["steps"]]
    assert {"run": ".ci/run", "env": {"TESTS_REQUIRE": ",".join(PROGRAMS)}} in steps
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    # a failure of `make docs` is a failure of the run
    assert {*re.findall(r"lacks (\w+) ", run), "pages"} == set(PROGRAMS)
    assert run.index("\nmake docs") < run.index("\nmake test"), "some tests look into what is built"


def test_the_security_policy_says_how_to_report_and_what_is_out_of_scope():
    text = " ".join((ROOT / "SECURITY.md").read_text().split())
    for words in (
        *("a private advisory", "an answer within 5 working days", "## Supported versions", "## Threat model"),
        *("### Out of scope", "edits the workflow", "pull_request_target", "hostile already", "names a plugin"),
        *("## How a release is verified", "gh attestation verify", "SHA256SUMS", "CycloneDX", "--require-hashes"),
    ):
        assert words in text


def test_a_release_is_built_from_a_tag_attested_and_published_with_its_bill_of_materials():
    release = workflow(ROOT / ".github" / "workflows" / "release.yml")
    jobs = release["jobs"]
    assert list(release["on"]["push"]) == ["tags"]
    attested = [step["with"] for step in jobs["attest"]["steps"] if step.get("uses", "").startswith("actions/attest@")]
    assert {"subject-path": "dist/*"} in attested
    assert {"subject-path": "dist/*.whl", "sbom-path": "dist/irsa-doctor.cdx.json"} in attested
    assert jobs["attest"]["needs"] == ["test", "build"]
    assert jobs["publish"]["needs"] == "attest"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    (published,) = [step for step in jobs["publish"]["steps"] if "pypi-publish" in step.get("uses", "")]
    assert published["with"]["attestations"] is True
    recipe = (ROOT / "Makefile").read_text().partition("\nrelease:")[2].partition("\n\n")[0]
    assert "cyclonedx-py" in recipe
    assert "--output-file dist/irsa-doctor.cdx.json" in recipe
    assert "> SHA256SUMS" in recipe
