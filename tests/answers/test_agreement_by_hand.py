"""`check` and `why` name the same cause where manifests set up a web identity themselves."""

import json

import pytest

from irsa_doctor import api
from tests.answers.test_agreement import AUDIENCE, CLOSED, COLLEAGUE, OWN, certain, equals, world
from tests.facts.situations import (
    account,
    container,
    deployment,
    manifests,
    mount,
    pair,
    plain_account,
    policy,
    role,
    role_arn,
    token_volume,
)
from tests.sources.worlds import got_provider


def test_a_volume_for_another_audience_says_nothing_of_the_client_ids(tmp_path):
    own = container("app", pair(path="/var/run/aws/token"), volumeMounts=[mount("/var/run/aws", "aws")])
    world(tmp_path, {})
    workload = deployment(own, volumes=[token_volume("aws", "sts.amazonaws.com.cn")])
    (tmp_path / "objects.yaml").write_text(manifests(plain_account(), workload))
    assert certain(tmp_path) == {"token-wrong-file"}


def by_hand(name, audience, role_name="app", path="/var/run/aws"):
    """A deployment of prod/app that sets a role itself, with a token of its own."""
    own = container("app", pair(role_arn(role_name), f"{path}/token"), volumeMounts=[mount(path, "aws")])
    return deployment(own, name=name, volumes=[token_volume("aws", audience)])


@pytest.mark.parametrize(
    ("volume", "required", "clients", "rules"),
    [
        ("ours", "ours", ["sts.amazonaws.com", "ours"], set()),
        ("ours", "ours", ["ours"], set()),
        ("ours", AUDIENCE, ["sts.amazonaws.com", "ours"], {"trust-aud-mismatch"}),
        (AUDIENCE, "ours", ["sts.amazonaws.com", "ours"], {"trust-aud-mismatch"}),
        ("ours", "ours", ["sts.amazonaws.com"], {"token-wrong-file"}),
    ],
)
def test_the_audience_of_a_volume_set_up_by_hand_is_that_of_the_tokens(volume, required, clients, rules, tmp_path):
    world(tmp_path, {"Condition": equals(aud=required)})
    (tmp_path / "provider.json").write_text(json.dumps(got_provider(*clients)))
    (tmp_path / "objects.yaml").write_text(manifests(plain_account(), by_hand("app", volume)))
    found = {finding.rule for finding in api.check([str(tmp_path)], settings=CLOSED).findings}
    diagnosis = api.why("prod/app", [str(tmp_path)], settings=CLOSED)
    assert found == rules
    assert diagnosis.verdict == ("broken" if rules else "works")
    assert {cause.id for cause in diagnosis.causes if cause.certainty == "certain"} == rules


@pytest.mark.parametrize(("second", "rules"), [(OWN, set()), (COLLEAGUE, {"trust-sub-mismatch"})])
def test_of_two_roles_that_are_set_by_hand_each_is_judged(second, rules, tmp_path):
    world(tmp_path, {})
    document = policy()
    document["Statement"] = [document["Statement"][0] | {"Condition": equals(second)}]
    (tmp_path / "more.json").write_text(json.dumps({"RoleDetailList": [role("other", AssumeRolePolicyDocument=document)]}))
    objects = manifests(plain_account(), account("web"), by_hand("app", AUDIENCE), by_hand("web", AUDIENCE, "other"))
    (tmp_path / "objects.yaml").write_text(objects)
    found = {
        finding.rule for finding in api.check([str(tmp_path)], settings=CLOSED).findings if "prod/app ->" in finding.subject.id
    }
    diagnosis = api.why("prod/app", [str(tmp_path)], settings=CLOSED)
    assert (found, diagnosis.verdict) == (rules, "broken" if rules else "works")
    assert {cause.id for cause in diagnosis.causes if cause.certainty == "certain"} == rules
    assert "several roles" in diagnosis.notes[0]


def test_each_of_two_roles_that_two_containers_set_is_meant(tmp_path):
    world(tmp_path, {"Condition": equals(COLLEAGUE)}, account("web"))
    (tmp_path / "more.json").write_text(json.dumps({"RoleDetailList": [role("other")]}))
    both = [container(n, pair(role_arn(r)), volumeMounts=[mount()]) for n, r in (("a", "app"), ("b", "other"))]
    workload = deployment(*both, volumes=[token_volume()])
    (tmp_path / "objects.yaml").write_text(manifests(plain_account(), account("web"), workload))
    assert certain(tmp_path) == {"trust-sub-mismatch"}
