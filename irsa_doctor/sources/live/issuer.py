"""Fetches what a token issuer publishes, over https and from public addresses only: its URL is input like any other."""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import msgspec

from irsa_doctor.model import Gap
from irsa_doctor.model.commands import shell_command
from irsa_doctor.sources.live import fields
from irsa_doctor.sources.live.calls import Clock, Notes
from irsa_doctor.sources.live.network_errors import network_reason
from irsa_doctor.sources.snapshot.snapshot import Origin
from irsa_doctor.version import __version__

_SIZE_LIMIT = 1 << 20
"""Bytes of one document; discovery documents and key sets have some thousand."""
_REDIRECTS = 3
_PIECE = 1 << 16
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Allowed = Callable[[str], bool]
"""whether an address may be connected to"""


class Refused(Exception):
    """Why a document is not fetched, or could not be: one sentence."""


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, also behind the forms in which IPv6 writes those of IPv4."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if parsed in _NAT64:
            inner = ipaddress.IPv4Address(parsed.packed[-4:])
        if inner is not None:
            return is_public(str(inner))
        if parsed.is_site_local:
            return False
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified)


def fetch_issuer(
    issuer: str, clock: Clock, notes: Notes, *, allowed: Allowed = is_public, trust: ssl.SSLContext | None = None
) -> None:
    """Note the discovery document of an issuer (without scheme) and the keys that it names, or why they are not there.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html: STS fetches the same two.
    """
    url = f"https://{issuer}/.well-known/openid-configuration"
    try:
        document = _document(url, clock, allowed, trust)
        notes.answered(
            f"issuer://{issuer}/.well-known/openid-configuration",
            "openid-configuration",
            fields.discovery(document),
            Origin(cluster=issuer),
        )
        url = str(document.get("jwks_uri") or "")
        if not url:
            raise Refused("it names no jwks_uri")
        keys = _document(url, clock, allowed, trust)
        notes.answered(f"issuer://{issuer}/jwks", "jwks", fields.key_set(keys), Origin(cluster=issuer))
    except Refused as refused:
        missing = f"what issuer {issuer} publishes: {url}: {refused}"
        how = shell_command("curl {}", url) if url.startswith("https://") else ""
        notes.gap(Gap("issuer", "", issuer, missing, how))


def _document(url: str, clock: Clock, allowed: Allowed, trust: ssl.SSLContext | None) -> dict[str, object]:
    content = fetch(url, clock.next(), allowed, trust)
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("what it answers is no JSON") from error
    if not isinstance(value, dict):
        raise Refused("what it answers is no JSON object")
    return value


def fetch(url: str, seconds: float, allowed: Allowed = is_public, trust: ssl.SSLContext | None = None) -> bytes:
    """The body of an https URL; raises Refused. The address of every redirect is checked like the first."""
    end = time.monotonic() + seconds
    for _ in range(_REDIRECTS + 1):
        status, location, body = _get(url, end, allowed, trust)
        if status in (301, 302, 303, 307, 308) and location:
            url = urljoin(url, location)
            continue
        if status != 200:
            raise Refused(f"it answers {status}")
        return body
    raise Refused(f"more than {_REDIRECTS} redirects")


def _get(url: str, end: float, allowed: Allowed, trust: ssl.SSLContext | None) -> tuple[int, str, bytes]:
    host, port, path = _parts(url)
    connection = _Pinned(host, port, _address(host, port, allowed), end, trust or ssl.create_default_context())
    try:
        connection.request("GET", path, headers={"User-Agent": f"irsa-doctor/{__version__}", "Accept": "application/json"})
        response = connection.getresponse()
        return response.status, response.getheader("Location", ""), _body(response, connection, end)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Refused(network_reason(error)) from error
    finally:
        connection.close()


def _parts(url: str) -> tuple[str, int, str]:
    """Host, port and path with query of a URL that may be fetched."""
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError as error:
        raise Refused("that is no URL") from error
    if parts.scheme != "https":
        raise Refused("only https is fetched")
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise Refused("that is no URL of an issuer")
    if not url.isascii() or any(ord(character) <= 32 for character in url):
        raise Refused("that is no URL")
    path = parts.path or "/"
    return parts.hostname, port, f"{path}?{parts.query}" if parts.query else path


def _address(host: str, port: int, allowed: Allowed) -> tuple[int, str]:
    """Family and address to connect to. One private address among those of a name is enough to refuse it."""
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused(f"there is no host {host}") from error
    addresses = [(int(family), str(place[0])) for family, _, _, _, place in resolved]
    if not addresses:
        raise Refused(f"there is no host {host}")
    if inner := next((address for _, address in addresses if not allowed(address)), None):
        raise Refused(f"{host} is {inner}, which is no public address")
    return addresses[0]


class _Pinned(http.client.HTTPSConnection):
    """A connection to the address that was checked, whatever the name resolves to a moment later, and through no proxy."""

    def __init__(self, host: str, port: int, address: tuple[int, str], end: float, trust: ssl.SSLContext) -> None:
        super().__init__(host, port, context=trust)
        self._address = address
        self._end = end
        self._trust = trust

    def connect(self) -> None:
        family, address = self._address
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            plain.settimeout(left(self._end))
            plain.connect((address, self.port))
            self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def wait(self) -> None:
        """The next read may take as long as is left of the whole."""
        if self.sock is not None:
            self.sock.settimeout(left(self._end))


def left(end: float) -> float:
    """Seconds until the deadline; raises TimeoutError after it."""
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _body(response: http.client.HTTPResponse, connection: _Pinned, end: float) -> bytes:
    body = bytearray()
    while True:
        connection.wait()
        left(end)
        piece = response.read1(_PIECE)
        if not piece:
            return bytes(body)
        body += piece
        if len(body) > _SIZE_LIMIT:
            raise Refused(f"more than {_SIZE_LIMIT >> 20} MiB")
