"""A live run in which no source answers says which and why, and is no answer about anything."""

import pytest

from tests.cli.running import OPEN, put, role, run

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: shop
clusters: [{name: shop, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: shop, context: {cluster: shop, user: u}}]
users: [{name: u, user: {token: x}}]
"""
AWS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "y",
    "AWS_REGION": "eu-west-1",
    "AWS_MAX_ATTEMPTS": "1",
}


@pytest.mark.parametrize(("paths", "files"), [((), False), (("role.json",), True)])
def test_every_source_that_failed_is_named_with_its_first_error(tmp_path, paths, files):
    put(tmp_path / "kubeconfig", KUBECONFIG)
    put(tmp_path / "role.json", role(OPEN))
    done = run("check", *paths, "--live", "--kubeconfig", "kubeconfig", cwd=tmp_path, **AWS)
    assert (done.returncode, done.stdout) == (2, "")
    assert "AWS: sts:GetCallerIdentity: http://127.0.0.1:1/ cannot be reached" in done.stderr
    assert "Kubernetes context shop: https://127.0.0.1:1 cannot be reached" in done.stderr
    assert files or "file" not in done.stderr
