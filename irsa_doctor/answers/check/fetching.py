"""The command that fetches a missing input into a file, which the next call reads."""

import hashlib
import shlex
from functools import lru_cache

from irsa_doctor.model import Unknown
from irsa_doctor.model.findings import Missing
from irsa_doctor.model.regex import regex

_TYPES = {"aws": ".json", "kubectl": ".yaml", "curl": ".json"}
_UNSAFE = regex(r"[^A-Za-z0-9.]+")
_LONGEST = 80
_ANSWERS = {
    "iam": (
        *("get-role", "list-roles", "get-account-authorization-details"),
        *("list-open-id-connect-providers", "get-open-id-connect-provider"),
    ),
    "eks": (
        *("list-clusters", "describe-cluster"),
        *("list-pod-identity-associations", "describe-pod-identity-association"),
    ),
    "organizations": ("describe-policy",),
}
"""the operations of AWS whose answers are inputs"""
_PUBLISHED = ("/.well-known/openid-configuration", "/keys", "/openid/v1/jwks", "jwks.json")
"""how the URLs of discovery documents and keys end"""
_FILTERED = ("--query", "jsonpath", "printenv", "|")
"""what makes another document of an answer"""
_VERBS = ("get", "describe", "list")
_NOT_NAMES = ("--filter", "--output", "-o")
"""options whose value does not name an object"""


def missing_input(unknown: Unknown, rules: tuple[str, ...], subjects: int) -> Missing:
    """Returns what is missing with its command; AWS and Kubernetes answers are redirected into a file.

    The words of a command are quoted for a POSIX shell: names of the input may hold anything. The answer of one cluster among
    several has a file of its own, and the option that names the cluster.
    """
    how, file = fetched(unknown.how, unknown.cluster)
    named = unknown.cluster and file and how.startswith("kubectl ")
    then = (unknown.then, f"--cluster {shlex.quote(f'{unknown.cluster}={file}')}" if named else "")
    return Missing(unknown.missing, how, rules, subjects, " ".join(filter(None, then)), file)


@lru_cache(maxsize=1_024)  # service accounts of one cluster want the same answers again and again
def fetched(how: str, cluster: str = "") -> tuple[str, str]:
    """Returns a command that writes a file, and the name of the file; "" where it writes none that can be an input."""
    words = _words(how)
    if words[-2:-1] == [">"]:
        return how, words[-1]
    if not words or not _is_input(words):
        return how, ""
    file = _file([*words, cluster] if words[0] == "kubectl" and cluster else words)
    return f"{shlex.join(_machine_readable(words))} > {file}", file


def _words(how: str) -> list[str]:
    """The words of a command, as a shell reads them; those of a sentence where it is none."""
    try:
        return shlex.split(how)
    except ValueError:
        return how.split()


def _is_input(words: list[str]) -> bool:
    """Whether the answer of a command can be read as it is."""
    if any(filtered in word for word in words for filtered in _FILTERED):
        return False
    if words[0] == "aws":
        return len(words) > 2 and words[2] in _ANSWERS.get(words[1], ())
    if words[0] == "curl":
        return words[-1].endswith(_PUBLISHED)
    return words[:2] == ["kubectl", "get"]


def _machine_readable(words: list[str]) -> list[str]:
    """The command with the option for JSON or YAML: kubectl prints a table, and the AWS CLI may be configured to print one."""
    if words[0] == "aws":
        return words if "--output" in words else [*words, "--output", "json"]
    if words[0] == "kubectl":
        return words if "-o" in words or "--raw" in words else [*words, "-o", "yaml"]
    return words


def _file(words: list[str]) -> str:
    """A file named after what a command reads: `describe-cluster --name prod` writes `cluster-prod.json`."""
    names = [_of_kinds(name) if words[0] == "kubectl" else name for name in _names(words[1:])]
    name = _shortened(_UNSAFE.sub("-", "-".join(names)).strip("-.").lower())
    is_json = "--raw" in words or "json" in words
    return (name or "answer") + (".json" if is_json else _TYPES[words[0]])


def _shortened(name: str) -> str:
    """A name that is too long for a file: its beginning, and what tells it from others that begin so."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _of_kinds(name: str) -> str:
    """A name for many kinds of objects that one command reads."""
    first, *others = name.split(",")
    return f"{first}-and-{len(others)}-more" if len(others) > 1 else name


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
