"""Random RBAC on a real API server: what it answers to SubjectAccessReviews is what is decided here."""

import http.client
import json
import random
import ssl
import time
from urllib.parse import quote

import pytest

from irsa_doctor.authorisation import decide_access
from irsa_doctor.model import Verdict
from tests.authorisation.worlds import PERMISSIONS, access_of, identities, request, world
from tests.servers.apiserver import MISSING, api_server, programs
from tests.servers.programs import skipped_without

PROGRAMS = programs()
pytestmark = skipped_without("apiserver", PROGRAMS is not None, MISSING)
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
WORLDS = 200


class Client:
    """One connection that is kept, for many small requests."""

    def __init__(self, server):
        self._host = server.url.removeprefix("https://")
        self._context = ssl.create_default_context(cadata=server.tls.authority.decode())
        self._kept = http.client.HTTPSConnection(self._host, context=self._context, timeout=30)

    def close(self):
        self._kept.close()

    def call(self, method, path, document=None):
        headers = {"Authorization": "Bearer admin-token", "Content-Type": "application/json"}
        self._kept.request(method, path, None if document is None else json.dumps(document), headers)
        with self._kept.getresponse() as answer:
            body = json.loads(answer.read())
            assert answer.status in (200, 201), body
            return body


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    assert PROGRAMS is not None, MISSING
    with api_server(PROGRAMS, tmp_path_factory.mktemp("rbac")) as running:
        kept = Client(running)
        yield kept
        kept.close()


def create(client, item):
    space = item["metadata"].get("namespace")
    plural = f"{item['kind'].lower()}s"
    root = "/api/v1" if item["kind"] == "Namespace" else RBAC
    client.call("POST", f"{root}/namespaces/{space}/{plural}" if space else f"{root}/{plural}", item)


def selector_words(selector):
    """A label selector as a query has it."""
    words = [f"{key}={value}" for key, value in selector["matchLabels"].items()]
    for item in selector.get("matchExpressions", []):
        key, values = item["key"], ",".join(item.get("values", []))
        forms = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key, "DoesNotExist": f"!{key}"}
        words.append(forms[item["operator"]])
    return quote(",".join(words))


def selected(client, item):
    """The rules of what an aggregate selects as the server itself sees it, each once."""
    rules = {}
    for selector in item["aggregationRule"]["clusterRoleSelectors"]:
        for other in client.call("GET", f"{RBAC}/clusterroles?labelSelector={selector_words(selector)}")["items"]:
            if other["metadata"]["name"] != item["metadata"]["name"]:
                rules.update((json.dumps(entry), entry) for entry in other["rules"] or [])
    return rules


def aggregate(client, objects):
    """What the controller does that runs beside an API server: it writes what an aggregate selects into its rules."""
    aggregates = [item for item in objects if "aggregationRule" in item]
    written = {}
    for item in aggregates:
        client.call("PUT", f"{RBAC}/clusterroles/{item['metadata']['name']}", {**item, "rules": []})
    # each round adds what one more aggregate has
    for item in aggregates * (len(aggregates) + 1):
        name, rules = item["metadata"]["name"], selected(client, item)
        if rules.keys() != written.get(name):
            client.call("PUT", f"{RBAC}/clusterroles/{name}", {**item, "rules": list(rules.values())})
            written[name] = rules.keys()


def groups_of(identity):
    if identity.name in ("system:anonymous", "system:unauthenticated"):
        return ["system:unauthenticated"]
    if identity.kind == "ServiceAccount":
        return ["system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{identity.namespace}"]
    implied = ["system:serviceaccounts"] if identity.name.startswith("system:serviceaccounts:") else []
    return ["system:authenticated", *implied, *([identity.name] if identity.kind == "Group" else [])]


def is_allowed(client, identity, asked):
    permission = asked.permission
    attributes = {
        "verb": permission.verb,
        "group": permission.group,
        "resource": permission.resource,
        "subresource": permission.subresource,
        "namespace": asked.namespace,
        "name": asked.name,
    }
    user = "nobody-else" if identity.kind == "Group" else identity.name
    if identity.kind == "ServiceAccount":
        user = f"system:serviceaccount:{identity.namespace}:{identity.name}"
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups_of(identity), "resourceAttributes": attributes},
    }
    return bool(client.call("POST", REVIEWS, review)["status"].get("allowed"))


def asked_of(chance, space, number):
    """(identity, request) of a world: every permission, each of another identity in the next world, with a place and a name by
    chance."""
    known = identities(space)
    for turn, permission in enumerate(PERMISSIONS, start=number):
        yield known[turn % len(known)], request(chance, space, permission)


def wait_for(client, identity, asked):
    """Until the server has seen what was created last: its authoriser reads from caches."""
    end = time.monotonic() + 20
    while not is_allowed(client, identity, asked) and time.monotonic() < end:
        time.sleep(0.1)


def test_every_request_in_random_worlds_is_decided_as_the_server_decides_it(client):
    chance = random.Random(15)  # noqa: S311
    worlds = {f"w{number}": world(chance, f"w{number}") for number in range(WORLDS)}
    for objects in worlds.values():
        for item in objects:
            create(client, item)
        aggregate(client, objects)
    differences, granted = [], []
    covered = set()
    for number, (space, objects) in enumerate(reversed(worlds.items())):
        access = access_of(objects)
        for identity, asked in asked_of(chance, space, number):
            decided = decide_access(access, identity, asked) is Verdict.PASS
            if decided and number == 0:
                wait_for(client, identity, asked)
            covered.add((identity.kind, identity.name.removesuffix(space), asked.permission))
            granted += [asked.permission] if decided else []
            if is_allowed(client, identity, asked) is not decided:
                differences.append((identity, asked, decided))
    assert not differences
    assert len(covered) == len(identities("")) * len(PERMISSIONS)
    # worlds in which nearly everything is refused would show little
    assert len(set(granted)) > 0.9 * len(PERMISSIONS)
