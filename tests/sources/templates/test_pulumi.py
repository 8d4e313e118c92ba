"""States, previews and programs of Pulumi."""

import json

import pytest
import yaml

from irsa_doctor.model import Unknown
from tests.facts.situations import found
from tests.sources.templates.made import conditions, row_of
from tests.sources.worlds import ISSUER, inventory, policy, provider_arn

TEXT = json.dumps(policy())
URN = "urn:pulumi:dev::shop::TYPE::NAME"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def resource(kind: str, name: str, inputs: dict, **more) -> dict:
    return {"urn": URN.replace("TYPE", kind).replace("NAME", name), "type": kind, "inputs": inputs, **more}


def state(*resources: dict) -> dict:
    return {"version": 3, "deployment": {"manifest": {}, "resources": list(resources)}}


def preview(*resources: dict) -> dict:
    return {"steps": [{"op": "create", "urn": item["urn"], "newState": item} for item in resources]}


def program(*resources: dict) -> dict:
    return {
        "name": "shop",
        "runtime": "yaml",
        "resources": {
            item["urn"].rpartition("::")[2]: {"type": item["type"], "properties": item["inputs"]} for item in resources
        },
    }


FORMS = [state, preview, program]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["aws:iam/role:Role", "aws:iam:Role"])
@pytest.mark.parametrize("written", [TEXT, policy(), {"fn::toJSON": policy()}])
def test_a_role_has_its_policy_as_text_object_or_function(form, kind, written):
    given = inventory({"Main.yaml": yaml.safe_dump(form(resource(kind, "app", {"name": "app", "assumeRolePolicy": written})))})
    (role,) = given.roles
    assert (role.address, role.planned) == ("app", "app")
    assert conditions(role)["StringEquals"][f"{ISSUER}:sub"] == "system:serviceaccount:prod:app"
    assert row_of(given, "Main.yaml").kind == "pulumi"


@pytest.mark.parametrize("form", FORMS)
def test_a_variable_of_iam_is_escaped_in_programs_alone(form):
    subject = "system:serviceaccount:${sts:RoleSessionName}:app"
    written = subject.replace("${", "$${") if form is program else subject
    given = inventory(
        {"Main.yaml": yaml.safe_dump(form(resource("aws:iam:Role", "app", {"assumeRolePolicy": policy(written)})))}
    )
    (role,) = given.roles
    assert conditions(role)["StringEquals"][f"{ISSUER}:sub"] == subject


@pytest.mark.parametrize("written", [UNKNOWN, "${trust.json}", {"fn::invoke": {}}, None])
def test_a_policy_that_is_known_after_deployment_is_unknown(written):
    (role,) = inventory({"x.json": state(resource("aws:iam/role:Role", "app", {"assumeRolePolicy": written}))}).roles
    assert isinstance(role.policy, Unknown)


def test_a_role_of_a_state_has_its_arn():
    arn = "arn:aws:iam::111122223333:role/app-1a2b"
    item = resource("aws:iam/role:Role", "app", {"assumeRolePolicy": TEXT}, outputs={"arn": arn})
    assert [role.arn for role in inventory({"x.json": state(item)}).roles] == [arn]


@pytest.mark.parametrize("form", FORMS)
def test_providers_and_service_accounts_are_read_beside_roles(form):
    provider = resource(
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "p", {"url": f"https://{ISSUER}", "clientIdLists": ["x"]}
    )
    metadata = {
        "name": "app",
        "namespace": "prod",
        "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:policy/x"},
    }
    account = resource("kubernetes:core/v1:ServiceAccount", "a", {"metadata": metadata})
    unnamed = resource("kubernetes:core/v1:ServiceAccount", "b", {"metadata": {"namespace": "prod"}})
    documents = {"x.json": form(provider, account, unnamed)}
    given = inventory(documents, account="111122223333")
    assert [(one.arn, one.client_ids) for one in given.providers] == [(provider_arn(), ("x",))]
    assert [one.name for one in given.service_accounts] == ["app"]
    assert "b has no name" in row_of(given, "x.json").why
    assert ("role-arn-is-policy-arn", "unknown-cluster/prod/app") in found(documents)


def test_a_state_without_anything_of_ours_is_named_as_such():
    row = row_of(inventory({"x.json": state(resource("aws:s3/bucket:Bucket", "b", {}))}), "x.json")
    assert (row.status, row.kind) == ("ignored", "pulumi")
    assert "Pulumi" in row.why


@pytest.mark.parametrize("broken", [1, [], {"url": {}}, {"assumeRolePolicy": [1]}, {"metadata": 3}])
@pytest.mark.parametrize("kind", ["aws:iam/role:Role", "aws:iam:OpenIdConnectProvider", "kubernetes:core/v1:ServiceAccount"])
def test_wrong_shapes_are_rows_and_no_crash(kind, broken):
    for form in FORMS:
        rows = inventory({"x.json": json.dumps(form(resource(kind, "x", broken)))}).documents
        assert all(row.kind == "pulumi" for row in rows)


@pytest.mark.parametrize("runtime", ["nodejs", "python", {"name": "go", "options": {"binary": "x"}}, {"name": "dotnet"}])
def test_a_project_in_another_language_says_what_to_check_instead(runtime):
    row = row_of(inventory({"Pulumi.yaml": {"name": "roles", "runtime": runtime, "description": "x"}}), "Pulumi.yaml")
    assert row.status == "ignored"
    assert "pulumi preview --json" in row.why


def test_a_document_with_a_runtime_of_something_else_is_no_project():
    row = row_of(inventory({"a.yaml": {"name": "x", "runtime": "containerd"}}), "a.yaml")
    assert "Pulumi" not in (row.why or "")
