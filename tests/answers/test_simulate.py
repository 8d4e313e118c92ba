"""`simulate`: requests in, answers out, whatever the lines and files hold."""

import json
import os
import subprocess
import sys

import msgspec
import pytest

from irsa_doctor.answers.simulate import (
    Unanswerable,
    request_of,
    simulate,
    simulate_line,
    simulate_lines,
)
from irsa_doctor.sources.files.requests import Unreadable, read_policy_file

ACCOUNT = "210987654321"
ISSUER = "https://oidc.eks.ca-central-1.amazonaws.com/id/FEEDFACE0123"
NAME = ISSUER.removeprefix("https://")
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{NAME}"
API = "system:serviceaccount:shop:api"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{NAME}:sub": API}},
        }
    ],
}
CONTEXT = {f"{NAME}:sub": [API], f"{NAME}:aud": ["sts.amazonaws.com"]}
REQUEST = {"account": ACCOUNT, "issuer": ISSUER, "context": CONTEXT}


def line(**members) -> bytes:
    return json.dumps({"id": "one", "policy": POLICY, "request": REQUEST, **members}).encode()


def answer(text: bytes) -> dict:
    """The answer as it is written."""
    return json.loads(msgspec.json.encode(simulate_line(text)))


def with_condition(condition: dict) -> dict:
    return {**POLICY, "Statement": [{**POLICY["Statement"][0], "Condition": condition}]}


# ---- one line


def test_an_answer_has_the_id_the_decision_and_a_reason_for_each_statement():
    assert answer(line()) == {
        "id": "one",
        "decision": "allow",
        "because": [{"statement": 0, "outcome": "matches", "says": "Allow"}],
        "problems": [],
    }


@pytest.mark.parametrize("ident", ["E01", 5, 12345678901234567890123, 1.5, None, True, ["a", {"b": "c"}], "\u00e9\u2028"])
def test_an_id_is_given_back_as_it_was(ident):
    assert answer(line(id=ident))["id"] == ident
    assert answer(line(id=ident, request=5))["id"] == ident


def test_an_id_that_was_not_given_is_null():
    assert answer(json.dumps({"policy": POLICY, "request": REQUEST}).encode())["id"] is None


def test_other_members_are_ignored():
    assert answer(line(expect="deny", why=[1, 2], deep={"x": {}}))["decision"] == "allow"


@pytest.mark.parametrize(
    "policy",
    [
        {"policy": POLICY},
        {"policy": json.dumps(POLICY)},
        {"policy_text": json.dumps(POLICY)},
        {"policy_text": json.dumps(POLICY, indent=4)},
        {"policy_text": "\ufeff" + json.dumps(POLICY)},
        {"policy_text": json.dumps(json.dumps(POLICY))},
        {"policy": {}, "policy_text": json.dumps(POLICY)},
    ],
)
def test_a_policy_is_given_as_an_object_or_as_text(policy):
    text = json.dumps({"id": 1, "request": REQUEST, **policy}).encode()
    assert answer(text)["decision"] == "allow"


def test_the_provider_is_built_from_account_partition_and_issuer():
    china = "https://oidc.eks.cn-north-1.amazonaws.com.cn/id/FEEDFACE0123"
    assert request_of({"account": ACCOUNT, "issuer": ISSUER}).provider_arn == PROVIDER
    assert request_of({"account": ACCOUNT, "issuer": NAME}).provider_arn == PROVIDER
    assert request_of({"account": ACCOUNT, "issuer": china}).provider_arn.startswith("arn:aws-cn:iam:")
    assert request_of({"account": ACCOUNT, "issuer": ISSUER, "partition": "aws-x"}).provider_arn.startswith("arn:aws-x:iam:")
    assert request_of({"provider_arn": "arn:x"}).provider_arn == "arn:x"


def test_values_of_the_context_are_texts_in_any_form():
    found = request_of(
        {**REQUEST, "context": {"a:One": "x", "b": ["y", True, 5, 1.5], "c": [], "d": False}, "multi": ["A:one"]}
    )
    assert found.context == {"a:one": ("x",), "b": ("y", "true", "5", "1.5"), "c": (), "d": ("false",)}
    assert found.multi == {"a:one"}


def test_a_context_without_the_key_lacks_it():
    text = line(request={**REQUEST, "context": {}}, policy=with_condition({"Null": {f"{NAME}:sub": "true"}}))
    assert answer(text)["decision"] == "allow"


def test_an_empty_or_marked_key_is_multi_valued():
    policy = with_condition({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}})
    assert answer(line(policy=policy, request={**REQUEST, "context": {"aws:TagKeys": []}}))["decision"] == "implicit_deny"
    policy = with_condition({"StringEquals": {"aws:TagKeys": "a"}})
    marked = answer(line(policy=policy, request={**REQUEST, "context": {"aws:TagKeys": ["a"]}, "multi": ["aws:TagKeys"]}))
    assert marked["decision"] == "implicit_deny"
    assert answer(line(policy=policy, request={**REQUEST, "context": {"aws:TagKeys": ["a"]}}))["decision"] == "allow"


def test_a_contested_point_without_consequence_has_no_other_decision():
    everybody = {**POLICY["Statement"][0], "Effect": "Deny", "Principal": {"AWS": "*"}}
    provider = {**POLICY["Statement"][0], "Effect": "Deny"}
    found = answer(line(policy={**POLICY, "Statement": [everybody, provider]}))
    assert found["contested"] == ["P5"]
    assert "decision_otherwise" not in found


# ---- what is wrong with a policy


@pytest.mark.parametrize(
    ("text", "code", "pointer", "line_", "column"),
    [
        ('{"Statement": [],\n "Statement": []}', "duplicate-member", "/Statement", 2, 2),
        (
            '{"Version": "2012-10-17",\n  "Statement": [\n    {"Effect": "Perhaps"}]}',
            "bad-effect",
            "/Statement/0/Effect",
            3,
            16,
        ),
        ('{\n"Statement": [], "A/b~": 1}', "unknown-element", "/A~1b~0", 2, 18),
        ('{"Version": "2012-10-17"}', "no-statement", "/Statement", 1, 1),
        ('{"Statement": [}', "syntax", "", 1, 16),
        ("{'Statement': []}", "syntax", "", 1, 2),
        ('{"Statement": [],}', "syntax", "", 1, 17),
        ("", "syntax", "", 1, 1),
        ("no JSON at all", "syntax", "", 1, 1),
        ("[]", "not-an-object", "", 1, 1),
        ("null", "syntax", "", 1, 1),
        ('"text"', "syntax", "", 1, 1),
    ],
)
def test_problems_have_code_pointer_line_and_column(text, code, pointer, line_, column):
    found = answer(line(policy_text=text))
    assert found["decision"] == "invalid"
    problem = next(problem for problem in found["problems"] if problem["code"] == code)
    assert (problem["pointer"], problem["line"], problem["column"]) == (pointer, line_, column)
    assert problem["message"]


def test_the_name_is_pointed_at_where_the_name_is_wrong():
    text = json.dumps(with_condition({"stringEquals": {"a": "b"}}))
    (problem,) = answer(line(policy_text=text))["problems"]
    assert problem["column"] == text.index('"stringEquals"') + 1


def test_a_member_given_twice_is_found_in_an_object_too():
    text = line().replace(b'"Effect": "Allow"', b'"Effect": "Deny", "Effect": "Allow"')
    assert [problem["code"] for problem in answer(text)["problems"]] == ["duplicate-member"]


def test_a_problem_that_is_no_refusal_is_listed_beside_the_decision():
    everybody = {**POLICY["Statement"][0], "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x", "Federated": PROVIDER}}
    found = answer(line(policy={**POLICY, "Statement": [everybody]}))
    assert (found["decision"], [problem["code"] for problem in found["problems"]]) == ("allow", ["principal-must-exist"])


# ---- lines that are no requests


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"[1]",
        b"5",
        b"null",
        b'"text"',
        b"not json",
        b"\xff\xfe",
        b'{"id": "\xff"}',
        b'{"id": 1, "request": {"issuer": "\xc3"}}',
        b'{"id": 1,}',
        b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"request": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"id": "\\ud800"}',
        line(request=None),
        line(request=[]),
        line(request={**REQUEST, "context": 5}),
        line(request={**REQUEST, "context": {"a": None}}),
        line(request={**REQUEST, "context": {"a": [["b"]]}}),
        line(request={**REQUEST, "context": {"a:b": "x", "A:B": "y"}}),
        line(request={**REQUEST, "multi": 5}),
        line(request={**REQUEST, "multi": [5]}),
        line(request={**REQUEST, "account": 210987654321}),
        line(request={**REQUEST, "account": ""}),
        line(request={**REQUEST, "issuer": None}),
        line(request={**REQUEST, "partition": None}),
        line(request={**REQUEST, "provider_arn": 5}),
        line(request={**REQUEST, "action": ["sts:TagSession"]}),
        line(policy_text=5),
        json.dumps({"id": 1, "request": REQUEST}).encode(),
    ],
)
def test_what_is_no_request_says_why(text):
    found = answer(text)
    assert set(found) == {"id", "error"}
    assert found["error"]


def test_the_error_names_what_is_missing():
    with pytest.raises(Unanswerable, match=r"request\.issuer is missing"):
        request_of({"account": ACCOUNT})
    assert answer(json.dumps({"request": REQUEST}).encode())["error"] == "policy is missing"


def test_lines_are_answered_in_order_and_white_space_is_no_line():
    lines = b"\r\n".join([line(id=1), b"", b"  ", line(id=2, request=5), line(id=3)]) + b"\n"
    answers = [json.loads(msgspec.json.encode(found)) for found in simulate_lines(lines)]
    assert [found["id"] for found in answers] == [1, 2, 3]
    assert ["error" in found for found in answers] == [False, True, False]


# ---- the command


def run(*flags: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "irsa_doctor", "simulate", *flags], input=stdin, capture_output=True, check=False
    )


def ask(policy: object, *flags: str) -> subprocess.CompletedProcess[bytes]:
    path, stdin = ("-", policy) if isinstance(policy, bytes) else (str(policy), b"")
    return run("--trust-policy", path, "--issuer", ISSUER, "--account", ACCOUNT, "--sub", API, *flags, stdin=stdin)


TEXT = json.dumps(POLICY).encode()


def test_allow_is_0_and_deny_and_invalid_are_1():
    assert ask(TEXT).returncode == 0
    assert ask(TEXT, "--aud", "anything").returncode == 0
    assert ask(TEXT.replace(b":shop:", b":web:")).returncode == 1
    assert json.loads(ask(TEXT.replace(b'"Allow"', b'"Deny"')).stdout)["decision"] == "explicit_deny"
    invalid = ask(b"{}")
    assert (invalid.returncode, json.loads(invalid.stdout)["decision"]) == (1, "invalid")


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + TEXT,
        TEXT.decode().encode("utf-16"),
        TEXT.decode().encode("utf-16-le"),
        b"\xfe\xff" + TEXT.decode().encode("utf-16-be"),
        b"\n\n" + TEXT + b"\r\n",
    ],
)
def test_a_policy_in_any_usual_encoding_is_read(tmp_path, raw):
    path = tmp_path / "policy.json"
    path.write_bytes(raw)
    assert ask(path).returncode == 0


@pytest.mark.parametrize("raw", [b"", b" \n", b"\x00\x01\x02", b"\x89PNG\r\n\x1a\n\x00", b"\xff" * 50, TEXT + b"\xff"])
def test_what_is_no_text_is_a_wrong_call(tmp_path, raw):
    path = tmp_path / "policy.json"
    path.write_bytes(raw)
    found = ask(path)
    assert (found.returncode, found.stdout) == (2, b"")
    assert found.stderr.startswith(f"irsa-doctor: {path}: ".encode())
    assert found.stderr.count(b"\n") == 1


def test_what_cannot_be_opened_is_a_wrong_call(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "pipe", "/dev/zero", "a\nb"):
        found = ask(path)
        assert (found.returncode, found.stdout, found.stderr.count(b"\n")) == (2, b"", 1), path
        assert run("--vectors", str(path)).returncode == 2


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--trust-policy", "-"),
        ("--trust-policy", "-", "--issuer", ISSUER, "--account", "12345", "--sub", API),
        ("--trust-policy", "-", "--issuer", ISSUER, "--account", "\u0661" * 12, "--sub", API),
        ("--trust-policy", "-", "--issuer", ISSUER, "--account", ACCOUNT, "--sub", API, "--context", "aws:SourceIp"),
        ("--trust-policy", "-", "--issuer", ISSUER, "--account", ACCOUNT, "--sub", API, "--context", "=x"),
        ("--trust-policy", "-", "--issuer", ISSUER, "--account", ACCOUNT, "--sub", API, "-f", "xml"),
        ("--vectors", "-", "--sub", API),
        ("--vectors", "-", "--context", "a=b"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(flags):
    found = run(*flags, stdin=TEXT)
    assert (found.returncode, found.stdout, found.stderr.count(b"\n")) == (2, b"", 1)


def test_further_keys_and_several_values_of_one_key():
    policy = json.dumps(with_condition({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b=c"]}})).encode()
    assert ask(policy, "--context", "aws:TagKeys=a", "--context", "aws:tagkeys=b=c").returncode == 0
    assert ask(policy, "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=z").returncode == 1
    sub = json.dumps(with_condition({"StringEquals": {f"{NAME}:sub": "second"}})).encode()
    found = json.loads(ask(sub, "--context", f"{NAME.upper()}:SUB=second").stdout)
    assert (found["decision"], found.get("contested")) == ("implicit_deny", None)


def test_vectors_are_0_where_every_line_was_answered_whatever_the_answers():
    lines = line() + b"\n" + line(policy={}) + b"\n" + line(request={**REQUEST, "context": {}})
    found = run("--vectors", "-", stdin=lines)
    assert found.returncode == 0
    assert [json.loads(row)["decision"] for row in found.stdout.splitlines()] == ["allow", "invalid", "implicit_deny"]


def test_vectors_are_1_where_a_line_was_no_request():
    found = run("--vectors", "-", stdin=line() + b"\nnonsense\n\xff\n" + line(id=2))
    assert found.returncode == 1
    assert ["error" in json.loads(row) for row in found.stdout.splitlines()] == [False, True, True, False]


def test_vectors_may_be_a_file_in_another_encoding(tmp_path):
    path = tmp_path / "vectors.jsonl"
    path.write_bytes((line() + b"\n" + line()).decode().encode("utf-16"))
    assert run("--vectors", str(path)).stdout.count(b"\n") == 2
    path.write_bytes(b"\n \n")
    assert run("--vectors", str(path)).returncode == 2


def test_text_is_for_people_and_harmless():
    found = ask(TEXT.replace(b":shop:", b":web:"), "-f", "text", "--context", "a=b")
    assert found.stdout.decode().splitlines() == [
        "-: implicit deny",
        f'  statement 0: StringEquals {NAME}:sub is not met: the request has "{API}"',
    ]
    everybody = {**POLICY["Statement"][0], "Effect": "Deny", "Principal": {"AWS": "*"}}
    found = ask(json.dumps({**POLICY, "Statement": [*POLICY["Statement"], everybody]}).encode(), "-f", "text")
    assert found.stdout.decode().splitlines()[-1] == "  AWS's documentation is silent on P5; it may be allow"
    found = ask(b'{"Statement": [{"\\u001b[31m": 1}]}', "-f", "text")
    assert b"\x1b" not in found.stdout
    assert b"  line 1, column 17: " in found.stdout
    vectors = run("--vectors", "-", "-f", "text", stdin=line(id="a\x07b") + b"\n{}")
    assert vectors.stdout.decode().splitlines()[0] == "a\\x07b: allow"
    assert vectors.stdout.decode().splitlines()[-1] == "?: policy is missing"


def test_a_document_with_any_number_of_problems_tells_the_first_and_counts_the_rest():
    found = simulate(json.dumps({f"k{n}": n for n in range(100_000)}).encode(), request_of(REQUEST)).problems
    assert len(found) == 201
    assert found[-1].message == "99802 more problems"
    assert found[199].pointer == "/k199"


def test_the_answer_of_get_role_is_not_taken_for_a_policy_that_iam_refuses(tmp_path):
    path = tmp_path / "role.json"
    path.write_text(json.dumps({"Role": {"RoleName": "x", "AssumeRolePolicyDocument": POLICY}}))
    with pytest.raises(Unreadable, match="get-role"):
        read_policy_file(str(path))
    path.write_text(json.dumps({"Role": POLICY}))
    assert read_policy_file(str(path))
