"""Situations of organisations over several runs: what moves, is made again, is read twice, or is not to be read any more."""

import hashlib
import json

import pytest

from irsa_doctor import api
from tests.cli.running import put
from tests.store.runs import ACCOUNT, BEGIN, DAY, OPEN, RIGHT, details, named

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
TAKEN = "2026-01-05T06:00:00Z"


def organisation(folder, shards, *, accounts=(ACCOUNT,), organization="o-x", taken=TAKEN, **members):
    """A folder with a manifest; `shards` are contents by file, or by (file, cluster)."""
    listed = []
    for name, content in shards.items():
        file, cluster = name if isinstance(name, tuple) else (name, None)
        put(folder / file, content)
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        owner = {"account": file.partition("/")[0], "cluster": cluster}
        listed.append({"file": file, **owner, "sha256": digest, "state": "read", "taken": taken})
    known = [{"id": ident, "name": "", "ou": ["r-1"], "state": "read", "taken": taken, **members} for ident in accounts]
    manifest = {"schema": "irsa-doctor.manifest/1", "organization": organization, "accounts": known, "shards": listed}
    put(folder / "manifest.json", manifest)
    return str(folder)


def run(store, day, *folders):
    return api.audit(list(folders), store=str(store), as_of=BEGIN + day * DAY).answer


def shard(account, *roles, clusters=(), issuer=ISSUER_URL):
    """The snapshot of an account."""
    listed = {"Roles": [json.loads(json.dumps(role).replace(ACCOUNT, account)) for role in roles], "IsTruncated": False}
    origin = {"account": account, "cluster": ""}
    documents = [{"path": f"aws://{account}/iam/roles", "origin": origin, "kind": "iam-list-roles", "document": listed}]
    documents += [
        {
            "path": f"aws://{account}/eks/{arn.rpartition('/')[2]}",
            "origin": origin,
            "kind": "eks-describe-cluster",
            "document": {"cluster": {"arn": arn, "name": arn.rpartition("/")[2], "identity": {"oidc": {"issuer": issuer}}}},
        }
        for arn in clusters
    ]
    return {**EMPTY, "documents": documents}


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


def ids(answer, rule="open-aud-only"):
    return sorted(finding["subject"]["id"] for finding in answer["findings"] if finding["rule"] == rule)


def test_an_account_that_is_renamed_and_moved_keeps_its_findings(tmp_path):
    shards = {f"{ACCOUNT}/aws.json": shard(ACCOUNT, named("app", OPEN))}
    first = run(tmp_path / "audit.db", 0, organisation(tmp_path / "a", shards, name="old", ou=["r-1", "ou-a"]))
    after = run(tmp_path / "audit.db", 1, organisation(tmp_path / "b", shards, name="new", ou=["r-1", "ou-b"]))
    assert changes(after) == set()
    assert [(a["name"], a["ou"]) for a in after["scope"]["accounts"]] == [("new", ["r-1", "ou-b"])]
    assert api.audit_show(1, store=str(tmp_path / "audit.db")).answer["scope"] == first["scope"]


def test_a_cluster_that_is_made_again_with_its_name_has_another_issuer(tmp_path):
    other = f"{ISSUER_URL[:-4]}BBBB"
    provider = {"Url": ISSUER_URL.removeprefix("https://"), "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": []}
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{provider['Url']}"

    def cluster(issuer):
        snapshot = shard(ACCOUNT, named("app", RIGHT), clusters=[ARN], issuer=issuer)
        origin, base = snapshot["documents"][0]["origin"], f"aws://{ACCOUNT}"
        more = {
            f"{base}/iam/oidc-providers": ("iam-list-open-id-connect-providers", {"OpenIDConnectProviderList": [{"Arn": arn}]}),
            f"{base}/iam/oidc-providers/1": ("iam-get-open-id-connect-provider", provider),
            f"{base}/eks/eu-west-1": ("eks-list-clusters", {"clusters": ["prod"]}),
        }
        snapshot["documents"] += [
            {"path": path, "origin": origin, "kind": kind, "document": document} for path, (kind, document) in more.items()
        ]
        return {f"{ACCOUNT}/aws.json": snapshot}

    run(tmp_path / "audit.db", 0, organisation(tmp_path / "a", cluster(ISSUER_URL)))
    after = run(tmp_path / "audit.db", 1, organisation(tmp_path / "b", cluster(other)))
    assert [entry["arn"] for entry in after["scope"]["clusters"]] == [ARN]
    assert ids(after, "open-provider-of-deleted-cluster") == [arn]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_collections_the_later_one_of_an_account_is_judged(tmp_path, order):
    old = organisation(
        tmp_path / "old",
        {f"{ACCOUNT}/aws.json": shard(ACCOUNT, named("app", OPEN)), f"{OTHER}/aws.json": shard(OTHER, named("app", OPEN))},
        accounts=(ACCOUNT, OTHER),
        taken="2025-12-01T06:00:00Z",
        name="old",
    )
    new = organisation(tmp_path / "new", {f"{ACCOUNT}/aws.json": shard(ACCOUNT, named("app", RIGHT))}, name="new")
    answer = run(tmp_path / "audit.db", 1, *[(old, new)[number] for number in order])
    states = {account["id"]: (account["state"], account["name"]) for account in answer["scope"]["accounts"]}
    assert states == {ACCOUNT: ("read", "new"), OTHER: ("stale", "old")}
    assert ids(answer) == []


def test_an_account_that_was_collected_twice_is_judged_as_it_was_last(tmp_path):
    folders = []
    for day, trust in (("04", OPEN), ("05", RIGHT)):
        shards = {f"{ACCOUNT}/aws.json": shard(ACCOUNT, named("app", trust))}
        folders.append(organisation(tmp_path / day, shards, taken=f"2026-01-{day}T06:00:00Z"))
    answer = run(tmp_path / "audit.db", 1, *folders)
    assert ids(answer) == []
    assert [account["state"] for account in answer["scope"]["accounts"]] == ["read"]


def test_a_manifest_by_itself_is_its_collection(tmp_path):
    shards = {f"{ACCOUNT}/aws.json": shard(ACCOUNT, named("app", OPEN))}
    folder = organisation(tmp_path / "in", shards)
    put(tmp_path / "in" / "beside.json", details(named("other", OPEN)))
    assert ids(run(tmp_path / "audit.db", 0, f"{folder}/manifest.json")) == [f"arn:aws:iam::{ACCOUNT}:role/app#0"]


def test_a_clock_that_goes_back_loses_no_run(tmp_path):
    folder = organisation(tmp_path / "in", {f"{ACCOUNT}/aws.json": shard(ACCOUNT, named("app", OPEN))})
    store = str(tmp_path / "audit.db")
    for day in (5, 6, 3):
        run(store, day, folder)
    assert api.audit_verify(store=store).tampering == ()
    evidence = api.audit_report(store=store, frameworks=["soc2"], start=BEGIN, end=BEGIN + 9 * DAY)
    assert evidence.period.runs == (1, 2, 3)
    assert all(gap.start < gap.end for gap in evidence.period.gaps)
    assert "".join(api.render_evidence(evidence, "html"))
    first, last, rows = api.audit_changes(BEGIN + 4 * DAY, store=store)
    assert (first, last, rows) == (3, 3, [])


def test_a_region_whose_clusters_were_not_listed_is_in_the_scope(tmp_path):
    snapshot = shard(ACCOUNT, named("app", RIGHT))
    listed = {"kind": "eks-list-clusters", "document": {"clusters": []}, "origin": {"account": ACCOUNT, "region": "eu-west-1"}}
    snapshot["documents"].append({"path": f"aws://{ACCOUNT}/eks/eu-west-1/clusters", **listed})
    why = "clusters in us-east-1: eks:ListClusters was denied"
    snapshot["missing"] = [{"collection": "clusters", "owner": ACCOUNT, "name": "us-east-1", "missing": why, "how": ""}]
    answer = run(tmp_path / "audit.db", 0, organisation(tmp_path / "in", {f"{ACCOUNT}/aws.json": snapshot}))
    states = {(row["account"], row["region"]): (row["state"], row["why"]) for row in answer["scope"]["regions"]}
    assert states == {(ACCOUNT, "eu-west-1"): ("read", None), (ACCOUNT, "us-east-1"): ("unknown", why)}
    assert [account["state"] for account in answer["scope"]["accounts"]] == ["partial"]
    evidence = api.audit_report(store=str(tmp_path / "audit.db"), frameworks=["soc2"])
    for output_format in ("html", "markdown", "json"):
        assert "us-east-1" in "".join(api.render_evidence(evidence, output_format))


def test_what_a_limit_has_cut_is_no_part_of_the_next_run(tmp_path):
    trusts = [json.loads(json.dumps(OPEN).replace("sts.amazonaws.com", f"audience-{number}")) for number in range(300)]
    shards = {f"{ACCOUNT}/aws.json": shard(ACCOUNT, *(named(f"app-{n}", each) for n, each in enumerate(trusts)))}
    folder = organisation(tmp_path / "in", shards)
    call = {"store": str(tmp_path / "audit.db"), "as_of": BEGIN}
    cut = api.audit([folder], max_seconds=0.0001, **call)
    assert cut.outcome is not None
    assert cut.outcome.limit
    whole = api.audit([folder], **call)
    assert whole.outcome is not None
    assert whole.outcome.limit == ""
    alone = api.audit([folder], store=None, as_of=BEGIN)
    assert {finding["key"] for finding in whole.answer["findings"]} == {finding["key"] for finding in alone.answer["findings"]}
    assert whole.answer["scope"]["accounts"] == alone.answer["scope"]["accounts"]


def test_the_store_may_lie_in_the_folder_that_is_audited(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "roles.json", details(named("app", OPEN)))
    for store in ("audit.db", "audit.json"):
        first, second = (api.audit(["."], store=store, as_of=BEGIN).answer for _ in range(2))
        assert first["run"]["inputs"] == second["run"]["inputs"]
        assert {finding["subject"]["kind"] for finding in second["findings"]} == {"grant"}


@pytest.mark.parametrize(("policy", "state"), [(OPEN, "read"), (RIGHT, "partial")])
def test_an_account_of_which_two_answers_differ_is_read_in_part(tmp_path, policy, state):
    origin, path = {"account": ACCOUNT}, f"aws://{ACCOUNT}/iam/roles"
    for name, each in (("one", OPEN), ("two", policy)):
        answer = {"path": path, "origin": origin, "document": {"Roles": [named("app", each)]}}
        put(tmp_path / "input" / f"{name}.json", {**EMPTY, "documents": [answer]})
    scope = api.audit([str(tmp_path / "input")], store=None, as_of=BEGIN).answer["scope"]
    (account,) = scope["accounts"]
    assert account["state"] == state
    assert account["why"] == (
        "two answers differ on the trust policy of " + named("app", OPEN)["Arn"] if policy == RIGHT else None
    )
    assert scope["shards"]["given"] == 2


UNNEEDED = f"""[[waivers]]
rule = "open-aud-only"
subject = "*{ACCOUNT}:role/*"
owner = "a"
reason = "b"
expires = 2026-12-31
"""


@pytest.mark.parametrize("subject", [f"*{ACCOUNT}:role/*", "prod/app/web", "*:role/team-??-*"])
@pytest.mark.parametrize("lost", [(), ("roles",), ("roles", "providers", "clusters")])
def test_a_waiver_of_an_account_that_was_not_read_is_not_said_to_be_unused(tmp_path, lost, subject):
    missing = [{"collection": each, "owner": ACCOUNT, "name": "", "missing": "account: denied", "how": ""} for each in lost]
    put(tmp_path / "input" / "aws.json", {**EMPTY, "missing": missing})
    put(tmp_path / "irsa-doctor.toml", UNNEEDED.replace(f"*{ACCOUNT}:role/*", subject))
    settings = api.load_settings(tmp_path)
    one = api.check([str(tmp_path / "input")], settings=settings, today=BEGIN)
    many = api.audit([str(tmp_path / "input")], settings=settings, store=None, as_of=BEGIN).answer
    for found in ([each.rule for each in one.findings], [each["rule"] for each in many["findings"]]):
        assert ("waiver-unused" in found) is not bool(lost)


@pytest.mark.parametrize(
    ("owner", "name"), [(OTHER, ""), (ACCOUNT, "app"), (f"arn:aws:eks:eu-west-1:{OTHER}:cluster/prod", "")]
)
def test_a_waiver_is_unused_where_what_was_not_read_cannot_have_its_subject(tmp_path, owner, name):
    """What is missing is of another account than the waiver names, or is one object and no list."""
    subject = "prod/app/web" if name else f"*{ACCOUNT}:role/*"
    gap = {"collection": "roles", "owner": owner, "name": name, "missing": "denied", "how": ""}
    put(tmp_path / "input" / "aws.json", {**EMPTY, "missing": [gap]})
    put(tmp_path / "irsa-doctor.toml", UNNEEDED.replace(f"*{ACCOUNT}:role/*", subject))
    found = api.check([str(tmp_path / "input")], settings=api.load_settings(tmp_path), today=BEGIN).findings
    assert "waiver-unused" in {each.rule for each in found}


def pods_of(cluster, *pods):
    """The answers of a cluster; without pods their list could not be read."""
    accounts = [{"metadata": {"name": "web", "namespace": "app"}}]
    lists = {"serviceaccounts": ("ServiceAccountList", accounts)} | ({"pods": ("PodList", list(pods[0]))} if pods else {})
    documents = [
        {
            "path": f"kube://{cluster}/{plural}",
            "origin": {"cluster": cluster, "closes": [plural]},
            "document": {"apiVersion": "v1", "kind": kind, "items": items},
        }
        for plural, (kind, items) in lists.items()
    ]
    gap = {"collection": "pods", "owner": cluster, "name": "", "missing": "pods: forbidden", "how": ""}
    return {**EMPTY, "documents": documents, "missing": [] if pods else [gap]}


def test_a_workload_is_not_gone_where_the_pods_of_its_cluster_could_not_be_listed(tmp_path):
    env = [{"name": "AWS_ROLE_ARN", "value": f"arn:aws:iam::{ACCOUNT}:role/app"}]
    spec = {"serviceAccountName": "web", "containers": [{"name": "app", "image": "app", "env": env}]}
    pod = {"metadata": {"name": "web", "namespace": "app"}, "spec": spec}
    for number, pods in enumerate((([pod],), (), ([],))):
        put(tmp_path / str(number) / "aws.json", shard(ACCOUNT, named("app", RIGHT), clusters=[ARN]))
        put(tmp_path / str(number) / "prod.json", pods_of(ARN, *pods))
    first = run(tmp_path / "audit.db", 0, str(tmp_path / "0"))
    lost = run(tmp_path / "audit.db", 1, str(tmp_path / "1"))
    again = run(tmp_path / "audit.db", 2, str(tmp_path / "2"))
    assert ids(first, "partial-env-role-only") == ["prod/app/pod/web"]
    assert (lost["changes"]["unseen"], lost["changes"]["gone"]) == (1, 0)
    assert [(each["state"], each["why"]) for each in lost["scope"]["clusters"]] == [("partial", "pods: forbidden")]
    assert (again["changes"]["unseen"], again["changes"]["gone"]) == (0, 1)


def test_nothing_is_fixed_because_a_list_of_its_account_was_denied(tmp_path):
    """A rule may pass for what it does not see: that a policy names a provider which is not there, say."""
    path, answer = f"aws://{ACCOUNT}/iam/oidc-providers", {"OpenIDConnectProviderList": []}
    listed = {"path": path, "origin": {"account": ACCOUNT}, "kind": "iam-list-open-id-connect-providers", "document": answer}
    denied = {"collection": "providers", "owner": ACCOUNT, "name": "", "missing": "iam:List was denied", "how": ""}
    account = shard(ACCOUNT, named("app", RIGHT))
    put(tmp_path / "0" / "aws.json", {**account, "documents": [*account["documents"], listed]})
    put(tmp_path / "1" / "aws.json", {**account, "missing": [denied]})
    _, partial = (run(tmp_path / "audit.db", number, str(tmp_path / str(number))) for number in range(2))
    assert [account["state"] for account in partial["scope"]["accounts"]] == ["partial"]
    assert (partial["changes"]["fixed"], partial["changes"]["gone"]) == (0, 0)
    assert partial["changes"]["unseen"] == 1
