"""Policies of templates as people write them, one text for each form."""

import json

ARN = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/5E0A1B2C3D4F60718293A4B5C6D7E8F9"
ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/5E0A1B2C3D4F60718293A4B5C6D7E8F9"


def encoded(condition: str, principal: str = "var.provider_arn") -> str:
    """A role whose policy is jsonencode of an object; `condition` and `principal` are expressions."""
    return f"""resource "aws_iam_role" "app" {{
  name = "app"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = {principal} }}
      Condition = {condition}
    }}]
  }})
}}
"""


def heredoc(condition: str, principal: str = "${var.provider_arn}") -> str:
    """A role whose policy is a heredoc; `condition` is the JSON of the Condition."""
    return f"""resource "aws_iam_role" "app" {{
  name               = "app"
  assume_role_policy = <<-EOT
    {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
      "Principal": {{"Federated": "{principal}"}}, "Condition": {condition}}}]}}
  EOT
}}
"""


def blocks(conditions: str, principal: str = "var.provider_arn") -> str:
    """A role whose policy is an aws_iam_policy_document; `conditions` are blocks of its statement."""
    return f"""data "aws_iam_policy_document" "trust" {{
  statement {{
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {{
      type        = "Federated"
      identifiers = [{principal}]
    }}
    {conditions}
  }}
}}
resource "aws_iam_role" "app" {{
  name               = "app"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}}
"""


def condition_block(test: str, key: str, values: str) -> str:
    """A condition block of which each part is an expression."""
    return f"condition {{\n test = {test}\n variable = {key}\n values = {values}\n }}"


def bare(condition: object, principal: str = "${provider_arn}") -> str:
    """The JSON of a bare policy with placeholders."""
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": principal},
    }
    if condition is not None:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def stack(condition: str, principal: str = '!Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/${Issuer}"') -> str:
    """A CloudFormation template with a role; `condition` is YAML in one line."""
    return f"""AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Issuer: {{Type: String}}
  Kind: {{Type: String}}
Conditions:
  Narrow: !Equals [!Ref Kind, narrow]
Resources:
  Keys:
    Type: Custom::Keys
    Properties: {{ServiceToken: !ImportValue keys}}
  App:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: sts:AssumeRoleWithWebIdentity
            Principal: {{Federated: {principal}}}
            Condition: {condition}
"""
