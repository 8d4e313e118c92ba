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
    put_trust_policy,
    restart,
)
from irsa_doctor.rulebook.files import read_rule_files, rules_folder
from tests.answers.why.worlds import case_of
from tests.remedies.offering import conditions, let_in, offered, statement, whole

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
