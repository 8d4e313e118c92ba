"""`irsa-doctor fix` on Terraform configuration, as it is called."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

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
