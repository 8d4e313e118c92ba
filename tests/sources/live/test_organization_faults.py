"""An organisation of which not all can be read: what is out of reach is data, and what was read before stays."""

import json
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from irsa_doctor import api
from irsa_doctor.sources.live import LiveOptions
from irsa_doctor.sources.live.collection import OrganizationOptions, collect_organization
from tests.servers.front import Front
from tests.servers.kubernetes import FakeKubernetes
from tests.servers.process import free_port, listens, running
from tests.sources.live.test_organization import REGION, client, states

pytest.importorskip("moto.server", reason="moto's server is not installed")

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


INTERRUPTED = """
import os, signal, sys, threading
from irsa_doctor.sources.live import LiveOptions, collection
from irsa_doctor.sources.live.collection import OrganizationOptions, collect_organization
read = collection._Collection._read
def interrupting(self, *of_account):
    came = read(self, *of_account)
    if not interrupted:
        interrupted.append(True)
        os.kill(os.getpid(), signal.SIGINT)
    return came
interrupted = []
collection._Collection._read = interrupting
options = OrganizationOptions(rate=1000, jobs=1)
try:
    collect_organization(LiveOptions(aws=True, regions=("eu-west-1",)), options, sys.argv[1])
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interruption_keeps_the_accounts_that_were_in_progress(front, ids, tmp_path):
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, str(tmp_path)], check=False)
    assert done.returncode == 130
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert {account["state"] for account in manifest["accounts"]} > {"pending"}
    assert {shard["account"] for shard in manifest["shards"]} == {path.parent.name for path in tmp_path.rglob("aws.json")}
    assert len(collected(tmp_path).shards) == len(manifest["accounts"])
