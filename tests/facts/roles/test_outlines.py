"""Roles that differ in their cluster and their service accounts alone are analysed as if each was the only one."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irsa_doctor.facts import AnalysedRole, GrantFacts, View
from irsa_doctor.facts.roles import alike, outlines
from irsa_doctor.facts.roles.outlines import ClusterOutlines
from irsa_doctor.facts.roles.renaming import CannotRename, Renaming
from irsa_doctor.facts.roles.role import analyse
from irsa_doctor.facts.service_accounts.binding import binding_facts
from tests.facts.roles.test_alike import looks
from tests.facts.situations import KEY, account, manifests, missing, plain_account, view
from tests.sources.worlds import (
    OTHER,
    cluster,
    cluster_arn,
    got_provider,
    listed_providers,
    provider_arn,
    role,
    role_arn,
)
from tests.trust.drawing import examples

IDS = [
    "AAAABBBBCCCCDDDDEEEEFFFF00001111",
    "1234ABCD1234ABCD1234ABCD1234ABCD",
    "ABCDEFABCDEFABCDEFABCDEFABCDEFAB",
    "11112222333344445555666677778888",
]
DIGITS_ALONE = 3
ISSUERS = [f"oidc.eks.eu-west-1.amazonaws.com/id/{ident}" for ident in IDS]
THE_ID, THE_SUBJECT = "THE-ID", "THE-SUBJECT"
THE_ISSUER = f"oidc.eks.eu-west-1.amazonaws.com/id/{THE_ID}"
Json = dict[str, Any]


def world(policies: dict[str, tuple[int, str]], **differences: Any) -> View:
    """An account with a cluster for each issuer, and a role and a service account of its name for each policy: the number of
    its cluster, and its text. `differences` are how the second cluster is told from the others."""
    documents: Json = {}
    known = [issuer for number, issuer in enumerate(ISSUERS) if number != 1 or "absent" not in differences]
    documents["providers.json"] = listed_providers(*(provider_arn(issuer=issuer) for issuer in known))
    for number, issuer in enumerate(ISSUERS):
        documents[f"c{number}/cluster.json"] = cluster(f"c{number}", issuer=issuer)
        if issuer in known:
            clients = differences.get("clients", ()) if number == 1 else ()
            documents[f"c{number}/provider.json"] = got_provider(*clients, issuer=issuer)
        own = [account(name, role_arn=role_arn(name)) for name, (at, _) in policies.items() if at == number]
        if number == 1 and "gone" in differences:
            own[:1] = [account("else", role_arn=first["metadata"]["annotations"][KEY]) for first in own[:1]]
        if number == 1 and "unnamed" in differences:
            own = own[1:]
        if number != 1 or "bare" not in differences:
            own.append(plain_account("default"))
        documents[f"c{number}/accounts.yaml"] = manifests(*own)
    documents["roles.json"] = {
        "RoleDetailList": [role(name, AssumeRolePolicyDocument=text) for name, (_, text) in policies.items()],
        "UserDetailList": [],
    }
    inventory = view(documents).inventory
    kinds = {cluster_arn(f"c{n}"): frozenset(["serviceaccounts"]) for n in range(4) if n == 0 or "part" not in differences}
    inventory = msgspec.structs.replace(inventory, closed=msgspec.structs.replace(inventory.closed, kinds=kinds))
    expected = {ISSUERS[1]: differences["expected"]} if "expected" in differences else {}
    declared = {ISSUERS[1]: differences["declared"]} if "declared" in differences else {}
    return View(inventory, expected=expected, issuers=declared)


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(operator: str = "StringEquals", sub: Any = THE_SUBJECT, aud: Any = "sts.amazonaws.com", **more: Any) -> Json:
    conditions: dict[str, Json] = {operator: {f"{THE_ISSUER}:sub": sub}} if sub else {}
    if aud:
        conditions.setdefault("StringEquals", {})[f"{THE_ISSUER}:aud"] = aud
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn(issuer=THE_ISSUER)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": conditions,
        **more,
    }


def written(document: Json, at: int, subject: str) -> tuple[int, str]:
    """The number of the cluster, and the text of the policy for it and a subject."""
    return at, json.dumps(document).replace(THE_ID, IDS[at]).replace(THE_SUBJECT, subject)


def analysed_alone(seen: View) -> list[object]:
    return [looks(analyse(each, seen)) for each in seen.inventory.roles]


def trusts_of(seen: View) -> list[object]:
    """How each service account is related to its role."""
    return [(judged.id, judged.facts) for each in seen.inventory.service_accounts if (judged := binding_facts(seen, each))]


PRINCIPALS = st.sampled_from(
    [
        {"Federated": provider_arn(issuer=THE_ISSUER)},
        {"Federated": [provider_arn(issuer=THE_ISSUER), "arn:aws:iam::111122223333:saml-provider/corp"]},
        {"Federated": provider_arn(OTHER, THE_ISSUER)},
        {"Federated": "https://" + THE_ISSUER},
        {"Federated": [provider_arn(issuer=THE_ISSUER), "https://" + THE_ISSUER]},
        {"Federated": provider_arn(issuer=THE_ISSUER + "/")},
        {"Federated": provider_arn(issuer=ISSUERS[0])},
        {"Federated": [provider_arn(issuer=THE_ISSUER), provider_arn(issuer=ISSUERS[2])]},
    ]
)
KEYS = st.sampled_from(
    [
        THE_ISSUER,
        THE_ISSUER.lower(),
        THE_ISSUER + "/",
        "https://" + THE_ISSUER,
        provider_arn(issuer=THE_ISSUER),
        THE_ISSUER.removesuffix("D"),
        ISSUERS[0],
        THE_ISSUER.replace("/id/", "/id\\/"),
    ]
)
SUBJECTS = st.sampled_from(
    [
        THE_SUBJECT,
        [THE_SUBJECT, "system:serviceaccount:prod:default"],
        "system:serviceaccount:prod:default",
        "system:serviceaccount:prod:*",
        "prod:app",
        "system:serviceaccount:prod:${aws:PrincipalTag/team}",
        "*",
    ]
)
AUDIENCES = st.sampled_from(
    ["sts.amazonaws.com", "sts.eu-west-1.amazonaws.com", "https://" + THE_ISSUER, f"https://*/{IDS[0]}", "other", THE_SUBJECT]
)
OPERATORS = st.sampled_from(["StringEquals", "StringLike", "StringNotEquals", "StringEqualsIfExists", "ForAnyValue:StringLike"])
WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
ACTIONS = st.sampled_from([WEB_IDENTITY, WEB_IDENTITY.lower(), "sts:AssumeRole*", "sts:AssumeRole"])
MORE = [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/x"}, "Action": "sts:AssumeRole"},
    {"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {"StringNotEquals": {f"{THE_ISSUER}:sub": THE_SUBJECT}}},
    {
        "Effect": "Allow",
        "Principal": {"Federated": "www.amazon.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
    },
]
DIFFERENCES = st.fixed_dictionaries(
    {},
    optional={
        "absent": st.just(True),
        "clients": st.just(("sts.amazonaws.com", "other")),
        "gone": st.just(True),
        "unnamed": st.just(True),
        "bare": st.just(True),
        "part": st.just(True),
        "expected": st.sampled_from([("other",), ("https://" + ISSUERS[1],), ("https://" + ISSUERS[0],)]),
        "declared": st.sampled_from(["github", "kubernetes"]),
    },
)


@st.composite
def documents(draw) -> Json:
    conditions: dict[str, Json] = {}
    for claim, values in (("sub", SUBJECTS), ("aud", AUDIENCES)):
        for _ in range(draw(st.sampled_from([1, 1, 0, 2]))):
            conditions.setdefault(draw(OPERATORS), {})[f"{draw(KEYS)}:{claim}"] = draw(values)
    own = statement(Principal=draw(PRINCIPALS), Condition=conditions, Action=draw(ACTIONS))
    return policy(*draw(st.permutations([own, *draw(st.lists(st.sampled_from(MORE), max_size=1))])))


def drawn_world(documents: list[Json], ats: list[int], differences: Json) -> View:
    policies: dict[str, tuple[int, str]] = {}
    for number, document in enumerate(documents):
        for at in ats:
            name = f"app-{number}-{len(policies)}"
            policies[name] = written(document, at, f"system:serviceaccount:prod:{name}")
    return world(policies, **differences)


@examples(200)
@given(st.lists(documents(), min_size=1, max_size=2), st.lists(st.sampled_from(range(4)), min_size=2, max_size=4), DIFFERENCES)
def test_a_role_like_that_of_another_cluster_is_analysed_as_if_it_was_alone(drawn, ats, differences):
    seen = drawn_world(drawn, ats, differences)
    assert [looks(analysed) for analysed in seen.roles] == analysed_alone(seen)


@examples(100)
@given(st.lists(documents(), min_size=1, max_size=2), st.lists(st.sampled_from(range(4)), min_size=2, max_size=4), DIFFERENCES)
def test_a_service_account_is_related_to_such_a_role_as_if_it_was_alone(drawn, ats, differences):
    shared, alone = (drawn_world(drawn, ats, differences) for _ in range(2))
    alone.__dict__["roles"] = [analyse(each, alone) for each in alone.inventory.roles]
    assert trusts_of(shared) == trusts_of(alone)
    for mine, own in zip(shared.roles, alone.roles, strict=True):
        for issuer in ISSUERS:
            assert (mine.trusts(issuer), mine.blocks(issuer)) == (own.trusts(issuer), own.blocks(issuer))
            subjects = [each.subject for each in alone.inventory.service_accounts]
            named = [bool(own.admits(issuer, subject, frozenset(["sts.amazonaws.com"]))) for subject in subjects]
            assert [mine.admits(issuer, subject, frozenset(["sts.amazonaws.com"])) for subject in subjects] == named
            assert mine.provider_of(issuer) == own.provider_of(issuer)


def two_clusters(document: Json, **differences: Any) -> View:
    """Two roles of the same policy but for the cluster and the service account, and the differences of the second."""
    return drawn_world([document], [0, 1], differences)


def in_full(monkeypatch, seen: View) -> int:
    """How many of the roles were analysed in full."""
    count = 0

    def counting(*args: Any) -> Any:
        nonlocal count
        count += 1
        return analyse(*args)

    monkeypatch.setattr(alike, "analyse", counting)
    list(seen.roles)
    return count


def facts_of(analysed: AnalysedRole) -> GrantFacts:
    """The facts of its only grant."""
    (grant,) = analysed.grants
    assert isinstance(grant.facts, GrantFacts)
    return grant.facts


def test_roles_of_two_clusters_of_which_the_same_is_known_are_analysed_once(monkeypatch):
    assert in_full(monkeypatch, two_clusters(policy(statement()))) == 1


def test_what_a_copy_says_of_a_cluster_is_of_its_own(monkeypatch):
    seen = two_clusters(policy(statement()), gone=True)
    assert in_full(monkeypatch, seen) == 1
    assert [facts_of(analysed).account_missing for analysed in seen.roles] == [False, True]
    assert [looks(analysed) for analysed in seen.roles] == analysed_alone(seen)


@pytest.mark.parametrize(
    "document",
    [
        policy(statement(Principal={"Federated": [provider_arn(issuer=THE_ISSUER), "https://" + THE_ISSUER]})),
        {**policy(statement()), "Version": "2012-10-18"},
        policy(statement(Condition={"StringLike": {f"{THE_ISSUER}:aud": f"*/{THE_ID}"}})),
    ],
)
def test_a_policy_of_which_more_is_said_that_may_hang_on_its_cluster_is_analysed_by_itself(document, monkeypatch):
    seen = two_clusters(document)
    assert [looks(analysed) for analysed in seen.roles] == analysed_alone(seen)
    assert in_full(monkeypatch, two_clusters(document)) == 2


def test_a_service_account_that_every_role_names_may_be_missing_in_one_cluster(monkeypatch):
    seen = two_clusters(policy(statement(sub="system:serviceaccount:prod:default")), bare=True)
    assert in_full(monkeypatch, seen) == 1
    assert [facts_of(analysed).account_missing for analysed in seen.roles] == [False, True]


def test_whether_somebody_names_a_role_keeps_it_apart():
    document = policy(statement(Condition={"Null": {f"{THE_ISSUER}:sub": "true"}}))
    seen = two_clusters(document, unnamed=True)
    assert [facts_of(analysed).never_holds for analysed in seen.roles] == [False, True]
    assert [looks(analysed) for analysed in seen.roles] == analysed_alone(seen)


def test_a_copy_names_its_own_cluster_where_not_all_service_accounts_were_given(monkeypatch):
    seen = drawn_world([policy(statement())], [1, 2], {"part": True})
    assert in_full(monkeypatch, seen) == 1
    named = [missing(facts_of(analysed).account_missing) for analysed in seen.roles]
    assert named == ["all service accounts of c1", "all service accounts of c2"]


UNLIKE = {
    "audiences": (policy(statement()), {"expected": ("other",)}),
    "several": (policy(statement(aud="")), {"clients": ("sts.amazonaws.com", "other")}),
    "listed": (policy(statement()), {"part": True}),
}


@pytest.mark.parametrize("item", sorted(UNLIKE))
def test_what_is_known_of_a_cluster_keeps_its_roles_apart(item, monkeypatch):
    document, differences = UNLIKE[item]
    seen = two_clusters(document, **differences)
    assert [looks(analysed) for analysed in seen.roles] == analysed_alone(seen)
    assert in_full(monkeypatch, two_clusters(document, **differences)) == 2


@pytest.mark.parametrize("item", sorted(UNLIKE))
def test_without_an_item_of_what_is_known_roles_would_be_taken_for_like(item, monkeypatch):
    document, differences = UNLIKE[item]
    whole = outlines._of_issuer

    def lacking(*args: Any) -> Any:
        known = whole(*args)
        return known and msgspec.structs.replace(known, **{item: None})

    monkeypatch.setattr(outlines, "_of_issuer", lacking)
    seen = two_clusters(document, **differences)
    assert [looks(analysed) for analysed in seen.roles] != analysed_alone(seen)


def outline_in(text: str, at: int = 0, **differences: Any) -> Any:
    seen = world({"app": (at, text)}, **differences)
    return ClusterOutlines(seen).of(seen.roles[0].likeness.shape)


@pytest.mark.parametrize(
    "document",
    [
        policy(statement(Principal={"Federated": [provider_arn(issuer=THE_ISSUER), provider_arn(issuer=ISSUERS[2])]})),
        policy(statement(Principal={"Federated": provider_arn(OTHER, THE_ISSUER)})),
        policy(statement(), statement(Principal={"Federated": provider_arn(issuer="token.actions.githubusercontent.com")})),
        policy(statement(aud=f"https://x/id/{IDS[1]}")),
        policy(statement(sub=f"system:serviceaccount:prod:{IDS[0].lower()[:24]}", Sid=IDS[0][:31])),
        policy(statement(), {**MORE[0], "Condition": {"StringEquals": {f"{THE_ISSUER.lower()}:sub": "x"}}}),
    ],
)
def test_a_policy_that_speaks_of_something_like_a_cluster_beside_its_own_has_no_outline(document):
    assert outline_in(written(document, 0, "system:serviceaccount:prod:app")[1]) is None


@pytest.mark.parametrize(
    ("at", "differences"),
    [
        (DIGITS_ALONE, {}),
        (1, {"absent": True}),
        (1, {"declared": "github"}),
        (1, {"expected": ("https://" + ISSUERS[1],)}),
    ],
)
def test_a_cluster_of_which_more_counts_than_where_it_stands_has_no_outline(at, differences):
    text = written(policy(statement()), at, "system:serviceaccount:prod:app")[1]
    assert outline_in(text, at) is None if at == DIGITS_ALONE else outline_in(text, at) is not None
    assert outline_in(text, at, **differences) is None


def test_a_service_account_with_the_id_of_a_cluster_in_its_name_is_not_renamed():
    with pytest.raises(CannotRename):
        Renaming(("system:serviceaccount:prod:abcd",), ["system:serviceaccount:prod:abcd"], ["abcd"])
