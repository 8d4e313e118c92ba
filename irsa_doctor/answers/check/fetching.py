"""The command that fetches a missing input into a file, which the next call of `check` reads."""

import re
import shlex

from irsa_doctor.model import Unknown
from irsa_doctor.model.findings import Missing

_TYPES = {"aws": ".json", "kubectl": ".yaml", "curl": ".json"}
_UNSAFE = re.compile(r"[^A-Za-z0-9.]+")
_LONGEST = 80
_NOT_AN_INPUT = ("kubectl exec ", "kubectl create ", "aws organizations list-")
"""commands whose output `check` does not read"""
_WRITTEN = re.compile(r"> (\S+)$")
_VERBS = ("get", "describe", "list")
_NOT_NAMES = ("--filter", "--output", "-o")
"""options whose value does not name an object"""


def missing_input(unknown: Unknown, rules: tuple[str, ...], subjects: int) -> Missing:
    """Returns what is missing with its command; AWS and Kubernetes answers are redirected into a file.

    The words of a command are quoted for a POSIX shell: names of the input may hold anything.
    """
    how, file = fetched(unknown.how)
    return Missing(unknown.missing, how, rules, subjects, unknown.then, file)


def fetched(how: str) -> tuple[str, str]:
    """Returns a command that writes a file, and the name of the file; "" where it writes none that `check` reads."""
    if written := _WRITTEN.search(how):
        return how, written[1]
    words = how.split()
    if not words or words[0] not in _TYPES or how.startswith(_NOT_AN_INPUT):
        return how, ""
    file = _file(words)
    return f"{shlex.join(_machine_readable(words))} > {file}", file


def _machine_readable(words: list[str]) -> list[str]:
    """The command with the option for JSON or YAML: kubectl prints a table, and the AWS CLI may be configured to print one."""
    if words[0] == "aws":
        return words if "--output" in words else [*words, "--output", "json"]
    if words[0] == "kubectl":
        return words if "-o" in words or "--raw" in words else [*words, "-o", "yaml"]
    return words


def _file(words: list[str]) -> str:
    """A file named after what a command reads: `describe-cluster --name prod` writes `cluster-prod.json`."""
    name = _UNSAFE.sub("-", "-".join(_names(words[1:]))).strip("-.").lower()[-_LONGEST:].lstrip("-.")
    is_json = "--raw" in words or "json" in words
    return (name or "answer") + (".json" if is_json else _TYPES[words[0]])


def _names(words: list[str]) -> list[str]:
    """The object that a command names: the operation without its verb, or the resource, and the values of options."""
    names: list[str] = []
    before = ""
    for number, word in enumerate(words):
        if word.startswith("-") or (before in _NOT_NAMES):
            before = word
            continue
        is_value, before = before.startswith("--"), ""
        if is_value or "://" in word:
            names.append(word.rpartition("/")[2] if not word.endswith("/") else word)
        elif word not in _VERBS and not (number == 0 and word in ("iam", "eks", "organizations", "ec2")):
            names.append(word.partition("-")[2] if word.startswith(tuple(f"{verb}-" for verb in _VERBS)) else word)
    return names
