"""Outputs of nested stacks: what one stack makes, another is given, by the template around them."""

import pytest

from tests.facts.situations import found
from tests.sources.templates.made import ISSUER, conditions, federated, roles_of
from tests.sources.worlds import inventory

HEAD = "AWSTemplateFormatVersion: '2010-09-09'\n"
CLUSTER = f"""{HEAD}Parameters: {{Issuer: {{Type: String, Default: {ISSUER}}}}}
Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties: {{Url: !Sub 'https://${{Issuer}}', ClientIdList: [sts.amazonaws.com]}}
Outputs:
  Arn: {{Value: !Ref Provider}}
  Everyone: {{Value: 'system:serviceaccount:*:*'}}
  Issuer: {{Value: !Ref Issuer}}
  Unknown: {{Value: !GetAtt Elsewhere.Id}}
"""
STATEMENT = f"""        Version: '2012-10-17'
        Statement:
        - Effect: Allow
          Principal: {{Federated: PROVIDER}}
          Action: sts:AssumeRoleWithWebIdentity
          Condition:
            StringLike: {{'{ISSUER}:sub': SUBJECT, '{ISSUER}:aud': sts.amazonaws.com}}
"""


def role(provider, subject):
    policy = STATEMENT.replace("PROVIDER", provider).replace("SUBJECT", subject)
    return f"  App:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument:\n{policy}"


def stack(name, url, **parameters):
    given = ", ".join(f"{key}: {value}" for key, value in parameters.items())
    return f"  {name}:\n    Type: AWS::CloudFormation::Stack\n    Properties: {{TemplateURL: {url}, Parameters: {{{given}}}}}\n"


ROLES = f"{HEAD}Parameters: {{Provider: {{Type: String}}, Subject: {{Type: String}}}}\nResources:\n" + role(
    "!Ref Provider", "!Ref Subject"
)


@pytest.mark.parametrize(
    "reference",
    [
        "!GetAtt Base.Outputs.{}",
        "{{'Fn::GetAtt': [Base, Outputs.{}]}}",
        "{{'Fn::GetAtt': Base.Outputs.{}}}",
        "!Sub '${{Base.Outputs.{}}}'",
    ],
)
def test_a_role_beside_a_stack_takes_the_outputs_of_it(reference):
    main = f"{HEAD}Resources:\n{stack('Base', 'cluster.yaml')}" + role(reference.format("Arn"), reference.format("Everyone"))
    files = {"main.yaml": main, "cluster.yaml": CLUSTER}
    (made,) = roles_of(files).values()
    assert federated(made).endswith(f":oidc-provider/{ISSUER}")
    assert ("open-sub-star", "main.yaml: App#0") in found(files)


@pytest.mark.parametrize("order", [0, 1])
def test_a_stack_is_given_outputs_of_another_one(order):
    stacks = [
        stack("Base", "cluster.yaml"),
        stack("Roles", "roles.yaml", Provider="!GetAtt Base.Outputs.Arn", Subject="!GetAtt Base.Outputs.Everyone"),
    ]
    main = f"{HEAD}Resources:\n{stacks[order]}{stacks[1 - order]}"
    files = {"main.yaml": main, "cluster.yaml": CLUSTER, "roles.yaml": ROLES}
    (made,) = roles_of(files).values()
    assert federated(made).endswith(f":oidc-provider/{ISSUER}")
    assert ("open-sub-star", "roles.yaml: App#0") in found(files)


def test_an_output_is_worked_out_with_the_parameters_of_its_stack():
    other = ISSUER.replace("AAAA", "BBBB")
    main = f"{HEAD}Resources:\n{stack('Base', 'cluster.yaml', Issuer=other)}" + role("!GetAtt Base.Outputs.Arn", "a")
    (made,) = roles_of({"main.yaml": main, "cluster.yaml": CLUSTER}).values()
    assert federated(made).endswith(f":oidc-provider/{other}")


def test_an_output_of_a_stack_in_a_stack_is_passed_on():
    middle = f"{HEAD}Resources:\n{stack('Deep', 'cluster.yaml')}Outputs:\n  Subject: {{Value: !GetAtt Deep.Outputs.Everyone}}\n"
    main = f"{HEAD}Resources:\n{stack('Middle', 'middle.yaml')}" + role("'arn:x'", "!GetAtt Middle.Outputs.Subject")
    (made,) = roles_of({"main.yaml": main, "middle.yaml": middle, "cluster.yaml": CLUSTER}).values()
    assert conditions(made)["StringLike"][f"{ISSUER}:sub"] == "system:serviceaccount:*:*"


@pytest.mark.parametrize("output", ["Missing", "Unknown", "Issuer.More"])
def test_an_output_that_is_not_known_is_a_hole_of_its_name(output):
    main = f"{HEAD}Resources:\n{stack('Base', 'cluster.yaml')}" + role("'arn:x'", f"!GetAtt Base.Outputs.{output}")
    (made,) = roles_of({"main.yaml": main, "cluster.yaml": CLUSTER}).values()
    assert conditions(made)["StringLike"][f"{ISSUER}:sub"] == f"${{Base.Outputs.{output}}}"


def test_stacks_that_take_outputs_of_each_other_end():
    def around(other):
        value = f"!GetAtt {other}.Outputs.B"
        return f"{HEAD}Resources:\n{stack(other, f'{other}.yaml', A=value)}Outputs: {{B: {{Value: {value}}}}}\n"

    one, two = around("two"), around("one")
    assert not [row for row in inventory({"one.yaml": one, "two.yaml": two}).documents if row.status == "unreadable"]


@pytest.mark.parametrize("value", ["${Provider}", "${Provider.Arn}"])
def test_an_arn_with_the_arn_of_a_provider_in_it_is_none(value):
    provider = CLUSTER.partition("Resources:\n")[2].partition("Outputs:")[0]
    arn = f"!Sub 'arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:oidc-provider/{value}'"
    main = f"{HEAD}Parameters: {{Issuer: {{Type: String, Default: {ISSUER}}}}}\nResources:\n{provider}"
    files = {"main.yaml": main + role(arn, "system:serviceaccount:a:b")}
    assert {rule for rule, subject in found(files) if subject.startswith("main.yaml: App")} == {"trust-principal-wrong-arn"}
