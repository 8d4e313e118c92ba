"""No code names an issuer: what is known of one stands in its data file."""

import ast
import re
from pathlib import Path

import pytest

import irsa_doctor
from irsa_doctor.issuers import profiles

PACKAGE = Path(irsa_doctor.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
EVERYWHERE = "amazonaws.com"
"""stands in names of AWS that are no issuers"""
HOSTS = {
    part.strip("./")
    for entry in profiles().values()
    for match in entry.match
    for part in re.split(r"<[a-z_]+>", match.issuer)
    if "." in part.strip("./") and part.strip("./") != EVERYWHERE
}
COMMON = {"cluster_id", "cluster_name"}
"""claims that are arguments of Terraform, too"""
CLAIMS = {key.key for entry in profiles().values() if entry.keys != "any" for key in entry.keys if "_" in key.key} - COMMON
ALLOWED = {
    # how an answer of GKE and a template make the issuer of their own cluster
    ("sources/documents/clouds/google.py", "container.googleapis.com/v1/projects"),
    # the issuers of EKS are made here, for every partition
    ("model/issuer.py", "oidc.eks"),
    ("remedies/standins.py", "oidc.eks"),
    ("facts/grants/provider_arns.py", "oidc.eks"),
    # what modules of Terraform take where a call names no issuer
    ("sources/templates/terraform/module_trust_github.py", "token.actions.githubusercontent.com"),
    ("sources/templates/terraform/module_trust_github.py", "token.actions"),
    # an example of the help
    ("cli/help.py", "token.actions.githubusercontent.com"),
    ("cli/help.py", "token.actions"),
}


def texts_of(path):
    """The texts of a module but its docstrings."""
    tree = ast.parse(path.read_bytes())
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose)
    return [node.value for node in constants if isinstance(node.value, str)]


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES])
def test_no_code_names_the_host_of_an_issuer_or_a_claim_that_only_its_tokens_have(path):
    name = str(path.relative_to(PACKAGE))
    texts = texts_of(path)
    named = {(name, host) for host in HOSTS for text in texts if host in text}
    assert named <= ALLOWED
    assert CLAIMS.isdisjoint(texts)


def test_the_hosts_and_claims_are_those_of_the_data_files():
    assert {"gitlab.com", "app.terraform.io", "accounts.google.com"} <= HOSTS
    assert {"repository_owner_id", "namespace_id", "organization_slug"} <= CLAIMS
