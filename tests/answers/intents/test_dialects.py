"""Dialects stay valid, whatever an intent holds."""

import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from irsa_doctor.answers.intents.dialects import INTENT_FORMATS, Choices
from irsa_doctor.answers.intents.generation import generated
from tests.answers.intents.drawing import ACCOUNTS, arn, issuer, plan
from tests.answers.intents.test_round_trips import read_back

FORMATS = [name for name in INTENT_FORMATS if name != "pod-identity"]
TEXTS = [
    *("a'b\"c\\d", "line\nline\n", "${aws:x} %{if} $${y} $ %{for x in y}", "- a: b # c", "|\n x", " lead and trail "),
    *("@`!&*", "émoji \U0001f600 \u2028", "tab\tx", "\r\ncr", "true", "0123", "1e3", "0o17", "y", "2020-01-01", "~"),
    *("!!python/x", "---", "...", "EOF\nEOF", "$(id) `id`", "{{ x }}", "=", "<<", "x\n---\ny: z", "#c", ""),
]
NAMES = [
    "A_b",
    "a-b",
    "a.b",
    "a+b",
    "1",
    "true",
    "-",
    "=",
    ",",
    "ab2",
    "Association1",
    "shopProvider",
    "@",
    "_",
    "a..b",
    "a.-b",
]
OTHER = f"arn:aws:iam::{ACCOUNTS[1]}:role/a.b"
OBJECT = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def tagged(text):
    """What a tag may hold of a text."""
    return re.sub(r"[^\w .:/=+@\u2028-]", "", text, flags=re.ASCII).removeprefix("aws:")


def odd_intent():
    clusters = {name: {"arn": arn(name), "issuer": issuer(number)} for number, name in enumerate(["shop", "Shop"])}
    roles: dict[str, Any] = {}
    for number, text in enumerate(TEXTS):
        options = {"description": text} if text.strip() else {}
        roles[f"t{number}"] = {
            "service-accounts": [f"ns/t{number}"],
            "tags": {"k": tagged(text), **({tagged(text)[:100]: "v"} if tagged(text) not in ("", "k") else {})},
            "via": "irsa" if number % 3 else "pod-identity",
            "policies": ["arn:aws:iam::aws:policy/X", "arn:aws:iam::aws:policy/Y"],
            **options,
        }
    roles["t0_1"] = {"service-accounts": "ns/one", "policies": ["arn:aws:iam::aws:policy/X"]}
    roles |= {name: f"ns/n{number}" for number, name in enumerate(NAMES)}
    roles[OTHER] = "ns/other"
    return {"intent": 1, "account": ACCOUNTS[0], "clusters": clusters, "roles": roles}


@pytest.fixture(scope="module")
def files():
    answer = generated(plan(odd_intent()), FORMATS, Choices(), read_back)
    assert answer.problems == ()
    return {file.path: file.text for file in answer.files}


def of(files, dialect):
    return {path: text for path, text in files.items() if path.startswith(f"{dialect}/")}


def documents(files, dialect):
    return [document for text in of(files, dialect).values() for document in yaml.safe_load_all(text)]


def test_paths_differ_in_more_than_case(files):
    assert len({path.lower() for path in files}) == len(files)


@pytest.mark.parametrize("dialect", ["kubernetes", "crossplane", "ack", "vap"])
def test_objects_have_names_that_kubernetes_takes_and_each_is_there_once(files, dialect):
    for text in of(files, dialect).values():
        names = [(d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in yaml.safe_load_all(text)]
        assert len(set(names)) == len(names)
        assert [name for _, _, name in names if not OBJECT.fullmatch(name)] == []


def test_descriptions_and_tags_arrive_as_they_were_written(files):
    meant = [(text.strip() and text, tagged(text)) for text in TEXTS]
    resources = {}
    for template in documents(files, "cloudformation"):
        assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in template["Resources"])
        resources |= {r["Properties"].get("RoleName"): r["Properties"] for r in template["Resources"].values()}
    ack = {d["spec"].get("name"): d["spec"] for d in documents(files, "ack")}
    crossplane = {
        d["metadata"]["annotations"]["crossplane.io/external-name"]: d["spec"]["forProvider"]
        for d in documents(files, "crossplane")
        if d["kind"] == "Role"
    }
    for number, (description, tag) in enumerate(meant):
        name = f"t{number}"
        assert resources[name].get("Description", "") == ack[name].get("description", "") == description
        assert crossplane[name].get("description", "") == description
        assert crossplane[name]["tags"]["k"] == tag
        assert {"Key": "k", "Value": tag} in resources[name]["Tags"]
        assert {"key": "k", "value": tag} in ack[name]["tags"]


def test_every_association_and_role_of_a_template_is_its_own_resource(files):
    kinds = [r["Type"] for template in documents(files, "cloudformation") for r in template["Resources"].values()]
    pods = len([number for number in range(len(TEXTS)) if number % 3 == 0])
    assert kinds.count("AWS::IAM::Role") == len(odd_intent()["roles"])
    assert kinds.count("AWS::EKS::PodIdentityAssociation") == 2 * pods
    assert kinds.count("AWS::IAM::OIDCProvider") == 4


def test_no_resource_of_terraform_is_there_twice(files):
    heads = [head for text in of(files, "terraform").values() for head in re.findall(r'(?m)^resource "\w+" "[^"]+"', text)]
    assert len(set(heads)) == len(heads)
    assert all(re.fullmatch(r'resource "\w+" "[A-Za-z_][\w-]*"', head) for head in heads)


@pytest.mark.skipif(shutil.which("terraform") is None, reason="no terraform")
def test_terraform_is_laid_out_as_terraform_lays_it_out(files, tmp_path):
    for path, text in of(files, "terraform").items():
        (tmp_path / os.path.basename(path)).write_text(text, encoding="utf-8", newline="")
    assert (
        subprocess.run(["terraform", "fmt", "-check", tmp_path], capture_output=True, timeout=60, check=False).returncode == 0
    )


def test_scripts_hand_every_word_on_as_it_is(files, tmp_path):
    stub = tmp_path / "aws"
    stub.write_text('#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done >> "$LOG"\nprintf "\\1" >> "$LOG"\n')
    stub.chmod(0o755)
    (tmp_path / "kubectl").symlink_to(stub)
    for path, text in of(files, "cli").items():
        script = tmp_path / os.path.basename(path)
        script.write_text(text, encoding="utf-8", newline="")
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(tmp_path / "log")}
        done = subprocess.run(["sh", script], env=environment, capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
    calls = [call.split("\0")[:-1] for call in (tmp_path / "log").read_bytes().decode().split("\1")]
    made = {call[3]: call for call in calls if call[:2] == ["iam", "create-role"]}
    for number, text in enumerate(TEXTS):
        call = made[f"t{number}"]
        assert not text.strip() or call[call.index("--description") + 1] == text
        assert {"Key": "k", "Value": tagged(text)} in json.loads(call[call.index("--tags") + 1])


@pytest.mark.parametrize("word", ["1e3", "0o17", "y", "N", ".5", "1.", "0b1"])
def test_texts_that_other_readers_take_for_numbers_are_in_quotes(word):
    intent = odd_intent() | {"roles": {"a": {"service-accounts": "ns/a", "tags": {"k": word}}}}
    (file,) = generated(plan(intent), ["ack"], Choices(), read_back).files
    assert f"value: '{word}'" in file.text


def test_a_service_account_more_at_the_end_moves_nobody():
    def parts(count):
        body = {"service-accounts": [f"shop/app-{number}" for number in range(count)], "split": True}
        intent = odd_intent() | {"roles": {"big": body}}
        return {(a.cluster, a.service_account): a.value for a in plan(intent).annotations}

    for count in (20, 35, 60):
        before, after = parts(count), parts(count + 1)
        assert {key: after[key] for key in before} == before
        assert len(after) == len(before) + 2


def test_one_cluster_under_two_names_gives_a_service_account_one_role():
    both = {"clusters": {"a": issuer(1), "b": {"issuer": issuer(1)}}, "roles": {"one": {"service-accounts": {"a": "ns/x"}}}}
    both["roles"]["two"] = {"service-accounts": {"b": "ns/x"}}
    assert [problem.code for problem in plan(odd_intent() | both).problems] == ["two-roles"]


@pytest.mark.parametrize("guardrail", ["rcp", "scp"])
def test_a_guardrail_without_an_issuer_is_a_problem_and_no_denial_of_all(guardrail):
    intent = {"intent": 1, "account": ACCOUNTS[0], "clusters": {"shop": arn("shop")}}
    intent["roles"] = {"a": {"service-accounts": "ns/a", "via": "pod-identity"}}
    answer = generated(plan(intent), [guardrail], Choices(), read_back)
    assert ([problem.code for problem in answer.problems], answer.files) == (["not-in-this-format"], ())
