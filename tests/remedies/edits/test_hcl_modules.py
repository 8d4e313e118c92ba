"""Edits of the arguments of well-known modules that write trust policies."""

import pytest

from irsa_doctor.remedies.edits.records import CannotWrite
from tests.remedies.edits.configurations import read_roles
from tests.remedies.edits.test_hcl import CART, ISSUER, PROVIDER, document_of, edited

MODULE = f"""module "loki" {{
  source  = "terraform-aws-modules/iam/aws//modules/iam-role-for-service-accounts-eks"
  version = "~> 5.0"

  role_name                  = "loki"
  assume_role_condition_test = "StringLike"
  oidc_providers = {{
    main = {{
      provider_arn               = "{PROVIDER}"
      namespace_service_accounts = ["*:loki"] # everywhere
    }}
  }}
}}
"""


def test_the_service_accounts_of_a_known_module_are_edited() -> None:
    texts = {"main.tf": MODULE}
    address = next(iter(read_roles(texts)[0]))
    after = document_of(texts, address)
    after["Statement"][0]["Condition"]["StringLike"][f"{ISSUER}:sub"] = ["system:serviceaccount:logs:loki", CART]
    new = edited(texts, after, address)["main.tf"]
    assert new == MODULE.replace('["*:loki"]', '["logs:loki", "shop:cart"]')


GITHUB = "token.actions.githubusercontent.com"
CALLS = {
    "iam-github-oidc-role": ("5.39.0", "subjects = [SUBJECTS]", "StringLike"),
    "iam-role": ("6.2.0", "enable_github_oidc = true\n  oidc_subjects = [SUBJECTS]", "StringEquals"),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("written", "new"),
    [
        ('"acme/*", "acme/b:pull_request"', '"acme/a:pull_request", "acme/b:pull_request"'),
        ('"repo:acme/*", "repo:acme/b:pull_request"', '"repo:acme/a:pull_request", "repo:acme/b:pull_request"'),
        ('"acme/*", "repo:acme/b:pull_request"', '"repo:acme/a:pull_request", "repo:acme/b:pull_request"'),
    ],
)
def test_the_subjects_of_github_are_edited_as_the_caller_has_them(name, written, new) -> None:
    version, arguments, operator = CALLS[name]
    source = f'source = "terraform-aws-modules/iam/aws//modules/{name}"\n  version = "{version}"'
    text = f'module "r" {{\n  {source}\n  {arguments}\n}}\n'
    texts = {"main.tf": text.replace("SUBJECTS", written)}
    address = next(iter(read_roles(texts)[0]))
    after = document_of(texts, address)
    after["Statement"][0]["Condition"][operator][f"{GITHUB}:sub"] = ["repo:acme/a:pull_request", "repo:acme/b:pull_request"]
    assert edited(texts, after, address)["main.tf"] == text.replace("SUBJECTS", new)


@pytest.mark.parametrize("space", [" ", "          "])
def test_subjects_that_are_compared_in_another_way_have_another_argument(space) -> None:
    text = f"""module "r" {{
  source             = "terraform-aws-modules/iam/aws//modules/iam-role"
  version            = "6.2.0"
  enable_github_oidc = true
  oidc_subjects{space}= ["acme/b:*"]
}}
"""
    address = next(iter(read_roles({"main.tf": text})[0]))
    after = document_of({"main.tf": text}, address)
    condition = after["Statement"][0]["Condition"]
    condition["StringLike"] = {f"{GITHUB}:sub": "repo:acme/b:ref:*"}
    del condition["StringEquals"]
    moved = f"oidc_wildcard_subjects{space[9:] or ' '}="
    new = text.replace(f"oidc_subjects{space}=", moved).replace("acme/b:*", "acme/b:ref:*")
    assert edited({"main.tf": text}, after, address)["main.tf"] == new
    condition["StringNotLike"] = {f"{GITHUB}:ref": "x"}
    with pytest.raises(CannotWrite, match="module"):
        edited({"main.tf": text}, after, address)


def test_what_a_known_module_writes_by_itself_is_not_edited() -> None:
    texts = {"main.tf": MODULE}
    address = next(iter(read_roles(texts)[0]))
    after = document_of(texts, address)
    after["Statement"][0]["Action"] = "sts:AssumeRole"
    with pytest.raises(CannotWrite, match="module"):
        edited(texts, after, address)
