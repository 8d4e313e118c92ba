"""`irsa-doctor fix` on Terraform configuration, as it is called."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
CLUSTER = {
    "cluster": {
        "name": "shop",
        "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop",
        "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
    }
}
PROVIDERS = """resource "aws_iam_openid_connect_provider" "p" {
  url            = "https://ISSUER/"
  client_id_list = ["sts.amazonaws.com"] # of EKS
}

resource "aws_iam_openid_connect_provider" "q" {
  url            = "https://ISSUER"
  client_id_list = ["vault"] # of another program
}
""".replace("ISSUER", ISSUER)


def fix(folder: Path, *options: str) -> Any:
    command = [sys.executable, "-m", "irsa_doctor", "fix", "--no-config", "-f", "json", *options, "."]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    return json.loads(run.stdout)


def test_client_ids_and_urls_of_providers_change_where_unsafe_fixes_are_made(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text(json.dumps(CLUSTER), encoding="utf-8")
    main = tmp_path / "main.tf"
    main.write_text(PROVIDERS.partition("\n\n")[2], encoding="utf-8")
    listed = ("--write", "--complete", "serviceaccounts")
    assert not any(each["applied"] for each in fix(tmp_path, *listed)["fixes"])
    assert any(each["applied"] for each in fix(tmp_path, *listed, "--unsafe-fixes")["fixes"])
    assert 'client_id_list = ["vault", "sts.amazonaws.com"] # of another program' in main.read_text(encoding="utf-8")
    main.write_text(PROVIDERS.partition("\n\n")[0], encoding="utf-8")
    fix(tmp_path, "--write", "--unsafe-fixes")
    assert main.read_text(encoding="utf-8") == PROVIDERS.partition("\n\n")[0].replace('/"', '"')


ROLE = """variable "sub" {DEFAULT}

resource "aws_iam_role" "checkout" {
  name = "checkout"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/ISSUER" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = { "ISSUER:sub" = var.sub, "ISSUER:aud" = "sts.amazonaws.com" } }
    }]
  })
}
""".replace("ISSUER", ISSUER)
ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {
        "name": "checkout",
        "namespace": "shop",
        "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/checkout"},
    },
}
WRONG, RIGHT, OTHER = (f"system:serviceaccount{words}" for words in ("s:shop:checkout", ":shop:checkout", ":depot:packer"))


@pytest.mark.parametrize(
    ("default", "deployments", "edited"),
    [
        # no text may take the place of what each deployment gives
        ("", {"dev": WRONG, "prod": OTHER}, None),
        (OTHER, {"dev": WRONG}, None),
        (WRONG, {"prod": OTHER}, "main.tf"),
        (WRONG, {"prod": RIGHT}, "main.tf"),
    ],
)
def test_the_value_of_one_deployment_is_not_written_for_all(tmp_path, default, deployments, edited):
    (tmp_path / "cluster.json").write_text(json.dumps(CLUSTER))
    (tmp_path / "account.json").write_text(json.dumps(ACCOUNT))
    main = ROLE.replace("{DEFAULT}", f'{{ default = "{default}" }}' if default else "{}")
    (tmp_path / "main.tf").write_text(main)
    for name, value in deployments.items():
        (tmp_path / f"{name}.tfvars").write_text(f'sub = "{value}"\n')
    fixes = fix(tmp_path, "--write", "--account", "111122223333")["fixes"]
    assert {edit["file"] for each in fixes if each["applied"] for edit in each["edits"]} == ({edited} if edited else set())
    written = (tmp_path / "main.tf").read_text()
    assert "var.sub" in written
    assert written == (main.replace(WRONG, RIGHT) if edited else main)
