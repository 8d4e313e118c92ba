import gc
import gzip
import hashlib
import json
import os

import pytest

from irsa_doctor.sources import load
from tests.sources.worlds import cluster, inventory, loaded, only_row, policy, role, service_account

DEEP = 100_000


def test_nothing_given_gives_nothing():
    assert load([]).inventory.documents == ()


def test_every_given_path_has_a_row_in_the_order_of_reading(tmp_path):
    contents = {
        "cluster.json": json.dumps(cluster()).encode(),
        "broken.json": b'{"Role": ',
        "empty.json": b" \n",
        "image.png": bytes(range(256)),
        "notes.txt": b"hello",
        "sub/sa.json.gz": gzip.compress(json.dumps(service_account()).encode()),
        "sub/trust.json": json.dumps(policy()).encode("utf-16"),
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    rows = load([str(tmp_path), str(tmp_path / "gone.json")]).inventory.documents
    told = {os.path.relpath(row.path, tmp_path): (row.kind, row.status, row.named) for row in rows}
    assert told == {
        "broken.json": ("", "unreadable", False),
        "cluster.json": ("eks-describe-cluster", "read", False),
        "empty.json": ("", "ignored", False),
        "image.png": ("binary", "ignored", False),
        "notes.txt": ("text", "ignored", False),
        "sub/sa.json.gz": ("kubernetes", "read", False),
        "sub/trust.json": ("trust-policy", "read", False),
        "gone.json": ("", "unreadable", True),
    }
    assert list(told) == [*sorted(contents), "gone.json"]
    for row in rows[:-1]:
        assert row.sha256 == hashlib.sha256(contents[os.path.relpath(row.path, tmp_path)]).hexdigest()


def test_paths_are_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.json").write_text(json.dumps(policy()))
    for given, path in (("a", "a/x.json"), ("./a", "a/x.json"), ("a/x.json", "a/x.json")):
        assert [row.path for row in load([given]).inventory.documents] == [path]


def test_standard_input_is_a_document_like_any_other():
    read = load(["-"], stdin=json.dumps(policy()).encode())
    assert [row.path for row in read.inventory.documents] == ["-"]
    assert read.inventory.roles[0].id == "-#0" or read.inventory.roles[0].place.document == "-"
    assert read.documents.locate(read.inventory.roles[0].place).line == 1


def test_the_collector_is_left_as_it_was():
    for wanted in (True, False):
        (gc.enable if wanted else gc.disable)()
        load([])
        assert gc.isenabled() is wanted
    gc.enable()


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        ('{"Version": "2012-10-17",\n "Statement": [],}', 2, 17, "comma before"),
        ('{"Statement": NaN}', 1, 15, "NaN"),
        (b'{"a": "\0"}', 1, 8, "NUL"),
        (b"a: \xe9\n", 1, 4, "UTF-8"),
        ("[" * DEEP, 1, 101, "levels deep"),
        ('{"a":' * DEEP + "1" + "}" * DEEP, 1, 501, "levels deep"),
        ("a: " + "[" * DEEP, 1, 103, "levels deep"),
        ("- " * DEEP, 1, 201, "levels deep"),
        ("a: 'x", 1, 6, "not valid YAML"),
        ("{{- if .x }}\nkind: Pod\n{{- end }}", 1, 2, "template"),
        (gzip.compress(b"[]" * 50_000_000), 0, 0, "exceeds the limit"),
    ],
)
def test_what_cannot_be_read_is_named_with_line_and_reason(content, line, column, words):
    row = only_row(content)
    assert row.status == "unreadable"
    assert words in row.why
    assert (row.line, row.column) == (line, column)


def test_an_unreadable_policy_is_known_for_one():
    assert only_row(json.dumps(policy())[:-1]).matters
    assert not only_row('{"a": ').matters


def test_half_written_data_without_a_telling_name_is_passed_over_unless_it_looks_like_a_policy(tmp_path):
    (tmp_path / "README").write_text('{"a": 1,}')
    (tmp_path / "trust").write_text(json.dumps(policy())[:-1])
    (tmp_path / "run.sh").write_text("kind: [\n")
    rows = {os.path.basename(row.path): row.status for row in load([str(tmp_path)]).inventory.documents}
    assert rows == {"README": "ignored", "trust": "unreadable", "run.sh": "ignored"}
    named = load([str(tmp_path / "README")]).inventory.documents
    assert [row.status for row in named] == ["unreadable"]


@pytest.mark.parametrize("name", ["terraform.tfstate", "terraform.tfstate.backup"])
def test_a_state_that_is_cut_off_is_not_passed_over(tmp_path, name):
    (tmp_path / name).write_text('{"version": 4, "resources": [{"mode": "managed", "type": "aws_iam_role", "na')
    assert [row.status for row in load([str(tmp_path)]).inventory.documents] == ["unreadable"]


def test_members_given_twice_outside_of_policies_are_reported_and_the_rest_is_read():
    text = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: a\n  name: b\n"
    read = inventory({"x.yaml": text})
    assert [one.name for one in read.service_accounts] == ["b"]
    good, bad = read.documents
    assert (good.status, bad.status, bad.line, bad.column) == ("read", "unreadable", 5, 3)
    assert "`name` appears twice, at 4:3 and at 5:3" in bad.why


def test_a_broken_line_of_json_lines_loses_none_of_the_others():
    lines = [json.dumps(service_account("a")), '{"kind": ', json.dumps(service_account("b"))]
    read = inventory({"x.jsonl": "\n".join(lines)})
    assert [one.name for one in read.service_accounts] == ["a", "b"]
    assert [(row.status, row.line) for row in read.documents] == [("read", 0), ("unreadable", 2)]


def test_a_policy_as_the_api_gives_it_is_read_from_a_file_of_its_own():
    from urllib.parse import quote

    for text in (quote(json.dumps(policy())), json.dumps(json.dumps(policy()))):
        read = loaded({"x.txt": text})
        assert read.inventory.roles[0].policy.document == policy()
        assert read.documents.locate(read.inventory.roles[0].place.at("Statement")).line == 1
    assert only_row("%7B%22Statement%22%3A%5B").status == "unreadable"


def test_a_policy_in_flow_yaml_is_no_json_but_an_object_of_kubernetes_is():
    assert only_row('{Version: "2012-10-17", Statement: []}').status == "unreadable"
    assert only_row("{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}").status == "read"


def test_numbers_beyond_measure_are_no_crash():
    text = json.dumps(policy())[:-1] + ', "Id": ' + "9" * 100_000 + "}"
    assert len(inventory({"x.json": text}).roles) == 1
    assert len(inventory({"x.json": {"Role": role(MaxSessionDuration=10**400)}}).roles) == 1


def test_documents_of_hostile_shape_never_raise():
    shapes = [None, 5, "x", True, [], {}, [None], [[]], {"a": 1}, [{}], {"kind": 5}, {"metadata": 7}, {"": None}]
    names = ["RoleDetailList", "Roles", "Role", "OpenIDConnectProviderList", "Url", "ClientIDList", "cluster", "clusters"]
    names += ["associations", "association", "Policy", "Statement", "Version", "keys", "issuer", "jwks_uri", "kind"]
    names += ["apiVersion", "metadata", "spec", "items", "data", "webhooks", "Arn", "RoleName", "AssumeRolePolicyDocument"]
    for name in names:
        for shape in shapes:
            for base in ({}, {"kind": "Pod", "apiVersion": "v1"}, {"kind": "List", "apiVersion": "v1"}, {"Url": "x"}):
                rows = inventory({"x.json": {**base, name: shape}}).documents
                assert rows
    for kind in ("Pod", "CronJob", "ServiceAccount", "Secret", "MutatingWebhookConfiguration", "Deployment", "Namespace"):
        for shape in shapes:
            for path in (
                ("metadata",),
                ("spec",),
                ("spec", "containers"),
                ("spec", "volumes"),
                ("spec", "template"),
                ("data",),
                ("webhooks",),
            ):
                value: object = shape
                for step in reversed(path):
                    value = {step: value}
                assert inventory({"x.json": {"metadata": {"name": "x"}, "apiVersion": "v1", "kind": kind, **value}}).documents


@pytest.mark.parametrize("comment", ["// who may", "/* who may */", "\n  // who may"])
def test_a_policy_with_comments_is_no_text_that_nobody_meant(comment):
    found = loaded({"policy.json": f"{comment}\n{json.dumps(policy())}"})
    (row,) = found.inventory.documents
    assert (row.status, row.matters) == ("unreadable", True)
    assert "comments" in row.why


@pytest.mark.parametrize(
    "text",
    ['{\n  // for the editor\n  "compilerOptions": {"strict": true}\n}\n', '{"include": ["src",],}', '/* x */\n{"a": 1}\n'],
)
def test_settings_of_tools_with_comments_are_no_policies_but_are_read_where_they_are_named(tmp_path, text):
    path = tmp_path / "tsconfig.json"
    path.write_text(text)
    (row,) = load([str(tmp_path)]).inventory.documents
    assert (row.status, row.kind) == ("ignored", "configuration")
    assert load([str(path)]).inventory.documents[0].status == "unreadable"
    path.write_text(text.replace("{", '{"Action": "sts:AssumeRole",', 1))
    assert load([str(tmp_path)]).inventory.documents[0].status == "unreadable"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("role.ts", "// makes the role\nconst action = 'sts:AssumeRoleWithWebIdentity';\nexport { action };\n"),
        ("api.go", "// Code generated.\n\npackage sts\n\n// AssumeRoleWithWebIdentity API operation.\n"),
        ("Role.java", "/*\n * AssumeRoleWithWebIdentity\n */\npackage example;\n"),
    ],
)
def test_source_code_that_begins_with_a_comment_is_no_policy(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    (row,) = load([str(tmp_path)]).inventory.documents
    assert row.status == "ignored"


def test_a_policy_with_comments_before_it_is_unreadable(tmp_path):
    (tmp_path / "trust").write_text('// who\n/* may */\n\n{"Statement": [{"Action": "sts:AssumeRoleWithWebIdentity"}]}\n')
    (row,) = load([str(tmp_path)]).inventory.documents
    assert row.status == "unreadable"
