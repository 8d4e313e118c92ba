import json

import pytest

from irsa_doctor.model import Unknown
from irsa_doctor.sources import load
from tests.facts.situations import found
from tests.sources.templates.made import ISSUER, PROVIDER, conditions, federated, policy_text, roles_of, row_of, statement
from tests.sources.worlds import inventory, loaded

HEAD = "AWSTemplateFormatVersion: '2010-09-09'\n"
SHORT = (
    HEAD
    + """\
Parameters:
  Issuer:
    Type: String
    Default: ISSUER
  Namespace:
    Type: String
Resources:
  AppRole:
    Type: AWS::IAM::Role
    Properties:
      MaxSessionDuration: 7200
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal:
              Federated: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:oidc-provider/${Issuer}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                "oidc.example/id/X:aud": sts.amazonaws.com
                "oidc.example/id/X:sub": !Join [":", [system, serviceaccount, !Ref Namespace, app]]
""".replace("ISSUER", ISSUER)
)
WHOLE = (
    HEAD
    + """\
Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://ISSUER
      ClientIdList: [sts.amazonaws.com]
  AppRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: !Sub |
        {
          "Version": "2012-10-17",
          "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": "${Provider.Arn}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"ISSUER:sub": "system:serviceaccount:${Space}:app"}}
          }]
        }
""".replace("ISSUER", ISSUER)
)


def role_template(policy, **sections):
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy}}
    return {**sections, "Resources": {"AppRole": role, **sections.get("Resources", {})}}


def trusting(federated_value, condition=None):
    statement = {"Effect": "Allow", "Principal": {"Federated": federated_value}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition or {}}]}


def app_role(template, **options):
    return roles_of({"template.json": template}, **options)["AppRole"]


def test_short_forms_defaults_and_joins_are_worked_out():
    role = roles_of({"t.yaml": SHORT})["AppRole"]
    assert federated(role) == f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:oidc-provider/{ISSUER}"
    assert conditions(role)["StringEquals"]["oidc.example/id/X:sub"] == "system:serviceaccount:${Namespace}:app"
    assert role.max_session == 7200


def test_long_and_short_forms_come_to_the_same():
    long = SHORT.replace("!Sub arn:", "{'Fn::Sub': 'arn:").replace("${Issuer}", "${Issuer}'}")
    long = long.replace("!Ref Namespace", "{Ref: Namespace}").replace('!Join [":", [', "{'Fn::Join': [':', [")
    long = long.replace(", app]]", ", app]]}")
    assert "!" not in long
    assert statement(roles_of({"t.yaml": long})["AppRole"]) == statement(roles_of({"t.yaml": SHORT})["AppRole"])


def test_a_whole_policy_in_one_sub_is_read_with_its_places():
    given = loaded({"t.yaml": WHOLE})
    (role,) = given.inventory.roles
    assert federated(role) == f"arn:${{partition of Provider}}:iam::${{account of Provider}}:oidc-provider/{ISSUER}"
    found = policy_text(given, role, "Statement", 0, "Condition", "StringEquals", f"{ISSUER}:sub")
    assert found == '"system:serviceaccount:${Space}:app"'
    assert policy_text(given, role, "Statement", 0, "Effect") == '"Allow"'
    assert policy_text(given, role, "Statement", 0, "Effect", key=True) == '"Effect"'


def test_places_of_a_yaml_policy_are_its_own_lines():
    given = loaded({"t.yaml": SHORT})
    (role,) = given.inventory.roles
    assert policy_text(given, role, "Statement", 0, "Action") == "sts:AssumeRoleWithWebIdentity"
    assert policy_text(given, role, "Statement", 0, "Condition", "StringEquals", "oidc.example/id/X:sub").startswith("!Join")


def test_what_the_cdk_writes_as_json_gives_keys_with_holes():
    keys = {"Fn::Join": ["", ['{"', {"Fn::Select": [1, {"Fn::Split": [":oidc-provider/", {"Ref": "Provider"}]}]}]]}
    keys["Fn::Join"][1] += [':aud":"sts.amazonaws.com"}']
    document = {"Type": "Custom::AWSCDKCfnJson", "Properties": {"Value": keys}}
    provider = {
        "Type": "Custom::AWSCDKOpenIdConnectProvider",
        "Properties": {"Url": {"Fn::GetAtt": ["Cluster", "OpenIdConnectIssuerUrl"]}, "ClientIDList": ["sts.amazonaws.com"]},
    }
    cluster = {"Type": "Custom::AWSCDK-EKS-Cluster", "Properties": {}}
    condition = {"StringEquals": {"Fn::GetAtt": ["Json", "Value"]}}
    resources = {"Json": document, "Provider": provider, "Cluster": cluster}
    role = app_role(role_template(trusting({"Ref": "Provider"}, condition), Resources=resources))
    assert conditions(role) == {"StringEquals": {"${issuer of Cluster}:aud": "sts.amazonaws.com"}}
    assert federated(role).endswith(":oidc-provider/${issuer of Cluster}")


def test_the_issuer_of_a_cluster_is_called_by_its_name():
    cluster = {"Type": "AWS::EKS::Cluster", "Properties": {"Name": "prod"}}
    provider = {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": {"Fn::GetAtt": "Cluster.OpenIdConnectIssuerUrl"}}}
    role = app_role(role_template(trusting({"Ref": "Provider"}), Resources={"Cluster": cluster, "Provider": provider}))
    assert federated(role).endswith(":oidc-provider/${issuer of prod}")


def test_conditions_that_defaults_do_not_decide_give_a_role_for_each_case():
    condition = {"Fn::If": ["Open", {}, {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:a:b"}}]}
    template = role_template(
        trusting(PROVIDER, condition),
        Parameters={"Mode": {"Type": "String", "Default": "closed"}},
        Conditions={"Open": {"Fn::Equals": [{"Ref": "Mode"}, "open"]}},
    )
    roles = roles_of({"t.json": template})
    assert conditions(roles["AppRole (Open)"]) == {}
    assert "StringEquals" in conditions(roles["AppRole (not Open)"])


def test_a_resource_whose_condition_never_holds_is_not_there():
    template = role_template(trusting(PROVIDER), Conditions={"Never": {"Fn::Equals": ["a", "b"]}})
    template["Resources"]["AppRole"]["Condition"] = "Never"
    assert roles_of({"t.json": template}) == {}


@pytest.mark.parametrize(
    "function",
    [
        {"Fn::ImportValue": "shared-provider"},
        {"Fn::Transform": {"Name": "AWS::Include"}},
        {"Fn::Cidr": ["10.0.0.0/8", 1]},
        {"Fn::NoSuchThing": [1, {"a": None}]},
        {"Fn::Select": ["x", []]},
        {"Fn::Sub": 5},
        {"Fn::Join": [1, 2, 3]},
        {"Fn::If": []},
        {"Fn::GetAtt": {}},
        {"Ref": []},
        {"Fn::FindInMap": ["a", "b", "c"]},
        {"Fn::Split": ["", "abc"]},
    ],
)
def test_functions_that_cannot_be_worked_out_are_holes(function):
    role = app_role(role_template(trusting(function)))
    assert federated(role).startswith("${")


def test_mappings_are_looked_up():
    value = {"Fn::FindInMap": ["Providers", {"Ref": "Stage"}, "arn"]}
    mapping = {"Providers": {"prod": {"arn": PROVIDER}}}
    stage = {"Stage": {"Type": "String", "Default": "prod"}}
    assert federated(app_role(role_template(trusting(value), Mappings=mapping, Parameters=stage))) == PROVIDER


def test_references_that_lead_in_a_circle_are_holes():
    looped = {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": {"Fn::GetAtt": ["Loop", "Arn"]}}}
    role = app_role(role_template(trusting({"Ref": "Loop"}), Resources={"Loop": looped}))
    assert "${" in federated(role)


def test_functions_nested_without_end_are_told_and_lose_nothing_else():
    value: object = "x"
    for _ in range(29):
        value = {"Fn::Join": ["", [value]]}
    template = role_template(trusting(value))
    template["Resources"]["Other"] = role_template(trusting(PROVIDER))["Resources"]["AppRole"]
    given = inventory({"t.json": template})
    assert [role.address for role in given.roles] == ["Other"]
    assert "nested too deeply" in next(row.why for row in given.documents if row.status == "unreadable")


def test_a_secret_parameter_keeps_its_value():
    secret = {"Arn": {"Type": "String", "Default": PROVIDER, "NoEcho": True}}
    assert federated(app_role(role_template(trusting({"Ref": "Arn"}), Parameters=secret))) == "${Arn}"


def test_a_role_without_policy_is_told():
    row = row_of(inventory({"t.json": {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {}}}}}), "t.json")
    assert row.status == "unreadable"
    assert "AssumeRolePolicyDocument" in row.why


def test_providers_clusters_and_associations_are_read():
    association = {"ClusterName": {"Ref": "Cluster"}, "Namespace": "prod", "ServiceAccount": "app", "RoleArn": PROVIDER}
    resources = {
        "Provider": {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": f"https://{ISSUER}", "ClientIdList": ["a"]}},
        "Cluster": {"Type": "AWS::EKS::Cluster", "Properties": {"Name": "prod"}},
        "Link": {"Type": "AWS::EKS::PodIdentityAssociation", "Properties": association},
    }
    given = inventory({"t.json": {"Resources": resources}}, account="111122223333")
    assert [(one.arn, one.client_ids) for one in given.providers] == [(PROVIDER, ("a",))]
    assert [one.name for one in given.clusters] == ["prod"]
    assert [(one.cluster, one.namespace, one.service_account) for one in given.associations] == [("prod", "prod", "app")]


def test_what_a_deployed_stack_alone_knows_is_unknown():
    role = app_role(role_template({"Fn::ImportValue": "policy"}))
    assert isinstance(role.policy, Unknown)


def test_json_and_yaml_templates_give_the_same():
    template = role_template(trusting({"Fn::Sub": "${Provider}"}, {"StringLike": {f"{ISSUER}:sub": "system:*"}}))
    as_yaml = "Resources:\n  AppRole: " + json.dumps(template["Resources"]["AppRole"])
    assert statement(roles_of({"t.yaml": as_yaml})["AppRole"]) == statement(app_role(template))


PARAMETERS = {"Issuer": {"Type": "String"}, "Mode": {"Type": "String", "Default": "open"}}
OTHER_CONDITION = {"Fn::If": ["Open", {}, {"StringEquals": {"x:sub": {"Ref": "Issuer"}}}]}
WITH_PARAMETERS = role_template(
    trusting(PROVIDER, OTHER_CONDITION),
    Parameters=PARAMETERS,
    Conditions={"Open": {"Fn::Equals": [{"Ref": "Mode"}, "open"]}},
)
OF_CLI = [{"ParameterKey": "Mode", "ParameterValue": "closed"}, {"ParameterKey": "Issuer", "ParameterValue": "y"}]


@pytest.mark.parametrize("given", [OF_CLI, {"Parameters": {"Mode": "closed", "Issuer": "y"}, "Tags": {"a": "b"}}])
@pytest.mark.parametrize("path", ["params.json", "z.json", "other/params.json"])
def test_a_file_of_parameters_gives_values_and_decides_conditions(path, given):
    found = inventory({"t.json": WITH_PARAMETERS, path: given})
    assert {"StringEquals": {"x:sub": "y"}} in [conditions(role) for role in found.roles]
    row = row_of(found, path)
    assert (row.kind, row.status) == ("cloudformation-parameters", "read")


def test_a_file_that_shares_a_name_with_a_template_is_for_another_one():
    names = ["Issuer", *(f"Other{number}" for number in range(4))]
    written = [{"ParameterKey": name, "ParameterValue": "x"} for name in names]
    row = row_of(inventory({"t.json": WITH_PARAMETERS, "params.json": written}), "params.json")
    assert (row.status, row.why) == ("ignored", "parameters of a template that is not in the input")


def test_a_file_of_parameters_that_fits_no_template_is_told():
    wrong = [{"ParameterKey": "Issuer", "ParameterValue": "y"}, {"ParameterKey": "Isuer", "ParameterValue": "z"}]
    given = inventory({"t.json": WITH_PARAMETERS, "params.json": wrong})
    row = row_of(given, "params.json")
    assert row.status == "unreadable"
    assert "parameter Isuer is not declared in t.json, which declares Issuer, Mode" in row.why
    assert len(given.roles) == 2


def test_parameters_of_something_else_are_passed_over():
    given = inventory({"t.json": WITH_PARAMETERS, "params.json": [{"ParameterKey": "Port", "ParameterValue": "1"}]})
    assert row_of(given, "params.json").status == "ignored"


@pytest.mark.parametrize("wrong", [[{"ParameterKey": 5}], [{"ParameterKey": "a", "ParameterValue": {}}]])
def test_a_wrong_file_of_parameters_is_told(wrong):
    given = inventory({"t.json": WITH_PARAMETERS, "params.json": wrong})
    assert any(row.path == "params.json" and row.status == "unreadable" for row in given.documents)
    assert len(given.roles) == 2


def test_each_of_several_files_is_a_deployment_and_one_named_for_the_template_takes_the_place_of_the_defaults(tmp_path):
    other = [OF_CLI[0], {**OF_CLI[1], "ParameterValue": "z"}]
    for name, content in {"t.json": WITH_PARAMETERS, "a.json": OF_CLI, "b.json": other}.items():
        (tmp_path / name).write_text(json.dumps(content))
    assert len(load([str(tmp_path / "t.json")]).inventory.roles) == 2
    found = load([str(tmp_path)]).inventory
    assert any("with b.json" in one.case for one in found.roles)
    assert {row_of(found, str(tmp_path / name)).status for name in ("a.json", "b.json")} == {"read"}
    stated = {str(tmp_path / "t.json"): str(tmp_path / "a.json")}
    assert {one.case for one in load([str(tmp_path)], parameters=stated).inventory.roles} == {"", "(with b.json)"}


@pytest.mark.parametrize("template", [WITH_PARAMETERS, role_template(trusting(PROVIDER))])
def test_a_member_given_twice_in_the_policy_of_a_template_is_told(template):
    text = json.dumps(template).replace('"Effect": "Allow"', '"Effect": "Deny", "Effect": "Allow"')
    told = [row.why for row in inventory({"t.json": text}).documents if row.status == "unreadable"]
    assert [why.partition(",")[0] for why in told] == ["member `Effect` appears twice"]


ANY = {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:a:b"}}
MODES = {"Parameters": {"Mode": {"Type": "String"}}}


def _findings(template):
    return [(rule, subject) for rule, subject in found({"t.json": template}) if rule.startswith(("open", "trust"))]


def _under(principal, condition, **conditions):
    return role_template(trusting(principal, condition), Conditions=conditions, **MODES)


IS_OPEN = {"Fn::Equals": [{"Ref": "Mode"}, "open"]}


def test_a_role_under_a_condition_is_one_role_with_one_finding():
    principal = {"Fn::If": ["Open", PROVIDER, {"Fn::Sub": PROVIDER.replace("111122223333", "${AWS::AccountId}")}]}
    template = _under(principal, ANY, Open=IS_OPEN)
    assert {role.id for role in roles_of({"t.json": template}).values()} == {"t.json: AppRole"}
    assert _findings(template) == [("open-aud-missing", "t.json: AppRole#0")]


def test_what_is_wrong_in_one_branch_alone_is_a_finding():
    for condition in ({"Fn::If": ["Open", {}, ANY]}, {"Fn::If": ["Open", ANY, {}]}):
        assert ("open-no-sub", "t.json: AppRole#0") in _findings(_under(PROVIDER, condition, Open=IS_OPEN))


@pytest.mark.parametrize(
    "conditions",
    [
        {"Open": IS_OPEN, "Shut": {"Fn::Not": [{"Condition": "Open"}]}},
        {"Open": IS_OPEN, "Shut": {"Fn::Equals": ["shut", {"Ref": "Mode"}]}},
        {"Open": IS_OPEN, "Shut": {"Fn::And": [{"Fn::Not": [{"Condition": "Open"}]}, IS_OPEN]}},
    ],
)
def test_conditions_that_exclude_each_other_are_not_assumed_together(conditions):
    branch = {"Fn::If": ["Shut", ANY, {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:a:c"}}]}
    nobody = {"Fn::If": ["Open", {"Fn::If": ["Shut", {}, ANY]}, branch]}
    assert not any(rule == "open-no-sub" for rule, _ in _findings(_under(PROVIDER, nobody, **conditions)))


def test_more_conditions_than_are_tried_leave_the_policy_open():
    names = [f"C{number}" for number in range(5)]
    conditions = {name: {"Fn::Equals": [{"Ref": "Mode"}, name]} for name in names}
    condition = ANY
    for name in names:
        condition = {"Fn::If": [name, ANY, condition]}
    assert len(roles_of({"t.json": _under(PROVIDER, condition, **conditions)})) <= 8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{Fn::Select: [3, {Fn::Split: ["/", !Ref Url]}]}', '{Fn::Select: [4, {Fn::Split: ["/", !Ref Url]}]}'),
        ('{Fn::Select: [4, {Fn::Split: ["/", !Ref Url]}]}', '{Fn::Select: [4, {Fn::Split: ["/", !Ref OtherUrl]}]}'),
        ("{Fn::FindInMap: [M, !Ref A, Id]}", "{Fn::FindInMap: [M, !Ref B, Id]}"),
        ("{Fn::ImportValue: !Sub '${A}-and-a-name-that-is-as-long-as-they-sometimes-are-1'}",) * 2,
        (
            "{Fn::ImportValue: !Sub '${A}-and-a-name-that-is-as-long-as-they-sometimes-are-1'}",
            "{Fn::ImportValue: !Sub '${A}-and-a-name-that-is-as-long-as-they-sometimes-are-2'}",
        ),
    ],
)
def test_what_functions_give_is_the_same_only_where_their_arguments_are(one, other):
    text = (
        SHORT.replace("oidc-provider/${Issuer}", "oidc-provider/${X}")
        .replace("!Sub arn:", "!Sub\n              - arn:")
        .replace("${X}\n", f"${{X}}\n              - X: {one}\n")
        .replace('"oidc.example/id/X:aud": sts.amazonaws.com', f"x: {other}")
    )
    (role,) = roles_of({"t.yaml": text}).values()
    principal, key = federated(role), conditions(role)["StringEquals"]["x"]
    assert principal.endswith(f"/{key}") == (one == other)


@pytest.mark.parametrize("is_expanded", [True, False])
def test_a_placeholder_of_a_parameter_that_no_function_expands_is_no_provider(is_expanded):
    text = SHORT.replace("arn:${AWS::Partition}:iam::${AWS::AccountId}:", "arn:aws:iam::111122223333:")
    text = text.replace("oidc.example/id/X", "${Issuer}")
    documents = {"t.yaml": text if is_expanded else text.replace("!Sub ", "")}
    assert ("trust-principal-wrong-arn" in {rule for rule, _ in found(documents)}) != is_expanded


@pytest.mark.parametrize("written", ['{"${Issuer}:sub": x}', "{StringEquals: {a: x}}"])
def test_a_substitution_in_an_object_is_refused_as_cloudformation_does(written):
    text = SHORT[: SHORT.index("              StringEquals")] + f"              StringEquals: {{Fn::Sub: {written}}}\n"
    row = row_of(inventory({"t.yaml": text}), "t.yaml")
    assert (row.status, "refuses Fn::Sub of an object" in row.why) == ("unreadable", True)
