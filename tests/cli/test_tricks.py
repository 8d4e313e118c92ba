"""Tricks by which the author of a change tries to get an open role past the gate, each with its honest twin."""

import base64
import json
from pathlib import Path

import pytest

from tests.cli.gate import ACCOUNT, ISSUER, PROVIDER, cloudformation, export, gate, severe, terraform, text, trust
from tests.cli.tricks_of_tools import TRICKS_OF_TOOLS

OPEN, SAFE = export("r"), export("r", "safe")
CLUSTER_ARN = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
DESCRIBED = {"cluster": {"name": "prod", "arn": CLUSTER_ARN, "identity": {"oidc": {"issuer": f"https://{ISSUER}"}}}}
NO_PROVIDER = {"OpenIDConnectProviderList": []}
OTHER_PROVIDER = {"OpenIDConnectProviderList": [{"Arn": PROVIDER.replace("8C41", "0000")}]}
DENY_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity", "Resource": "*"}],
}


def rcp(content):
    return {"Policy": {"PolicySummary": {"Id": "p-1", "Type": "RESOURCE_CONTROL_POLICY"}, "Content": text(content)}}


def account(role, name="a", **more):
    metadata = {"name": name, "namespace": "x", "annotations": {"eks.amazonaws.com/role-arn": role}}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, **more}


def module(reach, extra=""):
    return f'module "r" {{\n  source = "{reach}"\n{extra}}}\n'


def crd(api, kind, spec):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "r", "namespace": "x"}, "spec": spec}


def ack(reach, **more):
    return crd("iam.services.k8s.aws/v1alpha1", "Role", {"name": "r", "assumeRolePolicyDocument": text(trust(reach)), **more})


def crossplane(reach):
    return crd("iam.aws.upbound.io/v1beta1", "Role", {"forProvider": {"assumeRolePolicy": text(trust(reach))}})


def awscc(policy):
    return f'resource "awscc_iam_role" "r" {{\n  role_name = "r"\n  assume_role_policy_document = {policy}\n}}\n'


def stack(body):
    return f'resource "aws_cloudformation_stack" "s" {{\n  name = "s"\n  template_body = {body}\n}}\n'


def sam(reach):
    properties = {"Handler": "a", "Runtime": "python3.12", "CodeUri": ".", "AssumeRolePolicyDocument": trust(reach)}
    made = {"F": {"Type": "AWS::Serverless::Function", "Properties": properties}}
    return cloudformation("safe", Transform="AWS::Serverless-2016-10-31") | {"Resources": made}


def for_each(reach):
    role = cloudformation(reach)["Resources"]["R"]
    role["Properties"].pop("RoleName")
    loop = {"Fn::ForEach::Roles": ["Name", ["A", "B"], {"R${Name}": role}]}
    return cloudformation("safe", Transform="AWS::LanguageExtensions") | {"Resources": loop}


def buckets():
    loop = {"Fn::ForEach::Buckets": ["Name", ["A", "B"], {"B${Name}": {"Type": "AWS::S3::Bucket"}}]}
    return cloudformation("safe", Transform="AWS::LanguageExtensions") | {"Resources": loop}


def nested(**properties):
    stack = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://example.com/t.json", **properties}}
    return cloudformation("safe") | {"Resources": {"N": stack}}


def hidden(document):
    return cloudformation("safe") | {
        "Parameters": {"P": {"Type": "String", "NoEcho": True}},
        "Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}},
    }


def value_of(expression, operator="StringLike"):
    policy = trust("safe")
    policy["Statement"][0]["Condition"] = {operator: {f"{ISSUER}:sub": "<<>>", f"{ISSUER}:aud": "sts.amazonaws.com"}}
    written = text(policy).replace('"<<>>"', expression)
    return f'resource "aws_iam_role" "r" {{\n  name = "r"\n  assume_role_policy = jsonencode({written})\n}}\n'


BACKEND = 'terraform {\n  backend "s3" {}\n}\n'
DEFAULT = 'variable "s" {\n  default = "%s"\n}\n'
STATE = 'data "terraform_remote_state" "s" {\n  backend = "s3"\n}\n'
BY_URL = 'resource "aws_cloudformation_stack" "s" {\n  name = "s"\n  template_url = "https://example.com/t.json"\n%s}\n'
RUN = 'resource "null_resource" "n" {\n  provisioner "local-exec" {\n    command = "%s"\n  }\n}\n'
ANY_KIND = 'resource "aws_cloudcontrolapi_resource" "r" {\n  type_name     = %s\n  desired_state = jsonencode({})\n}\n'
MARK = b"\xef\xbb\xbf"


def written(reach):
    return f"jsonencode({text(trust(reach))})"


def by_default(subject):
    return BACKEND + DEFAULT.replace("%s", subject) + value_of("var.s")


def too_large():
    allow, deny = trust()["Statement"][0], trust()["Statement"][0]
    wide = ["*" + "*".join(f"{n}{k}" for k in range(40)) + "*" for n in range(60)]
    allow["Condition"] = {"StringLike": {f"{ISSUER}:sub": wide}}
    deny |= {"Effect": "Deny", "Condition": {"StringLike": {f"{ISSUER}:sub": [f"{'?' * 9}*{n}*a" for n in range(60)]}}}
    return {"Role": {**OPEN["Role"], "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [allow, deny]}}}


def pulumi(resources):
    return {"name": "p", "runtime": "yaml", "resources": resources}


def patched(reach):
    change = [{"op": "replace", "path": "/spec/assumeRolePolicyDocument", "value": text(trust(reach))}]
    return {"resources": ["r.yaml"], "patches": [{"target": {"kind": "Role"}, "patch": text(change)}]}


SUBJECT = base64.b64encode(b"system:serviceaccount:x:a").decode()
GENERATE = 'generate "r" {\n  path = "r.tf"\n  if_exists = "overwrite"\n  contents = <<EOF\n%sEOF\n}\n'
SETTINGS = 'fail-on = "high"\n'
WAIVER = """
[[waivers]]
rule = "{rule}"
subject = "{subject}"
owner = "a@example.com"
reason = "known"
expires = 2999-01-01
severity = "critical"
"""
CHART = "apiVersion: v2\nname: c\nversion: 0.1.0\n"
KUSTOMIZE = "resources: [sa.yaml]\nnamePrefix: p-\n"

EVERYTHING = WAIVER.format(rule="open-sub-star", subject="*")
UP_TO_HIGH = EVERYTHING.replace('severity = "critical"\n', "")
IGNORE = "# irsa-doctor: ignore[open-sub-star] no\n"
NEVER = 'fail-on = "never"\n'

# name -> what the base has, what the trick changes, what its honest twin changes
TRICKS = {
    # documents that take something from others
    "a second description of the role": ({}, {"a.json": OPEN, "zz.json": SAFE}, {"a.json": SAFE, "zz.json": SAFE}),
    "a description that goes before": ({}, {"zz.json": OPEN, "a.json": SAFE}, {"zz.json": SAFE, "a.json": SAFE}),
    "a description beside one of the base": ({"b.json": SAFE}, {"a.json": OPEN}, {"a.json": SAFE}),
    "the role twice in one list": (
        {},
        {"a.json": {"Roles": [OPEN["Role"], SAFE["Role"]]}},
        {"a.json": {"Roles": [SAFE["Role"], SAFE["Role"]]}},
    ),
    "an open role among three": (
        {},
        {"a.json": SAFE, "b.json": OPEN, "c.json": SAFE},
        {"a.json": SAFE, "b.json": SAFE, "c.json": SAFE},
    ),
    "a list that says that there is no provider": (
        {},
        {"a.json": OPEN, "providers.json": NO_PROVIDER},
        {"a.json": SAFE},
    ),
    "a list of another provider": ({}, {"a.json": OPEN, "p.json": OTHER_PROVIDER}, {"a.json": SAFE}),
    "a provider that takes no audience": (
        {},
        {"a.json": OPEN, "p.json": {"Url": ISSUER, "ClientIDList": ["none"], "ThumbprintList": []}},
        {"a.json": SAFE, "p.json": {"Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"], "ThumbprintList": []}},
    ),
    "a guardrail over everything": ({}, {"a.json": OPEN, "rcp.json": rcp(DENY_ALL)}, {"a.json": SAFE}),
    "a list of clusters without this one": (
        {},
        {"a.json": OPEN, "c.json": {"clusters": []}},
        {"a.json": SAFE, "c.json": DESCRIBED},
    ),
    "a cluster of another issuer": (
        {},
        {"a.json": OPEN, "c.json": json.loads(text(DESCRIBED).replace("8C41", "0000"))},
        {"a.json": SAFE, "c.json": DESCRIBED},
    ),
    "a file that configuration reads and does not use": (
        {},
        {"open.json": trust(), "main.tf": 'resource "aws_s3_object" "o" {\n  content = file("${path.module}/open.json")\n}\n'},
        {"safe.json": trust("safe"), "main.tf": 'locals {\n  p = file("${path.module}/safe.json")\n}\n'},
    ),
    "a module that is called no times": (
        {},
        {"prod/main.tf": terraform("r"), "zz/main.tf": module("../prod", "  count = 0\n")},
        {"prod/main.tf": terraform("r", "safe"), "zz/main.tf": module("../prod", "  count = 0\n")},
    ),
    "a call with a better value than the default": (
        {"prod/main.tf": by_default("system:serviceaccount:x:a")},
        {"prod/main.tf": by_default("*"), "zz/main.tf": module("../prod", '  s = "system:serviceaccount:x:a"\n')},
        {"zz/main.tf": module("../prod", '  s = "system:serviceaccount:x:b"\n')},
    ),
    # folders and names that are passed over
    "a tracked file in a folder of programs": ({}, {"node_modules/x/a.json": OPEN}, {"node_modules/x/a.json": SAFE}),
    "a tracked file that is ignored": (
        {},
        {".gitignore": "a.json\n", "a.json": OPEN},
        {".gitignore": "*.out\n", "a.json": SAFE},
    ),
    "a module in a folder of programs": (
        {},
        {"main.tf": module("./.terraform/own"), ".terraform/own/m.tf": terraform("r")},
        {"main.tf": module("./.terraform/own"), ".terraform/own/m.tf": terraform("r", "safe")},
    ),
    "a chart around configuration": (
        {},
        {"c/Chart.yaml": CHART, "c/templates/main.tf": terraform("r")},
        {"c/Chart.yaml": CHART, "c/templates/main.tf": terraform("r", "safe")},
    ),
    "a chart around an export": (
        {},
        {"c/Chart.yaml": CHART, "c/templates/r.json": OPEN},
        {"c/Chart.yaml": CHART, "c/templates/sa.yaml": "metadata: {{ .Values.name }}\n"},
    ),
    "a template that is called a chart": (
        {},
        {"c/Chart.yaml": cloudformation()},
        {"c/Chart.yaml": CHART},
    ),
    "a chart around a template with a comment": (
        {},
        {"c/Chart.yaml": CHART, "c/templates/t.yaml": "# {{\n" + text(cloudformation())},
        {"c/Chart.yaml": CHART, "c/values.yaml": "a: 1\n"},
    ),
    "a role in a file without ending": ({}, {"role": OPEN}, {"role": SAFE}),
    "a role in a text file": ({}, {"notes.txt": OPEN}, {"notes.txt": SAFE}),
    "a role behind a byte order mark": (
        {},
        {"a.json": MARK + text(OPEN).encode()},
        {"a.json": MARK + text(SAFE).encode()},
    ),
    "a role in two-byte letters": ({}, {"a.json": text(OPEN).encode("utf-16")}, {"a.json": text(SAFE).encode("utf-16")}),
    # holes: policies whose reach cannot be judged
    "a role of the cloud control provider": (
        {},
        {"main.tf": awscc(written("open"))},
        {"main.tf": awscc(written("safe"))},
    ),
    "a hole in a role of the cloud control provider": (
        {},
        {"main.tf": 'variable "p" {}\n' + awscc("var.p")},
        {"main.tf": awscc(written("safe"))},
    ),
    "a stack in configuration": (
        {},
        {"main.tf": stack(f"jsonencode({text(cloudformation())})")},
        {"main.tf": stack(f"jsonencode({text(cloudformation('safe') | {'Resources': {}})})")},
    ),
    "a stack from a bucket": (
        {},
        {"main.tf": BY_URL.replace("%s", '  capabilities = ["CAPABILITY_NAMED_IAM"]\n')},
        {"main.tf": BY_URL.replace("%s", "")},
    ),
    "a role of ACK": ({}, {"r.yaml": ack("open")}, {"r.yaml": ack("safe")}),
    "a role of Crossplane": ({}, {"r.yaml": crossplane("open")}, {"r.yaml": crossplane("safe")}),
    "a function with a policy of its own": ({}, {"t.json": sam("open")}, {"t.json": sam("safe")}),
    "roles in a loop": ({}, {"t.json": for_each("open")}, {"t.json": buckets()}),
    "a command that opens a role": (
        {},
        {"main.tf": RUN.replace("%s", "aws iam update-assume-role-policy --role-name r --policy-document file://p")},
        {"main.tf": RUN.replace("%s", "aws eks update-kubeconfig --name c")},
    ),
    "a resource whose kind is a variable": (
        {},
        {"main.tf": ANY_KIND.replace("%s", "var.kind") + 'variable "kind" {}\n'},
        {"main.tf": ANY_KIND.replace("%s", '"AWS::S3::Bucket"')},
    ),
    "a nested stack that is given a provider": (
        {},
        {"t.json": nested(Parameters={"Provider": PROVIDER, "Subject": "*"})},
        {"t.json": nested(Parameters={"Name": "b"})},
    ),
    "a macro over the template": (
        {},
        {"t.json": cloudformation("safe", Transform="MyMacro")},
        {"t.json": cloudformation("safe", Transform="AWS::Serverless-2016-10-31")},
    ),
    "a secret for a policy": ({}, {"t.json": hidden("{{resolve:ssm:/p}}")}, {"t.json": hidden(trust("safe"))}),
    "a parameter for a policy": ({}, {"t.json": hidden({"Ref": "P"})}, {"t.json": hidden(trust("safe"))}),
    "a value of another state": (
        {},
        {"main.tf": STATE + value_of("data.terraform_remote_state.s.outputs.sub")},
        {"main.tf": STATE + value_of("data.terraform_remote_state.s.outputs.sub", "StringEquals")},
    ),
    "a module that is not there": (
        {},
        {"main.tf": module("git::https://example.com/m.git", f'  oidc_provider_arn = "{PROVIDER}"\n  subject = "*"\n')},
        {"main.tf": module("git::https://example.com/m.git", '  bucket = "b"\n')},
    ),
    "a module of the registry that nobody knows": (
        {},
        {"main.tf": module("acme/irsa/aws", f'  provider_arn = "{PROVIDER}"\n  service_account = "x:*"\n')},
        {"main.tf": module("acme/bucket/aws", '  name = "b"\n')},
    ),
    "a policy that is too large to judge": ({}, {"a.json": too_large()}, {"a.json": SAFE}),
    # files that cannot be read
    "a role that is cut short": ({}, {"a.json": text(OPEN)[:-2]}, {"notes.md": text(OPEN)[:20]}),
    "a template that is no configuration": ({}, {"main.tf": terraform("r") + "}\n"}, {"main.tf": terraform("r", "safe")}),
    "a policy with a repeated member": (
        {},
        {"a.json": text(OPEN).replace('"Effect"', '"Effect": "Deny", "Effect"', 1)},
        {"a.json": text(SAFE)},
    ),
    # what other tools make of a file
    "a playbook that makes a role": (
        {},
        {"play.yml": [{"hosts": "localhost", "tasks": [{"amazon.aws.iam_role": {"assume_role_policy_document": trust()}}]}]},
        {"play.yml": [{"hosts": "localhost", "tasks": [{"amazon.aws.iam_role_info": {"name": "r"}}]}]},
    ),
    "resources of the Serverless Framework": (
        {},
        {"serverless.yml": {"service": "s", "resources": {"Resources": cloudformation()["Resources"]}}},
        {"serverless.yml": {"service": "s", "resources": {"Resources": {}}}},
    ),
    "a program of Pulumi in YAML": (
        {},
        {"Pulumi.yaml": pulumi({"r": {"type": "aws:iam:Role", "properties": {"assumeRolePolicy": trust()}}})},
        {"Pulumi.yaml": pulumi({})},
    ),
    "a patch of kustomize": (
        {},
        {"k/kustomization.yaml": patched("open"), "k/r.yaml": ack("safe")},
        {"k/kustomization.yaml": {"resources": ["r.yaml"]}, "k/r.yaml": ack("safe")},
    ),
    "a file that Terragrunt generates": (
        {},
        {"terragrunt.hcl": GENERATE.replace("%s", terraform("r"))},
        {"terragrunt.hcl": "inputs = {\n  a = 1\n}\n"},
    ),
    "a template after comments, in a file without ending": (
        {},
        {"stack": "# a stack\n" + text(cloudformation())},
        {"stack": "# a stack\n" + text(cloudformation("safe"))},
    ),
    "a policy in escapes": (
        {},
        {"main.tf": value_of('base64decode("Kg==")')},
        {"main.tf": value_of(f'base64decode("{SUBJECT}")')},
    ),
    # links and moves
    "configuration by a link": (
        {},
        {"blob.txt": terraform("r"), "infra/main.tf": Path("../blob.txt")},
        {"blob.txt": terraform("r", "safe"), "infra/main.tf": Path("../blob.txt")},
    ),
    "a link out of the repository": ({}, {"main.tf": Path("../../outside.tf")}, {"main.tf": terraform("r", "safe")}),
    "a new link out of the repository beside one that was there": (
        {"x.json": Path("../../a.json")},
        {"y.json": Path("../../b.json")},
        {"b.json": SAFE},
    ),
    "a tracked folder of another version control": (
        {},
        {".svn/main.tf": terraform("r")},
        {".svn/main.tf": terraform("r", "safe")},
    ),
    "a broken file that is broken otherwise": ({"x.json": '{"a": '}, {"x.json": '{"a": 1'}, {"b.json": SAFE}),
    "a file that opens": ({"deep/x.json": SAFE}, {"deep/x.json": OPEN}, {"deep/y.json": SAFE}),
    "a role under a new name": ({"a.json": SAFE}, {"a.json": None, "b.json": OPEN}, {"a.json": None, "b.json": SAFE}),
}

assert not TRICKS.keys() & TRICKS_OF_TOOLS.keys()
ALL = TRICKS | TRICKS_OF_TOOLS


@pytest.mark.parametrize("name", ALL)
def test_a_trick_does_not_pass(name, tmp_path, monkeypatch, capfd):
    base, change, _ = ALL[name]
    code, report = gate(tmp_path, monkeypatch, capfd, base, change)
    assert code in (1, 2, 3), report


@pytest.mark.parametrize("name", ALL)
def test_its_honest_twin_passes(name, tmp_path, monkeypatch, capfd):
    base, _, change = ALL[name]
    code, report = gate(tmp_path, monkeypatch, capfd, base, change)
    assert (code, severe(report)) == (0, [])


@pytest.mark.parametrize("made_up", [NO_PROVIDER, OTHER_PROVIDER, rcp(DENY_ALL), {"clusters": []}])
@pytest.mark.parametrize("reach", ["open", "namespace"])
def test_a_made_up_document_lowers_no_finding(made_up, reach, tmp_path, monkeypatch, capfd):
    alone = gate(tmp_path / "alone", monkeypatch, capfd, {}, {"a.json": export("r", reach)})[1]
    both = gate(tmp_path / "both", monkeypatch, capfd, {}, {"a.json": export("r", reach), "made-up.json": made_up})[1]

    def told(report):
        return {(item["rule"], item["subject"]["id"], item["severity"]) for item in json.loads(report)["findings"]}

    assert told(alone)
    assert told(alone) <= told(both)
