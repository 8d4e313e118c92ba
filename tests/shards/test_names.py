"""A name that is not UTF-8 is shown escaped, and costs no other judgement."""

import json
import os
import sys
from pathlib import Path

import pytest

from irsa_doctor import api
from tests.cli.running import run
from tests.shards.organisations import write_organisation
from tests.shards.test_same_answers import MOMENT, assert_same, checked
from tests.store.runs import OPEN, details, named

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
BAD, SHOWN = os.fsdecode(b"caf\xe9"), r"caf\u{dce9}"
WAIVER = '[[waivers]]\nrule = "open-*"\nsubject = "*"\nowner = "a"\nreason = "b"\nexpires = 2025-01-01\n'


def renamed(folder: Path) -> Path:
    """A folder whose files and folders have names that are not UTF-8."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rename(path.with_name(f"{BAD}-{path.name}"))
    return folder


@pytest.mark.parametrize("seed", [60, 61, 62])
def test_shards_of_such_names_have_the_answers_of_one_check(tmp_path, seed):
    assert_same(renamed(write_organisation(tmp_path / BAD, seed, rbac=True)), jobs=2)


@pytest.mark.parametrize("content", ["{", '{"schema": "irsa-doctor.snapshot/9"}', "no document"])
def test_what_cannot_be_read_is_named_and_costs_no_other(tmp_path, content):
    write_organisation(tmp_path / "shards", 60)
    for name in ("aa", BAD, "zz"):
        (tmp_path / "shards" / f"{name}.json").write_text(content)
    assert_same(tmp_path)
    assert SHOWN in json.dumps(checked(tmp_path)).replace("\\\\", "\\")


def test_lone_surrogates_in_documents_have_the_answers_of_one_check(tmp_path):
    write_organisation(tmp_path, 60, rbac=True)
    for path in sorted(tmp_path.rglob("*.json")):
        path.write_text(path.read_text().replace("web", r"w\ud800b").replace("billing", r"\udcff").replace("prod", r"p\udfff"))
    assert_same(tmp_path)


def test_every_report_of_a_store_has_such_names(tmp_path):
    folder = tmp_path / BAD
    folder.mkdir()
    (folder / "irsa-doctor.toml").write_text(WAIVER)
    (folder / "roles.json").write_text(json.dumps(details(named("app", OPEN))))
    (folder / f"{BAD}.json").write_text('{"Statement"')
    store = f"{BAD}.db"
    done = run("audit", "run", ".", "--store", store, "--as-of", "2026-01-06T00:00:00Z", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    for call in ("verify", "show 1", "show 1 -f json", "show 1 -f jsonl", "history", "waivers", "changes --since 2026-01-01"):
        done = run("audit", *call.split(), "--store", store, cwd=folder)
        assert (done.returncode, done.stderr) == (call.startswith("changes"), ""), call
    for name in ("html", "csv", "json", "oscal", "ocsf", "markdown"):
        done = run("audit", "report", "-f", name, "--store", store, cwd=folder)
        assert (done.returncode, done.stderr) == (0, ""), name
        assert SHOWN in done.stdout.replace("\\\\", "\\") or name in ("oscal", "markdown"), name


def test_what_such_a_file_has_is_told_from_run_to_run(tmp_path):
    folder, store = tmp_path / "in", str(tmp_path / "audit.db")
    folder.mkdir()
    (folder / "roles.json").write_text(json.dumps(details(named("app", OPEN))))
    (folder / f"{BAD}.json").write_text('{"Statement"')
    first, second = (api.audit([str(folder)], store=store, as_of=MOMENT).answer for _ in range(2))
    assert {change: count for change, count in first["changes"].items() if count} == {"new": len(first["findings"])}
    assert not any(second["changes"].values())
    (folder / f"{BAD}.json").write_text("{}")
    third = api.audit([str(folder)], store=store, as_of=MOMENT).answer
    assert {change: count for change, count in third["changes"].items() if count} == {"fixed": 1}
