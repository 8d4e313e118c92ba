"""Thumbprints and signing keys have no date: how old they are is what the runs of a store have seen, account by account."""

import pytest

from irsa_doctor import api
from tests.cli.running import put
from tests.shards.organisations import answer, snapshot
from tests.store.runs import BEGIN, DAY

ACCOUNTS = ("111122223333", "444455556666")
STANDARDS = '[standards]\nmax-thumbprint-age = "90d"\nmax-signing-key-age = "90d"\n'
RULES = ("standard-signing-key-age", "standard-thumbprint-age")


def issuer(account):
    return f"oidc.example.org/{account}"


def audited(folder, day, thumbprints=("a" * 40, "b" * 40), kids=("one", "two")):
    """A run over two accounts, each with a cluster outside EKS: (rule, subject) of what exceeds a standard, and what is
    unknown."""
    for account, thumbprint, kid in zip(ACCOUNTS, thumbprints, kids, strict=True):
        name, me = issuer(account), {"account": account}
        arn = f"arn:aws:iam::{account}:oidc-provider/{name}"
        listed = {"OpenIDConnectProviderList": [{"Arn": arn}]}
        provider = {"Url": name, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": [thumbprint.upper()]}
        aws = [
            answer(f"aws://{account}/iam/oidc-providers", me, listed),
            answer(f"aws://{account}/iam/oidc-providers/{name}", me, provider),
        ]
        discovery = {
            "issuer": f"https://{name}",
            "jwks_uri": f"https://{name}/keys",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        keys = {"keys": [{"kty": "RSA", "kid": kid, "alg": "RS256", "n": "AQAB", "e": "AQAB", "use": "sig"}]}
        owner = {"cluster": name}
        cluster = [
            answer(f"kube://{name}/.well-known/openid-configuration", owner, discovery),
            answer(f"kube://{name}/openid/v1/jwks", owner, keys),
        ]
        put(folder / "input" / account / "aws.json", snapshot(aws))
        put(folder / "input" / account / "prod.json", snapshot(cluster))
    put(folder / "irsa-doctor.toml", STANDARDS)
    done = api.audit(
        [str(folder / "input")],
        settings=api.load_settings(folder),
        store=str(folder / "audit.db"),
        as_of=BEGIN + day * DAY,
    ).answer
    failed = [(f["rule"], f["subject"]["id"]) for f in done["findings"] if f["rule"] in RULES]
    tallies = {tally["id"]: tally for tally in done["rules"]}
    return sorted(failed), [tallies[rule]["unknown"] for rule in RULES]


def test_keys_are_as_old_as_the_runs_that_saw_them(tmp_path):
    assert audited(tmp_path, 0) == ([], [2, 2])
    assert audited(tmp_path, 60) == ([], [2, 2])
    failed, unknown = audited(tmp_path, 100)
    assert (len(failed), unknown) == (4, [0, 0])
    assert {subject.partition("oidc.example.org/")[2] for _, subject in failed} == set(ACCOUNTS)
    assert api.audit_verify(store=str(tmp_path / "audit.db")).tampering == ()


def test_what_was_rotated_between_two_runs_is_younger_than_the_first_of_them(tmp_path):
    audited(tmp_path, 0)
    audited(tmp_path, 50)
    failed, unknown = audited(tmp_path, 100, ("c" * 40, "b" * 40), ("three", "two"))
    assert unknown == [0, 0]
    assert {subject.partition("oidc.example.org/")[2] for _, subject in failed} == {ACCOUNTS[1]}


@pytest.mark.parametrize("keep", [0, 30])
def test_runs_that_were_pruned_say_nothing_of_keys(tmp_path, keep):
    audited(tmp_path, 0)
    audited(tmp_path, 60)
    api.audit_prune(keep * DAY, store=str(tmp_path / "audit.db"), as_of=BEGIN + 61 * DAY)
    assert audited(tmp_path, 100) == ([], [2, 2])


def test_a_run_that_is_told_of_again_finds_what_it_found(tmp_path):
    audited(tmp_path, 0)
    audited(tmp_path, 60)
    assert audited(tmp_path, 100) == audited(tmp_path, 100)
