# Long: one table, a sample for every reader
"""What the fuzzer breaks: a sample for every reader, and how each is read."""

import copy
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from irsa_doctor import api
from irsa_doctor.governance.baseline import read_baseline
from irsa_doctor.governance.settings import read_settings
from irsa_doctor.model.errors import IrsaDoctorError
from irsa_doctor.rulebook.files import read_rule_file
from irsa_doctor.sources.live.kubeconfig import connections

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
ARN = "arn:aws:iam::111122223333:role/app"
SECRET = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YTpiIn0.c2VjcmV0LXNpZ25hdHVyZS1vZi0zMg"
"""a token that no output may repeat"""
POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "a",
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:a:b", f"{ISSUER}:aud": ["sts.amazonaws.com"]},
                "StringLike": {"aws:RequestTag/a": "*"},
            },
        },
        {"Effect": "Deny", "Principal": {"AWS": "*"}, "NotAction": ["sts:TagSession"], "Condition": {"Bool": {"a:b": True}}},
        {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
    ],
}
TEXT = json.dumps(POLICY)


def _object(api_version: str, kind: str, spec: Any = None, **more: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "b", "namespace": "a"}, "spec": spec or {}, **more}


_POD = {
    "serviceAccountName": "b",
    "automountServiceAccountToken": True,
    "containers": [
        {
            "name": "c",
            "image": "i",
            "env": [{"name": "AWS_ROLE_ARN", "value": ARN}, {"name": "X", "valueFrom": {"secretKeyRef": {"name": "s"}}}],
            "volumeMounts": [{"name": "t", "mountPath": "/var/run/secrets/eks.amazonaws.com/serviceaccount"}],
        }
    ],
    "volumes": [
        {
            "name": "t",
            "projected": {"sources": [{"serviceAccountToken": {"audience": "sts.amazonaws.com", "expirationSeconds": 86400}}]},
        }
    ],
}
_NAMED = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::Sub": "${A}-r"}, "AssumeRolePolicyDocument": POLICY}}
_PLANNED = {
    "address": "aws_iam_role.r",
    "mode": "managed",
    "type": "aws_iam_role",
    "name": "r",
    "values": {"name": "r", "assume_role_policy": TEXT, "arn": ARN},
}
EVENT = {
    "eventVersion": "1.08",
    "eventSource": "sts.amazonaws.com",
    "eventName": "AssumeRoleWithWebIdentity",
    "eventTime": "2026-01-01T00:00:00Z",
    "awsRegion": "eu-west-1",
    "errorCode": "AccessDenied",
    "errorMessage": "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    "userIdentity": {"type": "WebIdentityUser", "principalId": f"{PROVIDER}:sts.amazonaws.com:system:serviceaccount:a:b"},
    "requestParameters": {"roleArn": ARN, "roleSessionName": "s"},
    "responseElements": {"credentials": {"sessionToken": SECRET, "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}},
}
CLAIMS = {
    "iss": f"https://{ISSUER}",
    "sub": "system:serviceaccount:a:b",
    "aud": ["sts.amazonaws.com"],
    "exp": 1900000000,
    "iat": 1700000000,
    "kubernetes.io": {"namespace": "a", "serviceaccount": {"name": "b"}, "pod": {"name": "p"}},
}
_COMPOSITION = {
    "compositeTypeRef": {"apiVersion": "x/v1", "kind": "X"},
    "resources": [
        {
            "name": "role",
            "base": _object("iam.aws.upbound.io/v1beta1", "Role", {"forProvider": {"assumeRolePolicy": TEXT}}),
            "patches": [
                {
                    "fromFieldPath": "spec.x",
                    "toFieldPath": "spec.forProvider.assumeRolePolicy",
                    "transforms": [{"type": "string", "string": {"fmt": "%s"}}],
                }
            ],
        }
    ],
}
DOCUMENTS: Mapping[str, Any] = {
    "policy": POLICY,
    "get-role": {"Role": {"RoleName": "app", "Arn": ARN, "RoleId": "A", "Tags": [], "AssumeRolePolicyDocument": POLICY}},
    "list-roles": {"Roles": [{"RoleName": "app", "Arn": ARN, "AssumeRolePolicyDocument": TEXT}], "IsTruncated": False},
    "authorization": {
        "RoleDetailList": [
            {
                "RoleName": "app",
                "Arn": ARN,
                "AssumeRolePolicyDocument": POLICY,
                "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": POLICY}],
                "AttachedManagedPolicies": [{"PolicyName": "p", "PolicyArn": "arn:aws:iam::aws:policy/p"}],
            }
        ],
        "Policies": [],
    },
    "provider": {"Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": ["9" * 40], "Arn": PROVIDER},
    "providers": {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]},
    "cluster": {
        "cluster": {
            "name": "c",
            "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/c",
            "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
            "version": "1.31",
            "accessConfig": {},
        }
    },
    "clusters": {"clusters": ["c"]},
    "associations": {"associations": [{"clusterName": "c", "namespace": "a", "serviceAccount": "b", "associationId": "a-1"}]},
    "association": {
        "association": {
            "clusterName": "c",
            "namespace": "a",
            "serviceAccount": "b",
            "roleArn": ARN,
            "associationId": "a-1",
            "policy": TEXT,
            "targetRoleArn": ARN,
        }
    },
    "discovery": {
        "issuer": f"https://{ISSUER}",
        "jwks_uri": f"https://{ISSUER}/keys",
        "id_token_signing_alg_values_supported": ["RS256"],
        "subject_types_supported": ["public"],
        "response_types_supported": ["id_token"],
    },
    "keys": {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": "AQAB", "e": "AQAB"}]},
    "service-account": _object(
        "v1", "ServiceAccount", metadata={"name": "b", "namespace": "a", "annotations": {"eks.amazonaws.com/role-arn": ARN}}
    ),
    "list": {"apiVersion": "v1", "kind": "List", "items": [_object("v1", "ServiceAccount"), _object("v1", "Pod", _POD)]},
    "pod": _object("v1", "Pod", _POD, status={"phase": "Running", "containerStatuses": [{"name": "c"}]}),
    "deployment": _object("apps/v1", "Deployment", {"template": {"metadata": {"labels": {"a": "b"}}, "spec": _POD}}),
    "cron-job": _object("batch/v1", "CronJob", {"jobTemplate": {"spec": {"template": {"spec": _POD}}}}),
    "webhook": _object(
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        webhooks=[
            {"name": "pod-identity-webhook.amazonaws.com", "failurePolicy": "Ignore", "rules": [{"resources": ["pods"]}]}
        ],
    ),
    "config-map": _object("v1", "ConfigMap", data={"mapRoles": "- rolearn: x\n"}),
    "kustomization": _object("kustomize.config.k8s.io/v1beta1", "Kustomization", resources=["a.yaml"], namePrefix="x-"),
    "eksctl": {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "c", "region": "eu-west-1"},
        "iam": {
            "withOIDC": True,
            "serviceAccounts": [
                {"metadata": {"name": "b", "namespace": "a"}, "attachPolicyARNs": ["arn:aws:iam::aws:policy/x"]}
            ],
            "podIdentityAssociations": [{"namespace": "a", "serviceAccountName": "b", "roleARN": ARN}],
        },
        "addons": [{"name": "vpc-cni", "attachPolicyARNs": ["x"], "serviceAccountRoleARN": ARN}],
    },
    "cloudformation": {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": ["AWS::LanguageExtensions"],
        "Parameters": {"A": {"Type": "String", "Default": "x", "AllowedValues": ["x", "y"]}},
        "Mappings": {"M": {"a": {"b": "c"}}},
        "Conditions": {"C": {"Fn::Equals": [{"Ref": "A"}, "x"]}},
        "Resources": {
            "R": {**_NAMED, "Condition": "C"},
            "Q": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Fn::If": ["C", POLICY, {"Ref": "A"}]}},
            },
            "P": {
                "Type": "AWS::IAM::OIDCProvider",
                "Properties": {"Url": {"Fn::GetAtt": ["K", "OpenIdConnectIssuerUrl"]}, "ClientIdList": ["sts.amazonaws.com"]},
            },
            "K": {"Type": "AWS::EKS::Cluster", "Properties": {"Name": {"Fn::FindInMap": ["M", "a", "b"]}}},
            "Fn::ForEach::L": ["V", ["a", "b"], {"R${V}": _NAMED}],
        },
        "Outputs": {"O": {"Value": {"Fn::Join": ["", ["a", {"Fn::Select": [0, {"Fn::Split": [",", "a,b"]}]}]]}}},
    },
    "cloudformation-parameters": [{"ParameterKey": "A", "ParameterValue": "x"}],
    "plan": {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": [_PLANNED], "child_modules": [{"address": "module.m"}]}},
        "resource_changes": [
            {**_PLANNED, "change": {"actions": ["create"], "after": _PLANNED["values"], "after_unknown": {"arn": True}}}
        ],
        "configuration": {
            "root_module": {
                "resources": [
                    {"address": "aws_iam_role.r", "expressions": {"assume_role_policy": {"references": ["data.x.y.json"]}}}
                ]
            }
        },
        "variables": {"v": {"value": "x"}},
    },
    "state": {
        "version": 4,
        "terraform_version": "1.9.0",
        "resources": [
            {
                "mode": "managed",
                "type": "aws_iam_role",
                "name": "r",
                "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
                "instances": [{"index_key": 0, "attributes": _PLANNED["values"]}],
            }
        ],
    },
    "pulumi-state": {
        "version": 3,
        "deployment": {
            "manifest": {},
            "resources": [
                {
                    "urn": "urn:pulumi:dev::shop::aws:iam/role:Role::r",
                    "type": "aws:iam/role:Role",
                    "inputs": {"assumeRolePolicy": TEXT},
                    "outputs": {"arn": ARN},
                }
            ],
        },
    },
    "pulumi-program": {
        "name": "shop",
        "runtime": "yaml",
        "variables": {"v": {"fn::toJSON": POLICY}},
        "resources": {"r": {"type": "aws:iam:Role", "properties": {"assumeRolePolicy": {"fn::toJSON": POLICY}}}},
    },
    "ack": _object("iam.services.k8s.aws/v1alpha1", "Role", {"name": "app", "assumeRolePolicyDocument": TEXT}),
    "crossplane": _object("iam.aws.upbound.io/v1beta1", "Role", {"forProvider": {"assumeRolePolicy": TEXT}}),
    "composition": _object("apiextensions.crossplane.io/v1", "Composition", _COMPOSITION),
    "kro": _object(
        "kro.run/v1alpha1",
        "ResourceGraphDefinition",
        {
            "schema": {"spec": {"name": "string"}},
            "resources": [{"id": "r", "template": _object("iam.services.k8s.aws/v1alpha1", "Role", {"name": "${x}"})}],
        },
    ),
    "argo": _object("argoproj.io/v1alpha1", "Application", {"source": {"helm": {"values": "a: {b: c}\n", "parameters": []}}}),
    "event": EVENT,
    "events": {"Records": [EVENT]},
    "lookup": {"Events": [{"EventName": "AssumeRoleWithWebIdentity", "CloudTrailEvent": json.dumps(EVENT)}]},
    "decoded-token": {"header": {"alg": "RS256", "kid": "1"}, "payload": CLAIMS},
    "rcp": {
        "Policy": {
            "PolicySummary": {"Id": "p-1", "Name": "r", "Type": "RESOURCE_CONTROL_POLICY"},
            "Content": json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}]}
            ),
        }
    },
    "snapshot": {
        "schema": "irsa-doctor.snapshot/1",
        "tool": {"version": "0.1.0"},
        "taken": "2026-01-01T00:00:00Z",
        "redacted": False,
        "documents": [
            {
                "path": "aws://111122223333/iam/roles/app",
                "kind": "iam-get-role",
                "origin": {"account": "111122223333"},
                "document": {"Role": {"RoleName": "app", "Arn": ARN, "AssumeRolePolicyDocument": POLICY}},
            },
            {
                "path": "kube://c/serviceaccounts",
                "kind": "kubernetes",
                "origin": {"cluster": "c", "closes": ["pods"]},
                "document": _object("v1", "ServiceAccount"),
            },
        ],
        "asked": [{"collection": "roles", "owner": "111122223333", "name": "y"}],
        "missing": [{"collection": "roles", "owner": "1", "name": "", "missing": "a", "how": "b"}],
    },
}
"""what `check` reads as JSON or YAML, by name"""

TERRAFORM = f"""\
variable "ns" {{
  type    = string
  default = "a"
}}
locals {{
  names = {{ for n in ["x", "y"] : n => upper(n) if n != "z" }}
  trust = {{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Principal = {{ Federated = "{PROVIDER}" }} }}] }}
}}
data "aws_iam_policy_document" "d" {{
  statement {{
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {{
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.p.arn]
    }}
    condition {{
      test     = "StringEquals"
      variable = "${{replace(aws_iam_openid_connect_provider.p.url, "https://", "")}}:sub"
      values   = [for n in keys(local.names) : "system:serviceaccount:${{var.ns}}:${{n}}"]
    }}
  }}
  dynamic "statement" {{
    for_each = toset(["a"])
    content {{
      sid     = statement.value
      actions = ["sts:TagSession"]
    }}
  }}
}}
resource "aws_iam_openid_connect_provider" "p" {{
  url             = "https://{ISSUER}"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = []
}}
resource "aws_iam_role" "r" {{
  count              = length(local.names) > 1 ? 2 : 0
  name               = format("r-%d", count.index)
  assume_role_policy = data.aws_iam_policy_document.d.json
}}
resource "aws_iam_role" "s" {{
  for_each           = local.names
  assume_role_policy = <<-EOT
    {{"Version": "2012-10-17", "Statement": [%{{ for a in ["x"] }}{{"Effect": "Allow"}}%{{ endfor }}]}}
  EOT
}}
module "irsa" {{
  source    = "terraform-aws-modules/iam/aws//modules/iam-role-for-service-accounts-eks"
  role_name = try(var.nothing, "x")
  oidc_providers = {{ main = {{ provider_arn = "{PROVIDER}", namespace_service_accounts = ["a:b"] }} }}
}}
"""
TERRAFORM_JSON = {
    "//": "a comment",
    "variable": {"ns": {"default": "a"}},
    "locals": {"x": "${var.ns}-y"},
    "resource": {"aws_iam_role": {"r": [{"count": 2, "name": "${local.x}", "assume_role_policy": "${jsonencode(local.x)}"}]}},
    "module": {"m": {"source": "./m"}},
    "output": {"o": {"value": 1}},
}
SETTINGS = """\
exclude = ["a/**"]
fail-on = "high"
select = ["open-*"]
account = "111122223333"
complete = ["pods"]
[severity]
open-sub-star = "critical"
[roles]
"arn:aws:iam::111122223333:role/app" = "a.json"
[clusters]
"c" = "a"
[[waivers]]
rule = "open-sub-star"
subject = "x"
owner = "o"
reason = "r"
expires = 2030-01-01
"""
BASELINE = {
    "schema": "irsa-doctor.baseline/1",
    "findings": [
        {
            "rule": "open-sub-star",
            "subject": f"{ARN}#0",
            "fingerprint": "0" * 32,
            "severity": "high",
            "confidence": "high",
            "reach": "0" * 64,
            "admits": {"patterns": ["*"]},
        }
    ],
}
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "x",
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "a"}}],
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9", "certificate-authority-data": "LS0t"}}],
    "users": [
        {
            "name": "u",
            "user": {"token": SECRET, "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/nowhere/x"}},
        }
    ],
}
MESSAGES = """\
2026-01-01T00:00:00Z ERROR An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized
WebIdentityErr: failed to retrieve credentials caused by: InvalidIdentityToken: Incorrect token audience status code: 400
{"level":"error","msg":"operation error STS: AssumeRoleWithWebIdentity, https response error StatusCode: 403"}
software.amazon.awssdk.services.sts.model.StsException: No OpenIDConnect provider found in your account for https://x
"""
REQUESTS = {
    "id": "1",
    "policy": POLICY,
    "request": {"account": "111122223333", "issuer": ISSUER, "context": {f"{ISSUER}:sub": ["a"], f"{ISSUER}:aud": ["b"]}},
}


def _rule_text() -> str:
    from irsa_doctor.rulebook.files import rules_folder

    return (rules_folder() / "trust" / "policy-too-complex.yaml").read_text(encoding="utf-8")


def read_settings_of(path: Path) -> None:
    """Settings, with waivers, and a run under them."""
    settings = read_settings(path)
    api.check([str(path.parent / "good.json")], settings=settings)


def read_rule(path: Path) -> None:
    """A private rule, under the name that it has."""
    named = path.with_name("policy-too-complex.yaml")
    named.write_bytes(path.read_bytes())
    try:
        read_rule_file(named)
    finally:
        named.unlink()


def read_token(path: Path) -> str:
    """A token, as `why --token` takes it."""
    return _why(api.read_symptoms(token=str(path)))


def read_event(path: Path) -> str:
    """A log of CloudTrail."""
    return _why(api.read_symptoms(event=str(path)))


def read_messages(path: Path) -> str:
    """A log with messages."""
    return _why(api.read_symptoms(error=f"@{path}"))


def _why(symptoms: api.Symptoms) -> str:
    diagnosis = api.why("a/b", (), symptoms=symptoms, now=1_750_000_000.0)
    return "".join(api.render_why(diagnosis, name, api.Style()) for name in ("text", "json"))


def read_kubeconfig(path: Path) -> None:
    """A kubeconfig, without a call to its servers."""
    connections((), str(path))


def read_requests_of(path: Path) -> str:
    """Requests of `simulate --requests`, as both formats answer them: the mask is at the output."""
    answers = list(api.simulate_lines(api.read_requests(str(path))))
    return "\n".join(api.render_simulations(answers, name) for name in ("json", "text"))


READERS: Mapping[str, tuple[Any, str, Callable[[Path], Any]]] = {
    "settings": (SETTINGS, ".toml", read_settings_of),
    "baseline": (BASELINE, ".json", lambda path: read_baseline(str(path))),
    "rule": (_rule_text(), ".yaml", read_rule),
    "token": (SECRET, ".txt", read_token),
    "claims": ({"header": {"alg": "RS256"}, "payload": CLAIMS}, ".json", read_token),
    "cloudtrail": ({"Records": [EVENT, EVENT]}, ".json", read_event),
    "messages": (MESSAGES, ".log", read_messages),
    "kubeconfig": (KUBECONFIG, ".yaml", read_kubeconfig),
    "requests": (REQUESTS, ".jsonl", read_requests_of),
}
"""what other flags than the paths of `check` read: a sample, the ending of the file, and how it is read"""
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**400,
    float("inf"),
    "",
    "\u0000",
    "\ud800",
    "\x1b[31m\u202e",
    "x" * 70_000,
    [],
    {},
    [[]],
    [None],
    {"": None},
    "*",
    "${",
    "${a}",
    "0x1",
    "1e400",
    "=cmd",
    "::error::x",
    "##[error]x",
    SECRET,
    {"Fn::Sub": ["${a}", {"a": "b"}]},
    {"Ref": "x"},
    {"Fn::If": []},
    {"Fn::GetAtt": "a.b"},
    POLICY,
    TEXT,
    "arn:aws:iam::111122223333:role/",
    "system:serviceaccount:" + "*?" * 30,
]
"""what a value of a sample is replaced by"""


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything in a sample."""
    places: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container)) if isinstance(container, list) else ()
        for key in keys:
            places.append((container, key))
            waiting.append(container[key])
    return places


def with_values(sample: Any, draw: random.Random) -> Any:
    """A copy of a sample in which some values, or their names, are others, are gone, or are there twice."""
    copied = copy.deepcopy(sample)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        places = places_in(copied)
        if not places:
            break
        container, key = draw.choice(places)
        way = draw.randrange(10)
        if way < 6:
            container[key] = copy.deepcopy(draw.choice(VALUES))
        elif way == 6 and isinstance(container, dict):
            container[str(draw.choice(VALUES))] = container.pop(key)
        elif way == 7:
            value = container[key]
            container[key] = copy.deepcopy(draw.choice(([value], {"a": value}, [value] * 3)))
        elif way == 8:
            other, name = draw.choice(places)
            container[key] = copy.deepcopy(other[name])
        else:
            del container[key]
    return copied


def written(value: Any, draw: random.Random) -> tuple[str, bytes]:
    """The ending and the bytes of a value as JSON or YAML, on one line or on many."""
    if draw.random() < 0.6:
        text = json.dumps(value, indent=draw.choice((None, 1)), ensure_ascii=draw.random() < 0.5)
        return ".json", text.encode(errors="surrogatepass")
    try:
        text = yaml.safe_dump(value, default_flow_style=draw.choice((True, False)), allow_unicode=True)
    except (UnicodeError, yaml.YAMLError):
        text = json.dumps(value)
    return ".yaml", text.encode(errors="surrogatepass")


Expected = IrsaDoctorError
"""what a reader may raise: an error that is meant for the caller"""
