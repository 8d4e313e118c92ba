import json
import os
import select
import socket
import socketserver
import stat
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import yaml

from irsa_doctor import api
from irsa_doctor.sources.live import LiveError, LiveOptions, Plan, kubeconfig, take
from irsa_doctor.sources.live.kubeconfig import connections
from tests.servers.kubernetes import TOKEN, FakeKubernetes
from tests.servers.tls import tls

EVERYTHING = Plan("who-can", everything=False)


def program(tmp_path, text):
    """A program that signs in, as a kubeconfig names it."""
    path = tmp_path / "sign-in"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def credential(token=TOKEN, version="v1"):
    return {"apiVersion": f"client.authentication.k8s.io/{version}", "kind": "ExecCredential", "status": {"token": token}}


def user(path, version="v1", **more):
    return {
        "exec": {
            "apiVersion": f"client.authentication.k8s.io/{version}",
            "command": str(path),
            "args": None,
            "env": None,
            **more,
        }
    }


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_a_program_of_the_kubeconfig_signs_in(kubernetes, tmp_path, version):
    path = program(tmp_path, f"print({json.dumps(json.dumps(credential(version=version)))})")
    take(EVERYTHING, LiveOptions(kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path, user=user(path, version))))
    assert "/api/v1/serviceaccounts?limit=500" in kubernetes.calls


def test_the_program_gets_what_the_kubeconfig_gives_it(kubernetes, tmp_path):
    text = f"""
import json, os, sys
answer = {credential()!r}
wanted = sys.argv[1:] == ["get-token"] and os.environ["WHERE"] == "here" and sys.stdin.read() == ""
wanted = wanted and json.loads(os.environ["KUBERNETES_EXEC_INFO"])["spec"]["interactive"] is False
print(json.dumps(answer) if wanted else "no")
"""
    given = user(program(tmp_path, text), args=["get-token"], env=[{"name": "WHERE", "value": "here"}])
    take(EVERYTHING, LiveOptions(kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path, user=given)))
    assert "/api/v1/serviceaccounts?limit=500" in kubernetes.calls


def test_the_program_runs_once_for_all_requests_and_again_where_its_token_is_refused(kubernetes, tmp_path):
    count = tmp_path / "count"
    text = f"""
import json
from pathlib import Path
count = Path({str(count)!r})
count.write_text((count.read_text() if count.exists() else "") + "x")
answer = {credential()!r}
answer["status"]["token"] = "stale" if count.read_text() == "x" else {TOKEN!r}
print(json.dumps(answer))
"""
    config = kubernetes.kubeconfig(tmp_path, user=user(program(tmp_path, text)))
    take(Plan("check"), LiveOptions(kube=True, kubeconfig=config))
    assert count.read_text() == "xx"
    assert len(kubernetes.calls) > 8


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import sys; sys.exit('Error loading SSO Token: sign in')", r"exit 1\): Error loading SSO Token: sign in"),
        ("print('hello')", "printed no credentials"),
        ("print('{\"status\": {}}')", "printed no token"),
        ('print(\'{"status": {"clientCertificateData": "x"}}\')', "a client certificate, which is not supported"),
        ('print(\'{"status": {"token": "a\\\\nb"}}\')', "printed no token"),
        ("import sys; sys.exit('token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2ln')", r"token \*\*\*"),
    ],
)
def test_a_program_that_does_not_sign_in_is_one_sentence(kubernetes, tmp_path, text, sentence):
    config = kubernetes.kubeconfig(tmp_path, user=user(program(tmp_path, text)))
    with pytest.raises(LiveError, match=sentence) as raised:
        take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))
    assert "eyJ" not in str(raised.value)


def test_a_program_that_is_not_installed_is_one_sentence(kubernetes, tmp_path):
    config = kubernetes.kubeconfig(tmp_path, user=user("no-such-program"))
    with pytest.raises(LiveError, match="no-such-program of the kubeconfig is not installed"):
        take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))


def test_a_program_of_an_unknown_version_is_not_run(kubernetes, tmp_path):
    config = kubernetes.kubeconfig(tmp_path, user=user("anything", "v9"))
    with pytest.raises(LiveError, match=r"uses client\.authentication\.k8s\.io/v9"):
        take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "not valid YAML"),
        ("- a", "not a kubeconfig"),
        ("{}", "no current context: name one with --kube-context"),
        ("current-context: gone", "no context gone in the kubeconfig, which has none"),
        ("{current-context: a, contexts: [{name: a, context: {cluster: b}}]}", "names the cluster b"),
        (
            "{current-context: a, contexts: [{name: a, context: {cluster: b, user: c}}], clusters: [{name: b, cluster: {}}]}",
            "names the user c",
        ),
        ("{current-context: a, contexts: [{name: a, context: {cluster: 5}}]}", "context a is not valid: a value is missing or"),
    ],
)
def test_a_kubeconfig_that_leads_nowhere_is_one_sentence(tmp_path, text, sentence):
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(LiveError, match=sentence):
        connections((), str(path))


def test_a_kubeconfig_that_never_ends_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, sentence in ((f"{tmp_path}/pipe", "a named pipe, not a file"), ("/dev/zero", "a device, not a file")):
        with pytest.raises(LiveError, match=sentence):
            connections((), path)
    (tmp_path / "huge").write_bytes(bytes(17 << 20))
    with pytest.raises(LiveError, match="larger than 16 MiB: not a kubeconfig"):
        connections((), str(tmp_path / "huge"))


def test_a_kubeconfig_may_come_from_a_process_substitution(kubernetes, tmp_path):
    text = Path(kubernetes.kubeconfig(tmp_path)).read_bytes()
    output, entrance = os.pipe()
    os.write(entrance, text)
    os.close(entrance)
    (connection,) = connections((), f"/dev/fd/{output}")
    os.close(output)
    assert connection.server == kubernetes.url


def test_a_context_that_is_not_there_is_named_beside_those_that_are(kubernetes, tmp_path):
    with pytest.raises(LiveError, match="no context prod in the kubeconfig, which has shop"):
        connections(("prod",), kubernetes.kubeconfig(tmp_path))


def test_no_kubeconfig_is_one_sentence(tmp_path):
    with pytest.raises(LiveError, match="no kubeconfig found at"):
        connections((), str(tmp_path / "gone"))
    with pytest.raises(LiveError, match="no kubeconfig found: name one with --kubeconfig"):
        connections((), "")


def test_of_several_files_the_first_that_has_a_name_wins(kubernetes, tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "sub" / "second"
    second.parent.mkdir()
    entry = {"name": "shop", "cluster": {"server": kubernetes.url, "certificate-authority": "ca.pem"}}
    first.write_text(yaml.safe_dump({"contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "me"}}]}))
    document = {"current-context": "shop", "clusters": [entry], "users": [{"name": "me", "user": {"tokenFile": "token"}}]}
    second.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, (first, tmp_path / "gone", second))))
    (connection,) = connections((), "")
    assert connection.context == "shop"
    assert connection.config.cluster.certificate_auth == str(second.parent / "ca.pem")
    assert connection.config.user.token_file == str(second.parent / "token")


def test_a_token_file_is_read(kubernetes, tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    take(EVERYTHING, LiveOptions(kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path, user={"tokenFile": "token"})))
    assert "/api/v1/serviceaccounts?limit=500" in kubernetes.calls


def test_a_token_file_that_is_not_there_is_one_sentence(kubernetes, tmp_path):
    config = kubernetes.kubeconfig(tmp_path, user={"tokenFile": "gone"})
    with pytest.raises(LiveError, match="gone: no such file or folder"):
        take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))


def test_a_certificate_that_is_none_is_one_sentence(kubernetes, tmp_path):
    config = kubernetes.kubeconfig(tmp_path, **{"certificate-authority": "gone.pem"})
    with pytest.raises(LiveError, match="Kubernetes context shop"):
        take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))


def test_requests_take_the_proxy_of_the_kubeconfig(kubernetes, tmp_path):
    config = kubernetes.kubeconfig(tmp_path, **{"server": "http://cluster.invalid", "proxy-url": kubernetes.url})
    take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))
    assert "http://cluster.invalid/api/v1/serviceaccounts?limit=500" in kubernetes.calls


def test_a_proxy_of_another_kind_is_one_sentence(kubernetes, tmp_path):
    config = kubernetes.kubeconfig(tmp_path, **{"proxy-url": "socks5://me:hunter2@127.0.0.1:1"})
    with pytest.raises(LiveError, match="the proxy-url of context shop is not http or https") as caught:
        take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))
    assert "hunter2" not in str(caught.value)


def test_a_certificate_may_be_for_the_name_that_the_kubeconfig_says(tmp_path):
    with FakeKubernetes(tls=tls("kubernetes.default")) as server:
        config = server.kubeconfig(tmp_path, **{"tls-server-name": "kubernetes.default"})
        take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))
        assert "/api/v1/serviceaccounts?limit=500" in server.calls


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that opens tunnels to one server, whatever it is asked for."""

    daemon_threads = True

    def __init__(self, server):
        super().__init__(("127.0.0.1", 0), Tunnel)
        address = urlsplit(server.url)
        self.target, self.asked = (address.hostname, address.port), set()
        Thread(target=self.serve_forever, daemon=True).start()


class Tunnel(socketserver.BaseRequestHandler):
    """One connection to a proxy."""

    server: Proxy

    def handle(self):
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += self.request.recv(4096)
        self.server.asked.add(asked.split(b" ")[1].decode())
        with socket.create_connection(self.server.target) as beyond:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            ends = {self.request: beyond, beyond: self.request}
            while ready := select.select(list(ends), [], [], 5)[0]:
                for end in ready:
                    if not (data := end.recv(65536)):
                        return
                    ends[end].sendall(data)


@pytest.mark.parametrize(("name", "is_right"), [("kubernetes.default", True), ("other.default", False)])
def test_a_certificate_is_checked_for_that_name_behind_a_proxy_too(tmp_path, name, is_right):
    with FakeKubernetes(tls=tls("kubernetes.default")) as server, Proxy(server) as proxy:
        detour = {"proxy-url": f"http://127.0.0.1:{proxy.server_address[1]}", "tls-server-name": name}
        config = server.kubeconfig(tmp_path, server="https://api.example.test:443", **detour)
        with nullcontext() if is_right else pytest.raises(LiveError):
            take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))
        proxy.shutdown()
        assert proxy.asked == {"api.example.test:443"}
        assert ("/api/v1/serviceaccounts?limit=500" in server.calls) is is_right


def test_requests_are_made_as_whom_the_kubeconfig_says(kubernetes, tmp_path):
    me = {"token": TOKEN, "as": "auditor", "as-groups": ["readers", "ops"], "as-user-extra": {"Reason": ["audit"]}}
    take(EVERYTHING, LiveOptions(kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path, user=me)))
    sent = {name.lower(): value for name, value in kubernetes.headers.items()}
    assert sent["impersonate-user"] == "auditor"
    assert sent["impersonate-group"] == "ops"
    assert sent["impersonate-extra-reason"] == "audit"


def test_whom_to_act_as_may_have_any_letters(kubernetes, tmp_path):
    config = kubernetes.kubeconfig(tmp_path, user={"token": TOKEN, "as": "jürgen"})
    take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))
    sent = {name.lower(): value for name, value in kubernetes.headers.items()}
    assert sent["impersonate-user"].encode("latin-1").decode() == "jürgen"


@pytest.mark.parametrize("wrong", [{"as-groups": "ops"}, {"as-user-extra": {"reason": 5}}, {"as-user-extra": ["reason"]}])
def test_nobody_acts_as_somebody_who_is_only_in_part_read(kubernetes, tmp_path, wrong):
    config = kubernetes.kubeconfig(tmp_path, user={"token": TOKEN, "as": "auditor", **wrong})
    with pytest.raises(LiveError, match="groups and extra values to act as are no lists"):
        take(EVERYTHING, LiveOptions(kube=True, kubeconfig=config))


def test_names_of_the_cluster_are_hints_from_what_the_aws_cli_writes(kubernetes, tmp_path):
    arn = "arn:aws:eks:us-east-1:111122223333:cluster/shop"
    given = user("aws", args=["--region", "us-east-1", "eks", "get-token", "--cluster-name", "shop"])
    (connection,) = connections((), kubernetes.kubeconfig(tmp_path, arn, user=given))
    assert connection.hints == (arn, "shop")


@contextmanager
def inside_of_a_cluster(folder, monkeypatch):
    """The API server of the cluster in which this runs as a pod."""
    with FakeKubernetes(tls=tls("127.0.0.1")) as server:
        inside = folder / "serviceaccount"
        inside.mkdir()
        for name, text in (("token", TOKEN.encode()), ("namespace", b"ops"), ("ca.crt", server.tls.authority)):
            (inside / name).write_bytes(text)
        monkeypatch.setattr(kubeconfig, "IN_CLUSTER", str(inside))
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", server.url.rpartition(":")[2])
        monkeypatch.delenv("KUBECONFIG", raising=False)
        monkeypatch.setenv("HOME", str(folder))
        yield server


def test_inside_a_cluster_the_pod_signs_in_as_its_service_account(tmp_path, monkeypatch):
    with inside_of_a_cluster(tmp_path, monkeypatch):
        snapshot = take(EVERYTHING, LiveOptions(kube=True))
    assert "kube://in-cluster/serviceaccounts" in {one.path for one in snapshot.documents}


def test_inside_a_cluster_which_nothing_names_no_baseline_is_compared(tmp_path, monkeypatch):
    (tmp_path / "known.json").write_text('{"schema": "irsa-doctor.baseline/1", "findings": []}')
    settings = api.Settings(baseline=str(tmp_path / "known.json"))
    with inside_of_a_cluster(tmp_path, monkeypatch):
        report = api.check(live=LiveOptions(kube=True))
        assert any("the name of the cluster" in missing.missing for missing in report.unknown)
        with pytest.raises(api.BaselineError, match=r"known\.json: not compared: not known is the name of the cluster"):
            api.check(live=LiveOptions(kube=True), settings=settings)


def test_a_cluster_that_a_kubeconfig_names_is_compared_with_a_baseline(kubernetes, tmp_path):
    (tmp_path / "known.json").write_text('{"schema": "irsa-doctor.baseline/1", "findings": []}')
    settings = api.Settings(baseline=str(tmp_path / "known.json"))
    report = api.check(live=LiveOptions(kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path)), settings=settings)
    assert not any("the name of the cluster" in missing.missing for missing in report.unknown)


def test_a_kubeconfig_goes_before_the_cluster_that_this_runs_in(kubernetes, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBECONFIG", kubernetes.kubeconfig(tmp_path))
    assert [one.context for one in connections((), "")] == ["shop"]
