"""No document takes a finding from another: where two differ about an object, each is judged."""

import json

import pytest

from irsa_doctor import api
from irsa_doctor.sources.joining.disputes import MOST, TOO_MANY
from irsa_doctor.sources.loading import load
from tests.cli.running import put
from tests.facts.situations import account, plain_account
from tests.sources.worlds import (
    ISSUER,
    OTHER,
    OTHER_ISSUER,
    cluster,
    got_provider,
    listed_providers,
    policy,
    provider_arn,
    role,
    role_arn,
)

OPEN = policy()
OPEN["Statement"][0]["Condition"] = {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}
WORLD = {"cluster.json": cluster(), "providers.json": listed_providers(provider_arn()), "provider.json": got_provider()}


def export(trust=None, name="app", of=None):
    named = role(name, *([of] if of else []))
    return {"Role": named if trust is None else {**named, "AssumeRolePolicyDocument": trust}}


def manifest(exported):
    """The object as its author writes it, without what the API server adds."""
    metadata = {name: value for name, value in exported["metadata"].items() if name != "creationTimestamp"}
    return {**exported, "metadata": metadata}


def association(name, account="app"):
    described = {"clusterName": "prod", "namespace": "prod", "serviceAccount": account, "roleArn": role_arn(name)}
    return {"association": {**described, "associationArn": "arn:aws:eks:eu-west-1:1:podidentityassociation/prod/a-1"}}


def found(folder, documents, **flags):
    for name, content in documents.items():
        put(folder / name, content)
    return {(item.rule, item.subject.id.rpartition("/")[2]): item for item in api.check([str(folder)], **flags).findings}


def contradiction(findings):
    return next((item for (rule, _), item in findings.items() if rule == "input-contradiction"), None)


DISPUTES = {
    "trust policies": ({"a.json": export(OPEN)}, {"b.json": export()}, "high"),
    "a policy in a snapshot of all roles": ({"a.json": export(OPEN)}, {"b.json": {"RoleDetailList": [role()]}}, "high"),
    "client ids": ({"a.json": got_provider("vault")}, {"b.json": got_provider("sts.amazonaws.com")}, "high"),
    "thumbprints": ({"a.json": got_provider()}, {"b.json": {**got_provider(), "ThumbprintList": ["0" * 40]}}, "medium"),
    "issuers": ({"a.json": cluster()}, {"b.json": cluster(issuer=OTHER_ISSUER)}, "high"),
    "roles of a service account": (
        {"a.json": account(role_arn=role_arn("gone"))},
        {"b.json": account(role_arn=role_arn())},
        "high",
    ),
    "roles of an association": ({"a.json": association("gone")}, {"b.json": association("app")}, "high"),
}


@pytest.mark.parametrize("order", ["as written", "the other way round"])
@pytest.mark.parametrize("name", DISPUTES)
def test_what_is_found_in_a_document_stays_when_another_contradicts_it(tmp_path, name, order):
    first, second, severity = DISPUTES[name]
    if order != "as written":
        (one,), (other,) = first.values(), second.values()
        first, second = {"z.json": one}, {"a.json": other}
    of_role = "trust" in name or "policy" in name
    common = dict(WORLD) if of_role else {"role.json": export(), **WORLD}
    common.pop(
        {"issuers": "cluster.json", "client ids": "provider.json", "thumbprints": "provider.json"}.get(name, "none.json"), None
    )
    alone = [found(tmp_path / str(n), {**common, **part}) for n, part in enumerate((first, second))]
    both = found(tmp_path / "both", {**common, **first, **second})
    for finding in (finding for findings in alone for finding in findings):
        assert finding in both
    assert contradiction(both).severity == severity
    assert not any(map(contradiction, alone))


def test_two_policies_differ_in_what_is_found_of_a_service_account_too(tmp_path):
    other = policy("system:serviceaccount:prod:other")
    documents = {**WORLD, "sa.json": account(), "a.json": export(other), "b.json": export()}
    assert {rule for rule, _ in found(tmp_path, documents)} >= {"input-contradiction", "trust-sub-mismatch"}


def test_three_documents_are_three_statements(tmp_path):
    documents = {f"{n}.json": export(policy(f"system:serviceaccount:prod:{n}")) for n in range(2)} | {"z.json": export(OPEN)}
    assert ("open-aud-only", "app#0") in found(tmp_path, documents)


def test_one_document_that_has_a_role_twice_is_judged_twice(tmp_path):
    roles = [role(), role(AssumeRolePolicyDocument=OPEN), role()]
    assert ("open-aud-only", "app#0") in found(tmp_path, {"list.json": {"Roles": roles}})


def test_documents_over_the_bound_are_named_and_fail(tmp_path):
    documents = {f"{n:02}.json": export(policy(f"system:serviceaccount:prod:{n}")) for n in range(MOST)}
    findings = found(tmp_path, {**documents, "zz.json": export(OPEN)})
    lost = findings["input-unreadable", "zz.json"]
    assert (lost.severity, TOO_MANY in lost.message) == ("high", True)


def test_environments_that_agree_in_themselves_are_judged_together(tmp_path):
    for folder, name in (("a", "x"), ("b", "y")):
        documents = {f"{folder}/{n}.json": export(policy(f"system:serviceaccount:{name}:{n}"), f"r{n}") for n in range(40)}
        findings = found(tmp_path, documents)
    assert not any(rule == "input-unreadable" for rule, _ in findings)


MADE = f"""
resource "aws_iam_role" "made" {{
  name = "made"
  assume_role_policy = jsonencode({json.dumps(policy())})
}}
"""
HONEST = {
    "the same twice": {"a.json": export(), "b.json": export()},
    "a list beside a description": {"a.json": {"Roles": [role()]}, "b.json": export()},
    "roles of one name in two accounts": {
        "a.json": export(),
        "b.json": export(policy(account=OTHER), of=OTHER),
    },
    "the members in another order": {"a.json": export(), "b.json": export(dict(reversed(policy().items())))},
    "service accounts of two environments": {
        "cluster.json": cluster(),
        "dev/sa.json": account(role_arn=f"arn:aws:iam::{OTHER}:role/app"),
        "prod/sa.json": account(role_arn=role_arn()),
    },
    "service accounts of two folders, of which one has no role": {
        "cluster.json": cluster(),
        "base/sa.json": manifest(plain_account()),
        "prod/sa.json": manifest(account(role_arn=role_arn())),
    },
    "service accounts of two folders for one account of AWS": {
        "cluster.json": cluster(),
        "dev/sa.json": manifest(account(role_arn=role_arn("dev"))),
        "prod/sa.json": manifest(account(role_arn=role_arn())),
    },
    "a service account in two clusters": {
        "one/cluster.json": cluster(),
        "one/sa.json": account(role_arn=role_arn("a")),
        "two/cluster.json": cluster("dev", issuer=OTHER_ISSUER),
        "two/sa.json": account(role_arn=role_arn("b")),
    },
    "an export beside the template that makes it": {
        "a.json": export(name="made"),
        "main.tf": MADE,
    },
    "a base and what an overlay makes of it": {
        "base/sa.yaml": account(role_arn=role_arn("a")),
        "base/kustomization.yaml": {"resources": ["sa.yaml"]},
        "over/kustomization.yaml": {"resources": ["../base"], "patches": [{"path": "sa.yaml"}], "namespace": "prod"},
        "over/sa.yaml": account(role_arn=role_arn("b")),
        "cluster.json": cluster(),
    },
}


@pytest.mark.parametrize("name", HONEST)
def test_documents_that_agree_or_are_about_two_objects_do_not_contradict(tmp_path, name):
    findings = found(tmp_path, HONEST[name])
    assert contradiction(findings) is None
    assert not any(rule.startswith("open") for rule, _ in findings)


FOLDERS = {
    "role.json": export(),
    **WORLD,
    "dev/sa.json": manifest(account(role_arn=role_arn("gone"))),
    "prod/sa.json": manifest(account(role_arn=role_arn())),
}


def test_manifests_of_two_folders_are_each_judged(tmp_path):
    documents = {**FOLDERS, "role.json": export(policy("system:serviceaccount:prod:other"))}
    alone = found(tmp_path / "alone", {name: text for name, text in documents.items() if name != "dev/sa.json"})
    both = found(tmp_path / "both", documents)
    assert ("trust-sub-mismatch", "app") in alone
    assert alone.keys() <= both.keys()


def test_manifests_of_two_folders_contradict_each_other_where_they_are_said_to_be_of_one_cluster(tmp_path):
    found(tmp_path, FOLDERS)
    clusters = {str(tmp_path): "prod"}
    assert load([str(tmp_path)], clusters=clusters).inventory.contradictions
    assert not load([str(tmp_path)]).inventory.contradictions


def test_a_service_account_without_role_is_another_statement_than_one_with(tmp_path):
    findings = found(tmp_path, {"cluster.json": cluster(), "a.json": account(), "b.json": plain_account()})
    assert contradiction(findings).severity == "high"
