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


def organisation(folder, shards, *, accounts=(ACCOUNT,), organization="o-x", **members):
    """A folder with a manifest; `shards` are contents by file, or by (file, cluster)."""
    listed = []
    for name, content in shards.items():
        file, cluster = name if isinstance(name, tuple) else (name, None)
        put(folder / file, content)
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        listed.append({"file": file, "account": file.partition("/")[0], "cluster": cluster, "sha256": digest, "state": "read"})
    known = [{"id": ident, "name": "", "ou": ["r-1"], "state": "read", **members} for ident in accounts]
    manifest = {"schema": "irsa-doctor.manifest/1", "organization": organization, "accounts": known, "shards": listed}
    put(folder / "manifest.json", manifest)
    return str(folder)


def run(store, day, *folders):
    return api.audit(list(folders), store=str(store), as_of=BEGIN + day * DAY).answer


def shard(account, *roles, clusters=()):
    """The snapshot of an account."""
    listed = {"Roles": [json.loads(json.dumps(role).replace(ACCOUNT, account)) for role in roles], "IsTruncated": False}
    origin = {"account": account, "cluster": ""}
    documents = [{"path": f"aws://{account}/iam/roles", "origin": origin, "kind": "iam-list-roles", "document": listed}]
    documents += [
        {
            "path": f"aws://{account}/eks/{arn.rpartition('/')[2]}",
            "origin": origin,
            "kind": "eks-describe-cluster",
            "document": {"cluster": {"arn": arn, "name": arn.rpartition("/")[2], "identity": {"oidc": {"issuer": ISSUER_URL}}}},
        }
        for arn in clusters
    ]
    return {**EMPTY, "documents": documents}


ISSUER_URL = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
EMPTY = {
    "schema": "irsa-doctor.snapshot/1",
    "tool": {"version": "0.1.0"},
    "taken": "2026-01-05T06:00:00Z",
    "redacted": False,
    "documents": [],
    "asked": [],
    "missing": [],
}
OTHER = "444455556666"
ARN = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"


def changes(answer):
    return {change for change, count in answer["changes"].items() if count}


def test_of_an_account_that_lost_the_shard_of_a_cluster_the_rest_is_judged(tmp_path):
    shards = {f"{ACCOUNT}/aws.json": shard(ACCOUNT, named("app", OPEN), clusters=[ARN])}
    folder = organisation(tmp_path / "in", {**shards, (f"{ACCOUNT}/eu-west-1.prod.json", ARN): EMPTY})
    put(tmp_path / "in" / ACCOUNT / "eu-west-1.prod.json", "{")
    answer = run(tmp_path / "audit.db", 0, folder)
    (account,) = answer["scope"]["accounts"]
    (cluster,) = answer["scope"]["clusters"]
    why = f"{ACCOUNT}/eu-west-1.prod.json has changed since it was collected"
    assert (account["state"], account["why"]) == ("partial", why)
    assert (cluster["arn"], cluster["state"], cluster["why"]) == (ARN, "unknown", why)
    assert [finding["subject"]["id"] for finding in answer["findings"] if finding["rule"] == "open-aud-only"]


def test_an_account_that_is_not_to_be_read_any_more_is_unseen_and_not_gone(tmp_path):
    first = organisation(tmp_path / "a", {f"{ACCOUNT}/aws.json": shard(ACCOUNT, named("app", OPEN))})
    second = organisation(
        tmp_path / "b", {f"{OTHER}/aws.json": shard(OTHER, named("app", OPEN))}, accounts=(OTHER,), organization="o-y"
    )
    both = run(tmp_path / "audit.db", 0, first, second)
    assert {finding["account"] for finding in both["findings"]} == {ACCOUNT, OTHER}
    assert changes(run(tmp_path / "audit.db", 1, first)) == {"unseen"}
    document = json.loads(
        "".join(api.render_evidence(api.audit_report(store=str(tmp_path / "audit.db"), frameworks=["soc2"]), "json"))
    )
    results = {
        item["account"]: item["result"]
        for control in document["controls"]
        for item in control["items"]
        if item["kind"] == "grant"
    }
    assert results[OTHER] == "not-tested"
    assert changes(run(tmp_path / "audit.db", 2, first, second)) == {"seen-again"}


def test_an_account_that_has_left_the_organisation_is_gone(tmp_path):
    shards = {f"{ident}/aws.json": shard(ident, named("app", OPEN)) for ident in (ACCOUNT, OTHER)}
    run(tmp_path / "audit.db", 0, organisation(tmp_path / "a", shards, accounts=(ACCOUNT, OTHER)))
    shards.pop(f"{OTHER}/aws.json")
    after = run(tmp_path / "audit.db", 1, organisation(tmp_path / "b", shards))
    assert changes(after) == {"gone"}
    evidence = api.audit_report(store=str(tmp_path / "audit.db"), frameworks=["soc2"])
    assert f"{OTHER}:role" not in "".join(api.render_evidence(evidence, "csv"))


def test_an_account_that_was_not_reached_says_so(tmp_path):
    answer = run(tmp_path / "audit.db", 0, organisation(tmp_path / "in", {}, state="pending", why=None))
    (account,) = answer["scope"]["accounts"]
    assert (account["state"], account["why"]) == ("unknown", "the collection ended before it was read")


@pytest.mark.parametrize("accounts", [None, {}, "all", 7])
def test_a_manifest_without_a_list_of_accounts_is_a_finding(tmp_path, accounts):
    put(tmp_path / "in" / "manifest.json", {"schema": "irsa-doctor.manifest/1", "accounts": accounts, "shards": []})
    put(tmp_path / "in" / "roles.json", details(named("app", OPEN)))
    assert "input-unreadable" in {
        finding["rule"] for finding in run(tmp_path / "audit.db", 0, str(tmp_path / "in"))["findings"]
    }


def test_a_shard_that_is_there_twice_is_judged_once(tmp_path):
    folder = organisation(tmp_path / "in", {f"{ACCOUNT}/aws.json": shard(ACCOUNT, named("app", OPEN))})
    alone = run(tmp_path / "a.db", 0, folder)
    put(tmp_path / "in" / "copy" / "aws.json", (tmp_path / "in" / ACCOUNT / "aws.json").read_bytes())
    twice = run(tmp_path / "b.db", 0, folder)
    keys = [sorted(finding["key"] for finding in answer["findings"]) for answer in (alone, twice)]
    assert keys[0] == keys[1] != []
