"""Commands that are offered can be pasted as they stand."""

import json
import re
import shlex
import subprocess

import pytest

from irsa_doctor.answers.why import diagnose
from irsa_doctor.remedies.commands import (
    add_audience,
    annotate,
    create_eks_provider,
    create_provider,
    create_service_account,
    delete_association,
    put_trust_policy,
    restart,
)
from irsa_doctor.rulebook.files import read_rule_files, rules_folder
from tests.answers.why.worlds import case_of
from tests.cli.running import run
from tests.remedies.offering import conditions, let_in, offered, statement, whole
from tests.servers.aws_cli import read_command

EXAMPLES = [
    (file.rule.id, example) for file in read_rule_files(rules_folder()) for example in (*file.examples.bad, *file.examples.good)
]
# a word in capitals stands for a value that is not known; `sub` and `aud` of EKS issuers have no such words
PLACEHOLDER = re.compile(
    r"\b[A-Z]+_[A-Z_]+\b|\b(ARN|CLUSTER|NAME|NAMESPACE|ACCOUNT|REGION|ISSUER|POD)\b|<[^>]*>|\{[a-z_]+\}|\$\{"
)


def is_whole(command):
    """Whether a command names nothing that is not there."""
    words = shlex.split(command)
    policy = [number + 1 for number, word in enumerate(words) if word == "--policy-document"]
    others = [word for number, word in enumerate(words) if number not in policy]
    for number in policy:
        json.loads(words[number])
    assert not [word for word in others if not word or PLACEHOLDER.search(word) or word.startswith("file:")], command
    return True


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[f"{rule}: {example.name}" for rule, example in EXAMPLES])
def test_every_example_is_corrected_by_whole_commands(rule, example):
    case = case_of(example.patch)
    fixes = [fix for fix in offered(case.view).values() if fix]
    fixes += [cause.fix for cause in diagnose(case).causes if cause.fix]
    assert all(is_whole(command) for fix in fixes for command in fix.commands)
    assert all(fix.policy is not None or fix.commands for fix in fixes)


def test_the_examples_are_corrected_by_every_kind_of_command():
    shown = set()
    for _, example in EXAMPLES:
        case = case_of(example.patch)
        fixes = [*offered(case.view).values(), *(cause.fix for cause in diagnose(case).causes)]
        shown |= {" ".join(shlex.split(command)[:3]) for fix in fixes if fix for command in fix.commands}
    assert {
        "aws iam update-assume-role-policy",
        "aws iam add-client-id-to-open-id-connect-provider",
        "kubectl annotate serviceaccount",
        "kubectl delete pod",
        "eksctl utils associate-iam-oidc-provider",
    } <= shown


def test_a_shell_gives_the_policy_to_the_command_as_it_is():
    fix = let_in(whole({"Sid": "Its", **statement(**conditions(sub="prod/app"))}))
    (command,) = fix.commands
    words = subprocess.run(["sh", "-c", f'set -- {command}; printf %s "$7"'], capture_output=True, text=True, check=True)
    assert json.loads(words.stdout) == fix.policy


ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
INTENT = f"""intent: 1
account: "111122223333"
clusters:
  shop: {{arn: "arn:aws:eks:eu-west-1:111122223333:cluster/shop", issuer: "https://{ISSUER}", audience: own.example}}
roles:
  team/cart:
    service-accounts: shop/cart
    policies: [arn:aws:iam::aws:policy/SecurityAudit]
    description: "it's -- $(id)"
    max-session: 7200
    permissions-boundary: arn:aws:iam::111122223333:policy/edge
    tags: {{team: shop}}
  exporter: {{via: pod-identity, service-accounts: metrics/exporter}}
"""


def scripted(folder):
    """The lines of the script that `generate` writes, each command in one."""
    (folder / "intent.yaml").write_text(INTENT)
    done = run("generate", "intent.yaml", "-f", "cli", "-o", "made", cwd=folder)
    assert done.returncode == 0, done.stderr
    return next((folder / "made").rglob("*.sh"))


PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
WRITING = {
    "update-assume-role-policy": put_trust_policy("app", {"Version": "2012-10-17", "Statement": []}),
    "add-client-id-to-open-id-connect-provider": add_audience(PROVIDER, "own.example"),
    "create-open-id-connect-provider": create_provider(ISSUER, "sts.amazonaws.com"),
    "delete-pod-identity-association": delete_association("shop", "eu-west-1", "a-0123456789abcdef0"),
}


@pytest.mark.parametrize("command", WRITING.values(), ids=WRITING)
def test_the_cli_of_aws_accepts_each_command_that_corrects_something(command):
    assert read_command(command)


def test_the_cli_of_aws_accepts_every_command_of_the_examples():
    """Those that correct something, those that settle a cause, and those that fetch what is missing."""
    seen = set()
    for _, example in EXAMPLES:
        case = case_of(example.patch)
        diagnosis = diagnose(case)
        texts = [command for fix in offered(case.view).values() if fix for command in fix.commands]
        texts += [command for cause in diagnosis.causes if cause.fix for command in cause.fix.commands]
        texts += [text for link in diagnosis.links for text in (link.settle, *(need.command for need in link.needs))]
        texts += [cause.settle for cause in diagnosis.causes]
        for text in {text.partition(" > ")[0].partition(" | ")[0] for text in texts if text.startswith("aws ")}:
            service, operation, _, _ = read_command(text)
            seen.add((service, operation))
    assert len(seen) > 5


def test_the_cli_of_aws_accepts_every_command_of_a_script(tmp_path):
    words = shlex.split(scripted(tmp_path).read_text(), comments=True)
    starts = [number for number, word in enumerate(words) if word in ("aws", "kubectl", "set")]
    commands = [words[start:end] for start, end in zip(starts, [*starts[1:], len(words)], strict=True)]
    operations = {read_command(shlex.join(command))[1] for command in commands if command[0] == "aws"}
    wanted = {"CreateOpenIDConnectProvider", "CreateRole", "AttachRolePolicy", "CreatePodIdentityAssociation"}
    assert operations == wanted


@pytest.mark.parametrize("name", ["--all", "-x", "A", "a b", "", "$(id)", "a\nb", "../x", "a;id"])
def test_a_name_that_nothing_can_have_makes_no_command(name):
    role = "arn:aws:iam::111122223333:role/app"
    assert annotate(name, "app", role) == annotate("prod", name, role) == annotate("prod", "app", name) == ""
    assert create_service_account("prod", name) == restart("prod", "Pod", name) == restart(name, "Deployment", "app") == ""
    assert add_audience(name, "sts.amazonaws.com") == ""
    if name != "A":
        assert create_eks_provider(name, "eu-west-1") == put_trust_policy(name, {}) == ""
        assert create_provider(name, "sts.amazonaws.com") == ""
    assert create_eks_provider("prod", name) == ""


def test_kinds_that_no_command_restarts_are_left_alone():
    assert restart("prod", "Job", "app") == ""
    assert restart("prod", "StatefulSet", "app") == "kubectl rollout restart -n prod statefulset/app"
