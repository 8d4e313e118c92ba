import json
import subprocess
import sys
from pathlib import Path

import pytest

WORLDS = Path(__file__).parent.parent / "fixtures" / "worlds"
EXPECTED = json.loads((WORLDS / "expected.json").read_text(encoding="utf-8"))


def check(world, *options):
    command = [sys.executable, "-m", "irsa_doctor", "check", ".", "--no-config", "--complete", "serviceaccounts", *options]
    return subprocess.run(command, cwd=WORLDS / world, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def names(subject):
    """What a finding speaks of, the service account and the role of a binding each by itself; a grant counts for its role."""
    return {part.partition("#")[0] for part in subject.split(" -> ")}


def speaks_of(finding, wanted):
    return any(name == wanted or name.endswith("/" + wanted) for name in names(finding["subject"]["id"]))


@pytest.fixture(scope="module", params=sorted(EXPECTED))
def world(request):
    done = check(request.param, "-f", "json", "--exit-zero")
    assert done.returncode == 0, done.stderr
    return request.param, json.loads(done.stdout)


def test_what_is_wrong_in_a_world_is_found(world):
    name, report = world
    for wanted, groups in EXPECTED[name].items():
        found = {finding["rule"] for finding in report["findings"] if speaks_of(finding, wanted)}
        for group in groups:
            assert group.endswith("?") or found & set(group.split("|")), f"{wanted}: {group} not among {found}"


def test_nothing_else_is_found_in_a_world(world):
    name, report = world
    for finding in report["findings"]:
        allowed = {
            rule.rstrip("?")
            for wanted, groups in EXPECTED[name].items()
            if speaks_of(finding, wanted)
            for group in groups
            for rule in group.split("|")
        }
        assert finding["rule"] in allowed, f"{finding['rule']} on {finding['subject']['id']}: {finding['message']}"


def test_every_document_of_a_world_is_read(world):
    _, report = world
    assert {row["status"] for row in report["documents"]} == {"read"}


def test_the_healthy_world_passes_at_the_strictest_threshold():
    done = check("healthy", "--fail-on", "low")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_broken_world_fails_unless_told_otherwise():
    assert check("shop").returncode == 1
    assert check("shop", "--exit-zero").returncode == 0
