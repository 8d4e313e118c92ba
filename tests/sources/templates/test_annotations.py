"""Values of charts, folders of kustomize, and what is written there of service accounts."""

import json

import pytest

from irsa_doctor.sources import load
from tests.facts.situations import found
from tests.sources.templates.made import written_at
from tests.sources.worlds import inventory, loaded

KEY = "eks.amazonaws.com/role-arn"
WRONG = "arn:aws:iam::111122223333:policy/x"
MANIFEST = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: app, annotations: {KEY: ARN}}\n".replace("KEY", KEY)


def rules(documents) -> set[str]:
    return {rule for rule, _ in found(documents)}


@pytest.mark.parametrize("above", ["serviceAccount:\n  annotations:", "a:\n - b:\n    annotations:", "annotations:"])
@pytest.mark.parametrize(
    ("key", "arn", "rule"),
    [
        (KEY, WRONG, "role-arn-is-policy-arn"),
        (KEY, "arn:aws:iam:::111122223333:role/x", "role-arn-malformed"),
        ("eks.amazonaws.com/role_arn", "arn:aws:iam::111122223333:role/x", "sa-annotation-key-typo"),
        (KEY, "arn:aws:iam::111122223333:role/x", None),
        (KEY, '""', None),
        (KEY, "'{{ .Values.arn }}'", None),
        (KEY, "my-role", None),
    ],
)
def test_values_are_judged_as_far_as_they_are_certain(above, key, arn, rule):
    text = f"{above}\n        {key}: {arn}\n"
    given = loaded({"values.yaml": text})
    assert rules({"values.yaml": text}) == ({rule} if rule else set())
    assert given.inventory.service_accounts == ()
    (template,) = given.inventory.account_templates
    assert written_at(given, template.place.at("metadata", "annotations", key)) == arn


def test_an_annotation_among_very_many_values_is_judged():
    many = "".join(f"a{n}: {{b: {n}}}\n" for n in range(100_001))
    assert "role-arn-is-policy-arn" in rules({"values.yaml": f"serviceAccount: {{annotations: {{{KEY}: {WRONG}}}}}\n{many}"})


def test_values_without_such_annotations_are_no_document_of_ours():
    (row,) = inventory({"values.yaml": "annotations: {prometheus.io/scrape: 'true'}\nrole: x\n"}).documents
    assert row.status == "ignored"


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "add", "path": "/metadata/annotations/eks.amazonaws.com~1role-arn", "value": WRONG}],
        [{"op": "replace", "path": "/metadata/annotations", "value": {KEY: WRONG}}],
    ],
)
def test_operations_of_a_patch_are_judged_in_files_and_in_the_kustomization(patch):
    assert rules({"patch.yaml": json.dumps(patch)}) == {"role-arn-is-policy-arn"}
    kustomization = {"resources": ["../base"], "patches": [{"target": {"kind": "ServiceAccount"}, "patch": json.dumps(patch)}]}
    assert rules({"kustomization.yaml": json.dumps(kustomization)}) == {"role-arn-is-policy-arn"}


def lay(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_templates_of_a_chart_are_listed_with_what_renders_them_and_manifests_beside_it_are_read(tmp_path):
    broken = "{{- if .Values.x }}\nkind: ServiceAccount\n{{- end }}\n"
    lay(tmp_path, chart__Chart_yaml="name: x\n", chart__templates__a_yaml=MANIFEST, chart__templates__deep__b_yaml=broken)
    lay(tmp_path, chart__charts__y__Chart_yaml="name: y\n", chart__charts__y__templates__c_yaml=broken, account_yaml=MANIFEST)
    given = load([str(tmp_path)]).inventory
    assert len(given.service_accounts) == 1
    rows = {row.path.removeprefix(f"{tmp_path}/"): row for row in given.documents}
    for name in ("chart/templates/a.yaml", "chart/templates/deep/b.yaml", "chart/charts/y/templates/c.yaml"):
        assert rows[name].status == "ignored"
        assert "helm template" in rows[name].why
    assert load([str(tmp_path / "chart/templates/a.yaml")]).inventory.service_accounts != ()


def test_manifests_beside_a_chart_that_is_not_rendered_are_not_all_objects(tmp_path):
    lay(tmp_path, account_yaml=MANIFEST)
    assert load([str(tmp_path)], complete=["serviceaccounts"]).inventory.closed.has_kind("", "serviceaccounts")
    lay(tmp_path, chart__Chart_yaml="name: x\n")
    assert not load([str(tmp_path)], complete=["serviceaccounts"]).inventory.closed.has_kind("", "serviceaccounts")
    lay(tmp_path, all_yaml=MANIFEST.replace("metadata: {", 'metadata: {creationTimestamp: "2026-01-01T00:00:00Z", '))
    assert load([str(tmp_path)], complete=["serviceaccounts"]).inventory.closed.has_kind("", "serviceaccounts")


DAEMONS = (
    "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a, namespace: b%s}\nspec: {template: {spec: {containers: []}}}\n"
)
CREATED = ', creationTimestamp: "2026-01-01T00:00:00Z"'


@pytest.mark.parametrize(
    ("created", "complete"),
    [("", set()), (CREATED, {"daemonsets", "pods"})],
    ids=["manifests alone", "an export of daemon sets"],
)
def test_an_export_beside_a_chart_has_all_objects_but_those_of_manifests(tmp_path, created, complete):
    lay(tmp_path, account_yaml=MANIFEST, chart__Chart_yaml="name: x\n", daemons_yaml=DAEMONS % created)
    stated = ["serviceaccounts", "daemonsets", "pods"]
    closed = load([str(tmp_path)], complete=stated).inventory.closed
    assert {kind for kind in stated if closed.has_kind("", kind)} == complete


def test_files_that_templates_of_a_chart_take_in_are_rendered_too_and_others_are_read(tmp_path):
    lay(tmp_path, Chart_yaml="name: x\n", files__a_yaml="name: {{ $x }}\nkind: ServiceAccount\n", files__b_yaml=MANIFEST)
    rows = {row.path.removeprefix(f"{tmp_path}/"): row.status for row in load([str(tmp_path)]).inventory.documents}
    assert (rows["files/a.yaml"], rows["files/b.yaml"]) == ("ignored", "read")


def test_kustomize_gives_accounts_without_a_namespace_one_so_only_their_annotations_are_judged(tmp_path):
    lay(tmp_path, kustomization_yaml="namespace: prod\nresources: [a.yaml, b.yaml]\n")
    lay(tmp_path, a_yaml=MANIFEST.replace("ARN", WRONG), b_yaml=MANIFEST.replace("name: app", "name: b, namespace: prod"))
    given = load([str(tmp_path)]).inventory
    assert [account.name for account in given.service_accounts] == ["b"]
    assert [account.name for account in given.account_templates] == ["app"]
    row = next(row for row in given.documents if row.path.endswith("kustomization.yaml"))
    assert (row.kind, row.status) == ("kustomization", "ignored")
    assert f"kustomize build {tmp_path}" in row.why
