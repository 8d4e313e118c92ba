"""Compositions whose objects a template of Go makes, and those that a program makes."""

import json
import textwrap

import pytest
import yaml

from irsa_doctor.model import text_of
from irsa_doctor.sources.templates.controllers.go_templates import CannotFill, filled_in
from tests.facts.situations import found
from tests.sources.templates.made import conditions, federated, row_of, written_at
from tests.sources.worlds import ISSUER, inventory, loaded

ROLE_ARN = "eks.amazonaws.com/role-arn"
POLICY = """\
{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "arn:aws:iam::{{ .account }}:oidc-provider/%(issuer)s"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringLike": { %(condition)s }}
  }]
}
"""
ROLE = """\
apiVersion: iam.aws.upbound.io/v1beta1
kind: Role
metadata:
  name: {{ $name }}-role
  annotations:
    {{ setResourceNameAnnotation "role" }}
spec:
  forProvider:
    assumeRolePolicy: |
"""


def role(condition='"{{ $issuer }}:sub": "system:serviceaccount:*:*"', issuer="{{ $issuer }}"):
    return ROLE + textwrap.indent(POLICY % {"condition": condition, "issuer": issuer}, "      ")


def composition(template, function="function-go-templating", **step_input):
    given = step_input or {"kind": "GoTemplate", "source": "Inline", "inline": {"template": template}}
    spec = {"mode": "Pipeline", "pipeline": [{"step": "render", "functionRef": {"name": function}, "input": given}]}
    return yaml.dump(
        {"apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition", "metadata": {"name": "irsa"}, "spec": spec}
    )


HEADS = [
    "",
    "---\n",
    "{{- $name := .observed.composite.resource.metadata.name -}}\n---\n",
    "{{/* a comment: with {{ braces */}}\n{{ $name, $x := 1 }}\n",
    "{{- range $i, $account := .accounts }}\n---\n",
]


@pytest.mark.parametrize("head", HEADS)
def test_the_role_of_a_template_is_judged(head):
    files = {"c.yaml": composition(head + role() + ("{{- end }}\n" if "range" in head else ""))}
    (made,) = inventory(files).roles
    assert text_of(federated(made)) == "arn:aws:iam::${.account}:oidc-provider/${ issuer}".replace("{ ", "{")
    assert "open-sub-star" in {rule for rule, _ in found(files)}


def test_the_mark_is_on_the_template():
    given = loaded({"c.yaml": composition(role())})
    (made,) = given.inventory.roles
    assert written_at(given, made.policy.place).startswith('"apiVersion: iam.aws.upbound.io')


BRANCHES = (
    '{{ if .wide }}"{{ $i }}:sub": "system:serviceaccount:*:*"{{ else }}"{{ $i }}:sub": "system:serviceaccount:a:b"{{ end }}'
)
LIST = "{{ if eq .x 1 }}a{{ else if eq .x 2 }}b{{ else }}c{{ end }}"


def test_each_branch_of_a_condition_is_judged_once():
    files = {"c.yaml": composition(role(BRANCHES))}
    cases = {made.case: conditions(made)["StringLike"]["${i}:sub"] for made in inventory(files).roles}
    assert cases == {
        "(branch 1 of the conditions of render)": "system:serviceaccount:*:*",
        "(branch 2 of the conditions of render)": "system:serviceaccount:a:b",
    }
    assert len({made.id for made in inventory(files).roles}) == 1


def test_a_condition_of_the_policy_that_may_be_left_out_leaves_the_role_open():
    inside = '"{{ $i }}:aud": "sts.amazonaws.com"{{ if .ns }}, "{{ $i }}:sub": "system:serviceaccount:{{ .ns }}:app"{{ end }}'
    assert "open-aud-only" in {rule for rule, _ in found({"c.yaml": composition(role(inside))})}


def test_branches_and_repeated_parts_are_filled_in():
    assert filled_in(LIST) == ["a", "b", "c"]
    assert filled_in("{{ range .x }}y{{ end }}{{ if .a }}z{{ end }}") == ["yz", "y"]
    assert filled_in('{{ with .x }}{{ .y | default "z" }}{{ else }}n{{ end }}') == ["${.y | default z}", "n"]
    assert filled_in('{{ define "a" }}x{{ end }}b') == ["b"]


@pytest.mark.parametrize("text", ["{{ if .x }}a", "{{ end }}", "{{ else }}", "{{ if .x }}" * 60 + "{{ end }}" * 60])
def test_what_is_not_closed_cannot_be_filled_in(text):
    with pytest.raises(CannotFill):
        filled_in(text)


ACCOUNT = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: %s
  namespace: prod
  annotations:
    eks.amazonaws.com/role-arn: "arn:aws:iam::{{ .account }}:role/{{ .name }}"
"""


@pytest.mark.parametrize(
    "more", ["{{ if .x }}\n---\nkind: Other\napiVersion: x/v1\n{{ end }}\n", "", "---\n{{ if .y }}\n{{ end }}"]
)
def test_a_service_account_is_there_once_whatever_the_branch(more):
    inside = inventory({"c.yaml": composition(f"{more}\n---\n{ACCOUNT % 'app'}")})
    ((account),) = inside.service_accounts
    assert (account.namespace, account.name) == ("prod", "app")
    assert text_of(account.annotations[ROLE_ARN]) == "arn:aws:iam::${.account}:role/${.name}"


PROGRAM = 'items = [{kind = "Role", policy = {Action = "sts:AssumeRoleWithWebIdentity"}}]'
UNREAD = {
    "KCL": {"function": "function-kcl", "kind": "KCLInput", "spec": {"source": PROGRAM}},
    "Python": {"function": "function-python", "kind": "Script", "script": f"x = '{PROGRAM}'"},
    "broken": {"function": "function-go-templating", "inline": {"template": "{{ if .x }}\n" + role()}},
    "no YAML": {"function": "function-go-templating", "inline": {"template": "a: [\n" + role()}},
}


@pytest.mark.parametrize("form", UNREAD)
def test_what_a_program_makes_is_unknown_and_named(form):
    step_input = dict(UNREAD[form])
    files = {"c.yaml": composition("", step_input.pop("function"), **step_input)}
    assert "step render of irsa is made by" in row_of(inventory(files), "c.yaml").why
    assert [gap.name for gap in inventory(files).gaps] == ["irsa/render"]


def test_a_program_that_speaks_of_no_role_is_no_gap():
    assert not inventory({"c.yaml": composition("", "function-auto-ready", kind="Ready")}).gaps


def test_a_template_without_anything_of_ours_says_so():
    files = {"c.yaml": composition("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")}
    assert json.dumps(row_of(inventory(files), "c.yaml").why)
    assert ISSUER not in row_of(inventory(files), "c.yaml").why
