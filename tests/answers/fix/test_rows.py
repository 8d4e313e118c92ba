"""Each row of the table of fixes: the edit that it has where the source is written by people, and its reason elsewhere."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from irsa_doctor import api
from irsa_doctor.answers.check.examples import base_world, documents_of, named, patched
from irsa_doctor.rulebook.files import read_rule_file, rules_folder

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
AUDIENCE = "sts.amazonaws.com"
CLUSTER_ARN = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"
CLUSTER = {"cluster": {"name": "shop", "arn": CLUSTER_ARN, "identity": {"oidc": {"issuer": f"https://{ISSUER}"}}}}


def fixed(folder: Path, documents: dict[str, Any], *, unsafe: bool = True, base: tuple[str, ...] = ()) -> Any:
    """The answer of `fix` about documents."""
    for name, content in documents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = Path.cwd()
    os.chdir(folder)
    try:
        return api.fix(["."] if not base else ["src"], settings=api.Settings(), unsafe=unsafe, base=base).fixing
    finally:
        os.chdir(before)


def example(rule: str, number: int = 0) -> dict[str, bytes]:
    """The documents of an example of a rule."""
    path = next(rules_folder().rglob(f"{rule}.yaml"))
    return documents_of(named(patched(base_world(), read_rule_file(path).examples.bad[number].patch)))


KUBERNETES = {
    "two-sas-one-annotation": ["role/checkout"],
    "stale-aws-iam-token-volume": [""],
    "mount-name-collision": ["", ""],
    "token-path-relative": [""],
    "token-wrong-file": [""],
    "token-copied-subpath": ["/tokens/token/token", ""],
    "podid-aud-token-to-sts": [""],
    "token-file-missing": [""],
    "sts-global-blocked": ["regional"],
    "sts-wrong-custom-endpoint": [""],
    "session-name-invalid": [""],
}


@pytest.mark.parametrize("rule", KUBERNETES)
def test_an_object_of_kubernetes_is_edited_where_unsafe_fixes_are_made(tmp_path: Path, rule: str) -> None:
    fixing = fixed(tmp_path, example(rule))
    fix = next(fix for fix in fixing.fixes if fix.rule == rule)
    assert fix.applied
    assert fix.safety == "unsafe"
    assert len(fix.edits) == len(KUBERNETES[rule])
    assert all(edit.new.endswith(text) for edit, text in zip(fix.edits, KUBERNETES[rule], strict=True))
    assert rule not in {left.rule for left in fixing.remaining}


@pytest.mark.parametrize("rule", KUBERNETES)
def test_without_unsafe_fixes_it_is_only_offered(tmp_path: Path, rule: str) -> None:
    fixing = fixed(tmp_path, example(rule), unsafe=False)
    assert [fix.applied for fix in fixing.fixes if fix.rule == rule] == [False]
    assert not fixing.after


@pytest.mark.parametrize("rule", ["mount-missing", "token-file-perm-denied", "region-missing"])
def test_a_pod_as_the_api_server_holds_it_is_no_source(tmp_path: Path, rule: str) -> None:
    unfixed = next(each for each in fixed(tmp_path, example(rule)).unfixed if each.rule == rule)
    assert unfixed.reason == "not-in-source"
    assert unfixed.how


COMMANDS = {
    "oidc-provider-stale-cluster": "aws iam update-assume-role-policy",
    "trust-principal-provider-deleted": "aws iam create-open-id-connect-provider",
    "oidc-provider-missing": "eksctl utils associate-iam-oidc-provider",
    "oidc-provider-other-account": "aws iam create-open-id-connect-provider",
    "trust-irsa-only-for-pod-identity": "aws iam update-assume-role-policy",
    "podid-tagsession": "aws iam update-assume-role-policy",
    "aud-china-suffix": "aws iam add-client-id-to-open-id-connect-provider",
}


@pytest.mark.parametrize("rule", COMMANDS)
def test_what_is_an_answer_of_aws_gets_a_command(tmp_path: Path, rule: str) -> None:
    fixing = fixed(tmp_path, example(rule))
    commands = [command for command in fixing.commands if command.rule == rule]
    assert commands[0].shell.startswith(COMMANDS[rule])
    assert commands[0].safety == "unsafe"
    assert [each.reason for each in fixing.unfixed if each.rule == rule] == ["not-in-source"]


def recorded(policy: Any) -> dict[str, Any]:
    """Answers and records that have the trust policy of a role as an object."""
    properties = {"RoleName": "app", "AssumeRolePolicyDocument": policy}
    arn = "arn:aws:iam::111122223333:role/app"
    return {
        "get-template": {"TemplateBody": {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}},
        "inventory": {"rows": [{"arn": arn, "assume_role_policy": policy}]},
        "item": {"configurationItem": {"resourceType": "AWS::IAM::Role", "arn": arn, "configuration": properties}},
    }


@pytest.mark.parametrize("kind", recorded({}))
def test_a_policy_in_a_record_is_not_edited(tmp_path: Path, kind: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"https://{ISSUER}:sub": "system:serviceaccount:a:b", f"{ISSUER}:aud": "sts.amazonaws.com"}
        },
    }
    content = json.dumps(recorded({"Version": "2012-10-17", "Statement": [statement]})[kind])
    fixing = fixed(tmp_path, {"answer.json": content})
    assert [(each.rule, each.reason) for each in fixing.unfixed] == [("trust-key-has-scheme", "not-in-source")]
    assert (tmp_path / "answer.json").read_text() == content


REASONS = {
    "open-default-sa": "no-remedy",
    "open-multi-cluster": "no-remedy",
    "trust-session-name-required": "no-remedy",
    "trust-requestedregion": "no-remedy",
    "trust-wrong-document": "no-remedy",
    "trust-size-limit": "no-remedy",
    "policy-contested": "no-remedy",
    "role-arn-is-policy-arn": "no-remedy",
    "annotation-drift": "no-remedy",
    "podid-wins": "no-remedy",
}


@pytest.mark.parametrize("rule", REASONS)
def test_what_takes_a_decision_says_so(tmp_path: Path, rule: str) -> None:
    unfixed = [each for each in fixed(tmp_path, example(rule)).unfixed if each.rule == rule]
    assert {each.reason for each in unfixed} == {REASONS[rule]}
    assert all(each.how for each in unfixed)


RESTARTS = {
    "annotation-drift": "kubectl",
    "pod-older-than-annotation": "kubectl",
    "webhook-cache-race": "kubectl",
    "podid-wins": "aws eks delete-pod-identity-association --region eu-west-1 --cluster-name prod --association-id a-1",
}


def with_id(documents: dict[str, bytes]) -> dict[str, bytes]:
    """The documents with an id of the association in them, as AWS answers."""
    name, ident = b'"serviceAccount":"checkout"', b'"associationId":"a-1"'
    return {path: text.replace(name, name + b"," + ident) for path, text in documents.items()}


@pytest.mark.parametrize("rule", RESTARTS)
def test_what_no_source_says_is_done_by_a_command(tmp_path: Path, rule: str) -> None:
    fixing = fixed(tmp_path, with_id(example(rule)))
    assert [each.reason for each in fixing.unfixed if each.rule == rule] == ["no-remedy"]
    commands = [command.shell for command in fixing.commands if command.rule == rule]
    assert len(commands) == 1
    assert commands[0].startswith(RESTARTS[rule])


def test_a_command_that_may_do_harm_is_a_comment(tmp_path: Path) -> None:
    fixing = fixed(tmp_path, with_id(example("podid-wins")), unsafe=False)
    assert [command.shell[:6] for command in fixing.commands if command.rule == "podid-wins"] == ["# aws "]


# ---- resources


def role(issuer_account: str = "111122223333") -> str:
    provider = PROVIDER.replace("111122223333", issuer_account)
    return f"""resource "aws_iam_role" "cart" {{
  name = "cart"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "{provider}" }}
      Condition = {{
        StringEquals = {{
          "{ISSUER}:sub" = "system:serviceaccount:shop:cart"
          "{ISSUER}:aud" = "sts.amazonaws.com"
        }}
      }}
    }}]
  }})
}}
"""


TEMPLATE = f"""Resources:
  Cart:
    Type: AWS::IAM::Role
    Properties:
      RoleName: cart
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              Federated: {PROVIDER}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                {ISSUER}:sub: system:serviceaccount:shop:cart
                {ISSUER}:aud: sts.amazonaws.com
Outputs:
  Arn: {{Value: !GetAtt Cart.Arn}}
"""
LIVE = {
    "live/cluster.json": json.dumps(CLUSTER),
    "live/providers.json": '{"OpenIDConnectProviderList": []}',
    "live/roles.json": json.dumps(
        {
            "Roles": [
                {
                    "RoleName": "x",
                    "Arn": "arn:aws:iam::111122223333:role/x",
                    "AssumeRolePolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
                        ],
                    },
                }
            ]
        }
    ),
}


def test_a_provider_that_is_missing_is_added_behind_the_roles_of_a_configuration(tmp_path: Path) -> None:
    fixing = fixed(tmp_path, {"src/main.tf": role(), **LIVE}, base=("live",))
    block = f'resource "aws_iam_openid_connect_provider" "shop" {{\n  url            = "https://{ISSUER}"\n'
    more = block + '  client_id_list = ["sts.amazonaws.com"]\n}\n'
    assert fixing.after["src/main.tf"].decode() == f"{role()}\n{more}"
    assert next(fix.rule for fix in fixing.fixes if fix.applied) == "trust-principal-provider-deleted"


def test_a_provider_that_is_missing_is_added_to_the_resources_of_a_template(tmp_path: Path) -> None:
    fixing = fixed(tmp_path, {"src/template.yaml": TEMPLATE, **LIVE}, base=("live",))
    resource = f"""  ShopOidcProvider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://{ISSUER}
      ClientIdList:
        - sts.amazonaws.com
Outputs:
"""
    assert fixing.after["src/template.yaml"].decode() == TEMPLATE.replace("Outputs:\n", resource)


# ---- resource control policies

RCP = f"""{{
  "Version": "2012-10-17",
  "Statement": [
    {{
      "Effect": "Deny",
      "Principal": "*",
      "Action": ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"],
      "Resource": "*",
      "Condition": {{
        "Null": {{
          "{ISSUER.replace("0123", "AAAA")}:sub": "true"
        }}
      }}
    }}
  ]
}}
"""
LISTED = {"OpenIDConnectProviderArn": PROVIDER, "Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"]}


def test_an_issuer_joins_those_that_the_text_of_a_resource_control_policy_lets_past(tmp_path: Path) -> None:
    documents = {"rcp.json": RCP, "provider.json": json.dumps(LISTED), "cluster.json": json.dumps(CLUSTER)}
    fixing = fixed(tmp_path, documents)
    new = f'"true",\n          "{ISSUER}:sub": "true"\n'
    assert fixing.after["rcp.json"].decode() == RCP.replace('"true"\n', new)


def test_the_call_of_pods_leaves_a_statement_that_asks_for_an_organization(tmp_path: Path) -> None:
    start, end = RCP.index('        "Null"'), RCP.index("      }\n    }")
    text = f'{RCP[:start]}        "StringNotEqualsIfExists": {{"aws:PrincipalOrgID": "o-1"}}\n{RCP[end:]}'
    fixing = fixed(tmp_path, {"rcp.json": text})
    assert fixing.after["rcp.json"].decode() == text.replace(', "sts:AssumeRoleWithWebIdentity"', "")
    alone = text.replace('["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"]', '"sts:*"')
    assert [each.reason for each in fixed(tmp_path, {"rcp.json": alone}).unfixed] == ["not-in-source"]


# ---- bare policies, whose findings are about all of their statements


def bare(*statements: tuple[str, str, str]) -> str:
    """A policy with statements of (operator, scheme, service account)."""
    listed = [
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                operator: {
                    f"{scheme}{ISSUER}:sub": f"system:serviceaccount:shop:{name}",
                    f"{scheme}{ISSUER}:aud": "sts.amazonaws.com",
                }
            },
        }
        for operator, scheme, name in statements
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": listed}, indent=2)


ALL, PLAIN, SCHEME = "ForAllValues:StringEquals", "StringEquals", "https://"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (bare((PLAIN, SCHEME, "a"), (ALL, "", "b")), bare((PLAIN, "", "a"), (PLAIN, "", "b"))),
        (bare((ALL, "", "a"), (PLAIN, SCHEME, "b")), bare((PLAIN, "", "a"), (PLAIN, "", "b"))),
        (bare((PLAIN, SCHEME, "a"), (PLAIN, SCHEME, "b")), bare((PLAIN, "", "a"), (PLAIN, "", "b"))),
        (bare((ALL, "", "a"), (ALL, "", "b"), (PLAIN, "", "c")), bare((PLAIN, "", "a"), (PLAIN, "", "b"), (PLAIN, "", "c"))),
    ],
)
def test_slips_in_several_statements_of_a_policy_are_all_put_right(tmp_path: Path, before: str, after: str) -> None:
    fixing = fixed(tmp_path, {"trust.json": before}, unsafe=False)
    assert fixing.after["trust.json"].decode() == after
    assert all(fix.applied for fix in fixing.fixes)


def test_a_slip_that_is_not_selected_stays(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text(bare((PLAIN, SCHEME, "a"), (ALL, "", "b")), encoding="utf-8")
    settings = api.Settings(select=("trust-key-has-scheme",))
    fixing = api.fix([str(tmp_path)], settings=settings).fixing
    assert next(iter(fixing.after.values())).decode() == bare((PLAIN, "", "a"), (ALL, "", "b"))
