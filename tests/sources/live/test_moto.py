"""AWS as others imitate it: moto's server, in a process of its own."""

import json
import shlex
import sys
from contextlib import closing
from functools import partial

import boto3
import pytest

from irsa_doctor.remedies.commands import create_provider, put_trust_policy
from irsa_doctor.sources import Loading, load
from irsa_doctor.sources.live import LiveError, LiveOptions, Plan, Target, take
from tests.cli.running import run
from tests.servers.aws_cli import call
from tests.servers.process import free_port, listens, running

pytest.importorskip("moto.server", reason="moto's server is not installed")

ACCOUNT, OTHER = "123456789012", "222233334444"


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """The server's URL, and an account in it with two clusters and some roles."""
    port = free_port()
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, log, lambda: listens(port)):
        url = f"http://127.0.0.1:{port}"
        yield url, fill(url)


def client(url, service, **credentials):
    given = {"aws_access_key_id": "made", "aws_secret_access_key": "up", **credentials}
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", **given)


def trust(issuer, name, account=ACCOUNT):
    provider = f"arn:aws:iam::{account}:oidc-provider/{issuer}"
    keys = {f"{issuer}:sub": f"system:serviceaccount:shop:{name}", f"{issuer}:aud": "sts.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": {"StringEquals": keys}}]})


def fill(url):
    """Clusters, providers and roles in one account, a role in another; gives the issuer."""
    with closing(client(url, "iam")) as iam, closing(client(url, "eks")) as eks:
        role = iam.create_role(RoleName="cluster", AssumeRolePolicyDocument=trust("x", "x"))["Role"]["Arn"]
        for name in ("shop", "depot"):
            made = eks.create_cluster(name=name, roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
        issuer = made["cluster"]["identity"]["oidc"]["issuer"]
        iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
        plain = issuer.removeprefix("https://")
        for number in range(5):
            name = f"app-{number}"
            iam.create_role(RoleName=name, Path="/team/", AssumeRolePolicyDocument=trust(plain, name), MaxSessionDuration=7200)
    with closing(client(url, "sts")) as sts:
        given = sts.assume_role(RoleArn=f"arn:aws:iam::{OTHER}:role/auditor", RoleSessionName="me")["Credentials"]
    keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    with closing(client(url, "iam", **keys, aws_session_token=given["SessionToken"])) as there:
        there.create_role(RoleName="there", AssumeRolePolicyDocument=trust(plain, "there", OTHER))
    return plain


@pytest.fixture
def environment(moto, monkeypatch):
    url, _ = moto
    for name, value in (
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "made"),
        ("AWS_SECRET_ACCESS_KEY", "up"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)


def inventory(plan, **options):
    return load([], snapshots=[take(plan, LiveOptions(aws=True, **options))]).inventory


@pytest.mark.usefixtures("environment")
def test_an_account_is_read_whole(moto):
    _, issuer = moto
    found = inventory(Plan("check"))
    arns = {f"arn:aws:iam::{ACCOUNT}:role/team/app-{number}" for number in range(5)}
    assert {role.arn for role in found.roles} == {*arns, f"arn:aws:iam::{ACCOUNT}:role/cluster"}
    assert {role.max_session for role in found.roles if role.arn in arns} == {7200}
    assert [(one.account, one.issuer, one.client_ids) for one in found.providers] == [(ACCOUNT, issuer, ("sts.amazonaws.com",))]
    assert {(one.name, one.issuer) for one in found.clusters} == {("shop", issuer), ("depot", issuer)}
    assert found.closed.roles == found.closed.providers == {ACCOUNT}
    assert found.closed.clusters == {(ACCOUNT, "us-east-1")}


@pytest.mark.usefixtures("environment")
def test_what_moto_does_not_have_is_unknown_and_closes_nothing():
    found = inventory(Plan("check"))
    assert found.closed.associations == frozenset()
    assert any("eks:ListPodIdentityAssociations: HTTP 404: not an answer of AWS" in gap.missing for gap in found.gaps)


@pytest.mark.usefixtures("environment")
def test_a_role_of_another_account_is_read_as_somebody_there():
    found = inventory(Plan("check"), assume=(f"arn:aws:iam::{OTHER}:role/auditor",))
    assert {role.arn for role in found.roles} == {f"arn:aws:iam::{OTHER}:role/there"}
    assert found.closed.roles == {OTHER}


@pytest.mark.usefixtures("environment")
def test_a_target_names_its_role(tmp_path):
    annotation = {"eks.amazonaws.com/role-arn": f"arn:aws:iam::{ACCOUNT}:role/team/app-3"}
    metadata = {"name": "app-3", "namespace": "shop", "annotations": annotation}
    (tmp_path / "sa.json").write_text(json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}))
    plan = Plan("why", target=Target("shop", "app-3"), cluster="shop")
    snapshot = take(plan, LiveOptions(aws=True), Loading.of([str(tmp_path)]))
    found = load([str(tmp_path)], snapshots=[snapshot]).inventory
    assert {role.name for role in found.roles} == {"app-3"}
    assert {one.name for one in found.clusters} == {"shop"}


@pytest.mark.usefixtures("environment")
def test_a_role_that_cannot_be_assumed_is_one_sentence(moto, monkeypatch):
    with pytest.raises(LiveError, match="AWS role nonsense"):
        take(Plan("check"), LiveOptions(aws=True, assume=("nonsense",)))


@pytest.mark.usefixtures("environment")
def test_verify_compares_an_intent_with_the_account_as_it_is(moto, tmp_path):
    _, issuer = moto
    head = (
        f"intent: 1\nclusters: {{shop: {{arn: 'arn:aws:eks:us-east-1:{ACCOUNT}:cluster/shop', issuer: 'https://{issuer}'}}}}\n"
    )
    arns = [f"arn:aws:iam::{ACCOUNT}:role/team/app-{number}" for number in range(5)]
    roles = [f"  {arn}: shop/app-{number}\n" for number, arn in enumerate(arns)]
    intent = tmp_path / "intent.yaml"
    intent.write_text(f"{head}roles:\n{''.join(roles)}")
    right = run("verify", intent, "--aws", "--format", "json", cwd=tmp_path)
    assert (right.returncode, json.loads(right.stdout)["differences"]) == (0, [])
    # one role more than there is, one that somebody else should be, and one that the intent does not have
    gone = f"arn:aws:iam::{ACCOUNT}:role/team/gone"
    intent.write_text(f"{head}roles:\n  {gone}: shop/gone\n{''.join(roles[1:4])}  {arns[4]}: shop/other\n")
    wrong = run("verify", intent, "--aws", "--format", "json", cwd=tmp_path)
    differences = {(d["kind"], d["subject"]["id"]) for d in json.loads(wrong.stdout)["differences"]}
    missing, extra = ("role-missing", gone), ("role-extra", arns[0])
    assert (wrong.returncode, differences) == (1, {missing, extra, ("narrower", arns[4]), ("wider", arns[4])})


@pytest.mark.usefixtures("environment")
def test_a_script_that_is_written_makes_the_account_that_its_intent_means(moto, tmp_path):
    """Then what corrects a role, and creates a provider, does so; moto has no operation that adds a client id."""
    url, _ = moto
    issuer = "oidc.eks.us-east-1.amazonaws.com/id/00000000000000000000000000000042"
    role = f"arn:aws:iam::{ACCOUNT}:role/made/cart"
    (tmp_path / "intent.yaml").write_text(
        f"intent: 1\naccount: '{ACCOUNT}'\nclusters: {{made: {{arn: 'arn:aws:eks:us-east-1:{ACCOUNT}:cluster/made', "
        f"issuer: 'https://{issuer}', audience: own.example}}}}\nroles:\n"
        f'  made/cart: {{service-accounts: shop/cart, max-session: 7200, description: "it\'s $(id)", tags: {{team: shop}}}}\n'
    )
    assert run("generate", "intent.yaml", "-f", "cli", "-o", "made", cwd=tmp_path).returncode == 0
    (script,) = (tmp_path / "made").rglob("*.sh")
    words = shlex.split(script.read_text(), comments=True)
    starts = [number for number, word in enumerate(words) if word in ("aws", "kubectl", "set")]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        if words[start] == "aws":
            call(shlex.join(words[start:end]), partial(client, url))
    found = {one.arn: one for one in inventory(Plan("check")).roles}[role]
    assert found.max_session == 7200
    verified = json.loads(run("verify", "intent.yaml", "--aws", "-f", "json", cwd=tmp_path).stdout)
    ours = [row for row in verified["differences"] if row["subject"]["id"] == role or issuer in row["subject"]["id"]]
    assert ours == []
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    corrected = json.loads(trust(issuer, "other"))
    call(put_trust_policy("cart", corrected), partial(client, url))
    with closing(client(url, "iam")) as iam:
        assert iam.get_role(RoleName="cart")["Role"]["AssumeRolePolicyDocument"] == corrected
        assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["ClientIDList"] == ["own.example"]
        other = create_provider("made-up.example/other", "sts.amazonaws.com")
        made = call(other, partial(client, url))["OpenIDConnectProviderArn"]
        assert made == f"arn:aws:iam::{ACCOUNT}:oidc-provider/made-up.example/other"
        for arn in (made, provider):
            iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        iam.delete_role(RoleName="cart")
