"""The conformance suite: its data is whole, our evaluator passes all of it, and a wrong answer is seen."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from conformance.vectors import vectors  # noqa: E402

OURS = (sys.executable, "-m", "irsa_doctor", "simulate", "--vectors", "-")
SAYS = """import json, sys
for line in sys.stdin:
    row = json.loads(line)
    assert set(row) == {"id", "policy", "request"}
    print(json.dumps({"id": row["id"], "decision": "%s"}))"""


def suite(*command):
    start = [sys.executable, "-m", "conformance", *command]
    return subprocess.run(start, cwd=ROOT, capture_output=True, text=True, check=False)


def test_ours_passes_whole():
    done = suite(*OURS)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(f"{len(vectors())}/{len(vectors())} as expected")


@pytest.mark.parametrize("decision", ["allow", "implicit_deny", "explicit_deny", "invalid", "maybe"])
def test_an_evaluator_that_sees_no_expectation_and_always_says_the_same_fails(decision):
    done = suite(sys.executable, "-c", SAYS % decision)
    right = sum(row["expect"] == decision for row in vectors())
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith(f"{right}/{len(vectors())} as expected")


def test_the_table_says_what_the_example_of_an_adapter_answers():
    done = suite(sys.executable, "conformance/peers/naive.py")
    right, of = done.stdout.splitlines()[-1].partition(" ")[0].split("/")
    page = (ROOT / "conformance" / "README.md").read_text(encoding="utf-8")
    assert f"[naive.py](peers/naive.py), an example | {right} of {of} |" in page


NO_ANSWERS = [("no-such-evaluator",), (sys.executable, "-c", ""), (sys.executable, "-c", "print('hello')")]


@pytest.mark.parametrize("command", NO_ANSWERS)
def test_a_program_that_does_not_answer_is_no_failure_of_the_policy_language(command):
    done = suite(*command)
    assert done.returncode == 2
    assert done.stderr.startswith("conformance: ")


def test_every_vector_has_its_source_and_the_readme_counts_them():
    rows = vectors()
    assert all(row["source"].startswith("https://") and row["title"] for row in rows)
    assert {row["grade"] for row in rows} == {"documented", "recorded", "inferred"}
    counted = re.search(r"<!-- count -->(\d+)<!-- /count -->", (ROOT / "conformance" / "README.md").read_text(encoding="utf-8"))
    assert counted is not None
    assert int(counted[1]) == len(rows)


def test_the_lines_are_what_others_read():
    done = suite("--lines")
    assert [json.loads(line) for line in done.stdout.splitlines()] == vectors()
