"""Tricks by which the author of a change lets a tool that deploys read what a reviewer does not, each with its honest twin."""

import json
import unicodedata
from pathlib import Path

from tests.cli.gate import ISSUER, PROVIDER, cloudformation, export, terraform, text, trust

WAIVED = """
[[waivers]]
rule = "open-sub-star"
subject = "{subject}"
owner = "team@example.com"
reason = "known"
expires = {expires}
severity = "critical"
"""
EVERYTHING = 'exclude = ["**"]\nignore = ["open-*"]\nfail-on = "never"\n'
COMPONENT = "kustomize.config.k8s.io/v1alpha1"


def ack(reach, **metadata):
    spec = {"name": "r", "assumeRolePolicyDocument": text(trust(reach))}
    metadata = {"name": "r", "namespace": "x", **metadata}
    return {"apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role", "metadata": metadata, "spec": spec}


def role(policy, more=""):
    return f'resource "aws_iam_role" "r" {{\n  name = "r"\n  assume_role_policy = {policy}\n{more}}}\n'


def written(reach):
    return f"jsonencode({text(trust(reach))})"


def changed(reach, **members):
    """A trust policy whose only statement has other members."""
    policy = trust(reach)
    policy["Statement"][0].update(members)
    return {"Role": {**export("r")["Role"], "AssumeRolePolicyDocument": policy}}


def denying(reach, condition):
    policy = trust(reach)
    policy["Statement"].append({**policy["Statement"][0], "Effect": "Deny", "Condition": condition})
    return {"Role": {**export("r")["Role"], "AssumeRolePolicyDocument": policy}}


def template(policy, **resources):
    made = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": policy}}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"R": made, **resources}}


def stated(policy):
    """A template in YAML, with a policy as it is written there."""
    return (
        "AWSTemplateFormatVersion: '2010-09-09'\nMetadata:\n  open: &open " + text(trust("open")) + "\n  safe: &safe "
        f"{text(trust('safe'))}\nResources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n"
        f"      AssumeRolePolicyDocument: {policy}\n"
    )


def without_condition():
    policy = trust("safe")
    condition = policy["Statement"][0]["Condition"]
    policy["Statement"][0]["Condition"] = {"Fn::If": ["Strict", condition, {"Ref": "AWS::NoValue"}]}
    parameters = {"P": {"Type": "String"}}
    return template(policy) | {"Parameters": parameters, "Conditions": {"Strict": {"Fn::Equals": [{"Ref": "P"}, "yes"]}}}


def document(name, subject, more=""):
    return (
        f'data "aws_iam_policy_document" "{name}" {{\n{more}  statement {{\n    sid = "a"\n'
        '    actions = ["sts:AssumeRoleWithWebIdentity"]\n'
        f'    principals {{\n      type = "Federated"\n      identifiers = ["{PROVIDER}"]\n    }}\n'
        f'    condition {{\n      test = "StringLike"\n      variable = "{ISSUER}:sub"\n      values = ["{subject}"]\n    }}\n'
        f'    condition {{\n      test = "StringEquals"\n      variable = "{ISSUER}:aud"\n'
        '      values = ["sts.amazonaws.com"]\n    }\n  }\n}\n'
    )


def overridden(reach):
    subject = "*" if reach == "open" else "system:serviceaccount:x:b"
    override = "  override_policy_documents = [data.aws_iam_policy_document.o.json]\n"
    safe = document("d", "system:serviceaccount:x:a", override)
    return document("o", subject) + safe + role("data.aws_iam_policy_document.d.json")


def by_workspace(other):
    return role(f'terraform.workspace == "prod" ? {written(other)} : {written("safe")}')


def terragrunt(reach, here=""):
    """A known module with inputs of an included file, or with its own."""
    account = here or '"*:*"'
    test = '  assume_role_condition_test = "StringLike"\n'
    providers = f'oidc_providers = {{\n    a = {{\n      provider_arn = "{PROVIDER}"\n'
    inputs = f"inputs = {{\n{test}  {providers}      namespace_service_accounts = [{account}]\n    }}\n  }}\n}}\n"
    source = "tfr:///terraform-aws-modules/iam/aws//modules/iam-role-for-service-accounts-eks?version=5.30.0"
    call = f'terraform {{\n  source = "{source}"\n}}\ninclude "common" {{\n  path = "../common.hcl"\n}}\n'
    return {"common.hcl": "locals {}\n" if here else inputs, "app/terragrunt.hcl": call + (inputs if here else "")}


def kustomization(**members):
    return {"k/kustomization.yaml": {"resources": ["r.yaml"], **members}, "k/r.yaml": ack("safe")}


def change_of(reach):
    return [{"op": "replace", "path": "/spec/assumeRolePolicyDocument", "value": text(trust(reach))}]


def component(reach):
    target = {"kind": "Role", "name": "r"}
    body = {"apiVersion": COMPONENT, "kind": "Component", "patches": [{"target": target, "patch": text(change_of(reach))}]}
    return {**kustomization(components=["../c"]), "c/kustomization.yaml": body}


def strategic(reach):
    return {**kustomization(patchesStrategicMerge=["p.yaml"]), "k/p.yaml": ack(reach)}


def replaced(reach):
    source = {"kind": "ConfigMap", "name": "p", "fieldPath": "data.policy"}
    targets = [{"select": {"kind": "Role"}, "fieldPaths": ["spec.assumeRolePolicyDocument"]}]
    policies = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p"}, "data": {"policy": text(trust(reach))}}
    made = kustomization(replacements=[{"source": source, "targets": targets}])
    made["k/kustomization.yaml"]["resources"] += ["p.yaml"]
    return {**made, "k/p.yaml": policies}


def stack_set(reach):
    body = text(cloudformation(reach))
    made = {"Type": "AWS::CloudFormation::StackSet", "Properties": {"StackSetName": "s", "TemplateBody": body}}
    return cloudformation("safe") | {"Resources": {"S": made}}


def included(*, there):
    where = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/roles.json"}}}
    return cloudformation("safe") | ({"Resources": where} if there else {})


def filed(names):
    made = f'for_each = {names}\n  assume_role_policy = file("${{path.module}}/p/${{each.value}}")\n'
    return f'resource "aws_iam_role" "r" {{\n  name = each.value\n  {made}}}\n'


def of(change):
    """The trick and its twin, by what makes both."""
    return {}, change("open"), change("safe")


FAR = "/".join(["d"] * 60)
NAME = "caf\u00e9"

# name -> what the base has, what the trick changes, what its honest twin changes
TRICKS_OF_TOOLS = {
    # settings
    "settings of an inner folder": of(lambda r: {"infra/irsa-doctor.toml": EVERYTHING, "infra/a.json": export("r", r)}),
    "settings of a project below": of(
        lambda r: {"infra/pyproject.toml": '[tool.irsa-doctor]\nignore = ["open-*"]\n', "infra/a.json": export("r", r)}
    ),
    "a waiver that has expired": (
        {"irsa-doctor.toml": WAIVED.format(subject="*", expires="2020-01-01"), "q.json": export("q", "safe")},
        {"a.json": export("r")},
        {"a.json": export("r", "safe")},
    ),
    "a name that is normalised otherwise": (
        {"irsa-doctor.toml": WAIVED.format(subject=f"{NAME}.json*", expires="2999-01-01"), f"{NAME}.json": trust("safe")},
        {unicodedata.normalize("NFD", f"{NAME}.json"): trust()},
        {unicodedata.normalize("NFD", f"{NAME}.json"): trust("safe")},
    ),
    "attributes that call everything binary": of(
        lambda r: {".gitattributes": "* binary -diff export-ignore linguist-generated\n", "a.json": export("r", r)}
    ),
    "a module of git": of(lambda r: {".gitmodules": '[submodule "a"]\n  path = a\n  url = x\n', "a/a.json": export("r", r)}),
    "a far folder": of(lambda r: {f"{FAR}/a.json": export("r", r)}),
    "one file of very many": of(
        lambda r: {**{f"s/{n}.json": export(f"s{n}", "safe") for n in range(300)}, "s/z.json": export("r", r)}
    ),
    # how a value is written
    "an anchor": ({}, {"t.yaml": stated("*open")}, {"t.yaml": stated("*safe")}),
    "a tag of a mapping": of(lambda r: {"t.yaml": stated(f"!!map {text(trust(r))}")}),
    "a tag of a text": of(lambda r: {"t.yaml": stated(f"!!str '{text(trust(r))}'")}),
    "a substitution that is the whole policy": of(lambda r: {"t.yaml": stated(f"!Sub '{text(trust(r))}'")}),
    "lines that end as on old machines": of(lambda r: {"t.yaml": stated(text(trust(r))).replace("\n", "\r")}),
    "two-byte letters without a mark": of(lambda r: {"a.json": text(export("r", r)).encode("utf-16-le")}),
    "a number beyond measure": of(
        lambda r: {"a.json": text(export("r", r))[:-2] + ', "MaxSessionDuration": ' + "9" * 5000 + "}}"}
    ),
    "a second line": of(lambda r: {"a.jsonl": f"{text(export('q', 'safe'))}\n{text(export('r', r))}\n"}),
    "a list in a list": of(
        lambda r: {
            "l.yaml": {
                "apiVersion": "v1",
                "kind": "List",
                "items": [{"apiVersion": "v1", "kind": "List", "items": [ack(r)]}],
            }
        }
    ),
    "members in small letters": (
        {},
        {"a.json": json.loads(text(export("r")).replace('"Statement"', '"statement"').replace('"Effect"', '"effect"'))},
        {"a.json": export("r", "safe")},
    ),
    # what a policy says
    "an action with a star": of(lambda r: {"a.json": changed(r, Action="sts:AssumeRoleWith*")}),
    "every action": of(lambda r: {"a.json": changed(r, Action=["sts:TagSession", "*"])}),
    "an action in other letters": of(lambda r: {"a.json": changed(r, Action="STS:assumerolewithWEBIDENTITY")}),
    "a denial that holds for nobody": of(lambda r: {"a.json": denying(r, {"StringEquals": {f"{ISSUER}:sbu": "x"}})}),
    "a denial of what nobody has": of(lambda r: {"a.json": denying(r, {"StringEquals": {f"{ISSUER}:aud": "nobody.example"}})}),
    # Terraform
    "an override": (
        {"main.tf": terraform("r", "safe")},
        {"r_override.tf": role(written("open"))},
        {"r_override.tf": 'resource "aws_iam_role" "r" {\n  tags = {}\n}\n'},
    ),
    "a document over another": of(lambda r: {"main.tf": overridden(r)}),
    "a branch for a workspace": of(lambda r: {"main.tf": by_workspace(r)}),
    "blocks that take a role out of the state": of(
        lambda r: {"main.tf": terraform("r", r), "x.tf": "removed {\n  from = aws_iam_role.q\n}\n"}
    ),
    "a role that is imported": of(
        lambda r: {"main.tf": terraform("r", r) + 'import {\n  to = aws_iam_role.r\n  id = "r"\n}\n'}
    ),
    "a role that has moved": (
        {"main.tf": terraform("q", "safe")},
        {"main.tf": terraform("r") + "moved {\n  from = aws_iam_role.q\n  to = aws_iam_role.r\n}\n"},
        {"main.tf": terraform("r", "safe") + "moved {\n  from = aws_iam_role.q\n  to = aws_iam_role.r\n}\n"},
    ),
    "a comment between the words of a block": of(
        lambda r: {"main.tf": terraform("r", r).replace("resource ", "/* a */ resource /* b */ ")}
    ),
    "files of a folder": (
        {},
        {"main.tf": filed('fileset("${path.module}/p", "*.txt")'), "p/a.txt": text(trust())},
        {"main.tf": filed('toset(["a.txt"])'), "p/a.txt": text(trust("safe"))},
    ),
    "a file in YAML": of(
        lambda r: {"main.tf": role('jsonencode(yamldecode(file("${path.module}/p.yml")))'), "p.yml": trust(r)}
    ),
    "the answer of a program": (
        {},
        {"main.tf": 'data "external" "p" {\n  program = ["./p"]\n}\n' + role("data.external.p.result.policy")},
        {"main.tf": 'data "external" "p" {\n  program = ["./p"]\n}\n' + role(written("safe"))},
    ),
    "the answer of a server": (
        {},
        {"main.tf": 'data "http" "p" {\n  url = "https://example.com"\n}\n' + role("data.http.p.response_body")},
        {"main.tf": 'data "http" "p" {\n  url = "https://example.com"\n}\n' + role(written("safe"))},
    ),
    "a module that was fetched before": of(
        lambda r: {
            "main.tf": 'module "r" {\n  source = "acme/roles/aws"\n}\n',
            ".terraform/modules/modules.json": {
                "Modules": [{"Key": "r", "Source": "acme/roles/aws", "Dir": ".terraform/modules/r"}]
            },
            ".terraform/modules/r/main.tf": terraform("r", r),
        }
    ),
    "inputs of a file that Terragrunt includes": ({}, terragrunt("open"), terragrunt("open", here='"x:a"')),
    # CloudFormation
    "a condition that may be left out": ({}, {"t.json": without_condition()}, {"t.json": template(trust("safe"))}),
    "a stack set": of(lambda r: {"t.json": stack_set(r)}),
    "resources from a bucket": ({}, {"t.json": included(there=True)}, {"t.json": included(there=False)}),
    "what the CDK wrote": of(lambda r: {"cdk.out/S.template.json": cloudformation(r), ".gitignore": "cdk.out\n"}),
    # Kubernetes
    "a component of kustomize": ({}, component("open"), kustomization(components=["../c"])),
    "a strategic patch of kustomize": of(strategic),
    "a replacement of kustomize": ({}, replaced("open"), kustomization(commonLabels={"a": "b"})),
    "a hook of a chart": of(
        lambda r: {
            "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n",
            "c/templates/r.yaml": ack(r, annotations={"helm.sh/hook": "pre-install"}),
        }
    ),
    "a chart that a chart has in it": of(
        lambda r: {
            "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n",
            "c/charts/d/Chart.yaml": "apiVersion: v2\nname: d\nversion: 0.1.0\n",
            "c/charts/d/templates/r.yaml": ack(r),
        }
    ),
    # others
    "a playbook with the short name of a module": (
        {},
        {"play.yml": [{"hosts": "all", "tasks": [{"iam_role": {"name": "r", "assume_role_policy_document": trust()}}]}]},
        {"play.yml": [{"hosts": "all", "tasks": [{"iam_role": {"name": "r", "state": "absent"}}]}]},
    ),
    "a link to a folder that is passed over": of(
        lambda r: {"node_modules/x/main.tf": terraform("r", r), "infra": Path("node_modules/x"), ".gitignore": "node_modules\n"}
    ),
}
