import json
import re

import jsonschema
import pytest
import yaml
from botocore.session import get_session

from irsa_doctor.sources.live import LiveOptions, Plan, Target, take
from irsa_doctor.sources.live.operations import AWS, KUBERNETES, allowed
from irsa_doctor.sources.live.permissions import COMMANDS, cluster_role, iam_policy
from tests.cli.running import run
from tests.servers.world import account_of, cluster_of
from tests.sources.live.test_snapshot import WORLDS

PLANS = {
    "check": [Plan("check")],
    "collect": [Plan("collect")],
    "why": [
        Plan("why"),
        Plan("why", target=Target("storefront", "checkout")),
        Plan("why", target=Target("storefront", "nobody")),
        Plan("why", target=Target("storefront", "checkout-7d9c", kind="Pod")),
    ],
    "who-can": [Plan("who-can", roles=("shop-checkout",), everything=False)],
    "reach": [Plan("reach")],
}


def actions(policy):
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def called(command, world, monkeypatch, tmp_path):
    """The actions and the (verb, path) that a command really uses."""
    folder = WORLDS / world
    with account_of(folder) as aws, cluster_of(folder) as kubernetes:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        aws.organization = True
        aws.parents = {aws.account: ["r-root"]}
        aws.policies = {"p-1": (aws.account, "{}")}
        with_target_roles(aws)
        for plan in PLANS[command]:
            take(plan, LiveOptions(aws=True, kube=True, kubeconfig=kubernetes.kubeconfig(tmp_path)))
        used = {f"{service}:{operation}" for service, operation, _ in aws.calls}
        return used, {path.partition("?")[0] for path in kubernetes.calls}


def with_target_roles(aws):
    """Gives every association a target role, and its role a policy of each sort."""
    managed = f"arn:aws:iam::{aws.account}:policy/chain"
    aws.managed[managed] = {"Version": "2012-10-17", "Statement": []}
    cluster = next(iter(aws.clusters))
    names = {"clusterName": cluster, "namespace": "storefront", "serviceAccount": "checkout", "associationId": "a-9"}
    role = next(iter(aws.roles.values()))
    aws.addons[cluster] = [{"addonName": "eks-pod-identity-agent", "clusterName": cluster}]
    aws.entries[cluster] = [{"clusterName": cluster, "principalArn": role["Arn"], "type": "STANDARD"}]
    aws.node_groups[cluster] = [{"nodegroupName": "main", "clusterName": cluster, "nodeRole": role["Arn"]}]
    listed = aws.associations.setdefault(cluster, [])
    listed += [{**names, "associationArn": "arn:made-up", "roleArn": role["Arn"]}]
    for association in listed:
        association["targetRoleArn"] = "arn:aws:iam::444455556666:role/shared"
        role = next((role for role in aws.roles.values() if role["Arn"] == association["roleArn"]), role)
        role["RolePolicyList"] = [{"PolicyName": "one", "PolicyDocument": aws.managed[managed]}]
        role["AttachedManagedPolicies"] = [{"PolicyArn": managed}]


@pytest.mark.parametrize("world", ["healthy", "shop"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_calls_nothing_but_what_its_permissions_name(command, world, monkeypatch, tmp_path):
    used, paths = called(command, world, monkeypatch, tmp_path)
    assert used - actions(iam_policy([command])) <= {"sts:GetCallerIdentity"}
    rules = cluster_role([command], "x")["rules"]
    for path in paths:
        assert any(covers(rule, path) for rule in rules), path


def covers(rule, path):
    """Whether a rule of a ClusterRole allows the GET of a path."""
    if path in rule.get("nonResourceURLs", ()):
        return "get" in rule["verbs"]
    match = re.fullmatch(
        r"/(?:api|apis/(?P<group>[^/]+))/[^/]+(?:/namespaces/[^/]+(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?", path
    )
    if not match or (match["group"] or "") not in rule.get("apiGroups", ()):
        return False
    is_named = not rule.get("resourceNames") or match["name"] in rule["resourceNames"]
    return is_named and match["plural"] in rule["resources"] and ("get" if match["name"] else "list") in rule["verbs"]


@pytest.mark.parametrize("command", ["check", "collect", "why"])
def test_every_permission_is_needed_by_some_call(command, monkeypatch, tmp_path):
    used, paths = set(), set()
    for world in ("healthy", "shop"):
        more, others = called(command, world, monkeypatch, tmp_path)
        used, paths = used | more, paths | others
    unused = actions(iam_policy([command])) - used
    assert unused <= {"cloudtrail:LookupEvents"}
    for rule in cluster_role([command], "x")["rules"]:
        assert all(
            any(plural in path for path in paths) for plural in (*rule.get("resources", ()), *rule.get("nonResourceURLs", ()))
        )


def test_every_operation_is_a_read_of_the_service():
    for operation in AWS:
        model = get_session().get_service_model(operation.service)
        assert operation.name in model.operation_names
        assert operation.name.startswith(("Get", "List", "Describe", "Lookup"))
        assert model.signing_name == operation.service


def test_nothing_that_holds_secrets_is_read():
    assert not {"serviceaccounts/token"} & {one.plural for one in KUBERNETES}
    for command in COMMANDS:
        for rule in cluster_role([command], "x")["rules"]:
            assert set(rule["verbs"]) <= {"get", "list"}
            assert "secrets" not in rule.get("resources", ())
            assert "configmaps" not in rule.get("resources", ()) or rule["resourceNames"] == ["aws-auth"]


def test_the_table_is_what_the_clients_are_guarded_by():
    for command in COMMANDS:
        guarded = {f"{service}:{name}" for service, name in allowed(command)}
        assert guarded - {"sts:GetCallerIdentity"} == actions(iam_policy([command]))


def test_the_command_prints_both(tmp_path):
    done = run("permissions", "why", cwd=tmp_path)
    assert done.returncode == 0
    assert "iam:GetRole" in done.stdout
    assert "mutatingwebhookconfigurations" in done.stdout


def test_each_can_be_piped_where_it_is_needed(tmp_path):
    policy = json.loads(run("permissions", "--aws", cwd=tmp_path).stdout)
    assert policy == iam_policy(COMMANDS)
    role = yaml.safe_load(run("permissions", "who-can", "--kube", cwd=tmp_path).stdout)
    assert role == cluster_role(["who-can"], "irsa-doctor-who-can")
    assert "serviceaccounts" in role["rules"][0]["resources"]
    assert role["rules"][0]["verbs"] == ["list"]
    secrets = yaml.safe_load(run("permissions", "reach", "--kube", "--token-secrets", cwd=tmp_path).stdout)
    assert secrets == cluster_role(["reach"], "irsa-doctor-reach", secrets=True)


def test_programs_get_both_as_json(tmp_path):
    document = json.loads(run("permissions", "check", "-f", "json", cwd=tmp_path).stdout)
    assert document["schema"] == "irsa-doctor.permissions/1"
    assert document["iam_policy"] == iam_policy(["check"])
    schema = json.loads((WORLDS.parent.parent / "irsa_doctor" / "schemas" / "permissions.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)


@pytest.mark.parametrize("arguments", [("simulate",), ("check", "-f", "xml")])
def test_a_wrong_call_is_one_line(tmp_path, arguments):
    done = run("permissions", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
