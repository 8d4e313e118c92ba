"""Work grows with what is read, not with its square: calls of functions are counted, which no busy machine changes."""

import json
import sys
import time

import pytest

from irsa_doctor import api

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/8C41D5E09A7B4F2368D1A0F5C93E7B64"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
TIMES = 4
"""how much larger the second document of a pair is"""


def statement(number, **conditions):
    action = "sts:AssumeRoleWithWebIdentity"
    return {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": action, "Condition": conditions}


def policy(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def open_statements(number):
    return policy([statement(n) for n in range(number)])


def miswritten_statements(number):
    return policy(
        [
            statement(n, StringEquals={f"https://{ISSUER}:sub": f"system:serviceaccount:a:b{n}", f"{ISSUER}:aud": "x"})
            for n in range(number)
        ]
    )


def patterns(number):
    return policy([statement(n, StringLike={f"{ISSUER}:sub": f"system:serviceaccount:a{n}:*"}) for n in range(number)])


def denied_statements(number):
    allowed = [statement(n, StringEquals={f"{ISSUER}:sub": f"system:serviceaccount:a:b{n}"}) for n in range(number)]
    return policy([*allowed, {**statement(0), "Effect": "Deny", "Condition": {"StringEquals": {f"{ISSUER}:sub": "x"}}}])


def values(number):
    return policy([statement(0, StringLike={f"{ISSUER}:sub": [f"system:serviceaccount:a{n}:*" for n in range(number)]})])


def principals(number):
    named = [f"arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/{n:032X}" for n in range(number)]
    return policy([{**statement(0), "Principal": {"Federated": named}}])


def audiences(number):
    return policy([statement(n, StringEquals={f"{ISSUER}:aud": f"a{n}"}) for n in range(number)])


def keys(number):
    return policy([statement(0, StringLike={f"oidc.eks.eu-west-1.amazonaws.com/id/{n:032X}:sub": "x" for n in range(number)})])


def issuers(number):
    return policy(
        [{**statement(n), "Principal": {"Federated": f"{PROVIDER[:-32]}{n:032X}"}, "Sid": f"s{n}"} for n in range(number)]
    )


def denied_values(number):
    deny = {**statement(0, StringLike={f"{ISSUER}:sub": [f"*a{n}" for n in range(number)]}), "Effect": "Deny"}
    return policy([statement(0, StringLike={f"{ISSUER}:sub": "system:serviceaccount:a:*"}), deny])


def calls(document, folder):
    """The number of calls of functions that a check of a document and its report make."""
    (folder / "p.json").write_text(document)
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += 1

    sys.setprofile(counted)
    try:
        report = api.check([str(folder / "p.json")])
        api.render_report(report, "json", api.Style())
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "document",
    [
        *(open_statements, miswritten_statements, patterns, denied_statements, values, principals, audiences),
        *(keys, issuers, denied_values),
    ],
)
def test_calls_grow_with_the_policy_and_not_with_its_square(tmp_path, document):
    calls(document(1), tmp_path)  # what is imported and kept for later
    small, large = (calls(document(number), tmp_path) for number in (100, 100 * TIMES))
    assert large < small * TIMES * 1.3


@pytest.mark.parametrize(
    ("allowed", "denied"),
    [
        (["*" + "*".join(f"{n}{k}" for k in range(20)) + "*" for n in range(20)], ["?" * 20 + f"*{n}*a" for n in range(60)]),
        (["?*" * 60 + "a"], ["*?" * 60 + "b"]),
        (["*a" + "?" * 500 + "b"], ["*b" + "?" * 500 + "a"]),
        ([f"*{'ab' * 30}*{n}" for n in range(30)], [f"*{'ba' * 30}*{n}" for n in range(30)]),
    ],
)
def test_a_policy_of_six_kilobytes_takes_at_most_two_seconds(tmp_path, allowed, denied):
    wide, deny = ({f"{ISSUER}:sub": patterns} for patterns in (allowed, denied))
    document = policy([statement(0, StringLike=wide), {**statement(1, StringLike=deny), "Effect": "Deny"}])
    assert len(document) < 8_000
    (tmp_path / "p.json").write_text(document)
    api.check([str(tmp_path / "p.json")])  # what is imported
    start = time.process_time()
    report = api.check([str(tmp_path / "p.json")])
    assert time.process_time() - start < 2
    assert report.findings or report.unknown


def test_a_few_lines_of_many_roles_with_many_statements_take_no_other_file_with_them(tmp_path):
    principal = f'principals {{\n type = "Federated"\n identifiers = ["{PROVIDER}"]\n}}'
    content = f'content {{\n actions = ["sts:AssumeRoleWithWebIdentity"]\n {principal}\n}}'
    dynamic = f'dynamic "statement" {{\n for_each = range(300)\n {content}\n}}'
    (tmp_path / "main.tf").write_text(
        f'data "aws_iam_policy_document" "d" {{\n {dynamic}\n}}\n'
        'resource "aws_iam_role" "r" {\n count = 1000\n assume_role_policy = data.aws_iam_policy_document.d.json\n}\n'
    )
    (tmp_path / "z.json").write_text(open_statements(1))
    report = api.check([str(tmp_path)])
    of_template = [finding for finding in report.findings if finding.locations[0].file.endswith("main.tf")]
    assert len(of_template) < 20_000
    assert any("more than 50,000 parts" in finding.message for finding in of_template)
    assert any(finding.locations[0].file.endswith("z.json") and finding.severity == "critical" for finding in report.findings)
