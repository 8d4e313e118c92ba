"""An API server of our own over HTTP: lists with pages as the real one gives them, and its refusals word for word."""

import base64
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.servers.loopback import LoopbackServer

RESOURCES = {
    "serviceaccounts": ("", "v1", "ServiceAccount"),
    "pods": ("", "v1", "Pod"),
    "namespaces": ("", "v1", "Namespace"),
    "secrets": ("", "v1", "Secret"),
    "deployments": ("apps", "v1", "Deployment"),
    "daemonsets": ("apps", "v1", "DaemonSet"),
    "statefulsets": ("apps", "v1", "StatefulSet"),
    "replicasets": ("apps", "v1", "ReplicaSet"),
    "replicationcontrollers": ("", "v1", "ReplicationController"),
    "configmaps": ("", "v1", "ConfigMap"),
    "roles": ("rbac.authorization.k8s.io", "v1", "Role"),
    "clusterroles": ("rbac.authorization.k8s.io", "v1", "ClusterRole"),
    "rolebindings": ("rbac.authorization.k8s.io", "v1", "RoleBinding"),
    "clusterrolebindings": ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding"),
    "jobs": ("batch", "v1", "Job"),
    "cronjobs": ("batch", "v1", "CronJob"),
    "nodes": ("", "v1", "Node"),
    "networkpolicies": ("networking.k8s.io", "v1", "NetworkPolicy"),
    "mutatingwebhookconfigurations": ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration"),
}
_PLURALS = {kind: plural for plural, (_, _, kind) in RESOURCES.items()}
_DISCOVERY = {
    "response_types_supported": ["id_token"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}
WEBHOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "pod-identity-webhook", "creationTimestamp": "2026-01-05T08:00:00Z"},
    "webhooks": [
        {
            "name": "iam-for-pods.amazonaws.com",
            "clientConfig": {"url": "https://127.0.0.1:23443/mutate", "caBundle": "bWFkZSB1cA=="},
            "rules": [
                {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "*"}
            ],
            "failurePolicy": "Ignore",
            "objectSelector": {
                "matchExpressions": [{"key": "eks.amazonaws.com/skip-pod-identity-webhook", "operator": "DoesNotExist"}]
            },
        }
    ],
}
"""the configuration that EKS makes in every cluster"""
TOKEN = "made-up-token"
USER = "system:serviceaccount:ops:irsa-doctor"


class FakeKubernetes(LoopbackServer):
    """A cluster on loopback. `denied`, `gone`, `busy`, `broken`: plurals whose lists are answered 403, 410 (on the second
    page), `busy_status` (once), 500 (on the second page). `cut` is how often an answer about a plural ends in its middle.
    `calls` are the paths with query that were asked for, `headers` those of the last request."""

    def __init__(self, issuer="https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE", tls=None):
        self.handler = _Handler
        self.issuer = issuer
        self.tls = tls
        self.objects: dict[str, list[dict]] = {plural: [] for plural in RESOURCES}
        self.keys = {"keys": [{"use": "sig", "kty": "RSA", "kid": "one", "alg": "RS256", "n": "AQAB", "e": "AQAB"}]}
        self.version = {"major": "1", "minor": "31+", "gitVersion": "v1.31.2-eks-7f9249a", "platform": "linux/amd64"}
        self.denied: set[str] = set()
        self.gone: set[str] = set()
        self.busy: set[str] = set()
        self.busy_status = 429
        self.broken: set[str] = set()
        self.cut: Counter[str] = Counter()
        self.headers: dict[str, str] = {}
        self.absent: set[str] = set()
        self.endless: set[str] = set()
        self.slow = 0.0
        self.page_limit = 500
        self.calls: list[str] = []
        self.accepted: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def add(self, *objects):
        for one in objects:
            if one["kind"] in _PLURALS:
                self.objects[_PLURALS[one["kind"]]].append(one)
        return self

    def entry(self, **cluster):
        """Context, cluster and user of a kubeconfig."""
        authority = {"certificate-authority-data": base64.b64encode(self.tls.authority).decode()} if self.tls else {}
        return {"server": self.url, **authority, **cluster}

    def kubeconfig(self, folder, name="shop", user=None, **cluster):
        """The path of a kubeconfig with one context."""
        path = folder / f"kubeconfig-{name.rpartition('/')[2]}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}}],
            "clusters": [{"name": name, "cluster": self.entry(**cluster)}],
            "users": [{"name": "me", "user": user if user is not None else {"token": TOKEN}}],
        }
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return str(path)

    def answer(self, path, token, accept=""):
        """Status, headers and body."""
        with self._lock:
            self.calls.append(path)
            self.accepted.append((path, accept))
        if token != f"Bearer {TOKEN}":
            return 401, _status(401, "Unauthorized", "Unauthorized")
        url = urlsplit(path)
        time.sleep(self.slow)
        if url.path == "/.well-known/openid-configuration":
            return self._endpoint(
                "openid-configuration", {**_DISCOVERY, "issuer": self.issuer, "jwks_uri": f"{self.url}/openid/v1/jwks"}
            )
        if url.path == "/openid/v1/jwks":
            return self._endpoint("jwks", self.keys)
        if url.path == "/version":
            return self._endpoint("version", self.version)
        status, document = self._resource(
            url.path.split("/"), {key: values[0] for key, values in parse_qs(url.query).items()}, path
        )
        return status, _as_metadata(document) if "as=PartialObjectMetadataList" in accept and status == 200 else document

    def _endpoint(self, name, document):
        if name in self.denied:
            return 403, _status(403, "Forbidden", f'forbidden: User "{USER}" cannot get path "/{name}"')
        return 200, document

    def _resource(self, parts, query, path):
        found = self._where(parts)
        if found is None:
            return 404, _status(404, "NotFound", "the server could not find the requested resource")
        plural, namespace, name = found
        group, version, kind = RESOURCES[plural]
        if plural in self.denied:
            where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
            says = f'{plural} is forbidden: User "{USER}" cannot list resource "{plural}" in API group "{group}" {where}'
            return 403, _status(403, "Forbidden", says)
        if plural in self.busy:
            self.busy.discard(plural)
            return self.busy_status, _status(self.busy_status, "TooManyRequests", "please try again later")
        items = [one for one in self.objects[plural] if not namespace or one["metadata"].get("namespace") == namespace]
        if selector := query.get("fieldSelector"):
            field, _, value = selector.partition("=")
            items = [one for one in items if str(one.get(field, "")) == value]
        if name:
            one = next((one for one in items if one["metadata"]["name"] == name), None)
            return (200, one) if one else (404, _status(404, "NotFound", f'{plural} "{name}" not found'))
        return self._list(items, query, plural, f"{group}/{version}" if group else version, kind)

    def _list(self, items, query, plural, api_version, kind):
        start = int(query.get("continue") or 0)
        if start and plural in self.gone:
            self.gone.discard(plural)
            return 410, _status(
                410, "Expired", "The provided continue parameter is too old to display a consistent list result."
            )
        if start and plural in self.broken:
            return 500, _status(500, "InternalError", "etcdserver: request timed out")
        size = min(int(query.get("limit") or len(items) or 1), self.page_limit)
        metadata = {"resourceVersion": "42"}
        if plural in self.endless:
            metadata["continue"] = "1"
        elif start + size < len(items):
            metadata |= {"continue": str(start + size), "remainingItemCount": len(items) - start - size}
        # items of a typed list carry neither kind nor apiVersion on the wire
        plain = [
            {key: value for key, value in one.items() if key not in ("kind", "apiVersion")}
            for one in items[start : start + size]
        ]
        return 200, {"kind": f"{kind}List", "apiVersion": api_version, "metadata": metadata, "items": plain}

    def _where(self, parts):
        """(plural, namespace, name) of a path."""
        for plural, (group, version, _) in RESOURCES.items():
            root = ["", "apis", group, version] if group else ["", "api", version]
            if plural in self.absent or parts[: len(root)] != root:
                continue
            rest = parts[len(root) :]
            if rest == [plural]:
                return plural, "", ""
            if rest[:1] == ["namespaces"] and rest[2:] == [plural]:
                return plural, rest[1], ""
            if plural == "namespaces" and len(rest) == 2 and rest[0] == plural:
                return plural, "", rest[1]
            if plural == "configmaps" and len(rest) == 4 and rest[0] == "namespaces" and rest[2] == plural:
                return plural, rest[1], rest[3]
        return None


def _as_metadata(document):
    """A list without the contents of its objects, as the API server gives it."""
    items = [
        {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}
        for item in document["items"]
    ]
    return {**document, "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "items": items}


def _status(code, reason, message):
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {**status, "message": message, "reason": reason, "code": code}


class _Handler(BaseHTTPRequestHandler):
    owner: FakeKubernetes
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: do not wait 40 ms between them

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.owner.headers = dict(self.headers.items())
        status, document = self.owner.answer(self.path, self.headers.get("Authorization"), self.headers.get("Accept", ""))
        text = document if isinstance(document, bytes) else json.dumps(document).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status == 429:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text[: len(text) // 2] if self._is_cut() else text)
        except OSError:
            self.close_connection = True

    def _is_cut(self):
        plural = urlsplit(self.path).path.rpartition("/")[2]
        self.owner.cut[plural] -= 1
        self.close_connection = self.close_connection or self.owner.cut[plural] >= 0
        return self.owner.cut[plural] >= 0
