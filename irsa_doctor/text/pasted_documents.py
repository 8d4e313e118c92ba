"""Takes out of what people paste with a message the documents in it: trust policies, answers of IAM, and service accounts."""

import json
import re
from collections.abc import Iterator, Mapping
from textwrap import dedent

from irsa_doctor.text.errors import TextError
from irsa_doctor.text.yaml import read_yaml

_LONGEST = 1 << 16
"""characters of a text that somebody has pasted; a longer one is a log"""
_MOST = 50
"""places of a text at which a document may begin"""
_BEGIN = re.compile(r"(?m)(?:^[ \t]{0,40}|\"AssumeRolePolicyDocument\"[ \t]{0,9}:[ \t]{0,9})(?=\{)")
_ACCOUNT = re.compile(r"(?m)^([ \t]{0,40})apiVersion:[ \t]{0,9}v1[ \t]{0,9}$")
_KIND = re.compile(r"(?m)^kind:[ \t]{0,9}ServiceAccount[ \t]{0,9}$")
_LINE = re.compile(r"(?:[ \t]|[A-Za-z][\w.-]{0,60}:|- )")
_HIDDEN = re.compile(
    r"\*{3,}|#{3,}|\.{3,}|\u2026|(?<!\$)\[(?!true|false|null)[A-Za-z][\w -]{1,40}\]|(?<![${])\{[A-Za-z][\w -]{1,40}\}"
    r"|(?<![<\w])(?:REDACTED|redacted|MASKED|CENSORED)(?![\w>])|(?<=:iam::)(?![\d<])[^\":<>${}]{0,40}(?=:)"
)
"""what people write over an account, an id or a name, and no wildcard of theirs"""
_ANSWERS = ("OpenIDConnectProviderList", "ClientIDList")
_decode = json.JSONDecoder().raw_decode


def pasted_documents(text: str) -> Mapping[str, bytes]:
    """The documents in a text by names of their own; none in a log, and no policy where the text has several that differ:
    which of them is in use is not known."""
    if len(text) > _LONGEST:
        return {}
    values = {json.dumps(value, sort_keys=True): (value, raw) for value, raw in _values(text)}
    several = sum(_has_policy(value) for value, _ in values.values()) > 1
    kept = [raw for value, raw in values.values() if not (several and _has_policy(value))]
    documents = {f"pasted-{number}.json": raw for number, raw in enumerate(kept, 1)}
    accounts = {f"pasted-{number}.yaml": account for number, account in enumerate(dict.fromkeys(_accounts(text)), 1)}
    return {name: document.encode(errors="replace") for name, document in (*documents.items(), *accounts.items())}


def _values(text: str) -> Iterator[tuple[dict[str, object], str]]:
    """The objects of JSON that are a trust policy or an answer of IAM, each with its text."""
    at = 0
    for _ in range(_MOST):
        begin = _BEGIN.search(text, at)
        if begin is None:
            return
        try:
            value, at = _decode(text, begin.end())
        except (ValueError, RecursionError):
            at = begin.end() + 1
            continue
        raw = _HIDDEN.sub("<hidden>", text[begin.end() : at])
        if isinstance(value, dict) and (_has_policy(value) or any(f'"{name}"' in raw for name in _ANSWERS)):
            yield value, raw


def _has_policy(value: dict[str, object]) -> bool:
    """Whether an object is a trust policy, or a role with one."""
    role = value.get("Role", value)
    if isinstance(role, dict) and "AssumeRolePolicyDocument" in role:
        return True
    statements = value.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    return any(isinstance(statement, dict) and _is_of_trust(statement) for statement in listed)


def _is_of_trust(statement: dict[str, object]) -> bool:
    """Whether a statement says who may call STS, and not who may use a bucket or a key."""
    return "Principal" in statement and ("Resource" not in statement or "sts:" in json.dumps(statement.get("Action")))


def _accounts(text: str) -> Iterator[str]:
    """The service accounts in YAML, as `kubectl get -o yaml` and manifests have them."""
    for begin in list(_ACCOUNT.finditer(text))[:_MOST]:
        lines = []
        for line in text[begin.start() :].split("\n"):
            own = line.removeprefix(begin[1])
            if not _LINE.match(own):
                break
            lines.append(own)
        account = dedent("\n".join(lines)) + "\n"
        if _KIND.search(account) and not isinstance(read_yaml(account.encode(errors="replace")), TextError):
            yield account
