# Long: one server with many accounts, whose start takes most of the time
"""An organisation of which not all can be read: what is out of reach is data, and what was read before stays."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from irsa_doctor import api
from irsa_doctor.sources.live import LiveError, LiveOptions
from irsa_doctor.sources.live.account_tasks import CollectionStages
from irsa_doctor.sources.live.collection import OrganizationOptions, collect_organization
from irsa_doctor.sources.snapshot.manifest import ManifestShard
from irsa_doctor.text.locking import locked
from tests.servers.front import Front
from tests.servers.kubernetes import FakeKubernetes
from tests.servers.process import free_port, listens, running
from tests.sources.live.test_organization import REGION, client, states

pytest.importorskip("moto.server", reason="moto's server is not installed")

LIST_PARENTS = "organizations:ListParents is denied to arn:aws:sts::123456789012:user/moto"
PROVIDER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """The port of the server, and four member accounts: the first has a role for a web identity and a cluster, the last is
    suspended."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, tmp_path_factory.mktemp("moto") / "log", lambda: listens(port)):
        yield port, fill(f"http://127.0.0.1:{port}")


def fill(url):
    with closing(client(url, "organizations")) as org:
        org.create_organization(FeatureSet="ALL")
        ids = [
            org.create_account(AccountName=f"team {n}", Email=f"a{n}@example.com")["CreateAccountStatus"]["AccountId"]
            for n in range(4)
        ]
        org.close_account(AccountId=ids[3])
    with closing(client(url, "sts")) as sts:
        keys = [
            sts.assume_role(RoleArn=f"arn:aws:iam::{ident}:role/x", RoleSessionName="me")["Credentials"] for ident in ids[:3]
        ]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ids[0]}:oidc-provider/{PROVIDER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    for number, each in enumerate(keys):
        trust = statement if number == 0 else {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        with closing(client(url, "iam", each)) as iam:
            all_of_it = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
            text = json.dumps({"Version": "2012-10-17", "Statement": [all_of_it]})
            bound = iam.create_policy(PolicyName="bound", PolicyDocument=text)
            iam.create_role(
                RoleName="app",
                AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
                PermissionsBoundary=bound["Policy"]["Arn"],
                MaxSessionDuration=7200,
            )
    with closing(client(url, "eks", keys[0])) as eks:
        eks.create_cluster(name="prod", roleArn=f"arn:aws:iam::{ids[0]}:role/eks", resourcesVpcConfig={})
    return ids


@pytest.fixture
def front(moto, monkeypatch):
    with Front(moto[0]) as server:
        names = {"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "made", "AWS_SECRET_ACCESS_KEY": "up"}
        for name, value in {**names, "AWS_DEFAULT_REGION": REGION}.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def ids(moto):
    return moto[1]


def collected(folder, kubeconfig="", **options):
    live = LiveOptions(aws=True, kube=bool(kubeconfig), kubeconfig=kubeconfig, regions=(REGION,))
    return collect_organization(live, OrganizationOptions(rate=1000, jobs=2, **options), str(folder))


def roles(folder, ident):
    snapshot = json.loads((folder / ident / "aws.json").read_text())
    listed = next(each for each in snapshot["documents"] if each["path"].endswith("/iam/roles"))
    return {role["RoleName"]: role for role in listed["document"]["Roles"]}


def accounts(manifest):
    return {account.id: account for account in manifest.accounts}


def test_an_account_whose_role_cannot_be_assumed_is_unknown_and_costs_no_other(front, ids, tmp_path):
    front.dark = {ids[1]}
    manifest = collected(tmp_path)
    dark = accounts(manifest)[ids[1]]
    assert (dark.state, "sts:AssumeRole" in dark.why) == ("unknown", True)
    assert {states(manifest)[ident] for ident in (ids[0], ids[2])} <= {"read", "partial"}
    snapshot = json.loads((tmp_path / ids[1] / "aws.json").read_text())
    assert snapshot["documents"] == []
    assert [gap["collection"] for gap in snapshot["missing"]] == ["clusters", "providers", "roles"]


def test_an_account_that_is_suspended_is_unknown_and_is_not_asked(front, ids, tmp_path):
    manifest = collected(tmp_path)
    closed = accounts(manifest)[ids[3]]
    assert closed.state == "unknown"
    assert "its status is" in closed.why
    assert front.calls["AssumeRole"] == 3
    answer = api.audit([str(tmp_path)], store=None).answer
    scope = {account["id"]: account["state"] for account in answer["scope"]["accounts"]}
    assert scope[ids[3]] == "unknown"


def test_what_weighs_most_is_why_an_account_is_partial(front, ids, tmp_path):
    front.denied = {"ListParents", "ListOpenIDConnectProviders", "GetAccountAuthorizationDetails", "ListRoles"}
    partial = accounts(collected(tmp_path))[ids[0]]
    snapshot = json.loads((tmp_path / ids[0] / "aws.json").read_text())
    gaps = [gap for gap in snapshot["missing"] if gap["collection"] == "roles" and not gap["name"]]
    assert snapshot["missing"][0] not in gaps
    assert (partial.state, partial.why) == ("partial", gaps[0]["missing"])


def test_what_was_read_before_stays_as_stale(front, ids, tmp_path):
    collected(tmp_path)
    before = (tmp_path / ids[1] / "aws.json").read_bytes()
    front.dark = {ids[1]}
    manifest = collected(tmp_path, max_age=timedelta(0))
    assert (tmp_path / ids[1] / "aws.json").read_bytes() == before
    assert {shard.state for shard in manifest.shards if shard.account == ids[1]} == {"stale"}
    answer = api.audit([str(tmp_path)], store=None).answer
    scope = {account["id"]: account for account in answer["scope"]["accounts"]}
    assert scope[ids[1]]["state"] == "stale"
    assert "it was read last" in scope[ids[1]]["why"]
    front.dark = set()
    again = collected(tmp_path, max_age=timedelta(0))
    assert {shard.state for shard in again.shards if shard.account == ids[1]} == {"read"}


def test_calls_that_are_throttled_are_made_again(front, ids, tmp_path):
    whole = collected(tmp_path / "whole")
    front.throttled = 4
    assert states(collected(tmp_path / "throttled")) == states(whole)


def test_the_details_of_roles_are_requested_once_where_a_web_identity_is_trusted(front, ids, tmp_path):
    collected(tmp_path)
    assert front.calls["GetAccountAuthorizationDetails"] == 1
    app = roles(tmp_path, ids[0])["app"]
    assert app["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("policy/bound")
    assert app["MaxSessionDuration"] == 7200


def test_roles_are_read_where_their_details_are_denied(front, ids, tmp_path):
    allowed = collected(tmp_path / "allowed")
    front.denied = {"GetAccountAuthorizationDetails"}
    assert states(collected(tmp_path)) == states(allowed)
    assert "app" in roles(tmp_path, ids[0])


def test_where_an_account_is_has_to_be_known_for_the_policies_over_it(front, ids, tmp_path):
    front.denied = {"ListParents"}
    manifest = collected(tmp_path)
    for ident in ids[:3]:
        snapshot = json.loads((tmp_path / ident / "aws.json").read_text())
        says = [gap["missing"] for gap in snapshot["missing"] if gap["collection"] == "rcps"]
        assert says == [f"resource control policies of the units above account {ident}: {LIST_PARENTS}"]
    assert accounts(manifest)[ids[0]].state == "partial"


def test_accounts_are_not_chosen_by_units_that_are_not_known(front, tmp_path):
    front.denied = {"ListParents"}
    with pytest.raises(LiveError, match="--ou: where the accounts of the organisation are is not known: organizations:ListP"):
        collected(tmp_path, units=("ou-ex01-made0up",))


def test_regions_that_are_not_known_are_named_as_such(front, ids, tmp_path):
    front.denied = {"/listRegions"}
    live = LiveOptions(aws=True)
    collect_organization(live, OrganizationOptions(rate=1000, accounts=(ids[0],)), str(tmp_path))
    snapshot = json.loads((tmp_path / ids[0] / "aws.json").read_text())
    assert any(each["path"].endswith(f"eks/{REGION}/clusters") for each in snapshot["documents"])
    what = f"clusters of account {ids[0]} in regions that no provider names: account:ListRegions is denied"
    assert [gap["missing"].startswith(what) for gap in snapshot["missing"] if gap["collection"] == "clusters"] == [True]


def test_a_second_run_at_the_same_time_is_refused(front, ids, tmp_path):
    with locked(str(tmp_path / ".collecting")), pytest.raises(LiveError, match=rf"{tmp_path}: process \d+ is collecting into"):
        collected(tmp_path)
    assert not (tmp_path / "manifest.json").exists()
    collected(tmp_path, accounts=(ids[0],))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([ids[0], "manifest.json"])


def test_what_a_clock_that_is_wrong_has_dated_is_read_again(front, ids, tmp_path):
    collected(tmp_path, accounts=(ids[0],))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for shard in manifest["shards"]:
        shard["taken"] = "2199-01-01T00:00:00Z"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    again = collected(tmp_path, accounts=(ids[0],))
    assert {shard.taken[:2] for shard in again.shards} == {"20"}


def test_a_program_for_credentials_that_never_ends_is_not_waited_for(front, tmp_path, monkeypatch):
    (tmp_path / "aws-config").write_text("[default]\ncredential_process = /bin/sleep 5\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(LiveError, match=r"AWS: no answer within the 0\.2 s that --timeout gives"):
        collected(tmp_path / "out", account_timeout=0.2)


def test_a_cluster_is_read_through_the_context_of_its_arn(front, ids, tmp_path):
    with FakeKubernetes() as kubernetes:
        config = kubernetes.kubeconfig(tmp_path, name="prod-of-team-0")
        arn = f"arn:aws:eks:{REGION}:{ids[0]}:cluster/prod"
        manifest = collected(tmp_path / "in", kubeconfig=config, clusters={arn: "prod-of-team-0"})
    (shard,) = [shard for shard in manifest.shards if shard.cluster]
    assert (shard.file, shard.state, shard.region) == (f"{ids[0]}/{REGION}.prod.json", "read", REGION)
    assert "serviceaccounts" in Path(tmp_path, "in", shard.file).read_text()


def test_a_cluster_without_a_context_is_a_file_with_gaps(front, ids, tmp_path):
    with FakeKubernetes() as kubernetes:
        manifest = collected(tmp_path / "in", kubeconfig=kubernetes.kubeconfig(tmp_path, name="another"))
    (shard,) = [shard for shard in manifest.shards if shard.cluster]
    snapshot = json.loads(Path(tmp_path, "in", shard.file).read_text())
    assert (shard.state, snapshot["documents"]) == ("unknown", [])
    assert "service accounts of cluster prod" in snapshot["missing"][0]["missing"]
    assert accounts(manifest)[ids[0]].state == "partial"


def test_a_redacted_organisation_has_one_map_of_names_and_the_same_findings(front, ids, tmp_path):
    plain, shared = tmp_path / "plain", tmp_path / "shared"
    options = OrganizationOptions(rate=1000, jobs=2)
    live = LiveOptions(aws=True, regions=(REGION,))
    api.collect_organization(live, options, str(plain))
    manifest = api.collect_organization(live, options, str(shared), redact=True)
    text = "".join(path.read_text() for path in sorted(shared.rglob("*.json")))
    assert not [ident for ident in ids if ident in text or (shared / ident).exists()]
    found = [api.audit([str(folder)], store=None).answer for folder in (plain, shared)]
    rules = [sorted(finding["rule"] for finding in each["findings"]) for each in found]
    assert rules[0] == rules[1] != []
    assert {account.id for account in manifest.accounts} == {a["id"] for a in found[1]["scope"]["accounts"]}
    assert {a["state"] for a in found[1]["scope"]["accounts"]} == {a["state"] for a in found[0]["scope"]["accounts"]}
    with pytest.raises(api.LiveError, match="is not empty"):
        api.collect_organization(live, options, str(shared), redact=True)


@contextmanager
def collecting(folder, *flags, **options):
    """`collect --org`, as a process."""
    command = [sys.executable, "-m", "irsa_doctor", "collect", "--org", "--aws", "--region", REGION, "-o", str(folder), *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def known_accounts(folder):
    """State by account in the manifest of a folder, {} where there is none yet."""
    path = folder / "manifest.json"
    return {each["id"]: each["state"] for each in json.loads(path.read_text())["accounts"]} if path.exists() else {}


def until(holds):
    limit = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.05)


def assert_every_shard_is_whole(folder):
    for shard in json.loads((folder / "manifest.json").read_text())["shards"]:
        assert hashlib.sha256((folder / shard["file"]).read_bytes()).hexdigest() == shard["sha256"]
    assert not list(folder.rglob(".irsa-doctor-*"))


def test_an_interruption_ends_after_the_accounts_in_progress_and_the_next_run_goes_on(front, ids, tmp_path):
    first, second, third = sorted(ids[:3])
    front.slow = {second}
    with collecting(tmp_path, "--jobs", "1") as process:
        until(lambda: front.calls["AssumeRole"] == 2)
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert process.poll() is None
        front.released.set()
        assert process.wait(60) == 130
        assert "the next run goes on" in process.stderr.read()
    before = known_accounts(tmp_path)
    assert before[first] in ("read", "partial")
    assert before[second] in ("read", "partial")
    assert before[third] == "pending"
    assert_every_shard_is_whole(tmp_path)
    front.calls.clear()
    assert "pending" not in states(collected(tmp_path)).values()
    assert front.calls["AssumeRole"] == 1


def test_a_second_interruption_leaves_the_accounts_in_progress_and_keeps_the_others(front, ids, tmp_path):
    front.slow = {ids[1]}
    with collecting(tmp_path, "--jobs", "2") as process:
        until(lambda: known_accounts(tmp_path).get(ids[0]) in ("read", "partial"))
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    before = known_accounts(tmp_path)
    assert before[ids[0]] in ("read", "partial")
    assert before[ids[1]] == "pending"
    assert_every_shard_is_whole(tmp_path)


HOLDING = """
import os, signal
from irsa_doctor.sources.live.interruptions import held_back
try:
    with held_back():
        os.kill(os.getpid(), signal.SIGINT)
        print("written", flush=True)
    print("not reached", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_what_is_being_written_is_written_before_an_interruption():
    done = subprocess.run([sys.executable, "-c", HOLDING], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["written", "interrupted"]


def test_a_full_disk_leaves_the_shards_of_before(front, ids, tmp_path):
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    collected(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    room = max(len(content) for path, content in before.items() if path.name == "aws.json") - 100
    with collecting(tmp_path, "--fresh", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))) as process:
        assert process.wait(60) == 2
        assert "larger than files may be" in process.stderr.read()
    after = {path: path.read_bytes() for path in tmp_path.rglob("*.json") if path.name == "aws.json"}
    assert set(after) == {path for path in before if path.name == "aws.json"}
    assert not list(tmp_path.rglob(".irsa-doctor-*"))


def shard_states(folder):
    """State by file in the manifest of a folder."""
    return {shard["file"]: shard["state"] for shard in json.loads((folder / "manifest.json").read_text())["shards"]}


def test_what_was_read_before_stays_known_through_an_interruption(front, ids, tmp_path):
    collected(tmp_path)
    first, second, third = sorted(ids[:3])
    before = (tmp_path / third / "aws.json").read_bytes()
    front.calls.clear()
    front.slow = {second}
    with collecting(tmp_path, "--jobs", "1", "--max-age", "0s") as process:
        until(lambda: front.calls["AssumeRole"] == 2)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        front.released.set()
        assert process.wait(60) == 130
    states_of = shard_states(tmp_path)
    assert (states_of[f"{first}/aws.json"], states_of[f"{third}/aws.json"]) == ("read", "stale")
    front.dark = {third}
    collected(tmp_path)
    assert (tmp_path / third / "aws.json").read_bytes() == before
    assert shard_states(tmp_path)[f"{third}/aws.json"] == "stale"


def test_an_account_that_is_left_out_keeps_what_was_read_and_is_not_judged(front, ids, tmp_path):
    collected(tmp_path)
    collected(tmp_path, accounts=(ids[1],), max_age=timedelta(0))
    assert (tmp_path / ids[0] / "aws.json").exists()
    assert shard_states(tmp_path)[f"{ids[0]}/aws.json"] == "stale"
    answer = api.audit([str(tmp_path)], store=None).answer
    scope = {account["id"]: account["state"] for account in answer["scope"]["accounts"]}
    assert scope[ids[0]] == "excluded"
    assert ids[0] not in {finding["account"] for finding in answer["findings"]}
    assert "excluded" not in states(collected(tmp_path)).values()


def test_the_shard_of_a_cluster_that_is_gone_is_removed_and_other_files_stay(front, ids, tmp_path):
    manifest = collected(tmp_path)
    gone, beside = f"{ids[0]}/{REGION}.old.json", tmp_path / ids[0] / "notes.json"
    shard = tmp_path / gone
    shard.write_bytes((tmp_path / ids[0] / "aws.json").read_bytes())
    beside.write_text("{}")
    digest = hashlib.sha256(shard.read_bytes()).hexdigest()
    taken = manifest.finished
    manifest.shards.append(ManifestShard(file=gone, account=ids[0], region=REGION, cluster="arn", taken=taken, sha256=digest))
    manifest.shards.append(ManifestShard(file="../notes.json", account=ids[0], sha256=hashlib.sha256(b"{}").hexdigest()))
    (tmp_path.parent / "notes.json").write_text("{}")
    manifest.write(str(tmp_path))
    collected(tmp_path, max_age=timedelta(0))
    assert not shard.exists()
    assert beside.exists()
    assert (tmp_path.parent / "notes.json").exists()


def test_people_who_wait_see_how_many_accounts_are_read_and_how_an_interruption_goes_on():
    shown: list[str] = []
    stages = CollectionStages(shown.append)
    stages("signed in")
    stages.count(2, 5)
    stages("AWS account 111122223333: ListRoles")
    stages.end("ending after 2 accounts in progress")
    stages("AWS account 111122223333: GetRole")
    stages.count(3, 5)
    assert shown[:3] == ["signed in", "2 of 5 accounts read", "2 of 5 accounts read; AWS account 111122223333: ListRoles"]
    assert set(shown[3:]) == {"ending after 2 accounts in progress"}


def test_an_interruption_before_anything_is_written_says_so(front, tmp_path):
    front.throttled = 1
    with collecting(tmp_path / "in") as process:
        until(lambda: front.calls)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "interrupted: nothing was written" in process.stderr.read()
    assert not (tmp_path / "in").exists()


def test_a_kill_between_the_manifest_and_the_files_that_it_lists_loses_none(front, ids, tmp_path):
    collected(tmp_path)
    file = tmp_path / ids[0] / "aws.json"
    content = file.read_bytes()
    file.rename(file.with_name(".irsa-doctor-aws.json"))
    file.write_text("{}")  # what the run before had read
    front.dark, front.calls = {ids[0]}, Counter()
    manifest = collected(tmp_path)
    assert states(manifest)[ids[0]] in ("read", "partial")
    assert file.read_bytes() == content
    assert front.calls["AssumeRole"] == 0
    assert not list(tmp_path.rglob(".irsa-doctor-*"))
