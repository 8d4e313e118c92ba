"""Answers that real API servers gave once, given again over HTTP: `recorded/1.20.json` and `recorded/1.36.json`.

The objects in them are made up; the servers' own words are as they were: lists, a page with its continue token, refusals.
"""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.servers.kubernetes import TOKEN, FakeKubernetes

RECORDED = Path(__file__).parent / "recorded"
# kinds that were not read yet when these servers were recorded: there were none of these objects
_RBAC = "rbac.authorization.k8s.io/v1"
_NOT_RECORDED = {
    path: {"status": 200, "body": {"kind": f"{kind}List", "apiVersion": version, "metadata": {}, "items": []}}
    for path, kind, version in (
        ("/api/v1/nodes", "Node", "v1"),
        ("/apis/networking.k8s.io/v1/networkpolicies", "NetworkPolicy", "networking.k8s.io/v1"),
        ("/apis/apps/v1/replicasets", "ReplicaSet", "apps/v1"),
        ("/api/v1/replicationcontrollers", "ReplicationController", "v1"),
        *(
            (f"/apis/{_RBAC}/{kind.lower()}s", kind, _RBAC)
            for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
        ),
    )
}
_NOT_RECORDED["/api/v1/namespaces/kube-system/configmaps/aws-auth"] = {"status": 404, "body": {"kind": "Status", "code": 404}}
VERSIONS = tuple(sorted(path.stem for path in RECORDED.glob("*.json")))


class Replay(FakeKubernetes):
    """The API server of a version. `denied` are paths that are refused; `paged`: the first page of service accounts is the
    recorded one, and the next is refused as the server refuses a token that it does not know."""

    def __init__(self, version):
        super().__init__()
        self.recorded = json.loads((RECORDED / f"{version}.json").read_text(encoding="utf-8"))
        self.paged = False

    def answer(self, path, token, accept=""):
        self.calls.append(path)
        url = urlsplit(path)
        if token != f"Bearer {TOKEN}":
            return self._recorded("unauthorized")
        if url.path in self.denied:
            return self._recorded("denied")
        if self.paged and url.path == "/api/v1/serviceaccounts":
            return self._recorded("bad_continue" if "continue" in parse_qs(url.query) else "page")
        one = self.recorded["answers"].get(url.path) or _NOT_RECORDED.get(url.path)
        return (one["status"], one["body"]) if one else (404, {"kind": "Status", "code": 404, "message": "not found"})

    def _recorded(self, name):
        return self.recorded[name]["status"], self.recorded[name]["body"]
