"""What programs print for people is named, with what to give in its place, and is never taken for an empty document."""

import pytest

from irsa_doctor.sources.documents.printouts import PRINTOUTS, printout_of
from tests.cli.running import RIGHT, check, put, role, run

TABLE = b"""------------------------------------------------------------
|                          GetRole                         |
+----------------------------------------------------------+
||                          Role                          ||
|+--------+-----------------------------------------------+|
||  Arn   |  arn:aws:iam::111122223333:role/app           ||
"""
TEXT = (
    b"ROLE\tarn:aws:iam::111122223333:role/app\t2026-01-01T00:00:00+00:00\t3600\t/\tapp\nASSUMEROLEPOLICYDOCUMENT\t2012-10-17\n"
)
POLICY_TEXT = b"2012-10-17\nSTATEMENT\tsts:AssumeRoleWithWebIdentity\tAllow\n"
ACCOUNTS = b"NAMESPACE\tNAME\tROLE ARN\nkube-system\taws-node\tarn:aws:iam::111122223333:role/app\n"
PODS = b"NAME             SECRETS   AGE\nservice_account   0         10d\n"
DESCRIBED = b"""Name:                app
Namespace:           shop
Labels:              <none>
Annotations:         eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/app
"""
LISTED = b"""

Arn                      : arn:aws:iam::111122223333:role/app
AssumeRolePolicyDocument : %7B%22Version%22%3A%222012-10-17%22%7D
RoleName                 : app
"""
PLAN = b"""
Terraform used the selected providers to generate the following execution
plan. Resource actions are indicated with the following symbols:
  + create

Terraform will perform the following actions:

  # aws_iam_role.app will be created
  + resource "aws_iam_role" "app" {
      + name = "app"
    }
"""
PATCH = b"""diff --git a/trust.json b/trust.json
--- a/trust.json
+++ b/trust.json
@@ -1,2 +1,2 @@
-      "Action": "sts:AssumeRole"
+      "Action": "sts:AssumeRoleWithWebIdentity"
"""
COLOURED = PLAN.replace(b"Terraform", b"\x1b[0m\x1b[1mTerraform").replace(b"actions:", b"actions:\x1b[0m")
MAILED = b"From 0123456789abcdef Mon Sep 17 00:00:00 2001\nSubject: [PATCH] roles\n\n---\n" + PATCH
TEXTS = [
    (TABLE, "--output json"),
    (TEXT, "--output json"),
    (POLICY_TEXT, "--output json"),
    (ACCOUNTS, "-o yaml"),
    (PODS, "-o yaml"),
    (DESCRIBED, "kubectl get -o yaml"),
    (LISTED, "ConvertTo-Json"),
    (PLAN, "terraform show -json"),
    (COLOURED, "terraform show -json"),
    (PATCH, "apply it"),
    (MAILED, "apply it"),
]


@pytest.mark.parametrize(("text", "instead"), TEXTS)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_a_named_printout_says_what_to_give_in_its_place(tmp_path, text, instead, ends):
    file = put(tmp_path / "printed.txt", text.replace(b"\n", ends))
    done = run("check", file, cwd=tmp_path)
    assert done.returncode == 2
    assert instead in done.stderr


@pytest.mark.parametrize(("text", "instead"), TEXTS)
def test_nothing_else_is_lost_with_it(tmp_path, text, instead):
    put(tmp_path / "printed.json", text)
    put(tmp_path / "role.json", role(RIGHT))
    found = check(".", cwd=tmp_path)
    (lost,) = (finding for finding in found["findings"] if finding["rule"] == "input-unreadable")
    assert instead in lost["message"]
    assert found["summary"]["roles"] == 1


def test_in_a_folder_an_answer_of_aws_is_missed_and_what_repositories_keep_is_not(tmp_path):
    put(tmp_path / "role.json", role(RIGHT))
    for name, text in (("table", TABLE), ("plan", PLAN), ("change", PATCH), ("accounts", ACCOUNTS), ("golden", DESCRIBED)):
        put(tmp_path / f"{name}.txt", text)
    put(tmp_path / "page.md", TABLE)
    rows = {row["path"]: row["status"] for row in check(".", cwd=tmp_path)["documents"]}
    assert rows == {
        "role.json": "read",
        "table.txt": "unreadable",
        "plan.txt": "ignored",
        "change.txt": "ignored",
        "accounts.txt": "ignored",
        "golden.txt": "ignored",
        "page.md": "ignored",
    }


@pytest.mark.parametrize(
    "text",
    [
        b"Name: app\nNamespace: shop\nroleArn: arn:aws:iam::111122223333:role/app\n",
        b"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: app}\n",
        b"NAME  VALUE\n",
        b'resource "aws_iam_role" "app" {\n  # Terraform will perform the following actions\n}\n',
        b"Arn: arn:aws:iam::111122223333:role/app\nAssumeRolePolicyDocument: {}\n",
        b"Arn : arn:aws:iam::111122223333:role/app\nAssumeRolePolicyDocument : {}\n",
        b"Name:       app\nNamespace:  shop\nLabels:     {team: shop}\nroleArn:    arn:aws:iam::111122223333:role/app\n",
        b"Name:       app\nPriority:   high\nroleArn:    arn:aws:iam::111122223333:role/app\n",
        b"ROLE\tARN\tTEAM NAME\napp\tarn:aws:iam::111122223333:role/app\tshop\n",
        b"ROLE_NAME\tROLE_ARN\r\napp\tarn:aws:iam::111122223333:role/app\r\n",
    ],
)
def test_documents_are_no_printouts(text):
    assert printout_of(text, "app.txt") is None


def test_every_printout_is_shown():
    shown = {printout_of(text, "").why for text, _ in TEXTS}
    assert shown == {printout.why for printout in PRINTOUTS}


@pytest.mark.parametrize("line", [b"Name:  a\n", b"A  : b\n", b"From abcdef0\n", b"\n", b" "])
def test_long_texts_that_begin_alike_end(line):
    assert printout_of(line * 50_000 + b"arn:aws:iam::111122223333:role/app", "") is None
