"""`irsa-doctor fix`, as it is called."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
CART = "system:serviceaccount:shop:cart"
ROLE = "arn:aws:iam::111122223333:role/cart"


def policy(condition: Any, principal: Any = None, **more: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": principal or {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
        **more,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def equals(sub: Any = CART, aud: Any = "sts.amazonaws.com", prefix: str = "", operator: str = "StringEquals") -> dict[str, Any]:
    return {operator: {f"{prefix}{ISSUER}:sub": sub, f"{prefix}{ISSUER}:aud": aud}}


RIGHT = policy(equals())


def fix(folder: Path, *options: str) -> tuple[int, Any]:
    command = [sys.executable, "-m", "irsa_doctor", "fix", "--no-config", "-f", "json", *options, "."]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    return run.returncode, json.loads(run.stdout)


def written(folder: Path, document: Any, **style: Any) -> Path:
    path = folder / "trust.json"
    path.write_text(json.dumps(document, **{"indent": 2, **style}), encoding="utf-8")
    return path


CLUSTER = {
    "cluster": {
        "name": "shop",
        "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/shop",
        "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
    }
}
ACCOUNT = f"""apiVersion: v1
kind: ServiceAccount
metadata:
  name: cart
  namespace: shop
  annotations:
    eks.amazonaws.com/role-arn: {ROLE}
"""
ESTATE = ("--role", f"{ROLE}=trust.json", "--complete", "serviceaccounts")


def estate(folder: Path) -> None:
    (folder / "cluster.json").write_text(json.dumps(CLUSTER), encoding="utf-8")
    (folder / "sa.yaml").write_text(ACCOUNT, encoding="utf-8")


@pytest.mark.parametrize(
    ("document", "right"),
    [
        pytest.param(policy(equals(prefix="https://")), RIGHT, id="a key with a scheme"),
        pytest.param(policy(equals(operator="ForAllValues:StringEquals")), RIGHT, id="a set operator"),
        pytest.param(
            policy(equals(prefix="https://", operator="ForAllValues:StringEquals")), RIGHT, id="a set operator over such keys"
        ),
        pytest.param(policy(equals(operator="StringEqualsIfExists")), RIGHT, id="IfExists"),
        pytest.param(policy(equals(sub="sts.amazonaws.com", aud=CART)), RIGHT, id="keys that are swapped"),
        pytest.param(policy(equals(operator="stringequals")), RIGHT, id="an operator in lower case"),
        pytest.param(policy(equals(), {"AWS": PROVIDER}), RIGHT, id="a provider as an AWS principal"),
        pytest.param(policy(equals(), Action="sts:AssumeRole"), RIGHT, id="another action"),
        pytest.param(
            policy({"StringEquals": {f"{ISSUER}:sub": CART}}),
            policy({"StringEquals": {f"{ISSUER}:sub": CART, f"{ISSUER}:aud": "sts.amazonaws.com"}}),
            id="no audience",
        ),
    ],
)
def test_what_follows_from_the_text_alone_is_fixed(tmp_path: Path, document: Any, right: Any) -> None:
    path = written(tmp_path, document)
    code, answer = fix(tmp_path, "--write")
    assert json.loads(path.read_text(encoding="utf-8")) == right
    assert code == 0
    assert answer["summary"]["applied"] >= 1
    assert {each["safety"] for each in answer["fixes"] if each["applied"]} == {"safe"}
    assert fix(tmp_path, "--write")[1]["summary"]["applied"] == 0


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param({"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}, id="an audience alone"),
        pytest.param(equals("system:serviceaccount:*:cart", operator="StringLike"), id="a pattern"),
        pytest.param(equals("system:serviceaccount:shop:ca*"), id="a pattern under StringEquals"),
        pytest.param(equals("system:serviceaccount:Shop:cart"), id="another case"),
        pytest.param(equals(aud="amazonaws.com"), id="another audience"),
        pytest.param(equals(operator="StringNotEquals"), id="claims that are excluded"),
        pytest.param(
            {"StringEquals": {f"{ISSUER}:sub": CART}, "StringNotEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}},
            id="an audience that is excluded",
        ),
    ],
)
def test_what_the_service_accounts_say_is_fixed_where_they_are_listed_whole(tmp_path: Path, condition: Any) -> None:
    estate(tmp_path)
    path = written(tmp_path, policy(condition))
    _, answer = fix(tmp_path, "--write", *ESTATE)
    assert answer["remaining"] == [], answer
    result = json.loads(path.read_text(encoding="utf-8"))["Statement"][0]["Condition"]
    assert {(key, value) for block in result.values() for key, value in block.items()} == {
        (f"{ISSUER}:sub", CART),
        (f"{ISSUER}:aud", "sts.amazonaws.com"),
    }


def test_an_edit_by_which_somebody_not_given_may_lose_the_role_is_only_offered(tmp_path: Path) -> None:
    estate(tmp_path)
    path = written(tmp_path, policy({"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}))
    before = path.read_bytes()
    _, answer = fix(tmp_path, "--write", "--role", f"{ROLE}=trust.json")
    assert path.read_bytes() == before
    assert [(each["rule"], each["safety"], each["applied"]) for each in answer["fixes"]] == [("open-aud-only", "unsafe", False)]
    assert fix(tmp_path, "--write", "--unsafe-fixes", "--role", f"{ROLE}=trust.json")[1]["summary"]["applied"] == 1


def test_nobody_is_let_in_whom_the_input_does_not_name(tmp_path: Path) -> None:
    document = policy(equals("system:serviceaccount:*", prefix="https://", operator="StringLike"))
    path = written(tmp_path, document)
    _, answer = fix(tmp_path, "--write", "--unsafe-fixes")
    assert json.loads(path.read_text(encoding="utf-8")) == document
    assert {each["reason"] for each in answer["unfixed"]} <= {"would-widen", "nobody-named"}


def test_the_diff_is_what_write_writes_and_writes_nothing(tmp_path: Path) -> None:
    text = json.dumps(policy(equals(prefix="https://")), indent="\t").replace("\n", "\r\n")
    path = tmp_path / "trust.json"
    path.write_bytes(text.encode("utf-8-sig"))
    command = [sys.executable, "-m", "irsa_doctor", "fix", "--no-config", "--diff", "."]
    diff = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout
    assert path.read_bytes() == text.encode("utf-8-sig")
    other = tmp_path / "applied"
    other.mkdir()
    (other / "trust.json").write_bytes(path.read_bytes())
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=other, input=diff, check=True)
    fix(tmp_path, "--write")
    assert path.read_bytes() == text.replace("https://", "").encode("utf-8-sig") == (other / "trust.json").read_bytes()


def test_utf_16_and_the_mode_of_a_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    text = json.dumps(policy(equals(prefix="https://")), separators=(",", ":"))
    path.write_bytes(text.encode("utf-16"))
    path.chmod(0o640)
    fix(tmp_path, "--write")
    assert path.read_bytes() == text.replace("https://", "").encode("utf-16")
    assert path.stat().st_mode & 0o777 == 0o640


def test_members_of_one_name_are_merged_only_on_demand(tmp_path: Path) -> None:
    text = json.dumps(policy({"StringEquals": {"A": "1"}, "X": {"B": "2"}}), indent=2)
    text = text.replace('"A": "1"', f'"{ISSUER}:sub": "{CART}"').replace('"B": "2"', f'"{ISSUER}:aud": "sts.amazonaws.com"')
    path = tmp_path / "trust.json"
    path.write_text(text.replace('"X"', '"StringEquals"'), encoding="utf-8")
    assert not fix(tmp_path, "--write")[1]["files"]
    fix(tmp_path, "--write", "--unsafe-fixes")
    assert json.loads(path.read_text(encoding="utf-8")) == RIGHT


def test_an_answer_of_aws_is_no_source_and_has_a_command(tmp_path: Path) -> None:
    role = {"Role": {"RoleName": "cart", "Arn": ROLE, "AssumeRolePolicyDocument": policy(equals(prefix="https://"))}}
    written(tmp_path, role)
    _, answer = fix(tmp_path, "--commands")
    assert [each["reason"] for each in answer["unfixed"]] == ["not-in-source"]
    assert [each["document"] for each in answer["commands"]] == [RIGHT]
    assert answer["commands"][0]["shell"].startswith("aws iam update-assume-role-policy --role-name cart ")


def test_an_object_of_a_cluster_is_no_source(tmp_path: Path) -> None:
    text = ACCOUNT.replace("role-arn", "role_arn").replace("  name: cart\n", "  name: cart\n  uid: 0a\n")
    (tmp_path / "sa.yaml").write_text(text, encoding="utf-8")
    _, answer = fix(tmp_path, "--write")
    assert [(each["rule"], each["reason"]) for each in answer["unfixed"]] == [("sa-annotation-key-typo", "not-in-source")]
    assert answer["commands"][0]["shell"].startswith("kubectl annotate serviceaccount -n shop cart ")


ROLE_OF_CROSSPLANE = """apiVersion: iam.aws.upbound.io/v1beta1
kind: Role
metadata:
  name: cart
  annotations: {crossplane.io/external-name: cart}
spec:
  forProvider:
    assumeRolePolicy: 'POLICY'
"""


@pytest.mark.parametrize("first", [True, False])
def test_a_file_with_sources_of_several_kinds_is_a_source(tmp_path: Path, first: bool) -> None:
    documents = [ROLE_OF_CROSSPLANE.replace("POLICY", json.dumps(policy(equals(prefix="https://")))), ACCOUNT]
    (tmp_path / "all.yaml").write_text("---\n".join(documents if first else documents[::-1]), encoding="utf-8")
    _, answer = fix(tmp_path, "--write", "--unsafe-fixes")
    assert [(each["rule"], each["applied"]) for each in answer["fixes"]] == [("trust-key-has-scheme", True)]
    assert "https://" not in (tmp_path / "all.yaml").read_text(encoding="utf-8")


def test_a_role_of_crossplane_that_a_cluster_holds_is_no_source(tmp_path: Path) -> None:
    text = ROLE_OF_CROSSPLANE.replace("POLICY", json.dumps(policy(equals(prefix="https://"))))
    (tmp_path / "role.yaml").write_text(
        text.replace("  name: cart\n", '  name: cart\n  resourceVersion: "7"\n'), encoding="utf-8"
    )
    _, answer = fix(tmp_path, "--write", "--unsafe-fixes")
    assert [(each["rule"], each["reason"]) for each in answer["unfixed"]] == [("trust-key-has-scheme", "not-in-source")]


@pytest.mark.parametrize("listed", [True, False])
def test_two_spellings_of_an_operator_become_one(tmp_path: Path, listed: bool) -> None:
    sub, aud = equals()["StringEquals"].items()
    document = policy({"stringEquals": dict([aud]), "StringEquals": dict([sub])})
    document["Statement"] = document["Statement"] if listed else document["Statement"][0]
    path = written(tmp_path, document)
    fix(tmp_path, "--write", "--unsafe-fixes")
    right = {**RIGHT, "Statement": RIGHT["Statement"] if listed else RIGHT["Statement"][0]}
    assert json.loads(path.read_text(encoding="utf-8")) == right


def test_two_spellings_of_an_operator_with_the_same_key_stay(tmp_path: Path) -> None:
    condition = equals()["StringEquals"]
    document = policy({"stringEquals": {f"{ISSUER}:aud": "a", **condition}, "StringEquals": condition})
    path = written(tmp_path, document)
    _, answer = fix(tmp_path, "--write", "--unsafe-fixes")
    assert [(each["rule"], each["reason"]) for each in answer["unfixed"]] == [("policy-refused", "no-remedy")]
    assert json.loads(path.read_text(encoding="utf-8")) == document


def test_what_is_given_as_base_is_only_read(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    path = written(base, policy(equals(prefix="https://")))
    before = path.read_bytes()
    (tmp_path / "sa").mkdir()
    (tmp_path / "sa" / "sa.yaml").write_text(ACCOUNT, encoding="utf-8")
    command = [sys.executable, "-m", "irsa_doctor", "fix", "--no-config", "--write", "--base", "base", "sa"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (f"'{ROLE} '", f"'{ROLE}'"),
        ("arn:aws:iam::::111122223333:role/cart", ROLE),
        ('"arn:aws:iam:111122223333:role/cart"', f'"{ROLE}"'),
    ],
)
def test_a_role_arn_is_rid_of_what_does_not_belong_to_it(tmp_path: Path, wrong: str, right: str) -> None:
    path = tmp_path / "sa.yaml"
    path.write_text(ACCOUNT.replace(ROLE, wrong), encoding="utf-8")
    fix(tmp_path, "--write", "--select", "role-arn-malformed")
    assert path.read_text(encoding="utf-8") == ACCOUNT.replace(ROLE, right)


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [
        ("sts-regional-endpoints", '"yes"', '"true"'),
        ("sts-regional-endpoints", "'Off'", "'false'"),
        ("token-expiration", '"60"', '"600"'),
        ("token-expiration", '"100000"', '"86400"'),
    ],
)
def test_annotations_get_the_value_that_the_webhook_understands(tmp_path: Path, key: str, wrong: str, right: str) -> None:
    path = tmp_path / "sa.yaml"
    path.write_text(f"{ACCOUNT}    eks.amazonaws.com/{key}: {wrong} # eu\n", encoding="utf-8")
    fix(tmp_path, "--write")
    assert path.read_text(encoding="utf-8") == f"{ACCOUNT}    eks.amazonaws.com/{key}: {right} # eu\n"


def test_what_a_comment_ignores_is_not_fixed(tmp_path: Path) -> None:
    path = tmp_path / "sa.yaml"
    comment = "    # irsa-doctor: ignore[sa-annotation-key-typo] a key of another tool\n"
    text = ACCOUNT.replace("    eks.amazonaws.com/role-arn", f"{comment}    eks.amazonaws.com/role_arn")
    path.write_text(text, encoding="utf-8")
    fix(tmp_path, "--write", "--unsafe-fixes")
    assert path.read_text(encoding="utf-8") == text


def checked(folder: Path, output_format: str) -> str:
    command = [sys.executable, "-m", "irsa_doctor", "check", "--no-config", "-f", output_format, "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_reports_suggest_the_safe_edits(tmp_path: Path) -> None:
    written(tmp_path, policy(equals(prefix="https://")))
    result = json.loads(checked(tmp_path, "sarif"))["runs"][0]["results"][0]
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "trust.json"}
    assert [each["insertedContent"]["text"] for each in change["replacements"]] == [f"{ISSUER}:sub", f"{ISSUER}:aud"]
    lines = [f'          "{ISSUER}:sub": "{CART}",', f'          "{ISSUER}:aud": "sts.amazonaws.com"']
    assert "\n".join(["```suggestion", *lines, "```"]) in checked(tmp_path, "markdown")
    issue = json.loads(checked(tmp_path, "gitlab"))[0]
    assert "\n".join(["```suggestion:-0+1", *lines, "```"]) in issue["content"]["body"]


def test_reports_suggest_nothing_that_is_not_safe(tmp_path: Path) -> None:
    written(tmp_path, policy({"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}))
    assert "fixes" not in json.loads(checked(tmp_path, "sarif"))["runs"][0]["results"][0]
    assert "suggestion" not in checked(tmp_path, "markdown")


def test_of_what_no_command_is_for_the_commands_say_why(tmp_path: Path) -> None:
    role = {"Role": {"RoleName": "cart", "Arn": ROLE, "AssumeRolePolicyDocument": policy(equals(prefix="https://"))}}
    written(tmp_path, role)
    (tmp_path / "sa.yaml").write_text(ACCOUNT.replace("role-arn", "role_arn"), encoding="utf-8")
    (tmp_path / "open.json").write_text(json.dumps(policy(equals(sub="system:serviceaccount:*", operator="StringLike"))))
    _, answer = fix(tmp_path)
    command = [sys.executable, "-m", "irsa_doctor", "fix", "--no-config", "--commands", "."]
    text = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    named = [line.split(": ")[0] for line in text.splitlines() if line.startswith("# ") and ": " in line]
    findings = [each["rule"] for each in (*answer["fixes"], *answer["unfixed"])]
    assert len(findings) >= 3
    assert not {f"# {rule}" for rule in findings} - set(named)
    (unfixed,) = [each for each in answer["unfixed"] if each["reason"] == "nobody-named"]
    assert f"not fixed: nobody-named: {unfixed['because']}\n# {unfixed['how']}\n" in text
    assert "no command: --write edits sa.yaml\n" in text
    assert "aws iam update-assume-role-policy --role-name cart" in text


@pytest.mark.parametrize(
    ("text", "note"), [(ACCOUNT.replace("role-arn", "role_arn"), "the comments say why"), (ACCOUNT, "nothing was found")]
)
def test_that_there_is_no_command_is_said_beside_the_commands(tmp_path: Path, text: str, note: str) -> None:
    (tmp_path / "sa.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "irsa_doctor", "fix", "--no-config", "--commands", "."]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert all(line.startswith("#") for line in filter(None, ended.stdout.splitlines()))
    assert f"no command: {note}" in ended.stderr


def test_no_name_ends_a_comment_of_the_commands(tmp_path: Path) -> None:
    hostile = "".join(f"open{end}touch pwned" for end in ("\n", "\r\n", "\u2028", "\x85", "\x0b")) + "\n#.json"
    (tmp_path / hostile).write_text(json.dumps(policy(equals(sub="system:serviceaccount:*", operator="StringLike"))))
    command = [sys.executable, "-m", "irsa_doctor", "fix", "--no-config", "--commands", "."]
    text = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    assert "not fixed" in text
    subprocess.run(["sh", "-eu"], input=text, cwd=tmp_path, text=True, check=True)
    assert [path.name for path in tmp_path.iterdir()] == [hostile]


def test_no_name_moves_the_cursor_or_turns_the_text(tmp_path: Path) -> None:
    for name in ("\x1b[31mred\x1b[0m.json", "\u202egnp.json"):
        (tmp_path / name).write_text(json.dumps(policy(equals(sub="system:serviceaccount:*", operator="StringLike"))))
    for options in ([], ["--commands"]):
        command = [sys.executable, "-m", "irsa_doctor", "fix", "--no-config", *options, "."]
        text = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
        assert "\\x1b[31mred" in text
        assert "\\u{202e}gnp" in text
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize(
    ("document", "note"),
    [
        pytest.param(policy(equals(prefix="https://")), "", id="what an edit fixes"),
        pytest.param(
            policy({"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}),
            "no file is edited; without --diff, fix says of each finding why",
            id="what no edit fixes",
        ),
        pytest.param(RIGHT, "no file is edited: nothing was found", id="nothing to fix"),
    ],
)
def test_an_empty_diff_says_where_the_reasons_are(tmp_path, document, note):
    written(tmp_path, document)
    command = [sys.executable, "-m", "irsa_doctor", "fix", "--no-config", "--diff", "."]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert note in run.stderr
    assert ("no file is edited" in run.stderr) is bool(note)
    assert bool(run.stdout) is not bool(note)
