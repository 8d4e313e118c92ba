# Long: whole templates of every language, each beside what is read of it
# ruff: noqa: E501 - configurations are easier to read in one piece
"""Who may do what in a cluster is read from every template, and what is known only later is left out and noted."""

import json

import pytest

from tests.sources.worlds import inventory, loaded

CI = "arn:aws:iam::111122223333:role/teams/Ci"
POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"
CLUSTER = 'resource "aws_eks_cluster" "this" {\n  name = "prod"\n  access_config {\n    authentication_mode = "API"\n  }\n}\n'
ENTRY = f"""
resource "aws_eks_access_entry" "ci" {{
  cluster_name      = aws_eks_cluster.this.name
  principal_arn     = "{CI}"
  kubernetes_groups = ["ci"]
  user_name         = "ci"
}}
resource "aws_eks_access_policy_association" "edit" {{
  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.ci.principal_arn
  policy_arn    = "{POLICY}"
  access_scope {{
    type       = "namespace"
    namespaces = ["shop", "team-*"]
  }}
}}
resource "aws_eks_access_policy_association" "view" {{
  cluster_name  = aws_eks_cluster.this.name
  principal_arn = "{CI}"
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSSecretReaderPolicy"
  access_scope {{
    type = "cluster"
  }}
}}
"""
EKSCTL = f"""apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {{name: prod, region: eu-west-1}}
accessConfig:
  authenticationMode: API
  accessEntries:
  - principalARN: {CI}
    kubernetesUsername: ci
    kubernetesGroups: [ci]
    accessPolicies:
    - policyARN: {POLICY}
      accessScope: {{type: namespace, namespaces: [shop, 'team-*']}}
    - policyARN: arn:aws:eks::aws:cluster-access-policy/AmazonEKSSecretReaderPolicy
      accessScope: {{type: cluster}}
"""
MODULE = f"""
module "eks" {{
  source              = "terraform-aws-modules/eks/aws"
  version             = "~> 20.0"
  cluster_name        = "prod"
  authentication_mode = "API"
  access_entries = {{
    ci = {{
      principal_arn     = "{CI}"
      kubernetes_groups = ["ci"]
      user_name         = "ci"
      policy_associations = {{
        edit = {{
          policy_arn   = "{POLICY}"
          access_scope = {{ type = "namespace", namespaces = ["shop", "team-*"] }}
        }}
        secrets = {{
          policy_arn   = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSSecretReaderPolicy"
          access_scope = {{ type = "cluster" }}
        }}
      }}
    }}
  }}
}}
"""


def scope(kind, *namespaces, upper):
    names = ("Type", "Namespaces") if upper else ("type", "namespaces")
    return {names[0]: kind} | ({names[1]: list(namespaces)} if namespaces else {})


STACK = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Resources": {
        "Cluster": {"Type": "AWS::EKS::Cluster", "Properties": {"Name": "prod", "AccessConfig": {"AuthenticationMode": "API"}}},
        "Ci": {
            "Type": "AWS::EKS::AccessEntry",
            "Properties": {
                "ClusterName": "prod",
                "PrincipalArn": CI,
                "Username": "ci",
                "KubernetesGroups": ["ci"],
                "AccessPolicies": [
                    {"PolicyArn": POLICY, "AccessScope": scope("namespace", "shop", "team-*", upper=True)},
                    {
                        "PolicyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSSecretReaderPolicy",
                        "AccessScope": scope("cluster", upper=True),
                    },
                ],
            },
        },
    },
}


def plan(*resources):
    listed = [
        {"address": f"{kind}.x{n}", "type": kind, "name": f"x{n}", "values": values}
        for n, (kind, values) in enumerate(resources)
    ]
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.5",
        "planned_values": {"root_module": {"resources": listed}},
        "resource_changes": [],
        "configuration": {"root_module": {"resources": []}},
    }


def planned_association(name, kind, namespaces):
    scopes = [{"type": kind, "namespaces": namespaces}]
    arn = f"arn:aws:eks::aws:cluster-access-policy/{name}"
    values = {"cluster_name": "prod", "principal_arn": CI, "policy_arn": arn, "access_scope": scopes}
    return "aws_eks_access_policy_association", values


PLAN = plan(
    ("aws_eks_cluster", {"name": "prod", "access_config": [{"authentication_mode": "API"}]}),
    ("aws_eks_access_entry", {"cluster_name": "prod", "principal_arn": CI, "user_name": "ci", "kubernetes_groups": ["ci"]}),
    planned_association("AmazonEKSEditPolicy", "namespace", ["shop", "team-*"]),
    planned_association("AmazonEKSSecretReaderPolicy", "cluster", None),
)
POLICIES = [
    {"policyARN": POLICY, "accessScope": {"type": "namespace", "namespaces": ["shop", "team-*"]}},
    {"policyARN": POLICY.replace("EditPolicy", "SecretReaderPolicy"), "accessScope": {"type": "cluster"}},
]


def managed(group, kind, name, spec):
    if "upbound" in group:
        spec = {"forProvider": spec}
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec}


def of_items(*items):
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}


MEMBERS = {"clusterName": "prod", "kubernetesGroups": ["ci"], "username": "ci"}
ACK = of_items(
    managed(
        "eks.services.k8s.aws/v1alpha1", "Cluster", "prod", {"name": "prod", "accessConfig": {"authenticationMode": "API"}}
    ),
    managed("eks.services.k8s.aws/v1alpha1", "AccessEntry", "ci", {**MEMBERS, "principalARN": CI, "accessPolicies": POLICIES}),
)


def crossplane(group, *, as_list):
    """In some versions what is single in AWS is a list of one."""
    scopes = [[item["accessScope"]] if as_list else item["accessScope"] for item in POLICIES]
    config = {"authenticationMode": "API"}
    spec = {"clusterName": "prod", "kubernetesGroups": ["ci"], "userName": "ci", "principalArn": CI}
    associations = [
        managed(
            group,
            "AccessPolicyAssociation",
            f"p{number}",
            {"clusterName": "prod", "principalArn": CI, "policyArn": item["policyARN"], "accessScope": scopes[number]},
        )
        for number, item in enumerate(POLICIES)
    ]
    cluster = managed(group, "Cluster", "prod", {"accessConfig": [config] if as_list else config})
    return of_items(cluster, managed(group, "AccessEntry", "ci", spec), *associations)


def pulumi(*resources):
    return {
        "name": "shop",
        "runtime": "yaml",
        "resources": {f"x{number}": {"type": kind, "properties": inner} for number, (kind, inner) in enumerate(resources)},
    }


OF_PULUMI = [{"policyArn": item["policyARN"], "accessScope": item["accessScope"]} for item in POLICIES]
CLUSTER_OF_PULUMI = ("aws:eks:Cluster", {"name": "prod", "accessConfig": {"authenticationMode": "API"}})
PULUMI = pulumi(
    CLUSTER_OF_PULUMI,
    ("aws:eks:AccessEntry", {"clusterName": "prod", "principalArn": CI, "kubernetesGroups": ["ci"], "userName": "ci"}),
    *(("aws:eks:AccessPolicyAssociation", {"clusterName": "${x0.name}", "principalArn": CI, **item}) for item in OF_PULUMI),
)
PULUMI_NATIVE = pulumi(
    CLUSTER_OF_PULUMI, ("aws-native:eks:AccessEntry", {**MEMBERS, "principalArn": CI, "accessPolicies": OF_PULUMI})
)
ENTRY_OF_COMPONENT = {
    "principalArn": CI,
    "kubernetesGroups": ["ci"],
    "username": "ci",
    "accessPolicies": dict(zip("ab", OF_PULUMI, strict=True)),
}
PULUMI_COMPONENT = pulumi(
    ("eks:Cluster", {"name": "prod", "authenticationMode": "API", "accessEntries": {"ci": ENTRY_OF_COMPONENT}})
)
TEMPLATES = {
    "ack": {"ack.yaml": ACK},
    "crossplane": {"crossplane.yaml": crossplane("eks.aws.upbound.io/v1beta1", as_list=True)},
    "crossplane of a namespace": {"crossplane.yaml": crossplane("eks.aws.m.upbound.io/v1beta1", as_list=False)},
    "pulumi": {"Pulumi.yaml": PULUMI},
    "pulumi native": {"Pulumi.yaml": PULUMI_NATIVE},
    "pulumi component": {"Pulumi.yaml": PULUMI_COMPONENT},
    "terraform": {"main.tf": CLUSTER + ENTRY},
    "module": {"main.tf": MODULE},
    "plan": {"plan.json": PLAN},
    "eksctl": {"cluster.yaml": EKSCTL},
    "cloudformation": {"stack.json": STACK},
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_entries_and_their_policies_are_read(template):
    read = inventory(TEMPLATES[template])
    (entry,) = read.access_entries
    assert (entry.principal, entry.username, entry.groups, entry.type) == (CI, "ci", ("ci",), "STANDARD")
    (associated,) = read.associated_access
    assert [(policy.name, policy.namespaces) for policy in associated.policies] == [
        ("AmazonEKSEditPolicy", ("shop", "team-*")),
        ("AmazonEKSSecretReaderPolicy", None),
    ]
    assert entry.cluster == associated.cluster == read.clusters[0].id


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_authentication_mode_is_read(template):
    assert [cluster.mode for cluster in inventory(TEMPLATES[template]).clusters] == ["API"]


RBAC = """
resource "kubernetes_role{v}" "tokens" {{
  metadata {{
    name      = "tokens"
    namespace = "shop"
  }}
  rule {{
    api_groups     = [""]
    resources      = ["serviceaccounts/token"]
    resource_names = ["web"]
    verbs          = ["create"]
  }}
}}
resource "kubernetes_role_binding{v}" "ci" {{
  metadata {{
    name      = "ci"
    namespace = kubernetes_role{v}.tokens.metadata[0].namespace
  }}
  role_ref {{
    api_group = "rbac.authorization.k8s.io"
    kind      = "Role"
    name      = kubernetes_role{v}.tokens.metadata[0].name
  }}
  subject {{
    kind      = "Group"
    name      = "ci"
    api_group = "rbac.authorization.k8s.io"
  }}
  subject {{
    kind = "ServiceAccount"
    name = "deploy"
  }}
}}
resource "kubernetes_cluster_role{v}" "wide" {{
  metadata {{
    name   = "wide"
    labels = {{ aggregate = "yes" }}
  }}
  aggregation_rule {{
    cluster_role_selectors {{
      match_labels = {{ part = "wide" }}
    }}
  }}
}}
resource "kubernetes_cluster_role_binding{v}" "wide" {{
  metadata {{
    name = "wide"
  }}
  role_ref {{
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = "wide"
  }}
  subject {{
    kind      = "User"
    name      = "ops"
    api_group = "rbac.authorization.k8s.io"
  }}
}}
"""


@pytest.mark.parametrize("version", ["", "_v1"])
def test_roles_and_bindings_of_terraform_are_those_of_kubernetes(version):
    read = inventory({"main.tf": RBAC.format(v=version)})
    tokens, wide = sorted(read.access_roles, key=lambda role: role.name)
    assert (tokens.kind, tokens.namespace, tokens.rules[0].resources, tokens.rules[0].names) == (
        "Role",
        "shop",
        ("serviceaccounts/token",),
        ("web",),
    )
    assert wide.selectors is not None
    assert wide.selectors[0].selects({"part": "wide"})
    ci, all_over = sorted(read.access_bindings, key=lambda binding: binding.name)
    assert (ci.kind, ci.namespace, ci.role_kind, ci.role) == ("RoleBinding", "shop", "Role", "tokens")
    # the provider puts a service account that has no namespace into `default`
    assert [(s.kind, s.namespace, s.name) for s in ci.subjects] == [
        ("Group", "", "ci"),
        ("ServiceAccount", "default", "deploy"),
    ]
    assert (all_over.kind, all_over.role_kind, all_over.subjects[0].name) == ("ClusterRoleBinding", "ClusterRole", "ops")


def test_a_rule_with_an_unknown_part_is_left_out_and_noted():
    text = """
variable "names" {}
resource "kubernetes_role" "tokens" {
  metadata {
    name      = "tokens"
    namespace = "shop"
  }
  rule {
    api_groups     = [""]
    resources      = ["secrets"]
    resource_names = var.names
    verbs          = ["get"]
  }
  rule {
    api_groups = [""]
    resources  = ["pods"]
    verbs      = ["create"]
  }
}
"""
    given = loaded({"main.tf": text})
    (role,) = given.inventory.access_roles
    assert [rule.resources for rule in role.rules] == [("pods",)]
    (row,) = [row for row in given.inventory.documents if row.path == "main.tf"]
    assert "a rule that is not known" in str(row.why)


NAMED_WHEN_MADE = {
    "terraform": {
        "main.tf": 'resource "kubernetes_role" "ci" {\n  metadata {\n    generate_name = "ci-"\n  }\n  rule {\n    verbs = ["get"]\n  }\n}\n'
    },
    "manifest": {
        "main.tf": 'resource "kubernetes_manifest" "ci" {\n  manifest = {\n    apiVersion = "rbac.authorization.k8s.io/v1"\n    kind       = "Role"\n'
        '    metadata   = { generateName = "ci-" }\n    rules      = []\n  }\n}\n'
    },
}


@pytest.mark.parametrize("form", NAMED_WHEN_MADE)
def test_an_object_whose_name_the_server_makes_up_is_noted_and_not_broken(form):
    given = loaded(NAMED_WHEN_MADE[form]).inventory
    (row,) = given.documents
    assert not given.access_roles
    assert row.status != "unreadable"
    assert "a name that is not known" in str(row.why)


def test_a_principal_that_the_template_makes_is_named_by_its_reference():
    text = """
resource "aws_iam_role" "ci" {
  name               = "ci"
  assume_role_policy = "{}"
}
resource "aws_eks_access_entry" "ci" {
  cluster_name  = "prod"
  principal_arn = aws_iam_role.ci.arn
}
"""
    (entry,) = inventory({"main.tf": text}).access_entries
    assert entry.principal == "${aws_iam_role.ci.arn}"


ROWS = f'[{{ rolearn = "{CI}", username = "ci", groups = ["system:masters"] }}]'
METADATA = 'metadata {\n    name      = "aws-auth"\n    namespace = "kube-system"\n  }'
AUTH = {
    "encoded": f'resource "kubernetes_config_map" "auth" {{\n  {METADATA}\n  data = {{ mapRoles = yamlencode({ROWS}) }}\n}}\n',
    "data": f'resource "kubernetes_config_map_v1_data" "auth" {{\n  {METADATA}\n  data = {{ mapRoles = yamlencode({ROWS}) }}\n}}\n',
    "text": f'resource "kubernetes_config_map" "auth" {{\n  {METADATA}\n  data = {{\n    mapRoles = <<-EOT\n      - rolearn: {CI}\n        username: ci\n        groups: [system:masters]\n    EOT\n  }}\n}}\n',
    "module": f'module "eks" {{\n  source = "terraform-aws-modules/eks/aws"\n  version = "19.15.0"\n  cluster_name = "prod"\n  manage_aws_auth_configmap = true\n  aws_auth_roles = {ROWS}\n}}\n',
    "submodule": f'module "auth" {{\n  source = "terraform-aws-modules/eks/aws//modules/aws-auth"\n  version = "20.1.0"\n  manage_aws_auth_configmap = true\n  aws_auth_roles = {ROWS}\n}}\n',
}


@pytest.mark.parametrize("form", AUTH)
def test_aws_auth_is_read_in_every_form(form):
    (auth,) = inventory({"main.tf": AUTH[form]}).auth_maps
    (row,) = auth.rows
    assert (row.list, row.arn, row.username, row.groups) == ("mapRoles", CI, "ci", ("system:masters",))


def test_the_identity_mappings_of_eksctl_are_rows_of_aws_auth():
    text = f"""apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {{name: prod, region: eu-west-1}}
iamIdentityMappings:
- arn: {CI}
  username: ci
  groups: [system:masters]
- arn: arn:aws:iam::111122223333:user/ann
  username: ann
- account: "444455556666"
"""
    (auth,) = inventory({"cluster.yaml": text}).auth_maps
    assert [(row.list, row.arn) for row in auth.rows] == [("mapRoles", CI), ("mapUsers", "arn:aws:iam::111122223333:user/ann")]
    assert auth.accounts == ("444455556666",)


def test_manifests_inside_templates_are_read_too():
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "all"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "dev"}],
    }
    resource = {"Type": "Custom::AWSCDK-EKS-KubernetesResource", "Properties": {"Manifest": json.dumps([binding])}}
    stack = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Rbac": resource}}
    terraform = f'resource "kubectl_manifest" "b" {{\n  yaml_body = <<-EOT\n    {json.dumps(binding)}\n  EOT\n}}\n'
    for documents in ({"stack.json": stack}, {"main.tf": terraform}):
        (read,) = inventory(documents).access_bindings
        assert (read.name, read.role, read.subjects[0].name) == ("all", "cluster-admin", "dev")


ROLE_OF_PULUMI = {"metadata": {"name": "tokens", "namespace": "shop"}, "rules": [{"verbs": ["create"], "apiGroups": [""]}]}
BINDING_OF_PULUMI = {
    "metadata": {"name": "ci", "namespace": "shop"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "tokens"},
    "subjects": [{"kind": "Group", "name": "ci"}, {"kind": "Group", "name": "${team.name}"}],
}
AUTH_OF_PULUMI = {
    "metadata": {"name": "aws-auth", "namespace": "kube-system"},
    "data": {"mapRoles": f"- rolearn: {CI}\n  groups: [ci]\n"},
}


def test_objects_of_rbac_in_a_program_of_pulumi_are_those_of_kubernetes():
    given = loaded(
        {
            "Pulumi.yaml": pulumi(
                ("kubernetes:rbac.authorization.k8s.io/v1:Role", ROLE_OF_PULUMI),
                ("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", BINDING_OF_PULUMI),
                ("kubernetes:core/v1:ConfigMap", AUTH_OF_PULUMI),
            )
        }
    )
    read = given.inventory
    assert [role.name for role in read.access_roles] == ["tokens"]
    assert [subject.name for binding in read.access_bindings for subject in binding.subjects] == ["ci"]
    assert [row.arn for auth in read.auth_maps for row in auth.rows] == [CI]
    (row,) = [row for row in read.documents if row.path == "Pulumi.yaml"]
    assert "a subject that is not known" in str(row.why)


@pytest.mark.parametrize(
    ("group", "reference", "principal"),
    [
        ("eks.aws.upbound.io/v1beta1", {"principalArnRef": {"name": "ci"}}, "${Role ci.arn}"),
        ("eks.services.k8s.aws/v1alpha1", {"principalRef": {"from": {"name": "ci"}}}, "${Role ci.arn}"),
        ("eks.services.k8s.aws/v1alpha1", {"principalARN": "${ROLE}"}, "${ROLE}"),
    ],
)
def test_a_principal_of_another_object_is_named_by_it(group, reference, principal):
    (entry,) = inventory({"x.yaml": managed(group, "AccessEntry", "ci", {"clusterName": "prod", **reference})}).access_entries
    assert entry.principal == principal


def test_the_mappings_of_the_cluster_of_pulumi_are_rows_of_aws_auth():
    rows = {"roleMappings": [{"roleArn": CI, "username": "ci", "groups": ["system:masters"]}]}
    (auth,) = inventory({"Pulumi.yaml": pulumi(("eks:Cluster", {"name": "prod", **rows}))}).auth_maps
    assert [(row.list, row.arn, row.groups) for row in auth.rows] == [("mapRoles", CI, ("system:masters",))]


def test_an_entry_that_is_observed_only_says_so():
    entry = managed("eks.aws.upbound.io/v1beta1", "AccessEntry", "ci", {})
    given = loaded({"x.yaml": entry})
    assert not given.inventory.access_entries
