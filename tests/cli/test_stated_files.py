"""Plans, parameters and variables of a change: what lies beside a configuration takes no finding from it."""

import json

import pytest

from tests.cli.running import put, run
from tests.cli.test_config_from import judged, repository
from tests.cli.test_gate_unknown import ISSUER, template

SAFE, OPEN = "system:serviceaccount:shop:web", "system:serviceaccount:*"
STATEMENT = {
    "Effect": "Allow",
    "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringLike": {f"{ISSUER}:sub": SAFE}, "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}},
}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})
HCL_OPEN, HCL_SAFE = template("StringLike", f'"{OPEN}"'), template("StringLike", f'"{SAFE}"')
FROM_VARIABLE = template("StringLike", "var.who")
STACK = {
    "Parameters": {"Who": {"Type": "String", "Default": OPEN}},
    "Resources": {
        "R": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": json.loads(POLICY.replace(f'"{SAFE}"', '{"Ref": "Who"}'))},
        }
    },
}
SAFE_STACK = json.loads(json.dumps(STACK).replace(OPEN, SAFE))


def plan(address="aws_iam_role.app", policy=POLICY, **more):
    role = {"address": address, "type": "aws_iam_role", "name": "app", "values": {"name": "app", "assume_role_policy": policy}}
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.5",
        "planned_values": {"root_module": {"resources": [role]}},
        "resource_changes": [],
        "configuration": {"root_module": {}},
        **more,
    }


def default(value):
    return FROM_VARIABLE.replace('variable "who" {}', f'variable "who" {{\n  default = "{value}"\n}}')


def parameters(value):
    return [{"ParameterKey": "Who", "ParameterValue": value}]


FORGED = {
    "older": {"main.tf": HCL_OPEN, "plan.json": plan()},
    "elsewhere": {"infra/main.tf": HCL_OPEN, "out/plan.json": plan()},
    "of another role": {"main.tf": HCL_OPEN, "plan.json": plan("aws_iam_role.other")},
    "of a module": {"main.tf": HCL_OPEN, "plan.json": plan("module.app.aws_iam_role.app")},
    "configuration differs": {
        "main.tf": HCL_OPEN,
        "plan.json": plan(
            configuration={"root_module": {"resources": [{"address": "aws_iam_role.app", "count_expression": {}}]}}
        ),
    },
    "prior state": {
        "main.tf": HCL_OPEN,
        "plan.json": plan(prior_state={"values": plan()["planned_values"]}),
    },
    "a state": {"main.tf": HCL_OPEN, "state.json": {"values": plan()["planned_values"], "terraform_version": "1.9.5"}},
    "fills a hole": {"main.tf": FROM_VARIABLE, "plan.json": plan()},
    "opens": {"main.tf": HCL_SAFE, "plan.json": plan(policy=POLICY.replace(SAFE, OPEN))},
    "has no roles": {"main.tf": HCL_OPEN, "plan.json": plan("aws_vpc.app")},
    "default under variables": {"main.tf": default(OPEN), "prod.tfvars": f'who = "{SAFE}"\n'},
    "variables over a default": {"main.tf": default(SAFE), "env/prod.tfvars": f'who = "{OPEN}"\n'},
    "one of two files of variables": {
        "main.tf": FROM_VARIABLE,
        "a.tfvars": f'who = "{SAFE}"\n',
        "b.tfvars": f'who = "{OPEN}"\n',
    },
    "variables far away": {"infra/main.tf": default(SAFE), "vars/prod.tfvars": f'who = "{OPEN}"\nmore = 1\n'},
    "default under parameters": {"t.json": STACK, "params.json": parameters(SAFE)},
    "parameters over a default": {"t.json": SAFE_STACK, "params.json": parameters(OPEN)},
    "one of two files of parameters": {"t.json": SAFE_STACK, "a.json": parameters(SAFE), "b.json": parameters(OPEN)},
    "parameters of two templates": {"x/t.json": SAFE_STACK, "y/t.json": SAFE_STACK, "p/params.json": parameters(OPEN)},
}
HONEST = {
    "the same plan": {"main.tf": HCL_SAFE, "plan.json": plan()},
    "variables for no default": {"main.tf": FROM_VARIABLE, "prod.tfvars": f'who = "{SAFE}"\n'},
    "variables that terraform loads": {"main.tf": default(OPEN), "terraform.tfvars": f'who = "{SAFE}"\n'},
    "parameters": {"t.json": SAFE_STACK, "params.json": parameters(SAFE)},
}


def change(folder, files, **base):
    repository(folder, **base)
    for name, content in files.items():
        put(folder / name, content)


@pytest.mark.parametrize("name", FORGED)
def test_nothing_beside_a_template_takes_a_finding_from_it(tmp_path, name):
    change(tmp_path, FORGED[name])
    assert judged(tmp_path, path=".")[0] == 1


@pytest.mark.parametrize("name", [name for name in FORGED if "variables" in name or "parameters" in name])
def test_nor_where_a_hook_names_every_file_of_the_change(tmp_path, name):
    change(tmp_path, FORGED[name])
    assert run("check", *FORGED[name], "--changed", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("name", HONEST)
def test_what_agrees_with_a_template_passes(tmp_path, name):
    change(tmp_path, HONEST[name])
    assert judged(tmp_path, path=".")[0] == 0


STATED = [
    ({"infra/main.tf": HCL_OPEN, "plan.json": plan()}, '[plans]\ninfra = "plan.json"\n'),
    ({"infra/main.tf": default(OPEN), "prod.tfvars": f'who = "{SAFE}"\n'}, '[parameters]\ninfra = "prod.tfvars"\n'),
    ({"t.json": STACK, "params.json": parameters(SAFE)}, '[parameters]\n"t.json" = "params.json"\n'),
]


@pytest.mark.parametrize(("files", "settings"), STATED)
def test_what_the_settings_of_the_base_name_takes_the_place_and_those_of_the_change_weaken(tmp_path, files, settings):
    change(tmp_path / "base", files, **{"irsa-doctor_toml": settings})
    assert judged(tmp_path / "base", path=".")[0] == 0
    change(tmp_path / "change", {**files, "irsa-doctor.toml": settings})
    code, found = judged(tmp_path / "change", path=".")
    assert (code, found["policy-weakened"]["severity"]) == (1, "high")
    assert any(rule.startswith("open-") for rule in found)


def test_a_role_that_the_plan_of_the_settings_lacks_is_judged_as_configured(tmp_path):
    files = {
        "infra/main.tf": HCL_SAFE + HCL_OPEN.replace('variable "who" {}', "").replace('"app"', '"more"'),
        "plan.json": plan(),
    }
    change(tmp_path, files, **{"irsa-doctor_toml": '[plans]\ninfra = "plan.json"\n'})
    assert judged(tmp_path, path=".")[0] == 1


def test_a_plan_of_the_settings_is_read_though_the_paths_do_not_have_it(tmp_path):
    files = {"infra/main.tf": HCL_OPEN, "plan.json": plan(), ".gitignore": "plan.json\n"}
    change(tmp_path, files, **{"irsa-doctor_toml": '[plans]\ninfra = "plan.json"\n'})
    assert judged(tmp_path, path="infra")[0] == 0
    (tmp_path / "plan.json").unlink()
    assert judged(tmp_path, path="infra")[0] == 1


def test_the_flag_names_parameters_for_a_template(tmp_path):
    change(tmp_path, {"t.json": STACK, "params.json": parameters(SAFE)})
    assert judged(tmp_path, "--parameters", "t.json=params.json", path=".")[0] == 0
    for wrong, says in (("t.json=gone.json", "no such file"), ("t.yaml=params.json", "no template t.yaml")):
        done = run("check", ".", "--parameters", wrong, cwd=tmp_path)
        assert (done.returncode, says in done.stderr) == (2, True)


def test_the_message_names_the_deployment(tmp_path):
    change(tmp_path, FORGED["variables over a default"])
    found = judged(tmp_path, path=".")[1]["open-sub-star"]
    assert found["message"].endswith("This holds with prod.tfvars.")


def test_limits_of_the_settings_apply_from_the_base_only(tmp_path):
    limits = "max-seconds = 0.000001\n"
    change(tmp_path / "base", {"main.tf": HCL_SAFE}, **{"irsa-doctor_toml": limits})
    done = run("check", ".", "--config-from", "main", cwd=tmp_path / "base")
    assert (done.returncode, "--max-seconds" in done.stderr) == (2, True)
    change(tmp_path / "change", {"main.tf": HCL_SAFE, "irsa-doctor.toml": limits})
    assert judged(tmp_path / "change", path=".")[0] == 0
    done = run("check", ".", cwd=tmp_path / "change")
    assert (done.returncode, "only with --config-from" in done.stderr) == (0, True)
