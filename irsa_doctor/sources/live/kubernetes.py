"""Reads a cluster through its API server: each list is kept as the document that `kubectl get -o json` prints."""

import re
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from irsa_doctor.model import Gap, Issuer
from irsa_doctor.model.commands import NAMED_SECRETS, shell_command
from irsa_doctor.sources.live import fields
from irsa_doctor.sources.live.api_answers import served_answer
from irsa_doctor.sources.live.calls import AT_ONCE, Clock, Job, Notes, side_by_side
from irsa_doctor.sources.live.errors import CallError
from irsa_doctor.sources.live.kubeconfig import ConfigFault, Connection
from irsa_doctor.sources.live.network_errors import on_the_way
from irsa_doctor.sources.live.operations import (
    DAEMON_SETS,
    DISCOVERY,
    ENDPOINTS,
    KEYS,
    KUBERNETES,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    TOKEN_SECRETS,
    VERSION,
    Endpoint,
    Resource,
)
from irsa_doctor.sources.live.options import LiveOptions
from irsa_doctor.sources.snapshot.snapshot import AnswerKind, Origin
from irsa_doctor.text.errors import LiveError
from irsa_doctor.version import __version__

PAGE = 500
"""Objects on a page, as kubectl requests them."""
_PAGES_LIMIT = 10_000
_SIZE_LIMIT = 256 << 20
"""Bytes of one answer."""
_ATTEMPTS = 3
_ABOUT_ITSELF: tuple[tuple[Endpoint, AnswerKind, fields.Cut], ...] = (
    (KEYS, "jwks", fields.key_set),
    (VERSION, "kubernetes-version", fields.version),
)
_STATUS_404 = "the API server answered 404"
_BUSY = frozenset({429, 500, 502, 503, 504})
"""what a server answers that may answer otherwise a moment later: too many requests, or etcd has no leader"""
_WAIT, _WAIT_LIMIT = 0.5, 5.0
"""seconds between two attempts where the server does not say how many, and what it may say"""


def _known_paths() -> str:
    """Every path of the table of operations: no other is requested."""
    paths = [re.escape(endpoint.path) for endpoint in ENDPOINTS]
    for resource in KUBERNETES:
        if resource.opt_in:
            continue
        if resource.only:
            paths.append(re.escape(_path_of_one(resource)))
            continue
        for version in filter(None, (resource.version, resource.older)):
            paths.append(re.escape(resource.path(version=version)) + ("(?:/[^/]+)?" if resource.single else ""))
            if resource.namespaced:
                root, plural = resource.path("*", version).split("*")
                paths.append(f"{re.escape(root)}[^/]+{re.escape(plural)}")
    return "|".join(paths)


def _path_of_one(resource: Resource) -> str:
    """The path of the only object of a kind that is requested."""
    namespace, _, name = resource.only.partition("/")
    return f"{resource.path(namespace)}/{name}"


_KNOWN = re.compile(_known_paths())
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
"""a list without the contents of its objects
(https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-metadata-only)"""
_JSON = "application/json, */*;q=0.5"
"""the keys are of a type of their own, application/jwk-set+json"""
_TOKEN_TYPE = "kubernetes.io/service-account-token"


class ApiServer:
    """The API server of one context. `cluster` is what its cluster is called until better is known: issuer, else context."""

    def __init__(self, connection: Connection, options: LiveOptions, command: str, clock: Clock, notes: Notes) -> None:
        self.connection = connection
        self.options = options
        self.command = command
        self.clock = clock
        self.notes = notes
        self.issuer = ""
        self.cluster = f"{connection.context} (context)"
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._client: Any = None
        self.is_open = False

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()

    @property
    def context(self) -> str:
        """The context's name."""
        return self.connection.context

    def open(self) -> None:
        """Connect, and learn whose tokens it signs; raises LiveError where nothing can be had."""
        try:
            self._client = self.connection.client(self.options.call_timeout)
        except ConfigFault as fault:
            raise LiveError(f"Kubernetes context {self.context}: {fault}") from fault
        answer = self.ask(DISCOVERY.path)
        if isinstance(answer, CallError) and answer.kind in ("credentials", "unreachable"):
            raise LiveError(f"Kubernetes context {self.context}: {answer.says}")
        self.is_open = True
        self.options.progress(f"Kubernetes context {self.context}: connected")
        document = fields.discovery(answer) if isinstance(answer, dict) else None
        if isinstance(document, dict) and isinstance(document.get("issuer"), str):
            self.issuer = Issuer.of(document["issuer"]).name
            self.cluster = self.issuer
            self.notes.answered(self._path(DISCOVERY.name), "openid-configuration", document, self._origin())
        else:
            missed = answer if isinstance(answer, CallError) else CallError("other", "no discovery document")
            self._gap(missed, "discovery", "", "issuer of the cluster", shell_command("kubectl get --raw {}", DISCOVERY.path))

    def read_everything(self, resources: tuple[Resource, ...]) -> None:
        """All objects of the cluster of these kinds, its keys and its version."""
        jobs = [
            Job(partial(self._read_resource, resource), self._late(resource.plural, "", f"{resource.plural}"))
            for resource in resources
        ]
        side_by_side((*jobs, *self._about_itself()), self.clock, self.notes)

    def _read_resource(self, resource: Resource) -> None:
        if resource.only:
            self._read_one(resource)
        elif resource == TOKEN_SECRETS:
            self._read_secrets()
        else:
            self.read_list(resource)

    def _read_one(self, resource: Resource) -> None:
        """The only object of a kind that is requested; that it does not exist is an answer."""
        namespace, _, name = resource.only.partition("/")
        answer = self.ask(_path_of_one(resource))
        if isinstance(answer, dict) and answer.get("kind") != resource.kind:
            answer = CallError("other", f"the answer is not a {resource.kind}: is this an API server?")
        if isinstance(answer, CallError) and answer.kind != "absent":
            how = shell_command("kubectl get {} {} -n {} -o yaml", resource.kind.lower(), name, namespace)
            self._gap(answer, resource.plural, resource.only, f"{resource.kind} {resource.only}", how)
            return
        items = [] if isinstance(answer, CallError) else [fields.OBJECTS[resource.kind](answer)]
        self._note(resource, namespace, items)
        self.notes.requested(resource.plural, self.cluster, resource.only)

    def _read_secrets(self) -> None:
        """The names of all Secrets, and which of them hold a token of a service account: the server selects these and leaves
        the contents out of its answers."""
        resource = TOKEN_SECRETS
        tokens, fault = self._pages_of(resource.path(), resource, {"fieldSelector": f"type={_TOKEN_TYPE}"})
        names: list[object] = []
        if not fault:
            names, fault = self._pages_of(resource.path(), resource)
        if fault:
            self._gap(fault, resource.plural, "", "secrets of all namespaces", NAMED_SECRETS)
            return
        items = {_identity(item): item for item in names if isinstance(item, dict)}
        items |= {_identity(item): {**item, "type": _TOKEN_TYPE} for item in tokens if isinstance(item, dict)}
        plain = [{**item, "metadata": {**item["metadata"], "annotations": {}}} for item in items.values() if "type" not in item]
        listed = [*plain, *(item for item in items.values() if "type" in item)]
        self._note(resource, "", sorted(listed, key=_identity), (resource.plural,))

    def read_namespace(self, namespace: str, resources: tuple[Resource, ...]) -> None:
        """The objects of one namespace, and those of the cluster that matter everywhere."""
        jobs = [
            Job(
                partial(self.read_list, resource, namespace if resource.namespaced else ""),
                self._late(resource.plural, namespace, resource.plural),
            )
            for resource in resources
            if resource not in (NAMESPACES, DAEMON_SETS)
        ]
        if DAEMON_SETS in resources:
            late = self._late(DAEMON_SETS.plural, namespace, DAEMON_SETS.plural)
            jobs.append(Job(partial(self._read_daemon_sets, namespace), late))
        if NAMESPACES in resources:
            jobs.append(Job(partial(self._read_single_namespace, namespace), self._late("namespaces", namespace, "namespaces")))
        side_by_side((*jobs, *self._about_itself()), self.clock, self.notes)

    def read_service_accounts(self) -> None:
        """All service accounts of the cluster."""
        self.read_list(SERVICE_ACCOUNTS)

    def _about_itself(self) -> Iterator[Job]:
        for endpoint, kind, cut in _ABOUT_ITSELF:
            if self.command in endpoint.commands:
                yield Job(partial(self._read_endpoint, endpoint, kind, cut), self._late(endpoint.name, "", endpoint.name))

    def _read_endpoint(self, endpoint: Endpoint, kind: AnswerKind, cut: fields.Cut) -> None:
        answer = self.ask(endpoint.path)
        if isinstance(answer, CallError):
            self._gap(
                answer,
                endpoint.name,
                "",
                f"{endpoint.name} of the cluster",
                shell_command("kubectl get --raw {}", endpoint.path),
            )
            return
        self.notes.answered(self._path(endpoint.name), kind, cut(answer), self._origin())

    def _read_daemon_sets(self, namespace: str) -> None:
        """Those of the whole cluster, for the agent of EKS Pod Identity is one of another namespace; where they cannot be read,
        those of the namespace."""
        items, fault = self._pages(DAEMON_SETS, "")
        if fault:
            self.read_list(DAEMON_SETS, namespace)
        else:
            self._note(DAEMON_SETS, "", items, (DAEMON_SETS.plural,))

    def _read_single_namespace(self, namespace: str) -> None:
        answer = self.ask(f"{NAMESPACES.path()}/{quote(namespace, safe='')}")
        if isinstance(answer, dict) and answer.get("kind") != "Namespace":
            answer = CallError("other", "the answer is not a namespace: is this an API server?")
        if isinstance(answer, CallError) and answer.kind != "absent":
            self._gap(
                answer, "namespaces", namespace, f"namespace {namespace}", shell_command("kubectl get namespace {}", namespace)
            )
            return
        items = [] if isinstance(answer, CallError) else [fields.OBJECTS["Namespace"](answer)]
        self._note(NAMESPACES, namespace, items)
        self.notes.requested("namespaces", self.cluster, namespace)

    def read_list(self, resource: Resource, namespace: str = "") -> None:
        """Every object of a kind, in the cluster or in one namespace."""
        items, fault = self._pages(resource, namespace)
        if items or not fault:
            closes = () if fault or namespace else (resource.plural,)
            self._note(resource, namespace, items, closes)
        where = f"namespace {namespace}" if namespace else "all namespaces"
        if fault:
            every = shell_command("kubectl get {} -A -o json", resource.plural)
            how = shell_command("kubectl get {} -n {} -o json", resource.plural, namespace) if namespace else every
            self._gap(fault, resource.plural, namespace, f"{resource.plural} of {where}", how)
        elif namespace:
            self.notes.requested(resource.plural, self.cluster, namespace)

    def _note(self, resource: Resource, namespace: str, items: list[object], closes: tuple[str, ...] = ()) -> None:
        document = {"apiVersion": resource.api_version, "kind": f"{resource.kind}List", "items": items}
        name = f"{resource.plural}/{namespace}" if namespace else resource.plural
        self.notes.answered(self._path(name), "kubernetes", document, self._origin(closes))

    def _pages(self, resource: Resource, namespace: str) -> tuple[list[object], CallError | None]:
        """All pages of a list. Where the server has forgotten the list half way (410), it is read once more from the start
        (https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks)."""
        path = resource.path(quote(namespace, safe=""))
        items, fault = self._pages_of(path, resource)
        if fault and fault.says.startswith(_STATUS_404) and resource.older:
            items, fault = self._pages_of(resource.path(quote(namespace, safe=""), resource.older), resource)
        if fault and fault.kind == "gone":
            items, fault = self._pages_of(path, resource)
        return items, fault

    def _pages_of(
        self, path: str, resource: Resource, parameters: Mapping[str, str] = {}
    ) -> tuple[list[object], CallError | None]:
        cut = fields.OBJECTS[resource.kind]
        as_metadata = resource == TOKEN_SECRETS
        kind = "PartialObjectMetadataList" if as_metadata else f"{resource.kind}List"
        items: list[object] = []
        token = ""
        for _ in range(_PAGES_LIMIT):
            page = {**parameters, "limit": str(PAGE), **({"continue": token} if token else {})}
            answer = self.ask(path, page, _METADATA_ONLY if as_metadata else _JSON)
            if isinstance(answer, CallError):
                return items, answer
            listed, again = answer.get("items"), _continue(answer)
            # a list that is empty says what it is a list of; Go writes it as null
            if answer.get("kind") != kind or not isinstance(listed, list | None):
                return items, CallError("other", "the answer is not a list of these: is this an API server?")
            items += [cut(item) for item in listed or []]
            self.options.progress(f"Kubernetes context {self.context}: {resource.plural}, {len(items)} so far")
            if not again:
                return items, None
            if again == token:
                return items, CallError("other", "the server gave the same page again")
            token = again
        return items, CallError("other", f"more than {_PAGES_LIMIT} pages")

    def ask(self, path: str, parameters: Mapping[str, str] = {}, accept: str = _JSON) -> dict[str, Any] | CallError:
        """One GET, repeated where the server is busy. Only paths of the table of operations are requested."""
        is_opted = self.options.secrets and (path, accept) == (TOKEN_SECRETS.path(), _METADATA_ONLY)
        if not is_opted and not _KNOWN.fullmatch(path):
            raise RuntimeError(f"{path} is not in the table of operations")
        fault = CallError("unreachable", self._up())
        for attempt in range(_ATTEMPTS):
            if not self.clock.left():
                return fault
            try:
                with self._slots:
                    status, headers, content = self._get(path, parameters, accept)
            except self.connection.broken_off() as error:
                # it may have been idle for too long, or the server is being replaced
                fault = on_the_way(error, self.connection.server)
                continue
            if not isinstance(status, int):
                return status
            if status in _BUSY and attempt + 1 < _ATTEMPTS:
                fault = CallError("throttled", f"the API server is busy ({status}), {_ATTEMPTS} times in a row")
                self._sleep(headers.get("Retry-After", ""))
                continue
            return served_answer(status, content, self.context)
        return fault

    def _sleep(self, seconds: str) -> None:
        import time

        requested = float(seconds) if seconds.isdecimal() else _WAIT
        time.sleep(min(requested, _WAIT_LIMIT, self.clock.left()))

    def _get(self, path: str, parameters: Mapping[str, str], accept: str) -> tuple[int | CallError, Mapping[str, str], bytes]:
        """Status, headers and body; the body is read piece by piece, so that neither time nor size can run away."""
        headers = {"Accept": accept, "User-Agent": f"irsa-doctor/{__version__}"}
        try:
            request = {"params": dict(parameters), "headers": headers, "extensions": self.connection.extensions}
            with self._client.stream("GET", path, **request) as response:
                content = bytearray()
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > _SIZE_LIMIT:
                        return CallError("other", f"{path}: more than {_SIZE_LIMIT >> 20} MiB in one answer"), {}, b""
                    if not self.clock.left():
                        return CallError("unreachable", self._up()), {}, b""
                return int(response.status_code), response.headers, bytes(content)
        except ConfigFault as fault:
            return CallError("credentials", str(fault)), {}, b""
        except self.connection.broken_off():
            raise
        except self.connection.errors() as error:
            return on_the_way(error, self.connection.server), {}, b""

    def _up(self) -> str:
        return f"no answer within the {self.clock.whole:g} s that --timeout gives"

    def _path(self, name: str) -> str:
        return f"kube://{self.context}/{name}"

    def _origin(self, closes: tuple[str, ...] = ()) -> Origin:
        return Origin(cluster=self.cluster, closes=closes, entry=self.connection.entry)

    def _gap(self, fault: CallError, collection: str, name: str, what: str, how: str) -> None:
        if fault.kind == "denied":
            how = f"allow it (irsa-doctor permissions {self.command} prints the ClusterRole)"
        self.notes.gap(Gap(collection, self.cluster, name, f"{what} (context {self.context}): {fault.says}", how))

    def _late(self, collection: str, name: str, what: str) -> Gap:
        return Gap(collection, self.cluster, name, f"{what} (context {self.context}): {self._up()}", "a longer --timeout")


def _identity(item: Any) -> tuple[str, str]:
    """(namespace, name) of an object."""
    metadata = item.get("metadata") or {}
    return str(metadata.get("namespace")), str(metadata.get("name"))


def _continue(answer: Mapping[str, Any]) -> str:
    metadata = answer.get("metadata")
    token = metadata.get("continue") if isinstance(metadata, dict) else None
    return token if isinstance(token, str) else ""


def same_server(first: str, second: str) -> bool:
    """Whether two URLs name one API server; the port of https may be left out."""

    def plain(url: str) -> str:
        return url.strip().lower().rstrip("/").removesuffix(":443")

    return bool(first) and plain(first) == plain(second)
