"""An audit of shards has the answers of one check of everything, however they are split and whoever judges them."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

from irsa_doctor import api
from irsa_doctor.facts.shards import inventory, providers, view
from irsa_doctor.shards import run, tasks
from irsa_doctor.shards.engine import TRIES, Failed, LocalEngine
from tests.shards.organisations import AUD, answer, put, snapshot, write_organisation
from tests.shards.wild_organisations import write_wild_organisation

MOMENT = datetime(2026, 1, 6, tzinfo=UTC)
OF_AUDITS = {"key", "account", "cluster", "status", "first_seen", "last_seen"}


def checked(folder):
    """What one check says."""
    report = api.check([str(folder)], today=MOMENT)
    return json.loads(api.render_report(report, "json", api.Style()))


def audited(folder, **options):
    """What an audit says, in the words of check."""
    answer = api.audit([str(folder)], store=None, as_of=MOMENT, **options).answer
    findings = [{name: value for name, value in finding.items() if name not in OF_AUDITS} for finding in answer["findings"]]
    return {**answer, "findings": findings}


def assert_same(folder, **options):
    one, many = checked(folder), audited(folder, **options)
    assert many["findings"] == one["findings"]
    assert many["unknown"] == one["unknown"]
    assert many["rules"] == one["rules"]
    assert {name: many["summary"][name] for name in many["summary"]}.items() <= one["summary"].items()


# of the last one, a service account of another account asks for an audience of its own
@pytest.mark.parametrize("seed", [*range(12), 378])
def test_shards_by_account_have_the_answers_of_one_check(tmp_path, seed):
    assert_same(write_organisation(tmp_path, seed), jobs=1 + seed % 2)


@pytest.mark.parametrize("seed", range(12, 20))
def test_shards_that_are_split_at_random_have_the_answers_of_one_check(tmp_path, seed):
    assert_same(write_organisation(tmp_path, seed, names=False), jobs=1 + seed % 2)


@pytest.mark.parametrize("seed", range(60, 76))
def test_shards_with_rbac_have_the_answers_of_one_check(tmp_path, seed):
    folder = write_organisation(tmp_path, seed, names=seed % 2 == 0, rbac=True)
    assert_same(folder, jobs=1 + seed % 2)


@pytest.mark.parametrize("seed", range(66, 72))
def test_what_is_given_up_and_looked_up_again_gives_the_same_answers(tmp_path, monkeypatch, seed):
    for module in (inventory, tasks, view):
        monkeypatch.setattr(module, "LATEST_ROLES", 1)
    for module in (providers, view):
        monkeypatch.setattr(module, "LATEST_ACCOUNTS", 1)
    assert_same(write_organisation(tmp_path, seed, accounts=6), jobs=1)


def test_rbac_in_shards_is_judged_at_all(tmp_path):
    """Otherwise the organisations above say nothing."""
    for seed in range(60, 76):
        write_organisation(tmp_path / str(seed), seed, rbac=True)
    failed = {rule["id"] for rule in checked(tmp_path)["rules"] if rule["failed"]}
    assert {"rbac-account-creatable", "rbac-account-reaches-role", "rbac-group-reaches-role"} <= failed


@pytest.mark.parametrize(("seed", "rbac"), [(1003, False), (1020, True), (2162, True), (3080, True), (3136, True)])
def test_what_is_first_of_several_hangs_on_no_order_of_reading(tmp_path, seed, rbac):
    assert_same(write_organisation(tmp_path, seed, names=seed % 3 == 0, rbac=rbac))


@pytest.mark.parametrize("seed", [10, 101, 158, 163, 165, 256, 275])
def test_clusters_of_one_name_in_any_file_have_the_answers_of_one_check(tmp_path, seed):
    assert_same(write_wild_organisation(tmp_path, seed, 2 + seed % 6))


def test_a_role_that_the_cluster_of_another_account_maps_is_judged_with_it(tmp_path):
    role, cluster = "arn:aws:iam::111111111111:role/app", "arn:aws:eks:eu-west-1:222222222222:cluster/main"
    issuer, group = "oidc.eks.eu-west-1.amazonaws.com/id/" + "A" * 32, "rbac.authorization.k8s.io"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::111111111111:oidc-provider/{issuer}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:aud": AUD, f"{issuer}:sub": "system:serviceaccount:app:web"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    roles = {"Roles": [{"Path": "/", "RoleName": "app", "Arn": role, "AssumeRolePolicyDocument": policy}]}
    put(tmp_path / "1" / "aws.json", snapshot([answer("aws://111111111111/iam/roles", {"account": "111111111111"}, roles)]))
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    admin = {"metadata": {"name": "admin"}, "rules": [rule]}
    held = {"apiGroup": group, "kind": "ClusterRole", "name": "admin"}
    binding = {"metadata": {"name": "admins"}, "subjects": [{"kind": "Group", "name": "admins"}], "roleRef": held}
    rows = json.dumps([{"rolearn": role, "username": "app", "groups": ["admins"]}])
    auth_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}}
    of_cluster = [
        answer(f"kube://{cluster}/clusterroles", {"cluster": cluster}, _list("ClusterRole", admin)),
        answer(f"kube://{cluster}/clusterrolebindings", {"cluster": cluster}, _list("ClusterRoleBinding", binding)),
        answer(f"kube://{cluster}/configmaps", {"cluster": cluster}, {**auth_map, "data": {"mapRoles": rows}}),
    ]
    put(tmp_path / "2" / "main.json", snapshot(of_cluster))
    assert "rbac-role-maps-back" in {finding["rule"] for finding in checked(tmp_path)["findings"]}
    assert_same(tmp_path)


def test_another_process_reuses_what_one_has_judged(tmp_path):
    """Sets have another order in each process."""
    write_organisation(tmp_path / "in", 60, rbac=True)
    store = tmp_path / "store.db"
    call = ["audit", "run", str(tmp_path / "in"), "--store", str(store), "--no-config", "--as-of", "2026-01-06T00:00:00Z"]
    reused = []
    for seed in ("1", "2", "3"):
        run_with(*call, environment={"PYTHONHASHSEED": seed}, folder=tmp_path)
        with closing(sqlite3.connect(store)) as connection:
            (options,) = connection.execute("select options from run order by id desc").fetchone()
        reused.append(json.loads(options).get("reused", 0))
    assert reused[0] == 0
    assert reused[1] == reused[2] > 0


def run_with(*call, environment, folder):
    command = [sys.executable, "-m", "irsa_doctor", *call]
    env = {**os.environ, **environment}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr


def _list(kind, item):
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": f"{kind}List", "items": [item]}


def test_a_doubled_shard_is_judged_with_the_one_that_it_doubles(tmp_path):
    write_organisation(tmp_path / "a", 3)
    write_organisation(tmp_path / "b", 3)
    assert_same(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"schema": "irsa-doctor.snapshot/9"}', b"[" * 100_000, b"\xff\x00", b"\x00" * 9]
)
def test_a_shard_that_cannot_be_read_costs_no_other(tmp_path, content):
    write_organisation(tmp_path, 4)
    (tmp_path / "999999999999").mkdir()
    (tmp_path / "999999999999" / "aws.json").write_bytes(content)
    assert_same(tmp_path)


def test_a_worker_that_is_killed_costs_a_retry(tmp_path, monkeypatch):
    write_organisation(tmp_path / "in", 5)
    judge = run._judge

    def once(question, unit):
        if not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return judge(question, unit)

    monkeypatch.setattr(run, "_judge", once)
    assert_same(tmp_path / "in", jobs=2)


def test_a_task_whose_process_dies_each_time_has_failed_and_costs_no_other():
    def work(number):
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return number * 10

    came = dict(LocalEngine(2).done(work, range(5)))
    failed = came.pop(2)
    assert came == {0: 0, 1: 10, 3: 30, 4: 40}
    assert isinstance(failed, Failed)
    assert f"{TRIES} times: signal 9" in failed.why


def test_what_was_judged_is_not_judged_again(tmp_path):
    write_organisation(tmp_path / "in", 6)
    store = str(tmp_path / "audit.db")
    first = api.audit([str(tmp_path / "in")], store=store, as_of=MOMENT).answer
    again = api.audit([str(tmp_path / "in")], store=store, as_of=MOMENT).answer
    given = first["scope"]["shards"]["given"]
    assert first["scope"]["shards"] == {"given": given, "judged": given, "reused": 0}
    assert again["scope"]["shards"] == {"given": given, "judged": 0, "reused": given}
    assert [f["key"] for f in again["findings"]] == [f["key"] for f in first["findings"]]


@pytest.mark.parametrize("seed", range(3))
def test_a_changed_shard_is_judged_again_with_those_that_look_something_up_in_it(tmp_path, seed):
    folder, store = tmp_path / "in", str(tmp_path / "audit.db")
    write_organisation(folder, 40 + seed)
    api.audit([str(folder)], store=store, as_of=MOMENT)
    path = next(path for path in sorted(folder.rglob("aws.json")) if b"RoleName" in path.read_bytes())
    document = json.loads(path.read_text())
    for each in document["documents"]:
        each["document"]["Roles"] = each["document"].get("Roles", [])[:1]
    path.write_text(json.dumps(document))
    answer = api.audit([str(folder)], store=store, as_of=MOMENT).answer
    assert [f["fingerprint"] for f in answer["findings"]] == [f["fingerprint"] for f in checked(folder)["findings"]]


def test_a_run_that_was_interrupted_goes_on(tmp_path, monkeypatch):
    folder, store = write_organisation(tmp_path / "in", 7, accounts=6), str(tmp_path / "audit.db")
    judge, judged = run._judge, []

    def some(question, unit):
        if len(judged) == 2:
            raise KeyboardInterrupt
        judged.append(unit)
        return judge(question, unit)

    monkeypatch.setattr(run, "_judge", some)
    monkeypatch.setattr("irsa_doctor.shards.engine._may_copy", lambda: False)
    with pytest.raises(KeyboardInterrupt):
        api.audit([str(folder)], store=store, as_of=MOMENT)
    assert api.audit_verify(store=store).tampering == ()
    monkeypatch.setattr(run, "_judge", judge)
    done = api.audit([str(folder)], store=store, as_of=MOMENT).answer
    assert done["scope"]["shards"]["reused"] == sum(unit.shards for unit in judged)
    assert [header.state for header, _ in api.audit_history(store=store)] == ["complete"]


def test_an_audit_in_pieces_is_the_answer_as_json(tmp_path):
    done = api.audit([str(write_organisation(tmp_path, 8))], store=None, as_of=MOMENT)
    assert json.loads("".join(done.pieces("json", api.Style()))) == done.answer
    assert "".join(done.pieces("json", api.Style())) == api.render_audit(done.answer, "json")


@pytest.mark.parametrize("task", ["_extract", "_judge"])
def test_an_account_whose_process_dies_each_time_is_unknown_and_costs_no_other(tmp_path, monkeypatch, task):
    write_organisation(tmp_path, 64, accounts=5)
    before, work = audited(tmp_path), getattr(run, task)
    dying = next(account["id"] for account in before["scope"]["accounts"] if account["state"] == "read")

    def die(question, unit):
        if dying in unit.name:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(question, unit)

    monkeypatch.setattr(run, task, die)
    after = audited(tmp_path, jobs=2)
    states = {account["id"]: (account["state"], account["why"]) for account in after["scope"]["accounts"]}
    assert states[dying][0] == "unknown"
    assert "signal 9" in states[dying][1]
    assert {ident: state for ident, (state, _) in states.items() if ident != dying} == {
        account["id"]: account["state"] for account in before["scope"]["accounts"] if account["id"] != dying
    }
    assert any(f"{TRIES} times" in each["missing"] for each in after["unknown"])
    own = [
        finding["subject"]["id"] for finding in after["findings"] if finding["subject"]["kind"] in ("role", "grant", "provider")
    ]
    assert not [ident for ident in own if f"::{dying}:" in ident]
