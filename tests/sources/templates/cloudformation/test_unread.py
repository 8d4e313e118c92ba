import pytest

from tests.facts.situations import found
from tests.sources.templates.made import row_of
from tests.sources.worlds import inventory

ROLE = """
  App:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}
"""


@pytest.mark.parametrize(
    ("before", "resources", "why"),
    [
        (
            "",
            "  Roles:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: roles.yaml}\n",
            "the nested stack Roles is not read by itself: roles.yaml",
        ),
        (
            "",
            "  Roles:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: !Sub 'https://${X}/a'}\n",
            "the nested stack Roles is not read by itself: its template is known when it is deployed",
        ),
        (
            "Transform: [Irsa]\n",
            "",
            "the macro Irsa changes the template when it is deployed: what it makes is not read",
        ),
        (
            "Transform: {Name: Irsa}\n",
            "",
            "the macro Irsa changes the template when it is deployed: what it makes is not read",
        ),
        (
            "",
            "  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}\n",
            "Fn::Transform AWS::Include at /Resources is not read: it is known only when the template is deployed",
        ),
        (
            "",
            "  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      Fn::Transform: {Name: Tags}\n",
            "Fn::Transform Tags at /Resources/B/Properties is not read: it is known only when the template is deployed",
        ),
        (
            "Transform: AWS::LanguageExtensions\n",
            "  Fn::ForEach::Roles: [Name, {Ref: Names}, {'Key${Name}': {Type: AWS::KMS::Key}}]\n",
            "Fn::ForEach::Roles is read once: its collection is known only when the template is deployed",
        ),
        (
            "Transform: AWS::LanguageExtensions\n",
            "  Fn::ForEach::Roles: {Name: [a, b]}\n",
            "Fn::ForEach::Roles makes resources when the template is deployed, which are not read",
        ),
        (
            "",
            "  M:\n    Type: My::Irsa::Role::MODULE\n",
            "the module My::Irsa::Role::MODULE of M is not read: its template is not in the input",
        ),
    ],
)
def test_what_is_known_only_when_a_template_is_deployed_is_named(before, resources, why):
    head = f"AWSTemplateFormatVersion: '2010-09-09'\n{before}Resources:\n"
    with_role = row_of(inventory({"stack.yaml": head + resources + ROLE}), "stack.yaml")
    assert (with_role.status, with_role.why) == ("read", why)
    if resources:
        alone = row_of(inventory({"stack.yaml": head + resources}), "stack.yaml")
        assert (alone.status, alone.why) == ("ignored", why)


OTHERS = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Policy: {Type: AWS::IAM::ManagedPolicy}
  Profile: {Type: AWS::IAM::InstanceProfile}
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}}
  Joined:
    Type: AWS::EKS::PodIdentityAssociation
    Properties: {ClusterName: shop, Namespace: shop, ServiceAccount: api, RoleArn: ROLE}
"""


@pytest.mark.parametrize("role", ["!Ref Policy", "!GetAtt Profile.Arn", "arn:aws:iam::111122223333:user/api"])
def test_an_association_with_the_arn_of_something_else_is_found(role):
    assert ("role-arn-is-policy-arn", "shop/shop/api") in found({"stack.yaml": OTHERS.replace("ROLE", role)})


@pytest.mark.parametrize("role", ["!GetAtt Role.Arn", "!Ref Arn", "arn:aws:iam::111122223333:role/api", "!ImportValue x"])
def test_an_association_with_the_arn_of_a_role_is_not(role):
    assert "role-arn-is-policy-arn" not in {rule for rule, _ in found({"stack.yaml": OTHERS.replace("ROLE", role)})}


@pytest.mark.parametrize(
    "role",
    ["aws_iam_policy.x.arn", "aws_iam_instance_profile.x.arn", '"arn:aws:iam::111122223333:policy/x"', "aws_iam_user.x.arn"],
)
def test_the_same_in_terraform_and_in_an_annotation(role):
    kinds = "".join(f'resource "aws_iam_{kind}" "x" {{}}\n' for kind in ("policy", "instance_profile", "user"))
    association = (
        'resource "aws_eks_pod_identity_association" "x" {\n  cluster_name = "shop"\n  namespace = "shop"\n'
        f'  service_account = "api"\n  role_arn = {role}\n}}\n'
    )
    account = (
        'resource "kubernetes_service_account" "x" {\n  metadata {\n    name = "web"\n    namespace = "shop"\n'
        f'    annotations = {{ "eks.amazonaws.com/role-arn" = {role} }}\n  }}\n}}\n'
    )
    rules = found({"main.tf": kinds + association + account})
    assert {ident for rule, ident in rules if rule == "role-arn-is-policy-arn"} == {"shop/shop/api", "unknown-cluster/shop/web"}
