# Long: whole documents of RBAC and of EKS, each with what is read of it
"""Objects of RBAC, aws-auth and access entries that are broken, old or odd: named, and the rest is judged."""

import json

import pytest

from irsa_doctor.answers.reach.missing import open_parts
from irsa_doctor.answers.reach.paths import PathWriter
from irsa_doctor.authorisation import ClusterIdentity
from irsa_doctor.authorisation.principals import rows_without_effect
from irsa_doctor.facts import View
from irsa_doctor.facts.reach.listing import Reachability
from irsa_doctor.facts.reach.reached import reach_facts
from irsa_doctor.facts.reach.records import AuthMapFacts
from irsa_doctor.sources import load
from tests.facts.reach.worlds import (
    ACCOUNT,
    RBAC,
    ROLE,
    TOKENS,
    account,
    binding,
    cluster_role,
    documents,
    group,
    iam_role,
    inventory,
    named,
    role,
    trust,
    user,
    view,
    wide_binding,
)
from tests.sources.worlds import loaded

CLUSTER = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/apollo"
GOOD = (role("tokens", TOKENS), binding("ci", "Role/tokens", group("dev")))


def listed(*objects, **options):
    """(kind, name) of everybody who is listed for the role."""
    reachability = Reachability(view(*objects, **options))
    return {(entry.identity.kind, entry.identity.name) for entry in reachability.listed(ROLE)}


def why_of(*objects, name="rbac.json"):
    """What is said of the document."""
    given = loaded({key: value if isinstance(value, str) else json.dumps(value) for key, value in documents(*objects).items()})
    return "; ".join(f"{row.path}{row.why}" for row in given.inventory.documents if row.path.startswith(name) and row.why)


@pytest.mark.parametrize("version", ["v1beta1", "v1alpha1"])
def test_older_versions_are_read_like_the_present_one(version):
    old = [item | {"apiVersion": f"{RBAC}/{version}"} for item in GOOD]
    assert ("Group", "dev") in listed(*old)


def test_a_binding_whose_name_the_server_makes_binds_as_any_other():
    tokens, ci = GOOD
    nameless = ci | {"metadata": {**ci["metadata"], "name": None, "generateName": "ci-"}}
    assert ("Group", "dev") in listed(tokens, nameless)
    assert why_of(tokens, nameless) == ""


def test_a_role_whose_name_the_server_makes_is_not_that_of_its_prefix():
    tokens, ci = GOOD
    nameless = tokens | {"metadata": {**tokens["metadata"], "name": None, "generateName": "tokens"}}
    assert ("Group", "dev") not in listed(nameless, ci)


def test_a_role_of_another_group_is_none_of_kubernetes():
    other = role("tokens", TOKENS) | {"apiVersion": "iam.services.k8s.aws/v1alpha1"}
    assert not inventory(other, GOOD[1]).access_roles


def test_kinds_that_nobody_knows_leave_the_rest_as_it_is():
    strange = named("Wombat", "x", "shop", api=f"{RBAC}/v1")
    assert ("Group", "dev") in listed(strange, *GOOD)


@pytest.mark.parametrize(
    "rules", [None, [], [{}], [{"verbs": ["create"]}], [{"nonResourceURLs": ["/healthz"], "verbs": ["get"]}]]
)
def test_rules_that_say_nothing_of_resources_give_nothing(rules):
    empty = role("tokens") | {"rules": rules}
    assert listed(empty, GOOD[1]) == set()


@pytest.mark.parametrize("rule", ["create", {"verbs": "create", "apiGroups": [""], "resources": ["pods"]}, 7])
def test_a_broken_rule_is_named_and_the_others_count(rule):
    broken = role("tokens") | {"rules": [rule, TOKENS]}
    assert ("Group", "dev") in listed(broken, GOOD[1])
    assert "rules" in why_of(broken, GOOD[1])


def test_rules_that_are_no_list_are_named():
    broken = role("tokens") | {"rules": {"verbs": ["create"]}}
    assert listed(broken, *GOOD) == {("Group", "dev")}
    assert "rules" in why_of(broken, *GOOD)


def test_a_binding_to_a_role_that_is_not_there_is_unknown_until_roles_are_complete():
    lost = binding("lost", "Role/none", group("ops"))
    open_world = Reachability(view(*GOOD, lost, complete=()))
    assert any("Role/none, which is bound" in item.missing for item in open_parts(open_world, [CLUSTER]))
    closed_world = Reachability(view(*GOOD, lost))
    assert not any("none" in item.missing for item in open_parts(closed_world, [CLUSTER]))
    assert ("Group", "dev") in listed(*GOOD, lost)


def test_a_subject_without_namespace_is_that_of_its_role_binding():
    own = binding("ci", "Role/tokens", {"kind": "ServiceAccount", "name": "ci"})
    assert listed(GOOD[0], own) == {("ServiceAccount", "ci")}


def test_a_subject_without_namespace_in_a_wide_binding_is_named_and_counts_for_nobody():
    wide = wide_binding("w", "tokens", {"kind": "ServiceAccount", "name": "ci"}, group("dev"))
    assert listed(cluster_role("tokens", TOKENS), wide) == {("Group", "dev")}
    assert "namespace" in why_of(cluster_role("tokens", TOKENS), wide)


@pytest.mark.parametrize("subject", [{"kind": "Robot", "name": "x"}, {"kind": "User"}, "dev", None])
def test_a_subject_that_is_none_is_named_and_the_others_count(subject):
    broken = binding("ci", "Role/tokens", group("dev")) | {"subjects": [subject, group("dev")]}
    assert listed(GOOD[0], broken) == {("Group", "dev")}
    assert "subjects" in why_of(GOOD[0], broken)


def test_a_binding_without_subjects_binds_nobody():
    empty = {key: value for key, value in binding("ci", "Role/tokens").items() if key != "subjects"}
    assert listed(GOOD[0], empty) == set()


@pytest.mark.parametrize("kind", ["Role", "Wombat", ""])
def test_a_wide_binding_that_names_no_cluster_role_is_named(kind):
    wide = wide_binding("w", "tokens", group("ops"))
    wide["roleRef"]["kind"] = kind
    assert listed(*GOOD, wide) == {("Group", "dev")}
    assert "roleRef" in why_of(*GOOD, wide)


def test_a_star_is_no_wildcard_in_the_name_of_a_subject():
    assert listed(GOOD[0], binding("ci", "Role/tokens", group("*"), user("*"))) == {("Group", "*"), ("User", "*")}


# ---- aws-auth


def auth(**data):
    return named("ConfigMap", "aws-auth", "kube-system", api="v1", data=data)


def principals(*objects, mode="CONFIG_MAP", **options):
    reachability = Reachability(view(*GOOD, *objects, mode=mode, **options))
    return {item.arn: item for item in reachability.graph.clusters[CLUSTER].principals}


def arn(name, kind="role"):
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


@pytest.mark.parametrize(
    "text", ["- rolearn: [", "rolearn: x", "just words", "- rolearn: a\n---\n- rolearn: b", "- a: &x [*x]\n  b: *y\n"]
)
def test_a_text_that_is_no_list_loses_its_own_rows_alone(text):
    users = f"- userarn: {arn('ann', 'user')}\n  username: ann\n  groups: [dev]\n"
    broken = auth(mapRoles=text, mapUsers=users)
    assert set(principals(broken)) == {arn("ann", "user")}
    assert "mapRoles" in why_of(*GOOD, broken)


@pytest.mark.parametrize(
    ("user", "is_template"),
    [("system:node:{% raw %}{{EC2PrivateDNSName}}{% endraw %}", True), ("system:node:{{EC2PrivateDNSName}}", False)],
)
def test_a_list_that_a_template_fills_in_is_not_called_broken(user, is_template):
    text = f"- rolearn: {'{{ role }}' if is_template else 'x: y'}\n  username: {user}\n"
    (row,) = inventory(*GOOD, auth(mapRoles=text)).auth_maps
    assert (row.broken[0][1] == "a template that nothing has filled in") == is_template
    assert (why_of(*GOOD, auth(mapRoles=text)) == "") == is_template


def test_a_role_with_a_path_is_nobody_and_a_finding():
    row = f"- rolearn: {arn('teams/Ci')}\n  username: ci\n  groups: [dev]\n"
    assert principals(auth(mapRoles=row)) == {}
    read = inventory(*GOOD, auth(mapRoles=row), mode="CONFIG_MAP")
    assert read.auth_maps[0].rows[0].arn == arn("teams/Ci")
    facts = [judged.facts for judged in reach_facts(View(read)) if isinstance(judged.facts, AuthMapFacts)]
    assert facts == [AuthMapFacts(path_in_arn=True, ignored=False)]


@pytest.mark.parametrize("key", ["rolearn", "roleARN", "RoleArn", "ROLEARN"])
def test_keys_are_found_in_any_case(key):
    assert set(principals(auth(mapRoles=f"- {key}: {arn('Ci')}\n  UserName: ci\n  Groups: [dev]\n"))) == {arn("Ci")}


def test_the_last_row_of_a_principal_wins_whatever_its_case():
    rows = f"- rolearn: {arn('Ci')}\n  groups: [dev]\n- rolearn: {arn('CI')}\n  groups: [ops]\n"
    (only,) = principals(auth(mapRoles=rows)).values()
    assert only.groups == ("ops",)


@pytest.mark.parametrize(
    "wrong", [f"arn:aws:sts::{ACCOUNT}:assumed-role/Ci/session", arn("team", "group"), "Ci", "arn:aws:iam::12:role/", ""]
)
def test_a_principal_that_no_caller_has_is_nobody(wrong):
    assert principals(auth(mapRoles=f"- rolearn: '{wrong}'\n  groups: [dev]\n")) == {}


def test_a_role_of_another_account_is_itself_and_not_the_one_of_that_name():
    other = "arn:aws:iam::444455556666:role/web"
    (only,) = principals(auth(mapRoles=f"- rolearn: {other}\n  groups: [dev]\n"))
    assert only == other
    graph = Reachability(view(*GOOD, auth(mapRoles=f"- rolearn: {other}\n  groups: [dev]\n"), mode="CONFIG_MAP")).graph
    assert not graph.principal_roles


def test_system_masters_passes_whatever_is_bound():
    row = f"- rolearn: {arn('Ops')}\n  username: ops\n  groups: ['system:masters']\n"
    reachability = Reachability(view(*GOOD, auth(mapRoles=row), mode="CONFIG_MAP"))
    identity = ClusterIdentity(CLUSTER, "Principal", arn("Ops"))
    assert reachability.graph.standing(identity).is_admin
    assert reachability.is_expected(identity)


@pytest.mark.parametrize("username", ["system:node:{{EC2PrivateDNSName}}", "system:node:{{SessionName}}"])
def test_rows_for_nodes_are_nobody(username):
    row = f"- rolearn: {arn('Node')}\n  username: {username}\n  groups: ['system:nodes', dev]\n"
    assert principals(auth(mapRoles=row)) == {}


def test_a_whole_account_is_mapped_to_arns_without_groups():
    named_by_arn = binding("me", "Role/tokens", user(arn("web")))
    mapped = principals(auth(mapAccounts=f"- '{ACCOUNT}'\n"), named_by_arn)
    assert {(item.user, item.groups) for item in mapped.values()} == {(arn("web"), ())}
    assert ("User", arn("web")) in listed(*GOOD, auth(mapAccounts=f"- '{ACCOUNT}'\n"), named_by_arn, mode="CONFIG_MAP")


@pytest.mark.parametrize(("written", "maps"), [("012345678901", False), ("'012345678901'", True), ("[012345678901]", False)])
def test_an_account_number_that_lost_its_zero_maps_nobody(written, maps):
    theirs = iam_role(trust("system:serviceaccount:shop:web")) | {"Arn": "arn:aws:iam::012345678901:role/web"}
    text = f"- {written}\n" if "[" not in written else written
    assert bool(principals(auth(mapAccounts=text), roles=(theirs,))) is maps
    assert bool(effects(mapAccounts=text)) is not maps


def effects(**data):
    """(row, line) of the rows that count for nobody."""
    import yaml

    text = yaml.safe_dump(auth(**data), default_style="|", sort_keys=False)
    files = documents(*GOOD, mode="CONFIG_MAP") | {"aws-auth.yaml": text}
    memory = {name: value.encode() if isinstance(value, str) else json.dumps(value).encode() for name, value in files.items()}
    found = load((), memory=memory)
    rows = [row for auth_map in found.inventory.auth_maps for row in rows_without_effect(auth_map)]
    lines = text.splitlines()
    return [(name, lines[found.documents.locate(place).line - 1].strip()) for name, _, place in rows]


@pytest.mark.parametrize(
    "wrong",
    [
        f"arn:aws:iam::{ACCOUNT}:group/dev",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Ci/me",
        f"arn:aws:iam::{ACCOUNT[:-1]}:role/Ci",
        "Ci",
        "",
    ],
)
def test_a_row_that_no_caller_matches_is_named_with_its_line(wrong):
    rows = f"- rolearn: {arn('Good')}\n  groups: [dev]\n- rolearn: '{wrong}'\n  groups: [dev]\n"
    assert effects(mapRoles=rows) == [("mapRoles[1]", f"- rolearn: '{wrong}'")]


def test_a_row_that_a_later_one_overrides_is_named():
    rows = f"- rolearn: {arn('Ci')}\n  groups: [dev]\n- rolearn: {arn('CI')}\n  groups: [ops]\n"
    assert effects(mapRoles=rows) == [("mapRoles[0]", f"- rolearn: {arn('Ci')}")]


@pytest.mark.parametrize("good", [arn("Ci"), arn("teams/ann", "user"), f"arn:aws:iam::{ACCOUNT}:root"])
def test_a_row_that_counts_is_not(good):
    assert effects(mapRoles=f"- rolearn: {good}\n") == []


@pytest.mark.parametrize(
    "row", [f"rolearn: {arn('team-*')}", 'sso: {permissionSetName: Admin, accountID: "111122223333"}\n  username: x']
)
def test_rows_of_newer_authenticators_are_unknown(row):
    assert effects(mapRoles=f"- {row}\n") == []
    assert principals(auth(mapRoles=f"- {row}\n")) == {}
    reachability = Reachability(view(*GOOD, auth(mapRoles=f"- {row}\n"), mode="CONFIG_MAP"))
    says = "if EKS takes permission sets and wildcards in aws-auth of cluster apollo: mapRoles[0]"
    assert says in {item.missing for item in open_parts(reachability, [CLUSTER])}
    assert says in {missing.missing for missing in reachability.undetermined(CLUSTER)}


@pytest.mark.parametrize("item", ["just words", "7", "[a]"])
def test_an_item_that_is_no_row_is_named_and_the_others_count(item):
    broken = auth(mapRoles=f"- {item}\n- rolearn: {arn('Ci')}\n  groups: [dev]\n")
    assert set(principals(broken)) == {arn("Ci")}
    assert "mapRoles[0] is not a row" in why_of(*GOOD, broken)


def test_groups_that_are_no_list_are_none_and_named():
    broken = auth(mapRoles=f"- rolearn: {arn('Ci')}\n  groups: dev\n")
    (only,) = principals(broken).values()
    assert only.groups == ()
    assert "`groups` of mapRoles[0] is not a list" in why_of(*GOOD, broken)


def test_the_creator_stays_administrator_whatever_a_row_gives_it():
    made = {
        "eventSource": "eks.amazonaws.com",
        "eventName": "CreateCluster",
        "userIdentity": {"type": "IAMUser", "arn": arn("ann", "user")},
        "responseElements": {"cluster": {"arn": CLUSTER}},
    }
    row = auth(mapUsers=f"- userarn: {arn('ann', 'user')}\n  groups: [dev]\n")
    (ann,) = principals(row, mode="CONFIG_MAP", **{"event.json": made}).values()
    assert (ann.mapped_by, ann.groups) == ("creator", ("system:masters",))
    assert principals(row, mode="API", **{"event.json": made}) == {}


@pytest.mark.parametrize("mode", ["API", "API_AND_CONFIG_MAP", "CONFIG_MAP", ""])
def test_the_mode_decides_which_of_both_counts(mode):
    row = f"- rolearn: {arn('Map')}\n  groups: [dev]\n- rolearn: {arn('Both')}\n  groups: [old]\n"
    entries = {
        f"{name}.json": {
            "accessEntry": {"clusterName": "apollo", "principalArn": arn(name), "type": "STANDARD", "kubernetesGroups": ["new"]}
        }
        for name in ("Entry", "Both")
    }
    mapped = principals(auth(mapRoles=row), mode=mode, **entries)
    groups = {name.rpartition("/")[2]: item.groups for name, item in mapped.items()}
    of_map, of_entries = {"Map": ("dev",), "Both": ("old",)}, {"Entry": ("new",), "Both": ("new",)}
    assert (
        groups
        == {
            "API": of_entries,
            "CONFIG_MAP": of_map,
            "API_AND_CONFIG_MAP": of_map | of_entries,
            "": of_map | of_entries,
        }[mode]
    )


def test_a_cluster_without_mode_lacks_it():
    missing = list(open_parts(Reachability(view(*GOOD, mode="")), [CLUSTER]))
    assert [(item.missing, item.how) for item in missing] == [
        ("authentication mode of cluster apollo", "aws eks describe-cluster --name apollo --output json > cluster-apollo.json")
    ]


def test_the_creator_of_a_cluster_without_entries_is_system_masters():
    import msgspec

    read = inventory(*GOOD, mode="CONFIG_MAP")
    clusters = tuple(msgspec.structs.replace(item, creator=arn("Founder")) for item in read.clusters)
    reachability = Reachability(View(msgspec.structs.replace(read, clusters=clusters)))
    (founder,) = reachability.graph.clusters[CLUSTER].principals
    assert (founder.arn, founder.mapped_by, founder.groups) == (arn("Founder"), "creator", ("system:masters",))


# ---- user names of access entries


@pytest.mark.parametrize(
    ("username", "name", "fits"),
    [
        ("", f"arn:aws:sts::{ACCOUNT}:assumed-role/Ci/somebody", True),
        ("ci:{{SessionName}}", "ci:build-7", True),
        ("ci:{{SessionNameRaw}}", "ci:ann@example.com", True),
        ("ci:{{SessionName}}", "ops:build-7", False),
        ("ci:{{SessionName}}", "ci:", False),
        ("{{AccountID}}", ACCOUNT, True),
    ],
)
def test_a_user_name_with_a_session_is_a_pattern(username, name, fits):
    from irsa_doctor.authorisation.principals import fits_pattern

    entry = {"clusterName": "apollo", "principalArn": arn("teams/Ci"), "type": "STANDARD", "username": username}
    (principal,) = principals(mode="API", **{"entry.json": {"accessEntry": entry}}).values()
    assert principal.plain_user == ""
    assert fits_pattern(principal.user, name) is fits


def test_a_hostile_pattern_costs_no_more_than_another():
    from irsa_doctor.authorisation.principals import fits_pattern

    assert not fits_pattern("{{SessionName}}" * 60 + "!", "a" * 900)
    assert fits_pattern("{{SessionName}}" * 60, "a" * 900)


@pytest.mark.parametrize(("group", "reaches"), [("team-{{SessionName}}", True), ("other-{{SessionName}}", False)])
def test_a_group_of_aws_auth_may_be_a_pattern_too(group, reaches):
    row = auth(mapRoles=f"- rolearn: {arn('Ci')}\n  username: ci\n  groups: ['{group}']\n")
    objects = (GOOD[0], binding("b", "Role/tokens", user("nobody"), {"apiGroup": RBAC, "kind": "Group", "name": "team-red"}))
    reachability = Reachability(view(*objects, row, mode="CONFIG_MAP"))
    listed_ones = {(entry.identity.name, entry.sure) for entry in reachability.listed(ROLE)}
    assert ((arn("Ci"), False) in listed_ones) is reaches
    assert group not in {name for name, _ in listed_ones}


@pytest.mark.parametrize("username", ["system:kube-scheduler", "eks:admin", "aws:x"])
def test_an_entry_cannot_have_the_name_of_a_user_of_the_system(username):
    entry = {"clusterName": "apollo", "principalArn": arn("Ci"), "type": "STANDARD", "username": username}
    (principal,) = principals(mode="API", **{"entry.json": {"accessEntry": entry}}).values()
    assert principal.user == f"arn:aws:sts::{ACCOUNT}:assumed-role/Ci/{{{{SessionName}}}}"


def test_a_principal_that_is_mapped_to_a_service_account_stands_behind_it():
    row = auth(mapRoles=f"- rolearn: {arn('Ci')}\n  username: system:serviceaccount:shop:ci\n")
    reachability = Reachability(view(GOOD[0], binding("b", "Role/tokens", account("ci")), row, mode="CONFIG_MAP"))
    writer = PathWriter(reachability, lambda place: 0)
    identity = ClusterIdentity(CLUSTER, "ServiceAccount", "ci", "shop")
    assert [item.principal for item in writer.iam(identity)] == [arn("Ci")]


@pytest.mark.parametrize(("version", "name"), [("v1alpha1", "system:authenticated"), ("v1beta1", "*"), ("v1", "*")])
def test_every_user_of_the_first_version_is_everybody_who_signed_in(version, name):
    old = binding("b", "Role/tokens", user("*")) | {"apiVersion": f"{RBAC}/{version}"}
    assert {listed_name for _, listed_name in listed(GOOD[0], old)} == {name}


def test_a_principal_whose_session_fits_a_user_reaches_what_that_user_does_possibly():
    entry = {"clusterName": "apollo", "principalArn": arn("Ci"), "type": "STANDARD", "username": "ci:{{SessionName}}"}
    policies = {"clusterName": "apollo", "principalArn": arn("Ci"), "associatedAccessPolicies": []}
    reachability = Reachability(
        view(
            GOOD[0],
            binding("b", "Role/tokens", user("ci:deploy")),
            mode="API",
            **{"entry.json": {"accessEntry": entry}, "policies.json": policies},
        )
    )
    identity = ClusterIdentity(CLUSTER, "Principal", arn("Ci"))
    (target,) = reachability.graph.arrivals(ROLE)
    ways = reachability.ways(identity, target[1])
    assert ways == {"token-request": False}
    assert identity in {entry.identity for entry in reachability.listed(ROLE)}


def test_a_long_map_is_read_whole_and_one_that_is_too_long_is_named():
    rows = "".join(f"- rolearn: {arn(f'R{number}')}\n  groups: [dev]\n" for number in range(6_000))
    assert len(principals(auth(mapRoles=rows))) == 6_000
    too_long = auth(mapRoles=rows * 4)
    assert principals(too_long) == {}
    assert "mapRoles" in why_of(*GOOD, too_long)
