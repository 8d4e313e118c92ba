"""Nested stacks whose templates are in the input: each is read with what the stack around it gives to it."""

import pytest

from tests.facts.situations import found
from tests.sources.templates.made import ISSUER, conditions, roles_of, row_of
from tests.sources.templates.terraform.test_stacks import template
from tests.sources.worlds import inventory

EVERY = "system:serviceaccount:*:*"
KINDS = ["AWS::CloudFormation::Stack: TemplateURL", "AWS::Serverless::Application: Location"]


def around(subject, url="roles.yaml", kind=KINDS[0], name="Inner", before=""):
    resource, _, source = kind.partition(": ")
    properties = f"{{{source}: {url}, Parameters: {{Subject: {subject}}}}}"
    head = f"AWSTemplateFormatVersion: '2010-09-09'\n{before}Resources:\n"
    return head + f"  {name}:\n    Type: {resource}\n    Properties: {properties}\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("subject", "before"),
    [
        (f"'{EVERY}'", ""),
        ("!Ref S", f"Parameters: {{S: {{Type: String, Default: '{EVERY}'}}}}\n"),
        ("!Sub 'system:serviceaccount:${S}:*'", "Parameters: {S: {Type: String, Default: '*'}}\n"),
    ],
)
def test_a_nested_stack_is_judged_with_the_parameters_it_is_given(subject, before, kind):
    files = {"main.yaml": around(subject, kind=kind, before=before), "roles.yaml": template()}
    (role,) = inventory(files).roles
    assert "in the stack Inner of main.yaml" in role.case
    assert ("open-sub-star", "roles.yaml: App#0") in found(files)
    assert not inventory(files).gaps
    assert "not read" not in (row_of(inventory(files), "main.yaml").why or "")


def test_a_path_is_that_of_the_folder_of_the_template():
    files = {"a/main.yaml": around(f"'{EVERY}'", "../b/roles.yaml"), "b/roles.yaml": template()}
    assert ("open-sub-star", "b/roles.yaml: App#0") in found(files)


def test_a_stack_in_a_stack_in_a_stack_is_given_what_the_first_has():
    middle = around("!Ref Subject", before="Parameters: {Subject: {Type: String}}\n", name="Deep")
    files = {"main.yaml": around(f"'{EVERY}'", "middle.yaml"), "middle.yaml": middle, "roles.yaml": template()}
    assert ("open-sub-star", "roles.yaml: App#0") in found(files)


def test_a_stack_of_itself_ends():
    files = {"main.yaml": around("a", "main.yaml"), "a.yaml": around("a", "b.yaml"), "b.yaml": around("a", "a.yaml")}
    assert row_of(inventory(files), "a.yaml").status in ("ignored", "read")


@pytest.mark.parametrize("url", ["'https://example.com/roles.yaml'", "s3://bucket/roles.yaml", "other.yaml", "!Ref Url"])
def test_a_template_elsewhere_is_named_and_the_file_is_read_alone(url):
    files = {"main.yaml": around(f"'{EVERY}'", url), "roles.yaml": template()}
    (made,) = roles_of(files).values()
    assert conditions(made)["StringLike"][f"{ISSUER}:sub"] == "${Subject}"
    assert "the nested stack Inner is not read by itself" in row_of(inventory(files), "main.yaml").why
