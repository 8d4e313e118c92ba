"""Tasks of Ansible that make roles."""

import json

import pytest
import yaml

from irsa_doctor.model import Unknown
from tests.facts.situations import found
from tests.sources.templates.made import conditions, row_of, written_at
from tests.sources.worlds import ISSUER, inventory, loaded, policy

TEXT = json.dumps(policy())


def task(written: object, module: str = "amazon.aws.iam_role", **more: object) -> dict:
    return {"name": "make the role", module: {"name": "app", "assume_role_policy_document": written, **more}}


def play(*tasks: dict) -> dict:
    return {"hosts": "localhost", "tasks": list(tasks)}


@pytest.mark.parametrize("module", ["iam_role", "amazon.aws.iam_role", "community.aws.iam_role"])
@pytest.mark.parametrize("around", [lambda item: item, play, lambda item: play({"block": [item], "rescue": []})])
@pytest.mark.parametrize("written", [TEXT, policy()])
def test_a_role_is_read_from_tasks_blocks_and_plays(module, around, written):
    given = inventory({"main.yml": yaml.safe_dump([around(task(written, module, path="/team/"))])})
    (role,) = given.roles
    assert (role.address, role.planned) == ("task app", "team/app")
    assert conditions(role)["StringEquals"][f"{ISSUER}:sub"] == "system:serviceaccount:prod:app"
    assert row_of(given, "main.yml").kind == "ansible"


def test_values_of_jinja_are_holes():
    written = TEXT.replace(ISSUER, "{{ issuer }}").replace("prod", "{{ space }}")
    (role,) = inventory({"main.yml": yaml.safe_dump([task(written)])}).roles
    assert conditions(role)["StringEquals"]["{{ issuer }}:sub"] == "system:serviceaccount:{{ space }}:app"


@pytest.mark.parametrize(
    "written", ["{{ lookup('file', 'trust.json') }}", "{% if x %}" + TEXT + "{% endif %}", TEXT[:-1] + "{% if x %}}", None, 1]
)
def test_a_policy_that_is_made_when_the_task_runs_is_unknown(written):
    (role,) = inventory({"main.yml": yaml.safe_dump([task(written)])}).roles
    assert isinstance(role.policy, Unknown)


def test_an_open_role_is_found_and_other_tasks_are_not_read():
    document = policy()
    del document["Statement"][0]["Condition"]["StringEquals"][f"{ISSUER}:sub"]
    assert any(rule.startswith("open-") for rule, _ in found({"main.yml": yaml.safe_dump([play(task(document))])}))
    other = [play({"name": "x", "shell": "date"}), {"name": "y", "iam_role": {"name": "app", "state": "absent"}}]
    assert row_of(inventory({"main.yml": yaml.safe_dump(other)}), "main.yml").status == "ignored"


def test_a_task_that_removes_a_role_makes_none():
    given = inventory({"main.yml": yaml.safe_dump([play(task(TEXT, state="absent"), task(TEXT, state="present"))])})
    assert [role.place.pointer for role in given.roles] == ["/0/tasks/1/amazon.aws.iam_role"]


@pytest.mark.parametrize("condition", ["false", "no", "'False'", "[deploy, off]"])
@pytest.mark.parametrize("around", [lambda item, when: {**item, **when}, lambda item, when: {"block": [item], **when}])
def test_a_task_that_never_runs_makes_nothing(condition, around):
    written = [around(one, {"when": "CONDITION"}) for one in (task(TEXT), applied(service_account()))]
    given = inventory({"main.yml": yaml.safe_dump([play(*written)]).replace("CONDITION", condition)})
    assert (given.roles, given.service_accounts) == ((), ())


@pytest.mark.parametrize("condition", ["true", "deploy", "[deploy, 'yes']", "not false", "''"])
def test_a_task_that_may_run_is_read(condition):
    written = yaml.safe_dump([play({**task(TEXT), "when": "CONDITION"})]).replace("CONDITION", condition)
    assert len(inventory({"main.yml": written}).roles) == 1


def test_a_role_whose_name_is_not_written_has_none():
    (role,) = inventory({"main.yml": yaml.safe_dump([task(TEXT, name=None)])}).roles
    assert (role.address, role.planned) == ("task without name", "")


@pytest.mark.parametrize("part", ["rescue", "always"])
def test_every_part_of_a_block_may_make_a_role(part):
    for written in ({part: [task(TEXT)]}, {"block": [], part: [task(TEXT)]}, play({part: [task(TEXT)]})):
        assert len(inventory({"main.yml": yaml.safe_dump([written])}).roles) == 1


KEY = "eks.amazonaws.com/role-arn"
WRONG = "arn:aws:iam::111122223333:policy/app"


def applied(definition: object, module: str = "kubernetes.core.k8s", **more: object) -> dict:
    return {"name": "apply the object", module: {"state": "present", "definition": definition, **more}}


def service_account(name: str = "app", arn: str = WRONG) -> dict:
    metadata = {"name": name, "namespace": "prod", "annotations": {KEY: arn}}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


OTHER = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
DEFINITIONS = {
    "object": service_account(),
    "list": [OTHER, service_account()],
    "kind list": {"apiVersion": "v1", "kind": "List", "items": [OTHER, service_account()]},
    "text": yaml.safe_dump_all([OTHER, service_account()]),
}


@pytest.mark.parametrize("module", ["k8s", "kubernetes.core.k8s", "community.kubernetes.k8s"])
@pytest.mark.parametrize("around", [lambda item: item, play, lambda item: play({"block": [item], "rescue": []})])
@pytest.mark.parametrize("form", DEFINITIONS)
def test_service_accounts_that_tasks_apply_are_judged(module, around, form):
    documents = {"main.yml": yaml.safe_dump([around(applied(DEFINITIONS[form], module))])}
    (account,) = inventory(documents).service_accounts
    assert (account.subject, account.template) == ("system:serviceaccount:prod:app", True)
    assert {rule for rule, _ in found(documents)} == {"role-arn-is-policy-arn"}


@pytest.mark.parametrize("name", ["definition", "resource_definition", "inline"])
def test_a_definition_has_other_names_too(name):
    documents = {"main.yml": yaml.safe_dump([{"kubernetes.core.k8s": {name: service_account()}}])}
    (account,) = inventory(documents).service_accounts
    assert account.subject == "system:serviceaccount:prod:app"


def test_an_object_without_a_namespace_is_in_that_of_its_task():
    account = service_account()
    task = applied([account, {**account, "metadata": {"name": "web", "annotations": {KEY: WRONG}}}], namespace="shop")
    subjects = {account.subject for account in inventory({"main.yml": yaml.safe_dump([task])}).service_accounts}
    assert subjects == {"system:serviceaccount:prod:app", "system:serviceaccount:shop:web"}


def test_an_annotation_of_a_task_has_its_own_place():
    given = loaded({"main.yml": yaml.safe_dump([play(applied([OTHER, service_account()]))])})
    (account,) = given.inventory.service_accounts
    assert written_at(given, account.place.at("metadata", "annotations", KEY)) == WRONG


def test_a_service_account_whose_name_jinja_fills_in_has_its_annotation_alone():
    given = inventory({"main.yml": yaml.safe_dump([applied(service_account("{{ name }}", "{{ role.arn }}"))])})
    assert not given.service_accounts
    (account,) = given.account_templates
    assert not isinstance(account.annotations[KEY], str)


@pytest.mark.parametrize(
    "task",
    [applied(service_account(), state="absent"), applied("{% if x %}" + DEFINITIONS["text"]), applied(OTHER), applied(None)],
)
def test_tasks_that_apply_no_service_account_make_none(task):
    assert not inventory({"main.yml": yaml.safe_dump([task])}).service_accounts
