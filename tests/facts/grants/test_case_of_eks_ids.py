"""Ids of EKS issuers are made of capitals, and providers are compared letter by letter, whatever else is given."""

import pytest

from irsa_doctor import api
from irsa_doctor.facts.grants.principals import in_capitals
from tests.cli.running import put

ACCOUNT = "111122223333"
ID = "8C41D5E09A7B4F2368D1A0F5C93E7B64"
HOST = "oidc.eks.eu-west-1.amazonaws.com/id"


def arn(ident):
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}/{ident}"


def role(folder, name, ident, of_keys=""):
    issuer = f"{HOST}/{of_keys or ident}"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": arn(ident)},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{issuer}:sub": "system:serviceaccount:a:b", f"{issuer}:aud": "sts.amazonaws.com"}
                },
            }
        ],
    }
    answer = {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "RoleName": name, "Path": "/", "AssumeRolePolicyDocument": trust}
    put(folder / f"{name}.json", {"Role": answer})


def findings(folder):
    return [(each.rule, each.subject.id.rpartition("/")[2]) for each in api.check([str(folder)]).findings]


@pytest.mark.parametrize("ident", [ID.lower(), ID.capitalize(), ID[:-1] + "f"])
def test_a_principal_with_small_letters_is_wrong_though_no_provider_is_given(tmp_path, ident):
    role(tmp_path, "app", ident)
    (finding,) = api.check([str(tmp_path)]).findings
    assert finding.rule == "trust-principal-wrong-arn"
    assert f'it differs in case; expected "{arn(ident.upper())}"' in finding.message


def test_of_two_roles_that_differ_in_case_one_is_wrong(tmp_path):
    role(tmp_path, "right", ID)
    role(tmp_path, "wrong", ID.lower())
    assert findings(tmp_path) == [("trust-principal-wrong-arn", "wrong#0")]


def test_keys_may_have_any_case(tmp_path):
    role(tmp_path, "app", ID, of_keys=ID.lower())
    assert findings(tmp_path) == []


def test_a_provider_with_small_letters_is_what_is_wrong(tmp_path):
    role(tmp_path, "app", ID.lower())
    put(tmp_path / "providers.json", {"OpenIDConnectProviderList": [{"Arn": arn(ID.lower())}]})
    assert findings(tmp_path) == [("oidc-url-mismatch", ID.lower())]


def test_a_cluster_shows_how_its_id_is_written(tmp_path):
    role(tmp_path, "app", ID.lower())
    put(tmp_path / "providers.json", {"OpenIDConnectProviderList": [{"Arn": arn(ID.lower())}]})
    of_cluster = {"name": "shop", "arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/shop"}
    put(
        tmp_path / "cluster.json", {"cluster": {**of_cluster, "identity": {"oidc": {"issuer": f"https://{HOST}/{ID.lower()}"}}}}
    )
    assert findings(tmp_path) == []


@pytest.mark.parametrize("issuer", ["abc123", "8c41d5e0-9a7b", "made-up-by-an-emulator"])
def test_what_is_no_id_of_eks_has_its_own_case(tmp_path, issuer):
    role(tmp_path, "app", issuer)
    assert findings(tmp_path) == []


@pytest.mark.parametrize("host", ["oidc.eks.us-east-1.localhost.localstack.cloud:4566/id", "oidc.example.net/id"])
def test_who_else_issues_tokens_makes_ids_as_it_likes(host):
    assert in_capitals(f"{host}/{ID.lower()}") == ""


@pytest.mark.parametrize("host", ["oidc.eks.cn-north-1.amazonaws.com.cn/id", "oidc.eks.us-gov-west-1.amazonaws.com/id"])
def test_every_partition_has_capitals(host):
    assert in_capitals(f"{host}/{ID.lower()}") == f"{host}/{ID}"
