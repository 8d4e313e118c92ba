import json
from urllib.parse import quote

import pytest

from irsa_doctor.model import Unknown
from irsa_doctor.sources.documents.bulk import FROM
from irsa_doctor.trust.identity import allows_everything
from tests.sources.worlds import inventory, loaded, policy, role, service_account

FORMS = [
    lambda document: document,
    json.dumps,
    lambda document: quote(json.dumps(document)),
    lambda document: "{broken",
    lambda document: None,
]


def roles(count=200):
    items = []
    for number in range(count):
        document = policy(sub=f"system:serviceaccount:prod:app-{number % 50}")
        items.append(role(f"role-{number}", AssumeRolePolicyDocument=FORMS[number % len(FORMS)](document)))
    del items[-1]["AssumeRolePolicyDocument"]
    return items


def told(read):
    return [
        (one.arn, one.name, one.account, one.created, one.max_session, one.place.pointer)
        + (one.policy if isinstance(one.policy, Unknown) else (one.policy.document, one.policy.size, one.policy.flaws),)
        for one in read.roles
    ]


@pytest.mark.parametrize("name", ["RoleDetailList", "Roles"])
def test_a_big_export_is_read_like_a_small_one(name, monkeypatch):
    text = json.dumps({name: roles()}, indent=1)
    assert len(text) > FROM
    fast = inventory({"x.json": text})
    monkeypatch.setattr("irsa_doctor.sources.one_document.FROM", 1 << 40)
    slow = inventory({"x.json": text})
    assert told(fast) == told(slow)
    assert fast.closed == slow.closed
    assert fast.documents == slow.documents


def test_big_lists_of_kubernetes_are_read_like_small_ones(monkeypatch):
    pod = {"metadata": {"name": "p", "labels": {"a": "b"}}, "spec": {"serviceAccountName": "x", "containers": [{"name": "c"}]}}
    items = [service_account(f"app-{number}") for number in range(300)]
    items += [{"apiVersion": "v1", "kind": kind, **pod} for kind in ("Pod", "Unknown")]
    items += [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "hunter2"}}]
    items += [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}]
    items += [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": pod}}]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)
    fast = inventory({"x.json": text})
    monkeypatch.setattr("irsa_doctor.sources.one_document.FROM", 1 << 40)
    slow = inventory({"x.json": text})
    for name in ("service_accounts", "workloads", "namespaces", "config_maps", "documents"):
        assert getattr(fast, name) == getattr(slow, name)
    assert (len(fast.service_accounts), len(fast.workloads), len(fast.config_maps)) == (300, 2, 1)


ACK = {"apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role"}
FLUX = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
PROXY = {"apiVersion": "addons.cluster.x-k8s.io/v1alpha1", "kind": "HelmChartProxy"}
VALUES = {"serviceAccount": {"name": "app", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/x"}}}


@pytest.mark.parametrize("typed", [False, True])
def test_objects_of_controllers_in_a_big_list_are_read_as_in_a_small_one(typed, monkeypatch):
    metadata = {"metadata": {"name": "x", "namespace": "prod"}}
    spec = {"name": "x", "assumeRolePolicyDocument": json.dumps(policy(sub="system:serviceaccount:prod:app"))}
    items = [{**({} if typed else ACK), **metadata, "spec": {**spec, "name": f"role-{number}"}} for number in range(100)]
    head = {"apiVersion": ACK["apiVersion"], "kind": "RoleList"} if typed else {"apiVersion": "v1", "kind": "List"}
    if not typed:
        items += [service_account(), {**FLUX, **metadata, "spec": {"values": VALUES}}]
        items += [{**PROXY, **metadata, "spec": {"namespace": "prod", "valuesTemplate": json.dumps(VALUES)}}]
        items += [{**FLUX, **metadata, "spec": 3}]
    text = json.dumps({**head, "items": items}, indent=1)
    assert len(text) > FROM
    fast = inventory({"x.json": text})
    monkeypatch.setattr("irsa_doctor.sources.one_document.FROM", 1 << 40)
    slow = inventory({"x.json": text})
    assert told(fast) == told(slow)
    for name in ("service_accounts", "account_templates", "access_roles", "documents"):
        assert getattr(fast, name) == getattr(slow, name)
    assert (len(fast.roles), len(fast.service_accounts)) == (100, 0 if typed else 3)


def test_a_broken_item_of_a_big_export_loses_none_of_the_others():
    items = roles()
    items[3]["Arn"] = 5
    items[5] = None
    items[7]["Tags"] = json.loads("[" * 150 + "]" * 150)
    text = json.dumps({"RoleDetailList": items})
    read = inventory({"x.json": text})
    assert len(read.roles) == len(items) - 3
    assert [row.status for row in read.documents] == ["read", "unreadable"]
    assert "2 more" in read.documents[1].why
    assert not read.closed.roles


def test_flaws_in_big_exports_have_the_lines_of_the_document():
    text = json.dumps({"RoleDetailList": roles()}, indent=1)
    text = text.replace('"Version": "2012-10-17"', '"Version": "2012-10-17",\n "Version": "2012-10-17"', 1)
    line = text[: text.index('\n "Version"')].count("\n") + 2
    (flaw,) = inventory({"x.json": text}).roles[0].policy.flaws
    assert (flaw.code, flaw.pointer, flaw.line, flaw.column) == ("duplicate-member", "/Version", line, 2)


def test_a_policy_given_twice_in_a_big_export_is_seen():
    text = json.dumps({"RoleDetailList": roles()})
    text = text.replace('"AssumeRolePolicyDocument"', '"AssumeRolePolicyDocument": 1, "AssumeRolePolicyDocument"', 1)
    (flaw,) = inventory({"x.json": text}).roles[0].policy.flaws
    assert (flaw.code, flaw.pointer) == ("duplicate-member", "")


def test_equal_policies_share_one_value_and_have_their_own_places():
    read = loaded({"x.json": json.dumps({"Roles": roles()})})
    first, second = read.inventory.roles[0].policy, read.inventory.roles[50].policy
    assert first.document is second.document
    assert read.documents.locate(first.place) != read.documents.locate(second.place)


def both_ways(text, monkeypatch):
    assert len(text) > FROM
    fast = inventory({"x.json": text})
    monkeypatch.setattr("irsa_doctor.sources.one_document.FROM", 1 << 40)
    return fast, inventory({"x.json": text})


def test_the_permissions_of_roles_are_those_of_a_small_export(monkeypatch):
    managed = "arn:aws:iam::111122223333:policy/chain"
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
    of_roles = [
        {"RolePolicyList": [], "AttachedManagedPolicies": []},
        {"RolePolicyList": [{"PolicyName": "a", "PolicyDocument": document}], "AttachedManagedPolicies": []},
        {"RolePolicyList": [{"PolicyName": "a", "PolicyDocument": quote(json.dumps(document))}], "AttachedManagedPolicies": []},
        {"RolePolicyList": [], "AttachedManagedPolicies": [{"PolicyArn": managed}, {"PolicyArn": f"{managed}-2"}]},
        {"RolePolicyList": [], "AttachedManagedPolicies": [], "PermissionsBoundary": {"PermissionsBoundaryArn": managed}},
        {},
    ]
    items = [{**item, **of_roles[number % len(of_roles)]} for number, item in enumerate(roles())]
    versions = [{"IsDefaultVersion": False, "Document": {}}, {"IsDefaultVersion": True, "Document": document}]
    policies = [{"Arn": managed, "PolicyVersionList": versions}]
    answers = both_ways(json.dumps({"RoleDetailList": items, "Policies": policies}), monkeypatch)

    def permissions(read):
        known = [one.permissions for one in read.roles]
        return [p and ([(x.document, x.place) for x in p.policies], p.unread, p.boundary) for p in known]

    assert permissions(answers[0]) == permissions(answers[1])
    assert sum(map(bool, permissions(answers[0]))) > len(items) // 2


def test_what_is_over_who_owns_it_and_which_roles_are_chained_is_that_of_a_small_list(monkeypatch):
    role_arn = "arn:aws:iam::444455556666:role/next"
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "controller": True}
    spec = {"serviceAccountName": "x", "containers": [{"name": "c"}]}
    label = {"argocd.argoproj.io/secret-type": "cluster"}
    settings = json.dumps({"awsAuthConfig": {"roleARN": role_arn}})
    items = [
        {"kind": "Pod", "metadata": {"name": "done"}, "spec": spec, "status": {"phase": "Succeeded", "podIP": "10.0.0.1"}},
        {"kind": "Pod", "metadata": {"name": "owned", "ownerReferences": [owner]}, "spec": spec, "status": {}},
        {"kind": "Pod", "metadata": {"name": "made", "uid": "u"}, "spec": spec},
        {"kind": "ConfigMap", "metadata": {"name": "f"}, "data": {"a": f"assume_role_arn: {role_arn}", "b": "nothing"}},
        {"kind": "Secret", "metadata": {"name": "c", "labels": label}, "stringData": {"config": settings, "server": "x"}},
        {"kind": "Secret", "metadata": {"name": "d"}, "stringData": {"config": settings}},
    ]
    items = [{"apiVersion": "v1", **item} for item in items] + [service_account(f"app-{number}") for number in range(400)]
    fast, slow = both_ways(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), monkeypatch)
    assert [(w.name, w.over, w.owner, w.admitted) for w in fast.workloads] == [
        (w.name, w.over, w.owner, w.admitted) for w in slow.workloads
    ]
    assert [w.over for w in fast.workloads] == [True, False, False]
    assert fast.chained_roles == slow.chained_roles
    assert len(fast.chained_roles) == 2


_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_LISTED = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["*:*"], "Resource": ["*"]}]}
_ENCODED = [
    lambda document: document,
    json.dumps,
    lambda document: quote(json.dumps(document)),
    lambda document: quote(json.dumps(document), safe="*"),
    lambda document: quote(json.dumps(document)).replace("%2A", "%2a"),
    lambda document: quote(quote(json.dumps(document))),
    lambda document: json.dumps(json.dumps(document)),
    lambda document: quote(json.dumps(document).replace("*", "\\u002a")),
    lambda document: json.dumps(document).replace("*", "\\u002a"),
    lambda document: quote(json.dumps(document), safe="").replace("%20", " "),
]


@pytest.mark.parametrize("document", [_ALL, _LISTED])
def test_no_policy_that_allows_everything_is_passed_over_by_its_text(document):
    kept = [role(f"r{n}", RolePolicyList=[{"PolicyName": "p", "PolicyDocument": f(document)}]) for n, f in enumerate(_ENCODED)]
    some = [{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "PolicyName": "ReadOnlyAccess"}]
    kept = [{**each, "AttachedManagedPolicies": some} for each in kept]
    seen = inventory({"r.json": json.dumps({"RoleDetailList": [*kept, *roles()]})})
    known = {each.name: each.permissions for each in seen.roles if each.permissions}
    assert all(known[f"r{n}"].starred() for n, _ in enumerate(_ENCODED))
    assert sum(any(map(allows_everything, known[f"r{n}"].policies)) for n, _ in enumerate(_ENCODED)) >= len(_ENCODED) - 2


def test_a_policy_without_a_star_of_its_own_is_not_decoded_for_it():
    narrow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}]}
    forms = [lambda document: document, lambda document: quote(json.dumps(document))]
    own = [role(f"r{n}", RolePolicyList=[{"PolicyName": "p", "PolicyDocument": f(narrow)}]) for n, f in enumerate(forms)]
    own = [{**each, "AttachedManagedPolicies": []} for each in own]
    seen = inventory({"r.json": json.dumps({"RoleDetailList": [*own, *roles()]})})
    known = {each.name: each.permissions for each in seen.roles if each.permissions}
    assert [known[f"r{n}"].starred() for n, _ in enumerate(forms)] == [False, False]
