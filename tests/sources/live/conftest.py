import os

import botocore.session
import pytest
from botocore.loaders import create_loader

from irsa_doctor.sources import Loading
from irsa_doctor.sources.live import LiveOptions, take
from tests.servers.aws import FakeAws
from tests.servers.kubernetes import FakeKubernetes

_MODELS = create_loader()


@pytest.fixture(autouse=True)
def _models_are_read_once(monkeypatch):
    """Every session reads the models of the services anew, which takes longer than the tests."""
    monkeypatch.setattr(botocore.session, "create_loader", lambda *_: _MODELS)


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch, tmp_path):
    """No credentials, configuration or cluster of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(
            ("AWS_", "KUBE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))


@pytest.fixture
def aws(monkeypatch):
    with FakeAws() as server:
        for name, value in server.environment.items():
            if not name.endswith("_FILE"):
                monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def kubernetes():
    with FakeKubernetes() as server:
        yield server


@pytest.fixture
def ask(tmp_path):
    """Take what a plan needs of the fakes that are given."""

    def asked(plan, *, aws=None, kubernetes=None, paths=(), **options):
        options |= {"aws": aws is not None, "kube": kubernetes is not None}
        if kubernetes is not None and "kubeconfig" not in options:
            options["kubeconfig"] = kubernetes.kubeconfig(tmp_path)
        return take(plan, LiveOptions(**options), Loading.of(paths))

    return asked
