import json

import pytest

from irsa_doctor.model import Unknown, text_of
from tests.sources.templates.made import ISSUER, PROVIDER, conditions, federated, policy_text, roles_of, row_of, statement
from tests.sources.worlds import inventory, loaded, policy

ROLE_ARN = "arn:aws:iam::111122223333:role/app"


def resource(kind, name, values, module="", index=None, mode="managed"):
    prefix = "data." if mode == "data" else ""
    address = f"{module}{prefix}{kind}.{name}" + ("" if index is None else f"[{json.dumps(index)}]")
    return {"address": address, "mode": mode, "type": kind, "name": name, "values": values}


def change(kind, name, after, unknown, module="", index=None, mode="managed"):
    made = resource(kind, name, {}, module, index, mode)
    return {**made, "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": unknown}}


def plan(resources=(), changes=(), configuration=(), modules=(), prior=(), calls=None):
    root = {"resources": list(resources), "child_modules": list(modules)}
    given = {
        "format_version": "1.2",
        "terraform_version": "1.9.5",
        "planned_values": {"root_module": root},
        "resource_changes": list(changes),
        "configuration": {"root_module": {"resources": list(configuration), "module_calls": calls or {}}},
    }
    if prior:
        given["prior_state"] = {"values": {"root_module": {"resources": list(prior)}}}
    return given


def configured(address, **expressions):
    return {"address": address, "expressions": expressions}


def deferred(principal, count=1, **options):
    """A role whose policy is a data source that waits for an OIDC provider."""
    condition = {"test": "StringEquals", "variable": f"{ISSUER}:sub", "values": ["system:serviceaccount:prod:app"]}
    block = {
        "effect": None,
        "actions": ["sts:AssumeRoleWithWebIdentity"],
        "principals": [{"type": "Federated", "identifiers": [None]}],
        "condition": [condition],
    }
    unknown = {"statement": [{"principals": [{"identifiers": [True]}]}], "json": True}
    data = change("aws_iam_policy_document", "trust", {"statement": [block], "version": None}, unknown, mode="data")
    role = change("aws_iam_role", "app", {"name": "app"}, {"assume_role_policy": True, "arn": True})
    expressions = {"statement": [{"principals": [{"identifiers": {"references": [f"{principal}.arn", principal]}}]}] * count}
    configuration = [
        configured("aws_iam_role.app", assume_role_policy={"references": ["data.aws_iam_policy_document.trust.json"]}),
        configured("data.aws_iam_policy_document.trust", **expressions),
    ]
    resources = [resource("aws_iam_role", "app", {"name": "app"}), *options.pop("resources", ())]
    return plan(resources, [role, data], configuration, **options)


def test_planned_values_of_modules_counts_and_keys_have_their_addresses():
    text = json.dumps(policy())
    inner = {"resources": [resource("aws_iam_role", "this", {"assume_role_policy": text}, 'module.irsa["a"].')]}
    planned = plan(
        [
            resource("aws_iam_role", "app", {"assume_role_policy": text}, index=0),
            resource("aws_iam_role", "each", {"assume_role_policy": text}, index="blue"),
        ],
        modules=[{"address": 'module.irsa["a"]', **inner}],
    )
    roles = roles_of({"plan.json": planned})
    assert set(roles) == {"aws_iam_role.app[0]", 'aws_iam_role.each["blue"]', 'module.irsa["a"].aws_iam_role.this'}
    assert all(federated(role) == PROVIDER for role in roles.values())


def test_a_policy_known_after_apply_is_made_of_what_is_known():
    provider = "aws_iam_openid_connect_provider.eks"
    values = {"url": f"https://{ISSUER}", "client_id_list": ["sts.amazonaws.com"]}
    known = resource("aws_iam_openid_connect_provider", "eks", values)
    role = roles_of({"plan.json": deferred(provider, resources=[known])})["aws_iam_role.app"]
    assert federated(role) == f"arn:${{partition of {provider}.arn}}:iam::${{account of {provider}.arn}}:oidc-provider/{ISSUER}"
    assert conditions(role) == {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:prod:app"}}
    assert statement(role)["Effect"] == "Allow"


def test_a_provider_of_another_configuration_is_a_hole_by_its_name():
    role = roles_of({"plan.json": deferred("data.aws_iam_openid_connect_provider.eks")})["aws_iam_role.app"]
    assert federated(role) == "${data.aws_iam_openid_connect_provider.eks.arn}"


def test_places_of_a_policy_made_of_arguments_are_the_arguments():
    given = loaded({"plan.json": deferred("aws_iam_openid_connect_provider.eks")})
    (role,) = given.inventory.roles
    at = ("Statement", 0, "Condition", "StringEquals", f"{ISSUER}:sub")
    assert policy_text(given, role, *at).startswith(('"system:serviceaccount:prod:app"', "["))


def test_a_role_that_refers_to_nothing_known_is_unknown():
    planned = plan(
        [resource("aws_iam_role", "app", {"name": "app"})],
        [change("aws_iam_role", "app", {"name": "app"}, {"assume_role_policy": True})],
    )
    (role,) = roles_of({"plan.json": planned}).values()
    assert isinstance(role.policy, Unknown)
    assert "known after apply" in role.policy.missing


def test_what_is_destroyed_is_not_there():
    gone = change("aws_iam_role", "old", None, {})
    row = row_of(inventory({"plan.json": plan([], [gone])}), "plan.json")
    assert (row.status, row.kind) == ("ignored", "terraform")


STATE_ROLE = {"arn": ROLE_ARN, "name": "app", "assume_role_policy": json.dumps(policy()), "max_session_duration": 3600}


def state_v4(*resources):
    return {
        "version": 4,
        "terraform_version": "1.9.5",
        "serial": 1,
        "lineage": "x",
        "outputs": {},
        "resources": list(resources),
    }


def in_state(kind, name, *instances, module=None):
    written = {"mode": "managed", "type": kind, "name": name, "instances": list(instances)}
    return {"module": module, **written} if module else written


def test_a_state_file_and_show_json_of_it_give_the_same_roles():
    state = state_v4(in_state("aws_iam_role", "app", {"attributes": STATE_ROLE, "index_key": "x"}, module="module.irsa"))
    shown_role = resource("aws_iam_role", "app", STATE_ROLE, "module.irsa.", "x")
    shown = {"terraform_version": "1.9.5", "values": {"root_module": {"child_modules": [{"resources": [shown_role]}]}}}
    (one,), (other,) = (inventory({"a.json": document}).roles for document in (state, shown))
    assert (one.arn, one.address, one.account) == (other.arn, other.address, other.account)
    assert one.address == 'module.irsa.aws_iam_role.app["x"]'
    assert statement(one) == statement(other)


def test_providers_clusters_and_service_accounts_of_a_state_join():
    cluster_arn = "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
    cluster = {"arn": cluster_arn, "name": "prod", "identity": [{"oidc": [{"issuer": f"https://{ISSUER}"}]}], "version": "1.33"}
    provider = {"arn": PROVIDER, "url": ISSUER, "client_id_list": ["sts.amazonaws.com"], "thumbprint_list": []}
    account = {"metadata": [{"name": "app", "namespace": "prod", "annotations": {"eks.amazonaws.com/role-arn": ROLE_ARN}}]}
    link = {"cluster_name": "prod", "namespace": "prod", "service_account": "web", "role_arn": ROLE_ARN}
    given = inventory(
        {
            "terraform.tfstate": state_v4(
                in_state("aws_iam_role", "app", {"attributes": STATE_ROLE}),
                in_state("aws_eks_cluster", "this", {"attributes": cluster}),
                in_state("aws_iam_openid_connect_provider", "eks", {"attributes": provider}),
                in_state("kubernetes_service_account", "app", {"attributes": account}),
                in_state("kubernetes_service_account_v1", "more", {"attributes": {"metadata": [{"name": "more"}]}}),
                in_state("aws_eks_pod_identity_association", "web", {"attributes": link}),
            )
        }
    )
    assert [one.issuer for one in given.clusters] == [ISSUER]
    assert [(one.arn, one.client_ids, one.thumbprints) for one in given.providers] == [(PROVIDER, ("sts.amazonaws.com",), ())]
    assert [(one.cluster, one.namespace, one.name) for one in given.service_accounts] == [
        (cluster_arn, "prod", "app"),
        (cluster_arn, "default", "more"),
    ]
    assert [(one.cluster, one.service_account, one.role_arn) for one in given.associations] == [(cluster_arn, "web", ROLE_ARN)]


def test_an_annotation_known_after_apply_names_the_role_that_is_made():
    account = resource("kubernetes_service_account_v1", "app", {"metadata": [{"name": "app", "namespace": "prod"}]})
    unknown = {"metadata": [{"annotations": {"eks.amazonaws.com/role-arn": True}}]}
    changes = [change("kubernetes_service_account_v1", "app", {}, unknown)]
    (found,) = inventory({"plan.json": plan([account], changes)}).service_accounts
    assert text_of(found.annotations["eks.amazonaws.com/role-arn"]).startswith("${kubernetes_service_account_v1.app.")
    assert found.template


def test_places_in_a_policy_that_is_a_text_are_the_text():
    given = loaded({"plan.json": plan([resource("aws_iam_role", "app", {"assume_role_policy": json.dumps(policy())})])})
    (role,) = given.inventory.roles
    assert policy_text(given, role, "Statement", 0).startswith('"{')


def test_a_policy_that_is_no_json_is_a_flaw_at_its_text():
    broken = resource("aws_iam_role", "app", {"assume_role_policy": '{"Version": }'})
    (role,) = inventory({"plan.json": plan([broken])}).roles
    assert role.policy.flaws
    assert "line 1, column 13 of the policy's text" in role.policy.flaws[0].message


@pytest.mark.parametrize(
    "wrong",
    [
        {"planned_values": []},
        {"planned_values": {"root_module": {"resources": [5, None, {"values": 3}]}}},
        {"planned_values": {"root_module": {"resources": "x", "child_modules": 7}}},
        {"resource_changes": {"a": 1}},
        {"configuration": [], "prior_state": 5},
    ],
)
def test_a_plan_of_a_wrong_shape_is_no_crash(wrong):
    given = inventory({"plan.json": {**plan(), **wrong}})
    assert len(given.documents) == 1


def test_modules_inside_modules_without_end_are_left():
    module = {}
    for _ in range(45):
        module = {"child_modules": [module], "resources": [resource("aws_iam_role", "x", {"assume_role_policy": "{}"})]}
    given = inventory({"plan.json": {**plan(), "planned_values": {"root_module": module}}})
    assert 0 < len(given.roles) < 45
