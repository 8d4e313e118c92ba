"""Values of charts in objects of Flux, K3s and Argo CD."""

import json

import pytest
import yaml

from tests.facts.situations import found
from tests.sources.templates.made import row_of, written_at
from tests.sources.worlds import cluster, inventory, loaded

KEY = "eks.amazonaws.com/role-arn"
POLICY = "arn:aws:iam::111122223333:policy/x"
ROLE = "arn:aws:iam::111122223333:role/x"
ACCOUNT = "serviceAccount: {name: app, annotations: {KEY: ARN}}".replace("KEY", KEY)
FLUX = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: app}\nspec:\n  chart: {}\n"
ARGO = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: app}\nspec:\n"
SET = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: app}\nspec:\n  template:\n    spec:\n"
FORMS = {
    "flux": FLUX + f"  values: {{{ACCOUNT}}}\n",
    "k3s": "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: app}\nspec:\n"
    f"  valuesContent: |-\n    {ACCOUNT}\n",
    "argo text": ARGO + f"  source:\n    helm:\n      values: |\n        {ACCOUNT}\n",
    "argo object": ARGO + f"  source:\n    helm:\n      valuesObject: {{{ACCOUNT}}}\n",
    "argo sources": ARGO + f"  sources:\n    - path: x\n    - helm:\n        valuesObject: {{{ACCOUNT}}}\n",
    "argo parameter": ARGO
    + "  source:\n    helm:\n      parameters:\n"
    + f"        - {{name: 'serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn', value: '{'ARN'}'}}\n",
    "argo set": SET + f"      source:\n        helm:\n          valuesObject: {{{ACCOUNT}}}\n",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_annotations_in_the_values_of_a_release_are_judged(form):
    wrong, right = form.replace("ARN", POLICY), form.replace("ARN", ROLE)
    assert {rule for rule, _ in found({"app.yaml": wrong})} == {"role-arn-is-policy-arn"}
    assert found({"app.yaml": right}) == set()
    row = row_of(inventory({"app.yaml": right}), "app.yaml")
    assert (row.status, row.why) == ("read", None)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("arn", ["${appRoleArn}", "{{ .role }}", "arn:aws:iam::{{metadata.account}}:role/x"])
def test_what_is_filled_in_later_is_no_finding(form, arn):
    assert found({"app.yaml": form.replace("'ARN'", "ARN").replace("ARN", f'"{arn}"')}) == set()


@pytest.mark.parametrize("name", ["flux", "argo object", "argo parameter"])
def test_the_place_of_an_annotation_is_where_it_is_written(name):
    given = loaded({"app.yaml": FORMS[name].replace("ARN", POLICY)})
    (template,) = given.inventory.account_templates
    assert written_at(given, template.place.at("metadata", "annotations", KEY)).strip("'") == POLICY


MERGE = "metadata: {name: app, annotations: {" + KEY + ": ARN}}"
OPERATION = "[{op: add, path: /metadata/annotations/" + KEY.replace("/", "~1") + ", value: ARN}]"


@pytest.mark.parametrize("patch", [MERGE, OPERATION])
@pytest.mark.parametrize("argo", [False, True])
def test_annotations_in_patches_for_kustomize_are_judged(patch, argo):
    for arn, rules in ((POLICY, {"role-arn-is-policy-arn"}), (ROLE, set())):
        kustomize = {"kustomize": {"patches": [{"target": {"kind": "ServiceAccount"}, "patch": patch.replace("ARN", arn)}]}}
        head = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "a"}}
        head |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"} if argo else {}
        document = {**head, "spec": {"source": kustomize} if argo else {"postRenderers": [kustomize]}}
        assert {rule for rule, _ in found({"a.json": document})} == rules


def test_values_that_are_no_yaml_before_they_are_rendered_are_not_said_to_annotate_nothing():
    values = "  source: {helm: {values: 'a: {annotations: {" + KEY + ": {{arn}}}}'}}\n"
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: app}\nspec:\n" + values
    why = row_of(inventory({"app.yaml": text}), "app.yaml").why
    assert "not read before they are rendered" in why
    assert "annotates no" not in why


def test_a_release_without_annotations_says_so():
    row = row_of(
        inventory({"app.yaml": FLUX + "  values: {replicas: 2}\n  valuesFrom: [{kind: Secret, name: x}]\n"}), "app.yaml"
    )
    assert (row.kind, row.status) == ("helm-release", "ignored")
    assert row.why == "HelmRelease app annotates no service account"


@pytest.mark.parametrize(
    "spec", ["x", "{source: [1, {helm: x}], sources: {helm: {values: [], parameters: [1]}}}", "{values: 3}"]
)
def test_other_shapes_are_no_error(spec):
    for head in (FLUX, ARGO):
        text = head.partition("spec:")[0] + f"spec: {spec}\n"
        assert found({"app.yaml": text}) <= {("input-unreadable", "app.yaml")}


LEFT = ["YOUR_ACCOUNT", "ACCOUNT_ID", "your-aws-account-id", "REPLACE_ME", "CHANGE_ME_PLEASE", "XXXXXXXXXXXX"]
FILLED = ["${ACCOUNT}", "<account>", "{{ account }}", "<path:secret/aws#account>", "__ACCOUNT__$", "%ACCOUNT%"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("account", LEFT)
def test_a_word_that_nobody_replaced_stays_one_where_a_release_is_applied(form, account):
    wrong = form.replace("'ARN'", "ARN").replace("ARN", f'"arn:aws:iam::{account}:role/x"')
    assert {rule for rule, _ in found({"app.yaml": wrong})} == {"role-arn-unresolved-template"}


@pytest.mark.parametrize("account", FILLED)
def test_a_mark_of_what_fills_values_in_is_no_word_that_was_left(account):
    form = FORMS["argo object"].replace("ARN", f'"arn:aws:iam::{account}:role/x"')
    assert "role-arn-unresolved-template" not in {rule for rule, _ in found({"app.yaml": form})}


@pytest.mark.parametrize("account", LEFT)
def test_a_word_in_the_values_of_a_chart_is_for_whoever_installs_it(account):
    values = ACCOUNT.replace("ARN", f'"arn:aws:iam::{account}:role/x"')
    assert found({"values.yaml": values}) == set()


def test_releases_of_one_list_are_each_read_and_told_apart():
    values = {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}}}
    release = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "a"}}
    application = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "b"}}
    workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "c"}, "spec": {"template": {}}}
    helm = {"spec": {"destination": {}, "source": {"helm": {"valuesObject": values}}}}
    items = [release | {"spec": {"values": values}}, application | helm, workflow]
    listed = inventory({"all.yaml": yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})})
    assert [account.name for account in listed.account_templates] == ["serviceAccount", "serviceAccount (2)"]
    assert len(listed.workloads) == len(inventory({"one.yaml": yaml.safe_dump(workflow)}).workloads)
    apart = inventory({"all.yaml": yaml.safe_dump_all(items[:2])})
    assert [account.name for account in apart.account_templates] == ["serviceAccount", "serviceAccount (2)"]


NAMED = {
    "flux": FLUX.replace("{name: app}", "{name: app, namespace: prod}") + f"  values: {{{ACCOUNT}}}\n",
    "flux elsewhere": FLUX.replace("{name: app}", "{name: app, namespace: flux-system}")
    + f"  targetNamespace: prod\n  values: {{{ACCOUNT}}}\n",
    "k3s": FORMS["k3s"] + "  targetNamespace: prod\n",
    "crossplane": "apiVersion: helm.crossplane.io/v1beta1\nkind: Release\nmetadata: {name: app}\nspec:\n"
    f"  forProvider: {{namespace: prod, values: {{{ACCOUNT}}}}}\n",
    "cluster api": "apiVersion: addons.cluster.x-k8s.io/v1alpha1\nkind: HelmChartProxy\nmetadata: {name: app}\nspec:\n"
    f"  namespace: prod\n  valuesTemplate: |\n    {ACCOUNT}\n",
    "argo object": FORMS["argo object"] + "  destination: {namespace: prod}\n",
    "argo text": FORMS["argo text"] + "  destination: {namespace: prod}\n",
    "argo parameters": FORMS["argo parameter"]
    + "        - {name: serviceAccount.name, value: app}\n  destination: {namespace: prod}\n",
    "argo over another": FORMS["argo object"].replace("name: app, annotations", "name: other, annotations")
    + "      parameters: [{name: serviceAccount.name, value: app}]\n  destination: {namespace: prod}\n",
    "argo set": FORMS["argo set"] + "      destination: {namespace: prod}\n",
    "helmfile": f"releases:\n  - {{name: app, namespace: prod, chart: x/y, values: [{{{ACCOUNT}}}, other.yaml]}}\n",
    "pulumi": "name: shop\nruntime: yaml\nresources:\n  app:\n    type: kubernetes:helm.sh/v3:Release\n"
    f"    properties: {{namespace: prod, values: {{{ACCOUNT}}}}}\n",
}


@pytest.mark.parametrize("form", NAMED.values(), ids=NAMED.keys())
def test_a_service_account_that_values_name_is_certain_where_the_release_has_a_namespace(form):
    given = inventory({"app.yaml": form.replace("ARN", ROLE)})
    (account,) = given.service_accounts
    assert (account.subject, account.annotations[KEY]) == ("system:serviceaccount:prod:app", ROLE)
    assert not given.account_templates


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("name: app, annotations", "annotations"),
        ("name: app, annotations", "create: false, name: app, annotations"),
        ("name: app, annotations", "name: '${name}', annotations"),
        ("serviceAccount:", "namespaceOverride: other, serviceAccount:"),
        ("serviceAccount:", "pod:"),
        ("destination: {namespace: prod}", "destination: {namespace: '{{namespace}}'}"),
        ("destination: {namespace: prod}", "destination: {name: shop}"),
        ("serviceAccount:", "namespace: other, serviceAccount:"),
        ("serviceAccount:", "global: {namespaceOverride: other}, serviceAccount:"),
        ("serviceAccount:", "jobNamespaces: [other], serviceAccount:"),
        ("name: app, annotations", "namespace: other, name: app, annotations"),
        ("serviceAccount:", "enabled: false, serviceAccount:"),
        ("name: app, annotations", "name: null, annotations"),
        ("source:", "source:\n    path: charts/all"),
    ],
)
def test_a_service_account_whose_name_or_namespace_is_made_later_has_its_annotation_alone(written, instead):
    text = NAMED["argo object"].replace("ARN", ROLE).replace(written, instead)
    given = inventory({"app.yaml": text.replace("{name: app}\n", "{name: app, namespace: prod}\n", 1)})
    assert not given.service_accounts
    assert len(given.account_templates) == 1


def test_values_that_an_application_hands_to_another_have_their_annotation_alone():
    text = NAMED["argo object"].replace("ARN", ROLE)
    values = text.partition("valuesObject: ")[2].partition("\n")[0]
    given = inventory({"app.yaml": text.replace(values, f"{{app: {{helm: {{valuesObject: {values}}}}}}}")})
    assert not given.service_accounts
    assert len(given.account_templates) == 1


@pytest.mark.parametrize("above", ["workflow", "workflows"])
def test_values_for_what_runs_in_other_namespaces_have_their_annotation_alone(above):
    text = NAMED["flux"].replace("ARN", ROLE).replace("values: {", f"values: {{{above}: {{") + "  "
    given = inventory({"app.yaml": text.replace("}}\n", "}}}\n")})
    assert not given.service_accounts
    assert len(given.account_templates) == 1


@pytest.mark.parametrize("beside", ["namespace: prod", "watchNamespace: other", "createNamespace: true", "enabled: true"])
def test_values_that_move_nothing_leave_a_service_account_certain(beside):
    text = NAMED["argo object"].replace("ARN", ROLE).replace("serviceAccount:", f"{beside}, serviceAccount:")
    assert [account.subject for account in inventory({"app.yaml": text}).service_accounts] == ["system:serviceaccount:prod:app"]


LAYERS = {
    "argo": NAMED["argo parameters"].replace("value: 'ARN'", f"value: '{ROLE}'")
    + "      values: |\n        serviceAccount: {annotations: {KEY: ARN, eks.amazonaws.com/audience: own}}\n",
    "helmfile": "releases:\n  - {name: app, namespace: prod, chart: x/y, values: [{serviceAccount: {annotations: {KEY: ARN, "
    f"eks.amazonaws.com/audience: own}}}}}}, {{{ACCOUNT.replace('ARN', ROLE)}}}]}}\n",
}


@pytest.mark.parametrize("form", LAYERS.values(), ids=LAYERS.keys())
def test_an_annotation_that_other_values_win_over_is_none(form):
    lines = form.replace("KEY", KEY).replace("ARN", POLICY).splitlines(keepends=True)
    helm = [line for line in lines if "destination" not in line]
    given = loaded({"app.yaml": "".join([*helm, *(line for line in lines if line not in helm)])})
    (account,) = given.inventory.service_accounts
    assert dict(account.annotations) == {KEY: ROLE, "eks.amazonaws.com/audience": "own"}
    assert not given.inventory.account_templates
    assert written_at(given, account.place.at("metadata", "annotations", KEY)).strip("'") == ROLE


SETS = {
    "a patch of the template": "  templatePatch: 'spec: {}'\n",
    "a template of a generator": "  generators: [{matrix: {generators: [{list: {template: {spec: {}}}}]}}]\n",
}


@pytest.mark.parametrize("written", SETS.values(), ids=SETS.keys())
def test_a_set_of_applications_that_changes_its_template_says_no_namespace(written):
    given = inventory({"app.yaml": NAMED["argo set"].replace("ARN", ROLE) + written})
    assert not given.service_accounts
    assert len(given.account_templates) == 1


def test_a_release_of_a_helmfile_that_is_to_be_removed_makes_no_account():
    text = NAMED["helmfile"].replace("ARN", ROLE).replace("chart:", "installed: false, chart:")
    assert not inventory({"helmfile.yaml": text}).service_accounts


@pytest.mark.parametrize("apart", [{"app.yaml": "\n---\n"}, {"live.yaml": "", "test.yaml": ""}])
def test_releases_of_one_account_for_two_roles_are_of_two_clusters(apart):
    two = [NAMED["argo object"].replace("ARN", arn) for arn in (ROLE, f"{ROLE}-of-test")]
    files = {"app.yaml": apart["app.yaml"].join(two)} if "app.yaml" in apart else dict(zip(apart, two, strict=True))
    files |= {"cluster.json": cluster("shop")}
    given = inventory(files)
    assert {(account.cluster, account.annotations[KEY]) for account in given.service_accounts} == {
        ("", ROLE),
        ("", f"{ROLE}-of-test"),
    }
    assert not {"input-contradiction", "role-missing"} & {rule for rule, _ in found(files)}


@pytest.mark.parametrize("others", [0, 500])
@pytest.mark.parametrize("kind", [5, None, ["Role"]])
def test_an_object_of_a_list_whose_kind_is_no_text_costs_no_other(kind, others):
    plain = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app", "namespace": "prod"}}
    items = [plain] * others + [{"apiVersion": "kro.run/v1", "kind": kind}, {"apiVersion": "argoproj.io/v1", "kind": kind}]
    wrong = {**plain, "metadata": {**plain["metadata"], "annotations": {KEY: POLICY}}}
    documents = {"all.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": [*items, wrong]})}
    assert "role-arn-is-policy-arn" in {rule for rule, _ in found(documents)}
    assert "an error of irsa-doctor" not in str(inventory(documents).documents)
