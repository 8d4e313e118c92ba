"""What a kustomization renames is not judged by the names in its files."""

import json
from typing import Any

import pytest
import yaml

from irsa_doctor.answers.check.engine import evaluate
from irsa_doctor.facts import View, derive
from irsa_doctor.rulebook.rules import shipped_rules
from irsa_doctor.sources import load
from tests.facts.situations import found
from tests.sources.worlds import cluster, inventory

KEY = "eks.amazonaws.com/role-arn"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBBCCCCDDDDEEEEFFFF00001111"
MANIFEST = f"""apiVersion: v1
kind: ServiceAccount
metadata:
  name: api
  namespace: base
  annotations: {{{KEY}: "arn:aws:iam::111122223333:role/api"}}
"""
CONFIGURATION = f"""resource "aws_iam_role" "api" {{
  name = "api"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/{ISSUER}" }}
      Condition = {{ StringEquals = {{
        "{ISSUER}:sub" = "system:serviceaccount:live:live-api"
        "{ISSUER}:aud" = "sts.amazonaws.com"
      }} }}
    }}]
  }})
}}
"""


def rules_of(folder) -> set[str]:
    given = load([str(folder)]).inventory
    subjects = derive(View(given))
    findings = evaluate(shipped_rules(), subjects, lambda place, name: (1, 1, 1, 1, place.pointer, 0)).findings
    return {finding.rule for finding in findings}


def world(folder, overlay: str, resources: str = "../../base", base: str = "resources: [account.yaml]\n"):
    for path, text in {
        "main.tf": CONFIGURATION,
        "cluster.json": json.dumps(cluster(issuer=ISSUER)),
        "base/account.yaml": MANIFEST,
        "base/kustomization.yaml": base,
        "overlays/live/kustomization.yaml": f"resources: [{resources}]\n{overlay}",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


RENAMING_PATCH = """patches:
- target: {kind: ServiceAccount}
  patch: |
    - {op: replace, path: /metadata/namespace, value: live}
"""


@pytest.mark.parametrize(
    "overlay", ["namePrefix: live-\nnamespace: live\n", "nameSuffix: -x\n", "namespace: live\n", RENAMING_PATCH]
)
@pytest.mark.parametrize("resources", ["../../base", "./../../base/", "../../base/account.yaml"])
def test_accounts_that_an_overlay_renames_are_no_finding_and_how_to_render_is_said(tmp_path, overlay, resources):
    folder = world(tmp_path, overlay, resources)
    assert rules_of(folder) == set()
    (row,) = [row for row in load([str(folder)]).inventory.documents if row.path.endswith("account.yaml")]
    assert f"kustomize build {tmp_path}/overlays/live | irsa-doctor check -" in row.why
    assert overlay.partition(":")[0] in row.why


def test_an_overlay_that_renames_nothing_leaves_the_names(tmp_path):
    folder = world(tmp_path, "commonLabels: {a: b}\n")
    assert rules_of(folder) & {"trust-sub-mismatch", "sa-namespace-mismatch"}


def test_overlays_of_overlays_and_circles_end(tmp_path):
    folder = world(tmp_path, "namespace: live\n", base="resources: [account.yaml, ../overlays/live]\n")
    assert rules_of(folder) == set()


@pytest.mark.parametrize(
    ("path", "namespace", "is_judged"),
    [
        ("./apps/api", "live", False),
        ("apps", "live", False),
        (None, "live", False),
        ("apps", "base", True),
        ("infra", "live", True),
    ],
)
def test_a_kustomization_of_flux_may_give_the_objects_of_a_path_another_namespace(tmp_path, path, namespace, is_judged):
    spec = {"targetNamespace": namespace, **({"path": path} if path else {})}
    flux = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "api"}, "spec": spec}
    for name, text in (("main.tf", CONFIGURATION), ("apps/api/sa.yaml", MANIFEST), ("flux.yaml", yaml.safe_dump(flux))):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "cluster.json").write_text(json.dumps(cluster(issuer=ISSUER)))
    assert bool(rules_of(tmp_path) & {"trust-sub-mismatch", "sa-namespace-mismatch"}) == is_judged
    (row,) = [row for row in load([str(tmp_path)]).inventory.documents if row.path.endswith("sa.yaml")]
    assert ("targetNamespace" in (row.why or "")) != is_judged


def test_what_is_to_be_built_is_the_overlay_and_not_what_it_takes_up(tmp_path):
    rows = load([str(world(tmp_path, "namespace: live\n"))]).inventory.documents
    said = {row.path.removeprefix(f"{tmp_path}/"): row.why for row in rows if row.kind == "kustomization"}
    assert said == {
        "base/kustomization.yaml": f"a kustomization that {tmp_path}/overlays/live takes up",
        "overlays/live/kustomization.yaml": f"a kustomization: kustomize build {tmp_path}/overlays/live | irsa-doctor check -",
    }


def test_a_file_that_is_named_is_read_as_it_is(tmp_path):
    folder = world(tmp_path, "namespace: live\n")
    given = load([str(folder / "base/account.yaml"), str(folder)]).inventory
    assert [account.name for account in given.service_accounts] == ["api"]


DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: base}
spec: {template: {spec: {serviceAccountName: api, containers: [{name: api, image: api}]}}}
"""
PATCH = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: base}
spec: {template: {spec: {containers: [{name: api, image: other}], securityContext: {fsGroup: 1337}}}}
"""
ACCOUNT_PATCH = f"""apiVersion: v1
kind: ServiceAccount
metadata:
  name: api
  namespace: base
  annotations: {{{KEY}: "arn:aws:iam::111122223333:rol/api"}}
"""


@pytest.mark.parametrize(
    "listed",
    ["patchesStrategicMerge: [change.yaml]", "patches: [{path: ./change.yaml}]", "patchesJson6902: [{path: change.yaml}]"],
)
@pytest.mark.parametrize("folder", ["base", "overlays/live"])
def test_a_patch_is_no_object_beside_the_one_that_it_changes(tmp_path, listed, folder):
    base = "resources: [account.yaml, deployment.yaml]\n"
    world(tmp_path, "", base=base)
    (tmp_path / "base/deployment.yaml").write_text(DEPLOYMENT)
    with (tmp_path / folder / "kustomization.yaml").open("a") as kustomization:
        kustomization.write(f"{listed}\n")
    (tmp_path / folder / "change.yaml").write_text(PATCH)
    given = load([str(tmp_path)]).inventory
    assert "input-contradiction" not in rules_of(tmp_path)
    assert [workload.name for workload in given.workloads] == ["api"]
    (row,) = [row for row in given.documents if row.path.endswith("change.yaml")]
    assert f"a patch of {tmp_path}/{folder}: kustomize build" in row.why


def test_the_role_that_a_patch_gives_to_a_service_account_is_looked_at(tmp_path):
    folder = world(tmp_path, "patches: [{path: change.yaml}]\n")
    (folder / "overlays/live/change.yaml").write_text(ACCOUNT_PATCH)
    assert "role-arn-malformed" in rules_of(folder)


@pytest.mark.parametrize("item", ["1", "null", "{path: [a]}", "|\n  apiVersion: v1\n  kind: Nothing", "{patch: x}"])
def test_patches_of_any_shape_do_not_stop_the_reading(tmp_path, item):
    assert load([str(world(tmp_path, f"patches:\n- {item}\n"))]).inventory.documents


@pytest.mark.parametrize("listed", ["bases: [../../base]", "resources: [../../base]\nnamePrefix: live-", "namespace: live"])
def test_a_kustomization_needs_no_kind_and_may_list_bases(tmp_path, listed):
    folder = world(tmp_path, "", base="resources: [account.yaml, deployment.yaml]\n")
    (folder / "base/deployment.yaml").write_text(DEPLOYMENT)
    (folder / "overlays/live/change.yaml").write_text(PATCH)
    (folder / "overlays/live/kustomization.yaml").write_text(f"{listed}\npatchesStrategicMerge: [change.yaml]\n")
    assert "input-contradiction" not in rules_of(folder)
    (row,) = [row for row in load([str(folder)]).inventory.documents if row.path.endswith("live/kustomization.yaml")]
    assert row.kind == "kustomization"


TRUSTING = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": %s}]}'
)
OPEN = TRUSTING % '{"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AAAABBBB"}'


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("iam.services.k8s.aws/v1alpha1", "spec/assumeRolePolicyDocument"),
        ("iam.aws.upbound.io/v1beta1", "spec/forProvider/assumeRolePolicy"),
        ("iam.aws.crossplane.io/v1beta1", "spec/forProvider/assumeRolePolicyDocument"),
    ],
)
def test_a_policy_that_a_patch_writes_is_that_of_the_role(version, path):
    written: Any = OPEN
    for step in reversed(path.split("/")):
        written = {step: written}
    whole = {"apiVersion": version, "kind": "Role", "metadata": {"name": "app"}, **written}
    operation = [{"op": "replace", "path": f"/{path}", "value": OPEN}]
    above = [{"op": "replace", "path": "/spec", "value": written["spec"]}]
    for patches in (
        {"patches": [{"patch": yaml.safe_dump(whole)}]},
        {"patchesStrategicMerge": [yaml.safe_dump(whole)]},
        {"patches": [{"target": {"kind": "Role", "name": "app"}, "patch": yaml.safe_dump(operation)}]},
        {"patchesJson6902": [{"target": {"kind": "Role", "name": "app"}, "patch": json.dumps(operation)}]},
        {"patches": [{"target": {"kind": "Role", "name": "app"}, "patch": json.dumps(above)}]},
    ):
        files = {"kustomization.yaml": yaml.safe_dump({"resources": ["role.yaml"], **patches})}
        assert [role.address for role in inventory(files).roles] == ["Role app"]
        assert "open-no-sub" in {rule for rule, _ in found(files)}
    assert "open-no-sub" in {rule for rule, _ in found({"patch.yaml": yaml.safe_dump(operation)})}


@pytest.mark.parametrize(
    ("patched", "other", "is_open"),
    [("app", None, False), ("other", None, True), ("app", {"resources": ["../../base"]}, True)],
)
def test_a_policy_that_every_overlay_writes_anew_is_not_judged_as_its_file_has_it(tmp_path, patched, other, is_open):
    role = {"apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role", "metadata": {"name": "app"}}
    right = TRUSTING % '{"Service": "ec2.amazonaws.com"}'
    patch = {**role, "metadata": {"name": patched}, "spec": {"assumeRolePolicyDocument": right}}
    for path, value in {
        "base/role.yaml": {**role, "spec": {"assumeRolePolicyDocument": OPEN}},
        "base/kustomization.yaml": {"resources": ["role.yaml"]},
        "overlays/live/kustomization.yaml": {"resources": ["../../base"], "patches": [{"path": "patch.yaml"}]},
        "overlays/live/patch.yaml": patch,
        "overlays/test/kustomization.yaml": other,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(yaml.safe_dump(value) if value else "")
    assert ("open-no-sub" in rules_of(tmp_path)) == is_open


FLUX = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "a"}}
ARGO = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}}


@pytest.mark.parametrize(
    ("applied", "is_open"),
    [
        ({**FLUX, "spec": {"path": "./live"}}, False),
        ({**FLUX, "spec": {"path": "./base"}}, True),
        ({**FLUX, "spec": {"path": "./other"}}, False),
        ({**ARGO, "spec": {"source": {"path": "live"}}}, False),
        ({**ARGO, "spec": {"sources": [{"path": "live"}, {"path": "base/"}]}}, True),
        ({**ARGO, "spec": {"source": {"path": "."}}}, True),
    ],
)
def test_a_base_that_is_applied_by_itself_is_judged_beside_an_overlay_that_patches_it(tmp_path, applied, is_open):
    role = {"apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role", "metadata": {"name": "app"}}
    right = TRUSTING % '{"Service": "ec2.amazonaws.com"}'
    for path, value in {
        "base/role.yaml": {**role, "spec": {"assumeRolePolicyDocument": OPEN}},
        "base/kustomization.yaml": {"resources": ["role.yaml"]},
        "live/kustomization.yaml": {"resources": ["../base"], "patches": [{"path": "patch.yaml"}]},
        "live/patch.yaml": {**role, "spec": {"assumeRolePolicyDocument": right}},
        "applied.yaml": applied,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(yaml.safe_dump(value))
    assert ("open-no-sub" in rules_of(tmp_path)) == is_open


@pytest.mark.parametrize(
    ("spec", "target", "is_open"),
    [
        (None, None, True),
        ({"tags": [{"key": "team", "value": "shop"}]}, None, True),
        ({"assumeRolePolicyDocument": TRUSTING % '{"Service": "ec2.amazonaws.com"}'}, {"kind": "Role", "name": "other"}, True),
        ({"assumeRolePolicyDocument": TRUSTING % '{"Service": "ec2.amazonaws.com"}'}, {"kind": "Role", "name": "app"}, False),
        ({"assumeRolePolicyDocument": TRUSTING % '{"Service": "ec2.amazonaws.com"}'}, {"kind": "Role"}, False),
    ],
)
def test_a_patch_that_does_not_write_the_policy_leaves_it(tmp_path, spec, target, is_open):
    role = {"apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role", "metadata": {"name": "app"}}
    patch = {**role, "metadata": {"name": "app", "labels": {"team": "shop"}}, **({"spec": spec} if spec else {})}
    for path, value in {
        "base/role.yaml": {**role, "spec": {"assumeRolePolicyDocument": OPEN}},
        "base/kustomization.yaml": {"resources": ["role.yaml"]},
        "live/kustomization.yaml": {"resources": ["../base"], "patches": [{"path": "patch.yaml", "target": target}]},
        "live/patch.yaml": patch,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(yaml.safe_dump(value))
    assert ("open-no-sub" in rules_of(tmp_path)) == is_open


DELETION = {"$patch": "delete", "apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role", "metadata": {"name": "app"}}


def test_a_role_of_another_controller_is_not_the_one_that_a_patch_changes(tmp_path):
    ack, crossplane = "iam.services.k8s.aws/v1alpha1", "iam.aws.upbound.io/v1beta1"
    role = {"kind": "Role", "metadata": {"name": "app"}}
    right = TRUSTING % '{"Service": "ec2.amazonaws.com"}'
    written = {**role, "apiVersion": ack, "spec": {"assumeRolePolicyDocument": right}}
    for patch in (written, {**DELETION, "apiVersion": ack}):
        for path, value in {
            "base/role.yaml": {**role, "apiVersion": crossplane, "spec": {"forProvider": {"assumeRolePolicy": OPEN}}},
            "base/kustomization.yaml": {"resources": ["role.yaml"]},
            "live/kustomization.yaml": {"resources": ["../base"], "patches": [{"path": "patch.yaml"}]},
            "live/patch.yaml": patch,
        }.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(yaml.safe_dump(value))
        assert "open-no-sub" in rules_of(tmp_path)


@pytest.mark.parametrize(
    ("patches", "is_open"),
    [
        ({"patches": [{"path": "gone.yaml"}]}, False),
        ({"patches": [{"patch": yaml.safe_dump(DELETION)}]}, False),
        ({"patchesStrategicMerge": [yaml.safe_dump(DELETION)]}, False),
        ({"patches": [{"patch": yaml.safe_dump(DELETION), "target": {"kind": "Role", "name": "app"}}]}, False),
        ({"patches": [{"patch": yaml.safe_dump(DELETION), "target": {"kind": "Role", "name": "other"}}]}, True),
        ({"patches": [{"patch": yaml.safe_dump(DELETION), "target": {"kind": "ServiceAccount", "name": "app"}}]}, True),
        ({"patches": [{"path": "gone.yaml", "target": {"name": "app"}}]}, False),
        ({"patches": [{"path": "gone.yaml", "target": {"kind": "ServiceAccount", "name": "app"}}]}, True),
        ({"patches": [{"path": "gone.yaml", "target": {"name": "app", "group": "iam.services.k8s.aws"}}]}, False),
        ({"patches": [{"path": "gone.yaml", "target": {"name": "app", "group": "iam.aws.upbound.io"}}]}, True),
        ({"patches": [{"path": "gone.yaml", "target": {"name": "app", "labelSelector": "env=dev"}}]}, True),
        ({"patches": [{"path": "gone.yaml", "target": {"name": ["app"]}}]}, True),
        ({"patches": [{"patch": yaml.safe_dump({**DELETION, "metadata": {"name": "other"}})}]}, True),
        ({"patches": [{"patch": yaml.safe_dump({**DELETION, "apiVersion": "rbac.authorization.k8s.io/v1"})}]}, True),
        ({"patches": [{"patch": yaml.safe_dump({**DELETION, "metadata": {"name": "app", "namespace": "x"}})}]}, True),
    ],
)
def test_a_role_that_every_overlay_deletes_is_not_judged(tmp_path, patches, is_open):
    role = {"apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role", "metadata": {"name": "app"}}
    for path, value in {
        "base/role.yaml": {**role, "spec": {"assumeRolePolicyDocument": OPEN}},
        "base/kustomization.yaml": {"resources": ["role.yaml"]},
        "live/kustomization.yaml": {"resources": ["../base"], **patches},
        "live/gone.yaml": DELETION,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(yaml.safe_dump(value))
    assert ("open-no-sub" in rules_of(tmp_path)) == is_open
    assert len(load([str(tmp_path)]).inventory.roles) == is_open


def test_a_patch_of_something_else_makes_no_role():
    others = [
        {"op": "remove", "path": "/spec/assumeRolePolicyDocument"},
        {"op": "replace", "path": "/spec/name", "value": "x"},
        {"op": "replace", "path": "/spec/assumeRolePolicyDocument", "value": {"from": "x"}},
    ]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "app"}, "rules": []}
    for patch in (others, role):
        text = yaml.safe_dump({"resources": ["role.yaml"], "patches": [{"patch": yaml.safe_dump(patch)}]})
        assert not inventory({"kustomization.yaml": text}).roles


@pytest.mark.parametrize(("listed", "is_broken"), [("binding.yaml", False), ("other.yaml", True)])
def test_a_subject_has_its_namespace_of_the_kustomization_that_takes_up_the_binding(tmp_path, listed, is_broken):
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "api"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "api"},
        "subjects": [{"kind": "ServiceAccount", "name": "api"}],
    }
    (tmp_path / "binding.yaml").write_text(json.dumps(binding))
    (tmp_path / "kustomization.yaml").write_text(f"namespace: live\nresources: [{listed}]\n")
    whys = [row.why or "" for row in load([str(tmp_path)]).inventory.documents if row.path.endswith("binding.yaml")]
    assert any("of the service account is missing" in why for why in whys) == is_broken
