"""What is large, binary or endless costs no more than it may, and is said."""

import json
import tracemalloc

import pytest

from irsa_doctor import api
from irsa_doctor.sources import load
from irsa_doctor.text.yaml import read_yaml
from tests.systems import needs_unix

HOST = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"


def role(name):
    condition = {"StringLike": {f"{HOST}:sub": "*", f"{HOST}:aud": "sts.amazonaws.com"}}
    principal = {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{HOST}"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Role": {"RoleName": name, "Arn": f"arn:aws:iam::111122223333:role/{name}", "AssumeRolePolicyDocument": document}}


def rows(folder):
    return {row.path.rpartition("/")[2]: row for row in load([str(folder)]).inventory.documents}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("x.bin", bytes(range(256)) * 800, "binary"),
        ("notes.txt", b"nothing of interest, only words\n" * 5_000, "text"),
        ("core", b"\x7fELF" + bytes(200_000), "binary"),
    ],
)
def test_what_is_nothing_that_is_read_is_known_by_its_beginning(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    row = rows(tmp_path)[name]
    assert (row.status, row.kind, row.sha256) == ("ignored", kind, None)
    assert row.why


@needs_unix
def test_of_a_huge_file_that_is_nothing_no_more_than_the_beginning_is_read(tmp_path):
    with open(tmp_path / "image", "wb") as file:
        file.write(b"\x7fELF" + bytes(range(256)))
        file.truncate(1 << 40)
    row = rows(tmp_path)["image"]
    assert (row.status, row.kind, row.sha256) == ("ignored", "binary", None)


@pytest.mark.parametrize("name", ["role.json", "role.txt", "role"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_long_document_of_any_name_is_read(tmp_path, name, encoding):
    (tmp_path / name).write_bytes((json.dumps(role("r")) + " " * 100_000).encode(encoding))
    assert rows(tmp_path)[name].status == "read"


def test_a_long_manifest_without_an_ending_is_read(tmp_path):
    account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: b}\n"
    (tmp_path / "manifest").write_text("# " + "x" * 30_000 + "\n" + account * 2_000)
    assert rows(tmp_path)["manifest"].status == "read"


@pytest.mark.parametrize(
    "text",
    [
        "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: b}\n" * 3_000,
        "kind: List\nitems:\n" + "- metadata:\n    name: some-name\n    namespace: some-namespace\n" * 6_000,
    ],
    ids=["documents", "one list"],
)
def test_yaml_takes_at_most_twelve_times_its_bytes(text):
    raw = text.encode()
    read_yaml(b"a: 1")
    tracemalloc.start()
    try:
        documents = read_yaml(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(documents, list)
    assert peak < 12 * len(raw)


def test_a_run_that_reaches_its_limit_says_which_documents_it_did_not_judge(tmp_path):
    for number in range(3):
        (tmp_path / f"r{number}.json").write_text(json.dumps(role(f"r{number}")))
    report = api.check([str(tmp_path)], max_seconds=0)
    assert "0 seconds" in report.limit
    assert [row.status for row in report.documents] == ["unreadable"] * 3
    found = {
        finding.subject.id.rpartition("/")[2]: finding.severity for finding in report.findings if finding.rule == "run-limit"
    }
    assert found == {f"r{number}.json": "critical" for number in range(3)}


def test_a_run_within_its_limits_says_nothing_of_them(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(role("r")))
    report = api.check([str(tmp_path)])
    assert report.limit == ""
    assert "open-sub-star" in {finding.rule for finding in report.findings}
