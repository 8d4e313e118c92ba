"""`gate-unknown`: a hole that a change makes does not open the gate."""

import pytest

from tests.cli.running import put
from tests.cli.test_config_from import judged, repository

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"
ROLE = """\
variable "who" {{}}
resource "aws_iam_role" "app" {{
  name = "app"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect = "Allow"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/ISSUER" }}
      Action = "sts:AssumeRoleWithWebIdentity"
      Condition = {{
        {operator} = {{ "ISSUER:sub" = {value} }}
        StringEquals{if_exists} = {{ "ISSUER:aud" = "sts.amazonaws.com" }}
      }}
    }}]
  }})
}}
""".replace("ISSUER", ISSUER)


def template(operator, value):
    return ROLE.format(operator=operator, value=value, if_exists="")


WHOLE = 'resource "aws_iam_role" "app" {\n  name = "app"\n  assume_role_policy = %s\n}\n'
HOLES = [
    template("StringLike", "var.who"),
    template("StringLike", '"system:serviceaccount:x:${var.who}"'),
    template("StringLike", "[var.who]"),
    template("StringEqualsIfExists", "var.who").replace("StringEqualsIfExists", "StringLike"),
    WHOLE % "base64decode(data.external.x.result.p)",
    'variable "p" {}\n' + WHOLE % "var.p",
]
BOUNDED = [
    template("StringLike", '"system:serviceaccount:x:a"'),
    ROLE.format(operator="StringEquals", value="var.who", if_exists="IgnoreCase"),
    template("ForAnyValue:StringEquals", '"system:serviceaccount:x:a"').replace("ForAnyValue:StringEquals", "StringLike"),
]


@pytest.mark.parametrize("text", HOLES)
def test_a_hole_that_decides_how_far_a_new_policy_reaches_fails(tmp_path, text):
    repository(tmp_path)
    put(tmp_path / "main.tf", text)
    code, found = judged(tmp_path, path=".")
    assert (code, found["gate-unknown"]["severity"], found["gate-unknown"]["confidence"]) == (1, "high", "high")


@pytest.mark.parametrize("text", BOUNDED)
def test_holes_that_leave_finitely_many_subjects_pass(tmp_path, text):
    repository(tmp_path)
    put(tmp_path / "main.tf", text)
    assert judged(tmp_path, path=".") == (0, {})


@pytest.mark.parametrize("text", HOLES)
def test_what_was_equally_unknown_before_passes(tmp_path, text):
    repository(tmp_path, main_tf=text)
    put(tmp_path / "main.tf", "# moved\n\n" + text)
    assert judged(tmp_path, path=".") == (0, {})


def test_another_hole_of_the_same_policy_is_not_equally_unknown(tmp_path):
    repository(tmp_path, main_tf=HOLES[1])
    put(tmp_path / "main.tf", HOLES[0])
    assert judged(tmp_path, path=".")[0] == 1


@pytest.mark.parametrize(("held", "flags"), [('gate-unknown = "tell"\n', ()), ("", ("--gate-unknown", "tell"))])
def test_the_base_or_the_command_line_may_let_it_be_told_only(tmp_path, held, flags):
    repository(tmp_path, **{"irsa-doctor_toml": held})
    put(tmp_path / "main.tf", HOLES[0])
    code, found = judged(tmp_path, *flags, path=".")
    assert (code, found["gate-unknown"]["severity"]) == (0, "medium")


def test_a_change_cannot_let_it_be_told_only(tmp_path):
    repository(tmp_path)
    put(tmp_path / "main.tf", HOLES[0])
    put(tmp_path / "irsa-doctor.toml", 'gate-unknown = "tell"\n')
    code, found = judged(tmp_path, path=".")
    assert (code, set(found)) == (1, {"gate-unknown", "policy-weakened"})
