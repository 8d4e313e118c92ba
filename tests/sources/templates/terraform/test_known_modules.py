# Long: a call of every known module, beside what it makes
# ruff: noqa: E501 - configurations are easier to read in one piece
import pytest

from irsa_doctor.model import TrustPolicy, Unknown, text_of
from irsa_doctor.sources.templates.terraform.known_modules import known_module
from irsa_doctor.sources.templates.terraform.module_calls import module_source
from tests.sources.templates.made import ISSUER, PROVIDER, conditions, federated, policy_text, roles_of, statement, told
from tests.sources.worlds import inventory, loaded

IAM = "terraform-aws-modules/iam/aws//modules"
ARCHIVE = "https://github.com/terraform-aws-modules/terraform-aws-iam/archive/refs/tags/v6.0.0.zip"
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
    role = made_by("iam-role", '  enable_saml = true\n  oidc_subjects = ["org/repo:*"]\n')
    assert isinstance(role.policy, TrustPolicy)
    assert told(role.policy.document)["Statement"] == ["${module.app.enable_saml}"]


GITHUB = "token.actions.githubusercontent.com"
SUBJECTS = '["org/repo:*", "repo:org/x:ref:refs/heads/main", "${var.org}/y:*"]'
NAMED = ["repo:org/repo:*", "repo:org/x:ref:refs/heads/main", "repo:${var.org}/y:*"]


@pytest.mark.parametrize(
    ("module", "inputs", "expected"),
    [
        ("iam-github-oidc-role", f"  subjects = {SUBJECTS}\n", {"StringLike": {f"{GITHUB}:sub": NAMED}}),
        (
            "iam-role",
            f'  enable_github_oidc = true\n  oidc_wildcard_subjects = {SUBJECTS}\n  oidc_subjects = ["a/b:c"]\n',
            {"StringLike": {f"{GITHUB}:sub": NAMED}, "StringEquals": {f"{GITHUB}:sub": "repo:a/b:c"}},
        ),
        ("iam-role", "  enable_github_oidc = true\n", {}),
    ],
)
def test_repositories_of_github(module, inputs, expected):
    role = made_by(module, inputs)
    assert federated(role) == f"arn:${{partition of module.app}}:iam::${{account of module.app}}:oidc-provider/{GITHUB}"
    asked = {f"{GITHUB}:aud": "sts.amazonaws.com"}
    assert conditions(role) == {"ForAllValues:StringEquals": asked, **expected}


def test_an_issuer_of_github_and_its_audience_are_inputs():
    inputs = '  provider_url = "https://github.example/_services/token"\n  audience = "x"\n  subjects = var.who\n'
    role = made_by("iam-github-oidc-role", inputs)
    issuer = "github.example/_services/token"
    assert conditions(role)["ForAllValues:StringEquals"] == {f"{issuer}:aud": "x"}
    assert "${" in str(conditions(role)["StringLike"][f"{issuer}:sub"])


def test_whether_a_role_trusts_github_may_be_unknown():
    role = made_by("iam-role", "  enable_github_oidc = var.x\n")
    assert isinstance(role.policy, TrustPolicy)
    assert "enable_github_oidc" in str(told(role.policy.document)["Statement"]) or isinstance(role.policy, Unknown)


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
    ("source", "same"),
    [
        (f"registry.terraform.io/{IAM}/iam-role", f"{IAM}/iam-role"),
        ("git::https://github.com/terraform-aws-modules/terraform-aws-iam.git//modules/iam-role?ref=v6.0.0", f"{IAM}/iam-role"),
        ("git@github.com:terraform-aws-modules/terraform-aws-iam.git//modules/iam-role", f"{IAM}/iam-role"),
        ("github.com/terraform-aws-modules/terraform-aws-iam//modules/iam-role", f"{IAM}/iam-role"),
        ("git::https://github.com/cloudposse/terraform-aws-eks-iam-role.git?ref=tags/0.11.0", "cloudposse/eks-iam-role/aws"),
        ("github.com/terraform-aws-modules/terraform-aws-iam//modules/iam-role//", f"{IAM}/iam-role"),
        ("github.com/terraform-aws-modules/terraform-aws-iam//./modules/iam-role", f"{IAM}/iam-role"),
        (
            "git::ssh://git@github.com/terraform-aws-modules/terraform-aws-eks.git?depth=1&ref=v20.8.0",
            "terraform-aws-modules/eks/aws",
        ),
        ("github.com/terraform-aws-modules/terraform-aws-eks//.", "terraform-aws-modules/eks/aws"),
        ("tfr:///terraform-aws-modules/iam/aws//modules/iam-role?version=6.0.0", f"{IAM}/iam-role"),
        ("tfr://registry.opentofu.org/terraform-aws-modules/iam/aws//modules/iam-role", f"{IAM}/iam-role"),
        (
            f"{ARCHIVE}//terraform-aws-iam-6.0.0/modules/iam-role",
            f"{IAM}/iam-role",
        ),
    ],
)
def test_a_module_is_the_same_by_registry_and_by_repository(source, same):
    by_repository, by_registry = known_module(source, "module.x", {}), known_module(same, "module.x", {})
    assert by_repository
    assert by_registry
    assert by_repository.kind == by_registry.kind


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("?ref=v19.21.0", 19),
        ("?ref=20.8.5", 20),
        ("?ref=v20", 20),
        ("?ref=refs/tags/v19.0.0", 19),
        ("?depth=1&ref=tags/v18.31.2", 18),
        ("?ref=0123abc", 0),
        ("?ref=main", 0),
        ("", 0),
    ],
)
def test_the_version_of_a_module_is_in_its_source(written, version):
    by_git = f"git::https://github.com/terraform-aws-modules/terraform-aws-eks.git//modules/karpenter{written}"
    assert module_source(by_git).version == version
    by_terragrunt = f"tfr:///terraform-aws-modules/eks/aws//modules/karpenter{written.replace('ref=', 'version=')}"
    assert module_source(by_terragrunt).version == version


@pytest.mark.parametrize(
    "source",
    [
        "terraform-aws-modules/iam/aws//modules/iam-user",
        "terraform-aws-modules/iam/aws",
        "someone/terraform-aws-modules-iam/aws",
        "example.org/terraform-aws-modules/iam/google//modules/iam-role",
        "example.org/my-terraform-aws-modules/iam/aws//modules/iam-role",
        "someone/eks-iam-role/aws",
        "./terraform-aws-modules",
        "",
    ],
)
def test_other_modules_are_not_known(source):
    assert known_module(source, "module.x", {}) is None


def module(source, inputs="", name="x", version=""):
    constraint = f'  version = "{version}"\n' if version else ""
    return f'module "{name}" {{\n  source = "{source}"\n{constraint}{inputs}}}\n'


KARPENTER = "terraform-aws-modules/eks/aws//modules/karpenter"
OF_PROVIDER = f'  irsa_oidc_provider_arn = "{PROVIDER}"\n'


@pytest.mark.parametrize(
    ("version", "inputs", "address"),
    [
        ("~> 19.0", "", "irsa"),
        ("", "", "irsa"),
        ("~> 20.8", "  enable_irsa = true\n  enable_pod_identity = false\n", "controller"),
        ("", "  enable_irsa = true\n  enable_pod_identity = false\n", "controller"),
    ],
)
def test_karpenter_makes_a_role_for_its_service_account(version, inputs, address):
    accounts = '  irsa_namespace_service_accounts = ["a:b"]\n'
    (role,) = loaded({"main.tf": module(KARPENTER, OF_PROVIDER + accounts + inputs, version=version)}).inventory.roles
    assert role.address == f"module.x.aws_iam_role.{address}[0]"
    assert conditions(role) == {
        "StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:a:b", f"{ISSUER}:aud": "sts.amazonaws.com"}
    }


def test_karpenter_has_a_service_account_by_default():
    (role,) = loaded({"main.tf": module(KARPENTER, OF_PROVIDER, version="19.21.0")}).inventory.roles
    assert conditions(role)["StringEquals"][f"{ISSUER}:sub"] == "system:serviceaccount:karpenter:karpenter"


@pytest.mark.parametrize(
    ("version", "inputs", "associated"),
    [
        ("~> 21.0", "", True),
        ("", "", True),
        ("~> 21.0", "  create_pod_identity_association = false\n", False),
        ("~> 20.0", "", False),
        ("~> 20.0", "  create_pod_identity_association = true\n", True),
    ],
)
def test_karpenter_makes_a_role_for_pod_identity(version, inputs, associated):
    given = loaded({"main.tf": module(KARPENTER, '  cluster_name = "shop"\n' + inputs, version=version)}).inventory
    (role,) = given.roles
    assert statement(role)["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    found = [(item.cluster, item.namespace, item.service_account, text_of(item.role_arn)) for item in given.associations]
    expected = ("shop", "kube-system", "karpenter", "${module.x.aws_iam_role.controller[0].arn}")
    assert found == ([expected] if associated else [])


def test_a_role_for_pod_identity_with_its_associations():
    inputs = """
  name = "app"
  association_defaults = { cluster_name = module.eks.cluster_name, namespace = "prod" }
  associations = {
    one = { service_account = "app" }
    two = { service_account = var.account, namespace = "other", role_arn = "arn:aws:iam::111122223333:role/x" }
  }
"""
    given = loaded({"main.tf": module("terraform-aws-modules/eks-pod-identity/aws", inputs)}).inventory
    (role,) = given.roles
    assert statement(role)["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    first, second = given.associations
    assert (first.namespace, first.service_account) == ("prod", "app")
    assert text_of(first.role_arn) == "${module.x.aws_iam_role.this[0].arn}"
    assert (second.namespace, text_of(second.service_account)) == ("other", "${var.account}")
    assert second.role_arn == "arn:aws:iam::111122223333:role/x"


ADDON = "aws-ia/eks-blueprints-addon/aws"


def test_an_addon_of_blueprints_trusts_its_service_accounts():
    inputs = f"""
  create_role = true
  role_name   = "app"
  namespace   = "base"
  oidc_providers = {{
    a = {{ provider_arn = "{PROVIDER}", service_account = "x" }}
    b = {{ provider_arn = "{PROVIDER}", namespace = "own", service_account = "y" }}
  }}
"""
    (role,) = loaded({"main.tf": module(ADDON, inputs)}).inventory.roles
    subjects = [statement(role, number)["Condition"]["StringEquals"][f"{ISSUER}:sub"] for number in range(2)]
    assert subjects == ["system:serviceaccount:base:x", "system:serviceaccount:own:y"]
    assert loaded({"main.tf": module(ADDON, "")}).inventory.roles == ()


def test_addons_of_blueprints_make_the_roles_that_are_switched_on():
    inputs = f"""
  oidc_provider_arn = "{PROVIDER}"
  enable_external_dns = true
  enable_velero = false
  enable_karpenter = true
  karpenter = {{ namespace = "kube-system" }}
  enable_aws_efs_csi_driver = true
"""
    roles = roles_of({"main.tf": module("aws-ia/eks-blueprints-addons/aws", inputs)})
    subjects = {
        address.split(".")[3]: [
            item["Condition"]["StringEquals"][f"{ISSUER}:sub"] for item in told(role.policy.document)["Statement"]
        ]
        for address, role in roles.items()
    }
    assert subjects == {
        "external_dns": ["system:serviceaccount:external-dns:external-dns-sa"],
        "karpenter": ["system:serviceaccount:kube-system:karpenter"],
        "aws_efs_csi_driver": [f"system:serviceaccount:kube-system:efs-csi-{part}-sa" for part in ("controller", "node")],
    }


@pytest.mark.parametrize(
    ("inputs", "subjects"),
    [
        ('service_account_name = "app"\n service_account_namespace = "prod"\n', "system:serviceaccount:prod:app"),
        ('service_account_namespace = "prod"\n', "system:serviceaccount:prod:*"),
        ('service_account_namespace_name_list = ["a:b", "c:*"]\n', ["system:serviceaccount:a:b", "system:serviceaccount:c:*"]),
        ("", "system:serviceaccount:*:*"),
    ],
)
def test_a_role_of_cloudposse(inputs, subjects):
    source = "cloudposse/eks-iam-role/aws"
    url = f'  eks_cluster_oidc_issuer_url = "https://{ISSUER}"\n  aws_account_number = "111122223333"\n'
    (role,) = loaded({"main.tf": module(source, url + inputs, version="2.1.1")}).inventory.roles
    assert federated(role).endswith(f":iam::111122223333:oidc-provider/{ISSUER}")
    assert conditions(role)["StringLike"] == {f"{ISSUER}:sub": subjects}
    assert conditions(role)["StringEquals"] == {f"{ISSUER}:aud": "sts.amazonaws.com"}
    (role,) = loaded({"main.tf": module(source, url + inputs, version="1.1.0")}).inventory.roles
    assert "StringEquals" not in conditions(role)


@pytest.mark.parametrize(
    ("inputs", "subjects"),
    [
        ('  service_account_name = "app"\n  service_account_namespace = "prod"\n', "system:serviceaccount:prod:app"),
        ('  service_account_namespace = "prod"\n', "system:serviceaccount:prod:*"),
        ("", "system:serviceaccount:*:*"),
    ],
)
@pytest.mark.parametrize(
    "source", ["cloudposse/helm-release/aws", "github.com/cloudposse/terraform-aws-helm-release?ref=0.10.1"]
)
def test_a_release_of_cloudposse_has_a_role_where_that_is_switched_on(source, inputs, subjects):
    url = f'  eks_cluster_oidc_issuer_url = "{ISSUER}"\n'
    (role,) = loaded({"main.tf": module(source, url + inputs + "  iam_role_enabled = true\n")}).inventory.roles
    assert conditions(role)["StringLike"] == {f"{ISSUER}:sub": subjects}
    assert conditions(role)["StringEquals"] == {f"{ISSUER}:aud": "sts.amazonaws.com"}
    assert not loaded({"main.tf": module(source, url + inputs)}).inventory.roles


@pytest.mark.parametrize(
    ("namespaces", "subjects"),
    [
        ("{ blue = {} }", "system:serviceaccount:blue:blue"),
        ('{ blue = { service_account = { name = "web" } } }', "system:serviceaccount:blue:web"),
        ('{ blue = { name = "b" }, red = {} }', ["system:serviceaccount:b:b", "system:serviceaccount:red:red"]),
        ('{ "*" = { service_account = { name = "*" } } }', "system:serviceaccount:*:*"),
    ],
)
@pytest.mark.parametrize(
    "source",
    ["aws-ia/eks-blueprints-teams/aws", "git::https://github.com/aws-ia/terraform-aws-eks-blueprints-teams.git?ref=v1.1.0"],
)
def test_a_team_of_blueprints_trusts_a_service_account_in_each_namespace(source, namespaces, subjects):
    inputs = f'  name = "team"\n  oidc_provider_arn = "{PROVIDER}"\n  namespaces = {namespaces}\n'
    (role,) = loaded({"main.tf": module(source, inputs)}).inventory.roles
    expected = {"StringEquals": {f"{ISSUER}:sub": subjects, f"{ISSUER}:aud": "sts.amazonaws.com"}}
    assert statement(role, 1)["Condition"] == expected
    assert not inventory({"main.tf": module(source, inputs + "  create_iam_role = false\n")}).roles


@pytest.mark.parametrize(
    ("source", "inputs", "counts"),
    [
        ("terraform-aws-modules/eks/aws", '  name = "shop"\n', (1, 0, 1)),
        ("terraform-aws-modules/eks/aws", '  cluster_name = "shop"\n', (1, 0, 1)),
        ("terraform-aws-modules/eks/aws", "  name = var.name\n", (0, 1, 1)),
        ("terraform-aws-modules/eks/aws", "  name = var.name\n  enable_irsa = false\n", (0, 1, 0)),
        ("terraform-aws-modules/eks/aws", "  create = false\n", (0, 0, 0)),
        ("cloudposse/eks-cluster/aws", "", (0, 1, 1)),
        ("cloudposse/eks-cluster/aws", "  oidc_provider_enabled = false\n", (0, 1, 0)),
    ],
)
def test_a_module_makes_a_cluster_and_its_provider(source, inputs, counts):
    given = inventory({"main.tf": module(source, inputs)})
    assert (len(given.clusters), len(given.planned_clusters), len(given.planned_providers)) == counts


def test_the_provider_of_a_module_is_that_which_roles_trust_by_its_outputs():
    cluster = module("cloudposse/eks-cluster/aws", name="eks")
    inputs = "  create_role = true\n  provider_url = module.eks.eks_cluster_identity_oidc_issuer\n"
    (role,) = loaded({"main.tf": cluster + module(f"{IAM}/iam-assumable-role-with-oidc", inputs)}).inventory.roles
    (provider,) = inventory({"main.tf": cluster}).planned_providers
    assert federated(role).endswith(f":oidc-provider/{text_of(provider.issuer)}")
    assert provider.client_ids == ("sts.amazonaws.com",)


@pytest.mark.parametrize("name", ["iam-github-oidc-provider", "iam-oidc-provider"])
def test_a_module_makes_a_provider_without_a_cluster(name):
    source = f"{IAM}/{name}"
    given = inventory({"main.tf": module(source, "")})
    (provider,) = given.planned_providers
    assert (provider.issuer, provider.client_ids) == (GITHUB, ("sts.amazonaws.com",))
    assert not given.planned_clusters
    more = inventory({"main.tf": module(source, '  url = "https://x.example"\n  client_id_list = ["a", "b"]\n')})
    assert [(each.issuer, each.client_ids) for each in more.planned_providers] == [("x.example", ("a", "b"))]
    assert not inventory({"main.tf": module(source, "  create = false\n")}).planned_providers
    (unseen,) = inventory({"main.tf": module(source, "  client_id_list = var.ids\n")}).planned_providers
    assert isinstance(unseen.client_ids, Unknown)


def test_the_provider_of_a_module_has_the_issuer_that_a_role_trusts_by_its_outputs():
    named = module(f"{IAM}/iam-github-oidc-provider", "", name="github")
    (role,) = loaded({"main.tf": named + _trusting("module.github.arn")}).inventory.roles
    assert federated(role).endswith(f":oidc-provider/{GITHUB}")


def _trusting(arn):
    statement = f'{{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = {{ Federated = {arn} }} }}'
    return f'resource "aws_iam_role" "app" {{\n  assume_role_policy = jsonencode({{ Statement = [{statement}] }})\n}}\n'


def test_more_audiences_of_a_cluster_are_client_ids():
    given = inventory({"main.tf": module("terraform-aws-modules/eks/aws", '  openid_connect_audiences = ["b", "b"]\n')})
    assert given.planned_providers[0].client_ids == ("sts.amazonaws.com", "b")


@pytest.mark.parametrize("name", ["addons", "cluster_addons"])
def test_addons_of_a_cluster_name_their_roles(name):
    inputs = f"""  {name} = {{
    coredns = {{}}
    vpc-cni = {{ service_account_role_arn = "arn:aws:iam::111122223333:role/cni" }}
    storage = {{
      name = "aws-ebs-csi-driver"
      pod_identity_association = [{{ role_arn = "arn:aws:iam::111122223333:role/ebs", service_account = "ebs-csi-controller-sa" }}]
    }}
  }}
"""
    given = inventory({"main.tf": module("terraform-aws-modules/eks/aws", inputs)})
    (account,) = given.service_accounts
    assert (account.namespace, account.name) == ("kube-system", "aws-node")
    assert account.annotations["eks.amazonaws.com/role-arn"] == "arn:aws:iam::111122223333:role/cni"
    (association,) = given.associations
    assert (association.namespace, association.service_account) == ("kube-system", "ebs-csi-controller-sa")


@pytest.mark.parametrize(
    ("source", "inputs", "lacking"),
    [
        (
            f"{IAM}/iam-assumable-role-with-oidc",
            '  create_role = true\n  oidc_fully_qualified_subjects = ["a"]\n',
            "provider_url",
        ),
        (f"{IAM}/iam-role-for-service-accounts-eks", '  role_name = "a"\n', "oidc_providers"),
        (f"{IAM}/iam-eks-role", '  role_name = "a"\n', "cluster_service_accounts"),
        (ADDON, "  create_role = true\n", "oidc_providers"),
    ],
)
def test_a_policy_without_a_statement_says_which_input_is_lacking(source, inputs, lacking):
    given = loaded({"main.tf": module(source, inputs)})
    (role,) = given.inventory.roles
    assert isinstance(role.policy, TrustPolicy)
    assert f"`{lacking}`" in role.policy.flaws[0].message
    assert given.documents.locate(role.policy.place).line == 1


ISSUER_WHERE = 'trimprefix(var.logs.issuer, "https://")'


@pytest.mark.parametrize(
    ("switch", "issuer"),
    [
        ("var.logs.create", f'var.logs.create ? {ISSUER_WHERE} : ""'),
        ("local.create", f'var.logs.create ? {ISSUER_WHERE} : ""'),
        ("var.logs.create ? true : false", f'var.logs.create ? {ISSUER_WHERE} : ""'),
        ("var.on && var.logs.create", f'var.on ? {ISSUER_WHERE} : ""'),
        ("!var.on", f'var.on ? "" : {ISSUER_WHERE}'),
        ("var.on ? false : true", f'var.on ? "" : {ISSUER_WHERE}'),
    ],
)
def test_where_a_module_makes_no_role_there_is_no_policy_that_lacks_a_statement(switch, issuer):
    more = 'variable "logs" {}\nvariable "on" {}\nlocals {\n  create = var.logs.create\n}\n'
    inputs = f'  create_role = {switch}\n  provider_url = {issuer}\n  oidc_fully_qualified_subjects = ["{SUBJECT}"]\n'
    role = made_by("iam-assumable-role-with-oidc", inputs, more)
    assert list(conditions(role)["StringEquals"].values()) == [SUBJECT]


def test_where_a_module_makes_a_role_without_an_issuer_its_policy_lacks_a_statement():
    inputs = f'  create_role = true\n  provider_url = var.on ? {ISSUER_WHERE} : ""\n  oidc_fully_qualified_subjects = ["{SUBJECT}"]\n'
    roles = roles_of({"main.tf": call("iam-assumable-role-with-oidc", inputs, 'variable "logs" {}\nvariable "on" {}\n')})
    assert {role.case: len(role.policy.document.get("Statement", [])) for role in roles.values()} == {
        "(var.on)": 1,
        "(not var.on)": 0,
    }


@pytest.mark.parametrize(
    "inside",
    [
        "external_dns = { depends_on = [module.app.aws_load_balancer_controller] }",
        "external_dns = { role = module.app.external_dns.iam_role_arn }",
        "tags = { a = module.app.cert_manager, b = module.app.gitops_metadata, c = module.app.velero }",
    ],
)
def test_an_argument_may_refer_to_what_its_own_call_makes(inside):
    text = f"""\
module "app" {{
  source              = "aws-ia/eks-blueprints-addons/aws"
  oidc_provider_arn   = "{PROVIDER}"
  enable_external_dns = true
  enable_cert_manager = true
  {inside}
}}
"""
    given = inventory({"main.tf": text})
    assert len(given.roles) == 2
    assert [row.why for row in given.documents if row.status == "unreadable"] == []


@pytest.mark.parametrize(
    "users", ['["arn:aws:iam::111122223333:user/ann"]', "[data.aws_caller_identity.current.arn]", "var.admins"]
)
def test_a_team_of_administrators_is_trusted_by_its_users_alone(users):
    inputs = f'  name = "admins"\n  enable_admin = true\n  users = {users}\n'
    (role,) = roles_of({"main.tf": module("aws-ia/eks-blueprints-teams/aws", inputs)}).values()
    document = role.policy.document
    assert [list(item["Principal"]) for item in document["Statement"]] == [["AWS"]]
    assert (statement(role)["Action"], role.policy.flaws) == ("sts:AssumeRole", ())


PODS = """{
    pods = {
      principals = [{ type = "Service", identifiers = ["pods.eks.amazonaws.com"] }]
      actions    = ["sts:AssumeRole", "sts:TagSession"]
      condition  = [{ test = "StringEquals", variable = "aws:SourceAccount", values = ["111122223333"] }]
    }
  }"""


def test_statements_that_a_role_takes_over_are_those_of_its_policy():
    role = made_by("iam-role", f'  name = "csi"\n  trust_policy_permissions = {PODS}\n')
    assert statement(role) == {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
    }


@pytest.mark.parametrize("permissions", ["var.more", "{ a = var.more }"])
def test_statements_that_a_role_takes_over_and_that_are_not_known_are_unknown(permissions):
    role = made_by("iam-role", f'  name = "csi"\n  trust_policy_permissions = {permissions}\n')
    (item,) = role.policy.document["Statement"]
    assert "trust_policy_permissions" in told(item)
