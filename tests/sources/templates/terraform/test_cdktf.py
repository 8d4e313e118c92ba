"""Stacks that the CDK for Terraform has synthesized (https://developer.hashicorp.com/terraform/cdktf/concepts/cdktf-architecture)."""

import json

import pytest

from irsa_doctor.sources import load
from tests.facts.situations import found
from tests.sources.templates.made import conditions, policy_text, roles_of
from tests.sources.worlds import inventory, loaded

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"
META = {"metadata": {"path": "shop/app", "uniqueId": "app_A1B2C3D4"}}
HEAD = {
    "//": {"metadata": {"backend": "local", "stackName": "shop", "version": "0.20.0"}, "outputs": {"shop": {}}},
    "provider": {"aws": [{"region": "eu-west-1"}]},
    "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.0.0"}}},
}
PROVIDER = {
    "aws_iam_openid_connect_provider": {
        "oidc": {"//": META, "client_id_list": ["sts.amazonaws.com"], "url": f"https://{ISSUER}"},
    }
}
OPEN = [{"test": "StringLike", "values": ["system:serviceaccount:*"], "variable": f"{ISSUER}:sub"}]


def with_documents(condition):
    """A policy document and its role, as DataAwsIamPolicyDocument and IamRole give them."""
    document = {
        "//": META,
        "statement": [
            {
                "actions": ["sts:AssumeRoleWithWebIdentity"],
                "condition": condition,
                "principals": [{"identifiers": ["${aws_iam_openid_connect_provider.oidc.arn}"], "type": "Federated"}],
            }
        ],
    }
    role = {"//": META, "assume_role_policy": "${data.aws_iam_policy_document.trust.json}", "name": "app"}
    return {
        **HEAD,
        "data": {"aws_iam_policy_document": {"trust": document}},
        "resource": {**PROVIDER, "aws_iam_role": {"app_A1B2C3D4": role}},
    }


def with_text(subject):
    """A role whose policy is JSON.stringify of an object with tokens in it, or Fn.jsonencode of one."""
    policy = {
        "Statement": [
            {
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringLike": {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}},
                "Effect": "Allow",
                "Principal": {"Federated": "${aws_iam_openid_connect_provider.oidc.arn}"},
            }
        ],
        "Version": "2012-10-17",
    }
    return {**HEAD, "resource": {**PROVIDER, "aws_iam_role": {"app": {"//": META, "assume_role_policy": json.dumps(policy)}}}}


def with_function(subject):
    value = (
        '${jsonencode({"Version" = "2012-10-17", "Statement" = [{"Effect" = "Allow", '
        '"Action" = "sts:AssumeRoleWithWebIdentity", "Principal" = {"Federated" = aws_iam_openid_connect_provider.oidc.arn}, '
        f'"Condition" = {{"StringLike" = {{"{ISSUER}:sub" = "{subject}", "{ISSUER}:aud" = "sts.amazonaws.com"}}}}}}]}})}}'
    )
    return {**HEAD, "resource": {**PROVIDER, "aws_iam_role": {"app": {"//": META, "assume_role_policy": value}}}}


PATHS = ["cdk.tf.json", "cdktf.out/stacks/shop/cdk.tf.json"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "stack", [with_documents(OPEN), with_text("system:serviceaccount:*"), with_function("system:serviceaccount:*")]
)
@pytest.mark.parametrize("indent", [None, 2])
def test_an_open_role_of_a_stack_is_found(path, stack, indent):
    documents = {path: json.dumps(stack, indent=indent)}
    assert "open-sub-star" in {rule for rule, _ in found(documents)}
    made = inventory(documents)
    assert (len(made.roles), len(made.providers) + len(made.planned_providers)) == (1, 1)


@pytest.mark.parametrize("stack", [with_text("system:serviceaccount:a:b"), with_function("system:serviceaccount:a:b")])
def test_a_right_role_of_a_stack_is_right(stack):
    assert found({PATHS[1]: json.dumps(stack)}) == set()


def test_a_part_of_a_policy_is_found_in_the_text_of_the_stack():
    given = loaded({PATHS[0]: json.dumps(with_documents(OPEN), indent=2)})
    (role,) = given.inventory.roles
    key = f"{ISSUER}:sub"
    assert policy_text(given, role, "Statement", 0, "Condition", "StringLike", key) == '"system:serviceaccount:*"'


def test_service_accounts_and_associations_of_a_stack_are_joined_to_their_roles():
    stack = with_text("system:serviceaccount:shop:api")
    stack["resource"]["kubernetes_service_account"] = {
        "api": {
            "metadata": {
                "annotations": {"eks.amazonaws.com/role-arn": "${aws_iam_role.app.arn}"},
                "name": "web",
                "namespace": "shop",
            }
        }
    }
    stack["resource"]["aws_eks_pod_identity_association"] = {
        "x": {"cluster_name": "shop", "namespace": "n", "role_arn": "${aws_iam_role.app.arn}", "service_account": "s"}
    }
    rules = {rule for rule, _ in found({PATHS[0]: json.dumps(stack)})}
    assert {"trust-sub-mismatch", "trust-irsa-only-for-pod-identity"} <= rules


def test_iterators_and_conditions_of_a_stack_are_read_as_terraform_has_them():
    stack = with_text("system:serviceaccount:${each.value}:api")
    stack["resource"]["aws_iam_role"]["app"]["for_each"] = '${toset(["a", "b"])}'
    made = roles_of({PATHS[0]: json.dumps(stack)})
    assert {address: conditions(role)["StringLike"][f"{ISSUER}:sub"] for address, role in made.items()} == {
        'aws_iam_role.app["a"]': "system:serviceaccount:a:api",
        'aws_iam_role.app["b"]': "system:serviceaccount:b:api",
    }


def test_stacks_of_one_folder_are_modules_of_their_own(tmp_path):
    for name in ("one", "two"):
        folder = tmp_path / "cdktf.out" / "stacks" / name
        folder.mkdir(parents=True)
        (folder / "cdk.tf.json").write_text(json.dumps(with_documents(OPEN)))
    (tmp_path / "cdktf.json").write_text('{"language": "typescript", "app": "npx ts-node main.ts"}')
    (tmp_path / "cdktf.out" / "manifest.json").write_text('{"version": "0.20.0", "stacks": {}}')
    given = load([str(tmp_path)]).inventory
    assert len({role.id for role in given.roles}) == 2
    assert {row.status for row in given.documents if row.path.endswith("cdk.tf.json")} == {"read"}
