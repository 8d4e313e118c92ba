"""`why` over HTTP: of a live account and cluster the same is told as of files, and of what `collect` made of them."""

import pytest

from irsa_doctor import api
from irsa_doctor.sources.live import Options, Plan, take
from irsa_doctor.sources.snapshot import write_snapshot
from tests.diagnosis import world as w
from tests.diagnosis.test_links import BREAKS
from tests.servers.world import served


def told(found):
    """What the answer says, but for the documents that it was read from."""
    links = [(link.id, link.verdict, link.because, link.settle, [one.says for one in link.evidence]) for link in found.links]
    causes = [(one.id, one.certainty, one.because, one.remedy, one.settle) for one in found.causes]
    return found.subject, found.role, found.verdict, links, causes, found.predicted_error, found.notes, found.roles


@pytest.fixture
def behind_servers(monkeypatch, tmp_path):
    """The options that lead to documents behind servers."""

    def serve(documents):
        aws, kubernetes = served(documents)
        opened.extend((aws.__enter__(), kubernetes.__enter__()))
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        return Options(aws=True, kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path))

    opened = []
    yield serve
    for one in opened:
        one.__exit__()


@pytest.mark.parametrize(("breaks", "target", "link", "cause"), [row[1:] for row in BREAKS], ids=[row[0] for row in BREAKS])
def test_live_and_collected_answers_are_those_of_files(breaks, target, link, cause, behind_servers, tmp_path):
    options = behind_servers(w.world(*breaks))
    live = api.why(target, live=options, now=w.NOW)
    write_snapshot(take(Plan("collect"), options), str(tmp_path / "snapshot.json"))
    later = api.why(target, [str(tmp_path / "snapshot.json")], now=w.NOW)
    assert told(live) == told(later)
    assert (w.failed(live), live.verdict, live.causes[0].id) == ([link], "broken", cause)
