"""A real Kubernetes API server with etcd on loopback, where their programs are to be had."""

import base64
import json
import os
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.process import free_port, running
from tests.servers.tls import Tls, tls

ISSUER = "https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
AUDIENCE = "https://kubernetes.default.svc"
USERS = {"admin": "system:masters", "auditor": "auditors", "nobody": "nobodies"}


MISSING = "no kube-apiserver and etcd: set KUBEBUILDER_ASSETS, or build them with make kube-tools"


class Programs(NamedTuple):
    """Where they are."""

    apiserver: Path
    etcd: Path


def programs() -> Programs | None:
    """From $KUBEBUILDER_ASSETS where it is set, else what `make kube-tools` has built; None where there are none."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "irsa-doctor-tests" / "kubernetes"
    folder = Path(os.environ.get("KUBEBUILDER_ASSETS") or cache)
    found = Programs(folder / "kube-apiserver", folder / "etcd")
    return found if all(os.access(path, os.X_OK) for path in found) else None


class ApiServer:
    """One that runs. Each user's token is the user's name with `-token`."""

    def __init__(self, port: int, secrets: Tls) -> None:
        self.url = f"https://127.0.0.1:{port}"
        self.tls = secrets
        self._context = ssl.create_default_context(cadata=secrets.authority.decode())

    def request(self, method: str, path: str, document: object = None) -> tuple[int, Any]:
        """Status and decoded body, asked for by somebody who may do everything."""
        body = None if document is None else json.dumps(document).encode()
        headers = {"Authorization": "Bearer admin-token", "Content-Type": "application/json", "User-Agent": "irsa-doctor-tests"}
        wanted = urllib.request.Request(self.url + path, body, headers, method=method)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(wanted, context=self._context, timeout=30) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def create(self, path: str, *documents: Any) -> None:
        """Objects; they must not be there yet."""
        for document in documents:
            status, answer = self.request("POST", path, document)
            assert status in (200, 201), answer

    def token(self, namespace: str, name: str, audience: str, seconds: int = 3600) -> str:
        """A token of a service account, by TokenRequest."""
        wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        status, answer = self.request("POST", path, {**wanted, "spec": {"audiences": [audience], "expirationSeconds": seconds}})
        assert status in (200, 201), answer
        return str(answer["status"]["token"])

    def kubeconfig(self, folder: Path, token: str, name: str = "real") -> str:
        """The path of a kubeconfig that signs in with a token."""
        path = folder / f"kubeconfig-{name}"
        authority = base64.b64encode(self.tls.authority).decode()
        config = {
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}}],
            "clusters": [{"name": name, "cluster": {"server": self.url, "certificate-authority-data": authority}}],
            "users": [{"name": "me", "user": {"token": token}}],
        }
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return str(path)

    def is_ready(self) -> bool:
        """Whether it answers, and its own roles are there."""
        try:
            ready = self.request("GET", "/readyz")[0] == 200
        except json.JSONDecodeError:
            # `ok` is no JSON
            ready = True
        except OSError:
            return False
        return ready and self.request("GET", "/api/v1/namespaces/default")[0] == 200


@contextmanager
def api_server(found: Programs, folder: Path) -> Iterator[ApiServer]:
    """The server, from when it is ready until the block ends."""
    client, peer, port = free_port(), free_port(), free_port()
    secrets = tls("127.0.0.1", "localhost")
    (folder / "server.pem").write_bytes(secrets.pem)
    (folder / "tokens.csv").write_text("".join(f'{name}-token,{name},{name},"{group}"\n' for name, group in USERS.items()))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signing = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (folder / "signing.pem").write_bytes(signing)
    etcd = [str(found.etcd), "--data-dir", str(folder / "etcd"), "--listen-client-urls", f"http://127.0.0.1:{client}"]
    etcd += ["--advertise-client-urls", f"http://127.0.0.1:{client}", "--listen-peer-urls", f"http://127.0.0.1:{peer}"]
    server = ApiServer(port, secrets)
    with ExitStack() as stack:
        stack.enter_context(running(etcd, folder / "etcd.log", lambda: _answers(client)))
        stack.enter_context(running(_command(found, folder, client, port), folder / "apiserver.log", server.is_ready))
        yield server


def _command(found: Programs, folder: Path, client: int, port: int) -> list[str]:
    flags = {
        "etcd-servers": f"http://127.0.0.1:{client}",
        "bind-address": "127.0.0.1",
        "secure-port": str(port),
        "cert-dir": str(folder),
        "tls-cert-file": str(folder / "server.pem"),
        "tls-private-key-file": str(folder / "server.pem"),
        "service-account-issuer": ISSUER,
        "service-account-signing-key-file": str(folder / "signing.pem"),
        "service-account-key-file": str(folder / "signing.pem"),
        "api-audiences": AUDIENCE,
        "authorization-mode": "Node,RBAC",
        "token-auth-file": str(folder / "tokens.csv"),
        "service-cluster-ip-range": "10.0.0.0/24",
    }
    told = subprocess.run([str(found.apiserver), "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    if int(told.split(".")[1]) < 22:
        # tokens of pods without a controller that makes secrets for them; later versions know nothing else
        flags["feature-gates"] = "BoundServiceAccountTokenVolume=true"
    return [str(found.apiserver), *(f"--{name}={value}" for name, value in flags.items())]


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            return True
    except OSError:
        return False
