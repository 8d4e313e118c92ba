import json
import random
import re
from collections import Counter

import msgspec
import pytest

from irsa_doctor import api
from irsa_doctor.model import Gap
from irsa_doctor.sources import load
from irsa_doctor.sources.live import LiveOptions, Plan, take
from irsa_doctor.sources.live.calls import Notes
from irsa_doctor.sources.snapshot.redaction import redacted
from irsa_doctor.sources.snapshot.snapshot import Origin, snapshot_text, write_snapshot
from tests.estate import generate
from tests.servers.world import account_of, cluster_of
from tests.sources.live.test_snapshot import WORLDS

ACCOUNT = "111122223333"
ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"


@pytest.fixture(params=["healthy", "shop"])
def snapshot(request, monkeypatch, tmp_path):
    folder = WORLDS / request.param
    with account_of(folder) as aws, cluster_of(folder) as kubernetes:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        return take(Plan("collect"), LiveOptions(aws=True, kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path)))


@pytest.fixture
def estate(tmp_path):
    """A snapshot of a generated estate: all kinds of faults."""
    notes = Notes()
    for path in generate(tmp_path / "estate", 150):
        document = json.loads(path.read_text(encoding="utf-8"))
        place = path.relative_to(tmp_path / "estate").as_posix().removesuffix(".json")
        origin = Origin(account=ACCOUNT)
        if document.get("kind") == "List":
            described = json.loads((path.parent / "cluster.json").read_text(encoding="utf-8"))["cluster"]
            origin = Origin(cluster=described["arn"], closes=("serviceaccounts",))
        notes.answered(f"aws://{ACCOUNT}/{place}", "", document, origin)
    return notes.snapshot(version="0.1.0", taken="2026-01-05T08:00:00Z")


def findings(snapshot, folder):
    write_snapshot(snapshot, str(folder / "snapshot.json"))
    report = api.check([str(folder / "snapshot.json")])
    return Counter((one.rule, one.severity, one.confidence) for one in report.findings), report.counts


def test_the_findings_of_a_world_stay_the_same(snapshot, tmp_path):
    assert findings(redacted(snapshot), tmp_path) == findings(snapshot, tmp_path)


def test_the_findings_of_an_estate_stay_the_same(estate, tmp_path):
    before = findings(estate, tmp_path)
    assert sum(before[0].values()) > 20
    for seed in range(3):
        drawn = redacted(estate, random.Random(seed))  # noqa: S311 - a failure must be the same again
        assert findings(drawn, tmp_path) == before


def test_no_account_and_no_name_is_left(snapshot, tmp_path):
    before = load([], snapshots=[snapshot]).inventory
    text = snapshot_text(redacted(snapshot)).decode()
    names = {part for role in before.roles for part in re.findall(r"[a-z]{4,}", role.name)}
    names |= {part for sa in before.service_accounts for part in re.findall(r"[a-z]{4,}", f"{sa.namespace} {sa.name}")}
    names |= {cluster.name for cluster in before.clusters} | {role.account for role in before.roles}
    names |= {str(cluster.issuer).rpartition("/")[2] for cluster in before.clusters}
    left = {name for name in names if re.search(rf"(?<![a-z]){name}(?![a-z])", text)}
    # words of AWS and Kubernetes, which stand in every snapshot
    assert left <= {"default", "kube", "system", "node", "role", "batch", "cluster", "image"}


def test_two_runs_draw_different_names(snapshot):
    first, second = redacted(snapshot), redacted(snapshot)
    assert first.redacted
    assert not snapshot.redacted
    assert {one.path for one in first.documents} != {one.path for one in second.documents}


def test_what_hangs_together_goes_on_hanging_together(snapshot):
    before, after = (load([], snapshots=[one]).inventory for one in (snapshot, redacted(snapshot)))
    for one in (before, after):
        assert {role.account for role in one.roles} | {p.account for p in one.providers} >= one.closed.roles
    assert len(before.clusters_by_issuer) == len(after.clusters_by_issuer)
    assert len({sa.cluster for sa in before.service_accounts}) == len({sa.cluster for sa in after.service_accounts})


def policy_snapshot(*values, operator="StringLike"):
    statement = {
        "Sid": "Checkout",
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {operator: {f"{ISSUER}:sub": list(values), "aws:SourceIp": ["10.1.0.0/16", "52.94.76.1/32"]}},
    }
    role = {"Arn": f"arn:aws:iam::{ACCOUNT}:role/team/checkout", "RoleName": "checkout"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    notes = Notes()
    notes.answered(
        f"aws://{ACCOUNT}/iam/roles",
        "iam-list-roles",
        {"Roles": [{**role, "AssumeRolePolicyDocument": policy}]},
        Origin(account=ACCOUNT),
    )
    return notes.snapshot(version="0.1.0", taken="2026-01-05T08:00:00Z")


def subjects(snapshot):
    (role,) = load([], snapshots=[snapshot]).inventory.roles
    condition = role.policy.document["Statement"][0]["Condition"]
    ((_, keys),) = condition.items()
    (values,) = (value for key, value in keys.items() if key.endswith(":sub"))
    return [tuple(value.split(":")) for value in values], keys["aws:SourceIp"]


def test_what_a_wildcard_covers_it_goes_on_covering():
    written = [f"system:serviceaccount:{name}:web" for name in ("prod*", "production", "prod-eu", "staging", "*duct*", "prod")]
    names = [parts[2] for parts in subjects(redacted(policy_snapshot(*written)))[0]]
    start, production, european, staging, middle, prod = names
    assert production.startswith(start.rstrip("*"))
    assert european.startswith(start.rstrip("*") + "-")
    assert not staging.startswith(start.rstrip("*"))
    assert middle.strip("*") in production
    assert prod == start.rstrip("*")
    assert production != "production"


def test_a_wildcard_in_a_word_of_kubernetes_goes_on_meaning_it():
    names = [parts[3] for parts in subjects(redacted(policy_snapshot("system:serviceaccount:shop:def*")))[0]]
    assert names == ["def*"]


def test_near_misses_stay_near_and_case_stays_case():
    written = [f"system:serviceaccount:shop:{name}" for name in ("checkout", "chekout", "Checkout", "unrelated")]
    one, near, cased, other = (parts[3] for parts in subjects(redacted(policy_snapshot(*written)))[0])
    assert [letter for letter in one if letter not in near] or len(one) == len(near) + 1
    assert any(one[:number] + one[number + 1 :] == near for number in range(len(one)))
    assert cased.lower() == one
    assert cased != one
    assert len(other) == len("unrelated")


def test_misspelt_words_of_kubernetes_stay_misspelt():
    ((first, second, *_),) = subjects(redacted(policy_snapshot("system:serviceacount:shop:web")))[0]
    assert (first, second) == ("system", "serviceacount")


def test_holes_are_left_as_they_are():
    (parts,) = subjects(redacted(policy_snapshot("system:serviceaccount:${Namespace}:<name>")))[0]
    assert parts[2:] == ("${Namespace}", "<name>")


def test_private_addresses_stay_and_public_ones_change():
    _, (private, public) = subjects(redacted(policy_snapshot("a")))
    assert private == "10.1.0.0/16"
    assert public.endswith("/32")
    assert public != "52.94.76.1/32"


def test_a_policy_in_a_text_is_redacted_too():
    notes = Notes()
    content = json.dumps({"Statement": [{"Resource": f"arn:aws:iam::{ACCOUNT}:role/checkout", "Action": "sts:*"}]})
    policy = {"PolicySummary": {"Id": "p-1", "Type": "RESOURCE_CONTROL_POLICY"}, "Content": content}
    notes.answered(
        f"aws://{ACCOUNT}/organizations/policies/p-1",
        "organizations-describe-policy",
        {"Policy": policy},
        Origin(account=ACCOUNT),
    )
    text = snapshot_text(redacted(notes.snapshot(version="0", taken="2026-01-05T08:00:00Z"))).decode()
    assert ACCOUNT not in text
    assert "checkout" not in text
    assert "sts:*" in text


def test_messages_keep_their_words_and_lose_their_names():
    notes = Notes()
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/auditors/jane@shop.example"
    missing = f"role checkout of account {ACCOUNT}: iam:GetRole is denied to {caller}"
    notes.gap(Gap("roles", ACCOUNT, "checkout", missing, "aws iam get-role --role-name checkout"))
    (gap,) = redacted(notes.snapshot(version="0", taken="2026-01-05T08:00:00Z")).missing
    assert gap.missing.startswith("role ")
    assert "iam:GetRole is denied to arn:aws:sts::" in gap.missing
    for name in (ACCOUNT, "checkout", "auditors", "jane", "shop.example"):
        assert name not in gap.missing + gap.how + gap.owner + gap.name


def test_repeated_members_stay_repeated():
    notes = Notes()
    notes.answered(
        "aws://1/x", "iam-list-roles", msgspec.Raw(b'{"a": "checkout", "a": "other", "n": 12345678901234567890}'), Origin()
    )
    (one,) = redacted(notes.snapshot(version="0", taken="2026-01-05T08:00:00Z")).documents
    assert one.content.count(b'"a"') == 2
    assert b"12345678901234567890" in one.content
