import pytest

from irsa_doctor.model import TrustPolicy, text_of
from irsa_doctor.sources.templates.terraform.known_modules import known_module
from tests.sources.templates.made import ISSUER, PROVIDER, conditions, federated, policy_text, roles_of, statement, told
from tests.sources.worlds import inventory, loaded

IAM = "terraform-aws-modules/iam/aws//modules"
SUBJECT = "system:serviceaccount:prod:app"


def call(module, inputs, more=""):
    return f'module "app" {{\n  source = "{IAM}/{module}"\n{inputs}}}\n{more}'


def made_by(module, inputs, more=""):
    (role,) = roles_of({"main.tf": call(module, inputs, more)}).values()
    return role


def providers(arn=f'"{PROVIDER}"', accounts='["prod:app"]', name="oidc_providers"):
    one = f"      provider_arn = {arn}\n      namespace_service_accounts = {accounts}\n"
    return f"  {name} = {{\n    one = {{\n{one}    }}\n  }}\n"


@pytest.mark.parametrize(
    ("module", "name", "test"),
    [
        ("iam-role-for-service-accounts-eks", "role_name", "assume_role_condition_test"),
        ("iam-role-for-service-accounts", "name", "trust_condition_test"),
    ],
)
def test_providers_with_their_service_accounts(module, name, test):
    role = made_by(module, f'  {name} = "app"\n' + providers())
    assert role.address == "module.app.aws_iam_role.this[0]"
    assert federated(role) == PROVIDER
    assert conditions(role) == {"StringEquals": {f"{ISSUER}:sub": SUBJECT, f"{ISSUER}:aud": "sts.amazonaws.com"}}
    role = made_by(module, f'  {test} = "StringLike"\n' + providers(accounts='["a:*", "b:c"]'))
    expected = ["system:serviceaccount:a:*", "system:serviceaccount:b:c"]
    assert conditions(role)["StringLike"][f"{ISSUER}:sub"] == expected


def test_a_name_that_is_only_a_prefix_is_none():
    assert made_by("iam-role-for-service-accounts-eks", '  role_name = "app"\n' + providers()).planned == "app"
    assert made_by("iam-role-for-service-accounts", '  name = "app"\n' + providers()).planned == ""
    inputs = '  name = "app"\n  path = "/team/"\n  use_name_prefix = false\n' + providers()
    assert made_by("iam-role-for-service-accounts", inputs).planned == "team/app"


def test_subjects_are_found_where_they_are_given():
    given = loaded({"main.tf": call("iam-role-for-service-accounts-eks", providers())})
    (role,) = given.inventory.roles
    assert policy_text(given, role, "Statement", 0, "Condition", "StringEquals", f"{ISSUER}:sub") == '"prod:app"'


def test_the_issuer_of_the_eks_module_is_the_same_in_principal_and_key():
    eks = 'module "eks" {\n  source = "terraform-aws-modules/eks/aws"\n  name = "prod"\n}\n'
    role = made_by("iam-role-for-service-accounts-eks", providers("module.eks.oidc_provider_arn"), eks)
    assert federated(role).endswith(":oidc-provider/${issuer of prod}")
    assert set(conditions(role)["StringEquals"]) == {"${issuer of prod}:sub", "${issuer of prod}:aud"}


@pytest.mark.parametrize("output", ["module.eks.oidc_provider", 'replace(module.eks.cluster_oidc_issuer_url, "https://", "")'])
def test_outputs_of_the_eks_module_name_one_issuer(output):
    eks = 'module "eks" {\n  source = "terraform-aws-modules/eks/aws"\n}\n'
    inputs = f'  create_role = true\n  provider_url = {output}\n  oidc_fully_qualified_subjects = ["{SUBJECT}"]\n'
    role = made_by("iam-assumable-role-with-oidc", inputs, eks)
    assert federated(role).endswith(":oidc-provider/${issuer of module.eks}")
    assert list(conditions(role)["StringEquals"]) == ["${issuer of module.eks}:sub"]


@pytest.mark.parametrize(
    ("module", "names", "audience_test"),
    [
        (
            "iam-assumable-role-with-oidc",
            ("create_role", "provider_urls", "oidc_fully_qualified_subjects", "oidc_subjects_with_wildcards"),
            "StringLike",
        ),
        ("iam-role", ("enable_oidc", "oidc_provider_urls", "oidc_subjects", "oidc_wildcard_subjects"), "StringEquals"),
    ],
)
def test_issuers_with_subjects_and_audiences(module, names, audience_test):
    on, urls, subjects, wildcards = names
    audiences = "oidc_fully_qualified_audiences" if module.startswith("iam-assumable") else "oidc_audiences"
    inputs = f'  {on} = true\n  {urls} = ["https://{ISSUER}"]\n  {subjects} = ["{SUBJECT}"]\n'
    role = made_by(module, inputs)
    assert federated(role).endswith(f":oidc-provider/{ISSUER}")
    assert conditions(role) == {"StringEquals": {f"{ISSUER}:sub": SUBJECT}}
    role = made_by(module, f'  {on} = true\n  {urls} = ["{ISSUER}"]\n  {wildcards} = ["a*"]\n  {audiences} = ["x"]\n')
    assert conditions(role)["StringLike"][f"{ISSUER}:sub"] == "a*"
    assert conditions(role)[audience_test][f"{ISSUER}:aud"] == "x"


def test_without_subjects_nothing_limits_the_role():
    role = made_by("iam-assumable-role-with-oidc", f'  create_role = true\n  provider_url = "{ISSUER}"\n')
    assert "Condition" not in statement(role)


@pytest.mark.parametrize("inputs", ["", "  create_role = false\n"])
def test_a_role_that_is_not_created_is_not_there(inputs):
    assert roles_of({"main.tf": call("iam-assumable-role-with-oidc", f'{inputs}  provider_url = "{ISSUER}"\n')}) == {}


def test_a_role_without_oidc_has_no_statement_of_it():
    role = made_by("iam-role", '  enable_github_oidc = true\n  oidc_subjects = ["org/repo:*"]\n')
    assert isinstance(role.policy, TrustPolicy)
    assert told(role.policy.document)["Statement"] == ["${module.app.enable_github_oidc}"]


def test_clusters_with_their_service_accounts():
    role = made_by("iam-eks-role", '  cluster_service_accounts = {\n    (var.cluster) = ["prod:app"]\n  }\n')
    ((key, value),) = conditions(role)["StringEquals"].items()
    assert value == SUBJECT
    assert key.endswith(":sub")
    assert federated(role).endswith(key.removesuffix(":sub"))


@pytest.mark.parametrize(
    ("module", "inputs"),
    [
        ("iam-role-for-service-accounts-eks", "  oidc_providers = var.providers\n"),
        ("iam-role-for-service-accounts-eks", providers("var.arn", "var.accounts")),
        ("iam-role-for-service-accounts-eks", "  oidc_providers = { a = 5 }\n"),
        ("iam-role-for-service-accounts-eks", providers(accounts="[5, null]")),
        ("iam-assumable-role-with-oidc", "  create_role = true\n  provider_urls = var.urls\n"),
        ("iam-assumable-role-with-oidc", "  create_role = true\n  provider_url = 5\n  oidc_fully_qualified_subjects = var.s\n"),
        ("iam-role", "  enable_oidc = var.on\n  oidc_provider_urls = [[]]\n"),
        ("iam-eks-role", "  cluster_service_accounts = var.accounts\n"),
    ],
)
def test_inputs_that_are_not_known_are_holes(module, inputs):
    role = made_by(module, inputs)
    assert isinstance(role.policy, TrustPolicy)
    assert "${" in str(told(role.policy.document))


def test_a_service_account_names_the_role_by_the_output():
    account = 'resource "kubernetes_service_account" "app" {\n  metadata {\n    name = "app"\n    annotations = {\n'
    account += '      "eks.amazonaws.com/role-arn" = module.app.iam_role_arn\n    }\n  }\n}\n'
    (found,) = inventory({"main.tf": call("iam-role-for-service-accounts-eks", providers(), account)}).service_accounts
    named = text_of(found.annotations["eks.amazonaws.com/role-arn"])
    assert named == "${module.app.aws_iam_role.this[0].arn}"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (f"{IAM}/iam-role", "iam-role"),
        (f"registry.terraform.io/{IAM}/iam-role", "iam-role"),
        ("git::https://github.com/terraform-aws-modules/terraform-aws-iam.git//modules/iam-role?ref=v6.0.0", "iam-role"),
        ("git@github.com:terraform-aws-modules/terraform-aws-iam.git//modules/iam-role", "iam-role"),
        ("github.com/terraform-aws-modules/terraform-aws-iam//modules/iam-role", "iam-role"),
        ("terraform-aws-modules/eks/aws", "eks"),
        ("terraform-aws-modules/eks/aws//modules/karpenter", None),
        ("terraform-aws-modules/iam/aws//modules/iam-user", None),
        ("terraform-aws-modules/iam/aws", None),
        ("someone/terraform-aws-modules-iam/aws", None),
        ("example.org/my-terraform-aws-modules/iam/aws//modules/iam-role", None),
        ("./terraform-aws-modules", None),
    ],
)
def test_modules_are_told_by_their_source(source, kind):
    found = known_module(source, "module.x", {})
    assert (found.kind if found else None) == kind
