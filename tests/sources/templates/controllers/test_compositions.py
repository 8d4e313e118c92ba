"""Templates of objects of Crossplane and kro."""

import json

import pytest
import yaml

from irsa_doctor.model import Unknown, text_of
from tests.facts.situations import found
from tests.sources.templates.made import conditions, federated, row_of, written_at
from tests.sources.worlds import ISSUER, inventory, loaded

POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",'
    ' "Principal": {"Federated": "arn:aws:iam::%s:oidc-provider/%s"}, "Condition": {"StringEquals": {"%s:sub":'
    ' "system:serviceaccount:%s:app"}}}]}'
)
LITERAL = POLICY % ("111122223333", ISSUER, ISSUER, "*")
ROLE = {"apiVersion": "iam.aws.upbound.io/v1beta1", "kind": "Role", "spec": {"forProvider": {"assumeRolePolicy": LITERAL}}}
TARGET = "spec.forProvider.assumeRolePolicy"


def patched(*patches: dict, **more) -> dict:
    return {"name": "role", "base": ROLE, "patches": list(patches), **more}


def composition(*resources: dict, **more) -> dict:
    spec = {"resources": list(resources), **more}
    return {"apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition", "metadata": {"name": "irsa"}, "spec": spec}


def pipeline(*resources: dict) -> dict:
    steps = [
        {
            "step": "make",
            "functionRef": {"name": "patch-and-transform"},
            "input": {"kind": "Resources", "resources": list(resources)},
        },
        {
            "step": "text",
            "functionRef": {"name": "go-templating"},
            "input": {"kind": "GoTemplate", "inline": {"template": "{{ }}"}},
        },
    ]
    return {
        "apiVersion": "apiextensions.crossplane.io/v1",
        "kind": "Composition",
        "metadata": {"name": "irsa"},
        "spec": {"mode": "Pipeline", "pipeline": steps},
    }


@pytest.mark.parametrize("wrapped", [composition, pipeline])
def test_the_roles_of_a_composition_are_judged_in_both_modes(wrapped):
    assert "trust-stringequals-wildcard" in {rule for rule, _ in found({"c.json": wrapped(patched())})}
    (role,) = inventory({"c.json": wrapped(patched())}).roles
    assert (role.address, role.planned) == ("Role irsa/role", "")


def test_a_step_that_is_no_list_of_resources_is_named():
    assert "go-templating" in row_of(inventory({"c.json": pipeline(patched())}), "c.json").why


@pytest.mark.parametrize(
    "patch",
    [
        {
            "fromFieldPath": "spec.x",
            "toFieldPath": TARGET,
            "transforms": [{"type": "string", "string": {"fmt": POLICY % (1, "%s", "i", "n")}}],
        },
        {
            "type": "CombineFromComposite",
            "toFieldPath": TARGET,
            "combine": {
                "variables": [{"fromFieldPath": "spec.x"}],
                "strategy": "string",
                "string": {"fmt": POLICY % (1, "%[1]s", "%[1]s", "n")},
            },
        },
    ],
)
def test_a_format_of_a_patch_is_the_policy_with_its_fields_as_holes(patch):
    (role,) = inventory({"c.json": composition(patched(patch))}).roles
    assert federated(role) == "arn:aws:iam::1:oidc-provider/${spec.x}"
    assert "system:serviceaccount:n:app" in str(conditions(role))


@pytest.mark.parametrize(
    "resource",
    [
        patched({"fromFieldPath": "spec.policy", "toFieldPath": TARGET}),
        patched(
            {
                "type": "FromCompositeFieldPath",
                "fromFieldPath": "spec.policy",
                "toFieldPath": "spec.forProvider['assumeRolePolicy']",
            }
        ),
        patched({"type": "PatchSet", "patchSetName": "policies"}),
    ],
)
def test_a_policy_that_a_patch_puts_in_is_unknown(resource):
    sets = [{"name": "policies", "patches": [{"fromFieldPath": "spec.policy", "toFieldPath": TARGET}]}]
    (role,) = inventory({"c.json": composition(resource, patchSets=sets)}).roles
    assert isinstance(role.policy, Unknown)


def test_a_patch_towards_the_composite_changes_nothing():
    resource = patched({"type": "ToCompositeFieldPath", "fromFieldPath": TARGET, "toFieldPath": "status.x"})
    assert found({"c.json": composition(resource)}) == found({"c.json": composition(patched())})


def graph(*templates: tuple[str, dict]) -> dict:
    resources = [{"id": ident, "template": template} for ident, template in templates]
    return {
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGraphDefinition",
        "metadata": {"name": "app"},
        "spec": {"resources": resources},
    }


def account(arn: str, name: str = "web", namespace: str = "prod") -> dict:
    metadata = {"name": name, "namespace": namespace, "annotations": {"eks.amazonaws.com/role-arn": arn}}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


ACK = {
    "apiVersion": "iam.services.k8s.aws/v1alpha1",
    "kind": "Role",
    "metadata": {"name": "app"},
    "spec": {"name": "app", "assumeRolePolicyDocument": POLICY % ("111122223333", ISSUER, ISSUER, "prod")},
}


def test_a_graph_joins_a_service_account_to_the_role_of_the_graph():
    documents = {"graph.json": graph(("role", ACK), ("account", account("${role.status.ackResourceMetadata.arn}")))}
    assert any(rule == "trust-sub-mismatch" for rule, _ in found(documents))
    right = {"graph.json": graph(("role", ACK), ("account", account("${role.status.ackResourceMetadata.arn}", "app")))}
    assert not any(rule == "trust-sub-mismatch" for rule, _ in found(right))


def test_of_a_service_account_without_a_name_only_the_annotation_is_judged():
    documents = {"graph.json": graph(("account", account("arn:aws:iam::111122223333:policy/x", "${schema.spec.name}")))}
    assert {rule for rule, _ in found(documents)} == {"role-arn-is-policy-arn"}
    assert inventory(documents).service_accounts == ()


def test_a_manifest_inside_an_object_is_read():
    manifest = {"manifest": account("arn:aws:iam::111122223333:policy/x")}
    inner = {
        "apiVersion": "kubernetes.crossplane.io/v1alpha2",
        "kind": "Object",
        "metadata": {"name": "x"},
        "spec": {"forProvider": manifest},
    }
    assert {rule for rule, _ in found({"x.json": inner})} == {"role-arn-is-policy-arn"}


@pytest.mark.parametrize("metadata", [{}, {"labels": {"a": "b"}}, {"name": ""}])
def test_a_manifest_without_a_name_has_that_of_the_object_around_it(metadata):
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    inner = {
        "apiVersion": "kubernetes.crossplane.io/v1alpha2",
        "kind": "Object",
        "metadata": {"name": "prod"},
        "spec": {"forProvider": {"manifest": manifest}},
    }
    assert found({"x.json": inner}) == set()


@pytest.mark.parametrize("annotations", ["${schema.spec.annotations}", {"${schema.spec.name}/role-arn": "x"}])
def test_an_account_whose_annotations_are_filled_in_is_not_said_to_lack_one(annotations):
    role = {"kind": "Role", "RoleName": "app", "Arn": "arn:aws:iam::111122223333:role/app"}
    policy = json.loads(POLICY % ("111122223333", ISSUER, ISSUER, "prod"))
    cluster = {"name": "prod", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/prod"}
    written = account("x", "app")
    documents = {
        "role.json": {"Role": {**role, "AssumeRolePolicyDocument": policy}},
        "cluster.json": {"cluster": {**cluster, "identity": {"oidc": {"issuer": f"https://{ISSUER}"}}}},
        "graph.json": graph(("account", written)),
    }
    del written["metadata"]["annotations"]
    assert "sa-annotation-missing" in {rule for rule, _ in found(documents)}
    written["metadata"]["annotations"] = annotations
    assert "sa-annotation-missing" not in {rule for rule, _ in found(documents)}


@pytest.mark.parametrize("name", ["metadata", "annotations", "data", "spec"])
def test_what_one_expression_of_kro_fills_is_no_wrong_type(name):
    config: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "prod"},
        "data": {"a": "b"},
    }
    metadata: dict[str, object] = {"name": "web", "namespace": "prod", "annotations": {}}
    workload: dict[str, object] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"template": {"spec": {"containers": "${schema.spec.containers}"}}},
    }
    for members in (config, workload, metadata):
        members.update({name: "${schema.spec.open}"} if name in members else {})
    given = {"graph.json": graph(("config", config), ("web", workload), ("account", account("${schema.spec.role}", "api")))}
    assert not {rule for rule, _ in found(given)} & {"input-unreadable"}
    (row,) = inventory(given).documents
    assert f"`{name}` of " in row.why


RUNTIME = """\
apiVersion: pkg.crossplane.io/v1beta1
kind: DeploymentRuntimeConfig
metadata: {name: irsa}
spec:
  serviceAccountTemplate:
    metadata:
      annotations:
        KEY: ARN
"""
CONTROLLER = (
    "apiVersion: pkg.crossplane.io/v1alpha1\nkind: ControllerConfig\nmetadata:\n  name: irsa\n  annotations:\n    KEY: ARN\n"
)


@pytest.mark.parametrize("text", [RUNTIME, CONTROLLER])
@pytest.mark.parametrize(
    ("key", "arn", "rule"),
    [
        ("eks.amazonaws.com/role-arn", "arn:aws:iam:::111122223333:role/x", "role-arn-malformed"),
        ("eks.amazonaws.com/role-arn", "arn:aws:iam::111122223333:policy/x", "role-arn-is-policy-arn"),
        ("eks.amazonaws.com/rolearn", "arn:aws:iam::111122223333:role/x", "sa-annotation-key-typo"),
        ("eks.amazonaws.com/role-arn", "arn:aws:iam::111122223333:role/x", None),
        ("eks.amazonaws.com/role-arn", "$(ROLE_ARN)", None),
        ("eks.amazonaws.com/role-arn", "arn:aws:iam::ACCOUNT_ID:role/x", "role-arn-unresolved-template"),
    ],
)
def test_the_annotations_of_the_account_of_a_provider_are_judged(text, key, arn, rule):
    document = text.replace("KEY", key).replace("ARN", arn, 1)
    assert {name for name, _ in found({"x.yaml": document})} == ({rule} if rule else set())
    given = loaded({"x.yaml": document})
    (template,) = given.inventory.account_templates
    assert written_at(given, template.place.at("metadata", "annotations", key)) == arn
    assert template.annotations == {key: text_of(template.annotations[key])} or arn.startswith("$")


@pytest.mark.parametrize("kind", ["Composition", "ResourceGraphDefinition", "Object", "DeploymentRuntimeConfig", "Provider"])
@pytest.mark.parametrize(
    "spec", [None, 1, [], {"resources": 1}, {"resources": [1, {"base": 2}, {"template": [3]}]}, {"pipeline": [{"input": 1}]}]
)
def test_wrong_shapes_are_rows_and_no_crash(kind, spec):
    group = "kro.run/v1alpha1" if kind.startswith("Res") else "apiextensions.crossplane.io/v1"
    text = yaml.safe_dump({"apiVersion": group, "kind": kind, "metadata": {"name": "x"}, "spec": spec})
    assert all(row.why for row in inventory({"x.yaml": text}).documents)


def test_an_expression_of_kro_in_place_of_a_template_or_a_spec_is_named_as_unknown():
    group = "iam.services.k8s.aws/v1alpha1"
    role = {"apiVersion": group, "kind": "Role", "metadata": {"name": "app"}, "spec": "${schema.spec.role}"}
    resources = [{"id": "role", "template": role}, {"id": "other", "template": "${schema.spec.whole}"}]
    graph = {"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "metadata": {"name": "g"}}
    given = inventory({"graph.yaml": yaml.safe_dump({**graph, "spec": {"resources": resources}})})
    (made,) = given.roles
    assert isinstance(made.policy, Unknown)
    assert made.policy.missing == "trust policy of Role app, which is filled in later"
    assert [gap.missing for gap in given.gaps] == ["the object other of graph.yaml, whose template kro fills in"]
