"""What people paste into the playground: documents of the worlds, made ones, and messages."""

import json
from pathlib import Path
from typing import Any, NamedTuple

WORLDS = Path(__file__).resolve().parent.parent.parent / "fixtures" / "worlds"
_EKS = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
_GITHUB = "token.actions.githubusercontent.com"
_ROLE = "arn:aws:iam::111122223333:role/invoices"


class Pasted(NamedTuple):
    """The three fields of the page."""

    documents: str
    role: str = ""
    error: str = ""


def _policy(provider: str, condition: dict[str, Any], **members: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{provider}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
        **members,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def _eks(operator: str, subject: str, audience: str = "sts.amazonaws.com") -> dict[str, Any]:
    return {
        operator: {f"{_EKS}:sub": subject},
        "StringEquals" if operator != "StringEquals" else "StringLike": {f"{_EKS}:aud": audience},
    }


def _account(
    name: str = "invoices", namespace: str = "billing", arn: str = _ROLE, key: str = "eks.amazonaws.com/role-arn"
) -> str:
    annotations = f"  annotations:\n    {key}: {arn}\n" if key else ""
    return f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: {namespace}\n{annotations}"


_POD = """apiVersion: v1
kind: Pod
metadata:
  name: invoices-7d9f
  namespace: billing
spec:
  serviceAccountName: invoices
  containers:
    - name: app
      image: example.com/app:1
"""
_STACK = """Resources:
  Invoices:
    Type: AWS::IAM::Role
    Properties:
      RoleName: invoices
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB12"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringLike:
                "oidc.eks.eu-west-1.amazonaws.com/id/AB12:sub": "system:serviceaccount:billing:*"
"""
_EXACT = _eks("StringEquals", "system:serviceaccount:billing:invoices")
_POLICIES = {
    "exact": _policy(_EKS, _EXACT),
    "every-account": _policy(_EKS, _eks("StringLike", "system:serviceaccount:*")),
    "namespace": _policy(_EKS, _eks("StringLike", "system:serviceaccount:billing:*")),
    "open-namespace": _policy(_EKS, _eks("StringLike", "system:serviceaccount:billing*")),
    "star-under-equals": _policy(_EKS, _eks("StringEquals", "system:serviceaccount:billing:*")),
    "no-condition": _policy(_EKS, {}),
    "audience-alone": _policy(_EKS, {"StringEquals": {f"{_EKS}:aud": "sts.amazonaws.com"}}),
    "subject-alone": _policy(_EKS, {"StringEquals": {f"{_EKS}:sub": "system:serviceaccount:billing:invoices"}}),
    "other-audience": _policy(_EKS, _eks("StringEquals", "system:serviceaccount:billing:invoices", "sts.amazonaws.com.cn")),
    "key-with-arn": _policy(_EKS, {"StringEquals": {f"arn:aws:iam::111122223333:oidc-provider/{_EKS}:sub": "x"}}),
    "wrong-action": _policy(_EKS, _EXACT, Action="sts:AssumeRole"),
    "if-exists": _policy(_EKS, {"StringLikeIfExists": {f"{_EKS}:sub": "system:serviceaccount:billing:invoices"}}),
    "not-equals": _policy(_EKS, {"StringNotEquals": {f"{_EKS}:sub": "system:serviceaccount:kube-system:default"}}),
    "resource": _policy(_EKS, _EXACT, Resource="*"),
    "github-any": _policy(_GITHUB, {"StringEquals": {f"{_GITHUB}:aud": "sts.amazonaws.com"}}),
    "github-organisation": _policy(
        _GITHUB, {"StringEquals": {f"{_GITHUB}:aud": "sts.amazonaws.com"}, "StringLike": {f"{_GITHUB}:sub": "repo:acme/*"}}
    ),
    "pods": json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            },
        }
    ),
    "anybody": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}',
    "permissions": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}',
}
_OF_CLUSTER = {
    "account": _account(),
    "account-without-role": _account(key=""),
    "account-misspelt-key": _account(key="eks.amazonaws.com/role_arn"),
    "account-bad-arn": _account(arn="arn:aws:iam::1111:role/invoices"),
    "account-and-pod": f"{_account()}---\n{_POD}",
    "pod": _POD,
    "stack": _STACK,
    "markup": _account(name="'<img src=x onerror=alert(1)>'", arn="<script>alert(1)</script>"),
    "terminal": _account(arn='"\\e[31m\\u202eevil"'),
}
_CALL = "when calling the AssumeRoleWithWebIdentity operation"
_MESSAGES = {
    "denied": f"An error occurred (AccessDenied) {_CALL}: Not authorized to perform sts:AssumeRoleWithWebIdentity",
    "no-provider": f"An error occurred (InvalidIdentityToken) {_CALL}: No OpenIDConnect provider found in your account for https://{_EKS}",
    "audience": f"An error occurred (InvalidIdentityToken) {_CALL}: Incorrect token audience",
    "expired": f"An error occurred (ExpiredTokenException) {_CALL}: Token expired: current date/time 1700000000 "
    "must be before the expiration date/time 1600000000",
    "no-credentials": "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
    "go": "operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 403, RequestID: 1, api error "
    "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
    "node-role": "User: arn:aws:sts::111122223333:assumed-role/node-role/i-0123456789abcdef0 is not authorized to perform: "
    "s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action",
    "token-file": "WebIdentityErr: failed to read token file "
    '"/var/run/secrets/eks.amazonaws.com/serviceaccount/token": permission denied',
    "not-one": "hello",
}
_TOGETHER = {
    "policy-and-account": Pasted(f"{_POLICIES['namespace']}\n---\n{_account()}", _ROLE),
    "policy-and-other-account": Pasted(f"{_POLICIES['exact']}\n---\n{_account(name='invoice')}", _ROLE),
    "policy-account-message": Pasted(f"{_POLICIES['exact']}\n---\n{_account()}", _ROLE, _MESSAGES["denied"]),
    "account-and-message": Pasted(_account(), "", _MESSAGES["no-provider"]),
    "two-accounts-and-message": Pasted(f"{_account()}---\n{_account(name='refunds')}", "", _MESSAGES["denied"]),
    "message-alone": Pasted("", "", _MESSAGES["audience"]),
    "policy-with-role": Pasted(_POLICIES["audience-alone"], _ROLE),
}
_FAULTY = {
    "json-cut": '{"Version": "2012-10-17", "Statement": [',
    "json-twice": '{"Version": "2012-10-17", "Version": "2008-10-17", "Statement": []}',
    "yaml-cut": "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: invoices\n  annotations: {a: b\n",
    "yaml-indent": "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n   name: invoices\n  namespace: billing\n",
    "helm": "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ .Values.name }}\n  namespace: billing\n",
}
_OF_WORLDS = (
    *(
        "kiosk/cloudformation/roles.yaml",
        "kiosk/native/account-authorization-details.json",
        "kiosk/native/serviceaccounts.yaml",
    ),
    *(
        "kiosk/plan/plan.json",
        "kiosk/eksctl/cluster.yaml",
        "healthy/account-authorization-details.json",
        "healthy/market/pods.yaml",
    ),
    *("healthy/policies/checkout.json", "healthy/market/serviceaccounts.yaml", "shop/account-authorization-details.json"),
    *("shop/policies/returns.json", "shop/shop/serviceaccounts.yaml", "shop/shop/pods.yaml", "shop/oidc-provider.json"),
)

DOCUMENTS: dict[str, Pasted] = {
    **{name: Pasted(text) for name, text in {**_POLICIES, **_OF_CLUSTER, **_FAULTY}.items()},
    **{f"message-{name}": Pasted(text) for name, text in _MESSAGES.items()},
    **_TOGETHER,
    **{name: Pasted((WORLDS / name).read_text(encoding="utf-8")) for name in _OF_WORLDS},
}
"""name -> what is pasted"""
