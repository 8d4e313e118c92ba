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


STATEMENT = WRONG["Statement"][0]


def configuration(policy, **more):
    """A role with the policy that an expression makes, beside an expression that is no valid text of the other syntax."""
    tags = '${jsondecode("{}")}'
    return {**more, "resource": {"aws_iam_role": {"r": {"name": "r", "tags": tags, "assume_role_policy": policy}}}}


def document(statement, **more):
    """A data source that says one statement."""
    conditions = [
        {"test": operator, "variable": key, "values": [values]}
        for operator, keys in statement["Condition"].items()
        for key, values in keys.items()
    ]
    principals = [{"type": kind, "identifiers": [value]} for kind, value in statement["Principal"].items()]
    said = {"effect": "Allow", "actions": [statement["Action"]], "principals": principals, "condition": conditions}
    return {"aws_iam_policy_document": {"p": {"statement": [said], **more}}}


def flat(data):
    """The same with blocks of which there is one as objects."""
    made = json.loads(json.dumps(data))
    block = made["aws_iam_policy_document"]["p"]
    (block["statement"],) = block["statement"]
    (block["statement"]["principals"],) = block["statement"]["principals"]
    return made


POLICY = "${data.aws_iam_policy_document.p.json}"
MADE = {
    "jsonencode": configuration(f"${{jsonencode({json.dumps(WRONG)})}}"),
    "jsonencode with names": configuration(
        f'${{jsonencode({{ Version = "2012-10-17", /* caf\u00e9 */ Statement = [{json.dumps(STATEMENT)}] }})}}'
    ),
    "data source": configuration(POLICY, data=document(STATEMENT)),
    "blocks as objects": configuration(POLICY, data=[flat(document(STATEMENT))]),
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("form", MADE.values(), ids=MADE)
def test_the_key_is_corrected_in_an_expression_and_in_a_data_source(tmp_path, form, indent):
    text = json.dumps(form, indent=indent)
    path = tmp_path / "main.tf.json"
    path.write_text(text)
    fixing = api.fix([str(tmp_path)]).fixing
    assert fixing.after[str(path)].decode() == text.replace(f"https://{ISSUER}:sub", f"{ISSUER}:sub")
    assert not fixing.unfixed


def test_a_condition_is_added_to_a_data_source(tmp_path):
    condition = {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:shop:cart"}}
    data = document({**STATEMENT, "Condition": condition})
    path = tmp_path / "main.tf.json"
    path.write_text(json.dumps(configuration(POLICY, data=data), indent=2))
    fixing = api.fix([str(tmp_path)]).fixing
    assert [fix.rule for fix in fixing.fixes if fix.applied] == ["open-aud-missing"]
    (statement,) = json.loads(fixing.after[str(path)])["data"]["aws_iam_policy_document"]["p"]["statement"]
    added = {"test": "StringEquals", "variable": f"{ISSUER}:aud", "values": ["sts.amazonaws.com"]}
    assert statement["condition"] == [*data["aws_iam_policy_document"]["p"]["statement"][0]["condition"], added]


def test_a_data_source_that_is_put_together_is_left_alone_with_the_reason(tmp_path):
    data = document(STATEMENT, source_policy_documents=["${data.aws_iam_policy_document.q.json}"])
    data["aws_iam_policy_document"]["q"] = {"statement": []}
    (tmp_path / "main.tf.json").write_text(json.dumps(configuration(POLICY, data=data)))
    fixing = api.fix([str(tmp_path)]).fixing
    assert not fixing.after
    assert [(each.rule, each.reason) for each in fixing.unfixed] == [("trust-key-has-scheme", "not-in-source")]
    assert "put together" in fixing.unfixed[0].because
