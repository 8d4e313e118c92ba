"""Random RBAC on a real API server: what it answers to SubjectAccessReviews is what is decided here."""

import random
import time

import pytest

from irsa_doctor.authorisation import decide_access
from irsa_doctor.model import Verdict
from tests.authorisation.worlds import access_of, identities, request, world
from tests.servers.apiserver import MISSING, api_server, programs
from tests.servers.programs import skipped_without

PROGRAMS = programs()
pytestmark = skipped_without("apiserver", PROGRAMS is not None, MISSING)
RBAC = "/apis/rbac.authorization.k8s.io/v1"
WORLDS, REQUESTS = 200, 4
"""worlds, and requests for each identity of each"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    assert PROGRAMS is not None, MISSING
    with api_server(PROGRAMS, tmp_path_factory.mktemp("rbac")) as running:
        yield running


def create(server, item):
    space = item["metadata"].get("namespace")
    plural = f"{item['kind'].lower()}s"
    root = "/api/v1" if item["kind"] == "Namespace" else RBAC
    server.create(f"{root}/namespaces/{space}/{plural}" if space else f"{root}/{plural}", item)


def is_allowed(server, identity, asked):
    permission = asked.permission
    attributes = {
        "verb": permission.verb,
        "group": permission.group,
        "resource": permission.resource,
        "subresource": permission.subresource,
        "namespace": asked.namespace,
        "name": asked.name,
    }
    groups = ["system:authenticated"]
    user = identity.name
    if identity.kind == "ServiceAccount":
        user = f"system:serviceaccount:{identity.namespace}:{identity.name}"
        groups += ["system:serviceaccounts", f"system:serviceaccounts:{identity.namespace}"]
    elif identity.kind == "Group":
        user, groups = "nobody-else", [identity.name, *groups]
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
    }
    status, answer = server.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert status == 201, answer
    return bool(answer["status"].get("allowed"))


def wait_for(server, access, identity, asked):
    """Until the server has seen what was created last: its authoriser reads from caches."""
    end = time.monotonic() + 20
    while not is_allowed(server, identity, asked) and time.monotonic() < end:
        time.sleep(0.1)


def test_every_request_in_random_worlds_is_decided_as_the_server_decides_it(server):
    chance = random.Random(15)  # noqa: S311
    worlds = {f"w{number}": world(chance, f"w{number}") for number in range(WORLDS)}
    last = None
    for space, objects in worlds.items():
        for item in objects:
            create(server, item)
        access = access_of(objects)
        for identity in identities(space):
            for _ in range(REQUESTS):
                asked = request(chance, space)
                if decide_access(access, identity, asked) is Verdict.PASS:
                    last = access, identity, asked
    assert last is not None
    wait_for(server, *last)
    differences = []
    for space, objects in worlds.items():
        access = access_of(objects)
        for identity in identities(space):
            for _ in range(REQUESTS):
                asked = request(chance, space)
                decided = decide_access(access, identity, asked) is Verdict.PASS
                if is_allowed(server, identity, asked) is not decided:
                    differences.append((identity, asked, decided))
    assert not differences
