"""A shard that a manifest lists and that is not there, or has changed, is out of sight: nothing of it is gone or fixed."""

import hashlib
import json

import pytest

from irsa_doctor import api
from tests.cli.running import put
from tests.store.runs import ACCOUNT, BEGIN, DAY, OPEN, details, named


def audited(folder, day, content, *, file="roles.json", sha256="", taken=BEGIN):
    """A run over a manifest with one shard, which has this content; None: it is not there."""
    moment = taken if isinstance(taken, str) else taken.strftime("%Y-%m-%dT%H:%M:%SZ")
    shard = {"file": file, "account": ACCOUNT, "taken": moment, "sha256": sha256, "state": "read"}
    account = {"id": ACCOUNT, "name": "a", "ou": [], "state": "read"}
    manifest = {"schema": "irsa-doctor.manifest/1", "organization": "o-x", "accounts": [account], "shards": [shard]}
    put(folder / "input" / "manifest.json", manifest)
    if content is None:
        (folder / "input" / "roles.json").unlink(missing_ok=True)
    else:
        put(folder / "input" / "roles.json", content)
    return api.audit([str(folder / "input")], store=str(folder / "audit.db"), as_of=BEGIN + day * DAY).answer


def state(answer):
    (account,) = answer["scope"]["accounts"]
    return account["state"]


GOOD = json.dumps(details(named("app", OPEN)))
DIGEST = hashlib.sha256(GOOD.encode()).hexdigest()
LOST = {
    "it is missing": {"content": None},
    "it is cut off": {"content": GOOD[: len(GOOD) // 2]},
    "it is empty": {"content": "{}"},
    "it is of a later version": {"content": '{"schema": "irsa-doctor.snapshot/9", "documents": []}'},
    "it is nested": {"content": "[" * 100_000},
    "it is no text": {"content": b"\xff\x00\xff"},
    "it has changed": {"content": json.dumps(details()), "sha256": DIGEST},
    "it was read at no time": {"content": GOOD, "sha256": DIGEST, "taken": "yesterday"},
    "it is too old": {"content": json.dumps(details()), "taken": BEGIN - 30 * DAY},
}


@pytest.mark.parametrize("lost", LOST)
def test_what_is_lost_is_unseen_and_not_gone(tmp_path, lost):
    first = audited(tmp_path, 0, GOOD, sha256=DIGEST)
    assert (state(first), bool(first["findings"])) == ("read", True)
    after = audited(tmp_path, 1, **LOST[lost])
    (account,) = after["scope"]["accounts"]
    assert account["state"] == ("stale" if lost == "it is too old" else "unknown")
    assert "roles.json" in account["why"] or lost == "it is too old"
    # that a document cannot be read is a finding of its own
    assert {change for change, count in after["changes"].items() if count} - {"new"} == {"unseen"}
    assert {finding["subject"]["kind"] for finding in after["findings"]} <= {"document"}


@pytest.mark.parametrize("file", ["../outside.json", "/etc/hostname", "a/../../x.json", "x\0y"])
def test_a_manifest_says_nothing_of_files_outside_of_its_folder(tmp_path, file):
    answer = audited(tmp_path, 0, GOOD, file=file, sha256="0" * 64)
    assert state(answer) == "read"
