"""An organisation as moto plays it: every account is read, and what was read is kept."""

import json
import sys
from contextlib import closing
from datetime import timedelta

import boto3
import pytest

from irsa_doctor.sources.live import LiveError, LiveOptions
from irsa_doctor.sources.live import organization as organizations
from irsa_doctor.sources.live.collection import OrganizationOptions, collect_organization
from tests.servers.process import free_port, listens, running

pytest.importorskip("moto.server", reason="moto's server is not installed")

REGION = "eu-west-1"


def client(url, service, keys=None):
    given = keys or {"AccessKeyId": "made", "SecretAccessKey": "up", "SessionToken": None}
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


@pytest.fixture(scope="module")
def organization(tmp_path_factory):
    """The URL of the server, and three member accounts, the last two below a unit with a resource control policy."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, tmp_path_factory.mktemp("moto") / "log", lambda: listens(port)):
        yield f"http://127.0.0.1:{port}", fill(f"http://127.0.0.1:{port}")


def fill(url):
    with closing(client(url, "organizations")) as org:
        org.create_organization(FeatureSet="ALL")
        root = org.list_roots()["Roots"][0]["Id"]
        unit = org.create_organizational_unit(ParentId=root, Name="<b>unit")["OrganizationalUnit"]["Id"]
        content = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*"}],
        }
        made = org.create_policy(Content=json.dumps(content), Description="x", Name="deny", Type="RESOURCE_CONTROL_POLICY")
        org.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=unit)
        ids = []
        for number in range(3):
            status = org.create_account(AccountName=f"=cmd {number}", Email=f"a{number}@example.com")["CreateAccountStatus"]
            ids.append(status["AccountId"])
            if number:
                org.move_account(AccountId=ids[-1], SourceParentId=root, DestinationParentId=unit)
    for ident in ids:
        with closing(client(url, "sts")) as sts:
            keys = sts.assume_role(RoleArn=f"arn:aws:iam::{ident}:role/x", RoleSessionName="me")["Credentials"]
        with closing(client(url, "iam", keys)) as iam:
            trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
            iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(trust))
    return ids


@pytest.fixture(autouse=True)
def environment(organization, monkeypatch):
    names = {"AWS_ENDPOINT_URL": organization[0], "AWS_ACCESS_KEY_ID": "made", "AWS_SECRET_ACCESS_KEY": "up"}
    for name, value in {**names, "AWS_DEFAULT_REGION": REGION}.items():
        monkeypatch.setenv(name, value)


def collected(folder, **options):
    live = LiveOptions(aws=True, regions=(REGION,))
    return collect_organization(live, OrganizationOptions(rate=1000, jobs=2, **options), str(folder))


def states(manifest):
    return {account.id: account.state for account in manifest.accounts}


def test_every_account_has_a_shard_with_the_policies_that_stand_over_it(organization, tmp_path):
    _, ids = organization
    manifest = collected(tmp_path)
    assert {shard.account for shard in manifest.shards} == set(states(manifest)) > set(ids)
    for number, ident in enumerate(ids):
        text = (tmp_path / ident / "aws.json").read_text()
        assert f"aws://{ident}/iam/roles" in text
        assert ("organizations/policies" in text) is (number > 0)
    assert (tmp_path / "manifest.json").stat().st_mode & 0o777 == 0o600


def test_a_second_run_keeps_what_is_young_and_whole(organization, tmp_path):
    _, ids = organization
    collected(tmp_path)
    stamps = {ident: (tmp_path / ident / "aws.json").stat().st_mtime_ns for ident in ids}
    (tmp_path / ids[0] / "aws.json").write_text("{}")
    (tmp_path / ids[1] / ".irsa-doctor-1-aa").write_text("half")
    again = collected(tmp_path)
    assert json.loads((tmp_path / ids[0] / "aws.json").read_text())["documents"]
    assert {ident: (tmp_path / ident / "aws.json").stat().st_mtime_ns for ident in ids[1:]} == {i: stamps[i] for i in ids[1:]}
    assert not list(tmp_path.rglob(".irsa-doctor-*"))
    assert len(again.shards) == len(again.accounts)
    fresh = collected(tmp_path, max_age=timedelta(0))
    assert (tmp_path / ids[1] / "aws.json").stat().st_mtime_ns != stamps[ids[1]]
    assert states(fresh) == states(again)


def test_an_account_that_admits_nobody_is_unknown_and_keeps_its_old_shard(organization, tmp_path, monkeypatch):
    _, ids = organization
    collected(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    with pytest.raises(LiveError, match="sts:GetCallerIdentity"):
        collected(tmp_path, fresh=True)
    assert (tmp_path / ids[0] / "aws.json").exists()


def test_accounts_that_are_left_out_are_in_the_manifest(organization, tmp_path):
    _, ids = organization
    manifest = collected(tmp_path, accounts=(ids[0],))
    assert states(manifest)[ids[0]] in ("read", "partial")
    assert {state for ident, state in states(manifest).items() if ident != ids[0]} == {"excluded"}


def test_a_path_of_an_account_says_where_it_is(organization):
    directory = organizations.OrganizationDirectory.__new__(organizations.OrganizationDirectory)
    assert directory._units({"Paths": ["o-a/r-b/ou-b-c/111122223333"]}, "111122223333") == (("r-b", "ou-b-c"), "")
