"""Configuration of Terraform in JSON is edited like any other, and nothing else of its text changes."""

import json

import pytest

from irsa_doctor import api
from tests.cli.gate import ISSUER, trust

WRONG = json.loads(json.dumps(trust("safe")).replace(f'"{ISSUER}:sub"', f'"https://{ISSUER}:sub"'))
ROLE = {"name": "r", "description": "caf\u00e9", "assume_role_policy": "${local.p}"}
FORMS = {
    "a text": {"resource": {"aws_iam_role": {"r": {**ROLE, "assume_role_policy": json.dumps(WRONG)}}}},
    "a local": {"locals": {"p": json.dumps(WRONG)}, "resource": {"aws_iam_role": {"r": ROLE}}},
    "lists of blocks": {"locals": [{"p": json.dumps(WRONG, indent=1)}], "resource": [{"aws_iam_role": [{"r": [ROLE]}]}]},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["main.tf.json", "main.tofu.json"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_key_is_corrected_in_the_text_of_the_policy(tmp_path, form, name, indent):
    text = json.dumps(form, indent=indent)
    path = tmp_path / name
    path.write_text(text)
    fixing = api.fix([str(tmp_path)]).fixing
    made = fixing.after[str(path)].decode()
    assert made == text.replace(f"https://{ISSUER}:sub", f"{ISSUER}:sub")
    assert not api.fix([str(tmp_path)]).fixing.unfixed


def test_an_expression_in_it_is_left_alone(tmp_path):
    expression = f"${{jsonencode({json.dumps(WRONG)})}}"
    (tmp_path / "main.tf.json").write_text(
        json.dumps({"resource": {"aws_iam_role": {"r": {"name": "r", "assume_role_policy": expression}}}})
    )
    fixing = api.fix([str(tmp_path)]).fixing
    assert not fixing.after
    assert [each.rule for each in fixing.unfixed] == ["trust-key-has-scheme"]
