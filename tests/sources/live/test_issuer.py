import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from irsa_doctor.sources import Loading, load
from irsa_doctor.sources.live import LiveOptions, Plan, take
from irsa_doctor.sources.live import issuer as source
from irsa_doctor.sources.live.calls import Clock, Notes
from irsa_doctor.sources.live.issuer import Refused, fetch, fetch_issuer, is_public
from tests.servers.tls import tls

TLS = tls("localhost")
TRUST = ssl.create_default_context(cadata=TLS.authority.decode())


class Published:
    """A web server on loopback: path -> (status, headers, body)."""

    def __init__(self):
        self.pages = {}
        self.asked = []

    def __enter__(self):
        published = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                published.asked.append(self.path)
                status, headers, body = published.pages.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = TLS.context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.host = f"localhost:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def published():
    with Published() as server:
        yield server


def anywhere(address):
    return True


def get(url, seconds=5.0):
    return fetch(url, seconds, anywhere, TRUST)


def publish(published, **changed):
    issuer = f"{published.host}/id/EXAMPLE"
    discovery = {
        "issuer": f"https://{issuer}",
        "jwks_uri": f"https://{issuer}/keys",
        "claims_supported": ["sub", "iss"],
        **changed,
    }
    keys = {"keys": [{"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB", "d": "private", "x5u": "https://elsewhere"}]}
    published.pages["/id/EXAMPLE/.well-known/openid-configuration"] = (200, {}, json.dumps(discovery).encode())
    published.pages["/id/EXAMPLE/keys"] = (200, {}, json.dumps(keys).encode())
    return issuer


def notes_of(issuer, allowed=anywhere):
    notes = Notes()
    fetch_issuer(issuer, Clock(10, 5), notes, allowed=allowed, trust=TRUST)
    return notes.snapshot(version="0", taken="2026-01-05T08:00:00Z")


def test_the_discovery_document_and_its_keys_are_read(published):
    issuer = publish(published)
    snapshot = notes_of(issuer)
    found = load([], snapshots=[snapshot]).inventory
    assert [(one.issuer, one.jwks_uri) for one in found.discoveries] == [(issuer, f"https://{issuer}/keys")]
    assert [one.kid for one in found.signing_keys] == ["one"]
    assert [one.cluster for one in found.discoveries] == [one.cluster for one in found.signing_keys] == [issuer]
    assert snapshot.missing == ()


def test_private_parts_of_keys_are_not_kept(published):
    (_, keys) = notes_of(publish(published)).documents
    assert b"private" not in keys.content
    assert b"elsewhere" not in keys.content


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1"),
        "0.0.0.0",  # noqa: S104 - what must not be connected to
        *("255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1"),
        *("::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1", "192.0.2.1", "localhost", ""),
    ],
)
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "52.94.76.1", "2600:1f18::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are_public(address):
    assert is_public(address)


def test_a_private_address_is_not_connected_to(published):
    snapshot = notes_of(publish(published), is_public)
    assert published.asked == []
    (gap,) = snapshot.missing
    assert "127.0.0.1, which is no public address" in gap.missing or "::1, which is no public address" in gap.missing


def test_one_private_address_among_several_is_enough(monkeypatch):
    def both(host, port, **_):
        return [(socket.AF_INET, 0, 0, "", ("8.8.8.8", port)), (socket.AF_INET, 0, 0, "", ("10.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(Refused, match=r"10\.0\.0\.1, which is no public address"):
        fetch("https://two.example/", 1.0)


def test_the_address_that_was_looked_at_is_the_one_that_is_used(published, monkeypatch):
    """A name that resolves to something else a moment later gains nothing."""
    publish(published)
    real, asked = socket.getaddrinfo, []

    def once(host, port, *more, **given):
        asked.append(host)
        if len(asked) > 1:
            raise AssertionError("resolved twice")
        return real("127.0.0.1", port, *more, **given)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    get(f"https://{published.host}/id/EXAMPLE/keys")
    assert asked == ["localhost"]


def test_a_redirect_is_followed_and_looked_at_again(published):
    publish(published)
    published.pages["/moved"] = (302, {"Location": "/id/EXAMPLE/keys"}, b"")
    seen = []

    def watched(address):
        seen.append(address)
        return len(seen) < 2

    assert b"keys" in get(f"https://{published.host}/moved")
    with pytest.raises(Refused, match="no public address"):
        fetch(f"https://{published.host}/moved", 5.0, watched, TRUST)


@pytest.mark.parametrize(
    "target", ["http://localhost/", "file:///etc/passwd", "gopher://localhost/", "https://me:secret@localhost/"]
)
def test_a_redirect_leads_to_https_only(published, target):
    published.pages["/moved"] = (302, {"Location": target}, b"")
    with pytest.raises(Refused):
        get(f"https://{published.host}/moved")


def test_redirects_without_end_end(published):
    published.pages["/round"] = (302, {"Location": "/round"}, b"")
    with pytest.raises(Refused, match="more than 3 redirects"):
        get(f"https://{published.host}/round")
    assert len(published.asked) == 4


def test_a_key_set_anywhere_but_at_https_is_not_fetched(published):
    (gap,) = notes_of(publish(published, jwks_uri="http://169.254.169.254/latest/meta-data/")).missing
    assert "only https is fetched" in gap.missing


@pytest.mark.parametrize(
    "url", ["https://", "https://a b/", "https://a\n/", "https://x:99999/", "https://exämple/", "ftp://x", "x"]
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(Refused):
        fetch(url, 1.0)


def test_more_than_a_document_is_not_read(published):
    published.pages["/big"] = (200, {}, b"x" * ((1 << 20) + 1))
    with pytest.raises(Refused, match="more than 1 MiB"):
        get(f"https://{published.host}/big")


def test_what_is_missing_is_told_with_its_status(published):
    with pytest.raises(Refused, match="it answers 404"):
        get(f"https://{published.host}/gone")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"[" * 100_000, b"\xff"])
def test_what_is_no_document_is_told(published, body):
    issuer = publish(published)
    published.pages["/id/EXAMPLE/.well-known/openid-configuration"] = (200, {}, body)
    (gap,) = notes_of(issuer).missing
    assert "no JSON" in gap.missing


def test_a_document_without_keys_is_told(published):
    (gap,) = notes_of(publish(published, jwks_uri="")).missing
    assert "it names no jwks_uri" in gap.missing


def test_a_certificate_that_is_not_trusted_is_refused(published):
    with pytest.raises(Refused, match="its certificate is not trusted"):
        fetch(f"https://{published.host}/", 5.0, anywhere)


def test_a_server_that_says_nothing_is_given_up(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(Refused, match="no answer in time"):
        get(f"https://localhost:{deaf.getsockname()[1]}/", 0.2)


def test_no_proxy_is_used(published, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    publish(published)
    assert get(f"https://{published.host}/id/EXAMPLE/keys")


def test_nothing_is_fetched_unless_asked_for(kubernetes, ask, monkeypatch):
    def never(*_, **__):
        raise AssertionError("fetched")

    monkeypatch.setattr(source, "fetch", never)
    ask(Plan("check"), kubernetes=kubernetes)


def test_the_issuers_of_the_clusters_are_fetched_where_it_is_asked_for(kubernetes, ask, monkeypatch):
    wanted = []

    def fetched(url, *_, **__):
        wanted.append(url)
        raise Refused("made up")

    monkeypatch.setattr(source, "fetch", fetched)
    snapshot = ask(Plan("check"), kubernetes=kubernetes, fetch_issuer=True)
    assert wanted == [kubernetes.issuer + "/.well-known/openid-configuration"]
    assert any("made up" in gap.missing for gap in snapshot.missing)


def test_the_issuer_of_files_alone_can_be_fetched(tmp_path, monkeypatch):
    cluster = {"name": "shop", "arn": "arn:aws:eks:us-east-1:111122223333:cluster/shop"}
    described = {"cluster": {**cluster, "identity": {"oidc": {"issuer": "https://issuer.example/id/A"}}}}
    (tmp_path / "cluster.json").write_text(json.dumps(described))
    wanted = []

    def fetched(url, *_, **__):
        wanted.append(url)
        raise Refused("made up")

    monkeypatch.setattr(source, "fetch", fetched)
    take(Plan("check"), LiveOptions(fetch_issuer=True), Loading.of([str(tmp_path)]))
    assert wanted == ["https://issuer.example/id/A/.well-known/openid-configuration"]
