"""`verify` and `infer` over HTTP: of a live account and cluster the same is said as of the same documents as files."""

import json

import pytest

from irsa_doctor import api
from irsa_doctor.sources.live import LiveOptions
from tests.answers.why import world as w
from tests.servers.world import served


@pytest.fixture
def live(monkeypatch, tmp_path):
    """What makes servers of documents, and the options that lead to them."""
    opened = []

    def behind(documents):
        aws, kubernetes = served(documents)
        opened.extend((aws.__enter__(), kubernetes.__enter__()))
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        return LiveOptions(aws=True, kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path))

    yield behind
    for server in opened:
        server.__exit__()


def intent(folder, *accounts):
    path = folder / "intent.yaml"
    arn = next(d["cluster"]["arn"] for d in w.world().values() if "cluster" in d)
    meant = {"intent": 1, "clusters": {"prod": arn}, "roles": {w.ROLE: list(accounts)}}
    path.write_text(json.dumps(meant), encoding="utf-8")
    return str(path)


def test_a_live_estate_that_follows_the_intent_has_no_difference(live, tmp_path):
    answer = api.verify(intent(tmp_path, "payments/checkout"), live=live(w.world()))
    assert (answer.differences, answer.same, answer.roles) == ((), 1, 1)


def test_absence_is_proved_by_what_was_listed_live(live, tmp_path):
    answer = api.verify(intent(tmp_path, "payments/checkout", "payments/refunds"), live=live(w.world()))
    assert [d.kind for d in answer.differences] == ["narrower", "service-account-missing"]


def test_what_is_inferred_live_is_what_is_verified_live(live, tmp_path):
    options = live(w.world())
    inference = api.infer(live=options)
    (tmp_path / "inferred.yaml").write_text(inference.text, encoding="utf-8")
    answer = api.verify(str(tmp_path / "inferred.yaml"), live=options)
    assert (inference.questions, answer.differences) == ((), ())


def test_a_template_over_the_exported_state_is_verified_as_it_will_be(tmp_path):
    for name, document in w.world().items():
        path = tmp_path / "base" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
    base = (str(tmp_path / "base"),)
    changed = w.world()
    w.equals(changed)[f"{w.ISSUER}:sub"] = "system:serviceaccount:payments:other"
    role = {"Role": {**w.role(changed)}}
    (tmp_path / "role.json").write_text(json.dumps(role), encoding="utf-8")
    meant = intent(tmp_path, "payments/checkout")
    before = api.verify(meant, list(base))
    after = api.verify(meant, [str(tmp_path / "role.json")], base=base)
    assert [d.kind for d in before.differences] == []
    assert [d.kind for d in after.differences] == ["narrower", "wider"]
