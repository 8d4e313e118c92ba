"""Finds the placeholders of a hand-written text: the parts that a person or a program still has to fill in."""

import re

from irsa_doctor.model import Hole, Text
from irsa_doctor.model.regex import regex

# `${aws:username}`, `${*}`, `${?}` and `${$}` are IAM's own variables and stay text
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html); `${AWS::AccountId}` is CloudFormation's.
_HOLE = regex(
    r"\$\{AWS::[^{}]*\}"
    r"|\$\{(?![*?$]\})[^{}:]+(?::[-=][^{}]*)?\}"
    # what shells cut off and replace
    r"|\$\{[A-Za-z_][A-Za-z0-9_]*[#%/][^{}\n]*\}"
    r"|\$[A-Za-z_][A-Za-z0-9_]*"
    # bounded, as each of many that nothing closes is looked for to its end
    r"|\{\{[^\n]{0,1000}?\}\}"
    r"|#\{[^{}\n]+\}#?"
    r"|\{(?:[A-Z][A-Z0-9_]+|[a-z][a-z0-9]*(?:_[a-z0-9]+)+)\}"
    # names of roles may have the sign, as app@PROD@eu
    r"|(?<![\w@])@{1,2}[A-Z][A-Z0-9_]+@{1,2}|@{1,2}[A-Z][A-Z0-9_]+@{1,2}(?![\w@])"
    r"|~{1,2}[A-Z][A-Z0-9_]+~{1,2}"
    r"|%{1,2}[A-Z][A-Z0-9_]{2,}%{1,2}"
    r"|\[\[[^\[\]\n]+\]\]|\[[A-Z][A-Z0-9_]{3,}\]"
    r"|%\{[^{}]*\}"
    r"|<[^<>\n]+>+"
    r"|(?<![A-Za-z0-9_])_{0,2}(?:YOUR|REPLACE|CHANGE)[_-][A-Z0-9_-]+"
    r"|\bCHANGEME\b"
    r"|\b[A-Z0-9_]*_PLACEHOLDER\b"
    r"|__[A-Z][A-Z0-9_]*__"
    r"|(?<![\w-])[Xx]{4,}(?![\w-])|[Xx]{6,}"
)
# what printf and format() fill in, and what a shell runs, as variables of Azure Pipelines and Kubernetes look, too; a language
# that has them fills them in itself
_HOLE_OR_VERB = regex(_HOLE.pattern + r"|\$\([^()\n]+\)|%(?:\[\d{1,2}\]|\d{1,2}\$)?[sqv](?![0-9A-Za-z])")
# a word where an ARN has its account: ACCOUNT_ID, aws-account-id; `aws` and `cloudfront` are real ones
_ACCOUNT = regex(r"(?<=:)[A-Za-z0-9_-]*(?:account|acct)[A-Za-z0-9_-]*(?=:)", re.IGNORECASE)
# words for what a reader has to fill in, where names stand: ORG, MY_REPO, your-org
_FOR_NAMES = frozenset(
    {
        *("my", "your", "github", "gitlab", "name", "org", "organization", "organisation", "owner", "user", "username"),
        *("repo", "repository", "group", "subgroup", "project", "workspace"),
    }
)
# what follows CHANGE and REPLACE where they ask for a name: CHANGE_ME, REPLACE_WITH_ORG
_FOR_MARKS = _FOR_NAMES | {"me", "this", "it", "with", "by", "here", ""}
_ARN = regex(r"arn:[^:\s]+:[^:\s]+:[^:\s]*:")


def with_holes(text: str, *, verbs: bool = True) -> str | Text:
    """Return the text itself, or its literal parts and holes where it has placeholders; `verbs`: also `%s`, `$(x)`
    and their like."""
    if not may_have_holes(text):
        return text
    spans = [match.span() for match in (_HOLE_OR_VERB if verbs else _HOLE).finditer(text)]
    if arn := _ARN.match(text):
        account = _ACCOUNT.match(text, arn.end())
        if account and not any(start < account.end() and account.start() < end for start, end in spans):
            spans = sorted([*spans, account.span()])
    if not spans:
        return text
    parts: list[str | Hole] = []
    done = 0
    for start, end in spans:
        if start > done:
            parts.append(text[done:start])
        parts.append(Hole(text[start:end]))
        done = end
    if done < len(text):
        parts.append(text[done:])
    return Text(tuple(parts))


def placeholders_of(text: str) -> tuple[str, ...]:
    """The placeholders in a text that is live, where nobody fills them in any more, each once.

    There, what people call things too is none: the branch CHANGE-1234, the environment [PROD].
    """
    if not may_have_holes(text):
        return ()
    found = dict.fromkeys(match[0] for match in _HOLE.finditer(text))
    return tuple(placeholder for placeholder in found if not _is_name(placeholder))


def _is_name(placeholder: str) -> bool:
    first, *others = regex(r"[-_]+").split(placeholder.strip("_").lower())
    is_mark = first in ("change", "replace") and others
    return not _FOR_MARKS.issuperset(others) if is_mark else placeholder[0] == "[" != placeholder[1]


def may_be_name(placeholder: str) -> bool:
    """Whether people may call something so, where a name may have any sign: {EU_WEST}, %PROD%, @DEV@; not <env> or {{env}}."""
    return placeholder[0] in "{%@" and placeholder[1] != "{"


def stands_for_name(text: str) -> bool:
    """Whether a text says whose name belongs in its place: all of its words do, in capitals or beginning with `your`."""
    words = regex(r"[-_.]").split(text.lower())
    return (text.isupper() or words[0] == "your") and len(text) > 2 and all(word in _FOR_NAMES for word in words)


def is_placeholder(text: str) -> bool:
    """Whether a text is one placeholder and nothing else."""
    return _HOLE.fullmatch(text) is not None


def value_with_holes(value: object) -> object:
    """Return a JSON value with holes for the placeholders in its strings and names of members."""
    if isinstance(value, str):
        return with_holes(value)
    if isinstance(value, list):
        return [value_with_holes(item) for item in value]
    if isinstance(value, dict):
        return {with_holes(name): value_with_holes(item) for name, item in value.items()}
    return value


def may_have_holes(text: str) -> bool:
    """Whether a text may have placeholders: a cheap check for every annotation of an estate, so no regular expression."""
    return (
        "$" in text
        or "<" in text
        or "{" in text
        or "%" in text
        or "@" in text
        or "~" in text
        or "[" in text
        or "XXXX" in text
        or "xxxx" in text
        or "YOUR" in text
        or "REPLACE" in text
        or "CHANGE" in text
        or "_PLACEHOLDER" in text
        or "__" in text
        or "acc" in text
        or "ACC" in text
        or "Acc" in text
    )
