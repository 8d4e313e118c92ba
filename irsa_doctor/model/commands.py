"""Commands that read what is missing, with names of the input in them."""

import shlex

NAMED_SECRETS = (
    # the values of Secrets, and the annotations that repeat them, do not belong in a file
    "kubectl get secrets -A -o json | jq '.items |= map({apiVersion, kind, type, metadata: {name: .metadata.name, "
    'namespace: .metadata.namespace, annotations: ((.metadata.annotations // {}) | {"kubernetes.io/service-account.name"})}, '
    'data: ((.data // {}) | map_values(""))})\' > secrets.json'
)
"""reads the names, types and keys of all Secrets, and the service accounts whose tokens they hold"""
_PROGRAMS = tuple(
    [name] for name in ("aws", "kubectl", "irsa-doctor", "terraform", "curl", "nslookup", "az", "gcloud", "eksctl")
)
_READS = (("kubectl", "get"), ("aws", "iam"), ("aws", "eks"), ("aws", "organizations"))
_AWS_VERBS = ("list-", "get-", "describe-")
_OPTIONS = frozenset(
    {
        *("-n", "-A", "-o", "--raw", "--filter", "--field-selector", "--name", "--region", "--role-name", "--cluster-name"),
        *("--open-id-connect-provider-arn", "--association-id", "--addon-name", "--nodegroup-name", "--principal-arn"),
        "--target-id",
    }
)
"""options of commands that read and that neither choose credentials nor another server"""


def shell_command(template: str, *values: str) -> str:
    """A command with values in the places of `{}`, each quoted for a POSIX shell.

    Names come out of documents that anybody may have written. "" where one begins with a dash: it would be an option.
    """
    if any(value.startswith("-") for value in values):
        return ""
    return template.format(*map(shlex.quote, values))


def is_command(how: str) -> bool:
    """Whether a text that says how something is got is a command, and not a sentence: its first word as a shell reads it."""
    try:
        return shlex.split(how)[:1] in _PROGRAMS
    except ValueError:
        return how.split()[:1] in _PROGRAMS


def is_plain_read(how: str) -> bool:
    """Whether a text is one command that only reads, each word plain or quoted for a POSIX shell.

    That is asked of texts that others have written: nothing is chained, written, redirected, or sent to another server.
    """
    if how == NAMED_SECRETS:
        return True
    try:
        words = shlex.split(how)
    except ValueError:
        return False
    if shlex.join(words) != how:
        return False
    if words[0] == "curl":
        return len(words) == 2 and words[1].startswith("https://")
    if tuple(words[:2]) not in _READS:
        return False
    if words[0] == "aws" and not "".join(words[2:3]).startswith(_AWS_VERBS):
        return False
    return all(word in _OPTIONS for word in words if word.startswith("-"))
