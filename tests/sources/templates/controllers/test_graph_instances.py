"""Instances of graphs of kro: what counts is what they give to the templates of their graph."""

import json

import pytest

from irsa_doctor.model import TrustPolicy, text_of
from tests.sources.worlds import inventory

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/5D2A7C1E9B8F4036A1C4E7D20B93F865"
GRAPH = """apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: podrole}
spec:
  schema:
    apiVersion: v1alpha1
    kind: PodRole
    spec:
      namespace: string
      account: {name: 'string | default="*" description="of the pods"'}
      labels: "map[string]string"
  resources:
  - id: role
    template:
      apiVersion: iam.services.k8s.aws/v1alpha1
      kind: Role
      metadata: {name: "${schema.metadata.name}", labels: "${schema.spec.labels}"}
      spec:
        name: ${schema.metadata.name}
        assumeRolePolicyDocument: |
          {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/ISSUER"},
            "Condition": {"StringLike": {"ISSUER:sub":
              "system:serviceaccount:${schema.spec.namespace}:${schema.spec.account.name}"}}}]}
""".replace("ISSUER", ISSUER)


def instance(name: str, spec: str, kind: str = "PodRole", group: str = "kro.run") -> str:
    return f"apiVersion: {group}/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def subjects(files: dict[str, object]) -> dict[str, str]:
    """Address of every role -> the subject that it admits."""
    admitted = {}
    for role in inventory(files).roles:
        assert isinstance(role.policy, TrustPolicy)
        condition = role.policy.document["Statement"][0]["Condition"]
        admitted[role.address] = text_of(condition["StringLike"][f"{ISSUER}:sub"])
    return admitted


GENERIC = {"Role schema.metadata.name": "system:serviceaccount:${schema.spec.namespace}:${schema.spec.account.name}"}


def test_each_instance_makes_a_role_of_its_own():
    files = {
        "graph.yaml": GRAPH,
        "a.yaml": instance("billing", '{namespace: "*"}'),
        "b.yaml": instance("shop", "{namespace: shop, account: {name: cart}, labels: {a: b}}"),
    }
    assert subjects(files) == {
        **GENERIC,
        "Role billing": "system:serviceaccount:*:*",
        "Role shop": "system:serviceaccount:shop:cart",
    }


@pytest.mark.parametrize("other", [instance("x", "{namespace: a}", kind="Other"), instance("x", "{}", group="example.org")])
def test_an_instance_of_another_graph_makes_nothing(other):
    assert subjects({"graph.yaml": GRAPH, "other.yaml": other}) == GENERIC


def test_of_graphs_of_one_kind_the_nearest_has_the_instance():
    files = {"dev/graph.yaml": GRAPH, "prod/graph.yaml": GRAPH.replace("spec.namespace}", "spec.namespace}-prod")}
    written = {**files, "prod/apps/a.yaml": instance("billing", "{namespace: shop, account: {name: cart}}")}
    assert subjects(written)["Role billing"] == "system:serviceaccount:shop-prod:cart"
    assert sum(role.address == "Role billing" for role in inventory(written).roles) == 1
    far = {**files, "apps/a.yaml": instance("billing", "{namespace: shop}")}
    assert sum(role.address == "Role billing" for role in inventory(far).roles) == 2


OWN = GRAPH.replace("    kind: PodRole", "    kind: PodRole\n    group: platform.example.com")
OTHERS = "---\n" + instance("x", "{namespace: a}", group="example.org") + "---\n" + instance("y", "{namespace: b}")
LISTED = {"apiVersion": "v1", "kind": "List", "items": [json.loads('{"kind": "ConfigMap"}')]}


@pytest.mark.parametrize("form", ["file", "list", "beside the graph"])
def test_a_graph_with_a_group_of_its_own_has_instances_of_that_group(form):
    written = instance("billing", '{namespace: "*"}', group="platform.example.com")
    spec = {"apiVersion": "platform.example.com/v1alpha1", "kind": "PodRole", "metadata": {"name": "billing"}}
    listed = {**LISTED, "items": [*LISTED["items"], {**spec, "spec": {"namespace": "*"}}]}
    forms: dict[str, dict[str, object]] = {
        "file": {"graph.yaml": OWN, "a.yaml": written + OTHERS},
        "list": {"graph.yaml": OWN, "a.json": listed},
        "beside the graph": {"graph.yaml": f"{OWN}---\n{written}"},
    }
    assert subjects(forms[form]) == {**GENERIC, "Role billing": "system:serviceaccount:*:*"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_instances_of_a_group_of_its_own_are_found_in_other_encodings(encoding):
    written = instance("billing", '{namespace: "*"}', group="platform.example.com").encode(encoding)
    assert "Role billing" in subjects({"graph.yaml": OWN, "a.yaml": written})


@pytest.mark.parametrize("schema", ["[1]", "{kind: [1], group: {a: b}}", "null"])
def test_a_graph_with_a_schema_of_another_form_has_no_instances(schema):
    graph = instance("x", f"{{schema: {schema}, resources: []}}", kind="ResourceGraphDefinition")
    assert subjects({"graph.yaml": graph, "a.yaml": instance("x", "{}")}) == {}


def test_what_an_instance_leaves_open_stays_open():
    (made,) = (subjects({"graph.yaml": GRAPH, "a.yaml": instance("x", "[1]")}).keys() - GENERIC.keys()) or ("",)
    assert made == "Role x"


ACCOUNT = """  - id: account
    includeWhen: CONDITION
    template:
      apiVersion: v1
      kind: ServiceAccount
      metadata:
        name: "app-${schema.spec.on}"
        namespace: ${schema.spec.namespace}
        annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/app"}
"""


@pytest.mark.parametrize(
    ("condition", "on", "made"),
    [
        ("['${schema.spec.on}']", "false", []),
        ("['${schema.spec.account.name != \"\"}', '${ schema.spec.on }']", "false", []),
        ("['${schema.spec.on}']", "true", ["shop/app-true"]),
        ("['${schema.spec.namespace == \"x\"}']", "true", ["shop/app-true"]),
        ("3", "false", ["shop/app-false"]),
    ],
)
def test_what_an_instance_leaves_out_is_not_made(condition, on, made):
    graph = GRAPH + ACCOUNT.replace("CONDITION", condition)
    given = inventory({"graph.yaml": graph, "a.yaml": instance("shop", f"{{namespace: shop, on: {on}}}")})
    assert [f"{account.namespace}/{account.name}" for account in given.service_accounts] == made


@pytest.mark.parametrize("quote", ['"', "'"])
def test_what_a_description_says_of_defaults_is_none(quote):
    said = f"string | required=true description={quote}without it, default=* is meant{quote}"
    graph = GRAPH.replace("""'string | default="*" description="of the pods"'""", json.dumps(said))
    assert subjects({"graph.yaml": graph, "a.yaml": instance("shop", "{namespace: shop}")}) == {
        **GENERIC,
        "Role shop": "system:serviceaccount:shop:${schema.spec.account.name}",
    }
